//! Metrics as text: OpenMetrics, the Prometheus exposition format, and the dumps of promtool.

use std::collections::BTreeMap;

use super::super::lines::Lines;
use super::super::samples::{SampleReader, Samples, by_name, choose, meaning};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::units::SimTime;
use crate::workload::error::TraceError;
use crate::workload::reading::open::{TraceInput, head_lines};
use crate::workload::reading::options::{TraceOptions, Values};
use crate::workload::time::text::{TimeFormat, TimeReader};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "openmetrics",
    summary: "OpenMetrics text with times, as `promtool tsdb dump` writes it: counters, rates or levels (`metric:`)",
    source: "OpenMetrics 1.0; Prometheus text exposition format 0.0.4; promtool tsdb dump and dump-openmetrics",
    build: FormatBuilder { recognise, open: |input, options| Ok(Box::new(open(input, options)?)) },
};

/// Maximum number of distinct metrics and series.
const MAX_NAMES: usize = 1 << 16;
const TIMED: &str = "expected a sample with its time: `name{label=\"...\"} value time`";

fn recognise(input: &TraceInput, _: &TraceOptions) -> bool {
    let mut lines = head_lines(input, 50).filter(|line| !line.is_empty() && !line.starts_with(b"#")).peekable();
    // A bare name may start many log lines; labels in braces, or a comment that declares a type, do not.
    let declared = head_lines(input, 50).any(|line| line.starts_with(b"# TYPE "));
    let labelled = |line: &[u8]| memchr::memchr(b'{', line).is_some_and(|at| line[..at].iter().all(|c| is_name(*c)));
    lines.peek().is_some() && lines.all(|line| (declared || labelled(line)) && Line::of(line).is_some())
}

fn is_name(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'_' | b':')
}

/// A parsed sample.
struct Line<'a> {
    /// Name and labels.
    series: &'a [u8],
    name: &'a [u8],
    value: f64,
    /// `None` if the line has no time.
    time: &'a [u8],
}

impl<'a> Line<'a> {
    fn of(line: &'a [u8]) -> Option<Line<'a>> {
        let named = line.iter().position(|c| !is_name(*c))?;
        let (series, name) = match line[named] {
            b'{' => {
                let end = named + closing(&line[named..])?;
                let name = if named == 0 { label(&line[..end], b"__name__=\"")? } else { &line[..named] };
                (&line[..=end], name)
            }
            _ => (&line[..named], &line[..named]),
        };
        let rest = &line[series.len()..];
        // ` # ` starts an OpenMetrics exemplar.
        let rest = memchr::memmem::find(rest, b" # ").map_or(rest, |at| &rest[..at]);
        let mut words = rest.split(|c| matches!(c, b' ' | b'\t')).filter(|word| !word.is_empty());
        let value = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
        let time = words.next().unwrap_or_default();
        (words.next().is_none() && !name.is_empty()).then_some(Line { series, name, value, time })
    }
}

/// Offset of the brace that closes the one at the start of `text`; braces within quotes do not count.
fn closing(text: &[u8]) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.iter().position(|c| {
        let closed = *c == b'}' && !quoted;
        quoted ^= *c == b'"' && !escaped;
        escaped = *c == b'\\' && !escaped;
        closed
    })
}

fn label<'a>(labels: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    let from = memchr::memmem::find(labels, start)? + start.len();
    let length = memchr::memchr(b'"', &labels[from..])?;
    Some(&labels[from..from + length])
}

fn open(input: &TraceInput, options: &TraceOptions) -> Result<SampleReader, TraceError> {
    let mut file =
        Dump { input, options, names: Vec::new(), types: BTreeMap::new(), series: BTreeMap::new(), times: None };
    let mut samples = Samples::default();
    let mut lines = Lines::new(input)?;
    while let Some((number, line)) = lines.next(false)? {
        let line = line.trim_ascii();
        match line.strip_prefix(b"# TYPE ") {
            Some(declared) => file.declare(declared),
            None if line.is_empty() || line.starts_with(b"#") => {}
            None => file.take(&mut samples, number, line)?,
        }
    }
    let chosen = choose(input, options, &file.names)?.to_string();
    let values = meaning(input, options, &chosen, file.known(&chosen))?;
    samples.into_reader(input, options, values)
}

/// State of the reader.
struct Dump<'a> {
    input: &'a TraceInput,
    options: &'a TraceOptions,
    /// The metrics in order of appearance.
    names: Vec<String>,
    types: BTreeMap<String, String>,
    /// Indices of the series of the selected metric: the requested one, or the first.
    series: BTreeMap<Vec<u8>, usize>,
    times: Option<TimeReader>,
}

impl Dump<'_> {
    fn declare(&mut self, declared: &[u8]) {
        let text = String::from_utf8_lossy(declared);
        if let Some((name, kind)) = text.split_once(' ')
            && self.types.len() < MAX_NAMES
        {
            self.types.insert(name.to_string(), kind.trim().to_string());
        }
    }

    /// Adds a sample if it belongs to the selected metric.
    fn take(&mut self, samples: &mut Samples, number: u64, text: &[u8]) -> Result<(), TraceError> {
        let Some(line) = Line::of(text) else {
            samples.spoilt(number, 1, format!("{TIMED}, found `{}`", excerpt(text)));
            return Ok(());
        };
        let name = String::from_utf8_lossy(line.name);
        if self.names.last().is_none_or(|last| *last != name) && !self.names.iter().any(|known| *known == name) {
            self.names.push(name.to_string());
        }
        let too_many = self.names.len() > MAX_NAMES || self.series.len() > MAX_NAMES;
        if too_many {
            let message = format!("holds more than {MAX_NAMES} metrics or series");
            return Err(TraceError::new(self.input.name.as_str(), message).line(number).help("dump fewer of them"));
        }
        let wanted = self.options.metric.as_ref().or(self.names.first());
        if wanted.is_none_or(|wanted| *wanted != name) {
            samples.passed_over();
            return Ok(());
        }
        let Some(time) = self.time(&line, text) else {
            samples.spoilt(number, 1, format!("{TIMED}, found `{}`", excerpt(text)));
            return Ok(());
        };
        let series = match self.series.get(line.series) {
            Some(series) => *series,
            None => *self.series.entry(line.series.to_vec()).or_insert(samples.begin()),
        };
        samples.add(self.input, series, time, line.value)
    }

    /// `promtool tsdb dump`, whose lines begin with a brace, and the older format write milliseconds, OpenMetrics
    /// seconds.
    fn time(&mut self, line: &Line<'_>, text: &[u8]) -> Option<SimTime> {
        let digits = line.time.iter().take_while(|c| c.is_ascii_digit()).count();
        let millis = text.starts_with(b"{") || (digits == line.time.len() && digits > 11);
        let stated = self.options.time_format;
        let reader = self.times.get_or_insert_with(|| {
            TimeReader::new(stated.unwrap_or(if millis { TimeFormat::Millis } else { TimeFormat::Seconds }), None)
        });
        reader.read(line.time)
    }

    /// The kind of values, from the metric's type or else its name. The buckets of a histogram overlap and are not one
    /// count.
    fn known(&self, metric: &str) -> Option<Values> {
        let family = ["_total", "_count", "_sum", "_bucket", "_created"];
        let family = family.iter().find_map(|ending| metric.strip_suffix(ending));
        let kind = self.types.get(metric).or_else(|| self.types.get(family?)).map(String::as_str);
        match kind {
            Some("counter") => Some(Values::Counter),
            Some("gauge") => Some(Values::Level),
            _ => by_name(metric),
        }
    }
}

fn excerpt(text: &[u8]) -> String {
    let dots = if text.len() > 40 { "..." } else { "" };
    String::from_utf8_lossy(&text[..text.len().min(40)]).escape_debug().to_string() + dots
}
