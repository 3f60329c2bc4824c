//! Requests counted per interval: a time and a count in each row.

use super::super::table::{COUNT_NAMES, Header, Layout};
use super::super::{Columns, TraceError, TraceInput};
use super::{FormatBuilder, FormatPlugin};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "counts",
    summary: "requests per interval: a time (the interval's start) and a count in each row; absent rows count zero",
    source: "the form in which monitoring systems and published traces give request counts (CloudWatch, World Cup 98)",
    build: FormatBuilder {
        recognise: |input, options| options.columns == Columns::default() && count_column(input).is_some(),
        open: |input, options| {
            let mut options = options.clone();
            if options.columns.count.is_none() {
                options.columns.count = Some(count_column(input).ok_or_else(|| which(input))?);
            }
            let delimiter = delimiter(input);
            Layout::of(input, &options, delimiter)?.open(input, &options)
        },
    },
};

fn delimiter(input: &TraceInput) -> u8 {
    if Header::of(input, b'\t').names.len() > 1 { b'\t' } else { b',' }
}

/// The column of a table of two whose name leaves no doubt.
fn count_column(input: &TraceInput) -> Option<String> {
    if input.is_parquet() {
        return None;
    }
    let header = Header::of(input, delimiter(input));
    let found = COUNT_NAMES.iter().find_map(|name| header.find(name)).filter(|_| header.names.len() == 2);
    found.map(|column| header.names[column].clone())
}

fn which(input: &TraceInput) -> TraceError {
    TraceError::new(input.name.as_str(), "which column holds the count is not clear")
        .help("name it with `columns: { count: ... }`")
}
