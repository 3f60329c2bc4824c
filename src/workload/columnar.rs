//! Parquet files: any with its columns named, and Plimsoll's own.

use std::fs::File;
use std::io::{self, BufWriter};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use polars::io::parquet::metadata::FileMetadataRef;
use polars::io::parquet::read::{ParallelStrategy, ParquetReader};
use polars::io::parquet::write::{BatchedWriter, KeyValueMetadata, ParquetCompression, ParquetWriter};
use polars::prelude::{
    Column, DataFrame, DataType, Field, IntoColumn, NamedFrom, PolarsError, Schema, SerReader, Series, TimeUnit,
};

use super::cells::session;
use super::header::Header;
use super::meaning::settle;
use super::own::{CLASS, COUNT, DEMAND, MARK, OFFSET, OwnColumns, OwnFacts, OwnWriter, TOKENS_IN, TOKENS_OUT};
use super::rows::{BadRow, RowReader, Rows, SeriesKind, Tally};
use super::table::{Role, TIME_NAMES, kind_of, listed};
use super::time_text::{EPOCH_FROM_NS, TimeFormat, TimeReader};
use super::{RequestBatch, TraceError, TraceInput, TraceOptions, Zone};
use crate::config::suggest;
use crate::units::{SimDuration, SimTime};

/// Rows decoded at once; a larger row group is taken in several slices.
const SLICE_ROWS: usize = 1 << 18;
/// Rows per row group of the files we write.
const GROUP_ROWS: usize = 1 << 18;

/// The file's footer.
fn footer(input: &TraceInput) -> Result<FileMetadataRef, TraceError> {
    let read = guarded(&input.name, || ParquetReader::new(open_file(&input.path)?).get_metadata().cloned())?;
    read.map_err(|error| damaged(&input.name, &error))
}

fn open_file(path: &Path) -> Result<File, PolarsError> {
    crate::config::spool::open_file(path).map_err(PolarsError::from)
}

/// A decoder may stumble over damaged bytes; that is the file's fault and no reason to bring the program down.
fn guarded<T>(file: &str, read: impl FnOnce() -> T) -> Result<T, TraceError> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|_| {
        TraceError::new(file, "is damaged Parquet; its pages cannot be decoded").help("copy or write it again")
    })
}

fn damaged(file: &str, error: &PolarsError) -> TraceError {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or("").chars().take(200).collect::<String>();
    TraceError::new(file, format!("cannot be read as Parquet: {line}"))
        .help("the file may be truncated or damaged: copy or write it again")
}

fn pairs(footer: &FileMetadataRef) -> Vec<(String, String)> {
    let stored = footer.key_value_metadata().iter().flatten();
    stored.filter_map(|pair| Some((pair.key.to_string(), pair.value.as_ref()?.to_string()))).collect()
}

/// Whether the file is one of ours.
pub(super) fn is_own(input: &TraceInput) -> bool {
    footer(input).is_ok_and(|footer| pairs(&footer).iter().any(|(key, _)| key == MARK))
}

/// Opens a file in Plimsoll's own format.
pub(super) fn open_own(input: &TraceInput, options: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
    let footer = footer(input)?;
    let pairs = pairs(&footer);
    let facts = OwnFacts::of_pairs(&input.name, pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())))?;
    let names = names(&footer);
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
        let message = format!("says that it holds {}, but has the columns of something else", facts.kind.name());
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
        ..ColumnarReader::new(input, footer, wanted, options)
    };
    Ok(Box::new(reader))
}

/// Opens any Parquet file whose columns are named or go by usual names.
pub(super) fn open_any(input: &TraceInput, options: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
    let footer = footer(input)?;
    let names = names(&footer);
    let header = header_of(input, &footer, &names);
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
        return Err(TraceError::new(input.name.as_str(), "several columns are not put together in Parquet")
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
            TraceError::new(input.name.as_str(), "which column holds the time is not clear")
                .help(format!("name it with `columns: {{ time: ... }}`; columns: {}", listed(&names)))
        })?;
        wanted.push((column, Role::Time));
    }
    let mut reader = ColumnarReader::new(input, footer, wanted, options);
    reader.look_at_first_rows(options)?;
    reader.tally.notes.extend(settled.note);
    Ok(Box::new(reader))
}

/// The columns with their first rows as text, for what can be told of them; the names alone where they cannot be decoded.
fn header_of(input: &TraceInput, footer: &FileMetadataRef, names: &[String]) -> Header {
    let all = (0..names.len()).map(|column| (column, Role::Class)).collect();
    let reader = ColumnarReader::new(input, footer.clone(), all, &TraceOptions::default());
    let first = reader.slices.as_slice().first().copied();
    let frame = first.and_then(|(start, rows)| reader.decode(start, rows.min(50)).ok());
    let texts = frame.map_or_else(Vec::new, |frame| {
        let columns: Vec<Series> =
            names.iter().filter_map(|name| Some(frame.column(name).ok()?.as_materialized_series().clone())).collect();
        let row = |row: usize| columns.iter().map(|column| text_of(column, row).unwrap_or_default()).collect();
        (0..frame.height()).map(row).collect()
    });
    Header { comments: 0, names: names.to_vec(), rows: texts }
}

fn names(footer: &FileMetadataRef) -> Vec<String> {
    footer.schema_descr.fields().iter().map(|field| field.name().to_string()).collect()
}

fn find(input: &TraceInput, names: &[String], name: &str) -> Result<usize, TraceError> {
    let exact = names.iter().position(|known| known == name);
    exact.or_else(|| names.iter().position(|known| known.eq_ignore_ascii_case(name))).ok_or_else(|| {
        let error = TraceError::new(input.name.as_str(), format!("has no column `{name}`"));
        match suggest(name, names.iter().map(String::as_str)) {
            Some(near) => error.help(format!("did you mean `{near}`? columns: {}", listed(names))),
            None => error.help(format!("columns: {}", listed(names))),
        }
    })
}

/// Reads a Parquet file slice by slice.
struct ColumnarReader {
    input: TraceInput,
    footer: FileMetadataRef,
    /// Column numbers with what they are for.
    wanted: Vec<(usize, Role)>,
    /// First row and number of rows of each slice.
    slices: std::vec::IntoIter<(usize, usize)>,
    time_format: TimeFormat,
    demand_unit: TimeFormat,
    year: Option<u32>,
    time_zone: Option<Zone>,
    max_bad_share: f64,
    tally: Tally,
    classes: Vec<String>,
    origin: Option<SimTime>,
    zero_epoch_ns: Option<u64>,
    interval: Option<SimDuration>,
    extent: Option<SimDuration>,
    unusable: Vec<bool>,
}

impl ColumnarReader {
    fn new(input: &TraceInput, footer: FileMetadataRef, wanted: Vec<(usize, Role)>, options: &TraceOptions) -> Self {
        let mut slices = Vec::new();
        let mut start = 0;
        for group in &footer.row_groups {
            let end = start + group.num_rows();
            while start < end {
                let rows = SLICE_ROWS.min(end - start);
                slices.push((start, rows));
                start += rows;
            }
        }
        ColumnarReader {
            input: input.clone(),
            footer,
            wanted,
            slices: slices.into_iter(),
            time_format: options.time_format.unwrap_or(TimeFormat::Seconds),
            demand_unit: options.demand_unit,
            year: options.year,
            time_zone: options.time_zone,
            max_bad_share: options.max_bad_rows.get(),
            tally: Tally::default(),
            classes: Vec::new(),
            origin: None,
            zero_epoch_ns: None,
            interval: None,
            extent: None,
            unusable: Vec::new(),
        }
    }

    /// Learns from the first rows how times are written and how long an interval is.
    fn look_at_first_rows(&mut self, options: &TraceOptions) -> Result<(), TraceError> {
        let Some((start, rows)) = self.slices.as_slice().first().copied() else { return Ok(()) };
        let frame = self.decode(start, rows.min(200))?;
        let time = self.column(&frame, Role::Time)?;
        let dated = matches!(time.dtype(), DataType::Datetime(..) | DataType::Date);
        if options.time_format.is_none() && !dated {
            let texts = (0..time.len()).filter_map(|row| text_of(&time, row));
            let found = texts.take(50).find_map(|text| TimeFormat::detect(text.as_bytes()));
            self.time_format = found.ok_or_else(|| {
                TraceError::new(self.input.name.as_str(), "the column holds no times that are understood")
                    .column(time.name().to_string())
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

    fn decode(&self, start: usize, rows: usize) -> Result<DataFrame, TraceError> {
        let columns = self.wanted.iter().map(|(column, _)| *column).collect();
        let read = guarded(&self.input.name, || {
            let mut reader = ParquetReader::new(open_file(&self.input.path)?);
            reader.set_metadata(self.footer.clone());
            reader
                .with_projection(Some(columns))
                .with_slice(Some((start, rows)))
                .read_parallel(ParallelStrategy::None)
                .finish()
        })?;
        read.map_err(|error| damaged(&self.input.name, &error).line(start as u64 + 1))
    }

    fn column(&self, frame: &DataFrame, role: Role) -> Result<Series, TraceError> {
        let index = self.wanted.iter().find(|(_, wanted)| *wanted == role).map_or(0, |(column, _)| *column);
        let name = &self.footer.schema_descr.fields()[index];
        let column = frame.column(name.name()).map_err(|error| damaged(&self.input.name, &error))?;
        Ok(column.as_materialized_series().clone())
    }

    fn wrong_type(&self, series: &Series, expected: &str) -> TraceError {
        TraceError::new(self.input.name.as_str(), format!("expected {expected}, found {}", series.dtype()))
            .column(series.name().to_string())
    }

    /// Times of a column, whatever its type.
    fn times(&self, series: &Series, times: &mut [SimTime], unusable: &mut [bool]) -> Result<(), TraceError> {
        let scale = match series.dtype() {
            DataType::Datetime(TimeUnit::Milliseconds, _) => 1_000_000,
            DataType::Datetime(TimeUnit::Microseconds, _) => 1_000,
            DataType::Datetime(TimeUnit::Nanoseconds, _) => 1,
            DataType::Date => 86_400_000_000_000,
            other if other.is_integer() => self.nanos_per_unit(self.time_format, series)?,
            DataType::Float32 | DataType::Float64 => {
                let scale = self.nanos_per_unit(self.time_format, series)? as f64;
                return each(series, unusable, |row, value: f64| {
                    // Whole units and the rest apart, so that the rest keeps its digits.
                    let nanos = value.trunc() * scale + (value.fract() * scale).round();
                    times[row] = SimTime::from_nanos(nanos as u64);
                    (0.0..1.8e19).contains(&nanos)
                });
            }
            DataType::String => {
                let mut reader = TimeReader::new(self.time_format, self.year).in_zone(self.time_zone);
                let texts = series.str().map_err(|_| self.wrong_type(series, "times"))?;
                for (row, text) in texts.iter().enumerate() {
                    match text.and_then(|text| reader.read(text.trim().as_bytes())) {
                        Some(time) => times[row] = time,
                        None => unusable[row] = true,
                    }
                }
                return Ok(());
            }
            _ => return Err(self.wrong_type(series, "times")),
        };
        each_integer(series, unusable, |row, value| {
            let nanos = u64::try_from(value).ok().and_then(|value| value.checked_mul(scale));
            times[row] = SimTime::from_nanos(nanos.unwrap_or(0));
            nanos.is_some()
        })
    }

    fn nanos_per_unit(&self, format: TimeFormat, series: &Series) -> Result<u64, TraceError> {
        match format {
            TimeFormat::Seconds => Ok(1_000_000_000),
            TimeFormat::Millis => Ok(1_000_000),
            TimeFormat::Micros => Ok(1_000),
            TimeFormat::Nanos => Ok(1),
            other => Err(self.wrong_type(series, other.example())),
        }
    }

    fn demands(&self, series: &Series, demands: &mut [SimDuration], unusable: &mut [bool]) -> Result<(), TraceError> {
        let scale = self.nanos_per_unit(self.demand_unit, series)?;
        if series.dtype().is_integer() {
            return each_integer(series, unusable, |row, value| {
                let nanos = u64::try_from(value).ok().and_then(|value| value.checked_mul(scale));
                demands[row] = SimDuration::from_nanos(nanos.unwrap_or(0));
                nanos.is_some()
            });
        }
        each(series, unusable, |row, value: f64| {
            let nanos = (value * scale as f64).round();
            demands[row] = SimDuration::from_nanos(nanos as u64);
            (0.0..1.8e19).contains(&nanos)
        })
    }

    fn classes(&mut self, series: &Series, classes: &mut [u16], unusable: &mut [bool]) -> Result<(), TraceError> {
        if series.dtype().is_integer() && !self.classes.is_empty() {
            let known = self.classes.len() as i64;
            return each_integer(series, unusable, |row, value| {
                classes[row] = value as u16;
                (0..known).contains(&value)
            });
        }
        for (row, bad) in unusable.iter_mut().enumerate() {
            let Some(text) = text_of(series, row) else {
                *bad = true;
                continue;
            };
            let index = self.classes.iter().position(|name| *name == text).unwrap_or_else(|| {
                self.classes.push(text);
                self.classes.len() - 1
            });
            classes[row] = u16::try_from(index).map_err(|_| self.wrong_type(series, "at most 65536 classes"))?;
        }
        Ok(())
    }

    fn fill(&mut self, frame: &DataFrame, rows: &mut Rows) -> Result<(), TraceError> {
        let height = frame.height();
        let mut unusable = std::mem::take(&mut self.unusable);
        unusable.clear();
        unusable.resize(height, false);
        for (_, role) in self.wanted.clone() {
            let series = self.column(frame, role)?;
            let requests = &mut rows.requests;
            match role {
                Role::Time => {
                    requests.arrivals.resize(height, SimTime::ZERO);
                    self.times(&series, &mut requests.arrivals, &mut unusable)?;
                }
                Role::Count | Role::Level => {
                    rows.values.resize(height, 0.0);
                    let values = &mut rows.values;
                    each(&series, &mut unusable, |row, value: f64| {
                        values[row] = value;
                        (0.0..=1e12).contains(&value)
                    })?;
                }
                // Refused when the file was opened.
                Role::Rate | Role::Counter | Role::Elapsed => {}
                Role::Demand => {
                    requests.demands.resize(height, SimDuration::ZERO);
                    self.demands(&series, &mut requests.demands, &mut unusable)?;
                }
                Role::TokensIn | Role::TokensOut => {
                    let tokens =
                        if role == Role::TokensIn { &mut requests.tokens_in } else { &mut requests.tokens_out };
                    tokens.resize(height, 0);
                    each_integer(&series, &mut unusable, |row, value| {
                        tokens[row] = value as u32;
                        u32::try_from(value).is_ok()
                    })?;
                }
                Role::Session => {
                    let number = |row| session(text_of(&series, row).unwrap_or_default().as_bytes());
                    rows.sessions.extend((0..height).map(number));
                }
                Role::Class => {
                    requests.classes.resize(height, 0);
                    self.classes(&series, &mut requests.classes, &mut unusable)?;
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
            if self.tally.first_bad.len() == Tally::SHOWN {
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

/// Every value as text, for columns whose type is not known beforehand.
fn text_of(series: &Series, row: usize) -> Option<String> {
    let value = series.get(row).ok()?;
    if value.is_null() {
        return None;
    }
    Some(value.get_str().map_or_else(|| value.to_string(), str::to_string))
}

/// Gives every value of a numeric column to `take`, which says whether it can be used; missing ones cannot.
fn each(series: &Series, unusable: &mut [bool], mut take: impl FnMut(usize, f64) -> bool) -> Result<(), TraceError> {
    let number = series.dtype().is_numeric().then(|| series.cast(&DataType::Float64)).and_then(Result::ok);
    let Some(number) = number else { return Err(not_numeric(series)) };
    let Ok(values) = number.f64() else { return Err(not_numeric(series)) };
    for (row, value) in values.iter().enumerate() {
        if !value.is_some_and(|value| take(row, value)) {
            unusable[row] = true;
        }
    }
    Ok(())
}

/// The same for whole numbers, without a way through floating point where the type is a whole one.
fn each_integer(
    series: &Series,
    unusable: &mut [bool],
    mut take: impl FnMut(usize, i64) -> bool,
) -> Result<(), TraceError> {
    let physical = series.to_physical_repr();
    let whole = match physical.dtype() {
        DataType::Int64 => Some(physical.into_owned()),
        other if other.is_numeric() => physical.cast(&DataType::Int64).ok(),
        _ => None,
    };
    let Some(whole) = whole else { return Err(not_numeric(series)) };
    let Ok(values) = whole.i64() else { return Err(not_numeric(series)) };
    let mut row = 0;
    for chunk in values.downcast_iter() {
        if values.null_count() == 0 {
            for value in chunk.values().iter() {
                unusable[row] |= !take(row, *value);
                row += 1;
            }
            continue;
        }
        for value in chunk.iter() {
            unusable[row] |= !value.is_some_and(|value| take(row, *value));
            row += 1;
        }
    }
    Ok(())
}

fn not_numeric(series: &Series) -> TraceError {
    TraceError::new("column", format!("expected numbers, found {}", series.dtype())).column(series.name().to_string())
}

impl RowReader for ColumnarReader {
    fn kind(&self) -> SeriesKind {
        kind_of(&self.wanted)
    }

    fn read(&mut self, rows: &mut Rows) -> Result<(), TraceError> {
        rows.clear();
        while rows.is_empty() {
            let Some((start, length)) = self.slices.next() else {
                return self.weigh();
            };
            let frame = self.decode(start, length)?;
            rows.first_row = start as u64 + 1;
            self.fill(&frame, rows).map_err(|error| TraceError { file: self.input.name.clone(), ..error })?;
        }
        Ok(())
    }

    fn tally(&self) -> &Tally {
        &self.tally
    }

    fn class_names(&self) -> &[String] {
        &self.classes
    }

    fn origin(&self) -> Option<SimTime> {
        self.origin
    }

    fn zero_epoch_ns(&self) -> Option<u64> {
        self.zero_epoch_ns
    }

    fn interval(&self) -> Option<SimDuration> {
        self.interval
    }

    fn extent(&self) -> Option<SimDuration> {
        self.extent
    }
}

/// Writes the Parquet form of the own format.
struct ColumnarWriter {
    writer: BatchedWriter<BufWriter<File>>,
    kind: SeriesKind,
    columns: OwnColumns,
    held: RequestBatch,
    offsets: Vec<u64>,
    counts: Vec<f64>,
}

/// A writer of the Parquet form.
pub(super) fn writer(
    file: BufWriter<File>,
    facts: &OwnFacts,
    columns: OwnColumns,
    notes: &[String],
) -> io::Result<Box<dyn OwnWriter>> {
    let mut fields = vec![Field::new(OFFSET.into(), DataType::Int64)];
    let optional = [
        (facts.kind == SeriesKind::Counts, COUNT, DataType::Float64),
        (columns.demand, DEMAND, DataType::Int64),
        (columns.tokens_in, TOKENS_IN, DataType::UInt32),
        (columns.tokens_out, TOKENS_OUT, DataType::UInt32),
        (columns.class, CLASS, DataType::UInt32),
    ];
    fields.extend(optional.into_iter().filter(|(has, ..)| *has).map(|(_, name, kind)| Field::new(name.into(), kind)));
    let mut pairs = facts.pairs();
    pairs.extend((!notes.is_empty()).then(|| ("notes".to_string(), notes.join("\n"))));
    let writer = ParquetWriter::new(file)
        .with_compression(ParquetCompression::Lz4Raw)
        .with_row_group_size(Some(GROUP_ROWS))
        .with_key_value_metadata(Some(KeyValueMetadata::from_static(pairs)))
        .set_parallel(false)
        .batched(&Schema::from_iter(fields))
        .map_err(io::Error::other)?;
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
        let column = |name: &str, values: Vec<i64>| Series::new(name.into(), values).into_column();
        let small = |name: &str, values: Vec<u32>| Series::new(name.into(), values).into_column();
        let mut columns: Vec<Column> = Vec::new();
        if self.kind == SeriesKind::Counts {
            columns.push(column(OFFSET, self.offsets.drain(..).map(|offset| offset as i64).collect()));
            columns.push(Series::new(COUNT.into(), std::mem::take(&mut self.counts)).into_column());
        } else {
            let held = &mut self.held;
            columns.push(column(OFFSET, held.arrivals.iter().map(|time| time.as_nanos() as i64).collect()));
            if self.columns.demand {
                columns.push(column(DEMAND, held.demands.iter().map(|demand| demand.as_nanos() as i64).collect()));
            }
            if self.columns.tokens_in {
                columns.push(small(TOKENS_IN, std::mem::take(&mut held.tokens_in)));
            }
            if self.columns.tokens_out {
                columns.push(small(TOKENS_OUT, std::mem::take(&mut held.tokens_out)));
            }
            if self.columns.class {
                columns.push(small(CLASS, held.classes.iter().map(|class| u32::from(*class)).collect()));
            }
            held.clear();
        }
        let height = columns.first().map_or(0, Column::len);
        if height == 0 {
            return Ok(());
        }
        let frame = DataFrame::new(height, columns).map_err(io::Error::other)?;
        self.writer.write_batch(&frame).map_err(io::Error::other)
    }
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
        self.writer.finish().map_err(io::Error::other)?;
        Ok(())
    }
}
