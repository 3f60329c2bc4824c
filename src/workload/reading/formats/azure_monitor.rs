//! Azure Monitor: the output of `az monitor metrics list`.

use serde::Deserialize;

use super::super::exported::{self, Exported};
use super::super::samples::SampleReader;
use super::plugin::{FormatBuilder, FormatPlugin};
use super::prometheus::document;
use crate::units::SimDuration;
use crate::workload::error::TraceError;
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::{TraceOptions, Values};
use crate::workload::time::text::{TimeFormat, TimeReader};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "azure-monitor",
    summary: "Azure Monitor metrics (JSON of `az monitor metrics list` or the REST API): a total in the unit Count is a count",
    source: "Azure Monitor REST API, Metrics - List (MetricValue, Unit, timegrain)",
    build: FormatBuilder {
        recognise: |input, _| {
            let holds = |text: &[u8]| memchr::memmem::find(&input.head, text).is_some();
            input.head.trim_ascii_start().starts_with(b"{") && holds(b"\"timeseries\"") && holds(b"\"timeStamp\"")
        },
        open: |input, options| Ok(Box::new(open(input, options)?)),
    },
};

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    interval: String,
    #[serde(default)]
    value: Vec<Metric>,
}

#[derive(Deserialize)]
struct Metric {
    name: Name,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    timeseries: Vec<Series>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Name {
    value: Option<String>,
    localized_value: Option<String>,
}

#[derive(Deserialize)]
struct Series {
    #[serde(default)]
    data: Vec<Point>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Point {
    time_stamp: String,
    total: Option<f64>,
    count: Option<f64>,
    average: Option<f64>,
    maximum: Option<f64>,
    minimum: Option<f64>,
}

impl Point {
    /// The aggregation with this meaning; if not stated, the only one there is.
    fn value(&self, values: Option<Values>) -> f64 {
        let sums = [self.total, self.count, self.average, self.maximum, self.minimum];
        let means = [self.average, self.maximum, self.minimum, self.total, self.count];
        let wanted = match values {
            Some(Values::Count | Values::Counter) => sums,
            _ => means,
        };
        wanted.into_iter().flatten().next().unwrap_or(f64::NAN)
    }
}

/// The length of an interval in ISO 8601: `PT1M`, `PT6H`, `P1D`.
fn length(text: &str) -> Option<SimDuration> {
    let (digits, unit) = match text.strip_prefix("PT") {
        Some(time) => (time.get(..time.len().checked_sub(1)?)?, time.get(time.len() - 1..)?),
        None => (text.strip_prefix('P')?.strip_suffix('D')?, "D"),
    };
    let seconds = match unit {
        "S" => 1,
        "M" => 60,
        "H" => 3600,
        _ => 86_400,
    };
    let number: u64 = digits.parse().ok().filter(|number| *number <= 10_000)?;
    Some(SimDuration::from_secs(number * seconds))
}

fn open(input: &TraceInput, options: &TraceOptions) -> Result<SampleReader, TraceError> {
    let answer: Answer = document(input)?;
    let step = length(&answer.interval).unwrap_or_default();
    let mut times = TimeReader::new(TimeFormat::Iso, None);
    let mut series = Vec::new();
    for metric in answer.value {
        let names = exported::named([metric.name.value, metric.name.localized_value]);
        let points = || metric.timeseries.iter().flat_map(|series| &series.data);
        let values = match metric.unit.as_str() {
            "Count" if points().any(|point| point.total.is_some()) => Some(Values::Count),
            "CountPerSecond" if points().any(|point| point.average.is_some()) => Some(Values::Rate),
            _ => None,
        };
        let wanted = options.values.or(values);
        for part in &metric.timeseries {
            let point = |point: &Point| (times.read(point.time_stamp.as_bytes()), point.value(wanted));
            let points = part.data.iter().map(point).collect();
            series.push(Exported { names: names.clone(), values, points, step });
        }
    }
    exported::read(input, options, &series, Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_durations() {
        let seconds = |text: &str| length(text).map(|length| length.as_secs_f64());
        assert_eq!(
            ["PT30S", "PT1M", "PT6H", "P1D"].map(seconds),
            [Some(30.0), Some(60.0), Some(21_600.0), Some(86_400.0)]
        );
        assert_eq!(["", "PT", "P", "PTM", "FULL", "PT1\u{e9}"].map(seconds), [None; 6]);
    }
}
