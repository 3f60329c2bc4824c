//! Evenly spaced arrivals.

use std::sync::Arc;

use super::super::{Opening, Recipe, RequestBatch, TraceError, TraceSource};
use super::{GeneratorPlugin, steady};
use crate::units::{Rate, SimDuration, SimTime};

/// The entry in the list.
pub const PLUGIN: GeneratorPlugin = GeneratorPlugin {
    name: "constant",
    summary: "evenly spaced arrivals at a rate, the first at time zero",
    source: "deterministic arrivals (D in Kendall's notation)",
    build: |node, sink| {
        let (rate, duration) = steady("constant", node, sink)?;
        Some(Arc::new(Constant { rate, duration }))
    },
};

/// The n-th arrival is at n / rate, rounded to the nearest nanosecond, so that rounding errors do not accumulate.
#[derive(Debug, Clone)]
struct Constant {
    rate: Rate,
    duration: Option<SimDuration>,
}

impl Recipe for Constant {
    fn open(&self, _: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        Ok(Box::new(Stream { period_ns: 1e9 / self.rate.get(), duration: self.duration, next: 0 }))
    }

    fn scaled(&self, factor: f64) -> Option<Arc<dyn Recipe>> {
        let rate = Rate::per_second(self.rate.get() * factor).ok()?;
        Some(Arc::new(Constant { rate, ..self.clone() }))
    }
}

struct Stream {
    period_ns: f64,
    duration: Option<SimDuration>,
    next: u64,
}

impl TraceSource for Stream {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let end = self.duration.unwrap_or(SimDuration::MAX).as_nanos();
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
        self.duration
    }
}
