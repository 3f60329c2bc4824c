//! `plimsoll run`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::{AxisArgument, Format, ScenarioArguments};
use super::failure::Failure;
use super::output::say;
use super::progress::Bars;
use super::replication::policy_index;
use super::terminal::{remark, shown};
use super::{files, memory};
use crate::config::{Diagnostics, shell_word};
use crate::experiment::{self, Outcome};
use crate::report;
use crate::report::results::{Results, results_text, run_results};
use crate::scenario::Scenario;

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll run scenarios/shop-peak.yaml
  plimsoll run scenarios/*.yaml --out results --format markdown > summary.md
  plimsoll run scenarios/llm-chat.yaml --policy static-8 --policy static-14 --seed 7
  plimsoll run scenarios/shop-peak.yaml --set metrics.lag=30s --set service.price='$0.05/h'")]
pub(super) struct RunArguments {
    #[command(flatten)]
    input: ScenarioArguments,
    /// Run only this policy (may be repeated).
    #[arg(long, value_name = "POLICY")]
    policy: Vec<String>,
    /// Seed; overrides the scenario's.
    #[arg(long)]
    seed: Option<u64>,
    /// Directory for the reports; each scenario gets its own subdirectory.
    #[arg(long, value_name = "DIR", default_value = "reports")]
    out: PathBuf,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Number of policies to run in parallel; the result does not depend on it. All cores by default.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Exit with 1 unless some policy meets every objective.
    #[arg(long)]
    fail_on_miss: bool,
    #[command(flatten)]
    time: AxisArgument,
    /// Print only the result: no progress, no warnings, no list of files.
    #[arg(long, short)]
    quiet: bool,
}

pub(super) fn run(arguments: &RunArguments) -> Result<(), Failure> {
    let mut met = true;
    let mut outcomes = Vec::new();
    let mut run_all = || {
        for path in &arguments.input.scenarios {
            let outcome = run_one(path, arguments)?;
            met &= outcome.runs.iter().any(|run| report::meets_objectives(run) != Some(false));
            if arguments.format == Format::Json {
                outcomes.push(outcome);
            }
        }
        Ok(())
    };
    let ended: Result<(), Failure> = run_all();
    if !outcomes.is_empty() {
        say(&results_text(&Results::Run(run_results(&outcomes))))?;
    }
    ended?;
    if arguments.fail_on_miss && !met { Err(Failure::Judgement) } else { Ok(()) }
}

fn run_one(path: &Path, arguments: &RunArguments) -> Result<Outcome, Failure> {
    let mut found = Diagnostics::new();
    let scenario = Scenario::read(path, &arguments.input.set, &mut found);
    let Some(mut scenario) = scenario else { return Err(Failure::diagnostics(&found)) };
    if !found.is_empty() && !arguments.quiet {
        remark(&shown(&found));
    }
    if let Some(seed) = arguments.seed {
        scenario.seed = seed;
    }
    choose_policies(&mut scenario, &arguments.policy)?;
    memory::check(&scenario, arguments.threads)?;
    files::try_out(&arguments.out.join(&scenario.name))?;
    super::replication::find_warm_up(&mut scenario, arguments.threads, arguments.quiet)?;
    let progress = Bars::new(&scenario, arguments.quiet);
    let told = |policy: usize, share: f64| progress.tell(policy, share);
    let command = command_line(path, arguments);
    let outcome = experiment::run(&scenario, &command, arguments.threads, &told);
    progress.finish();
    let mut outcome = outcome.map_err(Failure::input)?;
    arguments.time.axis.apply(&mut outcome);
    if !arguments.quiet {
        outcome.warnings.iter().for_each(|said| remark(&format!("note: {said}")));
    }
    let artifacts = report::artifacts(&outcome).map_err(Failure::input)?;
    let written = files::write_report(&arguments.out.join(&scenario.name), "report", &artifacts)?;
    show(&outcome, arguments.format, &written, arguments.quiet)?;
    Ok(outcome)
}

/// Prints the table, unless the result is printed as JSON at the end, and which files were written.
pub(super) fn show(outcome: &Outcome, format: Format, written: &[PathBuf], quiet: bool) -> Result<(), Failure> {
    if format != Format::Json {
        say(&report::table(outcome, format.style()))?;
    }
    let paths: Vec<String> = written.iter().map(|path| format!("  {}", path.display())).collect();
    let wrote = format!("\nWrote {} files:\n{}", paths.len(), paths.join("\n"));
    match format {
        _ if quiet => Ok(()),
        Format::Table => say(&wrote),
        _ => {
            remark(&wrote);
            Ok(())
        }
    }
}

/// Keeps the policies asked for.
pub(super) fn choose_policies(scenario: &mut Scenario, wanted: &[String]) -> Result<(), Failure> {
    for name in wanted {
        policy_index(scenario, name)?;
    }
    if !wanted.is_empty() {
        scenario.policies.retain(|plan| wanted.contains(&plan.label));
    }
    Ok(())
}

/// The command that repeats this run.
fn command_line(path: &Path, arguments: &RunArguments) -> String {
    let mut words = vec!["plimsoll run".to_string(), shell_word(&path.display().to_string())];
    words.extend(arguments.policy.iter().map(|policy| format!("--policy {}", shell_word(policy))));
    words.extend(arguments.seed.map(|seed| format!("--seed {seed}")));
    words.extend(
        arguments.input.set.iter().map(|(path, value)| format!("--set {}", shell_word(&format!("{path}={value}")))),
    );
    words.join(" ")
}
