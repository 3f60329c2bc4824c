//! A run is a pure function of scenario and seed (I6), and policies meet the same requests and the same random failures
//! (I7).
//!
//! `tests/cli.rs` compares the files that the program writes; these tests compare the records, on random scenarios.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use plimsoll::cluster::DISPATCHERS;
use plimsoll::cluster::dispatch::FREE_SLOTS;
use plimsoll::config::Diagnostics;
use plimsoll::engine::{Fate, RunRecord, ServiceRecord};
use plimsoll::experiment::{self, Outcome};
use plimsoll::policy::{Decision, Observation, PolicyFactory, Reason, ReasonCode, ScalingPolicy};
use plimsoll::random::Distribution;
use plimsoll::report::REPORTERS;
use plimsoll::scenario::{Scenario, Variant};
use plimsoll::stats::LatencyHistogram;
use plimsoll::units::SimDuration;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::random_scenario::{Arrivals, Case, Demand, PolicyCase, millis, wild_case};

fn run(scenario: &Scenario, threads: usize) -> Outcome {
    experiment::run(scenario, "run", threads, &|_, _| {}).unwrap()
}

fn summary(outcome: &Outcome) -> Vec<u8> {
    let plugin = REPORTERS.iter().find(|plugin| plugin.name == "summary.json").unwrap();
    plugin.build.report(outcome).unwrap().remove(0).bytes
}

/// Everything in a record; floating-point numbers print exactly, and empty buckets are left out.
fn bytes(record: &RunRecord) -> String {
    let services: Vec<String> = record.services.iter().map(service_bytes).collect();
    format!("{:?}", RunRecord { services: Vec::new(), ..record.clone() }) + &services.join("\n")
}

fn service_bytes(record: &ServiceRecord) -> String {
    let nothing = LatencyHistogram::new;
    let latencies = [&record.waiting, &record.service, &record.sojourn].map(contents);
    let rest = ServiceRecord { waiting: nothing(), service: nothing(), sojourn: nothing(), ..record.clone() };
    format!("{rest:?} {latencies:?}").replace(&format!("{:?}", nothing()), "-")
}

fn contents(histogram: &LatencyHistogram) -> (u128, Option<SimDuration>, Vec<(SimDuration, u64)>) {
    (histogram.sum_nanos(), histogram.min(), histogram.buckets().collect())
}

fn by_policy(outcome: &Outcome) -> BTreeMap<String, String> {
    outcome.runs.iter().map(|record| (record.policy.clone(), bytes(record))).collect()
}

/// The fate of the requests and replicas of a run, without evaluations and intervals.
fn events(record: &RunRecord) -> String {
    let of_service = |service: &ServiceRecord| {
        let levels =
            [service.utilization, service.cpu_utilization, Some(service.mean_ready), Some(service.mean_in_system)];
        let counts =
            (service.counts, service.max_ready, service.replica_starts, service.warm_requests, service.crashes);
        let latencies = [&service.waiting, &service.service, &service.sojourn].map(contents);
        format!("{levels:?} {counts:?} {latencies:?} {:?}", service.decisions)
    };
    let services: Vec<String> = record.services.iter().map(of_service).collect();
    format!("{services:?} {:?}", record.leases)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_same_bytes_twice_and_on_any_number_of_threads(case in wild_case()) {
        let scenario = case.scenario();
        let once = run(&scenario, 1);
        for threads in [1, 3] {
            let again = run(&scenario, threads);
            prop_assert_eq!(by_policy(&once), by_policy(&again));
            prop_assert_eq!(summary(&once), summary(&again));
        }
        prop_assert_eq!(bytes(&case.run(0)), bytes(&once.runs[0]), "a run on its own");
    }

    #[test]
    fn policies_do_not_touch_each_other(case in wild_case(), extra in 0..6u32) {
        let mut scenario = case.scenario();
        let alone = by_policy(&run(&scenario, 2));
        let more = Case { variants: vec![vec![PolicyCase::Static(extra); case.services.len()]], ..case };
        let plan = Variant { label: "another".into(), ..more.scenario().policies.remove(0) };
        scenario.policies.insert(0, plan);
        let mut beside = by_policy(&run(&scenario, 2));
        beside.remove("another");
        prop_assert_eq!(&alone, &beside, "a policy was added");
        scenario.policies.remove(0);
        scenario.policies.reverse();
        prop_assert_eq!(&alone, &by_policy(&run(&scenario, 2)), "policies were put in another order");
    }

    #[test]
    fn services_without_nodes_do_not_touch_each_other(case in wild_case()) {
        let together = Case { nodes: None, ..case };
        let mut alone = together.clone();
        alone.services.truncate(1);
        alone.variants.iter_mut().for_each(|policies| policies.truncate(1));
        let (together, alone) = (together.run(0), alone.run(0));
        prop_assert_eq!(service_bytes(&together.services[0]), service_bytes(&alone.services[0]));
    }

    #[test]
    fn intervals_and_objectives_do_not_change_a_run(case in wild_case(), interval in 150..6_000u64, limit in 1..900u64) {
        let before = case.run(0);
        let otherwise = Case { interval, objectives: vec![Some(limit), None], ..case };
        prop_assert_eq!(events(&before), events(&otherwise.run(0)));
    }
}

/// A case in which no request is lost and all are answered: the arrivals end early and queues have no limit.
fn lossless(case: Case) -> Case {
    let mut case = Case { end: 600_000, warm_up: 0, interval: 60_000, nodes: None, ..case };
    case.services.truncate(1);
    let service = &mut case.services[0];
    service.arrivals = Arrivals::Gaps((0..200).map(|number| number * 37 % 101).collect());
    service.demand = Demand::Drawn(Distribution::lognormal(0.1, 1.5));
    (service.queue_limit, service.grace, service.sharing) = (u32::MAX, 600_000, false);
    // A CPU limit below the need of the requests in service would slow them.
    service.limited = false;
    (service.timeout, service.retry, service.crash) = (None, None, None);
    service.replicas = service.replicas.max(1);
    case
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, ..ProptestConfig::default() })]

    /// I7 request by request: the same demands are served, whatever policy and dispatcher.
    #[test]
    fn demands_are_common_to_all_policies(
        case in wild_case(),
        scripts in proptest::collection::vec((500..4_000u64, proptest::collection::vec(1..7u32, 1..6)), 2..4),
        dispatchers in proptest::collection::vec(0..DISPATCHERS.len() - FREE_SLOTS.len(), 2),
    ) {
        let mut case = lossless(case);
        case.variants = scripts.into_iter().map(|(every, sizes)| vec![PolicyCase::Sizes { every, sizes }]).collect();
        let mut runs = run(&case.scenario(), 2).runs;
        for dispatch in dispatchers {
            case.services[0].dispatch = dispatch;
            runs.extend(run(&case.scenario(), 2).runs);
        }
        let first = &runs[0].services[0];
        prop_assert_eq!((first.counts.arrived, first.counts[Fate::Completed]), (200, 200));
        for record in &runs {
            let service = &record.services[0];
            prop_assert_eq!(service.demand_checksum, first.demand_checksum);
            prop_assert_eq!(service.service.sum_nanos(), first.service.sum_nanos(), "the sum of all demands");
            prop_assert!(service.service == first.service, "demands differ under {}", record.policy);
        }
    }

    /// The same with limited CPU: requests may take longer under one policy than under another, but have the same
    /// demands.
    #[test]
    fn demands_are_common_where_cpu_is_limited(
        case in wild_case(),
        cpu in 400..2_500u64,
        scripts in proptest::collection::vec((500..4_000u64, proptest::collection::vec(1..7u32, 1..6)), 2..4),
    ) {
        let mut case = lossless(case);
        (case.services[0].limited, case.services[0].cpu_millis) = (true, cpu);
        case.variants = scripts.into_iter().map(|(every, sizes)| vec![PolicyCase::Sizes { every, sizes }]).collect();
        let runs = run(&case.scenario(), 2).runs;
        let first = &runs[0].services[0];
        for record in &runs {
            let service = &record.services[0];
            prop_assert_eq!(service.counts.arrived, 200);
            prop_assert_eq!(service.demand_checksum, first.demand_checksum, "under {}", record.policy);
        }
    }

    /// The n-th replica ever started has the same start-up delay whenever it starts.
    #[test]
    fn start_up_delays_are_common_to_all_policies(
        case in wild_case(),
        scripts in proptest::collection::vec((500..4_000u64, proptest::collection::vec(1..7u32, 1..6)), 2),
    ) {
        let mut case = lossless(case);
        case.end = 60_000;
        // Accepted at creation, so that the delay can be read from the pod.
        case.services[0].start_up[0] = Distribution::constant(SimDuration::ZERO);
        case.services[0].start_up[3] = Distribution::Exponential { mean: 0.7 };
        let mut scenario = case.scenario();
        let delays = scripts.into_iter().map(|(every, sizes)| start_up_delays(&mut scenario, millis(every), sizes));
        let delays: Vec<BTreeMap<u32, SimDuration>> = delays.collect();
        for (id, delay) in &delays[0] {
            prop_assert!(delays[1].get(id).is_none_or(|other| other == delay), "replica {id}: {delays:?}");
        }
    }
}

/// A policy that panics ends the program, also while another thread makes requests ahead of its run and waits for it.
#[test]
fn a_panic_is_not_waited_for() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("scenario.yaml");
    let text = "duration: 1h\nworkload: { poisson: { rate: 1000/s } }\nservice: { name: web, service-time: 1ms, concurrency: 10 }\n\
                policies: { a: { static: { replicas: 1 } } }\n";
    std::fs::write(&path, text).unwrap();
    let mut scenario = Scenario::read(&path, &[], &mut Diagnostics::new()).unwrap();
    scenario.policies[0].factories = vec![Arc::new(|_| Box::new(Panics))];
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&scenario, 2)));
    assert!(ended.is_err());
}

/// Panics after five minutes, when the thread ahead has made all it may.
struct Panics;

impl ScalingPolicy for Panics {
    fn sync_period(&self) -> SimDuration {
        SimDuration::from_secs(300)
    }

    fn decide(&mut self, _: &Observation<'_>) -> Decision {
        panic!("a mistake in a policy")
    }
}

/// Start-up delays of the replicas that became ready under a sequence of sizes.
fn start_up_delays(scenario: &mut Scenario, every: SimDuration, sizes: Vec<u32>) -> BTreeMap<u32, SimDuration> {
    let seen = Arc::new(Mutex::new(BTreeMap::new()));
    let factory: PolicyFactory = {
        let seen = seen.clone();
        Arc::new(move |_| Box::new(Onlooker { every, sizes: sizes.clone(), turn: 0, seen: seen.clone() }))
    };
    scenario.policies =
        vec![Variant { label: "onlooker".into(), factories: vec![factory], headroom: 1.0, service: None }];
    run(scenario, 1);
    seen.lock().unwrap().clone()
}

/// A sequence of sizes; records the start-up delay of every replica that becomes ready.
struct Onlooker {
    every: SimDuration,
    sizes: Vec<u32>,
    turn: usize,
    seen: Arc<Mutex<BTreeMap<u32, SimDuration>>>,
}

impl ScalingPolicy for Onlooker {
    fn sync_period(&self) -> SimDuration {
        self.every
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        let mut seen = self.seen.lock().unwrap();
        for replica in observation.replicas {
            if let Some(ready) = replica.ready_since() {
                seen.insert(replica.id, ready.since(replica.accepted.unwrap()));
            }
        }
        self.turn += 1;
        let size = self.sizes[self.turn % self.sizes.len()];
        Decision::scale_to(size, Reason::new(ReasonCode::Plan, "next of the list"))
    }
}

/// A fixed case in which everything is random, for combinations that a random case might miss by chance.
#[test]
fn the_seed_decides() {
    let service = |case: Case| {
        let mut case = lossless(case);
        case.services[0].arrivals = Arrivals::Poisson(50);
        (case.end, case.interval) = (20_000, 1_000);
        case.variants = vec![vec![PolicyCase::Static(2)]];
        case
    };
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let case = service(wild_case().new_tree(&mut runner).unwrap().current());
    let other = Case { seed: case.seed.wrapping_add(1), ..case.clone() };
    let (one, two) = (case.run(0), other.run(0));
    assert_ne!(one.services[0].demand_checksum, two.services[0].demand_checksum);
    assert_ne!(one.services[0].sojourn.sum_nanos(), two.services[0].sojourn.sum_nanos());
    // So does the replication.
    let replicated = case.scenario().simulation(0, 1).unwrap().run(&mut |_| {}).unwrap();
    assert_ne!(one.services[0].demand_checksum, replicated.services[0].demand_checksum);
}
