//! Mooncake's request traces: arrival and token counts of each request to a chat service.

use super::super::json_lines;
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::{Columns, TraceOptions};
use crate::workload::time::text::TimeFormat;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "mooncake",
    summary: "Mooncake request trace: `timestamp` (ms from the start), `input_length`, `output_length`",
    source: "kvcache-ai/Mooncake, FAST25-release/traces (Qin et al., FAST 2025)",
    build: FormatBuilder {
        recognise: |input, _| is_mooncake(input),
        open: |input, options| Ok(Box::new(json_lines::open(input, &reading(options))?)),
    },
};

fn is_mooncake(input: &TraceInput) -> bool {
    let fields = ["timestamp", "input_length", "output_length"];
    let header = json_lines::header(input);
    // `hash_ids` is a list and therefore not a column; its name in the first line distinguishes the trace from others
    // with token counts.
    let first = input.head.split(|c| *c == b'\n').next().unwrap_or_default();
    let listed = memchr::memmem::find(first, b"\"hash_ids\"").is_some();
    listed && header.is_some_and(|header| fields.iter().all(|name| header.find(name).is_some()))
}

/// The published times are milliseconds from the start of the trace; small numbers cannot be distinguished from
/// seconds.
fn reading(options: &TraceOptions) -> TraceOptions {
    let columns = Columns {
        time: vec!["timestamp".into()],
        tokens_in: Some("input_length".into()),
        tokens_out: Some("output_length".into()),
        ..Columns::default()
    };
    TraceOptions { columns, time_format: Some(TimeFormat::Millis), ..options.clone() }
}
