//! Forecasting: a series in, a forecast with intervals out.
//!
//! A [`Forecaster`] is a method with its settings. Fitting it to a [`Series`] gives a [`Fitted`] model, and only a
//! fitted model can forecast. It is updated with new values cheaply ([`Fitted::update`]) and estimated again at
//! intervals that the caller chooses ([`Fitted::refit`]), which keeps the selected structure.
//!
//! A forecaster of the list [`FORECASTERS`] neither panics nor returns a number that is not finite, whatever the
//! series. If the requested method cannot be used, [`ladder`] falls back on a simpler one and records it in every
//! forecast. There are no random numbers and no clock: a forecast is a function of the series and the settings.
//!
//! To add a method: write `src/forecast/NAME.rs` with the type, its tests and a `PLUGIN`, and add it to the list.

pub mod arima;
mod auto;
pub mod backtest;
mod bfgs;
mod box_cox;
mod clean;
mod combination;
mod conformal;
mod ets;
mod fourier_arima;
mod gaps;
mod holt_winters;
pub mod ladder;
mod linear;
mod moving_average;
mod mstl;
mod naive;
mod parameters;
mod regression;
mod seasonal_naive;
mod series;
mod stl;
mod tracking;

use std::sync::Arc;

use crate::config::{Diagnostics, Plugin, Yaml};

pub use arima::Arima;
pub use auto::{Aim, Auto, Loss};
pub use box_cox::BoxCox;
pub use combination::Combination;
pub use conformal::Conformal;
pub use ets::{Ets, Smoothed, Smoothing, Trend};
pub use gaps::Gaps;
pub use ladder::{Fallback, Ladder};
pub use moving_average::MovingAverage;
pub use mstl::Mstl;
pub use naive::Naive;
pub use parameters::read_forecaster;
pub use regression::Regression;
pub use seasonal_naive::SeasonalNaive;
pub use series::{FitError, Forecast, Series};

/// A forecasting method and its settings.
pub trait Forecaster: Send + Sync {
    /// Fits the method to a series.
    ///
    /// # Errors
    /// If the series is not sufficient for it. A forecaster of the list only fails if nothing was observed.
    fn fit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError>;

    /// This method adapted to the use of its forecasts, if that matters to it: [`Auto`] uses the loss of that use.
    /// Settings that were stated are kept.
    fn aimed(&self, _: Aim) -> Option<Arc<dyn Forecaster>> {
        None
    }
}

/// A model fitted to a series, with its state at the end of the series.
pub trait Fitted: Send {
    /// Forecasts the next `steps` values, with a quantile for each of `levels` (between 0 and 1).
    fn forecast(&self, steps: usize, levels: &[f64]) -> Forecast;

    /// Updates the state with the next values (NaN: missing), without estimating anything.
    fn update(&mut self, values: &[f64]);

    /// Estimates the parameters from `series` again, with the structure selected at the first fit (orders, components).
    ///
    /// # Errors
    /// Those of [`Forecaster::fit`].
    fn refit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError>;

    /// A short description of the model ("ARIMA(2,1,1) with drift").
    fn describe(&self) -> String;

    /// The simpler methods used instead, in the order in which they were tried; usually empty.
    fn fallbacks(&self) -> &[Fallback] {
        &[]
    }
}

/// Builds a forecaster from the YAML node under its name (null if there is none).
pub type ForecasterBuilder = fn(&Yaml, &mut Diagnostics) -> Option<Arc<dyn Forecaster>>;

/// The entry of a forecaster in the list.
pub type ForecasterPlugin = Plugin<ForecasterBuilder>;

/// All forecasters.
pub const FORECASTERS: &[ForecasterPlugin] = &[
    naive::PLUGIN,
    seasonal_naive::PLUGIN,
    moving_average::PLUGIN,
    ets::PLUGIN,
    holt_winters::PLUGIN,
    arima::PLUGIN,
    fourier_arima::PLUGIN,
    mstl::PLUGIN,
    regression::PLUGIN,
    box_cox::PLUGIN,
    conformal::PLUGIN,
    combination::PLUGIN,
    auto::PLUGIN,
];
