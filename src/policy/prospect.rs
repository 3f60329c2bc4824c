//! What a policy may know before the run begins. Only policies that declare foresight may ask for the future load.

use crate::cluster::Power;
use crate::optimize::{Joining, Station, Within};
use crate::units::SimDuration;

/// The requests of one step.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StepLoad {
    /// Number of requests that arrive.
    pub requests: u64,
    /// Sum of their demands in seconds.
    pub demand: f64,
    /// Sum of their squared demands in seconds squared.
    pub squares: f64,
    /// Gaps between them: count, sum and sum of squares. All zero if individual arrivals are not known, in which case
    /// they are assumed to be random.
    pub gaps: (u64, f64, f64),
}

impl StepLoad {
    /// The load with `factor` times the requests.
    pub fn times(self, factor: f64) -> StepLoad {
        StepLoad {
            requests: (self.requests as f64 * factor).round() as u64,
            demand: self.demand * factor,
            squares: self.squares * factor,
            gaps: self.gaps,
        }
    }
}

/// Properties of a replica and the objectives of its service.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The power of the first replica, the second, and so on, when placed on empty nodes. The last entry applies to all
    /// further replicas; there is at least one.
    pub replicas: Vec<Power>,
    /// Whether requests in the same replica can slow each other down.
    pub shared: bool,
    /// How requests are distributed to the replicas' queues.
    pub joining: Joining,
    /// Mean time from order to readiness.
    pub start_up: SimDuration,
    /// Price of a replica in dollars per second; 1 if it has none, so that plans minimize replicas.
    pub price_per_second: f64,
    /// Minimum billed duration of a replica.
    pub billed_at_least: SimDuration,
    /// The latency objectives: limit and share of each.
    pub latency: Vec<Within>,
}

impl Facts {
    /// The queueing station formed by this many replicas. A request keeps one server busy; a replica that cannot run
    /// even one request at full speed becomes a single slower server.
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
        let replicas = vec![Power { full: 1.0, speed: 1.0, efficiency: 1.0 }];
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

/// The run for which a policy is created.
#[derive(Clone)]
pub struct Prospect<'a> {
    /// Properties of a replica.
    pub facts: Facts,
    /// The future load in steps of a given length.
    pub load: &'a dyn Fn(SimDuration) -> Vec<StepLoad>,
}

impl Prospect<'static> {
    /// A run about which nothing is known.
    pub fn unknown() -> Self {
        Prospect { facts: Facts::default(), load: &|_| Vec::new() }
    }
}
