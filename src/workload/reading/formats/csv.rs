//! Any delimited table with named columns.

use super::super::header::delimiter;
use super::super::table::Layout;
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::reading::header::{Header, TIME_NAMES};
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::TraceOptions;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "csv",
    summary: "values separated by commas, semicolons or `|`, the columns named with `columns:` (by name, or by number where there is \
              no header)",
    source: "RFC 4180",
    build: FormatBuilder {
        recognise: |input, options| recognise(input, options, delimiter(input, options)),
        open: |input, options| Layout::settled(input, options, delimiter(input, options))?.open(input, options),
    },
};

/// A table is recognised by a time column that was named or has a common name, or by a single column of dates.
pub(super) fn recognise(input: &TraceInput, options: &TraceOptions, delimiter: u8) -> bool {
    if input.is_parquet() {
        return false;
    }
    let header = Header::of(input, delimiter);
    let known = TIME_NAMES.iter().any(|name| header.find(name).is_some());
    header.names.len() > 1 && (!options.columns.time.is_empty() || known || header.only_dates().is_some())
}
