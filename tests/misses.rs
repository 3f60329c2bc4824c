//! The cost of a forecast's misses in whole runs: a planted miss is found, charged, and avoided with a calendar.

use std::fs;

use plimsoll::config::Diagnostics;
use plimsoll::experiment::{self, Charge, Direction, ForecastPrice, Outcome};
use plimsoll::report;
use plimsoll::scenario::Scenario;
use plimsoll::units::{SimDuration, SimTime, Usd};
use tempfile::TempDir;

/// Six hours at ten requests per second, except for twenty minutes from 4:00 at thirty. Five replicas of 2.5 requests
/// per second would suffice; a replica takes ten minutes to start.
const SCENARIO: &str = "\
seed: 3
warm-up: 1h
interval: 1m
workload: { trace: flat.csv, columns: { time: time, count: count }, interval: 1m }
service:
  name: web
  replicas: 7
  resources: { requests: { cpu: 1, memory: 1Gi } }
  concurrency: 4
  queue-limit: 40
  service-time: { exponential: { mean: 1s } }
  start-up: 600s
  price: $1/h
objectives:
  - latency: { within: 8s, target: 99% }
policies:
  blind: &blind
    predictive:
      min: 2
      max: 40
      forecaster: { moving-average: { window: 12 } }
      capacity: 2.5/s
      quantile: 99%
      step: 5m
      lead: 10m
      warm-up: 30m
  told:
    predictive:
      min: 2
      max: 40
      forecaster: { moving-average: { window: 12 } }
      capacity: 2.5/s
      quantile: 99%
      step: 5m
      lead: 10m
      warm-up: 30m
      calendar: [{ from: 4h, to: 4h20m, times: 3 }]
  fixed: { static: { replicas: 7 } }
";

fn outcome() -> Outcome {
    let place = TempDir::new().unwrap();
    let rate = |minute: usize| if (240..260).contains(&minute) { 1800 } else { 600 };
    let rows: String = (0..360).map(|minute| format!("{},{}\n", 60 * minute, rate(minute))).collect();
    fs::write(place.path().join("flat.csv"), format!("time,count\n{rows}")).unwrap();
    let path = place.path().join("s.yaml");
    fs::write(&path, SCENARIO).unwrap();
    let mut sink = Diagnostics::new();
    let scenario = Scenario::read(&path, &[], &mut sink).unwrap_or_else(|| panic!("{sink}"));
    experiment::run(&scenario, "", 0, &|_, _| {}).unwrap()
}

#[test]
fn a_planted_miss_is_found_and_charged_with_what_it_did() {
    let outcome = outcome();
    let price = |index: usize| {
        let run = &outcome.runs[index];
        ForecastPrice::of(run, &run.services[0])
    };
    let (blind, told) = (price(0).unwrap(), price(1).unwrap());
    assert!(price(2).is_none(), "a fixed size foretells nothing");

    let at = |minute: u64| SimTime::from_secs(60 * minute);
    let first = blind.dearest()[0];
    assert_eq!((first.direction, first.from), (Direction::Above, at(240)));
    assert!((first.actual / 30.0 - 1.0).abs() < 0.1 && first.planned < 15.0, "{first:?}");
    // Queues fill within the first minutes, and a reaction brings replicas ten minutes and a step later.
    let lasted = first.charge.violation;
    assert!(lasted >= SimDuration::from_secs(600) && lasted <= SimDuration::from_secs(2400), "{first:?}");
    assert!(first.charge.slow + first.charge.lost > 3_000, "{first:?}");
    // The average includes the burst when it is over, which costs money.
    let after = blind.misses.iter().find(|miss| miss.direction == Direction::Below).unwrap();
    assert!(after.from >= at(260) && after.charge.over_provision > Usd::ZERO, "{after:?}");

    // A policy that knows of the event does not miss it.
    assert_eq!(told.total(Direction::Above).1.violation, SimDuration::ZERO);
    assert!(told.misses.iter().all(|miss| miss.actual < 25.0), "{:?}", told.misses);
}

#[test]
fn misses_and_the_rest_add_up_to_the_run() {
    let outcome = outcome();
    for run in &outcome.runs[..2] {
        let service = &run.services[0];
        let price = ForecastPrice::of(run, service).unwrap();
        let charges = price.misses.iter().map(|miss| miss.charge).chain([price.rest]);
        let (mut violation, mut lost, mut slow) = (SimDuration::ZERO, 0, 0);
        charges.for_each(|Charge { violation: v, slow: s, lost: l, .. }| {
            (violation, slow, lost) = (violation + v, slow + s, lost + l);
        });
        let judged: Vec<_> = service.timeline.iter().filter(|interval| interval.start >= run.warm_up).collect();
        assert_eq!(lost, judged.iter().map(|interval| interval.lost).sum::<u64>());
        assert_eq!(slow, judged.iter().map(|interval| interval.completed - interval.good).sum::<u64>());
        // Nothing was late before the end of the warm-up.
        assert_eq!(violation, service.objectives[0].violation);
        // Each step of the run is forecast once, ten minutes ahead.
        let pairs = service.forecasts.windows(2);
        pairs.for_each(|pair| assert_eq!(pair[0].to, pair[1].from));
        assert!(service.forecasts.iter().all(|told| told.from <= told.at + SimDuration::from_secs(600)));
        assert!(service.forecasts.iter().all(|told| told.at + SimDuration::from_secs(600) < told.to));
    }
}

#[test]
fn the_report_draws_the_forecast_and_tells_what_its_misses_cost() {
    let files = report::artifacts(&outcome()).unwrap();
    let text = |name: &str| {
        let file = files.iter().find(|file| file.name == name).unwrap_or_else(|| panic!("no {name}"));
        String::from_utf8(file.bytes.clone()).unwrap()
    };
    let page = text("report.html");
    assert!(page.contains("Forecasts and what their misses cost") && page.contains("04:00:00 to"));
    assert!(text("summary.md").contains("| above | 04:00:00 to"));
    let misses = text("misses.csv");
    assert!(misses.lines().any(|line| line.starts_with("blind,web,above,14400,")), "{misses}");
    assert!(text("forecasts.csv").lines().count() > 100);
    #[cfg(feature = "charts")]
    assert!(text("forecast-1-blind.svg").contains("80% interval") && page.contains("Forecast and actual load: told"));
    // No such section without forecasts.
    let mut plain = outcome();
    plain.runs.drain(..2);
    let files = report::artifacts(&plain).unwrap();
    assert!(files.iter().all(|file| !file.name.contains("forecast") && file.name != "misses.csv"));
}
