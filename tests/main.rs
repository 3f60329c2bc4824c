//! All integration tests, one binary.

mod workload;
