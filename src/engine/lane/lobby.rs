//! Requests that are held because no replica is ready: they wait in the lobby, a seat without slots that no dispatcher
//! knows, so that queue, integrals, time-outs and retries are those of any other seat.

use super::super::causes::{Cause, ScalingState};
use super::super::fate::Fate;
use super::super::jobs::JobState;
use super::{Attempt, LOBBY, Lane, LaneStop, NEVER, SILENT, Seat, attempt_of};
use crate::cluster::Dispatcher;
use crate::serving::ServiceModel;
use crate::units::SimTime;

impl<M: ServiceModel, D: Dispatcher> Lane<M, D> {
    /// Adds the lobby if the ingress holds requests.
    pub(super) fn open_lobby(&mut self) {
        if self.spec.ingress.hold().is_some() {
            self.seats.push(Seat::lobby());
            self.model.open(LOBBY, 1.0, 1.0);
        }
    }

    /// Holds a request that no replica can take, or rejects it.
    #[cold]
    pub(super) fn unplaced(&mut self, attempt: Attempt) {
        let Some((requests, longest)) = self.spec.ingress.hold() else {
            self.lose(attempt, Fate::Rejected, self.scaling_state.cause());
            return;
        };
        let waiting = self.seats[LOBBY as usize].waiting;
        if waiting >= requests {
            self.lose(attempt, Fate::Rejected, self.scaling_state.cause());
            return;
        }
        // It waits for a replica to start, even if none has been ordered yet.
        let state = match self.scaling_state {
            ScalingState::Nothing => ScalingState::Starting,
            other => other,
        };
        let job = self.admit(attempt, LOBBY, JobState::Waiting, state);
        self.enqueue(LOBBY, job);
        self.watch(job);
        self.next_timer = self.next_timer.min(self.now.saturating_add(longest.as_nanos()));
        self.starved |= waiting == 0 || self.pulls;
    }

    /// Tells why the lane stops, and forgets it.
    pub(super) fn starved_now(&mut self) -> LaneStop {
        self.starved = false;
        LaneStop::Starved { at: SimTime::from_nanos(self.now) }
    }

    /// When the first held request is rejected, nanoseconds.
    pub(super) fn hold_ends(&mut self) -> u64 {
        match self.spec.ingress.hold() {
            Some((_, longest)) if self.seats[LOBBY as usize].waiting > 0 => {
                self.first_waiting(LOBBY).saturating_add(longest.as_nanos())
            }
            _ => NEVER,
        }
    }

    /// Rejects the first held request at `at`.
    pub(super) fn give_up_holding(&mut self, at: u64) {
        self.now = at;
        self.events += 1;
        self.first_waiting(LOBBY);
        let number = self.seats[LOBBY as usize].head;
        let job = *self.jobs.get(number);
        self.drop_job(number);
        self.find_next_timer();
        match job.abandoned {
            true => self.return_ticket(job.ordinal),
            false => self.lose(attempt_of(&job), Fate::Rejected, job.scaling_state.cause()),
        }
    }

    /// Passes held requests to the replicas that are ready, in order of arrival.
    pub(super) fn release_held(&mut self, now: SimTime) {
        if self.spec.ingress.hold().is_none() || self.seats[LOBBY as usize].waiting == 0 {
            return;
        }
        self.now = self.now.max(now.as_nanos());
        while self.seats[LOBBY as usize].waiting > 0 {
            let Some(number) = self.dispatcher.choose(&mut self.dispatch_draw) else { break };
            let seat = &self.seats[number as usize];
            if self.pulls && seat.running >= seat.slots {
                break;
            }
            self.pass_on(number);
        }
    }

    /// A slot of `number` is free, where replicas have no queues: the first request that waits takes it.
    #[inline(never)]
    pub(super) fn slot_freed(&mut self, number: u32) {
        if number == LOBBY {
            return;
        }
        let seat = &self.seats[number as usize];
        if self.keep.is_some() && seat.load() == 0 {
            self.presence_changed(number);
        }
        let seat = &self.seats[number as usize];
        if seat.open && seat.running < seat.slots && self.seats[LOBBY as usize].waiting > 0 {
            self.pass_on(number);
            self.relieved = self.spec.cancels;
            self.stopped |= self.relieved;
        }
    }

    /// The first request that waits leaves the lobby for `seat`, whose replica is started for it.
    pub(super) fn bind(&mut self, seat: u32) {
        let job = self.leave_lobby();
        if seat as usize >= self.seats.len() {
            self.seats.resize(seat as usize + 1, Seat::default());
        }
        self.seats[seat as usize] = Seat::starting();
        self.model.open(seat, 1.0, 1.0);
        let record = self.jobs.get_mut(job);
        (record.seat, record.next) = (seat, super::NIL);
        self.enqueue(seat, job);
    }

    /// Rejects the first request that waits: the platform is at a limit.
    pub(super) fn throttle(&mut self) {
        let number = self.leave_lobby();
        let job = *self.jobs.get(number);
        self.tally.left(self.now - job.offered);
        self.jobs.remove(number);
        self.lose(attempt_of(&job), Fate::Rejected, Cause::Throttled);
    }

    /// Takes the first request that waits out of the lobby.
    fn leave_lobby(&mut self) -> u32 {
        self.first_waiting(LOBBY);
        let lobby = &mut self.seats[LOBBY as usize];
        let held = lobby.head;
        lobby.head = self.jobs.get(held).next;
        lobby.leave(self.now);
        if lobby.waiting == 0 {
            self.free_queue(LOBBY);
        }
        self.find_next_timer();
        held
    }

    /// Moves the first held request to a replica. If its queue is full, the request is rejected.
    fn pass_on(&mut self, number: u32) {
        let held = self.leave_lobby();
        let seat = &mut self.seats[number as usize];
        seat.arrived += 1;
        let idle_slot = !M::GATHERS && seat.running < seat.slots;
        let room = if M::GATHERS { self.model.room(number) } else { 0 };
        let job = self.jobs.get_mut(held);
        if !idle_slot && seat.waiting >= self.spec.queue_limit.saturating_add(room) && seat.slots != SILENT {
            let job = *job;
            self.tally.left(self.now - job.offered);
            self.jobs.remove(held);
            match job.abandoned {
                true => self.return_ticket(job.ordinal),
                false => self.lose(attempt_of(&job), Fate::Rejected, self.scaling_state.cause()),
            }
            return;
        }
        (job.seat, job.next, job.started) = (number, super::NIL, self.now);
        job.state = if idle_slot { JobState::Running } else { JobState::Waiting };
        self.settle(number, held, idle_slot);
    }
}
