//! How fast traces are read and arrivals are generated. Each figure is per core; bytes are those of the uncompressed
//! text.
//!
//! The goals: access logs at 300 MB/s, tables about as fast as the `csv` crate's record reader (`csv_crate` is that
//! reader alone on the same file), our own Parquet at 50 million arrivals/s, Poisson arrivals in less than 4 ns.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use plimsoll::config::{Diagnostics, SourceFile, parse_single};
use plimsoll::random::Streams;
use plimsoll::workload::{RequestBatch, TraceOptions, WorkloadSpec};

fn main() {
    divan::main();
}

static FILES: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary directory"));

const ROWS: u64 = 1_000_000;

/// A file in the temporary directory, written once.
fn file(name: &str, text: impl FnOnce() -> String) -> PathBuf {
    let path = FILES.path().join(name);
    if !path.exists() {
        std::fs::write(&path, text()).expect("a temporary file");
    }
    path
}

fn access_log_file() -> PathBuf {
    file("access.log", || {
        let mut text = String::new();
        for row in 0..ROWS {
            let second = row / 40;
            let (hour, minute) = (second / 3600 % 24, second / 60 % 60);
            let (a, b, second) = (row % 251, row % 13, second % 60);
            let _ = writeln!(
                text,
                "203.0.113.{a} - - [20/May/2024:{hour:02}:{minute:02}:{second:02} +0000] \"GET /shop/article/{row}?page={b} \
                 HTTP/1.1\" 200 59{a} \"https://example.org/shop/\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\"",
            );
        }
        text
    })
}

fn azure_file() -> PathBuf {
    file("azure.csv", || {
        let mut text = String::from("TIMESTAMP,ContextTokens,GeneratedTokens\r\n");
        for row in 0..ROWS {
            let (second, rest) = (row / 100, row % 100);
            let (hour, minute) = (second / 3600, second / 60 % 60);
            let second = second % 60;
            let _ = write!(
                text,
                "2023-11-16 {hour:02}:{minute:02}:{second:02}.{rest:02}80590,{},{}\r\n",
                row % 4000,
                row % 300
            );
        }
        text
    })
}

/// Reads to the end and returns the number of requests.
fn drain(spec: &WorkloadSpec, most: u64) -> u64 {
    let mut source = spec.open(Streams::new(1, 0), 0).expect("a readable trace");
    let mut batch = RequestBatch::default();
    let mut rows = 0;
    while rows < most {
        batch.clear();
        source.fill(&mut batch).expect("a readable trace");
        if batch.is_empty() {
            break;
        }
        rows += batch.len() as u64;
    }
    rows
}

fn of_file(bencher: Bencher, path: &std::path::Path) {
    let bytes = std::fs::metadata(path).expect("a file").len();
    let spec = WorkloadSpec::from_trace(path, TraceOptions::default());
    bencher.counter(ItemsCount::new(ROWS)).counter(BytesCount::new(bytes)).bench(|| {
        assert_eq!(drain(&spec, u64::MAX), ROWS);
    });
}

#[divan::bench]
fn access_log(bencher: Bencher) {
    of_file(bencher, &access_log_file());
}

#[divan::bench]
fn azure_llm_csv(bencher: Bencher) {
    of_file(bencher, &azure_file());
}

/// For comparison: only records, no fields read.
#[divan::bench]
fn csv_crate(bencher: Bencher) {
    let path = azure_file();
    let bytes = std::fs::metadata(&path).expect("a file").len();
    bencher.counter(ItemsCount::new(ROWS)).counter(BytesCount::new(bytes)).bench(|| {
        let mut reader = csv::Reader::from_path(&path).expect("a readable table");
        let mut record = csv::ByteRecord::new();
        let mut rows = 0;
        while reader.read_byte_record(&mut record).expect("a readable table") {
            rows += 1;
        }
        assert_eq!(rows, ROWS);
    });
}

fn generated(bencher: Bencher, text: &str) {
    let node = parse_single(&SourceFile::new("bench", text)).expect("a workload");
    let spec = WorkloadSpec::from_node(&node, FILES.path(), &mut Diagnostics::new()).expect("a workload");
    bencher.counter(ItemsCount::new(10 * ROWS)).bench(|| assert!(drain(&spec, 10 * ROWS) >= 10 * ROWS));
}

#[divan::bench]
fn poisson(bencher: Bencher) {
    generated(bencher, "poisson: 1000000/s");
}

#[divan::bench]
fn counts_to_arrivals(bencher: Bencher) {
    file("counts.csv", || {
        (0..1000).fold("time,count\n".to_string(), |text, minute| text + &format!("{},10000\n", minute * 60))
    });
    generated(bencher, "trace: counts.csv");
}

#[divan::bench]
fn poisson_thinned(bencher: Bencher) {
    generated(
        bencher,
        "poisson: 1000000/s\ntransforms: [{ window: { from: 1s } }, { spread: 1ms }, { scale-rate: 0.5 }]",
    );
}

/// Epoch seconds and two token counts.
fn numbers_file() -> PathBuf {
    file("numbers.csv", || {
        (0..ROWS).fold(String::from("time,tokens_in,tokens_out\n"), |mut text, row| {
            let _ = writeln!(text, "{}.{:03},{},{}", 1_700_000_000 + row / 100, row % 100 * 10, row % 4000, row % 300);
            text
        })
    })
}

#[divan::bench]
fn csv_numbers(bencher: Bencher) {
    let path = numbers_file();
    let mut options = TraceOptions::default();
    options.columns.time = vec!["time".into()];
    options.columns.tokens_in = Some("tokens_in".into());
    options.columns.tokens_out = Some("tokens_out".into());
    let bytes = std::fs::metadata(&path).expect("a file").len();
    let spec = WorkloadSpec::from_trace(&path, options);
    bencher.counter(ItemsCount::new(ROWS)).counter(BytesCount::new(bytes)).bench(|| {
        assert_eq!(drain(&spec, u64::MAX), ROWS);
    });
}

#[cfg(feature = "tables")]
mod parquet {
    use super::*;

    use plimsoll::workload::{ConvertOptions, convert};

    /// Ten million arrivals in our own format.
    fn own() -> PathBuf {
        let path = FILES.path().join("own.parquet");
        if !path.exists() {
            let source = file("offsets.csv", || {
                (0..10 * ROWS).fold(String::from("offset_ns\n"), |mut text, row| {
                    let _ = writeln!(text, "{}", row * 1_000_003 + row * row % 999_983);
                    text
                })
            });
            convert(&source.as_path().into(), &TraceOptions::default(), &path, &ConvertOptions::default())
                .expect("a conversion");
        }
        path
    }

    #[divan::bench]
    fn own_parquet(bencher: Bencher) {
        let spec = WorkloadSpec::from_trace(&own(), TraceOptions::default());
        let bytes = std::fs::metadata(own()).expect("a file").len();
        bencher
            .counter(ItemsCount::new(10 * ROWS))
            .counter(BytesCount::new(bytes))
            .bench(|| assert_eq!(drain(&spec, u64::MAX), 10 * ROWS));
    }

    /// The same ten million arrivals, read and written again.
    #[divan::bench]
    fn own_parquet_rewritten(bencher: Bencher) {
        let (from, to) = (own(), FILES.path().join("again.parquet"));
        bencher.counter(ItemsCount::new(10 * ROWS)).bench(|| {
            convert(&from.as_path().into(), &TraceOptions::default(), &to, &ConvertOptions::default())
                .expect("a conversion");
        });
    }
}
