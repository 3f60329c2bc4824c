//! One-off events that no season can predict: a sale, a match, a release.

use crate::config::{Diagnostics, Fields, Value, Yaml};
use crate::units::{Rate, SimDuration, SimTime};

/// An event and its effect on the rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Start.
    pub from: SimTime,
    /// End.
    pub to: SimTime,
    /// Factor on the forecast.
    pub times: f64,
    /// Additional requests per second.
    pub add: f64,
}

/// A list of events.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Calendar {
    events: Vec<Event>,
}

impl Calendar {
    /// Creates a calendar of `events`.
    #[cfg(test)]
    pub(super) fn new(events: Vec<Event>) -> Self {
        Calendar { events }
    }

    /// Reads a list of `{ from: 30h, to: 34h, times: 3, add: 100/s }`; times count from the start of the run.
    pub(super) fn read(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let Value::Sequence(items) = &node.value else {
            sink.push(node.error("`calendar` must be a list of events").help("- { from: 30h, to: 34h, times: 3 }"));
            return None;
        };
        let events: Vec<Option<Event>> = items.iter().map(|item| read_event(item, sink)).collect();
        Some(Calendar { events: events.into_iter().collect::<Option<_>>()? })
    }

    fn during(&self, (from, to): (SimTime, SimTime)) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(move |event| event.from < to && from < event.to)
    }

    /// Whether an event overlaps the span.
    pub(super) fn touches(&self, span: (SimTime, SimTime)) -> bool {
        self.during(span).next().is_some()
    }

    /// The rate of a span after applying the events that overlap it.
    pub(super) fn apply(&self, rate: f64, span: (SimTime, SimTime)) -> f64 {
        self.during(span).fold(rate, |rate, event| rate * event.times + event.add)
    }
}

fn read_event(node: &Yaml, sink: &mut Diagnostics) -> Option<Event> {
    let fields = Fields::open(node, "event", sink)?;
    let from: Option<SimDuration> = fields.required("from", sink);
    let to: Option<SimDuration> = fields.required("to", sink);
    let times = fields.or("times", 1.0, sink);
    let add = fields.or("add", Rate::default(), sink).get();
    fields.finish(sink);
    let (from, to) = (SimTime::ZERO + from?, SimTime::ZERO + to?);
    if to <= from || times < 0.0 {
        sink.push(node.error("an event must end after it begins, and its `times` must not be negative"));
        return None;
    }
    Some(Event { from, to, times, add })
}
