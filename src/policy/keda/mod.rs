//! `keda`: the Kubernetes event-driven autoscaler, as it decides.
//!
//! What each poll does ([`executor`]), what stands in for a metric that fails ([`fallback`]), formulas over triggers
//! ([`formula`]), the `cron` trigger ([`cron`]) and ScaledJobs ([`jobs`]) have the structure of kedacore/keda; above zero, the
//! exact HPA decides ([`super::hpa`]). All take the time as an argument, so that the simulation and the vectors and
//! recordings of the real program (`tests/reference/autoscaling`, `tests/reference/autoscaling-recorded`) run the same code.

pub mod cron;
pub mod executor;
pub mod fallback;
pub mod formula;
pub mod jobs;
mod parameters;
pub mod scaled_object;
mod simulated;
mod tokens;
pub mod triggers;

pub use parameters::PLUGIN;
pub use simulated::{KedaPolicy, Scaling};
