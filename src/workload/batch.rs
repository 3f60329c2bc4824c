//! A batch of requests as columns, and moving requests between batches with any set of columns.

use std::ops::Range;

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

impl RequestBatch {
    /// Appends the requests `rows` of `from`, in that order.
    pub(crate) fn gather(&mut self, from: &RequestBatch, rows: &[u32]) {
        gather(&mut self.arrivals, &from.arrivals, rows);
        gather(&mut self.demands, &from.demands, rows);
        gather(&mut self.tokens_in, &from.tokens_in, rows);
        gather(&mut self.tokens_out, &from.tokens_out, rows);
        gather(&mut self.classes, &from.classes, rows);
    }

    /// Gives the request `row` the demand and tokens of the request `donor` of `from`.
    pub(crate) fn take_attributes(&mut self, row: usize, from: &RequestBatch, donor: usize) {
        replace(&mut self.demands, row, &from.demands, donor);
        replace(&mut self.tokens_in, row, &from.tokens_in, donor);
        replace(&mut self.tokens_out, row, &from.tokens_out, donor);
    }

    /// Appends the requests `range` of `from`.
    pub(crate) fn append_range(&mut self, from: &RequestBatch, range: Range<usize>) {
        append(&mut self.arrivals, &from.arrivals, &range);
        append(&mut self.demands, &from.demands, &range);
        append(&mut self.tokens_in, &from.tokens_in, &range);
        append(&mut self.tokens_out, &from.tokens_out, &range);
        append(&mut self.classes, &from.classes, &range);
    }
}

fn replace<T: Copy>(to: &mut [T], row: usize, from: &[T], donor: usize) {
    if let (Some(to), Some(from)) = (to.get_mut(row), from.get(donor)) {
        *to = *from;
    }
}

/// An optional column is either empty or complete; an empty one stays empty.
pub(super) fn gather<T: Copy>(to: &mut Vec<T>, from: &[T], rows: &[u32]) {
    if !from.is_empty() {
        to.extend(rows.iter().map(|row| from[*row as usize]));
    }
}

pub(super) fn append<T: Copy>(to: &mut Vec<T>, from: &[T], range: &Range<usize>) {
    if !from.is_empty() {
        to.extend_from_slice(&from[range.clone()]);
    }
}
