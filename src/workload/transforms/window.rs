//! A part of a stream.

use std::sync::Arc;

use super::super::{Opening, Recipe, RequestBatch, Tally, TraceError, TraceSource};
use super::{Transform, TransformPlugin};
use crate::config::Fields;
use crate::units::{SimDuration, SimTime};

/// The entry in the list.
pub const PLUGIN: TransformPlugin = TransformPlugin {
    name: "window",
    summary: "the part from `from` (included) to `to` (excluded), counted from the start; `from` becomes time zero",
    source: "this project",
    build: |node, _, sink| {
        let fields = Fields::open(node, "transform `window`", sink)?;
        let from: SimDuration = fields.or("from", SimDuration::ZERO, sink);
        let to: Option<SimDuration> = fields.optional("to", sink);
        let place = fields.node_of("to").or(fields.node_of("from"));
        fields.finish(sink);
        if to.is_some_and(|to| to <= from) {
            sink.push(place.unwrap_or(node).error("`to` must come after `from`"));
            return None;
        }
        Some(Arc::new(Window { from, to: to.unwrap_or(SimDuration::MAX) }))
    },
};

#[derive(Debug, Clone, Copy)]
struct Window {
    from: SimDuration,
    to: SimDuration,
}

impl Transform for Window {
    fn open(&self, inner: &Arc<dyn Recipe>, _: u16, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        Ok(Box::new(Stream { inner: inner.open(opening)?, window: *self, part: RequestBatch::default(), ended: false }))
    }
}

struct Stream {
    inner: Box<dyn TraceSource>,
    window: Window,
    part: RequestBatch,
    ended: bool,
}

impl TraceSource for Stream {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let (from, to) = (self.window.from.as_nanos(), self.window.to.as_nanos());
        let before = batch.len();
        while batch.len() == before && !self.ended {
            self.part.clear();
            self.inner.fill(&mut self.part)?;
            let times = &self.part.arrivals;
            self.ended = times.last().is_none_or(|last| last.as_nanos() >= to);
            let first = times.partition_point(|time| time.as_nanos() < from);
            let last = times.partition_point(|time| time.as_nanos() < to);
            batch.append_range(&self.part, first..last);
        }
        for time in &mut batch.arrivals[before..] {
            *time = SimTime::from_nanos(time.as_nanos() - from);
        }
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        // What is asked for is the extent, unless the stream is known to end before.
        let known = self.inner.extent().map_or(self.window.to, |extent| extent.min(self.window.to));
        (known != SimDuration::MAX).then(|| known - self.window.from)
    }

    fn start_epoch_ns(&self) -> Option<u64> {
        self.inner.start_epoch_ns().map(|start| start.saturating_add(self.window.from.as_nanos()))
    }

    fn class_names(&self) -> &[String] {
        self.inner.class_names()
    }

    fn tally(&self) -> Option<&Tally> {
        self.inner.tally()
    }
}
