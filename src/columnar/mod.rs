//! Tables in Parquet files as typed columns: numbers, strings and times, read in slices and written in row groups.
//!
//! This module knows nothing of traces or reports. It reads integers of every width, floating-point numbers, booleans,
//! strings, dates and timestamps (also those of old Hive and Impala files), each with or without missing values.
//! Unsupported columns (decimals, times of day, nested columns) are reported by name when requested.

mod guard;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use guard::is_decoding;
pub use read::{Column, ColumnFact, Kind, TableFile, Values};
pub use write::{Cells, TableWriter, table_bytes};

/// Rows per row group in files that are written.
pub const GROUP_ROWS: usize = 1 << 18;

/// Why a file cannot be read or written as Parquet; a sentence without the file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableError {
    /// The file is damaged or not Parquet, with the reason.
    Damaged(String),
    /// The file is valid but contains something unsupported.
    NotRead {
        /// What it contains.
        message: String,
        /// Advice.
        help: &'static str,
    },
    /// An I/O error.
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
