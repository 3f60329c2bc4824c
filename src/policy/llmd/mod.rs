//! `llm-d-wva`: the workload-variant autoscaler of llm-d.

pub mod saturation;
pub mod tokens;
