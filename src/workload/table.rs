//! Tables in text: rows of fields between delimiters (RFC 4180 quoting), with some columns that matter.

pub(super) use super::cells::{Role, kind_of};
use super::cells::{RowMaker, RowValues, value};
use super::lines::{Lines, RowFault, RowParser, TextReader};
use super::rows::{RowReader, Rows, SeriesKind};
use super::time_text::{EPOCH_FROM_NS, TimeFormat, TimeReader, integer};
use super::{Columns, TraceError, TraceInput, TraceOptions};
use crate::config::suggest;
use crate::units::{SimDuration, SimTime};

/// A table's header: the records before the first row and the names of its columns.
pub(super) struct Header {
    /// Records before the first row that may hold a header: comments.
    pub(super) comments: usize,
    /// Fields of the first record that is no comment.
    pub(super) names: Vec<String>,
    /// The records of the head behind that one, without the last, which may be cut off.
    pub(super) rows: Vec<Vec<String>>,
}

impl Header {
    /// Takes the head of a file apart, at most 200 records of it.
    pub(super) fn of(input: &TraceInput, delimiter: u8) -> Header {
        let mut records: Vec<&[u8]> = input.head.split(|c| *c == b'\n').collect();
        if !input.head_is_all || records.last().is_some_and(|last| last.is_empty()) {
            records.pop();
        }
        let comments = records.iter().take_while(|record| record.starts_with(b"#")).count();
        let fields = |record: &&[u8]| {
            let record = record.strip_suffix(b"\r").unwrap_or(record);
            Cells::new(record, delimiter).map(|(_, cell)| String::from_utf8_lossy(cell).trim().to_string()).collect()
        };
        let mut rows = records[comments..].iter().take(200).map(fields);
        let names = rows.next().unwrap_or_default();
        Header { comments, names, rows: rows.collect() }
    }

    /// The column called `name`, in any case.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let exact = self.names.iter().position(|known| known == name);
        exact.or_else(|| self.names.iter().position(|known| known.eq_ignore_ascii_case(name)))
    }
}

impl Header {
    /// The columns that the options name, and the time column where it goes by a usual name.
    fn wanted(&self, input: &TraceInput, options: &TraceOptions) -> Result<Vec<(usize, Role)>, TraceError> {
        let named = NamedColumns { input, header: self };
        let mut wanted = named.resolve(&options.columns)?;
        if !wanted.iter().any(|(_, role)| *role == Role::Time) {
            wanted.push((named.time()?, Role::Time));
        }
        if options.columns == Columns::default() {
            named.refuse_doubtful_value(&wanted)?;
        }
        wanted.sort_by_key(|(column, _)| *column);
        // How long a request took may be both its demand and what its time must go back by.
        let may_share = |role| matches!(role, Role::Demand | Role::Elapsed);
        let shared = |pair: &&[(usize, Role)]| pair[0].0 == pair[1].0 && !pair.iter().all(|(_, role)| may_share(*role));
        if let Some(twice) = wanted.windows(2).find(shared) {
            let name = self.names.get(twice[0].0).cloned().unwrap_or_default();
            return Err(TraceError::new(input.name.as_str(), "one column is named for two things").column(name));
        }
        Ok(wanted)
    }
}

/// The fields of one record with their byte offsets; quotes around a field are taken off.
pub(super) struct Cells<'a> {
    record: &'a [u8],
    delimiter: u8,
    at: usize,
    finished: bool,
}

impl<'a> Cells<'a> {
    #[inline]
    pub(super) fn new(record: &'a [u8], delimiter: u8) -> Self {
        Cells { record, delimiter, at: 0, finished: false }
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

/// Length of a quoted field up to the delimiter behind its closing quote; a doubled quote is none.
fn quoted_length(text: &[u8], delimiter: u8) -> Option<usize> {
    let mut inside = false;
    text.iter().position(|c| {
        inside ^= *c == b'"';
        !inside && *c == delimiter
    })
}

/// Which columns a table has and how to read them.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Delimiter between fields.
    pub(super) delimiter: u8,
    /// Column numbers from 0 with what they are for, in the order of the columns.
    pub(super) wanted: Vec<(usize, Role)>,
    /// Records before the first row.
    pub(super) skip: usize,
    /// Whether double quotes may hold line ends.
    pub(super) quoted: bool,
    /// Whether rows without a time are passed over on purpose.
    pub(super) blank_times: bool,
    pub(super) time_format: TimeFormat,
    pub(super) demand_unit: TimeFormat,
    pub(super) kind: SeriesKind,
    pub(super) interval: Option<SimDuration>,
    pub(super) origin: Option<SimTime>,
    pub(super) zero_epoch_ns: Option<u64>,
    pub(super) extent: Option<SimDuration>,
}

impl Layout {
    /// The layout that the options describe, or that the header leaves no doubt about.
    ///
    /// # Errors
    /// If a named column does not exist, or it is not clear which column is which.
    pub(super) fn of(input: &TraceInput, options: &TraceOptions, delimiter: u8) -> Result<Layout, TraceError> {
        let header = Header::of(input, delimiter);
        let wanted = header.wanted(input, options)?;
        let time = time_column(&wanted);
        let has_header = match header.names.get(time) {
            Some(text) => TimeFormat::detect(text.as_bytes()).is_none(),
            None => true,
        };
        let skip = header.comments + usize::from(has_header);
        let texts = first_times(input, &header, time, has_header, delimiter)?;
        let times = TimesOfHead::read(&texts, options.time_format);
        let layout = Layout::of_times(input, options, &header, wanted, times);
        layout.map(|layout| Layout { delimiter, skip, ..layout }).map_err(|error| error.line(skip as u64 + 1))
    }

    /// The layout of records that are no plain table, whose fields have the names of `header`.
    ///
    /// # Errors
    /// As for [`Layout::of`].
    pub(super) fn of_fields(input: &TraceInput, options: &TraceOptions, header: &Header) -> Result<Layout, TraceError> {
        let wanted = header.wanted(input, options)?;
        let time = time_column(&wanted);
        let cells = header.rows.iter().filter_map(|row| row.get(time));
        let texts: Vec<String> = cells.filter(|text| !text.is_empty()).cloned().collect();
        let times = TimesOfHead::read(&texts, options.time_format);
        Layout::of_times(input, options, header, wanted, times).map_err(|error| error.line(1))
    }

    fn of_times(
        input: &TraceInput,
        options: &TraceOptions,
        header: &Header,
        wanted: Vec<(usize, Role)>,
        times: TimesOfHead,
    ) -> Result<Layout, TraceError> {
        let fail = |message: String| TraceError::new(input.name.as_str(), message);
        let Some(time_format) = times.format else {
            let found = times.first.unwrap_or_default();
            return Err(fail(format!("expected a time, found `{found}`"))
                .column(header.names.get(time_column(&wanted)).cloned().unwrap_or_default())
                .help("name the column with `columns: { time: ... }` or its form with `time-format:`"));
        };
        let kind = kind_of(&wanted);
        let interval = options.interval.or(times.step).filter(|_| kind == SeriesKind::Counts);
        if interval.is_none() && wanted.iter().any(|(_, role)| *role == Role::Rate) {
            return Err(fail("the length of an interval cannot be told from the first rows".into())
                .help("state it, for example `interval: 1m`"));
        }
        Ok(Layout {
            delimiter: b',',
            wanted,
            skip: 0,
            quoted: true,
            blank_times: false,
            time_format,
            demand_unit: options.demand_unit,
            kind,
            interval,
            origin: None,
            zero_epoch_ns: times.epoch.then_some(0),
            extent: None,
        })
    }

    /// What puts the cells of this layout together.
    pub(super) fn maker(&self, options: &TraceOptions) -> RowMaker {
        let times = TimeReader::new(self.time_format, options.year);
        RowMaker::new(times, self.demand_unit, self.interval, self.quoted)
    }

    /// The reader of a file with this layout.
    pub(super) fn open(self, input: &TraceInput, options: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
        let skip = self.skip;
        Ok(Box::new(TextReader::open(input, options, skip, TableParser::new(self, options))?))
    }
}

fn time_column(wanted: &[(usize, Role)]) -> usize {
    wanted.iter().find(|(_, role)| *role == Role::Time).map_or(0, |(column, _)| *column)
}

/// What the first rows say about the time column.
struct TimesOfHead {
    format: Option<TimeFormat>,
    /// Whether times count from 1970.
    epoch: bool,
    /// The smallest step forward.
    step: Option<SimDuration>,
    first: Option<String>,
}

impl TimesOfHead {
    fn read(texts: &[String], stated: Option<TimeFormat>) -> Self {
        let format = stated.or_else(|| texts.iter().take(50).find_map(|text| TimeFormat::detect(text.as_bytes())));
        let mut reader = TimeReader::new(format.unwrap_or(TimeFormat::Seconds), None);
        let times: Vec<SimTime> = texts.iter().filter_map(|text| reader.read(text.as_bytes())).collect();
        let steps = times.windows(2).map(|pair| pair[1].since(pair[0])).filter(|step| !step.is_zero());
        let epoch = match format {
            Some(format) if format.is_date() => true,
            _ => times.first().is_some_and(|time| time.as_nanos() >= EPOCH_FROM_NS),
        };
        TimesOfHead { format, epoch, step: steps.min(), first: texts.first().cloned() }
    }
}

/// How many rows may leave the time blank before one has it.
const MAX_BLANK_ROWS: usize = 1_000_000;

/// The first times that are not blank: those of the head, or else the first one behind it.
fn first_times(
    input: &TraceInput,
    header: &Header,
    column: usize,
    has_header: bool,
    delimiter: u8,
) -> Result<Vec<String>, TraceError> {
    let first_record = (!has_header).then_some(&header.names);
    let cells = first_record.into_iter().chain(&header.rows).filter_map(|row| row.get(column));
    let found: Vec<String> = cells.filter(|text| !text.is_empty()).cloned().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let mut lines = Lines::new(input)?;
    for row in 0..MAX_BLANK_ROWS + header.comments {
        let Some((_, record)) = lines.next(true)? else { break };
        let cell = Cells::new(record, delimiter).nth(column).map_or(&b""[..], |(_, cell)| cell.trim_ascii());
        if row > header.comments && !cell.is_empty() {
            return Ok(vec![String::from_utf8_lossy(cell).into_owned()]);
        }
    }
    Ok(Vec::new())
}

/// Names of columns and what they may be called.
struct NamedColumns<'a> {
    input: &'a TraceInput,
    header: &'a Header,
}

/// Names under which a time column is found without being named.
pub(super) const TIME_NAMES: [&str; 15] = [
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
];
/// Names under which a column is surely a count of requests.
pub(super) const COUNT_NAMES: [&str; 8] =
    ["count", "counts", "requests", "invocations", "hits", "events", "request_count", "n"];

impl NamedColumns<'_> {
    fn resolve(&self, columns: &Columns) -> Result<Vec<(usize, Role)>, TraceError> {
        let asked = [
            (&columns.time, Role::Time),
            (&columns.count, Role::Count),
            (&columns.rate, Role::Rate),
            (&columns.counter, Role::Counter),
            (&columns.level, Role::Level),
            (&columns.demand, Role::Demand),
            (&columns.elapsed, Role::Elapsed),
            (&columns.tokens_in, Role::TokensIn),
            (&columns.tokens_out, Role::TokensOut),
            (&columns.class, Role::Class),
            (columns.once_per.as_ref().map_or(&columns.session, |_| &columns.once_per), Role::Session),
        ];
        let given = asked.into_iter().filter_map(|(name, role)| Some((name.as_deref()?, role)));
        given.map(|(name, role)| Ok((self.find(name)?, role))).collect()
    }

    fn find(&self, name: &str) -> Result<usize, TraceError> {
        // A number names a column by its position; in a file without a header, it is no name that a cell may happen to have.
        let position = integer(name.as_bytes()).filter(|number| (1..=self.header.names.len() as u64).contains(number));
        let position = position.map(|number| number as usize - 1);
        let headless = self.header.names.first().is_some_and(|first| value(first.as_bytes()).is_some());
        let found = if headless { position } else { None };
        if let Some(column) = found.or_else(|| self.header.find(name)).or(position) {
            return Ok(column);
        }
        let names = &self.header.names;
        let error = TraceError::new(self.input.name.as_str(), format!("has no column `{name}`"))
            .line(self.header.comments as u64 + 1);
        Err(match suggest(name, names.iter().map(String::as_str)) {
            Some(near) => error.help(format!("did you mean `{near}`? columns: {}", listed(names))),
            None => error.help(format!("columns: {}", listed(names))),
        })
    }

    fn time(&self) -> Result<usize, TraceError> {
        TIME_NAMES.iter().find_map(|name| self.header.find(name)).ok_or_else(|| {
            TraceError::new(self.input.name.as_str(), "which column holds the time is not clear")
                .line(self.header.comments as u64 + 1)
                .help(format!("name it with `columns: {{ time: ... }}`; columns: {}", listed(&self.header.names)))
        })
    }

    /// A lone `timestamp,value` may hold counts or levels; which, the file does not say.
    fn refuse_doubtful_value(&self, wanted: &[(usize, Role)]) -> Result<(), TraceError> {
        let time = wanted.first().map(|(column, _)| *column);
        let numeric = |column: &usize| {
            self.header.rows.iter().filter_map(|row| row.get(*column)).all(|text| value(text.as_bytes()).is_some())
        };
        let names = self.header.names.iter().enumerate();
        let other = names.into_iter().find(|(column, _)| Some(*column) != time && numeric(column));
        match (self.header.names.len(), other) {
            (2, Some((_, name))) => {
                let message =
                    format!("the column `{name}` may hold counts of requests or levels; expected to be told which");
                let help = format!(
                    "`columns: {{ count: {name} }}` for requests per interval, `level:` for a value at an instant"
                );
                Err(TraceError::new(self.input.name.as_str(), message).line(self.header.comments as u64 + 1).help(help))
            }
            _ => Ok(()),
        }
    }
}

/// The names, cut where there are very many.
pub(super) fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(20).map(|name| name.chars().take(40).collect()).collect();
    let dots = if names.len() > 20 { ", ..." } else { "" };
    shown.join(", ") + dots
}

/// Reads the rows of one layout.
pub(super) struct TableParser {
    layout: Layout,
    maker: RowMaker,
}

impl TableParser {
    pub(super) fn new(layout: Layout, options: &TraceOptions) -> Self {
        let maker = layout.maker(options);
        TableParser { layout, maker }
    }
}

impl RowParser for TableParser {
    #[inline]
    fn parse(&mut self, record: &[u8], rows: &mut Rows) -> Result<(), RowFault> {
        if record.is_empty() {
            return Ok(());
        }
        let mut row = RowValues::default();
        let mut cells = Cells::new(record, self.layout.delimiter);
        let (mut at, mut cell, mut column) = (0, &b""[..], 0);
        for (wanted, role) in &self.layout.wanted {
            // One column may serve two roles.
            if *wanted >= column {
                let missing = RowFault { at: record.len(), expected: "more columns, as the header has" };
                (at, cell) = cells.nth(wanted - column).ok_or(missing)?;
                column = wanted + 1;
            }
            if *role == Role::Time && self.layout.blank_times && cell.trim_ascii().is_empty() {
                return Ok(());
            }
            self.maker.cell(*role, cell, &mut row).map_err(|expected| RowFault { at, expected })?;
        }
        self.maker.push(row, &self.layout.wanted, rows);
        Ok(())
    }

    fn kind(&self) -> SeriesKind {
        self.layout.kind
    }

    fn quoted(&self) -> bool {
        self.layout.quoted
    }

    fn class_names(&self) -> &[String] {
        self.maker.class_names()
    }

    fn origin(&self) -> Option<SimTime> {
        self.layout.origin
    }

    fn zero_epoch_ns(&self) -> Option<u64> {
        self.layout.zero_epoch_ns
    }

    fn interval(&self) -> Option<SimDuration> {
        self.layout.interval
    }

    fn extent(&self) -> Option<SimDuration> {
        self.layout.extent
    }
}
