//! BurstGPT: requests to chat models through a university's gateway.

use super::super::known::{KnownTable, named, names};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::reading::options::Columns;
use crate::workload::time::text::TimeFormat;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "burst-gpt",
    summary: "BurstGPT: seconds from the first midnight, model (class), request and response tokens; failures have no response tokens",
    source: "HPMLL/BurstGPT, README (Wang et al., 2024)",
    build: FormatBuilder {
        recognise: |input, options| TABLE.recognise(input, options),
        open: |input, options| TABLE.open(input, options),
    },
};

const TABLE: KnownTable = KnownTable {
    header: &["Timestamp", "Model", "Request tokens", "Response tokens"],
    columns: || Columns {
        time: names("Timestamp"),
        tokens_in: named("Request tokens"),
        tokens_out: named("Response tokens"),
        class: named("Model"),
        ..Columns::default()
    },
    time_format: Some(TimeFormat::Seconds),
    blank_times: false,
};
