//! Managed endpoints and KServe: cases worked out from documentation.

use plimsoll::policy::managed::{
    ScaleIn, VERTEX_WINDOW_S, Wanted, invocations_per_instance, kserve_hpa, peak, tracked,
};
use serde_json::{Value, json};

use super::{Actual, integer, list, number};

pub fn run(kind: &str, input: &Value) -> Actual {
    Ok(match kind {
        "kserve_hpa" => kserve(input)?,
        "sagemaker_target" => {
            let invocations = invocations_per_instance(number(input, "max_rps"), number(input, "safety_factor"));
            json!({ "invocations_per_instance": invocations })
        }
        "target_tracking_size" => {
            let (min, max) = (integer(input, "min"), integer(input, "max"));
            let (metric, target) = (number(input, "metric_per_instance"), number(input, "target"));
            json!({ "capacity": tracked(integer(input, "current"), metric, target, min, max) })
        }
        "gce_stabilize" => {
            let window = number(input, "window_s");
            json!({ "size": peak(&wanted(list(input, "recommendations")), number(input, "now_s"), window) })
        }
        "vertex_window" => {
            json!({ "size": peak(&wanted(list(input, "wanted")), number(input, "now_s"), VERTEX_WINDOW_S) })
        }
        "vmss_scale_in" => {
            let rules = ScaleIn {
                out_threshold: number(input, "out_threshold"),
                in_threshold: number(input, "in_threshold"),
                decrease: integer(input, "decrease"),
                min: integer(input, "min"),
            };
            json!({ "capacity": rules.remaining(integer(input, "current"), number(input, "average")) })
        }
        _ => return Err(format!("unknown kind `{kind}`")),
    })
}

fn wanted(values: &[Value]) -> Vec<Wanted> {
    values.iter().map(|past| Wanted { time_s: number(past, "time_s"), size: integer(past, "size") }).collect()
}

fn kserve(input: &Value) -> Actual {
    let count = |name: &str| input[name].as_u64().map(|value| value as u32);
    let is_memory = match input["scale_metric"].as_str() {
        Some("memory") => true,
        Some("cpu") | None => false,
        Some(other) => return Err(format!("unknown metric {other}")),
    };
    let hpa = kserve_hpa(count("min_replicas"), count("max_replicas").unwrap_or(0), is_memory, count("scale_target"));
    let resource = if hpa.is_memory { "memory" } else { "cpu" };
    let metrics = hpa.utilization.map(|utilization| json!({ "resource": resource, "utilization": utilization }));
    let metrics: Vec<Value> = metrics.into_iter().collect();
    Ok(json!({ "min": hpa.min, "max": hpa.max, "metrics": metrics, "behavior": "defaults" }))
}
