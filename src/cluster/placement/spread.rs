//! Spreads a service's pods evenly over zones and nodes.

use super::{MAX_SCORE, Node, NodeId, Placement, PlacementPlugin, PodRequest};

/// The entry in the list.
pub const PLUGIN: PlacementPlugin = PlacementPlugin {
    name: "spread",
    summary: "the zone and node with the fewest pods of the same service",
    source: "kubernetes podtopologyspread/scoring.go, zone and hostname, maxSkew 1, ScheduleAnyway",
    build: |_| Box::<Spread>::default(),
};

/// Counts the service's pods in the node's zone and on the node itself, each weighted with the logarithm of the number
/// of such domains plus two, and inverts the sum so that the lowest count scores highest. `maxSkew` of 1 adds nothing.
///
/// Only zones with room for the pod count as domains, but with all their pods. The two parts are added, so zones do not
/// strictly precede nodes: with more nodes than zones, a pod on the node weighs more than one elsewhere in its zone.
#[derive(Debug, Clone, Default)]
pub struct Spread {
    /// Pods of the service in each zone; `None` if no node of the zone has room.
    zones: Vec<Option<u32>>,
    crowds: Vec<u64>,
}

impl Placement for Spread {
    fn score(&mut self, pod: &PodRequest, nodes: &[Node], feasible: &[NodeId], scores: &mut Vec<u32>) {
        let candidates = || feasible.iter().map(|id| &nodes[*id as usize]);
        let zone_count = nodes.iter().map(|node| node.zone as usize + 1).max().unwrap_or(0);
        self.zones.clear();
        self.zones.resize(zone_count, None);
        candidates().for_each(|node| self.zones[node.zone as usize] = Some(0));
        for node in nodes {
            if let Some(count) = &mut self.zones[node.zone as usize] {
                *count += node.pods_of(pod.service);
            }
        }
        let zone_weight = weight(self.zones.iter().flatten().count());
        let node_weight = weight(feasible.len());
        self.crowds.clear();
        self.crowds.extend(candidates().map(|node| {
            let in_zone = f64::from(self.zones[node.zone as usize].unwrap_or(0));
            (in_zone * zone_weight + f64::from(node.pods_of(pod.service)) * node_weight).round() as u64
        }));
        let least = self.crowds.iter().min().copied().unwrap_or(0);
        let most = self.crowds.iter().max().copied().unwrap_or(0);
        let turned = |crowd: u64| match most {
            0 => MAX_SCORE,
            _ => (u64::from(MAX_SCORE) * (most + least - crowd) / most) as u32,
        };
        scores.extend(self.crowds.iter().map(|crowd| turned(*crowd)));
    }
}

/// Keeps many small domains from outweighing a few large ones.
fn weight(places: usize) -> f64 {
    (places as f64 + 2.0).ln()
}
