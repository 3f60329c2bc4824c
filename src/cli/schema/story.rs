//! The JSON Schema of a story.

use serde_json::{Map, Value, json};

use super::{count, names, object, one_policy, quantity, text};
use crate::policy::{MEASURES, MeasureSpec, ReasonCode};

/// The JSON Schema (draft 2020-12) of a story file.
pub fn story_schema() -> Value {
    let pipeline = [
        ("window", quantity("Averaging window of CPU and rates; 15s by default.", "30s")),
        ("custom", super::custom_metrics()),
    ];
    let mut root = object(
        "A Plimsoll story: what a policy observes, step by step, and the decisions expected of it.",
        &[
            ("story", text("Title.")),
            ("description", text("Description.")),
            ("policy", one_policy("The policy under test.")),
            ("service", service()),
            ("metrics", object("The metrics pipeline.", &pipeline)),
            ("kubernetes", super::release()),
            ("every", quantity("Time between two decisions; the policy's own by default.", "15s")),
            (
                "steps",
                json!({ "type": "array", "items": step(), "minItems": 1, "description": "Steps in order of time." }),
            ),
        ],
    );
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!("Plimsoll story");
    root["required"] = json!(["story", "policy", "steps"]);
    root
}

fn service() -> Value {
    object(
        "The service that the policy scales.",
        &[
            ("name", text("Name, as referred to by an autoscaler's manifest.")),
            ("manifest", text("Path of the manifest of a Deployment, StatefulSet, ReplicaSet or Argo Rollout.")),
            ("replicas", count("Initial number of ready replicas; 1 by default.")),
            ("resources", super::resources()),
            ("start-up", quantity("From order to ready; 0s by default.", "40s")),
        ],
    )
}

fn step() -> Value {
    let states = [
        ("pending", count("Pods without a node.")),
        ("starting", count("Pods that started in this step and are not ready yet.")),
        ("not-ready", count("Pods that were ready and no longer are.")),
        ("unmeasured", count("Pods without metrics.")),
    ];
    let mut step = object(
        "A step; what it states applies until a later step changes it.",
        &[
            ("at", quantity("Time since the start of the story.", "1m15s")),
            ("replicas", count("A size set manually.")),
            ("pods", object("How many of the newest pods are in these states instead of ready.", &states)),
            ("metrics", metrics()),
            ("expect", expected()),
        ],
    );
    step["required"] = json!(["at"]);
    step
}

fn metrics() -> Value {
    let one = |spec: &MeasureSpec| (spec.name.to_string(), load(spec.stated.0, spec.stated.1));
    let known: Map<String, Value> = MEASURES.iter().map(one).collect();
    let stated = json!({
        "type": "object",
        "description": "Metrics from this step on; measures that are not stated keep their value, initially zero.",
        "properties": known,
        "additionalProperties": load("A custom metric.", "120/s"),
    });
    json!({ "anyOf": [stated, { "const": "none", "description": "Metrics are no longer available." }] })
}

fn load(description: &str, example: &str) -> Value {
    let ways = [("each", quantity("Of each pod.", example)), ("total", quantity("Of the service.", example))];
    json!({ "anyOf": [quantity(description, example), object(description, &ways)] })
}

fn expected() -> Value {
    let size = json!({
        "type": ["integer", "string"],
        "description": "The size after the decision, or a range.",
        "examples": [6, "4..6"],
    });
    let reasons = names("Reason code.", ReasonCode::ALL.iter().map(|code| code.name()));
    let fields =
        [("replicas", size.clone()), ("reason", reasons), ("says", text("Text contained in the policy's reason."))];
    json!({ "anyOf": [size, object("The decision at this step.", &fields)] })
}
