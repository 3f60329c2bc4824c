use super::super::{Decision, Measure, Observation, ReasonCode, ReplicaView, ScalingPolicy, Scrape};
use super::super::{Facts, Measurements, Phase, PolicyContext, Prospect, properties};
use super::*;
use crate::config::kubernetes::Release;
use crate::config::{Diagnostics, SourceFile, parse_single};
use crate::random::{Purpose, Streams};
use crate::units::{SimDuration, SimTime};
use std::path::Path;
use std::sync::{Arc, Mutex};

const PARAMETERS: &str = "{ min: 2, max: 10, capacity: 4/s, parts: 3, trained: table.json }";

/// A scrape's totals with a request rate and a queue length.
fn totals(rate: f64, waiting: f64) -> Measurements {
    Measurements::ZERO.with(Measure::RequestRate, rate).with(Measure::QueueLength, waiting)
}

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
            Ok(policy.trainable().and_then(|it| it.settings::<Settings>()).expect("it learns a table").clone())
        }
        None => Err(sink.to_string()),
    }
}

fn untrained() -> Settings {
    read("{ min: 2, max: 10, capacity: 4/s, parts: 3 }", Path::new(".")).unwrap()
}

/// A table with random content, and states that were never visited.
fn random_table(settings: &Settings, seed: u64) -> Learned {
    let mut draw = Streams::new(seed, 0).keyed(Purpose::Exploration, 0, 0);
    let design = Design::clone(&settings.design);
    let mut table = Table::new(design.states().unwrap(), design.actions.len());
    for state in 0..table.states() as u32 {
        let met = draw.uniform() < 0.7;
        for cell in table.row_mut(state) {
            let (visits, dollars, bad) = (draw.index(9), draw.uniform(), 100.0 * draw.uniform());
            *cell = if met { Cell { visits, dollars, bad } } else { Cell::default() };
        }
    }
    let origin = Origin { scenario: "random".into(), seed, ..Origin::default() };
    Learned { origin, design, penalty: 0.01, horizon: SimDuration::from_secs(7200), table }
}

fn replica(id: u32, ready: bool) -> ReplicaView {
    ReplicaView {
        id,
        phase: if ready { Phase::Ready } else { Phase::Unready },
        ordered: SimTime::ZERO,
        accepted: Some(SimTime::ZERO),
        started: Some(SimTime::ZERO),
        readiness_changed: None,
    }
}

fn decide(policy: &mut dyn ScalingPolicy, minute: u64, spec: u32, ready: u32, rate: f64, waiting: f64) -> Decision {
    let replicas: Vec<ReplicaView> = (0..spec).map(|id| replica(id, id < ready)).collect();
    let at = SimTime::from_secs(60 * minute);
    let scrape = Scrape { taken_at: at, totals: totals(rate, waiting), ..Scrape::default() };
    policy.decide(&Observation { replicas: &replicas, scrape: Some(&scrape), ..Observation::new(at, spec) })
}

#[test]
fn without_a_table_it_steps_towards_the_target_and_says_so() {
    let mut policy = QLearning::new(untrained());
    // 16/s at 4/s per replica are 4 busy ones: 5.7 at 70%. Of the actions from 5, +12% comes closest to 6.
    let up = decide(&mut policy, 10, 5, 5, 16.0, 0.0);
    assert_eq!((up.replicas, up.reason.code), (Some(6), ReasonCode::Target));
    assert!(up.reason.detail.contains("not trained: nearest to 70% utilization, 6"), "{}", up.reason.detail);
    let hold = decide(&mut policy, 11, 6, 6, 16.0, 0.0);
    assert_eq!(hold.replicas, None);
    // Never beyond the bounds, and back into them from outside.
    assert_eq!(decide(&mut policy, 12, 10, 10, 400.0, 9.0).replicas, None);
    assert_eq!(decide(&mut policy, 13, 40, 40, 16.0, 0.0).reason.code, ReasonCode::Bounded);
}

#[test]
fn the_step_of_the_least_sum_is_taken_and_explained() {
    let settings = untrained();
    let design = &settings.design;
    let now = SimTime::from_secs(600);
    let sight = Sight { now, load: 0.8, trend: 1.0, starting: 0.2, waiting: 0.0 };
    let mut learned = random_table(&settings, 1);
    let row = learned.table.row_mut(design.state(&sight));
    row.fill(Cell { visits: 9, dollars: 5.0, bad: 0.0 });
    row[2] = Cell { visits: 9, dollars: 1.0, bad: 20.0 };
    let decide_with = |penalty| {
        let factory = settings.with(Arc::new(Learned { penalty, ..learned.clone() }));
        decide(&mut *factory(&Prospect::unknown()), 10, 5, 4, 16.0, 0.0)
    };
    // Action 2 is +12%: one dollar and twenty bad requests, worth it at a cent each and not at a dollar each.
    let cheap = decide_with(0.01);
    assert_eq!((cheap.replicas, cheap.reason.code), (Some(6), ReasonCode::Learned));
    let said = "load 80% of 5, trend +0%, 20% not ready: +12% ($1.000 and 20.0 bad requests expected over 2h): 5 -> 6";
    assert_eq!(cheap.reason.detail, said);
    assert_eq!(decide_with(1.0).replicas, None);
    assert_eq!(Prospect::unknown().facts, Facts::default());
}

#[test]
fn the_trend_compares_with_the_newest_rate_that_is_old_enough() {
    let mut policy = QLearning::new(untrained());
    let mut trend = |minute: u64, rate: f64| {
        let scrape =
            Scrape { taken_at: SimTime::from_secs(60 * minute), totals: totals(rate, 0.0), ..Scrape::default() };
        policy.trend(&scrape)
    };
    // The default looks back a quarter of an hour.
    assert_eq!([trend(0, 10.0), trend(10, 20.0), trend(15, 30.0), trend(25, 30.0)], [1.0, 1.0, 3.0, 1.5]);
    assert_eq!([trend(45, 0.0), trend(60, 5.0), trend(75, 0.0)], [0.0, f64::INFINITY, 0.0]);
}

#[test]
fn trained_policies_satisfy_the_properties_of_policies() {
    for seed in 0..3 {
        let settings = untrained();
        let learned = Arc::new(random_table(&settings, seed));
        properties::hold_for("q-learning, trained", &settings.with(learned));
    }
}

#[test]
fn exploration_follows_the_explorer_and_is_recorded() {
    let settings = untrained();
    let trail = Arc::new(Mutex::new(Vec::new()));
    let choose: Choose = Arc::new(|decision, actions| (decision % 2 == 0).then_some(actions - 1));
    let explorer = Explorer { choose, trail: Arc::clone(&trail) };
    let factory = settings.exploring(Arc::new(random_table(&settings, 2)), explorer);
    let mut policy = factory(&Prospect::unknown());
    let mut plain = settings.with(Arc::new(random_table(&settings, 2)))(&Prospect::unknown());
    // The last action is +30%: 5 becomes 7.
    assert_eq!(decide(&mut *policy, 10, 5, 5, 16.0, 0.0).replicas, Some(7));
    plain.decide(&Observation {
        scrape: Some(&Scrape { taken_at: SimTime::from_secs(600), totals: totals(16.0, 0.0), ..Scrape::default() }),
        ..Observation::new(SimTime::from_secs(600), 5)
    });
    assert_eq!(decide(&mut *policy, 11, 5, 5, 16.0, 0.0), decide(&mut *plain, 11, 5, 5, 16.0, 0.0));
    let trail = trail.lock().unwrap();
    assert_eq!((trail.len(), trail[0].at, trail[0].action), (2, SimTime::from_secs(600), 4));
}

#[test]
fn a_table_is_read_back_as_it_was_saved() {
    let learned = random_table(&untrained(), 5);
    let text = learned.to_json().unwrap();
    let read = Learned::from_json(&text).unwrap();
    assert_eq!(read, Learned { table: learned.table.clone().rounded(), ..learned });
    assert_eq!(read.to_json().unwrap(), text);
}

#[test]
fn foreign_cut_and_changed_files_are_refused_where_the_scenario_names_them() {
    let directory = tempfile::tempdir().unwrap();
    let refused = |content: &str, words: &str| {
        std::fs::write(directory.path().join("table.json"), content).unwrap();
        let said = read(PARAMETERS, directory.path()).map(|_| ()).unwrap_err();
        assert!(said.contains(words) && said.contains("scenario.yaml:1:") && said.contains("plimsoll train"), "{said}");
    };
    let said = read(PARAMETERS, directory.path()).map(|_| ()).unwrap_err();
    assert!(said.contains("no such file") && said.contains("plimsoll train"), "{said}");
    let learned = random_table(&untrained(), 5);
    let good = learned.to_json().unwrap();
    refused("", "is not a trained policy");
    refused("{ \"kind\": \"List\" }", "is not a trained policy");
    refused(&good.replace("plimsoll-q-table", "plimsoll-result"), "is not a trained policy");
    (1..40).for_each(|part| refused(&good[..good.len() * part / 40], "is cut short"));
    refused(&good.replacen("\"version\":1", "\"version\":9", 1), "has version 9 of the layout");
    refused(&good.replacen("\"penalty\":0.01", "\"penalty\":0.02", 1), "its checksum does not match");
    refused(&good.replacen("\"states\":[[", "\"states\":[[1", 1), "was modified after it was written");
    refused(&good.replacen("\"penalty\":", "\"pen\":1,\"penalty\":", 1), "was modified after it was written");
    let other = Learned { design: Design { parts: 4, ..learned.design.clone() }, ..random_table(&untrained(), 1) };
    let mut table = Table::new(other.design.states().unwrap(), other.design.actions.len());
    let empty = Learned { table: table.clone(), ..other.clone() };
    refused(&empty.to_json().unwrap(), "nothing was learned");
    table.row_mut(0)[0] = Cell { visits: 1, dollars: 1.0, bad: 0.0 };
    refused(&Learned { table, ..other }.to_json().unwrap(), "was trained with a different `parts`");
    std::fs::write(directory.path().join("table.json"), &good).unwrap();
    let settings = read(PARAMETERS, directory.path()).unwrap();
    assert_eq!(settings.learned.unwrap().origin.scenario, "random");
}

#[test]
fn unusable_parameters_are_refused() {
    for (text, words) in [
        ("{ max: 10 }", "capacity"),
        ("{ capacity: 4/s }", "has no `max`"),
        ("{ max: 0, capacity: 4/s }", "`max` at least `min`"),
        ("{ min: 0, max: 4, capacity: 4/s }", "`min` must be at least 1"),
        ("{ max: 3, capacity: 4/s, load: [0.5, 0.5] }", "ascending order"),
        ("{ max: 3, capacity: 4/s, actions: [0, 0] }", "different actions"),
        ("{ max: 3, capacity: 4/s, actions: [0, much] }", "is not a step"),
        ("{ max: 3, capacity: 4/s, parts: 4000000 }", "more than 1000000 states"),
        ("{ max: 3, capacity: 4/s, season: 0s }", "`season` must be above zero"),
        ("{ max: 3, capacity: 4/s, fallback-target: 0% }", "`fallback-target`"),
    ] {
        let said = read(text, Path::new(".")).map(|_| ()).unwrap_err();
        assert!(said.contains(words), "{text}: {said}");
    }
}
