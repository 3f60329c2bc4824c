//! What can go wrong in a run that was well specified.

use std::fmt;

use crate::units::SimTime;
use crate::workload::TraceError;

/// The most replicas of a service: ten times what the largest clusters hold.
pub const MOST_REPLICAS: u32 = 1_000_000;

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
    /// A policy asks for more replicas than can be simulated.
    TooManyReplicas {
        /// Simulated time.
        at: SimTime,
        /// The service.
        service: String,
        /// So many are asked for.
        wanted: u32,
    },
    /// More requests are in the system at once than there are numbers for (2^32).
    TooManyRequests {
        /// Simulated time.
        at: SimTime,
        /// The service that they queue at.
        service: String,
    },
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Trace { error, .. } => error.fmt(f),
            RunError::TooManyReplicas { at, service, wanted } => write!(
                f,
                "{wanted} replicas of `{service}` are asked for at {at}, more than can be simulated: at most {MOST_REPLICAS} (lower the \
                 policy's `max`, or see why it asks for so many)"
            ),
            RunError::TooManyRequests { at, service } => write!(
                f,
                "more than four thousand million requests are in `{service}` at once at {at} (give it a `queue-limit`, a `timeout` \
                 or more replicas)"
            ),
        }
    }
}

impl std::error::Error for RunError {}
