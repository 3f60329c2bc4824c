//! The shipped traces have the facts stated in traces/README.md, in every build.

use std::path::{Path, PathBuf};

use plimsoll::random::Streams;
use plimsoll::units::SimDuration;
use plimsoll::workload::{RequestBatch, SeriesKind, TraceOptions, WorkloadSpec, inspect, show_instant};
use rstest::rstest;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("traces").join(name)
}

#[rstest]
#[case("shop-peak.csv.gz", SeriesKind::Counts, 39_165, "2011-11-27T00:00:00Z", "13d")]
#[case("game-evening.csv.gz", SeriesKind::Counts, 5_448_212, "2021-04-28T12:00:00Z", "18h")]
#[case("game-event.csv.gz", SeriesKind::Counts, 9_068_991, "2021-04-21T00:00:00Z", "9d")]
#[case("nasa-july.csv.gz", SeriesKind::Counts, 1_074_436, "1995-07-03T00:00:00Z", "14d")]
#[case("fraud-burst.csv.gz", SeriesKind::Arrivals, 1_268, "2017-03-27T13:08:09Z", "24d1h6m20s1ns")]
#[case("llm-chat.csv.gz", SeriesKind::Arrivals, 19_366, "2023-11-16T18:15:46.68059Z", "58m21s721ms937us1ns")]
fn shipped_traces_are_as_described(
    #[case] name: &str,
    #[case] kind: SeriesKind,
    #[case] requests: usize,
    #[case] start: &str,
    #[case] extent: &str,
) {
    let path = path(name);
    assert!(std::fs::metadata(&path).unwrap().len() < 300_000);
    let facts = inspect(&path, &TraceOptions::default()).unwrap();
    assert_eq!((facts.format, facts.kind, facts.tally.bad, facts.out_of_order), ("plimsoll", kind, 0, 0));
    let mut source = WorkloadSpec::from_trace(&path, TraceOptions::default()).open(Streams::new(1, 0), 0).unwrap();
    assert_eq!(source.start_epoch_ns().map(show_instant).as_deref(), Some(start));
    let stated: SimDuration = extent.parse().unwrap();
    assert_eq!(source.extent(), Some(stated));
    let mut batch = RequestBatch::default();
    let mut count = 0;
    loop {
        batch.clear();
        source.fill(&mut batch).unwrap();
        if batch.is_empty() {
            break;
        }
        count += batch.len();
        assert!(batch.arrivals.iter().all(|time| time.as_nanos() < stated.as_nanos()));
    }
    assert_eq!(count, requests);
}

#[test]
fn every_shipped_trace_is_described() {
    let readme = std::fs::read_to_string(path("README.md")).unwrap();
    let files = std::fs::read_dir(path("")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    for name in files.filter(|name| name != "README.md") {
        assert!(readme.contains(&format!("`{name}`")), "{name} is not in traces/README.md");
    }
}
