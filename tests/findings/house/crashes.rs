//! House D10: counters restart from zero after a crash, and earlier readings are dropped.

use crate::findings::trial::Trial;

const CRASHES: &str = "\
name: crashes
duration: 10m
workload: { constant: { rate: 10/s, for: 10m } }
metrics: { interval: 15s, window: 30s, custom: { rps: request-rate } }
service:
  replicas: 2
  concurrency: 4
  service-time: 10ms
  resources: { requests: { cpu: 100m } }
  crash-after: 40s
policies:
  rate: { hpa: { min: 2, max: 50, metrics: [ { type: Pods, pods: { metric: { name: rps }, target: { type: AverageValue, averageValue: 10 } } } ] } }
  cpu: { hpa: { min: 2, max: 50, target: { cpu: 90% } } }
";

/// Ten requests per second never need more than two replicas of ten per second each. A counter that decreased would be
/// a rate of 10^18/s (or a panic, with overflow checks).
#[test]
fn a_crashed_replica_reports_no_rate_from_before_its_crash() {
    let trial = Trial::new(&[("crashes.yaml", CRASHES)]);
    let summary = trial.summary("crashes.yaml", "");
    let decisions = trial.read("out/crashes/decisions.csv");
    let ups: Vec<&str> = decisions.lines().filter(|line| line.contains(" -> ")).collect();
    assert!(ups.is_empty(), "{ups:#?}\n{summary}");
}
