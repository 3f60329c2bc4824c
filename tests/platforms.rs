//! Platforms as a scenario states them.

use std::fs;

use plimsoll::config::{Diagnostics, SourceFile, parse_single};
use plimsoll::engine::{Cause, Fate, RunRecord, Simulation};
use plimsoll::experiment::assumptions;
use plimsoll::platform::PLATFORMS;
use plimsoll::policy::{Decision, Measure, Observation, Reason, ReasonCode, ScalingPolicy};
use plimsoll::scenario::Scenario;
use plimsoll::units::{SimDuration, SimTime};
use proptest::prelude::*;
use rstest::rstest;
use tempfile::TempDir;

use crate::random_scenario::wild_case;

/// Requests at 100 s, 105 s and 130 s, each of 1 s; a replica takes 20 s to start and costs a dollar a second.
fn read(directory: &TempDir, platform: &str, rest: &str) -> Result<Scenario, String> {
    fs::write(
        directory.path().join("traffic.csv"),
        "offset_ns,demand_ns\n0,\n100000000000,\n105000000000,\n130000000000,\n",
    )
    .unwrap();
    let text = format!(
        "duration: 5m\nworkload: {{ trace: traffic.csv }}\nservice: {{ name: shop, replicas: 1, concurrency: 10, service-time: 1s, start-up: 20s,\n  \
         price: $3600/h, platform: {platform}{rest} }}\nobjectives: [{{ latency: {{ within: 2s, target: 99% }} }}]\n\
         policies: {{ one: {{ static: {{ replicas: 1 }} }} }}\n"
    );
    let path = directory.path().join("scenario.yaml");
    fs::write(&path, text).unwrap();
    let mut sink = Diagnostics::new();
    Scenario::read(&path, &[], &mut sink).ok_or_else(|| sink.to_string())
}

fn run(platform: &str, rest: &str) -> RunRecord {
    let directory = TempDir::new().unwrap();
    let scenario = read(&directory, platform, rest).unwrap_or_else(|error| panic!("{error}"));
    scenario.simulation(0, 0).unwrap().run(&mut |_| ()).unwrap()
}

const ZERO: &str = "{ scale-to-zero: { idle: 60s, check-every: 10s } }";

/// The review of 10 s sees the request of 0 s, and the review of 130 s that of 130 s; those of the next minute see none.
#[test]
fn a_request_waits_for_the_replica_that_it_starts() {
    let record = run(ZERO, "");
    let service = &record.services[0];
    assert_eq!(service.counts[Fate::Completed], 4);
    // 1 s, 20 + 1 s, 15 + 1 s and 1 s.
    assert!((service.sojourn.mean_secs().unwrap() - 39.0 / 4.0).abs() < 1e-6, "{:?}", service.sojourn.mean_secs());
    assert!((service.waiting.mean_secs().unwrap() - 35.0 / 4.0).abs() < 1e-6, "{:?}", service.waiting.mean_secs());
    let changes: Vec<(SimTime, u32, u32, ReasonCode)> = service
        .decisions
        .iter()
        .filter(|decision| decision.from != decision.to)
        .map(|decision| (decision.at, decision.from, decision.to, decision.code))
        .collect();
    let at = SimTime::from_secs;
    let expected =
        [(at(70), 1, 0, ReasonCode::Idle), (at(100), 0, 1, ReasonCode::Activated), (at(190), 1, 0, ReasonCode::Idle)];
    assert_eq!(changes, expected);
    // Paid for from 0 to 70 s and from 100 to 190 s.
    assert_eq!(record.cost.unwrap().to_string(), "$160.00");
    let causes = &service.objectives[0].causes;
    assert_eq!((causes.of(Cause::StartUp), causes.total()), (2, 2));
}

#[test]
fn a_deployment_pays_for_an_idle_replica() {
    let record = run("deployment", "");
    assert_eq!(record.services[0].counts[Fate::Completed], 4);
    assert_eq!(record.cost.unwrap().to_string(), "$300.00");
    assert_eq!(record.services[0].sojourn.mean_secs(), Some(1.0));
}

/// The number of requests that wait is limited, and so is their time; a client may give up before, and may ask again.
#[rstest]
#[case::one_is_held("hold: 1", "", [3, 1, 0])]
#[case::none_is_held("hold: 0", "", [1, 3, 0])]
#[case::not_for_long("hold-for: 10s", "", [2, 2, 0])]
#[case::not_as_long_as_the_first_needs("hold-for: 18s", "", [3, 1, 0])]
#[case::the_client_gives_up("hold-for: 18s", ", timeout: { after: 5s, work: cancel }", [2, 0, 2])]
#[case::and_asks_again("hold: 1", ", retry: { attempts: 3, backoff: 30s, jitter: false, budget: 100% }", [4, 0, 0])]
fn holding_has_limits(#[case] limit: &str, #[case] client: &str, #[case] expected: [u64; 3]) {
    let platform = format!("{{ scale-to-zero: {{ idle: 60s, check-every: 10s, {limit} }} }}");
    let counts = run(&platform, client).services[0].counts;
    assert_eq!([Fate::Completed, Fate::Rejected, Fate::TimedOut].map(|fate| counts[fate]), expected, "{counts:?}");
}

/// A replica without a queue takes one of the two held requests.
#[test]
fn held_requests_find_a_full_replica() {
    let record = run(ZERO, ", queue-limit: 0").services.remove(0);
    assert_eq!(record.counts[Fate::Completed], 4);
    let directory = TempDir::new().unwrap();
    let mut scenario = read(&directory, ZERO, ", queue-limit: 0").unwrap();
    scenario.services[0].spec.concurrency = 1;
    let record = scenario.simulation(0, 0).unwrap().run(&mut |_| ()).unwrap();
    assert_eq!(record.services[0].counts[Fate::Rejected], 1);
}

/// Batches gather held requests like any others.
#[test]
fn held_requests_fill_a_batch() {
    let directory = TempDir::new().unwrap();
    let rest = ", service-model: { batch: { size: 2, max-delay: 4s } }";
    let mut text = fs::read_to_string({
        let _ = read(&directory, ZERO, rest);
        directory.path().join("scenario.yaml")
    })
    .unwrap();
    text = text.replace("concurrency: 10, ", "");
    let path = directory.path().join("scenario.yaml");
    fs::write(&path, text).unwrap();
    let mut sink = Diagnostics::new();
    let scenario = Scenario::read(&path, &[], &mut sink).unwrap_or_else(|| panic!("{sink}"));
    let record = scenario.simulation(0, 0).unwrap().run(&mut |_| ()).unwrap();
    // Alone a request waits for 4 s: 5 + 21 + 16 + 5.
    let mean = record.services[0].sojourn.mean_secs().unwrap();
    assert!((mean - 47.0 / 4.0).abs() < 1e-6, "{mean}");
}

/// What a policy sees of held requests: they wait, and are outstanding.
struct Seen(std::sync::mpsc::Sender<[f64; 2]>);

impl ScalingPolicy for Seen {
    fn sync_period(&self) -> SimDuration {
        SimDuration::from_secs(1)
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        if let Some(scrape) = observation.scrape {
            let _ = self.0.send([Measure::QueueLength, Measure::Outstanding].map(|measure| scrape.totals[measure]));
        }
        Decision::hold(Reason::new(ReasonCode::Fixed, "looks"))
    }
}

#[test]
fn a_policy_sees_held_requests() {
    let directory = TempDir::new().unwrap();
    let mut spec = read(&directory, ZERO, "").unwrap().run_spec(0, 0).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    spec.services[0].policy = Box::new(Seen(sender));
    Simulation::new(spec).unwrap().run(&mut |_| ()).unwrap();
    let seen: Vec<[f64; 2]> = receiver.into_iter().collect();
    assert!(seen.contains(&[2.0, 2.0]), "{seen:?}");
    assert!(seen.iter().all(|[waiting, outstanding]| waiting <= outstanding), "{seen:?}");
}

/// There is room for one replica. It goes to the service whose request came first, whichever is listed first.
#[rstest]
#[case::in_order("100.2", "100.5", [1, 0])]
#[case::the_other_way_round("100.5", "100.2", [0, 1])]
fn services_wake_in_the_order_of_their_requests(#[case] first: &str, #[case] second: &str, #[case] answered: [u64; 2]) {
    let directory = TempDir::new().unwrap();
    let service = |name: &str, at: &str| {
        let nanos = (at.parse::<f64>().unwrap() * 1e9) as u64;
        fs::write(directory.path().join(format!("{name}.csv")), format!("offset_ns,demand_ns\n{nanos},\n")).unwrap();
        format!(
            "- {{ name: {name}, replicas: 1, concurrency: 4, service-time: 1s, start-up: 2s, workload: {{ trace: {name}.csv }},\n    \
             resources: {{ requests: {{ cpu: 1500m, memory: 1Gi }} }}, platform: {{ scale-to-zero: {{ idle: 10s, check-every: 5s, hold-for: 1m }} }} }}\n"
        )
    };
    let text = format!(
        "duration: 3m\nnodes: [{{ instance: m5.large, count: 1 }}]\nservices:\n{}{}policies: {{ one: {{ static: {{ replicas: 1 }} }} }}\n",
        service("a", first),
        service("b", second)
    );
    let path = directory.path().join("scenario.yaml");
    fs::write(&path, text).unwrap();
    let mut sink = Diagnostics::new();
    let scenario = Scenario::read(&path, &[], &mut sink).unwrap_or_else(|| panic!("{sink}"));
    let record = scenario.simulation(0, 0).unwrap().run(&mut |_| ()).unwrap();
    let in_time = |number: usize| {
        let sojourn = record.services[number].sojourn.max();
        u64::from(sojourn.is_some_and(|sojourn| sojourn.as_secs_f64() < 4.0))
    };
    assert_eq!([in_time(0), in_time(1)], answered, "{:?}", record.services[0].decisions);
}

#[test]
fn what_a_platform_assumes_is_said_and_mistakes_are_shown() {
    let directory = TempDir::new().unwrap();
    let said = assumptions(&read(&directory, ZERO, "").unwrap()).join("\n");
    assert!(said.contains("shop is scaled to zero after 1m without requests (looked at every 10s)"), "{said}");
    let error = |platform: &str| read(&directory, platform, "").err().unwrap();
    assert!(error("scale-to-zer").contains("did you mean `scale-to-zero`?"));
    assert!(error("{ scale-to-zero: { idel: 5m } }").contains("did you mean `idle`?"));
    assert!(error("{ scale-to-zero: { check-every: 0s } }").contains("must be above zero"));
    assert!(error("{ deployment: { idle: 5m } }").contains("has no parameters"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// In any world the laws that a run asserts of itself hold behind a holding ingress, and nothing depends on when it
    /// runs: every request has one fate, Little's law, no replica idle beside its queue, costs equal to leases.
    #[test]
    fn random_worlds_hold_requests(case in wild_case(), idle in 1..20_000_u64, every in 1..5_000_u64, hold in 0..40_u32, longest in 1..9_000_u64) {
        let mut scenario = case.scenario();
        let text = format!("{{ idle: {idle}ms, check-every: {every}ms, hold: {hold}, hold-for: {longest}ms }}");
        let node = parse_single(&SourceFile::new("platform", text)).unwrap();
        let plugin = PLATFORMS.iter().find(|plugin| plugin.name == "scale-to-zero").unwrap();
        for service in &mut scenario.services {
            service.platform = (plugin.build)(&node, &mut Diagnostics::new()).unwrap().factory;
        }
        let run = || scenario.simulation(0, 0).unwrap().run(&mut |_| ()).unwrap();
        let record = run();
        prop_assert_eq!(format!("{record:?}"), format!("{:?}", run()));
        for service in &record.services {
            prop_assert_eq!(service.counts.arrived, service.counts.accounted());
        }
    }
}
