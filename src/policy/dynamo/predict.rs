//! Forecasts of the load of the next interval.
//!
//! `ConstantPredictor` and `KalmanPredictor` of ai-dynamo/dynamo, `components/src/dynamo/planner/core/load/predictors.py`,
//! release 1.6.1.

/// Parameters of the Kalman filter, with their names and defaults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KalmanConfig {
    /// Variance by which the level drifts in an interval.
    pub kalman_q_level: f64,
    /// Variance by which the trend drifts.
    pub kalman_q_trend: f64,
    /// Variance of a measurement.
    pub kalman_r: f64,
    /// Values before it forecasts; until then it repeats the last one.
    pub kalman_min_points: usize,
}

impl Default for KalmanConfig {
    fn default() -> Self {
        KalmanConfig { kalman_q_level: 1.0, kalman_q_trend: 0.1, kalman_r: 10.0, kalman_min_points: 5 }
    }
}

/// Values in order, without the zeros at the beginning. Anything that is not a number counts as 0.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Seen {
    count: usize,
    last: f64,
}

impl Seen {
    /// Adds `value`; returns it unless it is one of the zeros at the beginning.
    fn add(&mut self, value: f64) -> Option<f64> {
        let value = if value.is_nan() { 0.0 } else { value };
        if value == 0.0 && self.count == 0 {
            return None;
        }
        (self.count, self.last) = (self.count.saturating_add(1), value);
        Some(value)
    }
}

/// The load of the next interval is that of the last one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Constant {
    seen: Seen,
}

impl Constant {
    /// Adds the load of an interval.
    pub fn add(&mut self, value: f64) {
        self.seen.add(value);
    }

    /// The forecast.
    pub fn predicted(&self) -> f64 {
        self.seen.last
    }
}

/// A Kalman filter with a level and a trend.
#[derive(Debug, Clone, PartialEq)]
pub struct Kalman {
    config: KalmanConfig,
    /// Whether it works on ln(1 + value).
    is_log1p: bool,
    seen: Seen,
    level: f64,
    trend: f64,
    /// Covariance of level and trend: of the level, of both, of the trend.
    covariance: [f64; 3],
    /// The forecast made since the last value.
    forecast: Option<f64>,
}

/// The variance of level and trend at the start.
const FIRST_VARIANCE: f64 = 1000.0;

impl Kalman {
    /// A filter that has seen nothing.
    pub fn new(config: KalmanConfig, is_log1p: bool) -> Self {
        let covariance = [FIRST_VARIANCE, 0.0, FIRST_VARIANCE];
        Kalman { config, is_log1p, seen: Seen::default(), level: 0.0, trend: 0.0, covariance, forecast: None }
    }

    /// Adds the load of an interval.
    pub fn add(&mut self, value: f64) {
        let is_first = self.seen.count == 0;
        let Some(value) = self.seen.add(value) else { return };
        let value = if self.is_log1p { value.max(0.0).ln_1p() } else { value };
        if is_first {
            (self.level, self.trend) = (value, 0.0);
        } else {
            if self.forecast.is_none() {
                self.advance();
            }
            self.correct(value);
        }
        self.forecast = None;
    }

    /// The forecast. Asked again before another value, it is the same.
    pub fn predicted(&mut self) -> f64 {
        if self.seen.count == 0 || self.seen.count < self.config.kalman_min_points {
            return self.seen.last;
        }
        let forecast = match self.forecast {
            Some(forecast) => forecast,
            None => {
                self.advance();
                *self.forecast.insert(self.level)
            }
        };
        if self.is_log1p { forecast.exp_m1().max(0.0) } else { forecast.max(0.0) }
    }

    /// One interval on.
    fn advance(&mut self) {
        let [level, both, trend] = self.covariance;
        self.level += self.trend;
        self.covariance = [
            level + both + (both + trend) + self.config.kalman_q_level.max(1e-12),
            both + trend,
            trend + self.config.kalman_q_trend.max(1e-12),
        ];
    }

    /// Takes a measurement into account; the covariance in Joseph's form.
    fn correct(&mut self, value: f64) {
        let [level, both, trend] = self.covariance;
        let noise = self.config.kalman_r.max(1e-9);
        let variance = level + noise;
        let (gain, trend_gain) = (level / variance, both / variance);
        let residual = value - self.level;
        self.level += gain * residual;
        self.trend += trend_gain * residual;
        let kept = 1.0 - gain;
        let (of_level, of_both) = (kept * level, both - trend_gain * level);
        self.covariance = [
            of_level * kept + gain * noise * gain,
            of_both * kept + trend_gain * noise * gain,
            trend - trend_gain * both - of_both * trend_gain + trend_gain * noise * trend_gain,
        ];
    }
}
