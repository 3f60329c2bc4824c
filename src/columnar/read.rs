//! Reads columns of a Parquet file.

use std::fs::File;
use std::path::Path;

use parquet::basic::{Compression, ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, Int96};
use parquet::file::metadata::ParquetStatisticsPolicy;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::{ReadOptionsBuilder, SerializedFileReader};
use parquet::schema::types::Type;

use super::TableError;
use super::guard::guarded;

/// The type of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Integers.
    Whole,
    /// Floating-point numbers.
    Real,
    /// `true` and `false`.
    Bool,
    /// Strings, or bytes that may be strings.
    Text,
    /// Days since 1970.
    Date,
    /// Times since 1970-01-01T00:00:00Z, in units of this many nanoseconds.
    Timestamp(u64),
    /// An unsupported type: its name with an article.
    NotRead(&'static str),
}

impl Kind {
    /// The type in words, in the plural.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Whole => "whole numbers",
            Kind::Real => "floating-point numbers",
            Kind::Bool => "true and false",
            Kind::Text => "texts",
            Kind::Date => "dates",
            Kind::Timestamp(_) => "timestamps",
            Kind::NotRead(name) => name,
        }
    }
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnFact {
    /// Name.
    pub name: String,
    /// Type.
    pub kind: Kind,
    /// Index among the leaves of the schema.
    leaf: usize,
    /// How the bits of an integer are interpreted.
    bits: Bits,
}

/// Signed, or unsigned with this many bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bits {
    Signed,
    Unsigned,
}

/// A slice of a column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Type.
    pub kind: Kind,
    /// One value per row; the value of a row without one is arbitrary.
    pub values: Values,
    /// Which rows have a value; `None` if all do.
    pub present: Option<Vec<bool>>,
}

/// Values of a column.
#[derive(Debug, Clone)]
pub enum Values {
    /// Integers, days, or units since 1970. Values outside the range of `i64` count as missing.
    Whole(Vec<i64>),
    /// Floating-point numbers.
    Real(Vec<f64>),
    /// `true` and `false`.
    Bool(Vec<bool>),
    /// Strings.
    Text(Texts),
}

/// Strings that refer to the page they were read from.
#[derive(Debug, Clone)]
pub struct Texts(Vec<ByteArray>);

impl Texts {
    /// The bytes of one row.
    pub fn bytes(&self, row: usize) -> &[u8] {
        let value = &self.0[row];
        if value.is_empty() { &[] } else { value.data() }
    }
}

impl Column {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match &self.values {
            Values::Whole(values) => values.len(),
            Values::Real(values) => values.len(),
            Values::Bool(values) => values.len(),
            Values::Text(values) => values.0.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the row has a value.
    pub fn has(&self, row: usize) -> bool {
        self.present.as_ref().is_none_or(|present| present[row])
    }

    /// The value of a row as text, whatever its type; `None` if it is missing or not UTF-8.
    pub fn text(&self, row: usize) -> Option<String> {
        if !self.has(row) {
            return None;
        }
        match &self.values {
            Values::Whole(values) => Some(values[row].to_string()),
            Values::Real(values) => Some(values[row].to_string()),
            Values::Bool(values) => Some(values[row].to_string()),
            Values::Text(values) => std::str::from_utf8(values.bytes(row)).ok().map(str::to_string),
        }
    }
}

/// A Parquet file whose columns are read together, in row order.
pub struct TableFile {
    file: SerializedFileReader<File>,
    columns: Vec<ColumnFact>,
    /// Indices of the columns to read.
    wanted: Vec<usize>,
    /// The next row group.
    next_group: usize,
    /// Readers of the current row group, and the number of its remaining rows.
    open: Vec<ColumnReader>,
    left: usize,
}

impl TableFile {
    /// Opens a file and reads its footer.
    ///
    /// # Errors
    /// If it cannot be opened or is not valid Parquet.
    pub fn open(path: &Path) -> Result<TableFile, TableError> {
        TableFile::of(File::open(path).map_err(|error| TableError::Io(error.to_string()))?)
    }

    /// Like [`TableFile::open`], for an open file.
    ///
    /// # Errors
    /// If it is not valid Parquet.
    pub fn of(file: File) -> Result<TableFile, TableError> {
        guarded(|| {
            // Statistics are not read, so they cannot be wrong.
            let skip = || ParquetStatisticsPolicy::SkipAll;
            let options = ReadOptionsBuilder::new().with_column_stats_policy(skip()).with_size_stats_policy(skip());
            let file = SerializedFileReader::new_with_options(file, options.build())?;
            let columns = facts(file.metadata().file_metadata().schema());
            Ok(TableFile { file, columns, wanted: Vec::new(), next_group: 0, open: Vec::new(), left: 0 })
        })
    }

    /// The top-level columns, in order.
    pub fn columns(&self) -> &[ColumnFact] {
        &self.columns
    }

    /// The key-value pairs of the footer.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let stored = self.file.metadata().file_metadata().key_value_metadata().into_iter().flatten();
        stored.filter_map(|pair| Some((pair.key.as_str(), pair.value.as_deref()?)))
    }

    /// Selects columns by index and restarts at the first row.
    ///
    /// # Errors
    /// If a column's type or compression is not supported.
    pub fn want(&mut self, wanted: Vec<usize>) -> Result<(), TableError> {
        for column in &wanted {
            let fact = &self.columns[*column];
            if let Kind::NotRead(what) = fact.kind {
                let message = format!("column `{}` is {what}, which is not read", fact.name);
                let help = "write it as whole numbers, floating-point numbers, texts or timestamps";
                return Err(TableError::NotRead { message, help });
            }
            for group in self.file.metadata().row_groups() {
                let packing = match group.column(fact.leaf).compression() {
                    Compression::BROTLI(_) => "Brotli",
                    Compression::LZO => "LZO",
                    _ => continue,
                };
                let message = format!("column `{}` is packed with {packing}, which is not read", fact.name);
                return Err(TableError::NotRead { message, help: "write it with Snappy, gzip, LZ4 or Zstandard" });
            }
        }
        (self.wanted, self.next_group, self.left) = (wanted, 0, 0);
        self.open.clear();
        Ok(())
    }

    /// Reads the next rows of the selected columns: at most `most`, and never across the end of a row group. `None` at
    /// the end.
    ///
    /// # Errors
    /// If the file is damaged.
    pub fn next(&mut self, most: usize) -> Result<Option<Vec<Column>>, TableError> {
        guarded(|| {
            while self.left == 0 {
                if self.next_group == self.file.metadata().num_row_groups() {
                    return Ok(None);
                }
                self.open_group()?;
            }
            let rows = most.min(self.left);
            self.left -= rows;
            let columns = self.wanted.iter().zip(&mut self.open);
            columns
                .map(|(column, reader)| take(&self.columns[*column], reader, rows))
                .collect::<Result<_, _>>()
                .map(Some)
        })
    }

    fn open_group(&mut self) -> Result<(), TableError> {
        let group = self.file.get_row_group(self.next_group)?;
        let rows = usize::try_from(group.metadata().num_rows());
        self.left = rows.map_err(|_| TableError::Damaged("a row group has less than no rows".into()))?;
        let readers = self.wanted.iter().map(|column| group.get_column_reader(self.columns[*column].leaf));
        self.open = readers.collect::<Result<_, _>>()?;
        self.next_group += 1;
        Ok(())
    }
}

/// The top-level columns of the schema.
fn facts(schema: &Type) -> Vec<ColumnFact> {
    let mut leaf = 0;
    let fact = |field: &std::sync::Arc<Type>| {
        let own = leaf;
        leaf += leaves(field);
        let (kind, bits) = kind_of(field);
        ColumnFact { name: field.name().to_string(), kind, leaf: own, bits }
    };
    schema.get_fields().iter().map(fact).collect()
}

fn leaves(field: &Type) -> usize {
    if field.is_primitive() { 1 } else { field.get_fields().iter().map(|inner| leaves(inner)).sum() }
}

fn kind_of(field: &Type) -> (Kind, Bits) {
    let info = field.get_basic_info();
    let repeated = info.has_repetition() && info.repetition() == parquet::basic::Repetition::REPEATED;
    let kind = if !field.is_primitive() {
        Kind::NotRead("nested (a list, a map or a struct)")
    } else if repeated {
        Kind::NotRead("a list")
    } else {
        primitive_kind(field.get_physical_type(), info.logical_type_ref(), info.converted_type())
    };
    let unsigned = match info.logical_type_ref() {
        Some(LogicalType::Integer(whole)) => !whole.is_signed,
        _ => matches!(
            info.converted_type(),
            ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64
        ),
    };
    (kind, if unsigned { Bits::Unsigned } else { Bits::Signed })
}

fn primitive_kind(physical: Physical, logical: Option<&LogicalType>, converted: ConvertedType) -> Kind {
    match (logical, converted) {
        (Some(LogicalType::Decimal(_)), _) | (None, ConvertedType::DECIMAL) => return Kind::NotRead("a decimal"),
        (Some(LogicalType::Time(_)), _) | (None, ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS) => {
            return Kind::NotRead("a time of day without a date");
        }
        (Some(LogicalType::Date), _) | (None, ConvertedType::DATE) => return Kind::Date,
        (Some(LogicalType::Timestamp(stamp)), _) => {
            return Kind::Timestamp(match stamp.unit {
                TimeUnit::MILLIS => 1_000_000,
                TimeUnit::MICROS => 1_000,
                TimeUnit::NANOS => 1,
            });
        }
        (None, ConvertedType::TIMESTAMP_MILLIS) => return Kind::Timestamp(1_000_000),
        (None, ConvertedType::TIMESTAMP_MICROS) => return Kind::Timestamp(1_000),
        (None, ConvertedType::INTERVAL) => return Kind::NotRead("a calendar interval"),
        _ => {}
    }
    match physical {
        Physical::BOOLEAN => Kind::Bool,
        Physical::INT32 | Physical::INT64 => Kind::Whole,
        Physical::INT96 => Kind::Timestamp(1),
        Physical::FLOAT | Physical::DOUBLE => Kind::Real,
        Physical::BYTE_ARRAY => Kind::Text,
        Physical::FIXED_LEN_BYTE_ARRAY => Kind::NotRead("bytes of a fixed length"),
    }
}

/// Reads `rows` rows.
fn take(fact: &ColumnFact, reader: &mut ColumnReader, rows: usize) -> Result<Column, TableError> {
    let (values, mut present) = match reader {
        ColumnReader::BoolColumnReader(reader) => {
            let (values, present) = records(reader, rows)?;
            (Values::Bool(values), present)
        }
        ColumnReader::Int32ColumnReader(reader) => {
            let (values, present) = records(reader, rows)?;
            let whole = |value: i32| if fact.bits == Bits::Unsigned { i64::from(value as u32) } else { value.into() };
            (Values::Whole(values.into_iter().map(whole).collect()), present)
        }
        ColumnReader::Int64ColumnReader(reader) => {
            let (values, present) = records(reader, rows)?;
            (Values::Whole(values), present)
        }
        ColumnReader::Int96ColumnReader(reader) => {
            let (values, present) = records(reader, rows)?;
            (Values::Whole(values.iter().map(nanos).collect()), present)
        }
        ColumnReader::FloatColumnReader(reader) => {
            let (values, present) = records(reader, rows)?;
            (Values::Real(values.into_iter().map(f64::from).collect()), present)
        }
        ColumnReader::DoubleColumnReader(reader) => {
            let (values, present) = records(reader, rows)?;
            (Values::Real(values), present)
        }
        ColumnReader::ByteArrayColumnReader(reader) => {
            let (values, present) = records(reader, rows)?;
            (Values::Text(Texts(values)), present)
        }
        ColumnReader::FixedLenByteArrayColumnReader(_) => {
            return Err(TableError::Damaged(format!(
                "column `{}` is not of the type that the footer states",
                fact.name
            )));
        }
    };
    if let (Values::Whole(values), Bits::Unsigned) = (&values, fact.bits) {
        // Only 64-bit values can look negative here.
        if values.iter().any(|value| *value < 0) {
            let known = present.get_or_insert_with(|| vec![true; values.len()]);
            known.iter_mut().zip(values).for_each(|(known, value)| *known &= *value >= 0);
        }
    }
    Ok(Column { name: fact.name.clone(), kind: fact.kind, values, present })
}

/// Nanoseconds since 1970 of a Hive or Impala timestamp, given as nanoseconds of a day and a Julian day number.
/// Out-of-range values saturate, where no arrival can be.
fn nanos(stamp: &Int96) -> i64 {
    const JULIAN_1970: i128 = 2_440_588;
    let [low, high, day] = [0, 1, 2].map(|part| i128::from(stamp.data()[part]));
    let nanos = (day - JULIAN_1970) * 86_400_000_000_000 + ((high << 32) | low);
    nanos.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// One value per row, and which rows have one.
type Records<T> = (Vec<T>, Option<Vec<bool>>);

fn records<T: DataType>(reader: &mut ColumnReaderImpl<T>, rows: usize) -> Result<Records<T::T>, TableError> {
    let mut values: Vec<T::T> = Vec::with_capacity(rows);
    let mut levels: Vec<i16> = Vec::new();
    let (found, known, _) = reader.read_records(rows, Some(&mut levels), None, &mut values)?;
    if found != rows || values.len() != known {
        return Err(TableError::Damaged("a column holds fewer rows than the footer states".into()));
    }
    if known == rows {
        return Ok((values, None));
    }
    if levels.len() != rows || levels.iter().filter(|level| **level > 0).count() != known {
        return Err(TableError::Damaged("a column does not say which of its values are missing".into()));
    }
    let present: Vec<bool> = levels.iter().map(|level| *level > 0).collect();
    let mut values = values.into_iter();
    let spread = present.iter().map(|has| if *has { values.next().unwrap_or_default() } else { T::T::default() });
    Ok((spread.collect(), Some(present)))
}
