//! The page `newcomer` of the findings.

mod autoscaler;
mod begin;
mod cpu_ceiling;
mod files;
mod jitter;
mod no_price;
mod percentages;
mod plans;
mod pods;
mod tables;
