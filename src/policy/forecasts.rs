//! Forecasts as recorded, to be compared with the actual rates.

use serde::{Deserialize, Serialize};

use crate::units::SimTime;

/// A policy's forecast for one time step: the rate expected in it at the time when newly ordered capacity could just be
/// ready for it. All rates are requests per second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForecastPoint {
    /// Time of the forecast: the last decision at which an ordered replica would be ready for this step.
    pub at: SimTime,
    /// Start of the step.
    pub from: SimTime,
    /// End of the step.
    pub to: SimTime,
    /// The expected rate.
    #[serde(with = "crate::units::real")]
    pub mean: f64,
    /// The 10% quantile ([`ForecastPoint::LEVELS`]).
    #[serde(with = "crate::units::real")]
    pub low: f64,
    /// The 90% quantile.
    #[serde(with = "crate::units::real")]
    pub high: f64,
    /// The quantile that capacity is ordered for.
    #[serde(with = "crate::units::real")]
    pub planned: f64,
    /// Requests per second that one replica is assumed to serve.
    #[serde(with = "crate::units::real")]
    pub capacity: f64,
}

impl ForecastPoint {
    /// Quantile levels of `low` and `high`: an 80% interval.
    pub const LEVELS: [f64; 2] = [0.1, 0.9];
}
