//! Requests and their sources.
//!
//! A source fills batches of requests in order of arrival. It is read alongside the calendar, so a trace is never in
//! memory completely. Batches are columns: a source without token counts or classes leaves those columns empty.
//!
//! From a file to requests there are four stages, each a few lines of interface:
//!
//! 1. [`TraceInput`] opens a file, plain or compressed, and shows its first bytes to the formats;
//! 2. a format of [`FORMATS`] turns bytes into rows ([`RowReader`]): *arrivals*, *counts* per interval or *levels*,
//!    three kinds of series that are never mixed;
//! 3. rows are sorted within a stated window, and counts and levels are expanded to arrivals by a stated model;
//! 4. the transforms of [`TRANSFORMS`] reshape the stream.
//!
//! A [`WorkloadSpec`] is the whole chain as stated in the scenario; each run opens a fresh stream from it. The
//! generators of [`GENERATORS`] replace the first three stages.

mod arrivals;
mod batch;
mod cells;
mod clients;
#[cfg(feature = "tables")]
mod columnar;
mod convert;
mod date_pattern;
mod durations;
mod expand;
mod exported;
mod external;
mod facts;
mod filter;
mod fit;
mod formats;
mod function_profile;
mod generators;
mod halves;
mod header;
mod holes;
mod instants;
mod joined;
mod json_lines;
mod json_logs;
mod known;
mod lines;
mod logfmt;
mod meaning;
mod moment;
mod numbers;
mod once;
mod open;
mod options;
mod order;
mod outliers;
mod own;
mod portrait;
mod prefixes;
mod profile;
mod pulse;
mod rate;
mod recipe;
mod rows;
mod samples;
mod series;
mod spec;
mod split_lines;
mod table;
mod tar;
mod time_text;
mod took;
mod trace_files;
mod transforms;
mod trend;
mod zone;

use std::fmt;

pub use clients::Clients;
pub use convert::{ConvertOptions, Converted, convert, write_workload};
pub use durations::Durations;
pub use facts::{Peak, SHAPE_COLUMNS, SessionFacts, TokenFacts, TraceFacts, inspect, inspect_files};
pub use filter::{Condition, RowFilter};
pub(crate) use fit::cpu_time;
pub use fit::{Closeness, CpuFit, Fit, ServiceTime, cpu_per_request, fit, service_time};
pub use formats::{FORMATS, FormatBuilder, FormatOpener, FormatPlugin, recognise};
pub use function_profile::{FunctionProfile, ProfileMeasure, function_profile, is_function_profile};
pub use generators::{GENERATORS, GeneratorBuilder, GeneratorPlugin};
pub use holes::Holes;
pub use instants::{Gaps, InstantFacts, ValueFacts};
pub use lines::MAX_LINE_BYTES;
pub use moment::offset_of;
pub use open::{Packing, TraceInput};
pub use options::{Absent, Columns, Expand, TraceOptions, Values, decimal_named, separator_named};
pub use portrait::{Portrait, SampleDistribution};
pub use rate::arrivals_per_step;
pub use recipe::{Opening, Recipe};
pub use rows::{BadRow, RowCounts, RowReader, Rows, SeriesKind};
pub use spec::{InputFile, WorkloadSpec, sha256_hex};
pub use time_text::{Offsets, TimeFormat, parse_instant, parse_instant_in, show_instant, show_instant_in};
pub use trace_files::TraceFiles;
pub use transforms::{TRANSFORMS, Transform, TransformBuilder, TransformPlugin};
pub use zone::Zone;

use crate::units::{SimDuration, SimTime};

/// Requests in order of arrival, as columns of equal length. An optional column is either empty or as long as
/// `arrivals`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RequestBatch {
    /// Arrival times; they never decrease, not even from one batch to the next.
    pub arrivals: Vec<SimTime>,
    /// Service demand of each request, if recorded; otherwise the service draws it. [`RequestBatch::UNKNOWN`] for
    /// requests without one, if others have one.
    pub demands: Vec<SimDuration>,
    /// Input tokens (or another measure of the request's size).
    pub tokens_in: Vec<u32>,
    /// Output tokens.
    pub tokens_out: Vec<u32>,
    /// Class of each request, an index into the source's class names.
    pub classes: Vec<u16>,
}

impl RequestBatch {
    /// Number of requests that a source should put into a batch: large enough to hide the call, small enough for the
    /// cache.
    pub const TARGET_LEN: usize = 1024;
    /// The demand of a request whose demand is not recorded.
    pub const UNKNOWN: SimDuration = SimDuration::MAX;

    /// Number of requests.
    pub fn len(&self) -> usize {
        self.arrivals.len()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.arrivals.is_empty()
    }

    /// Keeps the first `len` requests.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.arrivals.truncate(len);
        self.demands.truncate(len);
        self.tokens_in.truncate(len);
        self.tokens_out.truncate(len);
        self.classes.truncate(len);
    }

    /// Removes all requests and keeps the memory.
    pub fn clear(&mut self) {
        self.arrivals.clear();
        self.demands.clear();
        self.tokens_in.clear();
        self.tokens_out.clear();
        self.classes.clear();
    }
}

/// Why a trace cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceError {
    /// The file, as the user named it.
    pub file: String,
    /// Line (text formats) or row (columnar ones), from 1; `None` if the error concerns the file as a whole.
    pub line: Option<u64>,
    /// Column, from 1, or the column's name.
    pub column: Option<String>,
    /// What is wrong, and what was expected.
    pub message: String,
    /// What the user can do.
    pub help: Option<String>,
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ":{column}")?;
        }
        write!(f, ": {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for TraceError {}

impl TraceError {
    /// An error about `file` as a whole.
    pub fn new(file: impl Into<String>, message: impl Into<String>) -> Self {
        TraceError { file: file.into(), line: None, column: None, message: message.into(), help: None }
    }

    /// Adds the line or row, from 1.
    pub fn line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// Adds the name of the column.
    pub fn column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// Adds what the user can do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A stream of requests.
pub trait TraceSource: Send {
    /// Appends the next requests to `batch` (about [`RequestBatch::TARGET_LEN`] of them); none at the end.
    ///
    /// # Errors
    /// If the underlying file cannot be read; the batch is then invalid.
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError>;

    /// The length of the whole stream from time zero, if known. Once the stream has ended, every source that reads a
    /// file knows it.
    fn extent(&self) -> Option<SimDuration>;

    /// The length of the intervals of the counts from which the stream was expanded: arrival times within an interval
    /// are not recorded. `None` if arrivals were recorded individually or generated.
    fn resolution(&self) -> Option<SimDuration> {
        None
    }

    /// The users of a closed loop, instead of arrivals that are known in advance.
    fn clients(&self) -> Option<&Clients> {
        None
    }

    /// The wall-clock time of time zero, nanoseconds since 1970 (UTC), if the trace states it.
    fn start_epoch_ns(&self) -> Option<u64> {
        None
    }

    /// The class names that [`RequestBatch::classes`] refers to, as far as they are known.
    fn class_names(&self) -> &[String] {
        &[]
    }

    /// Holes found so far in a file of counts or levels; `None` for other sources.
    fn holes(&self) -> Option<&Holes> {
        None
    }

    /// Numbers of rows read so far, used and unusable; `None` if there is no file.
    fn tally(&self) -> Option<&RowCounts> {
        None
    }

    /// Notes for readers of a report on the rows so far, such as rows left out; one sentence each.
    fn notices(&self) -> Vec<String> {
        self.tally().map(RowCounts::notices).unwrap_or_default()
    }
}
