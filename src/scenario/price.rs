//! Prices of replicas.

use crate::catalog::{Billing, Catalog, PriceSource};
use crate::cluster::{Bought, ServiceSpec};
use crate::config::{Diagnostics, Fields, FromNode, Yaml};
use crate::engine::ReplicaLease;
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

/// The result of a look-up in the catalogue; an error is reported at `node`.
pub(super) fn found<'a, T>(
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
