//! Writes Parquet files.

use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::{GROUP_ROWS, TableError};

/// Values of a column to write. An empty list can serve as a template for a column of its type.
#[derive(Debug, Clone)]
pub enum Cells {
    /// Integers.
    Whole(Vec<i64>),
    /// Non-negative integers.
    Count(Vec<u64>),
    /// Non-negative integers in 32 bits.
    Small(Vec<u32>),
    /// Numbers.
    Real(Vec<f64>),
    /// Numbers, some missing.
    MaybeReal(Vec<Option<f64>>),
    /// Strings, some missing.
    MaybeText(Vec<Option<String>>),
}

impl Cells {
    fn len(&self) -> usize {
        match self {
            Cells::Whole(values) => values.len(),
            Cells::Count(values) => values.len(),
            Cells::Small(values) => values.len(),
            Cells::Real(values) => values.len(),
            Cells::MaybeReal(values) => values.len(),
            Cells::MaybeText(values) => values.len(),
        }
    }

    fn field(&self, name: &str) -> Result<TypePtr, TableError> {
        let (physical, logical) = match self {
            Cells::Whole(_) => (Physical::INT64, None),
            Cells::Count(_) => (Physical::INT64, Some(LogicalType::integer(64, false))),
            Cells::Small(_) => (Physical::INT32, Some(LogicalType::integer(32, false))),
            Cells::Real(_) | Cells::MaybeReal(_) => (Physical::DOUBLE, None),
            Cells::MaybeText(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let optional = matches!(self, Cells::MaybeReal(_) | Cells::MaybeText(_));
        let repetition = if optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        let field = Type::primitive_type_builder(name, physical).with_logical_type(logical);
        Ok(Arc::new(field.with_repetition(repetition).build()?))
    }

    /// Writes a range of rows to the next column.
    fn write(&self, rows: Range<usize>, column: &mut ColumnWriter<'_>) -> Result<(), TableError> {
        match (self, column) {
            (Cells::Whole(values), ColumnWriter::Int64ColumnWriter(column)) => {
                column.write_batch(&values[rows], None, None)?;
            }
            (Cells::Count(values), ColumnWriter::Int64ColumnWriter(column)) => {
                let values: Vec<i64> = values[rows].iter().map(|value| *value as i64).collect();
                column.write_batch(&values, None, None)?;
            }
            (Cells::Small(values), ColumnWriter::Int32ColumnWriter(column)) => {
                let values: Vec<i32> = values[rows].iter().map(|value| *value as i32).collect();
                column.write_batch(&values, None, None)?;
            }
            (Cells::Real(values), ColumnWriter::DoubleColumnWriter(column)) => {
                column.write_batch(&values[rows], None, None)?;
            }
            (Cells::MaybeReal(values), ColumnWriter::DoubleColumnWriter(column)) => {
                let known: Vec<f64> = values[rows.clone()].iter().flatten().copied().collect();
                column.write_batch(&known, Some(&levels(&values[rows])), None)?;
            }
            (Cells::MaybeText(values), ColumnWriter::ByteArrayColumnWriter(column)) => {
                let known = values[rows.clone()].iter().flatten();
                let known: Vec<ByteArray> = known.map(|text| ByteArray::from(text.as_str())).collect();
                column.write_batch(&known, Some(&levels(&values[rows])), None)?;
            }
            _ => return Err(TableError::Damaged("a column is given values of another kind".into())),
        }
        Ok(())
    }
}

fn levels<T>(values: &[Option<T>]) -> Vec<i16> {
    values.iter().map(|value| i16::from(value.is_some())).collect()
}

/// Compression of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    /// LZ4: fastest to decompress.
    Fast,
    /// Zstandard: smallest.
    Small,
}

/// Writes a Parquet file, one row group after another. The same rows always give the same bytes.
pub struct TableWriter<W: Write + Send> {
    writer: SerializedFileWriter<W>,
}

impl<W: Write + Send> TableWriter<W> {
    /// Creates a file with these columns (the cells only state the types) and these key-value pairs in its footer,
    /// compressed for fast reading.
    ///
    /// # Errors
    /// If the start of the file cannot be written.
    pub fn new(sink: W, columns: &[(&str, Cells)], facts: Vec<(String, String)>) -> Result<Self, TableError> {
        TableWriter::packed(sink, columns, facts, Packing::Fast)
    }

    fn packed(
        sink: W,
        columns: &[(&str, Cells)],
        facts: Vec<(String, String)>,
        packing: Packing,
    ) -> Result<Self, TableError> {
        let fields: Result<Vec<TypePtr>, TableError> = columns.iter().map(|(name, cells)| cells.field(name)).collect();
        let schema = Arc::new(Type::group_type_builder("schema").with_fields(fields?).build()?);
        let packing = match packing {
            Packing::Fast => Compression::LZ4_RAW,
            Packing::Small => Compression::ZSTD(ZstdLevel::try_new(3)?),
        };
        let mut properties = WriterProperties::builder()
            .set_created_by(concat!("plimsoll version ", env!("CARGO_PKG_VERSION")).to_string())
            .set_compression(packing)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            // Pages are limited only by their size in bytes.
            .set_data_page_row_count_limit(GROUP_ROWS)
            .set_write_batch_size(1 << 13);
        for (name, cells) in columns {
            // A dictionary only costs time for numbers that rarely repeat.
            if matches!(cells, Cells::Whole(_) | Cells::Real(_)) {
                properties = properties.set_column_dictionary_enabled(vec![name.to_string()].into(), false);
            }
        }
        if !facts.is_empty() {
            let pairs = facts.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
            properties = properties.set_key_value_metadata(Some(pairs));
        }
        let writer = SerializedFileWriter::new(sink, schema, Arc::new(properties.build()))?;
        Ok(TableWriter { writer })
    }

    /// Writes rows, [`GROUP_ROWS`] per row group; all columns must have the same length.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&mut self, columns: &[Cells]) -> Result<(), TableError> {
        let rows = columns.first().map_or(0, Cells::len);
        if columns.iter().any(|cells| cells.len() != rows) {
            return Err(TableError::Damaged("columns of different lengths".into()));
        }
        for start in (0..rows).step_by(GROUP_ROWS) {
            let part = start..rows.min(start + GROUP_ROWS);
            let mut group = self.writer.next_row_group()?;
            for cells in columns {
                let Some(mut column) = group.next_column()? else { break };
                cells.write(part.clone(), column.untyped())?;
                column.close()?;
            }
            group.close()?;
        }
        Ok(())
    }

    /// Writes the footer and returns the sink.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(self) -> Result<W, TableError> {
        Ok(self.writer.into_inner()?)
    }
}

/// A whole table as the bytes of a Parquet file, compressed for size.
///
/// # Errors
/// If the columns differ in length.
pub fn table_bytes(columns: Vec<(&str, Cells)>) -> Result<Vec<u8>, TableError> {
    let mut writer = TableWriter::packed(Vec::new(), &columns, Vec::new(), Packing::Small)?;
    let cells: Vec<Cells> = columns.into_iter().map(|(_, cells)| cells).collect();
    writer.write(&cells)?;
    writer.finish()
}
