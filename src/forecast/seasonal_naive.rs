//! The value one season ago.

use std::sync::Arc;

use super::parameters::{count, or_empty};
use super::{FitError, Fitted, Forecast, Forecaster, ForecasterPlugin, Ladder, Series};
use crate::config::{Diagnostics, Fields, Yaml};

/// The entry in the list.
pub(super) const PLUGIN: ForecasterPlugin = ForecasterPlugin {
    name: "seasonal-naive",
    summary: "the value one season ago",
    source: "Hyndman and Athanasopoulos, Forecasting: Principles and Practice, section 5.2",
    build,
};

fn build(node: &Yaml, sink: &mut Diagnostics) -> Option<Arc<dyn Forecaster>> {
    let node = or_empty(node);
    let fields = Fields::open(&node, "seasonal-naive", sink)?;
    let season = Some(count(&fields, "season", 0, 2, sink)).filter(|season| *season > 0);
    fields.finish(sink);
    Some(Ladder::under("seasonal-naive", SeasonalNaive { season }))
}

/// Forecasts the value one season ago (if that is missing, the one of the season before).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeasonalNaive {
    /// Season length in steps; by default the longest of the series' seasons with at least two observed cycles.
    pub season: Option<usize>,
}

impl Forecaster for SeasonalNaive {
    fn fit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        let season = self.season.or(series.seasons_seen(2).last().copied()).ok_or(FitError::NoSeason)?;
        if series.len() < 2 * season {
            return Err(FitError::NoSeason);
        }
        let values = series.values();
        let squares: Vec<f64> = (season..values.len())
            .map(|t| (values[t] - values[t - season]).powi(2))
            .filter(|s| s.is_finite())
            .collect();
        if squares.is_empty() {
            return Err(FitError::TooShort { have: series.observed(), need: season + 1 });
        }
        let variance = squares.iter().sum::<f64>() / squares.len() as f64;
        let mut cycle = vec![f64::NAN; season];
        for (t, value) in values.iter().enumerate().filter(|(_, v)| v.is_finite()) {
            cycle[t % season] = *value;
        }
        // A phase that was never observed takes the level of its neighbours.
        let cycle = super::clean::interpolate(&cycle, 0);
        Ok(Box::new(SeasonalNaiveFit { method: *self, cycle, next: values.len() % season, variance }))
    }
}

struct SeasonalNaiveFit {
    method: SeasonalNaive,
    /// The last value of each phase.
    cycle: Vec<f64>,
    /// The index of the next phase.
    next: usize,
    variance: f64,
}

impl Fitted for SeasonalNaiveFit {
    fn forecast(&self, steps: usize, levels: &[f64]) -> Forecast {
        let season = self.cycle.len();
        let mean = (0..steps).map(|h| self.cycle[(self.next + h) % season]).collect();
        let errors: Vec<f64> = (0..steps).map(|h| (self.variance * (1 + h / season) as f64).sqrt()).collect();
        Forecast::normal(mean, &errors, levels)
    }

    fn update(&mut self, values: &[f64]) {
        for value in values {
            if value.is_finite() {
                self.cycle[self.next] = *value;
            }
            self.next = (self.next + 1) % self.cycle.len();
        }
    }

    fn refit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        self.method.fit(series)
    }

    fn describe(&self) -> String {
        format!("value {} steps ago", self.cycle.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;

    #[test]
    fn repeats_the_last_season() {
        let series =
            Series::new([1.0, 2.0, 3.0, 4.0, f64::NAN, 6.0, 7.0], SimDuration::from_secs(60)).with_seasons([3]);
        let mut fit = SeasonalNaive::default().fit(&series).unwrap();
        assert_eq!(fit.forecast(4, &[]).mean, [2.0, 6.0, 7.0, 2.0]);
        fit.update(&[8.0]);
        assert_eq!(fit.forecast(3, &[]).mean, [6.0, 7.0, 8.0]);
        assert_eq!(SeasonalNaive::default().fit(&series.window(0, 5)).err(), Some(FitError::NoSeason));
    }
}
