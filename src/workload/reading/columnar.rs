//! Parquet files: any file with named columns, and Plimsoll's own format.

use std::fs::File;
use std::io::{self, BufWriter};

use super::cells::{Role, kind_of, session};
use super::header::{Header, TIME_NAMES, listed};
use super::meaning::settle;
use super::open::TraceInput;
use super::options::TraceOptions;
use super::own::{CLASS, COUNT, DEMAND, MARK, OFFSET, OwnColumns, OwnFacts, OwnWriter, TOKENS_IN, TOKENS_OUT};
use super::rows::{BadRow, RowCounts, RowFacts, RowReader, Rows, SeriesKind};
use crate::columnar::{Cells, Column, GROUP_ROWS, Kind, TableError, TableFile, TableWriter, Values};
use crate::config::advice;
use crate::units::{SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::time::text::{EPOCH_FROM_NS, TimeFormat, TimeReader, show_instant};
use crate::workload::time::zone::Zone;

/// Number of rows decoded at once; a larger row group is read in several slices.
const SLICE_ROWS: usize = 1 << 18;

fn open(input: &TraceInput) -> Result<TableFile, TraceError> {
    let file = crate::config::spool::open_file(&input.path);
    let file = file.map_err(|error| refused(&input.name, TableError::Io(error.to_string())))?;
    TableFile::of(file).map_err(|error| refused(&input.name, error))
}

fn refused(file: &str, error: TableError) -> TraceError {
    match error {
        TableError::Damaged(words) => TraceError::new(file, format!("is damaged Parquet: {words}"))
            .help("the file may be truncated or damaged: copy or write it again"),
        TableError::NotRead { message, help } => TraceError::new(file, message).help(help),
        TableError::Io(words) => TraceError::new(file, format!("cannot be read: {words}")),
    }
}

/// Whether the file is in Plimsoll's own format.
pub(super) fn is_own(input: &TraceInput) -> bool {
    open(input).is_ok_and(|file| file.pairs().any(|(key, _)| key == MARK))
}

/// Opens a file in Plimsoll's own format.
pub(super) fn open_own(input: &TraceInput, options: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
    let file = open(input)?;
    let facts = OwnFacts::of_pairs(&input.name, file.pairs())?;
    let names = names(&file);
    let known = [
        (OFFSET, Role::Time),
        (COUNT, Role::Count),
        (DEMAND, Role::Demand),
        (TOKENS_IN, Role::TokensIn),
        (TOKENS_OUT, Role::TokensOut),
        (CLASS, Role::Class),
    ];
    let wanted: Vec<(usize, Role)> =
        known.iter().filter_map(|(name, role)| Some((names.iter().position(|found| found == name)?, *role))).collect();
    if wanted.first().is_none_or(|(_, role)| *role != Role::Time) || kind_of(&wanted) != facts.kind {
        let message = format!("states that it holds {}, but has other columns", facts.kind.name());
        return Err(TraceError::new(input.name.as_str(), message).help(format!("columns: {}", listed(&names))));
    }
    let counts = facts.kind == SeriesKind::Counts;
    let reader = ColumnarReader {
        origin: Some(SimTime::ZERO),
        zero_epoch_ns: facts.start,
        extent: facts.extent,
        interval: options.interval.or(facts.interval).filter(|_| counts),
        time_format: TimeFormat::Nanos,
        demand_unit: TimeFormat::Nanos,
        classes: facts.classes,
        ..ColumnarReader::new(input, file, wanted, options)?
    };
    Ok(Box::new(reader))
}

/// Opens any Parquet file whose columns are named or have common names.
pub(super) fn open_any(input: &TraceInput, options: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
    let file = open(input)?;
    let names = names(&file);
    let header = header_of(input, &file, &names);
    let settled = settle(input, options, &header)?;
    let options = &settled.options;
    let columns = &options.columns;
    if !options.filter.is_empty() || options.across.is_some() {
        return Err(TraceError::new(
            input.name.as_str(),
            "`include:`, `exclude:` and `across:` are not applied to Parquet",
        )
        .help("write it as CSV"));
    }
    if columns.time.len() > 1 || columns.count.len() > 1 || columns.level.len() > 1 {
        return Err(TraceError::new(input.name.as_str(), "adding up several columns is not supported for Parquet")
            .help("write it as CSV"));
    }
    if let Some(name) = columns.rate.first().or(columns.elapsed.as_ref()).or(columns.counter.first()) {
        let message = "`rate`, `counter` and `elapsed` are not read from Parquet; expected arrivals, counts or levels";
        return Err(TraceError::new(input.name.as_str(), message).column(name.as_str()).help("write it as CSV"));
    }
    let asked = [
        (columns.time.first(), Role::Time),
        (columns.count.first(), Role::Count),
        (columns.level.first(), Role::Level),
        (columns.demand.as_ref(), Role::Demand),
        (columns.tokens_in.as_ref(), Role::TokensIn),
        (columns.tokens_out.as_ref(), Role::TokensOut),
        (columns.class.as_ref(), Role::Class),
        (columns.once_per.as_ref().or(columns.session.as_ref()), Role::Session),
    ];
    let mut wanted = Vec::new();
    for (name, role) in asked.into_iter().filter_map(|(name, role)| Some((name?, role))) {
        wanted.push((find(input, &names, name)?, role));
    }
    if columns.time.is_empty() {
        let usual = names.iter().position(|name| TIME_NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)));
        let column = usual.ok_or_else(|| {
            TraceError::new(input.name.as_str(), "the time column is not known")
                .help(format!("name it with `columns: {{ time: ... }}`; columns: {}", listed(&names)))
        })?;
        wanted.push((column, Role::Time));
    }
    let mut reader = ColumnarReader::new(input, file, wanted, options)?;
    reader.look_at_first_rows(options)?;
    reader.tally.notes.extend(settled.note);
    Ok(Box::new(reader))
}

/// The columns with their first rows as text, from which their content can be recognised; only the names if they cannot
/// be decoded.
fn header_of(input: &TraceInput, file: &TableFile, names: &[String]) -> Header {
    let readable = |column: &usize| !matches!(file.columns()[*column].kind, Kind::NotRead(_));
    let wanted: Vec<usize> = (0..names.len()).filter(readable).collect();
    let first = open(input).ok().and_then(|mut ahead| {
        ahead.want(wanted.clone()).ok()?;
        ahead.next(50).ok()?
    });
    let columns = first.unwrap_or_default();
    let mut rows = vec![vec![String::new(); names.len()]; columns.first().map_or(0, Column::len)];
    for (column, number) in columns.iter().zip(wanted) {
        rows.iter_mut().enumerate().for_each(|(row, cells)| cells[number] = text_of(column, row).unwrap_or_default());
    }
    Header { comments: 0, names: names.to_vec(), rows }
}

/// The value as text; timestamps as dates.
fn text_of(column: &Column, row: usize) -> Option<String> {
    let scale = match column.kind {
        Kind::Timestamp(nanos) => nanos,
        Kind::Date => 86_400_000_000_000,
        _ => return column.text(row),
    };
    let Values::Whole(values) = &column.values else { return None };
    let nanos = u64::try_from(values[row]).ok().and_then(|value| value.checked_mul(scale));
    column.has(row).then(|| nanos.map_or_else(|| values[row].to_string(), show_instant))
}

fn names(file: &TableFile) -> Vec<String> {
    file.columns().iter().map(|column| column.name.clone()).collect()
}

fn find(input: &TraceInput, names: &[String], name: &str) -> Result<usize, TraceError> {
    let exact = names.iter().position(|known| known == name);
    exact.or_else(|| names.iter().position(|known| known.eq_ignore_ascii_case(name))).ok_or_else(|| {
        let error = TraceError::new(input.name.as_str(), format!("has no column `{name}`"));
        error.help(advice(name, names.iter().map(String::as_str), &format!("columns: {}", listed(names))))
    })
}

/// Reads a Parquet file slice by slice.
struct ColumnarReader {
    input: TraceInput,
    file: TableFile,
    /// Column numbers with their roles.
    wanted: Vec<(usize, Role)>,
    /// Number of rows read.
    taken: u64,
    time_format: TimeFormat,
    demand_unit: TimeFormat,
    year: Option<u32>,
    time_zone: Option<Zone>,
    max_bad_share: f64,
    tally: RowCounts,
    classes: Vec<String>,
    origin: Option<SimTime>,
    zero_epoch_ns: Option<u64>,
    interval: Option<SimDuration>,
    extent: Option<SimDuration>,
    unusable: Vec<bool>,
}

impl ColumnarReader {
    fn new(
        input: &TraceInput,
        mut file: TableFile,
        wanted: Vec<(usize, Role)>,
        options: &TraceOptions,
    ) -> Result<Self, TraceError> {
        let columns = wanted.iter().map(|(column, _)| *column).collect();
        file.want(columns).map_err(|error| refused(&input.name, error))?;
        Ok(ColumnarReader {
            input: input.clone(),
            file,
            wanted,
            taken: 0,
            time_format: options.time_format.unwrap_or(TimeFormat::Seconds),
            demand_unit: options.demand_unit,
            year: options.year,
            time_zone: options.time_zone,
            max_bad_share: options.max_bad_rows.get(),
            tally: RowCounts::default(),
            classes: Vec::new(),
            origin: None,
            zero_epoch_ns: None,
            interval: None,
            extent: None,
            unusable: Vec::new(),
        })
    }

    /// Determines from the first rows how times are written and how long an interval is.
    fn look_at_first_rows(&mut self, options: &TraceOptions) -> Result<(), TraceError> {
        let mut ahead = open(&self.input)?;
        let number = self.wanted.iter().find(|(_, role)| *role == Role::Time).map_or(0, |(column, _)| *column);
        let first = ahead.want(vec![number]).and_then(|()| ahead.next(200));
        let first = first.map_err(|error| refused(&self.input.name, error).line(1))?;
        let Some(time) = first.and_then(|mut columns| columns.pop()) else { return Ok(()) };
        let dated = matches!(time.kind, Kind::Timestamp(_) | Kind::Date);
        if options.time_format.is_none() && !dated {
            let texts = (0..time.len()).filter_map(|row| time.text(row));
            let found = texts.take(50).find_map(|text| TimeFormat::detect(text.as_bytes()));
            self.time_format = found.ok_or_else(|| {
                TraceError::new(self.input.name.as_str(), "the column has no recognised times")
                    .column(time.name.as_str())
                    .help("name another with `columns: { time: ... }`, or the form with `time-format:`")
            })?;
        }
        let mut times = vec![SimTime::ZERO; time.len()];
        let mut unusable = vec![false; time.len()];
        self.times(&time, &mut times, &mut unusable)?;
        let usable: Vec<SimTime> =
            times.iter().zip(&unusable).filter(|(_, bad)| !**bad).map(|(time, _)| *time).collect();
        let epoch =
            dated || self.time_format.is_date() || usable.first().is_some_and(|time| time.as_nanos() >= EPOCH_FROM_NS);
        self.zero_epoch_ns = epoch.then_some(0);
        if kind_of(&self.wanted) == SeriesKind::Counts {
            let steps = usable.windows(2).map(|pair| pair[1].since(pair[0])).filter(|step| !step.is_zero());
            self.interval = options.interval.or(steps.min());
        }
        Ok(())
    }

    fn wrong_type(&self, column: &Column, expected: &str) -> TraceError {
        TraceError::new(self.input.name.as_str(), format!("expected {expected}, found {}", column.kind.words()))
            .column(column.name.as_str())
    }

    /// Times in a column of any type.
    fn times(&self, column: &Column, times: &mut [SimTime], unusable: &mut [bool]) -> Result<(), TraceError> {
        let scale = match column.kind {
            Kind::Timestamp(nanos) => nanos,
            Kind::Date => 86_400_000_000_000,
            Kind::Whole => self.nanos_per_unit(self.time_format, column)?,
            Kind::Real => {
                let scale = self.nanos_per_unit(self.time_format, column)? as f64;
                return each(column, unusable, |row, value: f64| {
                    // Whole units and remainder separately, so that the remainder keeps its digits.
                    let nanos = value.trunc() * scale + (value.fract() * scale).round();
                    times[row] = SimTime::from_nanos(nanos as u64);
                    (0.0..1.8e19).contains(&nanos)
                });
            }
            Kind::Text => {
                let mut reader = TimeReader::new(self.time_format, self.year).in_zone(self.time_zone);
                let Values::Text(texts) = &column.values else { return Err(self.wrong_type(column, "times")) };
                for row in 0..column.len() {
                    match reader.read(texts.bytes(row).trim_ascii()).filter(|_| column.has(row)) {
                        Some(time) => times[row] = time,
                        None => unusable[row] = true,
                    }
                }
                return Ok(());
            }
            _ => return Err(self.wrong_type(column, "times")),
        };
        each_integer(column, unusable, |row, value| {
            let nanos = u64::try_from(value).ok().and_then(|value| value.checked_mul(scale));
            times[row] = SimTime::from_nanos(nanos.unwrap_or(0));
            nanos.is_some()
        })
    }

    fn nanos_per_unit(&self, format: TimeFormat, column: &Column) -> Result<u64, TraceError> {
        match format {
            TimeFormat::Seconds => Ok(1_000_000_000),
            TimeFormat::Millis => Ok(1_000_000),
            TimeFormat::Micros => Ok(1_000),
            TimeFormat::Nanos => Ok(1),
            other => Err(self.wrong_type(column, other.example())),
        }
    }

    /// Durations; a null, a NaN or -1 is unknown.
    fn demands(
        &mut self,
        column: &Column,
        demands: &mut [SimDuration],
        unusable: &mut [bool],
    ) -> Result<(), TraceError> {
        let bad_before = unusable.to_vec();
        self.known_demands(column, demands, unusable)?;
        for (row, demand) in demands.iter_mut().enumerate() {
            if !unusable[row] || bad_before[row] {
                continue;
            }
            let unknown = !column.has(row)
                || match &column.values {
                    Values::Whole(values) => values[row] == -1,
                    Values::Real(values) => values[row].is_nan() || values[row] == -1.0,
                    Values::Text(_) | Values::Bool(_) => false,
                };
            if unknown {
                (*demand, unusable[row]) = (RequestBatch::UNKNOWN, false);
                self.tally.unknown += 1;
            }
        }
        Ok(())
    }

    fn known_demands(
        &self,
        column: &Column,
        demands: &mut [SimDuration],
        unusable: &mut [bool],
    ) -> Result<(), TraceError> {
        let scale = self.nanos_per_unit(self.demand_unit, column)?;
        if column.kind == Kind::Whole {
            return each_integer(column, unusable, |row, value| {
                let nanos = u64::try_from(value).ok().and_then(|value| value.checked_mul(scale));
                demands[row] = SimDuration::from_nanos(nanos.unwrap_or(0));
                nanos.is_some()
            });
        }
        each(column, unusable, |row, value: f64| {
            let nanos = (value * scale as f64).round();
            demands[row] = SimDuration::from_nanos(nanos as u64);
            (0.0..1.8e19).contains(&nanos)
        })
    }

    fn classes(&mut self, column: &Column, classes: &mut [u16], unusable: &mut [bool]) -> Result<(), TraceError> {
        if column.kind == Kind::Whole && !self.classes.is_empty() {
            let known = self.classes.len() as i64;
            return each_integer(column, unusable, |row, value| {
                classes[row] = value as u16;
                (0..known).contains(&value)
            });
        }
        for (row, bad) in unusable.iter_mut().enumerate() {
            let Some(text) = text_of(column, row) else {
                *bad = true;
                continue;
            };
            let index = self.classes.iter().position(|name| *name == text).unwrap_or_else(|| {
                self.classes.push(text);
                self.classes.len() - 1
            });
            classes[row] = u16::try_from(index).map_err(|_| self.wrong_type(column, "at most 65536 classes"))?;
        }
        Ok(())
    }

    fn fill(&mut self, columns: &[Column], rows: &mut Rows) -> Result<(), TraceError> {
        let height = columns.first().map_or(0, Column::len);
        let mut unusable = std::mem::take(&mut self.unusable);
        unusable.clear();
        unusable.resize(height, false);
        for ((_, role), column) in self.wanted.clone().into_iter().zip(columns) {
            let requests = &mut rows.requests;
            match role {
                Role::Time => {
                    requests.arrivals.resize(height, SimTime::ZERO);
                    self.times(column, &mut requests.arrivals, &mut unusable)?;
                }
                Role::Count | Role::Level => {
                    rows.values.resize(height, 0.0);
                    let values = &mut rows.values;
                    each(column, &mut unusable, |row, value: f64| {
                        values[row] = value;
                        (0.0..=1e12).contains(&value)
                    })?;
                }
                // Rejected when the file was opened.
                Role::Rate | Role::Counter | Role::Elapsed | Role::TimeOfDay => {}
                Role::Demand => {
                    requests.demands.resize(height, SimDuration::ZERO);
                    self.demands(column, &mut requests.demands, &mut unusable)?;
                }
                Role::TokensIn | Role::TokensOut => {
                    let tokens =
                        if role == Role::TokensIn { &mut requests.tokens_in } else { &mut requests.tokens_out };
                    tokens.resize(height, 0);
                    each_integer(column, &mut unusable, |row, value| {
                        tokens[row] = value as u32;
                        u32::try_from(value).is_ok()
                    })?;
                }
                Role::Session => {
                    let number = |row| session(text_of(column, row).unwrap_or_default().as_bytes());
                    rows.sessions.extend((0..height).map(number));
                }
                Role::Class => {
                    requests.classes.resize(height, 0);
                    self.classes(column, &mut requests.classes, &mut unusable)?;
                }
            }
        }
        self.drop_unusable(&unusable, rows)?;
        self.unusable = unusable;
        Ok(())
    }

    fn drop_unusable(&mut self, unusable: &[bool], rows: &mut Rows) -> Result<(), TraceError> {
        let bad = unusable.iter().filter(|bad| **bad).count();
        self.tally.rows += (unusable.len() - bad) as u64;
        if bad == 0 {
            return Ok(());
        }
        self.tally.bad += bad as u64;
        for (row, _) in unusable.iter().enumerate().filter(|(_, bad)| **bad) {
            if self.tally.first_bad.len() == RowCounts::SHOWN {
                break;
            }
            let message = "a value is missing or out of range".to_string();
            self.tally.first_bad.push(BadRow { line: rows.first_row + row as u64, column: 1, message });
        }
        let kept: Vec<u32> = (0..unusable.len() as u32).filter(|row| !unusable[*row as usize]).collect();
        let mut usable = Rows { first_row: rows.first_row, ..Rows::default() };
        usable.gather(rows, &kept);
        usable.lines = kept.iter().map(|row| rows.first_row + u64::from(*row)).collect();
        *rows = usable;
        Ok(())
    }

    fn weigh(&self) -> Result<(), TraceError> {
        if self.tally.bad_share() <= self.max_bad_share {
            return Ok(());
        }
        let share = 100.0 * self.tally.bad_share();
        let message = format!(
            "{} rows ({share:.1}%) cannot be used, more than the {}% allowed",
            self.tally.bad,
            self.max_bad_share * 100.0
        );
        let error = TraceError::new(self.input.name.as_str(), message)
            .line(self.tally.first_bad.first().map_or(1, |bad| bad.line));
        Err(if self.tally.rows > 0 {
            error.help(format!("`max-bad-rows: {}%` would leave them out", share.ceil().min(100.0)))
        } else {
            error
        })
    }
}

/// Passes every value of a numeric column to `take`, which returns whether it is valid; nulls are not.
fn each(column: &Column, unusable: &mut [bool], mut take: impl FnMut(usize, f64) -> bool) -> Result<(), TraceError> {
    let mut give = |row: usize, value: f64| unusable[row] |= !(column.has(row) && take(row, value));
    match &column.values {
        Values::Real(values) => values.iter().enumerate().for_each(|(row, value)| give(row, *value)),
        Values::Whole(values) => values.iter().enumerate().for_each(|(row, value)| give(row, *value as f64)),
        _ => return Err(not_numeric(column)),
    }
    Ok(())
}

/// The same for integers, without conversion to floating point if the type is an integer.
fn each_integer(
    column: &Column,
    unusable: &mut [bool],
    mut take: impl FnMut(usize, i64) -> bool,
) -> Result<(), TraceError> {
    match (&column.values, &column.present) {
        (Values::Whole(values), None) => {
            for (row, value) in values.iter().enumerate() {
                unusable[row] |= !take(row, *value);
            }
        }
        (Values::Whole(values), Some(present)) => {
            for (row, value) in values.iter().enumerate() {
                unusable[row] |= !(present[row] && take(row, *value));
            }
        }
        (Values::Real(values), _) => {
            for (row, value) in values.iter().enumerate() {
                // Truncated to integers, as in all other table readers.
                let whole = (value.abs() < 9.2e18).then_some(*value as i64);
                unusable[row] |= !(column.has(row) && whole.is_some_and(|value| take(row, value)));
            }
        }
        _ => return Err(not_numeric(column)),
    }
    Ok(())
}

fn not_numeric(column: &Column) -> TraceError {
    TraceError::new("column", format!("expected numbers, found {}", column.kind.words())).column(column.name.as_str())
}

impl RowReader for ColumnarReader {
    fn facts(&self) -> RowFacts {
        RowFacts {
            kind: kind_of(&self.wanted),
            origin: self.origin,
            zero_epoch_ns: self.zero_epoch_ns,
            unordered: false,
            interval: self.interval,
            extent: self.extent,
        }
    }

    fn read(&mut self, rows: &mut Rows) -> Result<(), TraceError> {
        rows.clear();
        while rows.is_empty() {
            let first_row = self.taken + 1;
            let next = self.file.next(SLICE_ROWS);
            let next = next.map_err(|error| refused(&self.input.name, error).line(first_row))?;
            let Some(columns) = next else { return self.weigh() };
            self.taken += columns.first().map_or(0, Column::len) as u64;
            rows.first_row = first_row;
            self.fill(&columns, rows).map_err(|error| TraceError { file: self.input.name.clone(), ..error })?;
        }
        Ok(())
    }

    fn tally(&self) -> &RowCounts {
        &self.tally
    }

    fn class_names(&self) -> &[String] {
        &self.classes
    }
}

/// Writes the Parquet variant of Plimsoll's own format.
struct ColumnarWriter {
    writer: TableWriter<BufWriter<File>>,
    kind: SeriesKind,
    columns: OwnColumns,
    held: RequestBatch,
    offsets: Vec<u64>,
    counts: Vec<f64>,
}

/// A writer of the Parquet variant.
pub(crate) fn writer(
    file: BufWriter<File>,
    facts: &OwnFacts,
    columns: OwnColumns,
    notes: &[String],
) -> io::Result<Box<dyn OwnWriter>> {
    let mut fields = vec![(OFFSET, Cells::Whole(Vec::new()))];
    let optional = [
        (facts.kind == SeriesKind::Counts, COUNT, Cells::Real(Vec::new())),
        (columns.demand, DEMAND, Cells::Whole(Vec::new())),
        (columns.tokens_in, TOKENS_IN, Cells::Small(Vec::new())),
        (columns.tokens_out, TOKENS_OUT, Cells::Small(Vec::new())),
        (columns.class, CLASS, Cells::Small(Vec::new())),
    ];
    fields.extend(optional.into_iter().filter(|(has, ..)| *has).map(|(_, name, cells)| (name, cells)));
    let mut pairs = facts.pairs();
    pairs.extend((!notes.is_empty()).then(|| ("notes".to_string(), notes.join("\n"))));
    let writer = TableWriter::new(file, &fields, pairs).map_err(written)?;
    Ok(Box::new(ColumnarWriter {
        writer,
        kind: facts.kind,
        columns,
        held: RequestBatch::default(),
        offsets: Vec::new(),
        counts: Vec::new(),
    }))
}

impl ColumnarWriter {
    fn put(&mut self) -> io::Result<()> {
        let mut columns: Vec<Cells> = Vec::new();
        if self.kind == SeriesKind::Counts {
            columns.push(Cells::Whole(self.offsets.drain(..).map(|offset| offset as i64).collect()));
            columns.push(Cells::Real(std::mem::take(&mut self.counts)));
        } else {
            let held = &mut self.held;
            columns.push(Cells::Whole(held.arrivals.iter().map(|time| time.as_nanos() as i64).collect()));
            if self.columns.demand {
                columns.push(Cells::Whole(held.demands.iter().map(whole_nanos).collect()));
            }
            if self.columns.tokens_in {
                columns.push(Cells::Small(std::mem::take(&mut held.tokens_in)));
            }
            if self.columns.tokens_out {
                columns.push(Cells::Small(std::mem::take(&mut held.tokens_out)));
            }
            if self.columns.class {
                columns.push(Cells::Small(held.classes.iter().map(|class| u32::from(*class)).collect()));
            }
            held.clear();
        }
        self.writer.write(&columns).map_err(written)
    }
}

/// A duration in nanoseconds; -1 if unknown.
fn whole_nanos(demand: &SimDuration) -> i64 {
    if *demand == RequestBatch::UNKNOWN { -1 } else { demand.as_nanos() as i64 }
}

fn written(error: TableError) -> io::Error {
    io::Error::other(error)
}

impl OwnWriter for ColumnarWriter {
    fn requests(&mut self, batch: &RequestBatch) -> io::Result<()> {
        self.held.append_range(batch, 0..batch.len());
        if self.held.len() >= GROUP_ROWS { self.put() } else { Ok(()) }
    }

    fn counts(&mut self, offsets: &[u64], counts: &[f64]) -> io::Result<()> {
        self.offsets.extend_from_slice(offsets);
        self.counts.extend_from_slice(counts);
        if self.offsets.len() >= GROUP_ROWS { self.put() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.put()?;
        self.writer.finish().map_err(written).map(drop)
    }
}
