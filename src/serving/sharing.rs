//! CPU sharing: requests run at full speed as long as their combined need is below the replica's ceiling, and are
//! slowed evenly beyond it.
//!
//! A request in service that runs unhindered keeps a share of a core busy. Dividing a replica's CPU ceiling by that
//! share gives `full`, usually a fraction: the number of requests that run at full speed at once; with n > `full`
//! requests, each progresses at rate full / n. This is processor sharing with a rate cap per request: slots as long as
//! n <= full, and M/G/1 processor sharing if requests are pure CPU work on one core. With Poisson arrivals the number
//! present has the distribution of the birth-death chain with death rates min(n, full), whatever the distribution of
//! the service times (Cohen 1979, The multiple phase service network with generalized processor sharing).
//!
//! Progress is the same for all requests of a replica, so one clock per replica suffices: a request that starts when
//! the clock shows v and takes d alone leaves the CPU when it shows v + d. That is usually between two nanoseconds, and
//! the others run faster from then on. Its completion is reported at the next whole nanosecond, so that requests that
//! by the model end at the same time also end at the same nanosecond here, before anything that starts then. Clock and
//! time are in units of 2^-56 ns, and each change of n rounds by less than one unit of either. After a million changes
//! with a hundred times as many requests as run at full speed the error is below 2^-56 * 2^20 * 2^7 = 2^-29 ns; times
//! up to [`TOLERANCE`] after a whole nanosecond count as that nanosecond.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::model::{Due, Evicted, Finished, ServiceModel, Work};
use super::slots::{PartlyCpu, on_node};
use super::stated::{CpuUnderLoad, Serving, ServingPlugin, WithModel, no_parameters};
use crate::config::{Diagnostics, Plugin, Yaml};
use crate::units::{SimDuration, SimTime};

/// The entry in the list of serving models.
pub(super) const PLUGIN: ServingPlugin = Plugin {
    name: "processor-sharing",
    summary: "all of the service time is CPU work on one core; beyond the replica's cores the requests share them evenly",
    source: "M/G/c processor sharing (Cohen 1979)",
    build: read,
};

fn read(parameters: &Yaml, sink: &mut Diagnostics) -> Option<super::ServingModel> {
    no_parameters(PLUGIN.name, parameters, sink).map(|()| super::ServingModel::ProcessorSharing(AllCpu))
}

/// Requests whose service time is all CPU work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllCpu;

impl Serving for AllCpu {
    fn cpu(&self) -> CpuUnderLoad {
        CpuUnderLoad::All
    }

    fn compile<W: WithModel>(&self, slowed: bool, with: W) -> W::Output {
        PartlyCpu.compile(slowed, with)
    }
}

/// Fractional bits of a nanosecond in time and clock.
const FRACTION_BITS: u32 = 56;
/// 2^-20 ns, a millionth, in units.
const TOLERANCE: u128 = 1 << (FRACTION_BITS - 20);
/// The largest denominator of `full`: exact for five digits after the point, and for practically relevant six-digit
/// values.
const MAX_DENOMINATOR: u64 = 1 << 18;
/// The largest numerator.
const MAX_NUMERATOR: u64 = 1 << 22;
/// Longer demands are treated as 36 years. A run lasts at most ten, so clock and demand stay below 2^61 ns.
const MAX_DEMAND: u64 = 1 << 60;

/// A request in service: it leaves the CPU when the replica's clock reaches `finish`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Share {
    finish: u128,
    /// Order of start, which breaks ties.
    order: u64,
    job: u32,
}

/// A positive fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ratio {
    numerator: u64,
    denominator: u64,
}

impl Default for Ratio {
    fn default() -> Self {
        Ratio { numerator: 1, denominator: 1 }
    }
}

impl Ratio {
    /// The best continued-fraction approximation of a positive number; exact for a ratio of small integers that was
    /// rounded to a float.
    fn near(value: f64) -> Ratio {
        let (mut before, mut last) = ((0_u64, 1_u64), (1_u64, 0_u64));
        let mut rest = value.min(MAX_NUMERATOR as f64);
        for _ in 0..32 {
            let whole = rest.floor();
            let next = (whole as u64).checked_mul(last.0).and_then(|n| n.checked_add(before.0));
            let denominator = (whole as u64).checked_mul(last.1).and_then(|n| n.checked_add(before.1));
            let (Some(numerator), Some(denominator)) = (next, denominator) else { break };
            if numerator > MAX_NUMERATOR || denominator > MAX_DENOMINATOR {
                break;
            }
            (before, last) = (last, (numerator, denominator));
            let close = (numerator as f64 / denominator as f64 - value).abs() <= 1e-13 * value;
            if close || rest == whole {
                break;
            }
            rest = 1.0 / (rest - whole);
        }
        if last.0 == 0 || last.1 == 0 {
            Ratio { numerator: 1, denominator: MAX_DENOMINATOR }
        } else {
            Ratio { numerator: last.0, denominator: last.1 }
        }
    }
}

#[derive(Debug, Default)]
struct Seat {
    speed: f64,
    /// Number of requests that run at full speed at once.
    full: Ratio,
    /// Requests using the CPU.
    shares: BinaryHeap<Reverse<Share>>,
    /// Requests that have left the CPU and complete at the next whole nanosecond, in order.
    ended: VecDeque<u32>,
    /// Service received since the last idle moment by each request present, in units.
    clock: u128,
    /// When `clock` and `work` were last updated.
    since: SimTime,
    /// Slot-nanoseconds at full speed times the denominator of `full`, up to the whole nanosecond of completion.
    work: u128,
    /// Number of the latest scheduled event; an event with another number is stale.
    announced: u32,
    /// Time of the latest scheduled event. It may be too early, and is then rescheduled.
    coming: Option<SimTime>,
    starts: u64,
}

/// Requests that share their replica's CPU; see the module documentation.
#[derive(Debug, Default)]
pub struct Sharing {
    seats: Vec<Seat>,
}

impl Seat {
    /// Slots in use, in parts of `full.numerator`, if the CPU is saturated; `None` while all requests run at full speed.
    fn asked(&self) -> Option<u128> {
        let asked = (self.shares.len() as u64).saturating_mul(self.full.denominator);
        (asked > self.full.numerator).then(|| u128::from(asked))
    }

    /// Units by which the clock advances in `time` units of time.
    fn progress(&self, time: u128) -> u128 {
        match self.asked() {
            None => time,
            Some(_) if time == 0 => 0,
            Some(asked) => scaled(time, u128::from(self.full.numerator), asked, |amount, by| amount / by),
        }
    }

    /// Units of time in which the clock advances by `units`.
    fn time_for(&self, units: u128) -> u128 {
        match self.asked() {
            None => units,
            Some(asked) if self.full.numerator == 1 => units.saturating_mul(asked),
            Some(asked) => {
                scaled(units, asked, u128::from(self.full.numerator), |amount, by| match by.is_power_of_two() {
                    true => (amount >> by.trailing_zeros()) + u128::from(amount & (by - 1) != 0),
                    false => amount.div_ceil(by),
                })
            }
        }
    }

    /// Whether the clock takes longer than `time` to advance by `units`: without the division of [`Seat::time_for`], which
    /// costs more than all the rest.
    fn takes_longer(&self, units: u128, time: u128) -> bool {
        let Some(asked) = self.asked() else { return units > time };
        match (units.checked_mul(asked), time.checked_mul(u128::from(self.full.numerator))) {
            // Rounded up or not, a quotient is above a whole number if the dividend is above as many divisors.
            (Some(units), Some(time)) => units > time,
            _ => self.time_for(units) > time,
        }
    }

    /// Slots in use, times the denominator of `full`.
    fn used(&self) -> u128 {
        let jobs = (self.shares.len() + self.ended.len()) as u64;
        u128::from(jobs.saturating_mul(self.full.denominator).min(self.full.numerator))
    }

    /// Advances the state to `now`. Requests that leave the CPU meanwhile free it for the others at that exact time.
    fn advance(&mut self, now: SimTime) {
        let elapsed = now.since(self.since).as_nanos();
        if elapsed == 0 {
            return;
        }
        self.work += self.used() * u128::from(elapsed);
        self.since = now;
        let mut time = u128::from(elapsed) << FRACTION_BITS;
        while let Some(Reverse(first)) = self.shares.peek() {
            let left = first.finish.saturating_sub(self.clock);
            if self.takes_longer(left, time + TOLERANCE) {
                self.clock += self.progress(time);
                return;
            }
            // What is left of the time is that of the others.
            if self.shares.len() > 1 {
                time = time.saturating_sub(self.time_for(left));
            }
            self.clock = self.clock.max(first.finish);
            self.ended.push_back(first.job);
            self.shares.pop();
        }
    }

    /// Removes requests that need no more service from the CPU.
    fn end_due(&mut self) {
        if let Some(Reverse(first)) = self.shares.peek()
            && !self.takes_longer(first.finish.saturating_sub(self.clock), TOLERANCE)
        {
            self.clock = self.clock.max(first.finish);
            self.ended.push_back(first.job);
            self.shares.pop();
        }
    }

    /// Nanoseconds until the next completion.
    fn wait(&self) -> Option<u64> {
        if !self.ended.is_empty() {
            return Some(0);
        }
        let Reverse(first) = self.shares.peek()?;
        let needed = self.time_for(first.finish.saturating_sub(self.clock)).saturating_sub(TOLERANCE);
        Some(u64::try_from(needed.div_ceil(1 << FRACTION_BITS)).unwrap_or(u64::MAX))
    }

    /// Whether the scheduled event comes no later than the next completion.
    fn comes_in_time(&self, now: SimTime) -> bool {
        let (Some(coming), Some(Reverse(first))) = (self.coming, self.shares.peek()) else { return false };
        let Some(before) = coming.since(now).as_nanos().checked_sub(1) else { return true };
        // The completion is at the first whole nanosecond at which it is due, and so not `before` then.
        let before = (u128::from(before) << FRACTION_BITS) + TOLERANCE;
        self.ended.is_empty() && self.takes_longer(first.finish.saturating_sub(self.clock), before)
    }

    /// Schedules the next completion, unless an earlier scheduled event will check for it in time.
    fn announce(&mut self, now: SimTime) -> Option<Due> {
        if self.comes_in_time(now) {
            return None;
        }
        let Some(wait) = self.wait() else {
            self.coming = None;
            self.announced = self.announced.wrapping_add(1);
            return None;
        };
        let time = now + SimDuration::from_nanos(wait);
        if self.coming.is_some_and(|coming| coming <= time) {
            return None;
        }
        self.coming = Some(time);
        self.announced = self.announced.wrapping_add(1);
        Some(Due { time, tag: self.announced })
    }
}

/// `amount * by / of`, rounded as `divide` does. Amounts of years are divided first, since their last digits do not
/// matter.
#[inline]
fn scaled(amount: u128, by: u128, of: u128, divide: impl Fn(u128, u128) -> u128) -> u128 {
    match amount.checked_mul(by) {
        Some(product) => divide(product, of),
        None => divide(amount, of).saturating_mul(by),
    }
}

impl ServiceModel for Sharing {
    fn open(&mut self, seat: u32, speed: f64, full: f64) {
        if seat as usize >= self.seats.len() {
            self.seats.resize_with(seat as usize + 1, Seat::default);
        }
        // Continue the numbering: an event of the seat's former replica may still be queued.
        let announced = self.seats[seat as usize].announced.wrapping_add(1);
        self.seats[seat as usize] = Seat { speed, full: Ratio::near(full), announced, ..Seat::default() };
    }

    fn start(&mut self, seat: u32, job: u32, work: Work, now: SimTime) -> Option<Due> {
        let seat = &mut self.seats[seat as usize];
        seat.advance(now);
        if seat.shares.is_empty() {
            seat.clock = 0;
        }
        let demand = on_node(work.demand, seat.speed).as_nanos().min(MAX_DEMAND);
        let finish = seat.clock + (u128::from(demand) << FRACTION_BITS);
        seat.starts += 1;
        seat.shares.push(Reverse(Share { finish, order: seat.starts, job }));
        seat.announce(now)
    }

    fn due(&mut self, seat: u32, tag: u32, now: SimTime) -> Finished {
        let seat = &mut self.seats[seat as usize];
        if tag != seat.announced {
            return Finished { job: None, next: None };
        }
        seat.coming = None;
        seat.advance(now);
        if seat.ended.is_empty() {
            seat.end_due();
        }
        let job = seat.ended.pop_front();
        Finished { job, next: seat.announce(now) }
    }

    fn evict(&mut self, seat: u32, job: u32, now: SimTime) -> Evicted {
        let seat = &mut self.seats[seat as usize];
        seat.advance(now);
        seat.shares.retain(|Reverse(share)| share.job != job);
        seat.ended.retain(|ended| *ended != job);
        Evicted { lingers: false, next: seat.announce(now) }
    }

    fn work_done(&self, seat: u32, _busy_nanos: u128, now: SimTime) -> f64 {
        let seat = &self.seats[seat as usize];
        let work = seat.work + seat.used() * u128::from(now.since(seat.since).as_nanos());
        work as f64 / seat.full.denominator as f64
    }

    fn alone(&self, seat: u32, work: Work) -> SimDuration {
        let seat = &self.seats[seat as usize];
        let demand = on_node(work.demand, seat.speed);
        let Ratio { numerator, denominator } = seat.full;
        if numerator >= denominator {
            return demand;
        }
        let nanos = (u128::from(demand.as_nanos()) * u128::from(denominator)).div_ceil(u128::from(numerator));
        SimDuration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: u64) -> SimTime {
        SimTime::from_nanos(millis * 1_000_000)
    }

    fn ms(millis: u64) -> SimDuration {
        SimDuration::from_millis(millis)
    }

    fn of(demand: SimDuration) -> Work {
        Work { demand, ..Work::default() }
    }

    fn with(full: f64, speed: f64) -> Sharing {
        let mut model = Sharing::default();
        model.open(0, speed, full);
        model
    }

    /// Runs a scheduled event and those that follow from it until a request completes.
    fn next_done(model: &mut Sharing, mut due: Due) -> (u32, SimTime, Option<Due>) {
        loop {
            let found = model.due(0, due.tag, due.time);
            if let Some(job) = found.job {
                return (job, due.time, found.next);
            }
            due = found.next.unwrap();
        }
    }

    #[test]
    fn two_jobs_share_one_core() {
        let mut model = with(1.0, 1.0);
        let first = model.start(0, 10, of(ms(100)), at(0)).unwrap();
        assert_eq!(first.time, at(100));
        // From 50 ms on the two share the core evenly: job 10 has 50 ms to go and completes at 150 ms, job 11 at 250 -
        // 50 = 200 ms. The event scheduled for 100 ms is rescheduled then.
        assert_eq!(model.start(0, 11, of(ms(100)), at(50)), None);
        let (job, time, next) = next_done(&mut model, first);
        assert_eq!((job, time), (10, at(150)));
        let last = next.unwrap();
        assert_eq!(next_done(&mut model, last), (11, at(200), None));
        assert_eq!(model.work_done(0, 0, at(300)), 200e6);
    }

    #[test]
    fn a_fraction_of_requests_runs_at_full_speed() {
        // Half a core per request, and CPU for two and a half of them: the third slows all to 5/6.
        let mut model = with(2.5, 1.0);
        let first = model.start(0, 1, of(ms(100)), at(0)).unwrap();
        assert_eq!(model.start(0, 2, of(ms(100)), at(0)), None);
        assert_eq!(model.start(0, 3, of(ms(100)), at(0)), None);
        let (job, time, next) = next_done(&mut model, first);
        assert_eq!((job, time, next.unwrap().time), (1, at(120), at(120)));
        // Three at 2.5 slots for 120 ms.
        assert_eq!(model.work_done(0, 0, at(120)), 300e6);
        // Alone at half the speed of a core, and with a ceiling below one request's need.
        assert_eq!(with(2.5, 0.5).alone(0, of(ms(100))), ms(200));
        assert_eq!(with(0.25, 2.0).alone(0, of(ms(100))), ms(200));
    }

    #[test]
    fn eviction_speeds_up_the_rest() {
        let mut model = with(1.0, 2.0);
        let first = model.start(0, 1, of(ms(100)), at(0)).unwrap();
        model.start(0, 2, of(ms(100)), at(0));
        // Double speed, halved: 100 ms each would complete at 100 ms; alone from 50 ms on, 50 ms of demand take 25 ms.
        let evicted = model.evict(0, 2, at(50));
        assert!(!evicted.lingers);
        let (job, time, _) = next_done(&mut model, evicted.next.unwrap_or(first));
        assert_eq!((job, time), (1, at(75)));
    }

    /// Thirds and sevenths of a nanosecond do not accumulate to a late completion: 21 requests of 10 ms on one core,
    /// each starting one nanosecond after the other, complete when all their work is done.
    #[test]
    fn ends_that_fall_together_are_not_late() {
        let mut model = with(1.0, 1.0);
        let mut due = None;
        for job in 0..21_u32 {
            due = model.start(0, job, of(ms(10)), SimTime::from_nanos(job.into())).or(due);
        }
        let mut ends = Vec::new();
        while let Some(next) = due {
            let (job, time, following) = next_done(&mut model, next);
            ends.push((job, time.as_nanos()));
            due = following;
        }
        assert_eq!(ends.last(), Some(&(20, 210_000_000)));
        assert_eq!(ends.len(), 21);
    }

    #[test]
    fn fractions_are_found_again() {
        let found = |value: f64| (Ratio::near(value).numerator, Ratio::near(value).denominator);
        assert_eq!(found(0.5), (1, 2));
        assert_eq!(found(0.35 / (0.037 / 0.113)), (791, 740));
        assert_eq!(found(1.0 / 3.0), (1, 3));
        assert_eq!(found(1.9), (19, 10));
        assert_eq!(found(250.0), (250, 1));
        assert_eq!(found(1e-9), (1, MAX_DENOMINATOR));
        assert_eq!(found(1e12), (MAX_NUMERATOR, 1));
    }

    proptest! {
        #[test]
        fn fractions_are_near(value in 0.001..1000.0f64) {
            let Ratio { numerator, denominator } = Ratio::near(value);
            prop_assert!((numerator as f64 / denominator as f64 / value - 1.0).abs() < 1e-6, "{value}: {numerator}/{denominator}");
        }

        /// A comparison without a division says the same as with it, at the very time as well.
        #[test]
        fn comparing_needs_no_division(
            full in prop_oneof![Just(4.0), Just(0.5), Just(1.0), 0.01..30.0f64],
            present in 1..200u32,
            units in prop_oneof![0..1u128 << 100, 0..1u128 << 124, 0..1u128 << 70],
            other in 0..1u128 << 100,
        ) {
            let mut seat = Seat { full: Ratio::near(full), ..Seat::default() };
            seat.shares.extend((0..present).map(|job| Reverse(Share { finish: 0, order: 0, job })));
            let needed = seat.time_for(units);
            let exact = seat.asked().and_then(|asked| Some(units.checked_mul(asked)?.div_ceil(u128::from(seat.full.numerator))));
            prop_assert_eq!(needed, exact.unwrap_or(needed));
            for time in [needed, needed.saturating_sub(1), needed.saturating_add(1), other] {
                prop_assert_eq!(seat.takes_longer(units, time), needed > time, "{} {}", units, time);
            }
        }

        /// The ceiling is never exceeded, no CPU is left idle while a request could use it, and each request gets its
        /// demand.
        #[test]
        fn work_is_conserved(
            full in 1..9u64,
            jobs in prop::collection::vec((0..40u64, 1..30u64), 1..40),
        ) {
            let full = full as f64 / 2.0;
            let mut model = with(full, 1.0);
            let mut due: Option<Due> = None;
            let (mut now, mut ends) = (0, 0);
            let mut step = |model: &mut Sharing, due: &mut Option<Due>, until: u64| {
                while let Some(event) = due.filter(|event| event.time.as_nanos() <= until) {
                    let found = model.due(0, event.tag, event.time);
                    ends += usize::from(found.job.is_some());
                    *due = found.next;
                }
            };
            for (number, (gap, demand)) in jobs.iter().enumerate() {
                now += gap;
                step(&mut model, &mut due, now);
                let next = model.start(0, number as u32, of(SimDuration::from_nanos(*demand)), SimTime::from_nanos(now));
                due = next.or(due);
            }
            step(&mut model, &mut due, u64::MAX);
            prop_assert_eq!(ends, jobs.len());
            let demanded: u64 = jobs.iter().map(|(_, demand)| demand).sum();
            let worked = model.work_done(0, 0, SimTime::from_nanos(100_000));
            // Completions reported at a whole nanosecond count up to then.
            prop_assert!(worked >= demanded as f64 && worked <= demanded as f64 + full * jobs.len() as f64, "{worked} {demanded}");
        }
    }
}
