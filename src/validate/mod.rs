//! The simulator against the truth: stations with closed forms, recorded autoscalers, and the workloads that time it.

pub mod benchmark;
pub mod recorded;
pub mod verify;
