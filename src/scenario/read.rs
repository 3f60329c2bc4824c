//! From a YAML tree to a scenario.

use std::path::Path;
use std::sync::Arc;

use super::calls;
use super::ceiling;
use super::contract;
use super::faults;
use super::limits;
use super::load::Loaded;
use super::outside;
use super::platform;
use super::pool::node_pools;
use super::price::{Sources, read_price};
use super::recorded;
use super::variant;
use super::{Scenario, ScenarioSource, ServicePlan, StatedPolicy, Variant};
use crate::cluster::{
    ContainerRequest, NodePool, PLACEMENTS, PlacementPlugin, PodRequest, PodSpec, ServiceDefaults, ServiceSpec,
};
use crate::config::kubernetes::{Container, Deployment, Manifests, Object, Release};
use crate::config::{
    Diagnostic, Diagnostics, Fields, FromNode, Key, Line, Lines, Name, SourceFile, Value, Yaml, check_label,
    not_one_of, visible,
};
use crate::engine::{MetricsSpec, Objective, REFERENCE_UTILIZATION};
use crate::policy::{OwnPolicy, PolicyContext, PolicyFactory, read_metric_names, read_policy};
use crate::units::{Fraction, SimDuration};
use crate::workload::{WorkloadSpec, Zone};

/// The longest run: beyond it integer integrals could overflow.
const MAX_DURATION: SimDuration = SimDuration::from_secs(10 * 366 * 86_400);
/// The longest name of a scenario, in bytes. File systems allow 255, some of which output file names add.
const LONGEST_NAME: usize = 200;
/// The most intervals of a timeline.
const MAX_INTERVALS: u64 = 1_000_000;

/// Gives a workload without a time zone that of the scenario.
fn with_zone(workload: &Yaml, zone: Option<&Yaml>) -> Yaml {
    let mut workload = workload.clone();
    if let (Value::Mapping(entries), Some(zone)) = (&mut workload.value, zone)
        && !entries.iter().any(|(key, _)| key.text == "time-zone")
    {
        entries.push((Key { text: "time-zone".into(), span: zone.span }, zone.clone()));
    }
    workload
}

/// Whether the warm-up is to be found, and its length otherwise.
fn read_warm_up(fields: &Fields<'_>, sink: &mut Diagnostics) -> (bool, SimDuration) {
    match fields.node_of("warm-up").and_then(Yaml::as_text) {
        Some("auto") => (true, SimDuration::ZERO),
        _ => (false, fields.or("warm-up", SimDuration::ZERO, sink)),
    }
}

/// Name (that of the file by default), title and description.
fn read_heading(fields: &Fields<'_>, path: &Path, sink: &mut Diagnostics) -> (String, String, String) {
    let stem = path.file_stem().map_or_else(|| "scenario".into(), |stem| stem.to_string_lossy().into_owned());
    let name: String = fields.or("name", stem, sink);
    let title = fields.optional("title", sink).map_or_else(|| name.clone(), |Line(title)| title);
    let description = fields.optional("description", sink).map_or_else(String::new, |Lines(text)| text);
    (name, title, description)
}

/// Reads the whole scenario and reports problems to `sink`.
pub(super) fn scenario(loaded: &Loaded, path: &Path, own: &[OwnPolicy], sink: &mut Diagnostics) -> Option<Scenario> {
    let base_dir = crate::config::spool::directory_of(path);
    let fields = Fields::open(&loaded.root, "the scenario", sink)?;
    let (name, title, description) = read_heading(&fields, path, sink);
    let files_before = sink.files().len();
    let (seed, duration): (u64, Option<SimDuration>) = (fields.or("seed", 1, sink), fields.optional("duration", sink));
    let zone: Option<Zone> = fields.optional("time-zone", sink);
    let (finds_warm_up, warm_up) = read_warm_up(&fields, sink);
    let interval = fields.or("interval", SimDuration::from_secs(60), sink);
    let mut metrics = read_metrics(&fields, sink);
    let objectives = read_objectives(&fields, sink);
    let reference_utilization = fields.or("reference-utilization", REFERENCE_UTILIZATION, sink);
    let mut sources = Sources::read(&fields, &base_dir, sink);
    let (pools, node_leases, node_policies) = node_pools(&fields, &mut sources, sink);
    let placement = read_placement(&fields, sink);
    let (zones, lost_nodes) = (faults::zones(&fields, &pools, sink), faults::lost_nodes(&fields, sink));
    let mut services = read_services(&fields, &base_dir, &pools, &mut sources, sink);
    contract::read(&fields, &services, &mut sources, sink);
    let (faults, moments) = faults::faults(&fields, &zones, lost_nodes, &metrics.names, (zone, &services), sink);
    metrics.outages = faults.metrics.clone();
    faults::plan(&faults, &mut services, sink);
    let (expect, release) = (read_expect(&fields, sink), fields.or("kubernetes", Release::default(), sink));
    let around =
        PolicyContext { base_dir: &base_dir, service: "", pod: None, metric_names: &metrics.names, release, own };
    let policies = read_variants(&fields, &around, (&services, &faults, &pools), &mut sources, sink);
    sources.mark_stale(&fields, sink);
    fields.finish(sink);
    check_name(&name, &loaded.root, sink);
    if sink.has_errors() {
        return None;
    }
    let duration = duration.map_or_else(|| extent(&services, &objectives, &loaded.root, sink), Some)?;
    check_times(duration, warm_up, interval, &loaded.root, sink);
    let scenario = Scenario {
        name,
        title,
        description,
        seed,
        duration,
        warm_up,
        finds_warm_up,
        time_zone: zone,
        interval,
        services,
        pools,
        node_leases,
        node_policies,
        placement,
        kubernetes: release,
        zones,
        outages: faults.zones,
        moments,
        lost_nodes,
        metrics,
        objectives,
        reference_utilization,
        expect,
        policies,
        sources: files_read(&loaded.sources, &sink.files()[files_before..]),
        path: path.to_path_buf(),
        origin: ScenarioSource::file(path),
        prices: sources.facts,
        contract: sources.contract,
        price_list: Arc::new(sources.list),
    };
    check_whole(&scenario, &loaded.root, sink);
    Some(scenario)
}

/// The checks that need the whole scenario.
fn check_whole(scenario: &Scenario, root: &Yaml, sink: &mut Diagnostics) {
    check_room(scenario, root, sink);
    limits::check(scenario, root, sink);
    outside::check(scenario, root, sink);
}

/// Warns about replicas that even an empty node cannot hold: they would stay pending for ever.
fn check_room(scenario: &Scenario, root: &Yaml, sink: &mut Diagnostics) {
    if scenario.pools.is_empty() {
        return;
    }
    // Whether there is room for all of them at once is for the run to find out, whose node policy may add some.
    let one = |pool: &NodePool| NodePool { count: pool.count.max(u32::from(pool.can_change())), ..pool.clone() };
    let nodes = scenario.nodes_of(&scenario.pools.iter().map(one).collect::<Vec<_>>());
    for (plan, number) in scenario.services.iter().zip(0..) {
        let (cpu, memory) = plan.spec.scheduled();
        if let Some(reason) = nodes.unschedulable_reason(&PodRequest { service: number, cpu, memory }) {
            let place = root.get("nodes").unwrap_or(root);
            sink.push(place.warning(format!("no node can hold a replica of {}: {reason}", plan.spec.name)));
        }
    }
}

/// The sources of the scenario, then each manifest once, in the order in which they were read.
fn files_read(scenario: &[Arc<SourceFile>], manifests: &[Arc<SourceFile>]) -> Vec<Arc<SourceFile>> {
    let mut all: Vec<Arc<SourceFile>> = scenario.to_vec();
    for file in manifests {
        if !all.iter().any(|known| known.name() == file.name()) {
            all.push(Arc::clone(file));
        }
    }
    all
}

/// Checks that the name can be used for a directory.
fn check_name(name: &str, root: &Yaml, sink: &mut Diagnostics) {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.starts_with('.') || name.len() > LONGEST_NAME || !name.chars().all(fits) {
        let node = root.get("name").unwrap_or(root);
        let error = node.error(format!("`{}` cannot be the name of a directory", visible(name)));
        sink.push(error.help(format!("use letters, digits, - and _, {LONGEST_NAME} bytes at most")));
    }
}

/// The length of the longest workload. A trace without a stated end is over with its last request, plus time for that
/// request to be answered.
fn extent(
    services: &[ServicePlan],
    objectives: &[Objective],
    root: &Yaml,
    sink: &mut Diagnostics,
) -> Option<SimDuration> {
    let mut longest = SimDuration::ZERO;
    for service in services {
        match service.workload.extent(MAX_DURATION) {
            Ok(Some(extent)) if service.workload.ends_with_last_request() => {
                longest = longest.max(extent + last_answer(&service.spec, objectives));
            }
            Ok(Some(extent)) => longest = longest.max(extent),
            Ok(None) => {
                let node = root.get("workload").unwrap_or(root);
                sink.push(node.error("this workload has no end").help("add `duration:` to the scenario"));
                return None;
            }
            Err(error) => {
                sink.push(crate::config::Diagnostic::error(error.to_string()));
                return None;
            }
        }
    }
    Some(longest)
}

/// The time allowed for a trace's last request to be answered: the longest of the latency limits, the client's patience
/// and the mean service time.
fn last_answer(spec: &ServiceSpec, objectives: &[Objective]) -> SimDuration {
    let limits = objectives.iter().filter_map(|objective| objective.within).max();
    let patience = spec.timeout.map(|timeout| timeout.after);
    let service = spec.demand.mean().and_then(|mean| SimDuration::from_secs_f64(mean).ok());
    [limits, patience, service].into_iter().flatten().max().unwrap_or(SimDuration::ZERO)
}

fn check_times(
    duration: SimDuration,
    warm_up: SimDuration,
    interval: SimDuration,
    root: &Yaml,
    sink: &mut Diagnostics,
) {
    let place = |name: &str| root.get(name).unwrap_or(root);
    if duration.is_zero() || duration > MAX_DURATION {
        sink.push(
            place("duration").error(format!("a run must be longer than 0s and at most ten years, not {duration}")),
        );
    }
    if warm_up >= duration {
        sink.push(place("warm-up").error(format!("the warm-up of {warm_up} leaves nothing of a run of {duration}")));
    }
    if interval < SimDuration::from_millis(1) || duration.as_nanos() / interval.as_nanos().max(1) > MAX_INTERVALS {
        let message = format!("an interval of {interval} divides a run of {duration} into too many intervals");
        sink.push(
            place("interval").error(message).help(format!("at most {MAX_INTERVALS} intervals, each of 1ms or more")),
        );
    }
}

fn read_metrics(fields: &Fields<'_>, sink: &mut Diagnostics) -> MetricsSpec {
    let mut metrics = MetricsSpec::default();
    let Some(node) = fields.node_of("metrics") else { return metrics };
    let Some(given) = Fields::open(node, "metrics", sink) else { return metrics };
    metrics.interval = given.or("interval", metrics.interval, sink);
    metrics.window = given.or("window", metrics.interval, sink);
    metrics.lag = given.or("lag", metrics.lag, sink);
    metrics.first = given.or("first", metrics.interval, sink);
    metrics.first_decision = given.optional("first-decision", sink);
    if metrics.interval < SimDuration::from_millis(10) {
        sink.push(node.error("the scrape `interval` must be at least 10ms"));
    }
    if metrics.window < metrics.interval {
        sink.push(node.error("the `window` must be at least as long as the scrape `interval`"));
    }
    metrics.names = given.node_of("custom").map_or_else(Vec::new, |custom| read_metric_names(custom, sink));
    given.finish(sink);
    metrics
}

fn read_objectives(fields: &Fields<'_>, sink: &mut Diagnostics) -> Vec<Objective> {
    let Some(node) = fields.node_of("objectives") else { return Vec::new() };
    let Value::Sequence(items) = &node.value else {
        sink.push(node.error("`objectives` must be a list").help("- latency: { within: 300ms, target: 99.9% }"));
        return Vec::new();
    };
    items.iter().filter_map(|item| read_objective(item, sink)).collect()
}

fn read_objective(node: &Yaml, sink: &mut Diagnostics) -> Option<Objective> {
    let fields = Fields::open(node, "objective", sink)?;
    let latency = fields.node_of("latency");
    let availability: Option<Fraction> = fields.optional("availability", sink);
    let objective = match (latency, availability) {
        (Some(latency), None) => {
            let inner = Fields::open(latency, "latency objective", sink)?;
            let (within, target) = (inner.required("within", sink), inner.required("target", sink));
            inner.finish(sink);
            Some(Objective { within: Some(within?), target: target? })
        }
        (None, Some(target)) => Some(Objective { within: None, target }),
        _ => {
            let error =
                node.error("an objective is either `latency: { within: ..., target: ... }` or `availability: ...`");
            sink.push(error);
            None
        }
    };
    fields.finish(sink);
    objective
}

/// Comparisons stay unparsed: the figures they name belong to `experiment`.
fn read_expect(fields: &Fields<'_>, sink: &mut Diagnostics) -> Vec<Yaml> {
    let Some(node) = fields.node_of("expect") else { return Vec::new() };
    match &node.value {
        Value::Sequence(items) => items.clone(),
        _ => {
            sink.push(node.error("`expect` must be a list").help("- p99 < 250ms"));
            Vec::new()
        }
    }
}

fn read_placement(fields: &Fields<'_>, sink: &mut Diagnostics) -> &'static PlacementPlugin {
    let Some(node) = fields.node_of("placement") else { return &PLACEMENTS[0] };
    let text = node.as_text().unwrap_or("");
    PLACEMENTS.iter().find(|plugin| plugin.name == text).unwrap_or_else(|| {
        let known: Vec<&str> = PLACEMENTS.iter().map(|plugin| plugin.name).collect();
        sink.push(not_one_of(node, text, "a placement", &known));
        &PLACEMENTS[0]
    })
}

fn read_services(
    fields: &Fields<'_>,
    base_dir: &Path,
    pools: &[NodePool],
    sources: &mut Sources,
    sink: &mut Diagnostics,
) -> Vec<ServicePlan> {
    let shared = fields.node_of("workload");
    let (one, many) = (fields.node_of("service"), fields.node_of("services"));
    let nodes: Vec<&Yaml> = match (one, many) {
        (Some(one), None) => vec![one],
        (None, Some(Yaml { value: Value::Sequence(items), .. })) => items.iter().collect(),
        (None, Some(other)) => {
            sink.push(other.error("`services` must be a list"));
            return Vec::new();
        }
        (Some(_), Some(many)) => {
            sink.push(many.error("give either `service` or `services`, not both"));
            return Vec::new();
        }
        (None, None) => {
            let error = fields.node().error("the scenario has no `service`").help("add `service:`");
            fields.missing(&["service", "services"], error, sink);
            return Vec::new();
        }
    };
    if let (Some(workload), true) = (shared, nodes.len() != 1) {
        sink.push(workload.error("with several services, each needs its own `workload`"));
        return Vec::new();
    }
    let mut services: Vec<ServicePlan> = Vec::new();
    let called = calls::called(&nodes);
    for node in &nodes {
        let around = (fields, shared, called.as_slice());
        let Some(service) = read_service(node, around, (base_dir, pools), sources, sink) else { continue };
        if services.iter().any(|known| known.spec.name == service.spec.name) {
            sink.push(node.error(format!("two services are called `{}`", service.spec.name)));
        }
        services.push(service);
    }
    if services.len() == nodes.len() {
        calls::read(&mut services, &nodes, sink);
    }
    services
}

/// Reads a service. `scenario` is the mapping around it, the workload stated there, and the services that others call.
fn read_service(
    node: &Yaml,
    (scenario, shared, called): (&Fields<'_>, Option<&Yaml>, &[&str]),
    (base_dir, pools): (&Path, &[NodePool]),
    sources: &mut Sources,
    sink: &mut Diagnostics,
) -> Option<ServicePlan> {
    let fields = Fields::open(node, "service", sink)?;
    let (platform, form) = platform::read(&fields, (base_dir, !pools.is_empty()), sink);
    let defaults = platform::defaults(read_deployment(&fields, base_dir, sink).unwrap_or_default(), &form);
    let own = fields.node_of("workload");
    let price = fields.node_of("price");
    let spec = ServiceSpec::read(&fields, &defaults, sink);
    let workload = own.or(shared);
    fields.node_of("calls");
    let is_called = spec.as_ref().is_some_and(|spec| called.contains(&spec.name.as_str()));
    if workload.is_none() && !is_called {
        let help = "add `workload:` with a trace or a generator, such as `poisson: { rate: 100/s }`";
        let error = node.error("the service has no workload").help(help);
        // It may be misspelt in either place.
        scenario.missing(&["workload"], error.clone(), sink);
        fields.missing(&["workload"], error, sink);
    }
    fields.finish(sink);
    let placed = workload.map(|workload| with_zone(workload, scenario.node().get("time-zone")));
    let workload = match placed {
        None if is_called => Some(WorkloadSpec::none()),
        placed => placed.and_then(|workload| WorkloadSpec::from_node(&workload, base_dir, sink)),
    };
    let mut spec = spec?;
    let workload = match workload {
        Some(workload) if spec.takes_durations() => recorded::settle(node, &mut spec, workload, sink),
        Some(workload) => {
            recorded::account(&mut spec, &workload, sink, node);
            Some(workload)
        }
        None => None,
    };
    platform::stretch(&mut spec, &form, node.get("cpu-per-request").is_some());
    let paid = match price {
        Some(price) => read_price(price, &spec, sources, sink),
        None => platform::paid(&form, &spec, sources),
    };
    ceiling::settle(node, &mut spec, paid.bought, pools, sink);
    let plan = ServicePlan::new(spec, workload?);
    let platform = platform.unwrap_or(plan.platform);
    Some(ServicePlan { lease: paid.lease, leases_extra: paid.leases_extra, usage: paid.usage, platform, ..plan })
}

/// Reads `manifest:`, the path of a Deployment, StatefulSet, ReplicaSet or Rollout. If the file holds several, the
/// service's name selects one.
pub(crate) fn read_deployment(fields: &Fields<'_>, base_dir: &Path, sink: &mut Diagnostics) -> Option<ServiceDefaults> {
    let node = fields.node_of("manifest")?;
    let path = crate::config::spool::path_from(node.source.directory_or(base_dir), node.as_text().unwrap_or_default());
    let name = fields.optional("name", sink).map(|Name(name)| name);
    let manifests = Manifests::read_at(node, &path, sink)?;
    let errors = sink.errors();
    let deployments = Deployment::all(&manifests, sink);
    let chosen = match &name {
        Some(name) => deployments.iter().find(|deployment| deployment.name == *name),
        None if deployments.len() == 1 => deployments.first(),
        None => None,
    };
    let Some(deployment) = chosen else {
        // If a document could not be read, an error was reported already, and it may be the one that was meant.
        if sink.errors() == errors {
            sink.push(not_the_one(node, &path, &manifests, &deployments, name.as_deref()));
        }
        return None;
    };
    Some(ServiceDefaults {
        name: Some(deployment.name.clone()),
        replicas: Some(deployment.replicas),
        cpu_request: deployment.cpu_request(),
        cpu_limit: deployment.cpu_limit(),
        memory_request: deployment.memory_request(),
        grace_period: Some(deployment.termination_grace),
        pod: pod_of(deployment),
        update: faults::update_of(deployment),
        ..ServiceDefaults::default()
    })
}

/// The pod of a Deployment.
fn pod_of(deployment: &Deployment) -> PodSpec {
    let container = |container: &Container| ContainerRequest {
        name: container.name.clone(),
        cpu: container.cpu_request,
        memory: container.memory_request,
    };
    PodSpec {
        containers: deployment.running().map(container).collect(),
        serving: deployment.serving,
        whole_cpu: deployment.whole.cpu_request,
        whole_memory: deployment.whole.memory_request,
        scheduled_cpu: Some(deployment.scheduled_cpu()),
        scheduled_memory: Some(deployment.scheduled_memory()),
        overhead: deployment.overhead,
        extended: deployment.extended(),
        ..PodSpec::default()
    }
}

/// Reports what a manifest holds instead of the expected workload.
fn not_the_one(
    node: &Yaml,
    path: &Path,
    manifests: &Manifests,
    deployments: &[Deployment],
    name: Option<&str>,
) -> Diagnostic {
    let message = match name {
        Some(name) => format!("{} holds no workload `{name}`", path.display()),
        None => format!("{} does not hold exactly one Deployment, StatefulSet, ReplicaSet or Rollout", path.display()),
    };
    let titles: Vec<String> = manifests.objects.iter().map(Object::title).collect();
    let found = if titles.is_empty() { "nothing".into() } else { titles.join(", ") };
    let error = node.error(message).note(format!("it holds: {found}"));
    if deployments.is_empty() { error } else { error.help("choose one by the service's `name:`") }
}

/// Reads the policies, each with its own form of the service if it states one.
fn read_variants(
    fields: &Fields<'_>,
    around: &PolicyContext<'_>,
    (services, faults, pools): (&[ServicePlan], &faults::Faults<'_>, &[NodePool]),
    sources: &mut Sources,
    sink: &mut Diagnostics,
) -> Vec<Variant> {
    let only = fields.node_of("service").filter(|_| services.len() == 1);
    let scenario = (fields, fields.node_of("workload"), &[][..]);
    let mut changed = |label: &str, with: &Yaml, sink: &mut Diagnostics| {
        let node = variant::changed(only, with, sink)?;
        let before = sources.facts.len();
        let mut plan = read_service(&node, scenario, (around.base_dir, pools), sources, sink)?;
        sources.facts[before..].iter_mut().for_each(|fact| fact.policy = Some(label.to_string()));
        faults::plan(faults, std::slice::from_mut(&mut plan), sink);
        Some(Box::new(plan))
    };
    read_policies(fields, around, services, &mut changed, sink)
}

/// Reads the only service as a policy (by its label) changes it.
type Changed<'a> = &'a mut dyn FnMut(&str, &Yaml, &mut Diagnostics) -> Option<Box<ServicePlan>>;

fn read_policies(
    fields: &Fields<'_>,
    around: &PolicyContext<'_>,
    services: &[ServicePlan],
    changed: Changed<'_>,
    sink: &mut Diagnostics,
) -> Vec<Variant> {
    let Some(node) = fields.node_of("policies") else {
        let error = fields.node().error("the scenario has no `policies`");
        let help = "add `policies:` with at least one, such as `fixed: { static: { replicas: 4 } }`";
        fields.missing(&["policies"], error.help(help), sink);
        return Vec::new();
    };
    let Some(list) = Fields::open(node, "policies", sink) else { return Vec::new() };
    if list.entries().is_empty() {
        sink.push(node.error("`policies` is empty"));
    }
    let mut plans = Vec::new();
    for (key, node) in list.entries() {
        check_label(key, node, sink);
        let (node, headroom) = take_headroom(node, sink);
        let (node, with) = variant::take_with(&node);
        let own = with.as_ref().and_then(|with| changed(&key.text, with, sink));
        let Some(nodes) = policy_of_each(&node, services, sink) else { continue };
        let factories = services.iter().zip(nodes).map(|(service, node)| {
            let service = own.as_deref().unwrap_or(service);
            let context = PolicyContext { service: &service.spec.name, pod: Some(&service.spec.pod), ..*around };
            read_policy(node, &key.text, &context, sink)
        });
        let factories: Vec<Option<PolicyFactory>> = factories.collect();
        if let Some(factories) = factories.into_iter().collect() {
            plans.push(Variant { label: key.text.clone(), factories, headroom, service: own });
        }
    }
    plans
}

/// The policy of each service, in their order: the same for all, or `per-service: { web: {...}, otherwise: {...} }`.
fn policy_of_each<'a>(node: &'a Yaml, services: &[ServicePlan], sink: &mut Diagnostics) -> Option<Vec<&'a Yaml>> {
    const OTHERS: &str = "otherwise";
    let Some(each) = node.get("per-service") else { return Some(vec![node; services.len()]) };
    let Value::Mapping(entries) = &each.value else {
        let error = each.error(format!("expected the policy of each service, not {}", each.kind()));
        sink.push(error.help("for example `per-service: { web: { hpa: { manifest: hpa.yaml } }, otherwise: { static: { replicas: 2 } } }`"));
        return None;
    };
    let names: Vec<&str> = services.iter().map(|service| service.spec.name.as_str()).collect();
    for (key, _) in entries.iter().filter(|(key, _)| key.text != OTHERS && !names.contains(&key.text.as_str())) {
        let place = Yaml { span: key.span, ..each.clone() };
        sink.push(not_one_of(&place, &key.text, "a service", &names));
    }
    let of = |name: &str| entries.iter().find(|(key, _)| key.text == name).map(|(_, policy)| policy);
    let found: Vec<Option<&Yaml>> = names.iter().map(|name| of(name).or_else(|| of(OTHERS))).collect();
    for (name, _) in names.iter().zip(&found).filter(|(_, policy)| policy.is_none()) {
        let error = each.error(format!("the service `{name}` has no policy"));
        sink.push(error.help(format!("add `{name}:` or `{OTHERS}:`")));
    }
    found.into_iter().collect()
}

/// Reads the policies as stated.
pub(super) fn stated_policies(root: &Yaml, sink: &mut Diagnostics) -> Option<Vec<StatedPolicy>> {
    let Some(Yaml { value: Value::Mapping(entries), .. }) = root.get("policies") else {
        sink.push(root.error("the scenario has no `policies`"));
        return None;
    };
    let stated = |(key, node): &(Key, Yaml)| {
        let null = Yaml { value: Value::Null, ..node.clone() };
        let (kind, parameters) = match &node.value {
            Value::Scalar(name) => (name.clone(), null),
            Value::Mapping(keys) => {
                match keys.iter().find(|(key, _)| key.text != "headroom" && key.text != variant::WITH) {
                    Some((key, node)) => (key.text.clone(), node.clone()),
                    None => (String::new(), null),
                }
            }
            _ => (String::new(), null),
        };
        StatedPolicy { label: key.text.clone(), kind, parameters }
    };
    Some(entries.iter().map(stated).collect())
}

/// Removes `headroom: 1.3` from a policy's mapping and returns both.
fn take_headroom(node: &Yaml, sink: &mut Diagnostics) -> (Yaml, f64) {
    let Some(place) = node.get("headroom") else { return (node.clone(), 1.0) };
    let factor = f64::from_node(place, sink).filter(|factor| {
        let usable = (0.001..=1000.0).contains(factor);
        if !usable {
            sink.push(place.error("expected a factor on the load, such as `headroom: 1.3`"));
        }
        usable
    });
    let mut rest = node.clone();
    if let Value::Mapping(entries) = &mut rest.value {
        entries.retain(|(key, _)| key.text != "headroom");
    }
    (rest, factor.unwrap_or(1.0))
}
