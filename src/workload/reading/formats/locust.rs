//! Locust's history of a test: totals and rates at each step, with one row for all endpoints and one for each endpoint.

use std::collections::BTreeMap;

use super::super::filter::Checks;
use super::super::header::listed;
use super::super::lines::Lines;
use super::super::samples::{SampleReader, Samples, meaning};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::error::TraceError;
use crate::workload::reading::header::{Cells, Header};
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::{TraceOptions, Values};
use crate::workload::time::text::{TimeFormat, TimeReader};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "locust",
    summary: "Locust `--csv` history (`_stats_history.csv`): counts are the increase of `Total Request Count` of the rows `Aggregated`, or \
              of the endpoints that `include:` names",
    source: "Locust, Retrieve test statistics in CSV format; locust/stats.py (StatsCSVFileWriter)",
    build: FormatBuilder {
        recognise: |input, _| {
            let header = Header::of(input, b',');
            !input.is_parquet()
                && ["Timestamp", "User Count", "Name", "Requests/s"].iter().all(|name| header.find(name).is_some())
        },
        open: |input, options| Ok(Box::new(open(input, options)?)),
    },
};

/// Columns of totals and rates, and the kind of their values.
const COLUMNS: [(&str, Values); 4] = [
    ("Total Request Count", Values::Counter),
    ("# requests", Values::Counter),
    ("Requests/s", Values::Rate),
    ("User Count", Values::Level),
];
/// Maximum number of endpoints.
const MAX_SERIES: usize = 10_000;

/// The column indices.
struct History {
    time: usize,
    /// HTTP method of the endpoint, if it has one.
    method: Option<usize>,
    name: usize,
    value: usize,
    values: Values,
    /// Whether the rows for all endpoints are read, or those of single endpoints.
    aggregated: bool,
    checks: Checks,
}

impl History {
    fn of(input: &TraceInput, options: &TraceOptions, header: &Header) -> Result<History, TraceError> {
        let fail = |message: String| {
            TraceError::new(input.name.as_str(), message).help(format!("columns: {}", listed(&header.names)))
        };
        let find = |name: &str| header.find(name).ok_or_else(|| fail(format!("has no column `{name}`")));
        let (value, known) = match &options.metric {
            Some(asked) => (
                find(asked)?,
                COLUMNS.iter().find(|(name, _)| name.eq_ignore_ascii_case(asked)).map(|(_, values)| *values),
            ),
            None => COLUMNS
                .iter()
                .find_map(|(name, values)| header.find(name).map(|column| (column, Some(*values))))
                .ok_or_else(|| fail("has no column of requests".into()))?,
        };
        let values = meaning(input, options, &header.names[value], known)?;
        let filter = &options.filter;
        Ok(History {
            time: find("Timestamp")?,
            method: header.find("Type"),
            name: find("Name")?,
            value,
            values,
            aggregated: !filter.names("Name") && !filter.names("Type"),
            checks: Checks::of(input, filter, header, None)?,
        })
    }
}

/// Whether a row is the sum over all endpoints: `Aggregated`, or `Total` before 1.0.
fn is_aggregated(name: &[u8], method: &[u8]) -> bool {
    name == b"Aggregated" || (name == b"Total" && (method.is_empty() || method == b"None"))
}

fn open(input: &TraceInput, options: &TraceOptions) -> Result<SampleReader, TraceError> {
    let header = Header::of(input, b',');
    let mut history = History::of(input, options, &header)?;
    let mut lines = Lines::new(input)?;
    let mut samples = Samples::default();
    let mut series: BTreeMap<(Vec<u8>, Vec<u8>), usize> = BTreeMap::new();
    let mut times =
        TimeReader::new(options.time_format.unwrap_or(TimeFormat::Seconds), None).in_zone(options.time_zone);
    for _ in 0..=header.comments {
        lines.next(true)?;
    }
    while let Some((number, line)) = lines.next(true)? {
        let cells: Vec<&[u8]> = Cells::new(line, b',').map(|(_, cell)| cell.trim_ascii()).collect();
        let cell = |column: usize| cells.get(column).copied().unwrap_or_default();
        let (name, method) = (cell(history.name), history.method.map(cell).unwrap_or_default());
        if line.is_empty() || is_aggregated(name, method) != history.aggregated {
            samples.passed_over();
            continue;
        }
        if !history.checks.is_empty() && history.checks.leave_out(cells.iter().copied()) {
            continue;
        }
        let value = std::str::from_utf8(cell(history.value)).ok().and_then(|text| text.parse().ok());
        let (Some(time), Some(value)) = (times.read(cell(history.time)), value) else {
            samples.spoilt(number, 1, "expected a time in seconds and a number of requests".into());
            continue;
        };
        let key = (method.to_vec(), name.to_vec());
        let place = match series.get(&key) {
            Some(place) => *place,
            None => *series.entry(key).or_insert(samples.begin()),
        };
        if series.len() > MAX_SERIES {
            return Err(TraceError::new(input.name.as_str(), format!("holds more than {MAX_SERIES} endpoints"))
                .line(number)
                .help("leave `include:` out: the rows `Aggregated` hold all of them"));
        }
        samples.add(input, place, time, value)?;
    }
    samples.note(match history.aggregated {
        true => format!(
            "`{}` of the rows `Aggregated` is read; rows of single endpoints are passed over",
            header.names[history.value]
        ),
        false => format!(
            "`{}` of {} endpoints is added up; the rows `Aggregated` are passed over",
            header.names[history.value],
            series.len()
        ),
    });
    samples.account(&history.checks);
    samples.into_reader(input, options, history.values)
}
