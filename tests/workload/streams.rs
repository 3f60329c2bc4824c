//! Properties of streams: order, means, dispersion, lengths, determinism.

use std::path::Path;

use plimsoll::config::{Diagnostics, SourceFile, parse_single};
use plimsoll::random::Streams;
use plimsoll::units::{SimDuration, SimTime};
use plimsoll::workload::{RequestBatch, TraceSource, WorkloadSpec};
use proptest::prelude::*;

/// The workload that `text` describes; relative paths start from `base`.
fn spec(base: &Path, text: &str) -> WorkloadSpec {
    let source = SourceFile::new("workload.yaml", text);
    let mut sink = Diagnostics::new();
    let node = parse_single(&source).unwrap();
    let spec = WorkloadSpec::from_node(&node, base, &mut sink);
    assert!(sink.is_empty(), "{sink}");
    spec.unwrap()
}

/// All arrivals of a stream, checked for order and for the length it states.
fn arrivals(source: &mut dyn TraceSource) -> Vec<u64> {
    let mut batch = RequestBatch::default();
    let mut all: Vec<u64> = Vec::new();
    loop {
        batch.clear();
        source.fill(&mut batch).unwrap();
        if batch.is_empty() {
            break;
        }
        all.extend(batch.arrivals.iter().map(|time| time.as_nanos()));
    }
    assert!(all.is_sorted(), "arrivals go back");
    if let (Some(last), Some(extent)) = (all.last(), source.extent()) {
        assert!(*last < extent.as_nanos(), "the last arrival {last} lies outside of {extent}");
    }
    all
}

fn open(spec: &WorkloadSpec, seed: u64) -> Vec<u64> {
    arrivals(&mut *spec.open(Streams::new(seed, 0), 0).unwrap())
}

/// Mean and variance of the counts in bins of `width` nanoseconds over `length`.
fn counts(times: &[u64], width: u64, length: u64) -> (f64, f64) {
    let bins = (length / width) as usize;
    let mut counts = vec![0f64; bins];
    for time in times.iter().filter(|time| (**time / width) < bins as u64) {
        counts[(time / width) as usize] += 1.0;
    }
    let mean = counts.iter().sum::<f64>() / bins as f64;
    let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / (bins - 1) as f64;
    (mean, variance)
}

const SECOND: u64 = 1_000_000_000;

/// A bursty trace: nine quiet seconds, then a busy one, repeatedly; written as CSV.
fn bursty(directory: &Path) {
    let mut text = String::from("time,tokens\n");
    let poisson = spec(directory, "poisson: { rate: 50/s, for: 2000s }");
    for (row, time) in open(&poisson, 7).into_iter().enumerate() {
        let busy = time / SECOND % 10 == 9;
        if busy || row % 10 == 0 {
            text.push_str(&format!("{}.{:09},{row}\n", time / SECOND, time % SECOND));
        }
    }
    std::fs::write(directory.join("bursty.csv"), text).unwrap();
}

#[test]
fn a_poisson_process_has_the_mean_and_dispersion_of_one() {
    let times = open(&spec(Path::new("."), "poisson: { rate: 400/s, for: 2500s }"), 1);
    let (mean, variance) = counts(&times, SECOND, 2500 * SECOND);
    // A million arrivals: standard deviation of the mean 0.4; of the index of dispersion sqrt(2 / 2500) = 0.028.
    assert!((mean - 400.0).abs() < 2.0, "{mean}");
    assert!((variance / mean - 1.0).abs() < 0.12, "{}", variance / mean);
}

#[test]
fn a_fast_poisson_process_does_not_drift() {
    // Interarrival times of 20 ns: always rounding up or down would show in the mean.
    let mut source = spec(Path::new("."), "poisson: 50000000/s").open(Streams::new(3, 0), 0).unwrap();
    let mut batch = RequestBatch::default();
    let mut last = SimTime::ZERO;
    let mut n = 0u64;
    while n < 4_000_000 {
        batch.clear();
        source.fill(&mut batch).unwrap();
        n += batch.len() as u64;
        last = *batch.arrivals.last().unwrap();
    }
    let mean_ns = last.as_nanos() as f64 / n as f64;
    // Standard deviation of the mean of four million gaps: 0.01 ns.
    assert!((mean_ns - 20.0).abs() < 0.05, "{mean_ns}");
}

#[test]
fn constant_arrivals_are_even_to_the_nanosecond() {
    let times = open(&spec(Path::new("."), "constant: { rate: 3/s, for: 1000s }"), 1);
    assert_eq!(times.len(), 3000);
    assert_eq!((times[1], times[2], times[3], times[2999]), (333_333_333, 666_666_667, SECOND, 999_666_666_667));
}

#[test]
fn the_same_seed_gives_the_same_stream_and_services_differ() {
    let workload = spec(Path::new("."), "poisson: { rate: 10/s, for: 100s }\ntransforms: [{ spread: 1s }]");
    assert_eq!(open(&workload, 5), open(&workload, 5));
    assert_ne!(open(&workload, 5), open(&workload, 6));
    let other = arrivals(&mut *workload.open(Streams::new(5, 0), 1).unwrap());
    assert_ne!(open(&workload, 5), other);
}

#[test]
fn a_window_cuts_and_shifts() {
    let whole = open(&spec(Path::new("."), "poisson: { rate: 5/s, for: 100s }"), 2);
    let text = "poisson: { rate: 5/s, for: 100s }\ntransforms: [{ window: { from: 20s, to: 50s } }]";
    let workload = spec(Path::new("."), text);
    let part = whole.iter().filter(|t| (20 * SECOND..50 * SECOND).contains(t)).map(|t| t - 20 * SECOND);
    assert_eq!(open(&workload, 2), part.collect::<Vec<_>>());
    assert_eq!(workload.extent(SimDuration::MAX).unwrap(), Some(SimDuration::from_secs(30)));
}

#[test]
fn repetitions_keep_the_season_and_draw_anew() {
    let text = "poisson: { rate: 5/s, for: 95s }\ntransforms: [{ repeat: { times: 3, unit: 1m } }]";
    let workload = spec(Path::new("."), text);
    let times = open(&workload, 2);
    assert_eq!(workload.extent(SimDuration::MAX).unwrap(), Some(SimDuration::from_secs(360)));
    let pass = |n: u64| {
        let period = 120 * SECOND;
        times.iter().filter(|t| **t / period == n).map(|t| t - n * period).collect::<Vec<u64>>()
    };
    assert!(times.iter().all(|t| t % (120 * SECOND) < 95 * SECOND));
    assert_ne!(pass(0), pass(1));
    assert_ne!(pass(1), pass(2));
    assert_eq!(pass(0), open(&spec(Path::new("."), "poisson: { rate: 5/s, for: 95s }"), 2));
}

#[test]
fn thinning_shrinks_what_is_above_poisson_in_proportion() {
    let directory = tempfile::tempdir().unwrap();
    bursty(directory.path());
    let length = 2000 * SECOND;
    let whole = open(&spec(directory.path(), "trace: bursty.csv\ncolumns: { time: time }\nrows: requests"), 1);
    let (mean, variance) = counts(&whole, SECOND, length);
    let dispersion = variance / mean;
    assert!(dispersion > 10.0, "the sample is bursty: {dispersion}");
    let thinned = open(
        &spec(
            directory.path(),
            "trace: bursty.csv\ncolumns: { time: time }\nrows: requests\ntransforms: [{ scale-rate: 0.25 }]",
        ),
        1,
    );
    let (thin_mean, thin_variance) = counts(&thinned, SECOND, length);
    assert!((thin_mean / mean - 0.25).abs() < 0.01, "{thin_mean} of {mean}");
    let expected = 1.0 + 0.25 * (dispersion - 1.0);
    assert!((thin_variance / thin_mean / expected - 1.0).abs() < 0.05, "{} for {expected}", thin_variance / thin_mean);
}

#[test]
fn superposition_keeps_the_relative_variation() {
    let directory = tempfile::tempdir().unwrap();
    bursty(directory.path());
    let (width, length) = (2 * SECOND, 2000 * SECOND);
    let (mean, variance) = counts(
        &open(&spec(directory.path(), "trace: bursty.csv\ncolumns: { time: time }\nrows: requests"), 1),
        width,
        length,
    );
    let text = "trace: bursty.csv\ncolumns: { time: time }\nrows: requests\ntransforms: [{ scale-rate: { factor: 3.5, jitter: 50ms } }]";
    let scaled = open(&spec(directory.path(), text), 1);
    let (more, spread) = counts(&scaled, width, length);
    assert!((more / mean - 3.5).abs() < 0.03, "{more} of {mean}");
    // Windows of 2 s, jitter of 50 ms: standard deviation over mean stays.
    let ratio = (spread.sqrt() / more) / (variance.sqrt() / mean);
    assert!((ratio - 1.0).abs() < 0.03, "{ratio}");
    // Copies do not form clumps: hardly any two arrivals coincide.
    let bunched = scaled.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert!(bunched * 1000 < scaled.len(), "{bunched} of {}", scaled.len());
}

#[test]
fn counts_are_kept_whatever_the_expansion() {
    let directory = tempfile::tempdir().unwrap();
    let text = "timestamp,count\n2024-05-01 00:00,3\n2024-05-01 00:01,0\n2024-05-01 00:02,100\n2024-05-01 00:05,7\n";
    std::fs::write(directory.path().join("counts.csv"), text).unwrap();
    for expand in ["even", "poisson"] {
        let workload = spec(directory.path(), &format!("trace: counts.csv\nexpand: {expand}"));
        let times = open(&workload, 9);
        let per_minute = |minute: u64| times.iter().filter(|t| **t / (60 * SECOND) == minute).count();
        assert_eq!([0, 1, 2, 3, 4, 5].map(per_minute), [3, 0, 100, 0, 0, 7], "{expand}");
        assert_eq!(workload.extent(SimDuration::MAX).unwrap(), Some(SimDuration::from_secs(360)));
        // Scaling comes before expansion, so it is exact.
        let text = format!("trace: counts.csv\nexpand: {expand}\ntransforms: [{{ scale-rate: 40 }}]");
        assert_eq!(open(&spec(directory.path(), &text), 9).len(), 4400, "{expand}");
    }
}

#[test]
fn levels_become_arrivals_by_the_stated_model_only() {
    let directory = tempfile::tempdir().unwrap();
    let text = "time,players\n1619600000,1000\n1619600300,2000\n1619640000,50\n1619640300,50\n";
    std::fs::write(directory.path().join("players.csv"), text).unwrap();
    let workload = "trace: players.csv\ncolumns: { level: players }\nrequests-per-unit: 0.5/s\nmax-gap: 10m\nexpand: ";
    for expand in ["even", "poisson"] {
        let times = open(&spec(directory.path(), &format!("{workload}{expand}")), 4);
        let between =
            |from: u64, to: u64| times.iter().filter(|t| (from * SECOND..to * SECOND).contains(*t)).count() as f64;
        // 300 s at 1,500 players on average; then 600 s at 2,000, then a gap; then 300 s at 50.
        for (from, to, mean) in
            [(0, 300, 225_000.0), (300, 900, 600_000.0), (900, 40_000, 0.0), (40_000, 40_300, 7_500.0)]
        {
            let found = between(from, to);
            assert!((found - mean).abs() <= 5.0 * f64::sqrt(mean), "{expand}: {found} for {mean} from {from} to {to}");
        }
    }
}

#[test]
fn a_log_to_the_second_is_spread_over_its_seconds() {
    let directory = tempfile::tempdir().unwrap();
    let line = |second| format!("10.0.0.1 - - [20/May/2024:00:00:{second:02} +0000] \"GET / HTTP/1.1\" 200 5\n");
    let text: String = [3, 3, 3, 3, 4, 9].into_iter().map(line).collect();
    std::fs::write(directory.path().join("access.log"), text).unwrap();
    assert_eq!(open(&spec(directory.path(), "trace: access.log"), 1)[..5], [0, 0, 0, 0, SECOND]);
    let times = open(&spec(directory.path(), "trace: access.log\ntransforms: [{ spread: 1s }]"), 1);
    let seconds: Vec<u64> = times.iter().map(|t| t / SECOND).collect();
    assert_eq!(seconds, [0, 0, 0, 0, 1, 6]);
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
}

#[test]
fn every_combination_of_transforms_keeps_the_order() {
    let directory = tempfile::tempdir().unwrap();
    bursty(directory.path());
    let strategy = proptest::collection::vec(
        prop_oneof![
            (0.1f64..4.0).prop_map(|factor| format!("scale-rate: {factor:.3}")),
            (0u64..300, 1u64..2000)
                .prop_map(|(from, more)| format!("window: {{ from: {from}s, to: {}s }}", from + more)),
            (1u32..4).prop_map(|times| format!("repeat: {times}")),
            (0.1f64..3.0).prop_map(|factor| format!("time-warp: {factor:.3}")),
            (1u64..5000).prop_map(|ms| format!("spread: {ms}ms")),
            (0u64..900, 0.0f64..5.0).prop_map(|(at, factor)| {
                format!("overlay: [{{ at: {at}s, factor: {factor:.2}, ramp: 20s, for: 100s }}]")
            }),
            (0.3f64..3.0).prop_map(|factor| format!("growth: {{ factor: {factor:.2}, per: 300s, uncertainty: 10% }}")),
            (1u64..60).prop_map(|s| format!("anonymise: {{ jitter: {s}s }}")),
            (0u64..300).prop_map(|at| {
                format!("splice: {{ trace: bursty.csv, columns: {{ time: time }}, rows: requests, to: 90s, at: {at}s, mode: add }}")
            }),
        ],
        0..4,
    );
    let sources = prop_oneof![
        Just("trace: bursty.csv\ncolumns: { time: time }\nrows: requests"),
        Just("poisson: { rate: 20/s, for: 500s }"),
        Just("constant: { rate: 9/s, for: 300s }"),
        Just("hawkes: { rate: 9/s, branching: 0.5, delay: 1s, for: 300s }"),
        Just("fraud: { rate: 9/s, for: 300s, waves: [{ at: 100s, for: 60s, rate: 20/s }] }"),
        Just("cascade: { rate: 9/s, block: 60s, profile: [1, 3], uneven: [0.5, 1, 0.2], together: 30%, for: 300s }"),
        Just("llm-chat: { rate: 3/s, for: 300s }")
    ];
    proptest!(ProptestConfig::with_cases(40), |(source in sources, steps in strategy, seed in 0u64..1000)| {
        let list: String = steps.iter().map(|step| format!("\n  - {step}")).collect();
        let text = if list.is_empty() { source.to_string() } else { format!("{source}\ntransforms:{list}") };
        let workload = spec(directory.path(), &text);
        let first = open(&workload, seed);
        prop_assert_eq!(&first, &open(&workload, seed));
        // Every request keeps its own attributes: columns stay of equal length.
        let mut batch = RequestBatch::default();
        workload.open(Streams::new(seed, 0), 0).unwrap().fill(&mut batch).unwrap();
        prop_assert!(batch.tokens_in.is_empty() || batch.tokens_in.len() == batch.len());
    });
}

#[test]
fn attributes_follow_their_requests() {
    let directory = tempfile::tempdir().unwrap();
    bursty(directory.path());
    let text = "trace: bursty.csv\ncolumns: { time: time, tokens-in: tokens }";
    let mut whole = RequestBatch::default();
    let mut source = spec(directory.path(), text).open(Streams::new(1, 0), 0).unwrap();
    source.fill(&mut whole).unwrap();
    let text = format!("{text}\ntransforms: [{{ scale-rate: {{ factor: 2, jitter: 3s }} }}]");
    let mut twice = RequestBatch::default();
    spec(directory.path(), &text).open(Streams::new(1, 0), 0).unwrap().fill(&mut twice).unwrap();
    // A recorded request keeps its tokens; one that is added has those of one of the 1,024 nearest on either side.
    let jitter = SimDuration::from_secs(3);
    let mut own = 0;
    for (time, tokens) in twice.arrivals.iter().zip(&twice.tokens_in) {
        let row = whole.tokens_in.iter().position(|known| known == tokens);
        let Some(row) = row else { continue };
        let (early, late) = (SimTime::ZERO.max(time.saturating_sub(jitter)), *time + jitter);
        let first = whole.arrivals.partition_point(|known| *known < early).saturating_sub(1024);
        let last = whole.arrivals.partition_point(|known| *known <= late) + 1024;
        assert!((first..=last).contains(&row), "the tokens of row {row} are those of a request at {time}");
        own += usize::from(whole.arrivals[row] == *time);
    }
    let recorded = whole.arrivals.partition_point(|known| Some(known) <= twice.arrivals.last());
    assert!(own >= recorded, "{own} of {recorded} recorded requests have their own tokens");
}
