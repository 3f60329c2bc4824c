//! `HorizontalPodAutoscaler` objects of every version, and the `autoscaling:` block of a Helm chart.

use super::spec::{Amount, Behavior, HpaSpec, MetricSpec, RatePolicy, Resource, RulesSpec, SelectPolicy, Target};
use crate::config::kubernetes::{Object, finish_leniently};
use crate::config::{Diagnostic, Diagnostics, Fields, FromNode, Severity, Value, Yaml, did_you_mean, suggest};
use crate::units::{Quantity, SimDuration};

/// An autoscaler as stated in a manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct HpaManifest {
    /// Its name.
    pub name: String,
    /// Name of the workload it scales.
    pub target: String,
    /// Its specification.
    pub spec: HpaSpec,
}

/// How metrics are written: nested targets (v2, v2beta2) or flat ones (v2beta1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Nested,
    Flat,
}

/// Reads an object of kind `HorizontalPodAutoscaler`. Reports problems to `sink`; returns `None` if any is an error.
pub fn read_manifest(object: &Object, sink: &mut Diagnostics) -> Option<HpaManifest> {
    let owner = object.title();
    let mut found = sink.beside();
    let manifest = read_object(object, &owner, &mut found);
    let valid = found.iter().all(|d| d.severity != Severity::Error);
    sink.extend(found);
    manifest.filter(|_| valid)
}

fn read_object(object: &Object, owner: &str, sink: &mut Diagnostics) -> Option<HpaManifest> {
    let version = object.api_version.rsplit('/').next().unwrap_or("");
    let fields = Fields::open(object.node.get("spec")?, owner, sink)?;
    let target = fields.node_of("scaleTargetRef").map(|node| scale_target(node, sink));
    if target.is_none() {
        fields.missing(&["scaleTargetRef"], fields.node().error(format!("{owner} has no `scaleTargetRef`")), sink);
    }
    let min: Option<u32> = fields.optional("minReplicas", sink);
    let max: Option<u32> = fields.required("maxReplicas", sink);
    let mut behavior = None;
    let metrics = if version == "v1" {
        let percent: Option<u32> = fields.optional("targetCPUUtilizationPercentage", sink);
        alpha_annotations(&object.node, sink);
        percent.map(cpu_utilization).into_iter().collect()
    } else {
        let style = if version == "v2beta1" { Style::Flat } else { Style::Nested };
        if style == Style::Nested {
            behavior = fields.node_of("behavior").and_then(|node| read_behavior(node, sink));
        }
        fields.node_of("metrics").map_or_else(Vec::new, |node| metric_list(node, style, sink))
    };
    let node = fields.node();
    fields.finish(sink);
    let spec = checked(node, owner, min, max?, metrics, behavior, sink)?;
    let (target, no_scale) = target??;
    Some(HpaManifest { name: object.name.clone(), target, spec: HpaSpec { no_scale, ..spec } })
}

/// Fills in defaults and validates like the API server.
pub(super) fn checked(
    node: &Yaml,
    owner: &str,
    min: Option<u32>,
    max: u32,
    metrics: Vec<MetricSpec>,
    behavior: Option<Behavior>,
    sink: &mut Diagnostics,
) -> Option<HpaSpec> {
    let min = min.unwrap_or(1);
    let place = |name: &str| node.get(name).unwrap_or(node);
    if max == 0 || max < min {
        let error = place("maxReplicas")
            .error(format!("{owner}: the maximum of {max} replicas is below the minimum of {}", min.max(1)));
        sink.push(error);
        return None;
    }
    // The API server's default: 80% of the CPU request.
    let metrics = if metrics.is_empty() { vec![cpu_utilization(80)] } else { metrics };
    if min == 0 && !metrics.iter().any(MetricSpec::outlives_pods) {
        let error = place("minReplicas").error("scaling to zero needs an Object or External metric");
        sink.push(error.help("set the minimum to 1: without pods, pod metrics have nothing to measure"));
        return None;
    }
    Some(HpaSpec { min_replicas: min, max_replicas: max, metrics, behavior, no_scale: None })
}

/// A target of `percent` of the CPU request.
pub(super) fn cpu_utilization(percent: u32) -> MetricSpec {
    MetricSpec::Resource { resource: Resource::Cpu, target: Target::Utilization(percent) }
}

/// The name of the scaled workload and, if its scale cannot be read, why.
fn scale_target(node: &Yaml, sink: &mut Diagnostics) -> Option<(String, Option<String>)> {
    let fields = Fields::open(node, "scaleTargetRef", sink)?;
    let name: Option<String> = fields.required("name", sink);
    let kind: Option<String> = fields.required("kind", sink);
    let version: String = fields.or("apiVersion", String::new(), sink);
    let place = fields.node_of("apiVersion").unwrap_or(node);
    fields.finish(sink);
    let (name, kind) = (name?, kind?);
    let group = match version.split('/').collect::<Vec<_>>()[..] {
        [_] => "",
        [group, _] => group,
        _ => {
            sink.push(place.error(format!("`{version}` is not an apiVersion")).help("write `apps/v1`"));
            return None;
        }
    };
    let why = no_scale(group, &kind);
    if let Some(why) = &why {
        let warning = place.warning(format!("the autoscaler never acts: FailedGetScale, {why}"));
        let warning = match group {
            "" => warning.note("an API server of 1.35 or later refuses it: `apiVersion must specify API group`"),
            _ => warning,
        };
        sink.push(match SCALABLE.iter().find(|(known, own)| !known.is_empty() && *own == kind) {
            Some((known, _)) => warning.help(format!("write `apiVersion: {known}/v1`")),
            None => warning,
        });
    }
    Some((name, why))
}

/// Built-in kinds with a scale subresource, by API group.
const SCALABLE: [(&str, &str); 4] =
    [("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "ReplicaSet"), ("", "ReplicationController")];

/// Built-in kinds without a scale subresource, by API group.
const UNSCALABLE: [(&str, &str); 5] =
    [("apps", "DaemonSet"), ("apps", "ControllerRevision"), ("batch", "Job"), ("batch", "CronJob"), ("", "Pod")];

/// Why the controller cannot read the scale of a `kind` in `group`, if so. The controller looks up group and kind and
/// ignores the version. A group with a dot in its name holds custom resources, which may have a scale.
fn no_scale(group: &str, kind: &str) -> Option<String> {
    let own = group.contains('.') && !group.ends_with(".k8s.io");
    if own || SCALABLE.contains(&(group, kind)) {
        return None;
    }
    Some(if UNSCALABLE.contains(&(group, kind)) {
        format!("a {kind} has no scale")
    } else {
        format!("no matches for kind \"{kind}\" in group \"{group}\"")
    })
}

/// Reports the annotations that hold everything but the CPU target in v1.
fn alpha_annotations(object: &Yaml, sink: &mut Diagnostics) {
    let annotations = object.get("metadata").and_then(|m| m.get("annotations"));
    for name in ["autoscaling.alpha.kubernetes.io/metrics", "autoscaling.alpha.kubernetes.io/behavior"] {
        if let Some(node) = annotations.and_then(|a| a.get(name)) {
            let warning = node.warning(format!("the annotation `{name}` is not read"));
            sink.push(warning.help("write the autoscaler as autoscaling/v2"));
        }
    }
}

/// Reads the `autoscaling:` block of a Helm chart's values, with the names of the standard chart.
pub(super) fn read_helm_values(values: &Yaml, sink: &mut Diagnostics) -> Option<HpaSpec> {
    let owner = "autoscaling";
    let fields = Fields::open(values.get("autoscaling")?, owner, sink)?;
    if fields.optional("enabled", sink) == Some(false) {
        sink.push(fields.node().error("`autoscaling.enabled` is false: the chart makes no autoscaler"));
        return None;
    }
    let min: Option<u32> = fields.optional("minReplicas", sink);
    let max: Option<u32> = fields.required("maxReplicas", sink);
    let cpu: Option<u32> = fields.optional("targetCPUUtilizationPercentage", sink);
    let memory: Option<u32> = fields.optional("targetMemoryUtilizationPercentage", sink);
    let behavior = fields.node_of("behavior").and_then(|node| read_behavior(node, sink));
    let node = fields.node();
    finish_leniently(&fields, owner, sink);
    let memory = memory.map(|p| MetricSpec::Resource { resource: Resource::Memory, target: Target::Utilization(p) });
    let metrics = cpu.map(cpu_utilization).into_iter().chain(memory).collect();
    checked(node, owner, min, max?, metrics, behavior, sink)
}

/// Reads `metrics` in the v2 format.
pub(super) fn read_metrics(node: &Yaml, sink: &mut Diagnostics) -> Vec<MetricSpec> {
    metric_list(node, Style::Nested, sink)
}

fn metric_list(node: &Yaml, style: Style, sink: &mut Diagnostics) -> Vec<MetricSpec> {
    let Value::Sequence(items) = &node.value else {
        sink.push(node.error(format!("`metrics` must be a list, not {}", node.kind())));
        return Vec::new();
    };
    items.iter().filter_map(|item| metric(item, style, sink)).collect()
}

const KINDS: [(&str, &str); 5] = [
    ("Resource", "resource"),
    ("ContainerResource", "containerResource"),
    ("Pods", "pods"),
    ("Object", "object"),
    ("External", "external"),
];

fn metric(node: &Yaml, style: Style, sink: &mut Diagnostics) -> Option<MetricSpec> {
    let fields = Fields::open(node, "metric", sink)?;
    let kind: Option<String> = fields.required("type", sink);
    let sources = KINDS.map(|(kind, name)| (kind, name, fields.node_of(name)));
    let kind_node = fields.node_of("type");
    fields.finish(sink);
    let kind = kind?;
    let Some((_, name, source)) = sources.iter().find(|(known, ..)| *known == kind) else {
        let error = kind_node.unwrap_or(node).error(format!("`{kind}` is not a type of metric"));
        sink.push(match did_you_mean(&kind, KINDS.map(|(known, _)| known)) {
            Some(question) => error.label(question),
            None => error.note(format!("types: {}", KINDS.map(|(known, _)| known).join(", "))),
        });
        return None;
    };
    let Some(source) = source else {
        sink.push(node.error(format!("a metric of type {kind} has no `{name}`")).help(format!("add `{name}:`")));
        return None;
    };
    let source = Fields::open(source, name, sink)?;
    let spec = match (style, kind.as_str()) {
        (Style::Nested, _) => nested(&source, &kind, sink),
        (Style::Flat, _) => flat(&source, &kind, sink),
    };
    source.finish(sink);
    spec
}

/// Reads a metric source with a nested `target`.
fn nested(fields: &Fields<'_>, kind: &str, sink: &mut Diagnostics) -> Option<MetricSpec> {
    let target = match fields.node_of("target") {
        Some(node) => read_target(node, kind, sink),
        // A misspelt `target` is reported as an unknown field, but its content is checked all the same.
        None => match fields.entries().iter().find(|(key, _)| suggest(&key.text, ["target"]).is_some()) {
            Some((_, misspelt)) => read_target(misspelt, kind, sink),
            None => {
                sink.push(fields.node().error("the metric has no `target`").help("add `target:`"));
                None
            }
        },
    };
    match kind {
        "Resource" => Some(MetricSpec::Resource { resource: fields.required("name", sink)?, target: target? }),
        "ContainerResource" => {
            let (resource, container) = (fields.required("name", sink), fields.required("container", sink));
            Some(MetricSpec::ContainerResource { resource: resource?, container: container?, target: target? })
        }
        _ => {
            if kind == "Object" {
                fields.node_of("describedObject");
            }
            let identity = fields.node_of("metric");
            if identity.is_none() {
                fields.missing(&["metric"], fields.node().error("the metric has no `metric: { name: ... }`"), sink);
            }
            let identity = Fields::open(identity?, "metric", sink)?;
            let name = identity.required("name", sink);
            identity.node_of("selector");
            identity.finish(sink);
            custom(kind, name?, target?)
        }
    }
}

/// Reads a metric source in the v2beta1 format.
fn flat(fields: &Fields<'_>, kind: &str, sink: &mut Diagnostics) -> Option<MetricSpec> {
    let resource_target = |sink: &mut Diagnostics| {
        let percent: Option<u32> = fields.optional("targetAverageUtilization", sink);
        let average: Option<Quantity> = fields.optional("targetAverageValue", sink);
        let target = percent.map(Target::Utilization).or(average.map(Target::AverageValue));
        if target.is_none() {
            let error = fields.node().error("the metric has no target");
            sink.push(error.help("add `targetAverageUtilization:` or `targetAverageValue:`"));
        }
        target
    };
    match kind {
        "Resource" => {
            let target = resource_target(sink);
            Some(MetricSpec::Resource { resource: fields.required("name", sink)?, target: target? })
        }
        "ContainerResource" => {
            let target = resource_target(sink);
            let (resource, container) = (fields.required("name", sink), fields.required("container", sink));
            Some(MetricSpec::ContainerResource { resource: resource?, container: container?, target: target? })
        }
        _ => {
            let name = fields.required("metricName", sink);
            let (value, average, ignored): (_, _, &[&'static str]) = match kind {
                "Pods" => (None, "targetAverageValue", &["selector"]),
                "Object" => (Some("targetValue"), "averageValue", &["target", "selector"]),
                _ => (Some("targetValue"), "targetAverageValue", &["metricSelector"]),
            };
            for name in ignored {
                fields.node_of(name);
            }
            let average: Option<Quantity> = fields.optional(average, sink);
            let value: Option<Quantity> = value.and_then(|value| fields.optional(value, sink));
            let target = average.map(Target::AverageValue).or(value.map(Target::Value));
            if target.is_none() {
                sink.push(fields.node().error("the metric has no target"));
            }
            custom(kind, name?, target?)
        }
    }
}

fn custom(kind: &str, metric: String, target: Target) -> Option<MetricSpec> {
    match kind {
        "Pods" => Some(MetricSpec::Pods { metric, target }),
        "Object" => Some(MetricSpec::Object { metric, target }),
        "External" => Some(MetricSpec::External { metric, target }),
        _ => None,
    }
}

/// The kinds of target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    Utilization,
    AverageValue,
    Value,
}

impl Goal {
    const ALL: [Goal; 3] = [Goal::Utilization, Goal::AverageValue, Goal::Value];

    const fn kind(self) -> &'static str {
        match self {
            Goal::Utilization => "Utilization",
            Goal::AverageValue => "AverageValue",
            Goal::Value => "Value",
        }
    }

    const fn field(self) -> &'static str {
        match self {
            Goal::Utilization => "averageUtilization",
            Goal::AverageValue => "averageValue",
            Goal::Value => "value",
        }
    }
}

/// Reads the target of a metric of type `metric`. The API server requires a known `type` and a field that is valid for
/// the metric, but not that the two match. The controller uses the field that is set, except for Object metrics: there
/// it uses the type, and finds nothing if another field is set.
fn read_target(node: &Yaml, metric: &str, sink: &mut Diagnostics) -> Option<Target> {
    let fields = Fields::open(node, "target", sink)?;
    let kind: Option<String> = fields.required("type", sink);
    let given = Goal::ALL.map(|goal| (goal, fields.node_of(goal.field())));
    let known = fields.asked();
    let misspelt = fields.entries().iter().any(|(key, _)| !known.contains(&key.text.as_str()));
    fields.finish(sink);
    let (kind, place) = (kind?, node.get("type").unwrap_or(node));
    let Some(stated) = Goal::ALL.into_iter().find(|goal| goal.kind() == kind) else {
        sink.push(unknown(place, &kind, "type of target", &Goal::ALL.map(Goal::kind)));
        return None;
    };
    // In the order in which the controller checks them.
    let order: &[Goal] = match metric {
        "Resource" | "ContainerResource" => &[Goal::AverageValue, Goal::Utilization],
        "Pods" => &[Goal::AverageValue],
        _ => &[Goal::AverageValue, Goal::Value],
    };
    let value_of = |goal: Goal| given.iter().find(|(known, _)| *known == goal).and_then(|(_, node)| *node);
    let found: Vec<(Goal, &Yaml)> = order.iter().filter_map(|goal| Some((*goal, value_of(*goal)?))).collect();
    if let ([_, (other, second)], false) = (&found[..], metric == "Object") {
        let message = format!("a target has `{}` or `{}`, not both", Goal::AverageValue.field(), other.field());
        sink.push(second.error(message));
        return None;
    }
    let by_type = found.iter().find(|(goal, _)| *goal == stated);
    let Some((goal, value)) = by_type.or(found.first()) else {
        if !misspelt {
            sink.push(no_target(node, place, metric, stated, order));
        }
        return None;
    };
    if *goal != stated {
        let warning =
            format!("the target is of type {kind} and gives `{}`, which the API server accepts", goal.field());
        let note = match metric {
            "Object" => format!("the controller looks for `{}`, finds nothing, and the metric fails", stated.field()),
            _ => "the controller uses the field".into(),
        };
        sink.push(place.warning(warning).note(note).help(format!("write `type: {}`", goal.kind())));
    }
    let target = match goal {
        Goal::Utilization => Target::Utilization(positive(u32::from_node(value, sink)?, value, sink)?),
        Goal::AverageValue => Target::AverageValue(positive(Quantity::from_node(value, sink)?, value, sink)?),
        Goal::Value => Target::Value(positive(Quantity::from_node(value, sink)?, value, sink)?),
    };
    Some(if *goal != stated && metric == "Object" { Target::Missing } else { target })
}

/// Reports that none of the fields valid for the metric is given.
fn no_target(node: &Yaml, kind: &Yaml, metric: &str, stated: Goal, possible: &[Goal]) -> Diagnostic {
    if !possible.contains(&stated) {
        let types: Vec<&str> = possible.iter().map(|goal| goal.kind()).collect();
        let error = kind.error(format!("a target of a {metric} metric cannot be a {}", stated.kind()));
        return error.note(format!("types: {}", types.join(", ")));
    }
    let error = node.error(format!("a target of type {} has no `{}`", stated.kind(), stated.field()));
    error.help(format!("add `{}:`", stated.field()))
}

/// Reports that `word` is not in `known`, with the closest match or the whole list.
fn unknown(node: &Yaml, word: &str, what: &str, known: &[&str]) -> Diagnostic {
    let error = node.error(format!("`{word}` is not a {what}"));
    match did_you_mean(word, known.iter().copied()) {
        Some(question) => error.label(question),
        None => error.note(format!("one of {}", known.join(", "))),
    }
}

fn positive<T: Default + PartialOrd>(value: T, node: &Yaml, sink: &mut Diagnostics) -> Option<T> {
    if value > T::default() {
        return Some(value);
    }
    sink.push(node.error("must be above zero"));
    None
}

impl FromNode for Resource {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let text = String::from_node(node, sink)?;
        let known = [Resource::Cpu, Resource::Memory];
        let found = known.into_iter().find(|resource| resource.name() == text);
        if found.is_none() {
            let error = node.error(format!("`{text}` is not measured as a resource"));
            sink.push(match did_you_mean(&text, known.map(Resource::name)) {
                Some(question) => error.label(question),
                None => error.note("resources: cpu, memory"),
            });
        }
        found
    }
}

/// Reads `behavior`.
pub(in crate::policy) fn read_behavior(node: &Yaml, sink: &mut Diagnostics) -> Option<Behavior> {
    let fields = Fields::open(node, "behavior", sink)?;
    let half = |name, sink: &mut Diagnostics| match fields.node_of(name) {
        Some(node) => rules(node, name, sink),
        None => Some(RulesSpec::default()),
    };
    let (up, down) = (half("scaleUp", sink), half("scaleDown", sink));
    fields.finish(sink);
    Some(Behavior { scale_up: up?, scale_down: down? })
}

/// The longest window and period that the API accepts, in seconds.
const MAX_WINDOW: u32 = 3600;
const MAX_PERIOD: u32 = 1800;

fn rules(node: &Yaml, owner: &str, sink: &mut Diagnostics) -> Option<RulesSpec> {
    let fields = Fields::open(node, owner, sink)?;
    let window = fields.node_of("stabilizationWindowSeconds");
    let window = window.and_then(|node| bounded_seconds(node, 0, MAX_WINDOW, sink));
    let select = fields.node_of("selectPolicy").and_then(|node| select_policy(node, sink));
    let tolerance = fields.node_of("tolerance").and_then(|node| read_tolerance(node, sink));
    let policies = fields.node_of("policies").map(|node| match &node.value {
        Value::Sequence(items) if !items.is_empty() => {
            items.iter().filter_map(|item| rate_policy(item, sink)).collect::<Vec<_>>()
        }
        _ => {
            sink.push(node.error("`policies` must be a list with at least one policy"));
            Vec::new()
        }
    });
    fields.finish(sink);
    Some(RulesSpec { policies, stabilization_window: window, select_policy: select, tolerance })
}

fn rate_policy(node: &Yaml, sink: &mut Diagnostics) -> Option<RatePolicy> {
    let fields = Fields::open(node, "policy", sink)?;
    let kind: Option<String> = fields.required("type", sink);
    let value: Option<u32> = fields.required("value", sink);
    let period = fields.node_of("periodSeconds");
    if period.is_none() {
        let _: Option<u32> = fields.required("periodSeconds", sink);
    }
    fields.finish(sink);
    let value = positive(value?, node.get("value").unwrap_or(node), sink)?;
    let amount = match kind?.as_str() {
        "Pods" => Amount::Pods(value),
        "Percent" => Amount::Percent(value),
        other => {
            sink.push(unknown(node.get("type").unwrap_or(node), other, "type of policy", &["Pods", "Percent"]));
            return None;
        }
    };
    Some(RatePolicy { amount, period: bounded_seconds(period?, 1, MAX_PERIOD, sink)? })
}

fn select_policy(node: &Yaml, sink: &mut Diagnostics) -> Option<SelectPolicy> {
    match String::from_node(node, sink)?.as_str() {
        "Max" => Some(SelectPolicy::Max),
        "Min" => Some(SelectPolicy::Min),
        "Disabled" => Some(SelectPolicy::Disabled),
        other => {
            sink.push(unknown(node, other, "selectPolicy", &["Max", "Min", "Disabled"]));
            None
        }
    }
}

/// Reads a tolerance such as `0.05`, `5%` or `50m`.
pub(super) fn read_tolerance(node: &Yaml, sink: &mut Diagnostics) -> Option<f64> {
    let text = node.as_text().unwrap_or("").trim();
    if let Some(value) = text.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0) {
        return Some(value);
    }
    if let Some(percent) = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok())
        && percent.is_finite()
        && percent >= 0.0
    {
        return Some(percent / 100.0);
    }
    Quantity::from_node(node, sink).map(|quantity| quantity.millis() as f64 / 1000.0)
}

fn bounded_seconds(node: &Yaml, least: u32, most: u32, sink: &mut Diagnostics) -> Option<SimDuration> {
    let seconds = u32::from_node(node, sink)?;
    if !(least..=most).contains(&seconds) {
        sink.push(node.error(format!("must be between {least} and {most} seconds")));
        return None;
    }
    Some(SimDuration::from_secs(u64::from(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SourceFile;
    use crate::config::kubernetes::Manifests;
    use rstest::rstest;

    fn read(text: &str) -> (Option<HpaManifest>, String) {
        let mut sink = Diagnostics::new();
        let manifests = Manifests::parse(&SourceFile::new("hpa.yaml", text), &mut sink).unwrap_or_default();
        let manifest = manifests.objects.first().and_then(|object| read_manifest(object, &mut sink));
        (manifest, sink.to_string())
    }

    fn hpa(version: &str, rest: &str) -> String {
        let head = "kind: HorizontalPodAutoscaler\nmetadata: { name: shop }\nspec:\n  scaleTargetRef: \
                    { apiVersion: apps/v1, kind: Deployment, name: web }\n  minReplicas: 2\n  maxReplicas: 9\n";
        format!("apiVersion: autoscaling/{version}\n{head}{rest}")
    }

    const CPU_60: MetricSpec = MetricSpec::Resource { resource: Resource::Cpu, target: Target::Utilization(60) };

    #[rstest]
    #[case("v1", "  targetCPUUtilizationPercentage: 60\n", CPU_60)]
    #[case("v1", "", cpu_utilization(80))]
    #[case("v2", "", cpu_utilization(80))]
    #[case(
        "v2beta1",
        "  metrics:\n  - type: Resource\n    resource: { name: cpu, targetAverageUtilization: 60 }\n",
        CPU_60
    )]
    #[case(
        "v2beta2",
        "  metrics:\n  - type: Resource\n    resource: { name: cpu, target: { type: Utilization, averageUtilization: 60 } }\n",
        CPU_60
    )]
    #[case(
        "v2",
        "  metrics: [{ type: Resource, resource: { name: memory, target: { type: AverageValue, averageValue: 1Ki } } }]\n",
        MetricSpec::Resource {
            resource: Resource::Memory,
            target: Target::AverageValue(Quantity::from_millis(1_024_000))
        }
    )]
    #[case(
        "v2",
        "  metrics:\n  - type: Pods\n    pods: { metric: { name: rps }, target: { type: AverageValue, averageValue: 1k } }\n",
        MetricSpec::Pods { metric: "rps".into(), target: Target::AverageValue(Quantity::from_millis(1_000_000)) }
    )]
    #[case(
        "v2beta1",
        "  metrics:\n  - type: External\n    external: { metricName: q, targetValue: 100m }\n",
        MetricSpec::External { metric: "q".into(), target: Target::Value(Quantity::from_millis(100)) }
    )]
    #[case(
        "v2",
        "  metrics:\n  - type: Object\n    object:\n      describedObject: { kind: Ingress, name: i }\n      metric: { name: rps }\n      target: { type: AverageValue, averageValue: '5' }\n",
        MetricSpec::Object { metric: "rps".into(), target: Target::AverageValue(Quantity::from_millis(5000)) }
    )]
    fn every_version_is_read(#[case] version: &str, #[case] rest: &str, #[case] metric: MetricSpec) {
        let (manifest, shown) = read(&hpa(version, rest));
        assert_eq!(shown, "");
        let manifest = manifest.unwrap();
        assert_eq!((manifest.name.as_str(), manifest.target.as_str()), ("shop", "web"));
        assert_eq!((manifest.spec.min_replicas, manifest.spec.max_replicas), (2, 9));
        assert_eq!(manifest.spec.metrics, [metric]);
        assert_eq!(manifest.spec.behavior, None);
    }

    #[test]
    fn flow_style_with_quotes_and_trailing_commas_is_read() {
        let text = r#"---
{
  apiVersion: "autoscaling/v2",
  kind: "HorizontalPodAutoscaler",
  metadata: { name: "shop", },
  spec: {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web", },
    maxReplicas: 10,
    behavior: {
      scaleUp: { policies: [{ type: "Percent", value: 50, periodSeconds: 60, }], tolerance: "0.05", },
      scaleDown: { stabilizationWindowSeconds: 0, selectPolicy: "Disabled", },
    },
  },
}
"#;
        let (manifest, shown) = read(text);
        assert_eq!(shown, "");
        let spec = manifest.unwrap().spec;
        let behavior = spec.behavior.unwrap();
        assert_eq!(spec.min_replicas, 1);
        assert_eq!(behavior.scale_up.tolerance, Some(0.05));
        let policy = RatePolicy { amount: Amount::Percent(50), period: SimDuration::from_secs(60) };
        assert_eq!(behavior.scale_up.policies, Some(vec![policy]));
        assert_eq!(behavior.scale_down.stabilization_window, Some(SimDuration::ZERO));
        assert_eq!(behavior.scale_down.select_policy, Some(SelectPolicy::Disabled));
    }

    #[rstest]
    #[case("metadata:", "meta:", &["did you mean `metadata`?"])]
    #[case("kind: HorizontalPodAutoscaler", "kind: HorizontalPodAudoscaler", &["did you mean `HorizontalPodAutoscaler`?"])]
    #[case("name: web", "Name: web", &["did you mean `name`?"])]
    #[case("target: { type", "targer: { type", &["did you mean `target`?"])]
    #[case("averageUtilization", "agerageUtilization", &["did you mean `averageUtilization`?"])]
    #[case(
        "target: { type: Utilization, averageUtilization",
        "targer: { type: Utilization, agerageUtilization",
        &["did you mean `target`?", "did you mean `averageUtilization`?"]
    )]
    #[case("  metrics:", "metrics:", &["`metrics` at this level", "indent `metrics:` under `spec:`"])]
    #[case("type: Resource", "type: Resources", &["`Resources` is not a type of metric", "did you mean `Resource`?"])]
    #[case("name: cpu", "name: CPU", &["did you mean `cpu`?"])]
    #[case("{ type: Utilization, averageUtilization: 60 }", "{ type: Value, value: 60 }",
        &["a Resource metric cannot be a Value", "types: AverageValue, Utilization"])]
    #[case("averageUtilization: 60", "averageUtilization: 60, averageValue: 1", &["`averageUtilization`, not both"])]
    #[case("apiVersion: apps/v1", "apiVersion: apps/v1/x", &["`apps/v1/x` is not an apiVersion", "write `apps/v1`"])]
    #[case("maxReplicas: 9", "maxReplicas: 1", &["the maximum of 1 replicas is below the minimum of 2"])]
    #[case("minReplicas: 2", "minReplicas: 0", &["scaling to zero needs an Object or External metric"])]
    #[case("averageUtilization: 60", "averageUtilization: 0", &["must be above zero"])]
    #[case("autoscaling/v2", "autoscaling/v3", &["has no apiVersion `autoscaling/v3`", "write `autoscaling/v2`"])]
    #[case("{ name: shop }", "{{ include \"name\" . }}", &["Helm or Go template", "helm template"])]
    #[case("minReplicas: 2", "minReplicas: 2\n  behavior: { scaleUp: { policies: [{ type: Pods, value: 1, periodSeconds: 1801 }] } }",
        &["must be between 1 and 1800 seconds"])]
    fn mistakes_get_a_caret_and_the_likely_name(#[case] from: &str, #[case] to: &str, #[case] words: &[&str]) {
        let rest = "  metrics:\n  - type: Resource\n    \
                    resource: { name: cpu, target: { type: Utilization, averageUtilization: 60 } }\n";
        let valid = hpa("v2", rest);
        assert!(read(&valid).0.is_some());
        let broken = valid.replacen(from, to, 1);
        assert_ne!(valid, broken);
        let (_, shown) = read(&broken);
        for word in words {
            assert!(shown.contains(word), "`{word}` is missing in:\n{shown}");
        }
        assert!(shown.contains('^') && shown.contains("hpa.yaml:"), "{shown}");
    }
}
