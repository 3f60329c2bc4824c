//! The record of one run: plain values without references into the simulation.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::causes::Causes;
use super::fate::RequestCounts;
use crate::billing::{ChargeLine, UseLine};
use crate::policy::{ForecastPoint, Foresight, ReasonCode};
use crate::stats::LatencyHistogram;
use crate::units::{Fraction, SimDuration, SimTime, Usd, UsdPerHour};

/// Everything recorded in one run of one variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// Name of the scenario.
    pub scenario: String,
    /// Name of the variant: the policy's label in the scenario.
    pub policy: String,
    /// What the policy knew beyond a real controller.
    #[doc(hidden)]
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
    /// The pools of nodes, in the order of the scenario.
    #[doc(hidden)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<PoolRecord>,
    /// Every lease of a node or replica, in order of start.
    #[doc(hidden)]
    pub leases: Vec<LeaseRecord>,
    /// What was charged for by use, by service, item and price.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usage: Vec<UsageRecord>,
    /// Commitments, fees and credits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<ChargeLine>,
    /// Sum of the leases' cost, of what was charged for by use and of the charges; `None` where nothing has a price.
    pub cost: Option<Usd>,
    /// Calendar events processed (arrivals, completions, timers and control events).
    #[doc(hidden)]
    pub events: u64,
}

/// What a run costs: dollars or, if nothing has a price, replica-hours. All runs of a scenario use the same unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expense {
    /// The bill.
    Cost(Usd),
    /// Hours that replicas existed, including the warm-up.
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

    /// Orders by value; dollars before hours.
    pub fn total_cmp(&self, other: &Expense) -> Ordering {
        match (self, other) {
            (Expense::Cost(a), Expense::Cost(b)) => a.cmp(b),
            (Expense::ReplicaHours(a), Expense::ReplicaHours(b)) => a.total_cmp(b),
            (Expense::Cost(_), Expense::ReplicaHours(_)) => Ordering::Less,
            (Expense::ReplicaHours(_), Expense::Cost(_)) => Ordering::Greater,
        }
    }
}

impl LeaseRecord {
    /// What is paid for on demand: billed and not covered by a commitment.
    pub fn on_demand(&self) -> SimDuration {
        SimDuration::from_nanos(self.billed.as_nanos().saturating_sub(self.covered.as_nanos()))
    }
}

impl RunRecord {
    /// Hours that replicas of all services existed, including the warm-up.
    pub fn replica_hours(&self) -> f64 {
        self.services.iter().map(|service| service.replica_hours).sum()
    }

    /// What the run costs.
    #[doc(hidden)]
    pub fn expense(&self) -> Expense {
        self.cost.map_or_else(|| Expense::ReplicaHours(self.replica_hours()), Expense::Cost)
    }
}

/// The record of one service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceRecord {
    /// Name.
    pub name: String,
    /// Requests after the warm-up, by fate.
    pub counts: RequestCounts,
    /// Arrival to start of service of the successful attempt.
    pub waiting: LatencyHistogram,
    /// Start of service to completion.
    pub service: LatencyHistogram,
    /// First arrival to completion, including retries.
    pub sojourn: LatencyHistogram,
    /// Share of the slot time (concurrency) of serving replicas (ready or draining) that was busy, after the warm-up;
    /// `None` if none was serving or the concurrency is unlimited.
    pub utilization: Option<f64>,
    /// Work done after the warm-up, as a share of what serving replicas could do with every CPU busy; `None` if none
    /// was serving. It equals the utilization of slots unless CPU limits how many requests run at full speed.
    #[doc(hidden)]
    pub load: Option<f64>,
    /// Share of the requested CPU of serving replicas (ready or draining) that was used, after the warm-up; `None` if
    /// no CPU request is stated or none was serving.
    pub cpu_utilization: Option<f64>,
    /// Hours that replicas existed, from placement to end, over the whole run.
    #[serde(with = "crate::units::real")]
    pub replica_hours: f64,
    /// Time average of ready replicas after the warm-up.
    #[serde(with = "crate::units::real")]
    pub mean_ready: f64,
    /// Maximum number of ready replicas.
    pub max_ready: u32,
    /// Time average of requests in the system after the warm-up.
    #[serde(with = "crate::units::real")]
    pub mean_in_system: f64,
    /// Replicas that became ready after the start of the run.
    #[serde(rename = "cold_starts")]
    pub replica_starts: u64,
    /// Requests completed by a replica that had already served one; the others were the first of some replica.
    pub warm_requests: u64,
    /// Replicas that crashed.
    pub crashes: u64,
    /// Objectives, in the order of the scenario.
    pub objectives: Vec<ObjectiveRecord>,
    /// How well capacity followed the load.
    #[doc(hidden)]
    pub elasticity: Elasticity,
    /// Checksum over arrival and demand of every request: the same under every policy (I7).
    #[doc(hidden)]
    pub demand_checksum: u64,
    /// One row per interval.
    pub timeline: Vec<Interval>,
    /// Every decision that changed the size or the reason, in order of time.
    pub decisions: Vec<DecisionRecord>,
    /// The policy's forecasts, step by step in order of time; empty if the policy does not forecast.
    #[doc(hidden)]
    #[serde(rename = "foretold")]
    pub forecasts: Vec<ForecastPoint>,
}

/// An objective and whether it was met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectiveRecord {
    /// The objective in words ("99.9% of requests within 300 ms").
    pub text: String,
    /// The latency limit; `None` for an availability objective, by which every answer is good.
    pub within: Option<SimDuration>,
    /// The share of requests that must be good.
    pub target: Fraction,
    /// Good requests.
    pub good: u64,
    /// Eligible requests: those that have ended, and those unanswered at the end and older than the limit (see
    /// [`ObjectiveRecord::overdue`]).
    pub total: u64,
    /// Eligible requests that were unanswered at the end and older than the limit. They are bad. For an availability
    /// objective the limit is the longest of the latency limits and the client's time-out.
    pub overdue: u64,
    /// Requests unanswered at the end and within the limit: not eligible.
    pub left_out: u64,
    /// Total length of the timeline intervals whose share of good requests was below the target.
    pub violation: SimDuration,
    /// Highest burn rate (share of bad requests / error budget) over any one hour after the warm-up, or over all of it
    /// if it is shorter.
    #[serde(with = "crate::units::real")]
    pub peak_burn_rate: f64,
    /// Causes of the bad requests; they add up to `total - good`.
    #[doc(hidden)]
    pub causes: Causes,
}

impl ObjectiveRecord {
    /// The share of good requests; 1 if none was eligible.
    pub fn attainment(&self) -> f64 {
        if self.total == 0 { 1.0 } else { self.good as f64 / self.total as f64 }
    }

    /// Whether the objective was met.
    pub fn met(&self) -> bool {
        self.attainment() >= self.target.get()
    }

    /// Share of the error budget used: bad requests / allowed bad requests. Infinite if none is allowed and some were
    /// bad.
    pub fn budget_used(&self) -> f64 {
        let bad = 1.0 - self.attainment();
        let allowed = 1.0 - self.target.get();
        if bad == 0.0 { 0.0 } else { bad / allowed }
    }
}

/// How well capacity followed the load, after Herbst, Kounev and Reussner (ICAC 2013). "Needed" replicas are those that
/// carry the offered load of an interval at the reference utilization. Areas and time shares cover the time after the
/// warm-up; size changes the whole run.
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
    /// Mean time in seconds from ordering more replicas to their being ready; `None` if none were ordered.
    pub time_to_capacity: Option<f64>,
    /// Increases of the desired size.
    pub scale_ups: u64,
    /// Decreases of the desired size.
    pub scale_downs: u64,
    /// Reversals of scaling direction per hour.
    #[serde(with = "crate::units::real")]
    pub flaps_per_hour: f64,
}

/// One row of the timeline: the half-open interval [start, start + length).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// Start.
    pub start: SimTime,
    /// Length. The last interval may be shorter.
    pub length: SimDuration,
    /// Requests that arrived.
    pub arrived: u64,
    /// Attempts that arrived: requests and retries, as the load balancer counts them.
    pub attempts: u64,
    /// Requests completed.
    pub completed: u64,
    /// Requests rejected, timed out or failed for good.
    pub lost: u64,
    /// Requests completed within the first latency objective; equals `completed` if there is none.
    pub good: u64,
    /// Requests that passed the limit of the first latency objective (of the first objective if there is none) in this
    /// interval and were still unanswered at the end of the run.
    pub overdue: u64,
    /// Waiting time percentiles of the requests completed in this interval: p50, p95, p99; `None` if there were none.
    pub waiting: Option<[SimDuration; 3]>,
    /// Sojourn time percentiles: p50, p95, p99.
    pub sojourn: Option<[SimDuration; 3]>,
    /// Desired replicas (`spec.replicas`), averaged over the interval.
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
    /// Busy slots, averaged over the interval.
    #[serde(with = "crate::units::real")]
    pub busy: f64,
    /// Busy slot time divided by the slot time (concurrency) of serving replicas (ready or draining); `None` if none was
    /// serving or the concurrency is unlimited.
    pub utilization: Option<f64>,
    /// Work done, as a share of what serving replicas could do with every CPU busy; `None` if none was serving.
    pub load: Option<f64>,
    /// Replicas needed for the arrivals of this interval at the reference utilization.
    #[serde(with = "crate::units::real")]
    pub needed: f64,
    /// Replicas and nodes paid for, averaged over the interval; services share the nodes evenly. `None` if neither the
    /// service's replicas nor nodes have a price.
    pub leased: Option<f64>,
    /// Cost accrued in the interval, at list price without minimum or rounding; `None` if nothing has a price.
    pub cost: Option<Usd>,
}

impl Interval {
    /// Bad requests by the first latency objective: lost, answered too late, or overdue and never answered. Each counts
    /// in the interval where that happened.
    pub fn bad(&self) -> u64 {
        self.lost + self.completed.saturating_sub(self.good) + self.overdue
    }

    /// Eligible requests by the first latency objective.
    pub fn judged(&self) -> u64 {
        self.completed + self.lost + self.overdue
    }
}

/// A decision that changed the size or the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionRecord {
    /// When.
    pub at: SimTime,
    /// Age of the metrics it was based on; `None` without metrics.
    pub metrics_age: Option<SimDuration>,
    /// Desired replicas before.
    pub from: u32,
    /// Desired replicas after.
    pub to: u32,
    /// Ready replicas at that time.
    pub ready: u32,
    /// The kind of reason.
    pub code: ReasonCode,
    /// The figures behind it.
    pub detail: String,
}

/// A pool of nodes over a run. Its cost is part of the run's; in the timelines of services it is shared equally.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolRecord {
    /// Name.
    pub name: String,
    /// Instance type.
    pub instance: String,
    /// Time average over the whole run of nodes that are ordered and not gone.
    #[serde(with = "crate::units::real")]
    pub mean_nodes: f64,
    /// Most nodes at once.
    pub max_nodes: u32,
    /// Nodes ordered after the start.
    pub launched: u64,
    /// Nodes given back before the end.
    pub removed: u64,
    /// Sum of its leases' cost; `None` if its nodes have no price.
    pub cost: Option<Usd>,
    /// One row per interval.
    pub timeline: Vec<PoolInterval>,
    /// Every decision that ordered or gave back nodes, in order of time.
    pub decisions: Vec<PoolDecision>,
}

/// One row of a pool's timeline: the half-open interval [start, start + length).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolInterval {
    /// Start.
    pub start: SimTime,
    /// Length. The last interval may be shorter.
    pub length: SimDuration,
    /// Nodes that are ordered and not gone, averaged over the interval.
    #[serde(with = "crate::units::real")]
    pub nodes: f64,
    /// Nodes that have joined the cluster and are not being drained, averaged over the interval.
    #[serde(with = "crate::units::real")]
    pub ready: f64,
}

/// A decision that changed a pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolDecision {
    /// When.
    pub at: SimTime,
    /// Nodes before it.
    pub nodes: u32,
    /// Nodes ordered.
    pub launched: u32,
    /// Nodes to be given back.
    pub drained: u32,
    /// The figures behind it.
    pub detail: String,
}

/// What a service used of one item at one price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageRecord {
    /// The service.
    pub service: String,
    /// How much of what, at which price.
    pub line: UseLine,
}

/// Whether nothing of a lease is covered.
fn nothing(covered: &SimDuration) -> bool {
    covered.is_zero()
}

/// A lease of a node or replica.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseRecord {
    /// What was leased: the pool or service, and the instance type.
    pub what: String,
    /// Start.
    pub start: SimTime,
    /// End, or the run's end if it was still leased.
    pub end: SimTime,
    /// Duration after applying billing granularity and minimum.
    pub billed: SimDuration,
    /// Of it, what a commitment covers.
    #[serde(default, skip_serializing_if = "nothing")]
    pub covered: SimDuration,
    /// Price.
    pub price: UsdPerHour,
    /// Cost: price times what is billed and not covered, rounded once.
    pub cost: Usd,
}
