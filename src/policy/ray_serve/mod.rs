//! `ray-serve`: how Ray Serve scales a deployment.
//!
//! The rules of ray-project/ray, release 2.60 and, for its delays, those up to 2.54. Times are seconds in binary64, as
//! there: what its clock's rounding does, this code does. The recordings in `tests/reference/serving-autoscalers` of the
//! real program run through it.

pub mod config;
pub mod decision;
pub mod deployment;
mod parameters;
mod policy;
pub mod reports;
pub mod series;

pub use config::{Aggregation, AutoscalingConfig, Release};
pub use parameters::PLUGIN;
pub use policy::RayServe;
