use super::plugin::Context;
use super::*;
use proptest::prelude::*;

fn labels(of: &[(&str, &str)]) -> Labels {
    of.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

fn node(number: usize) -> NodeState {
    let name = format!("n-{number}");
    let zone = ["a", "b", "c"][number % 3];
    let labels = labels(&[("kubernetes.io/hostname", &name), ("topology.kubernetes.io/zone", zone)]);
    // The last zone has no name.
    let labels = labels.into_iter().filter(|(_, value)| value != "c").collect();
    let allocatable = Amounts { cpu: 4000, memory: 4 << 30, ..Amounts::default() };
    NodeState { name, labels, allocatable, slots: 20, ..NodeState::default() }
}

fn pod(app: &str, spread: Vec<SpreadConstraint>) -> Pod {
    let requests: Requests = [("cpu".to_string(), 300), ("memory".to_string(), 100 << 20)].into();
    let spread = spread
        .into_iter()
        .map(|constraint| SpreadConstraint { selector: Some(Selector::of(labels(&[("app", app)]))), ..constraint });
    Pod {
        name: app.into(),
        namespace: "default".into(),
        labels: labels(&[("app", app)]),
        requests: PodRequests {
            containers: vec![Container { requests, ..Container::default() }],
            ..Default::default()
        },
        spread: spread.collect(),
        replica_set: Some(app.into()),
        ..Pod::default()
    }
}

/// Pods with the default constraints, with a soft one and with a hard one.
fn scheduler() -> Scheduler {
    let mut lookup = Lookup::default();
    let zone = "topology.kubernetes.io/zone";
    let owner = Owner { name: "web".into(), namespace: "default".into(), selector: labels(&[("app", "web")]) };
    lookup.replica_sets.push(owner);
    lookup.kind(pod("web", Vec::new()));
    lookup.kind(pod("soft", vec![SpreadConstraint::new(1, zone, false)]));
    lookup.kind(pod("hard", vec![SpreadConstraint::new(2, zone, true)]));
    Scheduler::new(lookup, Profile::default())
}

#[test]
fn a_sample_is_enough_in_large_clusters() {
    let enough = [0, 50, 99, 100, 200, 1000, 5000, 20_000].map(enough_nodes);
    assert_eq!(enough, [0, 50, 99, 100, 100, 420, 500, 1000]);
}

/// In a cluster of 200, a search ends after 100 nodes, and the next one starts behind them.
#[test]
fn searches_take_turns() {
    let mut scheduler = scheduler();
    (0..200).for_each(|number| scheduler.join(number, node(number)));
    // Without pods of the kind, every node in a zone with a name is as good as the next.
    assert_eq!([scheduler.choose(1), scheduler.choose(1), scheduler.choose(1)], [Some(0), Some(100), Some(0)]);
    assert_eq!(scheduler.choose(3), None, "no such kind");
}

#[test]
fn reasons_are_counted_in_order_of_the_text() {
    let reasons = ["Too many pods"; 10].into_iter().chain(["Insufficient cpu"; 2]);
    assert_eq!(explained(12, reasons), "0/12 nodes are available: 10 Too many pods, 2 Insufficient cpu.");
}

proptest! {
    /// Counts that are kept up to date lead to the same decisions as counting anew.
    #[test]
    fn kept_counts_equal_counting(steps in prop::collection::vec((0..5u8, 0..3usize, 0..9usize), 1..60)) {
        let mut scheduler = scheduler();
        (0..6).for_each(|number| scheduler.join(number, node(number)));
        for (what, kind, at) in steps {
            match what {
                0 if scheduler.nodes().len() > 2 => scheduler.leave(at),
                0 => scheduler.join(at, node(at)),
                1 => drop(scheduler.release(at, kind)),
                _ => {
                    let chosen = scheduler.choose(kind);
                    chosen.into_iter().for_each(|index| scheduler.bind(index, kind));
                }
            }
            let kept = scheduler.context(kind);
            let Some(kept) = kept else { continue };
            let anew = Context { census: None, ..kept };
            prop_assert_eq!(Filtering::new(kept).refusals(), Filtering::new(anew).refusals());
            let feasible: Vec<&NodeState> = kept.nodes.iter().collect();
            prop_assert_eq!(Scoring::new(kept, &feasible), Scoring::new(anew, &feasible));
        }
    }
}
