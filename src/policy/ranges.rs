//! Numbers and bounds under the names of real programs, with the ranges that these accept.

use super::measure::Measure;
use super::metric_names::measure_named;
use super::read::PolicyContext;
use crate::config::{Diagnostics, Fields, FromNode};

/// What a number must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    Positive,
    NotNegative,
    AtLeastOne,
}

impl Range {
    fn holds(self, value: f64) -> bool {
        match self {
            Range::Positive => value > 0.0,
            Range::NotNegative => value >= 0.0,
            Range::AtLeastOne => value >= 1.0,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Range::Positive => "above 0",
            Range::NotNegative => "0 or more",
            Range::AtLeastOne => "1 or more",
        }
    }
}

/// The number `name`, if it is there and within `range`.
pub(super) fn optional(fields: &Fields<'_>, name: &'static str, range: Range, sink: &mut Diagnostics) -> Option<f64> {
    let value: f64 = fields.optional(name, sink)?;
    if range.holds(value) {
        return Some(value);
    }
    let node = fields.node_of(name)?;
    sink.push(node.error(format!("`{name}` must be {}", range.words())));
    None
}

/// The number `name`, or its default.
pub(super) fn or(fields: &Fields<'_>, name: &'static str, default: f64, range: Range, sink: &mut Diagnostics) -> f64 {
    fields.default_is(name, default.words());
    optional(fields, name, range, sink).unwrap_or(default)
}

/// Fewest and most replicas; the most must be stated.
pub(super) fn bounds(
    fields: &Fields<'_>,
    (min_name, min_default): (&'static str, u32),
    max_name: &'static str,
    sink: &mut Diagnostics,
) -> Option<(u32, u32)> {
    let min: u32 = fields.or(min_name, min_default, sink);
    let max: u32 = fields.required(max_name, sink)?;
    if max == 0 || min > max {
        let node = fields.node_of(max_name)?;
        let least = if max == 0 { "1 or more".into() } else { format!("at least `{min_name}`, {min}") };
        sink.push(node.error(format!("`{max_name}` must be {least}")));
        return None;
    }
    Some((min, max))
}

/// The measure that the metric name in field `name` stands for.
pub(super) fn measure(
    fields: &Fields<'_>,
    name: &'static str,
    context: &PolicyContext<'_>,
    sink: &mut Diagnostics,
) -> Option<(String, Measure)> {
    let metric: String = fields.required(name, sink)?;
    let measure = measure_named(&metric, context.metric_names);
    if measure.is_none()
        && let Some(node) = fields.node_of(name)
    {
        let error = node.error(format!("`{metric}` is not a metric"));
        sink.push(error.help("`plimsoll list measures` names those that there are"));
    }
    measure.map(|measure| (metric, measure))
}
