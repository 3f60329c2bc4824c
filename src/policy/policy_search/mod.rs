//! `policy-search`: a rule with ten numbers that are tuned by `plimsoll train`.
//!
//! The rule does what operators do by hand; everything they would adjust is a number ([`NUMBERS`]):
//!
//! 1. The request rate is split into `season-weight` times the rate seen at the same time of earlier seasons, and a
//!    remainder, which is smoothed over `smoothing` and has a slope with weight `trend`. Both are extrapolated to the
//!    end of `lead`. The largest rate on the way, divided by the capacity of a replica, is the *load* L, in busy
//!    replicas.
//! 2. The desired size is L / `utilization` + `spread` sqrt(L), where the second term covers random variation, which
//!    grows as the square root of the load (Halfin and Whitt 1981), plus the replicas needed to work off the queue
//!    within `drain`; but at least `floor` of the mean load of about one season.
//! 3. The size is reduced only to the largest size desired within the last `cool-down`, and by at most `step-down` of
//!    the size per decision.
//!
//! The numbers are found by CMA-ES on simulated weeks (`experiment::train`) and stored ([`Found`]). The policy uses no
//! random numbers, and at run time learns only the season and level of the observed rates.

mod found;
mod numbers;
mod outlook;
mod parameters;
mod policy;
#[cfg(test)]
mod tests;

pub use super::stored::Origin;
pub use found::{Design, Found, LAYOUT};
pub use numbers::{COUNT, NUMBERS, Number, Sort};
pub use policy::{PLUGIN, PolicySearch, Settings};
