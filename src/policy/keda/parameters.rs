//! The parameters of `keda` in a scenario: a manifest as it is, or the fields of a ScaledObject in place.
//!
//! ```yaml
//! keda: { manifest: shop/scaledobject.yaml, measures: { s0-prometheus: request-rate } }
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fallback::{Behavior, COMPOSITE, Fallback};
use super::formula::Formula;
use super::scaled_object::{ANNOTATIONS, Modifiers, ScaledObject, is_on};
use super::simulated::{KedaPolicy, Scaling};
use super::triggers::{Source, Trigger, read_trigger};
use crate::config::kubernetes::{Manifests, Object};
use crate::config::{Diagnostics, Fields, FromNode, Value, Yaml};
use crate::policy::hpa::read_behavior;
use crate::policy::hpa::spec::{
    Behavior as Rules, ControllerFlags, HpaSpec, MetricSpec, SelectPolicy, Target as HpaTarget,
};
use crate::policy::{Measure, PolicyContext, PolicyFactory, PolicyPlugin, measure_named, not_measured};
use crate::units::{Quantity, SimDuration};

/// The entry in the list of policies.
pub const PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "keda",
    summary: "KEDA over the exact HPA, from a ScaledObject: `{ manifest: scaledobject.yaml }`",
    source: "kedacore/keda pkg/scaling, pkg/fallback, pkg/scalers/cron_scaler.go",
    build,
};

/// The time at the beginning of a run where none is stated: a Monday.
const EPOCH: &str = "2026-01-05T00:00:00Z";

fn build(node: &Yaml, context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Option<PolicyFactory> {
    let fields = Fields::open(node, "policy `keda`", sink)?;
    let errors = sink.errors();
    let measures = fields.node_of("measures").map_or_else(Vec::new, |node| read_measures(node, context, sink));
    let epoch = read_epoch(&fields, sink);
    let manifest = fields.node_of("manifest");
    let annotations = fields.node_of("annotations").map_or_else(BTreeMap::new, |node| annotations(node, sink));
    let scaling = match manifest {
        Some(path) => {
            fields.finish(sink);
            from_manifest(path, annotations, &measures, context, sink)
        }
        None => {
            let scaling = scaled_object(&fields, annotations, &measures, context, sink);
            fields.finish(sink);
            scaling
        }
    };
    if sink.errors() > errors {
        return None;
    }
    let scaling = Scaling { epoch: epoch?, ..scaling? };
    let flags = ControllerFlags { release: context.release, ..ControllerFlags::default() };
    let pod = context.pod.cloned().unwrap_or_default();
    Some(Arc::new(move |_| Box::new(KedaPolicy::new(scaling.clone(), flags, pod.clone()))))
}

fn read_measures(node: &Yaml, context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Vec<(String, Measure)> {
    let Some(fields) = Fields::open(node, "measures", sink) else { return Vec::new() };
    let read = |(key, value): &(crate::config::Key, Yaml)| {
        let name = String::from_node(value, sink)?;
        let Some(measure) = measure_named(&name, context.metric_names) else {
            sink.push(not_measured(value, &name, context.metric_names));
            return None;
        };
        Some((key.text.clone(), measure))
    };
    fields.entries().iter().filter_map(read).collect()
}

fn read_epoch(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<i64> {
    let stated: String = fields.or("starts-at", EPOCH.to_owned(), sink);
    match stated.parse::<jiff::Timestamp>() {
        Ok(time) => Some(time.as_second()),
        Err(_) => {
            let place = fields.node_of("starts-at").unwrap_or(fields.node());
            sink.push(place.error(format!("`{stated}` is not a time")).help(format!("write `{EPOCH}`")));
            None
        }
    }
}

fn annotations(node: &Yaml, sink: &mut Diagnostics) -> BTreeMap<String, String> {
    let Some(fields) = Fields::open(node, "annotations", sink) else { return BTreeMap::new() };
    let read = |(key, value): &(crate::config::Key, Yaml)| {
        let text = if value.is_null() { String::new() } else { String::from_node(value, sink)? };
        let name = if key.text.contains('/') { key.text.clone() } else { format!("{ANNOTATIONS}{}", key.text) };
        Some((name, text))
    };
    fields.entries().iter().filter_map(read).collect()
}

/// The ScaledObject for the context's service in the manifest at `path`.
fn from_manifest(
    path: &Yaml,
    own: BTreeMap<String, String>,
    measures: &[(String, Measure)],
    context: &PolicyContext<'_>,
    sink: &mut Diagnostics,
) -> Option<Scaling> {
    let stated = String::from_node(path, sink)?;
    let file = crate::config::spool::path_from(path.source.directory_or(context.base_dir), &stated);
    let manifests = Manifests::read_at(path, &file, sink)?;
    let objects: Vec<&Object> = manifests.of_kind("ScaledObject").collect();
    let scales = |object: &&&Object| {
        let target = object.node.get("spec").and_then(|spec| spec.get("scaleTargetRef")).and_then(|to| to.get("name"));
        target.and_then(Yaml::as_text) == Some(context.service)
    };
    let object = objects.iter().find(scales).or(if objects.len() == 1 { objects.first() } else { None });
    let Some(object) = object else {
        let error = path.error(format!("{} holds {} ScaledObjects", file.display(), objects.len()));
        sink.push(error.note(format!("none scales `{}`", context.service)));
        return None;
    };
    let Some(spec) = object.node.get("spec") else {
        sink.push(object.node.error("the ScaledObject has no `spec`"));
        return None;
    };
    let mut all = object
        .node
        .get("metadata")
        .and_then(|metadata| metadata.get("annotations"))
        .map_or_else(BTreeMap::new, |node| annotations(node, sink));
    all.extend(own);
    let title = object.title();
    let fields = Fields::open(spec, &title, sink)?;
    let scaling = scaled_object(&fields, all, measures, context, sink);
    fields.finish(sink);
    scaling
}

/// Reads a time that KEDA states in whole seconds.
fn seconds(fields: &Fields<'_>, name: &'static str, usual: SimDuration, sink: &mut Diagnostics) -> SimDuration {
    let usual = usual.as_nanos() / crate::units::NANOS_PER_SECOND;
    SimDuration::from_secs(fields.or::<u64>(name, usual, sink).min(1_000_000_000))
}

fn replicas(fields: &Fields<'_>, name: &'static str, sink: &mut Diagnostics) -> Option<i32> {
    fields.optional::<u32>(name, sink).map(|replicas| i32::try_from(replicas).unwrap_or(i32::MAX))
}

fn scaled_object(
    fields: &Fields<'_>,
    annotations: BTreeMap<String, String>,
    measures: &[(String, Measure)],
    context: &PolicyContext<'_>,
    sink: &mut Diagnostics,
) -> Option<Scaling> {
    let plain = ScaledObject::default();
    let _ = fields.node_of("scaleTargetRef");
    let (modifiers, behavior) = fields.node_of("advanced").map_or((None, None), |node| advanced(node, sink));
    let object = ScaledObject {
        min: replicas(fields, "minReplicaCount", sink),
        max: replicas(fields, "maxReplicaCount", sink),
        idle: replicas(fields, "idleReplicaCount", sink),
        polling: seconds(fields, "pollingInterval", plain.polling, sink),
        cooldown: seconds(fields, "cooldownPeriod", plain.cooldown, sink),
        initial_cooldown: seconds(fields, "initialCooldownPeriod", plain.initial_cooldown, sink),
        fallback: fields.node_of("fallback").and_then(|node| fallback(node, sink)),
        modifiers,
        annotations,
    };
    if object.polling.is_zero() {
        sink.push(
            fields.node_of("pollingInterval").unwrap_or(fields.node()).error("`pollingInterval` must be above zero"),
        );
    }
    if let Err(why) = object.check_bounds() {
        sink.push(fields.node().error(why));
    }
    let triggers = triggers(fields, measures, context, sink);
    if object.fallback.is_some_and(|stated| !stated.is_valid(object.modifiers.as_ref())) {
        let place = fields.node_of("fallback").unwrap_or(fields.node());
        sink.push(place.warning("this fallback is invalid: KEDA ignores it").help(
            "`failureThreshold` and `replicas` must not be negative; with a formula, its target must be a whole number",
        ));
    }
    let formula = formula(fields.node(), &object, &triggers, sink);
    let hpa = hpa(&object, &triggers, behavior);
    Some(Scaling { object, triggers, formula, hpa, epoch: 0 })
}

fn triggers(
    fields: &Fields<'_>,
    measures: &[(String, Measure)],
    context: &PolicyContext<'_>,
    sink: &mut Diagnostics,
) -> Vec<Trigger> {
    let Some(node) = fields.node_of("triggers") else {
        let error = fields.node().error("`triggers` is missing: what does it scale on?");
        fields.missing(&["triggers"], error, sink);
        return Vec::new();
    };
    let Value::Sequence(items) = &node.value else {
        sink.push(node.error("`triggers` must be a list"));
        return Vec::new();
    };
    if items.is_empty() {
        sink.push(node.error("`triggers` is empty"));
    }
    let read = |(index, item): (usize, &Yaml)| read_trigger(item, index, measures, context, sink);
    items.iter().enumerate().filter_map(read).collect()
}

fn fallback(node: &Yaml, sink: &mut Diagnostics) -> Option<Fallback> {
    let fields = Fields::open(node, "fallback", sink)?;
    let number = |name: &'static str, sink: &mut Diagnostics| -> Option<i32> {
        let Some(node) = fields.node_of(name) else {
            let error = fields.node().error(format!("`fallback` has no `{name}`"));
            fields.missing(&[name], error, sink);
            return None;
        };
        let number = node.as_text().and_then(|text| text.trim().parse().ok());
        if number.is_none() {
            sink.push(node.error(format!("`{name}` must be a whole number")));
        }
        number
    };
    let (threshold, replicas) = (number("failureThreshold", sink), number("replicas", sink));
    let name: String = fields.or("behavior", String::new(), sink);
    let behavior = Behavior::named(&name);
    if behavior.is_none() {
        let place = fields.node_of("behavior").unwrap_or(node);
        let known = "static, currentReplicas, currentReplicasIfHigher, currentReplicasIfLower, scalingModifiers";
        sink.push(place.error(format!("`{name}` is not a fallback behavior")).note(format!("known: {known}")));
    }
    fields.finish(sink);
    Some(Fallback { threshold: threshold?, replicas: replicas?, behavior: behavior? })
}

/// Reads `advanced`: scaling modifiers, and the behavior of the HPA.
fn advanced(node: &Yaml, sink: &mut Diagnostics) -> (Option<Modifiers>, Option<Rules>) {
    let Some(fields) = Fields::open(node, "advanced", sink) else { return (None, None) };
    let _: Option<bool> = fields.optional("restoreToOriginalReplicaCount", sink);
    let behavior = fields.node_of("horizontalPodAutoscalerConfig").and_then(|node| {
        let fields = Fields::open(node, "horizontalPodAutoscalerConfig", sink)?;
        let _: Option<String> = fields.optional("name", sink);
        let behavior = fields.node_of("behavior").and_then(|node| read_behavior(node, sink));
        fields.finish(sink);
        behavior
    });
    let modifiers = fields.node_of("scalingModifiers").and_then(|node| {
        let fields = Fields::open(node, "scalingModifiers", sink)?;
        let modifiers = Modifiers {
            formula: fields.or("formula", String::new(), sink),
            target: fields.or("target", String::new(), sink),
            activation_target: fields.or("activationTarget", String::new(), sink),
            is_value: fields.or("metricType", String::new(), sink) == "Value",
        };
        fields.finish(sink);
        Some(modifiers)
    });
    fields.finish(sink);
    (modifiers, behavior)
}

/// Reads and tries the formula of the scaling modifiers.
fn formula(node: &Yaml, object: &ScaledObject, triggers: &[Trigger], sink: &mut Diagnostics) -> Option<Formula> {
    let modifiers = object.modifiers.as_ref().filter(|stated| stated.is_used())?;
    let positive = modifiers.target.parse::<f64>().is_ok_and(|target| target > 0.0 && target.is_finite());
    if !positive {
        sink.push(node.error("`scalingModifiers` needs a `target` above zero"));
    }
    let named = triggers.iter().filter(|trigger| !matches!(trigger.source, Source::Resource(_)));
    let names: Vec<&str> = named.map(|trigger| trigger.name.as_str()).collect();
    let tried = Formula::parse(&modifiers.formula).and_then(|formula| {
        formula.check(&names)?;
        Ok(formula)
    });
    match tried {
        Ok(formula) => Some(formula),
        Err(why) => {
            let error = node.error(format!("the formula `{}` is refused: {why}", modifiers.formula));
            sink.push(error.note(format!("triggers by `name`: {}", names.join(", "))));
            None
        }
    }
}

/// The HPA that KEDA creates.
fn hpa(object: &ScaledObject, triggers: &[Trigger], behavior: Option<Rules>) -> HpaSpec {
    let (least, most) = object.hpa_bounds();
    let count = |replicas: i32| u32::try_from(replicas).unwrap_or(1);
    let is_resource = |trigger: &&Trigger| matches!(trigger.source, Source::Resource(_));
    let modifiers = object.modifiers.as_ref().filter(|stated| stated.is_used());
    let metrics = match modifiers {
        None => triggers.iter().map(Trigger::spec).collect(),
        Some(stated) => {
            let target = stated.target.parse::<f64>().unwrap_or(1.0);
            let target = Quantity::from_millis((target * 1000.0).round() as i64);
            let target = if stated.is_value { HpaTarget::Value(target) } else { HpaTarget::AverageValue(target) };
            let composite = MetricSpec::External { metric: COMPOSITE.to_owned(), target };
            triggers.iter().filter(is_resource).map(Trigger::spec).chain([composite]).collect()
        }
    };
    let mut behavior = behavior;
    let disable = |direction: &str| is_on(object.annotation(direction));
    if disable("paused-scale-in") {
        behavior.get_or_insert_default().scale_down.select_policy = Some(SelectPolicy::Disabled);
    }
    if disable("paused-scale-out") {
        behavior.get_or_insert_default().scale_up.select_policy = Some(SelectPolicy::Disabled);
    }
    HpaSpec { min_replicas: count(least), max_replicas: count(most), metrics, behavior, no_scale: None }
}
