//! The loss of a zone.

use plimsoll::cluster::Nodes;
use plimsoll::config::Diagnostics;
use plimsoll::engine::{Cause, Fate, LostNodes, RunRecord, ZoneOutage};
use plimsoll::scenario::Scenario;
use plimsoll::units::{SimDuration, SimTime};
use proptest::prelude::*;

use crate::random_scenario::wild_case;

fn read(text: &str) -> Result<Scenario, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scenario.yaml");
    std::fs::write(&path, text).unwrap();
    let mut found = Diagnostics::new();
    Scenario::read(&path, &[], &mut found).ok_or_else(|| found.to_string())
}

fn run(text: &str) -> RunRecord {
    let scenario = read(text).unwrap_or_else(|found| panic!("{found}"));
    scenario.simulation(0, 0).unwrap().run(&mut |_| ()).unwrap()
}

/// Six replicas that take a minute to start, at half load; a dollar an hour each.
fn scenario(rest: &str) -> String {
    format!(
        "duration: 30m\ninterval: 1m\nworkload: {{ poisson: {{ rate: 120/s }} }}\nservice:\n  replicas: 6\n  concurrency: 4\n  \
         queue-limit: 100\n  resources: {{ requests: {{ cpu: 1, memory: 1Gi }} }}\n  service-time: {{ exponential: {{ mean: 100ms }} }}\n  \
         start-up: {{ ready: 60s }}\npolicies: {{ fixed: {{ static: {{ replicas: 6 }} }} }}\n\
         objectives: [ {{ availability: 99.9% }} ]\n{rest}"
    )
}

/// Mean of the replicas that are ready in some minutes.
fn ready<const N: usize>(record: &RunRecord, minutes: [usize; N]) -> [f64; N] {
    minutes.map(|minute| (record.services[0].timeline[minute].ready * 1000.0).round() / 1000.0)
}

#[test]
fn a_third_is_lost_noticed_and_replaced_elsewhere() {
    let record = run(&scenario("faults: [ { zone-outage: { zone: b, at: 10m, for: 10m } } ]")
        .replace("  start-up", "  price: $1/h\n  start-up"));
    let service = &record.services[0];
    // Silent from 600 s on, not ready from 640 s, evicted at 940 s, and the replacements are ready a minute later, at
    // 1000 s.
    assert_eq!(ready(&record, [9, 10, 15, 16, 17, 25]), [6.0, 4.0, 4.0, 4.667, 6.0, 6.0]);
    // Their requests, and those sent to them in the 40 seconds, are lost with them: at most as many as the queues of
    // the others.
    assert!(service.counts[Fate::Failed] > 0 && service.counts[Fate::Failed] <= 2 * 20, "{:?}", service.counts);
    assert_eq!(service.objectives[0].causes.of(Cause::Crash), service.counts[Fate::Failed]);
    assert_eq!((service.replica_starts, service.crashes), (2, 0));
    // Lost replicas are paid for until they are evicted.
    let dollars = record.cost.unwrap().as_f64();
    assert!((dollars - 3.0).abs() < 1e-6, "{dollars}");
}

#[test]
fn both_times_of_the_control_plane_can_be_stated() {
    let record = run(&scenario(
        "lost-nodes: { noticed-after: 0s, evicted-after: 0s }\nfaults: [ { zone-outage: { zone: b, at: 10m, for: 10m } } ]",
    ));
    let service = &record.services[0];
    assert_eq!(ready(&record, [9, 10, 11, 25]), [6.0, 4.0, 6.0, 6.0]);
    assert!(service.counts[Fate::Failed] > 0 && service.counts[Fate::Failed] <= 2 * 104, "{:?}", service.counts);
    let later = run(&scenario(
        "lost-nodes: { noticed-after: 50s, evicted-after: 30s }\nfaults: [ { zone-outage: { zone: b, at: 10m, for: 10m } } ]",
    ));
    // Evicted at 680 s, ready at 740 s.
    assert_eq!(ready(&later, [10, 11, 12, 13]), [4.0, 4.0, 5.333, 6.0]);
}

#[test]
fn a_zone_that_recovers_in_time_keeps_its_replicas() {
    let back = |length: &str| {
        let record = run(&scenario(&format!("faults: [ {{ zone-outage: {{ zone: b, at: 10m, for: {length} }} }} ]")));
        assert_eq!((record.services[0].replica_starts, record.services[0].crashes), (2, 0));
        ready(&record, [9, 10, 11, 12, 13])
    };
    // Noticed but not evicted: the containers restart at 720 s and are ready a minute later.
    assert_eq!(back("2m"), [6.0, 4.0, 4.0, 4.0, 6.0]);
    // Recovered before the loss was noticed.
    assert_eq!(back("20s"), [6.0, 4.0, 5.333, 6.0, 6.0]);
}

/// With random dispatch, a third of the requests of 40 seconds goes to replicas that do not respond: 1,600. Clients
/// with a time-out give up after it, others when the connection breaks.
#[test]
fn requests_to_a_zone_with_an_unnoticed_loss_hang() {
    let fault = "faults: [ { zone-outage: { zone: b, at: 10m, for: 10m } } ]";
    let random = scenario(fault).replace("  start-up", "  dispatch: random\n  start-up");
    let patient = run(&random).services.remove(0);
    assert!(patient.counts[Fate::Failed].abs_diff(1600) < 150, "{:?}", patient.counts);
    assert_eq!(patient.objectives[0].causes.of(Cause::Crash), patient.counts[Fate::Failed]);
    let hasty = run(&random.replace("  start-up", "  timeout: { after: 3s }\n  start-up")).services.remove(0);
    assert!(hasty.counts[Fate::TimedOut].abs_diff(1600 * 37 / 40) < 150, "{:?}", hasty.counts);
    assert!(hasty.counts[Fate::Failed].abs_diff(1600 * 3 / 40) < 60, "{:?}", hasty.counts);
    // Some wait too long elsewhere: four of six replicas carry the load.
    assert!(hasty.objectives[0].causes.of(Cause::Crash) >= hasty.counts[Fate::Failed] + 1300);
}

#[test]
fn with_every_zone_gone_nothing_is_served_until_one_is_back() {
    let record = run(&scenario(
        "zones: [only]\nfaults: [ { zone-outage: { zone: only, at: 10m, for: 5m } }, { zone-outage: { zone: only, at: 12m, for: 8m } } ]",
    ));
    let service = &record.services[0];
    // Back at 20 minutes, when the later of both outages ends, and ready a minute later.
    assert_eq!(ready(&record, [9, 10, 19, 20, 21]), [6.0, 0.0, 0.0, 0.0, 6.0]);
    let about =
        |found: u64, seconds: f64| assert!((found as f64 / (seconds * 120.0) - 1.0).abs() < 0.03, "{found}, {seconds}");
    // For 40 s requests hang; after that no replica is available until 1260 s.
    about(service.counts[Fate::Failed], 40.0);
    about(service.counts[Fate::Rejected], 620.0);
    // Evicted at 940 s, pods wait for a node until 1200 s and start for a minute.
    about(service.objectives[0].causes.of(Cause::NodeWait), 260.0);
    about(service.objectives[0].causes.of(Cause::StartUp), 60.0);
    about(service.objectives[0].causes.of(Cause::Crash), 340.0);
}

/// Before the loss is noticed, the scheduler places new pods there, where they never start.
#[test]
fn new_pods_may_be_placed_in_a_lost_zone() {
    let record =
        run(&scenario("faults: [ { rollout: { at: 605s } }, { zone-outage: { zone: b, at: 10m, for: 20m } } ]"));
    let service = &record.services[0];
    // The final state is correct, whatever happened before.
    assert_eq!(ready(&record, [9, 29]), [6.0, 6.0]);
    assert!(service.replica_starts >= 6, "{}", service.replica_starts);
}

#[test]
fn nodes_in_the_zone_are_lost_with_their_pods() {
    let nodes = "nodes: [ { name: n, instance: m5.large, count: 6, zones: [a, b] } ]\nplacement: spread\n\
                 faults: [ { zone-outage: { zone: a, at: 10m, for: 10m } } ]";
    let record = run(&scenario(nodes));
    // One pod of a core fits on each node: three stay, three wait until the zone is back.
    assert_eq!(ready(&record, [9, 10, 19, 20, 21]), [6.0, 3.0, 3.0, 3.0, 6.0]);
}

#[test]
fn invalid_faults_are_reported() {
    for (rest, message) in [
        ("faults: [ { zone-outage: { zone: d, at: 1m, for: 1m } } ]", "zones: a, b, c"),
        ("faults: [ { zone-outage: { zone: a, at: 1m, for: 0s } } ]", "a length above zero"),
        ("faults: [ { zone-outag: { zone: a, at: 1m, for: 1s } } ]", "did you mean `zone-outage`?"),
        ("faults: soon", "must be a list"),
        ("zones: [a, a]", "different zones"),
        ("zones: [a]\nnodes: [ { name: n, instance: m5.large, count: 6 } ]", "each node pool"),
    ] {
        let found = read(&scenario(rest)).err().unwrap_or_else(|| panic!("{rest} was read"));
        assert!(found.contains(message), "{message} in {found}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Repeated losses and recoveries: the engine's own laws hold, no request is forgotten, and two runs agree.
    #[test]
    fn the_laws_hold_whatever_is_lost(
        case in wild_case(),
        losses in prop::collection::vec((0u32..3, 0.0..1.0f64, 0.0..0.5f64, 0u64..3000, 0u64..3000), 1..6),
    ) {
        let mut scenario = case.scenario();
        scenario.zones = match scenario.pools.as_slice() {
            [] => ["a", "b", "c"].map(String::from).into(),
            pools => Nodes::zone_names(pools),
        };
        let zones = scenario.zones.len() as u32;
        let part = |share: f64| SimDuration::from_nanos((scenario.duration.as_nanos() as f64 * share) as u64 + 1);
        let outages = losses.iter().map(|(zone, at, length, noticed, evicted)| ZoneOutage {
            zone: zone % zones,
            at: SimTime::ZERO + part(*at),
            length: part(*length),
            response: LostNodes {
                noticed_after: SimDuration::from_millis(*noticed),
                evicted_after: SimDuration::from_millis(*evicted),
            },
        });
        scenario.outages = outages.collect();
        for policy in 0..scenario.policies.len() {
            let run = || scenario.simulation(policy, 0).unwrap().run(&mut |_| ()).unwrap();
            let (record, again) = (run(), run());
            for (service, twin) in record.services.iter().zip(&again.services) {
                let counts = &service.counts;
                let fates = counts.accounted();
                prop_assert_eq!(counts.arrived, fates, "{:?}", counts);
                prop_assert_eq!(counts, &twin.counts);
            }
        }
    }
}
