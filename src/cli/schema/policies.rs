//! The parameters of the policies.

use serde_json::{Value, json};

use super::{at_least_one, choice, example, flag, free, list, named, number, object, quantity, range, text};
use crate::policy::POLICIES;
use crate::policy::policy_search::NUMBERS;

/// The schema of what stands under a policy's name.
pub(super) fn parameters(name: &str) -> Value {
    match name {
        "static" => example(object("", &[("replicas", at_least_one("How many replicas."))]), json!({ "replicas": 12 })),
        "hpa" => example(hpa(), json!({ "min": 2, "max": 40, "target": { "cpu": "70%" } })),
        "q-learning" => example(q_learning(), json!({ "max": 40, "capacity": "40/s" })),
        "policy-search" => example(policy_search(), json!({ "max": 40, "capacity": "40/s" })),
        "lp-optimal" | "dp-optimal" => example(planned(), json!({ "max": 40 })),
        _ => example(predictive(name), json!({ "max": 40, "capacity": "40/s" })),
    }
}

fn hpa() -> Value {
    let target = free(
        "The short form of metrics: `cpu` and `memory` with a share of the request or an amount per pod, and custom metrics with an average per pod.",
        json!({ "type": ["string", "number"] }),
    );
    let metrics = list("Metrics as in `autoscaling/v2`.", free("", json!({})));
    let behavior = free("Scaling rules as in `autoscaling/v2`.", json!({}));
    let same = |of: &str| range(&format!("The same as `{of}`."), 0, None);
    object(
        "",
        &[
            (
                "manifest",
                text("Path of a HorizontalPodAutoscaler or of a Helm chart's values; excludes parameters in place."),
            ),
            ("min", range("Least replicas; 1 by default.", 0, None)),
            ("max", at_least_one("Most replicas.")),
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
                number("How far from 1 the ratio of metric and target may be without a change; 0.1 by default."),
            ),
            (
                "cpu-initialization-period",
                quantity("How long a new pod's CPU counts only when it is ready; 5m by default.", "5m"),
            ),
            (
                "initial-readiness-delay",
                quantity(
                    "How long after its start a pod that was never ready counts as starting; 30s by default.",
                    "30s",
                ),
            ),
            (
                "downscale-stabilization",
                quantity("The largest recommendation of this time holds; 5m by default.", "5m"),
            ),
            ("kubernetes", super::release()),
        ],
    )
}

/// What one replica serves.
fn capacity() -> Value {
    let parts = [
        ("concurrency", at_least_one("Requests at once.")),
        ("service-time", quantity("Of a mean request.", "120ms")),
        ("utilization", quantity("The share of the slots to plan for.", "70%")),
    ];
    let words = "What one replica serves: requests a second, or the parts to work it out from.";
    json!({ "description": words, "examples": ["40/s"], "anyOf": [quantity("Requests a second.", "40/s"), object("Worked out.", &parts)] })
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
        ("min", range("Least replicas; 1 by default.", 0, None)),
        ("max", at_least_one("Most replicas.")),
        ("capacity", capacity()),
        (
            "forecaster",
            named(
                &format!(
                    "Which forecaster, with parameters or by its name (`plimsoll list forecasters`); `{forecaster}` by default."
                ),
                forecaster,
            ),
        ),
        (
            "quantile",
            quantity(&format!("The quantile of the forecast to provide for; {} by default.", or("50%", "90%")), "90%"),
        ),
        (
            "lead",
            quantity(
                or(
                    "How far ahead replicas are ordered; 5m by default.",
                    "How far ahead replicas are ordered; learned from the start-ups seen by default.",
                ),
                "90s",
            ),
        ),
        (
            "look-ahead",
            quantity(
                or(
                    "How much further the largest forecast counts; 0s by default.",
                    "How much further the largest forecast counts; a step by default.",
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
    let plan = if name == "lp-mpc" { "; 2h by default" } else { "; no plan is made by default" };
    vec![
        ("step", quantity(&format!("Step of the series; {} by default.", or("1h", "5m")), "5m")),
        ("history", quantity("How much of the past is remembered; 14d by default.", "14d")),
        ("warm-up", quantity(&format!("How long only the floor decides; {} by default.", or("1d", "2h")), "2h")),
        ("refit", quantity(&format!("Time between two fits; {} by default.", or("6h", "1d")), "1d")),
        ("reforecast", quantity(&format!("Time between two forecasts; {} by default.", or("6h", "a step")), "5m")),
        (
            "seasons",
            json!({ "description": "Lengths of the seasons, or `none`; [1d, 7d] by default.", "examples": [["1d", "7d"]], "anyOf": [lengths, { "type": "string" }] }),
        ),
        (
            "gaps",
            choice("What a step without a scrape stands for; missing by default.", &["missing", "zero", "interpolate"]),
        ),
        ("calendar", list("Events that no forecaster can know.", known_event())),
        ("floor", super::one_policy("The policy below which the size never goes; none by default.")),
        ("max-buffer", quantity("How far above `max` a forecast may take the size; not at all by default.", "10%")),
        (
            "scale-in",
            flag(&format!("Whether a forecast may make the size smaller; {} by default.", or("false", "true"))),
        ),
        ("horizon", quantity(&format!("How far ahead the cheapest plan is made{plan}."), "2h")),
        ("sync-period", quantity("Time between two decisions; the floor's, or 15s, by default.", "15s")),
    ]
}

/// An entry of `calendar`.
fn known_event() -> Value {
    object(
        "A known event.",
        &[
            ("from", quantity("Since the start.", "30h")),
            ("to", quantity("Since the start.", "34h")),
            ("times", number("Factor on the forecast; 1 by default.")),
            ("add", quantity("Rate on top of it; 0/s by default.", "200/s")),
        ],
    )
}

fn q_learning() -> Value {
    let numbers = |words: &str| list(words, json!({ "type": "number" }));
    object(
        "",
        &[
            ("min", range("Least replicas; 1 by default.", 0, None)),
            ("max", at_least_one("Most replicas.")),
            ("capacity", capacity()),
            ("trained", text("Path of the table that `plimsoll train` writes; without it the fallback decides.")),
            (
                "fallback-target",
                quantity("Utilization to step towards in a state that was never met; 70% by default.", "70%"),
            ),
            ("actions", list("Steps of the size, in replicas or per cent.", json!({ "type": ["string", "number"] }))),
            ("load", numbers("Limits between levels of the offered load per replica.")),
            ("trend", numbers("Limits between levels of its trend.")),
            ("trend-over", quantity("The time over which the trend is seen; 15m by default.", "15m")),
            ("starting", numbers("Limits between levels of the share of replicas that are not ready yet.")),
            ("waiting", numbers("Limits between levels of requests that wait for each replica.")),
            ("season", quantity("Length of a season; 1d by default.", "1d")),
            ("parts", at_least_one("Parts of the season that are told apart; 1 by default.")),
            ("sync-period", quantity("Time between two decisions; 1m by default.", "1m")),
        ],
    )
}

fn policy_search() -> Value {
    let mut fields = vec![
        ("min", at_least_one("Least replicas; 1 by default.")),
        ("max", at_least_one("Most replicas.")),
        ("capacity", capacity()),
        ("trained", text("Path of what `plimsoll train` writes; without it the numbers below hold.")),
        ("season", quantity("Length of a season; 1d by default.", "1d")),
        ("sync-period", quantity("Time between two decisions; 1m by default.", "1m")),
    ];
    for one in NUMBERS {
        let start = one.text(one.start);
        let words = format!("One of the ten numbers of the rule, which a search leaves as it is; {start} by default.");
        fields.push((one.name, quantity(&words, &start)));
    }
    object("", &fields)
}

fn planned() -> Value {
    object(
        "",
        &[
            ("min", range("Least replicas; 1 by default.", 0, None)),
            ("max", at_least_one("Most replicas; 100000 by default.")),
            ("interval", quantity("Step of the plan; 1m by default.", "1m")),
            ("lead", quantity("How far ahead replicas are ordered; the mean start-up by default.", "90s")),
            ("headroom", quantity("What is provided beyond the need; 0% by default.", "10%")),
        ],
    )
}

/// A mapping with one policy and its parameters.
pub(super) fn any(description: &str) -> Value {
    super::one_of(description, POLICIES.iter().map(|plugin| (plugin.name, plugin.summary)), parameters)
}
