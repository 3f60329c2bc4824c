//! `plan`, `compare` and `check` with equal policies, infeasible objectives and too few replications (8, 19, 20).

use super::super::trial::Trial;

/// Four autoscalers that differ only in their target: at their smallest headroom they are the same.
const EQUALS: &str = "\
duration: 20m
interval: 1m
workload: { nhpp: { sinusoid: { mean: 60/s, amplitude: 0.6, period: 20m } } }
service:
  resources: { requests: { cpu: 500m, memory: 1Gi }, limits: { cpu: 500m } }
  replicas: 5
  concurrency: 2
  service-time: { exponential: { mean: 80ms } }
  cpu-per-request: 10ms
  start-up: { ready: 10s }
  price: $1/h
objectives: [ { latency: { within: 500ms, target: 99% } } ]
policies:
  h50: { hpa: { min: 1, max: 30, target: { cpu: 50% } } }
  h65: { hpa: { min: 1, max: 30, target: { cpu: 65% } } }
  h80: { hpa: { min: 1, max: 30, target: { cpu: 80% } } }
  h95: { hpa: { min: 1, max: 30, target: { cpu: 95% } } }
";

#[test]
fn costs_of_different_replications_are_not_subtracted_and_equals_are_called_so() {
    let trial = Trial::new(&[("s.yaml", EQUALS)]);
    let shown = trial.expect("plan s.yaml --replications 4 --no-scenario --out out --format markdown", 0);
    assert!(!shown.contains("dearer by -"), "{shown}");
    let rows: Vec<&str> = shown.lines().filter(|line| line.starts_with("| h")).collect();
    assert_eq!(rows.len(), 4, "{shown}");
    let given_up = rows.iter().find(|row| row.contains("given up after 1 replication")).unwrap_or(&"");
    assert!(given_up.contains("there ($") && given_up.contains(" against $"), "{shown}");
    let equal = rows[1..].iter().filter(|row| {
        ["that the search resolves", "costs as much", "no cheaper than"].iter().any(|words| row.contains(words))
    });
    assert_eq!(equal.count(), 3, "{shown}");
    assert!(shown.contains("that the search never saw"), "{shown}");
}

/// 1.7% of the requests take longer than 500 ms on an idle replica.
const HOPELESS: &str = "\
duration: 30d
workload: { poisson: { rate: 1000/s } }
service: { name: web, concurrency: 8, service-time: { lognormal: { mean: 120ms, cv: 1 } }, price: $1/h }
objectives: [ { latency: { within: 500ms, target: 99% } } ]
policies: { auto: { hpa: { min: 1, max: 640, target: { cpu: 60% } } } }
";

/// 2.6 billion requests: a search would take an hour to find out what follows from the service time.
#[test]
fn objectives_below_the_service_time_are_refused_without_a_search() {
    let cpu =
        HOPELESS.replace("concurrency: 8", "resources: { requests: { cpu: 1 }, limits: { cpu: 1 } }, concurrency: 8");
    let trial = Trial::new(&[("s.yaml", &cpu)]);
    let words = "no fleet can keep \"99% of requests within 500ms\": P(service time > 500ms) = 1.7%";
    let shown = trial.expect("plan s.yaml --no-scenario --out out", 1);
    assert!(shown.contains(words), "{shown}");
    assert!(!trial.path("out").exists(), "nothing was searched");
    assert!(trial.expect("check s.yaml", 0).contains(words));
    // A longer limit can be met, and nothing is reported.
    let shown = trial.expect("check s.yaml --set objectives.0.latency.within=1s", 0);
    assert!(!shown.contains("no fleet can"), "{shown}");
}

/// Two replications give an interval of Student's t with one degree of freedom: it extends beyond the target.
const TWO: &str = "\
workload: { poisson: { rate: 100/s, for: 10m } }
service:
  resources: { requests: { cpu: 500m, memory: 1Gi }, limits: { cpu: 500m } }
  concurrency: 8
  service-time: { lognormal: { mean: 80ms, cv: 1 } }
  cpu-per-request: 4ms
  price: $1/h
objectives: [ { latency: { within: 500ms, target: 99.5% } } ]
policies: { fixed: { static: { replicas: 2 } } }
";

#[test]
fn too_few_replications_are_not_certain() {
    let trial = Trial::new(&[("s.yaml", TWO)]);
    let few = "--replications 2 --quiet --format markdown";
    let shown = trial.expect(&format!("compare s.yaml {few}"), 0);
    assert!(shown.contains("~ not certain") && shown.contains("more --replications would tell"), "{shown}");
    assert!(!shown.contains("misses"), "{shown}");
    let shown = trial.expect(&format!("plan s.yaml --no-scenario {few}"), 1);
    assert!(shown.contains("not certain after 2 replications: more --replications would tell"), "{shown}");
    // A result that two replications can confirm is reported: the policy is far above the target.
    let shown = trial.expect(&format!("compare s.yaml {few} --set service.concurrency=4"), 0);
    assert!(shown.contains("✗ misses"), "{shown}");
}
