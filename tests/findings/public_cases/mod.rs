//! The page `public-cases` of the findings.

mod autoscalers;
mod clusters;
mod exports;
mod load_tests;
mod logs;
mod rollouts;
pub mod samples;
mod tables;
mod workloads;
