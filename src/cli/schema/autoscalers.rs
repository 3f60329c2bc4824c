//! The parameters of the autoscalers of Knative, KEDA and AWS.

use serde_json::{Value, json};

use super::{at_least_one, choice, count, example, flag, free, list, number, object, quantity, range, text};
use crate::policy::keda::triggers::TRIGGERS;
use crate::policy::knative::CONFIG_KEYS;

/// `knative`.
pub(super) fn knative() -> Value {
    let scalar = json!({ "type": ["string", "number", "boolean"] });
    let config = free(&format!("The data of the ConfigMap `config-autoscaler`: {}.", CONFIG_KEYS.join(", ")), scalar);
    let fields = [
        ("metric", choice("What is scaled on; `concurrency` by default.", &["concurrency", "rps"])),
        ("container-concurrency", count("Requests that a replica takes at once; 0 (any) by default.")),
        ("target", number("Concurrency or requests per second of a replica; by default that of `config`.")),
        (
            "target-utilization-percentage",
            number("Share of the target that is aimed at, in percent; by default that of `config` (70)."),
        ),
        ("window", quantity("Stable window; by default that of `config` (60s).", "60s")),
        ("panic-window-percentage", number("Panic window in percent of the stable window; 10 by default.")),
        (
            "panic-threshold-percentage",
            number("From which size, in percent of the ready replicas, it panics; 200 by default."),
        ),
        ("target-burst-capacity", number("Burst that must fit without the activators; 211 by default, -1 is any.")),
        ("scale-down-delay", quantity("For how long a lower size must be wanted; 0s by default.", "5m")),
        (
            "scale-to-zero-pod-retention-period",
            quantity("How long the last replica stays at least; 0s by default.", "1m"),
        ),
        ("initial-scale", count("Replicas at the start; those of the service by default.")),
        ("activation-scale", at_least_one("Least size above zero.")),
        ("min-scale", count("Minimum number of replicas; 0 by default.")),
        ("max-scale", count("Maximum number of replicas; 0 (none) by default.")),
        ("progress-deadline", quantity("How long activation may take; 10m by default.", "10m")),
        ("config", config),
    ];
    example(object("", &fields), json!({ "target": 10, "min-scale": 1, "max-scale": 50 }))
}

fn trigger() -> Value {
    let kinds: Vec<&str> = TRIGGERS.iter().map(|known| known.name).chain(["cron", "cpu", "memory"]).collect();
    let metadata = free("As in the manifest.", json!({ "type": ["string", "number", "boolean"] }));
    let fields = [
        ("type", choice("Type.", &kinds)),
        ("name", text("Its name, for formulas and `measures`.")),
        ("metadata", metadata),
        ("metricType", choice("Kind of target.", &["AverageValue", "Value", "Utilization"])),
        ("useCachedMetrics", flag("Has no effect.")),
        ("authenticationRef", free("Has no effect.", json!({}))),
    ];
    object("", &fields)
}

/// `keda`.
pub(super) fn keda() -> Value {
    let seconds = |words: &str, usual: u32| count(&format!("{words}, in seconds; {usual} by default."));
    let behaviors =
        ["static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower", "scalingModifiers"];
    let fallback = [
        ("failureThreshold", json!({ "type": "integer", "description": "Failures in a row after which it applies." })),
        ("replicas", json!({ "type": "integer", "description": "Replicas." })),
        ("behavior", choice("What the size is; `static` by default.", &behaviors)),
    ];
    let modifiers = [
        ("formula", text("Expression over the names of the triggers.")),
        ("target", text("Target of its value.")),
        ("activationTarget", text("From which value it is active.")),
        ("metricType", choice("Kind of target; `AverageValue` by default.", &["AverageValue", "Value"])),
    ];
    let hpa =
        [("name", text("Has no effect.")), ("behavior", free("Scaling rules as in `autoscaling/v2`.", json!({})))];
    let advanced = [
        ("restoreToOriginalReplicaCount", flag("Has no effect.")),
        ("horizontalPodAutoscalerConfig", object("The HPA.", &hpa)),
        ("scalingModifiers", object("One metric made of all triggers.", &modifiers)),
    ];
    let annotations = free(
        "Annotations of KEDA (`paused`, `paused-scale-in` ...).",
        json!({ "type": ["string", "number", "boolean"] }),
    );
    let fields = [
        (
            "manifest",
            text("Path of a ScaledObject; then only `measures`, `annotations` and `starts-at` stand beside it."),
        ),
        (
            "measures",
            free(
                "What triggers stand for, by their name or that of their metric (`s0-prometheus`).",
                text("A measure."),
            ),
        ),
        (
            "starts-at",
            text("The time at the beginning of the run, for `cron` triggers; Monday 2026-01-05T00:00:00Z by default."),
        ),
        ("annotations", annotations),
        ("scaleTargetRef", free("Has no effect.", json!({}))),
        ("minReplicaCount", count("Minimum number of replicas; 0 by default.")),
        ("maxReplicaCount", count("Maximum number of replicas; 100 by default.")),
        ("idleReplicaCount", count("Replicas while no trigger is active.")),
        ("pollingInterval", seconds("Time between two polls", 30)),
        ("cooldownPeriod", seconds("Time without an active trigger before it scales to zero or idle", 300)),
        ("initialCooldownPeriod", seconds("The same after creation", 0)),
        ("fallback", object("Size while a trigger fails.", &fallback)),
        ("advanced", object("The HPA, and scaling modifiers.", &advanced)),
        ("triggers", list("Triggers.", trigger())),
    ];
    let one = json!({ "type": "rabbitmq", "metadata": { "value": "20" } });
    example(object("", &fields), json!({ "maxReplicaCount": 30, "triggers": [one] }))
}

/// The periods of an alarm.
fn periods(usual: u32) -> Vec<(&'static str, Value)> {
    vec![
        ("period", quantity("Length of a period; 1m by default, at least 10s.", "1m")),
        ("evaluation-periods", range(&format!("Periods that are looked at; {usual} by default."), 1, Some(1440))),
        ("datapoints-to-alarm", range("Datapoints among them that must breach; all by default.", 1, Some(1440))),
    ]
}

fn bounds() -> Vec<(&'static str, Value)> {
    vec![
        ("min", range("Minimum number of replicas; 1 by default.", 0, None)),
        ("max", at_least_one("Maximum number of replicas.")),
    ]
}

/// `target-tracking`.
pub(super) fn target_tracking() -> Value {
    let target = free(
        "Measures and their targets, averages per replica; `cpu` and `memory` in percent of what is reserved. With several, the largest size counts.",
        json!({ "type": ["string", "number"] }),
    );
    let mut fields = bounds();
    fields.extend([
        ("target", target),
        ("scale-out-alarm", object("The alarm above the target.", &periods(3))),
        ("scale-in-alarm", object("The alarm below it.", &periods(15))),
        ("scale-in-below", quantity("Share of the target below which it scales in; 90% by default.", "90%")),
        ("warm-up", quantity("Time until a replica's metrics count; 5m by default.", "5m")),
        ("scale-out-cooldown", quantity("Time in which only a larger scale-out passes; 0s by default.", "5m")),
        ("scale-in-cooldown", quantity("Time between two scale-ins; 0s by default.", "5m")),
        ("disable-scale-in", flag("Whether it never scales in; false by default.")),
    ]);
    example(object("", &fields), json!({ "min": 2, "max": 40, "target": { "cpu": "50%" } }))
}

/// One rule of `step-scaling` or `simple-scaling`.
fn rule(words: &str, own: (&'static str, Value)) -> Value {
    let mut fields = vec![
        ("threshold", quantity("Threshold: a number, a percentage of what is reserved, or a rate.", "70%")),
        (
            "adjustment-type",
            choice(
                "What adjustments are; `change` by default.",
                &["change", "percent", "exact", "ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"],
            ),
        ),
        ("min-adjustment-magnitude", at_least_one("Least change by a percentage.")),
    ];
    fields.extend(periods(2));
    fields.push(own);
    object(words, &fields)
}

fn rules(own: &dyn Fn() -> (&'static str, Value), pace: (&'static str, Value)) -> Value {
    let mut fields = bounds();
    fields.extend([
        ("metric", text("Measure, averaged over the replicas; `cpu` by default.")),
        ("scale-out", rule("When the metric is at or above its threshold.", own())),
        ("scale-in", rule("When it is at or below its threshold.", own())),
        pace,
    ]);
    object("", &fields)
}

/// `step-scaling`.
pub(super) fn step_scaling() -> Value {
    let step = || {
        let fields = [
            ("lower", number("Nearest distance to the threshold; any without it.")),
            ("upper", number("Farthest distance; any without it.")),
            ("adjustment", number("Change, percentage or size.")),
        ];
        ("steps", list("Steps by distance to the threshold.", object("", &fields)))
    };
    let pace = ("warm-up", quantity("Time until a replica's metrics count; 5m by default.", "5m"));
    let one = json!({ "max": 40, "scale-out": { "threshold": "70%", "steps": [{ "lower": 0, "adjustment": 2 }] } });
    example(rules(&step, pace), one)
}

/// `simple-scaling`.
pub(super) fn simple_scaling() -> Value {
    let own = || ("adjustment", number("Change, percentage or size."));
    let pace = ("cooldown", quantity("Time after a change in which nothing else happens; 5m by default.", "5m"));
    example(rules(&own, pace), json!({ "max": 40, "scale-out": { "threshold": "70%", "adjustment": 2 } }))
}
