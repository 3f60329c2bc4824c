//! Many runs.

pub mod workloads;
