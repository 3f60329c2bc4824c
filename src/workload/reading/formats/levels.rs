//! A level over time: a time and the value of a quantity in each row.

use super::super::header::delimiter;
use super::super::table::Layout;
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::reading::header::Header;
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::{Columns, TraceOptions};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "levels",
    summary: "a time and a level such as players or connections in each row; requests only by a stated model",
    source: "the form in which game and monitoring sites give concurrent users (Decentraland activity history)",
    build: FormatBuilder {
        recognise: |input, options| {
            let said = options.columns != Columns::default() || options.one_request_per_row || options.values.is_some();
            !said && options.metric.is_none() && level_column(input, options).is_some()
        },
        open: |input, options| {
            let mut options: TraceOptions = options.clone();
            if options.columns.level.is_empty() {
                options.columns.level = level_column(input, &options).into_iter().collect();
            }
            let delimiter = delimiter(input, &options);
            Layout::of(input, &options, delimiter)?.open(input, &options)
        },
    },
};

/// Column names that certainly mean a level.
const LEVEL_NAMES: [&str; 9] = [
    "players",
    "players_online",
    "concurrent_users",
    "users_online",
    "online",
    "active_sessions",
    "connections",
    "utilization",
    "level",
];

/// The unambiguous level column of a table with two columns.
fn level_column(input: &TraceInput, options: &TraceOptions) -> Option<String> {
    if input.is_parquet() {
        return None;
    }
    let header = Header::of(input, delimiter(input, options));
    let found = LEVEL_NAMES.iter().find_map(|name| header.find(name)).filter(|_| header.names.len() == 2);
    found.map(|column| header.names[column].clone())
}
