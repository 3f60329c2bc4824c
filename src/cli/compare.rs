//! `plimsoll compare`.

use std::path::PathBuf;

use clap::Args;

use super::replication::{Format, ReplicationArguments, arms, policy_index, tell_out_of_reach};
use super::{Failure, files, path_and_value, remark, say};
use crate::engine::scenario::Scenario;
use crate::experiment::{Tuned, at_same_level, cost_bound, replicate, tune};
use crate::report;

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
    /// Change a value: a path of names and list indices, and YAML (may be repeated).
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    set: Vec<(String, String)>,
    /// Compare the policies as the scenario states them.
    #[arg(long)]
    as_is: bool,
    /// Where the frontier is written: SVG, PNG and CSV, in a directory named after the scenario.
    #[arg(long, value_name = "DIR", default_value = "reports")]
    out: PathBuf,
    /// The policy that the others are compared with; the first by default.
    #[arg(long, value_name = "POLICY")]
    base: Option<String>,
    /// Form of the result on standard output.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    replication: ReplicationArguments,
}

pub(super) fn compare(arguments: &CompareArguments) -> Result<(), Failure> {
    let plan = arguments.replication.plan()?;
    let scenario = arguments.replication.read(&arguments.scenario, &arguments.set)?;
    let base = arguments.base.as_ref().map(|label| policy_index(&scenario, label)).transpose()?;
    if arguments.as_is || scenario.objectives.is_empty() {
        return compare_arms(arguments, &scenario, base.unwrap_or(0));
    }
    let bar = arguments.replication.bar("headrooms tried");
    let tuned = tune(&scenario, &plan, &|| bar.inc(1));
    bar.finish_and_clear();
    let tuned = tuned.map_err(|error| Failure::Input(format!("error: {error}")))?;
    let level = at_same_level(&scenario, &tuned);
    let cheapest = || {
        let of = |index: &usize| (tuned[*index].clairvoyant, tuned[*index].chosen.is_none());
        let cost = |index: &usize| tuned[*index].best().map_or(f64::INFINITY, |trial| trial.cost());
        (0..tuned.len()).min_by(|a, b| of(a).cmp(&of(b)).then(cost(a).total_cmp(&cost(b)))).unwrap_or(0)
    };
    let grid = report::same_level(&scenario, &tuned);
    match arguments.format {
        Format::Json => say(&grid.text(arguments.format.style()))?,
        _ => say(&format!("{}\n\n{}", report::level_answer(&tuned), grid.text(arguments.format.style())))?,
    }
    if tuned.iter().all(|policy| policy.chosen.is_none()) {
        tell_out_of_reach(&scenario, arguments.replication.quiet)?;
    }
    write_frontier(arguments, &scenario, &tuned)?;
    match arguments.format {
        Format::Json => Ok(()),
        _ => compare_arms(arguments, &level, base.unwrap_or_else(cheapest)),
    }
}

/// Writes the frontier into the scenario's directory.
fn write_frontier(arguments: &CompareArguments, scenario: &Scenario, tuned: &[Tuned]) -> Result<(), Failure> {
    let bound = cost_bound(scenario).map_err(|error| Failure::Input(format!("error: {error}")))?.ok();
    let artifacts = report::frontier(scenario, tuned, bound.as_ref());
    let artifacts = artifacts.map_err(|error| Failure::Input(format!("error: {error}")))?;
    for path in files::write_all(&arguments.out.join(&scenario.name), &artifacts)? {
        remark(&path.display().to_string());
    }
    Ok(())
}

/// Replicates every policy and compares figure by figure.
fn compare_arms(arguments: &CompareArguments, scenario: &Scenario, base: usize) -> Result<(), Failure> {
    let plan = arguments.replication.plan()?;
    let bar = arguments.replication.bar("runs");
    let told = |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let result = replicate(&arms(scenario), &plan, &told);
    bar.finish_and_clear();
    let result = result.map_err(|error| Failure::Input(format!("error: {error}")))?;
    say(&report::comparison(&result, base, arguments.format.style()))
}
