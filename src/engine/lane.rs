//! The request path: arrival, dispatch, queue, service, completion, time-outs and retries.
//!
//! A lane runs one service between two control events. It merges three streams without a common calendar: arrivals
//! (sorted, pulled in batches), completions (the only events queued in large numbers) and client timers. In the steady
//! state nothing here allocates, locks, hashes or formats text.

mod calls;
mod compile;
mod control;
mod keep;
mod lobby;
mod seat;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::calls::Stages;
use super::causes::{Cause, ScalingState, of_given_up};
use super::completions::CompletionQueue;
use super::demand::{complete, demand_draw, fresh_demand};
use super::error::RunError;
use super::fate::Fate;
use super::jobs::{Job, JobState, Jobs, NIL};
use super::tally::Tally;
use crate::cluster::{DemandModel, Dispatcher, OnTimeout, Retry, Timeout};
use crate::platform::{Ingress, KeepAlive};
use crate::random::{Draw, Purpose, Streams};
use crate::serving::{ServiceModel, Waiting, Work};
use crate::units::SimTime;
use crate::workload::{Clients, RequestBatch, TraceSource};
use calls::Links;
pub(super) use compile::build_lane;
pub(super) use control::{LaneControl, LaneTotals};
use keep::Keep;
use seat::Seat;

/// A time that never comes.
const NEVER: u64 = u64::MAX;
/// Maximum number of requests in the system at once: record indices are `u32`, and [`NIL`] means none.
const MAX_JOBS: u64 = NIL as u64;
/// Cost of one retry in budget tokens. The budget is counted in units of 10^-9 retries, so that ratios such as 0.1 are
/// exact.
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
    pub ingress: Ingress,
    /// How long replicas that requests start are kept without any.
    pub keep_alive: Option<KeepAlive>,
    /// Whether starts that no request waits for any more are cancelled.
    pub cancels: bool,
    pub streams: Streams,
    /// The calls of its requests; `None` if it neither calls nor is called.
    pub calls: Option<Stages>,
}

/// How far a lane may run: events strictly before these times.
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
    /// No event is left before the horizon.
    Horizon,
    /// A request is held for want of a replica, and none was before; where replicas have no queues, any that finds no free slot.
    Starved {
        /// When.
        at: SimTime,
    },
    /// A request that waited for a start was served by another replica, where such starts are cancelled.
    Relieved {
        /// When.
        at: SimTime,
    },
    /// Something was sent to another lane.
    Sent,
    /// The keep-alive of a replica is over.
    Expired {
        /// Its seat.
        seat: u32,
        /// When.
        at: SimTime,
    },
    /// A draining replica has finished its last request.
    Drained {
        /// Its seat.
        seat: u32,
        /// When.
        at: SimTime,
    },
}

/// Something that is to happen at a known time; ordered by time, then by scheduling order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Timer {
    at: u64,
    sequence: u64,
    what: Upcoming,
}

/// What is to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Upcoming {
    /// A retry after its back-off.
    Retry { arrival: u64, ordinal: u64, work: Work, attempt: u8 },
    /// The next request of a user of a closed loop.
    Fresh { ordinal: u64, work: Work },
    /// A request from another lane.
    Called { ordinal: u64, work: Work },
    /// The answer to a call, or that there is none.
    Answer { job: u32, generation: u32, failed: bool },
}

/// The seat of requests that are held until a replica is ready, in a lane whose ingress holds them.
pub(super) const LOBBY: u32 = 0;

/// Slot count of a replica whose machine is lost and whose loss has not been noticed.
const SILENT: u32 = 0;

/// The request path of one service, monomorphized for each service model and dispatcher.
pub(super) struct Lane<M, D> {
    spec: LaneSpec,
    source: Box<dyn TraceSource>,
    /// Users of a closed loop. Their next requests are among the timers.
    clients: Option<Clients>,
    /// What the lane has to do with others.
    links: Option<Box<Links>>,
    /// Whether replicas have no queues.
    pulls: bool,
    keep: Option<Box<Keep>>,
    batch: RequestBatch,
    cursor: usize,
    next_arrival: u64,
    /// New requests so far.
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
    /// Attempt deadlines in order. All requests have the same patience, so no sorting is needed.
    deadlines: VecDeque<(u64, u32, u32)>,
    timers: BinaryHeap<Reverse<Timer>>,
    /// Time of the earliest deadline or timer.
    next_timer: u64,
    /// Tokens in the retry budget, see [`RETRY`].
    retry_tokens: u64,
    sequence: u64,
    now: u64,
    /// Whether something happened that the simulation must hear of: a replica has drained, or something was sent.
    stopped: bool,
    drained: Option<u32>,
    relieved: bool,
    /// Whether a request has come to be held since the last stop, and none was before.
    starved: bool,
    /// Scaling state of the service; recorded as the cause of bad requests.
    scaling_state: ScalingState,
    tally: Tally,
    events: u64,
    /// Integrals of closed seats.
    past_busy: u128,
    past_waiting: u128,
    past_work: f64,
    warm_requests: u64,
    /// Rolling checksum over arrival and demand of every request, in order of arrival.
    fingerprint: u64,
}

/// An attempt about to be dispatched.
#[derive(Debug, Clone, Copy)]
struct Attempt {
    arrival: u64,
    work: Work,
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
            links: spec.calls.clone().map(|stages| Box::new(Links::new(stages))),
            pulls: spec.ingress.pulls(),
            keep: spec.keep_alive.clone().map(|rule| Box::new(Keep::new(rule, spec.streams, spec.service))),
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
            timers: BinaryHeap::new(),
            next_timer: NEVER,
            retry_tokens: 0,
            sequence: 0,
            now: 0,
            stopped: false,
            drained: None,
            relieved: false,
            starved: false,
            scaling_state: ScalingState::Nothing,
            tally,
            events: 0,
            past_busy: 0,
            past_waiting: 0,
            past_work: 0.0,
            warm_requests: 0,
            fingerprint: 0,
        };
        lane.open_lobby();
        lane.refill()?;
        lane.start_users();
        Ok(lane)
    }

    /// Starts the think time of every user of a closed loop.
    fn start_users(&mut self) {
        let users = self.clients.as_ref().map_or(0, Clients::most);
        (0..u64::from(users)).for_each(|user| self.schedule_next_request(user));
    }

    /// Draws the think time that precedes request number `ordinal` of a closed loop and schedules the request.
    fn schedule_next_request(&mut self, ordinal: u64) {
        let Some(clients) = &self.clients else { return };
        let now = SimTime::from_nanos(self.now);
        let Some(at) = clients.next_request(self.spec.streams, self.spec.service, ordinal, now) else { return };
        let at = at.as_nanos();
        let demand = fresh_demand(&self.spec.demand, self.spec.streams, self.spec.service, ordinal);
        let work = Work { demand, ..Work::default() };
        self.sequence += 1;
        self.next_timer = self.next_timer.min(at);
        let sequence = self.sequence;
        self.timers.push(Reverse(Timer { at, sequence, what: Upcoming::Fresh { ordinal, work } }));
    }

    /// Ends a request from the point of view of who sent it: a user of a closed loop, who sends the next one, or a caller.
    #[inline(always)]
    fn ended(&mut self, ordinal: u64, failed: bool) {
        if self.links.is_some() {
            self.tell_caller(ordinal, failed);
        }
        if let Some(clients) = &self.clients
            && !Self::is_from_a_call(ordinal)
        {
            let users = u64::from(clients.most());
            self.schedule_next_request(ordinal + users);
        }
    }

    /// Counts a new request that comes from outside.
    #[inline(always)]
    fn count_arrival(&mut self, arrival: u64, work: Work) {
        self.count_request(arrival, work);
        self.ordinal += 1;
    }

    /// Counts a new request.
    #[inline(always)]
    fn count_request(&mut self, arrival: u64, work: Work) {
        self.tally.arrived(arrival, work.demand.as_nanos());
        if let Some(retry) = &self.spec.retry {
            let gained = (retry.budget.get() * RETRY as f64).round() as u64;
            self.retry_tokens = (self.retry_tokens + gained).min(u64::from(retry.reserve) * RETRY);
        }
    }

    /// Reads the next batch of arrivals and draws the demands that the trace does not give.
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

    /// Ensures that record indices suffice for `more` requests. A whole batch is checked when it is read, so that a new
    /// request needs no check; a retry leaves room for the whole batch.
    fn ensure_room(&self, more: u64) -> Result<(), RunError> {
        if u64::from(self.jobs.live()) + more <= MAX_JOBS {
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
                if self.stopped {
                    return Ok(self.stopped_now());
                }
            } else if self.next_arrival < timer {
                // A deadline precedes an arrival at the same instant, and so does a retry, because its request is
                // older.
                if self.next_arrival >= horizon.arrivals {
                    return Ok(LaneStop::Horizon);
                }
                self.arrive()?;
                if self.starved {
                    return Ok(self.starved_now());
                }
            } else if !self.timer(horizon)? {
                return Ok(LaneStop::Horizon);
            } else if self.stopped {
                return Ok(self.stopped_now());
            } else if self.starved {
                return Ok(self.starved_now());
            }
        }
    }

    /// Tells why the lane stops, and forgets it. What it has sent is delivered after every stop.
    #[cold]
    fn stopped_now(&mut self) -> LaneStop {
        self.stopped = false;
        match self.drained.take() {
            Some(seat) => LaneStop::Drained { seat, at: SimTime::from_nanos(self.now) },
            None if std::mem::take(&mut self.relieved) => LaneStop::Relieved { at: SimTime::from_nanos(self.now) },
            None => self.expired_now().unwrap_or(LaneStop::Sent),
        }
    }

    /// The time of the lane's next event.
    pub(super) fn next_event(&self) -> u64 {
        self.completions.next_time().as_nanos().min(self.next_arrival).min(self.next_timer)
    }

    /// Recomputes the time of the earliest timer after one was removed.
    fn find_next_timer(&mut self) {
        let deadline = self.deadlines.front().map_or(NEVER, |(at, _, _)| *at);
        let timer = self.timers.peek().map_or(NEVER, |Reverse(timer)| timer.at);
        let kept = self.keep.as_ref().map_or(NEVER, |keep| keep.next());
        self.next_timer = deadline.min(timer).min(kept).min(self.hold_ends());
    }

    /// The work of the request under the cursor.
    #[inline(always)]
    fn next_work(&self) -> Work {
        let demand = self.batch.demands[self.cursor];
        if !M::COUNTS_TOKENS {
            return Work { demand, ..Work::default() };
        }
        let tokens = |column: &[u32]| column.get(self.cursor).copied().unwrap_or(0);
        Work { demand, input: tokens(&self.batch.tokens_in), output: tokens(&self.batch.tokens_out) }
    }

    #[inline(always)]
    fn arrive(&mut self) -> Result<(), RunError> {
        let arrival = self.next_arrival;
        let work = self.next_work();
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
        self.count_arrival(arrival, work);
        self.offer(Attempt { arrival, work, ordinal, number: 0 });
        Ok(())
    }

    /// Dispatches an attempt to the replica chosen by the dispatcher.
    #[inline(always)]
    fn offer(&mut self, attempt: Attempt) {
        self.events += 1;
        let Some(number) = self.dispatcher.choose(&mut self.dispatch_draw) else {
            self.unplaced(attempt);
            return;
        };
        let seat = &mut self.seats[number as usize];
        assert!(seat.open, "the dispatcher chose a closed seat");
        seat.arrived += 1;
        let idle_slot = !M::GATHERS && seat.running < seat.slots;
        if !idle_slot && self.pulls {
            seat.arrived -= 1;
            self.unplaced(attempt);
            return;
        }
        let room = if M::GATHERS { self.model.room(number) } else { 0 };
        if !idle_slot && seat.waiting >= self.spec.queue_limit.saturating_add(room) && seat.slots != SILENT {
            self.lose(attempt, Fate::Rejected, self.scaling_state.cause());
            return;
        }
        let state = if idle_slot { JobState::Running } else { JobState::Waiting };
        let job = self.admit(attempt, number, state, self.scaling_state);
        self.settle(number, job, idle_slot);
        self.watch(job);
    }

    /// [`Lane::offer`] for everything but a new arrival, for which it is inlined.
    #[inline(never)]
    fn offer_again(&mut self, attempt: Attempt) {
        self.offer(attempt);
    }

    /// Stores an attempt that reached `seat` now.
    #[inline(always)]
    fn admit(&mut self, attempt: Attempt, seat: u32, state: JobState, scaling_state: ScalingState) -> u32 {
        self.jobs.insert(Job {
            arrival: attempt.arrival,
            offered: self.now,
            started: self.now,
            work: attempt.work,
            ordinal: attempt.ordinal,
            next: NIL,
            seat,
            generation: 0,
            attempt: attempt.number,
            state,
            abandoned: false,
            scaling_state,
        })
    }

    /// Starts a job in a free slot of a replica, or appends it to the replica's queue.
    #[inline(always)]
    fn settle(&mut self, number: u32, job: u32, idle_slot: bool) {
        let now = self.now;
        let seat = &mut self.seats[number as usize];
        let load = seat.load();
        if idle_slot {
            // I3: if a slot is free, the queue is empty.
            assert!(seat.waiting == 0, "I3: a slot is free while requests wait");
            seat.begin(now);
            let work = self.jobs.get(job).work;
            if let Some(due) = self.model.start(number, job, work, SimTime::from_nanos(now)) {
                self.completions.insert(SimTime::from_nanos(now), due.time, number, due.tag);
            }
        } else {
            self.enqueue(number, job);
        }
        self.dispatcher.load_changed(number, load, load + 1);
        if self.keep.is_some() && load == 0 {
            self.presence_changed(number);
        }
        if M::GATHERS {
            self.gather(number);
        }
    }

    /// Schedules the moment at which the client of a new attempt gives up.
    #[inline(always)]
    fn watch(&mut self, job: u32) {
        if let Some(timeout) = &self.spec.timeout {
            let generation = self.jobs.get(job).generation;
            let deadline = self.now.saturating_add(timeout.after.as_nanos());
            self.deadlines.push_back((deadline, job, generation));
            self.next_timer = self.next_timer.min(deadline);
        }
    }

    /// Appends a job to a replica's queue.
    #[inline(always)]
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

    #[inline(always)]
    fn complete(&mut self) {
        let Some(event) = self.completions.pop() else { return };
        let now = event.time.as_nanos();
        assert!(now >= self.now, "I2: the clock went back");
        self.now = now;
        let finished = self.model.due(event.entity, event.tag, event.time);
        if let Some(next) = finished.next {
            self.completions.insert(event.time, next.time, event.entity, next.tag);
        }
        let Some(number) = finished.job else {
            if M::GATHERS {
                self.gather(event.entity);
            }
            return;
        };
        if self.jobs.get(number).state == JobState::Dropped {
            self.jobs.remove(number);
            return;
        }
        self.events += 1;
        if self.links.is_some() && self.calls(number) {
            if M::GATHERS {
                self.gather(event.entity);
            }
            return;
        }
        self.finish(number, event.entity);
    }

    /// Ends a job that has been served by `number`.
    #[inline(always)]
    fn finish(&mut self, job: u32, number: u32) {
        let now = self.now;
        let finished = *self.jobs.get(job);
        self.jobs.remove(job);
        let job = finished;
        assert!(job.arrival <= job.offered && job.offered <= job.started && job.started <= now, "I2: causality");
        self.tally.left(now - job.offered);
        let seat = &mut self.seats[number as usize];
        self.tally.answered(&job, now, seat.standing);
        let warm = std::mem::replace(&mut seat.served_before, true);
        if !job.abandoned {
            self.warm_requests += u64::from(warm && job.arrival >= self.tally.warm_up);
            let model = &self.model;
            let alone = |work| model.alone(number, work).as_nanos();
            self.tally.completed(&job, now, alone);
            self.ended(job.ordinal, false);
        } else if self.links.is_some() {
            self.return_ticket(job.ordinal);
        }
        self.vacate(number);
    }

    /// Handles a slot of `number` that has become free.
    #[inline(always)]
    fn vacate(&mut self, number: u32) {
        let now = self.now;
        let seat = &mut self.seats[number as usize];
        let load = seat.load();
        seat.end(now);
        if M::GATHERS {
            self.gather(number);
        } else if seat.waiting > 0 {
            self.start_next(number);
        }
        self.load_fell(number, load);
    }

    /// Starts the waiting requests that the model takes together now.
    #[inline(never)]
    fn gather(&mut self, number: u32) {
        let now = SimTime::from_nanos(self.now);
        while self.seats[number as usize].waiting > 0 && self.seats[number as usize].slots != SILENT {
            let since = SimTime::from_nanos(self.first_waiting(number));
            let seat = &self.seats[number as usize];
            let waiting = Waiting { count: seat.waiting, since, last: !seat.open };
            let gathered = self.model.gather(number, waiting, now);
            assert!(gathered.start <= waiting.count, "a model starts only requests that wait");
            if let Some(wake) = gathered.wake {
                self.completions.insert(now, wake.time, number, wake.tag);
            }
            if gathered.start == 0 {
                return;
            }
            (0..gathered.start).for_each(|_| self.start_next(number));
        }
    }

    /// When the first waiting request of `number` joined the queue. Frees dropped ones before it.
    fn first_waiting(&mut self, number: u32) -> u64 {
        let head = &mut self.seats[number as usize].head;
        while self.jobs.get(*head).state == JobState::Dropped {
            let next = self.jobs.get(*head).next;
            self.jobs.remove(std::mem::replace(head, next));
        }
        self.jobs.get(*head).started
    }

    /// Reports a lower load to the dispatcher, or records that a draining replica is empty.
    #[inline(always)]
    fn load_fell(&mut self, number: u32, from: u32) {
        let seat = &self.seats[number as usize];
        if seat.open {
            self.dispatcher.load_changed(number, from, seat.load());
        } else if seat.draining && seat.load() == 0 {
            self.drained = Some(number);
            self.stopped = true;
        }
        if self.pulls {
            self.slot_freed(number);
        }
    }

    /// Starts the first waiting request of `number`, skipping dropped ones.
    #[inline(always)]
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
            let work = record.work;
            let emptied = seat.waiting == 0 && seat.head != NIL;
            if let Some(due) = self.model.start(number, job, work, SimTime::from_nanos(now)) {
                self.completions.insert(SimTime::from_nanos(now), due.time, number, due.tag);
            }
            if emptied {
                self.free_queue(number);
            }
            return;
        }
    }

    /// Processes the next time-out or timer. Returns `false` if it is beyond the horizon.
    fn timer(&mut self, horizon: Horizon) -> Result<bool, RunError> {
        let deadline = self.deadlines.front().map_or(NEVER, |(at, _, _)| *at);
        let timer = self.timers.peek().map_or(NEVER, |Reverse(timer)| timer.at);
        let held = self.hold_ends();
        let kept = self.keep.as_ref().map_or(NEVER, |keep| keep.next());
        let next = deadline.min(timer).min(held).min(kept);
        if next > self.next_timer {
            // The request that was held until then is gone.
            self.next_timer = next;
        } else if kept < deadline && kept < timer && kept < held {
            if kept >= horizon.completions {
                return Ok(false);
            }
            self.check_keep(kept);
        } else if held < deadline && held < timer {
            if held >= horizon.completions {
                return Ok(false);
            }
            self.give_up_holding(held);
        } else if deadline <= timer {
            if deadline >= horizon.completions {
                return Ok(false);
            }
            let expired = self.deadlines.pop_front();
            self.find_next_timer();
            if let Some((at, job, generation)) = expired {
                self.expire(at, job, generation);
            }
        } else {
            if timer >= horizon.arrivals {
                return Ok(false);
            }
            self.ensure_room(self.batch.len() as u64 + 1)?;
            let upcoming = self.timers.pop();
            self.find_next_timer();
            if let Some(Reverse(Timer { at, what, .. })) = upcoming {
                self.now = at;
                self.happen(at, what);
            }
        }
        Ok(true)
    }

    /// What a timer was set for happens.
    fn happen(&mut self, at: u64, what: Upcoming) {
        match what {
            Upcoming::Retry { arrival, ordinal, work, attempt } => {
                self.retried += 1;
                self.offer_again(Attempt { arrival, work, ordinal, number: attempt });
            }
            Upcoming::Fresh { ordinal, work } => {
                self.count_arrival(at, work);
                self.offer_again(Attempt { arrival: at, work, ordinal, number: 0 });
            }
            Upcoming::Called { ordinal, work } => self.receive(at, ordinal, work),
            Upcoming::Answer { job, generation, failed } => self.answered(job, generation, failed),
        }
    }

    /// The client gives up on an attempt, unless it has ended.
    fn expire(&mut self, at: u64, number: u32, generation: u32) {
        let job = *self.jobs.get(number);
        let current = job.generation == generation;
        if !current || !job.state.is_present() {
            return;
        }
        self.now = at;
        self.events += 1;
        let work = self.spec.timeout.as_ref().map_or(OnTimeout::Finish, |timeout| timeout.work);
        let waits = job.state == JobState::Waiting;
        let drop = work == OnTimeout::Cancel || (work == OnTimeout::CancelWaiting && waits);
        if work == OnTimeout::CancelWaiting && !waits {
            // The client only gives up waiting: requests in service are answered.
            return;
        }
        if drop {
            self.drop_job(number);
        } else {
            self.jobs.get_mut(number).abandoned = true;
            self.keep_ticket(job.ordinal);
        }
        let patience = self.spec.timeout.as_ref().map_or(NEVER, |timeout| timeout.after.as_nanos());
        let alone = self.model.alone(job.seat, job.work).as_nanos();
        let cause = match self.seats[job.seat as usize].slots {
            SILENT => Cause::Crash,
            _ => of_given_up(&job, alone, !waits, patience),
        };
        self.lose(attempt_of(&job), Fate::TimedOut, cause);
    }

    /// Removes a waiting or running job from its replica.
    #[inline(never)]
    fn drop_job(&mut self, number: u32) {
        let now = self.now;
        let job = *self.jobs.get(number);
        self.tally.left(now - job.offered);
        let seat = &mut self.seats[job.seat as usize];
        if job.state == JobState::Waiting {
            let load = seat.load();
            seat.leave(now);
            // The record is still linked in the queue. If the queue is now empty, nothing will walk it again.
            self.jobs.get_mut(number).state = JobState::Dropped;
            if seat.waiting == 0 {
                self.free_queue(job.seat);
            }
            self.load_fell(job.seat, load);
            return;
        }
        self.tally.cut_short(&job, now, self.seats[job.seat as usize].standing);
        if job.state == JobState::Calling {
            self.end_calls(&job);
            self.jobs.remove(number);
            self.vacate(job.seat);
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

    /// Frees dropped jobs that are only waiting for their completion in a seat; dropped jobs in its queue are freed
    /// with the queue.
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

    /// Frees a queue that holds only dropped jobs.
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

    /// Handles a lost attempt: the client retries, or the request is lost for good.
    #[cold]
    fn lose(&mut self, attempt: Attempt, fate: Fate, cause: Cause) {
        let again = self.spec.retry.filter(|retry| attempt.number + 1 < retry.attempts && self.retry_tokens >= RETRY);
        let Some(retry) = again else {
            self.tally.lost(attempt.arrival, fate, cause);
            self.ended(attempt.ordinal, true);
            return;
        };
        self.retry_tokens -= RETRY;
        self.tally.retried(attempt.arrival);
        let doubled = retry.backoff.as_nanos().saturating_mul(1 << attempt.number.min(62));
        let ceiling = doubled.min(retry.max_backoff.as_nanos());
        let backoff = if retry.jitter {
            let key = self.retry_identity(attempt.ordinal).wrapping_mul(128).wrapping_add(u64::from(attempt.number));
            (self.spec.streams.keyed(Purpose::Retry, self.spec.service, key).uniform() * ceiling as f64) as u64
        } else {
            ceiling
        };
        self.sequence += 1;
        let at = self.now.saturating_add(backoff);
        self.next_timer = self.next_timer.min(at);
        let Attempt { arrival, work, ordinal, number } = attempt;
        let what = Upcoming::Retry { arrival, ordinal, work, attempt: number + 1 };
        self.timers.push(Reverse(Timer { at, sequence: self.sequence, what }));
    }
}

fn attempt_of(job: &Job) -> Attempt {
    Attempt { arrival: job.arrival, work: job.work, ordinal: job.ordinal, number: job.attempt }
}
