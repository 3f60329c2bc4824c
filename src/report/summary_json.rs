//! `summary.json`: every figure of every run for programs. Names end in their unit; what is missing is null.

use std::collections::BTreeMap;
use std::io;

use serde::{Serialize, Serializer};
use serde_json::ser::{Formatter, PrettyFormatter};

use crate::engine::{Cause, Causes, ObjectiveRecord, Outcome as Ending, RunRecord, ServiceRecord};
use crate::experiment::Outcome;
use crate::report::table::{clairvoyant_cost, regret};
use crate::report::verdict::is_clairvoyant;
use crate::report::{Artifact, ReportError, Reporter, ReporterPlugin, bill, meets_objectives, text, verdict};
use crate::stats::LatencyHistogram;
use crate::units::Usd;

/// Version of the layout of `summary.json`; grows when a name changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// The entry in the list.
pub(super) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "summary.json",
    summary: "every figure of every run for programs; units in names, missing figures are null",
    source: "RFC 8259",
    build: &SummaryJson,
};

struct SummaryJson;

impl Reporter for SummaryJson {
    fn report(&self, outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
        Ok(vec![Artifact::new(PLUGIN.name, text(outcome))])
    }
}

/// The text of `summary.json`.
pub(super) fn text(outcome: &Outcome) -> String {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Exact(PrettyFormatter::new()));
    let written = Summary::of(outcome).serialize(&mut serializer);
    debug_assert!(written.is_ok(), "plain values always have a JSON form");
    bytes.push(b'\n');
    String::from_utf8(bytes).unwrap_or_default()
}

/// Billionths, written as an exact decimal number: see [`Exact`].
struct Nanos(i128);

impl Nanos {
    fn of(money: Usd) -> Nanos {
        Nanos(money.as_nanos())
    }
}

impl Serialize for Nanos {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i128(self.0)
    }
}

/// Writes 128-bit integers, which only [`Nanos`] uses, as decimal numbers: money is exact at any size, which it would
/// not be as binary64. Everything else is left to the pretty printer.
struct Exact(PrettyFormatter<'static>);

impl Formatter for Exact {
    fn write_i128<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: i128) -> io::Result<()> {
        writer.write_all(text::exact_decimal(value, 0).as_bytes())
    }
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }
    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }
    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }
    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }
    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }
    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }
    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }
    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[derive(Serialize)]
struct Summary<'a> {
    schema_version: u32,
    scenario: &'a str,
    title: &'a str,
    description: &'a str,
    verdict: String,
    verdict_details: Vec<String>,
    command: &'a str,
    version: &'a str,
    seed: u64,
    price_date: Option<&'a str>,
    /// What every policy that keeps the objective pays at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_bound_usd: Option<Nanos>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_bound_objective: Option<&'a str>,
    warnings: &'a [String],
    assumptions: &'a [String],
    inputs: Vec<Input<'a>>,
    policies: Vec<Policy<'a>>,
}

#[derive(Serialize)]
struct Input<'a> {
    name: &'a str,
    detail: &'a str,
    checksum: &'a str,
}

#[derive(Serialize)]
struct Policy<'a> {
    policy: &'a str,
    clairvoyant: bool,
    /// Null if no objective judged a request.
    meets_objectives: Option<bool>,
    /// Null where nothing has a price; policies are ranked by replica-hours then.
    cost_usd: Option<Nanos>,
    replica_hours: f64,
    /// Cost above the lower bound, as a share of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    regret_to_bound_ratio: Option<f64>,
    /// Cost above the cheapest clairvoyant plan that meets the objectives, as a share of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    regret_to_clairvoyant_ratio: Option<f64>,
    replication: u64,
    duration_s: f64,
    warm_up_s: f64,
    events: u64,
    services: Vec<Service<'a>>,
    bill: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    what: String,
    leases: u64,
    billed_s: Nanos,
    price_usd_per_hour: Nanos,
    cost_usd: Nanos,
}

#[derive(Serialize)]
struct Service<'a> {
    service: &'a str,
    arrived: u64,
    completed: u64,
    rejected: u64,
    timed_out: u64,
    failed: u64,
    in_flight_at_end: u64,
    retries: u64,
    #[serde(flatten)]
    latency: Percentiles<Latency>,
    #[serde(flatten)]
    waiting: Percentiles<Waiting>,
    #[serde(flatten)]
    service_time: Percentiles<ServiceTime>,
    /// Null if no replica served.
    utilization_ratio: Option<f64>,
    /// Null also if no request for CPU is stated.
    cpu_utilization_ratio: Option<f64>,
    replica_hours: f64,
    mean_ready_replicas: f64,
    max_ready_replicas: u32,
    mean_in_system_requests: f64,
    cold_starts: u64,
    warm_requests: u64,
    crashes: u64,
    scale_ups: u64,
    scale_downs: u64,
    flaps_per_hour: f64,
    under_provisioned_replica_s: f64,
    over_provisioned_replica_s: f64,
    under_provisioned_time_ratio: f64,
    time_to_capacity_s: Option<f64>,
    decisions: usize,
    objectives: Vec<Objective<'a>>,
}

#[derive(Serialize)]
struct Objective<'a> {
    objective: &'a str,
    within_ms: Option<f64>,
    target_ratio: f64,
    /// Null, like the next ones, if no request was judged.
    attained_ratio: Option<f64>,
    met: Option<bool>,
    /// Null also if no bad request is allowed and some were bad.
    error_budget_used_ratio: Option<f64>,
    good_requests: u64,
    judged_requests: u64,
    /// Of the judged ones, those still unanswered at the end and older than the limit: bad.
    overdue_requests: u64,
    /// Unanswered at the end and within the limit: not judged.
    left_out_requests: u64,
    /// Null, like the next one, if no request was judged.
    violation_min: Option<f64>,
    peak_burn_rate: Option<f64>,
    /// Judged requests that were not good, by cause and by how they ended; they add up to `judged_requests - good_requests`.
    bad_requests: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
}

/// Names the percentiles of one histogram.
trait Prefix {
    const NAMES: [&'static str; 7];
}

macro_rules! prefix {
    ($type:ident, $prefix:literal) => {
        struct $type;
        impl Prefix for $type {
            const NAMES: [&'static str; 7] = [
                concat!($prefix, "_mean_ms"),
                concat!($prefix, "_p50_ms"),
                concat!($prefix, "_p90_ms"),
                concat!($prefix, "_p95_ms"),
                concat!($prefix, "_p99_ms"),
                concat!($prefix, "_p999_ms"),
                concat!($prefix, "_max_ms"),
            ];
        }
    };
}
prefix!(Latency, "latency");
prefix!(Waiting, "waiting");
prefix!(ServiceTime, "service_time");

struct Percentiles<P> {
    values: [Option<f64>; 7],
    names: std::marker::PhantomData<P>,
}

impl<P: Prefix> Percentiles<P> {
    fn of(histogram: &LatencyHistogram) -> Self {
        let at = |q: f64| histogram.quantile(q).map(|v| v.as_millis_f64());
        let mean = histogram.mean_secs().map(|seconds| seconds * 1e3);
        let max = histogram.max().map(|v| v.as_millis_f64());
        let values = [mean, at(0.5), at(0.9), at(0.95), at(0.99), at(0.999), max];
        Percentiles { values, names: std::marker::PhantomData }
    }
}

impl<P: Prefix> Serialize for Percentiles<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(P::NAMES.iter().zip(&self.values))
    }
}

impl<'a> Summary<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        let verdict = verdict(outcome);
        let input = |fact: &'a crate::experiment::InputFact| Input {
            name: &fact.name,
            detail: &fact.detail,
            checksum: &fact.checksum,
        };
        Summary {
            schema_version: SCHEMA_VERSION,
            scenario: &outcome.scenario,
            title: &outcome.title,
            description: &outcome.description,
            verdict: verdict.answer,
            verdict_details: verdict.details,
            command: &outcome.command,
            version: &outcome.version,
            seed: outcome.seed,
            price_date: (!outcome.price_date.is_empty()).then_some(&outcome.price_date),
            cost_bound_usd: outcome.bound.as_ref().map(|bound| Nanos::of(bound.cost)),
            cost_bound_objective: outcome.bound.as_ref().map(|bound| bound.objective.as_str()),
            warnings: &outcome.warnings,
            assumptions: &outcome.assumptions,
            inputs: outcome.inputs.iter().map(input).collect(),
            policies: outcome.runs.iter().map(|run| policy(outcome, run)).collect(),
        }
    }
}

fn policy<'a>(outcome: &Outcome, run: &'a RunRecord) -> Policy<'a> {
    let (bound, plan) = (outcome.bound.as_ref().map(|bound| bound.cost.as_f64()), clairvoyant_cost(outcome));
    let line = |line: bill::BillLine| Line {
        what: line.what,
        leases: line.leases,
        billed_s: Nanos(i128::from(line.billed.as_nanos())),
        price_usd_per_hour: Nanos(i128::from(line.price.as_nanos())),
        cost_usd: Nanos::of(line.cost),
    };
    Policy {
        policy: &run.policy,
        clairvoyant: is_clairvoyant(run),
        meets_objectives: meets_objectives(run),
        cost_usd: run.cost.map(Nanos::of),
        replica_hours: run.replica_hours(),
        regret_to_bound_ratio: bound.and_then(|least| regret(run, least)),
        regret_to_clairvoyant_ratio: plan.and_then(|least| regret(run, least)),
        replication: run.replication,
        duration_s: run.end.as_secs_f64(),
        warm_up_s: run.warm_up.as_secs_f64(),
        events: run.events,
        services: run.services.iter().map(service).collect(),
        bill: bill::bill(&run.leases).into_iter().map(line).collect(),
    }
}

fn service(record: &ServiceRecord) -> Service<'_> {
    let (counts, elasticity) = (&record.counts, &record.elasticity);
    Service {
        service: &record.name,
        arrived: counts.arrived,
        completed: counts.completed,
        rejected: counts.rejected,
        timed_out: counts.timed_out,
        failed: counts.failed,
        in_flight_at_end: counts.in_flight,
        retries: counts.retries,
        latency: Percentiles::of(&record.sojourn),
        waiting: Percentiles::of(&record.waiting),
        service_time: Percentiles::of(&record.service),
        utilization_ratio: record.utilization,
        cpu_utilization_ratio: record.cpu_utilization,
        replica_hours: record.replica_hours,
        mean_ready_replicas: record.mean_ready,
        max_ready_replicas: record.max_ready,
        mean_in_system_requests: record.mean_in_system,
        cold_starts: record.cold_starts,
        warm_requests: record.warm_requests,
        crashes: record.crashes,
        scale_ups: elasticity.scale_ups,
        scale_downs: elasticity.scale_downs,
        flaps_per_hour: elasticity.flaps_per_hour,
        under_provisioned_replica_s: elasticity.under_provisioned,
        over_provisioned_replica_s: elasticity.over_provisioned,
        under_provisioned_time_ratio: elasticity.under_share,
        time_to_capacity_s: elasticity.time_to_capacity,
        decisions: record.decisions.len(),
        objectives: record.objectives.iter().map(objective).collect(),
    }
}

fn objective(record: &ObjectiveRecord) -> Objective<'_> {
    let judged = record.total > 0;
    Objective {
        objective: &record.text,
        within_ms: record.within.map(|within| within.as_millis_f64()),
        target_ratio: record.target.get(),
        attained_ratio: judged.then(|| record.attainment()),
        met: judged.then(|| record.met()),
        error_budget_used_ratio: judged.then(|| record.budget_used()).filter(|used| used.is_finite()),
        good_requests: record.good,
        judged_requests: record.total,
        overdue_requests: record.overdue,
        left_out_requests: record.left_out,
        violation_min: judged.then(|| record.violation.as_secs_f64() / 60.0),
        peak_burn_rate: judged.then_some(record.peak_burn_rate),
        bad_requests: bad_requests(&record.causes),
    }
}

/// What is there: causes and outcomes without a request are left out.
fn bad_requests(causes: &Causes) -> BTreeMap<&'static str, BTreeMap<&'static str, u64>> {
    let of = |cause: Cause| {
        let counts = Ending::ALL.into_iter().map(|outcome| (outcome.name(), causes.get(cause, outcome)));
        counts.filter(|(_, count)| *count > 0).collect::<BTreeMap<_, _>>()
    };
    Cause::ALL.into_iter().map(|cause| (cause.name(), of(cause))).filter(|(_, counts)| !counts.is_empty()).collect()
}
