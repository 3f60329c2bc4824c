//! Workloads that read files: a whole run of a trace, and the readers alone.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Build, Measured, Prepared, SecondlyPoisson, Workload, wave};
use crate::config::Diagnostics;
use crate::experiment;
use crate::random::{Purpose, Streams};
use crate::scenario::Scenario;
use crate::workload::{
    ConvertOptions, Opening, Recipe, RequestBatch, TraceError, TraceOptions, TraceSource, WorkloadSpec, write_workload,
};

pub(super) const PROGRAM: Workload = Workload {
    name: "program",
    summary: if cfg!(feature = "tables") {
        "a whole run: scenario, trace in Plimsoll's own form (Parquet), an HPA, lower bound on cost; W2's load"
    } else {
        "a whole run: scenario, trace in Plimsoll's own form (CSV), an HPA, lower bound on cost; W2's load"
    },
    build: Build::Files(|requests, directory| {
        let name = if cfg!(feature = "tables") { "trace.parquet" } else { "trace.csv" };
        own_trace(requests, &directory.join(name))?;
        whole_run(requests, directory, &format!("trace: {name}"))
    }),
};

pub(super) const COUNTS: Workload = Workload {
    name: "counts",
    summary: "the same run from counts per minute, which are expanded to requests",
    build: Build::Files(|requests, directory| {
        counted_trace(requests, &directory.join("counts.csv"))?;
        whole_run(requests, directory, "trace: counts.csv, interval: 1m")
    }),
};

pub(super) const ACCESS_LOG: Workload = Workload {
    name: "access-log",
    summary: "reading an access log of at most 500,000 lines, 160 bytes each",
    build: Build::Files(|rows, directory| {
        reading(directory.join("access.log"), &access_log_text(rows.min(MOST_LINES)))
    }),
};

#[cfg(feature = "tables")]
pub(super) const PARQUET: Workload = Workload {
    name: "parquet",
    summary: "reading a trace of at most 20 million requests in Plimsoll's own form (Parquet)",
    build: Build::Files(|requests, directory| {
        own_trace(requests.min(20_000_000), &directory.join("own.parquet"))?;
        Ok(read_again(directory.join("own.parquet")))
    }),
};

pub(super) const CSV: Workload = Workload {
    name: "csv",
    summary: "reading a CSV table of at most 500,000 rows: a time of day and two numbers of tokens",
    build: Build::Files(|rows, directory| reading(directory.join("tokens.csv"), &table_text(rows.min(MOST_LINES)))),
};

/// The most lines of a text file, which is held in memory while it is made.
const MOST_LINES: u64 = 500_000;

/// Mean requests per second of [`wave`].
const MEAN_RATE: u64 = 2000;

/// An access log in the combined format, 40 requests per second.
pub fn access_log_text(rows: u64) -> String {
    let mut text = String::new();
    for row in 0..rows {
        let second = row / 40;
        let (day, hour, minute) = (20 + second / 86_400 % 10, second / 3600 % 24, second / 60 % 60);
        let (a, b, second) = (row % 251, row % 13, second % 60);
        let _ = writeln!(
            text,
            "203.0.113.{a} - - [{day}/May/2024:{hour:02}:{minute:02}:{second:02} +0000] \"GET /shop/article/{row}?page={b} \
             HTTP/1.1\" 200 59{a} \"https://example.org/shop/\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\"",
        );
    }
    text
}

/// A table in the form of the published traces of Azure's language models, 100 requests per second.
pub fn table_text(rows: u64) -> String {
    let mut text = String::from("TIMESTAMP,ContextTokens,GeneratedTokens\r\n");
    for row in 0..rows {
        let (second, rest) = (row / 100, row % 100);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let (read, written) = (row % 4000, row % 300);
        let _ = write!(text, "2023-11-16 {hour:02}:{minute:02}:{second:02}.{rest:02}80590,{read},{written}\r\n");
    }
    text
}

/// Arrivals of the sinusoidal load for a number of seconds.
#[derive(Debug)]
struct Wave {
    seconds: u64,
}

impl Recipe for Wave {
    fn open(&self, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        let draw = opening.draw(Purpose::Arrival, 0);
        Ok(Box::new(SecondlyPoisson { rate: wave, draw, second: 0, end: self.seconds, at: 0.0 }))
    }
}

/// The length of a trace of about `requests` requests, in seconds.
fn seconds_of(requests: u64) -> u64 {
    requests.div_ceil(MEAN_RATE).max(1)
}

fn own_trace(requests: u64, path: &Path) -> Result<(), String> {
    let spec = WorkloadSpec::from_recipe(Arc::new(Wave { seconds: seconds_of(requests) }));
    let written = write_workload(&spec, Streams::new(1, 0), path, &ConvertOptions::default());
    written.map(|_| ()).map_err(|error| error.to_string())
}

fn counted_trace(requests: u64, path: &Path) -> Result<(), String> {
    let minutes = 0..seconds_of(requests).div_ceil(60);
    let count = |minute: u64| (minute * 60..(minute + 1) * 60).map(wave).sum::<f64>().round();
    let rows = minutes.map(|minute| format!("{},{}\n", minute * 60, count(minute)));
    let text: String = std::iter::once("time,count\n".to_string()).chain(rows).collect();
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// A run of a scenario on a workload, as by `plimsoll run` up to its report.
fn whole_run(requests: u64, directory: &Path, workload: &str) -> Result<Prepared, String> {
    let path = directory.join("bench.yaml");
    let text = format!(
        "name: bench
duration: {}s
workload: {{ {workload} }}
service:
  name: web
  replicas: 72
  concurrency: 4
  service-time: {{ exponential: {{ mean: 100ms }} }}
  resources: {{ requests: {{ cpu: 500m, memory: 1Gi }} }}
  start-up: {{ ready: 60s }}
  price: $0.05/h
objectives: [ {{ latency: {{ within: 500ms, target: 99% }} }} ]
policies: {{ hpa: {{ hpa: {{ min: 2, max: 200, target: {{ in-flight: 2.8 }} }} }} }}
",
        seconds_of(requests)
    );
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Box::new(move || {
        let path = path.clone();
        Ok(Box::new(move || {
            let mut found = Diagnostics::new();
            let scenario = Scenario::read(&path, &[], &mut found).ok_or_else(|| found.to_string())?;
            let outcome = experiment::run(&scenario, "plimsoll bench", 0, &|_, _| {});
            let services = outcome.map_err(|error| error.to_string())?.runs.into_iter().flat_map(|run| run.services);
            Ok(services.map(|service| service.counts.arrived).sum())
        }))
    }))
}

fn reading(path: PathBuf, text: &str) -> Result<Prepared, String> {
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(read_again(path))
}

/// Reads a trace from its beginning to its end.
fn read_again(path: PathBuf) -> Prepared {
    Box::new(move || {
        let spec = WorkloadSpec::from_trace(&path, TraceOptions::default());
        let measured: Measured = Box::new(move || drain(&spec).map_err(|error| error.to_string()));
        Ok(measured)
    })
}

/// Reads to the end and returns the number of requests.
fn drain(spec: &WorkloadSpec) -> Result<u64, TraceError> {
    let mut source = spec.open(Streams::new(1, 0), 0)?;
    let mut batch = RequestBatch::default();
    let mut rows = 0;
    loop {
        batch.clear();
        source.fill(&mut batch)?;
        if batch.is_empty() {
            return Ok(rows);
        }
        rows += batch.len() as u64;
    }
}
