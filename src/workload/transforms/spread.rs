//! Spreads arrivals recorded to the second over that second.

use std::sync::Arc;

use super::transform::{Transform, TransformPlugin};
use crate::config::{Fields, FromNode};
use crate::random::{Draw, Purpose};
use crate::units::{SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::reading::rows::RowCounts;
use crate::workload::recipe::{Opening, Recipe};
use crate::workload::source::TraceSource;

/// The entry in the list.
pub const PLUGIN: TransformPlugin = TransformPlugin {
    name: "spread",
    summary: "arrivals of one unit of time (`1s`) put at random instants in it, for logs that record no finer times",
    source: "order statistics of uniform numbers: a Poisson process given its counts",
    build: |node, _, sink| {
        let (over, place) = if node.as_text().is_some() {
            (SimDuration::from_node(node, sink)?, node)
        } else {
            let fields = Fields::open(node, "transform `spread`", sink)?;
            let over = fields.required("over", sink);
            let place = fields.node_of("over").unwrap_or(node);
            fields.finish(sink);
            (over?, place)
        };
        if over.is_zero() {
            sink.push(place.error("expected a unit of time above zero"));
            return None;
        }
        Some(Arc::new(Spread { over: over.as_nanos() }))
    },
};

/// In a log with a resolution of one second, all requests of a second arrive at once, and the simulation would build up
/// a queue every second that never existed. The counts are kept and the times are drawn; order and attributes are
/// unchanged.
#[derive(Debug, Clone, Copy)]
struct Spread {
    over: u64,
}

impl Transform for Spread {
    fn open(&self, inner: &Arc<dyn Recipe>, step: u16, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        let draw = opening.draw(Purpose::Transform, step);
        let ahead = RequestBatch::default();
        Ok(Box::new(Stream { inner: inner.open(opening)?, over: self.over, draw, ahead, next: 0, ended: false }))
    }
}

struct Stream {
    inner: Box<dyn TraceSource>,
    over: u64,
    draw: Draw,
    /// Requests read ahead: the unit being spread must be known completely.
    ahead: RequestBatch,
    next: usize,
    ended: bool,
}

impl Stream {
    /// Index after the last request of the unit that starts at `next`, reading as much as needed.
    fn unit_end(&mut self) -> Result<usize, TraceError> {
        loop {
            let unit = self.ahead.arrivals[self.next].as_nanos() / self.over;
            let rest = &self.ahead.arrivals[self.next..];
            let end = self.next + rest.partition_point(|time| time.as_nanos() / self.over == unit);
            if end < self.ahead.len() || self.ended {
                return Ok(end);
            }
            self.read_on()?;
        }
    }

    fn read_on(&mut self) -> Result<(), TraceError> {
        // What has been returned is dropped only once it is the larger part: a long unit is not copied with every batch.
        if self.next > self.ahead.len() / 2 {
            let mut rest = RequestBatch::default();
            rest.append_range(&self.ahead, self.next..self.ahead.len());
            (self.ahead, self.next) = (rest, 0);
        }
        let before = self.ahead.len();
        self.inner.fill(&mut self.ahead)?;
        self.ended = self.ahead.len() == before;
        Ok(())
    }
}

impl TraceSource for Stream {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let target = batch.len() + RequestBatch::TARGET_LEN;
        while batch.len() < target {
            if self.next == self.ahead.len() {
                if self.ended {
                    return Ok(());
                }
                self.read_on()?;
                continue;
            }
            let end = self.unit_end()?;
            let before = batch.len();
            batch.append_range(&self.ahead, self.next..end);
            self.next = end;
            let start = batch.arrivals[before].as_nanos() / self.over * self.over;
            let mut gaps = self.draw.clone();
            let sum: f64 = (0..=batch.len() - before).map(|_| self.draw.exponential()).sum();
            let mut so_far = 0.0;
            for time in &mut batch.arrivals[before..] {
                so_far += gaps.exponential();
                let offset = (so_far / sum * self.over as f64) as u64;
                *time = SimTime::from_nanos(start + offset.min(self.over - 1));
            }
        }
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        self.inner.extent().map(|extent| extent.round_up_to(SimDuration::from_nanos(self.over)))
    }

    fn start_epoch_ns(&self) -> Option<u64> {
        self.inner.start_epoch_ns()
    }

    fn class_names(&self) -> &[String] {
        self.inner.class_names()
    }

    fn tally(&self) -> Option<&RowCounts> {
        self.inner.tally()
    }
}
