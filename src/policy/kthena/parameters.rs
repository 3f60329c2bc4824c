//! The parameters of `kthena`: fields of an `AutoscalingPolicy` and of its target.
//!
//! ```yaml
//! kthena:
//!   minReplicas: 1
//!   maxReplicas: 20
//!   metrics: [{ metricName: outstanding, targetValue: 20 }]
//!   tolerancePercent: 10
//!   behavior:
//!     scaleDown: { stabilizationWindow: 5m, period: 1m, percent: 100 }
//!     scaleUp:
//!       stablePolicy: { instances: 4, percent: 100, period: 1m }
//!       panicPolicy: { percent: 1000, period: 1m, panicThresholdPercent: 200, panicModeHold: 5m }
//! ```

use std::sync::Arc;

use super::algorithm::{Behavior, Select, StepLimit};
use super::policy::{Kthena, Metric, Settings};
use crate::config::{Diagnostics, Fields, Value, Yaml, one_of};
use crate::policy::ranges::{Range, bounds, measure, optional};
use crate::policy::{PolicyContext, PolicyFactory, PolicyPlugin};
use crate::units::SimDuration;

/// The entry in the list of policies.
pub const PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "kthena",
    summary: "kthena's AutoscalingPolicy: `{ maxReplicas: 20, metrics: [{ metricName: outstanding, targetValue: 20 }] }`",
    source: "volcano-sh/kthena 3cc05728, pkg/autoscaler",
    build,
};

fn build(node: &Yaml, context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Option<PolicyFactory> {
    let fields = Fields::open(node, "policy `kthena`", sink)?;
    let errors = sink.errors();
    let bounds = bounds(&fields, ("minReplicas", 1), "maxReplicas", sink);
    let metrics = metrics(&fields, context, sink);
    let tolerance: u32 = fields.or("tolerancePercent", 10, sink);
    let rules = rules(&fields, sink);
    let sync_period: SimDuration = fields.or("sync-period", SimDuration::from_secs(15), sink);
    fields.finish(sink);
    let (bounds, rules, metrics) = (bounds?, rules?, metrics?);
    if sink.errors() > errors {
        return None;
    }
    let settings = Settings {
        bounds,
        metrics,
        tolerance: f64::from(tolerance) * 0.01,
        behavior: Behavior { down: rules.down.limit, up: rules.up.limit, panic_percent: rules.panic_percent },
        stabilization: (rules.down.window, rules.up.window),
        periods: (rules.down.period, rules.up.period, rules.panic_period),
        panic_threshold_percent: rules.panic_threshold,
        panic_hold: rules.panic_hold,
        sync_period,
    };
    Some(Arc::new(move |_| Box::new(Kthena::new(settings.clone()))))
}

fn metrics(fields: &Fields<'_>, context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Option<Vec<Metric>> {
    let Some(node) = fields.node_of("metrics") else {
        let error = fields.node().error("policy `kthena` has no `metrics`");
        fields.missing(&["metrics"], error.help("add `metrics: [{ metricName: outstanding, targetValue: 20 }]`"), sink);
        return None;
    };
    let items = match &node.value {
        Value::Sequence(items) if !items.is_empty() => items,
        _ => {
            sink.push(node.error("`metrics` must be a list of one or more"));
            return None;
        }
    };
    let read = |item: &Yaml| metric(item, context, sink);
    let read: Vec<Option<Metric>> = items.iter().map(read).collect();
    read.into_iter().collect()
}

fn metric(node: &Yaml, context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Option<Metric> {
    let fields = Fields::open(node, "a metric", sink)?;
    let named = measure(&fields, "metricName", context, sink);
    let target: Option<f64> = fields.required("targetValue", sink);
    let target = target.and_then(|_| optional(&fields, "targetValue", Range::Positive, sink));
    fields.finish(sink);
    let (name, measure) = named?;
    Some(Metric { name, measure, target: target? })
}

/// A direction: its limits, period and stabilization window.
#[derive(Debug, Clone, Copy)]
struct Direction {
    limit: StepLimit,
    period: SimDuration,
    window: SimDuration,
}

/// What stands under `behavior`.
#[derive(Debug, Clone, Copy)]
struct BehaviorRules {
    down: Direction,
    up: Direction,
    panic_percent: i64,
    panic_period: SimDuration,
    panic_threshold: u32,
    panic_hold: SimDuration,
}

/// Opens the mapping under `name`, or an empty one.
fn below<'a>(fields: &Fields<'a>, name: &'static str, empty: &'a Yaml, sink: &mut Diagnostics) -> Option<Fields<'a>> {
    Fields::open(fields.node_of(name).unwrap_or(empty), name, sink)
}

fn rules(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<BehaviorRules> {
    let empty = Yaml { value: Value::Mapping(Vec::new()), ..fields.node().clone() };
    let behavior = below(fields, "behavior", &empty, sink)?;
    let down = below(&behavior, "scaleDown", &empty, sink)?;
    let of_down = direction(&down, (0, 300), sink);
    down.finish(sink);
    let up = below(&behavior, "scaleUp", &empty, sink)?;
    let stable = below(&up, "stablePolicy", &empty, sink)?;
    let of_up = direction(&stable, (4, 0), sink);
    stable.finish(sink);
    let panic = below(&up, "panicPolicy", &empty, sink)?;
    let percent: u32 = panic.or("percent", 0, sink);
    let rules = BehaviorRules {
        down: of_down,
        up: of_up,
        panic_percent: i64::from(percent),
        panic_period: panic.or("period", SimDuration::ZERO, sink),
        panic_threshold: panic.or("panicThresholdPercent", 200, sink),
        panic_hold: panic.or("panicModeHold", SimDuration::ZERO, sink),
    };
    panic.finish(sink);
    up.finish(sink);
    behavior.finish(sink);
    Some(rules)
}

const SELECTS: [(&str, Select); 2] = [("Or", Select::Or), ("And", Select::And)];

/// Reads a direction, with the defaults of its number of replicas and of its window in seconds.
fn direction(fields: &Fields<'_>, (instances, window): (u32, u64), sink: &mut Diagnostics) -> Direction {
    let instances: u32 = fields.or("instances", instances, sink);
    let percent: u32 = fields.or("percent", 100, sink);
    fields.default_is("selectPolicy", "Or".to_string());
    let select = fields.node_of("selectPolicy").and_then(|node| one_of(node, "a rule", &SELECTS, sink));
    let select = select.unwrap_or(Select::Or);
    Direction {
        limit: StepLimit { instances: i64::from(instances), percent: i64::from(percent), select },
        period: fields.or("period", SimDuration::from_secs(60), sink),
        window: fields.or("stabilizationWindow", SimDuration::from_secs(window), sink),
    }
}
