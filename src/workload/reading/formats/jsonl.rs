//! JSON Lines with named fields.

use super::super::json_lines;
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::reading::header::TIME_NAMES;
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::TraceOptions;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "jsonl",
    summary: "JSON Lines, the fields named with `columns:` (`request.size` for a field inside another)",
    source: "JSON Lines (jsonlines.org), RFC 8259",
    build: FormatBuilder { recognise, open: |input, options| Ok(Box::new(json_lines::open(input, options)?)) },
};

/// A JSON object per line, with a time field that was named or has a common name.
fn recognise(input: &TraceInput, options: &TraceOptions) -> bool {
    let Some(header) = json_lines::header(input) else { return false };
    !options.columns.time.is_empty() || TIME_NAMES.iter().any(|name| header.find(name).is_some())
}
