//! Reads a scenario from its text and runs its first policy: faster than running the program.
#![allow(dead_code, reason = "each module uses what it needs")]

use plimsoll::config::Diagnostics;
use plimsoll::engine::{RunRecord, ServiceRecord};
use plimsoll::scenario::Scenario;
use plimsoll::units::SimTime;

use super::trial::Trial;

/// Reads `scenario.yaml` among `files` (name, text); returns it with its diagnostics.
pub fn read(files: &[(&str, &str)]) -> (Option<Scenario>, String) {
    let trial = Trial::new(files);
    let mut sink = Diagnostics::new();
    let scenario = Scenario::read(&trial.path("scenario.yaml"), &[], &mut sink);
    (scenario, sink.to_string())
}

/// Runs policy number `policy` of `scenario`.
pub fn run(scenario: &Scenario, policy: usize) -> RunRecord {
    scenario.simulation(policy, 0).unwrap().run(&mut |_| {}).unwrap()
}

/// Reads and runs a scenario with one policy and no other file.
pub fn record(text: &str) -> RunRecord {
    record_with(&[("scenario.yaml", text)])
}

/// Reads and runs `scenario.yaml` among `files`, which may be traces.
pub fn record_with(files: &[(&str, &str)]) -> RunRecord {
    let trial = Trial::new(files);
    let mut sink = Diagnostics::new();
    let scenario = Scenario::read(&trial.path("scenario.yaml"), &[], &mut sink);
    run(&scenario.unwrap_or_else(|| panic!("{sink}")), 0)
}

/// Replicas ready, on average, in the interval that begins at `second`.
pub fn ready(service: &ServiceRecord, second: u64) -> f64 {
    let row = service.timeline.iter().find(|row| row.start == SimTime::from_secs(second));
    row.unwrap_or_else(|| panic!("no interval begins at {second} s")).ready
}

/// The decisions that changed the size: second, from, to.
pub fn rescales(service: &ServiceRecord) -> Vec<(u64, u32, u32)> {
    let changes = service.decisions.iter().filter(|decision| decision.from != decision.to);
    changes.map(|d| (d.at.as_nanos() / 1_000_000_000, d.from, d.to)).collect()
}
