//! Combines several methods by their recent performance, with rolling origins within the history.

mod candidate;
mod choice;
mod forecaster;
mod pool;

use forecaster::ORIGINS;
pub(super) use forecaster::PLUGIN;
pub use forecaster::{Aim, Auto, Loss};
