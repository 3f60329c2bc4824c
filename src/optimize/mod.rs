//! Optimal provisioning: demand and prices in, a provably best plan out.
//!
//! | question | answer | method |
//! |---|---|---|
//! | purchase once, of several types and purchase options | [`MixProblem`] | linear or integer program |
//! | instances over time, of several types | [`ProvisioningProblem`] | linear or integer program |
//! | instances over time, of one type | [`OneType`] | exact: minimum-cost flow, or dynamic program |
//! | billing blocks | [`BlockProblem`] | linear or integer program |
//! | replicas for an objective at a given load | [`ServiceLoad`] | queueing formulas |
//! | minimum cost of any policy on a trace | [`BoundProblem`] | linear relaxation, with its proof |
//!
//! Programs are passed to a solver through good_lp: microlp in pure Rust, or HiGHS or CBC if they were built in
//! ([`Solver`]).
//!
//! The formulation, with sets, variables, constraints and units, is at the head of each file. Times are in intervals
//! unless stated otherwise, prices per interval, capacity and demand in any common unit. Invalid values are rejected;
//! requirements that cannot be met are named with their shortfall ([`OptimizeError::Infeasible`]).

mod blocks;
mod bound;
mod capacity;
mod dynamic;
mod error;
mod mix;
mod offer;
mod one_type;
mod potentials;
mod program;
mod provisioning;
mod solver;

pub use blocks::{BlockPlan, BlockProblem};
pub use bound::{BoundProblem, Place};
pub use capacity::{Joining, ServiceLoad, Station, Within};
pub use error::{Names, OptimizeError, Purchase, Requirement, Shortfall, clock_of};
pub use mix::{Bought, Mix, MixOffer, MixProblem, ShareLimits};
pub use offer::{Reserved, Spot};
pub use one_type::{OneType, OneTypePlan};
pub use provisioning::{Offer, Plan, ProvisioningProblem};
pub use solver::{SolveOptions, Solver};
