//! Plimsoll replays traffic against a modelled cluster under a scaling policy and reports cost, latency and objectives.

pub mod config;
pub mod engine;
pub mod forecast;
pub mod policy;
pub mod random;
pub mod stats;
pub mod units;
pub mod workload;
