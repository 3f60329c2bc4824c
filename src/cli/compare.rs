//! `plimsoll compare`.

use std::path::PathBuf;

use clap::Args;

use super::arguments::{AxisArgument, Format, TimeAxis, path_and_value};
use super::failure::Failure;
use super::files;
use super::output::say;
use super::replication::{ReplicationArguments, forbidden, policy_index, tell_out_of_reach};
use super::run::choose_policies;
use super::terminal::remark;
use crate::config::shell_word;
use crate::experiment::{
    CompareSpec, Compared, ReplicationPlan, Watch, compare as study, runs_of_tuning, unlimited_cpu,
};
use crate::report;
use crate::report::results::{Results, compare_results, results_text};
use crate::scenario::Scenario;

/// Arguments of `compare`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll compare scenarios/shop-peak.yaml --replications 5
  plimsoll compare scenarios/fraud-burst.yaml --as-is --base static-12 --precision 2% --format markdown

Each policy's headroom is tuned until it meets the objectives, then costs are compared. With --as-is, and where a scenario
states no objective, policies are compared as they are.")]
pub(super) struct CompareArguments {
    /// The scenario.
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,
    /// Override a value: a path of names and list indices, and a YAML value (may be repeated).
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    set: Vec<(String, String)>,
    /// Compare the policies as the scenario states them.
    #[arg(long)]
    as_is: bool,
    /// Directory for the report, in `SCENARIO/compare` below it.
    #[arg(long, value_name = "DIR", default_value = "reports")]
    out: PathBuf,
    /// Compare only this policy and the others named so (may be repeated).
    #[arg(long, value_name = "POLICY")]
    policy: Vec<String>,
    /// The policy that the others are compared with; the first by default.
    #[arg(long, value_name = "POLICY")]
    base: Option<String>,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    time: AxisArgument,
    #[command(flatten)]
    replication: ReplicationArguments,
}

pub(super) fn compare(arguments: &CompareArguments) -> Result<(), Failure> {
    let plan = arguments.replication.plan()?;
    let mut scenario = arguments.replication.read(&arguments.scenario, &arguments.set)?;
    choose_policies(&mut scenario, &arguments.policy)?;
    files::try_out(&report_directory(arguments, &scenario))?;
    let base = arguments.base.as_ref().map(|label| policy_index(&scenario, label)).transpose()?;
    let hopeless = if arguments.as_is { None } else { forbidden(&scenario)? };
    if let Some(why) = hopeless.as_ref().filter(|_| !arguments.replication.quiet) {
        remark(&format!("{why}; the policies are compared as they are"));
    }
    let spec = CompareSpec { plan, as_is: arguments.as_is || hopeless.is_some(), base };
    let tunes = !spec.as_is && !scenario.objectives.is_empty();
    let as_they_are = scenario.policies.len() as u64 * plan.replications;
    let runs = if tunes { runs_of_tuning(&scenario, &plan) } else { as_they_are };
    arguments.replication.tell_volume(&scenario, runs, "");
    let bar = arguments.replication.study_bar(if tunes { "headrooms tried" } else { "runs" });
    let compared = bar.watch(|watch| study(&scenario, &spec, watch))?;
    if let Some(level) = &compared.level {
        if arguments.format != Format::Json {
            let grid = report::same_level(level);
            say(&format!("{}\n\n{}", report::level_answer(level), grid.text(arguments.format.style())))?;
        }
        if level.tuned.iter().all(|policy| policy.chosen.is_none()) {
            tell_out_of_reach(&scenario, arguments.replication.quiet)?;
        }
    }
    say(&shown(arguments, &compared))?;
    write_report(arguments, compared)
}

/// The comparison, with what it takes for granted of CPU that nothing limits.
fn shown(arguments: &CompareArguments, compared: &Compared) -> String {
    let Compared { scenario, replicated, base, level, .. } = compared;
    let unlimited = unlimited_cpu(scenario);
    match arguments.format {
        Format::Json => {
            let mut results = compare_results(replicated, *base, level.as_ref());
            if let Results::Compare(compared) = &mut results {
                compared.notes.extend(unlimited);
            }
            results_text(&results)
        }
        format => {
            let mut text = report::comparison(replicated, *base, format.style());
            unlimited.iter().for_each(|sentence| text.push_str(&format!("\n{sentence}\n")));
            text
        }
    }
}

/// Writes the report: the replications, and the first of them in full.
fn write_report(arguments: &CompareArguments, compared: Compared) -> Result<(), Failure> {
    let directory = report_directory(arguments, &compared.scenario);
    let mut outcome = compared.outcome(&command_line(arguments), &Watch::nobody())?;
    arguments.time.axis.apply(&mut outcome);
    let artifacts = report::artifacts(&outcome).map_err(Failure::input)?;
    let written = files::write_report(&directory, "report", &artifacts)?;
    let paths: Vec<String> = written.iter().map(|path| format!("  {}", path.display())).collect();
    arguments.replication.told(&format!("Wrote {} files:\n{}", paths.len(), paths.join("\n")));
    Ok(())
}

/// Where the report goes.
fn report_directory(arguments: &CompareArguments, scenario: &Scenario) -> PathBuf {
    arguments.out.join(&scenario.name).join("compare")
}

/// The command that repeats this comparison.
fn command_line(arguments: &CompareArguments) -> String {
    let (asked, usual) = (&arguments.replication, ReplicationPlan::default());
    let mut words = vec!["plimsoll compare".to_string(), shell_word(&arguments.scenario.display().to_string())];
    words.extend(arguments.set.iter().map(|(path, value)| format!("--set {}", shell_word(&format!("{path}={value}")))));
    words.extend(arguments.policy.iter().map(|policy| format!("--policy {}", shell_word(policy))));
    words.extend((arguments.time.axis == TimeAxis::Elapsed).then(|| "--axis elapsed".to_string()));
    words.extend(arguments.as_is.then(|| "--as-is".to_string()));
    words.extend(arguments.base.iter().map(|base| format!("--base {}", shell_word(base))));
    words.extend((asked.replications != usual.replications).then(|| format!("--replications {}", asked.replications)));
    words.extend(asked.precision.map(|precision| format!("--precision {precision}")));
    words.extend((asked.most != usual.most).then(|| format!("--most {}", asked.most)));
    words.extend((asked.level.get() != usual.level).then(|| format!("--level {}", asked.level)));
    words.extend(asked.seed.map(|seed| format!("--seed {seed}")));
    words.join(" ")
}
