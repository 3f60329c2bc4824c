//! A series in, a forecast with intervals out.
//!
//! A [`Forecaster`] is a method with its settings; fitting one to a [`Series`] makes a [`Fitted`] model, and only a fitted
//! model can forecast. A fitted model takes in further values cheaply ([`Fitted::update`]) and is estimated anew at the
//! caller's intervals ([`Fitted::refit`]), which keeps the structure once chosen.
//!
//! Whatever monitoring delivers, a forecaster of the list [`FORECASTERS`] neither panics nor returns a number that is not
//! finite: where the method asked for cannot be used, [`ladder`] steps down to a simpler one and says so in every forecast.
//! Nothing here draws a random number or reads a clock: a forecast is a function of the series and the settings.
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
    /// If the series does not suffice for it. A forecaster of the list fails only where nothing at all was observed.
    fn fit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError>;

    /// This method told what its forecasts are for, where that matters to it: [`Auto`] chooses by the loss that is used. What
    /// was stated stays as stated.
    fn aimed(&self, _: Aim) -> Option<Arc<dyn Forecaster>> {
        None
    }
}

/// A model fitted to a series, standing at the series' end.
pub trait Fitted: Send {
    /// Forecasts the next `steps` values, with a quantile for each of `levels` (between 0 and 1).
    fn forecast(&self, steps: usize, levels: &[f64]) -> Forecast;

    /// Takes in the values that came next (NaN: missing), without estimating anything anew.
    fn update(&mut self, values: &[f64]);

    /// Estimates the parameters anew from `series` and keeps the structure chosen at the first fit (orders, components).
    ///
    /// # Errors
    /// As [`Forecaster::fit`].
    fn refit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError>;

    /// The model in a few words ("ARIMA(2,1,1) with drift").
    fn describe(&self) -> String;

    /// The simpler methods that had to stand in, in the order in which they were reached; empty as a rule.
    fn fallbacks(&self) -> &[Fallback] {
        &[]
    }
}

/// Builds a forecaster from the node that stands under its name (null if nothing does).
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
