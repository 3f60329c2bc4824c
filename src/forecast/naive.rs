//! The last observed value.

use std::sync::Arc;

use super::parameters::or_empty;
use super::{FitError, Fitted, Forecast, Forecaster, ForecasterPlugin, Ladder, Series};
use crate::config::{Diagnostics, Fields, Yaml};

/// The entry in the list.
pub(super) const PLUGIN: ForecasterPlugin = ForecasterPlugin {
    name: "naive",
    summary: "the last observed value",
    source: "Hyndman and Athanasopoulos, Forecasting: Principles and Practice, section 5.2",
    build,
};

fn build(node: &Yaml, sink: &mut Diagnostics) -> Option<Arc<dyn Forecaster>> {
    Fields::open(&or_empty(node), "naive", sink)?.finish(sink);
    Some(Ladder::under("naive", Naive))
}

/// Forecasts the last observed value. The interval is that of a random walk: the variance of one step times the number
/// of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Naive;

impl Naive {
    pub(super) fn fit_naive(&self, series: &Series) -> Result<NaiveFit, FitError> {
        let (mut last, mut squares, mut steps) = (None, 0.0, 0u32);
        for (t, value) in series.values().iter().enumerate().filter(|(_, v)| v.is_finite()) {
            if let Some((before, known)) = last {
                // A random walk over a gap of k steps has k times the variance of one step.
                squares += (value - known) * (value - known) / (t - before) as f64;
                steps += 1;
            }
            last = Some((t, *value));
        }
        let (at, last) = last.ok_or(FitError::NoData)?;
        let variance = if steps > 0 { squares / f64::from(steps) } else { 0.0 };
        Ok(NaiveFit { last, since: series.len() - 1 - at, variance })
    }
}

impl Forecaster for Naive {
    fn fit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        Ok(Box::new(self.fit_naive(series)?))
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct NaiveFit {
    last: f64,
    /// Number of missing values after the last observed one.
    since: usize,
    variance: f64,
}

impl Fitted for NaiveFit {
    fn forecast(&self, steps: usize, levels: &[f64]) -> Forecast {
        let errors: Vec<f64> = (1..=steps).map(|h| (self.variance * (h + self.since) as f64).sqrt()).collect();
        Forecast::normal(vec![self.last; steps], &errors, levels)
    }

    fn update(&mut self, values: &[f64]) {
        for value in values {
            (self.last, self.since) = if value.is_finite() { (*value, 0) } else { (self.last, self.since + 1) };
        }
    }

    fn refit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        Naive.fit(series)
    }

    fn describe(&self) -> String {
        "last value".to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;

    #[test]
    fn the_interval_grows_with_the_square_root_of_the_distance() {
        let series = Series::new([1.0, 3.0, f64::NAN, 5.0], SimDuration::from_secs(60));
        let mut fit = Naive.fit(&series).unwrap();
        // Steps of 2 over one step (variance 4) and of 2 over two steps (variance 2 a step): 3 on average.
        let forecast = fit.forecast(4, &[0.841_344_746]);
        assert_eq!(forecast.mean, [5.0; 4]);
        assert!((forecast.quantiles[0][3] - (5.0 + 12.0f64.sqrt())).abs() < 1e-6);
        fit.update(&[7.0, f64::NAN]);
        let forecast = fit.forecast(1, &[0.841_344_746]);
        assert!((forecast.quantiles[0][0] - (7.0 + 6.0f64.sqrt())).abs() < 1e-6);
    }
}
