//! `knative`: the autoscaler of Knative Serving (KPA), as it decides.
//!
//! Windows ([`buckets`]), the scale-down delay ([`maximum`]), what is aimed at ([`target`]), settings of the cluster
//! ([`config`]), the decision of each tick ([`decider`]) and how it is applied ([`scaler`]) have the structure of
//! knative/serving. All take `now` as an argument, so that the simulation and the vectors and recordings of the real program
//! (`tests/reference/autoscaling`, `tests/reference/autoscaling-recorded`) run the same code.

pub mod buckets;
pub mod config;
pub mod decider;
pub mod maximum;
mod parameters;
pub mod scaler;
mod simulated;
pub mod target;

pub use parameters::{CONFIG_KEYS, PLUGIN};
pub use simulated::KnativePolicy;
