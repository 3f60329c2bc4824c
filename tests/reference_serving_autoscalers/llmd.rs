//! llm-d's workload-variant autoscaler: rows of its tests and cases worked out from its rules.

use plimsoll::policy::llmd::saturation::{ReplicaMetrics, SaturationConfig, Variant, analyze, targets};
use plimsoll::policy::llmd::tokens::{Choice, by_compute, missing_and_spare, optimized};
use serde_json::{Value, json};

use super::{Actual, integer, list, number};

pub fn run(kind: &str, input: &Value) -> Actual {
    Ok(match kind {
        "saturation" => saturation(input),
        "saturation_targets" => saturation_targets(input),
        "token_thresholds" => {
            let (required, spare) = missing_and_spare(
                number(input, "demand"),
                number(input, "supply"),
                number(input, "anticipated_supply"),
                number(input, "scale_up_threshold"),
                number(input, "scale_down_boundary"),
            );
            json!({ "required": required, "spare": spare })
        }
        "compute_capacity" => {
            let of = |name: &str| number(input, name);
            let tokens = by_compute(of("max_batched_tokens"), of("max_num_seqs"), of("avg_input"), of("avg_output"));
            json!({ "tokens": tokens })
        }
        "cost_aware" => cost_aware(input),
        _ => return Err(format!("unknown kind `{kind}`")),
    })
}

fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap_or_else(|| panic!("no name in {value}"))
}

fn saturation(input: &Value) -> Value {
    let of = &input["config"];
    let config = SaturationConfig {
        kv_cache_threshold: number(of, "kv_threshold"),
        queue_length_threshold: number(of, "queue_threshold"),
        kv_spare_trigger: number(of, "kv_spare_trigger"),
        queue_spare_trigger: number(of, "queue_spare_trigger"),
    };
    let replica = |of: &'_ Value| -> (String, f64, f64) {
        (of["variant"].as_str().unwrap_or_default().into(), number(of, "kv"), number(of, "queue"))
    };
    let replicas: Vec<(String, f64, f64)> = list(input, "replicas").iter().map(replica).collect();
    let replicas: Vec<ReplicaMetrics<'_>> =
        replicas.iter().map(|(variant, kv, queue)| ReplicaMetrics { variant, kv: *kv, queue: *queue }).collect();
    let found = analyze(&replicas, &config);
    json!({
        "total": found.total, "non_saturated": found.non_saturated, "scale_up": found.scale_up,
        "scale_down_safe": found.scale_down_safe, "spare_kv": found.spare_kv, "spare_queue": found.spare_queue,
    })
}

fn saturation_targets(input: &Value) -> Value {
    let variant = |of| {
        let state = &input["states"][name(of)];
        Variant {
            name: name(of),
            cost: number(of, "cost"),
            with_metrics: integer(of, "metrics_replicas"),
            current: integer(state, "current"),
            desired: integer(state, "desired"),
            pending: integer(state, "pending"),
        }
    };
    let variants: Vec<Variant<'_>> = list(input, "variants").iter().map(variant).collect();
    let sizes = targets(&variants, input["scale_up"] == true, input["scale_down_safe"] == true);
    by_name(variants.iter().map(|of| of.name), sizes)
}

fn cost_aware(input: &Value) -> Value {
    let choice = |of| Choice {
        name: name(of),
        cost: number(of, "cost"),
        current: integer(of, "current"),
        capacity: number(of, "capacity"),
        min: of["min"].as_i64().unwrap_or(0),
        max: of["max"].as_i64(),
    };
    let variants: Vec<Choice<'_>> = list(input, "variants").iter().map(choice).collect();
    let sizes = optimized(&variants, number(input, "required"), number(input, "spare"));
    by_name(variants.iter().map(|of| of.name), sizes)
}

fn by_name<'a>(names: impl Iterator<Item = &'a str>, sizes: Vec<i64>) -> Value {
    let targets = names.zip(sizes).map(|(name, size)| (String::from(name), json!(size)));
    json!({ "targets": Value::Object(targets.collect()) })
}
