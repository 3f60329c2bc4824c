//! Google Cloud Monitoring: responses of `timeSeries.list`.

use serde::Deserialize;

use super::super::exported::{self, Exported};
use super::super::samples::SampleReader;
use super::plugin::{FormatBuilder, FormatPlugin};
use super::prometheus::{document, number};
use crate::workload::error::TraceError;
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::{TraceOptions, Values};
use crate::workload::time::text::{TimeFormat, TimeReader};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "gcp-monitoring",
    summary: "Google Cloud Monitoring `timeSeries.list` (JSON): DELTA is a count, CUMULATIVE a counter, GAUGE asked for (`values:`)",
    source: "Cloud Monitoring API v3: projects.timeSeries.list, TimeSeries, MetricKind, Point",
    build: FormatBuilder {
        recognise: |input, _| {
            let holds = |text: &[u8]| memchr::memmem::find(&input.head, text).is_some();
            matches!(input.head.trim_ascii_start().first(), Some(b'{' | b'['))
                && holds(b"\"metric\"")
                && holds(b"\"interval\"")
                && holds(b"\"endTime\"")
        },
        open: |input, options| Ok(Box::new(open(input, options)?)),
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    time_series: Vec<Series>,
    #[serde(default)]
    unit: Option<String>,
    #[serde(default)]
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Series {
    metric: Metric,
    #[serde(default)]
    metric_kind: Option<String>,
    #[serde(default)]
    unit: Option<String>,
    #[serde(default)]
    points: Vec<Point>,
}

#[derive(Deserialize)]
struct Metric {
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
struct Point {
    interval: Interval,
    value: TypedValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Interval {
    start_time: Option<String>,
    end_time: String,
}

/// A number; 64-bit integers are written as strings.
#[derive(Deserialize)]
struct Number(#[serde(deserialize_with = "number")] f64);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypedValue {
    double_value: Option<Number>,
    int64_value: Option<Number>,
    distribution_value: Option<Distribution>,
}

#[derive(Deserialize)]
struct Distribution {
    count: Option<Number>,
}

impl TypedValue {
    /// The number; for a distribution, the number of its values.
    fn number(&self) -> f64 {
        let count =
            || self.distribution_value.as_ref().map(|values| values.count.as_ref().map_or(0.0, |count| count.0));
        let plain = self.int64_value.as_ref().or(self.double_value.as_ref()).map(|number| number.0);
        plain.or_else(count).unwrap_or(f64::NAN)
    }
}

fn open(input: &TraceInput, options: &TraceOptions) -> Result<SampleReader, TraceError> {
    let mut notes = Vec::new();
    let answer = match input.head.trim_ascii_start().first() {
        Some(b'[') => Answer { time_series: document(input)?, unit: None, next_page_token: None },
        _ => document(input)?,
    };
    if answer.next_page_token.is_some_and(|token| !token.is_empty()) {
        notes.push("is one page of an answer; others follow (`nextPageToken`)".to_string());
    }
    let mut times = TimeReader::new(TimeFormat::Iso, None);
    let mut series = Vec::new();
    for one in answer.time_series {
        let unit = one.unit.or_else(|| answer.unit.clone()).unwrap_or_default();
        let values = match one.metric_kind.as_deref() {
            Some("DELTA") => Some(Values::Count),
            Some("CUMULATIVE") => Some(Values::Counter),
            _ => unit.ends_with("/s").then_some(Values::Rate),
        };
        // A count belongs to an interval and is placed at its start; any other value is placed at the end.
        let at_start = options.values.or(values) == Some(Values::Count);
        let time = |interval: &Interval| match &interval.start_time {
            Some(start) if at_start => start.clone(),
            _ => interval.end_time.clone(),
        };
        let points =
            one.points.iter().map(|point| (times.read(time(&point.interval).as_bytes()), point.value.number()));
        let points = points.collect();
        let short = one.metric.kind.rsplit('/').next().map(str::to_string);
        series.push(Exported {
            names: exported::named([Some(one.metric.kind), short]),
            values,
            points,
            ..Exported::default()
        });
    }
    exported::read(input, options, &series, notes)
}
