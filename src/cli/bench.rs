//! `plimsoll bench`.

mod compare;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, ValueEnum};

use super::failure::Failure;
use super::output::say;
use super::terminal::remark;
use crate::report::results::{BenchResult, BenchResults, BenchRound, RESULTS_VERSION, Results, results_text};
use crate::units::Fraction;
use crate::validate::benchmark::{Prepared, WORKLOADS, Workload};

/// Arguments of `bench`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll bench --workload W1 --workload W2 --requests 20000000
  plimsoll bench --format json > before.json
  plimsoll bench --compare before.json --max-slowdown 10%")]
pub(super) struct BenchArguments {
    /// Requests per workload and round.
    #[arg(long, default_value_t = 2_000_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000_000))]
    requests: u64,
    /// Rounds. Each runs every workload once, so that a disturbance does not fall on one workload alone.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// Only this workload (may be repeated).
    #[arg(long, value_name = "WORKLOAD", value_parser = workload_names(), ignore_case = true)]
    workload: Vec<String>,
    /// Compare with a stored run: what `plimsoll bench --format json` printed.
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Exit with 1 if a workload is slower than the stored run by more than this, and beyond the spread of the rounds.
    #[arg(long, value_name = "SHARE", requires = "compare", value_parser = share)]
    max_slowdown: Option<Fraction>,
    /// Output format.
    #[arg(long, value_enum, default_value_t = BenchFormat::Table)]
    format: BenchFormat,
}

fn workload_names() -> PossibleValuesParser {
    let named = |workload: &Workload| PossibleValue::new(workload.name).help(workload.summary);
    PossibleValuesParser::new(WORKLOADS.iter().map(named))
}

fn share(text: &str) -> Result<Fraction, String> {
    text.parse().map_err(|_| "expected a share, such as `10%`".to_string())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BenchFormat {
    Table,
    Json,
}

/// A workload with the rounds measured so far.
struct Bench {
    workload: &'static Workload,
    prepared: Prepared,
    requests: u64,
    rounds: Vec<BenchRound>,
    peak_bytes: Option<u64>,
}

pub(super) fn bench(arguments: &BenchArguments) -> Result<(), Failure> {
    let named = |workload: &&Workload| arguments.workload.iter().any(|name| name.eq_ignore_ascii_case(workload.name));
    let chosen = WORKLOADS.iter().filter(|workload| arguments.workload.is_empty() || named(workload));
    // First of all: a wrong file is told before the time is spent.
    let stored = arguments.compare.as_deref().map(compare::read).transpose()?;
    let chosen: Vec<&Workload> = chosen.collect();
    if let Some((stored, path)) = stored.as_ref().zip(arguments.compare.as_deref()) {
        compare::some_in_common(stored, path, &chosen)?;
    }
    let measured = measure(&chosen, arguments)?;
    let compared = match (&stored, &arguments.compare) {
        (Some(stored), Some(path)) => Some(compare::compared(stored, path, &measured)?),
        _ => None,
    };
    let too_slow = compare::too_slow(compared.as_deref().unwrap_or_default(), arguments.max_slowdown);
    let plimsoll = env!("CARGO_PKG_VERSION").to_string();
    let results = BenchResults { version: RESULTS_VERSION, plimsoll, workloads: measured, compared };
    match arguments.format {
        BenchFormat::Table => say(&table(&results))?,
        BenchFormat::Json => say(&results_text(&Results::Bench(results)))?,
    }
    if too_slow.is_empty() {
        return Ok(());
    }
    too_slow.iter().for_each(|said| remark(said));
    Err(Failure::Judgement)
}

/// Runs the rounds.
fn measure(chosen: &[&'static Workload], arguments: &BenchArguments) -> Result<Vec<BenchResult>, Failure> {
    let fail = |workload: &Workload, said: String| Failure::input(format!("{}: {said}", workload.name));
    let files = tempfile::tempdir()?;
    let terminal = std::io::stderr().is_terminal();
    let mut benches: Vec<Bench> = Vec::new();
    for round in 1..=arguments.rounds {
        if terminal {
            remark(&format!("  round {round} of {}", arguments.rounds));
        }
        for (number, workload) in chosen.iter().enumerate() {
            if benches.len() == number {
                // Not before its first run: making a file takes memory, which is not that of the workloads before it.
                let directory = files.path().join(workload.name);
                std::fs::create_dir(&directory)?;
                let prepared = workload.prepare(arguments.requests, &directory).map_err(|said| fail(workload, said))?;
                benches.push(Bench { workload, prepared, requests: 0, rounds: Vec::new(), peak_bytes: None });
            }
            benches[number].run_once().map_err(|said| fail(workload, said))?;
        }
    }
    Ok(benches.iter().map(Bench::result).collect())
}

impl Bench {
    fn run_once(&mut self) -> Result<(), String> {
        let run = (self.prepared)()?;
        reset_peak();
        let (start, cpu_start) = (Instant::now(), cpu_time());
        let requests = run()?;
        let cpu = cpu_time().zip(cpu_start).map(|(end, start)| end.saturating_sub(start));
        let per_request = |time: Duration| time.as_secs_f64() * 1e9 / requests.max(1) as f64;
        let ns_per_request = per_request(start.elapsed());
        self.rounds.push(BenchRound { ns_per_request, cpu_ns_per_request: cpu.map(per_request) });
        if self.rounds.len() == 1 {
            // Later the process may hold on to memory of other workloads.
            self.peak_bytes = peak();
        }
        self.requests = requests;
        Ok(())
    }

    fn result(&self) -> BenchResult {
        let wall = wall_of(&self.rounds).median;
        BenchResult {
            name: self.workload.name.into(),
            summary: self.workload.summary.into(),
            requests: self.requests,
            requests_per_s: 1e9 / wall,
            ns_per_request: wall,
            cpu_ns_per_request: cpu_of(&self.rounds).map(|cpu| cpu.median),
            rounds: self.rounds.clone(),
            peak_memory_bytes: self.peak_bytes,
        }
    }
}

/// The median of the rounds and their extremes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

impl Spread {
    /// Of at least one value.
    fn of(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let (middle, last) = (values.len() / 2, values.len().saturating_sub(1));
        let median = if values.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(last - middle), at(middle)) };
        Spread { median, min: at(0), max: at(last) }
    }
}

/// Real time per request in ns.
fn wall_of(rounds: &[BenchRound]) -> Spread {
    Spread::of(rounds.iter().map(|round| round.ns_per_request).collect())
}

/// CPU time per request in ns, if every round has it.
fn cpu_of(rounds: &[BenchRound]) -> Option<Spread> {
    let times: Option<Vec<f64>> = rounds.iter().map(|round| round.cpu_ns_per_request).collect();
    times.filter(|times| !times.is_empty()).map(Spread::of)
}

/// CPU time of all threads of the process so far, of user and system.
#[cfg(unix)]
fn cpu_time() -> Option<Duration> {
    let at = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some(Duration::new(u64::try_from(at.tv_sec).ok()?, u32::try_from(at.tv_nsec).ok()?))
}

#[cfg(not(unix))]
fn cpu_time() -> Option<Duration> {
    None
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

fn table(results: &BenchResults) -> String {
    let rounds = results.workloads.first().map_or(0, |first| first.rounds.len());
    let mut text = format!(
        "{:12}  CPU ns/request: median (min to max)  wall ns/request: median (min to max)  {:>10}  peak memory\n",
        "workload", "requests/s"
    );
    for of in &results.workloads {
        let spread = |spread: Spread| format!("{:.1} ({:.1} to {:.1})", spread.median, spread.min, spread.max);
        let cpu = cpu_of(&of.rounds).map_or_else(|| "-".into(), spread);
        let memory = of.peak_memory_bytes.map_or_else(|| "-".into(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6));
        let millions = format!("{:.2} M", of.requests_per_s / 1e6);
        let wall = spread(wall_of(&of.rounds));
        text.push_str(&format!("{:12}  {cpu:>35}  {wall:>36}  {millions:>10}  {memory:>11}\n", of.name));
    }
    text.push('\n');
    for of in &results.workloads {
        text.push_str(&format!("{}: {}; {} requests\n", of.name, of.summary, of.requests));
    }
    text.push_str(&format!("{rounds} rounds; CPU time is that of all threads\n"));
    if let Some(compared) = &results.compared {
        text.push_str(&compare::table(compared));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_extremes() {
        let of = |values: &[f64]| Spread::of(values.to_vec());
        assert_eq!(of(&[3.0]), Spread { median: 3.0, min: 3.0, max: 3.0 });
        assert_eq!(of(&[4.0, 1.0]), Spread { median: 2.5, min: 1.0, max: 4.0 });
        assert_eq!(of(&[9.0, 1.0, 2.0]), Spread { median: 2.0, min: 1.0, max: 9.0 });
        assert_eq!(of(&[9.0, 1.0, 2.0, 4.0]), Spread { median: 3.0, min: 1.0, max: 9.0 });
    }

    #[cfg(unix)]
    #[test]
    fn cpu_time_passes_while_working() {
        let start = cpu_time().unwrap();
        let mut sum = 0u64;
        while cpu_time().unwrap() == start {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(cpu_time().unwrap() > start);
    }

    /// Every workload is prepared and runs, small.
    #[test]
    fn every_workload_runs() {
        for workload in WORKLOADS {
            let files = tempfile::tempdir().unwrap();
            let prepared = workload.prepare(3_000, files.path()).unwrap_or_else(|e| panic!("{}: {e}", workload.name));
            let counts = [prepared().unwrap()(), prepared().unwrap()()];
            let [Ok(first), Ok(second)] = counts else { panic!("{}: {counts:?}", workload.name) };
            assert!((2_000..=8_000).contains(&first) && first == second, "{}: {first}, {second}", workload.name);
        }
    }
}
