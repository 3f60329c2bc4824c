//! `fixed`: the nodes of the start stay.

use std::sync::Arc;

use super::{NodeDecision, NodePolicy, NodePolicyFactory, NodePolicyPlugin, PoolObservation};
use crate::config::{Diagnostics, Fields, Yaml};

/// The entry in the list. It has no parameters.
pub const PLUGIN: NodePolicyPlugin = NodePolicyPlugin {
    name: "fixed",
    summary: "the `count` nodes of the start stay for the whole run",
    source: "no algorithm",
    build,
};

/// Never orders and never gives back a node.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fixed;

impl NodePolicy for Fixed {
    fn decide(&mut self, _observation: &PoolObservation<'_>) -> NodeDecision {
        NodeDecision { reason: "fixed".into(), ..NodeDecision::default() }
    }

    fn words(&self) -> String {
        "Its nodes stay for the whole run.".into()
    }
}

fn build(node: &Yaml, sink: &mut Diagnostics) -> Option<NodePolicyFactory> {
    if !node.is_null() {
        Fields::open(node, "node policy `fixed`", sink)?.finish(sink);
    }
    Some(Arc::new(|| Box::new(Fixed)))
}
