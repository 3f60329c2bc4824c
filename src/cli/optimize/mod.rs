//! `plimsoll optimize`.

mod mix;
mod provision;

use clap::{Args, Subcommand};

use super::failure::Failure;

/// Arguments of `optimize`.
#[derive(Debug, Args)]
pub(super) struct OptimizeArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The cheapest instances that together have so much CPU and memory for pods.
    Mix(mix::MixArguments),
    /// An approximately cheapest plan over time for a scenario's trace: when to run how many replicas, or instances of which types.
    Provision(provision::ProvisionArguments),
}

pub(super) fn optimize(arguments: &OptimizeArguments) -> Result<(), Failure> {
    match &arguments.action {
        Action::Mix(arguments) => mix::mix(arguments),
        Action::Provision(arguments) => provision::provision(arguments),
    }
}
