//! Alibaba DLRM: life cycles of the pods of recommendation services.

use super::super::known::{KnownTable, named, names};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::reading::options::Columns;
use crate::workload::time::text::TimeFormat;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "alibaba-pods",
    summary: "Alibaba DLRM pods: one arrival per pod created (class: role); pods alive at the start are passed over",
    source: "alibaba/clusterdata, cluster-trace-gpu-v2025 (Prism, NSDI 2025)",
    build: FormatBuilder {
        recognise: |input, options| TABLE.recognise(input, options),
        open: |input, options| TABLE.open(input, options),
    },
};

const TABLE: KnownTable = KnownTable {
    header: &["instance_sn", "app_name", "creation_time", "deletion_time"],
    columns: || Columns { time: names("creation_time"), class: named("role"), ..Columns::default() },
    time_format: Some(TimeFormat::Seconds),
    blank_times: true,
};
