//! `plimsoll compare`.

use std::path::PathBuf;

use clap::Args;

use super::replication::{Format, ReplicationArguments, arms, policy_index};
use super::{Failure, path_and_value, say};
use crate::experiment::replicate;
use crate::report;

/// Arguments of `compare`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll compare scenarios/shop-peak.yaml --replications 20
  plimsoll compare scenarios/fraud-burst.yaml --base static-12 --precision 2% --format markdown")]
pub(super) struct CompareArguments {
    /// The scenario.
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,
    /// Change a value: a path of names and list indices, and YAML (may be repeated).
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    set: Vec<(String, String)>,
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
    let base = arguments.base.as_ref().map_or(Ok(0), |label| policy_index(&scenario, label))?;
    let bar = arguments.replication.bar("runs");
    let told = |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let result = replicate(&arms(&scenario), &plan, &told);
    bar.finish_and_clear();
    let result = result.map_err(|error| Failure::Input(format!("error: {error}")))?;
    say(&report::comparison(&result, base, arguments.format.style()))
}
