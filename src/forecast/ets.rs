//! Exponential smoothing with additive errors as innovations state space models (Hyndman, Koehler, Snyder and Grose 2002):
//! level l, slope b, season s with
//!
//! y = l + phi b + s(-m) + e,  l' = l + phi b + alpha e,  b' = phi b + beta e,  s' = s(-m) + gamma e.

use std::sync::Arc;

use super::bfgs::minimise;
use super::clean::interpolate;
use super::parameters::{count, or_empty};
use super::stl::{decompose, seasonal_strength, variance};
use super::{FitError, Fitted, Forecast, Forecaster, ForecasterPlugin, Ladder, Series};
use crate::config::{Diagnostics, Fields, Yaml};

/// The entry in the list.
pub(super) const PLUGIN: ForecasterPlugin = ForecasterPlugin {
    name: "ets",
    summary: "exponential smoothing; trend chosen by AICc, season by its strength",
    source: "Hyndman, Koehler, Snyder and Grose 2002, A state space framework for exponential smoothing",
    build,
};

fn build(node: &Yaml, sink: &mut Diagnostics) -> Option<Arc<dyn Forecaster>> {
    let node = or_empty(node);
    let fields = Fields::open(&node, "ets", sink)?;
    let trend = match fields.optional::<String>("trend", sink).as_deref() {
        None | Some("auto") => None,
        Some("none") => Some(Trend::None),
        Some("additive") => Some(Trend::Additive),
        Some("damped") => Some(Trend::Damped),
        Some(_) => {
            sink.push(fields.node_of("trend")?.error("`trend` must be one of auto, none, additive, damped"));
            None
        }
    };
    let seasonal = fields.optional("seasonal", sink);
    let season = Some(count(&fields, "season", 0, 2, sink)).filter(|season| *season > 0);
    fields.finish(sink);
    Some(Ladder::under("ets", Ets { trend, seasonal, season }))
}

/// The trend of the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trend {
    /// None: the level changes by errors only.
    None,
    /// A slope.
    Additive,
    /// A slope that decays.
    Damped,
}

/// Exponential smoothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ets {
    /// The trend; `None` selects it by AICc.
    pub trend: Option<Trend>,
    /// Whether there is a season; `None` decides by its strength (above 0.64).
    pub seasonal: Option<bool>,
    /// Season length in steps; by default the longest of the series' seasons with at least two observed cycles.
    pub season: Option<usize>,
}

/// Minimum seasonal strength for modelling the season.
const STRONG_SEASON: f64 = 0.64;

/// Maximum distance of a warm start from the usual starting point.
const REACH: f64 = 3.0;

/// Smoothing weights.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Weights {
    alpha: f64,
    beta: f64,
    gamma: f64,
    phi: f64,
    /// Whether the slope is a factor of the level (undamped): mean l b, l' = l b + alpha e, b' = b + beta e / l.
    compound: bool,
}

/// Level, slope and seasonal phases; `next` is the index of the next phase.
#[derive(Debug, Clone, PartialEq)]
struct State {
    level: f64,
    slope: f64,
    phases: Vec<f64>,
    next: usize,
}

impl State {
    /// The next level without an error.
    fn carried(&self, weights: &Weights) -> f64 {
        if weights.compound { self.level * self.slope } else { self.level + weights.phi * self.slope }
    }

    fn expected(&self, weights: &Weights) -> f64 {
        self.carried(weights) + self.phases.get(self.next).copied().unwrap_or(0.0)
    }

    fn advance(&mut self, weights: &Weights, error: f64) {
        let carried = self.carried(weights);
        let (kept, turn) = if weights.compound { (1.0, error / self.level) } else { (weights.phi, error) };
        self.slope = kept * self.slope + weights.beta * turn;
        self.level = carried + weights.alpha * error;
        if let Some(phase) = self.phases.get_mut(self.next) {
            *phase += weights.gamma * error;
            self.next = (self.next + 1) % self.phases.len();
        }
    }

    /// Filters values and returns the sum of squared errors. Missing values leave the state to its own dynamics.
    fn run(&mut self, weights: &Weights, values: &[f64]) -> f64 {
        let mut squares = 0.0;
        for value in values {
            let error = if value.is_finite() { value - self.expected(weights) } else { 0.0 };
            squares += error * error;
            self.advance(weights, error);
        }
        squares
    }
}

/// A model and the starting point of its search.
struct Problem<'a> {
    values: &'a [f64],
    trend: Trend,
    start: State,
    /// Scale of the corrections of initial level and slope.
    scale: f64,
    used: usize,
}

impl Problem<'_> {
    fn has_trend(&self) -> bool {
        self.trend != Trend::None
    }

    fn seasonal(&self) -> bool {
        !self.start.phases.is_empty()
    }

    /// Smoothing weights and initial state at a point of the search. Weights satisfy the usual restrictions: 0 < alpha
    /// < 1, 0 < beta < alpha, 0 < gamma < 1 - alpha, 0.8 < phi < 0.98.
    fn read(&self, point: &[f64]) -> (Weights, State) {
        let mut rest = point.iter().copied();
        let mut next = || rest.next().unwrap_or(0.0);
        let unit = |u: f64| 1.0 / (1.0 + (-u.clamp(-12.0, 12.0)).exp());
        let mut state = self.start.clone();
        let alpha = unit(next());
        state.level += self.scale * next();
        let mut weights =
            Weights { alpha, beta: 0.0, gamma: 0.0, phi: f64::from(u8::from(self.has_trend())), compound: false };
        if self.has_trend() {
            weights.beta = alpha * unit(next());
            state.slope += 0.1 * self.scale * next();
        } else {
            state.slope = 0.0;
        }
        if self.trend == Trend::Damped {
            weights.phi = 0.8 + 0.18 * unit(next());
        }
        if self.seasonal() {
            weights.gamma = (1.0 - alpha) * unit(next());
        }
        (weights, state)
    }

    fn origin(&self) -> Vec<f64> {
        let mut point = vec![-1.0, 0.0];
        point.extend(self.has_trend().then_some([-3.0, 0.0]).into_iter().flatten());
        point.extend((self.trend == Trend::Damped).then_some(1.0));
        point.extend(self.seasonal().then_some(-2.0));
        point
    }

    fn fit(&self, from: Option<&[f64]>) -> Result<EtsFit, FitError> {
        let origin = self.origin();
        // If a weight was close to 0 or 1, the sum of squares is flat there, and a search that starts there would not
        // move.
        let near = |from: &[f64]| from.iter().zip(&origin).map(|(f, o)| f.clamp(o - REACH, o + REACH)).collect();
        let from: Vec<f64> = from.filter(|f| f.len() == origin.len()).map_or_else(|| origin.clone(), near);
        let n = self.used as f64;
        let floor = (1e-20 * self.values.iter().filter(|v| v.is_finite()).map(|v| v * v).sum::<f64>()).max(1e-200);
        let squares = |point: &[f64]| {
            let (weights, mut state) = self.read(point);
            state.run(&weights, self.values)
        };
        let objective = |point: &[f64]| 0.5 * n * squares(point).max(floor).ln();
        let found = minimise(objective, &from, 1e-4, 100);
        if !found.value.is_finite() {
            return Err(FitError::Unstable("the sum of squares is not finite"));
        }
        let (weights, mut state) = self.read(&found.point);
        let squares = state.run(&weights, self.values);
        let parameters = (found.point.len() + 1) as f64;
        let correction = if n - parameters > 1.0 { n / (n - parameters - 1.0) } else { f64::INFINITY };
        Ok(EtsFit {
            trend: self.trend,
            weights,
            state,
            variance: squares / (n - parameters).max(1.0),
            aicc: 2.0 * found.value + 2.0 * parameters * correction,
            method: Ets::default(),
            point: found.point,
        })
    }
}

/// Smoothing with given weights and state: the recursion by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Smoothing {
    /// The trend.
    pub trend: Trend,
    /// Whether the slope is a factor of the level, undamped, instead of an additive step.
    pub compound: bool,
    /// Weight of an error in the level.
    pub alpha: f64,
    /// Weight of an error in the slope.
    pub beta: f64,
    /// Weight of an error in the season.
    pub gamma: f64,
    /// Damping factor of the slope per step.
    pub phi: f64,
    /// Initial level.
    pub level: f64,
    /// Initial slope.
    pub slope: f64,
    /// Initial seasonal phases, the next one first; empty for no season.
    pub phases: Vec<f64>,
}

/// The result of filtering values with [`Smoothing`].
#[derive(Debug, Clone, PartialEq)]
pub struct Smoothed {
    /// One-step forecasts of the values.
    pub fitted: Vec<f64>,
    /// Sum of squared errors.
    pub squares: f64,
    /// Gaussian log-likelihood at the best variance.
    pub log_likelihood: f64,
    /// State at the end.
    pub end: Smoothing,
}

impl Smoothing {
    fn parts(&self) -> (Weights, State) {
        let phi = if self.trend == Trend::None { 0.0 } else { self.phi };
        let Smoothing { alpha, beta, gamma, compound, level, slope, .. } = *self;
        let state = State { level, slope, phases: self.phases.clone(), next: 0 };
        (Weights { alpha, beta, gamma, phi, compound }, state)
    }

    /// Filters values; if `relative`, errors are relative to the forecast (multiplicative errors).
    pub fn run(&self, values: &[f64], relative: bool) -> Smoothed {
        let (weights, mut state) = self.parts();
        let (mut fitted, mut squares, mut logarithms) = (Vec::with_capacity(values.len()), 0.0, 0.0);
        for value in values {
            let expected = state.expected(&weights);
            let scale = if relative { expected } else { 1.0 };
            squares += ((value - expected) / scale).powi(2);
            logarithms += scale.abs().ln();
            fitted.push(expected);
            state.advance(&weights, value - expected);
        }
        let n = values.len() as f64;
        let log_likelihood = -0.5 * n * ((2.0 * std::f64::consts::PI * squares / n).ln() + 1.0) - logarithms;
        state.phases.rotate_left(state.next);
        let State { level, slope, phases, .. } = state;
        Smoothed { fitted, squares, log_likelihood, end: Smoothing { level, slope, phases, ..self.clone() } }
    }

    /// The forecasts of the next `steps` values.
    pub fn forecast(&self, steps: usize) -> Vec<f64> {
        let (weights, mut state) = self.parts();
        let mut next = || {
            let expected = state.expected(&weights);
            state.advance(&weights, 0.0);
            expected
        };
        (0..steps).map(|_| next()).collect()
    }
}

impl Ets {
    /// The state before the first value: from the decomposition for a seasonal model, otherwise from the first ten
    /// values.
    fn start(&self, filled: &[f64], period: usize) -> State {
        if period > 0 {
            let parts = decompose(filled, &[period]);
            let slope = (parts.trend[period] - parts.trend[0]) / period as f64;
            let phases = parts.seasonal[0][..period].to_vec();
            return State { level: parts.trend[0], slope, phases, next: 0 };
        }
        let first = &filled[..filled.len().min(10)];
        let level = first.iter().sum::<f64>() / first.len().max(1) as f64;
        let slope = (first[first.len() - 1] - first[0]) / (first.len().max(2) - 1) as f64;
        State { level, slope, phases: Vec::new(), next: 0 }
    }

    /// The length of the season to model, 0 for none.
    fn period(&self, series: &Series, filled: &[f64]) -> Result<usize, FitError> {
        let known = self.season.filter(|s| 2 * s <= series.len()).or(series.seasons_seen(2).last().copied());
        match (self.seasonal, known) {
            (Some(false), _) | (None, None) => Ok(0),
            (Some(true), None) => Err(FitError::NoSeason),
            (Some(true), Some(period)) => Ok(period),
            (None, Some(period)) => Ok(if seasonal_strength(filled, period) > STRONG_SEASON { period } else { 0 }),
        }
    }

    fn fit_from(&self, series: &Series, earlier: Option<&EtsFit>) -> Result<EtsFit, FitError> {
        let (used, need) = (series.observed(), 4);
        if used < need {
            return Err(FitError::TooShort { have: used, need });
        }
        let longest = series.seasons_seen(2).last().copied().unwrap_or(0);
        let filled = interpolate(series.values(), longest);
        let period = self.period(series, &filled)?;
        let start = self.start(&filled, period);
        let scale = variance(&filled).sqrt().max(1e-100);
        let trends = self.trend.map_or(vec![Trend::None, Trend::Additive, Trend::Damped], |trend| vec![trend]);
        let mut best: Option<EtsFit> = None;
        for trend in trends {
            let problem = Problem { values: series.values(), trend, start: start.clone(), scale, used };
            let fit = problem.fit(earlier.map(|e| e.point.as_slice()))?;
            if best.as_ref().is_none_or(|best| fit.aicc < best.aicc) {
                best = Some(fit);
            }
        }
        let best = best.ok_or(FitError::Unstable("no trend could be fitted"))?;
        Ok(EtsFit { method: *self, ..best })
    }
}

impl Forecaster for Ets {
    fn fit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        Ok(Box::new(self.fit_from(series, None)?))
    }
}

struct EtsFit {
    method: Ets,
    trend: Trend,
    weights: Weights,
    state: State,
    variance: f64,
    aicc: f64,
    point: Vec<f64>,
}

impl Fitted for EtsFit {
    /// The variance at step h is that of the errors times 1 plus the squared effects on the forecast of errors 1 to h -
    /// 1 steps earlier; these effects are computed by the recursion itself.
    fn forecast(&self, steps: usize, levels: &[f64]) -> Forecast {
        let mut state = self.state.clone();
        let mut response = State { level: 0.0, slope: 0.0, phases: vec![0.0; state.phases.len()], next: 0 };
        response.advance(&self.weights, 1.0);
        let (mut mean, mut errors, mut sum) = (Vec::with_capacity(steps), Vec::with_capacity(steps), 1.0);
        for _ in 0..steps {
            mean.push(state.expected(&self.weights));
            errors.push((self.variance * sum).sqrt());
            let carried = response.expected(&self.weights);
            sum += carried * carried;
            state.advance(&self.weights, 0.0);
            response.advance(&self.weights, 0.0);
        }
        Forecast::normal(mean, &errors, levels)
    }

    fn update(&mut self, values: &[f64]) {
        self.state.run(&self.weights, values);
    }

    fn refit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        let period = self.state.phases.len();
        let season = Some(period).filter(|p| *p > 0).or(self.method.season);
        let kept = Ets { trend: Some(self.trend), seasonal: Some(period > 0), season };
        Ok(Box::new(kept.fit_from(series, Some(self))?))
    }

    fn describe(&self) -> String {
        let trend = match self.trend {
            Trend::None => "N",
            Trend::Additive => "A",
            Trend::Damped => "Ad",
        };
        let Weights { alpha, beta, gamma, .. } = self.weights;
        match self.state.phases.len() {
            0 => format!("ETS(A,{trend},N), alpha {alpha:.3}, beta {beta:.3}"),
            m => format!("ETS(A,{trend},A)[{m}], alpha {alpha:.3}, beta {beta:.3}, gamma {gamma:.3}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;

    fn series(values: impl Iterator<Item = f64>) -> Series {
        Series::new(values, SimDuration::from_secs(60))
    }

    #[test]
    fn follows_a_line_and_a_season() {
        let wave = |t: usize| 100.0 + 0.5 * t as f64 + [0.0, 20.0, -5.0, -15.0][t % 4];
        let fit = Ets::default().fit(&series((0..80).map(wave)).with_seasons([4])).unwrap();
        for (h, value) in fit.forecast(8, &[]).mean.into_iter().enumerate() {
            assert!((value - wave(80 + h)).abs() < 0.5, "step {h}: {value} for {}, {}", wave(80 + h), fit.describe());
        }
    }

    #[test]
    fn the_interval_of_simple_smoothing_has_its_closed_form() {
        // Variance of step h: sigma^2 (1 + (h - 1) alpha^2).
        let values = (0..200).map(|t| ((t * 7919 + t * t * 31) % 101) as f64);
        let method = Ets { trend: Some(Trend::None), seasonal: Some(false), season: None };
        let fit = method.fit_from(&series(values), None).unwrap();
        let forecast = fit.forecast(5, &[0.841_344_746]);
        let width = |h: usize| forecast.quantiles[0][h] - forecast.mean[h];
        let expected = (1.0 + 4.0 * fit.weights.alpha.powi(2)).sqrt();
        assert!((width(4) / width(0) - expected).abs() < 1e-6);
    }

    #[test]
    fn a_gap_leaves_the_level_and_an_update_moves_it() {
        let method = Ets { trend: Some(Trend::None), seasonal: Some(false), season: None };
        let noisy = (0..60).map(|t| 50.0 + (t % 3) as f64);
        let mut fit = method.fit(&series(noisy)).unwrap();
        let before = fit.forecast(1, &[]).mean[0];
        fit.update(&[f64::NAN, f64::NAN]);
        assert_eq!(fit.forecast(1, &[]).mean[0], before);
        fit.update(&[500.0; 400]);
        assert!(fit.forecast(1, &[]).mean[0] > before);
    }
}
