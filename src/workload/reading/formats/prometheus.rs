//! The response of Prometheus to a range query.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::super::samples::{SampleReader, Samples, by_name, choose, meaning};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::units::SimTime;
use crate::workload::error::TraceError;
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::TraceOptions;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "prometheus",
    summary: "Prometheus range query (JSON): a counter's increase per step, a rate or a level (`metric:`, `values:`)",
    source: "Prometheus HTTP API, /api/v1/query_range; rate() and counter resets; metric naming practices",
    build: FormatBuilder {
        recognise: |input, _| {
            input.head.trim_ascii_start().starts_with(b"{")
                && memchr::memmem::find(&input.head, b"\"resultType\"").is_some()
        },
        open: |input, options| Ok(Box::new(open(input, options)?)),
    },
};

/// Maximum size of a document, which is held in memory completely.
const MAX_BYTES: u64 = 64 << 20;

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    #[serde(default)]
    result: Vec<LabelledSeries>,
}

#[derive(Deserialize)]
struct LabelledSeries {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<Point>,
    /// Native histograms have this field instead of values.
    histograms: Option<serde::de::IgnoredAny>,
}

/// Seconds since 1970, exact to the millisecond, and a value.
#[derive(Deserialize)]
struct Point(f64, #[serde(deserialize_with = "number")] f64);

fn open(input: &TraceInput, options: &TraceOptions) -> Result<SampleReader, TraceError> {
    let answer: Answer = document(input)?;
    let fail = |message: &str, help: &str| Err(TraceError::new(input.name.as_str(), message).help(help));
    if answer.data.result_type != "matrix" {
        return fail("holds values of one instant; expected a range query", "ask `/api/v1/query_range`");
    }
    if answer.data.result.iter().any(|series| series.histograms.is_some()) {
        return fail("holds native histograms, which are not read", "query `histogram_count(...)`");
    }
    let name_of = |series: &LabelledSeries| series.metric.get("__name__").cloned().unwrap_or_default();
    let mut names: Vec<String> = answer.data.result.iter().map(name_of).collect();
    names.sort_unstable();
    names.dedup();
    let chosen = choose(input, options, &names)?;
    let values = meaning(input, options, if chosen.is_empty() { "the query" } else { chosen }, by_name(chosen))?;
    let mut samples = Samples::default();
    for series in answer.data.result.iter().filter(|series| name_of(series) == chosen) {
        let number = samples.begin();
        for Point(seconds, value) in &series.values {
            samples.add(input, number, from_seconds(*seconds), *value)?;
        }
    }
    samples.into_reader(input, options, values)
}

/// A JSON document that is read as a whole.
///
/// # Errors
/// If it is too large or not of the expected form, with line and column.
pub(super) fn document<T: for<'de> Deserialize<'de>>(input: &TraceInput) -> Result<T, TraceError> {
    let mut text = Vec::new();
    let read = input.stream()?.take(MAX_BYTES + 1).read_to_end(&mut text);
    read.map_err(|error| super::super::open::read_error(&input.name, &error))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(TraceError::new(input.name.as_str(), "is longer than 64 MiB; expected one answer of a query")
            .help("ask the monitoring system for less: a longer step, or `sum by` in the query"));
    }
    serde_json::from_slice(&text).map_err(|error| {
        let full = error.to_string();
        let message = full.split(" at line ").next().unwrap_or(&full).to_string();
        TraceError::new(input.name.as_str(), message)
            .line(error.line() as u64)
            .column(error.column().to_string())
            .help("expected the answer as the monitoring system gave it")
    })
}

/// Seconds since 1970 with at most milliseconds, as in monitoring systems; earlier times are clamped to 1970.
pub(super) fn from_seconds(seconds: f64) -> SimTime {
    SimTime::from_nanos(((seconds * 1000.0).round().clamp(0.0, 1e13) as u64) * 1_000_000)
}

/// Prometheus writes values as strings: `"1"`, `"NaN"`, `"+Inf"`.
pub(super) fn number<'de, D: Deserializer<'de>>(json: D) -> Result<f64, D::Error> {
    struct Number;
    impl Visitor<'_> for Number {
        type Value = f64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number, plain or as text")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
            text.parse().map_err(|_| E::custom(format!("expected a number, found `{text}`")))
        }

        fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
            Ok(number)
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<f64, E> {
            Ok(number as f64)
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<f64, E> {
            Ok(number as f64)
        }
    }
    json.deserialize_any(Number)
}
