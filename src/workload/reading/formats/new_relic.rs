//! New Relic charts as CSV: one value per interval.

use super::super::header::delimiter;
use super::super::table::Layout;
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::units::SimDuration;
use crate::workload::reading::header::Header;
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::{Columns, TraceOptions};
use crate::workload::time::text::integer;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "new-relic",
    summary: "New Relic charts (CSV): a value from `Begin time` to `End time`; `Count` is a count, anything else is asked for",
    source: "New Relic, NRQL TIMESERIES and chart export (Begin time, End time in milliseconds)",
    build: FormatBuilder {
        recognise: |input, options| options.columns.time.is_empty() && columns_of(input, options).is_some(),
        open: |input, options| {
            let separator = delimiter(input, options);
            let Some((begin, interval)) = columns_of(input, options) else {
                return Layout::settled(input, options, separator)?.open(input, options);
            };
            let columns = Columns { time: vec![begin], ..Columns::default() };
            let columns = options.columns.clone().or(columns);
            let options = TraceOptions { columns, interval: options.interval.or(interval), ..options.clone() };
            Layout::settled(input, &options, separator)?.open(input, &options)
        },
    },
};

/// The name of the start column, and the length of an interval.
fn columns_of(input: &TraceInput, options: &TraceOptions) -> Option<(String, Option<SimDuration>)> {
    if input.is_parquet() {
        return None;
    }
    let header = Header::of(input, delimiter(input, options));
    let (begin, end) = (header.find("Begin time")?, header.find("End time")?);
    let first = header.rows.first();
    let number = |column: usize| integer(first?.get(column)?.as_bytes());
    let length = number(begin).zip(number(end)).and_then(|(begin, end)| end.checked_sub(begin));
    // Milliseconds since 1970, or seconds.
    let unit = if number(begin).is_some_and(|begin| begin >= 100_000_000_000) { 1_000_000 } else { 1_000_000_000 };
    let interval =
        length.filter(|length| (1..=100_000_000_000).contains(length)).and_then(|length| length.checked_mul(unit));
    Some((header.names[begin].clone(), interval.map(SimDuration::from_nanos)))
}
