//! Requests and where they come from.
//!
//! A source fills batches of requests in order of arrival; it is pulled beside the calendar, so a trace is never in
//! memory whole. Batches are columns: a source without token counts or classes leaves those columns empty.
//!
//! From a file to requests there are four stages, each a few lines of interface:
//!
//! 1. [`TraceInput`] opens a file, plain or packed, and shows its first bytes to the formats;
//! 2. a format of [`FORMATS`] turns bytes into rows ([`RowReader`]): *arrivals*, *counts* per interval or *levels*, three
//!    kinds of series that are never mixed up;
//! 3. rows are put in order within a stated window, and counts and levels are expanded to arrivals by a stated model;
//! 4. the transforms of [`TRANSFORMS`] reshape the stream.
//!
//! A [`WorkloadSpec`] is the whole chain as the scenario states it; each run opens a fresh stream from it. The generators of
//! [`GENERATORS`] take the place of the first three stages.

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
mod zone;

use std::fmt;

pub use clients::Clients;
pub use convert::{ConvertOptions, Converted, convert, write_workload};
pub use durations::Durations;
pub use facts::{Peak, SHAPE_COLUMNS, SessionFacts, TokenFacts, TraceFacts, inspect, inspect_files};
pub use filter::{Condition, RowFilter};
pub use fit::{Closeness, Fit, ServiceTime, fit, service_time};
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

/// Requests in order of arrival, as columns of equal length. An optional column is empty or as long as `arrivals`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RequestBatch {
    /// Arrival times, never going back, also not from one batch to the next.
    pub arrivals: Vec<SimTime>,
    /// Service demand of each request, where the trace knows it; otherwise drawn by the service. [`RequestBatch::UNKNOWN`] where it
    /// is known of others alone.
    pub demands: Vec<SimDuration>,
    /// Input tokens (or another measure of the request's size).
    pub tokens_in: Vec<u32>,
    /// Output tokens.
    pub tokens_out: Vec<u32>,
    /// Class of each request, an index into the source's class names.
    pub classes: Vec<u16>,
}

impl RequestBatch {
    /// How many requests a source should put into one batch: large enough to hide the call, small enough for the cache.
    pub const TARGET_LEN: usize = 1024;
    /// The demand of a request of which the trace knows none.
    pub const UNKNOWN: SimDuration = SimDuration::MAX;

    /// Number of requests.
    pub fn len(&self) -> usize {
        self.arrivals.len()
    }

    /// Whether there are none.
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

    /// Removes all requests, keeping the memory.
    pub fn clear(&mut self) {
        self.arrivals.clear();
        self.demands.clear();
        self.tokens_in.clear();
        self.tokens_out.clear();
        self.classes.clear();
    }
}

/// Why a trace cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceError {
    /// The file, as the user named it.
    pub file: String,
    /// Line (text formats) or row (columnar ones), from 1; `None` if the file as a whole is at fault.
    pub line: Option<u64>,
    /// Column, from 1, or the column's name.
    pub column: Option<String>,
    /// What is wrong and what was expected.
    pub message: String,
    /// What to do.
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

    /// Points to a line or row, from 1.
    pub fn line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// Names the column.
    pub fn column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A stream of requests.
pub trait TraceSource: Send {
    /// Appends the next requests to `batch` (about [`RequestBatch::TARGET_LEN`] of them). Appending none means the end.
    ///
    /// # Errors
    /// If the underlying file cannot be read on; nothing of the failed batch may be used.
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError>;

    /// The length of the whole stream from time zero, where it is known beforehand. Once the stream has ended, every
    /// source that read a file knows it.
    fn extent(&self) -> Option<SimDuration>;

    /// The length of the intervals whose counts the stream was made of: within one its instants are not the recording's. `None` where arrivals
    /// were recorded one by one, or nothing was.
    fn resolution(&self) -> Option<SimDuration> {
        None
    }

    /// The users of a closed loop, in place of arrivals that are known beforehand.
    fn clients(&self) -> Option<&Clients> {
        None
    }

    /// The wall-clock time of time zero, nanoseconds since 1970 (UTC), where the trace tells it.
    fn start_epoch_ns(&self) -> Option<u64> {
        None
    }

    /// The names that [`RequestBatch::classes`] refers to, as far as they have been met.
    fn class_names(&self) -> &[String] {
        &[]
    }

    /// Where a file of counts or levels had no row so far; `None` for what has no steps.
    fn holes(&self) -> Option<&Holes> {
        None
    }

    /// How many rows of a file were read so far, and how many could not be used; `None` if there is no file.
    fn tally(&self) -> Option<&RowCounts> {
        None
    }

    /// What a reader of the report should know about what was read so far, such as rows left out; one line each.
    fn notices(&self) -> Vec<String> {
        self.tally().map(RowCounts::notices).unwrap_or_default()
    }
}
