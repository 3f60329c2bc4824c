//! The command, its arguments, and what it writes.

use super::manifests;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::super::failure::Failure;
use super::super::files::{is_output, write_one};
use super::super::output::say;

/// Arguments of `new`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll new shop
  plimsoll new from-manifests k8s/
  plimsoll run k8s/shop.scenario.yaml

Nothing is overwritten without --force. The traffic is synthetic, so each of them runs as it is.")]
pub(crate) struct NewArguments {
    #[command(subcommand)]
    kind: NewKind,
}

#[derive(Debug, Subcommand)]
enum NewKind {
    /// A web shop with an evening peak and a flash sale, into shop.yaml.
    Shop(Destination),
    /// A chat model on GPUs, into llm.yaml.
    Llm(Destination),
    /// A game's launch evening, into game.yaml.
    Game(Destination),
    /// A scenario for each Deployment and StatefulSet in a file or directory, with the autoscaler that scales it, beside the manifests.
    FromManifests {
        /// The directory of the manifests, with those in it, or one file of manifests.
        #[arg(value_name = "DIR|FILE")]
        directory: PathBuf,
        /// Only the workload of this name.
        #[arg(long, value_name = "NAME")]
        only: Option<String>,
        #[command(flatten)]
        destination: Destination,
    },
}

/// Where a new scenario goes.
#[derive(Debug, Args)]
pub(super) struct Destination {
    /// The file to write; `-` for standard output.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Overwrite an existing file.
    #[arg(long)]
    force: bool,
}

pub(crate) fn new(arguments: &NewArguments) -> Result<(), Failure> {
    let (destination, name, text) = match &arguments.kind {
        NewKind::Shop(destination) => (destination, "shop.yaml", include_str!("../../../assets/new/shop.yaml")),
        NewKind::Llm(destination) => (destination, "llm.yaml", include_str!("../../../assets/new/llm.yaml")),
        NewKind::Game(destination) => (destination, "game.yaml", include_str!("../../../assets/new/game.yaml")),
        NewKind::FromManifests { directory, only, destination } => {
            return manifests::write(directory, only.as_deref(), destination);
        }
    };
    let path = destination.out.clone().unwrap_or_else(|| PathBuf::from(name));
    // The comments name the file as it is.
    let own = if is_output(&path) { name.to_string() } else { path.display().to_string() };
    destination.refuse_overwriting(&path)?;
    write_one(
        &path,
        text.replace(&format!(" {name}"), &format!(" {own}")).replace(&format!("{name}`"), &format!("{own}`")),
    )?;
    tell_next_steps(&path)
}

/// Says what to do with a scenario that was written into a file.
pub(super) fn tell_next_steps(path: &Path) -> Result<(), Failure> {
    if is_output(path) {
        return Ok(());
    }
    let path = path.display();
    say(&format!("wrote {path}\n  plimsoll check {path}\n  plimsoll run {path}"))
}

impl Destination {
    /// Refuses a file that is there, unless it may be overwritten.
    pub(super) fn refuse_overwriting(&self, path: &Path) -> Result<(), Failure> {
        if self.force || path.symlink_metadata().is_err() {
            return Ok(());
        }
        let help = "help: --force overwrites it, --out FILE writes another";
        Err(Failure::input(format!("{}: already exists\n{help}", path.display())))
    }
}
