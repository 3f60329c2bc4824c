//! Turns the rows of a file into a stream of requests.

use std::sync::Arc;

use super::expand::{Expansion, Intervals, Model};
use super::joined::Joined;
use super::once::OncePerSession;
use super::order::Ordered;
use super::trace_files::TraceFiles;
use crate::random::Purpose;
use crate::units::{SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::reading::formats::plugin::FormatPlugin;
use crate::workload::reading::formats::{FORMATS, recognise};
use crate::workload::reading::header::{Header, delimiter, listed};
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::{Absent, TraceOptions};
use crate::workload::reading::outliers::Outliers;
use crate::workload::reading::prefixes::Prefixes;
use crate::workload::reading::rows::{RowCounts, RowReader, Rows, SeriesKind};
use crate::workload::recipe::{Opening, Recipe};
use crate::workload::source::TraceSource;
use crate::workload::time::text::show_instant_in;
use crate::workload::time::zone::Zone;

/// A trace file and its options.
#[derive(Debug, Clone)]
pub(crate) struct FileRecipe {
    pub(crate) files: TraceFiles,
    pub(crate) options: TraceOptions,
    /// Factor on counts and levels before they are expanded.
    pub(crate) factor: f64,
}

impl FileRecipe {
    /// Notices for readers of a report; see `WorkloadSpec::notices`.
    pub(crate) fn notices(&self) -> Result<Vec<String>, TraceError> {
        let (_, rows) = open_rows(&self.files, &self.options)?;
        let zero = rows.start_epoch_ns();
        let zone = self.options.time_zone.unwrap_or(Zone::UTC);
        let at = move |offset: SimDuration| match zero {
            Some(zero) => show_instant_in(zero.saturating_add(offset.as_nanos()), zone),
            None => offset.to_string(),
        };
        let kind = rows.ordered.reader.facts().kind;
        if kind == SeriesKind::Arrivals {
            return notices_of_arrivals(rows, at);
        }
        let model = match kind {
            SeriesKind::Levels => Model::level(&self.options),
            _ => Model::of(&rows, &self.options, 1.0)?,
        };
        let step = model.interval();
        let mut intervals = Intervals::new(rows, model);
        while intervals.next()?.is_some() {}
        let mut said = intervals.rows.tally().notices();
        said.extend(intervals.rows.ordered.told());
        said.extend(intervals.shared_told());
        let filled = self.options.gaps == Some(Absent::Interpolate);
        said.extend(intervals.holes().told(step, filled, at));
        Ok(said)
    }
}

fn notices_of_arrivals(mut rows: OrderedRows, at: impl Fn(SimDuration) -> String) -> Result<Vec<String>, TraceError> {
    let mut pauses = Pauses::from(rows.origin);
    while rows.ready()? {
        let times = &rows.rows.requests.arrivals[rows.cursor..];
        times.iter().take_while(|time| **time < rows.end).for_each(|time| pauses.see(*time));
        rows.cursor = rows.rows.len();
    }
    let mut said = rows.tally().notices();
    said.extend(rows.ordered.told());
    said.extend(rows.outliers.told());
    said.extend(pauses.told(rows.tally().rows, at));
    Ok(said)
}

/// The longest time without an arrival, of arrivals in order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pauses {
    pub(crate) first: SimTime,
    last: SimTime,
    /// Its length, and the time that it follows.
    widest: (SimDuration, SimTime),
}

impl Pauses {
    pub(crate) fn from(first: SimTime) -> Self {
        Pauses { first, last: first, widest: (SimDuration::ZERO, first) }
    }

    #[inline]
    pub(crate) fn see(&mut self, time: SimTime) {
        let pause = time.since(self.last);
        if pause > self.widest.0 {
            self.widest = (pause, self.last);
        }
        self.last = time;
    }

    /// A period without requests longer than half of the trace is not an ordinary pause.
    pub(crate) fn told(&self, rows: u64, at: impl Fn(SimDuration) -> String) -> Option<String> {
        let (pause, from) = self.widest;
        let long = pause.as_nanos() > self.last.since(self.first).as_nanos() / 2;
        let told = long && (rows > 10 || pause > crate::workload::reading::outliers::ANY_GAP);
        told.then(|| {
            let from = at(from.since(self.first));
            format!("nothing comes for {pause} from {from} on, longer than all the rest of the trace")
        })
    }
}

impl Recipe for FileRecipe {
    fn open(&self, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        let (_, rows) = open_rows(&self.files, &self.options)?;
        if rows.ordered.reader.facts().kind == SeriesKind::Arrivals {
            if self.options.gaps.is_some() {
                let error =
                    TraceError::new(rows.name.as_str(), "holds single requests, of which no step can be missing");
                return Err(error.help("leave `gaps:` out; it is for counts and rates"));
            }
            return Ok(Box::new(Replay { rows }));
        }
        let model = Model::of(&rows, &self.options, self.factor)?;
        Ok(Box::new(Expansion::new(rows, model, opening.draw(Purpose::Expansion, 0))))
    }

    /// Counts and levels are multiplied before they are expanded. Thinning is exact, so this is only needed for factors
    /// above one: a count cannot be reduced to a fraction of a request.
    fn scaled(&self, factor: f64) -> Option<Arc<dyn Recipe>> {
        let (_, rows) = open_rows(&self.files, &self.options).ok()?;
        let kind = rows.ordered.reader.facts().kind;
        let exact = kind == SeriesKind::Levels || (kind == SeriesKind::Counts && factor >= 1.0);
        exact.then(|| Arc::new(FileRecipe { factor: self.factor * factor, ..self.clone() }) as Arc<dyn Recipe>)
    }
}

/// Formats that use `metric:` and `values:`.
const READ_METRICS: [&str; 15] = [
    "prometheus",
    "openmetrics",
    "cloudwatch",
    "grafana",
    "gcp-monitoring",
    "azure-monitor",
    "datadog",
    "console",
    "new-relic",
    "k6",
    "locust",
    "vm-usage",
    "jsonl",
    "tsv",
    "csv",
];

/// Formats that ignore `include:` and `exclude:`: responses of monitoring systems, in which the query selects.
const UNFILTERED: [&str; 9] = [
    "prometheus",
    "openmetrics",
    "cloudwatch",
    "grafana",
    "gcp-monitoring",
    "azure-monitor",
    "datadog",
    "console",
    "azure-functions-2019",
];

/// Opens the reader for the files; several are read as one.
pub(crate) fn open_reader(
    files: &TraceFiles,
    options: &TraceOptions,
) -> Result<(&'static FormatPlugin, Box<dyn RowReader>), TraceError> {
    let mut inputs = files.inputs()?;
    match inputs.pop() {
        Some(input) if inputs.is_empty() => open_one(&input, options),
        last => Joined::open(inputs.into_iter().chain(last).collect(), options),
    }
}

/// Opens the reader for a file: the one named, or the first that recognises the content.
pub(super) fn open_one(
    input: &TraceInput,
    options: &TraceOptions,
) -> Result<(&'static FormatPlugin, Box<dyn RowReader>), TraceError> {
    let behind = Prefixes::taken_off(input, options);
    if options.year.is_none()
        && behind.as_ref().and_then(|input| input.prefixes.as_ref()).is_some_and(Prefixes::takes_time_without_year)
    {
        let message = "the times are those of syslog, which does not write the year; expected to be told it";
        return Err(TraceError::new(input.name.as_str(), message)
            .help("state that of the first line, for example `year: 2026`"));
    }
    let input = behind.as_ref().unwrap_or(input);
    let plugin = match &options.format {
        Some(name) => FORMATS.iter().find(|plugin| plugin.name == name).ok_or_else(|| {
            TraceError::new(input.name.as_str(), format!("`{name}` is not a trace format"))
                .help("see `plimsoll list formats`")
        })?,
        None => {
            recognise(input, options).ok_or_else(|| input.damage.clone().unwrap_or_else(|| unknown(input, options)))?
        }
    };
    if (options.metric.is_some() || options.values.is_some()) && !READ_METRICS.contains(&plugin.name) {
        let message = format!("is read as `{}`, of which `metric:` and `values:` say nothing", plugin.name);
        return Err(TraceError::new(input.name.as_str(), message)
            .help(format!("leave them out; they are for {}", READ_METRICS.join(", "))));
    }
    // Readers of text apply them, or report that they do not.
    if !options.filter.is_empty() && UNFILTERED.contains(&plugin.name) {
        let message = format!("is read as `{}`, to which `include:` and `exclude:` are not applied", plugin.name);
        return Err(TraceError::new(input.name.as_str(), message).help("choose in the query what is exported"));
    }
    let reader = (plugin.build.open)(input, options)?;
    if options.columns.once_per.is_none() {
        return Ok((plugin, reader));
    }
    let error = |message: &str| TraceError::new(input.name.as_str(), message);
    match reader.facts().kind {
        SeriesKind::Arrivals => Ok((plugin, Box::new(OncePerSession::new(reader, &input.name)))),
        _ => Err(error("`once-per` is for arrivals; these rows are counts or levels").help("leave `once-per` out")),
    }
}

/// The error for a file that no format recognises; describes its columns if it looks like a table.
fn unknown(input: &TraceInput, options: &TraceOptions) -> TraceError {
    let error = TraceError::new(input.name.as_str(), "the format is not recognised; expected one of the known formats");
    let names = Header::of(input, delimiter(input, options)).names;
    if names.len() > 1 {
        return error.help(format!(
            "if it is a table, name its column of times with `columns: {{ time: ... }}`: {}",
            listed(&names)
        ));
    }
    error.help("name it with `format:`; for a table, name its columns with `columns:`")
}

/// Opens a file as ordered rows with times from the origin.
pub(crate) fn open_rows(
    files: &TraceFiles,
    options: &TraceOptions,
) -> Result<(&'static FormatPlugin, OrderedRows), TraceError> {
    let (plugin, reader) = open_reader(files, options)?;
    let name = files.name();
    let zero = reader.facts().zero_epoch_ns;
    if (options.start.is_some() || options.end.is_some()) && zero.is_none() {
        let message = "the trace's times are relative; `start` and `end` need dates";
        return Err(TraceError::new(name, message).help("use the transform `window: { from, to }`"));
    }
    // `start` and `end` are dates; the times of rows count from the zero of the clock.
    let bound = |instant: Option<u64>| instant.map(|ns| SimTime::from_nanos(ns.saturating_sub(zero.unwrap_or(0))));
    let stated = reader.facts().origin;
    let reorder = if reader.facts().unordered { SimDuration::MAX } else { options.reorder };
    let mut rows = OrderedRows {
        ordered: Ordered::new(reader, &name, reorder),
        name,
        rows: Rows::default(),
        cursor: 0,
        origin: SimTime::ZERO,
        end: bound(options.end).unwrap_or(SimTime::MAX),
        newest: None,
        outliers: Outliers::default(),
    };
    rows.skip_to(bound(options.start))?;
    rows.origin = match (bound(options.start), stated) {
        (Some(start), _) => start,
        (None, Some(origin)) => origin,
        (None, None) => rows.rows.requests.arrivals[rows.cursor],
    };
    Ok((plugin, rows))
}

/// Ordered rows with a cursor, from the origin to the end.
pub(crate) struct OrderedRows {
    pub(crate) ordered: Ordered,
    pub(super) name: String,
    pub(crate) rows: Rows,
    pub(crate) cursor: usize,
    pub(crate) origin: SimTime,
    pub(crate) end: SimTime,
    /// Time of the last row returned.
    newest: Option<SimTime>,
    outliers: Outliers,
}

impl OrderedRows {
    /// Moves the cursor to the first row at or after `start`.
    fn skip_to(&mut self, start: Option<SimTime>) -> Result<(), TraceError> {
        self.ordered.read(&mut self.rows)?;
        if start.is_none() {
            self.weigh()?;
        }
        if self.rows.is_empty() {
            return Err(TraceError::new(self.name.as_str(), "holds no rows; expected a trace"));
        }
        if let Some(start) = start {
            loop {
                self.cursor = self.rows.requests.arrivals.partition_point(|time| *time < start);
                if self.cursor < self.rows.len() {
                    break;
                }
                self.ordered.read(&mut self.rows)?;
                if self.rows.is_empty() {
                    return Err(TraceError::new(self.name.as_str(), "has no rows at or after `start`"));
                }
            }
            self.weigh()?;
        }
        if self.rows.requests.arrivals[self.cursor] >= self.end {
            return Err(TraceError::new(self.name.as_str(), "has no rows between `start` and `end`"));
        }
        Ok(())
    }

    /// Rejects rows that no real trace has: beyond the length stated in the file, or so far from all others that this
    /// row would dominate the run.
    fn weigh(&mut self) -> Result<(), TraceError> {
        let reader = &self.ordered.reader;
        if let Some(extent) = reader.facts().extent {
            let end = reader.facts().origin.unwrap_or_default() + extent;
            let within = self.rows.requests.arrivals.partition_point(|time| *time < end);
            if within < self.rows.len() {
                let message = format!("lies behind the length of {extent} that the file states");
                return Err(TraceError::new(self.name.as_str(), message)
                    .line(self.rows.place(within))
                    .help("correct `extent_ns`, or convert the trace again"));
            }
        }
        let dated = reader.facts().zero_epoch_ns;
        self.outliers.see(&self.rows, self.cursor, self.end, dated).map_err(|outlier| outlier.error(&self.name))
    }

    /// Ensures that there is a row at the cursor, reading more if necessary; `false` at the end of the file.
    fn load(&mut self) -> Result<bool, TraceError> {
        if self.cursor == self.rows.len() && !self.rows.is_empty() {
            self.newest = self.rows.requests.arrivals.last().copied();
            self.ordered.read(&mut self.rows)?;
            self.cursor = 0;
            self.weigh()?;
        }
        Ok(self.cursor < self.rows.len())
    }

    /// Ensures that there is a row before the end at the cursor; `false` if there is none.
    pub(crate) fn ready(&mut self) -> Result<bool, TraceError> {
        Ok(self.load()? && self.rows.requests.arrivals[self.cursor] < self.end)
    }

    /// Time and value of the row at the cursor, even beyond the end.
    pub(super) fn peek(&mut self) -> Result<Option<(SimTime, f64)>, TraceError> {
        let found = self.load()?;
        Ok(found.then(|| (self.rows.requests.arrivals[self.cursor], self.rows.values[self.cursor])))
    }

    /// The length of the trace, once it was read completely.
    fn extent_read(&self) -> Option<SimDuration> {
        if self.end != SimTime::MAX {
            return Some(self.end.since(self.origin));
        }
        let ended = self.rows.is_empty();
        self.newest.filter(|_| ended).map(|last| last.since(self.origin) + SimDuration::from_nanos(1))
    }

    /// The length of the trace: as stated by the file or the options, or once it was read completely.
    pub(super) fn extent(&self) -> Option<SimDuration> {
        let stated = self.ordered.reader.facts().extent.filter(|_| self.end == SimTime::MAX);
        // The length in the file counts from its own origin, not from a later `start`.
        let skipped = self.origin.since(self.ordered.reader.facts().origin.unwrap_or_default());
        stated.map(|extent| extent - skipped).or_else(|| self.extent_read())
    }

    pub(crate) fn start_epoch_ns(&self) -> Option<u64> {
        self.ordered.reader.facts().zero_epoch_ns.map(|zero| zero.saturating_add(self.origin.as_nanos()))
    }

    pub(super) fn tally(&self) -> &RowCounts {
        self.ordered.reader.tally()
    }
}

/// Recorded arrivals, unchanged.
struct Replay {
    rows: OrderedRows,
}

impl TraceSource for Replay {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        if !self.rows.ready()? {
            return Ok(());
        }
        let requests = &self.rows.rows.requests;
        let from = self.rows.cursor;
        let mut to = requests.len().min(from + RequestBatch::TARGET_LEN);
        if requests.arrivals[to - 1] >= self.rows.end {
            to = requests.arrivals.partition_point(|time| *time < self.rows.end);
        }
        let before = batch.len();
        batch.append_range(requests, from..to);
        let origin = self.rows.origin.as_nanos();
        for time in &mut batch.arrivals[before..] {
            *time = SimTime::from_nanos(time.as_nanos() - origin);
        }
        self.rows.cursor = to;
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        self.rows.extent()
    }

    fn start_epoch_ns(&self) -> Option<u64> {
        self.rows.start_epoch_ns()
    }

    fn class_names(&self) -> &[String] {
        self.rows.ordered.reader.class_names()
    }

    fn tally(&self) -> Option<&RowCounts> {
        Some(self.rows.tally())
    }
}
