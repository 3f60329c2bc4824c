//! Repeats a stream.

use std::sync::Arc;

use super::transform::{Transform, TransformPlugin};
use crate::config::{Fields, FromNode};
use crate::units::{SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::reading::rows::RowCounts;
use crate::workload::recipe::{Opening, Recipe};
use crate::workload::source::TraceSource;

/// The entry in the list.
pub const PLUGIN: TransformPlugin = TransformPlugin {
    name: "repeat",
    summary: "the stream `times` times; the period is its length rounded up to `unit` (default 1s; 1d keeps the time of day)",
    source: "this project",
    build: |node, _, sink| {
        let second = SimDuration::from_secs(1);
        let (times, unit, place) = if node.as_text().is_some() {
            (u32::from_node(node, sink)?, second, node)
        } else {
            let fields = Fields::open(node, "transform `repeat`", sink)?;
            let times: Option<u32> = fields.required("times", sink);
            let unit = fields.or("unit", second, sink);
            let place = fields.node_of("times").unwrap_or(node);
            fields.finish(sink);
            (times?, unit, place)
        };
        if times == 0 || unit.is_zero() {
            sink.push(place.error("expected to repeat at least once, in a unit longer than zero"));
            return None;
        }
        Some(Arc::new(Repeat { times: u64::from(times), unit }))
    },
};

#[derive(Debug, Clone, Copy)]
struct Repeat {
    times: u64,
    unit: SimDuration,
}

impl Transform for Repeat {
    fn keeps_times(&self) -> bool {
        false
    }

    fn open(&self, inner: &Arc<dyn Recipe>, _: u16, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        // Each pass has its own random numbers: the same counts, different arrival times.
        let first = Opening { pass: opening.pass * self.times, ..opening };
        let current = inner.open(first)?;
        let period = current.extent().map(|extent| extent.round_up_to(self.unit));
        Ok(Box::new(Stream {
            repeat: *self,
            recipe: Arc::clone(inner),
            first,
            current,
            pass: 0,
            period,
            newest: SimTime::ZERO,
        }))
    }
}

struct Stream {
    repeat: Repeat,
    recipe: Arc<dyn Recipe>,
    first: Opening,
    current: Box<dyn TraceSource>,
    pass: u64,
    /// Known from the start, or at the end of the first pass.
    period: Option<SimDuration>,
    newest: SimTime,
}

impl Stream {
    /// Opens the next pass; `false` after the last one.
    fn advance(&mut self) -> Result<bool, TraceError> {
        if self.pass + 1 >= self.repeat.times {
            return Ok(false);
        }
        if self.period.is_none() {
            let behind_last = self.newest.since(SimTime::ZERO) + SimDuration::from_nanos(1);
            let extent = self.current.extent().unwrap_or(behind_last);
            self.period = Some(extent.round_up_to(self.repeat.unit));
        }
        self.pass += 1;
        self.current = self.recipe.open(Opening { pass: self.first.pass + self.pass, ..self.first })?;
        Ok(true)
    }
}

impl TraceSource for Stream {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let before = batch.len();
        loop {
            self.current.fill(batch)?;
            if batch.len() > before {
                break;
            }
            if !self.advance()? {
                return Ok(());
            }
        }
        self.newest = batch.arrivals.last().copied().unwrap_or_default();
        let offset = self.period.unwrap_or_default() * self.pass;
        if self.pass > 0 {
            for time in &mut batch.arrivals[before..] {
                *time += offset;
            }
        }
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        self.period.map(|period| period * self.repeat.times)
    }

    fn start_epoch_ns(&self) -> Option<u64> {
        self.current.start_epoch_ns()
    }

    fn class_names(&self) -> &[String] {
        self.current.class_names()
    }

    fn tally(&self) -> Option<&RowCounts> {
        self.current.tally()
    }
}
