//! `predictive`: orders capacity for the expected rate rather than the current one.
//!
//! Each decision looks ahead by the time a replica ordered now takes to become ready (the *lead*, given or learned from
//! observed start-ups) and somewhat further (`look-ahead`). The largest value in that time of the chosen forecast
//! quantile, divided by the capacity of a replica, is the size to ask for. A reactive policy can be added as a *floor*;
//! the larger size wins.
//!
//! The policy learns only from the request rates in the scrapes, which are as old as the metrics pipeline makes them.
//! Until enough of them are known (`warm-up`) only the floor decides; without a floor the size is kept. The model is
//! updated with every step, re-estimated at the interval `refit` and queried at the interval `reforecast`. Events that
//! no season can predict can be given as a calendar; the model does not learn from steps during an event.
//!
//! The presets differ only in their defaults: see [`presets`].

mod calendar;
mod history;
mod lead;
mod parameters;
mod plan;
mod policy;
pub mod presets;
#[cfg(test)]
mod tests;

pub use calendar::{Calendar, Event};
pub use policy::{Predictive, Settings};
