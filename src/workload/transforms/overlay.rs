//! Events on top of a stream.

use std::sync::Arc;

use super::scale_rate::{Factor, scaled_by};
use super::transform::{Transform, TransformPlugin};
use crate::config::{Fields, FromNode, Value};
use crate::units::SimDuration;
use crate::workload::error::TraceError;
use crate::workload::recipe::{Opening, Recipe};
use crate::workload::shape::pulse::{PlacedPulse, Pulse};
use crate::workload::source::TraceSource;

/// The entry in the list.
pub const PLUGIN: TransformPlugin = TransformPlugin {
    name: "overlay",
    summary: "a calendar of events: `[{ at: 09:00, factor: 4, ramp: 5m, for: 3h }]`, ending over the ramp or with a `half-life`",
    source: "phases of flash crowds (Ari et al. 2003); independent thinning and superposition (Daley and Vere-Jones 2003, ch. 11)",
    build: |node, _, sink| {
        let (events, jitter) = if matches!(node.value, Value::Mapping(_)) && node.get("events").is_some() {
            let fields = Fields::open(node, "transform `overlay`", sink)?;
            let events: Option<Vec<Pulse>> = fields.required("events", sink);
            let jitter: Option<SimDuration> = fields.optional("jitter", sink);
            fields.finish(sink);
            (events?, jitter)
        } else {
            (Vec::from_node(node, sink)?, None)
        };
        if events.is_empty() {
            sink.push(node.error("expected at least one event"));
            return None;
        }
        Some(Arc::new(Overlay { events, jitter: jitter.map(SimDuration::as_nanos) }))
    },
};

/// The factors of overlapping events are multiplied. Requests during an event are removed, or others added, as by
/// `scale-rate` for recorded requests: swings of the rate stay in proportion, random variation does not grow.
#[derive(Debug, Clone)]
struct Overlay {
    events: Vec<Pulse>,
    jitter: Option<u64>,
}

impl Transform for Overlay {
    fn open(&self, inner: &Arc<dyn Recipe>, step: u16, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        let start = inner.open(opening)?.start_epoch_ns();
        let events = Pulses(self.events.iter().filter_map(|event| event.placed(start)).collect());
        scaled_by(inner, events, self.jitter, step, opening)
    }

    fn outside(&self, inner: &Arc<dyn Recipe>, length: SimDuration) -> Vec<String> {
        let opened = inner.open(Opening::new(crate::random::Streams::new(0, 0), 0));
        let start = opened.ok().and_then(|source| source.start_epoch_ns());
        let told = |event: &Pulse| match event.at.offset_ns(start) {
            Some(at) if at < length.as_nanos() => None,
            Some(at) => {
                let at = SimDuration::from_nanos(at);
                Some(format!("the event {at} after the start is after the end of the run, which lasts {length}"))
            }
            None if start.is_some() => Some(format!("the event at {} is before the run", event.at)),
            None => Some(format!("the event at {} has no place in a workload without a date", event.at)),
        };
        self.events.iter().filter_map(told).collect()
    }

    fn moments(&self, inner: &Arc<dyn Recipe>) -> Vec<String> {
        let opened = inner.open(Opening::new(crate::random::Streams::new(0, 0), 0));
        let start = opened.ok().and_then(|source| source.start_epoch_ns());
        self.events.iter().filter_map(|event| event.at.told(start)).map(|at| format!("`overlay`: {at}")).collect()
    }
}

struct Pulses(Vec<PlacedPulse>);

impl Factor for Pulses {
    fn at(&self, at: u64, _: Option<u16>) -> f64 {
        let seconds = at as f64 / 1e9;
        self.0.iter().map(|event| event.factor(seconds)).product()
    }

    fn bound(&self, from: u64, to: u64) -> f64 {
        let (from, to) = (from as f64 / 1e9, to as f64 / 1e9);
        self.0.iter().map(|event| event.bound(from, to)).product()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::generators::testing::{Counts, recipe, workload};

    #[test]
    fn an_event_multiplies_the_rate_while_it_lasts() {
        let text = "poisson: { rate: 50/s, for: 4h }
transforms: [{ overlay: [{ at: 01:00, factor: 4, ramp: 10m, for: 50m }, { at: 3h, factor: 0.5, for: 30m }] }]";
        let counts = Counts::of(&*recipe(text), 600.0);
        let factors = [
            1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.5, 4.0, 4.0, 4.0, 4.0, 4.0, 2.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5,
            1.0,
        ];
        for (index, factor) in factors.iter().enumerate() {
            // Copies keep the relative variation: the variance grows with the square of the factor.
            let (expected, error) = (30_000.0 * factor, 5.0 * 30_000f64.sqrt() * f64::max(*factor, 1.0));
            assert!((counts.0[index] - expected).abs() < error, "{index}: {} for {expected}", counts.0[index]);
        }
    }

    #[test]
    fn mistakes_are_named() {
        for text in ["[]", "{ factor: 2 }", "[{ at: noon, factor: 2 }]", "[{ at: 1h, factor: -2 }]"] {
            assert!(workload(&format!("poisson: 5/s\ntransforms: [{{ overlay: {text} }}]")).is_err(), "{text}");
        }
    }
}
