//! `plimsoll verify`.

use std::io::IsTerminal;

use clap::Args;

use super::{Failure, remark, say};
use crate::experiment::verify::{VerifyReport, verify as prove};

/// Arguments of `verify`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  plimsoll verify --full")]
pub(super) struct VerifyArguments {
    /// Run until every interval is at most 2% wide (minutes in place of seconds).
    #[arg(long)]
    full: bool,
}

pub(super) fn verify(arguments: &VerifyArguments) -> Result<(), Failure> {
    let terminal = std::io::stderr().is_terminal();
    let report = prove(arguments.full, &mut |case| {
        if terminal {
            remark(&format!("  {case}"));
        }
    });
    say(&table(&report))?;
    if report.failed > 0 { Err(Failure::Judgement) } else { Ok(()) }
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
