//! Continuous batching: the scheduler of vLLM V1, and how long its steps take.
//!
//! An LLM engine computes in steps. In each, every request that runs gets some of its tokens computed: many at once
//! while its prompt is read, then one per step, and the step that reaches the end of what is known of it yields its
//! next token. Requests join and leave between steps. Keys and values of all tokens so far are kept in blocks of 16
//! tokens; when there are none left, a request gives its blocks up and is computed again later.
//!
//! [`Scheduler`] decides who gets how many tokens in a step. It was written from the rules of vLLM
//! (`vllm/v1/core/sched/scheduler.py`, `kv_cache_manager.py`, `block_pool.py`) and decides as the recorded schedulers of
//! vLLM 0.33.0 and 0.19.0 do, step by step (`tests/reference_serving.rs`).

mod blocks;
mod limits;
mod queue;
mod replica;
mod request;
mod roofline;
mod scheduler;
mod stated;
mod step_time;
mod steps;
mod versions;

pub use blocks::{BlockPool, Content};
pub use limits::{Limits, Order};
pub use replica::Engines;
pub use request::{Arriving, Prefix};
pub use roofline::{Gpu, Shape};
pub use scheduler::{Load, Plan, Scheduled, Scheduler};
pub use stated::ContinuousBatching;
pub use step_time::StepTime;
pub use steps::Steps;
pub use versions::Engine;

pub(super) use stated::PLUGIN;
