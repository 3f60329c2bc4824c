//! Any Parquet file with named columns.

use super::super::columnar;
use super::plugin::{FormatBuilder, FormatPlugin};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "parquet",
    summary: "Apache Parquet, the columns named with `columns:`; times as timestamps, numbers or text",
    source: "Apache Parquet format specification",
    build: FormatBuilder { recognise: |input, _| input.is_parquet(), open: columnar::open_any },
};
