//! The header of a table: its separator, the names of its columns, and the roles of the columns.

use super::cells::{Role, value};
use super::numbers::Numbers;
use super::open::TraceInput;
use super::options::{Columns, TraceOptions};
use super::prefixes::PREFIX_TIME;
use crate::config::advice;
use crate::workload::error::TraceError;
use crate::workload::time::text::integer;

/// A table's header: the records before the first row and the names of its columns.
pub(crate) struct Header {
    /// Number of records before the first row that may contain a header: comments, and the line `sep=;` of a
    /// spreadsheet.
    pub(super) comments: usize,
    /// Fields of the first record that is not a comment.
    pub(crate) names: Vec<String>,
    /// The following records of the head, without the last one, which may be truncated.
    pub(super) rows: Vec<Vec<String>>,
}

/// Maximum number of records in the head.
const LOOKED_AT: usize = 200;

impl Header {
    /// Parses the beginning of a file, at most 200 records.
    pub(crate) fn of(input: &TraceInput, delimiter: u8) -> Header {
        let mut records: Vec<&[u8]> = input.head.split(|c| *c == b'\n').collect();
        if !input.head_is_all || records.last().is_some_and(|last| last.is_empty()) {
            records.pop();
        }
        let is_comment = |record: &&&[u8]| record.starts_with(b"#") || record.starts_with(b"sep=");
        let comments = records.iter().take_while(is_comment).count();
        let fields = |record: &&[u8]| {
            let record = record.strip_suffix(b"\r").unwrap_or(record);
            Cells::new(record, delimiter).map(|(_, cell)| String::from_utf8_lossy(cell).trim().to_string()).collect()
        };
        let mut rows = records[comments..].iter().take(LOOKED_AT).map(fields);
        let names = rows.next().unwrap_or_default();
        Header { comments, names, rows: rows.collect() }
    }

    /// The column called `name`, ignoring case.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let exact = self.names.iter().position(|known| known == name);
        exact.or_else(|| self.names.iter().position(|known| known.eq_ignore_ascii_case(name)))
    }

    /// Whether a column has exactly this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// Whether the first record is a row instead of a header: it has a number or a time in place of a name.
    pub(super) fn is_headless(&self) -> bool {
        self.names.first().is_some_and(|first| {
            value(first.as_bytes()).is_some()
                || crate::workload::time::text::TimeFormat::detect(first.as_bytes()).is_some()
        })
    }

    /// The cells of a column, including that of the first record if it is a row.
    pub(super) fn cells(&self, column: usize) -> impl Iterator<Item = &str> {
        let first = self.is_headless().then_some(&self.names);
        first.into_iter().chain(&self.rows).filter_map(move |row| row.get(column)).map(String::as_str)
    }

    /// Whether a column has only numbers, apart from blank cells.
    pub(super) fn is_numeric(&self, column: usize) -> bool {
        let mut filled = self.cells(column).filter(|text| !is_blank(text.as_bytes())).peekable();
        filled.peek().is_some() && filled.all(Numbers::is_number)
    }

    /// The columns named in the options, and the time column if it has a common name.
    pub(super) fn wanted(&self, input: &TraceInput, options: &TraceOptions) -> Result<Vec<(usize, Role)>, TraceError> {
        let named = NamedColumns { input, header: self };
        let mut wanted = named.resolve(&options.columns)?;
        if !wanted.iter().any(|(_, role)| *role == Role::Time) {
            let time = named.time()?;
            wanted.push((time, Role::Time));
            wanted.extend(self.time_of_day(time).map(|column| (column, Role::TimeOfDay)));
        }
        wanted.sort_by_key(|(column, _)| *column);
        // The time that a request took may be both its demand and the offset to its arrival.
        let may_share = |role| matches!(role, Role::Demand | Role::Elapsed);
        let shared = |pair: &&[(usize, Role)]| pair[0].0 == pair[1].0 && !pair.iter().all(|(_, role)| may_share(*role));
        if let Some(twice) = wanted.windows(2).find(shared) {
            let name = self.names.get(twice[0].0).cloned().unwrap_or_default();
            return Err(TraceError::new(input.name.as_str(), "one column is named for two purposes").column(name));
        }
        Ok(wanted)
    }

    /// The time column: the one named in the options, or one with a common name.
    pub(super) fn time_column(&self, input: &TraceInput, options: &TraceOptions) -> Result<usize, TraceError> {
        let named = NamedColumns { input, header: self };
        match options.columns.time.first() {
            Some(name) => named.find(name),
            None => named.time(),
        }
    }
}

/// Cells that mean "no value".
pub(super) fn is_blank(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    [&b""[..], b"null", b"-", b"nan", b"n/a", b"undefined"].iter().any(|blank| text.eq_ignore_ascii_case(blank))
}

/// The fields of one record with their byte offsets, without quotes.
pub(crate) struct Cells<'a> {
    record: &'a [u8],
    delimiter: u8,
    at: usize,
    finished: bool,
}

impl<'a> Cells<'a> {
    #[inline]
    pub(crate) fn new(record: &'a [u8], delimiter: u8) -> Self {
        Cells { record, delimiter, at: 0, finished: false }
    }

    /// The rest of the record after the fields returned so far, if there is a further field.
    #[inline]
    pub(super) fn rest(&self) -> Option<(usize, &'a [u8])> {
        (!self.finished).then(|| (self.at, &self.record[self.at..]))
    }
}

impl<'a> Iterator for Cells<'a> {
    type Item = (usize, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<(usize, &'a [u8])> {
        if self.finished {
            return None;
        }
        let rest = &self.record[self.at..];
        let quoted = rest.first() == Some(&b'"');
        let length = if quoted { quoted_length(rest, self.delimiter) } else { memchr::memchr(self.delimiter, rest) };
        let start = self.at;
        let cell = &rest[..length.unwrap_or(rest.len())];
        match length {
            Some(length) => self.at += length + 1,
            None => self.finished = true,
        }
        if quoted && cell.len() >= 2 && cell.ends_with(b"\"") {
            return Some((start + 1, &cell[1..cell.len() - 1]));
        }
        Some((start, cell))
    }
}

/// Length of a quoted field up to the delimiter after its closing quote; a doubled quote does not close it.
fn quoted_length(text: &[u8], delimiter: u8) -> Option<usize> {
    let mut inside = false;
    text.iter().position(|c| {
        inside ^= *c == b'"';
        !inside && *c == delimiter
    })
}

/// Roles of columns and their common names.
struct NamedColumns<'a> {
    input: &'a TraceInput,
    header: &'a Header,
}

/// Names by which a time column is found without being named.
pub(super) const TIME_NAMES: [&str; 16] = [
    "timestamp",
    "time",
    "datetime",
    "date",
    "ts",
    "@timestamp",
    "period",
    "arrival",
    "arrived_at",
    "created_at",
    "time_iso8601",
    "event_time",
    "start_time",
    "starttime",
    "time_local",
    PREFIX_TIME,
];

impl NamedColumns<'_> {
    fn resolve(&self, columns: &Columns) -> Result<Vec<(usize, Role)>, TraceError> {
        let mut wanted = Vec::new();
        if let [date, of_day, more @ ..] = columns.time.as_slice() {
            if !more.is_empty() {
                return Err(TraceError::new(self.input.name.as_str(), "a time is in one column or in two")
                    .help("`time: [date, time of day]`"));
            }
            wanted.extend([(self.find(date)?, Role::Time), (self.find(of_day)?, Role::TimeOfDay)]);
        } else if let [time] = columns.time.as_slice() {
            wanted.push((self.find(time)?, Role::Time));
        }
        let values = [
            (&columns.count, Role::Count),
            (&columns.rate, Role::Rate),
            (&columns.counter, Role::Counter),
            (&columns.level, Role::Level),
        ];
        for (name, role) in values.into_iter().flat_map(|(names, role)| names.iter().map(move |name| (name, role))) {
            for column in self.matching(name, columns)? {
                if !wanted.contains(&(column, role)) {
                    wanted.push((column, role));
                }
            }
        }
        let asked = [
            (&columns.demand, Role::Demand),
            (&columns.elapsed, Role::Elapsed),
            (&columns.tokens_in, Role::TokensIn),
            (&columns.tokens_out, Role::TokensOut),
            (&columns.class, Role::Class),
            (columns.once_per.as_ref().map_or(&columns.session, |_| &columns.once_per), Role::Session),
        ];
        for (name, role) in asked.into_iter().filter_map(|(name, role)| Some((name.as_deref()?, role))) {
            wanted.push((self.find(name)?, role));
        }
        Ok(wanted)
    }

    /// The columns that a name refers to: a single one or, if it contains `*`, all numeric columns that it matches
    /// except times.
    fn matching(&self, name: &str, columns: &Columns) -> Result<Vec<usize>, TraceError> {
        if !name.contains(['*', '?']) || self.header.find(name).is_some() {
            return Ok(vec![self.find(name)?]);
        }
        let fail = |message: String| {
            let help = format!("columns: {}", listed(&self.header.names));
            TraceError::new(self.input.name.as_str(), message).line(self.header.comments as u64 + 1).help(help)
        };
        let pattern = glob::Pattern::new(name).map_err(|error| fail(format!("`{name}`: {error}")))?;
        let times: Vec<usize> = match columns.time.as_slice() {
            [] => vec![self.time()?],
            names => names.iter().map(|name| self.find(name)).collect::<Result<_, _>>()?,
        };
        let fits = |column: &usize| pattern.matches(&self.header.names[*column]) && !times.contains(column);
        let found: Vec<usize> =
            (0..self.header.names.len()).filter(fits).filter(|column| self.header.is_numeric(*column)).collect();
        if found.is_empty() { Err(fail(format!("has no column of numbers that matches `{name}`"))) } else { Ok(found) }
    }

    fn find(&self, name: &str) -> Result<usize, TraceError> {
        // A number refers to a column by position; in a file without a header, it does not refer to a cell with that
        // text.
        let position = integer(name.as_bytes()).filter(|number| (1..=self.header.names.len() as u64).contains(number));
        let position = position.map(|number| number as usize - 1);
        let found = if self.header.is_headless() { position } else { None };
        if let Some(column) = found.or_else(|| self.header.find(name)).or(position) {
            return Ok(column);
        }
        let names = &self.header.names;
        let error = TraceError::new(self.input.name.as_str(), format!("has no column `{name}`"))
            .line(self.header.comments as u64 + 1);
        Err(error.help(advice(name, names.iter().map(String::as_str), &format!("columns: {}", listed(names)))))
    }

    fn time(&self) -> Result<usize, TraceError> {
        let known = TIME_NAMES.iter().find_map(|name| self.header.find(name));
        known.or_else(|| self.header.only_dates()).ok_or_else(|| {
            TraceError::new(self.input.name.as_str(), "the time column is not known")
                .line(self.header.comments as u64 + 1)
                .help(format!("name it with `columns: {{ time: ... }}`; columns: {}", listed(&self.header.names)))
        })
    }
}

/// Whether a text is a time of day: `14:05`, `9:00:30.5`, `02:05 PM`.
fn is_time_of_day(text: &str) -> bool {
    let text = text.trim_end_matches(|c: char| "APMapm. \u{202f}".contains(c));
    let parts: Vec<&str> = text.split(':').collect();
    let digits = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_digit());
    let second = |part: &&str| digits(part.split(['.', ',']).next().unwrap_or_default());
    (2..=3).contains(&parts.len()) && digits(parts[0]) && digits(parts[1]) && parts.get(2).is_none_or(second)
}

impl Header {
    /// The only column of times of day, if the time column has dates only.
    fn time_of_day(&self, time: usize) -> Option<usize> {
        if self.cells(time).any(|text| text.contains(':')) || self.cells(time).next().is_none() {
            return None;
        }
        let all = |column: &usize| {
            let mut cells = self.cells(*column).peekable();
            cells.peek().is_some() && cells.all(is_time_of_day)
        };
        let mut found = (0..self.names.len()).filter(all);
        let first = found.next();
        if found.next().is_some() { None } else { first }
    }

    /// The only column in which every cell is a date.
    pub(super) fn only_dates(&self) -> Option<usize> {
        let is_date =
            |text: &str| crate::workload::time::text::TimeFormat::detect(text.as_bytes()).is_some_and(|f| f.is_date());
        let dates = |column: &usize| {
            let mut cells = self.cells(*column).peekable();
            cells.peek().is_some() && cells.all(is_date)
        };
        let mut found = (0..self.names.len()).filter(dates);
        let first = found.next();
        if found.next().is_some() { None } else { first }
    }
}

/// The names, truncated if there are very many.
pub(crate) fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(20).map(|name| name.chars().take(40).collect()).collect();
    let dots = if names.len() > 20 { ", ..." } else { "" };
    shown.join(", ") + dots
}

/// Separators of tables, most common first.
pub(super) const SEPARATORS: [(u8, &str); 4] = [(b',', "comma"), (b'\t', "tab"), (b';', "semicolon"), (b'|', "pipe")];

/// The separator of a table: the stated one, that of a spreadsheet's line `sep=;`, or the one that splits the records
/// of the head into the same number of fields, and into the most.
pub(crate) fn delimiter(input: &TraceInput, options: &TraceOptions) -> u8 {
    if let Some(stated) = options.separator {
        return stated;
    }
    if let Some([sign, b'\r' | b'\n', ..]) = input.head.strip_prefix(b"sep=") {
        return *sign;
    }
    let fields = |delimiter: u8| {
        let header = Header::of(input, delimiter);
        let width = header.names.len();
        // A comma in a number adds a field to some rows, so agreement of most rows is enough.
        let rows = || header.rows.iter().filter(|row| row.iter().any(|cell| !cell.is_empty()));
        let alike = rows().filter(|row| row.len() == width).count();
        if alike * 10 >= rows().count() * 9 { width } else { 1 }
    };
    let best = SEPARATORS.iter().map(|(sign, _)| (fields(*sign), *sign)).rev().max_by_key(|(fields, _)| *fields);
    best.filter(|(fields, _)| *fields > 1).map_or(b',', |(_, sign)| sign)
}
