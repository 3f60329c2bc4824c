//! The shape of traffic over time: counts in equal steps, profiles, trends, cascades, events. Generators, transforms,
//! fits and descriptions use it.

pub(super) mod halves;
pub(super) mod profile;
pub(super) mod pulse;
pub(super) mod rate;
pub(super) mod series;
pub(super) mod trend;
