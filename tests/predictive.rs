//! Prediction against reaction in whole runs.

use std::fs;

use plimsoll::config::Diagnostics;
use plimsoll::engine::RunRecord;
use plimsoll::engine::scenario::Scenario;
use plimsoll::experiment;
use tempfile::TempDir;

/// Twelve "days" of half an hour: ten quiet minutes, then twenty busy ones, the change within a minute. Replicas take two minutes.
fn season() -> String {
    let rate = |minute: usize| if minute % 30 < 10 { 600 } else { 4800 };
    let rows: String = (0..360).map(|minute| format!("{},{}\n", 60 * minute, rate(minute))).collect();
    format!("time,count\n{rows}")
}

const SCENARIO: &str = "\
seed: 3
warm-up: 3h
workload: { trace: wave.csv, columns: { time: time, count: count }, interval: 1m }
service:
  name: web
  replicas: 4
  resources: { requests: { cpu: 1, memory: 1Gi } }
  concurrency: 4
  queue-limit: 40
  service-time: { exponential: { mean: 200ms } }
  cpu-per-request: 50ms
  start-up: 120s
  price: $1/h
objectives:
  - latency: { within: 1s, target: 99% }
policies:
  reactive: { hpa: { min: 2, max: 20, target: { cpu: 70% } } }
  ahead:
    PRESET:
      min: 2
      max: 20
      capacity: { concurrency: 4, service-time: 200ms, utilization: 70% }
      step: 1m
      seasons: [30m]
      refit: 1h
      floor: { hpa: { min: 2, max: 20, target: { cpu: 70% } } }
";

fn runs(preset: &str) -> Vec<RunRecord> {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("wave.csv"), season()).unwrap();
    let path = place.path().join("s.yaml");
    fs::write(&path, SCENARIO.replace("PRESET", preset)).unwrap();
    let mut sink = Diagnostics::new();
    let scenario = Scenario::read(&path, &[], &mut sink).unwrap_or_else(|| panic!("{sink}"));
    experiment::run(&scenario, "", 0, &|_, _| {}).unwrap().runs
}

#[rstest::rstest]
#[case("arima-predictive")]
#[case("holt-winters-predictive")]
#[case("regression-predictive")]
fn on_a_season_with_slow_start_ups_prediction_beats_reaction(#[case] preset: &str) {
    let runs = runs(preset);
    let late = |run: &RunRecord| 1.0 - run.services[0].objectives[0].attainment();
    let (reactive, ahead) = (late(&runs[0]), late(&runs[1]));
    assert!(reactive > 0.03, "the reactive policy should be late at every rise, and is for {reactive}");
    assert!(ahead < 0.3 * reactive, "{ahead} is not far below {reactive}");
    let cost = runs[1].cost.as_f64() / runs[0].cost.as_f64();
    assert!(cost < 1.3, "{cost} times the cost");
    // Every decision made on a forecast says which, at what quantile and how far ahead.
    let told = runs[1].services[0].decisions.iter().filter(|decision| decision.code.name() == "forecast");
    let mut told = told.inspect(|d| assert!(d.detail.contains("90% quantile") && d.detail.contains("within"), "{d:?}"));
    assert!(told.next().is_some() && told.count() > 5);
}
