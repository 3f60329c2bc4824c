//! Prediction compared with reaction in whole runs.

use std::fs;

use plimsoll::config::Diagnostics;
use plimsoll::engine::RunRecord;
use plimsoll::experiment;
use plimsoll::scenario::Scenario;
use tempfile::TempDir;

/// Twelve "days" of half an hour: ten quiet minutes, then twenty busy ones, with a change within a minute. Replicas
/// take two minutes to start.
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
#[case("lp-mpc")]
fn on_a_season_with_slow_start_ups_prediction_beats_reaction(#[case] preset: &str) {
    let runs = runs(preset);
    let late = |run: &RunRecord| 1.0 - run.services[0].objectives[0].attainment();
    let (reactive, ahead) = (late(&runs[0]), late(&runs[1]));
    assert!(reactive > 0.03, "the reactive policy should be late at every rise, and is for {reactive}");
    assert!(ahead < 0.3 * reactive, "{ahead} is not far below {reactive}");
    let cost = runs[1].cost.unwrap().as_f64() / runs[0].cost.unwrap().as_f64();
    assert!(cost < 1.3, "{cost} times the cost");
    // Every decision based on a forecast states the model, the quantile and the horizon.
    let told = runs[1].services[0].decisions.iter().filter(|decision| decision.code.name() == "forecast");
    let mut told = told.inspect(|d| assert!(d.detail.contains("90% quantile") && d.detail.contains("within"), "{d:?}"));
    assert!(told.next().is_some() && told.count() > 5);
}

/// A minute-long day of random load and billing, with policies of every kind.
fn world(seed: u64, rates: &[u32], concurrency: u32, start_up: u32, target: u32, price: &str) -> (TempDir, Scenario) {
    let place = TempDir::new().unwrap();
    let rows: String = rates.iter().enumerate().map(|(n, rate)| format!("{},{rate}\n", 30 * n)).collect();
    fs::write(place.path().join("t.csv"), format!("time,count\n{rows}")).unwrap();
    let text = format!(
        "seed: {seed}
workload: {{ trace: t.csv, columns: {{ time: time, count: count }}, interval: 30s }}
service:
  name: web
  replicas: 3
  resources: {{ requests: {{ cpu: 1, memory: 1Gi }} }}
  concurrency: {concurrency}
  queue-limit: 200
  service-time: {{ exponential: {{ mean: 300ms }} }}
  start-up: {start_up}s
  timeout: 20s
  price: {price}
objectives: [{{ latency: {{ within: 1500ms, target: {target}% }} }}]
policies:
  two: {{ static: {{ replicas: 2 }} }}
  six: {{ static: {{ replicas: 6 }} }}
  auto: {{ hpa: {{ min: 1, max: 20, target: {{ cpu: 80% }} }} }}
  plan: {{ lp-optimal: {{ interval: 30s }} }}
  steps: {{ dp-optimal: {{ interval: 30s }} }}
"
    );
    let path = place.path().join("w.yaml");
    fs::write(&path, text).unwrap();
    let mut sink = Diagnostics::new();
    let scenario = Scenario::read(&path, &[], &mut sink).unwrap_or_else(|| panic!("{sink}"));
    (place, scenario)
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    /// I9: no policy that meets the objective costs less than the lower bound, including clairvoyant ones.
    #[test]
    fn no_policy_that_keeps_the_objective_is_below_the_bound(
        seed in 0..1000u64,
        rates in proptest::collection::vec(0..900u32, 12..30),
        concurrency in 1..6u32,
        start_up in 0..90u32,
        target in 80..100u32,
        price in proptest::sample::select(vec!["$1/h", "{ instance: m7i.large }"]),
    ) {
        let (_place, scenario) = world(seed, &rates, concurrency, start_up, target, price);
        let outcome = experiment::run(&scenario, "", 1, &|_, _| {}).unwrap();
        let Some(bound) = &outcome.bound else {
            proptest::prop_assert!(outcome.warnings.iter().any(|warning| warning.contains("No lower bound")));
            return Ok(());
        };
        for run in &outcome.runs {
            if run.services[0].objectives[0].met() {
                proptest::prop_assert!(run.cost >= Some(bound.cost), "{} costs {:?}, the bound is {}", run.policy, run.cost, bound.cost);
            }
        }
        // The bound is not trivial: half of the cost of the offered load, minus the work that the objective forgives.
        let offered = 0.3 * f64::from(rates.iter().sum::<u32>()) / f64::from(concurrency);
        if price == "$1/h" && target == 99 && offered > 100.0 {
            proptest::prop_assert!(bound.cost.as_f64() > 0.5 * offered / 3600.0, "{} for {offered} s", bound.cost);
        }
    }
}

#[test]
fn the_clairvoyant_plans_keep_the_objective_near_the_bound_and_are_marked() {
    let rates: Vec<u32> = (0..80).map(|n| if n % 40 < 20 { 300 } else { 2400 }).collect();
    let (_place, scenario) = world(5, &rates, 4, 45, 98, "$1/h");
    let outcome = experiment::run(&scenario, "", 0, &|_, _| {}).unwrap();
    let bound = outcome.bound.as_ref().unwrap().cost.as_f64();
    for run in &outcome.runs[3..] {
        assert_eq!(run.foresight, plimsoll::policy::Foresight::Clairvoyant);
        assert!(run.services[0].objectives[0].met(), "{}: {:?}", run.policy, run.services[0].objectives);
        // Half of the time the plan needs a quarter of its maximum: above the bound, and well below a fixed fleet of
        // that size.
        let fixed = f64::from(run.services[0].max_ready) * 40.0 / 60.0;
        let cost = run.cost.unwrap().as_f64();
        assert!(bound < cost && cost < 0.8 * fixed, "{} costs {cost}, a fixed fleet {fixed}", run.policy);
        assert!(run.services[0].decisions.iter().any(|decision| decision.code.name() == "plan"));
    }
    // Totally unimodular, with the same needs and practically no minimum run: the two methods give the same plan.
    assert_eq!(outcome.runs[3].cost, outcome.runs[4].cost);
}
