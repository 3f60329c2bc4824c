//! The method that did best of late, by rolling origins inside the history.

use std::sync::Arc;

use super::parameters::{count, or_empty, read_members};
use super::tracking::Pending;
use super::{
    Arima, Ets, FitError, Fitted, Forecast, Forecaster, ForecasterPlugin, Ladder, Mstl, Naive, Regression,
    SeasonalNaive, Series,
};
use crate::config::{Diagnostics, Fields, Node};

/// The entry in the list.
pub(super) const PLUGIN: ForecasterPlugin = ForecasterPlugin {
    name: "auto",
    summary: "of several forecasters and their weighted mean the one with the least recent errors",
    source: "Tashman 2000, Out-of-sample tests of forecasting accuracy (rolling origin); weights by Bates and Granger 1969",
    build,
};

fn build(node: &Node, sink: &mut Diagnostics) -> Option<Arc<dyn Forecaster>> {
    let node = or_empty(node);
    let fields = Fields::open(&node, "auto", sink)?;
    let default = Auto::default();
    let members = match fields.node_of("members") {
        None => default.members,
        Some(node) => read_members(node, sink)?,
    };
    let horizon = count(&fields, "horizon", default.horizon, 1, sink).min(2000);
    fields.finish(sink);
    Some(Ladder::under("auto", Auto { members, horizon }))
}

/// Chooses among forecasters and their weighted mean.
///
/// Each is fitted to the first two thirds of the series and walked over the last third, forecasting from every value of it (the
/// rolling origin); every update goes on with that, old errors fading. The measure is the mean over all values of the absolute
/// errors about it up to `horizon` steps ahead, divided by the mean of all candidates' errors about the same value: so that the
/// nights count as much as the days, and a burst no more than other times. The candidates are the members, simplest first,
/// and last the mean of those near the best, weighted by one over their squared measure *before* the value that is judged; of
/// all that are within a hundredth of the least measure the first is taken (parsimony).
#[derive(Clone)]
pub struct Auto {
    /// The forecasters, simplest first.
    pub members: Vec<Arc<dyn Forecaster>>,
    /// Steps over which errors count.
    pub horizon: usize,
}

impl Default for Auto {
    fn default() -> Self {
        let smoothing = Ets { seasonal: Some(false), ..Ets::default() };
        let members: Vec<Arc<dyn Forecaster>> = vec![
            Arc::new(Naive),
            Arc::new(SeasonalNaive::default()),
            Arc::new(smoothing),
            Arc::new(Regression::default()),
            Arc::new(Arima { seasonal: false, ..Arima::default() }),
            Arc::new(Mstl { rest: Arc::new(smoothing) }),
            Arc::new(Arima { harmonics: 6, ..Arima::default() }),
        ];
        Auto { members, horizon: 12 }
    }
}

/// Most values at the end of the series that are forecast to judge by.
const MOST_JUDGED: usize = 1500;
/// What is left of an error's weight one value later: half after about 350 values.
const FADING: f64 = 0.998;
/// What differs by less is equally good.
const EQUAL: f64 = 1.01;
/// Members no worse than this go into the mean.
const NEAR: f64 = 1.3;

/// A mean error relative to those of all candidates about the same value, old errors fading.
#[derive(Debug, Clone, Copy, Default)]
struct Track {
    sum: f64,
    count: f64,
}

impl Track {
    /// Takes in the errors about one value, in units of `scale`.
    fn add(&mut self, errors: impl Iterator<Item = Option<f64>>, scale: f64) {
        (self.sum, self.count) = (self.sum * FADING, self.count * FADING);
        for error in errors.flatten().filter(|_| scale > 0.0) {
            (self.sum, self.count) = (self.sum + error.abs() / scale, self.count + 1.0);
        }
    }

    fn mean(&self) -> f64 {
        if self.count > 0.0 { self.sum / self.count } else { f64::INFINITY }
    }
}

struct Candidate {
    method: Arc<dyn Forecaster>,
    fitted: Box<dyn Fitted>,
    pending: Pending,
    track: Track,
}

impl Forecaster for Auto {
    fn fit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        let from = series.len() - (series.len() / 3).min(MOST_JUDGED);
        let earlier = series.window(0, from);
        let mut candidates = Vec::new();
        let mut refused = FitError::NoData;
        for method in &self.members {
            match method.fit(&earlier) {
                Ok(fitted) => {
                    let mut pending = Pending::default();
                    pending.note(fitted.as_ref(), self.horizon);
                    candidates.push(Candidate { method: Arc::clone(method), fitted, pending, track: Track::default() });
                }
                Err(error) => refused = error,
            }
        }
        let mut fit = AutoFit { method: self.clone(), candidates, combined: Track::default() };
        fit.update(&series.values()[from..]);
        fit.renew(|candidate| candidate.method.fit(series)).unwrap_or(Err(refused))
    }
}

struct AutoFit {
    method: Auto,
    candidates: Vec<Candidate>,
    /// How the weighted mean has done.
    combined: Track,
}

impl AutoFit {
    /// This choice with every candidate fitted anew by `fit`; what is pending was said by the earlier fit, which is as good a
    /// witness as any. `None` if nothing was judged.
    fn renew(
        &self,
        fit: impl Fn(&Candidate) -> Result<Box<dyn Fitted>, FitError>,
    ) -> Option<Result<Box<dyn Fitted>, FitError>> {
        let mut refused = None;
        let mut candidates = Vec::new();
        for candidate in self.candidates.iter().filter(|c| c.track.mean().is_finite()) {
            match fit(candidate) {
                Ok(fitted) => candidates.push(Candidate {
                    method: Arc::clone(&candidate.method),
                    fitted,
                    pending: candidate.pending.clone(),
                    track: candidate.track,
                }),
                Err(error) => refused = Some(Err(error)),
            }
        }
        if candidates.is_empty() {
            return refused;
        }
        Some(Ok(Box::new(AutoFit { method: self.method.clone(), candidates, combined: self.combined })))
    }

    fn least(&self) -> f64 {
        self.candidates.iter().map(|candidate| candidate.track.mean()).fold(f64::INFINITY, f64::min)
    }

    /// Weights of the members in their mean; they sum to one.
    fn weights(&self) -> Vec<f64> {
        let least = self.least();
        let raw = |candidate: &Candidate| match candidate.track.mean() {
            error if error <= least => 1.0,
            error if error <= NEAR * least => (least / error).powi(2),
            _ => 0.0,
        };
        let raw: Vec<f64> = self.candidates.iter().map(raw).collect();
        let sum: f64 = raw.iter().sum();
        raw.into_iter().map(|weight| weight / sum).collect()
    }

    /// The weights to forecast by: those of the mean, or all of it to one member.
    fn chosen(&self) -> Vec<f64> {
        let least = self.least().min(self.combined.mean());
        match self.candidates.iter().position(|candidate| candidate.track.mean() <= EQUAL * least) {
            Some(best) => (0..self.candidates.len()).map(|index| f64::from(u8::from(index == best))).collect(),
            None => self.weights(),
        }
    }

    /// Judges all candidates by one value and takes it in.
    fn learn(&mut self, value: f64) {
        // Without a track so far all weigh the same.
        let weights = self.weights();
        let of_candidate = |candidate: &Candidate| {
            let mut errors = vec![None; self.method.horizon];
            candidate.pending.errors(value).for_each(|(step, error)| errors[step] = Some(error));
            errors
        };
        let errors: Vec<Vec<Option<f64>>> = self.candidates.iter().map(of_candidate).collect();
        let scale = typical(&errors);
        for (candidate, errors) in self.candidates.iter_mut().zip(&errors) {
            candidate.track.add(errors.iter().copied(), scale);
            candidate.fitted.update(&[value]);
            candidate.pending.note(candidate.fitted.as_ref(), self.method.horizon);
        }
        let part = |step: usize| {
            let of = errors.iter().zip(&weights).filter(|(_, weight)| **weight > 0.0);
            of.map(|(errors, weight)| errors[step].map(|error| weight * error)).sum::<Option<f64>>()
        };
        self.combined.add((0..self.method.horizon).map(part), scale);
    }
}

/// The mean size of the errors made about one value; 0 if there are none.
fn typical(errors: &[Vec<Option<f64>>]) -> f64 {
    let (sum, count) = errors.iter().flatten().flatten().fold((0.0, 0.0), |(s, n), e| (s + e.abs(), n + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

impl Fitted for AutoFit {
    fn forecast(&self, steps: usize, levels: &[f64]) -> Forecast {
        let weighted = self.candidates.iter().zip(self.chosen()).filter(|(_, weight)| *weight > 0.0);
        Forecast::mean_of(
            weighted.map(|(candidate, weight)| (candidate.fitted.forecast(steps, levels), weight)),
            levels,
        )
    }

    fn update(&mut self, values: &[f64]) {
        values.iter().for_each(|value| self.learn(*value));
    }

    fn refit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        self.renew(|candidate| candidate.fitted.refit(series)).unwrap_or(Err(FitError::NoData))
    }

    fn describe(&self) -> String {
        let weighted = self.candidates.iter().zip(self.chosen()).filter(|(_, weight)| *weight > 0.0);
        let share = |(candidate, weight): (&Candidate, f64)| match weight {
            1.0 => candidate.fitted.describe(),
            weight => format!("{:.0}% {}", 100.0 * weight, candidate.fitted.describe()),
        };
        weighted.map(share).collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;

    fn series(values: impl Iterator<Item = f64>, season: usize) -> Series {
        Series::new(values, SimDuration::from_secs(60)).with_seasons([season])
    }

    fn pair() -> Auto {
        Auto { members: vec![Arc::new(Naive), Arc::new(SeasonalNaive::default())], horizon: 3 }
    }

    #[test]
    fn the_better_member_is_chosen_and_given_up_when_its_time_is_over() {
        let wave = |t: usize| [10.0, 30.0, 50.0, 20.0][t % 4] + ((t * 37) % 11) as f64 * 0.1;
        let mut fit = pair().fit(&series((0..120).map(wave), 4)).unwrap();
        assert_eq!(fit.describe(), "value 4 steps ago");
        // A steep ramp has no season: the last value is the nearer guess.
        fit.update(&(0..900).map(|t| 500.0 + 7.0 * t as f64).collect::<Vec<_>>());
        assert_eq!(fit.describe(), "last value");
    }

    #[test]
    fn of_equals_the_simplest_and_else_the_mean_where_it_is_better() {
        // A constant: all are right.
        let fit = Auto::default().fit(&series((0..100).map(|_| 5.0), 4)).unwrap();
        assert_eq!(fit.describe(), "last value");
        assert_eq!(fit.forecast(2, &[0.9]).mean, [5.0, 5.0]);
        // Around a level the errors of the last value and of the one a season ago are alike and not the same: their mean is better.
        let noise = |t: usize| {
            let mixed = (t as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            100.0 + ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 54) as f64 / 100.0
        };
        let fit = pair().fit(&series((0..600).map(noise), 7)).unwrap();
        assert!(fit.describe().contains("% last value; "), "{}", fit.describe());
    }
}
