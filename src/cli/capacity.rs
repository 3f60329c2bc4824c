//! `plimsoll capacity`.

use std::path::PathBuf;

use clap::Args;

use super::arguments::{Format, path_and_value};
use super::failure::Failure;
use super::files;
use super::output::say;
use super::replication::{ReplicationArguments, policy_index};
use crate::experiment::{capacity as find, runs_of_capacity, unlimited_cpu};
use crate::report::{self, results::capacity_results, results::results_text};

/// Arguments of `capacity`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  plimsoll capacity scenarios/fraud-burst.yaml --policy hpa-30 --replications 5")]
pub(super) struct CapacityArguments {
    /// The scenario.
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,
    /// Override a value: a path of names and list indices, and a YAML value (may be repeated).
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    set: Vec<(String, String)>,
    /// Only this policy (may be repeated).
    #[arg(long, value_name = "POLICY")]
    policy: Vec<String>,
    /// Directory for the load line (SVG, PNG, CSV), in a subdirectory named after the scenario.
    #[arg(long, value_name = "DIR", default_value = "reports")]
    out: PathBuf,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    replication: ReplicationArguments,
}

pub(super) fn capacity(arguments: &CapacityArguments) -> Result<(), Failure> {
    let plan = arguments.replication.plan()?;
    if plan.precision.is_some() {
        return Err(Failure::input("capacity takes --replications; --precision does not apply to it"));
    }
    let mut scenario = arguments.replication.read(&arguments.scenario, &arguments.set)?;
    if scenario.objectives.is_empty() {
        return Err(Failure::input(format!("{} has no objectives to test", scenario.name)));
    }
    for label in &arguments.policy {
        policy_index(&scenario, label)?;
    }
    if !arguments.policy.is_empty() {
        scenario.policies.retain(|plan| arguments.policy.contains(&plan.label));
    }
    files::try_out(&arguments.out.join(&scenario.name))?;
    let runs = runs_of_capacity(&scenario, &plan);
    arguments.replication.tell_volume(&scenario, runs, " times the scale that is tried");
    let bar = arguments.replication.study_bar("scales of the traffic");
    let limits = bar.watch(|watch| find(&scenario, &plan, watch))?;
    let recorded = scenario.services.iter().any(|service| service.workload.is_recorded());
    let mut grid = report::capacity(&limits, plan.level, recorded);
    grid.notes.extend(unlimited_cpu(&scenario));
    say(&match arguments.format {
        Format::Json => results_text(&capacity_results(&limits, plan.level, grid.notes)),
        _ => grid.text(arguments.format.style()),
    })?;
    let artifacts = report::capacity_files(&limits).map_err(Failure::input)?;
    for path in files::write_report(&arguments.out.join(&scenario.name), "capacity", &artifacts)? {
        arguments.replication.told(&path.display().to_string());
    }
    Ok(())
}
