//! A replica as the request path sees it: current contents and their time integrals.

use super::super::jobs::NIL;
use crate::units::SimTime;

/// A replica as the request path sees it, in one cache line.
///
/// The time integral of a level is the sum of the times at which it fell, minus those at which it rose, plus level
/// times now: one addition per change. The sums are modulo 2^128 and may wrap below zero in between. The integrals
/// themselves are below 2^96 and exact, because levels are below 2^32 (every request is a slab record with a `u32`
/// index) and times below 2^64.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
pub(in crate::engine) struct Seat {
    pub running: u32,
    pub waiting: u32,
    pub(super) head: u32,
    pub(super) tail: u32,
    pub(super) slots: u32,
    pub(super) open: bool,
    pub draining: bool,
    pub(super) served_before: bool,
    /// Whether its replica is there whether requests come or not.
    pub(super) standing: bool,
    /// Attempts that arrived.
    pub arrived: u64,
    /// Sum of ends minus sum of starts of service, nanoseconds.
    served: u128,
    /// Sum of ends minus sum of starts of waits, nanoseconds.
    waited: u128,
}

const _: () = assert!(size_of::<Seat>() == 64, "dispatch touches one cache line of a replica");

impl Seat {
    /// The seat of a ready replica with this many slots.
    pub(super) fn of(slots: u32) -> Seat {
        Seat { head: NIL, tail: NIL, slots, open: true, ..Seat::default() }
    }

    /// The seat of a replica that is starting for a request.
    pub(super) fn starting() -> Seat {
        Seat { open: false, arrived: 1, ..Seat::of(u32::MAX) }
    }

    /// The seat of requests that are held: no replica's, so that none of them starts there.
    pub(super) fn lobby() -> Seat {
        Seat { open: false, ..Seat::of(u32::MAX) }
    }

    /// A request starts service.
    #[inline]
    pub(super) fn begin(&mut self, now: u64) {
        self.running += 1;
        self.served = self.served.wrapping_sub(u128::from(now));
    }

    /// A request leaves service.
    #[inline]
    pub(super) fn end(&mut self, now: u64) {
        self.running -= 1;
        self.served = self.served.wrapping_add(u128::from(now));
    }

    /// A request joins the queue.
    #[inline]
    pub(super) fn join(&mut self, now: u64) {
        self.waiting += 1;
        self.waited = self.waited.wrapping_sub(u128::from(now));
    }

    /// A request leaves the queue.
    #[inline]
    pub(super) fn leave(&mut self, now: u64) {
        self.waiting -= 1;
        self.waited = self.waited.wrapping_add(u128::from(now));
    }

    /// Whether its replica is starting for a request, which waits here unless its client has given up.
    pub(super) fn is_reserved(&self) -> bool {
        !self.open && self.slots == u32::MAX
    }

    /// Resets the seat once its integrals are counted elsewhere.
    pub(super) fn clear(&mut self) {
        (self.served, self.waited) = (0, 0);
        self.slots = 0;
        self.draining = false;
    }

    #[inline]
    pub(super) fn load(&self) -> u32 {
        self.running + self.waiting
    }

    /// Time integral of requests in service up to `now`, slot-nanoseconds.
    pub(in crate::engine) fn busy_area(&self, now: SimTime) -> u128 {
        self.served.wrapping_add(u128::from(self.running) * u128::from(now.as_nanos()))
    }

    /// Time integral of waiting requests up to `now`, request-nanoseconds.
    pub(super) fn waiting_area(&self, now: SimTime) -> u128 {
        self.waited.wrapping_add(u128::from(self.waiting) * u128::from(now.as_nanos()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_hold_the_longest_queue_for_the_longest_time() {
        let (most, end) = (u32::MAX - 1, u64::MAX);
        let mut seat = Seat { running: most, waiting: most, ..Seat::default() };
        let area = |level: u32, time: u64| u128::from(level) * u128::from(time);
        for now in [0, 1, 12_345, end / 3, end - 1, end].map(SimTime::from_nanos) {
            assert_eq!(
                (seat.busy_area(now), seat.waiting_area(now)),
                (area(most, now.as_nanos()), area(most, now.as_nanos()))
            );
        }
        // One more from 1,000 to 5,000, one fewer from 7,000 on.
        seat.begin(1000);
        seat.join(1000);
        let now = SimTime::from_nanos(3000);
        assert_eq!((seat.busy_area(now), seat.waiting_area(now)), (area(most, 3000) + 2000, area(most, 3000) + 2000));
        seat.end(5000);
        seat.leave(5000);
        seat.end(7000);
        seat.leave(7000);
        let expected = area(most, end) + 4000 - u128::from(end - 7000);
        let end = SimTime::from_nanos(end);
        assert_eq!((seat.busy_area(end), seat.waiting_area(end)), (expected, expected));
    }
}
