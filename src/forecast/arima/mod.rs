//! Seasonal ARIMA with regressors by exact maximum likelihood.

mod estimate;
mod filter;
mod model;
mod polynomial;
mod select;

pub use model::{ArimaFit, ArimaSpec, Coefficient, Order};
pub use select::{Limits, select};
