//! The two shipped scenarios on forecasts, run as shipped.

use std::path::Path;

use plimsoll::config::Diagnostics;
use plimsoll::engine::RunRecord;
use plimsoll::experiment::{self, Direction, ForecastPrice, Outcome};
use plimsoll::policy::Foresight;
use plimsoll::scenario::Scenario;

/// Runs a shipped scenario without its `dp-optimal`, which plans like `lp-optimal` and takes longest.
fn story(name: &str) -> Outcome {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name).with_extension("yaml");
    let mut sink = Diagnostics::new();
    let mut scenario = Scenario::read(&path, &[], &mut sink).unwrap_or_else(|| panic!("{sink}"));
    scenario.policies.retain(|policy| policy.label != "dp");
    experiment::run(&scenario, "", 0, &|_, _| {}).unwrap()
}

/// The page of the largest shipped scenario: two weeks under seven policies, four of which forecast.
fn page_is_small(outcome: &Outcome) {
    let artifacts = plimsoll::report::artifacts(outcome).unwrap();
    let page = artifacts.iter().find(|artifact| artifact.name == "report.html").unwrap();
    assert!(page.bytes.len() < 2_000_000, "{} bytes", page.bytes.len());
}

/// A policy's run: dollars, share of good requests, whether the objective was met.
fn figures(outcome: &Outcome, policy: &str) -> (f64, f64, bool) {
    let run = run(outcome, policy);
    let objective = &run.services[0].objectives[0];
    (run.cost.unwrap().as_f64(), objective.attainment(), objective.met())
}

fn run<'a>(outcome: &'a Outcome, policy: &str) -> &'a RunRecord {
    outcome.runs.iter().find(|run| run.policy == policy).unwrap_or_else(|| panic!("no policy {policy}"))
}

#[test]
fn on_a_strong_season_with_slow_start_ups_looking_ahead_pays() {
    let outcome = story("forecast-versus-reactive");
    let [fixed, hpa, arima, mpc, lp] = ["static", "hpa", "arima", "mpc", "lp"].map(|policy| figures(&outcome, policy));
    // Headroom that sufficed for the previous days: only the forecasts meet the objective on the next ones.
    assert!(!fixed.2 && !hpa.2 && arima.2 && mpc.2 && lp.2, "{fixed:?} {hpa:?} {arima:?} {mpc:?} {lp:?}");
    // And for a tenth less than the autoscaler, and a third less than the fixed fleet.
    assert!(arima.0 < 0.9 * hpa.0 && hpa.0 < 0.8 * fixed.0, "{arima:?} {hpa:?} {fixed:?}");
    assert!((mpc.0 / arima.0 - 1.0).abs() < 0.02, "{mpc:?} {arima:?}");
    // Knowing the trace saves less than that again, and no plan is below the bound.
    let bound = outcome.bound.as_ref().unwrap().cost.as_f64();
    assert!(bound < lp.0 && lp.0 < arima.0, "{bound} {lp:?} {arima:?}");
    assert_eq!(run(&outcome, "lp").foresight, Foresight::Clairvoyant);
    let arima = run(&outcome, "arima");
    let price = ForecastPrice::of(arima, &arima.services[0]).unwrap();
    // Ordered for the 90% quantile: in about nine of ten steps the rate does not exceed it. Two days of five-minute
    // steps.
    assert!(price.judged > 500 && (0.85..=0.97).contains(&price.within_plan.unwrap()), "{price:?}");
}

#[test]
fn an_unforeseeable_burst_defeats_prediction_without_a_calendar() {
    let outcome = story("forecast-burst");
    page_is_small(&outcome);
    let [hpa, arima, mpc, floor, told] =
        ["hpa", "arima", "mpc", "arima-floor", "arima-told"].map(|policy| figures(&outcome, policy));
    // Prediction is much worse than reaction, with and without a plan; a reactive floor prevents that, at a price.
    assert!(arima.1 < hpa.1 - 0.05 && mpc.1 < hpa.1 - 0.05, "{arima:?} {mpc:?} {hpa:?}");
    assert!(floor.1 > hpa.1 - 0.01 && floor.0 > hpa.0, "{floor:?} {hpa:?}");
    assert!(!hpa.2 && !floor.2 && told.2, "{hpa:?} {floor:?} {told:?}");
    assert!(told.0 < 1.1 * hpa.0, "{told:?} {hpa:?}");
    // One miss causes nearly all of the damage: the evening of the event, from hour 185 on.
    let record = run(&outcome, "arima");
    let price = ForecastPrice::of(record, &record.services[0]).unwrap();
    let (first, all) = (price.dearest()[0].clone(), price.total(Direction::Above).1);
    let hour = first.from.as_secs_f64() / 3600.0;
    assert!((185.0..188.0).contains(&hour), "{first:?}");
    assert!(first.charge.lost as f64 > 0.95 * all.lost as f64, "{first:?} of {all:?}");
    assert!(first.charge.violation.as_secs_f64() > 3600.0, "{first:?}");
}
