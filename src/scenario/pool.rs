//! Pools of nodes: what they are, how many there may be, and their price.

use std::sync::Arc;

use super::price::{Sources, found, read_billing};
use super::purchase::{Buying, buy};
use crate::cluster::NodePool;
use crate::config::{Diagnostics, Fields, FromNode, Line, Name, Value, Yaml};
use crate::engine::NodeLease;
use crate::policy::nodes::{NODE_POLICIES, NodePolicyFactory, read_node_policy};
use crate::random::Distribution;

/// The most nodes of a pool.
const MAX_NODES: u32 = 100_000;

/// The pools, and by pool the price of a node and the node policy.
pub(super) type ReadPools = (Vec<NodePool>, Vec<NodeLease>, Vec<NodePolicyFactory>);

/// Reads `nodes:`, a list of node pools or a single one.
pub(super) fn node_pools(fields: &Fields<'_>, sources: &mut Sources, sink: &mut Diagnostics) -> ReadPools {
    let mut all = ReadPools::default();
    let Some(node) = fields.node_of("nodes") else { return all };
    let items = match &node.value {
        Value::Sequence(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    for (pool, lease, policy) in items.iter().filter_map(|item| node_pool(item, sources, sink)) {
        all.0.push(pool);
        all.1.push(lease);
        all.2.push(policy);
    }
    all
}

/// Reads one node pool.
fn node_pool(
    node: &Yaml,
    sources: &mut Sources,
    sink: &mut Diagnostics,
) -> Option<(NodePool, NodeLease, NodePolicyFactory)> {
    let fields = Fields::open(node, "node pool", sink)?;
    let named = fields.node_of("instance");
    let region: Option<String> = fields.optional("region", sink);
    let size = Size::read(&fields, sink);
    let zones: Vec<Line> = fields.or("zones", Vec::new(), sink);
    let speed: f64 = fields.or("speed", 1.0, sink);
    let first = size.as_ref().map_or(1, |size| size.count);
    let (buying, billed) = (Buying::read(&fields, first, sink), read_billing(&fields, sink));
    let name = fields.optional("name", sink).map(|Name(name)| name);
    let extended = fields.node_of("extended").map(|node| read_extended(node, sink));
    if named.is_none() {
        let _: Option<String> = fields.required("instance", sink);
    }
    if speed <= 0.0 {
        sink.push(node.error("`speed` must be more than zero"));
    }
    fields.finish(sink);
    let instance = found(sources.list.instance(named?.as_text().unwrap_or(""), region.as_deref()), named?, sink)?;
    let size = size?;
    let mut pool = NodePool::new(name.unwrap_or_else(|| instance.name.clone()), &instance, size.count);
    (pool.least, pool.most, pool.boot) = (size.least, size.most, size.boot);
    pool.zones = zones.into_iter().map(|Line(zone)| zone).collect();
    pool.speed = speed;
    pool.extended = extended.unwrap_or(pool.extended);
    let what = format!("node {} ({})", instance.name, instance.region);
    let (instance, what) = buy(instance, what, buying, sources, sink)?;
    let billing = billed.unwrap_or(instance.billing);
    Some((pool, NodeLease { what, price: instance.price, billing }, size.policy))
}

/// How many nodes there may be, and who decides.
struct Size {
    count: u32,
    least: u32,
    most: u32,
    boot: Distribution,
    policy: NodePolicyFactory,
}

impl Size {
    fn read(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<Size> {
        let count: Option<u32> = fields.required("count", sink);
        let stated = fields.node_of("policy");
        let fixed = &NODE_POLICIES[0];
        fields.default_is("policy", fixed.name.to_string());
        let node = fields.node();
        let null = Yaml { value: Value::Null, span: node.span, source: Arc::clone(&node.source) };
        let (plugin, policy) = match stated {
            Some(node) => read_node_policy(node, sink)?,
            None => (fixed, (fixed.build)(&null, sink)?),
        };
        let [min, max] = ["min", "max"].map(|name| fields.optional::<u32>(name, sink));
        let boot: Option<Distribution> = fields.optional("boot-time", sink);
        if plugin.name == fixed.name {
            for name in ["min", "max", "boot-time"] {
                if let Some(place) = fields.node_of(name) {
                    let error = place.error(format!("a pool whose nodes are fixed has no `{name}`"));
                    sink.push(
                        error.help("add a `policy:` that changes the number of nodes (`plimsoll list node-policies`)"),
                    );
                }
            }
            let count = within("count", fields, count?, (1, MAX_NODES), sink)?;
            return Some(Size { count, least: count, most: count, boot: NodePool::usual_boot(), policy });
        }
        fields.default_is("min", "count".to_string());
        fields.default_is("boot-time", NodePool::usual_boot().words());
        if fields.node_of("max").is_none() {
            let _: Option<u32> = fields.required("max", sink);
        }
        let most = within("max", fields, max?, (1, MAX_NODES), sink)?;
        let count = within("count", fields, count?, (0, most), sink)?;
        let least = within("min", fields, min.unwrap_or(count), (0, count), sink)?;
        Some(Size { count, least, most, boot: boot.unwrap_or_else(NodePool::usual_boot), policy })
    }
}

/// A number of nodes between bounds; reported at its field if it is not.
fn within(
    name: &'static str,
    fields: &Fields<'_>,
    number: u32,
    (least, most): (u32, u32),
    sink: &mut Diagnostics,
) -> Option<u32> {
    if (least..=most).contains(&number) {
        return Some(number);
    }
    let place = fields.node_of(name).unwrap_or(fields.node());
    let bounds = match (name, most) {
        ("min", _) => format!("from 0 to the `count` of {most}"),
        ("count", most) if most < MAX_NODES => format!("from {least} to the `max` of {most}"),
        _ => format!("from {least} to {most}"),
    };
    sink.push(place.error(format!("`{name}` must be {bounds}")));
    None
}

/// Reads `{ nvidia.com/gpu: 4 }`, which replaces the catalogue's extended resources of the instance.
fn read_extended(node: &Yaml, sink: &mut Diagnostics) -> Vec<(String, u64)> {
    let (entries, rest) = node.split_entries(|name| name.contains('/'));
    if let Some(fields) = Fields::open(&rest, "`extended`", sink) {
        fields.finish(sink);
    }
    entries.iter().filter_map(|(key, value)| Some((key.text.clone(), u64::from_node(value, sink)?))).collect()
}
