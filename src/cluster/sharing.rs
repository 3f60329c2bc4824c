//! Processor sharing: the jobs in service divide the replica's cores evenly, each using one core at most.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::service_model::{Due, Evicted, Finished, ServiceModel};
use crate::units::{SimDuration, SimTime};

/// A job in service: done when the replica's virtual time reaches `finish`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Share {
    finish: f64,
    /// Order of start, which breaks ties.
    order: u64,
    job: u32,
}

impl Eq for Share {}

impl PartialOrd for Share {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Share {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.finish.total_cmp(&other.finish).then(self.order.cmp(&other.order))
    }
}

#[derive(Debug, Default)]
struct Seat {
    speed: f64,
    shares: BinaryHeap<Reverse<Share>>,
    /// Service that each job present since the last idle moment has received, in nanoseconds at the reference speed.
    virtual_time: f64,
    /// When `virtual_time` and `work` were brought up to date.
    since: SimTime,
    /// Core-nanoseconds used.
    work: f64,
    /// Number of the latest announcement; an event with another number was overtaken.
    announced: u32,
    starts: u64,
}

/// Processor sharing with a limited number of cores: with n jobs on c cores each runs at min(1, c/n) of the node's speed.
/// For one core this is M/G/1-PS, whose mean sojourn time depends on the mean demand only (insensitivity).
#[derive(Debug)]
pub struct ProcessorSharing {
    cores: f64,
    seats: Vec<Seat>,
}

impl ProcessorSharing {
    /// Replicas of `cores` cores (a CPU limit of 500m is half a core).
    pub fn new(cores: f64) -> Self {
        ProcessorSharing { cores, seats: Vec::new() }
    }
}

impl Seat {
    /// Service per job and nanosecond.
    fn rate(&self, cores: f64) -> f64 {
        let jobs = self.shares.len() as f64;
        if jobs == 0.0 { 0.0 } else { self.speed * (cores / jobs).min(1.0) }
    }

    fn advance(&mut self, cores: f64, now: SimTime) {
        let elapsed = now.since(self.since).as_nanos() as f64;
        self.virtual_time += self.rate(cores) * elapsed;
        self.work = self.work_at(cores, now);
        self.since = now;
    }

    /// Core-nanoseconds used up to `now`.
    fn work_at(&self, cores: f64, now: SimTime) -> f64 {
        self.work + cores.min(self.shares.len() as f64) * now.since(self.since).as_nanos() as f64
    }

    fn announce(&mut self, cores: f64, now: SimTime) -> Option<Due> {
        self.announced = self.announced.wrapping_add(1);
        let Reverse(first) = self.shares.peek()?;
        let wait = ((first.finish - self.virtual_time) / self.rate(cores)).max(0.0).ceil();
        Some(Due { time: now + SimDuration::from_nanos(wait as u64), tag: self.announced })
    }
}

impl ServiceModel for ProcessorSharing {
    fn open(&mut self, seat: u32, speed: f64) {
        if seat as usize >= self.seats.len() {
            self.seats.resize_with(seat as usize + 1, Seat::default);
        }
        // The numbers of announcements go on: an event of the seat's former replica may still be queued.
        let announced = self.seats[seat as usize].announced;
        self.seats[seat as usize] = Seat { speed, announced, ..Seat::default() };
    }

    fn start(&mut self, seat: u32, job: u32, demand: SimDuration, now: SimTime) -> Option<Due> {
        let cores = self.cores;
        let seat = &mut self.seats[seat as usize];
        seat.advance(cores, now);
        if seat.shares.is_empty() {
            // Starting again from zero keeps the floating-point error from growing with the length of the run.
            seat.virtual_time = 0.0;
        }
        let finish = seat.virtual_time + demand.as_nanos() as f64;
        seat.starts += 1;
        seat.shares.push(Reverse(Share { finish, order: seat.starts, job }));
        seat.announce(cores, now)
    }

    fn due(&mut self, seat: u32, tag: u32, now: SimTime) -> Finished {
        let cores = self.cores;
        let seat = &mut self.seats[seat as usize];
        if tag != seat.announced {
            return Finished { job: None, next: None };
        }
        seat.advance(cores, now);
        let done = seat.shares.pop();
        if let Some(Reverse(share)) = done {
            seat.virtual_time = seat.virtual_time.max(share.finish);
        }
        let next = seat.announce(cores, now);
        Finished { job: done.map(|Reverse(share)| share.job), next }
    }

    fn evict(&mut self, seat: u32, job: u32, now: SimTime) -> Evicted {
        let cores = self.cores;
        let seat = &mut self.seats[seat as usize];
        seat.advance(cores, now);
        seat.shares.retain(|Reverse(share)| share.job != job);
        Evicted { lingers: false, next: seat.announce(cores, now) }
    }

    fn work_done(&self, seat: u32, _busy_nanos: u128, now: SimTime) -> f64 {
        self.seats[seat as usize].work_at(self.cores, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SimTime {
        SimTime::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn two_jobs_share_one_core() {
        let mut model = ProcessorSharing::new(1.0);
        model.open(0, 1.0);
        let first = model.start(0, 10, SimDuration::from_millis(100), at(0)).unwrap();
        assert_eq!(first.time, at(100));
        // From 50 ms on the two halve the core: job 10 has 50 ms to go and is done at 150 ms, job 11 at 250 - 50 = 200 ms.
        let second = model.start(0, 11, SimDuration::from_millis(100), at(50)).unwrap();
        assert_eq!(second.time, at(150));
        assert_eq!(model.due(0, first.tag, at(100)).job, None);
        let done = model.due(0, second.tag, at(150));
        assert_eq!(done.job, Some(10));
        let last = done.next.unwrap();
        assert_eq!(last.time, at(200));
        assert_eq!(model.due(0, last.tag, at(200)).job, Some(11));
        assert!((model.work_done(0, 0, at(300)) - 200e6).abs() < 1.0);
    }

    #[test]
    fn eviction_speeds_up_the_rest() {
        let mut model = ProcessorSharing::new(1.0);
        model.open(0, 2.0);
        model.start(0, 1, SimDuration::from_millis(100), at(0));
        model.start(0, 2, SimDuration::from_millis(100), at(0));
        // Double speed, halved: 100 ms each would end at 100 ms; alone from 50 ms on, 50 ms of demand take 25 ms.
        let evicted = model.evict(0, 2, at(50));
        assert!(!evicted.lingers);
        assert_eq!(evicted.next.unwrap().time, at(75));
    }
}
