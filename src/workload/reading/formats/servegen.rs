//! ServeGen: request rates of the clients of a chat service, per window.

use super::super::cells::value;
use super::super::known::{KnownTable, names};
use super::super::table::Layout;
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::reading::header::Header;
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::{Columns, TraceOptions};
use crate::workload::time::text::TimeFormat;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "servegen",
    summary: "ServeGen client windows: requests per second of each client in windows of ten minutes; clients add up",
    source: "alibaba/ServeGen, data/*/chunk-*-trace.csv (arXiv 2505.09999)",
    build: FormatBuilder {
        recognise: |input, options| TABLE.recognise(input, options) || is_chunk(input, options),
        open: |input, options| match TABLE.recognise(input, options) || !is_chunk(input, options) {
            true => TABLE.open(input, options),
            false => {
                let options =
                    TraceOptions { columns: chunk_columns(), time_format: TABLE.time_format, ..options.clone() };
                Layout::of(input, &options, b',')?.open(input, &options)
            }
        },
    },
};

/// The clients' files combined, with the client's number as the first column.
const TABLE: KnownTable = KnownTable {
    header: &["client", "window_start_s", "rate_rps", "cv", "pattern"],
    columns: || Columns { time: names("window_start_s"), rate: names("rate_rps"), ..Columns::default() },
    time_format: Some(TimeFormat::Seconds),
    blank_times: false,
};

/// One client's file has no header: window, rate, cv, pattern and its two parameters.
fn is_chunk(input: &TraceInput, options: &TraceOptions) -> bool {
    if input.is_parquet() || options.columns != Columns::default() {
        return false;
    }
    let header = Header::of(input, b',');
    let is_window = |row: &Vec<String>| {
        let number = |column: usize| value(row[column].as_bytes()).is_some();
        row.len() == 6 && [0, 1, 2].into_iter().all(number) && ["", "Gamma", "Weibull"].contains(&row[3].as_str())
    };
    is_window(&header.names) && header.rows.iter().all(is_window)
}

fn chunk_columns() -> Columns {
    Columns { time: names("1"), rate: names("2"), ..Columns::default() }
}
