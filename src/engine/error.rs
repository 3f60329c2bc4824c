//! What can go wrong in a run that was well specified.

use std::fmt;

use crate::units::SimTime;
use crate::workload::TraceError;

/// A run that could not be finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunError {
    /// A trace could not be read on.
    Trace {
        /// Simulated time of the control event before.
        at: SimTime,
        /// What is wrong with the trace.
        error: TraceError,
    },
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Trace { error, .. } => error.fmt(f),
        }
    }
}

impl std::error::Error for RunError {}
