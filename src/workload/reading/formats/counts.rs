//! Requests counted per interval: a time and a count in each row.

use super::super::header::delimiter;
use super::super::meaning::{COUNT_NAMES, plain};
use super::super::table::Layout;
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::error::TraceError;
use crate::workload::reading::header::Header;
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::{Columns, TraceOptions};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "counts",
    summary: "requests per interval: a time (the interval's start) and a count in each row; absent rows count zero",
    source: "the form in which monitoring systems and published traces give request counts (CloudWatch, World Cup 98)",
    build: FormatBuilder {
        recognise: |input, options| {
            let said = options.columns != Columns::default() || options.one_request_per_row || options.values.is_some();
            !said && options.metric.is_none() && count_column(input, options).is_some()
        },
        open: |input, options| {
            let mut options = options.clone();
            if options.columns.count.is_empty() {
                options.columns.count = vec![count_column(input, &options).ok_or_else(|| which(input))?];
            }
            let delimiter = delimiter(input, &options);
            Layout::of(input, &options, delimiter)?.open(input, &options)
        },
    },
};

/// The unambiguous count column of a table with two columns.
fn count_column(input: &TraceInput, options: &TraceOptions) -> Option<String> {
    if input.is_parquet() {
        return None;
    }
    let header = Header::of(input, delimiter(input, options));
    let found = header.names.iter().find(|name| COUNT_NAMES.contains(&plain(name).as_str()));
    found.filter(|_| header.names.len() == 2).cloned()
}

fn which(input: &TraceInput) -> TraceError {
    TraceError::new(input.name.as_str(), "the count column is not known").help("name it with `columns: { count: ... }`")
}
