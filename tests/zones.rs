//! The loss of a zone.

use plimsoll::config::Diagnostics;
use plimsoll::engine::Cause;
use plimsoll::engine::RunRecord;
use plimsoll::engine::scenario::Scenario;

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

#[test]
fn a_third_is_lost_and_replaced_elsewhere() {
    let record = run(&scenario("faults: [ { zone-outage: { zone: b, at: 10m, for: 10m } } ]")
        .replace("  start-up", "  price: $1/h\n  start-up"));
    let service = &record.services[0];
    let ready = |minute: usize| service.timeline[minute].ready;
    // Two of six are gone for the minute that their replacements take, wherever the zone's end falls.
    assert_eq!([ready(9), ready(10), ready(11), ready(25)], [6.0, 4.0, 6.0, 6.0]);
    // What they held is lost with them, and no request else: four carry the load.
    assert!(service.counts.failed > 0 && service.counts.failed <= 2 * 104, "{:?}", service.counts);
    assert_eq!(service.objectives[0].causes.of(Cause::Crash), service.counts.failed);
    assert_eq!(service.cold_starts, 2);
    // The lost are paid for until they were lost.
    let dollars = record.cost.unwrap().as_f64();
    assert!((dollars - 3.0).abs() < 1e-6, "{dollars}");
}

#[test]
fn with_every_zone_gone_nothing_is_served_until_one_is_back() {
    let record = run(&scenario(
        "zones: [only]\nfaults: [ { zone-outage: { zone: only, at: 10m, for: 5m } }, { zone-outage: { zone: only, at: 12m, for: 8m } } ]",
    ));
    let service = &record.services[0];
    let ready = |minute: usize| service.timeline[minute].ready;
    // Back at 20 minutes, when the later of both outages ends, and ready a minute later.
    assert_eq!([ready(9), ready(10), ready(19), ready(20), ready(21)], [6.0, 0.0, 0.0, 0.0, 6.0]);
    let rejected = service.counts.rejected as f64;
    // Eleven minutes of 120 a second, nearly all while replicas waited for a place.
    assert!((rejected / (11.0 * 60.0 * 120.0) - 1.0).abs() < 0.02, "{rejected}");
    let waiting = service.objectives[0].causes.of(Cause::NodeWait) as f64;
    assert!((waiting / (10.0 * 60.0 * 120.0) - 1.0).abs() < 0.02, "{waiting}");
}

#[test]
fn nodes_in_the_zone_are_lost_with_their_pods() {
    let nodes = "nodes: [ { name: n, instance: m5.large, count: 6, zones: [a, b] } ]\nplacement: spread\n\
                 faults: [ { zone-outage: { zone: a, at: 10m, for: 10m } } ]";
    let record = run(&scenario(nodes));
    let ready: Vec<f64> = record.services[0].timeline.iter().map(|interval| interval.ready).collect();
    // One pod of a core fits on each node: three stay, three wait until the zone is back.
    assert_eq!([ready[9], ready[10], ready[19], ready[20], ready[21]], [6.0, 3.0, 3.0, 3.0, 6.0]);
}

#[test]
fn what_is_wrong_with_a_fault_is_said() {
    for (rest, message) in [
        ("faults: [ { zone-outage: { zone: d, at: 1m, for: 1m } } ]", "zones: a, b, c"),
        ("faults: [ { zone-outage: { zone: a, at: 1m, for: 0s } } ]", "longer than nothing"),
        ("faults: [ { zone-outag: { zone: a, at: 1m, for: 1s } } ]", "did you mean `zone-outage`?"),
        ("faults: soon", "must be a list"),
        ("zones: [a, a]", "different zones"),
        ("zones: [a]\nnodes: [ { name: n, instance: m5.large, count: 6 } ]", "each node pool"),
    ] {
        let found = read(&scenario(rest)).err().unwrap_or_else(|| panic!("{rest} was read"));
        assert!(found.contains(message), "{message} in {found}");
    }
}
