//! Many runs: compare, replicate, sweep, plan, test.

mod bound;
mod outcome;
pub mod recorded;
mod run;
pub mod verify;
pub mod workloads;

pub use bound::{CostBound, cost_bound};
pub use outcome::{InputFact, Outcome};
pub use run::{Progress, run};
