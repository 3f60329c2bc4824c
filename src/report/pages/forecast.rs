//! Forecasts beside the actual load, and what their misses cost: for the page, the summary and two CSV files.
//!
//! What is charged to whom is defined in `src/experiment/misses.rs`.

use std::fmt::Write;

use serde::Serialize;

use crate::engine::{RunRecord, ServiceRecord};
use crate::experiment::{Charge, Direction, ForecastPrice, Miss, Outcome};
use crate::report::answers::table::label;
use crate::report::artifact::{Artifact, ReportError, Reporter, ReporterPlugin};
use crate::report::data::timeline::{csv_bytes, number};
use crate::report::printing::moment::Clock;
use crate::report::printing::style::markdown_row;
use crate::report::printing::text;

/// The entry in the list.
pub(crate) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "forecasts.csv",
    summary: "the forecasts of predictive policies, step by step, beside the actual load; `misses.csv` has the cost of each miss",
    source: "RFC 4180",
    build: &ForecastCsv,
};

/// Misses shown per policy; all are in `misses.csv`.
const MAX_MISSES: usize = 6;

/// How the table is to be read.
const NOTE: &str = "A miss above: the load exceeded the capacity ordered; it is charged with the intervals in violation and \
    the slow and lost requests, from its start until replicas ordered because of it could be ready. A miss below: the load was below \
    the 80% interval; it is charged with the cost of the replicas that the forecast asked for and the load did not need. The \
    rest is charged to no miss: over-provisioning there is the price of the headroom between the expected load and the capacity \
    ordered. Only after the warm-up; every interval and every dollar counts once.";

/// A run, a service and its priced forecast.
type Priced<'a> = (&'a RunRecord, &'a ServiceRecord, ForecastPrice);

fn priced(outcome: &Outcome) -> Vec<Priced<'_>> {
    let services = outcome.runs.iter().flat_map(|run| run.services.iter().map(move |service| (run, service)));
    services.filter_map(|(run, service)| Some((run, service, ForecastPrice::of(run, service)?))).collect()
}

struct ForecastCsv;

impl Reporter for ForecastCsv {
    fn report(&self, outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
        let priced = priced(outcome);
        if priced.is_empty() {
            return Ok(Vec::new());
        }
        let steps = csv_bytes(PLUGIN.name, STEP_COLUMNS.into_iter().map(str::to_owned), step_rows(&priced))?;
        let misses = csv_bytes(MISSES, MISS_COLUMNS.into_iter().map(str::to_owned), miss_rows(&priced))?;
        Ok(vec![Artifact::new(PLUGIN.name, steps), Artifact::new(MISSES, misses)])
    }
}

const STEP_COLUMNS: [&str; 10] = [
    "policy",
    "service",
    "decided_s",
    "from_s",
    "to_s",
    "mean_per_s",
    "low_per_s",
    "high_per_s",
    "ordered_for_per_s",
    "came_per_s",
];

fn step_rows<'a>(priced: &'a [Priced<'a>]) -> impl Iterator<Item = std::array::IntoIter<String, 10>> + 'a {
    priced.iter().flat_map(|(run, service, price)| {
        price.steps.iter().map(|step| {
            let told = &step.forecast;
            let seconds = [told.at, told.from, told.to].map(|at| number(Some(at.as_secs_f64())));
            let rates = [told.mean, told.low, told.high, told.planned].map(|rate| number(Some(rate)));
            let ([at, from, to], [mean, low, high, planned]) = (seconds, rates);
            let names = [run.policy.clone(), service.name.clone()];
            let [policy, service] = names;
            [policy, service, at, from, to, mean, low, high, planned, number(step.actual)].into_iter()
        })
    })
}

const MISSES: &str = "misses.csv";
const MISS_COLUMNS: [&str; 11] = [
    "policy",
    "service",
    "direction",
    "from_s",
    "to_s",
    "ordered_for_per_s",
    "came_per_s",
    "violation_min",
    "slow",
    "lost",
    "over_provision_usd",
];

fn miss_rows<'a>(priced: &'a [Priced<'a>]) -> impl Iterator<Item = std::array::IntoIter<String, 11>> + 'a {
    priced.iter().flat_map(|(run, service, price)| {
        price.misses.iter().map(|miss| {
            let Charge { violation, slow, lost, over_provision } = miss.charge;
            [
                run.policy.clone(),
                service.name.clone(),
                direction(miss).into(),
                number(Some(miss.from.as_secs_f64())),
                number(Some(miss.to.as_secs_f64())),
                number(Some(miss.planned)),
                number(Some(miss.actual)),
                number(Some(violation.as_secs_f64() / 60.0)),
                slow.to_string(),
                lost.to_string(),
                if price.priced { text::exact_decimal(over_provision.as_nanos(), 0) } else { String::new() },
            ]
            .into_iter()
        })
    })
}

fn direction(miss: &Miss) -> &'static str {
    match miss.direction {
        Direction::Above => "above",
        Direction::Below => "below",
    }
}

/// What the page's block shows.
#[derive(Serialize)]
pub(crate) struct Section {
    figures: Vec<Picture>,
    groups: Vec<Group>,
    /// Heads the column of times.
    when: String,
    note: &'static str,
}

#[cfg(feature = "charts")]
use crate::report::charts::Picture;

/// Without charts there is none.
#[cfg(not(feature = "charts"))]
#[derive(Serialize)]
struct Picture {}

/// One policy (and service): the dearest misses, then the sums.
#[derive(Serialize)]
struct Group {
    whose: String,
    accuracy: String,
    misses: Vec<[String; 8]>,
    totals: Vec<[String; 8]>,
}

impl Section {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        Section {
            figures: figures(outcome),
            groups: groups(outcome),
            when: Clock::of(outcome).head("When"),
            note: NOTE,
        }
    }
}

#[cfg(feature = "charts")]
fn figures(outcome: &Outcome) -> Vec<Picture> {
    crate::report::charts::forecast_figures(outcome)
}

#[cfg(not(feature = "charts"))]
fn figures(_: &Outcome) -> Vec<Picture> {
    Vec::new()
}

/// Whether any policy of the outcome forecast.
pub(super) fn is_any(outcome: &Outcome) -> bool {
    !priced(outcome).is_empty()
}

fn groups(outcome: &Outcome) -> Vec<Group> {
    let several = outcome.runs.iter().any(|run| run.services.len() > 1);
    let clock = Clock::of(outcome);
    let group = |(run, service, price): &Priced<'_>| {
        let dearest = price.dearest();
        Group {
            whose: if several { format!("{}, {}", label(run), service.name) } else { label(run) },
            accuracy: accuracy(price, dearest.len().saturating_sub(MAX_MISSES)),
            misses: dearest.iter().take(MAX_MISSES).map(|miss| row(miss, price.priced, clock)).collect(),
            totals: totals(price),
        }
    };
    priced(outcome).iter().map(group).collect()
}

fn accuracy(price: &ForecastPrice, more: usize) -> String {
    let share = |value: Option<f64>| value.map_or_else(|| text::MISSING.into(), text::percent);
    let rest = match more {
        0 => String::new(),
        more => format!("; {more} smaller misses are in {MISSES}"),
    };
    format!(
        "{} steps: mean absolute error {} of the load; the load stayed within the capacity ordered in {} of them and within the 80% \
         interval in {}{rest}",
        text::count(price.judged as u64),
        share(price.wape),
        share(price.within_plan),
        share(price.within_interval)
    )
}

fn row(miss: &Miss, priced: bool, clock: Clock) -> [String; 8] {
    let when = format!("{} to {}", clock.at(miss.from.as_secs_f64()), clock.at(miss.to.as_secs_f64()));
    let rates = [miss.planned, miss.actual].map(|rate| format!("{}/s", text::number(rate, 1)));
    cells(direction(miss).into(), when, rates, miss.charge, priced)
}

fn totals(price: &ForecastPrice) -> Vec<[String; 8]> {
    let blank = || [String::new(), String::new()];
    let all = |direction, name: &str| {
        let (count, charge) = price.total(direction);
        cells(format!("All {} {name}", text::count(count as u64)), String::new(), blank(), charge, price.priced)
    };
    let rest = cells("The rest of the time".into(), String::new(), blank(), price.rest, price.priced);
    vec![all(Direction::Above, "above"), all(Direction::Below, "below"), rest]
}

fn cells(first: String, when: String, [planned, came]: [String; 2], charge: Charge, priced: bool) -> [String; 8] {
    let Charge { violation, slow, lost, over_provision } = charge;
    let dollars = if priced { text::dollars(over_provision) } else { text::MISSING.into() };
    let counts = [text::minutes(violation), text::count(slow), text::count(lost), dollars];
    let [violation, slow, lost, dollars] = counts;
    [first, when, planned, came, violation, slow, lost, dollars]
}

/// The section for `summary.md`; empty without a predictive policy.
pub(crate) fn markdown(outcome: &Outcome) -> String {
    let groups = groups(outcome);
    if groups.is_empty() {
        return String::new();
    }
    let header = [
        "Policy",
        "Miss",
        &Clock::of(outcome).head("When"),
        "Ordered for",
        "Actual",
        "Time in violation",
        "Slow",
        "Lost",
        "Over-provision",
    ];
    let mut section = String::from("## What the forecasts' misses cost\n\n");
    for group in &groups {
        let _ = writeln!(section, "- {}: {}", group.whose, group.accuracy);
    }
    section += "\n";
    section += &markdown_row(&header.map(str::to_owned));
    section += "|---|---|---|---:|---:|---:|---:|---:|---:|\n";
    for group in &groups {
        for row in group.misses.iter().chain(&group.totals) {
            let cells: Vec<String> = std::iter::once(&group.whose).chain(row).cloned().collect();
            section += &markdown_row(&cells);
        }
    }
    let _ = writeln!(section, "\n{NOTE}\n");
    section
}
