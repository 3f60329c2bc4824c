//! Where each value of a scenario comes from.

use super::fields;
use std::path::Path;

use crate::billing::Charge;
use crate::cluster::{DemandModel, OnTimeout, ServiceSpec};
use crate::config::kubernetes::Manifests;
use crate::config::{Diagnostics, ReadMapping, Value, Yaml};
use crate::engine::RunError;
use crate::scenario::{Scenario, ServicePlan};
use crate::units::{Bytes, Millicores};
use crate::workload::Zone;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Path in the scenario, or label of a policy and the name of one of its values.
    pub what: String,
    /// The value in words.
    pub value: String,
    /// The source: `FILE:LINE`, `--set`, `default` or a description.
    pub origin: String,
}

/// Finds places in the scenario's merged tree and in the manifests beside it.
struct Places<'a> {
    pub(super) root: &'a Yaml,
    manifests: Vec<Manifests>,
}

pub(super) fn place(node: &Yaml) -> String {
    let (line, _) = node.source.line_column(node.span.start);
    let name = node.source.name();
    if name.starts_with("--set") { name.to_string() } else { format!("{name}:{line}") }
}

impl Places<'_> {
    /// The node at a path of the scenario.
    pub(super) fn node(&self, path: &str) -> Option<&Yaml> {
        path.split('.').try_fold(self.root, |node, part| match &node.value {
            Value::Sequence(items) => items.get(part.parse::<usize>().ok()?),
            _ => node.get(part),
        })
    }

    /// The place where a path of the scenario is stated.
    pub(super) fn stated(&self, path: &str) -> Option<String> {
        self.node(path).filter(|node| !node.is_null()).map(place)
    }

    /// The place of a field below `spec` of the object called `name` in some manifest.
    fn in_manifest(&self, name: &str, path: &[&str]) -> Option<String> {
        let objects = self.manifests.iter().flat_map(|manifests| &manifests.objects);
        objects.filter(|object| object.name == name).find_map(|object| {
            let mut node = object.node.get("spec")?;
            for part in path {
                node = match &node.value {
                    Value::Sequence(items) => items.get(part.parse::<usize>().ok()?)?,
                    _ => node.get(part)?,
                };
            }
            Some(place(node))
        })
    }
}

/// The resolved values of `scenario`, whose merged tree is `root`: those of the run, of each service and of each policy with
/// its effective thresholds, and every field that the readers know, from the mappings `read` that they recorded.
///
/// # Errors
/// If a trace cannot be opened.
pub fn explain(scenario: &Scenario, root: &Yaml, read: &[ReadMapping]) -> Result<Vec<Explained>, RunError> {
    let quiet = &mut Diagnostics::new();
    let manifests = scenario.sources.iter().filter_map(|source| Manifests::parse(source, quiet)).collect();
    let places = Places { root, manifests };
    let mut all = of_run(scenario, &places);
    let single = root.get("service").is_some();
    for (number, plan) in scenario.services.iter().enumerate() {
        let prefix = if single { "service".to_string() } else { format!("services.{number}") };
        all.extend(of_service(plan, &prefix, &places));
    }
    for (number, plan) in scenario.policies.iter().enumerate() {
        all.extend(of_policy(scenario, number, &plan.label, &places)?);
    }
    Ok(fields::completed(all, root, read))
}

fn of_run(scenario: &Scenario, places: &Places<'_>) -> Vec<Explained> {
    let metrics = &scenario.metrics;
    let lost = scenario.lost_nodes;
    let rows = [
        ("seed", scenario.seed.to_string(), "default"),
        ("duration", scenario.duration.to_string(), "the workload's length"),
        ("time-zone", scenario.time_zone.map_or_else(|| "UTC".into(), Zone::name), "default, or that of the trace"),
        ("warm-up", scenario.warm_up.to_string(), "default"),
        ("interval", scenario.interval.to_string(), "default"),
        ("zones", scenario.zones.join(", "), "default, or of the nodes"),
        ("placement", scenario.placement.name.to_string(), "default"),
        ("reference-utilization", scenario.reference_utilization.to_string(), "default"),
        ("metrics.interval", metrics.interval.to_string(), "default"),
        ("metrics.window", metrics.window.to_string(), "default"),
        ("metrics.lag", metrics.lag.to_string(), "default"),
        ("metrics.first", metrics.first.to_string(), "default: metrics.interval"),
        ("lost-nodes.noticed-after", lost.noticed_after.to_string(), "default (node-monitor-grace-period)"),
        ("lost-nodes.evicted-after", lost.evicted_after.to_string(), "default (tolerationSeconds)"),
    ];
    rows.into_iter().map(|(path, value, default)| row(path, value, places.stated(path), default)).collect()
}

fn row(what: impl Into<String>, value: String, origin: Option<String>, default: &str) -> Explained {
    Explained { what: what.into(), value, origin: origin.unwrap_or_else(|| default.to_string()) }
}

/// The demand in words.
fn demand(spec: &ServiceSpec) -> String {
    match &spec.demand {
        DemandModel::Drawn(distribution) => distribution.words(),
        DemandModel::Recorded(of) => match &of.otherwise {
            Some(stand_in) => format!("recorded of each request, {}; else {}", of.recorded.words(), stand_in.words()),
            None => format!("recorded of each request, {}", of.recorded.words()),
        },
        DemandModel::PerToken { base, input, output } => {
            format!("{base}, {input} per input token, {output} per output token")
        }
    }
}

/// A value of a service: path, value, path in a manifest, and the origin if neither states it.
type ServiceRow = (&'static str, String, Vec<String>, &'static str);

/// The values of pods, and those promised to clients.
fn service_rows(plan: &ServicePlan) -> Vec<ServiceRow> {
    let spec = &plan.spec;
    let absent = "not stated".to_string();
    let cpu = |value: Option<Millicores>| value.map_or(absent.clone(), |cpu| cpu.to_string());
    let memory = |value: Option<Bytes>| value.map_or(absent.clone(), |memory| memory.to_string());
    let limit = if spec.queue_limit == u32::MAX { "no limit".to_string() } else { spec.queue_limit.to_string() };
    let slots = if spec.concurrency == u32::MAX { "no limit".to_string() } else { spec.concurrency.to_string() };
    let per_request = format!("{:.4} cores while a request is served", spec.cpu_per_busy_second);
    let container = |rest: &[&str]| in_container(spec, &[&["resources"], rest].concat());
    vec![
        ("name", spec.name.clone(), vec![], "the manifest, or default"),
        ("replicas", spec.replicas.to_string(), vec!["replicas".into()], "default"),
        ("resources.requests.cpu", cpu(spec.cpu_request), container(&["requests", "cpu"]), "default"),
        ("resources.requests.memory", memory(spec.memory_request), container(&["requests", "memory"]), "default"),
        ("resources.limits.cpu", cpu(spec.cpu_limit), container(&["limits", "cpu"]), "default"),
        ("concurrency", slots, vec![], "default"),
        ("queue-limit", limit, vec![], "default"),
        ("service-time", demand(spec), vec![], "the trace"),
        ("cpu-per-request", per_request, vec![], "not stated: assumed from the CPU request"),
        ("memory.base", spec.memory_base.to_string(), vec![], "default"),
        ("memory.per-request", spec.memory_per_request.to_string(), vec![], "default"),
        ("dispatch", spec.dispatch.name.to_string(), vec![], "default"),
    ]
}

/// Path of a field of the serving container, below `spec` of a workload.
fn in_container(spec: &ServiceSpec, rest: &[&str]) -> Vec<String> {
    let serving = spec.pod.serving.to_string();
    ["template", "spec", "containers", &serving].iter().chain(rest).map(|part| part.to_string()).collect()
}

/// Start-up and termination, client behaviour and prices.
fn life_rows(plan: &ServicePlan) -> Vec<ServiceRow> {
    let (spec, start) = (&plan.spec, &plan.spec.start_up);
    let patience = spec.timeout.as_ref().map_or("none".to_string(), |timeout| {
        let work = match timeout.work {
            OnTimeout::Finish => "the server still finishes the work",
            OnTimeout::Cancel => "the work is cancelled",
            OnTimeout::CancelWaiting => "the work is cancelled if it is still queued",
        };
        format!("{}; {work}", timeout.after)
    });
    let retry = spec.retry.as_ref().map_or("none".to_string(), |retry| {
        let (attempts, budget) = (retry.attempts, retry.budget);
        format!("{attempts} attempts, {} to {} apart, budget {budget}", retry.backoff, retry.max_backoff)
    });
    let price = plan.lease.as_ref().map_or("none".to_string(), |lease| format!("{} ({})", lease.price, lease.what));
    let usage = plan.usage.iter().flat_map(|tariff| &tariff.charges);
    let usage: Vec<String> = usage.map(charge_words).collect();
    let price = match (usage.is_empty(), &plan.lease) {
        (true, _) => price,
        (false, None) => usage.join("; "),
        (false, Some(_)) => format!("{price}; {}", usage.join("; ")),
    };
    let grace = ["template", "spec", "terminationGracePeriodSeconds"].map(String::from).to_vec();
    vec![
        ("start-up.scheduled", start.scheduled.words(), vec![], "default"),
        ("start-up.image-pull", start.pulled.words(), vec![], "default"),
        ("start-up.started", start.started.words(), vec![], "default"),
        ("start-up.ready", start.ready.words(), vec![], "default"),
        ("grace-period", spec.grace_period.to_string(), grace, "default"),
        ("timeout", patience, vec![], "default"),
        ("retry", retry, vec![], "default"),
        ("price", price, vec![], "not stated"),
    ]
}

/// A price by use: `$0.2/1M for requests`.
fn charge_words(charge: &Charge) -> String {
    let prices: Vec<String> = charge.prices().map(|price| price.to_string()).collect();
    format!("{} for {}", prices.join(", then "), charge.item().unit())
}

fn of_service(plan: &ServicePlan, prefix: &str, places: &Places<'_>) -> Vec<Explained> {
    let spec = &plan.spec;
    let explained = |(path, value, manifest, default): ServiceRow| {
        let full = format!("{prefix}.{path}");
        let parts: Vec<&str> = manifest.iter().map(String::as_str).collect();
        let beside = || (!parts.is_empty()).then(|| places.in_manifest(&spec.name, &parts)).flatten();
        // A short form that stands for several fields (`memory: 1Gi`, `start-up: 30s`).
        let parent = || path.split_once('.').and_then(|(outer, _)| places.scalar(&format!("{prefix}.{outer}")));
        let origin = places.stated(&full).or_else(parent).or_else(beside);
        let catalogue = path == "price" && plan.lease.as_ref().is_some_and(|lease| lease.what != spec.name);
        let origin = match origin {
            Some(place) if catalogue => Some(format!("{place}, catalogue")),
            origin => origin,
        };
        row(full, value, origin, default)
    };
    service_rows(plan).into_iter().chain(life_rows(plan)).map(explained).collect()
}

/// A label, the fields of the scenario that state the value, and the paths in a manifest.
type Stated = (&'static str, &'static [&'static str], &'static [&'static [&'static str]]);

/// The fields of an autoscaler in the scenario and in its manifest, by label.
const AUTOSCALER: [Stated; 5] = [
    ("replicas", &["max", "maxReplicas", "max-replicas"], &[&["maxReplicas"]]),
    (
        "tolerance",
        &["tolerance", "behavior"],
        &[&["behavior", "scaleUp", "tolerance"], &["behavior", "scaleDown", "tolerance"]],
    ),
    ("sync period", &["sync-period"], &[]),
    (
        "scale-down window",
        &["downscale-stabilization", "behavior"],
        &[&["behavior", "scaleDown", "stabilizationWindowSeconds"]],
    ),
    ("", &["target", "metrics"], &[&["metrics"], &["targetCPUUtilizationPercentage"]]),
];

impl Places<'_> {
    /// Where a value of a policy's autoscaler is stated: in the scenario at `path`, or in the manifest that it names.
    fn of_autoscaler(&self, path: &str, service: &str, what: &str) -> Option<String> {
        let known = AUTOSCALER.iter().find(|(name, ..)| *name == what || name.is_empty());
        let (_, fields, manifest) = known?;
        let stated = fields.iter().find_map(|field| self.stated(&format!("{path}.hpa.{field}")));
        stated.or_else(|| {
            let file = self.node(&format!("{path}.hpa.manifest"))?.as_text()?;
            manifest.iter().find_map(|parts| self.in_autoscaler(file, service, parts))
        })
    }

    /// The place of a field below `spec` of a service's autoscaler in a file, or of the only autoscaler there.
    fn in_autoscaler(&self, file: &str, service: &str, path: &[&str]) -> Option<String> {
        let objects = self.manifests.iter().flat_map(|manifests| &manifests.objects);
        let all: Vec<&Yaml> = objects
            .filter(|object| object.kind == "HorizontalPodAutoscaler")
            .filter(|object| Path::new(object.node.source.name()).ends_with(file.trim_start_matches("./")))
            .filter_map(|object| object.node.get("spec"))
            .collect();
        let scales = |spec: &&&Yaml| {
            spec.get("scaleTargetRef").and_then(|target| target.get("name")?.as_text()) == Some(service)
        };
        let mut node = *all.iter().find(scales).or(all.first().filter(|_| all.len() == 1))?;
        for part in path {
            node = node.get(part)?;
        }
        Some(place(node))
    }

    /// Like [`Places::stated`], but only if the node there is a single value.
    fn scalar(&self, path: &str) -> Option<String> {
        let node = self.node(path)?;
        node.as_text().map(|_| place(node))
    }
}

fn of_policy(scenario: &Scenario, number: usize, label: &str, places: &Places<'_>) -> Result<Vec<Explained>, RunError> {
    let mut all = Vec::new();
    let path = format!("policies.{label}");
    let headroom = scenario.policies[number].headroom;
    let origin = places.stated(&format!("{path}.headroom"));
    all.push(row(format!("{path}.headroom"), format!("{headroom}x"), origin, "default"));
    for own in scenario.run_spec(number, 0)?.services {
        let of = if scenario.services.len() > 1 { format!("{path} of {}", own.spec.name) } else { path.clone() };
        for (what, value) in own.policy.effective() {
            let origin = places.of_autoscaler(&path, &own.spec.name, &what);
            all.push(row(format!("{of}: {what}"), value, origin, "default (of the controller)"));
        }
    }
    Ok(all)
}
