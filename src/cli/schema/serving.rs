//! The serving models and their parameters.

use serde_json::{Value, json};

use super::{at_least_one, count, example, flag, names, number, object, one_of, quantity, range};
use crate::serving::continuous::{Engine, Gpu, Shape, StepTime};
use crate::serving::{SERVICE_MODELS, ServingPlugin};

/// The name of a serving model, or a mapping with its parameters.
pub(super) fn service_model() -> Value {
    let has_parameters = |plugin: &&ServingPlugin| parameters(plugin.name).is_some();
    let (with, without): (Vec<&ServingPlugin>, Vec<&ServingPlugin>) = SERVICE_MODELS.iter().partition(has_parameters);
    let alone = names("Without parameters.", without.iter().map(|plugin| plugin.name));
    let list = with.iter().map(|plugin| (plugin.name, plugin.summary));
    let description = "How a replica serves; `plimsoll list service-models` says more.";
    let of = |name: &str| parameters(name).unwrap_or(Value::Null);
    json!({ "description": description, "anyOf": [alone, one_of("With parameters.", list, of)] })
}

fn parameters(model: &str) -> Option<Value> {
    match model {
        "batch" => Some(batch()),
        "continuous-batching" => Some(continuous_batching()),
        _ => None,
    }
}

fn batch() -> Value {
    let fields = [
        ("size", at_least_one("Maximum number of requests in a batch; `concurrency` is then left out.")),
        ("start-at", at_least_one("Waiting requests that start a batch at once; `size` by default.")),
        ("max-delay", quantity("How long the first request of a smaller batch waits for more.", "5ms")),
        ("per-request", quantity("What each request adds to the time of its batch.", "2ms")),
        ("batches", at_least_one("Number of batches that a replica serves at once, each at full speed; 1 by default.")),
        (
            "time",
            names("Whose service time is that of the batch, `longest` by default.", ["longest", "first"].into_iter()),
        ),
    ];
    example(object("Batches.", &fields), json!({ "size": 8, "max-delay": "5ms" }))
}

fn continuous_batching() -> Value {
    let engines = Engine::ALL.iter().map(|(name, _)| *name);
    let fields = [
        ("engine", names("Whose scheduler it is; `vllm-0.33` by default.", engines)),
        ("step-time", step_time()),
        ("kv-blocks", count("Blocks for keys and values (`num_gpu_blocks`); one is the engine's own.")),
        ("block-size", at_least_one("Tokens per block; 16 by default.")),
        ("max-num-batched-tokens", at_least_one("Tokens computed in a step; 2048 by default.")),
        ("max-num-seqs", at_least_one("Requests that run at once; 256 by default. `concurrency` is then left out.")),
        ("max-num-active-seqs", at_least_one("A lower limit on requests that run at once.")),
        ("max-model-len", range("Tokens of a request, prompt and answer; 8192 by default.", 2, None)),
        ("enable-chunked-prefill", flag("Whether prompts are divided between steps; true by default.")),
        ("enable-prefix-caching", flag("Whether blocks are found again by their content; true by default.")),
        ("scheduler-reserve-full-isl", flag("Whether all of a prompt must fit before it starts; true by default.")),
        (
            "long-prefill-token-threshold",
            count("The most tokens of a request in a step while there are others; 0 if all."),
        ),
        ("long-prefill-token-threshold-adaptive", flag("Whether the threshold is at least an even share of the step.")),
        ("watermark", number("Share of the blocks kept free when requests join others; 0 by default.")),
        (
            "prefill-schedule-interval",
            at_least_one("Prompts are read in every n-th step while others decode; 1 by default."),
        ),
        ("async-scheduling", flag("Whether a step is scheduled before the one before has ended; true by default.")),
    ];
    let one = json!({ "kv-blocks": 2588, "step-time": "llama-3.1-8b/rtx-4090" });
    example(object("An LLM engine.", &fields), one)
}

fn step_time() -> Value {
    let profile = names("A profile.", StepTime::PROFILES.iter().map(|(name, _)| *name));
    let fields = [
        ("base", number("Of every step.")),
        ("token", number("Of every token.")),
        ("token-above-128", number("Of every token above 128.")),
        ("context-token", number("Of every token before a request that decodes.")),
        ("attention", number("Of every pair of a token of a prompt and one before it.")),
        ("sequence", number("Of every request.")),
    ];
    let roofline = [
        ("gpu", names("The GPU.", Gpu::ALL.iter().map(|(name, _)| *name))),
        ("model", names("The model.", Shape::ALL.iter().map(|(name, _)| *name))),
        ("tensor-parallel", at_least_one("GPUs that share a step; 1 by default.")),
        ("weight-bytes", number("Bytes per weight; 2 by default.")),
    ];
    let one = json!({ "gpu": "h100", "model": "llama-3.1-8b" });
    let fields = fields
        .into_iter()
        .chain([("roofline", example(object("From data sheets, for a GPU that nobody measured.", &roofline), one))]);
    let fields: Vec<_> = fields.collect();
    let own = example(object("Microseconds.", &fields), json!({ "base": 17760, "token": 21, "context-token": 0.163 }));
    json!({ "description": "How long a step takes.", "anyOf": [profile, own] })
}
