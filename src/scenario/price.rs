//! Prices of replicas and nodes.

use crate::catalog::{Billing, Catalog, PriceSource};
use crate::cluster::{Bought, NodePool, ServiceSpec};
use crate::config::{Diagnostics, Fields, FromNode, Line, Name, Yaml};
use crate::engine::{NodeLease, ReplicaLease};
use crate::units::{SimDuration, UsdPerHour};

/// Collects the sources of the prices used, for their date in the report.
pub(super) type Sources = Vec<PriceSource>;

/// The lease of each replica and, if a size is paid for, the CPU that comes with it.
pub(super) type Paid = (ReplicaLease, Option<Bought>);

/// Reads a service's `price:`: a price per replica (`$0.05/h`), `instance:` (a whole instance per replica), `share-of:`
/// (the share of an instance that the replica requests) or `container:` (an offer such as `fargate`).
pub(super) fn replica_lease(
    node: &Yaml,
    spec: &ServiceSpec,
    sources: &mut Sources,
    sink: &mut Diagnostics,
) -> Option<Paid> {
    if let Some(text) = node.as_text() {
        if let Some(offer) = Catalog::builtin().containers().iter().find(|offer| offer.name == text) {
            let error = node.error(format!("`{text}` is not a price but a container offer"));
            sink.push(error.help(format!("write `price: {{ container: {} }}`", offer.name)));
            return None;
        }
        let price = UsdPerHour::from_node(node, sink)?;
        let billing = Billing { granularity: SimDuration::from_secs(1), minimum: SimDuration::ZERO };
        return Some((ReplicaLease { what: spec.name.clone(), price, billing }, None));
    }
    let fields = Fields::open(node, "price", sink)?;
    let region: Option<String> = fields.optional("region", sink);
    let instance = fields.node_of("instance");
    let share = fields.node_of("share-of");
    let container = fields.node_of("container");
    let lease = match (instance, share, container) {
        (Some(named), None, None) => whole_instance(named, region.as_deref(), spec, sources, sink),
        (None, Some(named), None) => share_of_instance(named, region.as_deref(), spec, sources, sink),
        (None, None, Some(named)) => container_offer(named, region.as_deref(), spec, sources, sink),
        _ => {
            let error = node.error("a price needs exactly one of `instance`, `share-of` and `container`");
            sink.push(error.help("or write a price per replica, such as `price: $0.05/h`"));
            None
        }
    };
    fields.finish(sink);
    lease
}

fn whole_instance(
    node: &Yaml,
    region: Option<&str>,
    spec: &ServiceSpec,
    sources: &mut Sources,
    sink: &mut Diagnostics,
) -> Option<Paid> {
    let instance = found(Catalog::builtin().instance(node.as_text().unwrap_or(""), region), node, sink)?;
    sources.push(instance.price_source.clone());
    let has = instance.extended();
    for (name, amount) in &spec.pod.extended {
        let there = has.iter().find(|(known, _)| known == name).map_or(0, |(_, there)| *there);
        if there < *amount {
            let message =
                format!("a replica of {} requests {amount} {name}, but {} has {there}", spec.name, instance.name);
            sink.push(node.warning(message));
        }
    }
    let what = format!("{} on {} ({})", spec.name, instance.name, instance.region);
    Some((
        ReplicaLease { what, price: instance.price, billing: instance.billing },
        Some(Bought { cpu: instance.cpu, whole: true }),
    ))
}

fn share_of_instance(
    node: &Yaml,
    region: Option<&str>,
    spec: &ServiceSpec,
    sources: &mut Sources,
    sink: &mut Diagnostics,
) -> Option<Paid> {
    let instance = found(Catalog::builtin().instance(node.as_text().unwrap_or(""), region), node, sink)?;
    sources.push(instance.price_source.clone());
    let (cpu, memory) = spec.scheduled();
    match instance.share_price(cpu, memory) {
        Ok(price) => {
            let what = format!("{} share of {} ({})", spec.name, instance.name, instance.region);
            // The provider's minimum applies to the machine, which stays up for its other tenants when a replica ends.
            let billing = Billing { minimum: SimDuration::ZERO, ..instance.billing };
            Some((
                ReplicaLease { what, price, billing },
                instance.share_cpu(cpu, memory).ok().map(|cpu| Bought { cpu, whole: false }),
            ))
        }
        Err(error) => {
            sink.push(node.error(error.to_string()).help("set `resources: requests:` of the service"));
            None
        }
    }
}

fn container_offer(
    node: &Yaml,
    region: Option<&str>,
    spec: &ServiceSpec,
    sources: &mut Sources,
    sink: &mut Diagnostics,
) -> Option<Paid> {
    let offer = found(Catalog::builtin().container(node.as_text().unwrap_or(""), region), node, sink)?;
    sources.push(offer.price_source.clone());
    let (cpu, memory) = spec.scheduled();
    let Some(price) = offer.price_for(cpu, memory) else {
        sink.push(node.error(format!("no size of {} is large enough for the service's requests", offer.name)));
        return None;
    };
    let what = format!("{} on {} ({})", spec.name, offer.name, offer.region);
    let bought = offer.size_for(cpu, memory).map(|(cpu, _)| Bought { cpu, whole: true });
    Some((ReplicaLease { what, price, billing: offer.billing }, bought))
}

fn found<'a, T>(
    result: Result<&'a T, crate::catalog::LookupError>,
    node: &Yaml,
    sink: &mut Diagnostics,
) -> Option<&'a T> {
    result
        .map_err(|error| {
            let diagnostic = node.error(error.message);
            sink.push(match error.help {
                Some(help) => diagnostic.help(help),
                None => diagnostic,
            });
        })
        .ok()
}

/// Reads `{ nvidia.com/gpu: 4 }`, which replaces the catalogue's extended resources of the instance.
fn read_extended(node: &Yaml, sink: &mut Diagnostics) -> Vec<(String, u64)> {
    let (entries, rest) = node.split_entries(|name| name.contains('/'));
    if let Some(fields) = Fields::open(&rest, "`extended`", sink) {
        fields.finish(sink);
    }
    entries.iter().filter_map(|(key, value)| Some((key.text.clone(), u64::from_node(value, sink)?))).collect()
}

/// Reads one node pool and its price.
pub(super) fn node_pool(node: &Yaml, sources: &mut Sources, sink: &mut Diagnostics) -> Option<(NodePool, NodeLease)> {
    let fields = Fields::open(node, "node pool", sink)?;
    let named = fields.node_of("instance");
    let region: Option<String> = fields.optional("region", sink);
    let count: Option<u32> = fields.required("count", sink);
    let zones: Vec<Line> = fields.or("zones", Vec::new(), sink);
    let speed: f64 = fields.or("speed", 1.0, sink);
    let name = fields.optional("name", sink).map(|Name(name)| name);
    let extended = fields.node_of("extended").map(|node| read_extended(node, sink));
    if named.is_none() {
        let _: Option<String> = fields.required("instance", sink);
    }
    if speed <= 0.0 {
        sink.push(node.error("`speed` must be more than zero"));
    }
    fields.finish(sink);
    let instance = found(Catalog::builtin().instance(named?.as_text().unwrap_or(""), region.as_deref()), named?, sink)?;
    sources.push(instance.price_source.clone());
    let count = count.filter(|count| (1..=100_000).contains(count)).or_else(|| {
        if count.is_some() {
            sink.push(node.error("`count` must be from 1 to 100000"));
        }
        None
    })?;
    let mut pool = NodePool::new(name.unwrap_or_else(|| instance.name.clone()), instance, count);
    pool.zones = zones.into_iter().map(|Line(zone)| zone).collect();
    pool.speed = speed;
    pool.extended = extended.unwrap_or(pool.extended);
    let what = format!("node {} ({})", instance.name, instance.region);
    Some((pool, NodeLease { what, price: instance.price, billing: instance.billing, count }))
}
