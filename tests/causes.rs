//! Each cause of bad requests, in a scenario in which it must be the main one.

use plimsoll::config::Diagnostics;
use plimsoll::engine::{Cause, Causes, Fate};
use plimsoll::scenario::Scenario;
use rstest::rstest;

/// Causes of the first objective under the only policy.
fn causes(text: &str) -> Causes {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scenario.yaml");
    std::fs::write(&path, text).unwrap();
    let mut found = Diagnostics::new();
    let scenario = Scenario::read(&path, &[], &mut found).unwrap_or_else(|| panic!("{found}"));
    let record = scenario.simulation(0, 0).unwrap().run(&mut |_| ()).unwrap();
    let objective = &record.services[0].objectives[0];
    assert_eq!(objective.causes.total(), objective.total - objective.good, "the causes add up");
    assert!(objective.causes.total() > 0, "nothing was bad: {text}");
    objective.causes
}

/// A service with four slots of 100 ms: 40 requests per second each.
fn scenario(workload: &str, service: &str, rest: &str) -> String {
    format!(
        "duration: 10m\nworkload: {{ {workload} }}\nservice:\n  replicas: 1\n  concurrency: 4\n  queue-limit: 1000000\n  \
         resources: {{ requests: {{ cpu: 1, memory: 1Gi }} }}\n{service}\nobjectives: [ {{ latency: {{ within: 500ms, target: 99% }} }} ]\n{rest}"
    )
}

const FIXED: &str = "policies: { fixed: { static: { replicas: 1 } } }";
/// From one replica to ten at the second decision.
const GROWING: &str = "metrics: { interval: 5s, window: 5s, lag: 0s }\n\
                       policies: { grows: { hpa: { min: 10, max: 10, target: { cpu: 50% } } } }";

#[rstest]
#[case::too_few(scenario("poisson: { rate: 60/s }", "  service-time: 100ms", FIXED), Cause::TooFewReplicas)]
#[case::starting(
    scenario(
        "poisson: { rate: 60/s }",
        "  service-time: 100ms\n  cpu-per-request: 50ms\n  start-up: { ready: 9m }",
        GROWING
    ),
    Cause::StartUp
)]
#[case::no_node(
    scenario(
        "poisson: { rate: 60/s }",
        "  service-time: 100ms\n  cpu-per-request: 50ms",
        &format!("nodes: [ {{ name: only, count: 1, instance: m5.large }} ]\n{GROWING}")
    )
    // Two do not fit on the node.
    .replace("cpu: 1,", "cpu: 1200m,"),
    Cause::NodeWait
)]
#[case::heavy(scenario("poisson: { rate: 2/s }", "  service-time: 600ms", FIXED), Cause::ServiceTime)]
#[case::shared(
    scenario(
        "poisson: { rate: 18/s }",
        "  service-model: processor-sharing\n  service-time: { exponential: { mean: 50ms } }\n  cpu-per-request: 50ms",
        FIXED
    )
    .replace("{ requests: { cpu: 1, memory: 1Gi } }", "{ requests: { cpu: 1, memory: 1Gi }, limits: { cpu: 1 } }")
    .replace("concurrency: 4", "concurrency: 1000"),
    Cause::Contention
)]
#[case::retried(
    scenario(
        "poisson: { rate: 500/s }",
        "  service-time: 100ms\n  crash-after: { exponential: { mean: 10m } }\n  start-up: { ready: 1s }\n  retry: { attempts: 5, backoff: 600ms }",
        FIXED
    )
    .replace("replicas: 1", "replicas: 20"),
    Cause::Retry
)]
#[case::crashed(
    scenario(
        "poisson: { rate: 500/s }",
        "  service-time: 100ms\n  crash-after: { exponential: { mean: 10m } }\n  start-up: { ready: 10ms }",
        FIXED
    )
    .replace("replicas: 1", "replicas: 20"),
    Cause::Crash
)]
fn the_cause_that_must_be_is_found(#[case] text: String, #[case] cause: Cause) {
    let causes = causes(&text);
    let share = causes.of(cause) as f64 / causes.total() as f64;
    assert!(share > 0.6, "{share} of {cause:?} in {causes:?}");
}

#[test]
fn endings_are_distinguished() {
    let overloaded = |service: &str| {
        let text = scenario("poisson: { rate: 60/s }", &format!("  service-time: 100ms\n{service}"), FIXED);
        causes(&text)
    };
    let full = overloaded("");
    assert!(full.get(Cause::TooFewReplicas, Fate::Completed) > 0);
    let impatient = overloaded("  timeout: 400ms");
    assert_eq!(impatient.get(Cause::TooFewReplicas, Fate::TimedOut), impatient.total());
    let text = scenario("poisson: { rate: 60/s }", "  service-time: 100ms", FIXED)
        .replace("queue-limit: 1000000", "queue-limit: 4");
    let refused = causes(&text);
    assert_eq!(refused.get(Cause::TooFewReplicas, Fate::Rejected), refused.total());
}
