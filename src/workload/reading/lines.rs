//! Splits text into lines, and lines into rows, without an allocation per line.

use std::io::Read;
use std::ops::Range;

use super::open::{TraceInput, read_error};
use super::options::TraceOptions;
use super::prefixes::{Prefixes, Stripper, Taken};
use super::rows::{BadRow, RowCounts, RowFacts, RowReader, Rows};
use crate::workload::error::TraceError;

/// Maximum length of a line. Real logs are far below: servers limit request lines to 8 to 64 KiB.
pub const MAX_LINE_BYTES: usize = 1 << 20;
const CHUNK: usize = 256 << 10;

/// How a text is divided into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Division {
    /// At line ends.
    Lines,
    /// At line ends outside of double quotes.
    QuotedLines,
    /// JSON objects in sequence, possibly in a list, over any number of lines.
    Objects,
}

/// Start and end of the first JSON object in a text; no end if it continues after the text.
pub(super) fn first_object(text: &[u8]) -> Option<(usize, Option<usize>)> {
    let start = memchr::memchr(b'{', text)?;
    let (mut depth, mut quoted, mut escaped) = (0u32, false, false);
    for (at, c) in text[start..].iter().enumerate() {
        match (quoted, c) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (true, b'"') => quoted = false,
            (true, _) => {}
            (false, b'"') => quoted = true,
            (false, b'{') => depth += 1,
            (false, b'}') => {
                depth -= 1;
                if depth == 0 {
                    return Some((start, Some(start + at + 1)));
                }
            }
            _ => {}
        }
    }
    Some((start, None))
}

/// The lines of a stream, without line ends (`\n` or `\r\n`).
pub(crate) struct Lines {
    file: String,
    stream: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// First byte not returned yet.
    start: usize,
    /// One past the last byte read.
    end: usize,
    finished: bool,
    /// Line on which the last record starts, from 1.
    line: u64,
    next_line: u64,
    /// Removes the prefix of each line.
    stripper: Option<Stripper>,
    /// Position of the last line in the buffer, including its prefix.
    raw: Range<usize>,
}

impl Lines {
    pub(crate) fn new(input: &TraceInput) -> Result<Self, TraceError> {
        let buffer = vec![0; CHUNK];
        let (file, stream) = (input.name.clone(), input.stream()?);
        let stripper = input.prefixes.as_ref().map(Stripper::new);
        Ok(Lines {
            file,
            stream,
            buffer,
            start: 0,
            end: 0,
            finished: false,
            line: 0,
            next_line: 1,
            stripper,
            raw: 0..0,
        })
    }

    /// The next record with the number of its first line.
    pub(super) fn record(&mut self, division: Division) -> Result<Option<(u64, &[u8])>, TraceError> {
        match division {
            Division::Lines => self.next(false),
            Division::QuotedLines => self.next(true),
            // After a prefix, each object is on its own line.
            Division::Objects if self.stripper.is_some() => self.next(false),
            Division::Objects => self.next_object(),
        }
    }

    fn next_object(&mut self) -> Result<Option<(u64, &[u8])>, TraceError> {
        loop {
            let found = first_object(&self.buffer[self.start..self.end]);
            if let Some((from, Some(to))) = found {
                let (from, to) = (self.start + from, self.start + to);
                let newlines = |text: &[u8]| memchr::memchr_iter(b'\n', text).count() as u64;
                self.line = self.next_line + newlines(&self.buffer[self.start..from]);
                self.next_line = self.line + newlines(&self.buffer[from..to]);
                self.start = to;
                return Ok(Some((self.line, &self.buffer[from..to])));
            }
            if self.end - self.start > MAX_LINE_BYTES {
                self.line = self.next_line;
                return Err(self.too_long(false));
            }
            if self.finished {
                // The rest does not start an object, or starts one that is truncated.
                let Some((from, None)) = found else { return Ok(None) };
                let from = self.start + from;
                self.line = self.next_line;
                self.start = self.end;
                return Ok(Some((self.line, &self.buffer[from..self.end])));
            }
            self.refill()?;
        }
    }

    /// The next line with its number; if `quoted`, line ends within double quotes are part of the record.
    #[inline]
    pub(crate) fn next(&mut self, quoted: bool) -> Result<Option<(u64, &[u8])>, TraceError> {
        if self.stripper.is_some() {
            return self.next_behind_prefix();
        }
        Ok(self.next_raw(quoted)?.map(|range| (self.line, &self.buffer[range])))
    }

    /// The next line without its prefix; parts of lines are joined.
    fn next_behind_prefix(&mut self) -> Result<Option<(u64, &[u8])>, TraceError> {
        let (line, range) = loop {
            let range = self.next_raw(false)?;
            self.raw = range.clone().unwrap_or_default();
            let Some(stripper) = &mut self.stripper else { return Ok(None) };
            match range {
                None => match stripper.rest() {
                    Some(line) => break (line, None),
                    None => return Ok(None),
                },
                Some(range) => match stripper.take(&self.buffer[range.clone()], self.line) {
                    Taken::Part => {}
                    Taken::Rest(at) => break (self.line, Some(range.start + at..range.end)),
                    Taken::Made(line) => break (line, None),
                },
            }
        };
        let made = || self.stripper.as_ref().map_or(&b""[..], Stripper::made);
        Ok(Some((line, range.map_or_else(made, |range| &self.buffer[range]))))
    }

    /// Converts a column of the last record to the column in the file, both from 1.
    pub(super) fn column(&self, column: u64) -> u64 {
        let raw = self.buffer.get(self.raw.clone()).unwrap_or_default();
        self.stripper.as_ref().map_or(column, |stripper| stripper.column(column, raw))
    }

    /// Position of the next record in the buffer.
    fn next_raw(&mut self, quoted: bool) -> Result<Option<Range<usize>>, TraceError> {
        self.line = self.next_line;
        let mut scanned = 0;
        let mut open_quote = false;
        let (length, after) = loop {
            let fresh = &self.buffer[self.start + scanned..self.end];
            if let Some(at) = memchr::memchr(b'\n', fresh) {
                open_quote ^= quoted && odd_quotes(&fresh[..at]);
                self.next_line += 1;
                if !open_quote {
                    break (scanned + at, scanned + at + 1);
                }
                scanned += at + 1;
                continue;
            }
            if self.end - self.start > MAX_LINE_BYTES {
                return Err(self.too_long(open_quote));
            }
            if self.finished {
                if self.start == self.end {
                    return Ok(None);
                }
                self.next_line += 1;
                break (self.end - self.start, self.end - self.start);
            }
            self.refill()?;
        };
        let record = &self.buffer[self.start..self.start + length];
        let range = self.start..self.start + record.strip_suffix(b"\r").unwrap_or(record).len();
        self.start += after;
        Ok(Some(range))
    }

    /// Moves the rest to the front of the buffer and reads more after it.
    fn refill(&mut self) -> Result<(), TraceError> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() - self.end < CHUNK / 2 {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let n = loop {
            match self.stream.read(&mut self.buffer[self.end..]) {
                Ok(n) => break n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(read_error(&self.file, &error).line(self.next_line)),
            }
        };
        self.end += n;
        self.finished = n == 0;
        Ok(())
    }

    fn too_long(&self, open_quote: bool) -> TraceError {
        let error = TraceError::new(self.file.as_str(), "the line is longer than 1 MiB; expected a row of a trace");
        let help = if open_quote { "a double quote is not closed" } else { "is this the file you meant?" };
        error.line(self.line).help(help)
    }
}

fn odd_quotes(text: &[u8]) -> bool {
    memchr::memchr_iter(b'"', text).count() % 2 == 1
}

/// Why a row cannot be used: position in the record, and the expected text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowFault {
    /// Byte offset in the record.
    pub at: usize,
    /// The expected text ("a time such as ...").
    pub expected: &'static str,
}

/// Converts records to rows: the part of [`TextReader`] that depends on the format.
pub(super) trait RowParser: Send {
    /// Appends the record's rows; none if the record is not relevant to the format.
    fn parse(&mut self, record: &[u8], rows: &mut Rows) -> Result<(), RowFault>;

    /// What holds for all rows.
    fn facts(&self) -> RowFacts {
        RowFacts::DATED
    }

    /// Whether conditions on columns leave rows out.
    fn filters(&self) -> bool {
        false
    }

    /// Notes on how the file was interpreted if the options do not state it; one sentence each.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Adds counts to the tally that only the parser knows: values filled in, rows moved or left out.
    fn account(&self, _: &mut RowCounts) {}

    /// How the text is divided into records.
    fn division(&self) -> Division {
        Division::Lines
    }

    /// See [`RowReader`].
    fn class_names(&self) -> &[String] {
        &[]
    }
}

/// The reader of a text format: lines, the parser, and the tally of unusable rows.
pub(super) struct TextReader<P> {
    lines: Lines,
    parser: P,
    tally: RowCounts,
    max_bad_share: f64,
    next_weighing: u64,
}

/// Number of rows per call.
const ROWS: usize = 8192;
/// The share of bad rows is checked at the first bad row after every such number of rows, and at the end.
const WEIGH_EVERY: u64 = 65_536;

impl<P: RowParser> TextReader<P> {
    /// Starts after the first `skip` records (a header).
    pub(super) fn open(input: &TraceInput, options: &TraceOptions, skip: usize, parser: P) -> Result<Self, TraceError> {
        let mut lines = Lines::new(input)?;
        for _ in 0..skip {
            lines.record(parser.division())?;
        }
        let max_bad_share = options.max_bad_rows.get();
        if !options.filter.is_empty() && !parser.filters() {
            return Err(TraceError::new(
                input.name.as_str(),
                "is of a format to which `include:` and `exclude:` are not applied",
            )
            .help("leave them out, or convert the file to a table first"));
        }
        let mut notes = parser.notes();
        notes.extend(input.prefixes.as_ref().map(Prefixes::note));
        let tally = RowCounts { notes, ..RowCounts::default() };
        Ok(TextReader { lines, parser, tally, max_bad_share, next_weighing: WEIGH_EVERY })
    }

    fn weigh(&self) -> Result<(), TraceError> {
        self.tally.weigh(&self.lines.file, self.max_bad_share)
    }
}

impl<P: RowParser> RowReader for TextReader<P> {
    fn facts(&self) -> RowFacts {
        self.parser.facts()
    }

    fn read(&mut self, rows: &mut Rows) -> Result<(), TraceError> {
        rows.clear();
        let division = self.parser.division();
        while rows.len() < ROWS {
            let Some((line, record)) = self.lines.record(division)? else {
                self.weigh()?;
                break;
            };
            let before = rows.len();
            match self.parser.parse(record, rows) {
                Ok(()) if rows.len() == before => self.tally.skipped += 1,
                Ok(()) => self.tally.rows += (rows.len() - before) as u64,
                Err(fault) => {
                    let described = describe(record, fault, line);
                    self.tally.fault(BadRow { column: self.lines.column(described.column), ..described });
                    if self.tally.bad + self.tally.rows >= self.next_weighing {
                        self.weigh()?;
                        self.next_weighing += WEIGH_EVERY;
                    }
                }
            }
            rows.lines.resize(rows.requests.len(), line);
        }
        self.parser.account(&mut self.tally);
        Ok(())
    }

    fn tally(&self) -> &RowCounts {
        &self.tally
    }

    fn class_names(&self) -> &[String] {
        self.parser.class_names()
    }
}

/// The fault with a short excerpt of the text.
pub(crate) fn describe(record: &[u8], fault: RowFault, line: u64) -> BadRow {
    let rest = &record[fault.at.min(record.len())..];
    let excerpt = String::from_utf8_lossy(&rest[..rest.len().min(40)]);
    let found = if rest.is_empty() {
        "the end of the line".to_string()
    } else {
        let dots = if rest.len() > 40 { "..." } else { "" };
        format!("`{}{dots}`", excerpt.escape_debug())
    };
    BadRow { line, column: fault.at as u64 + 1, message: format!("expected {}, found {found}", fault.expected) }
}
