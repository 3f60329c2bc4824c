//! The page `newcomer` of the findings.

mod autoscaler;
mod jitter;
mod percentages;
mod plans;
mod pods;
mod cpu_ceiling;
