//! What to buy: searches for the least headroom, the cheapest variation, the traffic that a cluster can take.

pub(super) mod capacity;
pub(super) mod confirm;
mod floor;
pub(super) mod level;
pub(super) mod plan;
pub(super) mod provision;
pub(super) mod reach;
pub(super) mod scale;
pub(super) mod vary;
pub(super) mod volume;
