//! Access logs in JSON whose fields are known by their names.

use super::rows::RowReader;
use super::split_lines::Timing;
use super::table::Header;
use super::time_text::TimeFormat;
use super::{TraceError, TraceInput, TraceOptions, json_lines};

/// What a program writes of a request.
pub(super) struct JsonLog {
    /// Fields that it has, among others.
    pub(super) has: &'static [&'static str],
    /// The field without which an object of the log is another message.
    pub(super) mark: &'static str,
    /// Fields of the time: the first that it has.
    pub(super) times: &'static [&'static str],
    /// The field of the duration, and its unit.
    pub(super) duration: &'static str,
    pub(super) unit: TimeFormat,
    /// Whether the time is when the request had ended.
    pub(super) at_end: bool,
}

impl JsonLog {
    /// Whether the file is such a log, and nothing else was said about its columns.
    pub(super) fn recognise(&self, input: &TraceInput, options: &TraceOptions) -> bool {
        let header = || json_lines::header(input);
        options.columns.name_sessions_only() && header().is_some_and(|header| self.fits(&header))
    }

    fn fits(&self, header: &Header) -> bool {
        self.has.iter().all(|name| header.has(name))
            && (self.at_end || self.times.iter().any(|name| header.has(name)) || header.has("time"))
    }

    /// Opens the log; what was named goes before what is known.
    ///
    /// # Errors
    /// If it has not the fields that it is known to have.
    pub(super) fn open(&self, input: &TraceInput, options: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
        let header = json_lines::header(input);
        let time = self.times.iter().find(|name| header.as_ref().is_some_and(|header| header.has(name)));
        // A log that was told to leave the start out still has the time at which it was written.
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
