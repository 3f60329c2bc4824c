//! The parameters of `step-scaling` and `simple-scaling`.

use std::sync::Arc;

use super::adjust::{AdjustmentType, Step};
use super::alarm::AlarmSpec;
use super::capacity::Metric;
use super::common::{Periods, read_bounds};
use super::rules::{Pace, Rule, Rules, Settings};
use super::tracking::read_value;
use crate::config::{Diagnostics, Fields, Value, Yaml};
use crate::policy::{PolicyContext, PolicyFactory, PolicyPlugin};
use crate::units::SimDuration;

/// `step-scaling`.
pub const STEP_PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "step-scaling",
    summary: "AWS step scaling: an alarm orders a step by how far the metric is beyond its threshold",
    source: "Amazon EC2 Auto Scaling user guide",
    build: |node, context, sink| build("policy `step-scaling`", true, node, context, sink),
};

/// `simple-scaling`.
pub const SIMPLE_PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "simple-scaling",
    summary: "AWS simple scaling: an alarm orders one adjustment, and a cooldown blocks everything else",
    source: "Amazon EC2 Auto Scaling user guide",
    build: |node, context, sink| build("policy `simple-scaling`", false, node, context, sink),
};

fn build(
    owner: &str,
    steps: bool,
    node: &Yaml,
    context: &PolicyContext<'_>,
    sink: &mut Diagnostics,
) -> Option<PolicyFactory> {
    let fields = Fields::open(node, owner, sink)?;
    let errors = sink.errors();
    let (min, max) = read_bounds(&fields, sink);
    let name: String = fields.or("metric", "cpu".to_owned(), sink);
    let place = fields.node_of("metric").unwrap_or(fields.node());
    let metric = Metric::read(&name, place, context, sink);
    let pace = match steps {
        true => Pace::WarmUp(fields.or("warm-up", SimDuration::from_secs(300), sink)),
        false => Pace::Cooldown(fields.or("cooldown", SimDuration::from_secs(300), sink)),
    };
    let read = |name: &'static str, is_above: bool, sink: &mut Diagnostics| {
        fields.node_of(name).and_then(|node| read_rule(node, name, is_above, steps, sink))
    };
    let rules: Vec<Rule> =
        [read("scale-out", true, sink), read("scale-in", false, sink)].into_iter().flatten().collect();
    if rules.is_empty() && sink.errors() == errors {
        let error = fields.node().error("neither `scale-out` nor `scale-in` is stated");
        fields.missing(&["scale-out"], error.help("for example `scale-out: { threshold: 70%, ... }`"), sink);
    }
    fields.finish(sink);
    if sink.errors() > errors {
        return None;
    }
    let settings = Settings { min, max, metric: metric?, rules, pace };
    Some(Arc::new(move |_| Box::new(Rules::new(settings.clone()))))
}

fn read_rule(node: &Yaml, owner: &str, is_above: bool, steps: bool, sink: &mut Diagnostics) -> Option<Rule> {
    let fields = Fields::open(node, owner, sink)?;
    let threshold = match fields.node_of("threshold") {
        Some(node) => read_value(node, sink),
        None => {
            let error = node.error(format!("{owner} has no `threshold`"));
            fields.missing(&["threshold"], error, sink);
            None
        }
    };
    let Periods { period, periods, datapoints } = Periods::read(&fields, 2, sink);
    let stated: String = fields.or("adjustment-type", "change".to_owned(), sink);
    let kind = AdjustmentType::named(&stated);
    if kind.is_none() {
        let place = fields.node_of("adjustment-type").unwrap_or(node);
        sink.push(place.error(format!("`{stated}` is not an adjustment")).note("known: change, percent, exact"));
    }
    let least: Option<u32> = fields.optional("min-adjustment-magnitude", sink);
    let steps = match steps {
        false => {
            let adjustment = read_signed(&fields, "adjustment", sink);
            adjustment.map(|adjustment| vec![Step { lower: None, upper: None, adjustment }])
        }
        true => read_steps(&fields, owner, sink),
    };
    fields.finish(sink);
    let alarm = AlarmSpec { is_above, threshold: threshold?, or_equal: true, period, periods, datapoints };
    Some(Rule { alarm, kind: kind?, steps: steps?, least: least.map(f64::from) })
}

fn read_signed(fields: &Fields<'_>, name: &'static str, sink: &mut Diagnostics) -> Option<f64> {
    let Some(node) = fields.node_of(name) else {
        let error = fields.node().error(format!("`{name}` is missing"));
        fields.missing(&[name], error, sink);
        return None;
    };
    let number = node.as_text().and_then(|text| text.trim().parse::<f64>().ok()).filter(|number| number.is_finite());
    if number.is_none() {
        sink.push(node.error(format!("`{name}` must be a number")));
    }
    number
}

fn read_steps(fields: &Fields<'_>, owner: &str, sink: &mut Diagnostics) -> Option<Vec<Step>> {
    let Some(node) = fields.node_of("steps") else {
        let error = fields.node().error(format!("{owner} has no `steps`"));
        fields.missing(&["steps"], error.help("write `steps: [{ lower: 0, adjustment: 2 }]`"), sink);
        return None;
    };
    let Value::Sequence(items) = &node.value else {
        sink.push(node.error("`steps` must be a list").help("write `- { lower: 0, upper: 10, adjustment: 2 }`"));
        return None;
    };
    let mut steps = Vec::new();
    for item in items {
        let fields = Fields::open(item, "step", sink)?;
        let bound = |name: &'static str, sink: &mut Diagnostics| {
            fields.node_of(name).and_then(|_| read_signed(&fields, name, sink))
        };
        let (lower, upper) = (bound("lower", sink), bound("upper", sink));
        let adjustment = read_signed(&fields, "adjustment", sink);
        fields.finish(sink);
        if lower.zip(upper).is_some_and(|(lower, upper)| lower >= upper) {
            sink.push(item.error("a step's `lower` must be below its `upper`"));
        }
        steps.push(Step { lower, upper, adjustment: adjustment? });
    }
    if steps.is_empty() {
        sink.push(node.error("`steps` is empty"));
        return None;
    }
    Some(steps)
}
