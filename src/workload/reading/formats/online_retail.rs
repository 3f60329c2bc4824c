//! UCI Online Retail: the invoice lines of a shop.

use super::super::known::{KnownTable, names};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::reading::options::Columns;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "online-retail",
    summary: "UCI Online Retail: one row per invoice line, local time to the minute",
    source: "UCI Machine Learning Repository, Online Retail (Chen 2015)",
    build: FormatBuilder {
        recognise: |input, options| TABLE.recognise(input, options),
        open: |input, options| TABLE.open(input, options),
    },
};

const TABLE: KnownTable = KnownTable {
    header: &["InvoiceNo", "StockCode", "InvoiceDate"],
    columns: || Columns { time: names("InvoiceDate"), ..Columns::default() },
    time_format: None,
    blank_times: false,
};
