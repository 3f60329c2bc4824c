//! The form of `summary.json` and of what `run` and `report` print.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::units::{Usd, UsdPerHour};

/// Billionths, written as an exact decimal number: money is exact at any size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal(i128);

impl Decimal {
    /// So many billionths.
    pub(in crate::report) fn from_nanos(nanos: impl Into<i128>) -> Decimal {
        Decimal(nanos.into())
    }

    /// The nearest binary64.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl From<Usd> for Decimal {
    fn from(money: Usd) -> Decimal {
        Decimal(money.as_nanos())
    }
}

impl From<UsdPerHour> for Decimal {
    fn from(price: UsdPerHour) -> Decimal {
        Decimal(price.as_nanos().into())
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i128(self.0)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(|value| Decimal((value * 1e9).round() as i128))
    }
}

impl JsonSchema for Decimal {
    fn schema_name() -> Cow<'static, str> {
        "Decimal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "description": "An exact decimal number, nine digits after the point at most." })
    }
}

/// `plimsoll run` and `plimsoll report`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunResults {
    /// Version of this layout.
    pub version: u32,
    /// The `summary.json` of each scenario.
    pub scenarios: Vec<SummaryResult>,
}

/// `summary.json`: every figure of every run of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SummaryResult {
    /// Version of the layout of `summary.json`.
    pub schema_version: u32,
    /// Name of the scenario.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: String,
    /// The answer in a sentence.
    pub verdict: String,
    /// More sentences.
    pub verdict_details: Vec<String>,
    /// The command that repeats the run.
    pub command: String,
    /// Version of the program.
    pub version: String,
    /// The seed.
    pub seed: u64,
    /// Date of the price list; null where nothing has a price from it.
    pub price_date: Option<String>,
    /// What every policy that keeps the objective pays at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_bound_usd: Option<Decimal>,
    /// The objective of the bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_bound_objective: Option<String>,
    /// What was noticed.
    pub warnings: Vec<String>,
    /// What the model assumes.
    pub assumptions: Vec<String>,
    /// The files that were read.
    pub inputs: Vec<InputResult>,
    /// Policy by policy.
    pub policies: Vec<PolicyResult>,
}

/// A file that a run read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputResult {
    /// Its name.
    pub name: String,
    /// What it is.
    pub detail: String,
    /// Its SHA-256.
    pub checksum: String,
}

/// The run of one policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyResult {
    /// The policy.
    pub policy: String,
    /// Whether it knows the future of the trace.
    pub clairvoyant: bool,
    /// Null if no objective judged a request.
    pub meets_objectives: Option<bool>,
    /// Null where nothing has a price; policies are ranked by replica-hours then.
    pub cost_usd: Option<Decimal>,
    /// Hours of all replicas.
    pub replica_hours: f64,
    /// Cost above the lower bound, as a share of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regret_to_bound_ratio: Option<f64>,
    /// Cost above the cheapest clairvoyant plan that meets the objectives, as a share of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regret_to_clairvoyant_ratio: Option<f64>,
    /// Number of the replication, from 0.
    pub replication: u64,
    /// Simulated time.
    pub duration_s: f64,
    /// Time at the start that is left out of figures.
    pub warm_up_s: f64,
    /// Events that were simulated.
    pub events: u64,
    /// Service by service.
    pub services: Vec<ServiceResult>,
    /// What the cost consists of.
    pub bill: Vec<BillResult>,
    /// The part of the cost that depends on use; left out where nothing is charged for by use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usage: Vec<UsageResult>,
    /// Commitments, fees and credits owed to customers; left out where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<ChargeResult>,
}

/// A line of the bill that is neither a lease nor use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChargeResult {
    /// `commitment-used`, `commitment-unused`, `fee` or `credit`.
    pub kind: String,
    /// What is paid for.
    pub what: String,
    /// The unit: `Hours`, or `revenues` of which a share is owed.
    pub unit: String,
    /// How many units, rounded to nine digits after the point. The cost is that of the exact quantity.
    pub quantity: Decimal,
    /// Price of one unit.
    pub price_usd: Decimal,
    /// Cost.
    pub cost_usd: Decimal,
}

/// What a service used of one item at one price.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UsageResult {
    /// The service.
    pub service: String,
    /// The unit: `requests`, `GiB-seconds`.
    pub unit: String,
    /// How many units, rounded to nine digits after the point. The cost is that of the exact quantity.
    pub quantity: Decimal,
    /// Price of a million units, exact; zero for what is free.
    pub price_usd_per_million: Decimal,
    /// Cost.
    pub cost_usd: Decimal,
}

/// A line of the bill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BillResult {
    /// What is paid for.
    pub what: String,
    /// How often it was taken.
    pub leases: u64,
    /// Time that is charged.
    pub billed_s: Decimal,
    /// Price.
    pub price_usd_per_hour: Decimal,
    /// Cost.
    pub cost_usd: Decimal,
}

/// One service under one policy. Percentiles are null where nothing was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "percentiles explain themselves")]
pub struct ServiceResult {
    /// Its name.
    pub service: String,
    /// Requests that arrived after the warm-up.
    pub arrived: u64,
    /// Of them, answered.
    pub completed: u64,
    /// Turned away by a full queue.
    pub rejected: u64,
    /// Given up by their client.
    pub timed_out: u64,
    /// Lost with a replica.
    pub failed: u64,
    /// Without an answer at the end.
    pub in_flight_at_end: u64,
    /// Attempts after the first.
    pub retries: u64,
    pub latency_mean_ms: Option<f64>,
    pub latency_p50_ms: Option<f64>,
    pub latency_p90_ms: Option<f64>,
    pub latency_p95_ms: Option<f64>,
    pub latency_p99_ms: Option<f64>,
    pub latency_p999_ms: Option<f64>,
    pub latency_max_ms: Option<f64>,
    pub waiting_mean_ms: Option<f64>,
    pub waiting_p50_ms: Option<f64>,
    pub waiting_p90_ms: Option<f64>,
    pub waiting_p95_ms: Option<f64>,
    pub waiting_p99_ms: Option<f64>,
    pub waiting_p999_ms: Option<f64>,
    pub waiting_max_ms: Option<f64>,
    pub service_time_mean_ms: Option<f64>,
    pub service_time_p50_ms: Option<f64>,
    pub service_time_p90_ms: Option<f64>,
    pub service_time_p95_ms: Option<f64>,
    pub service_time_p99_ms: Option<f64>,
    pub service_time_p999_ms: Option<f64>,
    pub service_time_max_ms: Option<f64>,
    /// Share of the slots (replicas times their concurrency) in use; null if no replica served or the concurrency is unlimited.
    pub utilization_ratio: Option<f64>,
    /// Share of the requested CPU in use; null also if no request for CPU is stated.
    pub cpu_utilization_ratio: Option<f64>,
    /// Hours of its replicas.
    pub replica_hours: f64,
    /// Ready replicas on average.
    pub mean_ready_replicas: f64,
    /// Most ready replicas.
    pub max_ready_replicas: u32,
    /// Requests waiting or in service on average.
    pub mean_in_system_requests: f64,
    /// Replicas that started.
    pub replica_starts: u64,
    /// Answered requests that no start of a replica delayed.
    pub warm_requests: u64,
    /// Replicas that crashed.
    pub crashes: u64,
    /// Decisions for more replicas.
    pub scale_ups: u64,
    /// Decisions for fewer replicas.
    pub scale_downs: u64,
    /// Changes of direction per hour.
    pub flaps_per_hour: f64,
    /// Integral of the replicas that were needed and not ready.
    pub under_provisioned_replica_s: f64,
    /// Integral of the replicas that were ready and not needed.
    pub over_provisioned_replica_s: f64,
    /// Share of the time with fewer replicas than needed.
    pub under_provisioned_time_ratio: f64,
    /// From a lack of capacity to its end, on average; null if there was none.
    pub time_to_capacity_s: Option<f64>,
    /// Decisions of the policy.
    pub decisions: usize,
    /// Objective by objective.
    pub objectives: Vec<ObjectiveResult>,
}

/// One objective of one service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectiveResult {
    /// The objective in words.
    pub objective: String,
    /// Its limit; null for one on errors alone.
    pub within_ms: Option<f64>,
    /// The share of requests that must be good.
    pub target_ratio: f64,
    /// Null, like the next ones, if no request was judged.
    pub attained_ratio: Option<f64>,
    /// Whether the target is reached.
    pub met: Option<bool>,
    /// Null also if no bad request is allowed and some were bad.
    pub error_budget_used_ratio: Option<f64>,
    /// Good requests.
    pub good_requests: u64,
    /// Good and bad requests.
    pub judged_requests: u64,
    /// Of the judged ones, those still unanswered at the end and older than the limit: bad.
    pub overdue_requests: u64,
    /// Unanswered at the end and within the limit: not judged.
    pub left_out_requests: u64,
    /// Time in violation; null, like the next one, if no request was judged.
    pub violation_min: Option<f64>,
    /// Highest burn rate of the error budget.
    pub peak_burn_rate: Option<f64>,
    /// Judged requests that were not good, by cause and by how they ended; they add up to `judged_requests - good_requests`.
    pub bad_requests: BTreeMap<String, BTreeMap<String, u64>>,
}
