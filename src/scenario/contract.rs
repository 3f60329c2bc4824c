//! What is paid beside leases and use: `savings-plan:`, `fees:` and `sla-credits:`.

use super::ServicePlan;
use super::price::{PriceFact, Sources, read_billing};
use crate::billing::{Fee, MILLION, SavingsPlan, SlaCredits};
use crate::catalog::{Billing, Market, OtherPrice, Provider};
use crate::config::{Diagnostics, Fields, Line, Value, Yaml, not_one_of};
use crate::units::{Fraction, UsdPerHour};

/// The fees of control planes in the catalogue: their name in scenarios, provider, service and meter.
const CLUSTERS: [(&str, Provider, &str, &str); 3] = [
    ("eks", Provider::Aws, "eks", "cluster"),
    ("aks", Provider::Azure, "aks", "Standard tier (uptime SLA)"),
    ("gke", Provider::Gcp, "gke", "cluster management fee"),
];
/// The most of one fee.
const MOST: u32 = 1_000_000;

/// Reads all three into the contract.
pub(super) fn read(fields: &Fields<'_>, services: &[ServicePlan], sources: &mut Sources, sink: &mut Diagnostics) {
    if let Some(node) = fields.node_of("savings-plan") {
        sources.contract.plan = read_plan(node, sources.spot.clone(), sink);
    }
    if let Some(node) = fields.node_of("fees") {
        let items = match &node.value {
            Value::Sequence(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let fees: Vec<Fee> = items.iter().filter_map(|item| read_fee(item, &mut sources.facts, sink)).collect();
        sources.contract.fees = fees;
    }
    if let Some(node) = fields.node_of("sla-credits") {
        sources.contract.credits = read_credits(node, services, sink);
    }
}

/// A share in millionths.
fn millionths(share: Fraction) -> u32 {
    (share.get() * f64::from(MILLION)).round() as u32
}

fn read_plan(node: &Yaml, excluded: Vec<String>, sink: &mut Diagnostics) -> Option<SavingsPlan> {
    let fields = Fields::open(node, "savings-plan", sink)?;
    let commitment: Option<UsdPerHour> = fields.required("commitment", sink);
    let discount: Option<Fraction> = fields.required("discount", sink);
    fields.finish(sink);
    Some(SavingsPlan { commitment: commitment?, discount: millionths(discount?), excluded })
}

/// Reads `{ cluster: eks }` or `{ name: support, price: $0.05/h }`.
fn read_fee(node: &Yaml, facts: &mut Vec<PriceFact>, sink: &mut Diagnostics) -> Option<Fee> {
    let fields = Fields::open(node, "fee", sink)?;
    let cluster = fields.node_of("cluster");
    let name = fields.optional("name", sink).map(|Line(name)| name);
    let price: Option<UsdPerHour> = fields.optional("price", sink);
    let count: u32 = fields.or("count", 1, sink);
    let billed = read_billing(&fields, sink).unwrap_or(Billing::EXACT);
    fields.finish(sink);
    if !(1..=MOST).contains(&count) {
        sink.push(fields_place(node, "count").error(format!("`count` must be from 1 to {MOST}")));
        return None;
    }
    let fee = |what, price| Fee { what, price, count, billing: billed };
    match (cluster, price) {
        (Some(cluster), None) => {
            let (text, known) = (cluster.as_text().unwrap_or(""), CLUSTERS.map(|(name, ..)| name));
            let Some((text, provider, service, meter)) = CLUSTERS.into_iter().find(|(name, ..)| *name == text) else {
                sink.push(not_one_of(cluster, text, "a cluster with a fee", &known));
                return None;
            };
            let listed = Market::builtin().prices.iter().find(|price| {
                (price.provider.as_str(), price.service.as_str(), price.meter.as_str())
                    == (provider.name(), service, meter)
            })?;
            let what = name.unwrap_or_else(|| format!("{text} control plane"));
            facts.push(PriceFact::new(&what, provider, &listed.region, &listed.source));
            Some(fee(what, hourly(listed)?))
        }
        (None, Some(price)) => match name {
            Some(name) => Some(fee(name, price)),
            None => {
                sink.push(node.error("a fee with a price needs a `name`").help("add `name: support`"));
                None
            }
        },
        _ => {
            let error = node.error("a fee has either a `cluster` or a `price`");
            sink.push(error.help("write `{ cluster: eks }` or `{ name: support, price: $0.05/h }`"));
            None
        }
    }
}

fn fields_place<'a>(node: &'a Yaml, name: &str) -> &'a Yaml {
    node.get(name).unwrap_or(node)
}

fn hourly(price: &OtherPrice) -> Option<UsdPerHour> {
    UsdPerHour::from_f64(price.usd.parse().ok()?).ok()
}

fn read_credits(node: &Yaml, services: &[ServicePlan], sink: &mut Diagnostics) -> Option<SlaCredits> {
    let fields = Fields::open(node, "sla-credits", sink)?;
    let (named, tiers) = (fields.node_of("service"), fields.node_of("tiers"));
    let revenue: Option<UsdPerHour> = fields.required("revenue", sink);
    if tiers.is_none() {
        let _: Option<String> = fields.required("tiers", sink);
    }
    fields.finish(sink);
    let names: Vec<&str> = services.iter().map(|plan| plan.spec.name.as_str()).collect();
    let service = match named {
        None if services.len() == 1 => Some(0),
        // The services could not be read.
        _ if services.is_empty() => None,
        None => {
            let error = node.error("which service customers pay for is not stated");
            sink.push(error.help(format!("add `service:`, one of {}", names.join(", "))));
            None
        }
        Some(named) => {
            let text = named.as_text().unwrap_or("");
            let found = names.iter().position(|name| *name == text);
            if found.is_none() {
                sink.push(not_one_of(named, text, "a service", &names));
            }
            found
        }
    };
    let read = read_tiers(tiers?, sink)?;
    Some(SlaCredits { service: service?, revenue: revenue?, tiers: read })
}

/// Reads `- { below: 99.9%, owed: 10% }`; less is owed for more.
fn read_tiers(node: &Yaml, sink: &mut Diagnostics) -> Option<Vec<(u32, u32)>> {
    let Value::Sequence(items) = &node.value else {
        sink.push(node.error("`tiers` must be a list").help("- { below: 99.9%, owed: 10% }"));
        return None;
    };
    let mut tiers: Vec<(u32, u32)> = Vec::new();
    for item in items {
        let fields = Fields::open(item, "tier", sink)?;
        let (below, owed): (Option<Fraction>, Option<Fraction>) =
            (fields.required("below", sink), fields.required("owed", sink));
        fields.finish(sink);
        let (below, owed) = (millionths(below?), millionths(owed?));
        if let Some((above, less)) = tiers.last()
            && (below >= *above || owed <= *less)
        {
            let error = item.error("each tier is below a lower availability than the one before it, and owes more");
            sink.push(error.help("order them such as `{ below: 99.9%, owed: 10% }`, `{ below: 99%, owed: 30% }`"));
            return None;
        }
        tiers.push((below, owed));
    }
    if tiers.is_empty() {
        sink.push(node.error("`tiers` needs at least one tier"));
        return None;
    }
    Some(tiers)
}
