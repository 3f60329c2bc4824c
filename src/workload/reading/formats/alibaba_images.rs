//! Alibaba GenTD26: requests to an image service.

use super::super::known::{KnownTable, named, names};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::reading::options::Columns;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "alibaba-images",
    summary: "Alibaba GenTD26 image requests: time, execution time (demand) and kind of prediction (class)",
    source: "alibaba/clusterdata, cluster-trace-v2026-GenAI",
    build: FormatBuilder {
        recognise: |input, options| TABLE.recognise(input, options),
        open: |input, options| TABLE.open(input, options),
    },
};

const TABLE: KnownTable = KnownTable {
    header: &["gmt_create", "predict_type", "predict_status", "exec_time_seconds"],
    columns: || Columns {
        time: names("gmt_create"),
        demand: named("exec_time_seconds"),
        class: named("predict_type"),
        ..Columns::default()
    },
    time_format: None,
    blank_times: false,
};
