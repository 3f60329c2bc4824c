//! Zones and planned faults.

use super::ServicePlan;
use crate::cluster::{NodePool, Nodes, Restart, Rollout, Share, UpdateSpec, UpdateStrategy};
use crate::config::kubernetes::{Deployment, WorkloadKind, share};
use crate::config::{Diagnostics, Fields, Line, Value, Yaml};
use crate::engine::{LostNodes, MetricsOutage, ZoneOutage};
use crate::policy::{Measure, Measures, measure_named, not_measured};
use crate::random::Streams;
use crate::units::{SimDuration, SimTime};
use crate::workload::{Zone, offset_of};

/// Zones of replicas that need no node and state none: three, like most regions.
const USUAL: [&str; 3] = ["a", "b", "c"];

/// The zones: those of the node pools, else `zones:`, else the usual three.
pub(super) fn zones(fields: &Fields<'_>, pools: &[NodePool], sink: &mut Diagnostics) -> Vec<String> {
    let stated: Option<Vec<Line>> = fields.optional("zones", sink);
    let Some(node) = fields.node_of("zones") else {
        let of_nodes = Nodes::zone_names(pools);
        return if pools.is_empty() { USUAL.map(String::from).into() } else { of_nodes };
    };
    if !pools.is_empty() {
        sink.push(node.error("the zones are those of the nodes").help("state `zones:` in each node pool instead"));
    }
    let stated: Vec<String> = stated.unwrap_or_default().into_iter().map(|Line(zone)| zone).collect();
    let twice = stated.iter().enumerate().any(|(index, zone)| stated[..index].contains(zone));
    if stated.is_empty() || twice {
        sink.push(node.error("expected a list of different zones, such as `[a, b, c]`"));
    }
    stated
}

/// Resolves the times of faults.
pub(super) struct Clock<'a> {
    zone: Option<Zone>,
    services: &'a [ServicePlan],
    /// How clock times were resolved, a sentence each.
    told: Vec<String>,
}

impl<'a> Clock<'a> {
    /// The clock of a run of these services, in the scenario's time zone or, if it states none, in the common one of
    /// all workloads.
    pub(super) fn new(zone: Option<Zone>, services: &'a [ServicePlan]) -> Self {
        let own = || {
            let first = services.first().and_then(|service| service.workload.time_zone());
            first.filter(|zone| services.iter().all(|service| service.workload.time_zone() == Some(*zone)))
        };
        Clock { zone: zone.or_else(own), services, told: Vec::new() }
    }

    /// Wall-clock time at which the run begins, if all workloads that state it agree.
    fn start(&self) -> Option<u64> {
        let open = |service: &ServicePlan| service.workload.open(Streams::new(0, 0), 0).ok()?.start_epoch_ns();
        let mut starts: Vec<u64> = self.services.iter().filter_map(open).collect();
        starts.dedup();
        starts.pop().filter(|_| starts.is_empty())
    }

    /// A time as stated, from the start of the run.
    pub(super) fn resolved(&mut self, node: &Yaml, sink: &mut Diagnostics) -> Option<SimDuration> {
        let (offset, told) = offset_of(node, self.zone, self.start(), sink)?;
        self.told.extend(told);
        Some(offset)
    }

    /// The required time called `name`, from the start of the run.
    fn moment(&mut self, fields: &Fields<'_>, name: &'static str, sink: &mut Diagnostics) -> Option<SimDuration> {
        let Some(node) = fields.node_of(name) else { return fields.required(name, sink) };
        self.resolved(node, sink)
    }
}

/// The planned faults, by kind.
#[derive(Debug, Default)]
pub(super) struct Faults<'a> {
    /// Zone outages.
    pub zones: Vec<ZoneOutage>,
    /// Outages of the metrics APIs.
    pub metrics: Vec<MetricsOutage>,
    /// Rollouts; their services are resolved later.
    pub rollouts: Vec<StatedRollout<'a>>,
    /// Container restarts; their services are resolved later.
    pub restarts: Vec<StatedRestart<'a>>,
}

/// A restart as stated.
#[derive(Debug)]
pub(super) struct StatedRestart<'a> {
    node: &'a Yaml,
    service: Option<&'a Yaml>,
    restart: Restart,
}

/// A rollout as stated; whatever it omits comes from the service's own strategy.
#[derive(Debug)]
pub(super) struct StatedRollout<'a> {
    node: &'a Yaml,
    service: Option<&'a Yaml>,
    at: SimTime,
    recreate: Option<bool>,
    surge: Option<Share>,
    unavailable: Option<Share>,
    new_image: bool,
}

const EXAMPLES: &str = "`zone-outage: { zone: a, at: 2h, for: 30m }`, `metrics-outage: { of: [queue-length], from: 1h, for: 10m }`, \
     `rollout: { at: 2h }` or `restart: { at: 2h }`";

/// Reads `faults:`, a list of faults, each keyed by its kind; also returns how clock times were resolved, a sentence
/// each.
pub(super) fn faults<'a>(
    fields: &Fields<'a>,
    zones: &[String],
    response: LostNodes,
    names: &[(String, Measure)],
    (zone, services): (Option<Zone>, &[ServicePlan]),
    sink: &mut Diagnostics,
) -> (Faults<'a>, Vec<String>) {
    let clock = &mut Clock::new(zone, services);
    let mut faults = Faults::default();
    let Some(list) = fields.node_of("faults") else { return (faults, Vec::new()) };
    let Value::Sequence(items) = &list.value else {
        sink.push(list.error("`faults` must be a list").help(format!("an item is {EXAMPLES}")));
        return (faults, Vec::new());
    };
    for item in items {
        let Some(outer) = Fields::open(item, "fault", sink) else { continue };
        let (zone, metrics) = (outer.node_of("zone-outage"), outer.node_of("metrics-outage"));
        let (rollout, restart) = (outer.node_of("rollout"), outer.node_of("restart"));
        outer.finish(sink);
        match (zone, metrics, rollout, restart) {
            (Some(node), None, None, None) => faults.zones.extend(zone_outage(node, zones, response, clock, sink)),
            (None, Some(node), None, None) => faults.metrics.extend(metrics_outage(node, names, clock, sink)),
            (None, None, Some(node), None) => faults.rollouts.extend(read_rollout(node, clock, sink)),
            (None, None, None, Some(node)) => faults.restarts.extend(read_restart(node, clock, sink)),
            _ => sink.push(item.error(format!("a fault is {EXAMPLES}"))),
        }
    }
    (faults, std::mem::take(&mut clock.told))
}

/// Reads `{ of: [queue-length], from: 1h, for: 10m }`. Without `of` no metric is available.
fn metrics_outage(
    node: &Yaml,
    names: &[(String, Measure)],
    clock: &mut Clock<'_>,
    sink: &mut Diagnostics,
) -> Option<MetricsOutage> {
    let fields = Fields::open(node, "metrics-outage", sink)?;
    let from = clock.moment(&fields, "from", sink);
    let length: Option<SimDuration> = fields.required("for", sink);
    let of = fields.node_of("of");
    fields.finish(sink);
    let named = |item: &Yaml, sink: &mut Diagnostics| {
        let name = item.as_text().unwrap_or("");
        let measure = measure_named(name, names);
        if measure.is_none() {
            sink.push(not_measured(item, name, names));
        }
        measure
    };
    let of: Option<Measures> = match of.map(|node| (node, &node.value)) {
        None => Some(Measures::ALL),
        Some((_, Value::Sequence(items))) => items.iter().map(|item| named(item, sink)).collect(),
        Some((node, _)) => named(node, sink).map(|measure| Measures::NONE.with(measure)),
    };
    let (of, from, length) = (of?, from?, length?);
    if length.is_zero() || of == Measures::NONE {
        sink.push(node.error("an outage needs a length above zero and at least one metric"));
        return None;
    }
    Some(MetricsOutage { of, from: SimTime::ZERO.saturating_add(from), length })
}

/// `{ at: 2h, max-surge: 1, max-unavailable: 0 }`
fn read_rollout<'a>(node: &'a Yaml, clock: &mut Clock<'_>, sink: &mut Diagnostics) -> Option<StatedRollout<'a>> {
    let fields = Fields::open(node, "rollout", sink)?;
    let at = clock.moment(&fields, "at", sink);
    let service = fields.node_of("service");
    let strategy = fields.node_of("strategy");
    let recreate = strategy.and_then(|node| match node.as_text() {
        Some("recreate") => Some(true),
        Some("rolling-update") => Some(false),
        _ => {
            sink.push(node.error("a strategy must be `rolling-update` or `recreate`"));
            None
        }
    });
    let mut amount = |name: &'static str| fields.node_of(name).and_then(|node| share(node, sink)).map(to_share);
    let (surge, unavailable) = (amount("max-surge"), amount("max-unavailable"));
    let new_image = fields.or("new-image", true, sink);
    fields.finish(sink);
    let at = SimTime::ZERO.saturating_add(at?);
    Some(StatedRollout { node, service, at, recreate, surge, unavailable, new_image })
}

/// `{ at: 2h, older-than: 10m }`
fn read_restart<'a>(node: &'a Yaml, clock: &mut Clock<'_>, sink: &mut Diagnostics) -> Option<StatedRestart<'a>> {
    let fields = Fields::open(node, "restart", sink)?;
    let at = clock.moment(&fields, "at", sink);
    let service = fields.node_of("service");
    let older_than = fields.or("older-than", SimDuration::ZERO, sink);
    fields.finish(sink);
    let restart = Restart { at: SimTime::ZERO.saturating_add(at?), older_than };
    Some(StatedRestart { node, service, restart })
}

fn to_share((number, percent): (u32, bool)) -> Share {
    if percent { Share::Percent(number) } else { Share::Replicas(number) }
}

/// The update strategy of a Deployment or StatefulSet. A StatefulSet has no surge and may have one pod missing.
pub(super) fn update_of(deployment: &Deployment) -> UpdateSpec {
    let update = &deployment.update;
    let usual = match deployment.kind {
        WorkloadKind::Deployment | WorkloadKind::ReplicaSet | WorkloadKind::Rollout => UpdateStrategy::default(),
        WorkloadKind::StatefulSet => {
            UpdateStrategy::RollingUpdate { surge: Share::Replicas(0), unavailable: Share::Replicas(1) }
        }
    };
    let strategy = merged(usual, Some(update.recreate), update.surge.map(to_share), update.unavailable.map(to_share));
    UpdateSpec { strategy, min_ready: update.min_ready, rollouts: Vec::new() }
}

/// A strategy with the stated values instead of its own.
fn merged(
    own: UpdateStrategy,
    recreate: Option<bool>,
    surge: Option<Share>,
    unavailable: Option<Share>,
) -> UpdateStrategy {
    let stated = surge.is_some() || unavailable.is_some() || recreate == Some(false);
    let base = match own {
        UpdateStrategy::Recreate if stated => UpdateStrategy::default(),
        own => own,
    };
    match base {
        _ if recreate == Some(true) => UpdateStrategy::Recreate,
        UpdateStrategy::Recreate => UpdateStrategy::Recreate,
        UpdateStrategy::RollingUpdate { surge: most, unavailable: least } => {
            UpdateStrategy::RollingUpdate { surge: surge.unwrap_or(most), unavailable: unavailable.unwrap_or(least) }
        }
    }
}

/// Assigns rollouts and restarts to their services.
pub(super) fn plan(faults: &Faults<'_>, services: &mut [ServicePlan], sink: &mut Diagnostics) {
    for stated in &faults.restarts {
        if let Some(target) = meant((stated.node, "restart"), stated.service, services, sink) {
            target.spec.restarts.push(stated.restart);
            target.spec.restarts.sort_by_key(|restart| restart.at);
        }
    }
    for stated in &faults.rollouts {
        if let Some(target) = meant((stated.node, "rollout"), stated.service, services, sink) {
            let update = &mut target.spec.update;
            let strategy = merged(update.strategy, stated.recreate, stated.surge, stated.unavailable);
            update.rollouts.push(Rollout { at: stated.at, strategy, new_image: stated.new_image });
            update.rollouts.sort_by_key(|rollout| rollout.at);
        }
    }
}

/// The service affected by a fault, which is described by its place and kind.
fn meant<'s>(
    (node, what): (&Yaml, &str),
    service: Option<&Yaml>,
    services: &'s mut [ServicePlan],
    sink: &mut Diagnostics,
) -> Option<&'s mut ServicePlan> {
    let names: Vec<String> = services.iter().map(|service| service.spec.name.clone()).collect();
    let Some(named) = service else {
        if services.len() > 1 {
            sink.push(
                node.error(format!("which service is the {what} for?")).note(format!("services: {}", names.join(", "))),
            );
            return None;
        }
        return services.first_mut();
    };
    let name = named.as_text().unwrap_or("");
    let index = names.iter().position(|known| known == name);
    if index.is_none() && !names.is_empty() {
        let error = named.error(format!("there is no service `{name}`"));
        let error = error.near(name, names.iter().map(String::as_str));
        sink.push(error.note(format!("services: {}", names.join(", "))));
    }
    services.get_mut(index?)
}

/// Reads `lost-nodes: { noticed-after: 40s, evicted-after: 300s }`; Kubernetes' defaults apply to what is omitted.
pub(super) fn lost_nodes(fields: &Fields<'_>, sink: &mut Diagnostics) -> LostNodes {
    let usual = LostNodes::default();
    let Some(fields) = fields.node_of("lost-nodes").and_then(|node| Fields::open(node, "lost-nodes", sink)) else {
        return usual;
    };
    let response = LostNodes {
        noticed_after: fields.or("noticed-after", usual.noticed_after, sink),
        evicted_after: fields.or("evicted-after", usual.evicted_after, sink),
    };
    fields.finish(sink);
    response
}

/// `{ zone: a, at: 2h, for: 30m }`
fn zone_outage(
    node: &Yaml,
    zones: &[String],
    response: LostNodes,
    clock: &mut Clock<'_>,
    sink: &mut Diagnostics,
) -> Option<ZoneOutage> {
    let fields = Fields::open(node, "zone-outage", sink)?;
    let name: Option<String> = fields.required("zone", sink);
    let at = clock.moment(&fields, "at", sink);
    let length: Option<SimDuration> = fields.required("for", sink);
    let place = fields.node_of("zone").unwrap_or(node);
    fields.finish(sink);
    let (name, at, length) = (name?, at?, length?);
    if length.is_zero() {
        sink.push(node.error("an outage must have a length above zero"));
        return None;
    }
    match zones.iter().position(|zone| *zone == name) {
        Some(zone) => Some(ZoneOutage { zone: zone as u32, at: SimTime::ZERO.saturating_add(at), length, response }),
        None => {
            let known = zones.iter().map(String::as_str).filter(|zone| !zone.is_empty());
            let error = place.error(format!("there is no zone `{name}`")).near(&name, known);
            sink.push(match zones.iter().all(String::is_empty) {
                false => error.note(format!("zones: {}", zones.join(", "))),
                true => error.help("no node pool names its zones: state `zones: [a, b, c]` in `nodes:`"),
            });
            None
        }
    }
}
