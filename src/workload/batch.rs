//! Moves requests between batches with any set of columns.

use std::ops::Range;

use super::RequestBatch;

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
