//! Rows to requests: joins the files of a trace, sorts rows within a stated window and expands counts and levels.

pub(super) mod arrivals;
pub(super) mod durations;
pub(super) mod expand;
pub(super) mod external;
pub(super) mod joined;
pub(super) mod once;
pub(super) mod order;
pub(super) mod trace_files;
