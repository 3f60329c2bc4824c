//! `agones`: the Buffer policy of a fleet of game servers.
//!
//! ```yaml
//! agones:
//!   bufferSize: 20%              # free servers: a number, or a share of the size that results
//!   minReplicas: 5
//!   maxReplicas: 100
//!   sync-period: 30s
//! ```
//!
//! A server counts as allocated while it has a session, which is a request here: a service with `concurrency: 1`.

use std::sync::Arc;

use super::sizes::{Buffer, by_buffer};
use crate::config::{Diagnostics, Fields, Yaml};
use crate::policy::ranges::bounds;
use crate::policy::{
    Decision, Measure, Observation, PolicyContext, PolicyFactory, PolicyPlugin, Reason, ReasonCode, ScalingPolicy,
};
use crate::units::SimDuration;

/// The entry in the list of policies.
pub const PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "agones",
    summary: "Agones' FleetAutoscaler with a buffer of free game servers: `{ bufferSize: 20%, minReplicas: 5, maxReplicas: 100 }`",
    source: "googleforgames/agones b19d5fe78, pkg/fleetautoscalers/fleetautoscalers.go",
    build,
};

/// The `agones` policy.
#[derive(Debug, Clone)]
pub struct BufferPolicy {
    buffer: Buffer,
    min: u32,
    max: u32,
    sync_period: SimDuration,
}

impl ScalingPolicy for BufferPolicy {
    fn sync_period(&self) -> SimDuration {
        self.sync_period
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        let Some(scrape) = observation.scrape_of(&[Measure::Outstanding]) else {
            return Decision::hold(Reason::new(ReasonCode::NoData, "the fleet has no status yet"));
        };
        let is_ready = |id: u32| observation.replicas.iter().any(|replica| replica.id == id && replica.is_ready());
        let has_session = scrape.replicas.iter().filter(|replica| replica.values[Measure::Outstanding] > 0.0);
        let allocated = has_session.filter(|replica| is_ready(replica.id)).count();
        let sized = by_buffer(allocated as i64, self.buffer, i64::from(self.min), i64::from(self.max));
        let buffer = match self.buffer {
            Buffer::Number(number) => number.to_string(),
            Buffer::Percent(percent) => format!("{percent}% of all"),
        };
        let bound = if sized.limited { " (held at a bound)" } else { "" };
        let words = format!("{allocated} allocated and {buffer} free: {}{bound}", sized.replicas);
        let reason = Reason::new(if sized.limited { ReasonCode::Bounded } else { ReasonCode::Target }, words);
        match u32::try_from(sized.replicas) {
            Ok(size) if size != observation.desired => Decision::scale_to(size, reason),
            _ => Decision::hold(reason),
        }
    }
}

fn build(node: &Yaml, _context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Option<PolicyFactory> {
    let fields = Fields::open(node, "policy `agones`", sink)?;
    let errors = sink.errors();
    let buffer = buffer(&fields, sink);
    let bounds = bounds(&fields, ("minReplicas", 0), "maxReplicas", sink);
    let sync_period: SimDuration = fields.or("sync-period", SimDuration::from_secs(30), sink);
    if let (Some(buffer), Some((min, max))) = (buffer, bounds) {
        hold(&fields, buffer, min, max, sink);
    }
    fields.finish(sink);
    let ((min, max), buffer) = (bounds?, buffer?);
    if sink.errors() > errors {
        return None;
    }
    Some(Arc::new(move |_| Box::new(BufferPolicy { buffer, min, max, sync_period })))
}

/// A whole number above 0, or 1% to 99%.
fn buffer(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<Buffer> {
    let text: String = fields.required("bufferSize", sink)?;
    let read = match text.strip_suffix('%') {
        Some(percent) => percent.parse().ok().filter(|percent| (1..=99).contains(percent)).map(Buffer::Percent),
        None => text.parse().ok().filter(|number| (1..=i64::from(u32::MAX)).contains(number)).map(Buffer::Number),
    };
    if read.is_none()
        && let Some(node) = fields.node_of("bufferSize")
    {
        sink.push(node.error("`bufferSize` must be a whole number above 0, or from 1% to 99%"));
    }
    read
}

/// The bounds that Agones refuses for a buffer.
fn hold(fields: &Fields<'_>, buffer: Buffer, min: u32, max: u32, sink: &mut Diagnostics) {
    let (min, max) = (i64::from(min), i64::from(max));
    let refused = match buffer {
        Buffer::Number(number) if max < number => Some(("maxReplicas", "must not be below `bufferSize`")),
        Buffer::Number(number) if min != 0 && min < number => {
            Some(("minReplicas", "must be 0 or not below `bufferSize`"))
        }
        Buffer::Percent(_) if min == 0 => Some(("minReplicas", "must be above 0 where `bufferSize` is a share")),
        _ => None,
    };
    if let Some((name, words)) = refused {
        let node = fields.node_of(name).unwrap_or(fields.node());
        sink.push(node.error(format!("`{name}` {words}")));
    }
}
