//! `aibrix`: the pod autoscaler of AIBrix, with its strategies APA and KPA.

pub mod algorithm;
mod parameters;
mod policy;

pub use parameters::PLUGIN;
pub use policy::{Aibrix, Settings, Strategy};
