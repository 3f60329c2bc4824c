//! Maximum likelihood: coefficients by numerical search; mean, drift and regressors by generalised least squares within
//! it.

use super::super::bfgs::minimise;
use super::super::linear::{Basis, cholesky, cholesky_solve, dot, inverse};
use super::super::series::FitError;
use super::filter::{Arma, State, Whitened};
use super::model::{ArimaFit, ArimaSpec, Coefficient, Order};
use super::polynomial::{differencing, from_partial, seasonal_product, to_partial};

/// Maximum length of the state vector for which missing values are filtered with the full covariance (the cost per
/// value is its square); for longer ones they are filled in beforehand.
const LARGEST_EXACT_GAPS: usize = 64;
/// Partial autocorrelations are tanh(u); beyond this |u| the model is practically on the boundary.
const FARTHEST: f64 = 8.0;
/// A search ends when the log-likelihood improves by less than this. An error of 0.02 standard errors costs twenty
/// times as much.
pub(super) const FINE: f64 = 1e-5;
/// The same while models are compared: a hundredth of the difference that decides between two models.
pub(super) const COARSE: f64 = 1e-2;

/// Minimum number of terms for which the search uses several starting points.
const MANY_TERMS: usize = 5;

/// Factors 1 - c B by which both sides of a smaller model are multiplied, which leaves the model unchanged: if roots
/// nearly cancel, the likelihood of the larger model has maxima that no distant starting point leads to.
const CANCELLING: [f64; 4] = [-0.95, -0.5, 0.5, 0.95];

/// Number of times that the search is restarted from the best of them.
const RESTARTS: usize = 4;

/// Maximum number of iterations of a search.
const MAX_ITERATIONS: usize = 200;

/// A series and a model, prepared for evaluating likelihoods.
pub(super) struct Problem {
    spec: ArimaSpec,
    delta: Vec<f64>,
    /// The series, then the basis of the regressors; differenced if `observed` is `None`.
    columns: Vec<Vec<f64>>,
    basis: Basis,
    regressors: Vec<Vec<f64>>,
    /// Which values are present; `None` if all are.
    observed: Option<Vec<bool>>,
    /// The last values in the units of the series.
    values: Vec<f64>,
    used: usize,
    /// Lower limit of the variance, so that a perfect fit has a finite likelihood.
    floor: f64,
    time: usize,
}

/// One evaluation of the likelihood.
pub(super) struct Evaluation {
    /// Minus the log-likelihood, up to a constant.
    objective: f64,
    beta: Vec<f64>,
    /// Inverse of the regressors' information in units of the variance.
    factor: Vec<f64>,
    squares: f64,
    whitened: Whitened,
}

impl Problem {
    /// Prepares `values` (missing if not finite) and regressors of the same length.
    ///
    /// # Errors
    /// If there are fewer values than the model has parameters.
    pub fn new(spec: ArimaSpec, values: &[f64], regressors: &[Vec<f64>]) -> Result<Self, FitError> {
        let order = spec.order;
        let delta = differencing(order.d, order.seasonal_d, order.period);
        let first = values.iter().position(|v| v.is_finite()).unwrap_or(values.len());
        let constant = spec.has_constant().then(|| (first..values.len()).map(|t| spec.constant_at(t + 1)).collect());
        let given = regressors.iter().map(|x| x.get(first..).unwrap_or_default().to_vec());
        let regressors: Vec<Vec<f64>> = constant.into_iter().chain(given).collect();
        let (kept, lags) = (&values[first..], delta.len());
        let used = kept.iter().skip(lags).filter(|v| v.is_finite()).count();
        let needed = order.coefficients() + regressors.len() + 2;
        if used < needed || kept.len() < lags + needed {
            return Err(FitError::TooShort { have: used, need: needed });
        }
        let mut observed: Vec<bool> = kept.iter().map(|v| v.is_finite()).collect();
        let filled = super::super::clean::interpolate(kept, order.period);
        observed[..lags].fill(true);
        let mut problem = Problem {
            spec,
            columns: Vec::new(),
            basis: Basis::default(),
            regressors,
            observed: observed.iter().any(|o| !o).then_some(observed),
            used,
            floor: 0.0,
            values: filled,
            time: values.len(),
            delta,
        };
        problem.build_columns();
        Ok(problem)
    }

    fn build_columns(&mut self) {
        let difference = |x: &Vec<f64>| -> Vec<f64> {
            let lags = self.delta.len();
            (lags..x.len()).map(|t| x[t] - dot_reversed(&self.delta, &x[t - lags..t])).collect()
        };
        let differenced = difference(&self.values);
        let regressors: Vec<Vec<f64>> = self.regressors.iter().map(difference).collect();
        let basis = Basis::of(&regressors);
        let mean_square = |x: &[f64]| dot(x, x) / x.len().max(1) as f64;
        self.floor = (1e-20 * mean_square(&self.values)).max(1e-24 * mean_square(&differenced)).max(1e-200);
        let large =
            self.delta.len() + self.arma(&vec![0.0; self.spec.order.coefficients()]).order() > LARGEST_EXACT_GAPS;
        if large && self.observed.take().is_some() {
            self.used = differenced.len();
        }
        self.columns = match self.observed {
            None => std::iter::once(differenced).chain(basis.columns.iter().cloned()).collect(),
            Some(_) => {
                let mixed = basis.weights.iter().map(|weights| self.combine(weights));
                std::iter::once(self.values.clone()).chain(mixed).collect()
            }
        };
        self.basis = basis;
    }

    /// The weighted sum of the regressors.
    fn combine(&self, weights: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.values.len()];
        for (weight, column) in weights.iter().zip(&self.regressors) {
            sum.iter_mut().zip(column).for_each(|(s, x)| *s += weight * x);
        }
        sum
    }

    /// The coefficients (ar, ma, sar, sma) at a point of the search: each factor from its partial autocorrelations.
    fn coefficients(&self, point: &[f64]) -> Vec<f64> {
        let order = self.spec.order;
        let mut rest: Vec<f64> = point.iter().map(|u| u.clamp(-FARTHEST, FARTHEST).tanh()).collect();
        let mut coefficients = Vec::with_capacity(point.len());
        for (count, sign) in [(order.p, 1.0), (order.q, -1.0), (order.seasonal_p, 1.0), (order.seasonal_q, -1.0)] {
            let tail = rest.split_off(count);
            coefficients.extend(from_partial(&rest).into_iter().map(|c| sign * c));
            rest = tail;
        }
        coefficients
    }

    fn arma(&self, point: &[f64]) -> Arma {
        self.arma_of(&self.coefficients(point))
    }

    /// The polynomials with these coefficients (ar, ma, sar, sma).
    fn arma_of(&self, coefficients: &[f64]) -> Arma {
        let order = self.spec.order;
        let (ar, rest) = coefficients.split_at(order.p);
        let (ma, rest) = rest.split_at(order.q);
        let (sar, sma) = rest.split_at(order.seasonal_p);
        let minus = |values: &[f64]| -> Vec<f64> { values.iter().map(|v| -v).collect() };
        let ma = minus(&seasonal_product(&minus(ma), &minus(sma), order.period));
        Arma { ar: seasonal_product(ar, sar, order.period), ma, delta: self.delta.clone() }
    }

    /// The columns as uncorrelated errors; `None` if the model is not stationary.
    fn whiten(&self, arma: &Arma) -> Option<Whitened> {
        match &self.observed {
            None => arma.whiten(&self.columns),
            Some(observed) => arma.whiten_with_gaps(&self.columns, observed),
        }
    }

    /// The likelihood at a point, with the best mean, drift and regression coefficients for it.
    pub fn evaluate(&self, point: &[f64]) -> Option<Evaluation> {
        let whitened = self.whiten(&self.arma(point))?;
        let (y, x) = whitened.columns.split_first()?;
        let m = x.len();
        let mut gram = vec![0.0; m * m];
        for i in 0..m {
            for j in 0..=i {
                gram[i * m + j] = dot(&x[i], &x[j]);
                gram[j * m + i] = gram[i * m + j];
            }
        }
        let factor = cholesky(&gram, m)?;
        let beta = cholesky_solve(&factor, m, &x.iter().map(|x| dot(x, y)).collect::<Vec<_>>());
        let mut rest = y.clone();
        for (b, x) in beta.iter().zip(x) {
            rest.iter_mut().zip(x).for_each(|(r, x)| *r -= b * x);
        }
        let squares = dot(&rest, &rest);
        let n = self.used as f64;
        let objective = 0.5 * (n * (squares / n).max(self.floor).ln() + whitened.log_determinant);
        objective.is_finite().then_some(Evaluation { objective, beta, factor, squares, whitened })
    }

    fn objective(&self, point: &[f64]) -> f64 {
        self.evaluate(point).map_or(f64::INFINITY, |evaluation| evaluation.objective)
    }

    /// Maximizes the likelihood from `start` or, without one, from a point close to white noise.
    pub fn search(&self, start: Option<&[f64]>, tolerance: f64) -> Vec<f64> {
        let count = self.spec.order.coefficients();
        let origin = vec![0.1; count];
        let start = start.filter(|s| s.len() == count).unwrap_or(&origin);
        let start: Vec<f64> = start.iter().map(|u| u.clamp(-3.0, 3.0)).collect();
        minimise(|point| self.objective(point), &start, tolerance, MAX_ITERATIONS).point
    }

    /// Maximizes the likelihood from several starting points if a model of many terms may have several maxima.
    fn search_widely(&self) -> Vec<f64> {
        let order = self.spec.order;
        if order.coefficients() < MANY_TERMS {
            return self.search(None, FINE);
        }
        let alike = |sign: f64, count: usize| vec![0.5 * sign; count];
        let from = |ar: f64, ma: f64| {
            [alike(ar, order.p), alike(ma, order.q), alike(ar, order.seasonal_p), alike(ma, order.seasonal_q)].concat()
        };
        // The last partial autocorrelation differs in sign from the others: an oscillation instead of a decay.
        let turned = |count: usize| (1..=count).map(|k| if k < count { 0.5 } else { -0.5 }).collect::<Vec<f64>>();
        let seasonal = vec![0.1; order.seasonal_p + order.seasonal_q];
        let starts =
            [from(1.0, 1.0), from(1.0, -1.0), from(-1.0, -1.0), [turned(order.p), turned(order.q), seasonal].concat()];
        let starts = starts.into_iter().chain(self.enlarged()).map(|start| self.search(Some(&start), FINE));
        let all = std::iter::once(self.search(None, FINE)).chain(starts);
        let best = all.min_by(|a, b| self.objective(a).total_cmp(&self.objective(b)));
        // On a plateau a search may end early; a restart continues it.
        (0..RESTARTS).fold(best.unwrap_or_default(), |point, _| self.search(Some(&point), FINE))
    }

    /// The best model with one autoregressive and one moving-average term less, as points of this model: it is nested
    /// in this one with any common factor on both sides. Empty if this model has no such terms.
    fn enlarged(&self) -> Vec<Vec<f64>> {
        let Order { p, q, .. } = self.spec.order;
        if p == 0 || q == 0 {
            return Vec::new();
        }
        // A last partial autocorrelation of zero removes one term.
        let whole = |part: &[f64]| {
            let (ar, rest) = part.split_at(p - 1);
            let (ma, rest) = rest.split_at(q - 1);
            [ar, &[0.0], ma, &[0.0], rest].concat()
        };
        let near = vec![0.1; self.spec.order.coefficients() - 2];
        let least = whole(&minimise(|part| self.objective(&whole(part)), &near, FINE, MAX_ITERATIONS).point);
        let partial = |side: &[f64], c: f64| -> Option<Vec<f64>> {
            let side = from_partial(&side.iter().map(|u| u.clamp(-FARTHEST, FARTHEST).tanh()).collect::<Vec<_>>());
            let product = seasonal_product(&side, &[c], 1);
            Some(to_partial(&product[..side.len()])?.into_iter().map(f64::atanh).collect())
        };
        let with = |c: &f64| {
            Some([partial(&least[..p], *c)?, partial(&least[p..p + q], *c)?, least[p + q..].to_vec()].concat())
        };
        CANCELLING.iter().filter_map(with).collect()
    }

    /// The fitted model at a point.
    ///
    /// # Errors
    /// If the likelihood cannot be evaluated there.
    pub fn fit(&self, point: Vec<f64>) -> Result<ArimaFit, FitError> {
        let Evaluation { objective, beta, squares, whitened, .. } =
            self.evaluate(&point).ok_or(FitError::Unstable("the likelihood is not finite"))?;
        let beta_given = self.basis.restore(&beta, self.regressors.len());
        let values = self.coefficients(&point).into_iter().chain(beta_given.iter().copied());
        let coefficients =
            self.names().into_iter().zip(values).map(|(name, value)| Coefficient { name, value, standard_error: None });
        let coefficients: Vec<Coefficient> = coefficients.collect();
        let n = self.used as f64;
        let sigma2 = (squares / n).max(self.floor);
        let free = (n - coefficients.len() as f64).max(1.0);
        let mut state = whitened.states[0].0.clone();
        for (b, s) in beta.iter().zip(whitened.states.iter().skip(1)) {
            state.iter_mut().zip(&s.0).for_each(|(a, x)| *a -= b * x);
        }
        if self.observed.is_none() {
            let explained = self.combine(&beta_given);
            let unexplained = self.values.iter().zip(&explained).map(|(y, x)| y - x);
            state.extend(unexplained.rev().take(self.delta.len()));
        }
        Ok(ArimaFit {
            spec: self.spec,
            coefficients,
            sigma2,
            sigma2_unbiased: sigma2 * n / free,
            log_likelihood: -objective - 0.5 * n * (1.0 + (2.0 * std::f64::consts::PI).ln()),
            used: self.used,
            arma: self.arma(&point),
            point,
            state: State(state),
            covariance: whitened.covariance,
            time: self.time,
        })
    }

    fn names(&self) -> Vec<String> {
        let (order, constant) = (self.spec.order, self.spec.has_constant());
        let counts = [("ar", order.p), ("ma", order.q), ("sar", order.seasonal_p), ("sma", order.seasonal_q)];
        let mut names: Vec<String> =
            counts.iter().flat_map(|(name, count)| (1..=*count).map(move |i| format!("{name}{i}"))).collect();
        if constant {
            names.push(if order.d + order.seasonal_d == 0 { "mean" } else { "drift" }.to_string());
        }
        names.extend((1..=self.regressors.len() - usize::from(constant)).map(|i| format!("x{i}")));
        names
    }

    /// Standard errors of all coefficients at the maximum of the likelihood, from the observed information.
    ///
    /// The Hessian is computed in the search's own parameters, where every point is admissible, and transformed by the
    /// Jacobian J: cov(c) = J H^-1 J'. The regression coefficients b are functions of the point, so their covariance is
    /// sigma^2 (X' W X)^-1 plus the same expression. Together these give the inverse of the full information matrix.
    pub fn standard_errors(&self, point: &[f64]) -> Option<Vec<f64>> {
        let k = point.len();
        let best = self.evaluate(point)?;
        let covariance = inverse(&self.hessian(point, best.objective), k)?;
        let all = |point: &[f64]| -> Option<Vec<f64>> {
            let beta = self.basis.restore(&self.evaluate(point)?.beta, self.regressors.len());
            Some(self.coefficients(point).into_iter().chain(beta).collect())
        };
        let mut jacobian = Vec::with_capacity(k);
        for i in 0..k {
            let (above, below) = (all(&shifted(point, &[(i, 1e-4)]))?, all(&shifted(point, &[(i, -1e-4)]))?);
            jacobian.push(above.iter().zip(&below).map(|(a, b)| (a - b) / 2e-4).collect::<Vec<f64>>());
        }
        let mut variances = self.regression_variances(&best);
        for (index, variance) in variances.iter_mut().enumerate() {
            for i in 0..k {
                let row = (0..k).map(|j| covariance[i * k + j] * jacobian[j][index]).sum::<f64>();
                *variance += jacobian[i][index] * row;
            }
        }
        variances.iter().all(|v| v.is_finite() && *v >= 0.0).then(|| variances.into_iter().map(f64::sqrt).collect())
    }

    /// sigma^2 (X' W X)^-1 on the diagonal, for all coefficients (zero for the ARMA part).
    fn regression_variances(&self, best: &Evaluation) -> Vec<f64> {
        let (m, sigma2) = (best.beta.len(), best.squares / self.used as f64);
        let mut variances = vec![0.0; self.spec.order.coefficients()];
        for index in 0..self.regressors.len() {
            let weights: Vec<f64> = self.basis.weights.iter().map(|w| w[index]).collect();
            variances.push(sigma2 * dot(&weights, &cholesky_solve(&best.factor, m, &weights)));
        }
        variances
    }

    fn hessian(&self, point: &[f64], centre: f64) -> Vec<f64> {
        let (k, h) = (point.len(), 2e-3);
        let at = |moves: &[(usize, f64)]| self.objective(&shifted(point, moves));
        let mut hessian = vec![0.0; k * k];
        for i in 0..k {
            hessian[i * k + i] = (at(&[(i, h)]) - 2.0 * centre + at(&[(i, -h)])) / (h * h);
            for j in 0..i {
                let same = at(&[(i, h), (j, h)]) + at(&[(i, -h), (j, -h)]);
                let opposite = at(&[(i, h), (j, -h)]) + at(&[(i, -h), (j, h)]);
                hessian[i * k + j] = (same - opposite) / (4.0 * h * h);
                hessian[j * k + i] = hessian[i * k + j];
            }
        }
        hessian
    }
}

fn shifted(point: &[f64], moves: &[(usize, f64)]) -> Vec<f64> {
    let mut moved = point.to_vec();
    moves.iter().for_each(|(i, by)| moved[*i] += by);
    moved
}

/// sum_j weights[j] * past[last - j]: the weights count backwards.
fn dot_reversed(weights: &[f64], past: &[f64]) -> f64 {
    weights.iter().zip(past.iter().rev()).map(|(w, x)| w * x).sum()
}

impl ArimaSpec {
    /// The model with given coefficients (ar, ma, sar, sma, then the constant, then the regressors; 0 if there are
    /// fewer) and the given variance, or else the best one for them: its likelihood and its state at the end of the
    /// series. The parameters for a warm start are those of white noise.
    ///
    /// # Errors
    /// If there are too few values, or the coefficients are not those of a stationary model.
    pub fn with_coefficients(
        &self,
        values: &[f64],
        regressors: &[Vec<f64>],
        coefficients: &[f64],
        variance: Option<f64>,
    ) -> Result<ArimaFit, FitError> {
        let names = Problem::new(*self, values, regressors)?.names();
        let coefficient = |index: usize| coefficients.get(index).copied().unwrap_or(0.0);
        let terms: Vec<f64> = (0..self.order.coefficients()).map(coefficient).collect();
        let constant = self.has_constant().then(|| (1..=values.len()).map(|t| self.constant_at(t)).collect());
        let mut rest = values.to_vec();
        for (index, column) in constant.iter().chain(regressors).enumerate() {
            let weight = coefficient(terms.len() + index);
            rest.iter_mut().zip(column).for_each(|(rest, x)| *rest -= weight * x);
        }
        let problem = Problem::new(ArimaSpec { order: self.order, constant: false }, &rest, &[])?;
        let arma = problem.arma_of(&terms);
        let whitened = problem.whiten(&arma).ok_or(FitError::Unstable("the model is not stationary"))?;
        let n = problem.used as f64;
        let squares = dot(&whitened.columns[0], &whitened.columns[0]);
        let sigma2 = variance.unwrap_or((squares / n).max(problem.floor));
        let mut state = whitened.states[0].0.clone();
        if problem.observed.is_none() {
            state.extend(problem.values.iter().rev().take(problem.delta.len()));
        }
        let named =
            |(index, name): (usize, String)| Coefficient { name, value: coefficient(index), standard_error: None };
        let doubled = n * (2.0 * std::f64::consts::PI * sigma2).ln() + whitened.log_determinant + squares / sigma2;
        Ok(ArimaFit {
            spec: *self,
            coefficients: names.into_iter().enumerate().map(named).collect(),
            sigma2,
            sigma2_unbiased: sigma2,
            log_likelihood: -0.5 * doubled,
            used: problem.used,
            arma,
            point: vec![0.1; terms.len()],
            state: State(state),
            covariance: whitened.covariance,
            time: values.len(),
        })
    }

    /// Fits by exact maximum likelihood. Values that are not finite are missing; each regressor has the same length.
    ///
    /// # Errors
    /// If there are fewer values than the model needs, or the likelihood cannot be evaluated.
    pub fn fit(&self, values: &[f64], regressors: &[Vec<f64>]) -> Result<ArimaFit, FitError> {
        let problem = Problem::new(*self, values, regressors)?;
        problem.fit(problem.search_widely())
    }

    /// Fits by one search, starting from the end of an earlier fit if there is one.
    pub(in super::super) fn fit_from(
        &self,
        values: &[f64],
        regressors: &[Vec<f64>],
        earlier: Option<&ArimaFit>,
    ) -> Result<ArimaFit, FitError> {
        let problem = Problem::new(*self, values, regressors)?;
        let start = earlier.filter(|fit| fit.spec == *self).map(|fit| fit.point.as_slice());
        problem.fit(problem.search(start, FINE))
    }

    /// Fits and adds standard errors, which takes about twice the square of the number of coefficients in evaluations.
    ///
    /// # Errors
    /// As [`ArimaSpec::fit`].
    pub fn fit_with_errors(&self, values: &[f64], regressors: &[Vec<f64>]) -> Result<ArimaFit, FitError> {
        let problem = Problem::new(*self, values, regressors)?;
        let mut fit = problem.fit(problem.search_widely())?;
        if let Some(errors) = problem.standard_errors(&fit.point) {
            fit.coefficients.iter_mut().zip(errors).for_each(|(c, e)| c.standard_error = Some(e));
        }
        Ok(fit)
    }
}
