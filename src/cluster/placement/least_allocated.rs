//! The emptiest node first: the scheduler's default.

use super::{Node, NodeId, Placement, PlacementPlugin, PodRequest, mean_score, percentage};

/// The entry in the list.
pub const PLUGIN: PlacementPlugin = PlacementPlugin {
    name: "least-allocated",
    summary: "the node with the largest share of CPU and memory left over",
    source: "kubernetes noderesources/least_allocated.go, equal weights",
    build: |_| Box::new(LeastAllocated),
};

/// The mean share of CPU and memory that remains free after placing the pod.
#[derive(Debug, Clone, Copy, Default)]
pub struct LeastAllocated;

impl Placement for LeastAllocated {
    fn score(&mut self, pod: &PodRequest, nodes: &[Node], feasible: &[NodeId], scores: &mut Vec<u32>) {
        scores.extend(feasible.iter().map(|id| mean_score(pod, &nodes[*id as usize], free)));
    }
}

/// Requests filled in with defaults may exceed the capacity; nothing is free then.
fn free(requested: u64, capacity: u64) -> u64 {
    percentage(capacity.saturating_sub(requested), capacity)
}
