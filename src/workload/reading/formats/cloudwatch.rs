//! Responses of AWS CloudWatch: `get-metric-data` and `get-metric-statistics`.

use serde::Deserialize;

use super::super::samples::{SampleReader, Samples, choose, meaning};
use super::plugin::{FormatBuilder, FormatPlugin};
use super::prometheus::{document, from_seconds};
use crate::units::SimTime;
use crate::workload::error::TraceError;
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::{TraceOptions, Values};
use crate::workload::time::text::{TimeFormat, TimeReader};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "cloudwatch",
    summary: "AWS CloudWatch `get-metric-data` or `get-metric-statistics` (JSON): counts or levels (`metric:`, `values:`)",
    source: "Amazon CloudWatch API Reference: GetMetricData, MetricDataResult; GetMetricStatistics, Datapoint",
    build: FormatBuilder {
        recognise: |input, _| {
            let holds = |text: &[u8]| memchr::memmem::find(&input.head, text).is_some();
            input.head.trim_ascii_start().starts_with(b"{")
                && (holds(b"\"MetricDataResults\"") || holds(b"\"Datapoints\""))
        },
        open: |input, options| Ok(Box::new(open(input, options)?)),
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    metric_data_results: Option<Vec<MetricData>>,
    label: Option<String>,
    datapoints: Option<Vec<Datapoint>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricData {
    #[serde(default)]
    id: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    timestamps: Vec<Instant>,
    #[serde(default)]
    values: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Datapoint {
    timestamp: Instant,
    sum: Option<f64>,
    sample_count: Option<f64>,
    average: Option<f64>,
    maximum: Option<f64>,
    minimum: Option<f64>,
    unit: Option<String>,
}

/// The start of a period: text with a time zone, or seconds since 1970.
#[derive(Deserialize)]
#[serde(untagged)]
enum Instant {
    Text(String),
    Seconds(f64),
}

impl Instant {
    fn time(&self) -> Option<SimTime> {
        match self {
            Instant::Text(text) => TimeReader::new(TimeFormat::Iso, None).read(text.as_bytes()),
            Instant::Seconds(seconds) => Some(from_seconds(*seconds)),
        }
    }
}

fn open(input: &TraceInput, options: &TraceOptions) -> Result<SampleReader, TraceError> {
    let answer: Answer = document(input)?;
    match (answer.metric_data_results, answer.datapoints) {
        (Some(results), _) => of_data(input, options, &results),
        (None, Some(points)) => of_statistics(input, options, &answer.label.unwrap_or_default(), &points),
        (None, None) => Err(TraceError::new(input.name.as_str(), "has neither `MetricDataResults` nor `Datapoints`")
            .help("expected the answer of `aws cloudwatch get-metric-data`")),
    }
}

/// `get-metric-data` does not state the statistic.
fn of_data(input: &TraceInput, options: &TraceOptions, results: &[MetricData]) -> Result<SampleReader, TraceError> {
    let asked = |data: &MetricData| options.metric.as_ref().is_none_or(|name| [&data.id, &data.label].contains(&name));
    let by_label = results.iter().any(|data| Some(&data.label) == options.metric.as_ref());
    let name = |data: &MetricData| if by_label { data.label.clone() } else { data.id.clone() };
    let mut names: Vec<String> = results.iter().map(name).collect();
    names.sort_unstable();
    names.dedup();
    let chosen = choose(input, options, &names)?;
    let values = meaning(input, options, chosen, None)?;
    let mut samples = Samples::default();
    for data in results.iter().filter(|data| asked(data)) {
        let series = samples.begin();
        for (instant, value) in data.timestamps.iter().zip(&data.values) {
            add(input, &mut samples, series, instant, *value)?;
        }
    }
    samples.into_reader(input, options, values)
}

/// A sum in the unit `Count` is a count; the meaning of any other statistic is not known.
fn of_statistics(
    input: &TraceInput,
    options: &TraceOptions,
    label: &str,
    points: &[Datapoint],
) -> Result<SampleReader, TraceError> {
    let counted = points.iter().all(|point| point.sum.is_some() && point.unit.as_deref() == Some("Count"));
    let values = meaning(input, options, label, counted.then_some(Values::Count))?;
    let mut samples = Samples::default();
    let series = samples.begin();
    for point in points {
        let statistics = [point.sum, point.sample_count, point.average, point.maximum, point.minimum];
        match statistics.into_iter().flatten().next() {
            Some(value) => add(input, &mut samples, series, &point.timestamp, value)?,
            None => samples.passed_over(),
        }
    }
    samples.into_reader(input, options, values)
}

fn add(
    input: &TraceInput,
    samples: &mut Samples,
    series: usize,
    instant: &Instant,
    value: f64,
) -> Result<(), TraceError> {
    match instant.time() {
        Some(time) => samples.add(input, series, time, value),
        None => {
            let number = samples.number();
            samples.spoilt(number, 1, format!("expected {}", TimeFormat::Iso.example()));
            Ok(())
        }
    }
}
