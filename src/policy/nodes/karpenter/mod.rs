//! Decisions of Karpenter, as pure code on plain values: how many nodes may be disrupted, and whether a consolidation is worth
//! its disruption.

pub mod balance;
pub mod budget;
