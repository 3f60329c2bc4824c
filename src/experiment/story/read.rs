//! From a YAML file to a story.

use std::path::Path;
use std::sync::Arc;

use super::{Expected, LONGEST, Load, Metrics, PodStates, Service, Step, Story};
use crate::cluster::PodSpec;
use crate::config::kubernetes::Release;
use crate::config::{
    Diagnostics, Fields, FromNode, Line, Lines, MAX_YAML_BYTES, Name, SourceFile, Value, Yaml, not_one_of, parse_single,
};
use crate::policy::{
    Measure, OwnPolicy, PolicyContext, ReasonCode, Unit, measure_named, not_measured, read_metric_names, read_policy,
    without_unit,
};
use crate::scenario::read_deployment;
use crate::units::{Bytes, Millicores, Rate, SimDuration, SimTime, Utilization};

/// Maximum value of a measure; larger ones would make sums meaningless.
const MOST: f64 = 1e15;

impl Story {
    /// Reads the story at `path`, which may use the policies of `own` besides the built-in ones. Reports all problems
    /// together; returns `None` if any of them is an error.
    pub fn read(path: &Path, own: &[OwnPolicy], sink: &mut Diagnostics) -> Option<Story> {
        match SourceFile::read(path, MAX_YAML_BYTES) {
            Ok(source) => Story::parse(&source, &crate::config::spool::directory_of(path), own, sink),
            Err(diagnostic) => {
                sink.push(*diagnostic);
                None
            }
        }
    }

    /// Reads a story from a text; relative paths start from `base_dir`.
    pub fn parse(
        source: &Arc<SourceFile>,
        base_dir: &Path,
        own: &[OwnPolicy],
        sink: &mut Diagnostics,
    ) -> Option<Story> {
        let errors = sink.errors();
        let root = match parse_single(source) {
            Ok(root) => root,
            Err(diagnostic) => {
                sink.push(*diagnostic);
                return None;
            }
        };
        let story = story(root, base_dir, own, sink).filter(|_| sink.errors() == errors)?;
        let checked = story.policy.as_ref().map(|factory| story.period(&*factory(&story.prospect())));
        match checked {
            Some(Err(diagnostic)) => {
                sink.push(*diagnostic);
                None
            }
            _ => Some(story),
        }
    }
}

fn story(root: Yaml, base_dir: &Path, own: &[OwnPolicy], sink: &mut Diagnostics) -> Option<Story> {
    let fields = Fields::open(&root, "the story", sink)?;
    let title = fields.optional("story", sink).map_or_else(|| String::from("a story"), |Line(title)| title);
    let _: Option<Lines> = fields.optional("description", sink);
    let every: Option<SimDuration> = fields.optional("every", sink);
    let (name, service, pod) = read_service(&fields, base_dir, sink);
    let (window, metric_names) = read_pipeline(&fields, sink);
    let release: Release = fields.or("kubernetes", Release::default(), sink);
    let context =
        PolicyContext { base_dir, service: &name, pod: Some(&pod), metric_names: &metric_names, release, own };
    let policy = fields.node_of("policy").map(|node| read_policy(node, "policy", &context, sink));
    let steps = read_steps(&fields, &service, &metric_names, sink);
    if let Some(node) = fields.node_of("every").filter(|_| every.is_some_and(SimDuration::is_zero)) {
        sink.push(node.error("`every` has no length"));
    }
    fields.finish(sink);
    let path = root.source.name().to_string();
    Some(Story { title, path, policy: policy.flatten(), service, window, metric_names, every, steps, root })
}

/// Reads the service: its name, properties and pods, whose CPU and memory use is stated by the story.
fn read_service(fields: &Fields<'_>, base_dir: &Path, sink: &mut Diagnostics) -> (String, Service, PodSpec) {
    let told = PodSpec { memory_stated: true, ..PodSpec::default() };
    let mut service = Service { replicas: 1, cpu_request: None, memory_request: None, start_up: SimDuration::ZERO };
    let given = fields.node_of("service").and_then(|node| Fields::open(node, "service", sink));
    let Some(given) = given else { return (String::new(), service, told) };
    let defaults = read_deployment(&given, base_dir, sink).unwrap_or_default();
    let name = given.optional("name", sink).map(|Name(name)| name).or(defaults.name).unwrap_or_default();
    service.replicas = given.optional("replicas", sink).or(defaults.replicas).unwrap_or(1);
    service.start_up = given.or("start-up", SimDuration::ZERO, sink);
    (service.cpu_request, service.memory_request) = (defaults.cpu_request, defaults.memory_request);
    let mut pod = PodSpec { memory_stated: true, ..defaults.pod };
    if let Some(resources) = given.node_of("resources").and_then(|node| Fields::open(node, "resources", sink)) {
        // As in a scenario; resources that a story does not use, such as `nvidia.com/gpu`, are ignored.
        let plain = resources.node_of("requests").map(|node| node.split_entries(|name| name.contains('/')).1);
        if let Some(requests) = plain.as_ref().and_then(|node| Fields::open(node, "requests", sink)) {
            let (cpu, memory) = (requests.optional("cpu", sink), requests.optional("memory", sink));
            pod.state_requests(cpu, memory);
            (service.cpu_request, service.memory_request) =
                (cpu.or(service.cpu_request), memory.or(service.memory_request));
            requests.finish(sink);
        }
        resources.node_of("limits");
        resources.finish(sink);
    }
    given.finish(sink);
    let pod = pod.or_one(service.cpu_request, service.memory_request);
    (name, service, pod)
}

/// The window of the metrics and the names of custom ones.
fn read_pipeline(fields: &Fields<'_>, sink: &mut Diagnostics) -> (SimDuration, Vec<(String, Measure)>) {
    let usual = SimDuration::from_secs(15);
    let given = fields.node_of("metrics").and_then(|node| Fields::open(node, "metrics", sink));
    let Some(given) = given else { return (usual, Vec::new()) };
    let window = given.or("window", usual, sink);
    let names = given.node_of("custom").map_or_else(Vec::new, |node| read_metric_names(node, sink));
    given.finish(sink);
    (window, names)
}

fn read_steps(
    fields: &Fields<'_>,
    service: &Service,
    names: &[(String, Measure)],
    sink: &mut Diagnostics,
) -> Vec<Step> {
    let items = match fields.node_of("steps").map(|node| (node, &node.value)) {
        Some((_, Value::Sequence(items))) if !items.is_empty() => items,
        Some((node, _)) => {
            sink.push(
                node.error("`steps` must be a list of one step or more")
                    .help("- { at: 15s, metrics: { cpu: 90% }, expect: 6 }"),
            );
            return Vec::new();
        }
        None => {
            let error = fields.node().error("the story has no `steps`");
            let help = "add `steps:`, such as `- { at: 15s, metrics: { cpu: 90% }, expect: 6 }`";
            fields.missing(&["steps"], error.help(help), sink);
            return Vec::new();
        }
    };
    let mut steps: Vec<Step> = Vec::new();
    for item in items {
        let Some(step) = read_step(item, service, names, sink) else { continue };
        if steps.last().is_some_and(|last| last.at >= step.at) {
            sink.push(item.get("at").unwrap_or(item).error("a step must be later than the one before it"));
        }
        steps.push(step);
    }
    let whole = steps.len() == items.len();
    if whole && steps.iter().all(|step| step.expect.is_none()) {
        sink.push(items[0].error("no step expects anything").help("add `expect: { replicas: 6 }` to a step"));
    }
    steps
}

fn read_step(node: &Yaml, service: &Service, names: &[(String, Measure)], sink: &mut Diagnostics) -> Option<Step> {
    let fields = Fields::open(node, "step", sink)?;
    let at: Option<SimDuration> = fields.required("at", sink);
    if at.is_some_and(|at| at > LONGEST) {
        sink.push(fields.node_of("at").unwrap_or(node).error("a story lasts ten years at most"));
    }
    let replicas = fields.optional("replicas", sink);
    let states = fields.node_of("pods").and_then(|node| read_states(node, sink));
    let metrics = fields.node_of("metrics").map(|node| read_metrics(node, service, names, sink));
    let expect = fields.node_of("expect").and_then(|node| read_expected(node, sink));
    fields.finish(sink);
    let metrics = metrics.unwrap_or(Metrics::Set(Vec::new()));
    Some(Step { at: SimTime::ZERO.saturating_add(at?), node: node.clone(), replicas, states, metrics, expect })
}

fn read_states(node: &Yaml, sink: &mut Diagnostics) -> Option<PodStates> {
    let fields = Fields::open(node, "pods", sink)?;
    let states = PodStates {
        pending: fields.or("pending", 0, sink),
        starting: fields.or("starting", 0, sink),
        not_ready: fields.or("not-ready", 0, sink),
        unmeasured: fields.or("unmeasured", 0, sink),
    };
    fields.finish(sink);
    Some(states)
}

fn read_metrics(node: &Yaml, service: &Service, names: &[(String, Measure)], sink: &mut Diagnostics) -> Metrics {
    let entries = match &node.value {
        Value::Scalar(text) if text == "none" => return Metrics::Gone,
        Value::Mapping(entries) => entries,
        _ => {
            sink.push(node.error("expected metrics, such as `{ cpu: 90% }`, or `none`"));
            return Metrics::Gone;
        }
    };
    let mut set = Vec::new();
    for (key, value) in entries {
        let Some(measure) = measure_named(&key.text, names) else {
            sink.push(not_measured(&Yaml { span: key.span, ..node.clone() }, &key.text, names));
            continue;
        };
        if value.as_text() == Some("none") {
            set.push((measure, None));
            continue;
        }
        set.extend(read_load(measure, value, service, sink).map(|load| (measure, Some(load))));
    }
    Metrics::Set(set)
}

/// Reads `90%`, `{ each: 450m }` or `{ total: 120/s }`.
fn read_load(measure: Measure, node: &Yaml, service: &Service, sink: &mut Diagnostics) -> Option<Load> {
    let of_each = measure.is_resource() || measure.is_average();
    let (node, of_each) = match &node.value {
        Value::Mapping(_) => {
            let fields = Fields::open(node, "metric", sink)?;
            let (each, total) = (fields.node_of("each"), fields.node_of("total"));
            fields.finish(sink);
            match (each, total) {
                (Some(each), None) => (each, true),
                (None, Some(total)) => (total, false),
                _ => {
                    sink.push(node.error("expected `{ each: ... }`, per pod, or `{ total: ... }`, for the service"));
                    return None;
                }
            }
        }
        _ => {
            if let Some(error) = without_unit(measure, node) {
                sink.push(error);
                return None;
            }
            (node, of_each)
        }
    };
    // An average is the same for a pod and for the service.
    let of_each = of_each || measure.is_average();
    let value = amount(measure, node, of_each, service, sink)?;
    if value > MOST {
        sink.push(node.error("the value is too large to be measured"));
        return None;
    }
    Some(if of_each { Load::Each(value) } else { Load::Total(value) })
}

/// A value in the unit of the measure; shares are relative to a pod's request.
fn amount(measure: Measure, node: &Yaml, of_each: bool, service: &Service, sink: &mut Diagnostics) -> Option<f64> {
    let share = node.as_text().is_some_and(|text| text.ends_with('%'));
    let request = match measure {
        Measure::Cpu => service.cpu_request.map(|cpu| cpu.as_cores()),
        Measure::Memory => service.memory_request.map(|memory| memory.get() as f64),
        _ => None,
    };
    if share && measure.is_resource() {
        let name = measure.name();
        let Some(request) = request else {
            let error = node.error(format!("the percentage has no reference: the service has no {name} request"));
            sink.push(error.help(format!("add `service: {{ resources: {{ requests: {{ {name}: ... }} }} }}`")));
            return None;
        };
        if !of_each {
            sink.push(node.error("a percentage refers to each pod's request; a total must be an amount"));
            return None;
        }
        let amount = Utilization::from_node(node, sink)?.get() * request;
        // Rounded up to whole bytes, so that the share of the request is as stated and not one per cent less.
        return Some(if measure.spec().unit == Unit::Bytes { amount.ceil() } else { amount });
    }
    match measure.spec().unit {
        Unit::Cores => Millicores::from_node(node, sink).map(Millicores::as_cores),
        Unit::Bytes => Bytes::from_node(node, sink).map(|bytes| bytes.get() as f64),
        Unit::PerSecond => Rate::from_node(node, sink).map(Rate::get),
        Unit::Seconds => SimDuration::from_node(node, sink).map(SimDuration::as_secs_f64),
        Unit::Share if share => Utilization::from_node(node, sink).map(Utilization::get),
        Unit::Share | Unit::Requests => f64::from_node(node, sink).and_then(|value| {
            if value < 0.0 {
                sink.push(node.error("expected a number, zero or more"));
            }
            (value >= 0.0).then_some(value)
        }),
    }
}

/// Reads `6`, `4..6` or `{ replicas: 6, reason: target, says: cpu 90% }`.
fn read_expected(node: &Yaml, sink: &mut Diagnostics) -> Option<Expected> {
    if !matches!(node.value, Value::Mapping(_)) {
        return Some(Expected { replicas: Some(read_size(node, sink)?), ..Expected::default() });
    }
    let fields = Fields::open(node, "expect", sink)?;
    let replicas = fields.node_of("replicas").map(|node| read_size(node, sink));
    let reason = fields.node_of("reason").map(|node| read_reason(node, sink));
    let says: Option<String> = fields.optional("says", sink);
    fields.finish(sink);
    if replicas.is_none() && reason.is_none() && says.is_none() {
        sink.push(node.error("nothing is expected").help("for example `expect: { replicas: 6, reason: target }`"));
        return None;
    }
    Some(Expected { replicas: replicas.flatten(), reason: reason.flatten(), says })
}

/// A size, or a range of sizes.
fn read_size(node: &Yaml, sink: &mut Diagnostics) -> Option<(u32, u32)> {
    let text = node.as_text().unwrap_or("");
    let size = match text.split_once("..") {
        None => text.parse().ok().map(|size: u32| (size, size)),
        Some((least, most)) => {
            let end = |text: &str, open: u32| if text.is_empty() { Some(open) } else { text.parse().ok() };
            end(least.trim(), 0).zip(end(most.trim(), u32::MAX)).filter(|(least, most)| least <= most)
        }
    };
    if size.is_none() {
        sink.push(node.error("expected a number of replicas, such as `6`, or a range, such as `4..6`"));
    }
    size
}

fn read_reason(node: &Yaml, sink: &mut Diagnostics) -> Option<ReasonCode> {
    let text = node.as_text().unwrap_or("");
    let found = ReasonCode::ALL.into_iter().find(|code| code.name() == text);
    if found.is_none() {
        let known = ReasonCode::ALL.map(ReasonCode::name);
        sink.push(not_one_of(node, text, "a kind of reason", &known));
    }
    found
}
