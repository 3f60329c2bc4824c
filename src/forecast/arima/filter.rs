//! The exact Gaussian likelihood of an autoregressive moving average by the Kalman filter.
//!
//! State vector of order r = max(p, q + 1) in companion form (Harvey 1989, section 3.3): a[0] is the value itself,
//! a'[i] = a[i+1] + phi[i] a[0] + theta[i] e. If the series was differenced, its last values follow, so that the filter
//! works in the units of the original series. The variance of the innovations is one throughout and is estimated
//! separately.
//!
//! Two methods give the same numbers. A series without gaps is filtered by the Chandrasekhar recursions (Morf, Sidhu
//! and Kailath 1974): the change of the covariance from one step to the next has rank one, so that a step costs r
//! instead of r squared. A series with gaps needs the covariance itself. Both end in the steady state, where the
//! covariance is constant and the cost of a step is the number of nonzero coefficients.

use super::polynomial::autocovariances;

/// The polynomials of a model, seasonal factors multiplied out.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Arma {
    /// Autoregressive coefficients phi_1 ...
    pub ar: Vec<f64>,
    /// Moving-average coefficients theta_1 ...
    pub ma: Vec<f64>,
    /// Differencing: w_t = y_t - sum delta_j y_{t-j}.
    pub delta: Vec<f64>,
}

/// Columns (the series, then regressors) transformed into uncorrelated errors of variance one.
#[derive(Debug, Clone, Default)]
pub(super) struct Whitened {
    /// The standardised innovations of each column; gaps are left out.
    pub columns: Vec<Vec<f64>>,
    /// Sum of the logarithms of the innovations' variances.
    pub log_determinant: f64,
    /// The state of each column at the end.
    pub states: Vec<State>,
    /// The covariance of the state at the end; `None` in the steady state.
    pub covariance: Option<Vec<f64>>,
}

/// The state vector: r elements of the companion form, then the last values of the series, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct State(pub Vec<f64>);

/// A covariance this close to the steady one is replaced by it.
const STEADY: f64 = 1e-9;
/// The same for the vector whose outer product is the change of the covariance; the error is its square.
const STEADY_CHANGE: f64 = 1e-6;

impl Arma {
    /// Length of the companion form.
    pub fn order(&self) -> usize {
        self.ar.len().max(self.ma.len() + 1)
    }

    /// Length of the state vector.
    pub fn dimension(&self) -> usize {
        self.order() + self.delta.len()
    }

    fn phi(&self, i: usize) -> f64 {
        self.ar.get(i).copied().unwrap_or(0.0)
    }

    /// How the innovation enters state element `i`: theta_i with theta_0 = 1.
    fn theta(&self, i: usize) -> f64 {
        if i == 0 { 1.0 } else { self.ma.get(i - 1).copied().unwrap_or(0.0) }
    }

    /// Covariances of the value with every element of the stationary state, or `None` if there is no such state.
    fn stationary_row(&self) -> Option<Vec<f64>> {
        let r = self.order();
        let gamma = autocovariances(&self.ar, &self.ma, r + 1)?;
        let psi = super::polynomial::psi_weights(&self.ar, &self.ma, r);
        let element = |i: usize| (i..r).map(|j| self.phi(j) * gamma[1 + j - i] + self.theta(j) * psi[j - i]).sum();
        Some((0..r).map(|i| if i == 0 { gamma[0] } else { element(i) }).collect())
    }

    /// The stationary covariance of the companion form: P = T P T' + R R' read from its last row upwards.
    fn stationary_covariance(&self) -> Option<Vec<f64>> {
        let (r, row) = (self.order(), self.stationary_row()?);
        let at = |i: usize| row.get(i).copied().unwrap_or(0.0);
        let mut p = vec![0.0; r * r];
        for i in (0..r).rev() {
            for k in (0..r).rev() {
                let below = if i + 1 < r && k + 1 < r { p[(i + 1) * r + k + 1] } else { 0.0 };
                let carried = self.phi(i) * (self.phi(k) * row[0] + at(k + 1)) + self.phi(k) * at(i + 1);
                p[i * r + k] = carried + below + self.theta(i) * self.theta(k);
            }
        }
        Some(p)
    }

    /// Transforms differenced columns without gaps into uncorrelated errors. `None` if the model is not stationary.
    pub fn whiten(&self, columns: &[Vec<f64>]) -> Option<Whitened> {
        let r = self.order();
        let row = self.stationary_row()?;
        let mut variance = row[0];
        let mut gain: Vec<f64> =
            (0..r).map(|i| row.get(i + 1).copied().unwrap_or(0.0) + self.phi(i) * row[0]).collect();
        let mut change = gain.clone();
        let n = columns.first().map_or(0, Vec::len);
        // predicted[c][t + i] holds the prediction of column c for time t + i: the state vector without any shifting.
        let mut predicted: Vec<Vec<f64>> = columns.iter().map(|_| vec![0.0; n + r]).collect();
        let mut whitened = Whitened { columns: columns.to_vec(), ..Whitened::default() };
        let mut steady_from = n;
        for t in 0..n {
            if change.iter().all(|l| l.abs() < STEADY_CHANGE) {
                steady_from = t;
                break;
            }
            let scale = variance.sqrt().recip();
            whitened.log_determinant += variance.ln();
            for (known, column) in predicted.iter_mut().zip(&mut whitened.columns) {
                let (expected, innovation) = (known[t], column[t] - known[t]);
                let per_gain = innovation / variance;
                for (ahead, g) in known[t + 1..=t + r].iter_mut().zip(&gain) {
                    *ahead += g * per_gain;
                }
                for (ahead, phi) in known[t + 1..].iter_mut().zip(&self.ar) {
                    *ahead += phi * expected;
                }
                column[t] = innovation * scale;
            }
            variance = self.chandrasekhar(variance, &mut gain, &mut change);
        }
        self.whiten_steady(&mut predicted, &mut whitened.columns, steady_from);
        whitened.states = predicted.into_iter().map(|known| State(known[n..].to_vec())).collect();
        Some(whitened)
    }

    /// One step of the recursions: with l = change[0] and F the variance,
    /// F' = F - l^2 / F, gain' = gain - (l / F) T change, change' = T change - (l / F) gain.
    fn chandrasekhar(&self, variance: f64, gain: &mut [f64], change: &mut [f64]) -> f64 {
        let r = gain.len();
        let lead = change[0];
        let ratio = lead / variance;
        for i in 0..r {
            let moved = if i + 1 < r { change[i + 1] } else { 0.0 } + self.phi(i) * lead;
            let before = gain[i];
            gain[i] -= ratio * moved;
            change[i] = moved - ratio * before;
        }
        // In exact arithmetic the variance decreases to one and never below.
        (variance - lead * ratio).max(1.0)
    }

    /// The rest of the columns once the covariance is constant: the difference equation itself.
    fn whiten_steady(&self, predicted: &mut [Vec<f64>], columns: &mut [Vec<f64>], from: usize) {
        let sparse = |values: &[f64]| -> Vec<(usize, f64)> {
            values.iter().enumerate().filter(|(_, v)| **v != 0.0).map(|(i, v)| (i + 1, *v)).collect()
        };
        let (ar, ma) = (sparse(&self.ar), sparse(&self.ma));
        for (known, column) in predicted.iter_mut().zip(columns) {
            for t in from..column.len() {
                let (value, innovation) = (column[t], column[t] - known[t]);
                for (lag, phi) in &ar {
                    known[t + lag] += phi * value;
                }
                for (lag, theta) in &ma {
                    known[t + lag] += theta * innovation;
                }
                column[t] = innovation;
            }
        }
    }

    /// Transforms columns in their own units into uncorrelated errors if some values are missing (`observed` false).
    /// The first values, as many as differencing uses up, must be present: the likelihood is conditional on them.
    pub fn whiten_with_gaps(&self, columns: &[Vec<f64>], observed: &[bool]) -> Option<Whitened> {
        let (r, lags) = (self.order(), self.delta.len());
        let dimension = r + lags;
        let mut covariance = vec![0.0; dimension * dimension];
        for (i, row) in self.stationary_covariance()?.chunks(r).enumerate() {
            covariance[i * dimension..i * dimension + r].copy_from_slice(row);
        }
        let mut covariance = Some(covariance);
        let start =
            |column: &Vec<f64>| State((0..r).map(|_| 0.0).chain(column[..lags].iter().rev().copied()).collect());
        let mut states: Vec<State> = columns.iter().map(start).collect();
        let mut whitened = Whitened { columns: vec![Vec::new(); columns.len()], ..Whitened::default() };
        for t in lags..observed.len() {
            let step = self.step(&mut covariance, observed[t]);
            if observed[t] {
                whitened.log_determinant += step.variance.ln();
            }
            for ((state, column), white) in states.iter_mut().zip(columns).zip(&mut whitened.columns) {
                let innovation = if observed[t] { column[t] - self.expected(state) } else { 0.0 };
                if observed[t] {
                    white.push(innovation / step.variance.sqrt());
                }
                self.advance(state, &step, innovation);
            }
        }
        whitened.states = states;
        whitened.covariance = covariance;
        Some(whitened)
    }

    /// The prediction of the next value from the state.
    pub fn expected(&self, state: &State) -> f64 {
        self.read(&state.0)
    }

    /// Z x.
    fn read(&self, x: &[f64]) -> f64 {
        x[0] + self.delta.iter().zip(&x[self.order()..]).map(|(d, lag)| d * lag).sum::<f64>()
    }

    /// The gain of the next value and the covariance after it. A missing value in the steady state makes the covariance
    /// variable again.
    pub fn step(&self, covariance: &mut Option<Vec<f64>>, observed: bool) -> Step {
        let r = self.order();
        match covariance {
            None if observed => Step { gain: (0..r).map(|i| self.theta(i)).collect(), variance: 1.0 },
            None => {
                let cells = self.dimension() * self.dimension();
                let certain: Vec<f64> = (0..cells).map(|k| self.certain(k)).collect();
                *covariance = Some(self.propagate(&certain));
                Step { gain: Vec::new(), variance: 1.0 }
            }
            Some(p) => {
                let along = self.observe(p);
                let variance = self.read(&along).max(f64::MIN_POSITIVE);
                let gain: Vec<f64> = along.iter().map(|m| m / variance).collect();
                if observed {
                    let dimension = along.len();
                    for (k, cell) in p.iter_mut().enumerate() {
                        *cell -= along[k / dimension] * gain[k % dimension];
                    }
                }
                let next = self.propagate(p);
                let settled = next.iter().enumerate().all(|(k, cell)| (cell - self.certain(k)).abs() < STEADY);
                *covariance = if settled { None } else { Some(next) };
                Step { gain: if observed { gain } else { Vec::new() }, variance }
            }
        }
    }

    /// Advances a state by one value.
    pub fn advance(&self, state: &mut State, step: &Step, innovation: f64) {
        state.0.iter_mut().zip(&step.gain).for_each(|(x, g)| *x += g * innovation);
        self.transition(&mut state.0);
    }

    /// x := T x.
    fn transition(&self, x: &mut [f64]) {
        let r = self.order();
        let (lead, value) = (x[0], self.read(x));
        x.copy_within(1..r, 0);
        x[r - 1] = 0.0;
        x.iter_mut().zip(&self.ar).for_each(|(x, phi)| *x += phi * lead);
        if x.len() > r {
            x.copy_within(r..x.len() - 1, r + 1);
            x[r] = value;
        }
    }

    /// P Z': the covariances of the state with the next value.
    fn observe(&self, p: &[f64]) -> Vec<f64> {
        let dimension = self.dimension();
        p.chunks(dimension).map(|row| self.read(row)).collect()
    }

    /// T P T' + R R'.
    pub fn propagate(&self, p: &[f64]) -> Vec<f64> {
        let dimension = self.dimension();
        // T applied to the rows of P gives P T' for symmetric P; once more on its transpose gives T P T', symmetric again.
        let mut turned = p.to_vec();
        turned.chunks_mut(dimension).for_each(|row| self.transition(row));
        let mut turned = transpose(&turned, dimension);
        turned.chunks_mut(dimension).for_each(|row| self.transition(row));
        for (i, row) in turned.chunks_mut(dimension).enumerate().take(self.order()) {
            let theta = self.theta(i);
            row.iter_mut().enumerate().take(self.order()).for_each(|(k, cell)| *cell += theta * self.theta(k));
        }
        turned
    }

    /// Cell `k` of R R': the covariance of the predicted state when the past is known exactly.
    fn certain(&self, k: usize) -> f64 {
        let (i, j) = (k / self.dimension(), k % self.dimension());
        if i < self.order() && j < self.order() { self.theta(i) * self.theta(j) } else { 0.0 }
    }

    /// The variance of the next value under a covariance of the state.
    pub fn variance(&self, p: &[f64]) -> f64 {
        self.read(&self.observe(p))
    }
}

/// The effect of one value on the state.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    /// Weight of the innovation in each element of the state; empty if the value is missing.
    pub gain: Vec<f64>,
    /// Variance of the innovation.
    pub variance: f64,
}

fn transpose(matrix: &[f64], n: usize) -> Vec<f64> {
    (0..n * n).map(|k| matrix[(k % n) * n + k / n]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::polynomial::{from_partial, seasonal_product};
    use super::*;

    fn models() -> Vec<Arma> {
        let seasonal = seasonal_product(&[0.4], &[0.6], 4);
        let ma: Vec<f64> = seasonal_product(&[0.7], &[0.5], 4).iter().map(|c| -c).collect();
        vec![
            Arma::default(),
            Arma { ar: vec![0.97], ..Arma::default() },
            Arma { ma: vec![-0.9, 0.3], ..Arma::default() },
            Arma { ar: from_partial(&[0.9, -0.8, 0.5]), ma: vec![0.4], ..Arma::default() },
            Arma { ar: seasonal, ma, ..Arma::default() },
        ]
    }

    fn wave(n: usize) -> Vec<f64> {
        (0..n).map(|t| (t as f64 * 0.7).sin() * 3.0 + ((t * t) % 7) as f64).collect()
    }

    #[test]
    fn the_stationary_covariance_is_a_fixed_point() {
        for model in models() {
            let p = model.stationary_covariance().unwrap();
            let next = model.propagate(&p);
            assert!(p.iter().zip(&next).all(|(a, b)| (a - b).abs() < 1e-9 * p[0]), "{model:?}");
        }
    }

    #[test]
    fn the_likelihood_equals_that_of_the_dense_covariance() {
        let y = wave(30);
        for model in models() {
            let gamma = autocovariances(&model.ar, &model.ma, 30).unwrap();
            let dense: Vec<f64> = (0..900usize).map(|k| gamma[(k / 30).abs_diff(k % 30)]).collect();
            let factor = super::super::super::linear::cholesky(&dense, 30).unwrap();
            let solved = super::super::super::linear::cholesky_solve(&factor, 30, &y);
            let square: f64 = y.iter().zip(&solved).map(|(a, b)| a * b).sum();
            let log_determinant: f64 = (0..30).map(|i| 2.0 * factor[i * 31].ln()).sum();
            let white = model.whiten(std::slice::from_ref(&y)).unwrap();
            let sum: f64 = white.columns[0].iter().map(|v| v * v).sum();
            assert!((sum - square).abs() < 1e-8 * square, "{model:?}: {sum} and {square}");
            assert!((white.log_determinant - log_determinant).abs() < 1e-8, "{model:?}");
        }
    }

    #[test]
    fn both_filters_agree_on_a_series_without_gaps() {
        for model in models() {
            for delta in [vec![], vec![1.0], super::super::polynomial::differencing(1, 1, 4)] {
                let model = Arma { delta, ..model.clone() };
                let (y, lags) = (wave(120), model.delta.len());
                let differenced: Vec<f64> = (lags..120)
                    .map(|t| y[t] - model.delta.iter().enumerate().map(|(j, d)| d * y[t - 1 - j]).sum::<f64>())
                    .collect();
                let fast = model.whiten(&[differenced]).unwrap();
                let slow = model.whiten_with_gaps(&[y], &[true; 120]).unwrap();
                assert!((fast.log_determinant - slow.log_determinant).abs() < 1e-6, "{model:?}");
                let pairs = fast.columns[0].iter().zip(&slow.columns[0]);
                assert!(pairs.clone().count() == 120 - lags && pairs.clone().all(|(a, b)| (a - b).abs() < 1e-6));
            }
        }
    }

    #[test]
    fn a_missing_value_carries_no_information() {
        // The value in a gap has no influence, and the filter with a gap equals the dense likelihood without it.
        let model = Arma { ar: vec![0.8], ma: vec![0.3], ..Arma::default() };
        let (mut y, mut observed) = (wave(20), vec![true; 20]);
        for t in [3, 4, 11] {
            observed[t] = false;
            y[t] = 1e9;
        }
        let white = model.whiten_with_gaps(std::slice::from_ref(&y), &observed).unwrap();
        let kept: Vec<usize> = (0..20).filter(|t| observed[*t]).collect();
        let gamma = autocovariances(&model.ar, &model.ma, 20).unwrap();
        let n = kept.len();
        let dense: Vec<f64> = (0..n * n).map(|k| gamma[kept[k / n].abs_diff(kept[k % n])]).collect();
        let factor = super::super::super::linear::cholesky(&dense, n).unwrap();
        let values: Vec<f64> = kept.iter().map(|t| y[*t]).collect();
        let solved = super::super::super::linear::cholesky_solve(&factor, n, &values);
        let square: f64 = values.iter().zip(&solved).map(|(a, b)| a * b).sum();
        let sum: f64 = white.columns[0].iter().map(|v| v * v).sum();
        assert!((sum - square).abs() < 1e-9 * square);
        let log_determinant: f64 = (0..n).map(|i| 2.0 * factor[i * (n + 1)].ln()).sum();
        assert!((white.log_determinant - log_determinant).abs() < 1e-9);
    }
}
