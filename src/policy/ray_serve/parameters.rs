//! The parameters of `ray-serve`: the fields of Ray Serve's `autoscaling_config`.
//!
//! ```yaml
//! ray-serve:
//!   min_replicas: 1
//!   max_replicas: 20
//!   target_ongoing_requests: 2
//!   upscale_delay_s: 30
//!   downscale_delay_s: 600
//!   release: 2.60                # up to 2.54, delays are counted in loops
//!   control-loop: 100ms          # how long one loop takes
//! ```

use std::sync::Arc;

use super::config::{Aggregation, AutoscalingConfig, Release};
use super::policy::RayServe;
use crate::config::{self, Diagnostics, Fields, Yaml};
use crate::policy::ranges::{Range, bounds, optional, or};
use crate::policy::{PolicyContext, PolicyFactory, PolicyPlugin};
use crate::units::SimDuration;

/// The entry in the list of policies.
pub const PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "ray-serve",
    summary: "Ray Serve's autoscaling of a deployment: `{ max_replicas: 20, target_ongoing_requests: 2 }`",
    source: "ray-project/ray 2.60.0, python/ray/serve/autoscaling_policy.py",
    build,
};

/// Duration of a loop that has nothing to do.
const CONTROL_LOOP: SimDuration = SimDuration::from_millis(100);

fn build(node: &Yaml, _context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Option<PolicyFactory> {
    let fields = Fields::open(node, "policy `ray-serve`", sink)?;
    let errors = sink.errors();
    let config = settings(&fields, sink);
    let release = one_of(&fields, "release", "a release", &RELEASES, sink);
    let control_loop: SimDuration = fields.or("control-loop", CONTROL_LOOP, sink);
    fields.finish(sink);
    let config = config.filter(|_| sink.errors() == errors)?;
    Some(Arc::new(move |_| Box::new(RayServe::new(config, release, control_loop))))
}

const RELEASES: [(&str, Release); 3] =
    [("2.60", Release::V2_55), ("2.54", Release::V2_54), ("before-61731", Release::Before61731)];

const AGGREGATIONS: [(&str, Aggregation); 3] =
    [("mean", Aggregation::Mean), ("max", Aggregation::Max), ("min", Aggregation::Min)];

/// One of a few names; the first is the default.
fn one_of<T: Copy>(
    fields: &Fields<'_>,
    field: &'static str,
    what: &str,
    values: &[(&'static str, T)],
    sink: &mut Diagnostics,
) -> T {
    fields.default_is(field, values[0].0.to_string());
    let given = fields.node_of(field).and_then(|node| config::one_of(node, what, values, sink));
    given.unwrap_or(values[0].1)
}

fn settings(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<AutoscalingConfig> {
    use Range::{NotNegative, Positive};
    let default = AutoscalingConfig::default();
    let bounds = bounds(fields, ("min_replicas", 1), "max_replicas", sink);
    let initial: Option<u32> = fields.optional("initial_replicas", sink);
    let config = AutoscalingConfig {
        initial_replicas: initial.map(i64::from),
        target_ongoing_requests: or(fields, "target_ongoing_requests", default.target_ongoing_requests, Positive, sink),
        metrics_interval_s: or(fields, "metrics_interval_s", default.metrics_interval_s, Positive, sink),
        look_back_period_s: or(fields, "look_back_period_s", default.look_back_period_s, Positive, sink),
        smoothing_factor: or(fields, "smoothing_factor", default.smoothing_factor, Positive, sink),
        upscale_smoothing_factor: optional(fields, "upscale_smoothing_factor", Positive, sink),
        downscale_smoothing_factor: optional(fields, "downscale_smoothing_factor", Positive, sink),
        upscaling_factor: optional(fields, "upscaling_factor", Positive, sink),
        downscaling_factor: optional(fields, "downscaling_factor", Positive, sink),
        upscale_delay_s: or(fields, "upscale_delay_s", default.upscale_delay_s, NotNegative, sink),
        downscale_delay_s: or(fields, "downscale_delay_s", default.downscale_delay_s, NotNegative, sink),
        downscale_to_zero_delay_s: optional(fields, "downscale_to_zero_delay_s", NotNegative, sink),
        aggregation_function: one_of(fields, "aggregation_function", "an aggregation", &AGGREGATIONS, sink),
        ..default
    };
    let (min, max) = bounds?;
    if let Some(node) = fields.node_of("initial_replicas").filter(|_| initial.is_some_and(|n| n < min || n > max)) {
        sink.push(node.error(format!("`initial_replicas` must be from {min} to {max}, as the bounds are")));
    }
    Some(AutoscalingConfig { min_replicas: i64::from(min), max_replicas: i64::from(max), ..config })
}
