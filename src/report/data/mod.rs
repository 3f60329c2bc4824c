//! Results for programs: JSON, CSV, Parquet, and the stored outcome.

pub(super) mod bill_csv;
pub(super) mod decisions_csv;
pub(super) mod latency_csv;
pub(super) mod result;
pub mod results;
pub(super) mod summary_json;
pub(super) mod timeline;
#[cfg(feature = "tables")]
pub(super) mod timeline_parquet;
