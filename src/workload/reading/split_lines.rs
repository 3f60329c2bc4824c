//! Logs with one request per line, whose fields are extracted by a format.

use std::ops::Range;

use super::cells::{Role, RowMaker, RowValues};
use super::header::{Header, is_blank};
use super::lines::{RowFault, TextReader};
use super::open::{TraceInput, head_lines};
use super::options::{Columns, TraceOptions};
use super::rows::Rows;
use super::table::{ByLayout, Layout};
use crate::workload::error::TraceError;
use crate::workload::time::text::TimeFormat;

/// Extracts the fields of lines.
pub(super) trait Split: Send {
    /// Appends the positions of a line's fields, in the order of their names; missing fields are empty or left out.
    /// Returns `false` for a line that is not about a request.
    ///
    /// # Errors
    /// If the line does not match the format.
    fn split(&self, line: &[u8], fields: &mut Vec<Range<usize>>) -> Result<bool, RowFault>;
}

/// The fields of one line as text; `None` if it does not match the format, or is not about a request.
pub(super) fn texts<S: Split>(split: &S, line: &[u8]) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let text = |field: &Range<usize>| String::from_utf8_lossy(line.get(field.clone()).unwrap_or_default()).into_owned();
    (!line.is_empty() && split.split(line, &mut fields).ok()?).then(|| fields.iter().map(text).collect())
}

/// Whether one of the first lines matches: some lines of a real log may be broken or written by another program.
pub(super) fn any_fits<S: Split>(split: &S, input: &TraceInput) -> bool {
    head_lines(input, 20).any(|line| texts(split, line).is_some())
}

/// The fields of a log with arrival and duration of a request.
pub(super) struct Timing<'a> {
    /// The time field.
    pub(super) time: &'a str,
    /// The duration field, and its unit if the value does not state one.
    pub(super) duration: Option<(&'a str, TimeFormat)>,
    /// Whether the time is the end of the request: its arrival was earlier by the duration.
    pub(super) at_end: bool,
}

impl Timing<'_> {
    /// The options with these fields, unless others are named. The recorded duration of a request is its demand if
    /// requested.
    pub(super) fn reading(&self, options: &TraceOptions) -> TraceOptions {
        let field = self.duration.map(|(name, _)| name.to_string());
        let known = Columns {
            time: vec![self.time.to_string()],
            elapsed: field.clone().filter(|_| self.at_end),
            demand: field.filter(|_| options.durations),
            ..Columns::default()
        };
        // A unit stated in the options takes precedence.
        let unit = self.duration.map(|(_, unit)| unit).filter(|_| options.demand_unit == TimeFormat::Seconds);
        TraceOptions {
            columns: options.columns.clone().or(known),
            demand_unit: unit.unwrap_or(options.demand_unit),
            ..options.clone()
        }
    }

    /// A note that there are durations, if they are not used.
    pub(super) fn note(&self, options: &TraceOptions) -> Option<String> {
        let (name, _) = self.duration.filter(|_| !options.durations && options.columns.demand.is_none())?;
        Some(format!("`{name}` says how long each request took: `service-time: from-trace` takes it"))
    }
}

/// Opens a log whose fields have these names; `notes` describe how it is interpreted.
///
/// # Errors
/// Those of [`Layout::of_fields`].
pub(super) fn open<S: Split>(
    input: &TraceInput,
    options: &TraceOptions,
    timing: &Timing<'_>,
    names: Vec<String>,
    mut notes: Vec<String>,
    split: S,
) -> Result<TextReader<SplitLines<S>>, TraceError> {
    notes.extend(timing.note(options));
    let rows = head_lines(input, 200).filter_map(|line| texts(&split, line)).map(|mut row| {
        row.resize(names.len(), String::new());
        row
    });
    let header = Header { comments: 0, rows: rows.collect(), names };
    open_settled(input, &timing.reading(options), header, None, notes, split)
}

/// Like [`open`], for a log whose header is already known. The durations of the field `also_elapsed` are added to those
/// of the field that the options name.
///
/// # Errors
/// Those of [`Layout::of_fields`].
pub(super) fn open_settled<S: Split>(
    input: &TraceInput,
    options: &TraceOptions,
    header: Header,
    also_elapsed: Option<&str>,
    notes: Vec<String>,
    split: S,
) -> Result<TextReader<SplitLines<S>>, TraceError> {
    let mut layout = Layout { quoted: false, ..Layout::of_fields(input, options, &header)? };
    layout.notes.extend(notes);
    // Logs are in the order of completion, but rows have their arrival times.
    layout.unordered = true;
    layout.wanted.extend(also_elapsed.and_then(|name| header.find(name)).map(|column| (column, Role::Elapsed)));
    let maker = layout.maker(options);
    TextReader::open(input, options, 0, SplitLines { split, fields: Vec::new(), layout, maker })
}

/// Reads the lines.
pub(super) struct SplitLines<S> {
    split: S,
    /// Positions of the fields of the line.
    fields: Vec<Range<usize>>,
    layout: Layout,
    maker: RowMaker,
}

impl<S: Split> ByLayout for SplitLines<S> {
    fn parse(&mut self, line: &[u8], rows: &mut Rows) -> Result<(), RowFault> {
        self.fields.clear();
        if line.trim_ascii().is_empty() || !self.split.split(line, &mut self.fields)? {
            return Ok(());
        }
        let cell = |field: &Range<usize>| line.get(field.clone()).unwrap_or_default();
        if !self.layout.checks.is_empty() && self.layout.checks.leave_out(self.fields.iter().map(cell)) {
            return Ok(());
        }
        let mut row = RowValues::default();
        for (column, role) in &self.layout.wanted {
            let field = self.fields.get(*column).cloned().unwrap_or(line.len()..line.len());
            let text = cell(&field);
            // For a request that was not passed on, the duration is unknown.
            if *role == Role::Elapsed && is_blank(text) {
                continue;
            }
            self.maker.cell(*role, text, &mut row).map_err(|expected| RowFault { at: field.start, expected })?;
        }
        self.maker.push(row, &self.layout.wanted, rows).map_err(|expected| RowFault { at: 0, expected })
    }

    fn form(&self) -> (&Layout, &RowMaker) {
        (&self.layout, &self.maker)
    }
}

/// The words of a log line separated by spaces, from an offset on: text in double quotes or brackets is one word,
/// without them.
pub(super) struct Words<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    pub(super) fn new(line: &'a [u8], at: usize) -> Self {
        Words { line, at }
    }

    /// Earliest offset of the next word.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The end of a quoted or bracketed word whose text starts at `from`: the first `close` followed by a space or the
    /// end of the line.
    pub(super) fn closed(&self, from: usize, close: u8) -> Option<usize> {
        let ends = memchr::memchr_iter(close, &self.line[from..]).map(|at| from + at);
        let word_ends = |at: usize| matches!(self.line.get(at + 1), None | Some(b' '));
        let escaped = |at: usize| close == b'"' && at > from && self.line[at - 1] == b'\\';
        ends.into_iter().find(|at| word_ends(*at) && !escaped(*at))
    }
}

impl Iterator for Words<'_> {
    type Item = Range<usize>;

    #[inline]
    fn next(&mut self) -> Option<Range<usize>> {
        let blanks = self.line.get(self.at..)?.iter().take_while(|c| **c == b' ').count();
        let start = self.at + blanks;
        let close = match self.line.get(start)? {
            b'"' => Some(b'"'),
            b'[' => Some(b']'),
            _ => None,
        };
        if let Some(close) = close
            && let Some(end) = self.closed(start + 1, close)
        {
            self.at = end + 1;
            return Some(start + 1..end);
        }
        let end = memchr::memchr(b' ', &self.line[start..]).map_or(self.line.len(), |at| start + at);
        self.at = end;
        Some(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_between_blanks_quotes_and_brackets() {
        let line = br#"a [02/Mar/2026:10:00:00 +0100]  "GET /a\"b HTTP/1.1" "say hi" - "open"#;
        let words: Vec<&[u8]> = Words::new(line, 0).map(|word| &line[word]).collect();
        let expected: [&[u8]; 6] =
            [b"a", b"02/Mar/2026:10:00:00 +0100", br#"GET /a\"b HTTP/1.1"#, b"say hi", b"-", br#""open"#];
        assert_eq!(words, expected);
        assert_eq!(Words::new(b"\"", 0).next(), Some(0..1));
        assert_eq!(Words::new(b"   ", 0).next(), None);
        assert_eq!(Words::new(b"a", 9).next(), None);
    }
}
