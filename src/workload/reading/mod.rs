//! Bytes to rows: opens files and turns them into arrivals, counts or levels.
//!
//! A [`formats`] entry decides which of the readers reads a file: delimited text (`table`), JSON lines, lines split by a
//! pattern, samples of a monitoring system, or Parquet. All of them find columns by [`header`], cells by [`cells`] and
//! give [`rows`].

pub(super) mod cells;
#[cfg(feature = "tables")]
pub(super) mod columnar;
pub(super) mod exported;
pub(super) mod filter;
pub(super) mod formats;
pub(super) mod header;
pub(super) mod holes;
pub(super) mod json_lines;
pub(super) mod json_logs;
pub(super) mod known;
pub(super) mod lines;
pub(super) mod logfmt;
pub(super) mod meaning;
pub(super) mod numbers;
pub(super) mod open;
pub(super) mod options;
pub(super) mod outliers;
pub(super) mod own;
pub(super) mod prefixes;
pub(super) mod rows;
pub(super) mod samples;
pub(super) mod split_lines;
pub(super) mod table;
pub(super) mod tar;
pub(super) mod took;
