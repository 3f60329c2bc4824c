//! Input and output of forecasts.

use std::fmt;

use super::ladder::Fallback;
use crate::units::SimDuration;

/// Larger values are treated as missing: sums of their squares would overflow.
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

    /// Number of values, including missing ones.
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

    /// The same step and seasons with other values.
    pub(super) fn with_values(&self, values: Vec<f64>) -> Series {
        Series { values, step: self.step, seasons: self.seasons.clone() }
    }

    /// Seasons with at least `cycles` whole observed cycles, shortest first.
    pub(super) fn seasons_seen(&self, cycles: usize) -> Vec<usize> {
        self.seasons.iter().copied().filter(|length| length * cycles <= self.len()).collect()
    }
}

/// The value, or NaN if it counts as missing.
pub(super) fn present(value: f64) -> f64 {
    if value.is_finite() && value.abs() <= LARGEST { value } else { f64::NAN }
}

/// The reason why a model could not be fitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FitError {
    /// No value was ever observed.
    NoData,
    /// Fewer observed values than the model needs.
    TooShort {
        /// Number of usable values.
        have: usize,
        /// Number of values that the model needs.
        need: usize,
    },
    /// The model needs a season, and none with enough observed cycles is known.
    NoSeason,
    /// A numerical failure.
    Unstable(&'static str),
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FitError::NoData => write!(f, "no value was observed"),
            FitError::TooShort { have, need } => write!(f, "{have} usable values, {need} needed"),
            FitError::NoSeason => write!(f, "no season with two observed cycles is known"),
            FitError::Unstable(what) => write!(f, "{what}"),
        }
    }
}

impl std::error::Error for FitError {}

/// A forecast: expected values and quantiles.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Forecast {
    /// Expected values of the next steps.
    pub mean: Vec<f64>,
    /// The requested quantile levels.
    pub levels: Vec<f64>,
    /// For each level, the quantiles of the next steps.
    pub quantiles: Vec<Vec<f64>>,
    /// The simpler method that was used instead of the requested one, if so.
    pub fallback: Option<Fallback>,
}

impl Forecast {
    /// Normal quantiles around `mean` with the given standard errors.
    pub(super) fn normal(mean: Vec<f64>, errors: &[f64], levels: &[f64]) -> Self {
        let quantile = |level: &f64| {
            let z = normal_quantile(*level);
            mean.iter().zip(errors).map(|(m, e)| m + z * e).collect()
        };
        let quantiles = levels.iter().map(quantile).collect();
        Forecast { mean, levels: levels.to_vec(), quantiles, fallback: None }
    }

    /// The weighted mean of forecasts over the same steps and `levels`, quantile by quantile; weights sum to one.
    pub(super) fn mean_of(parts: impl Iterator<Item = (Forecast, f64)>, levels: &[f64]) -> Self {
        let mut sum = Forecast { levels: levels.to_vec(), ..Forecast::default() };
        for (part, weight) in parts {
            let add = |row: &mut Vec<f64>, own: &[f64]| {
                row.resize(own.len(), 0.0);
                row.iter_mut().zip(own).for_each(|(sum, value)| *sum += weight * value);
            };
            sum.quantiles.resize(part.quantiles.len(), Vec::new());
            add(&mut sum.mean, &part.mean);
            sum.quantiles.iter_mut().zip(&part.quantiles).for_each(|(row, own)| add(row, own));
        }
        sum
    }

    /// The quantiles of a requested level.
    pub fn quantile(&self, level: f64) -> Option<&[f64]> {
        let index = self.levels.iter().position(|l| *l == level)?;
        self.quantiles.get(index).map(Vec::as_slice)
    }

    /// This forecast with all values clamped to at least `floor`: a rate or a count is never negative.
    pub fn at_least(mut self, floor: f64) -> Self {
        let values = self.mean.iter_mut().chain(self.quantiles.iter_mut().flatten());
        values.for_each(|v| *v = v.max(floor));
        self
    }

    /// Whether every number is finite.
    pub(super) fn is_finite(&self) -> bool {
        self.mean.iter().chain(self.quantiles.iter().flatten()).all(|v| v.is_finite())
    }

    /// This forecast shifted by `by(h)` at the step with index `h`.
    pub(super) fn shifted(mut self, by: impl Fn(usize) -> f64) -> Self {
        for row in std::iter::once(&mut self.mean).chain(&mut self.quantiles) {
            row.iter_mut().enumerate().for_each(|(h, v)| *v += by(h));
        }
        self
    }
}

/// The quantile of the standard normal distribution; levels are clamped to 1e-9 to 1 - 1e-9.
pub(super) fn normal_quantile(level: f64) -> f64 {
    let level = if level.is_nan() { 0.5 } else { level.clamp(1e-9, 1.0 - 1e-9) };
    // Phi^-1(p) = -sqrt(2) erfc^-1(2 p)
    -std::f64::consts::SQRT_2 * statrs::function::erf::erfc_inv(2.0 * level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_value_is_missing() {
        let series =
            Series::new([1.0, f64::INFINITY, 1e150, 0.0], SimDuration::from_secs(60)).with_seasons([1, 7, 0, 7]);
        assert_eq!((series.observed(), series.seasons()), (2, [7].as_slice()));
        assert_eq!(series.window(3, 9).values(), [0.0]);
    }

    #[test]
    fn normal_quantiles_are_those_of_the_table() {
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-9);
        assert!(normal_quantile(0.5).abs() < 1e-12 && normal_quantile(f64::NAN).abs() < 1e-12);
        let forecast = Forecast::normal(vec![1.0, -5.0], &[1.0, 1.0], &[0.1, 0.9]).at_least(0.0);
        assert_eq!(forecast.mean, [1.0, 0.0]);
        assert_eq!(forecast.quantile(0.9).unwrap()[1], 0.0);
        assert!(forecast.quantile(0.5).is_none());
    }
}
