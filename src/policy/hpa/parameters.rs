//! The parameters of `hpa` in a scenario.
//!
//! Either a real manifest, used as it is:
//!
//! ```yaml
//! hpa: { manifest: shop/hpa.yaml }
//! ```
//!
//! or the fields of an `autoscaling/v2` specification in place (kebab case is accepted too):
//!
//! ```yaml
//! hpa:
//!   minReplicas: 2
//!   maxReplicas: 40
//!   metrics: [{ type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 70 } } }]
//!   behavior: { scaleDown: { stabilizationWindowSeconds: 60 } }
//! ```
//!
//! or the short form, in which `cpu` and `memory` take a share of the request or an amount per pod (with its unit).
//! Every other name is a custom metric of pods with an average per pod:
//!
//! ```yaml
//! hpa: { min: 2, max: 40, target: { cpu: 70%, in-flight: 3 } }
//! ```
//!
//! Each form also takes the flags of the controller: `sync-period` (15s), `tolerance` (0.1),
//! `cpu-initialization-period` (5m), `initial-readiness-delay` (30s) and `downscale-stabilization` (5m); and its
//! release, `kubernetes` (default: that of the scenario, or 1.36). Up to 1.36 the controller acts on a size of zero if
//! the minimum allows it, from 1.37 on only if the autoscaler itself scaled to zero.

use std::sync::Arc;

use super::manifest::{self, HpaManifest, checked, read_behavior, read_manifest, read_metrics, read_tolerance};
use super::reason::missing_request;
use super::simulated::HpaPolicy;
use super::spec::{ControllerFlags, HpaSpec, MetricSpec, Resource, Target};
use crate::cluster::PodSpec;
use crate::config::kubernetes::{Manifests, Release, camel_case};
use crate::config::{Diagnostics, Fields, FromNode, Severity, Yaml};
use crate::policy::{
    Measure, PolicyContext, PolicyFactory, PolicyPlugin, Unit, measure_named, not_measured, without_unit,
};
use crate::units::{Quantity, Rate, SimDuration, Utilization};

/// The entry in the list of policies.
pub const PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "hpa",
    summary: "the Kubernetes HorizontalPodAutoscaler, from a manifest or `{ min: 2, max: 40, target: { cpu: 70% } }`",
    source: "kubernetes/kubernetes pkg/controller/podautoscaler",
    build,
};

const OWNER: &str = "policy `hpa`";

fn build(node: &Yaml, context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Option<PolicyFactory> {
    let mut found = sink.beside();
    let parameters = read(node, context, &mut found);
    let valid = found.iter().all(|d| d.severity != Severity::Error);
    sink.extend(found);
    let (spec, flags) = parameters.filter(|_| valid)?;
    let pod = context.pod.cloned().unwrap_or_default();
    Some(Arc::new(move |_| Box::new(HpaPolicy::new(spec.clone(), flags).of_pods(pod.clone()))))
}

fn read(node: &Yaml, context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Option<(HpaSpec, ControllerFlags)> {
    let fields = Fields::open(node, OWNER, sink)?;
    let flags = read_flags(&fields, context.release, sink);
    let manifest = fields.node_of("manifest");
    let inline = Inline::read(&fields, sink);
    fields.finish(sink);
    let spec = match manifest {
        Some(path) => from_manifest(path, context, sink).and_then(|stated| inline.over(stated, path, sink)),
        None => inline.into_spec(node, sink),
    };
    let spec = spec?;
    let place = manifest.unwrap_or(node);
    if let Some(pod) = context.pod {
        for metric in &spec.metrics {
            let acts = spec.metrics.iter().any(|other| other != metric && acts_on(other, metric, pod));
            check_resource(metric, acts, place, pod, sink);
        }
    }
    if let Some(flags) = flags.filter(|flags| spec.min_replicas == 0 && flags.release < Release::V1_37) {
        let release = flags.release.name();
        let message = format!("Kubernetes {release} accepts a minimum of 0 only with the feature gate HPAScaleToZero");
        sink.push(
            place
                .warning(message)
                .help("if your cluster is newer: `kubernetes: \"1.37\"`, which tracks who scaled to zero"),
        );
    }
    spec.metrics.iter().filter_map(MetricSpec::custom_name).for_each(|name| check_metric(name, place, context, sink));
    Some((spec, flags?))
}

/// Warns about a metric that the simulation does not measure: it would never scale the service.
fn check_metric(name: &str, place: &Yaml, context: &PolicyContext<'_>, sink: &mut Diagnostics) {
    let Some(measure) = measure_named(name, context.metric_names) else {
        sink.push(not_measured(place, name, context.metric_names));
        return;
    };
    let declared = context.metric_names.iter().any(|(known, _)| known == name);
    if !declared && measure.name() != name {
        let (taken, words) = (measure.name(), measure.words());
        let warning = place.warning(format!("the metric `{name}` is interpreted as `{taken}`: {words}"));
        sink.push(warning.help(format!("to confirm or change this: `metrics: {{ custom: {{ {name}: {taken} }} }}`")));
    }
}

/// Whether `other` is a metric of the same resource that works, of the container to which the use of the pods is attributed.
fn acts_on(other: &MetricSpec, metric: &MetricSpec, pod: &PodSpec) -> bool {
    let (MetricSpec::Resource { resource: wanted, .. } | MetricSpec::ContainerResource { resource: wanted, .. }) =
        metric
    else {
        return false;
    };
    match other {
        MetricSpec::ContainerResource { resource, container, target } => {
            let works =
                !matches!(target, Target::Utilization(_)) || missing_request(*resource, Some(container), pod).is_none();
            resource == wanted && pod.serving_name().is_none_or(|serving| serving == container) && works
        }
        _ => false,
    }
}

/// Warns about anything that keeps the real or the simulated autoscaler from acting on a resource metric.
fn check_resource(metric: &MetricSpec, acts_by_another: bool, place: &Yaml, pod: &PodSpec, sink: &mut Diagnostics) {
    let (resource, container, target) = match metric {
        MetricSpec::Resource { resource, target } => (*resource, None, target),
        MetricSpec::ContainerResource { resource, container, target } => (*resource, Some(container.as_str()), target),
        _ => return,
    };
    let name = resource.name();
    let names: Vec<&str> = pod.containers.iter().map(|container| container.name.as_str()).collect();
    if let Some(container) = container {
        match pod.serving_name() {
            None => {
                let message = format!(
                    "the service has no `manifest` that lists containers: `{container}` stands for the whole pod"
                );
                sink.push(place.warning(message));
            }
            Some(_) if !names.contains(&container) => {
                let warning =
                    place.warning(format!("container {container} not found in the pods: the metric always fails"));
                sink.push(warning.note(format!("containers: {}", names.join(", "))));
                return;
            }
            Some(serving) if serving != container => {
                let message = format!("the {name} use of container {container} is not modelled and counts as zero");
                let help = format!(
                    "if {container} does the work, annotate the pod template: `kubectl.kubernetes.io/default-container: {container}`"
                );
                let warning = place.warning(message).note(format!("all usage of a pod is attributed to {serving}"));
                sink.push(warning.help(help));
            }
            Some(_) => {}
        }
    }
    let missing = missing_request(resource, container, pod).filter(|_| matches!(target, Target::Utilization(_)));
    if let Some(missing) = missing {
        let message = match acts_by_another {
            true => format!("this metric of {name} always fails, and the autoscaler acts on another one: {missing}"),
            false => format!("the autoscaler will never act on {name}: {missing}"),
        };
        sink.push(place.warning(message).help(match (container, pod.serving_name()) {
            (None, Some(_)) if acts_by_another => {
                "state that request, or leave the metric out: while one metric fails, nothing is scaled down".into()
            }
            (None, Some(serving)) => {
                let other = if names.len() > 1 {
                    ", the container that does the work (another one: annotation `kubectl.kubernetes.io/default-container`)"
                } else {
                    ""
                };
                format!("state that request, or use a ContainerResource metric of `{serving}`{other}")
            }
            _ => format!("state it: `resources: {{ requests: {{ {name}: ... }} }}`"),
        }));
    }
    if resource == Resource::Memory && !pod.memory_stated {
        let warning = place.warning("the memory use of replicas is not stated: the autoscaler sees zero");
        sink.push(warning.help("add `memory: { base: 200Mi, per-request: 1Mi }` to the service"));
    }
}

fn read_flags(fields: &Fields<'_>, release: Release, sink: &mut Diagnostics) -> Option<ControllerFlags> {
    let default = ControllerFlags::default();
    let flags = ControllerFlags {
        sync_period: fields.or("sync-period", default.sync_period, sink),
        tolerance: fields.node_of("tolerance").map_or(Some(default.tolerance), |node| read_tolerance(node, sink))?,
        cpu_initialization_period: fields.or("cpu-initialization-period", default.cpu_initialization_period, sink),
        initial_readiness_delay: fields.or("initial-readiness-delay", default.initial_readiness_delay, sink),
        downscale_stabilization: fields.or("downscale-stabilization", default.downscale_stabilization, sink),
        release: fields.or("kubernetes", release, sink),
        ..default
    };
    if flags.sync_period.is_zero() {
        sink.push(fields.node_of("sync-period").unwrap_or(fields.node()).error("the sync period must be above zero"));
        return None;
    }
    Some(flags)
}

/// A specification written inline in the scenario.
struct Inline {
    min: Option<u32>,
    max: Option<u32>,
    metrics: Vec<MetricSpec>,
    behavior: Option<super::spec::Behavior>,
}

impl Inline {
    fn read(fields: &Fields<'_>, sink: &mut Diagnostics) -> Self {
        let min = one_of(fields, ["min", "minReplicas", "min-replicas"], sink);
        let max = one_of(fields, ["max", "maxReplicas", "max-replicas"], sink);
        let (target, metrics) = (fields.node_of("target"), fields.node_of("metrics"));
        let behavior = fields.node_of("behavior");
        let mut list = metrics.map_or_else(Vec::new, |node| read_metrics(&camel_case(node), sink));
        list.extend(target.map_or_else(Vec::new, |node| short_targets(node, sink)));
        Inline {
            min: min.and_then(|node| u32::from_node(node, sink)),
            max: max.and_then(|node| u32::from_node(node, sink)),
            metrics: list,
            behavior: behavior.and_then(|node| read_behavior(&camel_case(node), sink)),
        }
    }

    /// The manifest's specification with inline fields taking precedence: bounds, behavior, and targets of metrics that
    /// the manifest has.
    fn over(self, stated: HpaSpec, manifest: &Yaml, sink: &mut Diagnostics) -> Option<HpaSpec> {
        let mut spec = stated;
        for metric in &self.metrics {
            let same = |own: &&mut MetricSpec| own.name() == metric.name();
            let Some(own) = spec.metrics.iter_mut().find(same) else {
                let known: Vec<&str> = spec.metrics.iter().map(MetricSpec::name).collect();
                let error = manifest.error(format!("the manifest does not scale on `{}`", metric.name()));
                sink.push(error.note(format!("it scales on {}", known.join(", "))));
                return None;
            };
            if let (Some(target), Some(own)) = (metric.target(), own.target_mut()) {
                *own = target;
            }
        }
        spec.min_replicas = self.min.unwrap_or(spec.min_replicas);
        spec.max_replicas = self.max.unwrap_or(spec.max_replicas);
        spec.behavior = self.behavior.or(spec.behavior);
        if spec.max_replicas == 0 || spec.max_replicas < spec.min_replicas {
            let (max, min) = (spec.max_replicas, spec.min_replicas);
            sink.push(manifest.error(format!("the maximum of {max} replicas is below the minimum of {}", min.max(1))));
            return None;
        }
        Some(spec)
    }

    fn into_spec(self, node: &Yaml, sink: &mut Diagnostics) -> Option<HpaSpec> {
        let Some(max) = self.max else {
            if !sink.has_errors() {
                let error = node.error(format!("{OWNER} has no `max`"));
                sink.push(error.help("add `max:` and `target:`, or give the path of a `manifest:`"));
            }
            return None;
        };
        checked(node, OWNER, self.min, max, self.metrics, self.behavior, sink)
    }
}

/// Reads a field that has several names, of which only one may be used.
fn one_of<'a>(fields: &Fields<'a>, names: [&'static str; 3], sink: &mut Diagnostics) -> Option<&'a Yaml> {
    let mut given = names.iter().filter_map(|name| fields.node_of(name)).collect::<Vec<_>>().into_iter();
    let first = given.next();
    for second in given {
        sink.push(second.error(format!("{OWNER} gives `{}` twice", names[0])));
    }
    first
}

/// Reads `target` of the short form.
fn short_targets(node: &Yaml, sink: &mut Diagnostics) -> Vec<MetricSpec> {
    let Some(fields) = Fields::open(node, "target", sink) else { return Vec::new() };
    let read = |(key, value): &(crate::config::Key, Yaml)| match key.text.as_str() {
        "cpu" => short_resource(Resource::Cpu, value, sink),
        "memory" => short_resource(Resource::Memory, value, sink),
        name => {
            let target = Target::AverageValue(short_amount(name, value, sink)?);
            Some(MetricSpec::Pods { metric: name.to_string(), target })
        }
    };
    let metrics: Vec<MetricSpec> = fields.entries().iter().filter_map(read).collect();
    if fields.entries().is_empty() {
        sink.push(node.error("`target` names no metric").help("write `target: { cpu: 70% }`"));
    }
    metrics
}

/// Reads `70%` of the request, or an amount per pod.
fn short_resource(resource: Resource, node: &Yaml, sink: &mut Diagnostics) -> Option<MetricSpec> {
    let text = node.as_text().unwrap_or("").trim();
    let target = match text.strip_suffix('%') {
        Some(percent) => match percent.trim().parse::<u32>() {
            Ok(percent) if percent > 0 => Target::Utilization(percent),
            _ => {
                sink.push(node.error(format!("expected a whole percentage above zero, found `{text}`")));
                return None;
            }
        },
        None => {
            let measure = if resource == Resource::Cpu { Measure::Cpu } else { Measure::Memory };
            if let Some(error) = without_unit(measure, node) {
                sink.push(error);
                return None;
            }
            Target::AverageValue(short_amount(measure.name(), node, sink)?)
        }
    };
    Some(MetricSpec::Resource { resource, target })
}

/// Reads a positive quantity, a rate (`50/s`), a latency (`300ms`) or a share of slots (`60%`).
fn short_amount(metric: &str, node: &Yaml, sink: &mut Diagnostics) -> Option<Quantity> {
    let text = node.as_text().unwrap_or("");
    let milli = |value: f64| Quantity::from_millis((value * 1000.0).round() as i64);
    let own = Measure::find(metric);
    let quantity = if text.contains('/') {
        milli(Rate::from_node(node, sink)?.get())
    } else if own.is_some_and(Measure::is_latency) {
        milli(SimDuration::from_node(node, sink)?.as_secs_f64())
    } else if own.is_some_and(|own| own.spec().unit == Unit::Share) && text.ends_with('%') {
        milli(Utilization::from_node(node, sink)?.get())
    } else {
        Quantity::from_node(node, sink)?
    };
    if quantity == Quantity::ZERO {
        sink.push(node.error("a target must be above zero"));
        return None;
    }
    Some(quantity)
}

/// The autoscaler for the context's service in the manifest at `path`.
fn from_manifest(path: &Yaml, context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Option<HpaSpec> {
    let file =
        crate::config::spool::path_from(path.source.directory_or(context.base_dir), &String::from_node(path, sink)?);
    let manifests = Manifests::read_at(path, &file, sink)?;
    let mut errors = false;
    let mut found: Vec<HpaManifest> = Vec::new();
    for object in manifests.of_kind("HorizontalPodAutoscaler") {
        match read_manifest(object, sink) {
            Some(manifest) => found.push(manifest),
            None => errors = true,
        }
    }
    if let Some(index) = found.iter().position(|hpa| hpa.target == context.service) {
        return Some(found.swap_remove(index).spec);
    }
    match (found.len(), manifests.values.as_slice()) {
        (1, _) if !errors => {
            let hpa = found.remove(0);
            // A story need not name its service.
            if !context.service.is_empty() {
                let message = format!(
                    "autoscaler `{}` scales `{}`; it is used for service `{}`",
                    hpa.name, hpa.target, context.service
                );
                sink.push(path.warning(message));
            }
            Some(hpa.spec)
        }
        (0, [values]) => manifest::read_helm_values(values, sink),
        (0, _) => {
            if !sink.has_errors() {
                sink.push(path.error(format!("{} holds no HorizontalPodAutoscaler", file.display())));
            }
            None
        }
        _ => {
            let targets: Vec<String> = found.iter().map(|hpa| format!("`{}`", hpa.target)).collect();
            let message = match context.service {
                "" => "there are several HorizontalPodAutoscalers, and the service has no name".into(),
                name => format!("no HorizontalPodAutoscaler there scales `{name}`"),
            };
            sink.push(path.error(message).note(format!("they scale {}", targets.join(", "))));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SourceFile, parse_single};
    use crate::policy::hpa::spec::{Amount, Behavior, RatePolicy};
    use rstest::rstest;
    use std::path::Path;

    fn parse(text: &str, base_dir: &Path) -> (Option<(HpaSpec, ControllerFlags)>, String) {
        let node = parse_single(&SourceFile::new("s.yaml", text)).unwrap();
        let mut sink = Diagnostics::new();
        let context = PolicyContext {
            base_dir,
            service: "web",
            pod: None,
            metric_names: &[],
            release: Release::default(),
            own: &[],
        };
        let read = read(&node, &context, &mut sink);
        let valid = !sink.has_errors();
        (read.filter(|_| valid), sink.to_string())
    }

    fn pods(metric: &str, millis: i64) -> MetricSpec {
        MetricSpec::Pods { metric: metric.into(), target: Target::AverageValue(Quantity::from_millis(millis)) }
    }

    #[test]
    fn the_short_form_says_what_a_manifest_does() {
        let text = "{ min: 2, max: 40, target: { cpu: 70%, memory: 1G, in-flight: 3, request-rate: 50/s } }";
        let (read, shown) = parse(text, Path::new("."));
        assert_eq!(shown, "");
        let (spec, flags) = read.unwrap();
        assert_eq!((spec.min_replicas, spec.max_replicas), (2, 40));
        let memory = Target::AverageValue(Quantity::from_millis(1_000_000_000_000));
        let expected = [
            MetricSpec::Resource { resource: Resource::Cpu, target: Target::Utilization(70) },
            MetricSpec::Resource { resource: Resource::Memory, target: memory },
            pods("in-flight", 3000),
            pods("request-rate", 50_000),
        ];
        assert_eq!(spec.metrics, expected);
        assert_eq!(flags, ControllerFlags::default());
    }

    #[test]
    fn a_container_s_metric_is_read() {
        let target = "target: { type: Utilization, averageUtilization: 50 }";
        let source = format!("container-resource: {{ name: cpu, container: app, {target} }}");
        let (read, shown) =
            parse(&format!("{{ max: 5, metrics: [{{ type: ContainerResource, {source} }}] }}"), Path::new("."));
        assert_eq!((read.unwrap().0.metrics[0].kind(), shown.as_str()), ("ContainerResource", ""));
    }

    #[test]
    fn kebab_case_and_camel_case_are_the_same() {
        let camel = "{ minReplicas: 2, maxReplicas: 9, behavior: { scaleDown: { stabilizationWindowSeconds: 60, \
                     policies: [{ type: Pods, value: 1, periodSeconds: 30 }] } }, sync-period: 30s, tolerance: 5% }";
        let kebab = "{ min-replicas: 2, max-replicas: 9, behavior: { scale-down: { stabilization-window-seconds: 60, \
                     policies: [{ type: Pods, value: 1, period-seconds: 30 }] } }, sync-period: 30s, tolerance: 0.05 }";
        let (one, other) = (parse(camel, Path::new(".")), parse(kebab, Path::new(".")));
        assert_eq!(one, other);
        let (spec, flags) = one.0.unwrap();
        assert_eq!((flags.sync_period, flags.tolerance), (SimDuration::from_secs(30), 0.05));
        let mut behavior = Behavior::default();
        behavior.scale_down.stabilization_window = Some(SimDuration::from_secs(60));
        let policy = RatePolicy { amount: Amount::Pods(1), period: SimDuration::from_secs(30) };
        behavior.scale_down.policies = Some(vec![policy]);
        assert_eq!(spec.behavior, Some(behavior));
    }

    #[rstest]
    #[case("{ min: 2, target: { cpu: 70% } }", "has no `max`")]
    #[case("{ max: 5, metrics: [{ type: Pods, resource: { name: cpu } }] }", "a metric of type Pods has no `pods`")]
    #[case("{ max: 5, minReplicas: 1, min: 2 }", "gives `min` twice")]
    #[case("{ max: 5, target: { cpu: 70.5% } }", "expected a whole percentage")]
    #[case("{ max: 5, target: { in-flight: 0 } }", "must be above zero")]
    #[case("{ max: 5, targt: { cpu: 70% } }", "did you mean `target`?")]
    #[case("{ max: 5, target: { cpu: 60 } }", "write `60%`, or `60000m` for cores of each pod")]
    #[case("{ max: 5, target: { cpu: 0.5 } }", "write `50%`, or `500m`")]
    #[case("{ max: 5, target: { memory: 80 } }", "write `80%`, or `80Mi`")]
    #[case("{ max: 5, target: { latency-p95: 300 } }", "write `300ms` or `300s`")]
    #[case("{ max: 5, sync-period: 0s }", "must be above zero")]
    #[case("{ max: 5, sync-period: 15 }", "write `15ms` or `15s`")]
    #[case("{ max: 5, tolerance: -1 }", "negative")]
    #[case("{ manifest: absent.yaml }", "no such file")]
    #[case("70%", "must be a mapping")]
    fn mistakes_are_explained(#[case] text: &str, #[case] words: &str) {
        let (read, shown) = parse(text, Path::new("."));
        assert!(read.is_none());
        assert!(shown.contains(words), "{shown}");
    }

    const HPA: &str = "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: { name: NAME }\n\
                       spec: { scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: NAME }, maxReplicas: MAX }\n---\n";

    fn autoscaler(name: &str, max: &str) -> String {
        HPA.replace("NAME", name).replace("MAX", max)
    }

    #[rstest]
    #[case(&[autoscaler("api", "5"), autoscaler("web", "7")].concat(), Some(7), "")]
    #[case(&autoscaler("api", "5"), Some(5), "autoscaler `api` scales `api`")]
    #[case(&[autoscaler("api", "5"), autoscaler("db", "7")].concat(), None, "they scale `api`, `db`")]
    #[case("apiVersion: v1\nkind: Service\nmetadata: { name: web }\n", None, "holds no HorizontalPodAutoscaler")]
    #[case(
        "autoscaling: { enabled: true, minReplicas: 3, maxReplicas: 8, targetCPUUtilizationPercentage: 80 }\n",
        Some(8),
        ""
    )]
    #[case("autoscaling: { enabled: false, maxReplicas: 8 }\n", None, "the chart makes no autoscaler")]
    fn the_manifest_of_the_service_is_used(#[case] text: &str, #[case] max: Option<u32>, #[case] words: &str) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("hpa.yaml"), text).unwrap();
        let (read, shown) = parse("manifest: hpa.yaml", directory.path());
        assert_eq!(read.map(|(spec, _)| spec.max_replicas), max, "{shown}");
        assert!(shown.contains(words), "{shown}");
        assert_eq!(shown.is_empty(), words.is_empty(), "{shown}");
    }
}
