//! `plimsoll verify`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;

use super::replication::Format;
use super::{Failure, files, remark, say};
use crate::experiment::recorded::{Comparison, Rescale, WITHIN, compare, read_runs};
use crate::experiment::verify::{VerifyReport, verify as prove};
use crate::report;
use crate::report::results::{ProofResult, RESULTS_VERSION, Results, VerifyResults, results_text};

/// Arguments of `verify`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  plimsoll verify --full")]
pub(super) struct VerifyArguments {
    /// Run until every interval is at most 2% wide (one to two minutes on two cores in place of ten seconds).
    #[arg(long)]
    full: bool,
    /// Directory of reference data with recorded systems (`validation/hpa/kind`), to be simulated and drawn beside the
    /// recording.
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_REFERENCE")]
    recorded: Option<PathBuf>,
    /// Form of the proof on standard output.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// No progress on standard error.
    #[arg(long, short)]
    quiet: bool,
    /// Directory for the charts of recorded systems.
    #[arg(long, value_name = "DIR", default_value = "reports/verify")]
    out: PathBuf,
}

pub(super) fn verify(arguments: &VerifyArguments) -> Result<(), Failure> {
    let terminal = std::io::stderr().is_terminal() && !arguments.quiet;
    let report = prove(arguments.full, &mut |case| {
        if terminal {
            remark(&format!("  {case}"));
        }
    });
    say(&match arguments.format {
        Format::Table => table(&report),
        Format::Markdown => format!("```\n{}```\n", table(&report)),
        Format::Json => results_text(&results(&report)),
    })?;
    match &arguments.recorded {
        Some(directory) => replay(&directory.join("validation/hpa/kind"), &arguments.out)?,
        None if arguments.quiet => {}
        None => remark("no recorded systems: --recorded names no directory"),
    }
    if report.failed > 0 { Err(Failure::Judgement) } else { Ok(()) }
}

/// Simulates the recorded runs of an HPA. How well they match is stated and no verdict: a recording is one draw of a system
/// that is only partly known.
fn replay(directory: &Path, out: &Path) -> Result<(), Failure> {
    if !directory.is_dir() {
        remark(&format!("no recorded systems: {} is not there", directory.display()));
        return Ok(());
    }
    let recordings = read_runs(directory).map_err(|problem| Failure::Input(format!("error: {problem}")))?;
    let runs: Result<Vec<Comparison>, _> = recordings.runs.iter().map(compare).collect();
    let runs = runs.map_err(|error| Failure::Input(format!("error: {error}")))?;
    say(&recorded_table(&runs))?;
    let left_out = recordings.left_out.len();
    for (name, lacking) in &recordings.left_out {
        say(&format!("LEFT OUT: {name}: {lacking}\n"))?;
    }
    if left_out > 0 {
        say(&format!("{left_out} of {} recordings are LEFT OUT\n", left_out + runs.len()))?;
    }
    let artifacts = report::recorded(&runs).map_err(|error| Failure::Input(format!("error: {error}")))?;
    for path in files::write_all(out, &artifacts)? {
        say(&format!("{}\n", path.display()))?;
    }
    Ok(())
}

fn recorded_table(runs: &[Comparison]) -> String {
    let mut text = format!(
        "{:14}  {:>8}  {:>14}  {:>9}  {:>10}  mean replicas recorded / simulated\n",
        "recorded HPA",
        "rescales",
        format!("within {WITHIN} s"),
        "same size",
        "all phases"
    );
    for run in runs {
        text.push_str(&format!(
            "{:14}  {:>8}  {:>14}  {:>9}  {:>9.0}%  {:.2} / {:.2}\n",
            run.name,
            run.recorded.len(),
            run.matched,
            run.same_size,
            run.matched_in_any_phase * 100.0,
            run.mean_replicas[0],
            run.mean_replicas[1]
        ));
        text.push_str(&format!("  recorded   {}\n  simulated  {}\n", list(&run.recorded), list(&run.simulated)));
        let (timing, restarts) = (&run.timing, if run.restarts { "; the load restarts containers" } else { "" });
        text.push_str(&format!(
            "  timing     {} of {} changes of the status explained; {} controllers and {} first scrapes possible{restarts}\n",
            timing.explained,
            timing.changes,
            timing.syncs.len(),
            timing.scrapes.len()
        ));
    }
    let sum = |of: fn(&Comparison) -> usize| runs.iter().map(of).sum::<usize>();
    let (all, matched, same) = (sum(|r| r.recorded.len()), sum(|r| r.matched), sum(|r| r.same_size));
    text.push_str(&format!(
        "{matched} of {all} recorded rescales are simulated to the same size within {WITHIN} s, {same} to the same size\n"
    ));
    text
}

fn list(rescales: &[Rescale]) -> String {
    let texts: Vec<String> = rescales.iter().map(|r| format!("{:.0} s: {} -> {}", r.at, r.from, r.to)).collect();
    texts.join(", ")
}

fn results(report: &VerifyReport) -> Results {
    let figures = report.rows.iter().map(|row| ProofResult {
        case: row.case.clone(),
        figure: row.metric.clone(),
        expected: row.expected,
        observed: row.observed,
        low: row.interval.low(),
        high: row.interval.high(),
        verdict: row.verdict.to_string(),
    });
    Results::Verify(VerifyResults { version: RESULTS_VERSION, failed: report.failed, figures: figures.collect() })
}

fn table(report: &VerifyReport) -> String {
    let case_width = report.rows.iter().map(|row| row.case.chars().count()).max().unwrap_or(4);
    let metric_width = report.rows.iter().map(|row| row.metric.chars().count()).max().unwrap_or(6);
    let mut text = format!(
        "{:case_width$}  {:metric_width$}  {:>12}  {:>12}  99% interval               verdict\n",
        "case", "figure", "expected", "observed"
    );
    for row in &report.rows {
        let interval = format!("{:.6} .. {:.6}", row.interval.low(), row.interval.high());
        text.push_str(&format!(
            "{:case_width$}  {:metric_width$}  {:>12.6}  {:>12.6}  {interval:25}  {}\n",
            row.case, row.metric, row.expected, row.observed, row.verdict
        ));
    }
    let good = report.rows.len() - report.failed;
    text.push_str(&format!("{good} of {} figures agree with theory\n", report.rows.len()));
    text
}
