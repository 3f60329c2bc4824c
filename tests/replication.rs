//! The statistics of replications: intervals have their stated coverage, a planted difference is found, and no other.

use std::path::Path;

use plimsoll::config::Diagnostics;
use plimsoll::experiment::{Arm, Finding, Replicated, ReplicationPlan, differences, replicate, scaled};
use plimsoll::scenario::Scenario;
use plimsoll::stats::{ConfidenceInterval, Running};

/// A service small enough for thousands of runs.
const SCENARIO: &str = "\
name: small
duration: 8s
warm-up: 1s
interval: 1s
workload: { poisson: { rate: 30/s } }
service:
  name: web
  replicas: 2
  concurrency: 2
  service-time: { exponential: { mean: 90ms } }
  start-up: { ready: { exponential: { mean: 1s } } }
  price: $1/h
metrics: { interval: 1s, window: 1s, lag: 0s }
objectives:
  - latency: { within: 200ms, target: 90% }
policies:
  base: { hpa: { min: 1, max: 9, target: { cpu: 60% } } }
  same: { hpa: { min: 1, max: 9, target: { cpu: 60% } } }
  large: { static: { replicas: 5 } }
";

/// Long enough for the autoscaler to act.
const LONG: (&str, &str) = ("duration", "3m");

fn scenario(overrides: &[(&str, &str)]) -> Scenario {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("small.yaml");
    let text = SCENARIO
        .replace("  concurrency", "  resources: { requests: { cpu: 1 } }\n  cpu-per-request: 60ms\n  concurrency");
    std::fs::write(&path, text).unwrap();
    let overrides: Vec<(String, String)> = overrides.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
    let mut found = Diagnostics::new();
    let read = Scenario::read(Path::new(&path), &overrides, &mut found);
    read.unwrap_or_else(|| panic!("{}", found.iter().map(|d| d.render(false)).collect::<String>()))
}

fn replicated(scenario: &Scenario, policies: &[usize], plan: &ReplicationPlan) -> Replicated {
    let arms: Vec<Arm<'_>> = policies
        .iter()
        .map(|policy| Arm { label: &scenario.policies[*policy].label, scenario, policy: *policy })
        .collect();
    replicate(&arms, plan, &|_, _| {}).unwrap()
}

/// A binomial count of `n` trials with probability `p` is within four standard deviations, exceeded once in 16,000
/// times.
fn plausible(count: usize, n: usize, p: f64) -> bool {
    (count as f64 - n as f64 * p).abs() <= 4.0 * (n as f64 * p * (1.0 - p)).sqrt()
}

#[test]
fn the_coverage_of_intervals_is_nominal() {
    const EXPERIMENTS: usize = 300;
    const SIZE: usize = 8;
    let scenario = scenario(&[]);
    let plan = ReplicationPlan { replications: (EXPERIMENTS * SIZE) as u64, ..ReplicationPlan::default() };
    let result = replicated(&scenario, &[0], &plan);
    for name in ["mean", "utilization", "attainment.1"] {
        let values = result.arms[0].all(result.figure(name).unwrap()).unwrap();
        let truth = values.iter().copied().collect::<Running>().mean().unwrap();
        for level in [0.8, 0.95] {
            let covers = |part: &[f64]| ConfidenceInterval::of(part.iter().copied(), level).unwrap().covers(truth);
            let covered = values.chunks(SIZE).filter(|part| covers(part)).count();
            // Latencies are skewed, which slightly reduces the coverage of intervals over eight replications.
            let slack = if name == "mean" { 0.02 } else { 0.0 };
            let low = plausible(covered, EXPERIMENTS, level) || plausible(covered, EXPERIMENTS, level - slack);
            assert!(low, "{name}: {covered} of {EXPERIMENTS} intervals at {level}");
        }
    }
}

#[test]
fn a_planted_difference_is_found_although_the_noise_is_larger() {
    let (base, dearer) = (scenario(&[LONG]), scenario(&[LONG, ("service.price", "$1.03/h")]));
    let arms = [
        Arm { label: "base", scenario: &base, policy: 0 },
        Arm { label: "dearer", scenario: &dearer, policy: 0 },
        Arm { label: "same", scenario: &base, policy: 1 },
    ];
    let result = replicate(&arms, &ReplicationPlan::default(), &|_, _| {}).unwrap();
    let alone = result.arms[0].interval(0, 0.95).unwrap();
    assert!(alone.relative_half_width() > 0.03, "the noise would not hide the difference: {alone:?}");
    let found = differences(&result, 0);
    let cost = |arm: usize| found.iter().find(|d| d.figure == 0 && d.arm == arm).unwrap();
    assert_eq!(cost(1).finding, Finding::More);
    let share = cost(1).relative.unwrap();
    assert!((share.mean - 0.03).abs() < 1e-6 && share.half_width < 1e-6, "{share:?}");
    assert_eq!(cost(2).finding, Finding::Equal);
    assert!(found.iter().filter(|d| d.arm == 2).all(|d| d.finding == Finding::Equal));
}

#[test]
fn a_null_difference_is_found_as_rarely_as_stated() {
    // Two halves of the same arm's replications differ by chance only.
    const EXPERIMENTS: usize = 400;
    let plan = ReplicationPlan { replications: EXPERIMENTS as u64 * 12, ..ReplicationPlan::default() };
    let result = replicated(&scenario(&[]), &[0], &plan);
    let utilization = result.arms[0].values[result.figure("utilization").unwrap()].clone();
    let false_alarms = utilization.chunks(12).filter(|part| {
        let mut halves = result.clone();
        halves.arms = vec![result.arms[0].clone(), result.arms[0].clone()];
        halves.figures.truncate(1);
        halves.arms[0].values = vec![part[..6].to_vec()];
        halves.arms[1].values = vec![part[6..].to_vec()];
        matches!(differences(&halves, 0)[0].finding, Finding::Less | Finding::More)
    });
    let count = false_alarms.count();
    assert!(plausible(count, EXPERIMENTS, 0.05), "{count} of {EXPERIMENTS} null differences were called real");
}

#[test]
fn the_result_does_not_depend_on_threads() {
    let scenario = scenario(&[]);
    let plan = ReplicationPlan { replications: 4, precision: Some(0.1), most: 60, ..ReplicationPlan::default() };
    let one = replicated(&scenario, &[0, 2], &ReplicationPlan { threads: 1, ..plan });
    let two = replicated(&scenario, &[0, 2], &ReplicationPlan { threads: 2, ..plan });
    assert_eq!(one, two);
    assert!(one.replications > 4, "the precision asked for is not had for nothing");
}

#[test]
fn replications_stop_at_the_precision_asked_for_or_at_the_most() {
    let scenario = scenario(&[]);
    let reached = replicated(
        &scenario,
        &[0],
        &ReplicationPlan { precision: Some(0.1), most: 2000, ..ReplicationPlan::default() },
    );
    assert_eq!(reached.precise, Some(true));
    for name in ["cost", "p99"] {
        let interval = reached.arms[0].interval(reached.figure(name).unwrap(), 0.95).unwrap();
        assert!(interval.relative_half_width() <= 0.1 / 1.1, "{name}: {interval:?}");
    }
    let stopped = replicated(
        &scenario,
        &[0],
        &ReplicationPlan { precision: Some(0.001), most: 12, ..ReplicationPlan::default() },
    );
    assert_eq!((stopped.precise, stopped.replications), (Some(false), 12));
}

/// Requests that arrived after the warm-up, and the checksum of all.
fn arrivals(scenario: &Scenario, replication: u64) -> (f64, u64) {
    let run = scenario.simulation(2, replication).unwrap().run(&mut |_| {}).unwrap();
    (run.services[0].counts.arrived as f64, run.services[0].demand_checksum)
}

#[test]
fn scaled_poisson_traffic_is_poisson_traffic() {
    let base = scenario(&[]);
    assert_eq!(arrivals(&scaled(&base, 1.0).unwrap(), 3), arrivals(&base, 3));
    assert!([0.0, -1.0, f64::NAN, f64::INFINITY].iter().all(|factor| scaled(&base, *factor).is_none()));
    const RUNS: u64 = 300;
    for factor in [0.4, 2.0, 2.5] {
        let louder = scaled(&base, factor).unwrap();
        let counts: Running = (0..RUNS).map(|replication| arrivals(&louder, replication).0).collect();
        // 30 requests per second over the 7 seconds after the warm-up; in a Poisson process the variance equals the
        // mean.
        let (expected, mean) = (30.0 * 7.0 * factor, counts.mean().unwrap());
        assert!((mean - expected).abs() < 4.0 * (expected / RUNS as f64).sqrt(), "{factor}: {mean}, not {expected}");
        let dispersion = counts.variance().unwrap() / mean;
        let error = (2.0 / (RUNS - 1) as f64).sqrt();
        assert!((dispersion - 1.0).abs() < 4.0 * error, "{factor}: dispersion {dispersion}");
    }
}
