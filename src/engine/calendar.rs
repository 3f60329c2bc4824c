//! Control events: rare, so a plain binary heap is enough.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::units::SimTime;

/// The order of events at the same instant: capacity is freed before it is requested. Completions and arrivals are not
/// in this calendar; their ranks say how far the lanes run before a control event at the same instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// The end of a recording interval or of the warm-up. Whatever else happens at this instant belongs to the next
    /// interval.
    Boundary,
    /// A request completes, or its client gives up.
    Completion,
    /// A replica or node changes phase.
    Transition,
    /// A request arrives.
    Arrival,
    /// Metrics are scraped.
    Scrape,
    /// A policy decides.
    Decision,
    /// A decision takes effect.
    Actuation,
    /// The node policies decide, knowing everything else that happened at this instant.
    Nodes,
}

/// A control event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// The recording interval ends.
    IntervalEnd,
    /// The warm-up ends: requests and averages count from now on.
    WarmUpEnd,
    /// A replica enters its next phase. Stale if the replica's `generation` has moved on.
    Phase { service: u32, replica: u32, generation: u32 },
    /// A draining replica's grace period is over.
    GraceEnd { service: u32, replica: u32, generation: u32 },
    /// A replica crashes.
    Crash { service: u32, replica: u32, generation: u32 },
    /// The n-th outage begins; it affects `zone`.
    ZoneLost { zone: u32, outage: u32 },
    /// An outage of a zone ends.
    ZoneBack { zone: u32 },
    /// The control plane marks the nodes of a zone as not ready, unless the zone has recovered.
    ZoneNoticed { zone: u32, episode: u32 },
    /// The pods in a zone are evicted, unless the zone has recovered.
    ZoneEvicted { zone: u32, episode: u32 },
    /// The n-th planned rollout of a service begins.
    Rollout { service: u32, number: u32 },
    /// The n-th planned restart of a service's containers.
    Restart { service: u32, number: u32 },
    /// A replica may have been ready for the required time (`minReadySeconds`).
    Available { service: u32 },
    /// All services are measured.
    Scrape,
    /// The platform of a service reviews its traffic.
    Review { service: u32 },
    /// The policy of a service decides.
    Decide { service: u32 },
    /// The desired size of a service changes.
    Actuate { service: u32, replicas: u32 },
    /// A node has booted. Stale if its `generation` has moved on.
    NodeBooted { node: u32, generation: u32 },
    /// The node policies decide.
    DecideNodes,
}

/// An entry of the calendar, ordered by (time, rank, entity, sequence).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub time: SimTime,
    pub rank: Rank,
    entity: u32,
    sequence: u64,
    pub event: Event,
}

/// The calendar of control events.
#[derive(Debug, Default)]
pub(super) struct EventCalendar {
    heap: BinaryHeap<Reverse<Entry>>,
    sequence: u64,
}

impl EventCalendar {
    /// Schedules an event.
    pub(super) fn push(&mut self, time: SimTime, event: Event) {
        let (rank, entity) = match event {
            Event::IntervalEnd | Event::WarmUpEnd => (Rank::Boundary, 0),
            Event::Phase { replica, .. } | Event::GraceEnd { replica, .. } | Event::Crash { replica, .. } => {
                (Rank::Transition, replica)
            }
            Event::Rollout { service, .. } | Event::Restart { service, .. } | Event::Available { service } => {
                (Rank::Transition, service)
            }
            Event::ZoneLost { zone, .. }
            | Event::ZoneBack { zone }
            | Event::ZoneNoticed { zone, .. }
            | Event::ZoneEvicted { zone, .. } => (Rank::Transition, zone),
            Event::Scrape => (Rank::Scrape, 0),
            Event::Review { service } | Event::Decide { service } => (Rank::Decision, service),
            Event::Actuate { service, .. } => (Rank::Actuation, service),
            Event::NodeBooted { node, .. } => (Rank::Transition, node),
            Event::DecideNodes => (Rank::Nodes, 0),
        };
        self.sequence += 1;
        self.heap.push(Reverse(Entry { time, rank, entity, sequence: self.sequence, event }));
    }

    /// Returns the next entry without removing it.
    pub(super) fn peek(&self) -> Option<Entry> {
        self.heap.peek().map(|Reverse(entry)| *entry)
    }

    /// Removes and returns the next entry.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        self.heap.pop().map(|Reverse(entry)| entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_time_rank_entity_sequence() {
        let mut calendar = EventCalendar::default();
        let at = SimTime::from_secs(1);
        calendar.push(at, Event::Decide { service: 0 });
        calendar.push(at, Event::Phase { service: 0, replica: 7, generation: 0 });
        calendar.push(at, Event::Phase { service: 0, replica: 3, generation: 0 });
        calendar.push(at, Event::Scrape);
        calendar.push(at, Event::IntervalEnd);
        calendar.push(SimTime::ZERO, Event::DecideNodes);
        calendar.push(SimTime::ZERO, Event::Actuate { service: 0, replicas: 1 });
        let ranks: Vec<Rank> = std::iter::from_fn(|| calendar.pop()).map(|e| e.rank).collect();
        use Rank::*;
        assert_eq!(ranks, [Actuation, Nodes, Boundary, Transition, Transition, Scrape, Decision]);
    }
}
