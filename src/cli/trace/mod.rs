//! `plimsoll trace` and its subcommands.

pub(super) mod command;
pub(super) mod files;
pub(super) mod reading;
mod reshape;
mod results;

pub(super) use command::{TraceArguments, trace};
