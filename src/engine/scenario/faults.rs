//! Zones, and faults that are planned.

use crate::cluster::{NodePool, Nodes};
use crate::config::{Diagnostics, Fields, Node, Value, suggest};
use crate::engine::fault::{MetricsOutage, ZoneOutage};
use crate::policy::{Measure, Measures, measure_named, not_measured};
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

/// What goes wrong, by kind.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Zones that are lost.
    pub zones: Vec<ZoneOutage>,
    /// Times in which the metrics APIs do not answer.
    pub metrics: Vec<MetricsOutage>,
}

const EXAMPLES: &str =
    "`zone-outage: { zone: a, at: 2h, for: 30m }` or `metrics-outage: { of: [queue-length], from: 1h, for: 10m }`";

/// `faults:`, a list of faults, each under its kind.
pub(super) fn faults(
    fields: &Fields<'_>,
    zones: &[String],
    names: &[(String, Measure)],
    sink: &mut Diagnostics,
) -> Faults {
    let mut faults = Faults::default();
    let Some(list) = fields.node_of("faults") else { return faults };
    let Value::Sequence(items) = &list.value else {
        sink.push(list.error("`faults` must be a list").help(format!("an item is {EXAMPLES}")));
        return faults;
    };
    for item in items {
        let Some(outer) = Fields::open(item, "fault", sink) else { continue };
        let (zone, metrics) = (outer.node_of("zone-outage"), outer.node_of("metrics-outage"));
        outer.finish(sink);
        match (zone, metrics) {
            (Some(node), None) => faults.zones.extend(zone_outage(node, zones, sink)),
            (None, Some(node)) => faults.metrics.extend(metrics_outage(node, names, sink)),
            _ => sink.push(item.error(format!("a fault is {EXAMPLES}"))),
        }
    }
    faults
}

/// `{ of: [queue-length], from: 1h, for: 10m }`; without `of` everything that is measured.
fn metrics_outage(node: &Node, names: &[(String, Measure)], sink: &mut Diagnostics) -> Option<MetricsOutage> {
    let fields = Fields::open(node, "metrics-outage", sink)?;
    let from: Option<SimDuration> = fields.required("from", sink);
    let length: Option<SimDuration> = fields.required("for", sink);
    let of = fields.node_of("of");
    fields.finish(sink);
    let named = |item: &Node, sink: &mut Diagnostics| {
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
        sink.push(node.error("an outage lasts longer than nothing, and of something"));
        return None;
    }
    Some(MetricsOutage { of, from: SimTime::ZERO.saturating_add(from), length })
}

/// `{ zone: a, at: 2h, for: 30m }`
fn zone_outage(node: &Node, zones: &[String], sink: &mut Diagnostics) -> Option<ZoneOutage> {
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
