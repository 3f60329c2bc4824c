//! Multiple comparisons, traffic limits with their intervals, winners by chance (A5, A6, A7).

use plimsoll::config::Diagnostics;
use plimsoll::experiment::{
    Arm, Edge, Figure, Finding, Limit, Metric, Replicated, ReplicationPlan, Samples, Watch, capacity,
    differences_from_chosen, replicate, tune,
};
use plimsoll::queueing::mmc_most_offered;
use plimsoll::random::{Purpose, Streams};
use plimsoll::report::{TableStyle, variations_text};
use plimsoll::scenario::Scenario;
use rstest::rstest;

fn read(text: &str, overrides: &[(&str, &str)]) -> Scenario {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scenario.yaml");
    std::fs::write(&path, text).unwrap();
    let overrides: Vec<(String, String)> = overrides.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
    let mut found = Diagnostics::new();
    Scenario::read(&path, &overrides, &mut found).unwrap_or_else(|| panic!("{found}"))
}

/// The maximum number of `n` experiments that find a difference by chance, if each does with probability 5%: four
/// standard deviations above the mean, exceeded once in 30,000 times.
fn most_by_chance(n: usize) -> usize {
    let n = n as f64;
    (0.05 * n + 4.0 * (0.05 * 0.95 * n).sqrt()) as usize
}

/// Costs of arms that differ by chance only, drawn from an exponential distribution.
fn equal_arms(number: u64, policy: u64, labels: &[&str], replications: u64) -> Replicated {
    let mut draw = Streams::new(number, policy).running(Purpose::Demand, 0);
    let mut arm = |label: &&str| Samples {
        label: label.to_string(),
        clairvoyant: false,
        values: vec![(0..replications).map(|_| Some(1.0 + draw.exponential())).collect()],
    };
    let arms = labels.iter().map(&mut arm).collect();
    let figures = vec![Figure { quantity: Metric::Cost, service: None, name: "cost".into() }];
    Replicated { figures, arms, replications, level: 0.95, precise: None, recorded: false, objectives: Vec::new() }
}

fn calls_something_real(results: &[(String, Replicated)]) -> bool {
    let shown = variations_text(results, TableStyle::Markdown);
    shown.contains("✗ +") || shown.contains("✓ −")
}

/// `whatif` shows all policies in one table: a false finding in it is as rare as the note below it states.
#[test]
fn a_variation_without_effect_is_called_real_as_rarely_as_stated() {
    const EXPERIMENTS: usize = 1000;
    let experiment = |number: usize| -> Vec<(String, Replicated)> {
        let policy = |policy: u64| (format!("p{policy}"), equal_arms(number as u64, policy, &["base", "varied"], 10));
        (0..5).map(policy).collect()
    };
    let alarms = (0..EXPERIMENTS).filter(|number| calls_something_real(&experiment(*number))).count();
    assert!(alarms <= most_by_chance(EXPERIMENTS), "{alarms} of {EXPERIMENTS}");
    assert!(alarms > 5, "nothing is called real any more: {alarms} of {EXPERIMENTS}");
}

/// Of five equal policies, the cheapest seems cheaper than others by selection only.
#[test]
fn the_cheapest_of_equals_is_called_cheaper_as_rarely_as_stated() {
    const EXPERIMENTS: usize = 2000;
    let labels = ["a", "b", "c", "d", "e"];
    let alarms = (0..EXPERIMENTS).filter(|number| {
        let result = equal_arms(*number as u64, 0, &labels, 10);
        let mean = |arm: &usize| result.arms[*arm].mean(0).unwrap();
        let cheapest = (0..labels.len()).min_by(|a, b| mean(a).total_cmp(&mean(b))).unwrap();
        differences_from_chosen(&result, cheapest).iter().any(|d| d.finding == Finding::More)
    });
    let alarms = alarms.count();
    assert!(alarms <= most_by_chance(EXPERIMENTS), "{alarms} of {EXPERIMENTS}");
}

const FIVE: &str = "\
duration: 60s
interval: 10s
workload: { poisson: { rate: 30/s } }
service:
  replicas: 2
  concurrency: 2
  resources: { requests: { cpu: 1, memory: 1Gi }, limits: { cpu: 1 } }
  service-time: { exponential: { mean: 90ms } }
  cpu-per-request: 60ms
  start-up: { ready: { exponential: { mean: 1s } } }
  price: $1/h
metrics: { interval: 1s, window: 5s, lag: 0s }
policies:
  h40: { hpa: { min: 1, max: 9, target: { cpu: 40% } } }
  h50: { hpa: { min: 1, max: 9, target: { cpu: 50% } } }
  h60: { hpa: { min: 1, max: 9, target: { cpu: 60% } } }
  h70: { hpa: { min: 1, max: 9, target: { cpu: 70% } } }
  h80: { hpa: { min: 1, max: 9, target: { cpu: 80% } } }
";

/// Experiments in which another seed seems to change a cost.
fn alarms_of_another_seed(experiments: usize, length: &str, replications: usize) -> usize {
    let scenarios = [("base", "1"), ("varied", "2")]
        .map(|(label, seed)| (label, read(FIVE, &[("seed", seed), ("duration", length)])));
    let plan = ReplicationPlan { replications: (experiments * replications) as u64, ..ReplicationPlan::default() };
    let all: Vec<(String, Replicated)> = (0..5)
        .map(|policy| {
            let arms = scenarios.each_ref().map(|(label, scenario)| Arm { label, scenario, policy });
            (format!("p{policy}"), replicate(&arms, &plan, &|_, _| {}).unwrap())
        })
        .collect();
    let part = |number: usize| -> Vec<(String, Replicated)> {
        let cut = |(label, result): &(String, Replicated)| {
            let mut result = result.clone();
            result.figures.truncate(1);
            result.replications = replications as u64;
            for arm in &mut result.arms {
                arm.values.truncate(1);
                arm.values[0] = arm.values[0][number * replications..][..replications].to_vec();
            }
            (label.clone(), result)
        };
        all.iter().map(cut).collect()
    };
    (0..experiments).filter(|number| calls_something_real(&part(*number))).count()
}

#[test]
fn another_seed_changes_a_cost_as_rarely_as_stated() {
    let alarms = alarms_of_another_seed(60, "60s", 5);
    println!("{alarms} of 60");
    assert!(alarms <= most_by_chance(60), "{alarms} of 60");
}

#[test]
#[ignore = "300 experiments of ten longer runs"]
fn another_seed_changes_a_cost_as_rarely_as_stated_in_300_experiments() {
    let alarms = alarms_of_another_seed(300, "5m", 10);
    println!("{alarms} of 300");
    assert!(alarms <= most_by_chance(300), "{alarms} of 300");
}

/// One replica with `slots` slots, mean service 1 s, exponential: M/M/c.
fn station(slots: u32, rate: &str, objective: &str, (length, seed): (&str, u64)) -> Scenario {
    read(
        &format!(
            "seed: {seed}\nduration: {length}\nwarm-up: 10m\ninterval: 10m\nworkload: {{ poisson: {{ rate: {rate} }} }}\n\
             service: {{ replicas: 1, concurrency: {slots}, service-time: {{ exponential: {{ mean: 1s }} }}, price: $1/h }}\n\
             objectives: [ {{ latency: {objective} }} ]\npolicies: {{ one: {{ static: {{ replicas: 1 }} }} }}\n"
        ),
        &[],
    )
}

fn limit(scenario: &Scenario, replications: u64) -> Limit {
    let plan = ReplicationPlan { replications, ..ReplicationPlan::default() };
    capacity(scenario, &plan, &Watch::nobody()).unwrap().remove(0)
}

fn covers(limit: &Limit, factor: f64) -> bool {
    let low = match limit.low {
        Edge::Below => 0.0,
        Edge::At(low) => low,
        Edge::Beyond => f64::INFINITY,
    };
    let high = match limit.high {
        Edge::Below => 0.0,
        Edge::At(high) => high,
        Edge::Beyond => f64::INFINITY,
    };
    low <= factor && factor <= high
}

const STATIONS: [(u32, f64, f64, f64); 7] = [
    // Slots, rate, seconds, share that may take longer.
    (10, 5.0, 4.0, 0.05),
    (10, 5.0, 3.0, 0.05),
    (10, 5.0, 6.0, 0.01),
    (1, 0.5, 8.0, 0.05),
    (2, 1.0, 5.0, 0.05),
    (4, 3.0, 4.0, 0.1),
    (20, 8.0, 5.0, 0.02),
];

#[test]
fn the_formula_is_that_of_the_finding() {
    assert!((mmc_most_offered(10, 4.0, 0.05) - 8.8127).abs() < 1e-3, "{}", mmc_most_offered(10, 4.0, 0.05));
    assert!((mmc_most_offered(10, 3.0, 0.05) - 4.51).abs() < 1e-2, "{}", mmc_most_offered(10, 3.0, 0.05));
}

#[rstest]
fn the_interval_of_a_limit_covers_the_exact_one(#[values(0, 1, 2, 3, 4, 5, 6)] case: usize) {
    let (slots, rate, seconds, allowed) = STATIONS[case];
    let objective = format!("{{ within: {seconds}s, target: {}% }}", 100.0 * (1.0 - allowed));
    let found = limit(&station(slots, &format!("{rate}/s"), &objective, ("1h", 1)), 10);
    let exact = mmc_most_offered(slots, seconds, allowed) / rate;
    assert!(covers(&found, exact), "{exact}: {found:?}");
    // If waiting decides, the interval is narrow; if 95.02% are in time without any wait, it is as wide as the random
    // variation.
    let narrow = found.high.at().zip(found.low.at()).is_some_and(|(high, low)| high - low < 0.2 * exact);
    assert!(narrow || case == 1, "{found:?}");
}

#[test]
#[ignore = "seven stations of eight hours under three seeds"]
fn intervals_of_limits_cover_the_exact_ones_under_three_seeds() {
    let mut missed = Vec::new();
    for (slots, rate, seconds, allowed) in STATIONS {
        for seed in 1..=3 {
            let objective = format!("{{ within: {seconds}s, target: {}% }}", 100.0 * (1.0 - allowed));
            let found = limit(&station(slots, &format!("{rate}/s"), &objective, ("8h", seed)), 20);
            println!(
                "{slots} slots within {seconds} s, seed {seed}: {:.4} for {found:?}",
                mmc_most_offered(slots, seconds, allowed) / rate
            );
            if !covers(&found, mmc_most_offered(slots, seconds, allowed) / rate) {
                missed.push((slots, seed, found.low, found.factor, found.high));
            }
        }
    }
    assert!(missed.len() <= 3, "{missed:?}");
}

/// In about one run of four the load triples for a while, which three replications often miss.
const SOMETIMES: &str = "\
duration: 2m
interval: 10s
workload: { mmpp: { rates: [20/s, 60/s], stay: [9m, 1m] } }
service:
  concurrency: 2
  service-time: { exponential: { mean: 200ms } }
  price: $1/h
objectives: [ { latency: { within: 1s, target: 95% } } ]
policies: { fleet: { static: { replicas: 5 } } }
";

#[test]
fn a_winner_holds_on_runs_that_the_search_never_saw() {
    let mut lucky = 0;
    for seed in ["1", "2", "3", "4"] {
        let scenario = read(SOMETIMES, &[("seed", seed)]);
        let tuned =
            tune(&scenario, &ReplicationPlan { replications: 3, ..ReplicationPlan::default() }, &Watch::nobody())
                .unwrap()
                .remove(0);
        let confirmed = tuned.confirmed().unwrap_or_else(|| panic!("{tuned:?}"));
        lucky += usize::from(!tuned.confirmations[0].held);
        assert_eq!(tuned.best().unwrap().headroom, confirmed.headroom, "what is confirmed is what is chosen");
        assert!(confirmed.share >= 0.9, "{confirmed:?}");
        let size = (5.0 * confirmed.headroom).ceil();
        let again = read(SOMETIMES, &[("seed", "77"), ("policies.fleet.static.replicas", &size.to_string())]);
        let attained: Vec<f64> = (0..300)
            .map(|n| again.simulation(0, n).unwrap().run(&mut |_| ()).unwrap().services[0].objectives[0].attainment())
            .collect();
        let kept = attained.iter().filter(|share| **share >= 0.95).count();
        assert!(kept >= 258, "seed {seed}: {size} replicas keep the objective in {kept} of 300 runs");
        assert!(attained.iter().sum::<f64>() / 300.0 >= 0.95, "seed {seed}: {size} replicas");
    }
    assert!(lucky > 0, "the first that was found always held: the trial is too easy");
}
