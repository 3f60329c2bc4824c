//! Zones, and faults that are planned.

use crate::cluster::{NodePool, Nodes};
use crate::config::{Diagnostics, Fields, Node, Value, suggest};
use crate::engine::fault::ZoneOutage;
use crate::units::{SimDuration, SimTime};

/// Zones of replicas that need no node and state none: as many as most regions have.
const USUAL: [&str; 3] = ["a", "b", "c"];

/// The zones: those of the node pools, or `zones:`, or three.
pub(super) fn zones(fields: &Fields<'_>, pools: &[NodePool], sink: &mut Diagnostics) -> Vec<String> {
    let stated: Option<Vec<String>> = fields.optional("zones", sink);
    let Some(node) = fields.node_of("zones") else {
        let of_nodes = Nodes::zone_names(pools);
        return if pools.is_empty() { USUAL.map(String::from).into() } else { of_nodes };
    };
    if !pools.is_empty() {
        sink.push(node.error("the zones are those of the nodes").help("state `zones:` in each node pool instead"));
    }
    let stated = stated.unwrap_or_default();
    let twice = stated.iter().enumerate().any(|(index, zone)| stated[..index].contains(zone));
    if stated.is_empty() || twice {
        sink.push(node.error("expected a list of different zones, such as `[a, b, c]`"));
    }
    stated
}

/// `faults:`, a list of `zone-outage: { zone: a, at: 2h, for: 30m }`.
pub(super) fn outages(fields: &Fields<'_>, zones: &[String], sink: &mut Diagnostics) -> Vec<ZoneOutage> {
    let Some(list) = fields.node_of("faults") else { return Vec::new() };
    let Value::Sequence(items) = &list.value else {
        sink.push(list.error("`faults` must be a list").help("- zone-outage: { zone: a, at: 2h, for: 30m }"));
        return Vec::new();
    };
    items.iter().filter_map(|item| outage(item, zones, sink)).collect()
}

fn outage(item: &Node, zones: &[String], sink: &mut Diagnostics) -> Option<ZoneOutage> {
    let outer = Fields::open(item, "fault", sink)?;
    let node = outer.node_of("zone-outage");
    outer.finish(sink);
    let Some(node) = node else {
        sink.push(item.error("a fault is a `zone-outage: { zone: a, at: 2h, for: 30m }`"));
        return None;
    };
    let fields = Fields::open(node, "zone-outage", sink)?;
    let name: Option<String> = fields.required("zone", sink);
    let at: Option<SimDuration> = fields.required("at", sink);
    let length: Option<SimDuration> = fields.required("for", sink);
    let place = fields.node_of("zone").unwrap_or(node);
    fields.finish(sink);
    let (name, at, length) = (name?, at?, length?);
    if length.is_zero() {
        sink.push(node.error("an outage lasts longer than nothing"));
        return None;
    }
    match zones.iter().position(|zone| *zone == name) {
        Some(zone) => Some(ZoneOutage { zone: zone as u32, at: SimTime::ZERO + at, length }),
        None => {
            let mut error = place.error(format!("there is no zone `{name}`"));
            if let Some(near) = suggest(&name, zones.iter().map(String::as_str)) {
                error = error.label(format!("did you mean `{near}`?"));
            }
            sink.push(error.note(format!("zones: {}", zones.join(", "))));
            None
        }
    }
}
