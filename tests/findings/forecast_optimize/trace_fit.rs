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

/// A date does not turn a steady rate into a season: `poisson` has a `start:` too.
#[test]
fn a_dated_poisson_process_is_one_too() {
    let trial = Trial::new(&[]);
    trial.expect("trace synth poisson --set rate=20/s --duration 2h --counts 1m -o p.csv", 0);
    let dated: String = std::iter::once("time,requests\n".to_string())
        .chain(trial.read("p.csv").lines().filter_map(|line| line.split_once(',')).filter_map(|(at, count)| {
            let minute = at.parse::<u64>().ok()? / 60_000_000_000;
            Some(format!("2026-03-02T{:02}:{:02}:00Z,{count}\n", 8 + minute / 60, minute % 60))
        }))
        .collect();
    std::fs::write(trial.path("dated.csv"), dated).unwrap();
    let fitted = trial.expect("trace fit dated.csv", 0);
    assert!(fitted.contains("  poisson:\n    rate: 20.") || fitted.contains("  poisson:\n    rate: 19."), "{fitted}");
    assert!(fitted.contains("    start: 2026-03-02T08:00:00Z\n    for: 2h"), "{fitted}");
    // What it prints is a workload.
    let workload = fitted.split("\n#").next().unwrap();
    let rest = "service: { concurrency: 9, service-time: 100ms }\npolicies: { fixed: { static: { replicas: 2 } } }\n";
    std::fs::write(trial.path("s.yaml"), format!("{workload}\n{rest}")).unwrap();
    trial.expect("check s.yaml", 0);
}

/// One count of 40 million among some thousands: reading it dozens of times took minutes.
#[test]
fn one_absurd_count_is_refused_by_its_time() {
    let count = |row: u64| if row == 200 { 4_000_000 } else { 4990 + row % 21 };
    let rows: String = (0..300).map(|row| format!("{},{}\n", 60 * row, count(row))).collect();
    let trial = Trial::new(&[("c.csv", &format!("time,requests\n{rows}"))]);
    let said = trial.expect("trace fit c.csv", 2);
    assert!(said.contains("in the one interval of 1m"), "{said}");
    assert!(said.contains("has 4000000 of its") && said.contains("at 3h20m"), "{said}");
    // One busy interval among few requests is fitted.
    let few: String = (0..500).map(|row| format!("{},{}\n", 60 * row, if row == 200 { 4000 } else { 5 })).collect();
    std::fs::write(trial.path("few.csv"), format!("time,requests\n{few}")).unwrap();
    trial.expect("trace fit few.csv", 0);
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

/// The game at a fiftieth of its players.
#[test]
fn a_small_game() {
    let mut text = String::new();
    let packed = std::fs::File::open(shipped("game-event.csv.gz")).unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(packed), &mut text).unwrap();
    let small = |line: &str| match line.split_once(',') {
        Some((at, count)) if !line.starts_with('#') && count != "count" => {
            format!("{at},{}\n", count.parse::<f64>().map_or(0.0, |count| (count / 50.0).round()))
        }
        _ => format!("{line}\n"),
    };
    let trial = Trial::new(&[("game.csv", &text.lines().map(small).collect::<String>())]);
    is_close(&fitted(&trial.path("game.csv"), TraceOptions::default()), 1);
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
