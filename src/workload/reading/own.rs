//! Plimsoll's own trace format: every other format can be converted to it, and it replays fastest.
//!
//! | column | Parquet type | meaning |
//! |---|---|---|
//! | `offset_ns` | Int64 | nanoseconds since the trace's start, never decreasing; counts: start of the interval |
//! | `count` | Float64 | counts only: requests from here to the next row, or to the end of the interval if that is earlier |
//! | `demand_ns` | Int64 | service demand of the request (optional) |
//! | `tokens_in`, `tokens_out` | UInt32 | tokens of the request (optional) |
//! | `class` | UInt32 | class of the request, an index into the names under the key `classes` (optional) |
//!
//! A file also has these facts, as key-value metadata in Parquet and as comment lines before the header in CSV:
//! `plimsoll-trace` (version, 1), `kind` (`arrivals` or `counts`), `start` (wall-clock time of offset zero, if known),
//! `extent_ns` (length of the trace), `interval_ns` (counts: length of an interval), `classes` (JSON list of names).
//! The CSV variant writes class names and may be compressed; it can be read without Parquet support.

use std::io::{self, Write};

use super::open::TraceInput;
use super::rows::SeriesKind;
use crate::units::SimDuration;
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::time::text::{parse_instant, show_instant};

/// The facts about a trace in Plimsoll's own format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnFacts {
    pub(crate) kind: SeriesKind,
    pub(crate) start: Option<u64>,
    pub(crate) extent: Option<SimDuration>,
    pub(crate) interval: Option<SimDuration>,
    pub(crate) classes: Vec<String>,
}

/// The first key, by which the format is recognised.
pub(super) const MARK: &str = "plimsoll-trace";
pub(super) const OFFSET: &str = "offset_ns";
pub(super) const COUNT: &str = "count";
pub(super) const DEMAND: &str = "demand_ns";
pub(super) const TOKENS_IN: &str = "tokens_in";
pub(super) const TOKENS_OUT: &str = "tokens_out";
pub(super) const CLASS: &str = "class";

impl OwnFacts {
    /// The facts as keys and values.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = vec![(MARK.to_string(), "1".to_string()), ("kind".into(), self.kind.name().into())];
        let mut add = |key: &str, value: Option<String>| pairs.extend(value.map(|value| (key.to_string(), value)));
        add("start", self.start.map(show_instant));
        add("extent_ns", self.extent.map(|extent| extent.as_nanos().to_string()));
        add("interval_ns", self.interval.map(|interval| interval.as_nanos().to_string()));
        let names = (!self.classes.is_empty()).then(|| serde_json::Value::from(self.classes.clone()).to_string());
        add("classes", names);
        pairs
    }

    /// Reads the facts; unknown keys are ignored.
    ///
    /// # Errors
    /// If a value is invalid, or the version is a later one.
    pub(super) fn of_pairs<'a>(
        file: &str,
        pairs: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<OwnFacts, TraceError> {
        let mut facts =
            OwnFacts { kind: SeriesKind::Arrivals, start: None, extent: None, interval: None, classes: Vec::new() };
        for (key, value) in pairs {
            let known = match key {
                MARK => value == "1",
                "kind" => match value {
                    "arrivals" => true,
                    "counts" => {
                        facts.kind = SeriesKind::Counts;
                        true
                    }
                    _ => false,
                },
                "start" => set(&mut facts.start, parse_instant(value)),
                "extent_ns" => set(&mut facts.extent, value.parse().ok().map(SimDuration::from_nanos)),
                "interval_ns" => {
                    set(&mut facts.interval, value.parse().ok().filter(|n| *n > 0).map(SimDuration::from_nanos))
                }
                "classes" => serde_json::from_str(value).map(|names| facts.classes = names).is_ok(),
                _ => true,
            };
            if !known {
                let message = format!("`{key}` is `{value}`, which this version does not understand");
                return Err(TraceError::new(file, message).help("convert the trace again"));
            }
        }
        Ok(facts)
    }
}

fn set<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
    *slot = value;
    slot.is_some()
}

/// The comment lines `# key: value` at the start of a text.
pub(super) fn comment_pairs(input: &TraceInput) -> Vec<(String, String)> {
    let lines = input.head.split(|c| *c == b'\n').take_while(|line| line.starts_with(b"#"));
    let pair = |line: &[u8]| {
        let text = String::from_utf8_lossy(&line[1..]).into_owned();
        text.split_once(':').map(|(key, value)| (key.trim().to_string(), value.trim().to_string()))
    };
    lines.filter_map(pair).collect()
}

/// The optional columns of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct OwnColumns {
    pub(super) demand: bool,
    pub(super) tokens_in: bool,
    pub(super) tokens_out: bool,
    pub(super) class: bool,
}

impl OwnColumns {
    pub(crate) fn of(batch: &RequestBatch) -> Self {
        OwnColumns {
            demand: !batch.demands.is_empty(),
            tokens_in: !batch.tokens_in.is_empty(),
            tokens_out: !batch.tokens_out.is_empty(),
            class: !batch.classes.is_empty(),
        }
    }
}

/// Writes a trace in one of the variants of the format.
pub(crate) trait OwnWriter {
    /// Appends requests.
    fn requests(&mut self, batch: &RequestBatch) -> io::Result<()>;
    /// Appends counts: offsets in nanoseconds and values.
    fn counts(&mut self, offsets: &[u64], counts: &[f64]) -> io::Result<()>;
    /// Writes buffered rows, and the end of the file.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// A stream that writes its own end of file.
pub(crate) trait Packed: Write {
    fn finish(self: Box<Self>) -> io::Result<()>;
}

impl Packed for io::BufWriter<std::fs::File> {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.flush()
    }
}

impl<W: Write> Packed for flate2::write::GzEncoder<W> {
    fn finish(self: Box<Self>) -> io::Result<()> {
        (*self).finish()?.flush()
    }
}

impl<W: Write> Packed for zstd::stream::write::Encoder<'_, W> {
    fn finish(self: Box<Self>) -> io::Result<()> {
        (*self).finish()?.flush()
    }
}

/// The CSV variant.
pub(crate) struct CsvWriter {
    stream: Box<dyn Packed>,
    classes: Vec<String>,
    text: Vec<u8>,
}

impl CsvWriter {
    pub(crate) fn new(
        mut stream: Box<dyn Packed>,
        facts: &OwnFacts,
        columns: OwnColumns,
        notes: &[String],
    ) -> io::Result<Self> {
        for (key, value) in facts.pairs().iter().filter(|(key, _)| key != "classes") {
            writeln!(stream, "# {key}: {value}")?;
        }
        for note in notes {
            writeln!(stream, "# note: {note}")?;
        }
        let optional = [
            (facts.kind == SeriesKind::Counts, COUNT),
            (columns.demand, DEMAND),
            (columns.tokens_in, TOKENS_IN),
            (columns.tokens_out, TOKENS_OUT),
            (columns.class, CLASS),
        ];
        let names: Vec<&str> =
            std::iter::once(OFFSET).chain(optional.iter().filter(|(has, _)| *has).map(|(_, name)| *name)).collect();
        writeln!(stream, "{}", names.join(","))?;
        Ok(CsvWriter { stream, classes: facts.classes.clone(), text: Vec::new() })
    }

    fn put(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.text)?;
        self.text.clear();
        Ok(())
    }
}

impl OwnWriter for CsvWriter {
    fn requests(&mut self, batch: &RequestBatch) -> io::Result<()> {
        let text = &mut self.text;
        for (row, time) in batch.arrivals.iter().enumerate() {
            write!(text, "{}", time.as_nanos())?;
            match batch.demands.get(row) {
                Some(&RequestBatch::UNKNOWN) => text.push(b','),
                Some(demand) => write!(text, ",{}", demand.as_nanos())?,
                None => {}
            }
            for tokens in [batch.tokens_in.get(row), batch.tokens_out.get(row)].into_iter().flatten() {
                write!(text, ",{tokens}")?;
            }
            if let Some(class) = batch.classes.get(row) {
                let name = self.classes.get(usize::from(*class)).map_or("", String::as_str);
                if name.contains(['"', ',', '\n', '\r']) {
                    write!(text, ",\"{}\"", name.replace('"', "\"\""))?;
                } else {
                    write!(text, ",{name}")?;
                }
            }
            text.push(b'\n');
        }
        self.put()
    }

    fn counts(&mut self, offsets: &[u64], counts: &[f64]) -> io::Result<()> {
        for (offset, count) in offsets.iter().zip(counts) {
            writeln!(self.text, "{offset},{count}")?;
        }
        self.put()
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.stream.finish()
    }
}
