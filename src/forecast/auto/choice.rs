//! Runs candidates over the history and weighs them.

use std::sync::Arc;

use super::super::{FitError, Fitted, Forecast, Forecaster, Series};
use super::candidate::{Said, Track};
use super::{Aim, Auto, ORIGINS, pool};

/// Members with a loss up to this factor of the best one's are part of the mean.
const NEAR: f64 = 1.5;
/// Exponent of the loss in the weights.
const STEEPNESS: i32 = 4;
/// A member whose loss is below this share of the mean's is used by itself.
const ALONE: f64 = 0.8;
/// Members worse than this are dropped at the end of the history, except for a minimum number of the best.
const HOPELESS: f64 = 3.0;
const KEPT: usize = 4;
/// For longer series, structure is selected on the first part only.
const LONG: usize = 500;
/// Share of new values after which structure and members are selected again.
const RENEWED: usize = 4;

struct Candidate {
    method: Arc<dyn Forecaster>,
    fitted: Box<dyn Fitted>,
    track: Track,
}

/// The selected members and their evaluation.
pub(super) struct AutoFit {
    method: Auto,
    aim: Aim,
    candidates: Vec<Candidate>,
    /// Performance of the weighted mean.
    combined: Track,
    /// The newest observed value; NaN if none was observed.
    newest: f64,
    /// Number of values between two origins, and number of values added so far.
    stride: usize,
    learned: usize,
    /// Number of values added since the members were last selected, and the length of the series then.
    since: usize,
    length: usize,
}

/// Fits all members to the values before the last `judged`, evaluates them on those, and fits them to the whole series.
pub(super) fn fit(method: &Auto, series: &Series, judged: usize) -> Result<AutoFit, FitError> {
    let aim = method.aim();
    let from = series.len() - judged;
    let members = method.members.clone().unwrap_or_else(|| pool::members(series));
    let earlier = series.window(0, from);
    let mut refused = FitError::NoData;
    let mut candidates = Vec::new();
    for member in members {
        match member.fit(&earlier) {
            Ok(fitted) => candidates.push(Candidate { method: member, fitted, track: Track::new(aim) }),
            Err(error) => refused = error,
        }
    }
    let stride = judged.div_ceil(ORIGINS).max(1);
    let combined = Track::new(aim);
    let (learned, length) = (0, series.len());
    let newest = earlier.values().iter().rev().copied().find(|value| value.is_finite()).unwrap_or(f64::NAN);
    let method = method.clone();
    let mut fit = AutoFit { method, aim, candidates, combined, newest, stride, learned, since: 0, length };
    fit.note();
    fit.update(&series.values()[from..]);
    fit.since = 0;
    if !fit.candidates.iter().any(|candidate| candidate.track.judged()) {
        return fit.untried(series, refused);
    }
    fit.drop_hopeless();
    let long = series.len() > LONG;
    fit.renew(|candidate| if long { candidate.fitted.refit(series) } else { candidate.method.fit(series) })
}

impl AutoFit {
    /// If nothing could be evaluated: the first member that can be fitted to the whole series.
    fn untried(self, series: &Series, refused: FitError) -> Result<AutoFit, FitError> {
        let members = self.method.members.clone().unwrap_or_else(|| pool::members(series));
        let first = members.into_iter().find_map(|member| member.fit(series).ok().map(|fitted| (member, fitted)));
        let (method, fitted) = first.ok_or(refused)?;
        let candidates = vec![Candidate { method, fitted, track: Track::new(self.aim) }];
        Ok(AutoFit { candidates, ..self })
    }

    fn drop_hopeless(&mut self) {
        let least = self.least();
        let mut place = 0;
        self.candidates.retain(|candidate| {
            place += 1;
            candidate.track.judged() && (place <= KEPT || candidate.track.mean() <= HOPELESS * least)
        });
    }

    /// The same members with every candidate fitted again by `fit`. Pending forecasts were made by the earlier fit,
    /// which is just as informative.
    fn renew(&self, fit: impl Fn(&Candidate) -> Result<Box<dyn Fitted>, FitError>) -> Result<AutoFit, FitError> {
        let mut refused = FitError::NoData;
        let mut candidates = Vec::new();
        for candidate in &self.candidates {
            match fit(candidate) {
                Ok(fitted) => candidates.push(Candidate {
                    method: Arc::clone(&candidate.method),
                    fitted,
                    track: candidate.track.clone(),
                }),
                Err(error) => refused = error,
            }
        }
        if candidates.is_empty() {
            return Err(refused);
        }
        let mut renewed = AutoFit { method: self.method.clone(), candidates, combined: self.combined.clone(), ..*self };
        renewed.combined.sort();
        renewed.candidates.iter_mut().for_each(|candidate| candidate.track.sort());
        Ok(renewed)
    }

    fn least(&self) -> f64 {
        self.candidates.iter().map(|candidate| candidate.track.mean()).fold(f64::INFINITY, f64::min)
    }

    /// Weights of the members in the mean; they sum to one. If nothing was evaluated, or some member made no error, the
    /// first such member has all the weight.
    fn weights(&self) -> Vec<f64> {
        let least = self.least();
        let losses: Vec<f64> = self.candidates.iter().map(|candidate| candidate.track.mean()).collect();
        if least <= 0.0 || least.is_infinite() {
            let first = losses.iter().position(|loss| *loss <= least);
            return (0..losses.len()).map(|index| f64::from(u8::from(Some(index) == first))).collect();
        }
        let raw = |loss: &f64| if *loss <= NEAR * least { (least / loss).powi(STEEPNESS) } else { 0.0 };
        let raw: Vec<f64> = losses.iter().map(raw).collect();
        let sum: f64 = raw.iter().sum();
        raw.into_iter().map(|weight| weight / sum).collect()
    }

    /// The single member that is used instead of the mean because it performs clearly better.
    fn alone(&self) -> Option<usize> {
        let least = self.least();
        let best = self.candidates.iter().position(|candidate| candidate.track.mean() <= least);
        best.filter(|_| least.is_finite() && least <= ALONE * self.combined.mean())
    }

    /// The weights of the forecast: those of the mean, or a single one.
    fn chosen(&self) -> Vec<f64> {
        match self.alone() {
            Some(best) => (0..self.candidates.len()).map(|index| f64::from(u8::from(index == best))).collect(),
            None => self.weights(),
        }
    }

    /// Stores the forecasts of all candidates for the next steps.
    fn note(&mut self) {
        let all = !self.candidates.iter().any(|candidate| candidate.track.judged());
        let even = 1.0 / self.candidates.len().max(1) as f64;
        let weights = if all { vec![even; self.candidates.len()] } else { self.weights() };
        let said = self.candidates.iter().map(|candidate| Said::by(candidate.fitted.as_ref(), self.aim.horizon));
        let parts: Vec<(Said, f64)> = said.zip(weights).collect();
        let weighed: Vec<(Said, f64)> = parts.iter().filter(|(_, weight)| *weight > 0.0).cloned().collect();
        self.combined.note(Said::mean_of(&weighed, self.newest));
        self.candidates.iter_mut().zip(parts).for_each(|(candidate, (said, _))| candidate.track.note(said));
    }

    /// Evaluates all candidates on one value and updates them.
    fn learn(&mut self, value: f64) {
        for candidate in &mut self.candidates {
            candidate.track.learn(value);
            candidate.fitted.update(&[value]);
        }
        self.combined.learn(value);
        self.newest = if value.is_finite() { value } else { self.newest };
        (self.learned, self.since) = (self.learned + 1, self.since + 1);
        if self.learned.is_multiple_of(self.stride) {
            self.note();
        }
    }
}

impl Fitted for AutoFit {
    fn forecast(&self, steps: usize, levels: &[f64]) -> Forecast {
        let parts = self.candidates.iter().zip(self.chosen()).filter(|(_, weight)| *weight > 0.0);
        let parts: Vec<(Said, f64)> =
            parts.map(|(candidate, weight)| (Said::by(candidate.fitted.as_ref(), steps), weight)).collect();
        let said = Said::mean_of(&parts, self.newest);
        let track = self.alone().map_or(&self.combined, |best| &self.candidates[best].track);
        let row = |level: &f64| (0..steps).map(|index| track.quantile(&said, index, *level)).collect();
        Forecast {
            quantiles: levels.iter().map(row).collect(),
            levels: levels.to_vec(),
            mean: said.mean,
            fallback: None,
        }
    }

    fn update(&mut self, values: &[f64]) {
        values.iter().for_each(|value| self.learn(*value));
    }

    /// Selects members and structure again once the series has grown by a quarter; otherwise estimates parameters only.
    fn refit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        if self.since * RENEWED >= self.length || series.len() * RENEWED >= (RENEWED + 1) * self.length {
            return self.method.fit(series);
        }
        Ok(Box::new(self.renew(|candidate| candidate.fitted.refit(series))?))
    }

    fn describe(&self) -> String {
        let weighted = self.candidates.iter().zip(self.chosen()).filter(|(_, weight)| *weight >= 0.005);
        let share = |(candidate, weight): (&Candidate, f64)| match weight {
            weight if weight >= 0.995 => candidate.fitted.describe(),
            weight => format!("{:.0}% {}", 100.0 * weight, candidate.fitted.describe()),
        };
        weighted.map(share).collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Naive, SeasonalNaive};
    use super::super::Loss;
    use super::*;
    use crate::units::SimDuration;

    fn series(values: impl Iterator<Item = f64>, season: usize) -> Series {
        Series::new(values, SimDuration::from_secs(60)).with_seasons([season])
    }

    fn pair() -> Auto {
        let members: Vec<Arc<dyn Forecaster>> = vec![Arc::new(Naive), Arc::new(SeasonalNaive::default())];
        Auto { members: Some(members), horizon: Some(3), ..Auto::default() }
    }

    fn noise(t: usize) -> f64 {
        let mixed = (t as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 54) as f64 / 100.0
    }

    #[test]
    fn the_better_member_is_used_until_another_is_better() {
        let wave = |t: usize| [10.0, 30.0, 50.0, 20.0][t % 4] + ((t * 37) % 11) as f64 * 0.1;
        let mut fit = pair().fit(&series((0..120).map(wave), 4)).unwrap();
        assert_eq!(fit.describe(), "value 4 steps ago");
        // A steep ramp has no season: the last value is the nearer guess.
        fit.update(&(0..900).map(|t| 500.0 + 7.0 * t as f64).collect::<Vec<_>>());
        assert_eq!(fit.describe(), "last value");
    }

    #[test]
    fn the_simplest_member_without_errors_is_used_and_the_mean_of_equal_ones() {
        let fit = Auto::default().fit(&series((0..100).map(|_| 5.0), 4)).unwrap();
        assert_eq!(fit.describe(), "last value");
        assert_eq!(fit.forecast(2, &[0.9]).mean, [5.0, 5.0]);
        // Around a level, the errors of the last value and of the value one season ago are similar but not identical.
        let fit = pair().fit(&series((0..600).map(|t| 100.0 + noise(t)), 7)).unwrap();
        assert!(fit.describe().contains("% last value; "), "{}", fit.describe());
    }

    #[test]
    fn intervals_are_those_of_the_errors_made() {
        // The error of the last value is zero or, once in ten values, 90 too low: not a normal distribution.
        let values = |t: usize| if t < 1190 && noise(t) > 9.2 { 100.0 } else { 10.0 };
        let fit = pair().fit(&series((0..1200).map(values), 4)).unwrap();
        let forecast = fit.forecast(3, &[0.5, 0.99]);
        assert!(forecast.quantiles[1].iter().all(|q| (60.0..160.0).contains(q)), "{forecast:?}");
        assert!(forecast.quantiles[0].iter().all(|q| *q < 20.0), "{forecast:?}");
    }

    #[test]
    fn members_are_selected_again_when_a_quarter_of_the_series_is_new() {
        // Half a day shows no season; two days do.
        let day = |t: usize| 100.0 + 50.0 * (t as f64 * std::f64::consts::TAU / 24.0).sin();
        let method = Auto { loss: Some(Loss::Quantile(0.9)), ..Auto::default() };
        let mut fit = method.fit(&series((0..36).map(day), 24)).unwrap();
        let later: Vec<f64> = (36..120).map(day).collect();
        fit.update(&later);
        let fit = fit.refit(&series((0..120).map(day), 24)).unwrap();
        for (h, mean) in fit.forecast(24, &[]).mean.into_iter().enumerate() {
            assert!((mean - day(120 + h)).abs() < 5.0, "step {h}: {mean} for {}, {}", day(120 + h), fit.describe());
        }
    }
}
