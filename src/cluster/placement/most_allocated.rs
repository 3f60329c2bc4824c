//! The fullest node first: bin packing, which keeps nodes free for scale-down.

use super::{Node, NodeId, Placement, PlacementPlugin, PodRequest, mean_score, percentage};

/// The entry in the list.
pub const PLUGIN: PlacementPlugin = PlacementPlugin {
    name: "most-allocated",
    summary: "the node with the smallest share of CPU and memory left over (bin packing)",
    source: "kubernetes noderesources/most_allocated.go, equal weights",
    build: |_| Box::new(MostAllocated),
};

/// The mean share of CPU and memory that is allocated after placing the pod.
#[derive(Debug, Clone, Copy, Default)]
pub struct MostAllocated;

impl Placement for MostAllocated {
    fn score(&mut self, pod: &PodRequest, nodes: &[Node], feasible: &[NodeId], scores: &mut Vec<u32>) {
        scores.extend(feasible.iter().map(|id| mean_score(pod, &nodes[*id as usize], used)));
    }
}

/// Requests filled in with defaults may exceed the capacity; all of it is used then.
fn used(requested: u64, capacity: u64) -> u64 {
    percentage(requested.min(capacity), capacity)
}
