//! Grafana's data frames, from its query inspector or its API.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::exported::{self, Exported};
use super::super::samples::SampleReader;
use super::plugin::{FormatBuilder, FormatPlugin};
use super::prometheus::{document, from_seconds};
use crate::workload::error::TraceError;
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::{TraceOptions, Values};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "grafana",
    summary: "Grafana data frames (JSON of the query or panel inspector, /api/ds/query): a series per field (`metric:`, `values:`)",
    source: "Grafana, Data frames (data plane contract, time series); HTTP API, POST /api/ds/query",
    build: FormatBuilder {
        recognise: |input, _| {
            let holds = |text: &str| memchr::memmem::find(&input.head, text.as_bytes()).is_some();
            let head = input.head.trim_ascii_start();
            let frames = holds("\"schema\"") && holds("\"fields\"");
            let panel = holds("\"series\"") && holds("\"fields\"") && holds("\"time\"");
            match head.first() {
                Some(b'{') => panel || frames && (holds("\"frames\"") || holds("\"data\"")),
                Some(b'[') => frames,
                _ => false,
            }
        },
        open: |input, options| Ok(Box::new(open(input, options)?)),
    },
};

/// Units in which Grafana shows requests per second.
const PER_SECOND: [&str; 6] = ["reqps", "rps", "cps", "ops", "iops", "wps"];

#[derive(Deserialize, Default)]
struct Answers {
    #[serde(default)]
    results: BTreeMap<String, Answer>,
    #[serde(default)]
    frames: Vec<Frame>,
    #[serde(default)]
    series: Vec<Frame>,
    schema: Option<Schema>,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    frames: Vec<Frame>,
    error: Option<String>,
}

/// A frame as returned by the API, with columns next to their schema, or as stored in a panel, with each column in its
/// field.
#[derive(Deserialize)]
struct Frame {
    schema: Option<Schema>,
    data: Option<Data>,
    name: Option<String>,
    #[serde(default)]
    fields: Vec<Field>,
}

#[derive(Deserialize)]
struct Schema {
    name: Option<String>,
    #[serde(default)]
    fields: Vec<Field>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    values: Vec<Vec<Cell>>,
}

#[derive(Deserialize)]
struct Field {
    #[serde(default)]
    name: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    config: Option<Config>,
    #[serde(default)]
    values: Vec<Cell>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    display_name: Option<String>,
    #[serde(rename = "displayNameFromDS")]
    display_name_of_source: Option<String>,
    unit: Option<String>,
}

/// A number; anything else counts as no value.
struct Cell(f64);

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a field")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Cell, E> {
        Ok(Cell(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Cell, E> {
        Ok(Cell(number as f64))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Cell, E> {
        Ok(Cell(number as f64))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Cell, E> {
        Ok(Cell(text.parse().unwrap_or(f64::NAN)))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Cell, E> {
        Ok(Cell(f64::NAN))
    }

    fn visit_unit<E: Error>(self) -> Result<Cell, E> {
        Ok(Cell(f64::NAN))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Cell, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Cell(f64::NAN))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cell(f64::NAN))
    }
}

fn open(input: &TraceInput, options: &TraceOptions) -> Result<SampleReader, TraceError> {
    let fail = |message: String, help: &str| TraceError::new(input.name.as_str(), message).help(help);
    let mut frames: Vec<Frame> = Vec::new();
    if input.head.trim_ascii_start().starts_with(b"[") {
        frames = document(input)?;
    } else {
        let answers: Answers = document(input)?;
        for (query, answer) in answers.results {
            if let Some(error) = answer.error {
                return Err(fail(format!("query {query} failed: {error}"), "mend the query and export its data again"));
            }
            frames.extend(answer.frames);
        }
        frames.extend(answers.frames.into_iter().chain(answers.series));
        if let (Some(schema), Some(data)) = (answers.schema, answers.data) {
            frames.push(Frame { schema: Some(schema), data: Some(data), name: None, fields: Vec::new() });
        }
    }
    let mut series = Vec::new();
    for frame in frames {
        let (name, fields) = parts(frame);
        if let Some(text) = long_form(&fields) {
            return Err(fail(
                format!("holds a frame in long form, with the text `{text}` beside its values"),
                "apply the transformation \"Prepare time series\" (multi-frame), and export again",
            ));
        }
        series.extend(series_of(name, fields));
    }
    if series.is_empty() {
        return Err(fail(
            "holds no frame with a field of times and one of numbers".into(),
            "export the data of a panel that shows a time series",
        ));
    }
    exported::read(input, options, &series, Vec::new())
}

/// The frame's name and its fields with their values.
fn parts(frame: Frame) -> (Option<String>, Vec<Field>) {
    let Some(schema) = frame.schema else { return (frame.name, frame.fields) };
    let columns = frame.data.map(|data| data.values).unwrap_or_default();
    let fields = schema.fields.into_iter().zip(columns).map(|(field, values)| Field { values, ..field });
    (schema.name, fields.collect())
}

/// The text field that divides the rows of a frame into several series.
fn long_form(fields: &[Field]) -> Option<&str> {
    let times = fields.iter().filter(|field| field.kind == "time").count();
    let text = fields.iter().find(|field| field.kind == "string")?;
    (times == 1 && fields.iter().any(|field| field.kind == "number")).then_some(text.name.as_str())
}

/// Each numeric field over the time field.
fn series_of(frame: Option<String>, fields: Vec<Field>) -> Vec<Exported> {
    let Some(times) = fields.iter().find(|field| field.kind == "time") else { return Vec::new() };
    let times: Vec<_> =
        times.values.iter().map(|time| time.0.is_finite().then(|| from_seconds(time.0 / 1000.0))).collect();
    let numbers = fields.into_iter().filter(|field| field.kind == "number");
    let exported = numbers.map(|field| {
        let Field { name, labels, config, values, .. } = field;
        let labels = labels.filter(|labels| !labels.is_empty()).map(|labels| {
            let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{name}{{{}}}", labels.join(","))
        });
        let (shown, of_source, unit) = match config {
            Some(config) => (config.display_name, config.display_name_of_source, config.unit),
            None => (None, None, None),
        };
        let rate = unit.is_some_and(|unit| PER_SECOND.contains(&unit.as_str()));
        let names = exported::named([shown, of_source, labels, Some(name), frame.clone()]);
        let points = times.iter().zip(values).map(|(time, Cell(value))| (*time, value)).collect();
        Exported { names, values: rate.then_some(Values::Rate), points, ..Exported::default() }
    });
    exported.collect()
}
