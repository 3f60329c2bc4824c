//! The page `newcomer` of the findings.

mod autoscaler;
mod jitter;
mod cpu_ceiling;
mod percentages;
mod plans;
mod pods;
