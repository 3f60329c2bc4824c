//! Items 3 and 9: fractions of a core and node speeds are taken into account in plans, needs, areas and causes.

use plimsoll::config::Diagnostics;
use plimsoll::engine::{Cause, ServiceRecord};
use plimsoll::scenario::Scenario;

fn scenario(text: &str) -> Scenario {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scenario.yaml");
    std::fs::write(&path, text).unwrap();
    let mut found = Diagnostics::new();
    Scenario::read(&path, &[], &mut found).unwrap_or_else(|| panic!("{found}"))
}

/// The record of the first policy.
fn run(text: &str) -> ServiceRecord {
    let mut record = scenario(text).simulation(0, 0).unwrap().run(&mut |_| ()).unwrap();
    record.services.remove(0)
}

/// 4 cores of work, at this number of millicores per replica.
fn fraction(policy: &str, millis: u32) -> String {
    format!(
        "duration: 2h\ninterval: 5m\nworkload: {{ poisson: {{ rate: 40/s, for: 2h }} }}\nservice:\n  replicas: 20\n  concurrency: 50\n  \
         queue-limit: 1000\n  service-model: processor-sharing\n  service-time: {{ exponential: {{ mean: 100ms }} }}\n  price: $0.1/h\n  \
         resources: {{ requests: {{ cpu: {millis}m }}, limits: {{ cpu: {millis}m }} }}\n\
         objectives: [ {{ latency: {{ within: 1s, target: 95% }} }} ]\npolicies:\n  it: {{ {policy}: {{ min: 1, max: 100, interval: 5m }} }}\n"
    )
}

/// Item 3: with half a core each, fewer than eight replicas are not even stable; five were planned for any size from
/// 500m to 1900m.
#[test]
fn plans_count_fractions_of_a_core() {
    for policy in ["lp-optimal", "dp-optimal"] {
        let sizes = [500, 1000, 1900].map(|millis| {
            let record = run(&fraction(policy, millis));
            let attained = record.objectives[0].attainment();
            assert!(attained >= 0.95, "{policy} at {millis}m: {attained}");
            record.mean_ready
        });
        assert!(sizes[0] > 8.0 && sizes[1] > 4.0 && sizes[2] > 4.0 / 1.9, "{policy}: {sizes:?}");
        assert!(sizes[0] > 1.5 * sizes[1] && sizes[1] > 1.2 * sizes[2], "{policy}: {sizes:?}");
    }
}

/// Item 3: an unused node of twice the speed does not halve the plan.
#[test]
fn plans_count_the_nodes_that_are_used() {
    let of = |speed: u32| {
        run(&format!(
            "duration: 2h\ninterval: 5m\nworkload: {{ poisson: {{ rate: 40/s, for: 2h }} }}\nnodes:\n  \
             - {{ instance: m6i.xlarge, region: us-east-1, count: 40, speed: 1 }}\n  \
             - {{ instance: m6i.xlarge, region: us-east-1, count: 1, speed: {speed} }}\nservice:\n  replicas: 20\n  concurrency: 1\n  \
             queue-limit: 1000\n  service-time: {{ exponential: {{ mean: 200ms }} }}\n  resources: {{ requests: {{ cpu: 3 }} }}\n\
             objectives: [ {{ latency: {{ within: 2s, target: 95% }} }} ]\n\
             policies: {{ dp: {{ dp-optimal: {{ min: 1, max: 100, interval: 5m }} }} }}\n"
        ))
    };
    let [even, mixed] = [1, 2].map(of);
    assert!(mixed.objectives[0].attainment() >= 0.95, "{:?}", mixed.objectives);
    assert!(
        even.mean_ready > 8.0 && mixed.mean_ready >= even.mean_ready - 1.0,
        "{} {}",
        even.mean_ready,
        mixed.mean_ready
    );
}

fn on_nodes(speed: f64, rest: &str) -> String {
    format!(
        "duration: 1h\nnodes: [ {{ instance: m6i.large, region: us-east-1, count: 2, speed: {speed} }} ]\nservice:\n  replicas: 2\n  \
         concurrency: 1\n  resources: {{ requests: {{ cpu: 1 }} }}\n{rest}policies: {{ a: {{ static: {{ replicas: 2 }} }} }}\n"
    )
}

/// Item 9: two nodes of speed 2 serve 1.5 s of demand per second with 0.75 slots: 1.07 replicas are needed at 70%.
#[test]
fn needs_and_areas_take_the_node_speed_into_account() {
    let work = "  service-time: 500ms\n  cpu-per-request: 500ms\nworkload: { constant: { rate: 3/s, for: 1h } }\n";
    let record = run(&on_nodes(2.0, work));
    let needed = record.timeline[5].needed;
    assert!((needed - 0.75 / 0.7).abs() < 1e-3, "{needed}");
    assert_eq!((record.elasticity.under_share, record.elasticity.under_provisioned), (0.0, 0.0));
    assert!((record.elasticity.over_provisioned - (2.0 - 0.75 / 0.7) * 3600.0).abs() < 10.0, "{:?}", record.elasticity);
}

/// The needs of a service on nodes of different speeds are based on its actual replicas.
#[test]
fn needs_are_based_on_the_nodes_of_the_replicas() {
    let work = "  service-time: 500ms\n  cpu-per-request: 500ms\nworkload: { constant: { rate: 3/s, for: 1h } }\n";
    let text = on_nodes(2.0, work).replace(
        "count: 2, speed: 2 }",
        "count: 1, speed: 2, name: fast }, { instance: m6i.large, region: us-east-1, count: 1, speed: 1, name: slow }",
    );
    assert!(text.contains("slow"), "{text}");
    // One and a half seconds of demand per second and replica on average.
    let needed = run(&text).timeline[5].needed;
    assert!((needed - 1.5 / 1.5 / 0.7).abs() < 1e-3, "{needed}");
}

fn causes(speed: f64, arrivals: &str, within: u32) -> ServiceRecord {
    let text = on_nodes(
        speed,
        &format!(
            "  service-time: 400ms\n  cpu-per-request: 400ms\nworkload: {{ {arrivals} }}\n\
             objectives: [ {{ latency: {{ within: {within}ms, target: 99% }} }} ]\n"
        ),
    );
    run(&text.replace("replicas: 2", "replicas: 1"))
}

/// Item 9: on a fast node a request that waits is late because of queueing; on a slow node a late request may take too
/// long by itself.
#[test]
fn causes_take_the_node_speed_into_account() {
    let pairs = "batch: { rate: 0.5/s, size: 2, for: 20m }";
    let fast = &causes(2.0, pairs, 300).objectives[0];
    assert!(fast.causes.total() > 0, "{fast:?}");
    assert_eq!(fast.causes.of(Cause::TooFewReplicas), fast.causes.total(), "{fast:?}");
    let slow = &causes(0.5, "constant: { rate: 1/s, for: 10m }", 600).objectives[0];
    assert!(slow.causes.total() > 500, "{slow:?}");
    assert_eq!(slow.causes.of(Cause::ServiceTime), slow.causes.total(), "{slow:?}");
}
