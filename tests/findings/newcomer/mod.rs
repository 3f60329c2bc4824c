//! The page `newcomer` of the findings.

mod autoscaler;
mod percentages;
mod plans;
mod pods;
