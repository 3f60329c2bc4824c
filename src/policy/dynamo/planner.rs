//! The state of a planner: configuration, engines, counts of replicas, floors, and what it says of a decision.
//!
//! `PlannerScalingState` of ai-dynamo/dynamo, `components/src/dynamo/planner/core/state_machine.py`, release 1.6.1.

use super::budget::{Band, BudgetReason, Pair, Proposal, clamp_pair, fit_pair, guard_pair, guard_single};
use super::engine::{EngineModel, ForwardPass, ForwardPassMetrics, Limits, WorkerType};

/// What the engines do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Some read prompts, others generate.
    #[default]
    Disagg,
    /// Only those that read are scaled.
    Prefill,
    /// Only those that generate are scaled.
    Decode,
    /// Each does both; they are counted as those that generate.
    Agg,
}

/// Engines of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// Those that read prompts.
    Prefill,
    /// Those that generate, or do both.
    Decode,
}

impl Component {
    /// Its part of a pair.
    pub fn of(self, pair: Pair) -> i64 {
        match self {
            Component::Prefill => pair.prefill,
            Component::Decode => pair.decode,
        }
    }

    pub(super) fn set(self, pair: &mut Pair, value: i64) {
        match self {
            Component::Prefill => pair.prefill = value,
            Component::Decode => pair.decode = value,
        }
    }

    pub(super) fn decision(self, replicas: i64) -> Decision {
        match self {
            Component::Prefill => Decision { prefill: Some(replicas), decode: None },
            Component::Decode => Decision { prefill: None, decode: Some(replicas) },
        }
    }
}

/// By what the planner scales.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OptimizationTarget {
    /// Fixed thresholds that fill the engines.
    #[default]
    Throughput,
    /// Fixed thresholds that keep queues short.
    Latency,
    /// Thresholds that are stated.
    Load,
    /// Predicted times to the first and to the next token.
    Sla,
}

/// The settings that decide, with the planner's names and defaults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannerConfig {
    /// What the engines do.
    pub mode: Mode,
    /// By what it scales.
    pub optimization_target: OptimizationTarget,
    /// Whether it scales by load. The thresholds need it.
    pub enable_load_scaling: bool,
    /// Whether it scales by the traffic predicted.
    pub enable_throughput_scaling: bool,
    /// Most milliseconds until the first token.
    pub ttft_ms: f64,
    /// Most milliseconds between two tokens.
    pub itl_ms: f64,
    /// Share of the target, in per cent, that fewer replicas must keep.
    pub load_scaling_down_sensitivity: i64,
    /// Most replicas that one look at the traffic adds or removes.
    pub max_throughput_scaling_replicas: i64,
    /// Fewest replicas.
    pub min_endpoint: i64,
    /// Fewest that read prompts, if others.
    pub prefill_min_endpoint: Option<i64>,
    /// Fewest that generate, if others.
    pub decode_min_endpoint: Option<i64>,
    /// Most GPUs; negative for no bound.
    pub max_gpu_budget: i64,
    /// Fewest GPUs; negative for no bound.
    pub min_gpu_budget: i64,
    /// With target `load`: prompt tokens queued from which a replica is added.
    pub prefill_scale_up_queue_tokens: Option<i64>,
    /// Prompt tokens queued up to which one is removed.
    pub prefill_scale_down_queue_tokens: Option<i64>,
    /// Use of the cache, in per cent, from which a replica is added.
    pub decode_scale_up_kv_rate: Option<f64>,
    /// Use up to which one is removed.
    pub decode_scale_down_kv_rate: Option<f64>,
    /// Reports that averages remember.
    pub max_num_fpm_samples: usize,
    /// Tokens drafted in an iteration.
    pub speculative_nextn: i64,
}

impl Default for PlannerConfig {
    fn default() -> Self {
        PlannerConfig {
            mode: Mode::default(),
            optimization_target: OptimizationTarget::default(),
            enable_load_scaling: false,
            enable_throughput_scaling: true,
            ttft_ms: 500.0,
            itl_ms: 50.0,
            load_scaling_down_sensitivity: 80,
            max_throughput_scaling_replicas: 8,
            min_endpoint: 1,
            prefill_min_endpoint: None,
            decode_min_endpoint: None,
            max_gpu_budget: 8,
            min_gpu_budget: -1,
            prefill_scale_up_queue_tokens: None,
            prefill_scale_down_queue_tokens: None,
            decode_scale_up_kv_rate: None,
            decode_scale_down_kv_rate: None,
            max_num_fpm_samples: 64,
            speculative_nextn: 0,
        }
    }
}

impl PlannerConfig {
    /// Fewest replicas of each kind.
    pub fn least(&self) -> Pair {
        let of = |own: Option<i64>| own.unwrap_or(self.min_endpoint);
        Pair::new(of(self.prefill_min_endpoint), of(self.decode_min_endpoint))
    }

    /// The GPUs allowed.
    pub fn band(&self) -> Band {
        Band { min: self.min_gpu_budget, max: self.max_gpu_budget }
    }

    /// The sensitivity as a share.
    pub(super) fn sensitivity(&self) -> f64 {
        self.load_scaling_down_sensitivity as f64 / 100.0
    }
}

/// What an engine can do; `None` where it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// GPUs of a replica.
    pub gpus: Option<i64>,
    /// Most tokens in an iteration.
    pub max_num_batched_tokens: Option<i64>,
    /// Most requests at once.
    pub max_num_seqs: Option<i64>,
    /// Most tokens of a request.
    pub context_length: Option<i64>,
    /// Most tokens in the cache.
    pub max_kv_tokens: Option<i64>,
    /// Tokens drafted in an iteration.
    pub speculative_nextn: Option<i64>,
}

impl Capabilities {
    /// The limits, with the planner's defaults; `None` if one is stated and not positive.
    fn limits(&self) -> Option<Limits> {
        let of = |stated: Option<i64>, default: i64| Some(stated.unwrap_or(default)).filter(|limit| *limit > 0);
        Some(Limits {
            max_num_batched_tokens: of(self.max_num_batched_tokens, 8192)?,
            max_num_seqs: of(self.max_num_seqs, 512)?,
            max_kv_tokens: of(self.max_kv_tokens, 2_000_000)?,
        })
    }
}

/// Counts of replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Those that serve.
    pub ready: Pair,
    /// Those that there shall be; `None` if not known.
    pub expected: (Option<i64>, Option<i64>),
    /// Those that are starting.
    pub pending: Pair,
}

/// The reports of all engines of one kind, of each worker and rank.
pub type Reports = Vec<((String, u32), ForwardPassMetrics)>;

/// What a planner decides for each kind; `None` for no opinion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decision {
    /// Replicas that read prompts.
    pub prefill: Option<i64>,
    /// Replicas that generate.
    pub decode: Option<i64>,
}

/// Why a decision came out as it did, under the planner's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the planner's own names")]
pub enum Why {
    Disabled,
    ScalingInProgress,
    NoFpmData,
    WorkerCountMismatch,
    InsufficientData,
    NoTrafficData,
    ModelNotReady,
    PartnerNotReady,
    NoChange,
    ScaleUp,
    ScaleDown,
    ScaleDownCapped,
    ScaleDownRefused,
    Scale,
    SetLowerBound,
    Budget(BudgetReason),
}

impl Why {
    /// The planner's name.
    pub const fn name(self) -> &'static str {
        match self {
            Why::Disabled => "disabled",
            Why::ScalingInProgress => "scaling_in_progress",
            Why::NoFpmData => "no_fpm_data",
            Why::WorkerCountMismatch => "worker_count_mismatch",
            Why::InsufficientData => "insufficient_data",
            Why::NoTrafficData => "no_traffic_data",
            Why::ModelNotReady => "model_not_ready",
            Why::PartnerNotReady => "partner_not_ready",
            Why::NoChange => "no_change",
            Why::ScaleUp => "scale_up",
            Why::ScaleDown => "scale_down",
            Why::ScaleDownCapped => "scale_down_capped_by_throughput",
            Why::ScaleDownRefused => "scale_down_refused_consolidation",
            Why::Scale => "scale",
            Why::SetLowerBound => "set_lower_bound",
            Why::Budget(reason) => reason.name(),
        }
    }
}

/// What a planner says of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Diagnostics {
    /// Why, in all.
    pub reason: Option<Why>,
    /// Why, of those that read prompts.
    pub prefill: Option<Why>,
    /// Why, of those that generate.
    pub decode: Option<Why>,
    /// The longest time to the first token predicted.
    pub ttft_ms: Option<f64>,
    /// The longest time to the next token predicted.
    pub itl_ms: Option<f64>,
    /// Requests per second that an engine reads.
    pub prefill_rps: Option<f64>,
    /// Requests per second that an engine generates.
    pub decode_rps: Option<f64>,
}

/// A planner.
#[derive(Debug, Clone, PartialEq)]
pub struct Planner {
    pub(super) config: PlannerConfig,
    pub(super) prefill: Capabilities,
    pub(super) decode: Capabilities,
    /// Models of the engines; `None` for a kind that is not there, or whose limits make no sense.
    pub(super) prefill_model: Option<EngineModel>,
    pub(super) decode_model: Option<EngineModel>,
    /// Whether the model of a forward pass has seen enough.
    pub(super) is_model_ready: bool,
    pub(super) counts: Counts,
    pub(super) lower_bound: Pair,
    pub(super) kv_hit_rate: Option<f64>,
    accept_length: f64,
    pub(super) said: Diagnostics,
}

impl Planner {
    /// A planner of engines with these capabilities and this forward pass.
    pub fn new(config: PlannerConfig, prefill: Capabilities, decode: Capabilities, pass: ForwardPass) -> Self {
        let model = |capabilities: &Capabilities, worker_type: WorkerType| {
            let limits = capabilities.limits()?;
            Some(EngineModel::new(worker_type, limits, pass, config.max_num_fpm_samples))
        };
        let (prefill_type, decode_type) = match config.mode {
            Mode::Disagg => (Some(WorkerType::Prefill), Some(WorkerType::Decode)),
            Mode::Prefill => (Some(WorkerType::Prefill), None),
            Mode::Decode => (None, Some(WorkerType::Decode)),
            Mode::Agg => (None, Some(WorkerType::Aggregated)),
        };
        Planner {
            config,
            prefill,
            decode,
            prefill_model: prefill_type.and_then(|worker_type| model(&prefill, worker_type)),
            decode_model: decode_type.and_then(|worker_type| model(&decode, worker_type)),
            is_model_ready: true,
            counts: Counts::default(),
            lower_bound: Pair::new(1, 1),
            kv_hit_rate: None,
            accept_length: 1.0,
            said: Diagnostics::default(),
        }
    }

    /// States whether the model of a forward pass has seen enough.
    pub fn set_model_ready(&mut self, is_ready: bool) {
        self.is_model_ready = is_ready;
    }

    /// Tells it the present replicas.
    pub fn set_counts(&mut self, counts: Counts) {
        self.counts = counts;
    }

    /// Sets the floors that throughput scaling has left for load scaling.
    pub fn set_lower_bound(&mut self, lower_bound: Pair) {
        self.lower_bound = lower_bound;
    }

    /// The floors that throughput scaling leaves for load scaling.
    pub fn lower_bound(&self) -> Pair {
        self.lower_bound
    }

    /// What it says of its last decision.
    pub fn said(&self) -> Diagnostics {
        self.said
    }

    /// The model of the engines of one kind.
    pub fn model(&self, component: Component) -> Option<&EngineModel> {
        match component {
            Component::Prefill => self.prefill_model.as_ref(),
            Component::Decode => self.decode_model.as_ref(),
        }
    }

    /// Takes in what engines report, as long as it predicts latencies.
    pub fn observe(&mut self, prefill: &Reports, decode: &Reports) {
        if self.config.optimization_target != OptimizationTarget::Sla {
            return;
        }
        for (model, reports) in [(&mut self.prefill_model, prefill), (&mut self.decode_model, decode)] {
            if let Some(model) = model {
                reports.iter().for_each(|(_, report)| model.observe(report));
            }
        }
    }

    /// Notes the newest share of prompts in the cache and of tokens accepted; keeps the last where there is none.
    pub(super) fn note(&mut self, kv_hit_rate: Option<f64>, accept_length: Option<f64>) {
        self.kv_hit_rate = kv_hit_rate.filter(|rate| !rate.is_nan()).or(self.kv_hit_rate);
        if let Some(length) = accept_length.filter(|length| length.is_finite()) {
            self.accept_length = self.usable_accept_length(length);
        }
    }

    fn usable_accept_length(&self, length: f64) -> f64 {
        let of_engine = self.decode.speculative_nextn.filter(|nextn| *nextn > 0);
        let nextn = of_engine.unwrap_or(self.config.speculative_nextn.max(0));
        if nextn <= 0 { 1.0 } else { length.clamp(1.0, (nextn + 1) as f64) }
    }

    /// Tokens accepted in an iteration.
    pub(super) fn accept_length(&self) -> f64 {
        self.usable_accept_length(self.accept_length)
    }

    pub(super) fn capabilities(&self, component: Component) -> &Capabilities {
        match component {
            Component::Prefill => &self.prefill,
            Component::Decode => &self.decode,
        }
    }

    /// Whether any replica is starting.
    pub(super) fn any_pending(&self) -> bool {
        self.counts.pending != Pair::default()
    }

    /// The budget for one kind, with a floor of `min_gpus`.
    pub(super) fn within_budget(
        &self,
        wanted: i64,
        component: Component,
        min_gpus: i64,
    ) -> (i64, Option<BudgetReason>) {
        let Some(cost) = self.capabilities(component).gpus else { return (wanted, None) };
        let band = Band { min: min_gpus, max: self.config.max_gpu_budget };
        let current = component.of(self.counts.ready);
        guard_single(current, wanted, cost, band, component.of(self.config.least()))
    }

    /// GPUs of a replica of each kind, if both are known.
    fn costs(&self) -> Option<Pair> {
        Some(Pair::new(self.prefill.gpus?, self.decode.gpus?))
    }

    fn lacks_least(&self) -> bool {
        let (ready, least) = (self.counts.ready, self.config.least());
        ready.prefill < least.prefill || ready.decode < least.decode
    }

    /// A pair under the ceiling only.
    pub(super) fn under_ceiling(&self, proposed: Pair) -> Pair {
        let Some(cost) = self.costs() else { return proposed };
        let (least, ceiling) = (self.config.least(), Band::below(self.config.max_gpu_budget));
        if self.lacks_least() {
            return clamp_pair(proposed.max(least), cost, ceiling, least);
        }
        fit_pair(&Proposal { current: self.counts.ready, proposed, cost, least }, ceiling)
    }

    /// A pair within the whole budget.
    pub(super) fn pair_within_budget(&self, proposed: Pair) -> (Pair, Option<BudgetReason>) {
        let Some(cost) = self.costs() else { return (proposed, None) };
        let (least, band) = (self.config.least(), self.config.band());
        if self.lacks_least() {
            return (clamp_pair(proposed.max(least), cost, band, least), Some(BudgetReason::Reconcile));
        }
        guard_pair(&Proposal { current: self.counts.ready, proposed, cost, least }, band)
    }

    /// While replicas are starting, only what takes some of them back passes.
    pub(super) fn startup_reduction(&self, target: Option<i64>, component: Component) -> Option<i64> {
        let (ready, pending) = (component.of(self.counts.ready), component.of(self.counts.pending));
        target.filter(|target| *target <= ready && *target < ready + pending)
    }

    /// A decision for both kinds while replicas are starting: reductions only, under the floor of the budget.
    pub(super) fn startup_decision(&self, targets: Decision) -> Option<Decision> {
        let reduced = |targets: Decision| Decision {
            prefill: self.startup_reduction(targets.prefill, Component::Prefill),
            decode: self.startup_reduction(targets.decode, Component::Decode),
        };
        let mut targets = reduced(targets);
        if targets == Decision::default() {
            return None;
        }
        if let Some(cost) = self.costs() {
            let Counts { ready, pending, .. } = self.counts;
            let kept =
                |target: Option<i64>, ready: i64, pending: i64| ready + if target.is_none() { pending } else { 0 };
            let current = Pair::new(
                kept(targets.prefill, ready.prefill, pending.prefill),
                kept(targets.decode, ready.decode, pending.decode),
            );
            let proposed =
                Pair::new(targets.prefill.unwrap_or(current.prefill), targets.decode.unwrap_or(current.decode));
            let band = Band { min: self.config.min_gpu_budget, max: -1 };
            let fitted = fit_pair(&Proposal { current, proposed, cost, least: self.config.least() }, band);
            targets = reduced(Decision {
                prefill: targets.prefill.map(|_| fitted.prefill),
                decode: targets.decode.map(|_| fitted.decode),
            });
        }
        (targets != Decision::default()).then_some(targets)
    }
}
