use super::*;
use crate::catalog::Catalog;
use crate::cluster::PLACEMENTS;
use proptest::prelude::*;
use rstest::rstest;

fn pool(name: &str, count: u32, cpu: u64, mib: u64, pods: u32) -> NodePool {
    let allocatable = Allocatable { cpu: Millicores::new(cpu), memory: Bytes::from_mib(mib), pods };
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
        zones: Vec::new(),
        speed: 1.0,
    }
}

fn pod(service: u32, cpu: u64, mib: u64) -> PodRequest {
    PodRequest { service, cpu: Millicores::new(cpu), memory: Bytes::from_mib(mib) }
}

fn nodes(pools: &[NodePool], placement: &str) -> Nodes {
    let plugin = PLACEMENTS.iter().find(|plugin| plugin.name == placement).unwrap();
    Nodes::new(pools, (plugin.build)(&super::super::placement::Placing::nothing()))
}

#[test]
fn pools_become_nodes_with_zones_in_turn() {
    let instance = Catalog::builtin().instance("m7i.xlarge", None).unwrap();
    let mut first = NodePool::new("web", instance, 3);
    first.zones = vec!["a".into(), "b".into()];
    let mut second = NodePool::new("batch", instance, 2);
    second.zones = vec!["b".into()];
    second.speed = 1.25;
    let nodes = nodes(&[first, second], "least-allocated");
    let found: Vec<_> = nodes.nodes().iter().map(|node| (node.name.as_str(), node.pool, node.zone)).collect();
    assert_eq!(found, [("web-0", 0, 0), ("web-1", 0, 1), ("web-2", 0, 0), ("batch-0", 1, 1), ("batch-1", 1, 1)]);
    assert_eq!(nodes.nodes()[0].allocatable, instance.allocatable);
    assert_eq!([nodes.cores(2).1, nodes.cores(3).1], [1.0, 1.25]);
}

/// Each limit by itself: CPU, memory, number of pods; filled exactly to the limit.
#[rstest]
#[case(pod(0, 500, 0), 8)]
#[case(pod(0, 0, 1024), 4)]
#[case(pod(0, 1, 1), 10)]
#[case(pod(0, 0, 0), 10)]
#[case(pod(0, 4001, 0), 0)]
#[case(pod(0, 1, 4097), 0)]
fn a_node_holds_what_it_can(#[case] pod: PodRequest, #[case] expected: u32) {
    let mut nodes = nodes(&[pool("n", 1, 4000, 4096, 10)], "least-allocated");
    let placed = std::iter::from_fn(|| nodes.place(&pod)).take(100).count();
    assert_eq!(placed as u32, expected);
    nodes.check();
}

#[test]
fn requests_near_the_end_of_the_number_range_do_not_fit() {
    let mut nodes = nodes(&[pool("n", 1, 4000, 4096, 10)], "least-allocated");
    nodes.place(&pod(0, 1, 1)).unwrap();
    let huge = PodRequest { service: 0, cpu: Millicores::new(u64::MAX), memory: Bytes::new(u64::MAX) };
    assert_eq!(nodes.place(&huge), None);
}

#[rstest]
#[case(&[], pod(0, 1, 1), "no nodes available to schedule pods")]
#[case(
    &[pool("a", 4, 100, 9000, 9), pool("b", 2, 9000, 100, 9)],
    pod(0, 200, 200),
    "0/6 nodes are available: 2 Insufficient memory, 4 Insufficient cpu"
)]
#[case(
    &[pool("a", 10, 100, 9000, 9), pool("b", 2, 9000, 100, 0)],
    pod(0, 200, 200),
    "0/12 nodes are available: 10 Insufficient cpu, 2 Insufficient memory, 2 Too many pods"
)]
fn says_why_nothing_fits(#[case] pools: &[NodePool], #[case] pod: PodRequest, #[case] reason: &str) {
    let mut nodes = nodes(pools, "least-allocated");
    assert_eq!(nodes.place(&pod), None);
    assert_eq!(nodes.unschedulable_reason(&pod).unwrap(), reason);
}

#[test]
fn gpu_pods_fit_where_gpus_are() {
    let mut large = pool("large", 1, 64_000, 256_000, 100);
    let mut gpu = pool("gpu", 1, 8_000, 32_000, 100);
    gpu.extended = vec![("nvidia.com/gpu".into(), 2)];
    large.extended = vec![("example.com/fpga".into(), 5)];
    let pools = [large, gpu];
    let asked = |list: &[(&str, u64)]| list.iter().map(|(name, amount)| (name.to_string(), *amount)).collect();
    let services =
        [asked(&[]), asked(&[("nvidia.com/gpu", 1)]), asked(&[("nvidia.com/gpu", 1), ("example.com/fpga", 1)])];
    let mut nodes = nodes(&pools, "least-allocated").asked_for(&services);
    // The emptiest node is the large one; two pods with a GPU each fill the other, and a third has to wait.
    assert_eq!(nodes.place(&pod(0, 100, 100)), Some(0));
    assert_eq!([1, 1, 1].map(|service| nodes.place(&pod(service, 100, 100))), [Some(1), Some(1), None]);
    let reason = nodes.unschedulable_reason(&pod(1, 100, 100)).unwrap();
    assert_eq!(reason, "0/2 nodes are available: 2 Insufficient nvidia.com/gpu");
    let reason = nodes.unschedulable_reason(&pod(2, 100, 100)).unwrap();
    assert_eq!(reason, "0/2 nodes are available: 1 Insufficient example.com/fpga, 2 Insufficient nvidia.com/gpu");
    nodes.release(1, &pod(1, 100, 100));
    assert_eq!(nodes.place(&pod(1, 100, 100)), Some(1));
    nodes.check();
}

#[test]
fn says_nothing_where_a_node_has_room() {
    let nodes = nodes(&[pool("a", 1, 100, 100, 1), pool("b", 1, 200, 200, 1)], "least-allocated");
    assert_eq!(nodes.unschedulable_reason(&pod(0, 200, 200)), None);
}

#[test]
fn one_pull_serves_a_node() {
    let mut nodes = nodes(&[pool("n", 2, 4000, 4096, 10)], "least-allocated");
    let node = nodes.place(&pod(3, 10, 10)).unwrap();
    let (at, pull) = (SimTime::from_secs, SimDuration::from_secs);
    assert_eq!(nodes.image_there_at(node, (3, 0), at(10), pull(60)), at(70));
    // Pods that arrive meanwhile wait for the same pull, even if the pod that started it is gone; later ones find the
    // image.
    nodes.release(node, &pod(3, 10, 10));
    assert_eq!(nodes.image_there_at(node, (3, 0), at(50), pull(45)), at(70));
    assert_eq!(nodes.image_there_at(node, (3, 0), at(500), pull(45)), at(70));
    // Another image, or another node, needs a pull of its own.
    assert_eq!(nodes.image_there_at(node, (2, 0), at(50), pull(45)), at(95));
    assert_eq!(nodes.image_there_at(1 - node, (3, 0), at(60), pull(45)), at(105));
    // A new version's image is another one.
    assert_eq!(nodes.image_there_at(node, (3, 1), at(500), pull(45)), at(545));
    // A lost zone loses its images.
    let zone = nodes.zone(node);
    nodes.set_lost(zone, true);
    nodes.set_lost(zone, false);
    assert_eq!(nodes.image_there_at(node, (3, 0), at(600), pull(30)), at(630));
}

#[rstest]
#[case(pod(1, 10, 10))]
#[case(pod(0, 11, 10))]
#[should_panic(expected = "node n-0: PodRequest")]
fn releasing_what_was_never_placed_is_a_bug(#[case] other: PodRequest) {
    let mut nodes = nodes(&[pool("n", 1, 4000, 4096, 10)], "least-allocated");
    nodes.place(&pod(0, 10, 10)).unwrap();
    nodes.release(0, &other);
}

#[test]
#[should_panic(expected = "I4: node n-0")]
fn the_check_sees_a_node_beyond_its_capacity() {
    let mut nodes = nodes(&[pool("n", 1, 4000, 4096, 10)], "least-allocated");
    nodes.place(&pod(0, 3000, 10)).unwrap();
    nodes.nodes[0].allocatable.cpu = Millicores::new(2999);
    nodes.check();
}

/// The size that placement is designed for: ten thousand pods on a thousand nodes, under every policy.
#[rstest]
fn ten_thousand_pods_on_a_thousand_nodes(#[values("least-allocated", "most-allocated", "spread")] placement: &str) {
    let mut pool = pool("n", 1000, 1000, 1000, 110);
    pool.zones = vec!["a".into(), "b".into(), "c".into()];
    let mut nodes = nodes(&[pool], placement);
    for _ in 0..10_000 {
        assert!(nodes.place(&pod(0, 100, 50)).is_some());
    }
    assert_eq!(nodes.place(&pod(0, 100, 50)), None);
    assert!(nodes.nodes().iter().all(|node| node.pods_of(0) == 10));
    nodes.check();
}

#[derive(Debug, Clone)]
enum Step {
    Place(PodRequest),
    Release(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..4u32, 0..900u64, 0..900u64).prop_map(|(service, cpu, mib)| Step::Place(pod(service, cpu, mib))),
        2 => any::<prop::sample::Index>().prop_map(|index| Step::Release(index.index(1 << 16))),
    ]
}

proptest! {
    /// Under every policy and any sequence of steps: capacity is never exceeded, a pod stays pending only if no node
    /// has room, the allocation is the sum of the pods present, and releasing all of them leaves the nodes empty.
    #[test]
    fn placing_and_releasing_keeps_the_books(steps in prop::collection::vec(step(), 1..200), which in 0..3usize) {
        let pools = [pool("a", 3, 2000, 1500, 6), pool("b", 2, 900, 3000, 4)];
        let mut nodes = nodes(&pools, PLACEMENTS[which].name);
        let empty: Vec<_> = nodes.nodes().iter().map(|node| (node.taken(), node.non_zero_taken())).collect();
        let mut present: Vec<(NodeId, PodRequest)> = Vec::new();
        for step in steps {
            match step {
                Step::Place(pod) => {
                    let room = nodes.nodes().iter().any(|node| node.fits(&pod));
                    prop_assert_eq!(nodes.unschedulable_reason(&pod).is_none(), room);
                    let node = nodes.place(&pod);
                    prop_assert_eq!(node.is_some(), room);
                    present.extend(node.map(|node| (node, pod)));
                }
                Step::Release(_) if present.is_empty() => {}
                Step::Release(index) => {
                    let (node, pod) = present.swap_remove(index % present.len());
                    nodes.release(node, &pod);
                }
            }
            nodes.check();
            for (id, node) in (0..).zip(nodes.nodes()) {
                let here = present.iter().filter(|(at, _)| *at == id).map(|(_, pod)| pod);
                prop_assert_eq!(node.taken().cpu.get(), here.clone().map(|pod| pod.cpu.get()).sum::<u64>());
                prop_assert_eq!(node.taken().memory.get(), here.map(|pod| pod.memory.get()).sum::<u64>());
            }
        }
        present.iter().for_each(|(node, pod)| nodes.release(*node, pod));
        let after: Vec<_> = nodes.nodes().iter().map(|node| (node.taken(), node.non_zero_taken())).collect();
        prop_assert_eq!(after, empty);
    }
}

#[test]
fn nodes_are_ordered_in_zones_in_turn_and_their_ids_never_used_again() {
    let mut web = pool("web", 1, 4000, 4096, 10);
    web.zones = vec!["a".into(), "b".into(), "c".into()];
    web.most = 4;
    let mut nodes = nodes(&[web], "least-allocated");
    assert_eq!(nodes.order(0, |_| true), Some(1));
    nodes.enter(1, NodePhase::Gone);
    // Zone c is next, but lost.
    assert_eq!(nodes.order(0, |zone| zone != 2), Some(2));
    assert_eq!(nodes.order(0, |_| false), None);
    let found: Vec<_> = nodes.present_in(0).map(|(id, node)| (id, node.name.as_str(), node.zone)).collect();
    assert_eq!(found, [(0, "web-0", 0), (2, "web-2", 0)]);
    assert_eq!((nodes.started(0), nodes.nodes().len()), (3, 3));
}

#[test]
fn only_ready_nodes_take_pods() {
    let mut web = pool("web", 1, 4000, 4096, 10);
    web.most = 3;
    let mut nodes = nodes(&[web], "least-allocated");
    let pod = pod(0, 3000, 100);
    assert_eq!(nodes.place(&pod), Some(0));
    nodes.order(0, |_| true);
    for phase in [NodePhase::Ordered, NodePhase::Booting, NodePhase::Draining] {
        nodes.enter(1, phase);
        assert_eq!(nodes.place(&pod), None, "{phase:?}");
    }
    assert_eq!(nodes.unschedulable_reason(&pod).as_deref(), Some("0/1 nodes are available: 1 Insufficient cpu"));
    nodes.enter(1, NodePhase::Ready);
    assert_eq!(nodes.place(&pod), Some(1));
    nodes.check();
}

#[test]
#[should_panic(expected = "I4: node web-0 is Gone and runs 1 pods")]
fn a_node_with_pods_cannot_go() {
    let mut nodes = nodes(&[pool("web", 1, 4000, 4096, 10)], "least-allocated");
    nodes.place(&pod(0, 1, 1));
    nodes.enter(0, NodePhase::Gone);
}

#[test]
fn coming_nodes_are_counted_on_by_as_many_pods_as_they_hold() {
    let mut web = pool("web", 0, 4000, 4096, 10);
    web.most = 2;
    let mut nodes = nodes(&[web], "least-allocated");
    let (small, large, huge) = (pod(0, 1500, 0), pod(1, 3000, 0), pod(2, 5000, 0));
    nodes.order(0, |_| true);
    assert_eq!(nodes.awaited([&small, &large, &small, &huge, &small].into_iter()), [true, false, true, false, false]);
    nodes.enter(0, NodePhase::Ready);
    assert_eq!(nodes.awaited([&small].into_iter()), [false], "it is there");
    // First fit: two small ones, the large one, and a third node for the last small one.
    assert_eq!(nodes.empty_nodes_for(0, [&small, &small, &large, &huge, &small].into_iter()), 3);
    assert!(nodes.could_hold(0, &large) && !nodes.could_hold(0, &huge));
}
