//! The mean of the last values.

use std::collections::VecDeque;
use std::sync::Arc;

use super::arima::psi_weights;
use super::parameters::{count, or_empty};
use super::{FitError, Fitted, Forecast, Forecaster, ForecasterPlugin, Ladder, Series};
use crate::config::{Diagnostics, Fields, Yaml};

/// The entry in the list.
pub(super) const PLUGIN: ForecasterPlugin = ForecasterPlugin {
    name: "moving-average",
    summary: "the mean of the last values",
    source: "Box, Jenkins and Reinsel, Time Series Analysis, section 4.2.3 (intervals)",
    build,
};

fn build(node: &Yaml, sink: &mut Diagnostics) -> Option<Arc<dyn Forecaster>> {
    let node = or_empty(node);
    let fields = Fields::open(&node, "moving-average", sink)?;
    let window = count(&fields, "window", MovingAverage::default().window, 1, sink);
    fields.finish(sink);
    Some(Ladder::under("moving-average", MovingAverage { window }))
}

/// Forecasts the mean of the last `window` observed values. The interval is that of the autoregression whose
/// coefficients all equal one over the window; the mean is its best forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MovingAverage {
    /// Number of values.
    pub window: usize,
}

impl Default for MovingAverage {
    fn default() -> Self {
        MovingAverage { window: 12 }
    }
}

impl Forecaster for MovingAverage {
    fn fit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        let window = self.window.max(1);
        let (mut last, mut squares, mut count) = (VecDeque::with_capacity(window + 1), 0.0, 0u32);
        for value in series.values().iter().filter(|v| v.is_finite()) {
            if last.len() == window {
                squares += (value - mean(&last)).powi(2);
                count += 1;
            }
            push(&mut last, window, *value);
        }
        if count == 0 {
            return Err(FitError::TooShort { have: last.len(), need: window + 1 });
        }
        Ok(Box::new(MovingAverageFit { method: *self, last, variance: squares / f64::from(count) }))
    }
}

fn mean(values: &VecDeque<f64>) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn push(values: &mut VecDeque<f64>, window: usize, value: f64) {
    values.push_back(value);
    if values.len() > window {
        values.pop_front();
    }
}

struct MovingAverageFit {
    method: MovingAverage,
    last: VecDeque<f64>,
    variance: f64,
}

impl Fitted for MovingAverageFit {
    fn forecast(&self, steps: usize, levels: &[f64]) -> Forecast {
        let window = self.last.len();
        let weights = psi_weights(&vec![1.0 / window as f64; window], &[], steps);
        let sums = weights.iter().scan(0.0, |sum, w| {
            *sum += w * w;
            Some((*sum * self.variance).sqrt())
        });
        Forecast::normal(vec![mean(&self.last); steps], &sums.collect::<Vec<_>>(), levels)
    }

    fn update(&mut self, values: &[f64]) {
        let window = self.last.len();
        values.iter().filter(|v| v.is_finite()).for_each(|value| push(&mut self.last, window, *value));
    }

    fn refit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        self.method.fit(series)
    }

    fn describe(&self) -> String {
        format!("mean of the last {} values", self.last.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;

    #[test]
    fn averages_what_was_observed() {
        let series = Series::new([9.0, 1.0, 2.0, f64::NAN, 6.0], SimDuration::from_secs(60));
        let mut fit = MovingAverage { window: 3 }.fit(&series).unwrap();
        assert_eq!(fit.forecast(2, &[]).mean, [3.0, 3.0]);
        fit.update(&[f64::NAN, 4.0]);
        assert_eq!(fit.forecast(1, &[]).mean, [4.0]);
        assert!(MovingAverage { window: 5 }.fit(&series).is_err());
    }
}
