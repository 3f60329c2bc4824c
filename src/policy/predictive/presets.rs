//! The named presets of `predictive`: other defaults, with every parameter still settable.
//!
//! `aws-predictive` follows the documented rules of AWS predictive scaling (EC2 Auto Scaling user guide, "Predictive
//! scaling"): at least 24 hours and at most 14 days of history; hourly forecasts, updated every six hours; capacity in
//! place at the start of the hour, launched earlier by the scheduling buffer time (five minutes, here `lead`); it never
//! scales in on a forecast but leaves that to the dynamic policy (here `floor`), and the larger size wins; the maximum
//! is enforced, or raised to the forecast plus a buffer (`max-buffer`). The rules are AWS's. The model is not
//! published; regression on Fourier seasons with ARMA errors takes its place, at its median.

use super::parameters::build;
use crate::policy::PolicyPlugin;
use crate::units::SimDuration;

/// Defaults of the parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Preset {
    pub owner: &'static str,
    /// The forecaster, by name.
    pub forecaster: &'static str,
    pub quantile: f64,
    pub step: SimDuration,
    pub history: SimDuration,
    pub warm_up: SimDuration,
    pub refit: SimDuration,
    /// Interval between forecasts; one step if `None`.
    pub reforecast: Option<SimDuration>,
    pub lead: Option<SimDuration>,
    pub scale_in: bool,
    /// Horizon of the plan; no plan if `None`.
    pub horizon: Option<SimDuration>,
}

const HOUR: u64 = 3600;

const PREDICTIVE: Preset = Preset {
    owner: "policy `predictive`",
    forecaster: "fourier-arima",
    quantile: 0.9,
    step: SimDuration::from_secs(300),
    history: SimDuration::from_secs(14 * 24 * HOUR),
    warm_up: SimDuration::from_secs(2 * HOUR),
    refit: SimDuration::from_secs(24 * HOUR),
    reforecast: None,
    lead: None,
    scale_in: true,
    horizon: None,
};

const ARIMA: Preset = Preset { owner: "policy `arima-predictive`", ..PREDICTIVE };
const HOLT_WINTERS: Preset =
    Preset { owner: "policy `holt-winters-predictive`", forecaster: "holt-winters", ..PREDICTIVE };
const REGRESSION: Preset = Preset { owner: "policy `regression-predictive`", forecaster: "regression", ..PREDICTIVE };
const MPC: Preset = Preset { owner: "policy `lp-mpc`", horizon: Some(SimDuration::from_secs(2 * HOUR)), ..PREDICTIVE };
const AWS: Preset = Preset {
    owner: "policy `aws-predictive`",
    quantile: 0.5,
    step: SimDuration::from_secs(HOUR),
    warm_up: SimDuration::from_secs(24 * HOUR),
    refit: SimDuration::from_secs(6 * HOUR),
    reforecast: Some(SimDuration::from_secs(6 * HOUR)),
    lead: Some(SimDuration::from_secs(300)),
    scale_in: false,
    ..PREDICTIVE
};

/// `predictive`.
pub const PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "predictive",
    summary: "capacity for a quantile of the forecast rate, ordered ahead by the start-up time, over a reactive floor",
    source: "own rule; forecasters by their own sources (`plimsoll list forecasters`)",
    build: |node, context, sink| build(&PREDICTIVE, node, context, sink),
};

/// `arima-predictive`.
pub const ARIMA_PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "arima-predictive",
    summary: "`predictive` by regression on Fourier seasons with ARIMA errors",
    source: "Hyndman and Athanasopoulos, Forecasting: Principles and Practice, chapters 9 and 10",
    build: |node, context, sink| build(&ARIMA, node, context, sink),
};

/// `holt-winters-predictive`.
pub const HOLT_WINTERS_PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "holt-winters-predictive",
    summary: "`predictive` by Holt-Winters smoothing",
    source: "Winters 1960, Forecasting sales by exponentially weighted moving averages",
    build: |node, context, sink| build(&HOLT_WINTERS, node, context, sink),
};

/// `regression-predictive`.
pub const REGRESSION_PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "regression-predictive",
    summary: "`predictive` by linear regression on lags and the calendar",
    source: "own rule; regression of the list of forecasters",
    build: |node, context, sink| build(&REGRESSION, node, context, sink),
};

/// `aws-predictive`.
pub const AWS_PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "aws-predictive",
    summary: "AWS predictive scaling by its documented rules: hourly, every 6 h, never scales in on a forecast",
    source: "Amazon EC2 Auto Scaling user guide, Predictive scaling; its model is not published; ours takes its place",
    build: |node, context, sink| build(&AWS, node, context, sink),
};

/// `lp-mpc`.
pub const MPC_PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "lp-mpc",
    summary: "`predictive` that computes an approximately cheapest plan for the forecast at each decision and executes its first order",
    source: "rolling horizon (model predictive control) on the program of src/optimize/one_type.rs",
    build: |node, context, sink| build(&MPC, node, context, sink),
};
