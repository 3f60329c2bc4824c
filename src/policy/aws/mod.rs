//! `target-tracking`, `step-scaling`, `simple-scaling`: the scaling policies of Amazon EC2 Auto Scaling, by their documentation.
//!
//! Arithmetic ([`adjust`]) and alarms ([`alarm`]) are those of the user guide. AWS publishes neither the periods of the alarms
//! that target tracking creates nor an implementation: periods are parameters, with what is usually observed as default.

pub mod adjust;
pub mod alarm;
mod capacity;
mod common;
mod rules;
mod rules_parameters;
mod tracking;

pub use rules_parameters::{SIMPLE_PLUGIN, STEP_PLUGIN};
pub use tracking::PLUGIN as TRACKING_PLUGIN;
