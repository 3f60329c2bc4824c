//! Everything that is tested from outside the library, in one binary.

mod cli;
mod forecasters;
mod recorded_hpa;
mod reference_autoscaling;
mod reference_forecast;
mod reference_optimize;
mod report;
mod support;
mod tidy;
mod workload;
