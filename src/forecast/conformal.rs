//! Intervals from the errors actually made.

use std::collections::VecDeque;
use std::sync::Arc;

use super::parameters::{count, or_empty, read_forecaster};
use super::tracking::{Pending, held_back, walk};
use super::{FitError, Fitted, Forecast, Forecaster, ForecasterPlugin, Ladder, Series};
use crate::config::{Diagnostics, Fields, Yaml};

/// The entry in the list.
pub(super) const PLUGIN: ForecasterPlugin = ForecasterPlugin {
    name: "conformal",
    summary: "another forecaster with intervals from its own recent errors",
    source: "Stankeviciute, Alaa and van der Schaar 2021, Conformal time-series forecasting (split, per horizon)",
    build,
};

fn build(node: &Yaml, sink: &mut Diagnostics) -> Option<Arc<dyn Forecaster>> {
    let node = or_empty(node);
    let fields = Fields::open(&node, "conformal", sink)?;
    let default = Conformal::default();
    let around = match fields.node_of("around") {
        Some(node) => read_forecaster(node, sink)?,
        None => Arc::clone(&default.around),
    };
    let horizon = count(&fields, "horizon", default.horizon, 1, sink).min(2000);
    let errors = count(&fields, "errors", default.errors, 10, sink);
    fields.finish(sink);
    Some(Ladder::under("conformal", Conformal { around, horizon, errors }))
}

/// Another forecaster's means with quantiles of its recent errors, for each step separately. It makes no assumption
/// about the distribution of the errors, only that they continue as before. The errors are those on the last quarter of
/// the series by a fit to the part before, and then those of every update.
#[derive(Clone)]
pub struct Conformal {
    /// The forecaster of the means.
    pub around: Arc<dyn Forecaster>,
    /// Number of steps for which errors are kept; beyond it, those of the last step are widened like the forecaster's
    /// own intervals.
    pub horizon: usize,
    /// Number of errors kept for each step.
    pub errors: usize,
}

impl Default for Conformal {
    fn default() -> Self {
        Conformal { around: Ladder::under("arima", super::Arima::default()), horizon: 12, errors: 500 }
    }
}

/// Minimum number of errors per step for a quantile.
const FEWEST: usize = 10;

impl Forecaster for Conformal {
    fn fit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        let held = held_back(series.len(), self.errors + self.horizon);
        let horizon = self.horizon.min(held / 4).max(1);
        let from = series.len() - held;
        let mut earlier = self.around.fit(&series.window(0, from))?;
        let (mut errors, mut pending) = (vec![VecDeque::new(); horizon], Pending::default());
        pending.note(earlier.as_ref(), horizon);
        let keep = self.errors;
        walk(earlier.as_mut(), &mut pending, &series.values()[from..], horizon, |step, error| {
            push(&mut errors[step], keep, error);
        });
        if let Some(few) = errors.iter().map(VecDeque::len).min().filter(|few| *few < FEWEST) {
            return Err(FitError::TooShort { have: few, need: FEWEST });
        }
        let inner = earlier.refit(series)?;
        // Pending forecasts were made by the earlier fit, which is just as informative.
        Ok(Box::new(ConformalFit { method: self.clone(), inner, errors, pending }))
    }
}

fn push(errors: &mut VecDeque<f64>, keep: usize, error: f64) {
    errors.push_back(error);
    if errors.len() > keep {
        errors.pop_front();
    }
}

/// The quantile of sorted values at rank (n + 1) level, with linear interpolation, clamped at the ends.
fn quantile(sorted: &[f64], level: f64) -> f64 {
    let rank = ((sorted.len() + 1) as f64 * level).clamp(1.0, sorted.len() as f64) - 1.0;
    let below = rank as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (rank - below as f64)
}

struct ConformalFit {
    method: Conformal,
    inner: Box<dyn Fitted>,
    /// Recent errors for each step.
    errors: Vec<VecDeque<f64>>,
    pending: Pending,
}

impl ConformalFit {
    /// How much wider the forecaster's own interval is at each step beyond the last calibrated one.
    fn widening(&self, steps: usize) -> Vec<f64> {
        let last = self.errors.len();
        let model = self.inner.forecast(steps, &[0.9]);
        let width = |h: usize| model.quantiles[0][h] - model.mean[h];
        let widen = |h: usize| if width(last - 1) > 0.0 { (width(h) / width(last - 1)).max(1.0) } else { 1.0 };
        (last..steps).map(widen).collect()
    }
}

impl Fitted for ConformalFit {
    fn forecast(&self, steps: usize, levels: &[f64]) -> Forecast {
        let forecast = self.inner.forecast(steps, &[]);
        let (last, widening) = (self.errors.len(), self.widening(steps));
        let mut quantiles = vec![Vec::with_capacity(steps); levels.len()];
        let mut sorted = Vec::new();
        for (h, mean) in forecast.mean.iter().enumerate() {
            if h < last {
                sorted = self.errors[h].iter().copied().collect();
                sorted.sort_by(f64::total_cmp);
            }
            let widen = h.checked_sub(last).map_or(1.0, |beyond| widening[beyond]);
            for (row, level) in quantiles.iter_mut().zip(levels) {
                let level = if level.is_nan() { 0.5 } else { level.clamp(0.0, 1.0) };
                row.push(mean + widen * quantile(&sorted, level));
            }
        }
        Forecast { levels: levels.to_vec(), quantiles, ..forecast }
    }

    fn update(&mut self, values: &[f64]) {
        let (horizon, keep, errors) = (self.errors.len(), self.method.errors, &mut self.errors);
        walk(self.inner.as_mut(), &mut self.pending, values, horizon, |step, error| {
            push(&mut errors[step], keep, error);
        });
    }

    fn refit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        let (errors, pending) = (self.errors.clone(), self.pending.clone());
        Ok(Box::new(ConformalFit { method: self.method.clone(), inner: self.inner.refit(series)?, errors, pending }))
    }

    fn describe(&self) -> String {
        let least = self.errors.iter().map(VecDeque::len).min().unwrap_or(0);
        format!("{}, intervals from {least} errors", self.inner.describe())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;

    #[test]
    fn skewed_errors_have_skewed_intervals() {
        // Nine tens and then a hundred: the last value is right or 90 too low, never much too high, except after a
        // peak.
        let values = (0..400).map(|t| if t % 10 == 9 { 100.0 } else { 10.0 });
        let series = Series::new(values, SimDuration::from_secs(60));
        let method = Conformal { around: Arc::new(super::super::Naive), horizon: 3, errors: 200 };
        let mut fit = method.fit(&series.window(0, 395)).unwrap();
        let forecast = fit.forecast(5, &[0.5, 0.95]);
        assert_eq!(forecast.mean, [10.0; 5]);
        assert_eq!(forecast.quantiles[0], [10.0; 5]);
        assert!(forecast.quantiles[1].iter().all(|q| *q >= 100.0), "{forecast:?}");
        fit.update(&[10.0, f64::NAN, 10.0]);
        assert!(fit.forecast(3, &[0.95]).quantiles[0][0].is_finite());
    }

    #[test]
    fn quantiles_hold_at_the_ends() {
        let sorted = [1.0, 2.0, 3.0];
        assert_eq!([0.0, 0.25, 0.5, 0.99].map(|level| quantile(&sorted, level)), [1.0, 1.0, 2.0, 3.0]);
    }
}
