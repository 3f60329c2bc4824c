//! The attributes of copied requests.

use std::ops::Range;

use crate::random::Draw;
use crate::workload::batch::RequestBatch;

/// A copy has the attributes of one of this many requests of the stream before it and as many after it.
pub(super) const NEAR: usize = 1024;
/// Requests that are looked at to find one of the same class; without success, a copy keeps the attributes of its
/// original.
const TRIES: usize = 1024;

/// Whether requests have demands or tokens.
pub(super) fn have_attributes(requests: &RequestBatch) -> bool {
    !(requests.demands.is_empty() && requests.tokens_in.is_empty() && requests.tokens_out.is_empty())
}

/// The requests around a place in `requests`.
pub(super) fn around(requests: &RequestBatch, place: usize) -> Range<usize> {
    place.saturating_sub(NEAR)..(place + NEAR).min(requests.len())
}

/// A request of this class in `range`, each with the same probability, so that copies of one request are independent of
/// each other given the distribution of attributes at that time. `None` if the class is too rare.
pub(super) fn donor(
    requests: &RequestBatch,
    range: &Range<usize>,
    class: Option<u16>,
    draw: &mut Draw,
) -> Option<usize> {
    if range.is_empty() {
        return None;
    }
    let mut tries = (0..TRIES).map(|_| range.start + draw.index(range.len() as u32) as usize);
    tries.find(|row| requests.classes.get(*row).copied() == class)
}
