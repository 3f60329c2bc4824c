//! `summary.json`: every figure of every run for programs. Names end in their unit; what is missing is null.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};

use super::results::{
    BillResult, ChargeResult, Decimal, InputResult, ObjectiveResult, PolicyResult, ServiceResult, SummaryResult,
    UsageResult,
};
use crate::billing::ChargeLine;
use crate::engine::{Cause, Causes, Fate, ObjectiveRecord, RunRecord, ServiceRecord, UsageRecord};
use crate::experiment::Outcome;
use crate::report::answers::bill;
use crate::report::answers::table::{clairvoyant_cost, regret};
use crate::report::answers::verdict::{is_clairvoyant, meets_objectives, verdict};
use crate::report::artifact::{Artifact, ReportError, Reporter, ReporterPlugin};
use crate::report::printing::text;
use crate::stats::LatencyHistogram;

/// Version of the layout of `summary.json`; grows when a name changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// The entry in the list.
pub(crate) const PLUGIN: ReporterPlugin = ReporterPlugin {
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
pub(crate) fn text(outcome: &Outcome) -> String {
    exact(&summary(outcome))
}

/// A value as indented JSON, with money to the last digit; numbers that JSON has no form for are null.
pub(crate) fn exact(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Exact(PrettyFormatter::new()));
    let written = value.serialize(&mut serializer);
    debug_assert!(written.is_ok(), "plain values always have a JSON form");
    bytes.push(b'\n');
    String::from_utf8(bytes).unwrap_or_default()
}

/// Writes 128-bit integers, which only [`Decimal`] uses, as decimal numbers: money is exact at any size, which it would
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

/// Mean and percentiles of one histogram, milliseconds.
struct Percentiles {
    mean: Option<f64>,
    p50: Option<f64>,
    p90: Option<f64>,
    p95: Option<f64>,
    p99: Option<f64>,
    p999: Option<f64>,
    max: Option<f64>,
}

impl Percentiles {
    fn of(histogram: &LatencyHistogram) -> Self {
        let at = |q: f64| histogram.quantile(q).map(|v| v.as_millis_f64());
        Percentiles {
            mean: histogram.mean_secs().map(|seconds| seconds * 1e3),
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p999: at(0.999),
            max: histogram.max().map(|v| v.as_millis_f64()),
        }
    }
}

/// Every figure of every run.
pub(crate) fn summary(outcome: &Outcome) -> SummaryResult {
    let verdict = verdict(outcome);
    let input = |fact: &crate::experiment::InputFact| InputResult {
        name: fact.name.clone(),
        detail: fact.detail.clone(),
        checksum: fact.checksum.clone(),
    };
    SummaryResult {
        schema_version: SCHEMA_VERSION,
        scenario: outcome.scenario.clone(),
        title: outcome.title.clone(),
        description: outcome.description.clone(),
        verdict: verdict.answer,
        verdict_details: verdict.details,
        command: outcome.command.clone(),
        version: outcome.version.clone(),
        seed: outcome.seed,
        price_date: (!outcome.price_date.is_empty()).then(|| outcome.price_date.clone()),
        cost_bound_usd: outcome.bound.as_ref().map(|bound| bound.cost.into()),
        cost_bound_objective: outcome.bound.as_ref().map(|bound| bound.objective.clone()),
        warnings: outcome.warnings.clone(),
        assumptions: outcome.assumptions.clone(),
        inputs: outcome.inputs.iter().map(input).collect(),
        policies: outcome.runs.iter().map(|run| policy(outcome, run)).collect(),
    }
}

fn policy(outcome: &Outcome, run: &RunRecord) -> PolicyResult {
    let (bound, plan) = (outcome.bound.as_ref().map(|bound| bound.cost.as_f64()), clairvoyant_cost(outcome));
    let line = |line: bill::BillLine| BillResult {
        what: line.what,
        leases: line.leases,
        billed_s: Decimal::from_nanos(line.billed.as_nanos()),
        price_usd_per_hour: line.price.into(),
        cost_usd: line.cost.into(),
    };
    let used = |record: &UsageRecord| UsageResult {
        service: record.service.clone(),
        unit: record.line.item.unit().into(),
        quantity: Decimal::from_nanos(record.line.billionths()),
        // A femto-dollar a unit is a nano-dollar a million.
        price_usd_per_million: Decimal::from_nanos(record.line.price.as_femtos()),
        cost_usd: record.line.cost.into(),
    };
    let charged = |line: &ChargeLine| ChargeResult {
        kind: line.kind.name().into(),
        what: line.what.clone(),
        unit: line.kind.unit().into(),
        quantity: Decimal::from_nanos(line.quantity),
        price_usd: line.price.into(),
        cost_usd: line.cost.into(),
    };
    PolicyResult {
        policy: run.policy.clone(),
        clairvoyant: is_clairvoyant(run),
        meets_objectives: meets_objectives(run),
        cost_usd: run.cost.map(Decimal::from),
        replica_hours: run.replica_hours(),
        regret_to_bound_ratio: bound.and_then(|least| regret(run, least)),
        regret_to_clairvoyant_ratio: plan.and_then(|least| regret(run, least)),
        replication: run.replication,
        duration_s: run.end.as_secs_f64(),
        warm_up_s: run.warm_up.as_secs_f64(),
        events: run.events,
        services: run.services.iter().map(service).collect(),
        bill: bill::bill(&run.leases).into_iter().map(line).collect(),
        usage: run.usage.iter().map(used).collect(),
        charges: run.charges.iter().map(charged).collect(),
    }
}

fn service(record: &ServiceRecord) -> ServiceResult {
    let (counts, elasticity) = (&record.counts, &record.elasticity);
    let [latency, waiting, service_time] = [&record.sojourn, &record.waiting, &record.service].map(Percentiles::of);
    ServiceResult {
        service: record.name.clone(),
        arrived: counts.arrived,
        completed: counts[Fate::Completed],
        rejected: counts[Fate::Rejected],
        timed_out: counts[Fate::TimedOut],
        failed: counts[Fate::Failed],
        in_flight_at_end: counts[Fate::InFlight],
        retries: counts.retries,
        latency_mean_ms: latency.mean,
        latency_p50_ms: latency.p50,
        latency_p90_ms: latency.p90,
        latency_p95_ms: latency.p95,
        latency_p99_ms: latency.p99,
        latency_p999_ms: latency.p999,
        latency_max_ms: latency.max,
        waiting_mean_ms: waiting.mean,
        waiting_p50_ms: waiting.p50,
        waiting_p90_ms: waiting.p90,
        waiting_p95_ms: waiting.p95,
        waiting_p99_ms: waiting.p99,
        waiting_p999_ms: waiting.p999,
        waiting_max_ms: waiting.max,
        service_time_mean_ms: service_time.mean,
        service_time_p50_ms: service_time.p50,
        service_time_p90_ms: service_time.p90,
        service_time_p95_ms: service_time.p95,
        service_time_p99_ms: service_time.p99,
        service_time_p999_ms: service_time.p999,
        service_time_max_ms: service_time.max,
        utilization_ratio: record.utilization,
        cpu_utilization_ratio: record.cpu_utilization,
        replica_hours: record.replica_hours,
        mean_ready_replicas: record.mean_ready,
        max_ready_replicas: record.max_ready,
        mean_in_system_requests: record.mean_in_system,
        replica_starts: record.replica_starts,
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

fn objective(record: &ObjectiveRecord) -> ObjectiveResult {
    let judged = record.total > 0;
    ObjectiveResult {
        objective: record.text.clone(),
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
fn bad_requests(causes: &Causes) -> BTreeMap<String, BTreeMap<String, u64>> {
    let of = |cause: Cause| {
        let counts = Fate::ALL.into_iter().map(|fate| (fate.name_if_bad().to_string(), causes.get(cause, fate)));
        counts.filter(|(_, count)| *count > 0).collect::<BTreeMap<_, _>>()
    };
    Cause::ALL
        .into_iter()
        .map(|cause| (cause.name().to_string(), of(cause)))
        .filter(|(_, counts)| !counts.is_empty())
        .collect()
}
