//! Leases: what is paid for, from when to when, and the cost.

use crate::catalog::Billing;
use crate::units::{SimDuration, SimTime, Usd, UsdPerHour};

/// A lease, paid for by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Start.
    pub start: SimTime,
    /// Price.
    pub price: UsdPerHour,
    /// How time is billed.
    pub billing: Billing,
}

impl Lease {
    /// The billed duration of a lease that ends at `end`, and its cost: price times billed duration, rounded once.
    ///
    /// # Panics
    /// If `end` is before the start, which is a bug of the caller.
    pub fn settle(&self, end: SimTime) -> (SimDuration, Usd) {
        assert!(end >= self.start, "a lease from {} cannot end at {end}", self.start);
        let billed = self.billing.billed(end.since(self.start));
        (billed, self.price.over(billed))
    }
}

/// Index of a lease in the book.
pub type LeaseId = usize;

/// A settled lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// What was leased.
    pub what: String,
    /// Start.
    pub start: SimTime,
    /// End.
    pub end: SimTime,
    /// Billed duration.
    pub billed: SimDuration,
    /// Of it, what a commitment covers, which costs nothing here.
    pub covered: SimDuration,
    /// Price.
    pub price: UsdPerHour,
    /// Cost.
    pub cost: Usd,
}

#[derive(Debug, Clone)]
struct Entry {
    /// Index into the list of names.
    what: u32,
    lease: Lease,
    end: Option<SimTime>,
}

/// All leases of a run.
#[derive(Debug, Clone, Default)]
pub struct LeaseBook {
    names: Vec<String>,
    entries: Vec<Entry>,
    /// Cost of the leases that have ended.
    closed: Usd,
}

impl LeaseBook {
    /// Creates an empty book.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens a lease of `what` (a pool or service and its instance type, as shown on the bill). Names are searched
    /// linearly, so there should be few different ones.
    pub fn open(&mut self, what: &str, start: SimTime, price: UsdPerHour, billing: Billing) -> LeaseId {
        let name = self.names.iter().position(|name| name == what).unwrap_or_else(|| {
            self.names.push(what.to_string());
            self.names.len() - 1
        });
        self.entries.push(Entry { what: name as u32, lease: Lease { start, price, billing }, end: None });
        self.entries.len() - 1
    }

    /// Closes a lease.
    ///
    /// # Panics
    /// If it is already closed or `end` is before its start, which is a bug of the caller.
    pub fn close(&mut self, id: LeaseId, end: SimTime) {
        let entry = &mut self.entries[id];
        assert!(entry.end.is_none(), "lease {id} of {} ends twice", self.names[entry.what as usize]);
        entry.end = Some(end);
        self.closed += entry.lease.settle(end).1;
    }

    /// Closes all open leases at `end` and returns every lease in the order of opening. Asserts invariant I5: the total
    /// is the sum of the leases, and none is negative.
    pub fn settle(&mut self, end: SimTime) -> Vec<Settled> {
        for id in 0..self.entries.len() {
            if self.entries[id].end.is_none() {
                self.close(id, end);
            }
        }
        let settled: Vec<Settled> = self.entries.iter().map(|entry| self.settled(entry, end)).collect();
        assert!(settled.iter().all(|lease| lease.cost >= Usd::ZERO), "I5: a lease has a negative cost");
        assert_eq!(settled.iter().map(|lease| lease.cost).sum::<Usd>(), self.closed, "I5: the total is not the sum");
        settled
    }

    fn settled(&self, entry: &Entry, run_end: SimTime) -> Settled {
        let end = entry.end.unwrap_or(run_end);
        let (billed, cost) = entry.lease.settle(end);
        let what = self.names[entry.what as usize].clone();
        let covered = SimDuration::ZERO;
        Settled { what, start: entry.lease.start, end, billed, covered, price: entry.lease.price, cost }
    }

    /// Total cost of the closed leases; after [`LeaseBook::settle`], of all. Exact and independent of order.
    #[cfg(test)]
    pub fn total(&self) -> Usd {
        self.closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const MINUTE: Billing = Billing { granularity: SimDuration::from_secs(1), minimum: SimDuration::from_secs(60) };

    const fn at(ms: u64) -> SimTime {
        SimTime::from_nanos(ms * 1_000_000)
    }

    /// $0.36/h is 100,000 nano-dollars per second.
    const PRICE: UsdPerHour = UsdPerHour::from_nanos(360_000_000);

    #[rstest]
    #[case(MINUTE, 0, 60, 6_000_000)]
    #[case(MINUTE, 59_000, 60, 6_000_000)]
    #[case(MINUTE, 60_001, 61, 6_100_000)]
    #[case(MINUTE, 3_600_000, 3600, 360_000_000)]
    #[case(Billing::EXACT, 1000, 1, 100_000)]
    fn settles(#[case] billing: Billing, #[case] used_ms: u64, #[case] billed_s: u64, #[case] nanos: i128) {
        let lease = Lease { start: at(5000), price: PRICE, billing };
        assert_eq!(lease.settle(at(5000 + used_ms)), (SimDuration::from_secs(billed_s), Usd::from_nanos(nanos)));
    }

    #[test]
    #[should_panic(expected = "a lease from 5s cannot end at 4s")]
    fn a_lease_cannot_end_before_it_starts() {
        Lease { start: at(5000), price: PRICE, billing: MINUTE }.settle(at(4000));
    }

    #[test]
    #[should_panic(expected = "lease 0 of web ends twice")]
    fn a_lease_cannot_end_twice() {
        let mut book = LeaseBook::new();
        let lease = book.open("web", at(0), PRICE, MINUTE);
        book.close(lease, at(1));
        book.close(lease, at(2));
    }

    #[test]
    fn a_book_bills_closed_and_open_leases() {
        let mut book = LeaseBook::new();
        let first = book.open("pool a, m6i.large", at(0), PRICE, MINUTE);
        book.open("pool b, m7i.large", at(10_000), PRICE * 2, MINUTE);
        book.open("pool a, m6i.large", at(20_000), PRICE, MINUTE);
        book.close(first, at(90_500));
        assert_eq!(book.total(), Usd::from_nanos(9_100_000));
        let bill = book.settle(at(100_000));
        let lines: Vec<_> = bill.iter().map(|l| (l.what.as_str(), l.start, l.end, l.billed, l.cost)).collect();
        let (s, usd) = (SimDuration::from_secs, Usd::from_nanos);
        assert_eq!(
            lines,
            [
                ("pool a, m6i.large", at(0), at(90_500), s(91), usd(9_100_000)),
                ("pool b, m7i.large", at(10_000), at(100_000), s(90), usd(18_000_000)),
                ("pool a, m6i.large", at(20_000), at(100_000), s(80), usd(8_000_000)),
            ]
        );
        assert_eq!(book.total(), usd(35_100_000));
        assert_eq!(book.settle(at(100_000)), bill);
    }

    prop_compose! {
        fn lease()(start in 0..10_000_000u64, length in 0..10_000_000u64, nanos in 0..100_000_000_000u64,
                   granularity in 0..4000u64, minimum in 0..4000u64) -> (Lease, SimTime) {
            let billing = Billing {
                granularity: SimDuration::from_secs(granularity),
                minimum: SimDuration::from_secs(minimum),
            };
            (Lease { start: at(start), price: UsdPerHour::from_nanos(nanos), billing }, at(start + length))
        }
    }

    proptest! {
        #[test]
        fn cost_covers_use_and_never_falls((lease, end) in lease(), more in 0..10_000_000u64) {
            let (billed, cost) = lease.settle(end);
            prop_assert!(billed >= end.since(lease.start));
            prop_assert!(cost >= lease.price.over(end.since(lease.start)) && cost >= Usd::ZERO);
            let (later_billed, later_cost) = lease.settle(end + SimDuration::from_millis(more));
            prop_assert!(later_billed >= billed && later_cost >= cost);
        }

        /// I5.
        #[test]
        fn totals_are_exact(leases in prop::collection::vec((lease(), any::<bool>()), 0..30)) {
            let mut book = LeaseBook::new();
            let run_end = at(20_000_000);
            for ((lease, end), closes) in &leases {
                let id = book.open("x", lease.start, lease.price, lease.billing);
                if *closes {
                    book.close(id, *end);
                }
            }
            let bill = book.settle(run_end);
            prop_assert_eq!(bill.len(), leases.len());
            prop_assert_eq!(bill.iter().map(|lease| lease.cost).sum::<Usd>(), book.total());
        }
    }
}
