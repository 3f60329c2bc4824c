//! What a run can tell a policy before it begins. Only a policy that declares its foresight may ask for the load to come.

use crate::cluster::Power;
use crate::optimize::{Joining, Station, Within};
use crate::units::SimDuration;

/// The requests of one step.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StepLoad {
    /// Requests that arrive.
    pub requests: u64,
    /// Sum of their demands, seconds.
    pub demand: f64,
    /// Sum of the squares of their demands, seconds squared.
    pub squares: f64,
    /// Gaps between them: how many, their sum and the sum of their squares. None where arrivals are not known, which counts as random.
    pub gaps: (u64, f64, f64),
}

impl StepLoad {
    /// `factor` times the requests.
    pub fn times(self, factor: f64) -> StepLoad {
        StepLoad {
            requests: (self.requests as f64 * factor).round() as u64,
            demand: self.demand * factor,
            squares: self.squares * factor,
            gaps: self.gaps,
        }
    }
}

/// What a replica is and what is asked of the service.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// What the first replica does at once, the second, and so on, as they are placed on empty nodes; the last stands for all
    /// further ones, and there is at least one.
    pub replicas: Vec<Power>,
    /// Whether requests in a replica can slow each other down.
    pub shared: bool,
    /// How requests come to the queues of replicas.
    pub joining: Joining,
    /// Mean time from order to ready.
    pub start_up: SimDuration,
    /// Price of a replica for a second, dollars; 1 where it has none, so that plans use few replicas.
    pub price_per_second: f64,
    /// The least time that a replica is billed for.
    pub billed_at_least: SimDuration,
    /// The latency objectives: limit and share of each.
    pub latency: Vec<Within>,
}

impl Facts {
    /// What so many replicas are together: a request keeps one server busy, and what a replica does less than one request's
    /// need at a time makes its only server slower.
    pub fn station(&self, replicas: u32) -> Station {
        let server = |power: &Power| (power.full.max(1.0), power.alone());
        let listed = self.replicas.iter().take(replicas as usize);
        let mut sums =
            listed.map(server).fold((0.0, 0.0), |(servers, work), (more, speed)| (servers + more, work + more * speed));
        if let (Some(beyond), Some(last)) = (replicas.checked_sub(self.replicas.len() as u32), self.replicas.last()) {
            let (more, speed) = server(last);
            sums.0 += f64::from(beyond) * more;
            sums.1 += f64::from(beyond) * more * speed;
        }
        Station {
            servers: sums.0,
            speed: if sums.0 > 0.0 { sums.1 / sums.0 } else { 1.0 },
            queues: f64::from(replicas),
            joining: self.joining,
            shared: self.shared,
        }
    }
}

impl Default for Facts {
    /// One slot, ready at once, billed exactly, no objective.
    fn default() -> Self {
        let (start_up, billed_at_least) = (SimDuration::ZERO, SimDuration::ZERO);
        let replicas = vec![Power { full: 1.0, speed: 1.0 }];
        let joining = Joining::OneQueue;
        Facts {
            replicas,
            shared: false,
            joining,
            start_up,
            price_per_second: 1.0,
            billed_at_least,
            latency: Vec::new(),
        }
    }
}

/// The run that a policy is made for.
#[derive(Clone)]
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
