//! Replicas without requests, where requests start them: how long each is kept.
//!
//! A replica has one entry in the heap at most while its keep-alive is constant: when that is due and the replica has served
//! since, the entry moves to the time at which it would be due now. The request path therefore only notes a time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{LOBBY, Lane, LaneStop, NEVER};
use crate::cluster::Dispatcher;
use crate::platform::KeepAlive;
use crate::random::{Distribution, Draw, Purpose, Streams};
use crate::serving::ServiceModel;
use crate::units::SimTime;

/// One seat.
#[derive(Debug, Clone, Copy)]
struct Kept {
    /// When its replica is let go; [`NEVER`] while it has requests, or if it is kept.
    until: u64,
    /// The earliest entry in the heap; [`NEVER`] if there is none.
    checked: u64,
    /// When its replica became ready.
    born: u64,
    /// Since when it has had requests; [`NEVER`] while it has none.
    busy: u64,
    /// Until when it has been charged for, where the time in which it has requests is.
    charged: u64,
    /// Whether it is kept for as long as it is ordered.
    standing: bool,
}

const NOBODY: Kept = Kept { until: NEVER, checked: NEVER, born: 0, busy: NEVER, charged: 0, standing: true };

/// The keep-alive of a lane's replicas.
#[derive(Debug)]
pub(super) struct Keep {
    rule: KeepAlive,
    draw: Draw,
    seats: Vec<Kept>,
    checks: BinaryHeap<Reverse<(u64, u32)>>,
    expired: Option<u32>,
}

impl Keep {
    pub(super) fn new(rule: KeepAlive, streams: Streams, service: u64) -> Keep {
        let draw = streams.running(Purpose::KeepAlive, service);
        Keep { rule, draw, seats: Vec::new(), checks: BinaryHeap::new(), expired: None }
    }

    /// A replica became ready.
    pub(super) fn open(&mut self, seat: u32, standing: bool, now: u64) {
        if seat as usize >= self.seats.len() {
            self.seats.resize(seat as usize + 1, NOBODY);
        }
        let checked = self.seats[seat as usize].checked;
        self.seats[seat as usize] = Kept { checked, born: now, standing, ..NOBODY };
    }

    /// A replica ended, or is kept by other rules from now on.
    pub(super) fn close(&mut self, seat: u32) {
        if let Some(kept) = self.seats.get_mut(seat as usize) {
            *kept = Kept { checked: kept.checked, ..NOBODY };
        }
    }

    /// A replica without requests got one.
    #[inline]
    pub(super) fn woken(&mut self, seat: u32, now: u64) {
        let kept = &mut self.seats[seat as usize];
        (kept.until, kept.busy) = (NEVER, now);
    }

    /// A replica has no requests any more. Returns since when it had any, or [`NEVER`].
    pub(super) fn rests(&mut self, seat: u32, now: u64) -> u64 {
        let idle = match &self.rule.idle {
            Distribution::Constant { value } => (*value * 1e9) as u64,
            drawn => drawn.sample_duration(&mut self.draw).as_nanos(),
        };
        let kept = &mut self.seats[seat as usize];
        let busy = std::mem::replace(&mut kept.busy, NEVER);
        if kept.standing {
            return busy;
        }
        let old = self.rule.life.is_some_and(|life| now - kept.born >= life.as_nanos());
        kept.until = if old { now } else { now.saturating_add(idle) };
        if kept.until < kept.checked {
            kept.checked = kept.until;
            self.checks.push(Reverse((kept.until, seat)));
        }
        busy
    }

    /// When to look next.
    pub(super) fn next(&self) -> u64 {
        self.checks.peek().map_or(NEVER, |Reverse((at, _))| *at)
    }

    /// Looks at the first entry, which is due at `at`. Returns the seat of a replica that is let go.
    fn check(&mut self, at: u64) -> Option<u32> {
        let Reverse((_, seat)) = self.checks.pop()?;
        let kept = &mut self.seats[seat as usize];
        if kept.checked != at {
            // An earlier one has been added since.
            return None;
        }
        kept.checked = NEVER;
        if kept.until <= at {
            kept.until = NEVER;
            return Some(seat);
        }
        if kept.until != NEVER {
            kept.checked = kept.until;
            self.checks.push(Reverse((kept.until, seat)));
        }
        None
    }
}

impl<M: ServiceModel, D: Dispatcher> Lane<M, D> {
    /// A replica has got its first request, or lost its last.
    #[inline(never)]
    pub(super) fn presence_changed(&mut self, number: u32) {
        let now = self.now;
        let Some(keep) = &mut self.keep else { return };
        if number == LOBBY || number as usize >= keep.seats.len() {
            return;
        }
        let seat = &self.seats[number as usize];
        if seat.load() > 0 {
            keep.woken(number, now);
            return;
        }
        let since = match seat.open {
            true => keep.rests(number, now),
            false => std::mem::replace(&mut keep.seats[number as usize].busy, NEVER),
        };
        self.next_timer = self.next_timer.min(keep.next());
        if since != NEVER {
            let charged = &mut keep.seats[number as usize].charged;
            *charged = self.tally.was_active((since, now), *charged, seat.standing);
        }
    }

    /// A replica became ready and got no request at once.
    pub(super) fn rests_unused(&mut self, seat: u32) {
        let Some(keep) = &mut self.keep else { return };
        if self.seats[seat as usize].load() == 0 {
            keep.rests(seat, self.now);
            self.next_timer = self.next_timer.min(keep.next());
        }
    }

    /// Looks at the replica whose keep-alive may be over at `at`.
    pub(super) fn check_keep(&mut self, at: u64) {
        let Some(keep) = &mut self.keep else { return };
        if let Some(seat) = keep.check(at) {
            self.now = at;
            keep.expired = Some(seat);
            self.stopped = true;
        }
        self.find_next_timer();
    }

    /// The replica whose keep-alive is over, if the lane has stopped for that.
    pub(super) fn expired_now(&mut self) -> Option<LaneStop> {
        let seat = self.keep.as_mut()?.expired.take()?;
        Some(LaneStop::Expired { seat, at: SimTime::from_nanos(self.now) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;

    fn keep(idle: f64, life: Option<u64>) -> Keep {
        let rule = KeepAlive { idle: Distribution::Constant { value: idle }, life: life.map(SimDuration::from_secs) };
        let mut keep = Keep::new(rule, Streams::new(1, 0), 0);
        keep.open(1, false, 0);
        keep
    }

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn one_entry_follows_a_replica_that_is_used() {
        let mut keep = keep(10.0, None);
        for second in 0..8 {
            keep.woken(1, second * SECOND);
            assert_eq!(keep.rests(1, second * SECOND + 5), second * SECOND);
        }
        assert_eq!((keep.checks.len(), keep.next()), (1, 10 * SECOND + 5));
        assert_eq!(keep.check(10 * SECOND + 5), None);
        assert_eq!((keep.checks.len(), keep.next()), (1, 17 * SECOND + 5));
        assert_eq!(keep.check(17 * SECOND + 5), Some(1));
        assert_eq!(keep.next(), NEVER);
    }

    #[test]
    fn one_that_is_busy_is_not_let_go() {
        let mut keep = keep(10.0, None);
        keep.woken(1, 0);
        keep.rests(1, SECOND);
        keep.woken(1, 2 * SECOND);
        assert_eq!((keep.check(11 * SECOND), keep.next()), (None, NEVER));
        keep.rests(1, 30 * SECOND);
        assert_eq!((keep.check(40 * SECOND), keep.next()), (Some(1), NEVER));
    }

    #[test]
    fn an_old_one_is_let_go_after_its_request() {
        let mut keep = keep(10.0, Some(60));
        keep.woken(1, 0);
        keep.rests(1, 59 * SECOND);
        keep.woken(1, 59 * SECOND);
        keep.rests(1, 61 * SECOND);
        assert_eq!(keep.check(61 * SECOND), Some(1));
        // The entry of before is stale.
        assert_eq!(keep.check(69 * SECOND), None);
        assert_eq!(keep.next(), NEVER);
    }

    #[test]
    fn one_that_is_ordered_stays() {
        let mut keep = keep(10.0, None);
        keep.open(2, true, 0);
        keep.woken(2, 0);
        assert_eq!(keep.rests(2, 5), 0);
        assert_eq!(keep.next(), NEVER);
    }
}
