//! Calls: what a request asks of other services after its own work, and requests that come from there.

use super::super::calls::{Call, Caller, Message, Stages, What};
use super::super::causes::Cause;
use super::super::demand::fresh_demand;
use super::super::fate::Fate;
use super::super::jobs::{Job, JobState};
use super::{Attempt, Lane, LaneSpec, Timer, Upcoming, attempt_of};
use crate::cluster::Dispatcher;
use crate::random::{Purpose, descendant};
use crate::serving::{ServiceModel, Work};
use crate::units::SimTime;

/// Marks the ordinal of a request that came from another lane: the rest is its ticket.
const FROM_A_CALL: u64 = 1 << 63;

/// What a lane keeps besides if its service calls others or is called.
pub(super) struct Links {
    stages: Stages,
    /// What it has sent since the last delivery.
    outbox: Vec<Message>,
    /// The requests in this lane that came from others.
    tickets: Vec<Ticket>,
    free_tickets: Vec<u32>,
    /// The calls of each job, by its number.
    open: Vec<OpenCalls>,
    /// Slots that are held while their requests wait for answers, by seat.
    blocked: Vec<Blocked>,
    /// Requests from other lanes so far.
    received: u64,
}

/// A request from another lane.
#[derive(Debug, Clone, Copy)]
struct Ticket {
    identity: u64,
    caller: Option<Caller>,
    /// Who still needs it: the request, and attempts that its client has given up but that are still worked on.
    holders: u32,
}

/// The calls of a job that have not been answered.
#[derive(Debug, Clone, Copy, Default)]
struct OpenCalls {
    /// The number of the next stage.
    next_stage: u32,
    unanswered: u32,
    failed: bool,
}

/// Time integral of the held slots of a seat: sum of ends minus sum of starts, and their number.
#[derive(Debug, Clone, Copy, Default)]
struct Blocked {
    slots: u32,
    ended: u128,
}

impl Links {
    pub(super) fn new(stages: Stages) -> Links {
        Links {
            stages,
            outbox: Vec::new(),
            tickets: Vec::new(),
            free_tickets: Vec::new(),
            open: Vec::new(),
            blocked: Vec::new(),
            received: 0,
        }
    }

    /// Stores a request from another lane; the result is its ordinal.
    fn issue(&mut self, ticket: Ticket) -> u64 {
        let number = match self.free_tickets.pop() {
            Some(number) => number,
            None => {
                self.tickets.push(ticket);
                self.tickets.len() as u32 - 1
            }
        };
        self.tickets[number as usize] = ticket;
        FROM_A_CALL | u64::from(number)
    }

    /// Requests from other lanes so far.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Slot-nanoseconds of a seat in which a request only waited for answers.
    pub(super) fn blocked_area(&self, seat: u32, now: SimTime) -> u128 {
        let blocked = self.blocked.get(seat as usize).copied().unwrap_or_default();
        blocked.ended.wrapping_add(u128::from(blocked.slots) * u128::from(now.as_nanos()))
    }

    /// Forgets the integral of a seat that is released.
    pub(super) fn clear_blocked(&mut self, seat: u32) {
        if let Some(blocked) = self.blocked.get_mut(seat as usize) {
            *blocked = Blocked::default();
        }
    }

    fn block(&mut self, seat: u32, now: u64) {
        if self.blocked.len() <= seat as usize {
            self.blocked.resize(seat as usize + 1, Blocked::default());
        }
        let blocked = &mut self.blocked[seat as usize];
        blocked.slots += 1;
        blocked.ended = blocked.ended.wrapping_sub(u128::from(now));
    }

    fn unblock(&mut self, seat: u32, now: u64) {
        let blocked = &mut self.blocked[seat as usize];
        blocked.slots -= 1;
        blocked.ended = blocked.ended.wrapping_add(u128::from(now));
    }
}

/// The identity of a request, by which everything that follows from it is drawn.
fn identity(links: &Links, spec: &LaneSpec, ordinal: u64) -> u64 {
    match links.tickets.get((ordinal & !FROM_A_CALL) as usize) {
        Some(ticket) if ordinal & FROM_A_CALL != 0 => ticket.identity,
        _ => descendant(descendant(0, spec.service), ordinal),
    }
}

impl<M: ServiceModel, D: Dispatcher> Lane<M, D> {
    /// Whether the request came from another lane.
    pub(super) fn is_from_a_call(ordinal: u64) -> bool {
        ordinal & FROM_A_CALL != 0
    }

    /// The number by which the back-offs of a request are drawn.
    pub(super) fn retry_identity(&self, ordinal: u64) -> u64 {
        match &self.links {
            Some(links) if Self::is_from_a_call(ordinal) => identity(links, &self.spec, ordinal),
            _ => ordinal,
        }
    }

    /// Makes the calls of a job whose own work is done. Returns whether it keeps its slot until they are answered.
    #[inline(never)]
    pub(super) fn calls(&mut self, number: u32) -> bool {
        let Some(links) = &mut self.links else { return false };
        if links.stages.is_empty() {
            return false;
        }
        if links.open.len() <= number as usize {
            links.open.resize(number as usize + 1, OpenCalls::default());
        }
        links.open[number as usize] = OpenCalls::default();
        let waits = self.next_stage(number);
        if waits && let Some(links) = &mut self.links {
            let job = self.jobs.get_mut(number);
            job.state = JobState::Calling;
            links.block(job.seat, self.now);
        }
        waits
    }

    /// Makes the calls of the next stages, up to one that is waited for. Returns whether there is one.
    fn next_stage(&mut self, number: u32) -> bool {
        let Some(links) = &mut self.links else { return false };
        let job = *self.jobs.get(number);
        let caller = identity(links, &self.spec, job.ordinal);
        let Links { stages, outbox, open, .. } = &mut **links;
        let open = &mut open[number as usize];
        while let Some(stage) = stages.get(open.next_stage as usize) {
            open.next_stage += 1;
            for (call, position) in stage.iter().zip(0u64..) {
                let identity = descendant(caller, u64::from(open.next_stage) << 32 | position);
                let streams = self.spec.streams;
                if call.share.get() < 1.0 {
                    let drawn = streams.keyed(Purpose::Call, self.spec.service, identity).uniform();
                    if drawn >= call.share.get() {
                        continue;
                    }
                }
                let waiting = Caller {
                    service: self.spec.service as u32,
                    job: number,
                    generation: job.generation,
                    network: call.network.as_nanos(),
                };
                let Call { to, count, waits, network, .. } = *call;
                let at = self.now.saturating_add(network.as_nanos());
                let one = |nth| What::Request {
                    identity: descendant(identity, u64::from(nth)),
                    caller: waits.then_some(waiting),
                };
                outbox.extend((0..count).map(|nth| Message { to, at, what: one(nth) }));
                open.unanswered += if waits { count } else { 0 };
            }
            self.stopped |= !outbox.is_empty();
            if open.unanswered > 0 {
                return true;
            }
        }
        false
    }

    /// Takes what another lane has sent.
    pub(super) fn take_in(&mut self, message: &Message) {
        let Some(links) = &mut self.links else { return };
        let what = match message.what {
            What::Request { identity, caller } => {
                let demand = fresh_demand(&self.spec.demand, self.spec.streams, self.spec.service, identity);
                let work = Work { demand, ..Work::default() };
                Upcoming::Called { ordinal: links.issue(Ticket { identity, caller, holders: 1 }), work }
            }
            What::Answer { job, generation, failed } => Upcoming::Answer { job, generation, failed },
        };
        self.sequence += 1;
        self.next_timer = self.next_timer.min(message.at);
        let timer = Timer { at: message.at, sequence: self.sequence, what };
        self.timers.push(std::cmp::Reverse(timer));
    }

    /// An answer to a call of a job arrives. The job may be gone, if its client gave up or its replica was lost.
    pub(super) fn answered(&mut self, number: u32, generation: u32, failed: bool) {
        let job = *self.jobs.get(number);
        if job.generation != generation || job.state != JobState::Calling {
            return;
        }
        self.events += 1;
        let Some(links) = &mut self.links else { return };
        let open = &mut links.open[number as usize];
        open.unanswered -= 1;
        open.failed |= failed;
        if open.unanswered > 0 {
            return;
        }
        if !open.failed && self.next_stage(number) {
            return;
        }
        let failed = self.links.as_ref().is_some_and(|links| links.open[number as usize].failed);
        self.end_calls(&job);
        if failed {
            self.fail(number, &job);
        } else {
            self.finish(number, job.seat);
        }
    }

    /// A job no longer waits for answers; the caller frees its slot.
    pub(super) fn end_calls(&mut self, job: &Job) {
        if let Some(links) = &mut self.links {
            links.unblock(job.seat, self.now);
        }
    }

    /// Ends a job of which a call was not answered.
    fn fail(&mut self, number: u32, job: &Job) {
        self.tally.left(self.now - job.offered);
        self.tally.cut_short(job, self.now, self.seats[job.seat as usize].standing);
        self.jobs.remove(number);
        match job.abandoned {
            true => self.return_ticket(job.ordinal),
            false => self.lose(attempt_of(job), Fate::Failed, Cause::Call),
        }
        self.vacate(job.seat);
    }

    /// An attempt is still worked on although its client has given up.
    pub(super) fn keep_ticket(&mut self, ordinal: u64) {
        if let (Some(links), true) = (&mut self.links, Self::is_from_a_call(ordinal)) {
            links.tickets[(ordinal & !FROM_A_CALL) as usize].holders += 1;
        }
    }

    /// A request has ended, or an attempt that its client had given up.
    #[inline(never)]
    pub(super) fn return_ticket(&mut self, ordinal: u64) {
        let (Some(links), true) = (&mut self.links, Self::is_from_a_call(ordinal)) else { return };
        let number = (ordinal & !FROM_A_CALL) as u32;
        let ticket = &mut links.tickets[number as usize];
        ticket.holders -= 1;
        if ticket.holders == 0 {
            links.free_tickets.push(number);
        }
    }

    /// Tells the caller of a request how it ended.
    #[inline(never)]
    pub(super) fn tell_caller(&mut self, ordinal: u64, failed: bool) {
        if !Self::is_from_a_call(ordinal) {
            return;
        }
        self.return_ticket(ordinal);
        let Some(links) = &mut self.links else { return };
        let ticket = links.tickets[(ordinal & !FROM_A_CALL) as usize];
        let Some(Caller { service, job, generation, network }) = ticket.caller else { return };
        let at = self.now.saturating_add(network);
        links.outbox.push(Message { to: service, at, what: What::Answer { job, generation, failed } });
        self.stopped = true;
    }

    /// A request from another lane arrives.
    pub(super) fn receive(&mut self, at: u64, ordinal: u64, work: Work) {
        if let Some(links) = &mut self.links {
            links.received += 1;
        }
        self.count_request(at, work);
        self.offer_again(Attempt { arrival: at, work, ordinal, number: 0 });
    }

    /// Exchanges the outbox with an empty one.
    pub(super) fn exchange_outbox(&mut self, empty: &mut Vec<Message>) {
        if let Some(links) = &mut self.links {
            std::mem::swap(&mut links.outbox, empty);
        }
    }
}
