//! The interface of everything that provides requests.

use super::batch::RequestBatch;
use super::clients::Clients;
use super::error::TraceError;
use super::reading::holes::Holes;
use super::reading::rows::RowCounts;
use crate::units::SimDuration;

/// A stream of requests.
pub trait TraceSource: Send {
    /// Appends the next requests to `batch` (about [`RequestBatch::TARGET_LEN`] of them); none at the end.
    ///
    /// # Errors
    /// If the underlying file cannot be read; the batch is then invalid.
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError>;

    /// The length of the whole stream from time zero, if known. Once the stream has ended, every source that reads a
    /// file knows it.
    fn extent(&self) -> Option<SimDuration>;

    /// The length of the intervals of the counts from which the stream was expanded: arrival times within an interval
    /// are not recorded. `None` if arrivals were recorded individually or generated.
    fn resolution(&self) -> Option<SimDuration> {
        None
    }

    /// The users of a closed loop, instead of arrivals that are known in advance.
    fn clients(&self) -> Option<&Clients> {
        None
    }

    /// The wall-clock time of time zero, nanoseconds since 1970 (UTC), if the trace states it.
    fn start_epoch_ns(&self) -> Option<u64> {
        None
    }

    /// The class names that [`RequestBatch::classes`] refers to, as far as they are known.
    fn class_names(&self) -> &[String] {
        &[]
    }

    /// Holes found so far in a file of counts or levels; `None` for other sources.
    fn holes(&self) -> Option<&Holes> {
        None
    }

    /// Numbers of rows read so far, used and unusable; `None` if there is no file.
    fn tally(&self) -> Option<&RowCounts> {
        None
    }

    /// Notes for readers of a report on the rows so far, such as rows left out; one sentence each.
    fn notices(&self) -> Vec<String> {
        self.tally().map(RowCounts::notices).unwrap_or_default()
    }
}
