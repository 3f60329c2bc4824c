//! How the planner of NVIDIA Dynamo sizes engines that serve language models.
//!
//! The rules of ai-dynamo/dynamo 1.6.1: forecasts of the load ([`predict`]), what an engine sustains ([`capacity`],
//! [`regression`]), scaling by throughput and by load ([`throughput`], [`load`]), and budgets of GPUs and power
//! ([`budget`], [`power`]). The recordings in `tests/reference/serving-autoscalers` of the real program run through them.

mod average;
pub mod budget;
pub mod capacity;
pub mod engine;
pub mod load;
pub mod planner;
pub mod power;
pub mod predict;
pub mod regression;
pub mod throughput;
