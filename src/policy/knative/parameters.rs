//! The parameters of `knative` in a scenario: annotations of a revision (`autoscaling.knative.dev/NAME`) by their name, and
//! `config:`, the data of the ConfigMap `config-autoscaler`.
//!
//! ```yaml
//! knative: { target: 10, min-scale: 1, max-scale: 50, config: { stable-window: 60s } }
//! ```

use std::sync::Arc;

use super::config::Config;
use super::simulated::KnativePolicy;
use super::target::{Annotations, Metric};
use crate::config::{Diagnostics, Fields, FromNode, Value, Yaml, not_one_of};
use crate::policy::{PolicyContext, PolicyFactory, PolicyPlugin};
use crate::units::{NANOS_PER_SECOND, SimDuration};

/// The entry in the list of policies.
pub const PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "knative",
    summary: "the autoscaler of Knative Serving (KPA), with its annotations: `{ target: 10, min-scale: 1, max-scale: 50 }`",
    source: "knative/serving pkg/autoscaler, pkg/reconciler/autoscaling/kpa",
    build,
};

/// The keys of `config-autoscaler` that are read.
pub const CONFIG_KEYS: [&str; 20] = [
    "activator-capacity",
    "allow-zero-initial-scale",
    "container-concurrency-target-default",
    "container-concurrency-target-percentage",
    "enable-scale-to-zero",
    "initial-scale",
    "max-scale",
    "max-scale-down-rate",
    "max-scale-limit",
    "max-scale-up-rate",
    "min-scale",
    "panic-threshold-percentage",
    "panic-window-percentage",
    "pod-autoscaler-class",
    "requests-per-second-target-default",
    "scale-down-delay",
    "scale-to-zero-grace-period",
    "scale-to-zero-pod-retention-period",
    "stable-window",
    "target-burst-capacity",
];

fn build(node: &Yaml, _context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Option<PolicyFactory> {
    let empty = Yaml { value: Value::Mapping(Vec::new()), ..node.clone() };
    let fields = Fields::open(if node.is_null() { &empty } else { node }, "policy `knative`", sink)?;
    let errors = sink.errors();
    let annotations = annotations(&fields, sink);
    let config = fields.node_of("config").map_or(Some(Config::default()), |node| config(node, sink));
    let place = fields.node();
    fields.finish(sink);
    let config = config?;
    if sink.errors() == errors {
        check(&annotations, &config, place, sink);
    }
    (sink.errors() == errors).then(|| -> PolicyFactory {
        Arc::new(move |_| Box::new(KnativePolicy::new(config.clone(), annotations.clone())))
    })
}

fn annotations(fields: &Fields<'_>, sink: &mut Diagnostics) -> Annotations {
    let metric = match fields.optional::<String>("metric", sink).as_deref() {
        None | Some("concurrency") => Metric::Concurrency,
        Some("rps") => Metric::Rps,
        Some(other) => {
            let error =
                fields.node_of("metric").unwrap_or(fields.node()).error(format!("`{other}` is not a metric of KPA"));
            let error = error.note("known: concurrency, rps");
            sink.push(error.help("for `cpu` and `memory` Knative uses the HPA: `hpa: ...`"));
            Metric::Concurrency
        }
    };
    let scale = |name: &'static str, sink: &mut Diagnostics| {
        fields.optional::<u32>(name, sink).map(|scale| i32::try_from(scale).unwrap_or(i32::MAX))
    };
    let (initial_scale, activation_scale) = (scale("initial-scale", sink), scale("activation-scale", sink));
    let (min_scale, max_scale) = (scale("min-scale", sink), scale("max-scale", sink));
    Annotations {
        metric,
        container_concurrency: fields.or("container-concurrency", 0, sink),
        target: fields.optional("target", sink),
        utilization_percentage: fields.optional("target-utilization-percentage", sink),
        window: fields.optional("window", sink),
        panic_window_percentage: fields.optional("panic-window-percentage", sink),
        panic_threshold_percentage: fields.optional("panic-threshold-percentage", sink),
        target_burst_capacity: fields.optional("target-burst-capacity", sink),
        scale_down_delay: fields.optional("scale-down-delay", sink),
        pod_retention: fields.optional("scale-to-zero-pod-retention-period", sink),
        initial_scale,
        activation_scale,
        min_scale,
        max_scale,
        progress_deadline: fields.optional("progress-deadline", sink),
    }
}

/// Reads `config-autoscaler`.
fn config(node: &Yaml, sink: &mut Diagnostics) -> Option<Config> {
    let fields = Fields::open(node, "config", sink)?;
    let mut config = Config::default();
    let errors = sink.errors();
    for (key, value) in fields.entries() {
        let Some(text) = String::from_node(value, sink) else { continue };
        match config.set(&key.text, &text) {
            Ok(true) => {}
            Ok(false) => {
                let place = Yaml { span: key.span, ..node.clone() };
                let error = not_one_of(&place, &key.text, "a key of config-autoscaler", &CONFIG_KEYS);
                sink.push(error);
            }
            Err(why) => sink.push(value.error(why)),
        }
    }
    if sink.errors() > errors {
        return None;
    }
    match config.checked() {
        Ok(config) => Some(config),
        Err(why) => {
            sink.push(node.error(why));
            None
        }
    }
}

/// Checks annotations as the webhook does.
fn check(stated: &Annotations, config: &Config, node: &Yaml, sink: &mut Diagnostics) {
    let place = |name: &str| node.get(name).unwrap_or(node);
    let whole = |time: SimDuration| time.as_nanos().is_multiple_of(NANOS_PER_SECOND);
    let windows = SimDuration::from_secs(6)..=SimDuration::from_secs(3600);
    let within = |value: Option<f64>, least: f64, most: f64| value.is_none_or(|value| (least..=most).contains(&value));
    let (min, max) = stated.bounds(config, super::target::Reachability::Reachable);
    let limit = config.max_scale_limit;
    let rules = [
        (stated.target.is_none_or(|target| target >= 0.01), "target", "`target` must be at least 0.01"),
        (
            within(stated.utilization_percentage, 1.0, 100.0),
            "target-utilization-percentage",
            "`target-utilization-percentage` must be from 1 to 100",
        ),
        (
            stated.window.is_none_or(|window| windows.contains(&window) && whole(window)),
            "window",
            "`window` must be whole seconds from 6s to 1h",
        ),
        (
            within(stated.panic_window_percentage, 1.0, 100.0),
            "panic-window-percentage",
            "`panic-window-percentage` must be from 1 to 100",
        ),
        (
            within(stated.panic_threshold_percentage, 110.0, 1000.0),
            "panic-threshold-percentage",
            "`panic-threshold-percentage` must be from 110 to 1000",
        ),
        (
            stated.target_burst_capacity.is_none_or(|burst| burst >= 0.0 || burst == -1.0),
            "target-burst-capacity",
            "`target-burst-capacity` must be 0 or more, or -1 for any",
        ),
        (stated.scale_down_delay.is_none_or(whole), "scale-down-delay", "`scale-down-delay` must be whole seconds"),
        (
            stated.initial_scale != Some(0) || config.allow_zero_initial_scale,
            "initial-scale",
            "`initial-scale` of 0 needs `config: { allow-zero-initial-scale: true }`",
        ),
        (stated.activation_scale != Some(0), "activation-scale", "`activation-scale` must be at least 1"),
        (max == 0 || min <= max, "max-scale", "`max-scale` is below `min-scale`"),
        (limit == 0 || (1..=limit).contains(&max), "max-scale", "`max-scale` must be from 1 to `max-scale-limit`"),
    ];
    for (holds, name, words) in rules {
        if !holds {
            sink.push(place(name).error(words));
        }
    }
}
