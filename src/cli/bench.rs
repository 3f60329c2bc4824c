//! `plimsoll bench`.

use std::time::Instant;

use clap::{Args, ValueEnum};

use super::{Failure, say};
use crate::engine::Simulation;
use crate::report::results::{BenchResult, BenchResults, RESULTS_VERSION, Results, results_text};
use crate::validate::benchmark::{WORKLOADS, Workload};

/// Arguments of `bench`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  plimsoll bench --requests 100000000 --format json")]
pub(super) struct BenchArguments {
    /// Requests per workload.
    #[arg(long, default_value_t = 20_000_000)]
    requests: u64,
    /// Only this workload.
    #[arg(long)]
    workload: Option<String>,
    /// Output format.
    #[arg(long, value_enum, default_value_t = BenchFormat::Table)]
    format: BenchFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BenchFormat {
    Table,
    Json,
}

/// One workload's result.
struct Measured {
    name: &'static str,
    summary: &'static str,
    requests: u64,
    seconds: f64,
    peak_bytes: Option<u64>,
}

pub(super) fn bench(arguments: &BenchArguments) -> Result<(), Failure> {
    let wanted = |workload: &&Workload| arguments.workload.as_ref().is_none_or(|name| name == workload.name);
    let measured: Vec<Measured> = WORKLOADS
        .iter()
        .filter(wanted)
        .map(|workload| measure(workload, arguments.requests))
        .collect::<Result<_, _>>()?;
    if measured.is_empty() {
        return Err(Failure::Input("error: the workloads are W1 and W2".into()));
    }
    match arguments.format {
        BenchFormat::Table => say(&table(&measured)),
        BenchFormat::Json => say(&results_text(&results(&measured))),
    }
}

fn measure(workload: &Workload, requests: u64) -> Result<Measured, Failure> {
    reset_peak();
    let fail = |error: crate::engine::RunError| Failure::Input(format!("error: {error}"));
    let simulation = Simulation::new((workload.build)(requests.max(1), 1)).map_err(fail)?;
    let start = Instant::now();
    let record = simulation.run(&mut |_| {}).map_err(fail)?;
    let seconds = start.elapsed().as_secs_f64();
    let requests = record.services.iter().map(|service| service.counts.arrived).sum();
    Ok(Measured { name: workload.name, summary: workload.summary, requests, seconds, peak_bytes: peak() })
}

/// Forgets the process's peak memory so far, where the kernel allows it (Linux: 5 to `clear_refs`).
fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Peak resident memory of the process in bytes, where the kernel tells.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kibibytes * 1024)
}

fn table(measured: &[Measured]) -> String {
    let mut text = String::from("workload      requests/s   ns/request   peak memory\n");
    for m in measured {
        let per_second = m.requests as f64 / m.seconds;
        let nanos = m.seconds * 1e9 / m.requests as f64;
        let memory = m.peak_bytes.map_or_else(|| "-".into(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6));
        text.push_str(&format!("{:8} {:>12.1} M {nanos:>12.1} {memory:>13}\n", m.name, per_second / 1e6));
    }
    for m in measured {
        text.push_str(&format!("{}: {}; {} requests\n", m.name, m.summary, m.requests));
    }
    text
}

fn results(measured: &[Measured]) -> Results {
    let of = |m: &Measured| BenchResult {
        name: m.name.into(),
        summary: m.summary.into(),
        requests: m.requests,
        requests_per_s: m.requests as f64 / m.seconds,
        ns_per_request: m.seconds * 1e9 / m.requests as f64,
        peak_memory_bytes: m.peak_bytes,
    };
    Results::Bench(BenchResults { version: RESULTS_VERSION, workloads: measured.iter().map(of).collect() })
}
