//! Requests and where they come from.
//!
//! A source fills batches of requests in order of arrival; it is pulled beside the calendar, so a trace is never in
//! memory whole. Batches are columns: a source without token counts or classes leaves those columns empty.

use std::fmt;

use crate::units::{SimDuration, SimTime};

/// Requests in order of arrival, as columns of equal length. An optional column is empty or as long as `arrivals`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RequestBatch {
    /// Arrival times, never going back, also not from one batch to the next.
    pub arrivals: Vec<SimTime>,
    /// Service demand of each request, where the trace knows it; otherwise drawn by the service.
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
    pub const TARGET_LEN: usize = 4096;

    /// Number of requests.
    pub fn len(&self) -> usize {
        self.arrivals.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.arrivals.is_empty()
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

/// A stream of requests.
pub trait TraceSource: Send {
    /// Appends the next requests to `batch` (about [`RequestBatch::TARGET_LEN`] of them). Appending none means the end.
    ///
    /// # Errors
    /// If the underlying file cannot be read on; nothing of the failed batch may be used.
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError>;

    /// The length of the whole stream from time zero, where it is known beforehand.
    fn extent(&self) -> Option<SimDuration>;
}
