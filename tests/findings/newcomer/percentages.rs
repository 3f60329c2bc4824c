//! Newcomer 1b: percentages above 100% are printed as they are.

use crate::findings::trial::Trial;

/// 10/s of 80 ms each are 0.8 cores, 320% of the request.
const CPU: &str = "\
name: cpu
duration: 10m
workload: { constant: { rate: 10/s, for: 10m } }
service:
  resources: { requests: { cpu: 250m }, limits: { cpu: 1 } }
  concurrency: 1
  service-time: 80ms
  cpu-per-request: 80ms
objectives: [ { latency: { within: 500ms, target: 99% } } ]
policies: { one: { static: { replicas: 1 } }, two: { static: { replicas: 2 } } }
expect: [ policy.one.cpu < 120%, policy.one.cpu > 319% ]
";

#[test]
fn percentages_above_100_are_shown() {
    let trial = Trial::new(&[("cpu.yaml", CPU)]);
    let shown = trial.expect("test cpu.yaml --replications 2", 1);
    assert!(shown.contains("120%") && (shown.contains("320%") || shown.contains("319.9%")), "{shown}");
    assert!(!shown.contains(" 100%"), "{shown}");
    let shown = trial.run("compare cpu.yaml --quiet --as-is --replications 2 --out out");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let row = shown.lines().find(|line| line.contains("CPU")).unwrap_or_else(|| panic!("{shown}"));
    assert!(row.contains("320%") || row.contains("319.9%"), "{row}");
}
