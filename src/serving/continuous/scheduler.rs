//! The scheduler: who gets how many tokens in the next step.

use super::blocks::BlockPool;
use super::limits::{Limits, Order};
use super::queue::{Queue, Rank};
use super::request::{Arriving, Prefix, Request, State};
use super::versions::Rules;

/// A request's part of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scheduled {
    /// Slot of the request, and its number, because the slot may be used again before the step ends.
    slot: u32,
    number: u64,
    /// What the caller knows the request by.
    pub tag: u32,
    /// Tokens computed.
    pub tokens: u32,
    /// Whether it reaches the end of what is known and so yields a token.
    yields: bool,
}

/// What a step computes, as far as its duration depends on it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Load {
    /// Tokens.
    pub tokens: u32,
    /// Requests that get tokens.
    pub sequences: u32,
    /// Those of them that get one token.
    pub decodes: u32,
    /// Sum over these of the tokens before it.
    pub context: u64,
    /// The most tokens before it.
    pub longest: u32,
    /// Sum over the others of n (k + n/2): n tokens that each attend to k before them and half of their own.
    pub prefill: f64,
}

impl Load {
    /// That of one request that gets `tokens` after `before` others.
    pub fn of_one(before: u32, tokens: u32) -> Load {
        let mut load = Load::default();
        load.add(before, tokens);
        load
    }

    /// Adds a request that gets `tokens` after `before` others.
    fn add(&mut self, before: u32, tokens: u32) {
        self.sequences += 1;
        self.tokens += tokens;
        if tokens == 1 {
            self.decodes += 1;
            self.context += u64::from(before);
            self.longest = self.longest.max(before);
        } else {
            let tokens = f64::from(tokens);
            self.prefill += tokens * (f64::from(before) + tokens / 2.0);
        }
    }
}

/// A step: first what is scheduled, later what came of it. A plan is used again and again, so that steps allocate
/// nothing once it has grown to its size.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Requests with their tokens: those that ran first, then those admitted.
    pub scheduled: Vec<Scheduled>,
    /// Tags of the requests admitted, the tokens that they found computed, and whether they had run before.
    pub admitted: Vec<(u32, u32, bool)>,
    /// Tags of the requests that lost their blocks, in this order.
    pub preempted: Vec<u32>,
    /// Whether it computes a part of a prompt.
    reads_prompts: bool,
    /// What it computes.
    pub load: Load,
    /// Tags of the requests that got their first token, once the step is done.
    pub first: Vec<u32>,
    /// Tags of the requests that got their last token.
    pub finished: Vec<u32>,
}

impl Plan {
    fn clear(&mut self) {
        self.scheduled.clear();
        self.admitted.clear();
        self.preempted.clear();
        self.first.clear();
        self.finished.clear();
        self.load = Load::default();
        self.reads_prompts = false;
    }
}

/// The scheduler of one engine.
#[derive(Debug)]
pub struct Scheduler {
    limits: Limits,
    rules: Rules,
    pool: BlockPool,
    requests: Vec<Request>,
    /// Slots to use again.
    vacant: Vec<u32>,
    waiting: Queue,
    /// In order of admission.
    running: Vec<u32>,
    /// Requests added so far.
    added: u64,
    /// Steps so far, and the number of the first in which prompts may be computed besides decodes again.
    steps: u64,
    open_from: u64,
    /// Tokens that the step being scheduled may still compute, and the most for one request.
    budget: u32,
    share: u32,
    /// Whether the step leaves prompts out, and whether the last one that did not left requests waiting.
    defers: bool,
    saturated: bool,
    /// Blocks found for the request being admitted.
    hits: Vec<u32>,
    /// Requests passed over by the step, because their former steps are still in flight.
    passed: Vec<u32>,
}

impl Scheduler {
    /// An engine without requests.
    pub fn new(limits: Limits) -> Self {
        let rules = limits.engine.rules();
        Scheduler {
            rules,
            pool: BlockPool::new(limits.usable_blocks(), rules.empty_blocks_first),
            requests: Vec::new(),
            vacant: Vec::new(),
            waiting: Queue::new(limits.order),
            running: Vec::new(),
            added: 0,
            steps: 0,
            open_from: 0,
            budget: 0,
            share: 0,
            defers: false,
            saturated: false,
            hits: Vec::new(),
            passed: Vec::new(),
            limits,
        }
    }

    /// Its settings.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Requests that wait.
    pub fn waiting(&self) -> u32 {
        self.waiting.len()
    }

    /// Requests that run.
    pub fn running(&self) -> u32 {
        self.running.len() as u32
    }

    /// Blocks that hold nothing that a present request needs.
    pub fn free_blocks(&self) -> u32 {
        self.pool.free()
    }

    /// The waiting requests' tags, next first.
    #[doc(hidden)]
    pub fn queue(&self) -> Vec<u32> {
        let mut slots = self.waiting.all();
        if self.limits.order == Order::Priority {
            slots.sort_by_key(|slot| self.requests[*slot as usize].rank);
        }
        slots.iter().map(|slot| self.requests[*slot as usize].tag).collect()
    }

    /// The number that the next request will get, by which others may share its tokens.
    pub fn next_number(&self) -> u64 {
        self.added
    }

    /// Adds a request, and answers with its slot. `prefixes` are the blocks that it has in common with others.
    pub fn add(&mut self, arriving: Arriving, prefixes: &[Prefix]) -> u32 {
        let slot = self.vacant.pop().unwrap_or_else(|| {
            self.requests.push(Request::empty());
            self.requests.len() as u32 - 1
        });
        let rank = Rank { priority: arriving.priority, number: self.added };
        self.added += 1;
        let request = &mut self.requests[slot as usize];
        let (blocks, mut shared) = (std::mem::take(&mut request.blocks), std::mem::take(&mut request.prefixes));
        shared.clear();
        shared.extend_from_slice(prefixes);
        *request = Request {
            tag: arriving.tag,
            state: State::Waiting,
            rank,
            prompt: arriving.prompt,
            known: arriving.prompt,
            end: arriving.prompt.saturating_add(arriving.output.max(1)).min(self.limits.length),
            blocks,
            prefixes: shared,
            ..Request::empty()
        };
        self.waiting.join(slot, rank);
        slot
    }

    /// Removes the request in `slot`, whatever it does.
    pub fn abort(&mut self, slot: u32) {
        match self.requests[slot as usize].state {
            State::Gone => return,
            State::Waiting => self.waiting.remove(slot),
            State::Running => self.running.retain(|other| *other != slot),
        }
        self.free(slot);
        self.vacate(slot);
    }

    /// Schedules a step into `plan`.
    pub fn schedule(&mut self, plan: &mut Plan) {
        plan.clear();
        self.budget = self.limits.batched_tokens;
        self.share = self.largest_share();
        self.defers = self.defers_prompts();
        self.serve_running(plan);
        if plan.preempted.is_empty() {
            self.admit_waiting(plan);
        }
        self.begin(plan);
    }

    /// The most tokens that one request gets.
    fn largest_share(&self) -> u32 {
        let present = self.running() + self.waiting();
        let Limits { long_prefill, long_prefill_adaptive, batched_tokens, .. } = self.limits;
        if long_prefill == 0 || (self.rules.threshold_spares_the_only_one && present <= 1) {
            return u32::MAX;
        }
        if long_prefill_adaptive { long_prefill.max(batched_tokens / present.max(1)) } else { long_prefill }
    }

    /// Whether the step leaves prompts out in favour of those that decode.
    fn defers_prompts(&self) -> bool {
        self.steps < self.open_from
            && !self.saturated
            && self.running.iter().any(|slot| !self.requests[*slot as usize].partial)
    }

    /// Gives tokens to the requests that run, in order, and takes the blocks of others where there are none left.
    fn serve_running(&mut self, plan: &mut Plan) {
        let mut place = 0;
        while place < self.running.len() && self.budget > 0 {
            let slot = self.running[place];
            let request = &self.requests[slot as usize];
            if request.needs_no_step() || (self.defers && request.partial) {
                place += 1;
                continue;
            }
            let left = (request.known + request.expected).saturating_sub(request.computed);
            let most = (self.limits.length - 1).saturating_sub(request.computed);
            let tokens = left.min(self.share).min(self.budget).min(most);
            if tokens == 0 {
                place += 1;
                continue;
            }
            let reached = (request.computed + tokens).min(self.limits.length);
            let needed = self.limits.blocks_for(reached).saturating_sub(request.blocks.len() as u32);
            if needed > 0 && !self.make_room(slot, needed, &mut place, plan) {
                if self.rules.goes_on_after_own_preemption {
                    continue;
                }
                break;
            }
            plan.reads_prompts |= self.requests[slot as usize].partial;
            self.grant(slot, tokens, needed, plan);
            place += 1;
        }
    }

    /// Takes the blocks of other requests until `needed` are free. `false` if the one in `slot` itself had to go.
    fn make_room(&mut self, slot: u32, needed: u32, place: &mut usize, plan: &mut Plan) -> bool {
        while needed > self.pool.free() {
            let victim = match self.limits.order {
                Order::Fcfs => self.running.len() - 1,
                Order::Priority => {
                    let rank = |place: &usize| self.requests[self.running[*place] as usize].rank;
                    (0..self.running.len()).max_by_key(rank).unwrap_or(*place)
                }
            };
            let lost = self.running.remove(victim);
            if self.limits.order == Order::Priority
                && let Some(index) = plan.scheduled.iter().position(|scheduled| scheduled.slot == lost)
            {
                self.budget += plan.scheduled.remove(index).tokens;
                *place -= 1;
            }
            self.preempt(lost, plan);
            if lost == slot {
                return false;
            }
        }
        true
    }

    /// Takes a request's blocks away and lets it wait.
    fn preempt(&mut self, slot: u32, plan: &mut Plan) {
        self.free(slot);
        let request = &mut self.requests[slot as usize];
        request.state = State::Waiting;
        (request.computed, request.expected, request.stale) = (0, 0, request.in_flight);
        request.preemptions += 1;
        plan.preempted.push(request.tag);
        self.waiting.rejoin(slot, request.rank);
    }

    /// Gives a request `tokens` and the blocks for them.
    fn grant(&mut self, slot: u32, tokens: u32, needed: u32, plan: &mut Plan) {
        self.budget -= tokens;
        let request = &mut self.requests[slot as usize];
        for _ in 0..needed {
            // There are as many: whoever calls this has looked.
            let Some(block) = self.pool.take() else { break };
            request.blocks.push(block);
        }
        let certain = (request.computed + tokens).min(request.known);
        if self.limits.prefix_caching {
            publish(&mut self.pool, request, certain / self.limits.block_size);
        }
        plan.scheduled.push(Scheduled { slot, number: request.rank.number, tag: request.tag, tokens, yields: false });
    }

    /// Admits requests that wait, in order, until one does not fit.
    fn admit_waiting(&mut self, plan: &mut Plan) {
        while self.budget > 0 && self.running() < self.limits.running() {
            let Some(slot) = self.waiting.first() else { break };
            if self.requests[slot as usize].stale > 0 {
                self.waiting.remove(slot);
                self.passed.push(slot);
                continue;
            }
            if !self.admit(slot, plan) {
                break;
            }
        }
        if !self.defers {
            self.saturated = self.waiting() > 0;
        }
        while let Some(slot) = self.passed.pop() {
            self.waiting.rejoin(slot, self.requests[slot as usize].rank);
        }
    }

    /// Admits the next request, unless it does not fit.
    fn admit(&mut self, slot: u32, plan: &mut Plan) -> bool {
        self.find_prefix(slot);
        let Limits { block_size, length, .. } = self.limits;
        let request = &self.requests[slot as usize];
        let found = self.hits.len() as u32;
        let computed = found * block_size;
        if self.defers && computed + 1 < request.known {
            return false;
        }
        let mut tokens = (request.known - computed).min(self.share);
        if !self.limits.chunked_prefill && tokens > self.budget {
            return false;
        }
        tokens = tokens.min(self.budget);
        // Found blocks that nobody uses are about to leave the free list too.
        let revived = self.hits.iter().filter(|block| self.pool.is_free(**block)).count() as u32;
        let kept = if self.running.is_empty() { 0 } else { self.limits.kept_free() };
        let fits = |reached: u32| {
            let needed = self.limits.blocks_for(reached.min(length)).saturating_sub(found);
            needed + revived + kept <= self.pool.free()
        };
        if !fits(computed + tokens) || (self.limits.reserve_prompt && !fits(request.known)) {
            return false;
        }
        self.hits.iter().for_each(|block| self.pool.share(*block));
        let request = &mut self.requests[slot as usize];
        request.blocks.extend_from_slice(&self.hits);
        (request.state, request.computed, request.published) = (State::Running, computed, found);
        plan.reads_prompts |= computed + 1 < request.known;
        plan.admitted.push((request.tag, computed, request.preemptions > 0));
        let needed = self.limits.blocks_for((computed + tokens).min(length)).saturating_sub(found);
        self.waiting.remove(slot);
        self.running.push(slot);
        self.grant(slot, tokens, needed, plan);
        true
    }

    /// Finds the blocks that hold the start of a request, all but its last token at most.
    fn find_prefix(&mut self, slot: u32) {
        self.hits.clear();
        if !self.limits.prefix_caching {
            return;
        }
        let request = &self.requests[slot as usize];
        let full = request.known.saturating_sub(1) / self.limits.block_size;
        let found = (0..full).map_while(|index| self.pool.find(request.content(index)));
        self.hits.extend(found);
    }

    /// The step begins: its tokens count as computed from now on.
    fn begin(&mut self, plan: &mut Plan) {
        if plan.reads_prompts {
            self.open_from = self.steps + u64::from(self.limits.prefill_interval);
        }
        self.steps += 1;
        let asynchronous = self.limits.asynchronous;
        for scheduled in &mut plan.scheduled {
            let request = &mut self.requests[scheduled.slot as usize];
            let tokens = scheduled.tokens;
            plan.load.add(request.computed, tokens);
            request.computed += tokens;
            request.in_flight += tokens;
            request.partial = request.computed < request.known + request.expected;
            scheduled.yields = !request.partial;
            if asynchronous && scheduled.yields {
                request.expected += 1;
            }
        }
    }

    /// The step in `plan` is done: its requests get their tokens, and those with all of them leave.
    pub fn complete(&mut self, plan: &mut Plan) {
        let mut left = false;
        for scheduled in &plan.scheduled {
            let request = &mut self.requests[scheduled.slot as usize];
            if request.rank.number != scheduled.number || request.state == State::Gone {
                continue;
            }
            request.in_flight -= scheduled.tokens;
            let stale = request.stale > 0;
            request.stale = request.stale.saturating_sub(scheduled.tokens);
            if !scheduled.yields {
                continue;
            }
            if request.known == request.prompt {
                plan.first.push(request.tag);
            }
            request.known += 1;
            if self.limits.asynchronous && !stale {
                request.expected -= 1;
                if self.limits.prefix_caching {
                    let certain = request.computed - request.expected;
                    publish(&mut self.pool, request, certain / self.limits.block_size);
                }
            }
            if request.known >= request.end {
                plan.finished.push(request.tag);
                let waits = request.state == State::Waiting;
                request.state = State::Gone;
                if waits {
                    self.waiting.remove(scheduled.slot);
                }
                left |= !waits;
                self.free(scheduled.slot);
                self.vacant.push(scheduled.slot);
            }
        }
        if left {
            self.running.retain(|slot| self.requests[*slot as usize].state == State::Running);
        }
    }

    /// Gives a request's blocks back, the last one first, so that the start of its tokens is kept for longest.
    fn free(&mut self, slot: u32) {
        let request = &mut self.requests[slot as usize];
        request.blocks.iter().rev().for_each(|block| self.pool.release(*block));
        request.blocks.clear();
        request.published = 0;
    }

    fn vacate(&mut self, slot: u32) {
        self.requests[slot as usize].state = State::Gone;
        self.vacant.push(slot);
    }
}

/// Enters a request's first `full` blocks into the index of contents, unless they are there.
fn publish(pool: &mut BlockPool, request: &mut Request, full: u32) {
    while request.published < full {
        pool.publish(request.blocks[request.published as usize], request.content(request.published));
        request.published += 1;
    }
}
