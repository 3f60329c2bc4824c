use super::super::{Decision, Measure, Observation, ReasonCode, ScalingPolicy};
use super::super::{Facts, Measurements, PolicyContext, Prospect, Scrape, properties};
use super::numbers::place;
use super::*;
use crate::config::kubernetes::Release;
use crate::config::{Diagnostics, SourceFile, parse_single};
use crate::units::SimTime;
use std::path::Path;

/// Reads parameters with the working directory as the scenario's; the error is the rendered diagnostics.
fn read(text: &str, base_dir: &Path) -> Result<Settings, String> {
    let context =
        PolicyContext { base_dir, service: "web", pod: None, metric_names: &[], release: Release::default(), own: &[] };
    let node = parse_single(&SourceFile::new("scenario.yaml", text)).unwrap();
    let mut sink = Diagnostics::new();
    let factory = (PLUGIN.build)(&node, &context, &mut sink);
    match factory {
        Some(factory) => {
            let policy = factory(&Prospect::unknown());
            Ok(policy.trainable().and_then(|it| it.settings::<Settings>()).expect("it can be searched").clone())
        }
        None => Err(sink.to_string()),
    }
}

fn settings(text: &str) -> Settings {
    read(text, Path::new(".")).unwrap_or_else(|said| panic!("{said}"))
}

fn decide(policy: &mut PolicySearch, seconds: u64, spec: u32, rate: f64, waiting: f64) -> Decision {
    let at = SimTime::from_secs(seconds);
    let totals = Measurements::ZERO.with(Measure::RequestRate, rate).with(Measure::QueueLength, waiting);
    let scrape = Scrape { taken_at: at, totals, ..Scrape::default() };
    policy.decide(&Observation { scrape: Some(&scrape), ..Observation::new(at, spec) })
}

/// All features off; tests turn on what they need.
const PLAIN: &str =
    "min: 2, max: 30, capacity: 4/s, sync-period: 1m, smoothing: 0s, trend: 0%, season-weight: 0%, lead: 1m, floor: 0%";

#[test]
fn the_size_is_load_over_utilization_and_a_share_of_its_root() {
    let given = format!("{{ {PLAIN}, utilization: 80%, spread: 0.5, drain: 10m, cool-down: 0s, step-down: 100% }}");
    let mut policy = PolicySearch::new(settings(&given));
    // 64/s at 4/s are 16 busy replicas: 16 / 0.8 + 0.5 * 4 = 22.
    let up = decide(&mut policy, 60, 10, 64.0, 0.0);
    assert_eq!((up.replicas, up.reason.code), (Some(22), ReasonCode::Target));
    assert_eq!(up.reason.detail, "load 16.0, 16.0 to come: 10 -> 22");
    // 4,800 waiting requests are 4,800 / (4/s * 600 s) = 2 replicas for ten minutes.
    let queue = decide(&mut policy, 120, 22, 64.0, 4800.0);
    assert_eq!(queue.replicas, Some(24));
    assert_eq!(queue.reason.detail, "load 16.0, 16.0 to come, 4800 waiting: 22 -> 24");
    // The size is kept; the bounds apply; a rate of zero asks for the minimum.
    assert_eq!(decide(&mut policy, 180, 22, 64.0, 0.0).replicas, None);
    let most = decide(&mut policy, 240, 22, 400.0, 0.0);
    assert_eq!((most.replicas, most.reason.code), (Some(30), ReasonCode::Bounded));
    assert_eq!(decide(&mut policy, 300, 22, 0.0, 0.0).replicas, Some(2));
    // No measurement, no decision.
    let outage = policy.decide(&Observation { scrape: None, ..Observation::new(SimTime::from_secs(360), 22) });
    assert_eq!((outage.replicas, outage.reason.code), (None, ReasonCode::NoData));
}

#[test]
fn scale_down_is_delayed_and_gradual() {
    let given = format!("{{ {PLAIN}, utilization: 100%, spread: 0, drain: 10m, cool-down: 3m, step-down: 20% }}");
    let mut policy = PolicySearch::new(settings(&given));
    assert_eq!(decide(&mut policy, 0, 10, 80.0, 0.0).replicas, Some(20));
    // Two minutes later 12 would be enough, but 20 and 16 were desired within the cool-down of three minutes.
    assert_eq!(decide(&mut policy, 60, 20, 64.0, 0.0).replicas, None);
    let held = decide(&mut policy, 120, 20, 48.0, 0.0);
    assert_eq!((held.replicas, held.reason.code), (None, ReasonCode::Stabilized));
    assert_eq!(held.reason.detail, "load 12.0, 12.0 to come: 20 -> 12, 20 wanted within the cool-down");
    let later = decide(&mut policy, 180, 20, 48.0, 0.0);
    assert_eq!(later.replicas, Some(16));
    // At most 4 of 20 are removed at once.
    let limited = decide(&mut policy, 600, 20, 8.0, 0.0);
    assert_eq!((limited.replicas, limited.reason.code), (Some(16), ReasonCode::RateLimited));
    assert_eq!(limited.reason.detail, "load 2.0, 2.0 to come: 20 -> 2, at most 4 fewer at once");
    // At least one is removed, so that even the smallest step makes progress.
    assert_eq!(decide(&mut policy, 1200, 3, 0.0, 0.0).replicas, Some(2));
}

#[test]
fn the_floor_is_a_part_of_the_mean_load() {
    let given = format!(
        "{{ {}, utilization: 100%, spread: 0, drain: 10m, cool-down: 0s, step-down: 100%, season: 1h }}",
        PLAIN.replace("floor: 0%", "floor: 50%")
    );
    let mut policy = PolicySearch::new(settings(&given));
    (0..600).for_each(|minute| drop(decide(&mut policy, 60 * minute, 20, 80.0, 0.0)));
    // The mean load was 20 for hours; a minute without load hardly changes it.
    let floor = decide(&mut policy, 60 * 600, 20, 0.0, 0.0);
    assert_eq!(floor.replicas, Some(10));
    assert!(floor.reason.detail.contains("floor 9.8"), "{}", floor.reason.detail);
}

fn found(settings: &Settings) -> Found {
    let origin = Origin { scenario: "random".into(), seed: 7, episodes: 800, taken_after: 800, ..Origin::default() };
    let mut numbers = settings.numbers;
    numbers[place::UTILIZATION] = 0.912;
    Found { origin, design: settings.design.as_ref().clone(), penalty: 0.017, numbers }
}

#[test]
fn found_numbers_are_read_back_as_they_were_saved_and_decide() {
    let directory = tempfile::tempdir().unwrap();
    let plain = settings("{ min: 2, max: 10, capacity: 4/s }");
    let found = found(&plain);
    let text = found.to_json().unwrap();
    assert_eq!(Found::from_json(&text).unwrap(), found);
    std::fs::write(directory.path().join("found.json"), &text).unwrap();
    let read = read("{ min: 2, max: 10, capacity: 4/s, trained: found.json }", directory.path()).unwrap();
    assert!(read.is_trained && read.numbers == found.numbers);
    let mut policy = PolicySearch::new(read);
    assert_eq!(decide(&mut policy, 60, 4, 20.0, 0.0).reason.code, ReasonCode::Learned);
    assert_eq!(Prospect::unknown().facts, Facts::default());
}

#[test]
fn foreign_cut_and_changed_files_are_one_error_where_the_scenario_names_them() {
    let directory = tempfile::tempdir().unwrap();
    let parameters = "{ min: 2, max: 10, capacity: 4/s, trained: found.json }";
    let refused = |parameters: &str, content: &str, words: &str| {
        std::fs::write(directory.path().join("found.json"), content).unwrap();
        let said = read(parameters, directory.path()).map(|_| ()).unwrap_err();
        assert!(said.contains(words) && said.contains("scenario.yaml:1:") && said.contains("plimsoll train"), "{said}");
        assert_eq!(said.matches("error:").count(), 1, "{said}");
    };
    let said = read(parameters, directory.path()).map(|_| ()).unwrap_err();
    assert!(said.contains("no such file") && said.contains("plimsoll train"), "{said}");
    let good = found(&settings("{ min: 2, max: 10, capacity: 4/s }")).to_json().unwrap();
    refused(parameters, "", "is not a trained policy");
    refused(parameters, "{ \"kind\": \"List\" }", "is not a trained policy");
    (1..40).for_each(|part| refused(parameters, &good[..good.len() * part / 40], "is cut short"));
    let table = good.replace("plimsoll-policy-search", "plimsoll-q-table");
    refused(parameters, &table, "holds a policy of the kind `q-learning`, not `policy-search`");
    refused(parameters, &good.replacen("\"version\":1", "\"version\":9", 1), "has version 9 of the layout");
    refused(parameters, &good.replacen("\"penalty\":0.017", "\"penalty\":0.018", 1), "its checksum does not match");
    refused(parameters, &good.replacen("[\"lead\",", "[\"led\",", 1), "has no `lead`");
    refused(parameters, &good.replacen("\"penalty\":", "\"pen\":1,\"penalty\":", 1), "was modified after");
    let other = parameters.replace("4/s", "5/s");
    refused(&other, &good, "was trained with a different `capacity`");
    refused(&parameters.replace("trained", "lead: 17m, trained"), &good, "was trained with a different `lead`");
}

#[test]
fn any_numbers_satisfy_the_properties_of_policies() {
    for position in [0.0, 0.3, 0.7, 1.0] {
        let settings = settings("{ min: 2, max: 10, capacity: 4/s, season: 5m }");
        properties::hold_for("policy-search, trained", &settings.with(NUMBERS.map(|number| number.at(position))));
    }
}

#[test]
fn stated_numbers_stay_as_they_are() {
    let stated = settings("{ max: 10, capacity: 4/s, lead: 7m, trend: 0% }");
    let factory = stated.with(NUMBERS.map(|number| number.high));
    let policy = factory(&Prospect::unknown());
    let settings = policy.trainable().and_then(|it| it.settings::<Settings>()).expect("it can be searched");
    assert_eq!((settings.numbers[place::LEAD], settings.numbers[place::TREND]), (420.0, 0.0));
    assert_eq!(settings.numbers[place::SPREAD], NUMBERS[place::SPREAD].high);
    assert_eq!(stated.other_number(settings), None);
    assert_eq!(stated.other_number(&self::settings("{ max: 10, capacity: 4/s, lead: 7m }")), Some("trend"));
}

#[test]
fn unusable_parameters_are_refused() {
    for (text, words) in [
        ("{ max: 10 }", "capacity"),
        ("{ capacity: 4/s }", "has no `max`"),
        ("{ min: 3, max: 2, capacity: 4/s }", "`max` is below `min`, 3"),
        ("{ min: 0, max: 4, capacity: 4/s }", "`min` must be at least 1"),
        ("{ max: 3, capacity: 4/s, season: 0s }", "`season` must be above zero"),
        ("{ max: 3, capacity: 4/s, sync-period: 0s }", "`sync-period` must be above zero"),
        ("{ max: 3, capacity: 4/s, utilization: 0% }", "`utilization` must be at least 1%"),
        ("{ max: 3, capacity: 4/s, drain: 0s }", "`drain` must be at least 10ms"),
        ("{ max: 3, capacity: 4/s, season-weight: 150% }", "season-weight"),
        ("{ max: 3, capacity: 4/s, spread: -1 }", "`spread` must be at least 0"),
        ("{ max: 3, capacity: 4/s, spred: 1 }", "did you mean `spread`?"),
        ("{ max: 3, capacity: 4/s, step-down: 200% }", "step-down"),
    ] {
        let said = read(text, Path::new(".")).map(|_| ()).unwrap_err();
        assert!(said.contains(words), "{text}: {said}");
    }
}
