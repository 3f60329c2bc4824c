//! Seasonal ARIMA with regressors by exact maximum likelihood.

mod estimate;
mod filter;
mod forecaster;
mod model;
mod polynomial;
mod select;

pub use forecaster::Arima;
pub(super) use forecaster::{PLUGIN, read_spec, waves};
pub use model::{ArimaFit, ArimaSpec, Coefficient, Order};
pub(super) use polynomial::psi_weights;
pub use select::{Limits, select};
