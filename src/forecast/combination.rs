//! Several forecasters combined, weighted by their recent errors.

use std::sync::Arc;

use super::parameters::{count, or_empty, read_members};
use super::tracking::{Pending, held_back, walk};
use super::{Arima, Ets, FitError, Fitted, Forecast, Forecaster, ForecasterPlugin, Ladder, Mstl, Series};
use crate::config::{Diagnostics, Fields, Yaml};

/// The entry in the list.
pub(super) const PLUGIN: ForecasterPlugin = ForecasterPlugin {
    name: "combination",
    summary: "several forecasters, weighted by their recent errors",
    source: "Bates and Granger 1969, The combination of forecasts",
    build,
};

fn build(node: &Yaml, sink: &mut Diagnostics) -> Option<Arc<dyn Forecaster>> {
    let node = or_empty(node);
    let fields = Fields::open(&node, "combination", sink)?;
    let default = Combination::default();
    let members = match fields.node_of("members") {
        None => default.members,
        Some(node) => read_members(node, sink)?,
    };
    let horizon = count(&fields, "horizon", default.horizon, 1, sink).min(2000);
    let best_only = fields.or("best-only", default.best_only, sink);
    fields.finish(sink);
    Some(Ladder::under("combination", Combination { members, horizon, best_only }))
}

/// The weighted mean of several forecasters' means and quantiles. The weight of each is the inverse of the mean square
/// of its recent errors up to `horizon` steps ahead: at first over the last quarter of the series, forecast by a fit to
/// the part before, later over every update, with decaying weights.
#[derive(Clone)]
pub struct Combination {
    /// The forecasters.
    pub members: Vec<Arc<dyn Forecaster>>,
    /// Steps over which errors count.
    pub horizon: usize,
    /// Whether the best member gets all the weight.
    pub best_only: bool,
}

impl Default for Combination {
    fn default() -> Self {
        let members: Vec<Arc<dyn Forecaster>> = vec![
            Arc::new(Arima { harmonics: 6, ..Arima::default() }),
            Arc::new(Arima::default()),
            Arc::new(Ets { seasonal: Some(false), ..Ets::default() }),
            Arc::new(Mstl { rest: Arc::new(Ets { seasonal: Some(false), ..Ets::default() }) }),
        ];
        Combination { members, horizon: 12, best_only: false }
    }
}

/// Maximum number of values at the end of the series held back to weigh the members.
const MAX_HELD_BACK: usize = 500;
/// Factor by which the weight of an error decays per value: to one half after about 140 values.
const FADING: f64 = 0.995;

impl Forecaster for Combination {
    fn fit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        let from = series.len() - held_back(series.len(), MAX_HELD_BACK);
        let (earlier, recent) = (series.window(0, from), &series.values()[from..]);
        let mut members = Vec::new();
        let mut refused = FitError::NoData;
        for method in &self.members {
            match Member::fit(method.as_ref(), &earlier, recent, self.horizon, series) {
                Ok(member) => members.push(member),
                Err(error) => refused = error,
            }
        }
        if members.is_empty() {
            return Err(refused);
        }
        Ok(Box::new(CombinationFit { method: self.clone(), members }))
    }
}

/// A fitted member and its errors.
struct Member {
    fitted: Box<dyn Fitted>,
    pending: Pending,
    /// Decaying sum of squared errors, and decaying number of errors.
    squares: f64,
    count: f64,
}

impl Member {
    fn fit(
        method: &dyn Forecaster,
        earlier: &Series,
        recent: &[f64],
        horizon: usize,
        series: &Series,
    ) -> Result<Self, FitError> {
        let fitted = method.fit(earlier)?;
        let mut member = Member { fitted, pending: Pending::default(), squares: 0.0, count: 0.0 };
        member.pending.note(member.fitted.as_ref(), horizon);
        member.update(recent, horizon);
        if member.count == 0.0 || !member.squares.is_finite() {
            return Err(FitError::TooShort { have: earlier.observed(), need: earlier.observed() + 1 });
        }
        member.fitted = member.fitted.refit(series)?;
        Ok(member)
    }

    fn update(&mut self, values: &[f64], horizon: usize) {
        for value in values {
            (self.squares, self.count) = (self.squares * FADING, self.count * FADING);
            let (squares, count) = (&mut self.squares, &mut self.count);
            walk(self.fitted.as_mut(), &mut self.pending, &[*value], horizon, |_, error| {
                *squares += error * error;
                *count += 1.0;
            });
        }
    }

    fn mean_square(&self) -> f64 {
        self.squares / self.count.max(f64::MIN_POSITIVE)
    }
}

struct CombinationFit {
    method: Combination,
    members: Vec<Member>,
}

impl CombinationFit {
    /// The members' weights; they sum to one.
    fn weights(&self) -> Vec<f64> {
        let least = self.members.iter().map(Member::mean_square).fold(f64::INFINITY, f64::min);
        // Relative to the best, so that perfect members share the weight and the others get none.
        let raw = |member: &Member| match member.mean_square() {
            square if square <= least => 1.0,
            _ if self.method.best_only => 0.0,
            square => least / square,
        };
        let raw: Vec<f64> = self.members.iter().map(raw).collect();
        let sum: f64 = raw.iter().sum();
        raw.into_iter().map(|w| w / sum).collect()
    }
}

impl Fitted for CombinationFit {
    fn forecast(&self, steps: usize, levels: &[f64]) -> Forecast {
        let weighted = self.members.iter().zip(self.weights()).filter(|(_, weight)| *weight > 0.0);
        Forecast::mean_of(weighted.map(|(member, weight)| (member.fitted.forecast(steps, levels), weight)), levels)
    }

    fn update(&mut self, values: &[f64]) {
        self.members.iter_mut().for_each(|member| member.update(values, self.method.horizon));
    }

    fn refit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        let mut members = Vec::new();
        let mut refused = FitError::NoData;
        for member in &self.members {
            match member.fitted.refit(series) {
                Ok(fitted) => members.push(Member { fitted, pending: member.pending.clone(), ..*member }),
                Err(error) => refused = error,
            }
        }
        if members.is_empty() {
            return Err(refused);
        }
        Ok(Box::new(CombinationFit { method: self.method.clone(), members }))
    }

    fn describe(&self) -> String {
        let share = |(member, weight): (&Member, f64)| format!("{:.0}% {}", 100.0 * weight, member.fitted.describe());
        self.members.iter().zip(self.weights()).map(share).collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MovingAverage, Naive, SeasonalNaive};
    use super::*;
    use crate::units::SimDuration;

    #[test]
    fn the_better_member_gets_the_weight_and_loses_it_again() {
        let wave = |t: usize| [10.0, 30.0, 50.0, 20.0][t % 4] + ((t * 37) % 11) as f64 * 0.1;
        let series = Series::new((0..120).map(wave), SimDuration::from_secs(60)).with_seasons([4]);
        let members: Vec<Arc<dyn Forecaster>> = vec![Arc::new(Naive), Arc::new(SeasonalNaive::default())];
        let method = Combination { members, horizon: 2, best_only: false };
        let mut fit = method.fit(&series).unwrap();
        let mean = fit.forecast(4, &[]).mean;
        assert!((0..4).all(|h| (mean[h] - wave(120 + h)).abs() < 2.0), "{mean:?} {}", fit.describe());
        // The series becomes a random walk: now the last value is the better forecast.
        let walk: Vec<f64> = (0..800).map(|t| 500.0 + 3.0 * t as f64).collect();
        fit.update(&walk);
        assert!((fit.forecast(1, &[]).mean[0] - walk[799]).abs() < 5.0, "{}", fit.describe());
    }

    #[test]
    fn a_member_that_cannot_be_fitted_is_left_out() {
        let series = Series::new((0..40).map(|t| f64::from(t % 5)), SimDuration::from_secs(60));
        let members: Vec<Arc<dyn Forecaster>> = vec![Arc::new(MovingAverage { window: 100 }), Arc::new(Naive)];
        let fit = Combination { members, horizon: 1, best_only: true }.fit(&series).unwrap();
        assert_eq!(fit.describe(), "100% last value");
    }
}
