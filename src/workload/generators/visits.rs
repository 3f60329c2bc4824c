//! Visits that make several requests over a time: sessions, conversations, orders that are retried.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::curve::Curve;
use super::nhpp::Thinning;
use super::process::{Process, Request};

/// The behaviour of a visitor.
pub(super) trait Visitor: Send {
    /// Appends the requests of a visit that starts at `start` seconds, none of them earlier.
    fn visit(&mut self, start: f64, requests: &mut Vec<Request>);
}

/// A pending request, ordered by time and then by the order in which visits start.
struct Ahead {
    request: Request,
    number: u64,
}

impl PartialEq for Ahead {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ahead {}

impl PartialOrd for Ahead {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ahead {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.request.at.total_cmp(&other.request.at).then(self.number.cmp(&other.number))
    }
}

/// The requests of all visits, in order: a cluster process (Daley and Vere-Jones 2003, section 6.3) whose centres are a
/// Poisson process. Only the requests of visits that have started are in memory.
pub(super) struct Visits<V> {
    starts: Thinning,
    next_start: Option<f64>,
    visitor: V,
    ahead: BinaryHeap<Reverse<Ahead>>,
    made: Vec<Request>,
    number: u64,
}

impl<V: Visitor> Visits<V> {
    pub(super) fn new(mut starts: Thinning, visitor: V) -> Self {
        let next_start = starts.next_moment();
        Visits { starts, next_start, visitor, ahead: BinaryHeap::new(), made: Vec::new(), number: 0 }
    }
}

impl<V: Visitor> Process for Visits<V> {
    fn next(&mut self) -> Option<Request> {
        while let Some(start) = self.next_start {
            // A pending request may be returned once no later visit can add an earlier one.
            if self.ahead.peek().is_some_and(|Reverse(ahead)| ahead.request.at <= start) {
                break;
            }
            self.visitor.visit(start, &mut self.made);
            for request in self.made.drain(..) {
                self.ahead.push(Reverse(Ahead { request, number: self.number }));
                self.number += 1;
            }
            self.next_start = self.starts.next_moment();
        }
        self.ahead.pop().map(|Reverse(ahead)| ahead.request)
    }
}

/// How long before time zero visits start, so that the number of visits in progress is stationary from time zero on:
/// eight times the mean length (complete to 0.03% for exponential lengths), at most thirty days.
pub(super) fn lead(mean_length: f64) -> f64 {
    (8.0 * mean_length).min(30.0 * 86_400.0)
}

/// `curve` needs no change from `lead` seconds before time zero on: a season has no beginning, and the first step or
/// point of a list also applies before it.
pub(super) fn starts(curve: &std::sync::Arc<Curve>, lead: f64, opening: crate::workload::recipe::Opening) -> Thinning {
    Thinning::new(curve, None, -lead, opening)
}
