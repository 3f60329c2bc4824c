use super::*;
use crate::catalog::Allocatable;
use crate::cluster::{DemandModel, NodePhase, NodePool, Nodes, ServiceSpec};
use crate::config::kubernetes::Release;
use crate::random::Distribution;
use crate::units::SimDuration;
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
    (plugin(placement).build)(&Placing::nothing()).score(pod, nodes.nodes(), &feasible, &mut scores);
    scores
}

fn place_all(placement: &str, pools: &[NodePool], pods: &[PodRequest]) -> Vec<NodeId> {
    let mut nodes = Nodes::new(pools, (plugin(placement).build)(&Placing::nothing()));
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
    let nodes = Nodes::new(&pools, (plugin(placement).build)(&Placing::nothing()));
    assert_eq!(scores(placement, &pod, &nodes), expected);
}

/// Requests filled in with defaults can exceed a small node, unlike real requests.
#[rstest]
#[case("least-allocated", [0, 90])]
#[case("most-allocated", [100, 10])]
fn defaults_may_exceed_a_node(#[case] placement: &str, #[case] expected: [u32; 2]) {
    let pools = [pool("tiny", 1, 50, 100, &[]), pool("ok", 1, 1000, 2000, &[])];
    let nodes = Nodes::new(&pools, (plugin(placement).build)(&Placing::nothing()));
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
    assert_eq!(names, ["least-allocated", "most-allocated", "spread", "kube-scheduler"]);
}

/// A service whose replicas request exactly this.
fn service(name: &str, cpu: u64, mib: u64) -> ServiceSpec {
    let demand = DemandModel::Drawn(Distribution::constant(SimDuration::from_secs(1)));
    let (cpu_request, memory_request) = (Some(Millicores::new(cpu)), Some(Bytes::from_mib(mib)));
    ServiceSpec { cpu_request, memory_request, ..ServiceSpec::new(name, demand) }
}

/// Where pods of these services end up, in this order, on two nodes in two zones.
fn placed_in_turn(placement: &str, release: Release, services: &[ServiceSpec], order: &[u32]) -> Vec<NodeId> {
    let pools = [pool("a", 1, 4000, 4000, &["a"]), pool("b", 1, 4000, 4000, &["b"])];
    let placing = Placing { services: services.iter().collect(), release };
    let mut nodes = Nodes::new(&pools, (plugin(placement).build)(&placing));
    let place = |service: &u32| nodes.place(&PodRequest::of(*service, &services[*service as usize])).unwrap();
    order.iter().map(place).collect()
}

/// The third pod has a sibling on node 0, and node 1 is half full. Of the emptiest node 95 against 47 is left, but spread
/// counts twice: 2 + 4 + 2 ln 4 = 8.77 against 6, rounded 9 and 6, gives 100*(9+6-9)/9 = 66 against 100. So 95 + 132
/// against 47 + 200; balance is the same.
#[rstest]
#[case("least-allocated", [0, 1, 0])]
#[case("kube-scheduler", [0, 1, 1])]
fn kube_scheduler_weighs_spread_against_room(#[case] placement: &str, #[case] expected: [NodeId; 3]) {
    let services = [service("small", 100, 100), service("large", 2000, 2000)];
    assert_eq!(placed_in_turn(placement, Release::V1_35, &services, &[0, 1, 0]), expected);
}

/// Node 0 has half of its CPU taken and no memory, node 1 a quarter of both: 65 is left on either with the third pod. Up to
/// 1.35 the balanced node 1 scores 100 against 75. From 1.36 on, the pod changes the balance of neither: 75 and 75, and
/// the first node wins.
#[rstest]
#[case(Release::V1_35, [0, 1, 1])]
#[case(Release::V1_36, [0, 1, 0])]
#[case(Release::V1_37, [0, 1, 0])]
fn kube_scheduler_balances_by_release(#[case] release: Release, #[case] expected: [NodeId; 3]) {
    let services = [service("cpu", 2000, 0), service("both", 1000, 1000), service("last", 400, 400)];
    assert_eq!(placed_in_turn("kube-scheduler", release, &services, &[0, 1, 2]), expected);
}

/// It follows the nodes: those that drain or are lost take no pods, gone ones are forgotten, new ones are known.
#[test]
fn kube_scheduler_follows_the_nodes() {
    let services = [service("web", 1000, 1000)];
    let placing = Placing { services: services.iter().collect(), release: Release::default() };
    let pools = [pool("n", 3, 2000, 2000, &["a", "b", "c"])];
    let mut nodes = Nodes::new(&pools, (plugin("kube-scheduler").build)(&placing));
    let pod = PodRequest::of(0, &services[0]);
    assert_eq!([nodes.place(&pod), nodes.place(&pod)], [Some(0), Some(1)]);
    nodes.set_lost(2, true);
    nodes.enter(1, NodePhase::Draining);
    assert_eq!([nodes.place(&pod), nodes.place(&pod)], [Some(0), None], "node 1 drains and node 2 is lost");
    nodes.set_lost(2, false);
    assert_eq!(nodes.place(&pod), Some(2));
    nodes.release(1, &pod);
    nodes.enter(1, NodePhase::Gone);
    let new = nodes.order(0, |_| true).unwrap();
    assert_eq!(nodes.place(&pod), Some(2), "what is ordered is not there yet");
    nodes.enter(new, NodePhase::Booting);
    nodes.enter(new, NodePhase::Ready);
    assert_eq!([nodes.place(&pod), nodes.place(&pod), nodes.place(&pod)], [Some(new), Some(new), None]);
    nodes.release(0, &pod);
    assert_eq!(nodes.place(&pod), Some(0));
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
        let mut nodes = Nodes::new(&pools, (PLACEMENTS[which].build)(&Placing::nothing()));
        for (service, cpu, mib) in pods {
            nodes.place(&pod(service, cpu, mib));
        }
        let pod = pod(asked.0, asked.1, asked.2);
        let scores = scores(PLACEMENTS[which].name, &pod, &nodes);
        prop_assert_eq!(scores.len(), nodes.nodes().iter().filter(|node| node.fits(&pod)).count());
        prop_assert!(scores.iter().all(|score| *score <= MAX_SCORE));
    }
}
