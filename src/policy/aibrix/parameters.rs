//! The parameters of `aibrix`: fields of a `PodAutoscaler`, and the names of its annotations without their prefix
//! `autoscaling.aibrix.ai/`.
//!
//! ```yaml
//! aibrix:
//!   scalingStrategy: APA         # or KPA
//!   minReplicas: 1
//!   maxReplicas: 20
//!   targetMetric: outstanding    # a measure, or the name under which a server exports it
//!   targetValue: 20
//!   scale-down-cooldown-window: 300s
//! ```

use std::sync::Arc;

use super::algorithm::Limits;
use super::policy::{Aibrix, Settings, Strategy};
use crate::config::{Diagnostics, Fields, Yaml};
use crate::policy::ranges::{Range, bounds, measure, optional, or};
use crate::policy::{PolicyContext, PolicyFactory, PolicyPlugin};
use crate::units::SimDuration;

/// The entry in the list of policies.
pub const PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "aibrix",
    summary: "AIBrix's PodAutoscaler, APA or KPA: `{ maxReplicas: 20, targetMetric: outstanding, targetValue: 20 }`",
    source: "vllm-project/aibrix e3e10f9e, pkg/controller/podautoscaler",
    build,
};

fn build(node: &Yaml, context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Option<PolicyFactory> {
    let fields = Fields::open(node, "policy `aibrix`", sink)?;
    let errors = sink.errors();
    let settings = settings(&fields, context, sink);
    fields.finish(sink);
    let settings = settings.filter(|_| sink.errors() == errors)?;
    Some(Arc::new(move |_| Box::new(Aibrix::new(settings.clone()))))
}

fn settings(fields: &Fields<'_>, context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Option<Settings> {
    let default = Limits::default();
    let strategy: String = fields.or("scalingStrategy", "APA".to_string(), sink);
    let strategy = match strategy.as_str() {
        "APA" => Some(Strategy::Apa),
        "KPA" => Some(Strategy::Kpa),
        _ => {
            let node = fields.node_of("scalingStrategy");
            let help = "the strategy HPA makes a HorizontalPodAutoscaler: use the policy `hpa`";
            sink.push(node.unwrap_or(fields.node()).error("`scalingStrategy` must be APA or KPA").help(help));
            None
        }
    };
    let bounds = bounds(fields, ("minReplicas", 1), "maxReplicas", sink);
    let metric = measure(fields, "targetMetric", context, sink);
    let target: Option<f64> = fields.required("targetValue", sink);
    let target = target.and_then(|_| optional(fields, "targetValue", Range::Positive, sink));
    let limits = Limits {
        up_tolerance: or(fields, "scale-up-tolerance", default.up_tolerance, Range::NotNegative, sink),
        down_tolerance: or(fields, "scale-down-tolerance", default.down_tolerance, Range::NotNegative, sink),
        max_scale_up_rate: or(fields, "max-scale-up-rate", default.max_scale_up_rate, Range::AtLeastOne, sink),
        max_scale_down_rate: or(fields, "max-scale-down-rate", default.max_scale_down_rate, Range::AtLeastOne, sink),
    };
    let seconds = SimDuration::from_secs;
    let up_window: SimDuration = fields.or("scale-up-cooldown-window", SimDuration::ZERO, sink);
    let down_window: SimDuration = fields.or("scale-down-cooldown-window", seconds(300), sink);
    let stable_window: SimDuration = fields.or("stable-window", seconds(180), sink);
    let panic_window: SimDuration = fields.or("panic-window", seconds(60), sink);
    let panic_threshold = or(fields, "panic-threshold", 2.0, Range::Positive, sink);
    let scale_to_zero: bool = fields.or("scale-to-zero", false, sink);
    let sync_period: SimDuration = fields.or("sync-period", seconds(10), sink);
    let (min, max) = bounds?;
    let (metric, measure) = metric?;
    Some(Settings {
        strategy: strategy?,
        min: if scale_to_zero { min } else { min.max(1) },
        max,
        metric,
        measure,
        target: target?,
        limits,
        up_window,
        down_window,
        stable_window,
        panic_window,
        panic_threshold,
        sync_period,
    })
}
