//! Plays a stream faster or slower.

use std::sync::Arc;

use super::transform::{Transform, TransformPlugin};
use crate::config::{Fields, FromNode};
use crate::units::SimDuration;
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::reading::rows::RowCounts;
use crate::workload::recipe::{Opening, Recipe};
use crate::workload::source::TraceSource;

/// The entry in the list.
pub const PLUGIN: TransformPlugin = TransformPlugin {
    name: "time-warp",
    summary: "every time multiplied by a factor: 0.5 plays the stream in half the time, at twice the rate",
    source: "this project",
    build: |node, _, sink| {
        let (factor, place) = if node.as_text().is_some() {
            (f64::from_node(node, sink)?, node)
        } else {
            let fields = Fields::open(node, "transform `time-warp`", sink)?;
            let factor = fields.required("factor", sink);
            let place = fields.node_of("factor").unwrap_or(node);
            fields.finish(sink);
            (factor?, place)
        };
        if !(1e-6..=1e6).contains(&factor) {
            sink.push(place.error("expected a factor from 0.000001 to 1000000"));
            return None;
        }
        Some(Arc::new(TimeWarp { factor }))
    },
};

#[derive(Debug, Clone, Copy)]
struct TimeWarp {
    factor: f64,
}

impl Transform for TimeWarp {
    fn keeps_times(&self) -> bool {
        false
    }

    fn open(&self, inner: &Arc<dyn Recipe>, _: u16, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        Ok(Box::new(Stream { inner: inner.open(opening)?, factor: self.factor }))
    }
}

struct Stream {
    inner: Box<dyn TraceSource>,
    factor: f64,
}

impl TraceSource for Stream {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let before = batch.len();
        self.inner.fill(batch)?;
        for time in &mut batch.arrivals[before..] {
            let offset = time.since(crate::units::SimTime::ZERO).scale(self.factor);
            *time = crate::units::SimTime::ZERO + offset;
        }
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        // Rounding may move the last arrival to the end; one nanosecond less keeps it inside.
        self.inner
            .extent()
            .map(|extent| extent.scale(self.factor) + SimDuration::from_nanos(u64::from(self.factor < 1.0)))
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
