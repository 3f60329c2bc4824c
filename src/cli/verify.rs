//! `plimsoll verify`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::Format;
use super::failure::Failure;
use super::files;
use super::output::say;
use super::terminal::{note, remark};
use crate::report;
use crate::report::results::{
    ProofResult, RESULTS_VERSION, RecordedResult, RescaleResult, Results, VerifyResults, results_text,
};
use crate::validate::recorded::{Comparison, Rescale, WITHIN, compare, read_runs};
use crate::validate::verify::{VerifyReport, verify as prove};

/// Arguments of `verify`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  plimsoll verify --full")]
pub(super) struct VerifyArguments {
    /// Run until every interval is at most 2% wide (one to two minutes on two cores instead of ten seconds).
    #[arg(long)]
    full: bool,
    /// Directory of reference data with recorded systems (`validation/hpa/kind`), to be simulated and drawn beside the
    /// recording.
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_REFERENCE")]
    recorded: Option<PathBuf>,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print only the result, no progress.
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
    // The proof first: recordings take a while.
    match arguments.format {
        Format::Table => say(&table(&report))?,
        Format::Markdown => say(&format!("```\n{}```\n", table(&report)))?,
        Format::Json => {}
    }
    let replayed = match &arguments.recorded {
        Some(directory) => replay(&directory.join("validation/hpa/kind"), &arguments.out)?,
        None if arguments.quiet => Replayed::default(),
        None => {
            remark("recorded systems are skipped (--recorded DIR names none)");
            Replayed::default()
        }
    };
    match arguments.format {
        Format::Json => say(&results_text(&results(&report, &replayed)))?,
        _ => say_replayed(&replayed)?,
    }
    if report.failed > 0 { Err(Failure::Judgement) } else { Ok(()) }
}

/// Simulates the recorded runs of an HPA. How well they match is stated and no verdict: a recording is one draw of a system
/// that is only partly known.
fn replay(directory: &Path, out: &Path) -> Result<Replayed, Failure> {
    if !directory.is_dir() {
        note(&format!("recorded systems are skipped: {} does not exist", directory.display()));
        return Ok(Replayed::default());
    }
    let recordings = read_runs(directory).map_err(Failure::input)?;
    let runs: Result<Vec<Comparison>, _> = recordings.runs.iter().map(compare).collect();
    let runs = runs.map_err(Failure::input)?;
    let artifacts = report::recorded(&runs).map_err(Failure::input)?;
    Ok(Replayed { left_out: recordings.left_out, written: files::write_all(out, &artifacts)?, runs })
}

/// Recorded runs, simulated.
#[derive(Default)]
struct Replayed {
    runs: Vec<Comparison>,
    /// Recordings that lack something: name and what.
    left_out: Vec<(String, String)>,
    written: Vec<PathBuf>,
}

fn say_replayed(replayed: &Replayed) -> Result<(), Failure> {
    let Replayed { runs, left_out, written } = replayed;
    if !runs.is_empty() {
        say(&recorded_table(runs))?;
    }
    for (name, lacking) in left_out {
        say(&format!("LEFT OUT: {name}: {lacking}\n"))?;
    }
    if !left_out.is_empty() {
        say(&format!("{} of {} recordings are LEFT OUT\n", left_out.len(), left_out.len() + runs.len()))?;
    }
    written.iter().try_for_each(|path| say(&format!("{}\n", path.display())))
}

fn recorded_result(run: &Comparison) -> RecordedResult {
    let rescales = |rescales: &[Rescale]| {
        rescales.iter().map(|r| RescaleResult { at_s: r.at, from: r.from, to: r.to }).collect::<Vec<_>>()
    };
    RecordedResult {
        name: run.name.clone(),
        recorded: rescales(&run.recorded),
        simulated: rescales(&run.simulated),
        matched: run.matched,
        same_size: run.same_size,
        matched_in_any_phase_share: run.matched_in_any_phase,
        recorded_mean_replicas: run.mean_replicas[0],
        simulated_mean_replicas: run.mean_replicas[1],
    }
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
        let losses = match timing.losses {
            0 => String::new(),
            all => format!(" and {} of {all} losses of the metric", timing.lost),
        };
        text.push_str(&format!(
            "  timing     {} of {} changes of the status{losses} explained; {} controllers and {} first scrapes possible{restarts}\n",
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

fn results(report: &VerifyReport, replayed: &Replayed) -> Results {
    let figures = report.rows.iter().map(|row| ProofResult {
        case: row.case.clone(),
        figure: row.metric.clone(),
        expected: row.expected,
        observed: row.observed,
        low: row.interval.low(),
        high: row.interval.high(),
        verdict: row.verdict.to_string(),
    });
    Results::Verify(VerifyResults {
        version: RESULTS_VERSION,
        failed: report.failed,
        figures: figures.collect(),
        recorded: replayed.runs.iter().map(recorded_result).collect(),
        left_out: replayed.left_out.iter().map(|(name, lacking)| format!("{name}: {lacking}")).collect(),
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::ConfidenceInterval;
    use crate::validate::recorded::Timing;
    use crate::validate::verify::{Verdict, VerifyRow};

    /// The proof takes too long for a test; what is printed of it does not.
    #[test]
    fn a_proof_as_json_is_of_the_form_that_the_schema_describes() {
        let row = VerifyRow {
            case: "M/M/1".into(),
            metric: "mean wait".into(),
            expected: 0.5,
            observed: 0.51,
            interval: ConfidenceInterval { mean: 0.51, half_width: 0.02, level: 0.99, replications: 32 },
            verdict: Verdict::Covered,
            score: 0.3,
        };
        let run = Comparison {
            name: "ramp".into(),
            recorded: vec![Rescale { at: 30.0, from: 1, to: 3 }],
            simulated: vec![Rescale { at: 45.0, from: 1, to: 3 }],
            matched: 1,
            same_size: 1,
            timing: Timing { syncs: Vec::new(), scrapes: Vec::new(), changes: 0, explained: 0, losses: 0, lost: 0 },
            restarts: false,
            matched_in_any_phase: 0.75,
            mean_replicas: [2.5, 2.4],
            end: 600.0,
        };
        let replayed =
            Replayed { runs: vec![run], left_out: vec![("step".into(), "no status".into())], written: Vec::new() };
        let text = results_text(&results(&VerifyReport { rows: vec![row], failed: 0 }, &replayed));
        let read: Results = serde_json::from_str(&text).unwrap();
        let Results::Verify(read) = read else { panic!("{text}") };
        assert!((read.figures[0].low - 0.49).abs() + (read.figures[0].high - 0.53).abs() < 1e-12, "{text}");
        assert_eq!((read.recorded[0].simulated[0].at_s, read.left_out[0].as_str()), (45.0, "step: no status"));
        // The same form as the committed schema's.
        let schema = crate::report::results::results_schema();
        let fields = |name: &str| schema["$defs"][name]["properties"].as_object().unwrap().len();
        let shown: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(shown["recorded"][0].as_object().unwrap().len(), fields("RecordedResult"));
        assert_eq!(shown["figures"][0].as_object().unwrap().len(), fields("ProofResult"));
    }
}
