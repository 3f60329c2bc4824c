//! Converts any trace to Plimsoll's own format.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use super::batch::RequestBatch;
use super::error::TraceError;
use super::reading::options::TraceOptions;
use super::reading::own::{CsvWriter, OwnColumns, OwnFacts, OwnWriter, Packed};
use super::reading::rows::{RowCounts, SeriesKind};
use super::recipe::{Opening, Recipe};
use super::replay::arrivals::{FileRecipe, open_rows};
use super::replay::expand::{Intervals, Model};
use super::replay::trace_files::TraceFiles;
use super::source::TraceSource;
use super::spec::WorkloadSpec;
use crate::random::Streams;
use crate::units::SimDuration;

/// Options of a conversion.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConvertOptions {
    /// If set, writes counts per interval of this length instead of single arrivals.
    pub counts: Option<SimDuration>,
    /// Notes stored in the file: origin, licence. A CSV file begins with them.
    pub notes: Vec<String>,
}

/// The result of a conversion.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    /// The kind of rows.
    pub kind: SeriesKind,
    /// Number of rows written.
    pub rows: u64,
    /// Number of requests that they represent.
    pub requests: f64,
    /// Length of the trace.
    pub extent: SimDuration,
    /// Size of the file.
    pub bytes: u64,
    /// Rows of the source: used, skipped and invalid.
    pub tally: RowCounts,
}

/// Writes the trace `from` to `to` in Plimsoll's own format: Parquet for `.parquet`, else CSV, compressed according to
/// the extension (`.csv`, `.csv.gz`, `.csv.zst`). The file appears only when it is complete. Levels are converted to
/// counts by the model in `options`.
///
/// # Errors
/// If the source cannot be read, the extension is unknown, or the file cannot be written.
pub fn convert(
    from: &TraceFiles,
    options: &TraceOptions,
    to: &Path,
    how: &ConvertOptions,
) -> Result<Converted, TraceError> {
    write_twice(&from.name(), to, &how.notes, &mut |sink| feed(from, options, how, sink))
}

/// Writes the requests of a workload (a trace or a generator with its transforms) under `streams` to `to`, like
/// [`convert`]. Counts and levels are expanded to single arrivals.
///
/// # Errors
/// Those of [`convert`]; also if the workload has no end.
pub fn write_workload(
    spec: &WorkloadSpec,
    streams: Streams,
    to: &Path,
    how: &ConvertOptions,
) -> Result<Converted, TraceError> {
    if spec.clients().is_some() {
        let error = TraceError::new("the workload", "is a closed loop, whose requests depend on the responses");
        return Err(error.help("name it in a scenario; there is no trace of it before a run"));
    }
    if spec.extent(SimDuration::MAX)?.is_none() {
        let error = TraceError::new("the workload", "has no end");
        return Err(error.help("state `for:`, `--duration` or a `window`"));
    }
    write_twice("the workload", to, &how.notes, &mut |sink| {
        let mut source = spec.open(streams, 0)?;
        match how.counts {
            None => feed_requests(&mut *source, sink)?,
            Some(interval) => feed_counted(&mut *source, interval, sink)?,
        }
        Ok(source.tally().cloned().unwrap_or_default())
    })
}

/// The header of a file (length, columns, classes) is only known at the end, so `feed` is called twice: once for the
/// facts and once for the rows.
fn write_twice(
    name: &str,
    to: &Path,
    notes: &[String],
    feed: &mut dyn FnMut(&mut dyn Sink) -> Result<RowCounts, TraceError>,
) -> Result<Converted, TraceError> {
    let form = Form::of(to)?;
    let mut first = Facts::default();
    let tally = feed(&mut first)?;
    let facts = first.finish(name)?;
    let part = part_path(to);
    let fail = |error: io::Error| TraceError::new(to.display().to_string(), format!("cannot be written: {error}"));
    let written = (|| {
        let mut writer = form.writer(&part, &facts, first.columns, notes).map_err(fail)?;
        feed(&mut Copy { writer: &mut *writer, to })?;
        writer.finish().map_err(fail)?;
        std::fs::rename(&part, to).map_err(fail)
    })();
    if let Err(error) = written {
        // The first error is reported; the partial file remains if it cannot be removed.
        let _ = std::fs::remove_file(&part);
        return Err(error);
    }
    let bytes = std::fs::metadata(to).map_err(fail)?.len();
    let extent = facts.extent.unwrap_or_default();
    Ok(Converted { kind: facts.kind, rows: first.rows, requests: first.requests, extent, bytes, tally })
}

fn part_path(to: &Path) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_os_string();
    name.push(".tmp");
    to.with_file_name(name)
}

/// A variant of the own format, selected by the file's extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Csv,
    CsvGzip,
    CsvZstd,
    #[cfg(feature = "tables")]
    Parquet,
}

impl Form {
    fn of(path: &Path) -> Result<Form, TraceError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let forms = [
            (".csv", Form::Csv),
            (".csv.gz", Form::CsvGzip),
            (".csv.zst", Form::CsvZstd),
            #[cfg(feature = "tables")]
            (".parquet", Form::Parquet),
        ];
        let found = forms.iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, form)| *form);
        found.ok_or_else(|| {
            let endings: Vec<&str> = forms.iter().map(|(ending, _)| *ending).collect();
            let message = "the file extension does not determine the format";
            TraceError::new(path.display().to_string(), message).help(format!("use one of {}", endings.join(", ")))
        })
    }

    fn writer(
        self,
        path: &Path,
        facts: &OwnFacts,
        columns: OwnColumns,
        notes: &[String],
    ) -> io::Result<Box<dyn OwnWriter>> {
        let file = BufWriter::with_capacity(128 << 10, File::create(path)?);
        let packed: Box<dyn Packed> = match self {
            Form::Csv => Box::new(file),
            // The header has neither time nor name, so that the same trace gives the same bytes.
            Form::CsvGzip => Box::new(flate2::GzBuilder::new().mtime(0).write(file, flate2::Compression::best())),
            Form::CsvZstd => Box::new(zstd::stream::write::Encoder::new(file, 19)?),
            #[cfg(feature = "tables")]
            Form::Parquet => return super::reading::columnar::writer(file, facts, columns, notes),
        };
        Ok(Box::new(CsvWriter::new(packed, facts, columns, notes)?))
    }
}

/// Receives the rows of a source, once for the facts and once for writing.
trait Sink {
    fn requests(&mut self, batch: &RequestBatch) -> Result<(), TraceError>;
    fn counts(&mut self, offsets: &[u64], counts: &[f64]) -> Result<(), TraceError>;
    fn end(&mut self, source: End) -> Result<(), TraceError>;
}

/// Facts known at the end of a source.
struct End {
    start: Option<u64>,
    extent: Option<SimDuration>,
    interval: Option<SimDuration>,
    classes: Vec<String>,
}

fn feed(
    from: &TraceFiles,
    options: &TraceOptions,
    how: &ConvertOptions,
    sink: &mut dyn Sink,
) -> Result<RowCounts, TraceError> {
    let (_, rows) = open_rows(from, options)?;
    if rows.ordered.reader.facts().kind != SeriesKind::Arrivals {
        if how.counts.is_some() {
            let message = format!("holds {} already", rows.ordered.reader.facts().kind.name());
            return Err(TraceError::new(from.name(), message).help("convert without an interval"));
        }
        let model = Model::of(&rows, options, 1.0)?;
        let interval = model.interval();
        return feed_intervals(Intervals::new(rows, model), interval, sink);
    }
    drop(rows);
    let recipe = FileRecipe { files: from.clone(), options: options.clone(), factor: 1.0 };
    let mut source = recipe.open(Opening::new(Streams::new(0, 0), 0))?;
    match how.counts {
        None => feed_requests(&mut *source, sink)?,
        Some(interval) => feed_counted(&mut *source, interval, sink)?,
    }
    source.tally().map_or_else(|| Ok(RowCounts::default()), |tally| Ok(tally.clone()))
}

fn feed_requests(source: &mut dyn TraceSource, sink: &mut dyn Sink) -> Result<(), TraceError> {
    let mut batch = RequestBatch::default();
    loop {
        batch.clear();
        source.fill(&mut batch)?;
        if batch.is_empty() {
            break;
        }
        sink.requests(&batch)?;
    }
    let classes = source.class_names().to_vec();
    sink.end(End { start: source.start_epoch_ns(), extent: source.extent(), interval: None, classes })
}

/// Counts arrivals per interval; empty intervals are left out.
fn feed_counted(source: &mut dyn TraceSource, interval: SimDuration, sink: &mut dyn Sink) -> Result<(), TraceError> {
    let width = interval.as_nanos().max(1);
    let mut batch = RequestBatch::default();
    let (mut current, mut count) = (None, 0.0);
    loop {
        batch.clear();
        source.fill(&mut batch)?;
        for time in &batch.arrivals {
            let bin = time.as_nanos() / width;
            if let Some(full) = current.filter(|current| *current != bin) {
                sink.counts(&[full * width], &[std::mem::take(&mut count)])?;
            }
            current = Some(bin);
            count += 1.0;
        }
        if batch.is_empty() {
            break;
        }
    }
    if let Some(last) = current {
        sink.counts(&[last * width], &[count])?;
    }
    let extent = source.extent().map(|extent| extent.round_up_to(interval));
    sink.end(End { start: source.start_epoch_ns(), extent, interval: Some(interval), classes: Vec::new() })
}

/// Counts unchanged; counts computed from levels are rounded, carrying the remainder over to the next interval.
fn feed_intervals(
    mut intervals: Intervals,
    interval: SimDuration,
    sink: &mut dyn Sink,
) -> Result<RowCounts, TraceError> {
    let levels = intervals.rows.ordered.reader.facts().kind == SeriesKind::Levels;
    let mut left_over = 0.5;
    while let Some(next) = intervals.next()? {
        let mut count = next.mean;
        if levels {
            let exact = next.mean + left_over;
            count = exact.floor();
            left_over = exact - count;
        }
        sink.counts(&[next.start.as_nanos()], &[count])?;
    }
    let (start, extent) = (intervals.rows.start_epoch_ns(), intervals.extent());
    sink.end(End { start, extent, interval: Some(interval), classes: Vec::new() })?;
    Ok(intervals.rows.ordered.reader.tally().clone())
}

/// The first pass.
#[derive(Default)]
struct Facts {
    rows: u64,
    requests: f64,
    columns: OwnColumns,
    counted: bool,
    end: Option<End>,
}

impl Facts {
    fn finish(&mut self, from: &str) -> Result<OwnFacts, TraceError> {
        let nothing = || TraceError::new(from, "holds no rows; expected a trace");
        let end = self.end.take().filter(|_| self.rows > 0).ok_or_else(nothing)?;
        let kind = if self.counted { SeriesKind::Counts } else { SeriesKind::Arrivals };
        Ok(OwnFacts { kind, start: end.start, extent: end.extent, interval: end.interval, classes: end.classes })
    }
}

impl Sink for Facts {
    fn requests(&mut self, batch: &RequestBatch) -> Result<(), TraceError> {
        self.rows += batch.len() as u64;
        self.requests += batch.len() as f64;
        self.columns = OwnColumns::of(batch);
        Ok(())
    }

    fn counts(&mut self, offsets: &[u64], counts: &[f64]) -> Result<(), TraceError> {
        self.rows += offsets.len() as u64;
        self.requests += counts.iter().sum::<f64>();
        self.counted = true;
        Ok(())
    }

    fn end(&mut self, end: End) -> Result<(), TraceError> {
        self.end = Some(end);
        Ok(())
    }
}

/// The second pass.
struct Copy<'a> {
    writer: &'a mut dyn OwnWriter,
    to: &'a Path,
}

impl Copy<'_> {
    fn check(&self, result: io::Result<()>) -> Result<(), TraceError> {
        result.map_err(|error| TraceError::new(self.to.display().to_string(), format!("cannot be written: {error}")))
    }
}

impl Sink for Copy<'_> {
    fn requests(&mut self, batch: &RequestBatch) -> Result<(), TraceError> {
        let result = self.writer.requests(batch);
        self.check(result)
    }

    fn counts(&mut self, offsets: &[u64], counts: &[f64]) -> Result<(), TraceError> {
        let result = self.writer.counts(offsets, counts);
        self.check(result)
    }

    fn end(&mut self, _: End) -> Result<(), TraceError> {
        Ok(())
    }
}
