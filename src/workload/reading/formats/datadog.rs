//! Datadog: the response to a query for the points of a metric.

use serde::Deserialize;

use super::super::exported::{self, Exported};
use super::super::samples::SampleReader;
use super::plugin::{FormatBuilder, FormatPlugin};
use super::prometheus::{document, from_seconds};
use crate::units::SimDuration;
use crate::workload::error::TraceError;
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::{TraceOptions, Values};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "datadog",
    summary: "Datadog `GET /api/v1/query` (JSON): `as_count()` is a count, `as_rate()` a rate, anything else asked for (`values:`)",
    source: "Datadog API v1, Query timeseries points (pointlist, interval)",
    build: FormatBuilder {
        recognise: |input, _| {
            input.head.trim_ascii_start().starts_with(b"{")
                && memchr::memmem::find(&input.head, b"\"pointlist\"").is_some()
        },
        open: |input, options| Ok(Box::new(open(input, options)?)),
    },
};

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    series: Vec<Series>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Series {
    display_name: Option<String>,
    metric: Option<String>,
    expression: Option<String>,
    scope: Option<String>,
    /// Seconds between the points.
    interval: Option<f64>,
    /// Milliseconds since 1970 at which an interval starts, and a value.
    #[serde(default)]
    pointlist: Vec<(Option<f64>, Option<f64>)>,
}

fn open(input: &TraceInput, options: &TraceOptions) -> Result<SampleReader, TraceError> {
    let answer: Answer = document(input)?;
    if let Some(error) = answer.error.filter(|error| !error.is_empty()) {
        return Err(
            TraceError::new(input.name.as_str(), format!("the query failed: {error}")).help("mend it and ask again")
        );
    }
    let series = answer.series.into_iter().map(|series| {
        let expression = series.expression.unwrap_or_default();
        let values = match expression {
            ref text if text.contains("as_count()") => Some(Values::Count),
            ref text if text.contains("as_rate()") || text.contains("per_second(") => Some(Values::Rate),
            _ => None,
        };
        let point = |(time, value): (Option<f64>, Option<f64>)| {
            (time.map(|millis| from_seconds(millis / 1000.0)), value.unwrap_or(f64::NAN))
        };
        let seconds = series.interval.filter(|seconds| (0.0..1e7).contains(seconds)).unwrap_or_default();
        Exported {
            names: exported::named([series.display_name, series.metric, Some(expression), series.scope]),
            values,
            points: series.pointlist.into_iter().map(point).collect(),
            step: SimDuration::from_secs(seconds as u64),
        }
    });
    exported::read(input, options, &series.collect::<Vec<_>>(), Vec::new())
}
