//! Logs with one request per line whose fields a format takes apart by itself.

use std::ops::Range;

use super::cells::{RowMaker, RowValues};
use super::formats::head_lines;
use super::header::is_blank;
use super::lines::{RowFault, TextReader};
use super::rows::Rows;
use super::table::{ByLayout, Header, Layout, Role};
use super::time_text::TimeFormat;
use super::{Columns, TraceError, TraceInput, TraceOptions};

/// Takes lines apart.
pub(super) trait Split: Send {
    /// Appends the places of a line's fields, in the order of their names; those of fields that it does not have are empty or left out.
    /// False for a line that is none of the format's business.
    ///
    /// # Errors
    /// If the line is not written as the format says.
    fn split(&self, line: &[u8], fields: &mut Vec<Range<usize>>) -> Result<bool, RowFault>;
}

/// The fields of one line as text; `None` if it is not written so, or holds no request.
pub(super) fn texts<S: Split>(split: &S, line: &[u8]) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let text = |field: &Range<usize>| String::from_utf8_lossy(line.get(field.clone()).unwrap_or_default()).into_owned();
    (!line.is_empty() && split.split(line, &mut fields).ok()?).then(|| fields.iter().map(text).collect())
}

/// Whether a line among the first can be taken apart so: some lines of a real log may be broken or another program's.
pub(super) fn any_fits<S: Split>(split: &S, input: &TraceInput) -> bool {
    head_lines(input, 20).any(|line| texts(split, line).is_some())
}

/// Where a log says when a request came and how long it took.
pub(super) struct Timing<'a> {
    /// The field of the time.
    pub(super) time: &'a str,
    /// The field of the duration, and its unit where the value names none.
    pub(super) duration: Option<(&'a str, TimeFormat)>,
    /// Whether the time is when the request had ended: it came by the duration earlier.
    pub(super) at_end: bool,
}

impl Timing<'_> {
    /// The options with these fields where no others were named. What the log records of a request's duration is its demand, where that is
    /// asked for.
    pub(super) fn reading(&self, options: &TraceOptions) -> TraceOptions {
        let field = self.duration.map(|(name, _)| name.to_string());
        let known = Columns {
            time: vec![self.time.to_string()],
            elapsed: field.clone().filter(|_| self.at_end),
            demand: field.filter(|_| options.durations),
            ..Columns::default()
        };
        // What is said of the unit otherwise stands.
        let unit = self.duration.map(|(_, unit)| unit).filter(|_| options.demand_unit == TimeFormat::Seconds);
        TraceOptions {
            columns: options.columns.clone().or(known),
            demand_unit: unit.unwrap_or(options.demand_unit),
            ..options.clone()
        }
    }

    /// That there are durations, where nobody asks for them.
    pub(super) fn note(&self, options: &TraceOptions) -> Option<String> {
        let (name, _) = self.duration.filter(|_| !options.durations && options.columns.demand.is_none())?;
        Some(format!("`{name}` says how long each request took: `service-time: from-trace` takes it"))
    }
}

/// Opens a log whose fields have these names; `notes` say how it is understood.
///
/// # Errors
/// As for [`Layout::of_fields`].
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

/// As [`open`], of a log whose header was made already. The durations of the field `also_elapsed` are added to those of the one that the
/// options name.
///
/// # Errors
/// As for [`Layout::of_fields`].
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
    // Logs are written when requests have ended, and here they stand at their start.
    layout.unordered = true;
    layout.wanted.extend(also_elapsed.and_then(|name| header.find(name)).map(|column| (column, Role::Elapsed)));
    let maker = layout.maker(options);
    TextReader::open(input, options, 0, SplitLines { split, fields: Vec::new(), layout, maker })
}

/// Reads the lines.
pub(super) struct SplitLines<S> {
    split: S,
    /// Places of the fields of the line.
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
            // Of a request that was not passed on it is not known how long it took.
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

/// The words of a log line with blanks between them, from a place on: text between double quotes or brackets is one word, without them.
pub(super) struct Words<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    pub(super) fn new(line: &'a [u8], at: usize) -> Self {
        Words { line, at }
    }

    /// Where the next word may begin.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The end of a quoted or bracketed word whose text begins at `from`: the first `close` behind which the line ends or a blank stands.
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
