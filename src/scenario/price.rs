//! Prices of replicas.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::purchase::{Buying, buy};
use super::use_price::use_tariff;
use crate::billing::{Contract, UseTariff};
use crate::catalog::{Billing, Catalog, PriceList, PriceSource, Provider, is_date, is_stale};
use crate::cluster::{Bought, ServiceSpec};
use crate::config::spool::path_from;
use crate::config::{Diagnostics, Fields, FromNode, Value, Yaml};
use crate::engine::ReplicaLease;
use crate::units::{SimDuration, UsdPerHour};

/// Where prices are looked up, and the sources of those used, for the report.
#[derive(Default)]
pub(super) struct Sources {
    /// Prices of the user, over the catalogue's.
    pub list: PriceList,
    /// The prices used.
    pub facts: Vec<PriceFact>,
    /// Commitments, fees and credits.
    pub contract: Contract,
    /// What is leased as spot instances, as on the bill.
    pub spot: Vec<String>,
}

impl Sources {
    /// Reads `prices:`, the paths of price lists.
    pub(super) fn read(fields: &Fields<'_>, base_dir: &Path, sink: &mut Diagnostics) -> Sources {
        let mut sources = Sources::default();
        let Some(node) = fields.node_of("prices") else { return sources };
        let paths = match &node.value {
            Value::Sequence(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        for path in paths {
            let Some(text) = String::from_node(path, sink) else { continue };
            sources.list.read(&path_from(path.source.directory_or(base_dir), &text), sink);
        }
        sources
    }

    /// Reads `today:` and marks the prices that are more than a year older, with a warning for each.
    pub(super) fn mark_stale(&mut self, fields: &Fields<'_>, sink: &mut Diagnostics) {
        let Some(node) = fields.node_of("today") else { return };
        let today = node.as_text().unwrap_or("");
        if !is_date(today) {
            let error = node.error("`today` must be a date");
            sink.push(error.help("write it as `2026-12-01`: prices more than a year older are marked"));
            return;
        }
        for fact in self.facts.iter_mut().filter(|fact| is_stale(&fact.date, today)) {
            fact.stale = true;
            let message = format!("the price of {} is of {}, more than a year before {today}", fact.what, fact.date);
            sink.push(node.warning(message).help("newer prices can be stated in a file of `prices:`"));
        }
    }
}

/// Where a price on the bill comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceFact {
    /// What it is paid for, as on the bill.
    pub what: String,
    /// The provider.
    pub provider: String,
    /// The region.
    pub region: String,
    /// Repository and commit, or page.
    pub source: String,
    /// The date of the source, as `YYYY-MM-DD`; empty if it states none.
    pub date: String,
    /// Whether it is more than a year older than the scenario's `today:`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stale: bool,
    /// The policy whose own form of the service it is for; `None` if it is for every policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

impl PriceFact {
    pub(super) fn new(what: &str, provider: Provider, region: &str, price: &PriceSource) -> PriceFact {
        PriceFact {
            what: what.to_string(),
            provider: provider.name().to_string(),
            region: region.to_string(),
            source: price.source.clone(),
            date: price.date.clone(),
            stale: false,
            policy: None,
        }
    }

    /// The fact behind the line `what` on the bill of `policy`: its own before one that is for every policy.
    #[doc(hidden)]
    pub fn of<'f>(facts: &'f [PriceFact], what: &str, policy: &str) -> Option<&'f PriceFact> {
        let find = |owner: Option<&str>| facts.iter().find(|fact| fact.what == what && fact.policy.as_deref() == owner);
        find(Some(policy)).or_else(|| find(None))
    }
}

/// What a service pays.
#[derive(Default)]
pub(super) struct Paid {
    /// The lease of each replica.
    pub lease: Option<ReplicaLease>,
    /// Whether replicas that requests start are leased too.
    pub leases_extra: bool,
    /// The CPU that comes with it, if a size is paid for.
    pub bought: Option<Bought>,
    /// What requests cost.
    pub usage: Option<UseTariff>,
}

/// The lease of each replica and, if a size is paid for, the CPU that comes with it.
type Leased = (ReplicaLease, Option<Bought>);

/// Reads a service's `price:`: a price per replica (`$0.05/h`), or a mapping with one price by time at most (`per-replica:`;
/// `instance:`, a whole instance per replica; `share-of:`, the share of an instance that the replica requests; `container:`,
/// an offer such as `fargate`) and any prices by use (`per-request:` ...).
pub(super) fn read_price(node: &Yaml, spec: &ServiceSpec, sources: &mut Sources, sink: &mut Diagnostics) -> Paid {
    if let Some(text) = node.as_text() {
        if let Some(offer) = Catalog::builtin().containers().iter().find(|offer| offer.name == text) {
            let error = node.error(format!("`{text}` is not a price but a container offer"));
            sink.push(error.help(format!("write `price: {{ container: {} }}`", offer.name)));
            return Paid::default();
        }
        let lease = UsdPerHour::from_node(node, sink).map(|price| per_replica(price, spec));
        return Paid { lease, leases_extra: true, ..Paid::default() };
    }
    let Some(fields) = Fields::open(node, "price", sink) else { return Paid::default() };
    let region: Option<String> = fields.optional("region", sink);
    let each = fields.node_of("per-replica");
    let instance = fields.node_of("instance");
    let share = fields.node_of("share-of");
    let container = fields.node_of("container");
    let buying = Buying::read(&fields, spec.replicas, sink);
    let billed = read_billing(&fields, sink);
    if let (Some(node), None) = (buying.purchase, instance.or(share)) {
        let error = node.error("only an `instance` can be bought in another way than on demand");
        sink.push(error.help("add `instance:` or `share-of:`"));
    }
    let errors = sink.errors();
    let usage = use_tariff(&fields, spec, sink);
    let leased = match (each, instance, share, container) {
        (Some(price), None, None, None) => {
            UsdPerHour::from_node(price, sink).map(|price| (per_replica(price, spec), None))
        }
        (None, Some(named), None, None) => whole_instance(named, (region.as_deref(), buying), spec, sources, sink),
        (None, None, Some(named), None) => share_of_instance(named, (region.as_deref(), buying), spec, sources, sink),
        (None, None, None, Some(named)) => container_offer(named, region.as_deref(), spec, sources, sink),
        (None, None, None, None) => None,
        _ => {
            let message = "a price needs exactly one of `instance`, `share-of`, `container` and `per-replica`";
            sink.push(node.error(message));
            None
        }
    };
    let any = [each, instance, share, container].iter().any(Option::is_some) || usage.is_some();
    fields.finish(sink);
    if !any && sink.errors() == errors {
        let known =
            "a price needs one of `instance`, `share-of`, `container`, `per-replica`, `per-request`, `per-gib-second`";
        sink.push(node.error(known).help("or write a price per replica, such as `price: $0.05/h`"));
    }
    let (lease, bought) = leased.unzip();
    let lease = lease.map(|lease| ReplicaLease { billing: billed.unwrap_or(lease.billing), ..lease });
    Paid { lease, leases_extra: true, bought: bought.flatten(), usage }
}

/// Reads `billed:`, which replaces the provider's rule for time: `{ granularity: 1h, minimum: 1h }`.
pub(super) fn read_billing(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<Billing> {
    let given = Fields::open(fields.node_of("billed")?, "billed", sink)?;
    let [granularity, minimum] = ["granularity", "minimum"].map(|name| given.or(name, SimDuration::ZERO, sink));
    given.finish(sink);
    Some(Billing { granularity, minimum })
}

/// A stated price of each replica.
fn per_replica(price: UsdPerHour, spec: &ServiceSpec) -> ReplicaLease {
    let billing = Billing { granularity: SimDuration::from_secs(1), minimum: SimDuration::ZERO };
    ReplicaLease { what: spec.name.clone(), price, billing }
}

fn whole_instance(
    node: &Yaml,
    (region, buying): (Option<&str>, Buying<'_>),
    spec: &ServiceSpec,
    sources: &mut Sources,
    sink: &mut Diagnostics,
) -> Option<Leased> {
    let instance = found(sources.list.instance(node.as_text().unwrap_or(""), region), node, sink)?;
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
    let (instance, what) = buy(instance, what, buying, sources, sink)?;
    Some((
        ReplicaLease { what, price: instance.price, billing: instance.billing },
        Some(Bought { cpu: instance.cpu, whole: true }),
    ))
}

fn share_of_instance(
    node: &Yaml,
    (region, buying): (Option<&str>, Buying<'_>),
    spec: &ServiceSpec,
    sources: &mut Sources,
    sink: &mut Diagnostics,
) -> Option<Leased> {
    let instance = found(sources.list.instance(node.as_text().unwrap_or(""), region), node, sink)?;
    let (cpu, memory) = spec.scheduled();
    let what = format!("{} share of {} ({})", spec.name, instance.name, instance.region);
    let (instance, what) = buy(instance, what, buying, sources, sink)?;
    buying.check_share(sink);
    match instance.share_price(cpu, memory) {
        Ok(price) => {
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
) -> Option<Leased> {
    let offer = found(sources.list.container(node.as_text().unwrap_or(""), region), node, sink)?;
    let what = format!("{} on {} ({})", spec.name, offer.name, offer.region);
    sources.facts.push(PriceFact::new(&what, offer.provider, &offer.region, &offer.price_source));
    let (cpu, memory) = spec.scheduled();
    let Some(price) = offer.price_for(cpu, memory) else {
        sink.push(node.error(format!("no size of {} is large enough for the service's requests", offer.name)));
        return None;
    };
    let bought = offer.size_for(cpu, memory).map(|(cpu, _)| Bought { cpu, whole: true });
    Some((ReplicaLease { what, price, billing: offer.billing }, bought))
}

/// The result of a look-up in the catalogue; an error is reported at `node`.
pub(super) fn found<T>(
    result: Result<T, crate::catalog::LookupError>,
    node: &Yaml,
    sink: &mut Diagnostics,
) -> Option<T> {
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
