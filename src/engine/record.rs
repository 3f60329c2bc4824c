//! What one run leaves behind: plain values, no references into the simulation.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::causes::Causes;
use crate::policy::{Foresight, Foretold, ReasonCode};
use crate::stats::LatencyHistogram;
use crate::units::{Fraction, SimDuration, SimTime, Usd, UsdPerHour};

/// Everything recorded of one run of one variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// Name of the scenario.
    pub scenario: String,
    /// Name of the variant: the policy's label in the scenario.
    pub policy: String,
    /// What the policy knew beyond a real controller.
    pub foresight: Foresight,
    /// Seed.
    pub seed: u64,
    /// Replication number, from 0.
    pub replication: u64,
    /// Length of the run; it covers [0, end).
    pub end: SimTime,
    /// Statistics cover requests that arrived at or after this time.
    pub warm_up: SimTime,
    /// One record per service, in the order of the scenario.
    pub services: Vec<ServiceRecord>,
    /// Every lease of a node or replica, in order of start.
    pub leases: Vec<LeaseRecord>,
    /// Sum of the leases' cost; `None` where nothing has a price.
    pub cost: Option<Usd>,
    /// Calendar events processed (arrivals, completions, timers and control events).
    pub events: u64,
}

/// What a run takes, which is to be as little as possible: dollars or, where nothing has a price, replica-hours. All runs of a
/// scenario have the same kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expense {
    /// The bill.
    Cost(Usd),
    /// Hours that replicas existed, warm-up included.
    ReplicaHours(f64),
}

impl Expense {
    /// Dollars, or hours.
    pub fn value(self) -> f64 {
        match self {
            Expense::Cost(dollars) => dollars.as_f64(),
            Expense::ReplicaHours(hours) => hours,
        }
    }

    /// Order by value; dollars before hours.
    pub fn total_cmp(&self, other: &Expense) -> Ordering {
        match (self, other) {
            (Expense::Cost(a), Expense::Cost(b)) => a.cmp(b),
            (Expense::ReplicaHours(a), Expense::ReplicaHours(b)) => a.total_cmp(b),
            (Expense::Cost(_), Expense::ReplicaHours(_)) => Ordering::Less,
            (Expense::ReplicaHours(_), Expense::Cost(_)) => Ordering::Greater,
        }
    }
}

impl RunRecord {
    /// Hours that replicas of all services existed, warm-up included.
    pub fn replica_hours(&self) -> f64 {
        self.services.iter().map(|service| service.replica_hours).sum()
    }

    /// What the run takes.
    pub fn expense(&self) -> Expense {
        self.cost.map_or_else(|| Expense::ReplicaHours(self.replica_hours()), Expense::Cost)
    }
}

/// What was recorded of one service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceRecord {
    /// Name.
    pub name: String,
    /// Requests and what became of them, after warm-up.
    pub counts: RequestCounts,
    /// Arrival to start of service of the successful attempt.
    pub waiting: LatencyHistogram,
    /// Start of service to completion.
    pub service: LatencyHistogram,
    /// First arrival to completion, retries included.
    pub sojourn: LatencyHistogram,
    /// Share of the slot time of serving replicas (ready or draining) that was busy, after warm-up; `None` if none served.
    pub utilization: Option<f64>,
    /// Share of the requested CPU of serving replicas (ready or draining) that was used, after warm-up; `None` if no request for
    /// CPU is stated, or none served.
    pub cpu_utilization: Option<f64>,
    /// Hours that replicas existed, from their placement to their end, over the whole run.
    #[serde(with = "crate::units::real")]
    pub replica_hours: f64,
    /// Ready replicas, averaged over time after warm-up.
    #[serde(with = "crate::units::real")]
    pub mean_ready: f64,
    /// Most ready replicas at any time.
    pub max_ready: u32,
    /// Requests in the system, averaged over time after warm-up.
    #[serde(with = "crate::units::real")]
    pub mean_in_system: f64,
    /// Replicas that became ready after the start (each start-up is a cold start).
    pub cold_starts: u64,
    /// Requests completed by a replica that had served before; the rest were some replica's first.
    pub warm_requests: u64,
    /// Replicas that crashed.
    pub crashes: u64,
    /// Objectives, in the order of the scenario.
    pub objectives: Vec<ObjectiveRecord>,
    /// How well the capacity followed the load.
    pub elasticity: Elasticity,
    /// Checksum over arrival and demand of every request: equal under every policy (I7).
    pub demand_checksum: u64,
    /// One row per interval.
    pub timeline: Vec<Interval>,
    /// Every decision that changed the size or its reason, in order of time.
    pub decisions: Vec<DecisionRecord>,
    /// What the policy foretold, step by step in order of time; empty under a policy that forecasts nothing.
    pub foretold: Vec<Foretold>,
}

/// Requests and what became of them. `arrived = completed + rejected + timed_out + failed + in_flight`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestCounts {
    /// Requests that arrived (retries of one request count once).
    pub arrived: u64,
    /// Answered.
    pub completed: u64,
    /// Refused for lack of room (or of a ready replica) at the last attempt.
    pub rejected: u64,
    /// Given up by the client at the last attempt.
    pub timed_out: u64,
    /// Lost with a crashed replica at the last attempt.
    pub failed: u64,
    /// Still in the system at the end.
    pub in_flight: u64,
    /// Attempts beyond the first.
    pub retries: u64,
}

/// An objective and how it was met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectiveRecord {
    /// The objective in words ("99.9% of requests within 300 ms").
    pub text: String,
    /// The latency limit; `None` for an availability objective (every answered request is good).
    pub within: Option<SimDuration>,
    /// The share of requests that must be good.
    pub target: Fraction,
    /// Requests that were good.
    pub good: u64,
    /// Requests that were judged: all that met their fate, and those that were still unanswered at the end and older than the
    /// limit (see [`ObjectiveRecord::overdue`]).
    pub total: u64,
    /// Of the judged requests, those that were still unanswered at the end and older than the limit. They are bad. By an
    /// availability objective, the limit is the longest of the latency limits and the client's time-out.
    pub overdue: u64,
    /// Requests that were still unanswered at the end and within the limit: not judged.
    pub left_out: u64,
    /// Time in intervals (of the timeline) whose own share of good requests was below the target.
    pub violation: SimDuration,
    /// Highest burn rate (share of bad requests / error budget) over any one hour after the warm-up, or all of that time
    /// if it is shorter.
    #[serde(with = "crate::units::real")]
    pub peak_burn_rate: f64,
    /// Why the others were not good: as many as `total - good`.
    pub causes: Causes,
}

impl ObjectiveRecord {
    /// The share of good requests; 1 if nothing was judged.
    pub fn attainment(&self) -> f64 {
        if self.total == 0 { 1.0 } else { self.good as f64 / self.total as f64 }
    }

    /// Whether the objective was met.
    pub fn met(&self) -> bool {
        self.attainment() >= self.target.get()
    }

    /// Share of the error budget that was used: bad requests / allowed bad requests. Infinite if none is allowed and
    /// some were bad.
    pub fn budget_used(&self) -> f64 {
        let bad = 1.0 - self.attainment();
        let allowed = 1.0 - self.target.get();
        if bad == 0.0 { 0.0 } else { bad / allowed }
    }
}

/// How capacity followed the load, after Herbst, Kounev and Reussner (ICAC 2013). "Needed" replicas are those that would
/// carry the offered load of an interval at the reference utilization. Areas and their share of the time begin with the end of the
/// warm-up; changes of the size are those of the whole run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Elasticity {
    /// Replica-seconds needed but not ready.
    #[serde(with = "crate::units::real")]
    pub under_provisioned: f64,
    /// Replica-seconds ready but not needed.
    #[serde(with = "crate::units::real")]
    pub over_provisioned: f64,
    /// Share of the time with too few ready replicas.
    #[serde(with = "crate::units::real")]
    pub under_share: f64,
    /// Mean time from a demand for more replicas to their being ready, seconds; `None` if there was no such demand.
    pub time_to_capacity: Option<f64>,
    /// Changes of the wanted size.
    pub scale_ups: u64,
    /// Changes of the wanted size downwards.
    pub scale_downs: u64,
    /// Reversals of direction per hour.
    #[serde(with = "crate::units::real")]
    pub flaps_per_hour: f64,
}

/// One row of the timeline: the half-open interval [start, start + length).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// Start.
    pub start: SimTime,
    /// Length (the last one may be shorter).
    pub length: SimDuration,
    /// Requests that arrived.
    pub arrived: u64,
    /// Attempts that arrived: requests and their retries, as the load balancer counts them.
    pub attempts: u64,
    /// Requests completed.
    pub completed: u64,
    /// Requests rejected, timed out or failed for good.
    pub lost: u64,
    /// Requests completed within the first latency objective; equals `completed` where there is none.
    pub good: u64,
    /// Requests that passed the limit of the first latency objective here (of the first objective where there is none) and
    /// were still unanswered at the end of the run.
    pub overdue: u64,
    /// Waiting time percentiles of the requests completed here: p50, p95, p99; `None` if there were none.
    pub waiting: Option<[SimDuration; 3]>,
    /// Sojourn time percentiles: p50, p95, p99.
    pub sojourn: Option<[SimDuration; 3]>,
    /// Replicas wanted (spec), ready, and existing but not ready, averaged over the interval.
    #[serde(with = "crate::units::real")]
    pub wanted: f64,
    /// Ready replicas, averaged over the interval.
    #[serde(with = "crate::units::real")]
    pub ready: f64,
    /// Replicas starting (pending, pulling, starting), averaged over the interval.
    #[serde(with = "crate::units::real")]
    pub starting: f64,
    /// Requests waiting in queues, averaged over the interval.
    #[serde(with = "crate::units::real")]
    pub queued: f64,
    /// Slots busy, averaged over the interval.
    #[serde(with = "crate::units::real")]
    pub busy: f64,
    /// Busy slot time divided by the slot time of replicas that serve, ready or draining; `None` if none did.
    pub utilization: Option<f64>,
    /// Replicas that the arrivals of this interval needed at the reference utilization.
    #[serde(with = "crate::units::real")]
    pub needed: f64,
    /// Replicas and nodes being paid for, averaged over the interval; services share the nodes evenly. `None` where neither the
    /// service's replicas nor nodes have a price.
    pub leased: Option<f64>,
    /// Cost that accrued in the interval, at list price and without minimum or rounding; `None` where there is no price.
    pub cost: Option<Usd>,
}

impl Interval {
    /// Requests that were bad by the first latency objective: lost, answered too late, or overdue and never answered. Each
    /// counts where that happened.
    pub fn bad(&self) -> u64 {
        self.lost + self.completed.saturating_sub(self.good) + self.overdue
    }

    /// Requests that were judged by the first latency objective.
    pub fn judged(&self) -> u64 {
        self.completed + self.lost + self.overdue
    }
}

/// A decision that changed something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionRecord {
    /// When.
    pub at: SimTime,
    /// Age of the metrics it was based on; `None` if it had none.
    pub metrics_age: Option<SimDuration>,
    /// Replicas wanted before.
    pub from: u32,
    /// Replicas wanted after.
    pub to: u32,
    /// Ready replicas at that moment.
    pub ready: u32,
    /// Kind of reason.
    pub code: ReasonCode,
    /// The figures behind it.
    pub detail: String,
}

/// A node or replica that was paid for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseRecord {
    /// What was leased: the pool or service, and the instance type.
    pub what: String,
    /// Start.
    pub start: SimTime,
    /// End (the run's end for what was still leased).
    pub end: SimTime,
    /// Duration after billing granularity and minimum.
    pub billed: SimDuration,
    /// Price.
    pub price: UsdPerHour,
    /// Cost: price times billed duration, rounded once.
    pub cost: Usd,
}
