//! Arguments that several commands have.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::terminal::{coloured_output, terminal_width};
use crate::experiment::Outcome;
use crate::report::TableStyle;

/// Where a scenario is, and what to change in it.
#[derive(Debug, Clone, Args)]
pub(crate) struct ScenarioArguments {
    /// Scenario files.
    #[arg(required = true, value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<PathBuf>,
    /// Override a value: a path of names and list indices, and a YAML value (may be repeated).
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    pub(crate) set: Vec<(String, String)>,
}

pub(crate) fn path_and_value(text: &str) -> Result<(String, String), String> {
    let (path, value) = text.split_once('=').ok_or("expected PATH=VALUE, such as `service.replicas=4`")?;
    Ok((path.trim().to_string(), value.to_string()))
}

/// What axes of time show, as an argument of commands that draw.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct AxisArgument {
    /// Time axis of charts: calendar time where the workload has dates, or time since the start.
    #[arg(long, value_enum, default_value_t = TimeAxis::Calendar)]
    pub axis: TimeAxis,
}

/// What axes of time show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TimeAxis {
    Calendar,
    Elapsed,
}

impl TimeAxis {
    /// What charts of the outcome show.
    pub(super) fn apply(self, outcome: &mut Outcome) {
        if self == TimeAxis::Elapsed {
            outcome.calendar = None;
        }
    }
}

/// Form of a table on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Table,
    Json,
    Markdown,
}

impl Format {
    /// The style of a table.
    pub(super) fn style(self) -> TableStyle {
        match self {
            Format::Table => TableStyle::Terminal { width: terminal_width(), color: coloured_output() },
            Format::Json => TableStyle::Json,
            Format::Markdown => TableStyle::Markdown,
        }
    }
}
