//! A part of a stream.

use std::sync::Arc;

use super::transform::{Transform, TransformPlugin};
use crate::config::Fields;
use crate::units::{SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::reading::rows::RowCounts;
use crate::workload::recipe::{Opening, Recipe};
use crate::workload::source::TraceSource;
use crate::workload::time::moment::{DAY_NS, Moment};

/// The entry in the list.
pub const PLUGIN: TransformPlugin = TransformPlugin {
    name: "window",
    summary: "the part from `from` (included) to `to` (excluded), counted from the start or by the clock; `from` becomes time zero",
    source: "this project",
    build: |node, _, sink| {
        let fields = Fields::open(node, "transform `window`", sink)?;
        let from: Moment = fields.or("from", Moment::Offset(SimDuration::ZERO), sink);
        let to: Option<Moment> = fields.optional("to", sink);
        let place = fields.node_of("to").or(fields.node_of("from"));
        fields.finish(sink);
        if let (Moment::Offset(from), Some(Moment::Offset(to))) = (from, to)
            && to <= from
        {
            sink.push(place.unwrap_or(node).error("`to` must come after `from`"));
            return None;
        }
        Some(Arc::new(Stated { from, to }))
    },
};

#[derive(Debug, Clone, Copy)]
struct Window {
    from: SimDuration,
    to: SimDuration,
}

/// A window as stated: its times are resolved only when a stream is opened.
#[derive(Debug, Clone, Copy)]
struct Stated {
    from: Moment,
    to: Option<Moment>,
}

impl Stated {
    fn window(self, start: Option<u64>) -> Option<Window> {
        let from = self.from.offset_ns(start)?;
        let to = match self.to {
            None => u64::MAX,
            // Every time of day occurs once per day.
            Some(to @ Moment::TimeOfDay(..)) => {
                let to = to.offset_ns(start)?;
                if to > from { to } else { to + (from - to + 1).next_multiple_of(DAY_NS) }
            }
            Some(to) => to.offset_ns(start)?,
        };
        (to > from).then(|| Window { from: SimDuration::from_nanos(from), to: SimDuration::from_nanos(to) })
    }
}

impl Transform for Stated {
    fn keeps_times(&self) -> bool {
        false
    }

    fn open(&self, inner: &Arc<dyn Recipe>, _: u16, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        let inner = inner.open(opening)?;
        let window = self.window(inner.start_epoch_ns()).ok_or_else(|| {
            TraceError::new("transform `window`", "its dates are not in this order after the start of the stream")
                .help("dates need a trace with dates; `from` must come before `to`")
        })?;
        Ok(Box::new(Stream { inner, window, part: RequestBatch::default(), ended: false }))
    }

    fn moments(&self, inner: &Arc<dyn Recipe>) -> Vec<String> {
        let opened = inner.open(Opening::new(crate::random::Streams::new(0, 0), 0));
        let start = opened.ok().and_then(|source| source.start_epoch_ns());
        let told = [Some(self.from), self.to].into_iter().flatten().filter_map(|moment| moment.told(start));
        told.map(|at| format!("`window`: {at}")).collect()
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
        // The extent is that of the window, unless the stream is known to end earlier.
        let known = self.inner.extent().map_or(self.window.to, |extent| extent.min(self.window.to));
        (known != SimDuration::MAX).then(|| known - self.window.from)
    }

    fn start_epoch_ns(&self) -> Option<u64> {
        self.inner.start_epoch_ns().map(|start| start.saturating_add(self.window.from.as_nanos()))
    }

    fn class_names(&self) -> &[String] {
        self.inner.class_names()
    }

    fn tally(&self) -> Option<&RowCounts> {
        self.inner.tally()
    }
}
