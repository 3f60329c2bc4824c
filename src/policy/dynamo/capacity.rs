//! How many requests a second an engine sustains.
//!
//! `find_engine_capacity_rps` of ai-dynamo/dynamo,
//! `components/src/dynamo/planner/core/perf_model/engine_query.py`, release 1.6.1.

use super::engine::{ForwardPass, Limits, Work, WorkerType, chunked_s};
use super::regression::usable_hit_rate;

/// Most batch sizes that are tried.
const CANDIDATES: i64 = 128;

const U32_MAX: i64 = u32::MAX as i64;

/// What makes a capacity the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// The higher rate.
    Throughput,
    /// The lower latency.
    Latency,
}

/// Shape of the requests, and what they must keep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Tokens of the prompt.
    pub isl: i64,
    /// Tokens generated.
    pub osl: i64,
    /// Most seconds until the first token.
    pub ttft_sla_s: Option<f64>,
    /// Most seconds between two tokens.
    pub itl_sla_s: Option<f64>,
    /// Most seconds in all.
    pub e2e_latency_sla_s: Option<f64>,
    /// Tokens accepted in an iteration.
    pub accept_length: f64,
    /// Share of a prompt that is in the cache.
    pub kv_hit_rate: Option<f64>,
}

/// What an engine sustains.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capacity {
    /// Requests per second.
    pub rps: f64,
    /// Seconds until the first token.
    pub ttft_s: Option<f64>,
    /// Seconds between two tokens.
    pub itl_s: Option<f64>,
    /// Seconds in all.
    pub e2e_latency_s: Option<f64>,
    /// Whether all that is stated is kept.
    pub eligible: bool,
}

/// An engine whose capacity is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Engine {
    /// What it does.
    pub worker_type: WorkerType,
    /// Its limits.
    pub limits: Limits,
    /// Its forward pass.
    pub pass: ForwardPass,
    /// Ranks among which attention is divided; the slowest counts.
    pub ranks: i64,
}

impl Shape {
    /// The prompt without what is in the cache.
    fn prompt(&self) -> i64 {
        let left = self.isl as f64 * (1.0 - usable_hit_rate(self.kv_hit_rate));
        (left.ceil() as i64).clamp(1, U32_MAX)
    }

    fn accepted(&self) -> f64 {
        if self.accept_length.is_finite() && self.accept_length > 1.0 { self.accept_length } else { 1.0 }
    }

    /// Mean tokens in the cache while it is generated.
    fn context(&self) -> i64 {
        (self.isl + self.osl.div_euclid(2)).clamp(1, U32_MAX)
    }

    fn kept(&self, ttft_s: Option<f64>, itl_s: Option<f64>, e2e_s: Option<f64>) -> bool {
        let is_kept = |value: Option<f64>, sla: Option<f64>| sla.is_none_or(|sla| value.is_some_and(|v| v <= sla));
        is_kept(ttft_s, self.ttft_sla_s) && is_kept(itl_s, self.itl_sla_s) && is_kept(e2e_s, self.e2e_latency_sla_s)
    }

    fn capacity(&self, rps: f64, ttft_s: Option<f64>, itl_s: Option<f64>, e2e_s: Option<f64>) -> Capacity {
        Capacity { rps, ttft_s, itl_s, e2e_latency_s: e2e_s, eligible: self.kept(ttft_s, itl_s, e2e_s) }
    }
}

/// What an engine sustains with a batch of this size.
type OfBatch = fn(&Engine, &Shape, i64) -> Option<Capacity>;

impl Engine {
    /// The best capacity for requests of this `shape`; `None` if the engine cannot hold one.
    pub fn capacity(&self, shape: &Shape, goal: Goal) -> Option<Capacity> {
        if shape.isl <= 0 {
            return None;
        }
        let (most, of_batch): (i64, OfBatch) = match self.worker_type {
            WorkerType::Prefill => (self.most_prompts(shape.prompt()), Engine::reading),
            _ if shape.osl <= 0 => return None,
            WorkerType::Decode => (self.most_requests(shape.context()), Engine::generating),
            WorkerType::Aggregated => {
                let limit = self.limits.max_num_batched_tokens - 1;
                (if limit < 1 { 0 } else { self.most_requests(shape.context()).min(limit) }, Engine::both)
            }
        };
        let found = batch_sizes(most).filter_map(|batch| of_batch(self, shape, batch));
        found.reduce(|best, next| if is_better(&next, &best, goal) { next } else { best })
    }

    fn most_prompts(&self, prompt: i64) -> i64 {
        let batched = self.limits.max_num_batched_tokens;
        if prompt > batched { 1 } else { self.limits.max_num_seqs.min(batched / prompt.max(1)) }
    }

    fn most_requests(&self, context: i64) -> i64 {
        self.limits.max_num_seqs.min(self.limits.max_kv_tokens / context.max(1))
    }

    /// The slowest rank's forward pass.
    fn pass_s(&self, work: Work) -> f64 {
        let ranks = self.ranks.max(1);
        // The first ranks get what does not divide, so the first is the slowest.
        let most = |total: i64| total / ranks + i64::from(total % ranks > 0);
        let rank = Work {
            prefill_requests: i64::from(work.prefill_tokens > 0),
            prefill_tokens: most(work.prefill_tokens),
            decode_requests: most(work.decode_requests),
            decode_kv: most(work.decode_kv),
        };
        self.pass.seconds(&rank)
    }

    fn reading(&self, shape: &Shape, batch: i64) -> Option<Capacity> {
        let tokens = shape.prompt().saturating_mul(batch).min(U32_MAX);
        let pass = |prefill_tokens: i64| self.pass_s(Work { prefill_tokens, ..Work::default() });
        let ttft_s = chunked_s(tokens, self.limits.max_num_batched_tokens, pass);
        (ttft_s > 0.0).then(|| shape.capacity(batch as f64 / ttft_s, Some(ttft_s), None, Some(ttft_s)))
    }

    fn generating(&self, shape: &Shape, batch: i64) -> Option<Capacity> {
        let decode_kv = batch.saturating_mul(shape.context()).min(U32_MAX);
        let itl_s = self.pass_s(Work { decode_requests: batch, decode_kv, ..Work::default() }) / shape.accepted();
        (itl_s > 0.0).then(|| shape.capacity(batch as f64 / (shape.osl as f64 * itl_s), None, Some(itl_s), None))
    }

    /// Reading and generating in the same iterations, as many prompts as requests end.
    fn both(&self, shape: &Shape, batch: i64) -> Option<Capacity> {
        let batched = self.limits.max_num_batched_tokens;
        let each = batch as f64 * shape.accepted() * shape.prompt() as f64 / shape.osl as f64;
        let prompts = if each > 0.0 { each.ceil() as i64 } else { 0 };
        if batched - batch <= 0 || prompts > batched - batch {
            return None;
        }
        let decode_kv = batch.saturating_mul(shape.context()).min(U32_MAX);
        let pass = |prefill_tokens: i64| {
            self.pass_s(Work { prefill_requests: 0, prefill_tokens, decode_requests: batch, decode_kv })
        };
        let itl_s = pass(prompts.min(batched)) / shape.accepted();
        if itl_s <= 0.0 {
            return None;
        }
        let ttft_s = chunked_s((prompts.min(batched) + shape.prompt()).min(U32_MAX), batched, pass);
        let e2e_s = ttft_s + itl_s * (shape.osl - 1).max(0) as f64;
        let rps = batch as f64 / (shape.osl as f64 * itl_s);
        Some(shape.capacity(rps, Some(ttft_s), Some(itl_s), Some(e2e_s)))
    }
}

/// Batch sizes from 1 to `most`, at most 128 of them, evenly spaced.
fn batch_sizes(most: i64) -> impl Iterator<Item = i64> {
    let count = most.clamp(0, CANDIDATES);
    (0..count).map(
        move |index| {
            if most <= CANDIDATES { index + 1 } else { 1 + index.saturating_mul(most - 1) / (CANDIDATES - 1) }
        },
    )
}

/// Kept comes before not kept, then the goal decides; of equal ones the first stays.
fn is_better(next: &Capacity, best: &Capacity, goal: Goal) -> bool {
    if next.eligible != best.eligible {
        return next.eligible;
    }
    let latency = |of: &Capacity| of.e2e_latency_s.or(of.ttft_s).or(of.itl_s).unwrap_or(f64::INFINITY);
    match goal {
        Goal::Throughput => next.rps > best.rps,
        Goal::Latency => latency(next) < latency(best),
    }
}
