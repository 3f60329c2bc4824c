//! `plimsoll man`: manual pages, from the same list as the help.

use std::path::PathBuf;

use clap::{Args, Command};
use clap_mangen::Man;

use super::failure::Failure;
use super::files::write_all;
use super::output::say;
use crate::report::Artifact;

/// Arguments of `man`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll man | man -l -
  plimsoll man --out ~/.local/share/man/man1")]
pub(super) struct ManArguments {
    /// Write a page for every command into this directory, in place of the first page to standard output.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints or writes the manual pages of `program`.
pub(super) fn man(arguments: &ManArguments, mut program: Command) -> Result<(), Failure> {
    program.build();
    let Some(directory) = &arguments.out else {
        return say(&String::from_utf8_lossy(&page(&program)?));
    };
    let mut pages = Vec::new();
    collect(&program, &mut pages)?;
    let written = write_all(directory, &pages)?;
    say(&format!("wrote {} manual pages into {}", written.len(), directory.display()))
}

fn collect(command: &Command, pages: &mut Vec<Artifact>) -> Result<(), Failure> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    pages.push(Artifact::new(format!("{name}.1"), page(command)?));
    let below = command.get_subcommands().filter(|below| below.get_name() != "help" && !below.is_hide_set());
    below.into_iter().try_for_each(|below| collect(below, pages))
}

fn page(command: &Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}
