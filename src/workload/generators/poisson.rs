//! A Poisson process with a steady rate.

use std::sync::Arc;

use super::plugin::GeneratorPlugin;
use super::steady::{Steady, steady};
use crate::random::{Draw, Purpose};
use crate::units::{SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::recipe::{Opening, Recipe};
use crate::workload::source::TraceSource;

/// The entry in the list.
pub const PLUGIN: GeneratorPlugin = GeneratorPlugin {
    name: "poisson",
    summary: "a Poisson process: independent exponential gaps at a mean rate",
    source: "Poisson process (M in Kendall's notation)",
    build: |node, sink| Some(Arc::new(Poisson(steady("poisson", node, sink)?))),
};

#[derive(Debug, Clone)]
struct Poisson(Steady);

impl Recipe for Poisson {
    fn open(&self, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        let draw = opening.draw(Purpose::Arrival, 0);
        Ok(Box::new(Stream { of: self.0, mean_ns: 1e9 / self.0.rate.get(), draw, at: 0, part: 0.0 }))
    }

    fn scaled(&self, factor: f64) -> Option<Arc<dyn Recipe>> {
        Some(Arc::new(Poisson(self.0.scaled(factor)?)))
    }
}

struct Stream {
    of: Steady,
    mean_ns: f64,
    draw: Draw,
    /// The last arrival: integer nanoseconds, and the fraction carried over to the next one, so that the mean
    /// interarrival time is exact.
    at: u64,
    part: f64,
}

impl TraceSource for Stream {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let end = self.of.duration.unwrap_or(SimDuration::MAX).as_nanos();
        if self.at >= end {
            return Ok(());
        }
        let before = batch.len();
        let (mut at, mut part, mean) = (self.at, self.part, self.mean_ns);
        let draw = &mut self.draw;
        batch.arrivals.extend((0..RequestBatch::TARGET_LEN).map(|_| {
            let gap = draw.exponential() * mean + part;
            let whole = gap as u64;
            part = gap - whole as f64;
            at = at.saturating_add(whole);
            SimTime::from_nanos(at)
        }));
        (self.at, self.part) = (at, part);
        if at >= end {
            let kept = batch.arrivals[before..].partition_point(|time| time.as_nanos() < end);
            batch.arrivals.truncate(before + kept);
        }
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        self.of.duration
    }

    fn start_epoch_ns(&self) -> Option<u64> {
        self.of.start
    }
}
