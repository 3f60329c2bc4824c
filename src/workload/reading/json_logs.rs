//! JSON access logs that are recognised by their field names.

use super::header::Header;
use super::open::TraceInput;
use super::options::TraceOptions;
use super::rows::RowReader;
use super::split_lines::{Split, Timing};
use super::{json_lines, split_lines};
use crate::workload::error::TraceError;
use crate::workload::time::text::TimeFormat;

/// The log fields of a program.
pub(super) struct JsonLog {
    /// Fields that it has, among others.
    pub(super) has: &'static [&'static str],
    /// The field that every request has; objects without it are other messages.
    pub(super) mark: &'static str,
    /// Possible time fields; the first one present is used.
    pub(super) times: &'static [&'static str],
    /// The duration field, and its unit.
    pub(super) duration: &'static str,
    pub(super) unit: TimeFormat,
    /// Whether the time is the end of the request.
    pub(super) at_end: bool,
}

impl JsonLog {
    /// Whether the file is such a log, and the options say nothing else about its columns.
    pub(super) fn recognise(&self, input: &TraceInput, options: &TraceOptions) -> bool {
        let header = || json_lines::header(input);
        options.columns.name_sessions_only() && header().is_some_and(|header| self.fits(&header))
    }

    fn fits(&self, header: &Header) -> bool {
        self.has.iter().all(|name| header.has(name))
            && (self.at_end || self.times.iter().any(|name| header.has(name)) || header.has("time"))
    }

    /// Opens a file of JSON by [`JsonLog::open`], and any other one as lines in which `split` finds `fields`: the start of the request
    /// in the one called `time`, milliseconds in `duration`.
    ///
    /// # Errors
    /// If it lacks the expected fields.
    pub(super) fn open_or_text<S: Split + 'static>(
        &self,
        input: &TraceInput,
        options: &TraceOptions,
        (time, fields): (&str, &[&str]),
        split: S,
    ) -> Result<Box<dyn RowReader>, TraceError> {
        if input.head.trim_ascii_start().starts_with(b"{") {
            return self.open(input, options);
        }
        let timing = Timing { time, duration: Some(("duration", TimeFormat::Millis)), at_end: false };
        let names = fields.iter().map(|name| name.to_string()).collect();
        Ok(Box::new(split_lines::open(input, options, &timing, names, Vec::new(), split)?))
    }

    /// Opens the log; names in the options take precedence over the known ones.
    ///
    /// # Errors
    /// If it lacks the expected fields.
    pub(super) fn open(&self, input: &TraceInput, options: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
        let header = json_lines::header(input);
        let time = self.times.iter().find(|name| header.as_ref().is_some_and(|header| header.has(name)));
        // A log configured without the start still has the time of logging.
        let timing = Timing {
            time: time.unwrap_or(&"time"),
            duration: Some((self.duration, self.unit)),
            at_end: self.at_end || time.is_none(),
        };
        let notes = Vec::from_iter(timing.note(options));
        let options = TraceOptions { one_request_per_row: !options.columns.name_values(), ..timing.reading(options) };
        let known = json_lines::Known { mark: Some(self.mark), unordered: true, notes, ..json_lines::Known::default() };
        Ok(Box::new(json_lines::open_known(input, &options, &known)?))
    }
}
