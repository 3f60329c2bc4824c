//! `plimsoll report`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::{AxisArgument, Format};
use super::failure::Failure;
use super::output::say;
use super::run::show;
use super::{files, memory};
use crate::config::spool;
use crate::experiment::{Outcome, merge};
use crate::report::results::{Results, results_text, run_results};
use crate::report::{self, RESULT_FILE};

/// Arguments of `report`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll report reports/shop-peak
  plimsoll report before/shop-peak after/shop-peak --out both")]
pub(super) struct ReportArguments {
    /// Directories of reports, each with its stored result, or the file of one (`-` for standard input); several are merged.
    #[arg(required = true, value_name = "DIR")]
    results: Vec<PathBuf>,
    /// Directory for the report; the one that was read by default.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    time: AxisArgument,
    /// Print only the result, without the list of files.
    #[arg(long, short)]
    quiet: bool,
}

pub(super) fn report(arguments: &ReportArguments) -> Result<(), Failure> {
    let out = match (&arguments.out, arguments.results.as_slice()) {
        (Some(out), _) => out.clone(),
        (None, [only]) if spool::is_stream(only) => {
            return Err(Failure::input("name the directory of the report with --out DIR"));
        }
        (None, [only]) => directory(only),
        (None, _) => {
            return Err(Failure::input("name the directory of the merged report with --out DIR"));
        }
    };
    let named = |path: &PathBuf| Ok((path.display().to_string(), read(path)?));
    let outcomes = arguments.results.iter().map(named).collect::<Result<Vec<(String, Outcome)>, Failure>>()?;
    files::try_out(&out)?;
    let mut outcome = merge(outcomes).map_err(Failure::input)?;
    arguments.time.axis.apply(&mut outcome);
    let artifacts = report::artifacts(&outcome).map_err(Failure::input)?;
    let written = files::write_report(&out, "report", &artifacts)?;
    show(&outcome, arguments.format, &written, arguments.quiet)?;
    match arguments.format {
        Format::Json => say(&results_text(&Results::Report(run_results(&[outcome])))),
        _ => Ok(()),
    }
}

/// The directory of a stored result given by itself or by its directory.
fn directory(path: &Path) -> PathBuf {
    match path.is_file() {
        true => path.parent().map(Path::to_path_buf).unwrap_or_default(),
        false => path.to_path_buf(),
    }
}

fn read(path: &Path) -> Result<Outcome, Failure> {
    if spool::is_stream(path) {
        let name = spool::name_of(path);
        let opened = spool::open_file(path).map_err(|error| Failure::input(format!("{name}: {error}")))?;
        return understood(opened, &name);
    }
    let file = if path.is_file() { path.to_path_buf() } else { path.join(RESULT_FILE) };
    let name = file.display().to_string();
    let fail = |why: String| Failure::input(format!("{name}: {why}"));
    let found = std::fs::metadata(&file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            let below = results_below(path).first().map(|found| format!("; did you mean {}?", found.display()));
            let where_from = || "; `plimsoll run` writes one beside its report".to_string();
            fail(format!("no stored result here{}", below.unwrap_or_else(where_from)))
        }
        _ => fail(error.to_string()),
    })?;
    if !found.is_file() {
        return Err(fail("is not a file".into()));
    }
    understood(std::fs::File::open(&file).map_err(|error| fail(error.to_string()))?, &name)
}

/// The result that an opened file holds.
fn understood(opened: std::fs::File, name: &str) -> Result<Outcome, Failure> {
    let fail = |why: String| Failure::input(format!("{name}: {why}"));
    let length = opened.metadata().map_err(|error| fail(error.to_string()))?.len();
    // The text is understood as it comes; what it holds takes about as much, and its reports as much again.
    let allowed = memory::allowed().map_or(u64::MAX, |(allowed, _)| allowed / 2);
    let outcome = report::read_result(opened, length, allowed).map_err(fail)?;
    report::check_result(&outcome).map_err(fail)?;
    Ok(outcome)
}

/// Directories in `path` that hold a stored result, in order of their names.
fn results_below(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = entries.filter(|entry| entry.join(RESULT_FILE).is_file()).collect();
    found.sort();
    found
}
