//! The page `public-cases` of the findings.

mod autoscalers;
mod logs;
mod rollouts;
mod tables;
mod workloads;
