//! Warm-up detection: runs forget their initial state when they should.

use plimsoll::config::Diagnostics;
use plimsoll::experiment::{settle, transients};
use plimsoll::scenario::Scenario;
use plimsoll::units::SimDuration;
use rstest::rstest;

fn scenario(text: &str) -> Scenario {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scenario.yaml");
    std::fs::write(&path, text).unwrap();
    let mut found = Diagnostics::new();
    let scenario = Scenario::read(&path, &[], &mut found);
    scenario.unwrap_or_else(|| panic!("{found:?}"))
}

/// Steady traffic for four hours on replicas that are ready after a minute, under a policy.
fn steady(policy: &str) -> String {
    format!(
        "seed: 3\nwarm-up: auto\nworkload: {{ poisson: {{ rate: 40/s, for: 4h }} }}\nservice:\n  name: api\n  replicas: 12\n  concurrency: 1\n  \
         service-time: {{ exponential: {{ mean: 100ms }} }}\n  cpu-per-request: 100ms\n  resources: {{ requests: {{ cpu: 1, memory: 1Gi }} }}\n  \
         start-up: {{ ready: 60s }}\n  price: $0.05/h\npolicies:\n  it: {policy}\n"
    )
}

/// An autoscaler that may only scale down after its stabilization window remembers 25 replicas at least that long.
#[rstest]
#[case(300, 1_200)]
#[case(1_800, 3_000)]
fn an_autoscaler_remembers_for_its_window(#[case] window: u64, #[case] most: u64) {
    let policy = format!(
        "{{ hpa: {{ min: 2, max: 60, target: {{ cpu: 50% }}, behavior: {{ scaleDown: {{ stabilizationWindowSeconds: {window} }} }} }} }}"
    );
    let found = transients(&scenario(&steady(&policy)), 1).unwrap();
    let length = found[0].length.as_secs_f64();
    assert!(found[0].settled && length >= window as f64 && length <= most as f64, "{found:?}");
}

#[test]
fn a_fixed_fleet_forgets_at_once_and_auto_takes_the_place() {
    let mut of = scenario(&steady("{ static: { replicas: 12 } }"));
    assert!(of.finds_warm_up && of.warm_up.is_zero());
    let found = settle(&mut of, 2).unwrap();
    assert!(found[0].settled && found[0].length <= SimDuration::from_secs(1_800), "{found:?}");
    assert_eq!(of.warm_up, found[0].length);
    // A stated warm-up is not changed.
    let mut stated = scenario(&steady("{ static: { replicas: 12 } }").replace("warm-up: auto", "warm-up: 7m"));
    assert_eq!(settle(&mut stated, 1).unwrap(), []);
    assert_eq!(stated.warm_up, SimDuration::from_secs(420));
}

/// With a queue that never stops growing, the transient never ends.
#[test]
fn an_overloaded_station_never_settles() {
    let text = steady("{ static: { replicas: 3 } }").replace("replicas: 12", "replicas: 3");
    let found = transients(&scenario(&text), 1).unwrap();
    assert!(!found[0].settled, "{found:?}");
    assert_eq!(found[0].length, SimDuration::from_secs(7_200));
}
