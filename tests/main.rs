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
mod misses;
mod policy_gate;
mod predictive;
mod queueing;
mod random_scenario;
mod recorded_hpa;
mod reference_autoscaling;
mod reference_forecast;
mod reference_optimize;
mod replication;
mod report;
mod stories;
mod support;
mod testing;
mod tidy;
mod workload;
mod zones;
