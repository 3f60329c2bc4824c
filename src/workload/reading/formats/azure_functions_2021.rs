//! Azure Functions invocations of 2021: end time and duration of each.

use super::super::known::{KnownTable, named, names};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::reading::options::Columns;
use crate::workload::time::text::TimeFormat;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "azure-functions-2021",
    summary: "Azure Functions invocations of 2021: arrival = end_timestamp - duration, which is the demand; class: function",
    source: "Azure/AzurePublicDataset, AzureFunctionsInvocationTrace2021.md (Zhang et al., SOSP 2021)",
    build: FormatBuilder {
        recognise: |input, options| TABLE.recognise(input, options),
        open: |input, options| TABLE.open(input, options),
    },
};

const TABLE: KnownTable = KnownTable {
    header: &["app", "func", "end_timestamp", "duration"],
    columns: || Columns {
        time: names("end_timestamp"),
        elapsed: named("duration"),
        demand: named("duration"),
        class: named("func"),
        ..Columns::default()
    },
    time_format: Some(TimeFormat::Seconds),
    blank_times: false,
};
