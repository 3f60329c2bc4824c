//! More or fewer requests of the same pattern.

use std::sync::Arc;

use super::super::{Opening, Recipe, RequestBatch, Tally, TraceError, TraceSource};
use super::{Transform, TransformPlugin};
use crate::config::{Fields, FromNode};
use crate::random::{Draw, Purpose};
use crate::units::{SimDuration, SimTime};

/// The entry in the list.
pub const PLUGIN: TransformPlugin = TransformPlugin {
    name: "scale-rate",
    summary: "`factor` times as many requests: thinned below 1, superposed copies within `jitter` (default 1s) above 1",
    source: "independent thinning and superposition of point processes (Daley and Vere-Jones 2003, ch. 11)",
    build: |node, _, sink| {
        let second = SimDuration::from_secs(1);
        let (factor, jitter, place) = if node.as_text().is_some() {
            (f64::from_node(node, sink)?, second, node)
        } else {
            let fields = Fields::open(node, "transform `scale-rate`", sink)?;
            let factor = fields.required("factor", sink);
            let jitter = fields.or("jitter", second, sink);
            let place = fields.node_of("factor").unwrap_or(node);
            fields.finish(sink);
            (factor?, jitter, place)
        };
        if !(factor > 0.0 && factor <= 1e6) {
            sink.push(place.error("expected a factor above 0 and up to 1000000"));
            return None;
        }
        Some(Arc::new(ScaleRate { factor, jitter: jitter.as_nanos() }))
    },
};

/// Counts, levels and synthetic rates are scaled before arrivals are made of them, which is exact. Recorded arrivals are
/// scaled one by one:
///
/// - Below 1 each request is kept with probability `factor`, independently. With D the index of dispersion of counts,
///   D' - 1 = factor (D - 1): what is above Poisson shrinks in proportion.
/// - Above 1 each request is followed by whole copies, and by one more with the probability of the remainder. The request
///   itself stays in place; each copy is moved back by a uniform time below `jitter`. Over windows much longer than
///   `jitter` the relative variation of the rate stays as it is, as if every user did `factor` times as much; within
///   `jitter` the copies look like independent arrivals.
///
/// A copy has the same demand, tokens and class as its original.
#[derive(Debug, Clone, Copy)]
struct ScaleRate {
    factor: f64,
    jitter: u64,
}

impl Transform for ScaleRate {
    fn open(&self, inner: &Arc<dyn Recipe>, step: u16, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        let jitter = if self.factor > 1.0 { self.jitter } else { 0 };
        let draw = opening.draw(Purpose::Transform, step);
        Ok(Box::new(Scaling::new(inner.open(opening)?, Everywhere(self.factor), jitter, draw)))
    }

    fn rate_factor(&self) -> Option<f64> {
        Some(self.factor)
    }
}

/// How many times as many requests, by time and class.
pub(super) trait Factor: Send {
    /// The factor on a request `at` nanoseconds after time zero, of a class with this number.
    fn at(&self, at: u64, class: Option<u16>) -> f64;

    /// Learns the names of the classes met so far.
    fn learn(&mut self, classes: &[String]) {
        let _ = classes;
    }
}

/// The same factor on every request.
struct Everywhere(f64);

impl Factor for Everywhere {
    fn at(&self, _: u64, _: Option<u16>) -> f64 {
        self.0
    }
}

/// A stream with `factor` times as many requests: thinned below 1, with copies moved back by up to `jitter` nanoseconds above.
pub(super) struct Scaling<F> {
    inner: Box<dyn TraceSource>,
    factor: F,
    jitter: u64,
    draw: Draw,
    part: RequestBatch,
    /// Requests that a copy of a later one may still precede.
    held: RequestBatch,
    newest: u64,
    ended: bool,
}

impl<F: Factor> Scaling<F> {
    pub(super) fn new(inner: Box<dyn TraceSource>, factor: F, jitter: u64, draw: Draw) -> Self {
        let (part, held) = (RequestBatch::default(), RequestBatch::default());
        Scaling { inner, factor, jitter, draw, part, held, newest: 0, ended: false }
    }

    /// Reads a batch and appends each request as often as it is to appear, copies moved back.
    fn hold(&mut self) -> Result<(), TraceError> {
        self.part.clear();
        self.inner.fill(&mut self.part)?;
        let Some(last) = self.part.arrivals.last() else {
            self.ended = true;
            return Ok(());
        };
        self.newest = last.as_nanos();
        self.factor.learn(self.inner.class_names());
        let limit = self.inner.extent().map_or(u64::MAX, |extent| extent.as_nanos().saturating_sub(1));
        let mut rows = Vec::with_capacity(self.part.len());
        let mut times = Vec::with_capacity(self.part.len());
        for (row, time) in self.part.arrivals.iter().enumerate() {
            let factor = self.factor.at(time.as_nanos(), self.part.classes.get(row).copied());
            // Whole times that the request appears, and the probability of once more.
            let appear = factor as u64 + u64::from(self.draw.uniform() < factor.fract());
            for copy in 0..appear {
                rows.push(row as u32);
                let back = if copy == 0 { 0 } else { (self.draw.uniform() * self.jitter as f64) as u64 };
                // Before the start it is folded back, so that no request is lost and none stands before time zero.
                times.push(SimTime::from_nanos(time.as_nanos().abs_diff(back).min(limit.max(time.as_nanos()))));
            }
        }
        let before = self.held.len();
        self.held.gather(&self.part, &rows);
        self.held.arrivals[before..].copy_from_slice(&times);
        Ok(())
    }

    /// Moves what no later copy can precede to `batch`, in order.
    fn release(&mut self, batch: &mut RequestBatch) {
        let until = if self.ended { u64::MAX } else { self.newest.saturating_sub(self.jitter) };
        if self.jitter == 0 {
            batch.append_range(&self.held, 0..self.held.len());
            self.held.clear();
            return;
        }
        let times = &self.held.arrivals;
        let mut order: Vec<u32> = (0..times.len() as u32).collect();
        order.sort_by_key(|row| times[*row as usize]);
        let leaving = order.partition_point(|row| self.ended || times[*row as usize].as_nanos() < until);
        batch.gather(&self.held, &order[..leaving]);
        let mut rest = RequestBatch::default();
        rest.gather(&self.held, &order[leaving..]);
        self.held = rest;
    }
}

impl<F: Factor> TraceSource for Scaling<F> {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let before = batch.len();
        let mut wanted = RequestBatch::TARGET_LEN;
        while batch.len() == before && !(self.ended && self.held.is_empty()) {
            while !self.ended && self.held.len() < wanted {
                self.hold()?;
            }
            self.release(batch);
            wanted = self.held.len() * 2 + RequestBatch::TARGET_LEN;
        }
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        self.inner.extent()
    }

    fn start_epoch_ns(&self) -> Option<u64> {
        self.inner.start_epoch_ns()
    }

    fn class_names(&self) -> &[String] {
        self.inner.class_names()
    }

    fn tally(&self) -> Option<&Tally> {
        self.inner.tally()
    }
}
