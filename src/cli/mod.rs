//! The program: words, files, exit codes. Only this module reads the clock, the environment and the terminal.

mod arguments;
mod bench;
mod capacity;
mod catalog;
mod check;
mod compare;
mod failure;
mod files;
mod forecast;
mod list;
mod man;
mod memory;
mod new;
mod optimize;
mod output;
mod plan;
mod program;
mod progress;
mod replication;
mod report;
mod run;
mod schema;
mod sweep;
mod terminal;
mod test;
mod trace;
mod train;
mod verify;
mod whatif;

pub use program::main;
pub use schema::{reference, scenario_schema, story_schema, with_definitions};
