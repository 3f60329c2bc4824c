//! Engines inside replicas: steps in simulated time.

use std::collections::VecDeque;

use super::super::model::{Due, Evicted, Finished, Gathered, Gauges, ServiceModel, Waiting, Work};
use super::super::slots::on_node;
use super::request::Arriving;
use super::stated::ContinuousBatching;
use super::steps::Steps;
use crate::units::{SimDuration, SimTime};

/// Not in an engine.
const NOWHERE: u32 = u32::MAX;

/// The engines of a service's replicas.
///
/// A replica holds as many requests as its engine may run; the others wait in the replica's queue, where they are in the
/// same order. When a step ends, requests that are answered leave one by one at that instant, others take their places,
/// and then the next step is scheduled.
#[derive(Debug)]
pub struct Engines {
    stated: ContinuousBatching,
    seats: Vec<Seat>,
    /// Slot of each job in its engine.
    slots: Vec<u32>,
}

#[derive(Debug)]
struct Seat {
    steps: Steps,
    speed: f64,
    /// Requests in the engine.
    present: u32,
    /// Ends of the steps in flight.
    ends: VecDeque<SimTime>,
    /// Jobs answered by the last step that are still to be reported.
    answered: VecDeque<u32>,
    /// Tag of the next event; earlier ones are stale.
    tag: u32,
    /// Whether there is a next event.
    busy: bool,
}

impl Engines {
    pub(super) fn new(stated: ContinuousBatching) -> Self {
        Engines { stated, seats: Vec::new(), slots: Vec::new() }
    }

    /// Tokens of the prompt and the answer of a request, as the engine takes it: at least one of each, and as much as
    /// its maximum length leaves.
    fn tokens(&self, work: Work) -> (u32, u32) {
        let length = self.stated.limits.length;
        let prompt = work.input.clamp(1, length - 1);
        (prompt, work.output.clamp(1, length - prompt))
    }

    /// Schedules steps until the engine has to wait for the result of one.
    fn go_on(&mut self, seat: u32, now: SimTime) -> Option<Due> {
        let time = self.stated.step_time;
        let seat = &mut self.seats[seat as usize];
        while let Some(plan) = seat.steps.schedule() {
            let micros = if plan.load.tokens > 0 { time.micros(&plan.load) } else { 0.0 };
            let idle = plan.load.tokens == 0 && plan.preempted.is_empty();
            let took = on_node(SimDuration::from_nanos((micros * 1e3).round() as u64), seat.speed);
            let begins = seat.ends.back().copied().unwrap_or(now).max(now);
            seat.ends.push_back(begins + took);
            if idle && seat.ends.back() == Some(&now) {
                // Nothing is being computed and nothing can be: the next request starts the engine again.
                while seat.steps.complete().is_some() {}
                seat.ends.clear();
                break;
            }
        }
        seat.next(None)
    }
}

impl Seat {
    /// Announces the next event: at `at`, or when the oldest step ends.
    fn next(&mut self, at: Option<SimTime>) -> Option<Due> {
        let time = at.or(self.ends.front().copied());
        self.busy = time.is_some();
        self.tag = self.tag.wrapping_add(1);
        Some(Due { time: time?, tag: self.tag })
    }
}

impl ServiceModel for Engines {
    const COUNTS_TOKENS: bool = true;
    const GATHERS: bool = true;

    fn open(&mut self, seat: u32, speed: f64, _full: f64) {
        let fresh = |tag| Seat {
            steps: Steps::new(self.stated.limits),
            speed,
            present: 0,
            ends: VecDeque::with_capacity(2),
            answered: VecDeque::new(),
            tag,
            busy: false,
        };
        while self.seats.len() <= seat as usize {
            self.seats.push(fresh(0));
        }
        // Continue the numbering: an event of the seat's former replica may still be queued.
        let tag = self.seats[seat as usize].tag.wrapping_add(1);
        self.seats[seat as usize] = fresh(tag);
    }

    fn gather(&mut self, seat: u32, waiting: Waiting, _now: SimTime) -> Gathered {
        let places = self.room(seat);
        Gathered { start: waiting.count.min(places), wake: None }
    }

    fn room(&self, seat: u32) -> u32 {
        self.stated.limits.running() - self.seats[seat as usize].present
    }

    fn start(&mut self, seat: u32, job: u32, work: Work, now: SimTime) -> Option<Due> {
        let (prompt, output) = self.tokens(work);
        let seat = &mut self.seats[seat as usize];
        let slot = seat.steps.add(Arriving { tag: job, prompt, output, priority: 0 }, &[]);
        if self.slots.len() <= job as usize {
            self.slots.resize(job as usize + 1, NOWHERE);
        }
        self.slots[job as usize] = slot;
        seat.present += 1;
        // Those that start at this instant are in one step.
        if seat.busy { None } else { seat.next(Some(now)) }
    }

    fn due(&mut self, seat: u32, tag: u32, now: SimTime) -> Finished {
        let engine = &mut self.seats[seat as usize];
        if tag != engine.tag || !engine.busy {
            return Finished { job: None, next: None };
        }
        if engine.answered.is_empty() && engine.ends.front().is_some_and(|end| *end <= now) {
            engine.ends.pop_front();
            if let Some(plan) = engine.steps.complete() {
                engine.answered.extend(&plan.finished);
            }
        }
        if let Some(job) = engine.answered.pop_front() {
            engine.present -= 1;
            self.slots[job as usize] = NOWHERE;
            return Finished { job: Some(job), next: engine.next(Some(now)) };
        }
        Finished { job: None, next: self.go_on(seat, now) }
    }

    /// The steps in flight take no less time.
    fn evict(&mut self, seat: u32, job: u32, _now: SimTime) -> Evicted {
        let engine = &mut self.seats[seat as usize];
        let slot = std::mem::replace(&mut self.slots[job as usize], NOWHERE);
        match engine.answered.iter().position(|other| *other == job) {
            Some(place) => {
                engine.answered.remove(place);
            }
            None => engine.steps.abort(slot),
        }
        engine.present -= 1;
        Evicted { lingers: false, next: None }
    }

    fn gauges(&self, seat: u32) -> Gauges {
        let scheduler = self.seats[seat as usize].steps.scheduler();
        let usable = scheduler.limits().usable_blocks();
        let free = f64::from(scheduler.free_blocks()) / f64::from(usable.max(1));
        Gauges { waiting: scheduler.waiting(), cache: 1.0 - free }
    }

    fn work_done(&self, _seat: u32, busy_nanos: u128, _now: SimTime) -> f64 {
        busy_nanos as f64
    }

    fn alone(&self, seat: u32, work: Work) -> SimDuration {
        let (prompt, output) = self.tokens(work);
        let micros = self.stated.step_time.alone(prompt, output, self.stated.limits.batched_tokens);
        on_node(SimDuration::from_nanos((micros * 1e3).round() as u64), self.seats[seat as usize].speed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::limits::Limits;
    use super::super::step_time::StepTime;
    use super::*;

    /// Steps of 10 ms and 1 ms for each token.
    fn replica(limits: Limits) -> Engines {
        let step_time = StepTime { base: 10_000.0, token: 1000.0, ..StepTime::default() };
        let mut engines = Engines::new(ContinuousBatching { limits, step_time });
        engines.open(0, 1.0, 1.0);
        engines
    }

    fn at(millis: u64) -> SimTime {
        SimTime::from_nanos(millis * 1_000_000)
    }

    fn of(input: u32, output: u32) -> Work {
        Work { input, output, ..Work::default() }
    }

    /// Runs the events until none is left, and returns the jobs with the times of their answers in milliseconds.
    fn answers(engines: &mut Engines, mut due: Option<Due>, starts: &[(u64, u32, Work)]) -> Vec<(u32, f64)> {
        let (mut found, mut next) = (Vec::new(), 0);
        loop {
            let start = starts.get(next).filter(|(time, _, _)| due.is_none_or(|due| at(*time) < due.time));
            if let Some((time, job, work)) = start {
                due = engines.start(0, *job, *work, at(*time)).or(due);
                next += 1;
                continue;
            }
            let Some(event) = due else { return found };
            let finished = engines.due(0, event.tag, event.time);
            found.extend(finished.job.map(|job| (job, event.time.as_nanos() as f64 / 1e6)));
            due = finished.next;
        }
    }

    #[test]
    fn a_request_takes_a_step_for_its_prompt_and_one_for_each_further_token() {
        let mut engines = replica(Limits::default());
        let due = engines.start(0, 7, of(20, 3), at(5));
        // 10 + 20 ms, and twice 10 + 1 ms.
        assert_eq!(answers(&mut engines, due, &[]), [(7, 57.0)]);
        assert_eq!(engines.alone(0, of(20, 3)), SimDuration::from_millis(52));
        assert_eq!(engines.room(0), 256);
    }

    #[test]
    fn requests_that_arrive_during_a_step_join_the_next_one() {
        let mut engines = replica(Limits::default());
        let due = engines.start(0, 1, of(20, 3), at(0));
        // Steps: 0 to 30 the prompt of 1; to 46 its next token and the prompt of 2; to 58 a token of each.
        let found = answers(&mut engines, due, &[(10, 2, of(5, 2))]);
        assert_eq!(found, [(1, 58.0), (2, 58.0)]);
    }

    /// The step after the next is scheduled when the next one begins: a request that arrives then has to wait for it.
    #[test]
    fn with_asynchronous_scheduling_a_request_waits_a_step_longer() {
        let mut engines = replica(Limits { asynchronous: true, ..Limits::default() });
        let due = engines.start(0, 1, of(20, 4), at(0));
        // Steps of 1: 0 to 30, to 41 (scheduled at 0), to 57 with the prompt of 2 (scheduled at 30), to 69, and 2 alone.
        let found = answers(&mut engines, due, &[(10, 2, of(5, 3))]);
        assert_eq!(found, [(1, 69.0), (2, 80.0)]);
    }

    #[test]
    fn an_evicted_request_leaves_the_engine() {
        let mut engines = replica(Limits { sequences: 2, ..Limits::default() });
        let first = engines.start(0, 1, of(20, 500), at(0));
        engines.start(0, 2, of(5, 2), at(0));
        let waiting = Waiting { count: 3, since: at(0), last: false };
        assert_eq!(engines.gather(0, waiting, at(0)).start, 0);
        let step = engines.due(0, first.unwrap().tag, at(0)).next;
        assert!(!engines.evict(0, 1, at(1)).lingers);
        assert_eq!(engines.gather(0, waiting, at(1)).start, 1);
        // The step goes on as if it were there: 10 + 25 ms; then job 2 alone.
        assert_eq!(answers(&mut engines, step, &[]), [(2, 46.0)]);
        assert_eq!(engines.room(0), 2);
    }

    /// Blocks for 128 tokens: two requests of 100 tokens each do not fit at their ends, so one is computed again.
    #[test]
    fn memory_runs_out_and_a_request_is_computed_again() {
        let limits = Limits { blocks: 9, length: 128, prefix_caching: false, ..Limits::default() };
        let mut engines = replica(limits);
        let due = engines.start(0, 1, of(40, 60), at(0));
        let found = answers(&mut engines, due, &[(0, 2, of(40, 60))]);
        // Without preemption both would end together.
        assert_eq!(found.len(), 2);
        assert!(found[0].0 == 1 && found[1].1 > found[0].1 + 100.0, "{found:?}");
        assert_eq!(engines.gauges(0), Gauges::default());
    }

    #[test]
    fn what_the_engine_exports() {
        let mut engines = replica(Limits { blocks: 9, length: 128, ..Limits::default() });
        let due = engines.start(0, 1, of(90, 2), at(0)).unwrap();
        engines.start(0, 2, of(40, 2), at(0));
        engines.due(0, due.tag, at(0));
        // 6 of 8 blocks hold the first prompt; the second, of 3 blocks, waits.
        assert_eq!(engines.gauges(0), Gauges { waiting: 1, cache: 0.75 });
    }

    #[test]
    fn what_exceeds_the_maximum_length_is_cut() {
        let limits = Limits { length: 100, ..Limits::default() };
        let engines = replica(limits);
        assert_eq!(engines.tokens(of(300, 50)), (99, 1));
        assert_eq!(engines.tokens(of(60, 50)), (60, 40));
        assert_eq!(engines.tokens(of(0, 0)), (1, 1));
    }
}
