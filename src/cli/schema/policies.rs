//! The parameters of the policies.

use serde_json::{Value, json};

use super::{
    at_least_one, choice, example, flag, free, list, named, number, object, quantity, range, serving_policies, text,
};
use crate::policy::POLICIES;
use crate::policy::policy_search::NUMBERS;

/// The schema of what stands under a policy's name.
pub(super) fn parameters(name: &str) -> Value {
    match name {
        "static" => {
            example(object("", &[("replicas", at_least_one("Number of replicas."))]), json!({ "replicas": 12 }))
        }
        "keda" => super::autoscalers::keda(),
        "knative" => super::autoscalers::knative(),
        "target-tracking" => super::autoscalers::target_tracking(),
        "step-scaling" => super::autoscalers::step_scaling(),
        "simple-scaling" => super::autoscalers::simple_scaling(),
        "hpa" => example(hpa(), json!({ "min": 2, "max": 40, "target": { "cpu": "70%" } })),
        "q-learning" => example(q_learning(), json!({ "max": 40, "capacity": "40/s" })),
        "policy-search" => example(policy_search(), json!({ "max": 40, "capacity": "40/s" })),
        "lp-optimal" | "dp-optimal" => example(planned(), json!({ "max": 40 })),
        _ => serving_policies::parameters(name)
            .unwrap_or_else(|| example(predictive(name), json!({ "max": 40, "capacity": "40/s" }))),
    }
}

fn hpa() -> Value {
    let target = free(
        "Short form of `metrics`: `cpu` and `memory` with a share of the request or an amount per pod, and custom metrics with an average per pod.",
        json!({ "type": ["string", "number"] }),
    );
    let metrics = list("Metrics as in `autoscaling/v2`.", free("", json!({})));
    let behavior = free("Scaling rules as in `autoscaling/v2`.", json!({}));
    let same = |of: &str| range(&format!("Same as `{of}`."), 0, None);
    object(
        "",
        &[
            (
                "manifest",
                text(
                    "Path of a HorizontalPodAutoscaler manifest or of a Helm chart's values; bounds, behavior and targets given here take precedence.",
                ),
            ),
            ("min", range("Minimum number of replicas; 1 by default.", 0, None)),
            ("max", at_least_one("Maximum number of replicas.")),
            ("target", target),
            ("minReplicas", same("min")),
            ("maxReplicas", same("max")),
            ("min-replicas", same("min")),
            ("max-replicas", same("max")),
            ("metrics", metrics),
            ("behavior", behavior),
            ("sync-period", quantity("Time between two decisions; 15s by default.", "15s")),
            (
                "tolerance",
                number("Deviation of the metric-to-target ratio from 1 within which nothing changes; 0.1 by default."),
            ),
            (
                "cpu-initialization-period",
                quantity(
                    "Time after its start in which a pod's CPU counts only if the pod is ready; 5m by default.",
                    "5m",
                ),
            ),
            (
                "initial-readiness-delay",
                quantity(
                    "Time after its start in which a pod that becomes unready is treated as never having been ready; 30s by default.",
                    "30s",
                ),
            ),
            (
                "downscale-stabilization",
                quantity("Window whose largest recommendation applies when scaling down; 5m by default.", "5m"),
            ),
            ("kubernetes", super::release()),
        ],
    )
}

/// What one replica serves.
fn capacity() -> Value {
    let parts = [
        ("concurrency", at_least_one("Number of requests served at once.")),
        ("service-time", quantity("Of an average request.", "120ms")),
        ("utilization", quantity("Target share of busy slots.", "70%")),
    ];
    let words = "Capacity of one replica: requests per second, or the values to compute it from.";
    json!({ "description": words, "examples": ["40/s"], "anyOf": [quantity("Requests per second.", "40/s"), object("Computed.", &parts)] })
}

fn predictive(name: &str) -> Value {
    let aws = name == "aws-predictive";
    let or = |aws_words: &'static str, words: &'static str| if aws { aws_words } else { words };
    let forecaster = match name {
        "holt-winters-predictive" => "holt-winters",
        "regression-predictive" => "regression",
        _ => "fourier-arima",
    };
    let mut fields = vec![
        ("min", range("Minimum number of replicas; 1 by default.", 0, None)),
        ("max", at_least_one("Maximum number of replicas.")),
        ("capacity", capacity()),
        (
            "forecaster",
            named(
                &format!(
                    "Forecaster, by name or with parameters (`plimsoll list forecasters`); `{forecaster}` by default."
                ),
                forecaster,
            ),
        ),
        ("quantile", quantity(&format!("Forecast quantile to provision for; {} by default.", or("50%", "90%")), "90%")),
        (
            "lead",
            quantity(
                or(
                    "How far ahead replicas are ordered; 5m by default.",
                    "How far ahead replicas are ordered; learned from observed start-ups by default.",
                ),
                "90s",
            ),
        ),
        (
            "look-ahead",
            quantity(
                or(
                    "Additional time ahead that is covered; 0s by default.",
                    "Additional time ahead that is covered; one step by default.",
                ),
                "5m",
            ),
        ),
    ];
    fields.extend(over_time(name, aws));
    object("", &fields)
}

/// What a predictive policy does when, and its calendar.
fn over_time(name: &str, aws: bool) -> Vec<(&'static str, Value)> {
    let or = |aws_words: &'static str, words: &'static str| if aws { aws_words } else { words };
    let lengths = json!({ "type": "array", "items": { "type": ["string", "number"] } });
    let plan = if name == "lp-mpc" { "; 2h by default" } else { "; no plan by default" };
    vec![
        ("step", quantity(&format!("Time step of the series; {} by default.", or("1h", "5m")), "5m")),
        ("history", quantity("Length of the history used; 14d by default.", "14d")),
        ("warm-up", quantity(&format!("Time in which only the floor decides; {} by default.", or("1d", "2h")), "2h")),
        ("refit", quantity(&format!("Time between two fits; {} by default.", or("6h", "1d")), "1d")),
        ("reforecast", quantity(&format!("Time between two forecasts; {} by default.", or("6h", "one step")), "5m")),
        (
            "seasons",
            json!({ "description": "Lengths of the seasons, or `none`; [1d, 7d] by default.", "examples": [["1d", "7d"]], "anyOf": [lengths, { "type": "string" }] }),
        ),
        (
            "gaps",
            choice("How to fill a step without a scrape; missing by default.", &["missing", "zero", "interpolate"]),
        ),
        ("calendar", list("Known events that a forecaster cannot predict.", known_event())),
        ("floor", super::one_policy("Reactive policy whose size is the minimum; none by default.")),
        ("max-buffer", quantity("How far a forecast may exceed `max`; not at all by default.", "10%")),
        ("scale-in", flag(&format!("Whether a forecast may scale in; {} by default.", or("false", "true")))),
        ("horizon", quantity(&format!("Horizon of the approximately cheapest plan{plan}."), "2h")),
        ("sync-period", quantity("Time between two decisions; the floor's, or 15s, by default.", "15s")),
    ]
}

/// An entry of `calendar`.
fn known_event() -> Value {
    object(
        "A known event.",
        &[
            ("from", quantity("Time since the start.", "30h")),
            ("to", quantity("Time since the start.", "34h")),
            ("times", number("Factor on the forecast; 1 by default.")),
            ("add", quantity("Additional rate; 0/s by default.", "200/s")),
        ],
    )
}

fn q_learning() -> Value {
    let numbers = |words: &str| list(words, json!({ "type": "number" }));
    object(
        "",
        &[
            ("min", range("Minimum number of replicas; 1 by default.", 0, None)),
            ("max", at_least_one("Maximum number of replicas.")),
            ("capacity", capacity()),
            ("trained", text("Path of the table written by `plimsoll train`; without it the fallback decides.")),
            (
                "fallback-target",
                quantity("Target utilization in states that were never visited; 70% by default.", "70%"),
            ),
            (
                "actions",
                list("Actions: changes of the size, in replicas or per cent.", json!({ "type": ["string", "number"] })),
            ),
            ("load", numbers("Class limits of the offered load per replica.")),
            ("trend", numbers("Class limits of its trend.")),
            ("trend-over", quantity("Time over which the trend is measured; 15m by default.", "15m")),
            ("starting", numbers("Class limits of the share of replicas that are not ready.")),
            ("waiting", numbers("Class limits of the waiting requests per replica.")),
            ("season", quantity("Length of a season; 1d by default.", "1d")),
            ("parts", at_least_one("Number of parts into which the season is divided; 1 by default.")),
            ("sync-period", quantity("Time between two decisions; 1m by default.", "1m")),
        ],
    )
}

fn policy_search() -> Value {
    let mut fields = vec![
        ("min", at_least_one("Minimum number of replicas; 1 by default.")),
        ("max", at_least_one("Maximum number of replicas.")),
        ("capacity", capacity()),
        ("trained", text("Path of the file written by `plimsoll train`; without it the numbers below apply.")),
        ("season", quantity("Length of a season; 1d by default.", "1d")),
        ("sync-period", quantity("Time between two decisions; 1m by default.", "1m")),
    ];
    for one in NUMBERS {
        let start = one.text(one.start);
        let words =
            format!("One of the ten numbers of the rule; a search does not change it if given; {start} by default.");
        fields.push((one.name, quantity(&words, &start)));
    }
    object("", &fields)
}

fn planned() -> Value {
    object(
        "",
        &[
            ("min", range("Minimum number of replicas; 1 by default.", 0, None)),
            ("max", at_least_one("Maximum number of replicas; 100000 by default.")),
            ("interval", quantity("Time step of the plan; 1m by default.", "1m")),
            (
                "lead",
                quantity("How far ahead replicas are ordered; 1.5 times the mean start-up time by default.", "90s"),
            ),
            ("headroom", quantity("Share by which the planned load is increased; 0% by default.", "10%")),
        ],
    )
}

/// The parameters of a node policy.
pub(super) fn of_nodes(name: &str) -> Value {
    let add = quantity("How long a pod waits before a node is ordered for it; 30s by default.", "30s");
    let remove = quantity("How long a node is empty before it is given back; 10m by default.", "10m");
    match name {
        "step" => super::object("", &[("add-after", add), ("remove-after", remove)]),
        _ => super::object("", &[]),
    }
}

/// A mapping with one policy and its parameters.
pub(super) fn any(description: &str) -> Value {
    super::one_of(description, POLICIES.iter().map(|plugin| (plugin.name, plugin.summary)), parameters)
}
