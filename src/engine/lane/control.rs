//! The interface between simulation and lane at control events: replicas come and go, state is read.

use std::cmp::Reverse;

use super::super::calls::Message;
use super::super::causes::{Cause, ScalingState, of_unanswered};
use super::super::error::RunError;
use super::super::fate::Fate;
use super::super::jobs::{Job, JobState, NIL};
use super::super::tally::Tally;
use super::super::unanswered::Unanswered;
use super::{Horizon, LOBBY, Lane, LaneStop, SILENT, Seat, Timer, Upcoming, attempt_of};
use crate::cluster::{Dispatcher, Power};
use crate::platform::Ingress;
use crate::serving::{Gauges, ServiceModel};
use crate::units::SimTime;

/// The operations of a lane at control events, independent of its type parameters.
pub(in crate::engine) trait LaneControl: Send {
    /// Processes events up to the horizon.
    fn run(&mut self, horizon: Horizon) -> Result<LaneStop, RunError>;
    /// Exchanges what the lane has sent to others with an empty list.
    fn exchange_outbox(&mut self, empty: &mut Vec<Message>);
    /// Takes what another lane has sent.
    fn take_in(&mut self, message: &Message);
    /// The time of the next event in nanoseconds, or `u64::MAX` if there is none.
    fn next_event(&self) -> u64;
    /// Opens a seat for a replica that became ready. Seat numbers of ended replicas may be reused.
    /// Held requests are passed on at `now`.
    /// The replica is `standing` if it is there whether requests come or not. A request that waits in the seat starts.
    fn open(&mut self, seat: u32, slots: u32, power: Power, standing: bool, now: SimTime);
    /// Whether replicas have no queues.
    fn pulls(&self) -> bool;
    /// The first held request waits in `seat` from now on, for a replica that is started for it.
    fn bind(&mut self, seat: u32);
    /// Rejects the first held request, because the platform is at a limit.
    fn throttle(&mut self);
    /// The number of attempts that are held for want of a replica.
    fn held(&self) -> u64;
    /// The number of attempts that are waiting or in service.
    fn attempts_present(&self) -> u64;
    /// Whether the next arrival would be held. That changes at control events only.
    fn may_starve(&self) -> bool;
    /// Starts draining a ready replica. Returns `true` if it is empty.
    fn drain(&mut self, seat: u32, now: SimTime) -> bool;
    /// Drops every request in a replica and closes its seat.
    fn kill(&mut self, seat: u32, now: SimTime);
    /// The machine of a replica is lost without being noticed: requests in it, and those sent to it from now on, hang
    /// until the client gives up or the seat is killed.
    fn silence(&mut self, seat: u32, now: SimTime);
    /// Adds the seat's integrals to the totals and closes it. It must be empty.
    fn release(&mut self, seat: u32, now: SimTime);
    /// The seat.
    fn seat(&self, seat: u32) -> &Seat;
    /// Work done by the seat, see [`ServiceModel::work_done`].
    fn work_done(&self, seat: u32, now: SimTime) -> f64;
    /// What the engine in the seat says of itself, see [`ServiceModel::gauges`].
    fn gauges(&self, seat: u32) -> Gauges;
    /// Sets the scaling state of the service from now on.
    fn set_scaling_state(&mut self, scaling_state: ScalingState);
    /// The lane's counts.
    fn tally(&mut self) -> &mut Tally;
    /// Totals at `now`. Takes time linear in the number of seats, regardless of queue lengths.
    fn totals(&self, now: SimTime) -> LaneTotals;
    /// Visits every request in the system, of which there may be very many.
    fn present(&self, now: SimTime) -> Present;
    /// Reports every request in the system at the end of the run, including those waiting for a retry.
    fn collect_unanswered(&self, unanswered: &mut Unanswered);
}

/// A lane's totals at one point in time.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::engine) struct LaneTotals {
    /// Integral of busy slots, slot-nanoseconds.
    pub busy: u128,
    /// Integral of waiting requests.
    pub waiting: u128,
    /// Requests waiting at replicas now.
    pub waiting_now: u64,
    /// Work done, see [`ServiceModel::work_done`].
    pub work: f64,
    /// Events processed.
    pub events: u64,
    /// Requests served by a replica that had already served one.
    pub warm_requests: u64,
    /// Checksum over the arrivals and demands.
    pub fingerprint: u64,
    /// Attempts so far: new requests and retries.
    pub attempts: u64,
}

/// Result of visiting every request in the system.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Present {
    /// Total time that attempts, past and present, have spent at replicas. By Little's law it equals `busy + waiting`.
    pub residence: u128,
    /// Requests (not attempts) in the system that arrived after the warm-up, including those waiting for a retry.
    pub in_flight: u64,
}

impl LaneTotals {
    /// Work done since `earlier`. When seats have closed in between, the sum is taken in another order; without any
    /// work its rounding error may then be negative.
    pub(in crate::engine) fn worked_since(&self, earlier: &LaneTotals) -> f64 {
        (self.work - earlier.work).max(0.0)
    }
}

impl<M: ServiceModel, D: Dispatcher> LaneControl for Lane<M, D> {
    fn run(&mut self, horizon: Horizon) -> Result<LaneStop, RunError> {
        Lane::run(self, horizon)
    }

    fn exchange_outbox(&mut self, empty: &mut Vec<Message>) {
        Lane::exchange_outbox(self, empty);
    }

    fn take_in(&mut self, message: &Message) {
        Lane::take_in(self, message);
    }

    fn next_event(&self) -> u64 {
        Lane::next_event(self)
    }

    fn open(&mut self, seat: u32, slots: u32, power: Power, standing: bool, now: SimTime) {
        if seat as usize >= self.seats.len() {
            self.seats.resize(seat as usize + 1, Seat::default());
        }
        self.model.open(seat, power.speed, power.full);
        if let Some(keep) = &mut self.keep {
            keep.open(seat, standing, now.as_nanos());
        }
        if standing {
            self.dispatcher.prefer(seat);
        }
        let record = &mut self.seats[seat as usize];
        if record.is_reserved() {
            (record.slots, record.open) = (slots, true);
        } else {
            *record = Seat::of(slots);
        }
        record.standing = standing;
        let load = record.load();
        self.dispatcher.open(seat, load, power.speed);
        if load > 0 {
            self.now = self.now.max(now.as_nanos());
            self.start_next(seat);
            self.presence_changed(seat);
            return;
        }
        self.release_held(now);
        self.now = self.now.max(now.as_nanos());
        self.rests_unused(seat);
    }

    fn pulls(&self) -> bool {
        self.pulls
    }

    fn bind(&mut self, seat: u32) {
        Lane::bind(self, seat);
    }

    fn throttle(&mut self) {
        Lane::throttle(self);
    }

    fn held(&self) -> u64 {
        self.spec.ingress.hold().map_or(0, |_| u64::from(self.seats[LOBBY as usize].waiting))
    }

    fn may_starve(&self) -> bool {
        match self.spec.ingress {
            Ingress::Reject => false,
            Ingress::Hold { .. } => !self.seats.iter().any(|seat| seat.open),
            Ingress::Pull { .. } => true,
        }
    }

    fn attempts_present(&self) -> u64 {
        self.seats.iter().map(|seat| u64::from(seat.running) + u64::from(seat.waiting)).sum()
    }

    fn drain(&mut self, seat: u32, now: SimTime) -> bool {
        let record = &mut self.seats[seat as usize];
        record.open = false;
        record.draining = true;
        self.dispatcher.close(seat, record.load());
        let empty = record.load() == 0;
        if M::GATHERS {
            self.now = self.now.max(now.as_nanos());
            self.gather(seat);
        }
        empty
    }

    fn kill(&mut self, seat: u32, now: SimTime) {
        self.now = self.now.max(now.as_nanos());
        let record = &mut self.seats[seat as usize];
        if std::mem::take(&mut record.open) {
            let load = record.load();
            self.dispatcher.close(seat, load);
        }
        record.draining = false;
        let held: Vec<u32> = self.jobs.iter().filter(|(_, job)| job.seat == seat).map(|(number, _)| number).collect();
        let mut lost = Vec::new();
        // Waiting jobs first, so that none of them is started by the end of a running one.
        for state in [JobState::Waiting, JobState::Calling, JobState::Running] {
            for number in held.iter().copied().filter(|n| self.jobs.get(*n).state == state).collect::<Vec<_>>() {
                let job = *self.jobs.get(number);
                self.drop_job(number);
                match job.abandoned {
                    true => self.return_ticket(job.ordinal),
                    false => lost.push(job),
                }
            }
        }
        // The oldest request is the first to use the retry budget.
        lost.sort_unstable_by_key(|job| (Self::is_from_a_call(job.ordinal).then_some(job.arrival), job.ordinal));
        lost.iter().for_each(|job| self.lose(attempt_of(job), Fate::Failed, Cause::Crash));
        self.drained = None;
        self.stopped = false;
        self.release(seat, now);
    }

    fn silence(&mut self, seat: u32, now: SimTime) {
        self.now = self.now.max(now.as_nanos());
        let served = |job: &Job| matches!(job.state, JobState::Running | JobState::Calling);
        let running = |job: &Job| job.seat == seat && served(job);
        let mut held: Vec<u32> = self.jobs.iter().filter(|(_, job)| running(job)).map(|(number, _)| number).collect();
        held.sort_unstable_by_key(|number| (self.jobs.get(*number).offered, self.jobs.get(*number).ordinal));
        for number in held {
            let job = *self.jobs.get(number);
            self.tally.cut_short(&job, self.now, self.seats[seat as usize].standing);
            if job.state == JobState::Calling {
                self.end_calls(&job);
            } else {
                self.model.evict(seat, number, now);
            }
            let record = &mut self.seats[seat as usize];
            record.end(now.as_nanos());
            let job = self.jobs.get_mut(number);
            (job.state, job.next) = (JobState::Waiting, NIL);
            self.enqueue(seat, number);
        }
        self.forget_dropped(seat);
        self.completions.forget(now, seat);
        self.seats[seat as usize].slots = SILENT;
    }

    fn release(&mut self, seat: u32, now: SimTime) {
        let record = &mut self.seats[seat as usize];
        assert!(record.load() == 0 && !record.open, "only an empty closed seat is released");
        self.past_busy += record.busy_area(now);
        self.past_waiting += record.waiting_area(now);
        self.past_work += self.work_of(seat, now);
        self.seats[seat as usize].clear();
        if let Some(keep) = &mut self.keep {
            keep.close(seat);
        }
        if let Some(links) = &mut self.links {
            links.clear_blocked(seat);
        }
    }

    fn seat(&self, seat: u32) -> &Seat {
        &self.seats[seat as usize]
    }

    fn work_done(&self, seat: u32, now: SimTime) -> f64 {
        self.work_of(seat, now)
    }

    fn gauges(&self, seat: u32) -> Gauges {
        self.model.gauges(seat)
    }

    fn set_scaling_state(&mut self, scaling_state: ScalingState) {
        self.scaling_state = scaling_state;
    }

    fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    fn totals(&self, now: SimTime) -> LaneTotals {
        let (mut busy, mut waiting) = (self.past_busy, self.past_waiting);
        let (mut work, mut waiting_now) = (self.past_work, 0);
        for (number, seat) in self.seats.iter().enumerate() {
            let seat_busy = seat.busy_area(now);
            if seat_busy > 0 {
                work += self.work_of(number as u32, now);
            }
            busy += seat_busy;
            waiting += seat.waiting_area(now);
            waiting_now += u64::from(seat.waiting);
        }
        LaneTotals {
            busy,
            waiting,
            waiting_now,
            work,
            events: self.events,
            warm_requests: self.warm_requests,
            fingerprint: self.fingerprint,
            attempts: self.ordinal + self.retried + self.links.as_ref().map_or(0, |links| links.received()),
        }
    }

    fn collect_unanswered(&self, unanswered: &mut Unanswered) {
        let end = unanswered.end();
        let waits = |job: &Job| job.state.is_present() && !job.abandoned;
        for (_, job) in self.jobs.iter().filter(|(_, job)| waits(job)) {
            let alone = self.model.alone(job.seat, job.work).as_nanos();
            let silent = self.seats[job.seat as usize].slots == SILENT;
            unanswered.add(job.arrival, |limit| match silent {
                true => Cause::Crash,
                false => of_unanswered(job, alone, end, limit),
            });
        }
        for arrival in self.in_back_off() {
            unanswered.add(arrival, |_| Cause::Retry);
        }
    }

    fn present(&self, now: SimTime) -> Present {
        let present = |job: &Job| job.state.is_present();
        let mut residence = self.tally.residence();
        let mut in_flight = 0;
        for (_, job) in self.jobs.iter().filter(|(_, job)| present(job)) {
            residence += u128::from(now.as_nanos() - job.offered);
            in_flight += u64::from(!job.abandoned && job.arrival >= self.tally.warm_up);
        }
        in_flight += self.in_back_off().filter(|arrival| *arrival >= self.tally.warm_up).count() as u64;
        Present { residence, in_flight }
    }
}

impl<M: ServiceModel, D: Dispatcher> Lane<M, D> {
    /// Work done by a seat, see [`ServiceModel::work_done`]. A request that only waits for others does none.
    fn work_of(&self, seat: u32, now: SimTime) -> f64 {
        let busy = self.seats[seat as usize].busy_area(now);
        let blocked = self.links.as_ref().map_or(0, |links| links.blocked_area(seat, now));
        self.model.work_done(seat, busy - blocked, now)
    }

    /// When the requests that wait for a retry arrived.
    fn in_back_off(&self) -> impl Iterator<Item = u64> {
        self.timers.iter().filter_map(|Reverse(Timer { what, .. })| match what {
            Upcoming::Retry { arrival, .. } => Some(*arrival),
            _ => None,
        })
    }
}
