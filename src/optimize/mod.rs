//! Optimal provisioning: demand and prices in, a provably best plan out.
//!
//! | question | answer | method |
//! |---|---|---|
//! | what to buy once, of several types and ways of buying | [`MixProblem`] | linear or integer program |
//! | what to run when, of several types | [`ProvisioningProblem`] | linear or integer program |
//! | how many of one type to run when | [`OneType`] | exact: flow of least cost, or dynamic program |
//! | which billing blocks to buy | [`BlockProblem`] | linear or integer program |
//! | how many replicas an objective takes at a given load | [`ServiceLoad`] | queueing formulas |
//! | what every policy pays at least on a trace | [`BoundProblem`] | linear relaxation, with its proof |
//!
//! Programs go to a solver through good_lp: microlp in pure Rust, or HiGHS or CBC where they were built in ([`Solver`]).
//!
//! The formulation, with sets, variables, constraints and units, stands at the head of each file. Times are in intervals unless
//! said otherwise, prices per interval, capacity and demand in any unit as long as it is the same. Figures that mean nothing are
//! refused; requirements that cannot be met are named, with by how much ([`OptimizeError::Infeasible`]).

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
pub use bound::BoundProblem;
pub use capacity::{Joining, ServiceLoad, Station, Within};
pub use error::{Names, OptimizeError, Purchase, Requirement, Shortfall, clock_of};
pub use mix::{Bought, Mix, MixOffer, MixProblem, ShareLimits};
pub use offer::{Reserved, Spot};
pub use one_type::{OneType, OneTypePlan};
pub use provisioning::{Offer, Plan, ProvisioningProblem};
pub use solver::{SolveOptions, Solver};
