//! The loop of an engine: a step is scheduled, computed, and its result processed.
//!
//! With asynchronous scheduling two steps are in flight: the next one is scheduled as soon as the one before it is being
//! computed, so that the computation never waits (`EngineCore.step_with_batch_queue` in `vllm/v1/engine/core.py`).

use super::limits::Limits;
use super::request::{Arriving, Prefix};
use super::scheduler::{Plan, Scheduler};

/// An engine: its scheduler and the steps in flight.
#[derive(Debug)]
pub struct Steps {
    scheduler: Scheduler,
    /// Steps in flight are the first of them, oldest first; the others are spare.
    plans: Vec<Plan>,
    in_flight: usize,
    /// Whether requests have finished since the last step was scheduled: the next one tells the workers.
    untold: bool,
}

impl Steps {
    /// An engine without requests.
    pub fn new(limits: Limits) -> Self {
        let plans = vec![Plan::default(); if limits.asynchronous { 2 } else { 1 }];
        Steps { scheduler: Scheduler::new(limits), plans, in_flight: 0, untold: false }
    }

    /// Its scheduler.
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// Adds a request, see [`Scheduler::add`].
    pub fn add(&mut self, arriving: Arriving, prefixes: &[Prefix]) -> u32 {
        self.scheduler.add(arriving, prefixes)
    }

    /// Removes a request. Its part of the steps in flight is lost.
    pub fn abort(&mut self, slot: u32) {
        self.scheduler.abort(slot);
    }

    /// Steps in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The step to schedule now. `None` if there is nothing to do, or if the result of the oldest step is awaited first.
    pub fn schedule(&mut self) -> Option<&Plan> {
        if self.in_flight == self.plans.len() || !self.has_work() {
            return None;
        }
        self.untold = false;
        let plan = &mut self.plans[self.in_flight];
        self.scheduler.schedule(plan);
        self.in_flight += 1;
        Some(plan)
    }

    /// Processes the result of the oldest step.
    pub fn complete(&mut self) -> Option<&Plan> {
        if self.in_flight == 0 {
            return None;
        }
        self.in_flight -= 1;
        self.plans.rotate_left(1);
        let plan = self.plans.last_mut()?;
        self.scheduler.complete(plan);
        self.untold |= self.scheduler.limits().asynchronous && !plan.finished.is_empty();
        Some(plan)
    }

    /// Steps in flight at most.
    pub fn depth(&self) -> usize {
        self.plans.len()
    }

    /// Whether requests wait or run.
    pub fn has_requests(&self) -> bool {
        self.scheduler.running() > 0 || self.scheduler.waiting() > 0
    }

    /// Whether there is a reason to schedule a step.
    pub fn has_work(&self) -> bool {
        self.untold || self.has_requests()
    }
}
