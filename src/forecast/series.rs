//! What goes into a forecast and what comes out.

use std::fmt;

use crate::units::SimDuration;

/// Values beyond this size are taken as missing: their squares would no longer add up.
const LARGEST: f64 = 1e100;

/// A series at equal steps. A missing value is NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    values: Vec<f64>,
    step: SimDuration,
    seasons: Vec<usize>,
}

impl Series {
    /// A series without known seasons. Values that are not finite (or beyond 1e100) count as missing.
    pub fn new(values: impl IntoIterator<Item = f64>, step: SimDuration) -> Self {
        let values = values.into_iter().map(present).collect();
        Series { values, step, seasons: Vec::new() }
    }

    /// This series with season lengths in steps (288 for a day of five-minute steps); those below 2 are left out.
    pub fn with_seasons(mut self, lengths: impl IntoIterator<Item = usize>) -> Self {
        self.seasons = lengths.into_iter().filter(|length| *length >= 2).collect();
        self.seasons.sort_unstable();
        self.seasons.dedup();
        self
    }

    /// The values in order of time.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Time from one value to the next.
    pub fn step(&self) -> SimDuration {
        self.step
    }

    /// Season lengths in steps, shortest first.
    pub fn seasons(&self) -> &[usize] {
        &self.seasons
    }

    /// Number of values, missing ones included.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Number of values that are not missing.
    pub fn observed(&self) -> usize {
        self.values.iter().filter(|v| v.is_finite()).count()
    }

    /// The values from index `from` up to (not including) `to`, with the same step and seasons.
    pub fn window(&self, from: usize, to: usize) -> Series {
        let to = to.min(self.len());
        Series { values: self.values[from.min(to)..to].to_vec(), step: self.step, seasons: self.seasons.clone() }
    }
}

/// The value, or NaN where it counts as missing.
pub(super) fn present(value: f64) -> f64 {
    if value.is_finite() && value.abs() <= LARGEST { value } else { f64::NAN }
}

/// Why a model could not be fitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FitError {
    /// No value was ever observed: there is nothing to forecast from.
    NoData,
    /// Fewer observed values than the model needs.
    TooShort {
        /// Values that could be used.
        have: usize,
        /// Values that the model needs.
        need: usize,
    },
    /// The numbers gave out.
    Unstable(&'static str),
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FitError::NoData => write!(f, "no value was observed"),
            FitError::TooShort { have, need } => write!(f, "{have} usable values, {need} needed"),
            FitError::Unstable(what) => write!(f, "{what}"),
        }
    }
}

impl std::error::Error for FitError {}
