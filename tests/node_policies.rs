//! Pools of nodes that gain and lose nodes during a run. Times are computed by hand.

use std::sync::Arc;

use plimsoll::cluster::NodeId;
use plimsoll::config::Diagnostics;
use plimsoll::engine::{LostNodes, RunRecord, ZoneOutage};
use plimsoll::policy::nodes::{NodeDecision, PoolObservation};
use plimsoll::policy::{Decision, NodePolicy, Observation, Reason, ReasonCode, ScalingPolicy};
use plimsoll::scenario::Scenario;
use plimsoll::units::{SimDuration, SimTime, Usd};

/// A service of which one replica fits on a node; it starts in 30 s, 20 s of them for its image. The pool may have none
/// to five nodes, which boot in 60 s.
const SCENARIO: &str = "
duration: 2000s
interval: 100s
workload: { poisson: { rate: 1/s } }
service:
  replicas: 1
  concurrency: 4
  resources: { requests: { cpu: 1500m, memory: 1Gi } }
  service-time: 10ms
  start-up: { scheduled: 0s, image-pull: 20s, started: 5s, ready: 5s }
nodes:
  - { name: web, instance: m7i.large, count: 1, zones: [a, b] }
policies: { fixed: { static: { replicas: 1 } } }
";

const fn at(seconds: u64) -> SimTime {
    SimTime::from_secs(seconds)
}

fn read(text: &str) -> Result<Scenario, String> {
    let mut found = Diagnostics::new();
    Scenario::read_text(text, &mut found).ok_or_else(|| found.to_string())
}

/// The sizes of the service from given seconds on.
#[derive(Clone)]
struct Sizes(&'static [(u64, u32)]);

impl ScalingPolicy for Sizes {
    fn sync_period(&self) -> SimDuration {
        SimDuration::from_secs(10)
    }

    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let reason = Reason::new(ReasonCode::Plan, "as planned");
        match self.0.iter().rev().find(|(from, _)| at(*from) <= seen.now) {
            Some((_, size)) => Decision::scale_to(*size, reason),
            None => Decision::hold(reason),
        }
    }
}

/// Orders and drains at given seconds: (second, nodes to order, nodes to drain).
#[derive(Clone)]
struct Planned(&'static [(u64, u32, &'static [NodeId])]);

impl NodePolicy for Planned {
    fn decide(&mut self, seen: &PoolObservation<'_>) -> NodeDecision {
        let mut decision = NodeDecision { reason: "as planned".into(), ..NodeDecision::default() };
        if let Some((_, launch, drain)) = self.0.iter().find(|(when, ..)| at(*when) == seen.now) {
            (decision.launch, decision.drain) = (*launch, drain.to_vec());
        }
        decision.next = self.0.iter().map(|(when, ..)| at(*when)).find(|when| *when > seen.now);
        decision
    }

    fn words(&self) -> String {
        "As planned.".into()
    }
}

/// A scenario of a changing pool, with the sizes of its service.
fn scenario(sizes: &'static [(u64, u32)], nodes: &Planned) -> Scenario {
    let mut scenario = read(SCENARIO).unwrap_or_else(|found| panic!("{found}"));
    let nodes = nodes.clone();
    (scenario.pools[0].least, scenario.pools[0].most) = (0, 5);
    scenario.zones = vec!["a".into(), "b".into()];
    scenario.node_policies = vec![Arc::new(move || Box::new(nodes.clone()))];
    with_sizes(scenario, sizes)
}

fn with_sizes(mut scenario: Scenario, sizes: &'static [(u64, u32)]) -> Scenario {
    scenario.policies[0].factories = vec![Arc::new(move |_| Box::new(Sizes(sizes)))];
    scenario
}

fn run(scenario: &Scenario) -> RunRecord {
    scenario.simulation(0, 0).unwrap().run(&mut |_| ()).unwrap()
}

/// Start and end of the leases, in seconds.
fn leases(record: &RunRecord) -> Vec<(f64, f64)> {
    record.leases.iter().map(|lease| (lease.start.as_secs_f64(), lease.end.as_secs_f64())).collect()
}

/// What leases of these lengths in seconds cost.
fn cost(scenario: &Scenario, seconds: &[u64]) -> Option<Usd> {
    let price = scenario.node_leases[0].price;
    Some(seconds.iter().map(|length| price.over(SimDuration::from_secs(*length))).sum())
}

/// Ready replicas in some rows of the timeline.
fn ready(record: &RunRecord, rows: &[usize]) -> Vec<f64> {
    rows.iter().map(|row| (record.services[0].timeline[*row].ready * 1000.0).round() / 1000.0).collect()
}

/// The dollars of a run's rows.
fn accrued(record: &RunRecord) -> f64 {
    let rows = record.services.iter().flat_map(|service| &service.timeline);
    rows.filter_map(|row| row.cost).sum::<Usd>().as_f64()
}

#[test]
fn nodes_come_and_go_and_are_paid_for_as_long() {
    // A node is ordered at 100 s and ready at 160 s; at 200 s the second replica finds room on it. Node 0 drains from
    // 300 s on and goes at 1000 s, with its last pod; of two replicas at 1200 s only one finds room.
    let plan = Planned(&[(100, 1, &[]), (300, 0, &[0])]);
    let scenario = scenario(&[(200, 2), (1000, 0), (1200, 2)], &plan);
    let record = run(&scenario);
    assert_eq!(leases(&record), [(0.0, 1000.0), (100.0, 2000.0)]);
    assert_eq!(record.cost, cost(&scenario, &[1000, 1900]));
    // The second replica pulls its image from 200 to 220 s and is ready at 230 s. The one of 1200 s finds the image.
    assert_eq!(ready(&record, &[1, 2, 3, 9, 10, 12, 13]), [1.0, 1.7, 2.0, 2.0, 0.0, 0.9, 1.0]);
    let pool = &record.pools[0];
    assert_eq!((pool.launched, pool.removed, pool.max_nodes), (1, 1, 2));
    assert_eq!((pool.cost, pool.mean_nodes), (record.cost, 2900.0 / 2000.0));
    let rows: Vec<_> = [0, 1, 2, 9, 10].map(|row| (pool.timeline[row].nodes, pool.timeline[row].ready)).into();
    assert_eq!(rows, [(1.0, 1.0), (2.0, 1.4), (2.0, 2.0), (2.0, 1.0), (1.0, 1.0)]);
    let decisions: Vec<_> = pool.decisions.iter().map(|d| (d.at, d.nodes, d.launched, d.drained)).collect();
    assert_eq!(decisions, [(at(100), 1, 1, 0), (at(300), 2, 0, 1)]);
    assert!((accrued(&record) - record.cost.unwrap().as_f64()).abs() < 1e-6, "{}", accrued(&record));
}

#[test]
fn the_bounds_of_a_pool_hold_whatever_its_policy_asks_for() {
    let plan = Planned(&[(100, 1, &[]), (200, 1, &[]), (300, 0, &[0, 1, 2])]);
    let mut scenario = scenario(&[(50, 0)], &plan);
    (scenario.pools[0].least, scenario.pools[0].most) = (1, 2);
    let record = run(&scenario);
    assert_eq!(leases(&record), [(0.0, 300.0), (100.0, 2000.0)]);
    assert_eq!((record.pools[0].launched, record.pools[0].removed, record.pools[0].max_nodes), (1, 1, 2));
}

/// The pool orders a node at 100 s, in zone b, which is lost from a second on for a time; two replicas are wanted from
/// 50 s on. Returns the start of the node's lease and the mean of ready replicas from 200 s on.
fn with_outage(from: u64, length: u64) -> (f64, Vec<f64>) {
    let mut scenario = scenario(&[(50, 2)], &Planned(&[(100, 1, &[])]));
    let length = SimDuration::from_secs(length);
    scenario.outages = vec![ZoneOutage { zone: 1, at: at(from), length, response: LostNodes::default() }];
    let record = run(&scenario);
    (leases(&record)[1].0, ready(&record, &[1, 2, 3]))
}

#[test]
fn a_node_needs_its_zone_to_boot() {
    // Undisturbed: ready at 160 s, the pod at 190 s.
    assert_eq!(with_outage(1000, 10), (100.0, vec![1.1, 2.0, 2.0]));
    // Lost at 130 s while it boots: it starts anew at 230 s and is ready at 290 s, the pod at 320 s.
    assert_eq!(with_outage(130, 100), (100.0, vec![1.0, 1.0, 1.8]));
    // Lost at 90 s, unnoticed: the order waits for the machine, which runs from 190 s on, and is ready at 250 s.
    assert_eq!(with_outage(90, 100), (190.0, vec![1.0, 1.2, 2.0]));
    // Lost at 10 s, noticed at 50 s: the node comes up in zone a instead.
    assert_eq!(with_outage(10, 1000), (100.0, vec![1.1, 2.0, 2.0]));
}

/// The pool's nodes by `step`, at most six, with these sizes of the service.
fn stepping(more: &str, sizes: &'static [(u64, u32)]) -> Scenario {
    let pool = format!("count: 1, max: 6, policy: {{ step: {{ add-after: 30s, remove-after: 10m }} }}{more},");
    with_sizes(read(&SCENARIO.replace("count: 1,", &pool)).unwrap_or_else(|found| panic!("{found}")), sizes)
}

#[test]
fn a_step_pool_adds_a_node_for_a_pod_that_has_waited_and_removes_an_empty_one() {
    // Two pods find no room at 100 s. Both have waited at 130 s: two nodes are ordered, ready at 190 s; the pods start
    // in 30 s and are ready at 220 s. At 1000 s both go, and at 1600 s the nodes have been empty for ten minutes.
    let scenario = stepping("", &[(100, 3), (1000, 1)]);
    let record = run(&scenario);
    assert_eq!(leases(&record), [(0.0, 2000.0), (130.0, 1600.0), (130.0, 1600.0)]);
    assert_eq!(record.cost, cost(&scenario, &[2000, 1470, 1470]));
    assert_eq!(ready(&record, &[1, 2, 3, 9, 10]), [1.0, 2.6, 3.0, 3.0, 1.0]);
    let pool = &record.pools[0];
    assert_eq!((pool.launched, pool.removed, pool.max_nodes, pool.cost), (2, 2, 3, record.cost));
    let decisions: Vec<_> = pool.decisions.iter().map(|d| (d.at, d.launched, d.drained, d.detail.as_str())).collect();
    assert_eq!(
        decisions,
        [(at(130), 2, 0, "2 pods have waited 30s for a node"), (at(1600), 0, 2, "2 nodes have been empty for 10m"),]
    );
    assert!((accrued(&record) - record.cost.unwrap().as_f64()).abs() < 1e-6, "{}", accrued(&record));
}

#[test]
fn a_step_pool_keeps_its_bounds() {
    // Never more than six nodes, and the first is kept (`min` is the `count`): the longest empty go first.
    let record = run(&stepping("", &[(100, 9), (1000, 0)]));
    assert_eq!((record.pools[0].max_nodes, record.pools[0].launched, record.pools[0].removed), (6, 5, 5));
    assert_eq!(record.services[0].max_ready, 6);
    // Down to none where that is allowed, and up again from none.
    let record = run(&stepping(", min: 0", &[(10, 0), (1000, 1)]));
    assert_eq!(leases(&record), [(0.0, 610.0), (1030.0, 2000.0)]);
    assert_eq!(ready(&record, &[0, 5, 10, 11, 12]), [0.1, 0.0, 0.0, 0.8, 1.0]);
    // A pod that no node of the pool can ever hold orders none.
    let text = SCENARIO.replace("count: 1,", "count: 1, max: 6, policy: step,").replace("cpu: 1500m", "cpu: 3");
    let record = run(&read(&text).unwrap());
    assert_eq!((record.pools[0].launched, record.services[0].max_ready), (0, 0));
}

#[test]
fn pods_that_fit_on_a_node_that_is_coming_order_no_other() {
    // Four pods of 400m fit on a node, beside the first on node 0 three more. Of the pods of 100 s three find no room,
    // those of 120 s find none either, and one node will hold four of these five; the fifth orders one at 150 s.
    let text = SCENARIO
        .replace("cpu: 1500m", "cpu: 400m")
        .replace("count: 1,", "count: 1, max: 6, boot-time: 5m, policy: { step: { add-after: 30s } },");
    let record = run(&with_sizes(read(&text).unwrap(), &[(100, 7), (120, 9)]));
    assert_eq!(leases(&record), [(0.0, 2000.0), (130.0, 2000.0), (150.0, 2000.0)]);
}

#[test]
fn a_step_pool_says_what_it_does_and_what_is_not_known() {
    let scenario = read(&format!(
        "{}objectives: [ {{ latency: {{ within: 300ms, target: 99% }} }} ]\n",
        SCENARIO
            .replace("count: 1,", "count: 1, max: 6, policy: step,")
            .replace("service-time", "price: $1/h\n  service-time")
    ));
    let scenario = scenario.unwrap_or_else(|found| panic!("{found}"));
    let said = plimsoll::experiment::assumptions(&scenario).join("\n");
    assert!(said.contains("Pool web starts with 1 × node m7i.large"), "{said}");
    assert!(said.contains("for a pod that has waited 30s") && said.contains("empty for 10m"), "{said}");
    assert!(said.contains("Boot time of a new node: always 60 s;") && !said.contains("node autoscaling"), "{said}");
    let bound = plimsoll::experiment::cost_bound(&scenario).unwrap();
    assert!(bound.as_ref().is_err_and(|why| why.contains("number of nodes")), "{bound:?}");
    for (more, message) in [
        ("policy: step", "node pool has no `max`"),
        ("policy: step, max: 0", "`max` must be from 1 to 100000"),
        ("policy: step, max: 4, min: 2", "`min` must be from 0 to the `count` of 1"),
        ("policy: { step: { add-after: 10 } }, max: 4", "add-after"),
        ("policy: { step: { ad-after: 10s } }, max: 4", "did you mean `add-after`?"),
    ] {
        let said = read(&SCENARIO.replace("count: 1,", &format!("count: 1, {more},"))).err();
        assert!(said.as_ref().is_some_and(|said| said.contains(message)), "{more}: {said:?}");
    }
}

#[test]
fn a_pool_whose_nodes_are_fixed_has_no_bounds() {
    let with = |more: &str| read(&SCENARIO.replace("count: 1,", &format!("count: 1, {more},"))).err();
    assert_eq!(with("policy: fixed"), None);
    assert_eq!(with("policy: { fixed: {} }"), None);
    for (more, message) in [
        ("max: 4", "a pool whose nodes are fixed has no `max`"),
        ("policy: fixed, boot-time: 10s", "a pool whose nodes are fixed has no `boot-time`"),
        ("policy: fixxed", "did you mean `fixed`?"),
        ("policy: [fixed]", "must name one kind of node policy"),
        ("policy: { fixed: { after: 10s } }", "has no field `after`"),
    ] {
        let said = with(more).unwrap_or_else(|| panic!("{more} is accepted"));
        assert!(said.contains(message), "{more}: {said}");
    }
}
