//! `step`: a node for pods that have waited, and away with nodes that have been empty.

use std::cmp::Reverse;
use std::sync::Arc;

use super::{NodeDecision, NodePolicy, NodePolicyFactory, NodePolicyPlugin, PendingPod, PoolObservation};
use crate::config::{Diagnostics, Fields, Yaml};
use crate::units::{SimDuration, SimTime};

/// The entry in the list. Parameters: `add-after` (30s), `remove-after` (10m).
pub const PLUGIN: NodePolicyPlugin = NodePolicyPlugin {
    name: "step",
    summary: "orders nodes for pods that have waited, gives back empty ones: `{ add-after: 30s, remove-after: 10m }`",
    source: "two thresholds, as the cluster autoscaler's scale-down-unneeded-time (10 min)",
    build,
};

/// Two thresholds. A pod that has waited for the first, and for which no node is coming, orders one; the pods that fit
/// beside it order no other. A node that has been empty for the second is given back.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// How long a pod waits before a node is ordered for it.
    pub add_after: SimDuration,
    /// How long a node is empty before it is given back.
    pub remove_after: SimDuration,
}

impl Default for Step {
    fn default() -> Self {
        Step { add_after: SimDuration::from_secs(30), remove_after: SimDuration::from_secs(600) }
    }
}

impl NodePolicy for Step {
    fn decide(&mut self, observation: &PoolObservation<'_>) -> NodeDecision {
        let PoolObservation { now, pending, nodes, .. } = *observation;
        let order_at = |pod: &PendingPod| pod.since.saturating_add(self.add_after);
        let waiting = || pending.iter().filter(|pod| !pod.awaited);
        let overdue = || waiting().filter(|pod| order_at(pod) <= now);
        let launch = observation.nodes_for(overdue());
        // The longest empty first, of equals the newest.
        let mut empty: Vec<_> = nodes.iter().filter_map(|node| Some((node.empty_since?, Reverse(node.id)))).collect();
        empty.sort_unstable();
        let leave_at = |since: SimTime| since.saturating_add(self.remove_after);
        let drain: Vec<_> =
            empty.iter().filter(|(since, _)| leave_at(*since) <= now).map(|(_, Reverse(id))| *id).collect();
        let later = waiting().map(order_at);
        let next = later.chain(empty.iter().map(|(since, _)| leave_at(*since))).filter(|at| *at > now).min();
        let mut reasons = Vec::new();
        if launch > 0 {
            reasons.push(format!("{} pods have waited {} for a node", overdue().count(), self.add_after));
        }
        if !drain.is_empty() {
            reasons.push(format!("{} nodes have been empty for {}", drain.len(), self.remove_after));
        }
        NodeDecision { launch, drain, next, reason: reasons.join("; ").into() }
    }

    fn words(&self) -> String {
        let Step { add_after, remove_after } = self;
        format!(
            "A node is ordered for a pod that has waited {add_after} if none that is coming has room for it, and given back \
             when it has been empty for {remove_after}."
        )
    }
}

fn build(node: &Yaml, sink: &mut Diagnostics) -> Option<NodePolicyFactory> {
    let mut step = Step::default();
    if !node.is_null() {
        let fields = Fields::open(node, "node policy `step`", sink)?;
        step.add_after = fields.or("add-after", step.add_after, sink);
        step.remove_after = fields.or("remove-after", step.remove_after, sink);
        fields.finish(sink);
    }
    Some(Arc::new(move || Box::new(step)))
}
