//! Everything that is tested from outside the library, in one binary.

mod answers;
mod brute_force;
mod causes;
mod cli;
mod determinism;
mod forecast_stories;
mod forecasters;
mod headroom;
mod invariants;
mod learning;
mod misses;
mod predictive;
mod queueing;
mod random_scenario;
mod recorded_hpa;
mod reference_autoscaling;
mod reference_forecast;
mod reference_optimize;
mod replication;
mod report;
mod support;
mod tidy;
mod workload;
mod zones;
