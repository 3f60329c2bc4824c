//! A benchmark beside a stored run of it.

use std::path::Path;

use super::{Spread, cpu_of, wall_of};
use crate::cli::failure::Failure;
use crate::config::{SourceFile, near_miss};
use crate::report::results::{BenchComparison, BenchResult, BenchResults, RESULTS_VERSION, Results};
use crate::units::Fraction;
use crate::validate::benchmark::Workload;

const FASTER: &str = "faster";
const SLOWER: &str = "slower";
const SAME: &str = "no difference beyond the spread";

/// The largest file of a stored run.
const MOST_BYTES: u64 = 64 << 20;

/// Runs whose rounds differ in size by more than this are not comparable: each request of a short run costs more.
const SAME_SIZE: f64 = 0.02;

fn refused(path: &Path, said: &str) -> Failure {
    let help = "store a run with `plimsoll bench --format json > FILE`";
    Failure::input(format!("{}: {said}\nhelp: {help}", path.display()))
}

/// Reads a stored run.
pub(super) fn read(path: &Path) -> Result<BenchResults, Failure> {
    let source = SourceFile::read(path, MOST_BYTES).map_err(|wrong| Failure::diagnostics(&(*wrong).into()))?;
    let value: serde_json::Value =
        serde_json::from_str(source.text()).map_err(|error| refused(path, &format!("is not JSON: {error}")))?;
    match value.get("command").and_then(serde_json::Value::as_str) {
        Some("bench") => {}
        Some(other) => {
            return Err(refused(path, &format!("holds results of `plimsoll {other}`, not of `plimsoll bench`")));
        }
        None => return Err(refused(path, "holds no results of `plimsoll bench`")),
    }
    if value.get("version").and_then(serde_json::Value::as_u64) != Some(RESULTS_VERSION.into()) {
        let version = value.get("version").map_or_else(|| "none".into(), ToString::to_string);
        return Err(refused(path, &format!("has version {version} of the layout; expected {RESULTS_VERSION}")));
    }
    let results = serde_json::from_value(value).map_err(|error| {
        refused(path, &format!("is of another version of plimsoll, this one is {}: {error}", env!("CARGO_PKG_VERSION")))
    })?;
    match results {
        Results::Bench(results) if results.workloads.iter().all(|of| !of.rounds.is_empty()) => Ok(results),
        _ => Err(refused(path, "holds a workload without rounds")),
    }
}

/// Refuses a stored run that has none of the workloads.
pub(super) fn some_in_common(stored: &BenchResults, path: &Path, chosen: &[&Workload]) -> Result<(), Failure> {
    let has = |workload: &&Workload| stored.workloads.iter().any(|of| of.name == workload.name);
    if chosen.iter().any(has) {
        return Ok(());
    }
    let names: Vec<&str> = stored.workloads.iter().map(|of| of.name.as_str()).collect();
    let hint = chosen.first().map_or(String::new(), |first| near_miss(first.name, names.iter().copied()));
    Err(refused(path, &format!("has none of the workloads to be measured, only {}{hint}", names.join(", "))))
}

/// The workloads that both runs have, in order.
pub(super) fn compared(
    stored: &BenchResults,
    path: &Path,
    measured: &[BenchResult],
) -> Result<Vec<BenchComparison>, Failure> {
    let mut all = Vec::new();
    for now in measured {
        let Some(then) = stored.workloads.iter().find(|of| of.name == now.name) else { continue };
        if then.summary != now.summary {
            return Err(refused(path, &format!("its {} is another workload: {}", now.name, then.summary)));
        }
        if (now.requests as f64 / then.requests.max(1) as f64 - 1.0).abs() > SAME_SIZE {
            let (name, before, after) = (&now.name, then.requests, now.requests);
            let said = format!("its rounds of {name} have {before} requests, these {after}: state the same --requests");
            return Err(refused(path, &said));
        }
        all.push(comparison(now, then));
    }
    Ok(all)
}

fn comparison(now: &BenchResult, then: &BenchResult) -> BenchComparison {
    let (clock, after, before) = match (cpu_of(&now.rounds), cpu_of(&then.rounds)) {
        (Some(after), Some(before)) => ("cpu", after, before),
        _ => ("wall", wall_of(&now.rounds), wall_of(&then.rounds)),
    };
    BenchComparison {
        name: now.name.clone(),
        clock: clock.into(),
        stored_ns_per_request: before.median,
        ns_per_request: after.median,
        ratio: after.median / before.median,
        ratio_min: after.min / before.max,
        ratio_max: after.max / before.min,
        verdict: verdict(after, before).into(),
    }
}

fn verdict(after: Spread, before: Spread) -> &'static str {
    match () {
        () if after.max < before.min => FASTER,
        () if after.min > before.max => SLOWER,
        () => SAME,
    }
}

/// What is said of the workloads that are slower than allowed.
pub(super) fn too_slow(compared: &[BenchComparison], allowed: Option<Fraction>) -> Vec<String> {
    let Some(allowed) = allowed else { return Vec::new() };
    let slow = |of: &&BenchComparison| of.verdict == SLOWER && of.ratio > 1.0 + allowed.get();
    let said = |of: &BenchComparison| {
        format!("{} takes {:.3} times the stored time, more than --max-slowdown {allowed} allows", of.name, of.ratio)
    };
    compared.iter().filter(slow).map(said).collect()
}

pub(super) fn table(compared: &[BenchComparison]) -> String {
    let mut text = format!("\n{:12}  clock  stored ns      now ns  ratio (min to max)     verdict\n", "workload");
    for of in compared {
        let ratio = format!("{:.3} ({:.3} to {:.3})", of.ratio, of.ratio_min, of.ratio_max);
        text.push_str(&format!(
            "{:12}  {:5}  {:>9.1}  {:>10.1}  {ratio:21}  {}\n",
            of.name, of.clock, of.stored_ns_per_request, of.ns_per_request, of.verdict
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::results::BenchRound;

    fn of(times: &[f64]) -> BenchResult {
        let round = |time: &f64| BenchRound { ns_per_request: 2.0 * time, cpu_ns_per_request: Some(*time) };
        BenchResult {
            name: "W1".into(),
            summary: "a queue".into(),
            requests: 1000,
            requests_per_s: 1.0,
            ns_per_request: 1.0,
            cpu_ns_per_request: Some(1.0),
            rounds: times.iter().map(round).collect(),
            peak_memory_bytes: None,
        }
    }

    #[test]
    fn a_verdict_is_given_only_beyond_the_spread() {
        let told = |now: &[f64], then: &[f64]| comparison(&of(now), &of(then));
        let slower = told(&[110.0, 121.0, 130.0], &[90.0, 100.0, 109.0]);
        assert_eq!((slower.verdict.as_str(), slower.ratio, slower.clock.as_str()), (SLOWER, 1.21, "cpu"));
        assert_eq!((slower.ratio_min, slower.ratio_max), (110.0 / 109.0, 130.0 / 90.0));
        assert_eq!(told(&[80.0, 89.0], &[90.0, 100.0]).verdict, FASTER);
        assert_eq!(told(&[80.0, 120.0, 90.0], &[90.0, 100.0, 109.0]).verdict, SAME);
        let allowed = |share: f64| too_slow(std::slice::from_ref(&slower), Fraction::new(share).ok()).len();
        assert_eq!((allowed(0.2), allowed(0.22), too_slow(std::slice::from_ref(&slower), None).len()), (1, 0, 0));
        // Slower by the medians alone is not slower.
        let unsure = told(&[80.0, 150.0, 160.0], &[90.0, 100.0, 109.0]);
        assert!(unsure.ratio > 1.4 && too_slow(&[unsure], Fraction::new(0.1).ok()).is_empty());
    }

    #[test]
    fn without_cpu_time_on_both_sides_real_time_is_compared() {
        let mut then = of(&[100.0, 100.0]);
        then.rounds[1].cpu_ns_per_request = None;
        let told = comparison(&of(&[50.0, 60.0]), &then);
        assert_eq!((told.clock.as_str(), told.ratio, told.verdict.as_str()), ("wall", 0.55, FASTER));
    }
}
