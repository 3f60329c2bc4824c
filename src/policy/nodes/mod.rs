//! Node policies: how many nodes a pool has.
//!
//! A node policy sees what a controller in the cluster sees: the pods that wait for a node, and the nodes with their
//! phases. It is asked after everything else that happens at an instant, whenever a pod or node has changed, and at the
//! time for which it asks. The engine keeps the pool's bounds and carries the decision out.

pub mod cluster_autoscaler;
pub mod fixed;
pub mod karpenter;
pub mod step;

use std::borrow::Cow;
use std::sync::Arc;

use crate::cluster::{NodeId, NodePhase, NodePool, Nodes, PodRequest};
use crate::config::{Diagnostics, Plugin, Yaml};
use crate::units::SimTime;

/// A pod that no node has room for, though an empty node of the pool would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingPod {
    /// Since when it waits.
    pub since: SimTime,
    /// What it requests.
    pub request: PodRequest,
    /// Whether a node that is coming, of any pool, has room for it beside the pods that wait longer.
    pub awaited: bool,
}

/// A node of the pool that is not gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeView {
    /// Its id.
    pub id: NodeId,
    /// Its phase.
    pub phase: NodePhase,
    /// Number of its pods.
    pub pods: u32,
    /// Since when it is ready and has no pod; `None` if it is not ready or has one.
    pub empty_since: Option<SimTime>,
}

/// Everything that a node policy knows when it decides.
pub struct PoolObservation<'a> {
    /// Time of the decision.
    pub now: SimTime,
    /// The kind of node that can be ordered, and the bounds of their number.
    pub pool: &'a NodePool,
    /// The pods that wait for a node such as those of this pool, by service and age.
    pub pending: &'a [PendingPod],
    /// The nodes of the pool that are not gone, oldest first.
    pub nodes: &'a [NodeView],
    number: u32,
    cluster: &'a Nodes,
}

impl<'a> PoolObservation<'a> {
    /// The observation at `now` of pool number `number` of `cluster`.
    pub fn new(
        now: SimTime,
        number: u32,
        cluster: &'a Nodes,
        pending: &'a [PendingPod],
        nodes: &'a [NodeView],
    ) -> PoolObservation<'a> {
        PoolObservation { now, pool: &cluster.pools()[number as usize], pending, nodes, number, cluster }
    }

    /// The number of empty nodes of this pool that hold `pods`, placed in turn on the first with room.
    pub fn nodes_for<'p>(&self, pods: impl Iterator<Item = &'p PendingPod>) -> u32 {
        self.cluster.empty_nodes_for(self.number, pods.map(|pod| &pod.request))
    }
}

/// The decision of a node policy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeDecision {
    /// Nodes to order; the engine orders no more than the pool's maximum allows.
    pub launch: u32,
    /// Nodes to give back: they take no more pods and go once they are empty. The engine keeps the pool's minimum; the
    /// first are given back first.
    pub drain: Vec<NodeId>,
    /// When to ask again at the latest, even if nothing changes.
    pub next: Option<SimTime>,
    /// The reason, with its figures.
    pub reason: Cow<'static, str>,
}

/// A node policy: a stateful step function.
pub trait NodePolicy: Send {
    /// Makes a decision. It is only asked about a pool whose number of nodes can change.
    fn decide(&mut self, observation: &PoolObservation<'_>) -> NodeDecision;

    /// What it does, in a sentence for the report's assumptions.
    fn words(&self) -> String;
}

/// Creates a new node policy for each run.
pub type NodePolicyFactory = Arc<dyn Fn() -> Box<dyn NodePolicy> + Send + Sync>;

/// Builds a node policy from its parameters: the node below the policy's name in the scenario (null if there is none).
pub type NodePolicyBuilder = fn(&Yaml, &mut Diagnostics) -> Option<NodePolicyFactory>;

/// An entry in the list of node policies.
pub type NodePolicyPlugin = Plugin<NodePolicyBuilder>;

/// All node policies; the first is the default. To add one, write its file and add a line here.
pub const NODE_POLICIES: &[NodePolicyPlugin] = &[fixed::PLUGIN, step::PLUGIN];

/// Reads a node policy: a mapping whose only key is the policy's name, or just that name. Returns its entry in the list
/// and what creates it.
pub fn read_node_policy(node: &Yaml, sink: &mut Diagnostics) -> Option<(&'static NodePolicyPlugin, NodePolicyFactory)> {
    let (plugin, parameters) = Plugin::stated(NODE_POLICIES, "node policy", node, sink)?;
    Some((plugin, (plugin.build)(&parameters, sink)?))
}
