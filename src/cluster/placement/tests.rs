use super::*;
use crate::catalog::Allocatable;
use crate::cluster::{NodePool, Nodes};
use proptest::prelude::*;
use rstest::rstest;

fn pool(name: &str, count: u32, cpu: u64, mib: u64, zones: &[&str]) -> NodePool {
    let allocatable = Allocatable { cpu: Millicores::new(cpu), memory: Bytes::from_mib(mib), pods: 110 };
    let zones = zones.iter().map(|zone| zone.to_string()).collect();
    NodePool {
        name: name.into(),
        instance: String::new(),
        allocatable,
        cores: allocatable.cpu,
        extended: Vec::new(),
        count,
        least: count,
        most: count,
        boot: NodePool::usual_boot(),
        zones,
        speed: 1.0,
    }
}

fn pod(service: u32, cpu: u64, mib: u64) -> PodRequest {
    PodRequest { service, cpu: Millicores::new(cpu), memory: Bytes::from_mib(mib) }
}

fn plugin(name: &str) -> &'static PlacementPlugin {
    PLACEMENTS.iter().find(|plugin| plugin.name == name).unwrap()
}

fn scores(placement: &str, pod: &PodRequest, nodes: &Nodes) -> Vec<u32> {
    let feasible: Vec<NodeId> = (0..).zip(nodes.nodes()).filter(|(_, node)| node.fits(pod)).map(|(id, _)| id).collect();
    let mut scores = Vec::new();
    (plugin(placement).build)().score(pod, nodes.nodes(), &feasible, &mut scores);
    scores
}

fn place_all(placement: &str, pools: &[NodePool], pods: &[PodRequest]) -> Vec<NodeId> {
    let mut nodes = Nodes::new(pools, (plugin(placement).build)());
    pods.iter().map(|pod| nodes.place(pod).unwrap()).collect()
}

/// Values computed by hand from the upstream formulas, 4 cores and 10,000 MiB against 6 cores and 10,000 MiB. For the
/// first pod: CPU (4000-3000)*100/4000 = 25, memory (10000-5000)*100/10000 = 50, mean 37 (rounded down); on the second
/// node 50 and 50.
#[rstest]
#[case("least-allocated", pod(0, 3000, 5000), [37, 50])]
#[case("most-allocated", pod(0, 3000, 5000), [62, 50])]
#[case("least-allocated", pod(0, 4000, 10_000), [0, 16])]
#[case("most-allocated", pod(0, 4000, 10_000), [100, 83])]
// Nothing requested counts as 100m and 200 MiB: (97 + 98) / 2, (98 + 98) / 2.
#[case("least-allocated", pod(0, 0, 0), [97, 98])]
#[case("most-allocated", pod(0, 0, 0), [2, 1])]
#[case("spread", pod(0, 1, 1), [100, 100])]
fn scores_on_empty_nodes(#[case] placement: &str, #[case] pod: PodRequest, #[case] expected: [u32; 2]) {
    let pools = [pool("small", 1, 4000, 10_000, &[]), pool("large", 1, 6000, 10_000, &[])];
    let nodes = Nodes::new(&pools, (plugin(placement).build)());
    assert_eq!(scores(placement, &pod, &nodes), expected);
}

/// Requests filled in with defaults can exceed a small node, unlike real requests.
#[rstest]
#[case("least-allocated", [0, 90])]
#[case("most-allocated", [100, 10])]
fn defaults_may_exceed_a_node(#[case] placement: &str, #[case] expected: [u32; 2]) {
    let pools = [pool("tiny", 1, 50, 100, &[]), pool("ok", 1, 1000, 2000, &[])];
    let nodes = Nodes::new(&pools, (plugin(placement).build)());
    assert_eq!(scores(placement, &pod(0, 0, 0), &nodes), expected);
}

/// Places pods on given nodes.
struct Script(Vec<NodeId>);

impl Placement for Script {
    fn score(&mut self, _: &PodRequest, _: &[Node], feasible: &[NodeId], scores: &mut Vec<u32>) {
        let wanted = self.0.remove(0);
        scores.extend(feasible.iter().map(|id| if *id == wanted { MAX_SCORE } else { 0 }));
    }
}

/// Zones a (nodes 0 and 1) and b (node 2). Weights are ln 4 = 1.386 for two zones and ln 5 = 1.609 for three nodes. With two
/// pods on node 0 and one on node 2 the sums are 2*1.386 + 2*1.609 = 5.99, 2*1.386 = 2.77 and 1.386 + 1.609 = 3.00, rounded
/// 6, 3, 3, and the scores 100*(6+3-6)/6 = 50 and 100*(6+3-3)/6 = 100. With one pod on node 0: 3, 1, 0 and 0, 66, 100.
#[rstest]
#[case(&[], [100, 100, 100])]
#[case(&[0], [0, 66, 100])]
#[case(&[0, 2, 0], [50, 100, 100])]
fn spread_scores(#[case] placed: &[NodeId], #[case] expected: [u32; 3]) {
    let pools = [pool("a", 2, 4000, 4000, &["a"]), pool("b", 1, 4000, 4000, &["b"])];
    let mut nodes = Nodes::new(&pools, Box::new(Script(placed.to_vec())));
    placed.iter().for_each(|node| assert_eq!(nodes.place(&pod(0, 100, 100)), Some(*node)));
    assert_eq!(scores("spread", &pod(0, 100, 100), &nodes), expected);
    assert_eq!(scores("spread", &pod(1, 100, 100), &nodes), [100, 100, 100]);
}

/// A zone without room is not counted; a full node in a zone with room still is.
#[test]
fn spread_counts_full_nodes_of_zones_with_room() {
    let pools = [pool("a", 3, 1000, 4000, &["a"]), pool("b", 1, 1000, 4000, &["b"])];
    let mut nodes = Nodes::new(&pools, Box::new(Script(vec![0, 0, 3, 1])));
    for cpu in [500, 500, 1000, 100] {
        nodes.place(&pod(0, cpu, 10)).unwrap();
    }
    // Room on nodes 1 and 2. Weights ln 3 = 1.099 (zone a) and ln 4 = 1.386; zone a runs 3: 3.30 + 1.386 = 4.68 and 3.30.
    assert_eq!(scores("spread", &pod(0, 100, 10), &nodes), [100 * 3 / 5, 100]);
}

/// The default fills nodes evenly; bin packing fills one after the other; ties go to the first node.
#[rstest]
#[case("least-allocated", [0, 1, 2, 0, 1, 2])]
#[case("most-allocated", [0, 0, 0, 0, 1, 1])]
#[case("spread", [0, 1, 2, 0, 1, 2])]
fn places_in_order(#[case] placement: &str, #[case] expected: [NodeId; 6]) {
    let pools = [pool("n", 3, 4000, 4000, &[])];
    assert_eq!(place_all(placement, &pools, &[pod(0, 1000, 1000); 6]), expected);
}

/// Four nodes in zone a, one in zone b. The second pod goes to the other zone; the fourth would double up on b's node and
/// finds the next node of a as good (sums 1.386 + 1.946 = 3.33 and 2*1.386 = 2.77, both 3). Other services do not count.
#[test]
fn spread_balances_zones_and_nodes() {
    let pools = [pool("a", 4, 8000, 8000, &["a"]), pool("b", 1, 8000, 8000, &["b"])];
    assert_eq!(place_all("spread", &pools, &[pod(0, 10, 10); 4]), [0, 4, 1, 2]);
    let mixed = [pod(0, 10, 10), pod(1, 10, 10), pod(0, 10, 10), pod(1, 10, 10)];
    assert_eq!(place_all("spread", &pools, &mixed), [0, 0, 4, 4]);
}

#[test]
fn names_are_unique_and_least_allocated_is_the_default() {
    let names: Vec<_> = PLACEMENTS.iter().map(|plugin| plugin.name).collect();
    assert_eq!(names, ["least-allocated", "most-allocated", "spread"]);
}

proptest! {
    /// Every policy scores every node with room from 0 to 100, whatever is on the nodes.
    #[test]
    fn scores_stay_in_range(
        pods in prop::collection::vec((0..3u32, 0..2000u64, 0..2000u64), 0..60),
        asked in (0..3u32, 0..2000u64, 0..2000u64),
        which in 0..3usize,
    ) {
        let pools = [pool("a", 3, 3000, 4000, &["a", "b"]), pool("b", 3, 5000, 2000, &["c"]), pool("t", 1, 9, 9, &[])];
        let mut nodes = Nodes::new(&pools, (PLACEMENTS[which].build)());
        for (service, cpu, mib) in pods {
            nodes.place(&pod(service, cpu, mib));
        }
        let pod = pod(asked.0, asked.1, asked.2);
        let scores = scores(PLACEMENTS[which].name, &pod, &nodes);
        prop_assert_eq!(scores.len(), nodes.nodes().iter().filter(|node| node.fits(&pod)).count());
        prop_assert!(scores.iter().all(|score| *score <= MAX_SCORE));
    }
}
