//! Rates as the generators with a steady rate read them.

use super::process::Envelope;
use crate::config::{Diagnostics, Fields, FromNode, Yaml};
use crate::units::{Rate, SimDuration};

/// The parameters of the generators with a steady rate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steady {
    pub(super) rate: Rate,
    /// Length of the stream; `None` if it has no end.
    pub(super) duration: Option<SimDuration>,
    /// Wall-clock time of time zero, nanoseconds since 1970 (UTC).
    pub(super) start: Option<u64>,
}

impl Steady {
    /// With the rate scaled; `None` if it would be too high.
    pub(super) fn scaled(self, factor: f64) -> Option<Steady> {
        Some(Steady { rate: Rate::per_second(self.rate.get() * factor).ok()?, ..self })
    }
}

/// Reads them; the rate may also stand by itself.
pub(super) fn steady(name: &str, node: &Yaml, sink: &mut Diagnostics) -> Option<Steady> {
    if node.as_text().is_some() {
        let rate = positive(node, Rate::from_node(node, sink)?, sink)?;
        return Some(Steady { rate, duration: None, start: None });
    }
    let fields = Fields::open(node, name, sink)?;
    let rate: Option<Rate> = fields.required("rate", sink);
    let rate = rate.and_then(|rate| positive(fields.node_of("rate")?, rate, sink));
    let envelope = Envelope::dated(&fields, sink);
    fields.finish(sink);
    Some(Steady { rate: rate?, duration: envelope.duration, start: envelope.start })
}

/// A required rate above zero, per second.
pub(super) fn positive_rate(fields: &Fields<'_>, name: &'static str, sink: &mut Diagnostics) -> Option<f64> {
    let rate: Rate = fields.required(name, sink)?;
    positive(fields.node_of(name)?, rate, sink).map(Rate::get)
}

fn positive(node: &Yaml, rate: Rate, sink: &mut Diagnostics) -> Option<Rate> {
    // With more than one request per nanosecond, arrival times would coincide.
    let usable = rate.get() > 0.0 && rate.get() <= 1e9;
    if !usable {
        sink.push(node.error("expected a rate above zero and up to 1e9 requests a second"));
    }
    usable.then_some(rate)
}
