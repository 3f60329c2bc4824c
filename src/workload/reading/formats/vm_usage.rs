//! Resource usage of virtual machines at two hosting providers: Bitbrains and Materna, from the Grid Workloads Archive.

use super::super::header::listed;
use super::super::known::names;
use super::super::rows::RowReader;
use super::super::table::Layout;
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::error::TraceError;
use crate::workload::reading::header::Header;
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::{Columns, TraceOptions, Values};
use crate::workload::time::text::TimeFormat;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "vm-usage",
    summary: "Bitbrains and Materna tables of a virtual machine: the level is `CPU usage [MHZ]` (`metric:` names another column)",
    source: "Grid Workloads Archive, GWA-T-12 Bitbrains and GWA-T-13 Materna",
    build: FormatBuilder {
        recognise: |input, options| options.columns == Columns::default() && columns_of(input).is_some(),
        open,
    },
};

const USAGE: &str = "CPU usage [MHZ]";

/// The header, and the index of its time column.
fn columns_of(input: &TraceInput) -> Option<(Header, String)> {
    if input.is_parquet() {
        return None;
    }
    let header = Header::of(input, b';');
    let known = header.find("CPU capacity provisioned [MHZ]").is_some() && header.find(USAGE).is_some();
    let time = header.names.first().filter(|name| known && name.to_ascii_lowercase().starts_with("timestamp"))?.clone();
    Some((header, time))
}

fn open(input: &TraceInput, options: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
    let fail = |message: String| TraceError::new(input.name.as_str(), message);
    let (header, time) = columns_of(input).ok_or_else(|| {
        fail(format!("has no columns `Timestamp` and `{USAGE}` between semicolons"))
            .help("expected a table of Bitbrains or Materna as the archive has it")
    })?;
    if options.values.is_some_and(|values| values != Values::Level) {
        return Err(fail("holds levels: what a machine used at a time".into()).help("leave `values:` out"));
    }
    let asked = options.metric.as_deref().unwrap_or(USAGE);
    let level = header.find(asked).ok_or_else(|| {
        fail(format!("has no column `{asked}` for `metric:`")).help(format!("columns: {}", listed(&header.names)))
    })?;
    let level = header.names[level].clone();
    let note = format!("the level is `{level}` at each time");
    // Materna writes dates with dots and numbers with a comma; Bitbrains writes plain numbers.
    let dated = header
        .rows
        .first()
        .and_then(|row| row.first())
        .is_some_and(|text| TimeFormat::detect(text.as_bytes()).is_some_and(TimeFormat::is_date));
    let columns = options.columns.clone().or(Columns { time: vec![time], level: names(&level), ..Columns::default() });
    let decimal = options.decimal.or(Some(if dated { b',' } else { b'.' }));
    let read = TraceOptions { columns, decimal, metric: None, values: None, ..options.clone() };
    let mut layout = Layout::of(input, &read, b';')?;
    layout.notes.push(note);
    layout.open(input, &read)
}
