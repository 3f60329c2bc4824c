//! `timeline.csv`, and the columns that every form of the timeline shares.

use crate::config::csv_text;
use crate::engine::{Interval, RunRecord, ServiceRecord};
use crate::experiment::Outcome;
use crate::report::artifact::{Artifact, ReportError, Reporter, ReporterPlugin};
use crate::report::printing::text;
use crate::units::{SimDuration, Usd};

/// The entry in the list.
pub(crate) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "timeline.csv",
    summary: "one row per policy, service and interval; missing figures are empty",
    source: "RFC 4180",
    build: &TimelineCsv,
};

struct TimelineCsv;

impl Reporter for TimelineCsv {
    fn report(&self, outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
        let columns = columns(outcome);
        let names = columns.iter().map(|(name, _)| (*name).to_owned());
        let rows = columns.first().map_or(0, |(_, column)| column.len());
        let cells = (0..rows).map(|row| columns.iter().map(move |(_, column)| column.cell(row)));
        Ok(vec![Artifact::new(PLUGIN.name, csv_bytes(PLUGIN.name, names, cells)?)])
    }
}

/// A header and rows as CSV; no cell is a formula.
pub(crate) fn csv_bytes<R: Iterator<Item = String>>(
    name: &str,
    header: impl Iterator<Item = String>,
    rows: impl Iterator<Item = R>,
) -> Result<Vec<u8>, ReportError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header.map(String::into_bytes)).map_err(|e| ReportError::new(name, e))?;
    for row in rows {
        let cells = row.map(|cell| csv_text(&cell).into_owned().into_bytes());
        writer.write_record(cells).map_err(|e| ReportError::new(name, e))?;
    }
    writer.into_inner().map_err(|e| ReportError::new(name, e.error()))
}

/// A finite number in its shortest exact form, otherwise empty.
pub(crate) fn number(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or_else(String::new, |value| value.to_string())
}

/// A column of the timeline.
pub(crate) enum Column {
    Text(Vec<String>),
    Count(Vec<u64>),
    Number(Vec<Option<f64>>),
    Money(Vec<Option<Usd>>),
}

impl Column {
    fn len(&self) -> usize {
        match self {
            Column::Text(values) => values.len(),
            Column::Count(values) => values.len(),
            Column::Number(values) => values.len(),
            Column::Money(values) => values.len(),
        }
    }

    fn cell(&self, row: usize) -> String {
        match self {
            Column::Text(values) => values[row].clone(),
            Column::Count(values) => values[row].to_string(),
            Column::Number(values) => number(values[row]),
            Column::Money(values) => {
                values[row].map_or_else(String::new, |dollars| text::exact_decimal(dollars.as_nanos(), 0))
            }
        }
    }
}

/// One row of the timeline with what it belongs to.
struct Row<'a> {
    run: &'a RunRecord,
    service: &'a ServiceRecord,
    interval: &'a Interval,
}

/// The whole timeline by column; names end in their unit.
pub(crate) fn columns(outcome: &Outcome) -> Vec<(&'static str, Column)> {
    let services = outcome.runs.iter().flat_map(|run| run.services.iter().map(move |service| (run, service)));
    let rows: Vec<Row> = services
        .flat_map(|(run, service)| service.timeline.iter().map(move |interval| Row { run, service, interval }))
        .collect();
    let names =
        |of: for<'r> fn(&'r Row<'_>) -> &'r str| Column::Text(rows.iter().map(|row| of(row).to_owned()).collect());
    let counts = |of: fn(&Interval) -> u64| Column::Count(rows.iter().map(|row| of(row.interval)).collect());
    let numbers = |of: fn(&Interval) -> Option<f64>| Column::Number(rows.iter().map(|row| of(row.interval)).collect());
    let mut columns = vec![
        ("policy", names(|row| &row.run.policy)),
        ("service", names(|row| &row.service.name)),
        ("start_s", numbers(|i| Some(i.start.as_secs_f64()))),
        ("length_s", numbers(|i| Some(i.length.as_secs_f64()))),
        ("arrived", counts(|i| i.arrived)),
        ("completed", counts(|i| i.completed)),
        ("lost", counts(|i| i.lost)),
        ("good", counts(|i| i.good)),
        ("overdue", counts(|i| i.overdue)),
        ("arrival_rate_per_s", numbers(|i| (!i.length.is_zero()).then(|| i.arrived as f64 / i.length.as_secs_f64()))),
        ("waiting_p50_ms", numbers(|i| millis(i.waiting, 0))),
        ("waiting_p95_ms", numbers(|i| millis(i.waiting, 1))),
        ("waiting_p99_ms", numbers(|i| millis(i.waiting, 2))),
        ("latency_p50_ms", numbers(|i| millis(i.sojourn, 0))),
        ("latency_p95_ms", numbers(|i| millis(i.sojourn, 1))),
        ("latency_p99_ms", numbers(|i| millis(i.sojourn, 2))),
        ("wanted_replicas", numbers(|i| Some(i.wanted))),
        ("ready_replicas", numbers(|i| Some(i.ready))),
        ("starting_replicas", numbers(|i| Some(i.starting))),
        ("needed_replicas", numbers(|i| Some(i.needed))),
        ("leased_count", numbers(|i| i.leased)),
        ("queued_requests", numbers(|i| Some(i.queued))),
        ("busy_slots", numbers(|i| Some(i.busy))),
        ("utilization_ratio", numbers(|i| i.utilization)),
        ("cost_usd", Column::Money(rows.iter().map(|row| row.interval.cost).collect())),
    ];
    if let Some(calendar) = &outcome.calendar {
        let times = rows.iter().map(|row| calendar.time_of(row.interval.start)).collect();
        columns.insert(3, ("start_time", Column::Text(times)));
    }
    columns
}

fn millis(percentiles: Option<[SimDuration; 3]>, index: usize) -> Option<f64> {
    percentiles.map(|values| values[index].as_millis_f64())
}
