//! `policy-search`: the search is a pure function, and its result is better than its start and meets the objective in
//! runs that it did not use.

use std::fs;

use plimsoll::engine::RunRecord;
use plimsoll::experiment::{
    Refusal, Searched, TRAINING_REPLICATIONS, Training, fingerprint, search, search_settings, with_found,
};
use plimsoll::policy::policy_search::{Found, NUMBERS};
use plimsoll::scenario::Scenario;

use crate::wave::{Place, run, text};

/// A wave of load with a period of 40 minutes; replicas take two minutes to start.
const WAVE: &str = "\
name: wave
seed: 5
duration: 100m
warm-up: 20m
interval: 5m
workload: { nhpp: { sinusoid: { mean: 3/s, amplitude: 0.8, period: 40m } } }
service:
  name: web
  replicas: 4
  resources: { requests: { cpu: 1, memory: 1Gi } }
  concurrency: 2
  queue-limit: 20
  service-time: { exponential: { mean: 1s } }
  start-up: { ready: 2m }
  timeout: 20s
  price: $0.06/h
metrics: { interval: 15s, window: 60s, lag: 5s }
objectives:
  - latency: { within: 4s, target: 95% }
policies:
  searched:
    policy-search:
      trained: found/wave.json
      min: 1
      max: 20
      capacity: { concurrency: 2, service-time: 1s, utilization: 100% }
      season: 40m
  auto: { hpa: { min: 1, max: 20, target: { in-flight: 1.2 } } }
";

fn place() -> Place {
    Place::new(WAVE, "policies.searched.policy-search.trained")
}

fn searched(scenario: &Scenario, episodes: u64, threads: usize) -> Searched {
    let training = Training { episodes, threads, ..Training::default() };
    search(scenario, 0, &training, &|_| {}).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_search_gives_the_same_bytes_for_any_number_of_threads() {
    let scenario = place().untrained(&[("duration", "40m")]);
    let (one, two) = (searched(&scenario, 48, 1), searched(&scenario, 48, 2));
    assert_eq!(one.found.to_json().unwrap(), two.found.to_json().unwrap());
    assert_eq!((&one.curve, one.worth), (&two.curve, two.worth));
    assert_eq!((one.curve.len(), one.found.origin.episodes), (3, 48));
    // A different result for another seed, with other requests.
    let other = searched(&Scenario { seed: 6, ..scenario }, 48, 0);
    assert_ne!(one.found.numbers, other.found.numbers);
}

#[test]
fn the_result_is_cheaper_and_meets_the_objective_in_other_runs() {
    // The search starts with three times the necessary size.
    let scenario = place().untrained(&[]);
    let searched = searched(&scenario, 240, 0);
    assert!(searched.is_met() && searched.worth.cost < 0.95 * searched.start.cost, "{searched:?}");
    let taught = with_found(&scenario, 0, &searched.found).unwrap();
    // On replications not used in the search: the objective is met in the mean, at a lower cost than before.
    let fresh = |scenario: &Scenario| -> (f64, f64) {
        let runs: Vec<RunRecord> = (0..12).map(|n| run(scenario, n)).collect();
        let mean = |of: fn(&RunRecord) -> f64| runs.iter().map(of).sum::<f64>() / runs.len() as f64;
        (mean(|run| run.cost.unwrap().as_f64()), mean(|run| run.services[0].objectives[0].attainment()))
    };
    let (before, after) = (fresh(&scenario), fresh(&taught));
    assert!(after.0 < 0.96 * before.0 && after.1 >= 0.95, "{before:?} {after:?}");
    let origin = &searched.found.origin;
    assert_eq!((origin.seed, &origin.fingerprint), (5, &fingerprint(&scenario).unwrap()));
    const { assert!(TRAINING_REPLICATIONS > 100_000) };
}

#[test]
fn without_a_price_replica_hours_are_minimized() {
    let place = place();
    let lead = ("policies.searched.policy-search.lead", "3m");
    let scenario = place.untrained(&[("service.price", "null"), ("duration", "40m"), lead]);
    let found = searched(&scenario, 64, 0);
    assert!(!found.priced && found.worth.cost > 0.0, "{found:?}");
    let place_of = |name: &str| NUMBERS.iter().position(|number| number.name == name).unwrap();
    assert_eq!(found.found.numbers[place_of("lead")], 180.0);
    assert!(!found.free[place_of("lead")] && found.free[place_of("drain")]);
    // Parameters found for one scenario are rejected by one that states others.
    let other = place.untrained(&[("policies.searched.policy-search.lead", "4m")]);
    assert!(with_found(&other, 0, &found.found).is_err_and(|error| error.to_string().contains("a different `lead`")));
}

#[test]
fn unsuitable_policies_are_refused_with_a_reason() {
    let place = place();
    let refused = |set: &[(&str, &str)], policy: usize, training: Training, words: &str| match search(
        &place.untrained(set),
        policy,
        &training,
        &|_| {},
    ) {
        Err(Refusal::Unfit(what)) => assert!(what.contains(words), "{what}"),
        other => panic!("{words}: {:?}", other.map(|searched| searched.curve.len())),
    };
    let plain = Training::default();
    refused(&[], 1, plain, "`auto` of wave has no parameters");
    refused(&[("objectives", "[]")], 0, plain, "state `objectives:` or a penalty");
    refused(&[("service.price", "null")], 0, Training { penalty: Some(0.1), ..plain }, "add a `price:`");
    let stated: Vec<(String, String)> = NUMBERS
        .iter()
        .map(|number| (format!("policies.searched.policy-search.{}", number.name), number.text(number.start)))
        .collect();
    let stated: Vec<(&str, &str)> = stated.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
    refused(&stated, 0, plain, "nothing is left to search for");
    assert!(search_settings(&place.untrained(&[]), 1).is_none());
}

#[test]
fn the_program_searches_saves_tries_and_uses() {
    let place = place();
    place.file("later.yaml", "extends: wave.yaml\nname: later\nseed: 9\n");
    place.file("other.yaml", "extends: wave.yaml\npolicies: { searched: { policy-search: { lead: 3m } } }\n");
    place.refused(&["run", "wave.yaml"], "train the policy");
    place.refused(&["train", "wave.yaml", "--horizon", "10m"], "--horizon applies to `q-learning` only");
    place.refused(&["train", "wave.yaml", "--evaluate-on", "other.yaml"], "has another `lead` than is trained");
    assert!(!place.path("found").exists());
    let set = ["--set", "duration=40m"];
    let command = [
        &["train", "wave.yaml", "--episodes", "32", "--replications", "3", "--evaluate-on", "later.yaml"][..],
        &set[..],
    ];
    let command = command.concat();
    let output = place.run(&[&command[..], &["--format", "markdown"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    for words in [
        "Searched 10 numbers of `searched` of wave in 2 generations, 32 runs",
        "Looked between",
        "wave, other seeds",
        "later, never",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }
    let found = fs::read_to_string(place.path("found/wave.json")).unwrap();
    let curve = fs::read_to_string(place.path("reports/wave/search-curve.csv")).unwrap();
    assert_eq!(curve.lines().count(), 3, "{curve}");
    if cfg!(feature = "charts") {
        assert!(place.path("reports/wave/search-curve.svg").exists());
        assert!(place.path("reports/wave/search-curve.png").exists());
    }
    // The scenario now runs with the result.
    let output = place.run(&["run", "wave.yaml", "--quiet"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let decisions = fs::read_to_string(place.path("reports/wave/decisions.csv")).unwrap();
    assert!(decisions.contains("learned") && decisions.contains(" to come"), "{decisions}");
    // Again, with another number of threads and in another place: the same bytes.
    let again = ["--threads", "1", "--out", "again.json", "--format", "json", "--quiet"];
    let output = place.run(&[&command[..], &again[..]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(found, fs::read_to_string(place.path("again.json")).unwrap());
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((shown["runs"].as_u64(), shown["numbers"].as_array().unwrap().len()), (Some(32), 10));
    let read = Found::from_json(&found).unwrap();
    assert_eq!(shown["numbers"][0]["value"].as_f64(), Some(read.numbers[0]));
    // A truncated file is rejected with its name.
    place.file("found/wave.json", &found[..found.len() / 3]);
    place.refused(&["check", "wave.yaml"], "is cut short");
}
