//! Plimsoll replays traffic against a modelled cluster under a scaling policy and reports cost, latency and objectives.

pub mod catalog;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod engine;
pub mod experiment;
pub mod forecast;
pub mod optimize;
pub mod policy;
pub mod queueing;
pub mod random;
pub mod report;
pub mod stats;
pub mod testing;
pub mod units;
pub mod workload;
