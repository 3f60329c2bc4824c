//! Tables in Parquet files, as typed columns: numbers, texts and times, read slice by slice and written group by group.
//!
//! It knows nothing of traces and reports. Read are whole numbers of every width, floating-point numbers, booleans, texts, dates and
//! timestamps (also those of old Hive and Impala files), each with missing values or without; what is not read (decimals,
//! times of day, nested columns) is named when it is asked for.

mod guard;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use guard::is_decoding;
pub use read::{Column, ColumnFact, Kind, TableFile, Values};
pub use write::{Cells, TableWriter, table_bytes};

/// Rows per row group of the files that are written.
pub const GROUP_ROWS: usize = 1 << 18;

/// Why a file cannot be read or written as Parquet: a sentence without the file's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableError {
    /// The file is damaged, or no Parquet: what is wrong.
    Damaged(String),
    /// It is sound, but holds what is not read: what, and what to do.
    NotRead {
        /// What it holds.
        message: String,
        /// What to do about it.
        help: &'static str,
    },
    /// The file system said no.
    Io(String),
}

impl std::fmt::Display for TableError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TableError::Damaged(words) | TableError::Io(words) | TableError::NotRead { message: words, .. } => {
                f.write_str(words)
            }
        }
    }
}

impl std::error::Error for TableError {}

impl From<parquet::errors::ParquetError> for TableError {
    fn from(error: parquet::errors::ParquetError) -> Self {
        use parquet::errors::ParquetError;
        let words = match error {
            ParquetError::External(source) => match source.downcast::<std::io::Error>() {
                Ok(error) => return TableError::Io(error.to_string()),
                Err(other) => other.to_string(),
            },
            ParquetError::General(words) => words,
            other => other.to_string(),
        };
        TableError::Damaged(words.lines().next().unwrap_or("").chars().take(200).collect())
    }
}
