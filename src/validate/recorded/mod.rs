//! Recorded systems: the rescales of a real autoscaler compared with those of the simulation under the same load.
//!
//! The recordings are read from a directory of reference data; those without a licence are not part of the project.

mod closed_loop;
mod kind;
mod timing;

pub use closed_loop::{Comparison, WITHIN, compare};
pub use kind::{Measured, RecordedRun, Recordings, Rescale, Status, read_runs};
pub use timing::{Sync, Timing};
