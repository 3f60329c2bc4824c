//! Findings 14 and 15: there are no silent assumptions, and every value has its origin.

use serde_json::Value;

use super::super::trial::Trial;

const SCENARIO: &str = "name: s
duration: 5m
workload:
  poisson: { rate: 20/s }
service:
  name: web
  replicas: 2
  concurrency: 4
  service-time: 50ms
  resources: { requests: { cpu: 500m, memory: 1Gi } }
  price: { container: fargate }
metrics: { lag: 7s }
objectives: [ { latency: { within: 500ms, target: 99% } } ]
policies:
  ours: { hpa: { min: 2, max: 10, target: { cpu: 60% } } }
  theirs: { hpa: { manifest: hpa.yaml } }
";

const AUTOSCALER: &str = "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: web }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }
  minReplicas: 1
  maxReplicas: 7
  metrics:
    - { type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 50 } } }
  behavior: { scaleDown: { stabilizationWindowSeconds: 120 }, scaleUp: { tolerance: 0.2 } }
";

/// (label, value, origin) of everything that `check --explain` prints.
fn explained(more: &str) -> Vec<[String; 3]> {
    let trial = Trial::new(&[("s.yaml", SCENARIO), ("hpa.yaml", AUTOSCALER)]);
    let output = trial.run(&format!("check s.yaml --explain --format json {more}"));
    let checked: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    let of = |value: &Value| ["what", "value", "origin"].map(|key| value[key].as_str().unwrap().to_string());
    checked["files"][0]["values"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn every_value_has_its_origin() {
    let all = explained("--set service.queue-limit=9");
    let found = |what: &str| -> [&str; 2] {
        let row = all.iter().find(|row| row[0] == what).unwrap_or_else(|| panic!("{what}: {all:?}"));
        [&row[1], &row[2]]
    };
    // Stated: file and line, or the argument.
    assert_eq!(found("duration"), ["5m", "s.yaml:2"]);
    assert_eq!(found("service.concurrency"), ["4", "s.yaml:8"]);
    assert_eq!(found("service.resources.requests.cpu"), ["500m", "s.yaml:10"]);
    assert_eq!(found("metrics.lag"), ["7s", "s.yaml:12"]);
    assert_eq!(found("service.queue-limit"), ["9", "--set service.queue-limit"]);
    // Defaults and assumptions.
    assert_eq!(found("metrics.interval"), ["15s", "default"]);
    assert_eq!(found("service.grace-period"), ["30s", "default"]);
    assert_eq!(found("service.memory.base"), ["0", "default"]);
    assert_eq!(found("lost-nodes.evicted-after"), ["5m", "default (tolerationSeconds)"]);
    assert_eq!(found("service.cpu-per-request")[1], "not stated: assumed from the CPU request");
    // The catalogue: 0.5 vCPU and, with EKS's 256 MiB, 2 GB at list price: 0.5 x 0.04048 + 2 x 0.004445.
    assert_eq!(found("service.price"), ["$0.02913/h (web on fargate (us-east-1))", "s.yaml:11, catalogue"]);
    // Each autoscaler's thresholds, target x (1 +- tolerance), with the origin of stated ones.
    assert_eq!(
        found("policies.ours: cpu"),
        ["target 60% of the request: scales up above 66%, down below 54%", "s.yaml:15"]
    );
    assert_eq!(found("policies.ours: tolerance"), ["10% up, 10% down", "default (of the controller)"]);
    assert_eq!(found("policies.ours: scale-down window"), ["5m", "default (of the controller)"]);
    assert_eq!(
        found("policies.theirs: cpu"),
        ["target 50% of the request: scales up above 60%, down below 45%", "hpa.yaml:9"]
    );
    assert_eq!(found("policies.theirs: replicas"), ["1 to 7", "hpa.yaml:7"]);
    assert_eq!(found("policies.theirs: tolerance"), ["20% up, 10% down", "hpa.yaml:10"]);
    assert_eq!(found("policies.theirs: scale-down window"), ["2m", "hpa.yaml:10"]);
    assert_eq!(found("policies.theirs: sync period"), ["15s", "default (of the controller)"]);
}

/// The assumptions of a run with these changes.
fn assumed(more: &str) -> String {
    let trial = Trial::new(&[("s.yaml", SCENARIO), ("hpa.yaml", AUTOSCALER)]);
    trial.summary("s.yaml", &format!("--policy ours --set duration=30s {more}"))["assumptions"].to_string()
}

#[test]
fn assumptions_are_reported() {
    let said = assumed("");
    for words in [
        "`memory` of web not stated: assumed that replicas use none",
        "`cpu-per-request` of web not stated: assumed that a full replica uses exactly its CPU request",
        "`queue-limit` of web not stated: assumed unlimited",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let said = assumed(
        "--set service.memory.base=300Mi --set service.cpu-per-request=10ms --set service.queue-limit=5 --set service.price=null",
    );
    assert!(!said.contains("memory` of web not") && !said.contains("cpu-per-request` of web not"), "{said}");
    assert!(!said.contains("`queue-limit` of web not") && said.contains("holds 5 requests"), "{said}");
    assert!(said.contains("Price not stated: no cost is assumed or shown"), "{said}");
}

/// Section 20: the advice in a message matches the intention, and names the place.
#[test]
fn advice_fits_the_mistake() {
    for (change, words) in [
        ("service.service-time=80", "help: write `80ms` or `80s`"),
        ("service.price=fargate", "help: write `price: { container: fargate }`"),
        ("service.price=0.05EUR", "`0.05EUR` is not in US dollars"),
        ("service.price=0.05", "help: write `$0.05/h`"),
        ("service.manifest=k8s/nope.yaml", "--set service.manifest:1:1"),
        ("policies.theirs.hpa.manifest=nope.yaml", "--set policies.theirs.hpa.manifest:1:1"),
    ] {
        let trial = Trial::new(&[("s.yaml", SCENARIO), ("hpa.yaml", AUTOSCALER)]);
        let said = trial.expect(&format!("check s.yaml --set {change}"), 2);
        assert!(said.contains(words), "{change}: {said}");
    }
}

/// A run slightly longer than its trace is not reported to the nanosecond.
#[test]
fn durations_are_told_as_people_read_them() {
    let trace = "time,count\n0,60\n60,60\n";
    let scenario = SCENARIO.replace("poisson: { rate: 20/s }", "trace: c.csv").replace("duration: 5m\n", "");
    let trial = Trial::new(&[("s.yaml", &scenario), ("hpa.yaml", AUTOSCALER), ("c.csv", trace)]);
    let said = trial.expect("check s.yaml", 0);
    assert!(said.contains("s.yaml: ok, 2m") && !said.contains("ns of web") && !said.contains("ms of web"), "{said}");
}
