//! k6: one line for each sample of each metric.

use super::super::filter::{Condition, RowFilter};
use super::super::header::listed;
use super::super::json_lines;
use super::super::known::{Known, named, names};
use super::super::rows::RowReader;
use super::super::table::Layout;
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::error::TraceError;
use crate::workload::reading::header::Header;
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::{Columns, TraceOptions, Values};
use crate::workload::time::text::TimeFormat;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "k6",
    summary: "k6 `--out csv` or `--out json`: one request per sample of `http_req_duration`, arrival = its time - its value, which is \
              the demand (`metric:` names another)",
    source: "Grafana k6, Results output (CSV, JSON); lib/netext/httpext (the samples of a request have the time of its end)",
    build: FormatBuilder { recognise: |input, _| Output::of(input).is_some(), open },
};

/// The metric whose samples are the requests.
const REQUESTS: &str = "http_req_duration";

/// The output options of k6.
struct Output {
    header: Header,
    json: bool,
}

impl Output {
    fn of(input: &TraceInput) -> Option<Output> {
        if input.is_parquet() {
            return None;
        }
        let has = |header: &Header, names: &[&str]| names.iter().all(|name| header.find(name).is_some());
        if input.head.starts_with(b"{") {
            memchr::memmem::find(&input.head, b"\"Point\"")?;
            let header = json_lines::header(input)?;
            let fits = has(&header, &["metric", "type", "data.time", "data.value"]);
            return fits.then_some(Output { header, json: true });
        }
        let header = Header::of(input, b',');
        has(&header, &["metric_name", "timestamp", "metric_value"]).then_some(Output { header, json: false })
    }

    /// The columns of metric, time and value.
    const fn columns(&self) -> [&'static str; 3] {
        if self.json { ["metric", "data.time", "data.value"] } else { ["metric_name", "timestamp", "metric_value"] }
    }

    /// The metrics found in the first lines of the file.
    fn metrics(&self) -> Vec<String> {
        let column = self.header.find(self.columns()[0]);
        let cells = column.into_iter().flat_map(|column| self.header.cells(column));
        let mut found: Vec<String> = cells.filter(|name| !name.is_empty()).map(str::to_string).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The meaning of a metric's sample.
enum Sample {
    /// A request or iteration that took this many milliseconds and ended at the sample's time.
    Took,
    /// One more request or iteration that ended at the sample's time.
    Ended,
    Level,
}

fn meaning(input: &TraceInput, options: &TraceOptions, metric: &str) -> Result<Sample, TraceError> {
    match (options.values, metric) {
        (Some(Values::Level), _) | (None, "vus" | "vus_max") => Ok(Sample::Level),
        (None, "http_reqs" | "iterations") => Ok(Sample::Ended),
        (None, metric) if metric.ends_with("_duration") => Ok(Sample::Took),
        _ => Err(TraceError::new(input.name.as_str(), format!("samples of `{metric}` are not requests"))
            .help("`metric:` may be one that ends in `_duration` (the default is `http_req_duration`), `http_reqs`, `iterations` or `vus`; a gauge of yours with `values: level`")),
    }
}

fn open(input: &TraceInput, options: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
    let output = Output::of(input).ok_or_else(|| {
        TraceError::new(
            input.name.as_str(),
            "has no columns `metric_name`, `timestamp` and `metric_value`, and no points in JSON",
        )
        .help("expected what `k6 run --out csv=FILE` or `--out json=FILE` writes")
    })?;
    let metric = options.metric.as_deref().unwrap_or(REQUESTS);
    let found = output.metrics();
    if !found.iter().any(|known| known == metric) && (options.metric.is_none() || input.head_is_all) {
        return Err(TraceError::new(input.name.as_str(), format!("has no samples of `{metric}` in its first lines"))
            .help(format!("`metric:` may be one of: {}", listed(&found))));
    }
    let [name, time, value] = output.columns();
    let known = match meaning(input, options, metric)? {
        Sample::Took => Columns { demand: named(value), elapsed: named(value), ..Columns::default() },
        Sample::Ended => Columns::default(),
        Sample::Level => Columns { level: names(value), ..Columns::default() },
    };
    let level = !known.level.is_empty();
    let columns = options.columns.clone().or(Columns { time: names(time), ..known });
    let read = TraceOptions {
        columns,
        metric: None,
        values: None,
        one_request_per_row: !level,
        demand_unit: TimeFormat::Millis,
        ..options.clone()
    };
    let escaped = glob::Pattern::escape(metric);
    let mut rows = vec![Condition::one_of(name, &[escaped.as_str()])];
    let mut notes = vec![format!("samples of `{metric}` are read; those of other metrics are passed over")];
    if output.json {
        rows.push(Condition::one_of("type", &["Point"]));
        let rows = RowFilter { include: rows, exclude: Vec::new() };
        let holds = Some(format!("\"{metric}\""));
        return Ok(Box::new(json_lines::open_known(
            input,
            &read,
            &json_lines::Known { rows, holds, unordered: true, notes, ..Default::default() },
        )?));
    }
    let layout = Layout::of(input, &read, b',')?;
    if layout.time_format == TimeFormat::Seconds && !level {
        notes.push("times are whole seconds, as k6 writes them unless told otherwise (`K6_CSV_TIME_FORMAT=unix_milli`): what comes within a second is not known".into());
    }
    let rows = RowFilter { include: rows, exclude: Vec::new() };
    Known { rows, unordered: true, notes }.open(input, &read, layout, &output.header)
}
