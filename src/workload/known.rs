//! Published tables whose columns are known by their header.

use super::filter::{Checks, RowFilter};
use super::rows::RowReader;
use super::table::{Header, Layout};
use super::{Columns, TimeFormat, TraceError, TraceInput, TraceOptions};

/// A table that its header gives away.
pub(super) struct KnownTable {
    /// Columns that it has, among others.
    pub(super) header: &'static [&'static str],
    /// What its columns are for.
    pub(super) columns: fn() -> Columns,
    /// How its times are written, where their size does not tell.
    pub(super) time_format: Option<TimeFormat>,
    /// Whether rows without a time belong to the table and are passed over.
    pub(super) blank_times: bool,
}

/// What a format knows of a table, beyond what its columns are for.
#[derive(Default)]
pub(super) struct Known {
    /// Which rows are read; the others are passed over.
    pub(super) rows: RowFilter,
    /// Whether rows are written in another order than that of their arrivals.
    pub(super) unordered: bool,
    /// How the table was understood.
    pub(super) notes: Vec<String>,
}

impl Known {
    /// Opens a table that has the columns of `header`, behind so many records.
    ///
    /// # Errors
    /// If it has not the columns that the options name, or that the rows are known by.
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
    /// Whether the file is this table, and nothing else was said about its columns.
    pub(super) fn recognise(&self, input: &TraceInput, options: &TraceOptions) -> bool {
        if input.is_parquet() || !options.columns.name_sessions_only() {
            return false;
        }
        let header = Header::of(input, b',');
        self.header.iter().all(|name| header.names.iter().any(|known| known == name))
    }

    /// Opens the table; columns that were named go before the known ones.
    ///
    /// # Errors
    /// If it has not the columns that it is known to have.
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
