//! The path of a request: arrival, dispatch, queue, service, completion, and the client's time-outs and retries.
//!
//! A lane is one service between two control events. Three streams are merged without a common calendar: arrivals (sorted,
//! pulled in batches), completions (the only events queued in bulk) and the client's timers. Nothing here allocates in the
//! steady state, takes a lock, hashes, or formats text.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::causes::{Cause, Ordered, of_given_up, of_unanswered};
use super::completions::CompletionQueue;
use super::demand::{complete, demand_draw, fresh_demand};
use super::error::RunError;
use super::jobs::{Job, JobState, Jobs, NIL};
use super::tally::{Loss, Tally};
use super::unanswered::Unanswered;
use crate::cluster::{DemandModel, Dispatcher, OnTimeout, Power, Retry, ServiceModel, Timeout};
use crate::random::{Draw, Purpose, Streams};
use crate::units::{SimDuration, SimTime};
use crate::workload::{Clients, RequestBatch, TraceSource};

/// Never.
const NEVER: u64 = u64::MAX;
/// Requests that may be in the system at once: records have numbers, of which [`NIL`] means none.
const MOST_JOBS: u64 = NIL as u64;
/// What a retry takes of the budget. Budgets are counted in whole 10^-9 parts of a retry, which shares such as 0.1 have
/// exactly.
const RETRY: u64 = 1_000_000_000;

/// The parameters of a lane.
#[derive(Debug, Clone)]
pub(super) struct LaneSpec {
    pub service: u64,
    pub name: String,
    pub queue_limit: u32,
    pub demand: DemandModel,
    pub timeout: Option<Timeout>,
    pub retry: Option<Retry>,
    pub streams: Streams,
}

/// How far a lane may go: events strictly before these times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Horizon {
    /// For completions and time-outs.
    pub completions: u64,
    /// For arrivals, retries included.
    pub arrivals: u64,
}

/// Why a lane stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LaneStop {
    /// Nothing is left before the horizon.
    Horizon,
    /// A draining replica has finished its last request.
    Drained {
        /// Its seat.
        seat: u32,
        /// When.
        at: SimTime,
    },
}

/// A replica as the request path sees it: one cache line of its own.
///
/// The time integral of a level is the sum of the times at which it fell, minus those at which it rose, plus the level times now: no
/// more than an addition at each change. Sums are taken modulo 2^128 and so may go below zero in between; the integrals
/// themselves are below 2^96 and come out exactly, because levels stay below 2^32 (every request is a record of the slab,
/// whose numbers are `u32`) and times below 2^64.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
pub(super) struct Seat {
    pub running: u32,
    pub waiting: u32,
    head: u32,
    tail: u32,
    slots: u32,
    open: bool,
    pub draining: bool,
    served_before: bool,
    /// Attempts that arrived.
    pub arrived: u64,
    /// Ends minus beginnings of service so far, nanoseconds.
    served: u128,
    /// Ends minus beginnings of waits so far, nanoseconds.
    waited: u128,
}

const _: () = assert!(size_of::<Seat>() == 64, "dispatch touches one cache line of a replica");

impl Seat {
    /// A request comes into service.
    #[inline]
    fn begin(&mut self, now: u64) {
        self.running += 1;
        self.served = self.served.wrapping_sub(u128::from(now));
    }

    /// A request leaves service.
    #[inline]
    fn end(&mut self, now: u64) {
        self.running -= 1;
        self.served = self.served.wrapping_add(u128::from(now));
    }

    /// A request joins the queue.
    #[inline]
    fn join(&mut self, now: u64) {
        self.waiting += 1;
        self.waited = self.waited.wrapping_sub(u128::from(now));
    }

    /// A request leaves the queue.
    #[inline]
    fn leave(&mut self, now: u64) {
        self.waiting -= 1;
        self.waited = self.waited.wrapping_add(u128::from(now));
    }

    #[inline]
    fn load(&self) -> u32 {
        self.running + self.waiting
    }

    /// Time integral of requests in service up to `now`, slot-nanoseconds.
    pub(super) fn busy_area(&self, now: SimTime) -> u128 {
        self.served.wrapping_add(u128::from(self.running) * u128::from(now.as_nanos()))
    }

    /// Time integral of waiting requests up to `now`, request-nanoseconds.
    fn waiting_area(&self, now: SimTime) -> u128 {
        self.waited.wrapping_add(u128::from(self.waiting) * u128::from(now.as_nanos()))
    }
}

/// A retry waiting for its back-off to end; ordered by time, then by the order in which it was scheduled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct PendingRetry {
    at: u64,
    sequence: u64,
    arrival: u64,
    ordinal: u64,
    demand: u64,
    attempt: u8,
}

/// The attempt number of a closed loop's fresh request among the pending retries.
const FRESH: u8 = u8::MAX;

/// The slots of a replica whose machine is gone, which nobody knows yet.
const SILENT: u32 = 0;

/// The request path of one service, compiled once per service model and dispatcher.
pub(super) struct Lane<M, D> {
    spec: LaneSpec,
    source: Box<dyn TraceSource>,
    /// Users of a closed loop: their next requests are among the pending retries.
    clients: Option<Clients>,
    batch: RequestBatch,
    cursor: usize,
    next_arrival: u64,
    /// Fresh requests so far.
    ordinal: u64,
    /// Retries offered so far.
    retried: u64,
    demand_draw: Draw,
    dispatch_draw: Draw,
    jobs: Jobs,
    seats: Vec<Seat>,
    model: M,
    dispatcher: D,
    completions: CompletionQueue,
    /// Deadlines of attempts in order: patience is the same for all, so they never need sorting.
    deadlines: VecDeque<(u64, u32, u32)>,
    retries: BinaryHeap<Reverse<PendingRetry>>,
    /// Time of the earliest deadline or retry.
    next_timer: u64,
    /// What the retry budget holds, see [`RETRY`].
    retry_tokens: u64,
    sequence: u64,
    now: u64,
    drained: Option<u32>,
    /// What the fleet is doing about its size, for the causes of bad requests.
    ordered: Ordered,
    tally: Tally,
    events: u64,
    /// Areas of seats that are gone.
    past_busy: u128,
    past_waiting: u128,
    past_work: f64,
    warm_requests: u64,
    /// Rolling checksum over arrival and demand of every request, in order.
    fingerprint: u64,
}

/// One attempt about to be offered.
#[derive(Debug, Clone, Copy)]
struct Attempt {
    arrival: u64,
    demand: u64,
    ordinal: u64,
    number: u8,
}

impl<M: ServiceModel, D: Dispatcher> Lane<M, D> {
    pub(super) fn new(
        spec: LaneSpec,
        source: Box<dyn TraceSource>,
        model: M,
        dispatcher: D,
        tally: Tally,
    ) -> Result<Self, RunError> {
        let mut lane = Lane {
            demand_draw: demand_draw(spec.streams, spec.service),
            dispatch_draw: spec.streams.running(Purpose::Dispatch, spec.service),
            spec,
            clients: source.clients().cloned(),
            source,
            batch: RequestBatch::default(),
            cursor: 0,
            next_arrival: NEVER,
            ordinal: 0,
            retried: 0,
            jobs: Jobs::new(),
            seats: Vec::new(),
            model,
            dispatcher,
            completions: CompletionQueue::new(),
            deadlines: VecDeque::new(),
            retries: BinaryHeap::new(),
            next_timer: NEVER,
            retry_tokens: 0,
            sequence: 0,
            now: 0,
            drained: None,
            ordered: Ordered::Nothing,
            tally,
            events: 0,
            past_busy: 0,
            past_waiting: 0,
            past_work: 0.0,
            warm_requests: 0,
            fingerprint: 0,
        };
        lane.refill()?;
        lane.begin_loop();
        Ok(lane)
    }

    /// Every user of a closed loop begins to think.
    fn begin_loop(&mut self) {
        let users = self.clients.as_ref().map_or(0, Clients::most);
        (0..u64::from(users)).for_each(|user| self.think(user));
    }

    /// The user of a closed loop who will send request number `ordinal` begins to think.
    fn think(&mut self, ordinal: u64) {
        let Some(clients) = &self.clients else { return };
        let now = SimTime::from_nanos(self.now);
        let Some(at) = clients.next_request(self.spec.streams, self.spec.service, ordinal, now) else { return };
        let at = at.as_nanos();
        let demand = fresh_demand(&self.spec.demand, self.spec.streams, self.spec.service, ordinal).as_nanos();
        self.sequence += 1;
        self.next_timer = self.next_timer.min(at);
        let sequence = self.sequence;
        self.retries.push(Reverse(PendingRetry { at, sequence, arrival: at, ordinal, demand, attempt: FRESH }));
    }

    /// A request of a closed loop is over for its user, who begins to think of the next.
    #[inline]
    fn over(&mut self, ordinal: u64) {
        if let Some(clients) = &self.clients {
            let users = u64::from(clients.most());
            self.think(ordinal + users);
        }
    }

    /// A fresh request has come.
    #[inline]
    fn count_arrival(&mut self, arrival: u64, demand: u64) {
        self.tally.arrived(arrival, demand);
        if let Some(retry) = &self.spec.retry {
            let gained = (retry.budget.get() * RETRY as f64).round() as u64;
            self.retry_tokens = (self.retry_tokens + gained).min(u64::from(retry.reserve) * RETRY);
        }
        self.ordinal += 1;
    }

    /// Takes in the next batch of arrivals and draws the demands that the trace does not know.
    #[cold]
    fn refill(&mut self) -> Result<(), RunError> {
        self.cursor = 0;
        self.batch.clear();
        self.source
            .fill(&mut self.batch)
            .map_err(|error| RunError::Trace { at: SimTime::from_nanos(self.now), error })?;
        self.ensure_room(self.batch.len() as u64)?;
        complete(&mut self.batch, &self.spec.demand, &mut self.demand_draw);
        let batch = &self.batch;
        assert!(batch.demands.len() == batch.len(), "a demand for every arrival");
        let mut last = self.now;
        for (arrival, demand) in batch.arrivals.iter().zip(&batch.demands) {
            let arrival = arrival.as_nanos();
            assert!(arrival >= last, "I2: arrivals never go back: {arrival} ns after {last} ns");
            last = arrival;
            let word = arrival ^ demand.as_nanos().rotate_left(32);
            self.fingerprint = (self.fingerprint.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
        self.next_arrival = batch.arrivals.first().map_or(NEVER, |time| time.as_nanos());
        Ok(())
    }

    /// Records have numbers below 2^32: there must be one for each of `more` requests. Those of a batch are seen to when it comes
    /// in, so that a fresh request needs no look; a retry leaves room for the whole batch.
    fn ensure_room(&self, more: u64) -> Result<(), RunError> {
        if u64::from(self.jobs.live()) + more <= MOST_JOBS {
            return Ok(());
        }
        Err(RunError::TooManyRequests { at: SimTime::from_nanos(self.now), service: self.spec.name.clone() })
    }

    /// Processes events up to the horizon.
    pub(super) fn run(&mut self, horizon: Horizon) -> Result<LaneStop, RunError> {
        loop {
            let completion = self.completions.next_time().as_nanos();
            let timer = self.next_timer;
            if completion <= self.next_arrival && completion <= timer {
                if completion >= horizon.completions {
                    return Ok(LaneStop::Horizon);
                }
                self.complete();
                if let Some(seat) = self.drained.take() {
                    return Ok(LaneStop::Drained { seat, at: SimTime::from_nanos(self.now) });
                }
            } else if self.next_arrival < timer {
                // A deadline comes before an arrival of the same instant; so does a retry, whose request is older.
                if self.next_arrival >= horizon.arrivals {
                    return Ok(LaneStop::Horizon);
                }
                self.arrive()?;
            } else if !self.timer(horizon)? {
                return Ok(LaneStop::Horizon);
            } else if let Some(seat) = self.drained.take() {
                return Ok(LaneStop::Drained { seat, at: SimTime::from_nanos(self.now) });
            }
        }
    }

    /// The time of the lane's next event.
    pub(super) fn next_event(&self) -> u64 {
        self.completions.next_time().as_nanos().min(self.next_arrival).min(self.next_timer)
    }

    /// Brings the time of the earliest timer up to date after one was taken.
    fn find_next_timer(&mut self) {
        let deadline = self.deadlines.front().map_or(NEVER, |(at, _, _)| *at);
        let retry = self.retries.peek().map_or(NEVER, |Reverse(retry)| retry.at);
        self.next_timer = deadline.min(retry);
    }

    #[inline]
    fn arrive(&mut self) -> Result<(), RunError> {
        let arrival = self.next_arrival;
        let demand = self.batch.demands[self.cursor].as_nanos();
        self.cursor += 1;
        match self.batch.arrivals.get(self.cursor) {
            Some(next) => self.next_arrival = next.as_nanos(),
            None => {
                self.now = arrival;
                self.refill()?;
            }
        }
        self.now = arrival;
        let ordinal = self.ordinal;
        self.count_arrival(arrival, demand);
        self.offer(Attempt { arrival, demand, ordinal, number: 0 });
        Ok(())
    }

    /// Offers an attempt to the replica that the dispatcher chooses.
    #[inline]
    fn offer(&mut self, attempt: Attempt) {
        self.events += 1;
        let now = self.now;
        let Some(number) = self.dispatcher.choose(&mut self.dispatch_draw) else {
            self.lose(attempt, Loss::Rejected, self.ordered.cause());
            return;
        };
        let seat = &mut self.seats[number as usize];
        assert!(seat.open, "the dispatcher chose a closed seat");
        seat.arrived += 1;
        let idle_slot = seat.running < seat.slots;
        if !idle_slot && seat.waiting >= self.spec.queue_limit && seat.slots != SILENT {
            self.lose(attempt, Loss::Rejected, self.ordered.cause());
            return;
        }
        let load = seat.load();
        let job = self.jobs.insert(Job {
            arrival: attempt.arrival,
            offered: now,
            started: now,
            demand: attempt.demand,
            ordinal: attempt.ordinal,
            next: NIL,
            seat: number,
            generation: 0,
            attempt: attempt.number,
            state: if idle_slot { JobState::Running } else { JobState::Waiting },
            abandoned: false,
            ordered: self.ordered,
        });
        if idle_slot {
            // I3: whoever finds a free slot finds an empty queue.
            assert!(seat.waiting == 0, "I3: a slot is free while requests wait");
            seat.begin(now);
            let demand = SimDuration::from_nanos(attempt.demand);
            if let Some(due) = self.model.start(number, job, demand, SimTime::from_nanos(now)) {
                self.completions.insert(SimTime::from_nanos(now), due.time, number, due.tag);
            }
        } else {
            self.enqueue(number, job);
        }
        self.dispatcher.load_changed(number, load, load + 1);
        if let Some(timeout) = &self.spec.timeout {
            let generation = self.jobs.get(job).generation;
            let deadline = now.saturating_add(timeout.after.as_nanos());
            self.deadlines.push_back((deadline, job, generation));
            self.next_timer = self.next_timer.min(deadline);
        }
    }

    /// Puts a job at the end of a replica's queue.
    #[inline]
    fn enqueue(&mut self, number: u32, job: u32) {
        let seat = &mut self.seats[number as usize];
        if seat.waiting == 0 {
            seat.head = job;
        } else {
            self.jobs.get_mut(seat.tail).next = job;
        }
        seat.tail = job;
        seat.join(self.now);
    }

    #[inline]
    fn complete(&mut self) {
        let Some(event) = self.completions.pop() else { return };
        let now = event.time.as_nanos();
        assert!(now >= self.now, "I2: the clock went back");
        self.now = now;
        let finished = self.model.due(event.entity, event.tag, event.time);
        if let Some(next) = finished.next {
            self.completions.insert(event.time, next.time, event.entity, next.tag);
        }
        let Some(number) = finished.job else { return };
        let job = *self.jobs.get(number);
        self.jobs.remove(number);
        if job.state == JobState::Dropped {
            return;
        }
        self.events += 1;
        assert!(job.arrival <= job.offered && job.offered <= job.started && job.started <= now, "I2: causality");
        self.tally.left(now - job.offered);
        self.tally.answered(now - job.offered);
        let seat = &mut self.seats[event.entity as usize];
        let warm = std::mem::replace(&mut seat.served_before, true);
        if !job.abandoned {
            self.warm_requests += u64::from(warm && job.arrival >= self.tally.warm_up);
            let (model, seat) = (&self.model, event.entity);
            let alone = |demand| model.alone(seat, SimDuration::from_nanos(demand)).as_nanos();
            self.tally.completed(&job, now, alone);
            self.over(job.ordinal);
        }
        self.vacate(event.entity);
    }

    /// A slot of `number` has become free.
    #[inline]
    fn vacate(&mut self, number: u32) {
        let now = self.now;
        let seat = &mut self.seats[number as usize];
        let load = seat.load();
        seat.end(now);
        if seat.waiting > 0 {
            self.start_next(number);
        }
        self.load_fell(number, load);
    }

    /// Tells the dispatcher, or notices that a draining replica is done.
    #[inline]
    fn load_fell(&mut self, number: u32, from: u32) {
        let seat = &self.seats[number as usize];
        if seat.open {
            self.dispatcher.load_changed(number, from, seat.load());
        } else if seat.draining && seat.load() == 0 {
            self.drained = Some(number);
        }
    }

    /// Starts the first waiting request of `number`, passing over those that were dropped.
    #[inline]
    fn start_next(&mut self, number: u32) {
        let now = self.now;
        let seat = &mut self.seats[number as usize];
        loop {
            let job = seat.head;
            let record = self.jobs.get_mut(job);
            seat.head = record.next;
            if record.state == JobState::Dropped {
                self.jobs.remove(job);
                continue;
            }
            seat.leave(now);
            seat.begin(now);
            record.state = JobState::Running;
            record.started = now;
            let demand = SimDuration::from_nanos(record.demand);
            let emptied = seat.waiting == 0 && seat.head != NIL;
            if let Some(due) = self.model.start(number, job, demand, SimTime::from_nanos(now)) {
                self.completions.insert(SimTime::from_nanos(now), due.time, number, due.tag);
            }
            if emptied {
                self.free_queue(number);
            }
            return;
        }
    }

    /// Processes the next time-out or retry; `false` if it lies beyond the horizon.
    fn timer(&mut self, horizon: Horizon) -> Result<bool, RunError> {
        let deadline = self.deadlines.front().map_or(NEVER, |(at, _, _)| *at);
        let retry = self.retries.peek().map_or(NEVER, |Reverse(retry)| retry.at);
        if deadline <= retry {
            if deadline >= horizon.completions {
                return Ok(false);
            }
            let expired = self.deadlines.pop_front();
            self.find_next_timer();
            if let Some((at, job, generation)) = expired {
                self.expire(at, job, generation);
            }
        } else {
            if retry >= horizon.arrivals {
                return Ok(false);
            }
            self.ensure_room(self.batch.len() as u64 + 1)?;
            let retry = self.retries.pop();
            self.find_next_timer();
            if let Some(Reverse(retry)) = retry {
                self.now = retry.at;
                let PendingRetry { arrival, demand, ordinal, attempt, .. } = retry;
                let number = if attempt == FRESH {
                    self.count_arrival(arrival, demand);
                    0
                } else {
                    self.retried += 1;
                    attempt
                };
                self.offer(Attempt { arrival, demand, ordinal, number });
            }
        }
        Ok(true)
    }

    /// The client gives up on an attempt, unless it is over.
    fn expire(&mut self, at: u64, number: u32, generation: u32) {
        let job = *self.jobs.get(number);
        let current = job.generation == generation;
        if !current || !matches!(job.state, JobState::Waiting | JobState::Running) {
            return;
        }
        self.now = at;
        self.events += 1;
        let work = self.spec.timeout.as_ref().map_or(OnTimeout::Finish, |timeout| timeout.work);
        let waits = job.state == JobState::Waiting;
        let drop = work == OnTimeout::Cancel || (work == OnTimeout::CancelWaiting && waits);
        if work == OnTimeout::CancelWaiting && !waits {
            // Patience ends with the wait: what is in service will be answered.
            return;
        }
        if drop {
            self.drop_job(number);
        } else {
            self.jobs.get_mut(number).abandoned = true;
        }
        let patience = self.spec.timeout.as_ref().map_or(NEVER, |timeout| timeout.after.as_nanos());
        let alone = self.model.alone(job.seat, SimDuration::from_nanos(job.demand)).as_nanos();
        let cause = match self.seats[job.seat as usize].slots {
            SILENT => Cause::Crash,
            _ => of_given_up(&Job { demand: alone, ..job }, !waits, patience),
        };
        self.lose(attempt_of(&job), Loss::TimedOut, cause);
    }

    /// Takes a waiting or running job out of its replica.
    fn drop_job(&mut self, number: u32) {
        let now = self.now;
        let job = *self.jobs.get(number);
        self.tally.left(now - job.offered);
        let seat = &mut self.seats[job.seat as usize];
        if job.state == JobState::Waiting {
            let load = seat.load();
            seat.leave(now);
            // Still linked in the queue; if the queue is empty now, nothing will walk it again.
            self.jobs.get_mut(number).state = JobState::Dropped;
            if seat.waiting == 0 {
                self.free_queue(job.seat);
            }
            self.load_fell(job.seat, load);
            return;
        }
        let evicted = self.model.evict(job.seat, number, SimTime::from_nanos(now));
        if let Some(next) = evicted.next {
            self.completions.insert(SimTime::from_nanos(now), next.time, job.seat, next.tag);
        }
        if evicted.lingers {
            self.jobs.get_mut(number).state = JobState::Dropped;
        } else {
            self.jobs.remove(number);
        }
        self.vacate(job.seat);
    }

    /// Frees the records of dropped jobs that wait for nothing but their end in a seat; those in its queue are freed with it.
    fn forget_dropped(&mut self, number: u32) {
        let mut queued = std::collections::BTreeSet::new();
        let mut job = self.seats[number as usize].head;
        while job != NIL {
            queued.insert(job);
            job = self.jobs.get(job).next;
        }
        let dropped = |job: &Job| job.seat == number && job.state == JobState::Dropped;
        let gone: Vec<u32> = self.jobs.iter().filter(|(_, job)| dropped(job)).map(|(number, _)| number).collect();
        gone.into_iter().filter(|job| !queued.contains(job)).for_each(|job| self.jobs.remove(job));
    }

    /// Frees the records of a queue that holds dropped jobs only.
    fn free_queue(&mut self, number: u32) {
        let seat = &mut self.seats[number as usize];
        let mut job = std::mem::replace(&mut seat.head, NIL);
        while job != NIL {
            let next = self.jobs.get(job).next;
            self.jobs.remove(job);
            job = next;
        }
        seat.tail = NIL;
    }

    /// An attempt is lost: the client tries again, or the request is lost for good.
    #[cold]
    fn lose(&mut self, attempt: Attempt, loss: Loss, cause: Cause) {
        let again = self.spec.retry.filter(|retry| attempt.number + 1 < retry.attempts && self.retry_tokens >= RETRY);
        let Some(retry) = again else {
            self.tally.lost(attempt.arrival, loss, cause);
            self.over(attempt.ordinal);
            return;
        };
        self.retry_tokens -= RETRY;
        self.tally.retried(attempt.arrival);
        let doubled = retry.backoff.as_nanos().saturating_mul(1 << attempt.number.min(62));
        let ceiling = doubled.min(retry.max_backoff.as_nanos());
        let backoff = if retry.jitter {
            let key = attempt.ordinal.wrapping_mul(128) + u64::from(attempt.number);
            (self.spec.streams.keyed(Purpose::Retry, self.spec.service, key).uniform() * ceiling as f64) as u64
        } else {
            ceiling
        };
        self.sequence += 1;
        let at = self.now.saturating_add(backoff);
        self.next_timer = self.next_timer.min(at);
        self.retries.push(Reverse(PendingRetry {
            at,
            sequence: self.sequence,
            arrival: attempt.arrival,
            ordinal: attempt.ordinal,
            demand: attempt.demand,
            attempt: attempt.number + 1,
        }));
    }
}

fn attempt_of(job: &Job) -> Attempt {
    Attempt { arrival: job.arrival, demand: job.demand, ordinal: job.ordinal, number: job.attempt }
}

/// What the simulation asks of a lane at control events, whatever it was compiled for.
pub(super) trait LaneControl: Send {
    /// Processes events up to the horizon.
    fn run(&mut self, horizon: Horizon) -> Result<LaneStop, RunError>;
    /// The time of the next event in nanoseconds, `u64::MAX` if there is none.
    fn next_event(&self) -> u64;
    /// Opens a seat for a replica that is ready; a number from [`LaneControl::seat_count`] downwards is taken again.
    fn open(&mut self, seat: u32, slots: u32, power: Power);
    /// Lets a ready replica drain; `true` if it holds nothing.
    fn drain(&mut self, seat: u32) -> bool;
    /// Loses everything that a replica holds, and closes its seat.
    fn kill(&mut self, seat: u32, now: SimTime);
    /// The machine of a replica is gone and nobody knows: what it holds, and what is sent to it from now on, hangs until the client
    /// gives up or the seat is killed.
    fn silence(&mut self, seat: u32, now: SimTime);
    /// Books the seat's areas and closes it; it must hold nothing.
    fn release(&mut self, seat: u32, now: SimTime);
    /// The seat.
    fn seat(&self, seat: u32) -> &Seat;
    /// Time worked by the seat, see [`ServiceModel::work_done`].
    fn work_done(&self, seat: u32, now: SimTime) -> f64;
    /// What the fleet is doing about its size from now on.
    fn set_ordered(&mut self, ordered: Ordered);
    /// The lane's counts.
    fn tally(&mut self) -> &mut Tally;
    /// Totals at `now`. Takes as long as there are seats, however many requests wait.
    fn totals(&self, now: SimTime) -> LaneTotals;
    /// Looks at every request in the system, of which there may be very many.
    fn present(&self, now: SimTime) -> Present;
    /// Tells of every request that is in the system at the end, those waiting for a retry included.
    fn tell_unanswered(&self, unanswered: &mut Unanswered);
}

/// A lane's totals at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LaneTotals {
    /// Integral of busy slots, slot-nanoseconds.
    pub busy: u128,
    /// Integral of waiting requests.
    pub waiting: u128,
    /// Requests waiting at replicas now.
    pub waiting_now: u64,
    /// Time worked, see [`ServiceModel::work_done`].
    pub work: f64,
    /// Events processed.
    pub events: u64,
    /// Requests served by a replica that had served before.
    pub warm_requests: u64,
    /// Checksum over arrivals and demands.
    pub fingerprint: u64,
    /// Attempts offered so far, fresh requests and retries.
    pub attempts: u64,
}

/// What a look at every request in the system tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Present {
    /// Time that attempts, gone or present, have spent at replicas: Little's law says it equals `busy + waiting`.
    pub residence: u128,
    /// Requests (not attempts) in the system that arrived after warm-up, those waiting for a retry included.
    pub in_flight: u64,
}

impl LaneTotals {
    /// Time worked since `earlier`. The sum over seats is taken in another order once one of them is gone, so that without any
    /// work its rounding may fall below zero.
    pub(super) fn worked_since(&self, earlier: &LaneTotals) -> f64 {
        (self.work - earlier.work).max(0.0)
    }
}

impl<M: ServiceModel, D: Dispatcher> LaneControl for Lane<M, D> {
    fn run(&mut self, horizon: Horizon) -> Result<LaneStop, RunError> {
        Lane::run(self, horizon)
    }

    fn next_event(&self) -> u64 {
        Lane::next_event(self)
    }

    fn open(&mut self, seat: u32, slots: u32, power: Power) {
        if seat as usize >= self.seats.len() {
            self.seats.resize(seat as usize + 1, Seat::default());
        }
        self.seats[seat as usize] = Seat { head: NIL, tail: NIL, slots, open: true, ..Seat::default() };
        self.model.open(seat, power.speed, power.full);
        self.dispatcher.open(seat, 0, power.speed);
    }

    fn drain(&mut self, seat: u32) -> bool {
        let record = &mut self.seats[seat as usize];
        record.open = false;
        record.draining = true;
        self.dispatcher.close(seat, record.load());
        record.load() == 0
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
        // Waiting ones first, so that none of them is started by the end of a running one.
        for state in [JobState::Waiting, JobState::Running] {
            for number in held.iter().copied().filter(|n| self.jobs.get(*n).state == state).collect::<Vec<_>>() {
                let job = *self.jobs.get(number);
                self.drop_job(number);
                if !job.abandoned {
                    lost.push(job);
                }
            }
        }
        // The oldest request is the first to claim a retry.
        lost.sort_unstable_by_key(|job| job.ordinal);
        lost.iter().for_each(|job| self.lose(attempt_of(job), Loss::Failed, Cause::Crash));
        self.drained = None;
        self.release(seat, now);
    }

    fn silence(&mut self, seat: u32, now: SimTime) {
        self.now = self.now.max(now.as_nanos());
        let running = |job: &Job| job.seat == seat && job.state == JobState::Running;
        let mut held: Vec<u32> = self.jobs.iter().filter(|(_, job)| running(job)).map(|(number, _)| number).collect();
        held.sort_unstable_by_key(|number| (self.jobs.get(*number).offered, self.jobs.get(*number).ordinal));
        for number in held {
            self.model.evict(seat, number, now);
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
        self.past_work += self.model.work_done(seat, record.busy_area(now), now);
        self.past_busy += record.busy_area(now);
        self.past_waiting += record.waiting_area(now);
        (record.served, record.waited) = (0, 0);
        record.draining = false;
    }

    fn seat(&self, seat: u32) -> &Seat {
        &self.seats[seat as usize]
    }

    fn work_done(&self, seat: u32, now: SimTime) -> f64 {
        self.model.work_done(seat, self.seats[seat as usize].busy_area(now), now)
    }

    fn set_ordered(&mut self, ordered: Ordered) {
        self.ordered = ordered;
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
                work += self.model.work_done(number as u32, seat_busy, now);
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
            attempts: self.ordinal + self.retried,
        }
    }

    fn tell_unanswered(&self, unanswered: &mut Unanswered) {
        let end = unanswered.end();
        let waits = |job: &Job| matches!(job.state, JobState::Waiting | JobState::Running) && !job.abandoned;
        for (_, job) in self.jobs.iter().filter(|(_, job)| waits(job)) {
            let demand = self.model.alone(job.seat, SimDuration::from_nanos(job.demand)).as_nanos();
            let silent = self.seats[job.seat as usize].slots == SILENT;
            unanswered.add(job.arrival, |limit| match silent {
                true => Cause::Crash,
                false => of_unanswered(&Job { demand, ..*job }, end, limit),
            });
        }
        for Reverse(retry) in self.retries.iter().filter(|Reverse(retry)| retry.attempt != FRESH) {
            unanswered.add(retry.arrival, |_| Cause::Retry);
        }
    }

    fn present(&self, now: SimTime) -> Present {
        let present = |job: &Job| matches!(job.state, JobState::Waiting | JobState::Running);
        let mut residence = self.tally.residence();
        let mut in_flight = 0;
        for (_, job) in self.jobs.iter().filter(|(_, job)| present(job)) {
            residence += u128::from(now.as_nanos() - job.offered);
            in_flight += u64::from(!job.abandoned && job.arrival >= self.tally.warm_up);
        }
        let retried = |retry: &PendingRetry| retry.attempt != FRESH && retry.arrival >= self.tally.warm_up;
        in_flight += self.retries.iter().filter(|Reverse(retry)| retried(retry)).count() as u64;
        Present { residence, in_flight }
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
        // One more from 1,000 to 5,000, and one less from 7,000 on.
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
