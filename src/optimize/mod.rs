//! Optimal provisioning: demand and prices in, a provably best plan out.
mod blocks;
mod dynamic;
mod error;
mod mix;
mod offer;
mod one_type;
mod potentials;
mod program;
mod provisioning;

pub use blocks::{BlockPlan, BlockProblem};
pub use error::{OptimizeError, Purchase, Requirement, Shortfall};
pub use mix::{Bought, Mix, MixOffer, MixProblem, ShareLimits};
pub use offer::{Reserved, Spot};
pub use one_type::{OneType, OneTypePlan};
pub use program::SolveOptions;
pub use provisioning::{Offer, Plan, ProvisioningProblem};
