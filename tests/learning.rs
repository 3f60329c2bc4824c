//! Learning policies: training is a pure function, the result is better, and evaluation uses other seeds than training.

use std::fs;
use std::path::Path;

use plimsoll::engine::RunRecord;
use plimsoll::experiment::{
    Refusal, TRAINING_REPLICATIONS, Trained, Training, fingerprint, learning_settings, train, with_learned,
};
use plimsoll::policy::q_learning::{Learned, Table};
use plimsoll::scenario::Scenario;
use plimsoll::stats::PairedDifference;

use crate::wave::{Place, read, run, text};

/// A wave of load with a period of two hours; replicas take four minutes to start, longer than the rise allows.
const WAVE: &str = "\
name: wave
seed: 5
duration: 8h
interval: 5m
workload: { nhpp: { sinusoid: { mean: 6/s, amplitude: 0.8, period: 2h } } }
service:
  name: web
  replicas: 6
  resources: { requests: { cpu: 1, memory: 1Gi } }
  concurrency: 2
  queue-limit: 10
  service-time: { exponential: { mean: 1s } }
  start-up: { ready: 4m }
  timeout: 20s
  price: $0.06/h
metrics: { interval: 30s, window: 60s, lag: 5s }
objectives:
  - latency: { within: 8s, target: 99% }
policies:
  learned:
    q-learning:
      trained: tables/wave.json
      min: 1
      max: 20
      capacity: { concurrency: 2, service-time: 1s, utilization: 100% }
      sync-period: 2m
      season: 2h
      parts: 6
      load: [0.4, 0.6, 0.8, 1]
      trend: [1]
      starting: [0]
      actions: [0, -1, +1, +30%, -30%]
  auto: { hpa: { min: 1, max: 20, target: { in-flight: 1.2 } } }
";

fn place() -> Place {
    Place::new(WAVE, "policies.learned.q-learning.trained")
}

fn trained(scenario: &Scenario, training: Training) -> Trained {
    train(scenario, 0, &training, &|_| {}).unwrap_or_else(|error| panic!("{error}"))
}

/// The reward that training maximizes: minus dollars, minus the penalty of lost or late requests.
fn reward(record: &RunRecord, penalty: f64) -> f64 {
    let rows = record.services.iter().flat_map(|service| &service.timeline);
    rows.map(|row| -row.cost.unwrap().as_f64() - penalty * row.bad() as f64).sum()
}

#[test]
fn training_gives_the_same_bytes_for_any_number_of_threads() {
    let scenario = place().untrained(&[]);
    let training = |threads| Training { episodes: 16, threads, ..Training::default() };
    let one = trained(&scenario, training(1));
    let (two, again) = (trained(&scenario, training(2)), trained(&scenario, training(2)));
    let bytes = one.learned.to_json().unwrap();
    assert_eq!(bytes, two.learned.to_json().unwrap());
    assert_eq!(bytes, again.learned.to_json().unwrap());
    assert_eq!((&one.curve, one.chosen), (&two.curve, two.chosen));
    assert_eq!(one.curve.len(), 17);
    // A different result for another seed, with other requests.
    let other = trained(&Scenario { seed: 6, ..scenario }, training(0));
    assert_ne!(bytes, other.learned.to_json().unwrap());
}

#[test]
fn a_trained_policy_is_better_than_an_untrained_one() {
    let scenario = place().untrained(&[]);
    let penalty = 0.01;
    let trained = trained(&scenario, Training { episodes: 300, penalty: Some(penalty), ..Training::default() });
    let taught = with_learned(&scenario, 0, &trained.learned).unwrap();
    // On seeds not used in training, pair by pair.
    let rewards = |scenario: &Scenario| (0..10).map(|n| reward(&run(scenario, n), penalty)).collect::<Vec<f64>>();
    let (before, after) = (rewards(&scenario), rewards(&taught));
    let gain = PairedDifference::of(&before, &after, 0.99).unwrap().interval;
    assert!(gain.low() > 0.0, "{gain:?}: {before:?} {after:?}");
    // The table is that of an episode without exploration, and records its origin.
    assert_eq!(trained.curve[trained.chosen].exploration, 0.0);
    let origin = &trained.learned.origin;
    assert_eq!((origin.seed, origin.taken_after), (5, trained.curve[trained.chosen].number));
    assert_eq!(origin.fingerprint, fingerprint(&scenario).unwrap());
}

#[test]
fn the_penalty_that_meets_the_objective_is_found() {
    // A day: in eight hours the random variation of bad requests exceeds the difference to be found.
    let scenario = place().untrained(&[("duration", "24h")]);
    let trained = trained(&scenario, Training { episodes: 160, ..Training::default() });
    assert!(trained.is_met(), "{:?}", trained.worth);
    // An unused error budget is as wrong as an overspent one: on other seeds the result is near the objective.
    let taught = with_learned(&scenario, 0, &trained.learned).unwrap();
    let used: Vec<f64> = (0..10).map(|n| run(&taught, n).services[0].objectives[0].budget_used()).collect();
    let mean = used.iter().sum::<f64>() / 10.0;
    assert!((0.4..1.2).contains(&mean), "{used:?} of the error budget at {:?}", trained.learned.penalty);
}

#[test]
fn a_dearer_bad_request_buys_fewer_of_them() {
    let scenario = place().untrained(&[]);
    let at = |penalty| {
        let trained = trained(&scenario, Training { episodes: 200, penalty: Some(penalty), ..Training::default() });
        assert_eq!(trained.learned.penalty, penalty);
        let taught = with_learned(&scenario, 0, &trained.learned).unwrap();
        let runs: Vec<RunRecord> = (0..5).map(|n| run(&taught, n)).collect();
        let bad = runs.iter().map(|run| run.services[0].objectives[0].total - run.services[0].objectives[0].good);
        (runs.iter().map(|run| run.cost.unwrap().as_f64()).sum::<f64>(), bad.sum::<u64>())
    };
    let (cheap, dear) = (at(0.000_01), at(0.01));
    assert!(cheap.0 < dear.0 && cheap.1 > 2 * dear.1, "{cheap:?} {dear:?}");
}

#[test]
fn nothing_that_is_tried_was_trained_on() {
    let scenario = place().untrained(&[]);
    // `replicate` and all other commands count from 0, up to a hundred thousand.
    const { assert!(TRAINING_REPLICATIONS > 100_000) };
    let met = |replication| run(&scenario, replication).services[0].demand_checksum;
    let training: Vec<u64> = (0..8).map(|n| met(TRAINING_REPLICATIONS + n)).collect();
    let tried: Vec<u64> = (0..8).map(met).collect();
    assert!(training.iter().all(|checksum| !tried.contains(checksum)), "{training:?} {tried:?}");
}

#[test]
fn unsuitable_scenarios_are_refused_with_a_reason() {
    let place = place();
    let refused = |set: &[(&str, &str)], policy: usize, words: &str| {
        let refusal = train(&place.untrained(set), policy, &Training::default(), &|_| {});
        match refusal {
            Err(Refusal::Unfit(what)) => assert!(what.contains(words), "{what}"),
            other => panic!("{words}: {:?}", other.map(|trained| trained.curve.len())),
        }
    };
    refused(&[], 1, "`auto` of wave is not a learning policy");
    refused(&[], 9, "is not a learning policy");
    refused(&[("service.price", "null")], 0, "add a `price:`");
    refused(&[("objectives", "[]")], 0, "state `objectives:` or a penalty");
    refused(&[("duration", "7m")], 0, "too few decisions");
    // A table for other states is rejected, too.
    let (one, other) = (place.untrained(&[]), place.untrained(&[("policies.learned.q-learning.parts", "3")]));
    let design = learning_settings(&other, 0).unwrap().design;
    let table = Table::new(design.states().unwrap(), design.actions.len());
    let training = Training { episodes: 8, ..Training::default() };
    let learned = Learned { design: design.as_ref().clone(), table, ..trained(&one, training).learned };
    assert!(with_learned(&one, 0, &learned).is_err_and(|error| error.to_string().contains("a different `parts`")));
    assert!(with_learned(&other, 0, &learned).is_ok());
}

#[test]
fn the_program_trains_saves_tries_and_uses() {
    let place = place();
    place.file("later.yaml", "extends: wave.yaml\nname: later\nseed: 9\nduration: 4h\n");
    place.refused(&["run", "wave.yaml"], "train the policy");
    let command = [
        "train",
        "wave.yaml",
        "--episodes",
        "16",
        "--replications",
        "3",
        "--evaluate-on",
        "later.yaml",
        "--format",
        "markdown",
    ];
    let output = place.run(&command);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    for words in ["Trained `learned` of wave in 17 episodes", "wave, other seeds", "later, never", "learned", "auto"] {
        assert!(said.contains(words), "{words} in {said}");
    }
    let table = fs::read_to_string(place.path("tables/wave.json")).unwrap();
    let curve = fs::read_to_string(place.path("reports/wave/learning-curve.csv")).unwrap();
    assert_eq!(curve.lines().count(), 18, "{curve}");
    if cfg!(feature = "charts") {
        assert!(place.path("reports/wave/learning-curve.svg").exists());
        assert!(place.path("reports/wave/learning-curve.png").exists());
    }
    // The scenario now runs with the trained policy.
    let output = place.run(&["run", "wave.yaml", "--quiet"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let decisions = fs::read_to_string(place.path("reports/wave/decisions.csv")).unwrap();
    assert!(decisions.contains("bad requests expected over 40m"), "{decisions}");
    // Again, with another number of threads and in another place: the same bytes.
    let again = ["--threads", "1", "--out", "again.json", "--format", "json", "--quiet"];
    let output = place.run(&[&command[..command.len() - 2], &again].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(table, fs::read_to_string(place.path("again.json")).unwrap());
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((shown["policy"].as_str(), shown["trials"].as_array().unwrap().len()), (Some("learned"), 2));
    // A truncated or changed file is rejected with its name, and training replaces it.
    for (content, words) in [
        (&table[..table.len() / 3], "is cut short"),
        (&table.replacen("[[", "[[1", 1), "was modified after it was written"),
    ] {
        place.file("tables/wave.json", content);
        place.refused(&["check", "wave.yaml"], words);
        place.refused(&["run", "wave.yaml"], "wave.yaml:22:16");
    }
    assert!(place.run(&command).status.success());
    assert_eq!(table, fs::read_to_string(place.path("tables/wave.json")).unwrap());
}

#[test]
fn the_program_refuses_before_it_trains() {
    let place = place();
    place.file("other.yaml", "extends: wave.yaml\npolicies: { learned: { q-learning: { parts: 3 } } }\n");
    place.file("none.yaml", "extends: wave.yaml\npolicies: { learned: null }\n");
    place.file("dots.yaml", &WAVE.replace("  learned:\n", "  v1.2:\n"));
    let two = WAVE.replace("  auto:", "  second: { q-learning: { max: 9, capacity: 1/s } }\n  auto:");
    place.file("two.yaml", &two);
    place.refused(&["train", "none.yaml"], "has no policy of the kind `q-learning`");
    place.refused(&["train", "two.yaml"], "choose one with --policy: learned, second");
    place.refused(&["train", "two.yaml", "--policy", "lerned"], "did you mean `learned`?");
    place.refused(&["train", "dots.yaml"], "a label without dots");
    place.refused(&["train", "wave.yaml", "--evaluate-on", "none.yaml"], "has no policy `learned`");
    place.refused(&["train", "wave.yaml", "--evaluate-on", "other.yaml"], "has another `parts` than is trained");
    place.refused(&["train", "wave.yaml", "--horizon", "0s"], "the horizon must be longer than zero");
    place.refused(&["train", "wave.yaml", "--episodes", "3"], "--episodes");
    place.refused(&["train", "wave.yaml", "--set", "service.price=null"], "add a `price:`");
    place.refused(&["train", "nowhere.yaml"], "no such file");
    assert!(!place.path("tables").exists());
}

/// The claims of docs/learning.md about the shipped table and the shipped parameters, in one replication.
#[test]
fn the_shipped_table_has_the_documented_results() {
    let figures = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name).with_extension("yaml");
        let outcome = plimsoll::experiment::run(&read(&path, &[]), "", 0, &|_, _| {}).unwrap();
        let of = |run: &RunRecord| {
            (run.policy.clone(), run.cost.unwrap().as_f64(), run.services[0].objectives[0].attainment())
        };
        let found: Vec<(String, f64, f64)> = outcome.runs.iter().map(of).collect();
        ["learned", "searched", "static", "hpa", "arima"]
            .map(|policy| found.iter().find(|run| run.0 == policy).unwrap().clone())
    };
    // On the training week: cheaper than the autoscaler, more expensive than the forecast, at about the objective.
    let [learned, searched, fixed, hpa, arima] = figures("learned");
    // The rule is the cheapest policy that meets the objective.
    assert!(searched.1 < 0.985 * arima.1 && searched.2 > 0.99, "{searched:?} {arima:?}");
    assert!(learned.1 < 0.98 * hpa.1 && hpa.1 < 0.8 * fixed.1 && arima.1 < 0.99 * learned.1, "{learned:?} {hpa:?}");
    assert!(learned.2 > 0.985 && hpa.2 > 0.985 && arima.2 > 0.99, "{learned:?} {hpa:?} {arima:?}");
    // On the following week no policy meets the objective, and the rule is closest.
    let [learned, searched, fixed, hpa, arima] = figures("learned-next-week");
    assert!(searched.1 < 0.95 * learned.1 && searched.2 > hpa.2 + 0.005, "{searched:?} {learned:?} {hpa:?}");
    assert!(learned.1 < hpa.1 && arima.1 < learned.1, "{learned:?} {hpa:?} {arima:?}");
    assert!([&fixed, &hpa, &arima].iter().all(|other| other.2 < learned.2 - 0.002), "{learned:?} {hpa:?} {arima:?}");
}
