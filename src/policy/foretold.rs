//! What a policy expected, kept beside what came true.

use serde::{Deserialize, Serialize};

use crate::units::SimTime;

/// What a policy foretold of one step of time: the rate it expected there when capacity ordered at that moment could just be
/// ready in it. Plain values; all rates are requests per second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Foretold {
    /// The decision at which a replica ordered would be ready in this step: later orders come too late for it.
    pub at: SimTime,
    /// The step's beginning.
    pub from: SimTime,
    /// The step's end.
    pub to: SimTime,
    /// The expected rate.
    #[serde(with = "crate::units::real")]
    pub mean: f64,
    /// The rate that it stays below in one case of ten ([`Foretold::LEVELS`]).
    #[serde(with = "crate::units::real")]
    pub low: f64,
    /// The rate that it stays below in nine cases of ten.
    #[serde(with = "crate::units::real")]
    pub high: f64,
    /// The quantile that capacity is ordered for.
    #[serde(with = "crate::units::real")]
    pub planned: f64,
    /// Requests per second that one replica is taken to serve.
    #[serde(with = "crate::units::real")]
    pub capacity: f64,
}

impl Foretold {
    /// Quantile levels of `low` and `high`: an interval of 80%.
    pub const LEVELS: [f64; 2] = [0.1, 0.9];
}
