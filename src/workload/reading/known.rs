//! Published tables that are recognised by their header.

use super::filter::{Checks, RowFilter};
use super::header::Header;
use super::open::TraceInput;
use super::options::{Columns, TraceOptions};
use super::rows::RowReader;
use super::table::Layout;
use crate::workload::error::TraceError;
use crate::workload::time::text::TimeFormat;

/// A table recognised by its header.
pub(super) struct KnownTable {
    /// Columns that it has, among others.
    pub(super) header: &'static [&'static str],
    /// The roles of its columns.
    pub(super) columns: fn() -> Columns,
    /// How its times are written, if their size does not determine it.
    pub(super) time_format: Option<TimeFormat>,
    /// Whether rows without a time are part of the table and are skipped.
    pub(super) blank_times: bool,
}

/// Knowledge of a format about a table, besides the roles of columns.
#[derive(Default)]
pub(super) struct Known {
    /// Which rows are read; others are skipped.
    pub(super) rows: RowFilter,
    /// Whether rows are in another order than their arrivals.
    pub(super) unordered: bool,
    /// Notes on how the table was interpreted.
    pub(super) notes: Vec<String>,
}

impl Known {
    /// Opens a table with the columns of `header`, after a number of records.
    ///
    /// # Errors
    /// If it lacks the columns named in the options, or those that mark rows.
    pub(super) fn open(
        self,
        input: &TraceInput,
        options: &TraceOptions,
        layout: Layout,
        header: &Header,
    ) -> Result<Box<dyn RowReader>, TraceError> {
        let passes = Checks::of(input, &self.rows, header, None)?;
        let notes = layout.notes.iter().cloned().chain(self.notes).collect();
        Layout { passes, unordered: self.unordered, notes, ..layout }.open(input, options)
    }
}

impl KnownTable {
    /// Whether the file is this table, and the options say nothing else about its columns.
    pub(super) fn recognise(&self, input: &TraceInput, options: &TraceOptions) -> bool {
        if input.is_parquet() || !options.columns.name_sessions_only() {
            return false;
        }
        let header = Header::of(input, b',');
        self.header.iter().all(|name| header.names.iter().any(|known| known == name))
    }

    /// Opens the table; columns named in the options take precedence over the known ones.
    ///
    /// # Errors
    /// If it lacks the expected columns.
    pub(super) fn open(&self, input: &TraceInput, options: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
        let columns = options.columns.clone().or((self.columns)());
        let time_format = options.time_format.or(self.time_format);
        let options = TraceOptions { columns, time_format, ..options.clone() };
        let layout = Layout::of(input, &options, b',')?;
        Layout { blank_times: self.blank_times, ..layout }.open(input, &options)
    }
}

/// The name of a column.
pub(super) fn named(name: &str) -> Option<String> {
    Some(name.to_string())
}

/// The names of one column.
pub(super) fn names(name: &str) -> Vec<String> {
    vec![name.to_string()]
}
