//! What a placement policy is told and asked.

use crate::cluster::node::{Node, NodeId, NodePool, PodRequest};
use crate::cluster::service::ServiceSpec;
use crate::config::kubernetes::Release;

/// Scores nodes for a pod, or chooses one by itself.
pub trait Placement: Send {
    /// Appends to `scores` one score from 0 to [`MAX_SCORE`](super::MAX_SCORE) for each node of `feasible`, in order; the highest wins.
    /// All of `feasible` have room for the pod, and there are at least two. Not asked of a policy that chooses by itself.
    fn score(&mut self, _pod: &PodRequest, _nodes: &[Node], _feasible: &[NodeId], _scores: &mut Vec<u32>) {}

    /// The node for a pod, or that there is none, of a policy that chooses by itself; `None` leaves it to the scores.
    fn choose(&mut self, _pod: &PodRequest) -> Option<Option<NodeId>> {
        None
    }

    /// Learns of a change, so that a policy that chooses by itself need not look at every node.
    fn tell(&mut self, _change: Change<'_>) {}
}

/// A change of the nodes that pods are placed on.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// A node takes pods: for the first time, or again after [`Change::Closed`].
    Opened {
        /// Its id.
        id: NodeId,
        /// The node.
        node: &'a Node,
        /// Its pool.
        pool: &'a NodePool,
        /// The name of its zone; empty if the only zone has none.
        zone: &'a str,
    },
    /// A node takes no more pods, but may have some.
    Closed(NodeId),
    /// A node has gone.
    Left(NodeId),
    /// A pod was placed on a node.
    Bound(NodeId, &'a PodRequest),
    /// A pod has left a node.
    Released(NodeId, &'a PodRequest),
}

/// What a placement policy is built from.
#[derive(Debug, Clone)]
pub struct Placing<'a> {
    /// The services, by number.
    pub services: Vec<&'a ServiceSpec>,
    /// The Kubernetes release whose rules apply.
    pub release: Release,
}

impl Placing<'_> {
    /// No services, and the default release.
    pub fn nothing() -> Self {
        Placing { services: Vec::new(), release: Release::default() }
    }
}
