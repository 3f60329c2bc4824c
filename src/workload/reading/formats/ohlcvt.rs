//! Trades per interval as published by exchanges.

use super::super::known::names;
use super::super::table::Layout;
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::reading::header::Header;
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::{Columns, TraceOptions};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "ohlcvt",
    summary: "trades per interval without a header: time, open, high, low, close, volume, trades (the count)",
    source: "Kraken, downloadable historical OHLCVT data",
    build: FormatBuilder {
        recognise: |input, options| options.columns == Columns::default() && is_ohlcvt(input),
        open: |input, options| {
            let options = TraceOptions { columns: options.columns.clone().or(columns()), ..options.clone() };
            Layout::of(input, &options, b',')?.open(input, &options)
        },
    },
};

/// Seven numbers per row, in which the high is the largest and the low the smallest price, and the last is an integer.
fn is_ohlcvt(input: &TraceInput) -> bool {
    if input.is_parquet() {
        return false;
    }
    let header = Header::of(input, b',');
    let rows: Vec<Option<Vec<f64>>> = std::iter::once(&header.names)
        .chain(&header.rows)
        .map(|row| row.iter().map(|cell| cell.parse().ok()).collect())
        .collect();
    let is_candle = |row: &Option<Vec<f64>>| match row.as_deref() {
        Some([time, open, high, low, close, volume, trades]) => {
            let prices = [open, close].into_iter().all(|price| low <= price && price <= high);
            prices && time.abs() >= 1e8 && *volume >= 0.0 && trades.fract() == 0.0
        }
        _ => false,
    };
    rows.len() > 1 && rows.iter().all(is_candle)
}

fn columns() -> Columns {
    Columns { time: names("1"), count: names("7"), ..Columns::default() }
}
