//! Prices by use: `per-request:`, `per-gib-second:` and so on below a service's `price:`.

use crate::billing::{Charge, Item, Tier, UseTariff};
use crate::catalog::Billing;
use crate::cluster::ServiceSpec;
use crate::config::{Diagnostics, Fields, Value, Yaml};
use crate::units::{Bytes, Millicores, Quantity, SimDuration, UnitPrice};

/// The items that a scenario may price: the field of the price, that of what is free, and the item.
const ITEMS: [(&str, &str, Item); 5] = [
    ("per-request", "requests", Item::Requests),
    ("per-gib-second", "gib-seconds", Item::GibSeconds),
    ("per-gib-hour", "gib-hours", Item::GibHours),
    ("per-vcpu-second", "vcpu-seconds", Item::VcpuSeconds),
    ("per-vcpu-hour", "vcpu-hours", Item::VcpuHours),
];

/// Reads the fields that price use; `None` if there are none. Tiers and what is free are those of a month.
pub(super) fn use_tariff(fields: &Fields<'_>, spec: &ServiceSpec, sink: &mut Diagnostics) -> Option<UseTariff> {
    let stated: Vec<_> = ITEMS.iter().map(|(field, free, item)| (fields.node_of(field), *free, *item)).collect();
    let granularity: Option<SimDuration> = fields.optional("granularity", sink);
    let minimum: Option<SimDuration> = fields.optional("minimum", sink);
    let free = fields.node_of("free");
    let free = free.map_or_else(Vec::new, |node| read_free(node, &stated, sink));
    let mut charges = Vec::new();
    for (node, free_name, item) in stated {
        let Some(node) = node else { continue };
        check_time(node, item, spec, sink);
        let Some(tiers) = read_tiers(node, item, sink) else { continue };
        let free = free.iter().find(|(name, _)| *name == free_name).map_or(0, |(_, count)| units(*count, item));
        match Charge::tiered(item, free, &tiers) {
            Ok(charge) => charges.push(charge),
            Err(error) => sink.push(node.error(error.to_string())),
        }
    }
    if !charges.iter().any(|charge| charge.item().takes_time()) {
        for name in ["granularity", "minimum"] {
            if let Some(node) = fields.node().get(name) {
                let error = node.error(format!("`{name}` rounds the time of each request, but no time has a price"));
                sink.push(error.help("add `per-gib-second:` or `per-vcpu-second:`"));
            }
        }
    }
    charges.extend(fields.node_of("egress").and_then(|node| egress(node, sink)));
    let (cpu, memory): (Millicores, Bytes) = spec.scheduled();
    let rounding = Billing {
        granularity: granularity.unwrap_or(SimDuration::ZERO),
        minimum: minimum.unwrap_or(SimDuration::ZERO),
    };
    (!charges.is_empty()).then_some(UseTariff { charges, rounding, by_activity: false, starts: false, memory, cpu })
}

/// Reads `egress:`, the price of what answers send out of the provider's network, with the size of an answer.
fn egress(node: &Yaml, sink: &mut Diagnostics) -> Option<Charge> {
    let fields = Fields::open(node, "egress", sink)?;
    let answer: Option<Bytes> = fields.required("per-request", sink);
    let price = fields.node_of("per-gib");
    if price.is_none() {
        let _: Option<UnitPrice> = fields.required("per-gib", sink);
    }
    let free: Option<Quantity> = fields.optional("free", sink);
    fields.finish(sink);
    let tiers = read_tiers(price?, Item::EgressGib, sink)?;
    let free = free.map_or(0, |free| units(free, Item::EgressGib));
    match Charge::tiered(Item::EgressGib, free, &tiers) {
        Ok(charge) => Some(charge.for_answers(answer?)),
        Err(error) => {
            sink.push(node.error(error.to_string()));
            None
        }
    }
}

/// A count in [`Item::base`].
fn units(count: Quantity, item: Item) -> u128 {
    let millis = count.millis().unsigned_abs();
    u128::from(millis).saturating_mul(item.base()) / 1000
}

/// What is free in a month, by name.
fn read_free(
    node: &Yaml,
    priced: &[(Option<&Yaml>, &'static str, Item)],
    sink: &mut Diagnostics,
) -> Vec<(&'static str, Quantity)> {
    let Some(fields) = Fields::open(node, "free", sink) else { return Vec::new() };
    let mut free = Vec::new();
    for (price, name, item) in priced {
        let Some(count) = fields.optional::<Quantity>(name, sink) else { continue };
        if price.is_none() {
            let place = node.get(name).unwrap_or(node);
            sink.push(place.error(format!("{} are free without a price; leave this out", item.unit())));
        }
        free.push((*name, count));
    }
    fields.finish(sink);
    free
}

/// Reads one price, or a list of them with the count that each holds up to.
fn read_tiers(node: &Yaml, item: Item, sink: &mut Diagnostics) -> Option<Vec<Tier>> {
    let Value::Sequence(items) = &node.value else {
        let price = crate::config::parse_text::<UnitPrice>(node, sink)?;
        return Some(vec![Tier { up_to: None, price }]);
    };
    let mut tiers = Vec::new();
    for node in items {
        let fields = Fields::open(node, "tier", sink)?;
        let price: Option<UnitPrice> = fields.required("price", sink);
        let up_to: Option<Quantity> = fields.optional("up-to", sink);
        fields.finish(sink);
        tiers.push(Tier { up_to: up_to.map(|count| units(count, item)), price: price? });
    }
    Some(tiers)
}

/// Reports a price of time where the time that a replica is in use is not the sum of its requests' times, or its size is
/// not known.
fn check_time(node: &Yaml, item: Item, spec: &ServiceSpec, sink: &mut Diagnostics) {
    if !item.takes_time() {
        return;
    }
    if spec.concurrency != 1 {
        let message = format!("{} are counted only where a replica serves one request at a time", item.unit());
        let help = "set `concurrency: 1`, or state the price of a replica by time: `per-replica: $0.05/h`";
        sink.push(node.error(message).help(help));
    }
    let (cpu, memory) = spec.scheduled();
    let missing = match item {
        Item::GibSeconds | Item::GibHours => (memory == Bytes::ZERO).then_some("memory"),
        _ => (cpu == Millicores::ZERO).then_some("cpu"),
    };
    if let Some(missing) = missing {
        let error = node.error(format!("the {missing} of a replica is not known"));
        sink.push(error.help(format!("set `resources: {{ requests: {{ {missing}: ... }} }}` of the service")));
    }
}
