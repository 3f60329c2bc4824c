//! What a run can tell a policy before it begins. Only a policy that declares its foresight may ask for the load to come.

use crate::units::{Fraction, SimDuration};

/// The requests of one step.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StepLoad {
    /// Requests that arrive.
    pub requests: u64,
    /// Sum of their demands, seconds.
    pub demand: f64,
    /// Sum of the squares of their demands, seconds squared.
    pub squares: f64,
}

impl StepLoad {
    /// `factor` times the requests.
    pub fn times(self, factor: f64) -> StepLoad {
        StepLoad {
            requests: (self.requests as f64 * factor).round() as u64,
            demand: self.demand * factor,
            squares: self.squares * factor,
        }
    }
}

/// What a replica is and what is asked of the service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facts {
    /// Requests that a replica serves at once, each at full speed.
    pub slots: u32,
    /// Mean time from order to ready.
    pub start_up: SimDuration,
    /// Price of a replica for a second, dollars; 1 where it has none, so that plans use few replicas.
    pub price_per_second: f64,
    /// The least time that a replica is billed for.
    pub billed_at_least: SimDuration,
    /// The first latency objective: limit and share.
    pub latency: Option<(SimDuration, Fraction)>,
}

impl Default for Facts {
    /// One slot, ready at once, billed exactly, no objective.
    fn default() -> Self {
        let (start_up, billed_at_least) = (SimDuration::ZERO, SimDuration::ZERO);
        Facts { slots: 1, start_up, price_per_second: 1.0, billed_at_least, latency: None }
    }
}

/// The run that a policy is made for.
#[derive(Clone, Copy)]
pub struct Prospect<'a> {
    /// What a replica is.
    pub facts: Facts,
    /// The load to come, by steps of a length.
    pub load: &'a dyn Fn(SimDuration) -> Vec<StepLoad>,
}

impl Prospect<'static> {
    /// A run of which nothing is known.
    pub fn unknown() -> Self {
        Prospect { facts: Facts::default(), load: &|_| Vec::new() }
    }
}
