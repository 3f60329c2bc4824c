//! Order selection: differencing by tests, the rest by a stepwise search for the lowest AICc (Hyndman and Khandakar
//! 2008).

use std::collections::BTreeMap;

use super::super::clean::interpolate;
use super::super::linear::{Basis, dot};
use super::super::series::FitError;
use super::super::stl::seasonal_strength;
use super::estimate::{COARSE, FINE, Problem};
use super::model::{ArimaFit, ArimaSpec, Order};
use super::polynomial::stationary;

/// Maximum orders considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Autoregressive and moving-average terms, each.
    pub terms: usize,
    /// Seasonal autoregressive and moving-average terms, each.
    pub seasonal_terms: usize,
    /// Differences between neighbours.
    pub differences: usize,
    /// Maximum season length for which seasonal terms are tried; beyond it the state vector would be too long.
    pub period: usize,
    /// Maximum number of models fitted.
    pub models: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { terms: 5, seasonal_terms: 2, differences: 2, period: 60, models: 94 }
    }
}

/// Minimum seasonal strength for seasonal differencing.
const STRONG_SEASON: f64 = 0.64;
/// 5% critical value of the KPSS test for a level (Kwiatkowski, Phillips, Schmidt and Shin 1992, table 1).
const KPSS_LEVEL_5_PERCENT: f64 = 0.463;
/// A model with a root of its autoregressive polynomial this close to the unit circle is rejected: it should have been
/// differenced. For the moving-average polynomial only roots on the circle itself are rejected (over-differencing): a
/// noisy rate around a slowly changing level, sampled finely, is ARIMA(0,1,1) with a root that approaches the circle as
/// the sampling gets finer.
const CLOSEST_ROOT: f64 = 1.01;
const CLOSEST_MA_ROOT: f64 = 1.001;

/// Maximum length of the state vector, and maximum number of values, for which a series with gaps is searched directly.
/// Beyond that, the orders are selected with the gaps filled, and only the selected model is fitted to the observed
/// values.
const LARGEST_WITH_GAPS: usize = 24;
const LONGEST_WITH_GAPS: usize = 300;

/// The KPSS statistic against a constant level, with Bartlett weights over 3 sqrt(n) / 13 lags.
fn kpss(values: &[f64]) -> f64 {
    let n = values.len();
    let mean = values.iter().sum::<f64>() / n as f64;
    let errors: Vec<f64> = values.iter().map(|v| v - mean).collect();
    let lags = (3.0 * (n as f64).sqrt() / 13.0) as usize;
    let weighted = |j: usize| 2.0 * (1.0 - j as f64 / (lags + 1) as f64) * dot(&errors[j..], &errors[..n - j]);
    let long_run = (dot(&errors, &errors) + (1..=lags).map(weighted).sum::<f64>()) / n as f64;
    let sums = errors.iter().scan(0.0, |sum, e| {
        *sum += e;
        Some(*sum)
    });
    let statistic = sums.map(|s| s * s).sum::<f64>() / (n as f64 * n as f64 * long_run);
    if statistic.is_finite() { statistic } else { 0.0 }
}

fn differences(values: &[f64], lag: usize) -> Vec<f64> {
    values.iter().zip(&values[lag.min(values.len())..]).map(|(before, after)| after - before).collect()
}

fn constant(values: &[f64]) -> bool {
    values.iter().all(|v| *v == values[0])
}

/// Number of differences between neighbours that make the series stationary, by repeated KPSS tests.
fn needed_differences(values: &[f64], most: usize) -> usize {
    let mut rest = values.to_vec();
    for d in 0..most {
        if rest.len() < 4 || constant(&rest) || kpss(&rest) <= KPSS_LEVEL_5_PERCENT {
            return d;
        }
        rest = differences(&rest, 1);
    }
    most
}

/// The residuals of the regressors by ordinary least squares.
fn unexplained(values: &[f64], regressors: &[Vec<f64>]) -> Vec<f64> {
    let level = vec![1.0; values.len()];
    let columns: Vec<Vec<f64>> = std::iter::once(level).chain(regressors.iter().cloned()).collect();
    let mut rest = values.to_vec();
    for column in Basis::of(&columns).columns {
        let along = dot(&column, &rest);
        rest.iter_mut().zip(&column).for_each(|(r, q)| *r -= along * q);
    }
    rest
}

/// Selects the orders of a model for `values` (missing if not finite) with regressors of the same length and,
/// optionally, a season.
///
/// # Errors
/// If no model can be fitted.
pub fn select(
    values: &[f64],
    regressors: &[Vec<f64>],
    period: Option<usize>,
    limits: Limits,
) -> Result<ArimaFit, FitError> {
    let period = period.filter(|p| (2..=limits.period).contains(p) && values.len() >= 2 * p).unwrap_or(0);
    let filled = interpolate(values, period);
    let rest = if regressors.is_empty() { filled } else { unexplained(&filled, regressors) };
    let seasonal_d = usize::from(!constant(&rest) && seasonal_strength(&rest, period) > STRONG_SEASON);
    let rest = if seasonal_d == 1 { differences(&rest, period) } else { rest };
    let d = needed_differences(&rest, limits.differences);
    let base = Order { d, seasonal_d, period, ..Order::default() };
    let search = Search::new(values, regressors, base, limits);
    let small = search.largest_state() <= LARGEST_WITH_GAPS && values.len() <= LONGEST_WITH_GAPS;
    if small || values.iter().all(|v| v.is_finite()) {
        return search.run();
    }
    let filled = interpolate(values, period);
    let chosen = Search::new(&filled, regressors, base, limits).run()?.spec;
    chosen.fit(values, regressors)
}

/// Selects the model of a regression's errors from the residuals of ordinary least squares, so that the search does not
/// have to evaluate the regressors. Without differencing the mean stays in the model, because the residuals do not show
/// it.
pub(super) fn select_errors(values: &[f64], regressors: &[Vec<f64>], limits: Limits) -> Result<ArimaSpec, FitError> {
    let residuals = unexplained(&interpolate(values, 0), regressors);
    let known = |(r, v): (&f64, &f64)| if v.is_finite() || values.len() > LONGEST_WITH_GAPS { *r } else { f64::NAN };
    let residuals: Vec<f64> = residuals.iter().zip(values).map(known).collect();
    let chosen = select(&residuals, &[], None, limits)?.spec;
    Ok(ArimaSpec { constant: chosen.constant || chosen.order.d == 0, ..chosen })
}

/// One step in the space of orders: changes of p, q, P, Q.
const STEPS: [[i8; 4]; 16] = [
    [0, 0, -1, 0],
    [0, 0, 0, -1],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
    [0, 0, -1, -1],
    [0, 0, -1, 1],
    [0, 0, 1, -1],
    [0, 0, 1, 1],
    [-1, 0, 0, 0],
    [0, -1, 0, 0],
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [-1, -1, 0, 0],
    [-1, 1, 0, 0],
    [1, -1, 0, 0],
    [1, 1, 0, 0],
];

/// The stepwise search.
struct Search<'a> {
    values: &'a [f64],
    regressors: &'a [Vec<f64>],
    base: Order,
    limits: Limits,
    /// Maximum p and q, maximum P and Q.
    most: (usize, usize),
    /// Models tried so far and their AICc.
    tried: BTreeMap<[usize; 5], f64>,
    best: Option<ArimaFit>,
}

impl<'a> Search<'a> {
    fn new(values: &'a [f64], regressors: &'a [Vec<f64>], base: Order, limits: Limits) -> Self {
        let third = values.len() / 3;
        let seasonal = if base.period > 1 { limits.seasonal_terms.min(third / base.period) } else { 0 };
        let most = (limits.terms.min(third), seasonal);
        Search { values, regressors, base, limits, most, tried: BTreeMap::new(), best: None }
    }

    /// Length of the state vector of the largest allowed model.
    fn largest_state(&self) -> usize {
        self.most.0 + 1 + self.most.1 * self.base.period + self.base.differenced()
    }

    fn run(mut self) -> Result<ArimaFit, FitError> {
        let with_constant = self.base.d + self.base.seasonal_d <= 1;
        for terms in [[2, 2, 1, 1], [0, 0, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1]] {
            self.attempt(terms, with_constant);
        }
        if with_constant {
            self.attempt([0, 0, 0, 0], false);
        }
        while self.tried.len() < self.limits.models && self.improve(with_constant) {}
        let have = self.values.iter().filter(|v| v.is_finite()).count();
        let best = self.best.ok_or(FitError::TooShort { have, need: 3 })?;
        let problem = Problem::new(best.spec, self.values, self.regressors)?;
        problem.fit(problem.search(Some(&best.point), FINE))
    }

    /// Tries the neighbours of the best model until one is better; `false` if none is.
    fn improve(&mut self, with_constant: bool) -> bool {
        let Some(best) = self.best.as_ref().map(|fit| fit.spec) else { return false };
        let order = best.order;
        let here = [order.p, order.q, order.seasonal_p, order.seasonal_q];
        for step in STEPS {
            let mut terms = [0; 4];
            let inside = (0..4).all(|i| match here[i].checked_add_signed(isize::from(step[i])) {
                Some(count) => {
                    terms[i] = count;
                    true
                }
                None => false,
            });
            if inside && self.attempt(terms, best.constant) {
                return true;
            }
        }
        with_constant && self.attempt(here, !best.constant)
    }

    /// Fits one model unless it was tried before or is out of bounds; `true` if it is the best so far.
    fn attempt(&mut self, terms: [usize; 4], constant: bool) -> bool {
        let [p, q, seasonal_p, seasonal_q] = terms;
        // The start is clamped to the bounds; a step beyond a bound is skipped.
        let (p, q) = (p.min(self.most.0), q.min(self.most.0));
        let (seasonal_p, seasonal_q) = (seasonal_p.min(self.most.1), seasonal_q.min(self.most.1));
        let key = [p, q, seasonal_p, seasonal_q, usize::from(constant)];
        if self.tried.len() >= self.limits.models || self.tried.contains_key(&key) {
            return false;
        }
        let order = Order { p, q, seasonal_p, seasonal_q, ..self.base };
        let fit = self.fit(ArimaSpec { order, constant });
        let score = fit.as_ref().map_or(f64::INFINITY, ArimaFit::aicc);
        self.tried.insert(key, score);
        let best = self.best.as_ref().map_or(f64::INFINITY, ArimaFit::aicc);
        let better = score < best - 1e-9;
        if better {
            self.best = fit;
        }
        better
    }

    fn fit(&self, spec: ArimaSpec) -> Option<ArimaFit> {
        let problem = Problem::new(spec, self.values, self.regressors).ok()?;
        let fit = problem.fit(problem.search(None, COARSE)).ok()?;
        let minus: Vec<f64> = fit.arma.ma.iter().map(|c| -c).collect();
        (stationary(&fit.arma.ar, CLOSEST_ROOT) && stationary(&minus, CLOSEST_MA_ROOT)).then_some(fit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_for_a_level_tells_a_walk_from_noise() {
        let scatter = |t: usize| ((t * 7919 + t * t * 31) % 101) as f64 - 50.0;
        let noise: Vec<f64> = (0..200).map(scatter).collect();
        let slope: Vec<f64> = (0..200).map(|t| scatter(t) + 3.0 * t as f64).collect();
        assert!(kpss(&noise) < KPSS_LEVEL_5_PERCENT && kpss(&slope) > KPSS_LEVEL_5_PERCENT);
        assert_eq!(needed_differences(&noise, 2), 0);
        assert_eq!(needed_differences(&slope, 2), 1);
        assert_eq!(needed_differences(&[5.0; 50], 2), 0);
    }

    #[test]
    fn a_constant_is_a_mean_and_a_straight_line_a_drift() {
        let fit = select(&[7.0; 40], &[], None, Limits::default()).unwrap();
        assert_eq!(fit.spec.order.coefficients(), 0);
        assert!((fit.predict(3, &[]).0[2] - 7.0).abs() < 1e-9);
        let line: Vec<f64> = (0..40).map(|t| 3.0 + 2.0 * t as f64).collect();
        let fit = select(&line, &[], None, Limits::default()).unwrap();
        assert!((fit.predict(5, &[]).0[4] - (3.0 + 2.0 * 44.0)).abs() < 1e-6, "{:?}", fit.spec);
    }
}
