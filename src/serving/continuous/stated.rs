//! Continuous batching as a service states it: the flags of an engine and the time of its steps.

use super::super::stated::{CpuUnderLoad, Serving, ServingPlugin, WithModel};
use super::limits::{Limits, Order};
use super::replica::Engines;
use super::roofline::{Gpu, Shape, step_time};
use super::scheduler::Load;
use super::step_time::StepTime;
use super::versions::Engine;
use crate::config::{Diagnostic, Diagnostics, Fields, Plugin, Yaml, one_of};
use crate::serving::ServingModel;
use crate::units::SimDuration;

/// The entry in the list of serving models.
pub(in crate::serving) const PLUGIN: ServingPlugin = Plugin {
    name: "continuous-batching",
    summary: "an LLM engine: in each step requests join, get some of their tokens computed, and leave",
    source: "scheduler of vLLM V1, 0.33.0 and 0.19.0 (recorded schedules); step time linear in tokens and context",
    build: read,
};

/// An LLM engine per replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ContinuousBatching {
    /// Its flags.
    pub limits: Limits,
    /// How long its steps take.
    pub step_time: StepTime,
}

fn read(parameters: &Yaml, sink: &mut Diagnostics) -> Option<ServingModel> {
    let fields = Fields::open(parameters, PLUGIN.name, sink)?;
    let usual = Limits::default();
    let blocks: Option<u32> = fields.required("kv-blocks", sink);
    fields.default_is("engine", Engine::default().name().to_string());
    let engine = match fields.node_of("engine") {
        Some(node) => one_of(node, "an engine", &Engine::ALL, sink),
        None => Some(Engine::default()),
    };
    let step_time = match fields.node_of("step-time") {
        Some(node) => read_step_time(node, sink),
        None => {
            let error = fields.node().error("nothing says how long a step takes");
            let help =
                "add `step-time: llama-3.1-8b/rtx-4090`, or `step-time: { base: 17760, token: 21 }` in microseconds";
            fields.missing(&["step-time"], error.help(help), sink);
            None
        }
    };
    let limits = Limits {
        engine: engine.unwrap_or_default(),
        block_size: fields.or("block-size", usual.block_size, sink),
        blocks: blocks.unwrap_or(usual.blocks),
        batched_tokens: fields.or("max-num-batched-tokens", usual.batched_tokens, sink),
        sequences: fields.or("max-num-seqs", usual.sequences, sink),
        active_sequences: fields.optional("max-num-active-seqs", sink),
        length: fields.or("max-model-len", usual.length, sink),
        chunked_prefill: fields.or("enable-chunked-prefill", true, sink),
        prefix_caching: fields.or("enable-prefix-caching", true, sink),
        order: Order::Fcfs,
        reserve_prompt: fields.or("scheduler-reserve-full-isl", true, sink),
        long_prefill: fields.or("long-prefill-token-threshold", 0, sink),
        long_prefill_adaptive: fields.or("long-prefill-token-threshold-adaptive", false, sink),
        watermark: fields.or("watermark", 0.0, sink),
        prefill_interval: fields.or("prefill-schedule-interval", 1, sink),
        asynchronous: fields.or("async-scheduling", true, sink),
    };
    let impossible = blocks.and_then(|_| impossible(&fields, &limits));
    fields.finish(sink);
    if let Some(error) = impossible {
        sink.push(error);
        return None;
    }
    blocks.and(engine)?;
    Some(ServingModel::ContinuousBatching(ContinuousBatching { limits, step_time: step_time? }))
}

/// What is wrong with the flags taken together: what vLLM refuses at its start, too.
fn impossible(fields: &Fields<'_>, limits: &Limits) -> Option<Diagnostic> {
    let Limits { block_size, batched_tokens, sequences, length, .. } = *limits;
    let place = |name: &'static str| fields.node_of(name).unwrap_or(fields.node());
    for (name, value, least) in [
        ("block-size", block_size, 1),
        ("max-num-batched-tokens", batched_tokens, 1),
        ("max-num-seqs", sequences, 1),
        ("max-num-active-seqs", limits.active_sequences.unwrap_or(1), 1),
        ("max-model-len", length, 2),
        ("prefill-schedule-interval", limits.prefill_interval, 1),
    ] {
        if value < least {
            return Some(place(name).error(format!("`{name}` must be at least {least}")));
        }
    }
    if !(0.0..1.0).contains(&limits.watermark) {
        return Some(place("watermark").error("the watermark is a share of the blocks, below 1"));
    }
    let needed = limits.blocks_for(length);
    if limits.usable_blocks() < needed {
        let error =
            format!("a request of {length} tokens needs {needed} blocks, but {} can be used", limits.usable_blocks());
        let help = "one block is the engine's own: raise `kv-blocks`, or lower `max-model-len`";
        return Some(place("kv-blocks").error(error).help(help));
    }
    if !limits.chunked_prefill && batched_tokens < length {
        let error = "without chunked prefill a step must have room for a whole prompt";
        let help = "give `max-num-batched-tokens` at least the value of `max-model-len`";
        return Some(place("max-num-batched-tokens").error(error).help(help));
    }
    None
}

/// The name of a profile, or its numbers.
fn read_step_time(node: &Yaml, sink: &mut Diagnostics) -> Option<StepTime> {
    if node.as_text().is_some() {
        return one_of(node, "a profile", &StepTime::PROFILES, sink);
    }
    let fields = Fields::open(node, "step-time", sink)?;
    if let Some(inner) = fields.node_of("roofline") {
        fields.finish(sink);
        return read_roofline(inner, sink);
    }
    let base: Option<f64> = fields.required("base", sink);
    let mut rest = [0.0; 5];
    for (value, name) in rest.iter_mut().zip(["token", "token-above-128", "context-token", "attention", "sequence"]) {
        *value = fields.or(name, 0.0, sink);
    }
    let negative = fields.entries().iter().find(|(_, node)| node.as_text().is_some_and(|text| text.starts_with('-')));
    if let Some((key, node)) = negative {
        sink.push(node.error(format!("`{}` is a time in microseconds and cannot be negative", key.text)));
        return None;
    }
    if base == Some(0.0) {
        sink.push(node.error("a step takes time: `base` must be above zero"));
        return None;
    }
    fields.finish(sink);
    let [token, token_above, context, attention, sequence] = rest;
    let skew = StepTime::SKEW;
    Some(StepTime { base: base?, token, token_above, prompt_token: 0.0, context, attention, sequence, skew })
}

/// `{ gpu: h100, model: llama-3.1-8b, tensor-parallel: 2, weight-bytes: 1 }`.
fn read_roofline(node: &Yaml, sink: &mut Diagnostics) -> Option<StepTime> {
    let fields = Fields::open(node, "roofline", sink)?;
    let (gpu, model): (Option<String>, Option<String>) = (fields.required("gpu", sink), fields.required("model", sink));
    let (parallel, weight) = (fields.or("tensor-parallel", 1, sink), fields.or("weight-bytes", 2.0, sink));
    let gpu = gpu.and_then(|_| one_of(fields.node_of("gpu")?, "a known GPU", &Gpu::ALL, sink));
    let shape = model.and_then(|_| one_of(fields.node_of("model")?, "a known model", &Shape::ALL, sink));
    let usable = parallel > 0 && (0.1..=8.0).contains(&weight);
    if !usable {
        sink.push(node.error("expected at least one GPU, and 0.1 to 8 bytes per weight"));
    }
    fields.finish(sink);
    usable.then_some(step_time(gpu?, shape?, parallel, weight))
}

impl ContinuousBatching {
    /// Microseconds of a step in which `requests` decode, without the time for their contexts.
    fn decoding(&self, requests: u32) -> f64 {
        let load = Load { tokens: requests, sequences: requests, decodes: requests, ..Load::default() };
        self.step_time.micros(&load)
    }
}

impl Serving for ContinuousBatching {
    fn cpu(&self) -> CpuUnderLoad {
        CpuUnderLoad::Beside
    }

    fn concurrency(&self) -> Option<u32> {
        Some(self.limits.running())
    }

    /// That of an engine full of requests that decode: each gets on as slowly as the common step.
    fn efficiency(&self, _mean: Option<f64>) -> f64 {
        self.decoding(1) / self.decoding(self.limits.running().min(self.limits.batched_tokens))
    }

    /// Without the time for contexts.
    fn time_of_tokens(&self) -> Option<[SimDuration; 3]> {
        let micros = [0.0, self.step_time.token, self.decoding(1)];
        Some(micros.map(|micros| SimDuration::from_nanos((micros * 1e3).round() as u64)))
    }

    /// A step takes hardly longer for two requests than for one.
    fn is_additive(&self) -> bool {
        false
    }

    fn words(&self, name: &str) -> Option<String> {
        let Limits { engine, blocks, block_size, batched_tokens, asynchronous, .. } = self.limits;
        let (engine, running) = (engine.name(), self.limits.running());
        let scheduling = if asynchronous { "asynchronous" } else { "synchronous" };
        Some(format!(
            "A replica of {name} is an LLM engine scheduled as {engine} does ({scheduling}): up to {running} requests and \
             {batched_tokens} tokens in a step, {blocks} blocks of {block_size} tokens, {:.1} ms for a step with one token.",
            self.decoding(1) / 1e3
        ))
    }

    fn compile<W: WithModel>(&self, _slowed: bool, with: W) -> W::Output {
        with.with(Engines::new(*self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SourceFile, parse_single};
    use rstest::rstest;

    fn parsed(text: &str) -> Result<ContinuousBatching, String> {
        let node = parse_single(&SourceFile::new("engine", text)).map_err(|error| format!("{error:?}"))?;
        let mut sink = Diagnostics::new();
        match read(&node, &mut sink) {
            Some(ServingModel::ContinuousBatching(stated)) => Ok(stated),
            _ => Err(sink.to_string()),
        }
    }

    #[test]
    fn flags_have_the_defaults_of_the_engine() {
        let stated = parsed("{ kv-blocks: 2588, step-time: llama-3.1-8b/rtx-4090, engine: vllm-0.19 }").unwrap();
        assert_eq!(stated.step_time, StepTime::PROFILES[0].1);
        let expected = Limits {
            engine: Engine::Vllm019,
            blocks: 2588,
            asynchronous: true,
            order: Order::Fcfs,
            ..Limits::default()
        };
        assert_eq!(stated.limits, expected);
        assert_eq!(stated.concurrency(), Some(256));
        // 256 requests share a step of 17,760 + 21 x 256 + 72.7 x 128 microseconds.
        assert!((stated.efficiency(None) - 17_781.0 / 32_441.6).abs() < 1e-9);
    }

    #[test]
    fn a_profile_is_five_numbers() {
        let stated =
            parsed("{ kv-blocks: 1000, step-time: { base: 100, token: 2, context-token: 0.5, attention: 0.25 } }");
        let rest = StepTime { skew: StepTime::SKEW, ..StepTime::default() };
        let expected = StepTime { base: 100.0, token: 2.0, context: 0.5, attention: 0.25, ..rest };
        assert_eq!(stated.unwrap().step_time, expected);
    }

    #[test]
    fn a_roofline_needs_no_measurement() {
        let stated = parsed(
            "{ kv-blocks: 1000, step-time: { roofline: { gpu: h100, model: llama-3.1-70b, tensor-parallel: 4 } } }",
        );
        assert_eq!(stated.unwrap().step_time, step_time(Gpu::ALL[0].1, Shape::ALL[1].1, 4, 2.0));
        let unknown = parsed("{ kv-blocks: 1000, step-time: { roofline: { gpu: h1000, model: llama-3.1-8b } } }");
        assert!(unknown.unwrap_err().contains("did you mean `h100`?"));
    }

    #[rstest]
    #[case::nothing("{}", "`kv-blocks`")]
    #[case::no_time("{ kv-blocks: 1000 }", "nothing says how long a step takes")]
    #[case::unknown_engine("{ kv-blocks: 1000, step-time: { base: 1 }, engine: vllm-0.20 }", "is not an engine")]
    #[case::unknown_profile("{ kv-blocks: 1000, step-time: llama }", "is not a profile")]
    #[case::negative("{ kv-blocks: 1000, step-time: { base: 1, token: -1 } }", "cannot be negative")]
    #[case::timeless("{ kv-blocks: 1000, step-time: { base: 0 } }", "must be above zero")]
    #[case::few_blocks("{ kv-blocks: 512, step-time: { base: 1 } }", "needs 512 blocks, but 511 can be used")]
    #[case::whole_prompts(
        "{ kv-blocks: 1000, step-time: { base: 1 }, enable-chunked-prefill: false }",
        "a whole prompt"
    )]
    #[case::no_sequences("{ kv-blocks: 1000, step-time: { base: 1 }, max-num-seqs: 0 }", "at least 1")]
    #[case::all_kept_free("{ kv-blocks: 1000, step-time: { base: 1 }, watermark: 1 }", "below 1")]
    fn what_the_engine_would_refuse_is_refused(#[case] text: &str, #[case] message: &str) {
        let found = parsed(text).unwrap_err();
        assert!(found.contains(message), "{found}");
    }
}
