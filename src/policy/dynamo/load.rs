//! Scaling by load: what engines report, compared with thresholds or with predicted latencies.
//!
//! `LoadScalingMixin` of ai-dynamo/dynamo, `components/src/dynamo/planner/core/load_scaling.py`, release 1.6.1.

use std::collections::{BTreeMap, BTreeSet};

use super::budget::Pair;
use super::engine::{EngineModel, ForwardPassMetrics, Scaled};
use super::planner::{Component, Decision, Diagnostics, Mode, OptimizationTarget, Planner, Reports, Why};

/// What the thresholds, or the predictions, make of the engines of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Wish {
    /// Replicas wanted; `None` for no opinion.
    pub replicas: Option<i64>,
    /// Why there is no opinion, or why fewer were refused.
    pub why: Option<Why>,
}

impl Wish {
    fn none(why: Why) -> Wish {
        Wish { replicas: None, why: Some(why) }
    }

    fn to(replicas: i64) -> Wish {
        Wish { replicas: Some(replicas), why: None }
    }

    fn is_refused(self) -> bool {
        self.why == Some(Why::ScaleDownRefused)
    }
}

/// When a replica is added or removed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Added if any engine is above.
    pub up: f64,
    /// Removed if all are below.
    pub down: f64,
    /// Whether being at `up` is enough.
    pub is_up_at: bool,
    /// Whether being at `down` is enough.
    pub is_down_at: bool,
}

/// The replicas of one kind of which a decision is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replicas {
    /// Those that serve.
    pub ready: i64,
    /// Those that are starting.
    pub pending: i64,
    /// The fewest.
    pub least: i64,
}

impl Replicas {
    fn may_shrink(self) -> bool {
        self.ready > 1 || self.pending > 0
    }

    fn one_less(self) -> i64 {
        (self.ready - 1).max(self.least)
    }

    /// What each of the others gets where one goes.
    fn consolidation(self) -> f64 {
        if self.ready > 1 { self.ready as f64 / (self.ready - 1) as f64 } else { 1.0 }
    }
}

impl Thresholds {
    /// Of prompts queued, as a share of the longest request; with target `load` in tokens, as stated.
    pub const fn of_prompts(is_latency: bool) -> Thresholds {
        match is_latency {
            true => Thresholds { up: 0.1, down: 0.0, is_up_at: true, is_down_at: true },
            false => Thresholds { up: 1.0, down: 0.1, is_up_at: true, is_down_at: false },
        }
    }

    /// Of the use of the cache.
    pub const fn of_cache(is_latency: bool) -> Thresholds {
        match is_latency {
            true => Thresholds { up: 0.4, down: 0.1, is_up_at: false, is_down_at: false },
            false => Thresholds { up: 1.0, down: 0.6, is_up_at: false, is_down_at: false },
        }
    }

    /// As stated: being at them is enough.
    pub const fn stated(up: f64, down: f64) -> Thresholds {
        Thresholds { up, down, is_up_at: true, is_down_at: true }
    }

    /// What follows for engines with these `values`. None is removed where the others would then be above.
    pub fn wish(self, values: &[f64], replicas: Replicas) -> Wish {
        let is_above = |value: &f64| *value > self.up || (self.is_up_at && *value == self.up);
        let is_below = |value: &f64| *value < self.down || (self.is_down_at && *value == self.down);
        if values.is_empty() {
            return Wish::none(Why::InsufficientData);
        }
        if values.iter().any(is_above) {
            return Wish::to(replicas.ready + 1);
        }
        if !replicas.may_shrink() || !values.iter().all(is_below) {
            return Wish::none(Why::NoChange);
        }
        let (wanted, ready) = (replicas.one_less(), replicas.ready);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let is_unsafe = 0 < wanted && wanted < ready && most * ready as f64 / wanted as f64 >= self.up;
        Wish::to(if is_unsafe { ready } else { wanted })
    }
}

/// What predicted latencies ask for: one more if all miss the target, one less if that is safe.
pub fn wish_for_latencies(estimates: &[f64], target: f64, replicas: Replicas, can_shrink: bool) -> Wish {
    if estimates.is_empty() {
        return Wish::none(Why::InsufficientData);
    }
    if estimates.iter().all(|estimate| *estimate > target) {
        return Wish::to(replicas.ready + 1);
    }
    if can_shrink { Wish::to(replicas.one_less()) } else { Wish::none(Why::NoChange) }
}

/// What engines that do both shall have, from what reading and generating ask for.
pub fn both(reading: Option<i64>, generating: Option<i64>, ready: i64) -> i64 {
    match (reading, generating) {
        (Some(reading), _) if reading > ready => reading,
        (_, Some(generating)) if generating > ready => generating,
        (None, Some(generating)) => generating,
        (Some(reading), Some(generating)) if reading < ready && generating < ready => reading.max(generating),
        _ => ready,
    }
}

/// Whether removing a replica is safe, engine by engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Safety {
    Safe,
    Unknown,
    Refused,
}

/// Estimates, and whether a replica can go.
struct Outlook {
    estimates_ms: Vec<f64>,
    can_shrink: bool,
    refused: bool,
}

impl Outlook {
    /// Looks at each engine: its estimate, and until one is not safe, the safety of removing another.
    fn of(
        reports: &Reports,
        replicas: Replicas,
        estimate_ms: impl Fn(&ForwardPassMetrics) -> Option<f64>,
        safety: impl Fn(&ForwardPassMetrics) -> Safety,
    ) -> Outlook {
        let estimates_ms = reports.iter().filter_map(|(_, report)| estimate_ms(report)).collect();
        let first_unsafe = reports.iter().map(|(_, report)| safety(report)).find(|safety| *safety != Safety::Safe);
        let may_shrink = replicas.may_shrink();
        Outlook {
            estimates_ms,
            can_shrink: may_shrink && first_unsafe.is_none(),
            refused: may_shrink && first_unsafe == Some(Safety::Refused),
        }
    }

    fn most_ms(&self) -> Option<f64> {
        self.estimates_ms.iter().copied().reduce(f64::max)
    }

    fn wish(&self, target: f64, replicas: Replicas) -> Wish {
        let wish = wish_for_latencies(&self.estimates_ms, target, replicas, self.can_shrink);
        if wish.replicas.is_none() && self.refused { Wish::none(Why::ScaleDownRefused) } else { wish }
    }
}

impl Planner {
    /// Decides from what the engines report; `None` for no opinion.
    pub fn advance_load(&mut self, prefill: &Reports, decode: &Reports, kv_hit_rate: Option<f64>) -> Option<Decision> {
        self.said = Diagnostics::default();
        self.note(kv_hit_rate, None);
        let decision = self.load_decision(prefill, decode)?;
        if !self.any_pending() {
            return Some(decision);
        }
        let reduced = Decision {
            prefill: self.startup_reduction(decision.prefill, Component::Prefill),
            decode: self.startup_reduction(decision.decode, Component::Decode),
        };
        (reduced != Decision::default()).then_some(reduced)
    }

    fn load_decision(&mut self, prefill: &Reports, decode: &Reports) -> Option<Decision> {
        if !self.config.enable_load_scaling {
            self.said.reason = Some(Why::Disabled);
            return None;
        }
        match self.config.mode {
            Mode::Disagg => self.load_of_both_kinds(prefill, decode),
            Mode::Prefill => self.load_of(Component::Prefill, prefill),
            Mode::Decode => self.load_of(Component::Decode, decode),
            Mode::Agg => self.load_of_aggregated(decode),
        }
    }

    fn is_easy(&self) -> bool {
        self.config.optimization_target != OptimizationTarget::Sla
    }

    fn replicas(&self, component: Component) -> Replicas {
        Replicas {
            ready: component.of(self.counts.ready),
            pending: component.of(self.counts.pending),
            least: component.of(self.config.least()),
        }
    }

    /// Whether replicas come or go, other than those known to be starting.
    fn is_blocked(&self, component: Component) -> bool {
        let expected = match component {
            Component::Prefill => self.counts.expected.0,
            Component::Decode => self.counts.expected.1,
        };
        expected.is_some_and(|expected| expected != component.of(self.counts.ready)) && !self.any_pending()
    }

    /// Why the reports cannot be used, if they cannot.
    fn obstacle(&self, component: Component, reports: &Reports) -> Option<Why> {
        if self.is_blocked(component) {
            return Some(Why::ScalingInProgress);
        }
        if reports.is_empty() {
            return Some(Why::NoFpmData);
        }
        (!is_complete(reports, component.of(self.counts.ready))).then_some(Why::WorkerCountMismatch)
    }

    fn wish(&mut self, component: Component, reports: &Reports) -> Wish {
        let replicas = self.replicas(component);
        match (self.is_easy(), component) {
            (true, Component::Prefill) => self.wish_of_prompts(reports, replicas),
            (true, Component::Decode) => self.wish_of_cache(reports, replicas, false),
            (false, _) if !self.is_model_ready || replicas.ready == 0 => Wish::none(Why::InsufficientData),
            (false, Component::Prefill) => self.wish_of_reading(reports, replicas),
            (false, Component::Decode) => self.wish_of_generating(reports, replicas, false),
        }
    }

    fn load_of(&mut self, component: Component, reports: &Reports) -> Option<Decision> {
        if let Some(why) = self.obstacle(component, reports) {
            self.said.reason = Some(why);
            return None;
        }
        let wish = self.wish(component, reports);
        self.said.reason = wish.why;
        let Replicas { ready, pending, least } = self.replicas(component);
        let wanted = wish.replicas.unwrap_or(ready);
        if self.any_pending() && wanted > ready {
            return None;
        }
        let original = wanted.max(least);
        let floored = self.over_lower_bound(original, component);
        let (wanted, budget) = self.within_budget(floored, component, self.config.min_gpu_budget);
        let budget = budget.map(Why::Budget);
        if wish.replicas.is_none() && wanted == ready {
            self.said.reason = budget.or(self.said.reason);
            return None;
        }
        self.said.reason = budget.or(Some(direction(wanted, ready, pending, wanted > original)));
        Some(component.decision(wanted))
    }

    /// Not below what throughput scaling has left as a floor.
    fn over_lower_bound(&self, wanted: i64, component: Component) -> i64 {
        if self.config.enable_throughput_scaling { wanted.max(component.of(self.lower_bound)) } else { wanted }
    }

    fn load_of_both_kinds(&mut self, prefill: &Reports, decode: &Reports) -> Option<Decision> {
        if let Some(why) = self.obstacle_of_both(prefill, decode) {
            (self.said.reason, self.said.prefill, self.said.decode) = (Some(why), Some(why), Some(why));
            return None;
        }
        let mut wishes = [(Component::Prefill, prefill), (Component::Decode, decode)].map(|(component, reports)| {
            if reports.is_empty() { Wish::default() } else { self.wish(component, reports) }
        });
        let ready = self.counts.ready;
        if self.any_pending() {
            for (wish, ready) in wishes.iter_mut().zip([ready.prefill, ready.decode]) {
                wish.replicas = wish.replicas.filter(|wanted| *wanted <= ready);
            }
        }
        let [reading, generating] = wishes;
        let original =
            Pair::new(reading.replicas.unwrap_or(ready.prefill), generating.replicas.unwrap_or(ready.decode));
        let floored = if self.config.enable_throughput_scaling { original.max(self.lower_bound) } else { original };
        let mut last = floored.max(self.config.least());
        if self.any_pending() {
            self.said.reason = if decode.is_empty() { reading.why } else { generating.why };
            let decision = self.startup_decision(Decision {
                prefill: reading.replicas.map(|_| last.prefill),
                decode: generating.replicas.map(|_| last.decode),
            });
            self.said.reason = if decision.is_some() { Some(Why::ScaleDown) } else { self.said.reason };
            return decision;
        }
        if floored != original {
            last = self.under_ceiling(last);
        }
        let (last, budget) = self.pair_within_budget(last);
        let budget = budget.map(Why::Budget);
        self.say_of_both(last, original, floored, budget);
        if last == ready {
            self.say_why_nothing(reading, generating, budget);
            return None;
        }
        Some(Decision { prefill: Some(last.prefill), decode: Some(last.decode) })
    }

    fn obstacle_of_both(&self, prefill: &Reports, decode: &Reports) -> Option<Why> {
        if prefill.is_empty() && decode.is_empty() {
            return Some(Why::NoFpmData);
        }
        if self.is_blocked(Component::Prefill) || self.is_blocked(Component::Decode) {
            return Some(Why::ScalingInProgress);
        }
        let ready = self.counts.ready;
        let fits = |reports: &Reports, ready: i64| reports.is_empty() || is_complete(reports, ready);
        let all_fit = fits(prefill, ready.prefill) && fits(decode, ready.decode);
        (!all_fit).then_some(Why::WorkerCountMismatch)
    }

    fn say_of_both(&mut self, last: Pair, original: Pair, floored: Pair, budget: Option<Why>) {
        let of = |component: Component| {
            let (last, original, floored) = (component.of(last), component.of(original), component.of(floored));
            let current = component.of(self.counts.ready) + component.of(self.counts.pending);
            let is_capped = floored > original && original < current;
            match last.cmp(&current) {
                std::cmp::Ordering::Greater => Why::ScaleUp,
                _ if is_capped => Why::ScaleDownCapped,
                std::cmp::Ordering::Less => Why::ScaleDown,
                std::cmp::Ordering::Equal => Why::NoChange,
            }
        };
        let (reading, generating) = (of(Component::Prefill), of(Component::Decode));
        let rank = |why: Why| match why {
            Why::ScaleUp => 4,
            Why::ScaleDownCapped => 3,
            Why::ScaleDown => 2,
            _ => 1,
        };
        let more_telling = if rank(generating) > rank(reading) { generating } else { reading };
        (self.said.prefill, self.said.decode) = (Some(reading), Some(generating));
        self.said.reason = budget.or(Some(more_telling));
    }

    fn say_why_nothing(&mut self, reading: Wish, generating: Wish, budget: Option<Why>) {
        let telling = |wish: Wish| wish.why.filter(|why| *why != Why::NoChange);
        self.said.prefill = telling(reading).or(self.said.prefill);
        self.said.decode = telling(generating).or(self.said.decode);
        if budget.is_none() {
            self.said.reason = telling(reading).or(telling(generating)).or(self.said.reason);
        }
    }

    fn load_of_aggregated(&mut self, reports: &Reports) -> Option<Decision> {
        let obstacle =
            if reports.is_empty() { Some(Why::NoFpmData) } else { self.obstacle(Component::Decode, reports) };
        if let Some(why) = obstacle {
            self.said.reason = Some(why);
            return None;
        }
        if self.is_easy() { self.easy_aggregated(reports) } else { self.sla_aggregated(reports) }
    }

    fn easy_aggregated(&mut self, reports: &Reports) -> Option<Decision> {
        let replicas = self.replicas(Component::Decode);
        let wish = self.wish_of_cache(reports, replicas, true);
        self.said.reason = wish.why;
        let original = wish.replicas?;
        if self.any_pending() && original > replicas.ready {
            return None;
        }
        let floored = self.over_lower_bound(original.max(replicas.least), Component::Decode);
        let (wanted, budget) = self.within_budget(floored, Component::Decode, self.config.min_gpu_budget);
        let why = direction(wanted, replicas.ready, replicas.pending, wanted > original);
        self.said.reason = budget.map(Why::Budget).or(Some(why));
        Some(Component::Decode.decision(wanted))
    }

    fn sla_aggregated(&mut self, reports: &Reports) -> Option<Decision> {
        let replicas = self.replicas(Component::Decode);
        let ready = replicas.ready;
        if !self.is_model_ready || self.decode_model.is_none() {
            self.said.reason = Some(Why::InsufficientData);
            return None;
        }
        let is_limited = self.decode.max_num_batched_tokens.is_some_and(|tokens| tokens > 0);
        let reading = if is_limited { self.wish_of_both_reading(reports, replicas) } else { Wish::default() };
        let generating = self.wish_of_generating(reports, replicas, true);
        // A refusal is an opinion here: the other side alone must not remove a replica.
        let opinion = |wish: Wish| if wish.is_refused() { Some(ready) } else { wish.replicas };
        let any_refused = reading.is_refused() || generating.is_refused();
        let (of_reading, of_generating) = (opinion(reading), opinion(generating));
        self.said.reason = generating.why.or(reading.why);
        let original = both(of_reading, of_generating, ready);
        if self.any_pending() && original > ready {
            return None;
        }
        let floored = self.over_lower_bound(original.max(replicas.least), Component::Decode);
        let (wanted, budget) = self.within_budget(floored, Component::Decode, self.config.min_gpu_budget);
        let budget = budget.map(Why::Budget);
        let is_capped = wanted > original && original < ready;
        let cancels_startup = !any_refused
            && replicas.pending > 0
            && of_reading.is_some_and(|wanted| wanted <= ready)
            && of_generating.is_some_and(|wanted| wanted <= ready);
        if wanted == ready && !cancels_startup {
            let why = match (is_capped, any_refused) {
                (true, _) => Why::ScaleDownCapped,
                (false, true) => Why::ScaleDownRefused,
                (false, false) => Why::NoChange,
            };
            self.said.reason = budget.or(Some(why));
            return None;
        }
        let why = match wanted < ready + replicas.pending {
            true if is_capped => Why::ScaleDownCapped,
            true => Why::ScaleDown,
            false => Why::ScaleUp,
        };
        self.said.reason = budget.or(Some(why));
        Some(Component::Decode.decision(wanted))
    }

    fn wish_of_prompts(&self, reports: &Reports, replicas: Replicas) -> Wish {
        if replicas.ready == 0 {
            return Wish::none(Why::InsufficientData);
        }
        let queued = |report: &ForwardPassMetrics| report.queued.prefill_tokens as f64;
        let (thresholds, unit) = match self.config.optimization_target {
            OptimizationTarget::Load => {
                let up = self.config.prefill_scale_up_queue_tokens;
                let Some((up, down)) = up.zip(self.config.prefill_scale_down_queue_tokens) else {
                    return Wish::none(Why::InsufficientData);
                };
                (Thresholds::stated(up as f64, down as f64), 1.0)
            }
            target => {
                let Some(context) = self.prefill.context_length.filter(|context| *context > 0) else {
                    return Wish::none(Why::InsufficientData);
                };
                (Thresholds::of_prompts(target == OptimizationTarget::Latency), context as f64)
            }
        };
        let values: Vec<f64> = reports.iter().map(|(_, report)| queued(report) / unit).collect();
        thresholds.wish(&values, replicas)
    }

    fn wish_of_cache(&self, reports: &Reports, replicas: Replicas, with_prompts: bool) -> Wish {
        let max_kv = self.decode.max_kv_tokens.filter(|tokens| *tokens > 0);
        let Some(max_kv) = max_kv.filter(|_| replicas.ready != 0) else {
            return Wish::none(Why::InsufficientData);
        };
        let thresholds = match self.config.optimization_target {
            OptimizationTarget::Load => {
                let up = self.config.decode_scale_up_kv_rate;
                let Some((up, down)) = up.zip(self.config.decode_scale_down_kv_rate) else {
                    return Wish::none(Why::InsufficientData);
                };
                Thresholds::stated(up / 100.0, down / 100.0)
            }
            target => Thresholds::of_cache(target == OptimizationTarget::Latency),
        };
        let tokens = |report: &ForwardPassMetrics| {
            let prompts = if with_prompts { report.queued.prefill_tokens } else { 0 };
            report.scheduled.decode_kv + report.queued.decode_kv + prompts
        };
        let values: Vec<f64> = reports.iter().map(|(_, report)| tokens(report) as f64 / max_kv as f64).collect();
        thresholds.wish(&values, replicas)
    }

    /// Engines that read prompts: is the wait in the queue still short with one fewer?
    fn wish_of_reading(&mut self, reports: &Reports, replicas: Replicas) -> Wish {
        let is_limited = self.prefill.max_num_batched_tokens.is_some_and(|tokens| tokens > 0);
        let Some(model) = self.prefill_model.as_ref().filter(|_| is_limited) else {
            return Wish::none(Why::InsufficientData);
        };
        let alone = Scaled { queue: 0.0, ..Scaled::now(false) };
        let after = Scaled { queue: replicas.consolidation(), ..Scaled::now(false) };
        let outlook = self.reading(model, reports, replicas, alone, after);
        self.said.ttft_ms = outlook.most_ms().or(self.said.ttft_ms);
        outlook.wish(self.config.ttft_ms, replicas)
    }

    /// The same of engines that do both: the others also take over what the one generates.
    fn wish_of_both_reading(&mut self, reports: &Reports, replicas: Replicas) -> Wish {
        let Some(model) = &self.decode_model else { return Wish::none(Why::InsufficientData) };
        let after = Scaled {
            queue: replicas.consolidation(),
            decode: replicas.consolidation(),
            with_queued_decode: true,
            with_queued_prompts: false,
        };
        let outlook = self.reading(model, reports, replicas, Scaled { queue: 0.0, ..after }, after);
        self.said.ttft_ms = outlook.most_ms().or(self.said.ttft_ms);
        outlook.wish(self.config.ttft_ms, replicas)
    }

    fn reading(
        &self,
        model: &EngineModel,
        reports: &Reports,
        replicas: Replicas,
        alone: Scaled,
        after: Scaled,
    ) -> Outlook {
        let ms = |report: &ForwardPassMetrics, scaled: Scaled| {
            model.queued_prefill_s(report, self.kv_hit_rate, scaled).map(|seconds| seconds * 1000.0)
        };
        let safety = |report: &ForwardPassMetrics| {
            let Some((own_ms, after_ms)) = ms(report, alone).zip(ms(report, after)) else { return Safety::Unknown };
            let left_ms = (self.config.ttft_ms - own_ms) * self.config.sensitivity();
            if left_ms <= 0.0 || after_ms - own_ms >= left_ms { Safety::Refused } else { Safety::Safe }
        };
        Outlook::of(reports, replicas, |report| ms(report, Scaled::now(false)), safety)
    }

    /// Engines that generate: do the cache and the time to the next token bear one fewer?
    fn wish_of_generating(&mut self, reports: &Reports, replicas: Replicas, with_prompts: bool) -> Wish {
        let Some(model) = &self.decode_model else { return Wish::none(Why::InsufficientData) };
        let accepted = self.accept_length();
        let ms = |report: &ForwardPassMetrics, scaled: Scaled| {
            model.decode_s(report, scaled).map(|seconds| seconds * 1000.0 / accepted)
        };
        let consolidation = replicas.consolidation();
        let after = Scaled { decode: consolidation, with_queued_prompts: with_prompts, ..Scaled::now(true) };
        let safety = |report: &ForwardPassMetrics| {
            let prompts = if with_prompts { report.queued.prefill_tokens } else { 0 };
            let kv = (report.scheduled.decode_kv + report.queued.decode_kv + prompts) as f64 * consolidation;
            if self.decode.max_kv_tokens.is_some_and(|most| most > 0 && kv as i64 >= most) {
                return Safety::Refused;
            }
            match ms(report, after) {
                None => Safety::Unknown,
                Some(ms) if ms >= self.config.itl_ms * self.config.sensitivity() => Safety::Refused,
                Some(_) => Safety::Safe,
            }
        };
        let outlook = Outlook::of(reports, replicas, |report| ms(report, Scaled::now(true)), safety);
        self.said.itl_ms = outlook.most_ms().or(self.said.itl_ms);
        outlook.wish(self.config.itl_ms, replicas)
    }
}

/// The direction of a decision for one kind.
fn direction(wanted: i64, ready: i64, pending: i64, is_capped: bool) -> Why {
    match wanted < ready + pending {
        true if is_capped => Why::ScaleDownCapped,
        true => Why::ScaleDown,
        false if wanted > ready => Why::ScaleUp,
        false => Why::NoChange,
    }
}

/// Whether as many workers report as are ready, each with the same number of ranks.
fn is_complete(reports: &Reports, ready: i64) -> bool {
    let mut ranks: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for ((worker, rank), _) in reports {
        ranks.entry(worker).or_default().insert(*rank);
    }
    let sizes: BTreeSet<usize> = ranks.values().map(BTreeSet::len).collect();
    i64::try_from(ranks.len()).is_ok_and(|workers| workers == ready) && sizes.len() <= 1
}
