//! The fallback ladder: simpler methods for series that a method cannot handle.
//!
//! The rungs, from the top: the requested method; simple exponential smoothing; the last observed value. A rung is left
//! if the method rejects the series or its forecast is not finite. If nothing was ever observed, the fit fails with
//! [`FitError::NoData`]: an invented number would be worse than none.
//!
//! Every rung is protected from outliers: values more than fifty times the 99% quantile of all sizes, in runs of at
//! most three, are treated as missing once as many values within that range have followed. Values between two fits are
//! clamped to the range, unless they stay beyond it.

use std::fmt;
use std::sync::Arc;

use super::clean::{FEW, range, without_outliers};
use super::ets::{Ets, Trend};
use super::naive::{Naive, NaiveFit};
use super::{Aim, FitError, Fitted, Forecast, Forecaster, Series};

/// A step down the ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// The method that could not be used.
    pub wanted: &'static str,
    /// The method that was used instead.
    pub used: &'static str,
    /// The reason.
    pub reason: String,
}

impl fmt::Display for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in place of {}: {}", self.used, self.wanted, self.reason)
    }
}

/// A method with its fallbacks.
#[derive(Clone)]
pub struct Ladder {
    name: &'static str,
    method: Arc<dyn Forecaster>,
}

/// Number of steps forecast to check a fit.
const PROBE: usize = 32;
const NOT_FINITE: &str = "its forecast is not finite";

impl Ladder {
    /// The ladder under `method`; `name` is its name in messages.
    pub fn under(name: &'static str, method: impl Forecaster + 'static) -> Arc<dyn Forecaster> {
        Arc::new(Ladder { name, method: Arc::new(method) })
    }

    /// Goes down from a first attempt until a rung can be used.
    fn descend(
        &self,
        series: &Series,
        first: impl FnOnce() -> Result<Box<dyn Fitted>, FitError>,
    ) -> Result<Box<dyn Fitted>, FitError> {
        let guard = Naive.fit_naive(series)?;
        let held = Held { range: range(series.values()), outside: 0 };
        let mut fallbacks = Vec::new();
        let smoothing = Ets { trend: Some(Trend::None), seasonal: Some(false), season: None };
        let mut fitted = usable(first());
        for (used, below) in [("simple exponential smoothing", &smoothing as &dyn Forecaster), ("naive", &Naive)] {
            let Err(error) = &fitted else { break };
            let wanted = fallbacks.last().map_or(self.name, |f: &Fallback| f.used);
            fallbacks.push(Fallback { wanted, used, reason: error.to_string() });
            fitted = usable(below.fit(series));
        }
        Ok(Box::new(LadderFit { ladder: self.clone(), inner: fitted?, guard, held, fallbacks }))
    }
}

/// The fit, if its forecast is finite.
fn usable(fit: Result<Box<dyn Fitted>, FitError>) -> Result<Box<dyn Fitted>, FitError> {
    let fit = fit?;
    if fit.forecast(PROBE, &[0.05, 0.95]).is_finite() { Ok(fit) } else { Err(FitError::Unstable(NOT_FINITE)) }
}

impl Forecaster for Ladder {
    fn fit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        let series = cleaned(series);
        self.descend(&series, || self.method.fit(&series))
    }

    fn aimed(&self, aim: Aim) -> Option<Arc<dyn Forecaster>> {
        Some(Arc::new(Ladder { name: self.name, method: self.method.aimed(aim)? }))
    }
}

/// The series without outliers.
fn cleaned(series: &Series) -> Series {
    series.with_values(without_outliers(series.values()))
}

/// Clamps new values to the range of the series.
#[derive(Debug, Clone, Copy)]
struct Held {
    range: f64,
    /// Number of consecutive values beyond it.
    outside: usize,
}

impl Held {
    fn hold(&mut self, value: f64) -> f64 {
        let value = super::series::present(value);
        self.outside = if value.abs() > self.range { self.outside + 1 } else { 0 };
        if self.outside > 0 && self.outside <= FEW { value.clamp(-self.range, self.range) } else { value }
    }
}

struct LadderFit {
    ladder: Ladder,
    inner: Box<dyn Fitted>,
    /// The lowest rung, kept up to date: its forecast is always finite.
    guard: NaiveFit,
    held: Held,
    fallbacks: Vec<Fallback>,
}

impl Fitted for LadderFit {
    fn forecast(&self, steps: usize, levels: &[f64]) -> Forecast {
        let forecast = self.inner.forecast(steps, levels);
        if forecast.is_finite() {
            let own = forecast.fallback.clone();
            return Forecast { fallback: self.fallbacks.last().cloned().or(own), ..forecast };
        }
        let fallback = Fallback { wanted: self.ladder.name, used: "naive", reason: NOT_FINITE.to_string() };
        Forecast { fallback: Some(fallback), ..self.guard.forecast(steps, levels) }
    }

    fn update(&mut self, values: &[f64]) {
        let values: Vec<f64> = values.iter().map(|v| self.held.hold(*v)).collect();
        self.inner.update(&values);
        self.guard.update(&values);
    }

    fn refit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        // The structure of a fallback model is not kept.
        if self.fallbacks.is_empty() {
            let series = cleaned(series);
            self.ladder.descend(&series, || self.inner.refit(&series))
        } else {
            self.ladder.fit(series)
        }
    }

    fn describe(&self) -> String {
        match self.fallbacks.first() {
            None => self.inner.describe(),
            Some(first) => format!("{} (in place of {}: {})", self.inner.describe(), first.wanted, first.reason),
        }
    }

    fn fallbacks(&self) -> &[Fallback] {
        &self.fallbacks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;

    /// A model that fits anything and whose forecast is not finite.
    struct Nonsense;

    impl Forecaster for Nonsense {
        fn fit(&self, _: &Series) -> Result<Box<dyn Fitted>, FitError> {
            Ok(Box::new(Nonsense))
        }
    }

    impl Fitted for Nonsense {
        fn forecast(&self, steps: usize, levels: &[f64]) -> Forecast {
            Forecast::normal(vec![f64::NAN; steps], &vec![1.0; steps], levels)
        }
        fn update(&mut self, _: &[f64]) {}
        fn refit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
            self.fit(series)
        }
        fn describe(&self) -> String {
            "nonsense".to_string()
        }
    }

    fn series(values: &[f64]) -> Series {
        Series::new(values.iter().copied(), SimDuration::from_secs(60))
    }

    #[test]
    fn steps_down_and_says_so() {
        let ladder = Ladder::under("nonsense", Nonsense);
        let fit = ladder.fit(&series(&[4.0, 5.0, 4.5, 4.8, 5.1, 4.9, 5.0, 4.7])).unwrap();
        let forecast = fit.forecast(3, &[0.9]);
        assert!(forecast.is_finite());
        let fallback = forecast.fallback.unwrap();
        assert_eq!((fallback.wanted, fallback.used), ("nonsense", "simple exponential smoothing"));
        assert!(fit.describe().contains("not finite"), "{}", fit.describe());
    }

    #[test]
    fn the_last_rung_is_the_last_value_and_then_an_error() {
        let ladder = Ladder::under("nonsense", Nonsense);
        let fit = ladder.fit(&series(&[f64::NAN, 4.0, f64::NAN])).unwrap();
        assert_eq!(fit.fallbacks().last().unwrap().used, "naive");
        assert_eq!(fit.forecast(2, &[]).mean, [4.0, 4.0]);
        assert_eq!(ladder.fit(&series(&[f64::NAN])).err(), Some(FitError::NoData));
        assert_eq!(ladder.fit(&series(&[])).err(), Some(FitError::NoData));
    }
}
