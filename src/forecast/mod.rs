//! A series in, a forecast with intervals out.

pub mod arima;
mod bfgs;
mod clean;
mod linear;
mod series;
mod stl;

pub use series::{FitError, Series};
