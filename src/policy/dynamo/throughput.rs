//! Scaling by throughput: as many engines as the traffic predicted needs.
//!
//! `ThroughputScalingMixin` of ai-dynamo/dynamo, `components/src/dynamo/planner/core/throughput_scaling.py`, release
//! 1.6.1.

use super::budget::{BudgetReason, Pair};
use super::capacity::{Capacity, Engine, Goal, Shape};
use super::engine::{EngineModel, WorkerType};
use super::planner::{Component, Decision, Diagnostics, Mode, Planner, Why};

/// The traffic predicted for the next interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// Seconds of an interval.
    pub duration_s: f64,
    /// Requests in it.
    pub num_req: Option<f64>,
    /// Tokens of their prompts.
    pub isl: Option<f64>,
    /// Tokens that they generate.
    pub osl: Option<f64>,
    /// Share of the prompts in the cache.
    pub kv_hit_rate: Option<f64>,
    /// Tokens accepted in an iteration.
    pub accept_length: Option<f64>,
}

/// Requests per second and their shape.
#[derive(Debug, Clone, Copy)]
struct Demand {
    rps: f64,
    isl: f64,
    osl: f64,
    kv_hit_rate: Option<f64>,
}

impl Planner {
    /// Decides for the traffic predicted; `None` for no opinion. Where load is scaled too, the result is only its floor.
    pub fn advance_throughput(&mut self, prediction: &Prediction) -> Option<Decision> {
        self.said = Diagnostics::default();
        if !self.config.enable_throughput_scaling {
            self.said.reason = Some(Why::Disabled);
            return None;
        }
        let (requests, isl, osl) = (prediction.num_req?, prediction.isl?, prediction.osl?);
        self.note(prediction.kv_hit_rate, prediction.accept_length);
        if prediction.duration_s <= 0.0 {
            self.said.reason = Some(Why::NoTrafficData);
            return None;
        }
        let demand = Demand { rps: requests / prediction.duration_s, isl, osl, kv_hit_rate: prediction.kv_hit_rate };
        match self.config.mode {
            Mode::Disagg => self.throughput_of_both_kinds(&demand),
            Mode::Prefill => self.throughput_of(Component::Prefill, &demand),
            Mode::Decode | Mode::Agg => self.throughput_of(Component::Decode, &demand),
        }
    }

    /// Not more than the largest step away from the present replicas.
    fn step(&self, wanted: i64, current: i64) -> i64 {
        let most = self.config.max_throughput_scaling_replicas;
        wanted.max((current - most).max(0)).min(current + most)
    }

    fn throughput_of(&mut self, component: Component, demand: &Demand) -> Option<Decision> {
        let current = component.of(self.counts.ready);
        let needed = self.needed(component, demand);
        let is_ready = needed.is_some();
        let requested = self.step(needed.unwrap_or(current), current).max(component.of(self.config.least()));
        let (floor, ceiling_reason) = self.within_budget(requested, component, -1);
        let ceiling_reason = ceiling_reason.map(Why::Budget);
        let not_ready = (!is_ready).then_some(Why::ModelNotReady);
        if self.config.enable_load_scaling {
            component.set(&mut self.lower_bound, floor);
            let held = ceiling_reason.filter(|why| *why == Why::Budget(BudgetReason::Hold));
            self.said.reason = not_ready.or(held).or(Some(Why::SetLowerBound));
            return None;
        }
        let is_starting = match self.config.mode {
            Mode::Agg => self.counts.pending.decode > 0,
            _ => self.any_pending(),
        };
        if is_starting && (!is_ready || requested > current) {
            self.said.reason = not_ready;
            return None;
        }
        let (wanted, budget_reason) = self.within_budget(floor, component, self.config.min_gpu_budget);
        if wanted == current && component.of(self.counts.pending) == 0 {
            let budget_reason = budget_reason.map(Why::Budget);
            self.said.reason = not_ready.or(budget_reason).or(ceiling_reason).or(Some(Why::NoChange));
            return None;
        }
        self.said.reason = not_ready.or(Some(Why::Scale));
        Some(component.decision(wanted))
    }

    fn throughput_of_both_kinds(&mut self, demand: &Demand) -> Option<Decision> {
        let ready = self.counts.ready;
        let needed = (self.needed(Component::Prefill, demand), self.needed(Component::Decode, demand));
        let not_ready = needed.0.is_none() || needed.1.is_none();
        if not_ready {
            let of = |own: Option<i64>| Some(if own.is_none() { Why::ModelNotReady } else { Why::PartnerNotReady });
            (self.said.reason, self.said.prefill, self.said.decode) =
                (Some(Why::ModelNotReady), of(needed.0), of(needed.1));
        }
        // Both hold where one cannot be sized.
        let wanted = match needed {
            (Some(prefill), Some(decode)) => Pair::new(prefill, decode),
            _ => ready,
        };
        let stepped = Pair::new(self.step(wanted.prefill, ready.prefill), self.step(wanted.decode, ready.decode));
        let bounded = stepped.max(self.config.least());
        if self.any_pending() && !self.config.enable_load_scaling {
            if not_ready {
                return None;
            }
            let targets = Decision { prefill: Some(bounded.prefill), decode: Some(bounded.decode) };
            let decision = self.startup_decision(targets);
            self.said.reason = decision.map(|_| Why::Scale);
            return decision;
        }
        let fitted = self.under_ceiling(bounded);
        let is_held = fitted == ready && bounded != ready;
        let held = is_held.then_some(Why::Budget(BudgetReason::Hold));
        if self.config.enable_load_scaling {
            self.lower_bound = fitted;
            if !not_ready {
                self.say(held.unwrap_or(Why::SetLowerBound));
            }
            return None;
        }
        let (last, budget) = self.pair_within_budget(fitted);
        if last == ready {
            if !not_ready {
                self.say(budget.map(Why::Budget).or(held).unwrap_or(Why::NoChange));
            }
            return None;
        }
        if !not_ready {
            self.say(Why::Scale);
        }
        Some(Decision { prefill: Some(last.prefill), decode: Some(last.decode) })
    }

    fn say(&mut self, why: Why) {
        (self.said.reason, self.said.prefill, self.said.decode) = (Some(why), Some(why), Some(why));
    }

    /// Replicas of one kind for the demand; `None` if an engine's capacity is not known.
    fn needed(&mut self, component: Component, demand: &Demand) -> Option<i64> {
        let capacity = self.capacity(component, demand).filter(|capacity| capacity.rps > 0.0)?;
        match (self.config.mode, component) {
            (Mode::Agg, _) => {
                (self.said.prefill_rps, self.said.decode_rps) = (Some(capacity.rps), Some(capacity.rps));
            }
            (_, Component::Prefill) => self.said.prefill_rps = Some(capacity.rps),
            (_, Component::Decode) => self.said.decode_rps = Some(capacity.rps),
        }
        Some(((demand.rps / capacity.rps).ceil() as i64).max(component.of(self.config.least())))
    }

    fn capacity(&self, component: Component, demand: &Demand) -> Option<Capacity> {
        let model: &EngineModel = self.model(component)?;
        let worker_type = match (component, self.config.mode) {
            (Component::Prefill, _) => WorkerType::Prefill,
            (Component::Decode, Mode::Agg) => WorkerType::Aggregated,
            (Component::Decode, _) => WorkerType::Decode,
        };
        let lacks_limit = self.decode.max_num_batched_tokens.is_none_or(|tokens| tokens <= 0);
        if (worker_type == WorkerType::Aggregated && lacks_limit)
            || demand.isl <= 0.0
            || (worker_type != WorkerType::Prefill && demand.osl <= 0.0)
        {
            return None;
        }
        let seconds = |ms: f64, applies: bool| applies.then_some(ms / 1000.0);
        let shape = Shape {
            isl: demand.isl.ceil() as i64,
            osl: (demand.osl.ceil() as i64).max(1),
            ttft_sla_s: seconds(self.config.ttft_ms, worker_type != WorkerType::Decode),
            itl_sla_s: seconds(self.config.itl_ms, worker_type != WorkerType::Prefill),
            e2e_latency_sla_s: None,
            accept_length: if worker_type == WorkerType::Prefill { 1.0 } else { self.accept_length() },
            kv_hit_rate: demand.kv_hit_rate.filter(|_| worker_type != WorkerType::Decode),
        };
        let engine = Engine { worker_type, limits: model.limits(), pass: model.pass(), ranks: 1 };
        engine.capacity(&shape, Goal::Throughput)
    }
}
