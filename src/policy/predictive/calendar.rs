//! One-off events that no season can know: a sale, a match, a release.

use crate::config::{Diagnostics, Fields, Node, Value};
use crate::units::{Rate, SimDuration, SimTime};

/// An event: from when to when, and what it does to the rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Its beginning.
    pub from: SimTime,
    /// Its end.
    pub to: SimTime,
    /// The forecast is multiplied by this.
    pub times: f64,
    /// Requests per second that come on top.
    pub add: f64,
}

/// All events.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Calendar {
    events: Vec<Event>,
}

impl Calendar {
    /// A calendar of `events`.
    pub fn new(events: Vec<Event>) -> Self {
        Calendar { events }
    }

    /// Reads a list of `{ from: 30h, to: 34h, times: 3, add: 100/s }`, times counted from the start of the run.
    pub(super) fn read(node: &Node, sink: &mut Diagnostics) -> Option<Self> {
        let Value::Sequence(items) = &node.value else {
            sink.push(node.error("`calendar` is a list of events").help("- { from: 30h, to: 34h, times: 3 }"));
            return None;
        };
        let events: Vec<Option<Event>> = items.iter().map(|item| read_event(item, sink)).collect();
        Some(Calendar { events: events.into_iter().collect::<Option<_>>()? })
    }

    fn during(&self, (from, to): (SimTime, SimTime)) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(move |event| event.from < to && from < event.to)
    }

    /// Whether an event touches the span.
    pub(super) fn touches(&self, span: (SimTime, SimTime)) -> bool {
        self.during(span).next().is_some()
    }

    /// The rate of a span with the events that touch it.
    pub(super) fn apply(&self, rate: f64, span: (SimTime, SimTime)) -> f64 {
        self.during(span).fold(rate, |rate, event| rate * event.times + event.add)
    }
}

fn read_event(node: &Node, sink: &mut Diagnostics) -> Option<Event> {
    let fields = Fields::open(node, "event", sink)?;
    let from: Option<SimDuration> = fields.required("from", sink);
    let to: Option<SimDuration> = fields.required("to", sink);
    let times = fields.or("times", 1.0, sink);
    let add = fields.or("add", Rate::default(), sink).get();
    fields.finish(sink);
    let (from, to) = (SimTime::ZERO + from?, SimTime::ZERO + to?);
    if to <= from || times < 0.0 {
        sink.push(node.error("an event ends after it begins, and its `times` is not negative"));
        return None;
    }
    Some(Event { from, to, times, add })
}
