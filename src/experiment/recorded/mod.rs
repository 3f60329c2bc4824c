//! Recorded systems: what a real autoscaler did, beside what the simulation does under the same load.
//!
//! The recordings come from a directory of reference data; those without a licence are no part of the project.

mod closed_loop;
mod kind;
mod timing;

pub use closed_loop::{Comparison, WITHIN, compare};
pub use kind::{Measured, RecordedRun, Recordings, Rescale, Status, read_runs};
pub use timing::{Sync, Timing};
