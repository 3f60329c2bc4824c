//! The parameters of the autoscalers of model serving.

use serde_json::{Value, json};

use super::{at_least_one, choice, example, flag, list, number, object, quantity, range, text};

/// The schema of what stands under the policy's name, with an example; `None` for another policy.
pub(super) fn parameters(name: &str) -> Option<Value> {
    Some(match name {
        "agones" => example(agones(), json!({ "bufferSize": "20%", "minReplicas": 5, "maxReplicas": 100 })),
        "aibrix" => example(aibrix(), json!({ "maxReplicas": 20, "targetMetric": "outstanding", "targetValue": 20 })),
        "kthena" => {
            let metric = json!({ "metricName": "outstanding", "targetValue": 20 });
            example(kthena(), json!({ "maxReplicas": 20, "metrics": [metric] }))
        }
        "ray-serve" => example(ray_serve(), json!({ "max_replicas": 20, "target_ongoing_requests": 2 })),
        _ => return None,
    })
}

fn min(default: u32) -> Value {
    range(&format!("Minimum number of replicas; {default} by default."), 0, None)
}

fn most() -> Value {
    at_least_one("Maximum number of replicas.")
}

fn ray_serve() -> Value {
    let factor = |words: &str, default: &str| number(&format!("{words}; {default} by default."));
    object(
        "",
        &[
            ("min_replicas", min(1)),
            ("max_replicas", most()),
            (
                "initial_replicas",
                range("Number of replicas at the start; the service's `replicas` by default.", 0, None),
            ),
            ("target_ongoing_requests", number("Requests running and queued, for each replica; 2 by default.")),
            ("metrics_interval_s", number("Seconds between two reports of a handle; 10 by default.")),
            ("look_back_period_s", number("Seconds over which requests are averaged; 30 by default.")),
            ("smoothing_factor", factor("Share of the way that one step takes", "1")),
            ("upscale_smoothing_factor", factor("Former name of `upscaling_factor`", "not set")),
            ("downscale_smoothing_factor", factor("Former name of `downscaling_factor`", "not set")),
            ("upscaling_factor", factor("Share of the way up that one step takes", "`smoothing_factor`")),
            ("downscaling_factor", factor("Share of the way down that one step takes", "`smoothing_factor`")),
            ("upscale_delay_s", number("Seconds for which more replicas must be wanted; 30 by default.")),
            ("downscale_delay_s", number("Seconds for which fewer replicas must be wanted; 600 by default.")),
            (
                "downscale_to_zero_delay_s",
                number("The same for the step from one replica to none; `downscale_delay_s` by default."),
            ),
            (
                "aggregation_function",
                choice("How the requests of the period become one number; mean by default.", &["mean", "max", "min"]),
            ),
            (
                "release",
                choice(
                    "Whose rules: 2.60 (as from 2.55 on), 2.54 (delays are counted in loops), or the builds before pull request 61731; 2.60 by default.",
                    &["2.60", "2.54", "before-61731"],
                ),
            ),
            (
                "control-loop",
                quantity("Time between two decisions: how long one loop takes; 100ms by default.", "600ms"),
            ),
        ],
    )
}

fn aibrix() -> Value {
    let window = |words: &str, default: &str| quantity(&format!("{words}; {default} by default."), default);
    object(
        "",
        &[
            ("scalingStrategy", choice("Which algorithm proposes; APA by default.", &["APA", "KPA"])),
            ("minReplicas", min(1)),
            ("maxReplicas", most()),
            (
                "targetMetric",
                text("A measure, or the name under which a server exports it (`plimsoll list measures`)."),
            ),
            ("targetValue", number("Target of the metric for each replica.")),
            ("scale-up-tolerance", number("Share above the target that is not acted on; 0.1 by default.")),
            ("scale-down-tolerance", number("Share below the target that is not acted on; 0.1 by default.")),
            ("max-scale-up-rate", number("Most that a step multiplies the size by; 2 by default.")),
            ("max-scale-down-rate", number("Most that a step divides the size by; 2 by default.")),
            (
                "scale-up-cooldown-window",
                window("How far back proposals count on the way up, of which the largest is taken", "0s"),
            ),
            (
                "scale-down-cooldown-window",
                window("How far back proposals count on the way down, of which the smallest is taken", "5m"),
            ),
            ("stable-window", window("Window of KPA", "3m")),
            ("panic-window", window("Shorter window of KPA", "1m")),
            (
                "panic-threshold",
                number("How many times the stable value the shorter window must exceed for panic; 2 by default."),
            ),
            ("scale-to-zero", flag("Whether `minReplicas` may be 0; false by default.")),
            ("sync-period", window("Time between two decisions", "10s")),
        ],
    )
}

fn kthena() -> Value {
    let metric = object(
        "A metric with its target.",
        &[
            ("metricName", text("A measure, or the name under which a server exports it (`plimsoll list measures`).")),
            ("targetValue", number("Target, which is compared with the sum over all ready replicas.")),
        ],
    );
    let select =
        || choice("Which of both limits counts: the one that allows more, or less; Or by default.", &["Or", "And"]);
    let direction = |instances: u32, window: &str| {
        object(
            "Limits of a direction.",
            &[
                ("instances", range(&format!("Most replicas in a period; {instances} by default."), 0, None)),
                ("percent", range("Most per cent of the size in a period; 100 by default.", 0, None)),
                ("selectPolicy", select()),
                ("period", quantity("Period of the limits; 1m by default.", "1m")),
                (
                    "stabilizationWindow",
                    quantity(&format!("How far back recommendations count; {window} by default."), "5m"),
                ),
            ],
        )
    };
    let panic = object(
        "Faster growth while the recommendation is far above the size.",
        &[
            ("percent", range("Most per cent by which the size grows in a period; 0 by default.", 0, None)),
            ("period", quantity("Period of this limit; 0s by default.", "1m")),
            (
                "panicThresholdPercent",
                range("Per cent of the size from which there is panic; 200 by default.", 0, None),
            ),
            ("panicModeHold", quantity("How long panic lasts; 0s, never, by default.", "5m")),
        ],
    );
    let up = object("Scaling up.", &[("stablePolicy", direction(4, "0s")), ("panicPolicy", panic)]);
    let behavior = object("Limits of steps.", &[("scaleDown", direction(0, "5m")), ("scaleUp", up)]);
    object(
        "",
        &[
            ("minReplicas", min(1)),
            ("maxReplicas", most()),
            ("metrics", list("Metrics; the largest size of all counts.", metric)),
            (
                "tolerancePercent",
                range("Per cent by which the ratio to the target may differ from 1; 10 by default.", 0, None),
            ),
            ("behavior", behavior),
            ("sync-period", quantity("Time between two decisions; 15s by default.", "15s")),
        ],
    )
}

fn agones() -> Value {
    object(
        "",
        &[
            ("bufferSize", quantity("Free game servers: a number, or a share of the size that results.", "20%")),
            ("minReplicas", min(0)),
            ("maxReplicas", most()),
            ("sync-period", quantity("Time between two decisions; 30s by default.", "30s")),
        ],
    )
}
