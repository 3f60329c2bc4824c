//! Text tables: rows of delimited fields (RFC 4180 quoting), some of which are used.

pub(super) use super::cells::{Role, kind_of};
use super::cells::{RowMaker, RowValues};
use super::filter::Checks;
use super::header::{Cells, Header, listed};
use super::lines::{Division, Lines, RowFault, RowParser, TextReader};
use super::meaning::settle;
use super::numbers::Numbers;
use super::open::TraceInput;
use super::options::TraceOptions;
use super::rows::{RowCounts, RowFacts, RowReader, Rows, SeriesKind};
use crate::units::{SimDuration, SimTime};
use crate::workload::error::TraceError;
use crate::workload::time::date_pattern;
use crate::workload::time::text::{EPOCH_FROM_NS, TimeFormat, TimeReader};

/// The columns of a table and how to read them.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Field separator.
    pub(super) delimiter: u8,
    /// Column numbers, from 0, with their roles, in the order of the columns.
    pub(super) wanted: Vec<(usize, Role)>,
    /// Number of records before the first row.
    pub(super) skip: usize,
    /// Whether line ends are allowed within double quotes.
    pub(super) quoted: bool,
    /// Whether rows without a time are skipped.
    pub(super) blank_times: bool,
    pub(super) time_format: TimeFormat,
    pub(super) demand_unit: TimeFormat,
    pub(super) numbers: Numbers,
    /// Maximum number of fields in a row, if known: a longer one is not a row of this table.
    pub(super) width: Option<usize>,
    /// Length of the consecutive intervals that the value columns represent, instead of being terms of a sum.
    pub(super) across: Option<SimDuration>,
    /// Filter of rows.
    pub(super) checks: Checks,
    /// Filter of the format: which rows are not relevant.
    pub(super) passes: Checks,
    /// Whether rows are in another order than their arrivals.
    pub(super) unordered: bool,
    /// Notes on how the table was interpreted.
    pub(super) notes: Vec<String>,
    pub(super) kind: SeriesKind,
    pub(super) interval: Option<SimDuration>,
    pub(super) origin: Option<SimTime>,
    pub(super) zero_epoch_ns: Option<u64>,
    pub(super) extent: Option<SimDuration>,
}

impl Layout {
    /// The layout described by the options, or determined by the header.
    ///
    /// # Errors
    /// If a named column does not exist, or the roles of columns are ambiguous.
    pub(super) fn of(input: &TraceInput, options: &TraceOptions, delimiter: u8) -> Result<Layout, TraceError> {
        Layout::of_header(input, options, &Header::of(input, delimiter), delimiter)
    }

    /// The layout of a table whose kind of rows may only be determined by the names of its columns.
    ///
    /// # Errors
    /// Those of [`Layout::of`]; also if the names do not determine it.
    pub(super) fn settled(input: &TraceInput, options: &TraceOptions, delimiter: u8) -> Result<Layout, TraceError> {
        let header = Header::of(input, delimiter);
        let settled = settle(input, options, &header)?;
        let mut layout = Layout::of_header(input, &settled.options, &header, delimiter)?;
        layout.notes.extend(settled.note);
        layout.notes.extend(unit_taken(options, &header));
        Ok(layout)
    }

    fn of_header(
        input: &TraceInput,
        options: &TraceOptions,
        header: &Header,
        delimiter: u8,
    ) -> Result<Layout, TraceError> {
        let wanted = header.wanted(input, options)?;
        let time = column_of(&wanted, Role::Time).unwrap_or_default();
        let has_header = match header.names.get(time) {
            Some(text) => TimeFormat::detect(text.as_bytes()).is_none(),
            None => true,
        };
        let skip = header.comments + usize::from(has_header);
        if has_header && header.rows.is_empty() && input.head_is_all {
            return Err(TraceError::new(input.name.as_str(), "has a header and no rows; expected a trace")
                .line(skip as u64)
                .help(format!("columns: {}", listed(&header.names))));
        }
        let texts = first_times(input, header, &wanted, has_header, delimiter)?;
        let times = TimesOfHead::read(&texts, options);
        let layout = Layout::of_times(input, options, header, wanted, times, delimiter);
        let width = Some(header.names.len());
        layout.map(|layout| Layout { delimiter, skip, width, ..layout }).map_err(|error| error.line(skip as u64 + 1))
    }

    /// The layout of records that are not a plain table, with fields named in `header`.
    ///
    /// # Errors
    /// Those of [`Layout::of`].
    pub(super) fn of_fields(input: &TraceInput, options: &TraceOptions, header: &Header) -> Result<Layout, TraceError> {
        let wanted = header.wanted(input, options)?;
        let texts: Vec<String> = header.rows.iter().filter_map(|row| time_text(row, &wanted)).collect();
        let times = TimesOfHead::read(&texts, options);
        Layout::of_times(input, options, header, wanted, times, b',').map_err(|error| error.line(1))
    }

    fn of_times(
        input: &TraceInput,
        options: &TraceOptions,
        header: &Header,
        wanted: Vec<(usize, Role)>,
        times: TimesOfHead,
        delimiter: u8,
    ) -> Result<Layout, TraceError> {
        let fail = |message: String| TraceError::new(input.name.as_str(), message);
        if let Some((day, month)) = times.doubt {
            let example = times.first.unwrap_or_default();
            return Err(fail(format!("`{example}` is ambiguous: day or month first"))
                .column(name_of(header, &wanted, Role::Time))
                .help(format!("`time-format: '{day}'` or `time-format: '{month}'`")));
        }
        let Some(time_format) = times.format else {
            let found = times.first.unwrap_or_default();
            return Err(fail(format!("expected a time, found `{found}`"))
                .column(name_of(header, &wanted, Role::Time))
                .help("name the column with `columns: { time: ... }` or its form with `time-format:`"));
        };
        let kind = kind_of(&wanted);
        let numbers = numbers_of(input, options, header, &wanted, delimiter)?;
        let across = options.across.filter(|_| kind == SeriesKind::Counts);
        if let (None, Some(across)) = (across, options.across) {
            return Err(fail(format!("`across: {across}` is for counts or rates, but these rows are {}", kind.name()))
                .help("name the columns of the parts with `columns: { count: ... }`"));
        }
        let interval = across.or(options.interval).or(times.step).filter(|_| kind == SeriesKind::Counts);
        if interval.is_none() && wanted.iter().any(|(_, role)| *role == Role::Rate) {
            return Err(fail("the length of an interval is not known from the first rows".into())
                .help("state it, for example `interval: 1m`"));
        }
        // Rows are in the order of their ends, but count from their starts.
        let unordered = wanted.iter().any(|(_, role)| *role == Role::Elapsed);
        Ok(Layout {
            delimiter: b',',
            wanted,
            skip: 0,
            quoted: true,
            blank_times: false,
            time_format,
            demand_unit: options.demand_unit,
            numbers,
            width: None,
            across,
            checks: Checks::of(input, &options.filter, header, options.columns.class.as_deref())?,
            passes: Checks::default(),
            unordered,
            notes: Vec::new(),
            kind,
            interval,
            origin: None,
            zero_epoch_ns: times.epoch.then_some(0),
            extent: None,
        })
    }

    /// Creates the maker of rows for this layout.
    pub(super) fn maker(&self, options: &TraceOptions) -> RowMaker {
        let times = TimeReader::new(self.time_format, options.year).in_zone(options.time_zone);
        let maker = RowMaker::new(times, self.demand_unit, self.interval, self.quoted);
        let maker = maker.of_columns(&self.wanted, self.numbers);
        if options.durations { maker.taking_durations(&self.wanted) } else { maker }
    }

    /// A reader of a file with this layout.
    pub(super) fn open(self, input: &TraceInput, options: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
        let skip = self.skip;
        Ok(Box::new(TextReader::open(input, options, skip, TableParser::new(self, options))?))
    }
}

/// The column with this role.
fn column_of(wanted: &[(usize, Role)], role: Role) -> Option<usize> {
    wanted.iter().find(|(_, known)| *known == role).map(|(column, _)| *column)
}

/// The name of the column with this role.
fn name_of(header: &Header, wanted: &[(usize, Role)], role: Role) -> String {
    column_of(wanted, role).and_then(|column| header.names.get(column)).cloned().unwrap_or_default()
}

/// The time of a row as text, from one column or two; `None` if it is blank.
fn time_text(row: &[String], wanted: &[(usize, Role)]) -> Option<String> {
    let cell = |role| column_of(wanted, role).map(|column| row.get(column).map_or("", |text| text.trim()));
    let date = cell(Role::Time).filter(|text| !text.is_empty())?;
    Some(match cell(Role::TimeOfDay) {
        Some(of_day) => format!("{date} {of_day}"),
        None => date.to_string(),
    })
}

/// The number format of the value columns.
fn numbers_of(
    input: &TraceInput,
    options: &TraceOptions,
    header: &Header,
    wanted: &[(usize, Role)],
    delimiter: u8,
) -> Result<Numbers, TraceError> {
    let numeric = |role: Role| role.is_value() || matches!(role, Role::Demand | Role::Elapsed);
    let columns: Vec<(usize, Role)> = wanted.iter().copied().filter(|(_, role)| numeric(*role)).collect();
    let whole = columns.iter().all(|(_, role)| matches!(role, Role::Count | Role::Counter));
    let cells = columns.iter().flat_map(|(column, _)| header.cells(*column));
    Numbers::of(cells, options.decimal, delimiter, whole).map_err(|example| {
        let message = format!("`{example}` is ambiguous: a fraction, or a thousands separator");
        TraceError::new(input.name.as_str(), message)
            .help("`decimal: ','` if the comma is the decimal mark, `decimal: '.'` if the point is")
    })
}

/// A note that durations without a unit are taken as seconds, unless stated otherwise.
fn unit_taken(options: &TraceOptions, header: &Header) -> Option<String> {
    let columns = &options.columns;
    let bare = |name: &&String| {
        let mut cells = header.cells(header.find(name)?).filter(|text| !super::header::is_blank(text.as_bytes()));
        cells.find(|text| Numbers::is_number(text)).map(|_| ())
    };
    let named = columns.demand.iter().chain(&columns.elapsed).filter(|_| options.demand_unit == TimeFormat::Seconds);
    let name = named.into_iter().find(|name| bare(name).is_some())?;
    Some(format!("durations in `{name}` are read in seconds (`demand-unit:` states another unit)"))
}

/// Findings about the time column from the first rows.
struct TimesOfHead {
    format: Option<TimeFormat>,
    /// Whether times count from 1970.
    epoch: bool,
    /// The smallest positive step.
    step: Option<SimDuration>,
    first: Option<String>,
    /// Both patterns, if the order of day and month is ambiguous.
    doubt: Option<(String, String)>,
}

impl TimesOfHead {
    fn read(texts: &[String], options: &TraceOptions) -> Self {
        let mut doubt = None;
        let detected = || match texts.iter().take(50).find_map(|text| TimeFormat::detect(text.as_bytes()))? {
            TimeFormat::Pattern(_) => {
                // A single row may be broken; the others decide.
                let dates = texts.iter().map(|text| text.as_bytes()).filter(|text| TimeFormat::detect(text).is_some());
                date_pattern::of_all(&dates.collect::<Vec<_>>())
                    .unwrap_or_else(|either| {
                        doubt = Some(either);
                        None
                    })
                    .map(TimeFormat::Pattern)
            }
            format => Some(format),
        };
        let format = options.time_format.or_else(detected);
        let mut reader =
            TimeReader::new(format.unwrap_or(TimeFormat::Seconds), options.year).in_zone(options.time_zone);
        let times: Vec<SimTime> = texts.iter().filter_map(|text| reader.read(text.as_bytes())).collect();
        let steps = times.windows(2).map(|pair| pair[1].since(pair[0])).filter(|step| !step.is_zero());
        let epoch = match format {
            Some(format) if format.is_date() => true,
            _ => times.first().is_some_and(|time| time.as_nanos() >= EPOCH_FROM_NS),
        };
        TimesOfHead { format, epoch, step: steps.min(), first: texts.first().cloned(), doubt }
    }
}

/// Maximum number of rows with a blank time before the first one with a time.
const MAX_BLANK_ROWS: usize = 1_000_000;

/// The first times that are not blank: those at the beginning of the file, or else the first one after it.
fn first_times(
    input: &TraceInput,
    header: &Header,
    wanted: &[(usize, Role)],
    has_header: bool,
    delimiter: u8,
) -> Result<Vec<String>, TraceError> {
    let first_record = (!has_header).then_some(&header.names);
    let found: Vec<String> =
        first_record.into_iter().chain(&header.rows).filter_map(|row| time_text(row, wanted)).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let mut lines = Lines::new(input)?;
    for row in 0..MAX_BLANK_ROWS + header.comments {
        let Some((_, record)) = lines.next(true)? else { break };
        let cells: Vec<String> =
            Cells::new(record, delimiter).map(|(_, cell)| String::from_utf8_lossy(cell).trim().to_string()).collect();
        if let Some(text) = time_text(&cells, wanted).filter(|_| row > header.comments) {
            return Ok(vec![text]);
        }
    }
    Ok(Vec::new())
}

impl Layout {
    /// Makes a row of the cells, unless a filter leaves it out.
    ///
    /// # Errors
    /// The expected text of a cell.
    pub(super) fn push(&mut self, maker: &mut RowMaker, cells: &[&[u8]], rows: &mut Rows) -> Result<(), &'static str> {
        if !self.checks.is_empty() && self.checks.leave_out(cells.iter().copied()) {
            return Ok(());
        }
        let mut row = RowValues::default();
        for (column, role) in &self.wanted {
            maker.cell(*role, cells.get(*column).copied().unwrap_or_default(), &mut row)?;
        }
        maker.push(row, &self.wanted, rows)
    }
}

/// A parser of records whose fields have roles, which are described by its layout.
pub(super) trait ByLayout: Send {
    /// See [`RowParser::parse`].
    fn parse(&mut self, record: &[u8], rows: &mut Rows) -> Result<(), RowFault>;

    /// The roles of the fields, and the maker of rows.
    fn form(&self) -> (&Layout, &RowMaker);

    /// See [`RowParser::division`].
    fn division(&self) -> Division {
        if self.form().0.quoted { Division::QuotedLines } else { Division::Lines }
    }
}

impl<P: ByLayout> RowParser for P {
    fn facts(&self) -> RowFacts {
        let layout = self.form().0;
        RowFacts {
            kind: layout.kind,
            origin: layout.origin,
            zero_epoch_ns: layout.zero_epoch_ns,
            unordered: layout.unordered,
            interval: layout.interval,
            extent: layout.extent,
        }
    }

    #[inline]
    fn parse(&mut self, record: &[u8], rows: &mut Rows) -> Result<(), RowFault> {
        ByLayout::parse(self, record, rows)
    }

    fn filters(&self) -> bool {
        true
    }

    fn notes(&self) -> Vec<String> {
        self.form().0.notes.clone()
    }

    fn account(&self, tally: &mut RowCounts) {
        let (layout, maker) = self.form();
        layout.checks.account(tally);
        maker.account(tally);
    }

    fn division(&self) -> Division {
        ByLayout::division(self)
    }

    fn class_names(&self) -> &[String] {
        self.form().1.class_names()
    }
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

impl TableParser {
    /// A row whose value columns are parts of a longer period.
    fn parse_parts(&mut self, record: &[u8], across: SimDuration, rows: &mut Rows) -> Result<(), RowFault> {
        let cells: Vec<(usize, &[u8])> = Cells::new(record, self.layout.delimiter).collect();
        let missing = RowFault { at: record.len(), expected: "more columns, as the header has" };
        let mut row = RowValues::default();
        let times = self.layout.wanted.iter().filter(|(_, role)| !role.is_value());
        for (column, role) in times {
            let (at, cell) = *cells.get(*column).ok_or(missing)?;
            self.maker.cell(*role, cell, &mut row).map_err(|expected| RowFault { at, expected })?;
        }
        if self.layout.wanted.iter().any(|(_, role)| *role == Role::TimeOfDay) {
            self.maker.join_time(&mut row).map_err(|expected| RowFault { at: 0, expected })?;
        }
        let parts = self.layout.wanted.iter().filter(|(_, role)| role.is_value());
        let before = rows.len();
        for (number, (column, role)) in (0u64..).zip(parts) {
            let (at, cell) = *cells.get(*column).ok_or(missing)?;
            let filled = self.maker.part(*role, cell, &mut row).map_err(|expected| RowFault { at, expected });
            match filled {
                Ok(true) => self.maker.push_part(&row, across * number, rows),
                Ok(false) => {}
                Err(fault) => {
                    rows.truncate(before);
                    return Err(fault);
                }
            }
        }
        Ok(())
    }
}

impl ByLayout for TableParser {
    #[inline]
    fn parse(&mut self, record: &[u8], rows: &mut Rows) -> Result<(), RowFault> {
        if record.is_empty() {
            return Ok(());
        }
        let delimiter = self.layout.delimiter;
        let cells = || Cells::new(record, delimiter).map(|(_, cell)| cell);
        if !self.layout.passes.is_empty() && self.layout.passes.leave_out(cells()) {
            return Ok(());
        }
        if !self.layout.checks.is_empty() && self.layout.checks.leave_out(cells()) {
            return Ok(());
        }
        if let Some(across) = self.layout.across {
            return self.parse_parts(record, across, rows);
        }
        let mut row = RowValues::default();
        let mut cells = Cells::new(record, self.layout.delimiter);
        let (mut at, mut cell, mut column) = (0, &b""[..], 0);
        for (wanted, role) in &self.layout.wanted {
            // One column may have two roles.
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
        if let (Some(width), Some((at, rest))) = (self.layout.width, cells.rest()) {
            refuse_more(width - column, self.layout.delimiter, at, rest)?;
        }
        self.maker.push(row, &self.layout.wanted, rows).map_err(|expected| RowFault { at: 0, expected })
    }

    fn form(&self) -> (&Layout, &RowMaker) {
        (&self.layout, &self.maker)
    }
}

/// Rejects more than `most` fields in the rest of a row, unless they are empty: a decimal comma splits one number into
/// two fields.
#[inline]
fn refuse_more(most: usize, delimiter: u8, at: usize, rest: &[u8]) -> Result<(), RowFault> {
    // With at most this many delimiters, there is no further field; without quotes, every delimiter counts.
    if memchr::memchr_iter(delimiter, rest).take(most).count() < most {
        return Ok(());
    }
    let further = Cells::new(rest, delimiter).skip(most).find(|(_, cell)| !cell.trim_ascii().is_empty());
    match further {
        Some((behind, _)) => Err(RowFault { at: at + behind, expected: "no more columns than the header has" }),
        None => Ok(()),
    }
}
