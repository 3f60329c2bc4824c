//! `kthena`: the autoscaler of Volcano's kthena.

pub mod algorithm;
mod parameters;
mod policy;
mod window;

pub use parameters::PLUGIN;
pub use policy::{Kthena, Metric, Settings};
