//! What an engine does in an iteration, and how long it takes: queued prompts, tokens generated, next requests.
//!
//! `PlannerEnginePerfModel` and `AISCoreEnginePerfModel` of ai-dynamo/dynamo,
//! `components/src/dynamo/planner/core/perf_model/{ais_adapter,engine_query}.py`, release 1.6.1. The model of a forward
//! pass that it asks is a closed one; a linear function takes its place.

use super::average::MovingAverage;
use super::regression::usable_hit_rate;

/// Work of an iteration, or in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Requests whose prompts are read.
    pub prefill_requests: i64,
    /// Tokens of these prompts.
    pub prefill_tokens: i64,
    /// Requests for which tokens are generated.
    pub decode_requests: i64,
    /// Their tokens in the cache.
    pub decode_kv: i64,
}

/// What an engine reports of an iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ForwardPassMetrics {
    /// What the iteration did.
    pub scheduled: Work,
    /// What waits.
    pub queued: Work,
}

/// Duration of a forward pass, linear in its work, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ForwardPass {
    /// Without work.
    pub c0_ms: f64,
    /// For each prompt token.
    pub prefill_token_ms: f64,
    /// For each request generated.
    pub decode_request_ms: f64,
    /// For each token in the cache.
    pub decode_kv_token_ms: f64,
}

impl ForwardPass {
    /// Seconds.
    pub fn seconds(&self, work: &Work) -> f64 {
        let ms = self.c0_ms
            + self.prefill_token_ms * work.prefill_tokens as f64
            + self.decode_request_ms * work.decode_requests as f64
            + self.decode_kv_token_ms * work.decode_kv as f64;
        ms.max(0.0) / 1000.0
    }
}

/// What an engine is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerType {
    /// Reads prompts.
    Prefill,
    /// Generates.
    Decode,
    /// Both.
    Aggregated,
}

/// The limits of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most tokens in an iteration.
    pub max_num_batched_tokens: i64,
    /// Most requests at once.
    pub max_num_seqs: i64,
    /// Most tokens in the cache.
    pub max_kv_tokens: i64,
}

/// How a load is changed in thought before it is asked about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaled {
    /// Factor of the prompts that wait.
    pub queue: f64,
    /// Factor of what is generated.
    pub decode: f64,
    /// Whether requests that wait to be generated count as if they were.
    pub with_queued_decode: bool,
    /// Whether prompts that wait count as if they were in the cache.
    pub with_queued_prompts: bool,
}

impl Scaled {
    /// As it is, with what waits to be generated as stated.
    pub const fn now(with_queued_decode: bool) -> Scaled {
        Scaled { queue: 1.0, decode: 1.0, with_queued_decode, with_queued_prompts: false }
    }
}

/// A model of all engines of one kind, with their usual requests.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineModel {
    worker_type: WorkerType,
    limits: Limits,
    pass: ForwardPass,
    average_prompt: MovingAverage,
    average_length: MovingAverage,
    prompts_at_once: MovingAverage,
    prompt_tokens_at_once: MovingAverage,
}

fn whole(value: f64) -> i64 {
    if value > 0.0 { value.ceil() as i64 } else { 0 }
}

impl EngineModel {
    /// A model that remembers the last `samples` reports.
    pub fn new(worker_type: WorkerType, limits: Limits, pass: ForwardPass, samples: usize) -> Self {
        let average = || MovingAverage::new(samples);
        EngineModel {
            worker_type,
            limits,
            pass,
            average_prompt: average(),
            average_length: average(),
            prompts_at_once: average(),
            prompt_tokens_at_once: average(),
        }
    }

    /// The limits.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The forward pass.
    pub fn pass(&self) -> ForwardPass {
        self.pass
    }

    /// Mean tokens of a prompt, and mean tokens in the cache of a request that is generated.
    pub fn usual_lengths(&self) -> (f64, f64) {
        (self.average_prompt.value(), self.average_length.value())
    }

    /// Requests and tokens of the prompts that an iteration usually reads besides generating.
    pub fn usual_prompts(&self) -> (i64, i64) {
        let tokens = whole(self.prompt_tokens_at_once.value());
        (whole(self.prompts_at_once.value()).max(i64::from(tokens > 0)), tokens)
    }

    /// Takes a report in.
    pub fn observe(&mut self, report: &ForwardPassMetrics) {
        let work = report.scheduled;
        let prompts = work.prefill_requests.max(0) as f64;
        self.average_prompt.add(if prompts > 0.0 { work.prefill_tokens as f64 / prompts } else { 0.0 });
        if work.decode_requests > 0 {
            self.average_length.add(work.decode_kv as f64 / work.decode_requests as f64);
        }
        self.prompts_at_once.add(prompts);
        self.prompt_tokens_at_once.add(work.prefill_tokens as f64);
    }

    /// Seconds until a next request has been read behind the prompts that wait; `None` for engines that only generate.
    pub fn queued_prefill_s(
        &self,
        report: &ForwardPassMetrics,
        kv_hit_rate: Option<f64>,
        scaled: Scaled,
    ) -> Option<f64> {
        if self.worker_type == WorkerType::Decode {
            return None;
        }
        let waiting = report.queued.prefill_tokens as f64 * scaled.queue + self.average_prompt.value();
        let tokens = whole(waiting * (1.0 - usable_hit_rate(kv_hit_rate)));
        let beside = match self.worker_type {
            WorkerType::Aggregated => self.generated(report, scaled),
            _ => Work::default(),
        };
        let seconds = |prefill_tokens: i64| self.pass.seconds(&Work { prefill_tokens, ..beside });
        Some(chunked_s(tokens, self.limits.max_num_batched_tokens, seconds))
    }

    /// Seconds of an iteration with a next request; `None` for engines that only read prompts.
    pub fn decode_s(&self, report: &ForwardPassMetrics, scaled: Scaled) -> Option<f64> {
        if self.worker_type == WorkerType::Prefill {
            return None;
        }
        let prefill_tokens = match self.worker_type {
            WorkerType::Aggregated => self.usual_prompts().1,
            _ => 0,
        };
        let mut load = self.load(report, scaled);
        if self.average_length.value() > 0.0 {
            load = (load.0 + 1.0, load.1 + self.average_length.value());
        }
        let work = Work { prefill_tokens, decode_requests: whole(load.0), decode_kv: whole(load.1), ..Work::default() };
        Some(self.pass.seconds(&work))
    }

    /// What is generated, without a next request.
    fn generated(&self, report: &ForwardPassMetrics, scaled: Scaled) -> Work {
        let (requests, kv) = self.load(report, scaled);
        Work { decode_requests: whole(requests), decode_kv: whole(kv), ..Work::default() }
    }

    /// Requests generated and their tokens in the cache.
    fn load(&self, report: &ForwardPassMetrics, scaled: Scaled) -> (f64, f64) {
        let ForwardPassMetrics { scheduled, queued } = report;
        let (mut requests, mut kv) = (scheduled.decode_requests as f64, scheduled.decode_kv as f64);
        if scaled.with_queued_decode {
            (requests, kv) = (requests + queued.decode_requests as f64, kv + queued.decode_kv as f64);
        }
        if scaled.with_queued_prompts {
            (requests, kv) = (requests + queued.prefill_requests as f64, kv + queued.prefill_tokens as f64);
        }
        (requests * scaled.decode, kv * scaled.decode)
    }
}

/// Seconds for `tokens` in iterations of at most `most` tokens.
pub(super) fn chunked_s(tokens: i64, most: i64, seconds: impl Fn(i64) -> f64) -> f64 {
    if tokens <= 0 || most <= 0 {
        return 0.0;
    }
    let (full, tail) = (tokens / most, tokens % most);
    let of_full = if full > 0 { seconds(most) * full as f64 } else { 0.0 };
    of_full + if tail > 0 { seconds(tail) } else { 0.0 }
}
