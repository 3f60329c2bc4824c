//! A2, B2: `trace fit`.

use std::path::{Path, PathBuf};

use plimsoll::random::Streams;
use plimsoll::workload::{Fit, TraceOptions, WorkloadSpec, fit, parse_instant};

use super::super::trial::Trial;
use crate::workload::traces::trace;

/// A2: gaps in dense traffic chained it into clusters of 126,033 requests, which the generator rejects, and the fit
/// stopped there.
#[test]
fn a_dense_poisson_process_is_found_to_be_one() {
    let trial = Trial::new(&[]);
    trial.expect("trace synth poisson --set rate=120/s --duration 2h --counts 1m -o p.csv", 0);
    let fitted = trial.expect("trace fit p.csv", 0);
    assert!(fitted.contains("  poisson:\n    rate: 1"), "{fitted}");
}

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("traces").join(name)
}

fn fitted(path: &Path, options: TraceOptions) -> Fit {
    fit(&WorkloadSpec::from_trace(path, options), Streams::new(1, 0)).unwrap()
}

/// B2: for seeds not used in fitting, the median index of dispersion up to an hour is within 0.8 to 1.25 of the
/// recorded one, and autocorrelations at lags of 1, 10 and 60 steps of the trace within 0.1.
fn is_close(fit: &Fit, scales: usize) {
    let shown: String =
        fit.comparison.iter().map(|row| format!("{} {:.3} {:.3}\n", row.name, row.recorded, row.synthetic)).collect();
    let shown = format!("{}\n{shown}", fit.yaml);
    println!("{shown}");
    let (mut seen, mut lags) = (0, 0);
    for row in &fit.comparison {
        if row.name.starts_with("index of dispersion") && !row.name.ends_with("1d") {
            let ratio = row.synthetic / row.recorded;
            assert!((0.8..=1.25).contains(&ratio), "{}: {ratio}\n{shown}", row.name);
            seen += 1;
        }
        if row.name.starts_with("autocorrelation, ") {
            assert!((row.synthetic - row.recorded).abs() <= 0.1, "{}\n{shown}", row.name);
            lags += 1;
        }
    }
    assert_eq!((seen, lags), (scales, 3), "{shown}");
}

#[test]
fn a_shop_of_bursts_of_one_instant() {
    is_close(&fitted(&shipped("shop-peak.csv.gz"), TraceOptions::default()), 3);
}

#[test]
fn bursts_within_bursts_of_logins() {
    is_close(&fitted(&shipped("fraud-burst.csv.gz"), TraceOptions::default()), 5);
}

#[test]
fn a_web_server_by_day_and_night() {
    is_close(&fitted(&shipped("nasa-july.csv.gz"), TraceOptions::default()), 2);
}

#[test]
fn a_chat_model() {
    is_close(&fitted(&shipped("llm-chat.csv.gz"), TraceOptions::default()), 3);
}

/// Nine million requests, read about forty times.
#[test]
#[ignore = "takes a minute"]
fn a_game() {
    is_close(&fitted(&shipped("game-event.csv.gz"), TraceOptions::default()), 1);
}

/// Two days of the 1998 World Cup, 40 million requests, read about twenty times.
#[test]
#[ignore = "takes minutes"]
fn a_world_cup() {
    let Some(path) = trace("web_worldcup98_per_minute.csv.gz") else { return };
    let mut options = TraceOptions::default();
    (options.start, options.end) = (parse_instant("1998-06-10T00:00:00Z"), parse_instant("1998-06-12T00:00:00Z"));
    is_close(&fitted(&path, options), 3);
}
