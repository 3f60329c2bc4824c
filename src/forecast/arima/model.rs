//! Specification of an ARIMA model, and a fitted one.

use std::fmt;

use super::filter::{Arma, State};
use super::polynomial::{psi_weights, seasonal_product};

/// The orders of a seasonal ARIMA model, (p,d,q)(P,D,Q)\[s\].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Order {
    /// Autoregressive terms.
    pub p: usize,
    /// Differences between neighbours.
    pub d: usize,
    /// Moving-average terms.
    pub q: usize,
    /// Seasonal autoregressive terms.
    pub seasonal_p: usize,
    /// Seasonal differences.
    pub seasonal_d: usize,
    /// Seasonal moving-average terms.
    pub seasonal_q: usize,
    /// Season length in steps; 0 or 1 for none.
    pub period: usize,
}

impl Order {
    /// A model without season.
    pub const fn new(p: usize, d: usize, q: usize) -> Self {
        Order { p, d, q, seasonal_p: 0, seasonal_d: 0, seasonal_q: 0, period: 0 }
    }

    /// This model with seasonal terms.
    pub const fn seasonal(self, seasonal_p: usize, seasonal_d: usize, seasonal_q: usize, period: usize) -> Self {
        Order { seasonal_p, seasonal_d, seasonal_q, period, ..self }
    }

    /// Coefficients of the ARMA part.
    pub const fn coefficients(&self) -> usize {
        self.p + self.q + self.seasonal_p + self.seasonal_q
    }

    /// Values that differencing uses up.
    pub const fn differenced(&self) -> usize {
        self.d + self.seasonal_d * self.period
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ARIMA({},{},{})", self.p, self.d, self.q)?;
        if self.seasonal_p + self.seasonal_d + self.seasonal_q > 0 {
            write!(f, "({},{},{})[{}]", self.seasonal_p, self.seasonal_d, self.seasonal_q, self.period)?;
        }
        Ok(())
    }
}

/// A model to be fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct ArimaSpec {
    /// The orders.
    pub order: Order,
    /// Whether there is a constant: the mean if there is no differencing, the drift (slope per step) if the series is
    /// differenced once. Series differenced twice have none.
    pub constant: bool,
}

impl ArimaSpec {
    /// Whether the model has a constant at all.
    pub(super) fn has_constant(&self) -> bool {
        self.constant && self.order.d + self.order.seasonal_d <= 1
    }

    /// The regressor of the constant, at time `t` from 1.
    pub(super) fn constant_at(&self, t: usize) -> f64 {
        if self.order.d + self.order.seasonal_d == 0 { 1.0 } else { t as f64 }
    }
}

impl fmt::Display for ArimaSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.order)?;
        match (self.has_constant(), self.order.d + self.order.seasonal_d) {
            (true, 0) => write!(f, " with mean"),
            (true, _) => write!(f, " with drift"),
            (false, _) => Ok(()),
        }
    }
}

/// One estimated coefficient.
#[derive(Debug, Clone, PartialEq)]
pub struct Coefficient {
    /// `ar1`, `ma1`, `sar1`, `sma1`, `mean`, `drift`, `x1` ...
    pub name: String,
    /// The estimate.
    pub value: f64,
    /// Its standard error; `None` if not requested, or if the likelihood has no proper maximum there.
    pub standard_error: Option<f64>,
}

/// A fitted model: estimates, fit statistics, and the state from which to forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct ArimaFit {
    /// The fitted model's specification.
    pub spec: ArimaSpec,
    /// ARMA coefficients (ar, ma, sar, sma), then the constant, then the regressors.
    pub coefficients: Vec<Coefficient>,
    /// Variance of the innovations: sum of squares divided by the number of values used.
    pub sigma2: f64,
    /// The same with the divisor reduced by the number of coefficients.
    pub sigma2_unbiased: f64,
    /// Exact Gaussian log-likelihood of the differenced series.
    pub log_likelihood: f64,
    /// Values that entered the likelihood.
    pub used: usize,
    /// The parameters of the optimiser, for a warm start of the next fit.
    pub(super) point: Vec<f64>,
    pub(super) arma: Arma,
    pub(super) state: State,
    pub(super) covariance: Option<Vec<f64>>,
    /// Number of values so far, including missing ones.
    pub(super) time: usize,
}

impl ArimaFit {
    /// Number of parameters counted by the information criteria: coefficients and the variance.
    pub fn parameters(&self) -> usize {
        self.coefficients.len() + 1
    }

    /// Akaike's information criterion.
    pub fn aic(&self) -> f64 {
        2.0 * self.parameters() as f64 - 2.0 * self.log_likelihood
    }

    /// Akaike's criterion corrected for short series (Hurvich and Tsai 1989); infinite if the series is too short for
    /// it.
    pub fn aicc(&self) -> f64 {
        let (k, n) = (self.parameters() as f64, self.used as f64);
        if n - k - 1.0 > 0.0 { self.aic() + 2.0 * k * (k + 1.0) / (n - k - 1.0) } else { f64::INFINITY }
    }

    /// Bayesian information criterion.
    pub fn bic(&self) -> f64 {
        self.parameters() as f64 * (self.used as f64).ln() - 2.0 * self.log_likelihood
    }

    /// Coefficients of the constant and the regressors.
    fn regression(&self) -> &[Coefficient] {
        &self.coefficients[self.spec.order.coefficients()..]
    }

    /// Contribution of the constant and the regressors `ahead` steps (from 1) after the last value.
    fn contribution(&self, ahead: usize, regressors: impl Iterator<Item = f64>) -> f64 {
        let constant = self.spec.has_constant().then(|| self.spec.constant_at(self.time + ahead));
        self.regression().iter().zip(constant.into_iter().chain(regressors)).map(|(c, x)| c.value * x).sum()
    }

    /// Conditional means of the next `steps` values and their standard errors, with the coefficients taken as known and
    /// the maximum-likelihood variance. `regressors` holds the future values of each regressor; the last value of one
    /// that is too short is repeated.
    pub fn predict(&self, steps: usize, regressors: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
        let mut state = self.state.clone();
        let silent = super::filter::Step { gain: Vec::new(), variance: 1.0 };
        let future = |h: usize| regressors.iter().map(move |x| x.get(h).or(x.last()).copied().unwrap_or(0.0));
        let mut means = Vec::with_capacity(steps);
        for h in 0..steps {
            means.push(self.arma.expected(&state) + self.contribution(h + 1, future(h)));
            self.arma.advance(&mut state, &silent, 0.0);
        }
        let errors = self.variances(steps).into_iter().map(|v| (v * self.sigma2).sqrt()).collect();
        (means, errors)
    }

    /// Forecast variances in units of the innovations' variance: the sum of squared psi weights in the steady state,
    /// otherwise from the covariance of the state.
    fn variances(&self, steps: usize) -> Vec<f64> {
        match &self.covariance {
            None => {
                let ar = seasonal_product(&self.arma.ar, &self.arma.delta, 1);
                let squares = psi_weights(&ar, &self.arma.ma, steps).into_iter().map(|w| w * w);
                squares
                    .scan(0.0, |sum, w| {
                        *sum += w;
                        Some(*sum)
                    })
                    .collect()
            }
            Some(covariance) => {
                let mut p = covariance.clone();
                (0..steps)
                    .map(|_| {
                        let variance = self.arma.variance(&p);
                        p = self.arma.propagate(&p);
                        variance
                    })
                    .collect()
            }
        }
    }

    /// Adds the next value (missing if not finite) with its regressors; the coefficients do not change.
    pub fn update(&mut self, value: f64, regressors: &[f64]) {
        let observed = value.is_finite();
        let step = self.arma.step(&mut self.covariance, observed);
        let innovation = if observed {
            value - self.contribution(1, regressors.iter().copied()) - self.arma.expected(&self.state)
        } else {
            0.0
        };
        self.arma.advance(&mut self.state, &step, innovation);
        self.time += 1;
    }
}
