//! Evenly spaced arrivals.

use std::sync::Arc;

use super::plugin::GeneratorPlugin;
use super::steady::{Steady, steady};
use crate::units::{SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::recipe::{Opening, Recipe};
use crate::workload::source::TraceSource;

/// The entry in the list.
pub const PLUGIN: GeneratorPlugin = GeneratorPlugin {
    name: "constant",
    summary: "evenly spaced arrivals at a rate, the first at time zero",
    source: "deterministic arrivals (D in Kendall's notation)",
    build: |node, sink| Some(Arc::new(Constant(steady("constant", node, sink)?))),
};

/// The n-th arrival is at n / rate, rounded to the nearest nanosecond, so that rounding errors do not accumulate.
#[derive(Debug, Clone)]
struct Constant(Steady);

impl Recipe for Constant {
    fn open(&self, _: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        Ok(Box::new(Stream { of: self.0, period_ns: 1e9 / self.0.rate.get(), next: 0 }))
    }

    fn scaled(&self, factor: f64) -> Option<Arc<dyn Recipe>> {
        Some(Arc::new(Constant(self.0.scaled(factor)?)))
    }
}

struct Stream {
    of: Steady,
    period_ns: f64,
    next: u64,
}

impl TraceSource for Stream {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let end = self.of.duration.unwrap_or(SimDuration::MAX).as_nanos();
        for n in self.next..self.next + RequestBatch::TARGET_LEN as u64 {
            let at = (n as f64 * self.period_ns).round() as u64;
            if at >= end {
                return Ok(());
            }
            batch.arrivals.push(SimTime::from_nanos(at));
            self.next = n + 1;
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
