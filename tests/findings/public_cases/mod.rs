//! The page `public-cases` of the findings.

mod autoscalers;
mod rollouts;
mod tables;
mod workloads;
