//! Decisions of the cluster-autoscaler, as pure code on plain values: how many nodes waiting pods need, which group of nodes
//! to grow, and how much of a node is used.

pub mod estimator;
pub mod expander;
pub mod utilization;
