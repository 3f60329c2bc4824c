//! Any table of tab-separated values with named columns.

use super::super::header::delimiter;
use super::super::table::Layout;
use super::csv::recognise;
use super::plugin::{FormatBuilder, FormatPlugin};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "tsv",
    summary: "tab-separated values, the columns named with `columns:`",
    source: "IANA text/tab-separated-values",
    build: FormatBuilder {
        recognise: |input, options| delimiter(input, options) == b'\t' && recognise(input, options, b'\t'),
        open: |input, options| Layout::settled(input, options, b'\t')?.open(input, options),
    },
};
