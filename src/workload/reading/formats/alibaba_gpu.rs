//! Alibaba GenTD26: GPU duty cycle of a service's pods.

use super::super::known::{KnownTable, names};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::reading::options::Columns;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "alibaba-gpu",
    summary: "Alibaba GenTD26 GPU duty cycle of each pod, in per cent: a level",
    source: "alibaba/clusterdata, cluster-trace-v2026-GenAI",
    build: FormatBuilder {
        recognise: |input, options| TABLE.recognise(input, options),
        open: |input, options| TABLE.open(input, options),
    },
};

const TABLE: KnownTable = KnownTable {
    header: &["value", "timestamp_anon", "container_ip"],
    columns: || Columns { time: names("timestamp_anon"), level: names("value"), ..Columns::default() },
    time_format: None,
    blank_times: false,
};
