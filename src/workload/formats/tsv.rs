//! Any table of tab-separated values, with its columns named.

use super::super::table::Layout;
use super::csv::recognise;
use super::{FormatBuilder, FormatPlugin};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "tsv",
    summary: "tab-separated values, the columns named with `columns:`",
    source: "IANA text/tab-separated-values",
    build: FormatBuilder {
        recognise: |input, options| recognise(input, options, b'\t'),
        open: |input, options| Layout::of(input, options, b'\t')?.open(input, options),
    },
};
