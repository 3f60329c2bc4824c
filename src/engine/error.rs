//! Errors of a run with a valid specification.

use std::fmt;
use std::ops::ControlFlow;

use crate::units::SimTime;
use crate::workload::TraceError;

/// The maximum number of replicas of a service: ten times the size of the largest clusters.
pub const MAX_REPLICAS: u32 = 1_000_000;

/// Why a run could not be completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunError {
    /// Reading the trace failed.
    Trace {
        /// Simulated time of the last control event before it.
        at: SimTime,
        /// The underlying error.
        error: TraceError,
    },
    /// A policy asked for more replicas than can be simulated.
    TooManyReplicas {
        /// Simulated time.
        at: SimTime,
        /// The service.
        service: String,
        /// The number of replicas requested.
        wanted: u32,
    },
    /// More than 2^32 requests are in the system at once.
    TooManyRequests {
        /// Simulated time.
        at: SimTime,
        /// The service where they queue.
        service: String,
    },
    /// The caller cancelled the run.
    Cancelled,
}

/// What a callback of progress answers: `()` to go on, or a [`ControlFlow`], of which `Break` cancels.
pub trait Answer {
    /// Whether to go on.
    fn flow(self) -> ControlFlow<()>;
}

impl Answer for () {
    fn flow(self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl Answer for ControlFlow<()> {
    fn flow(self) -> ControlFlow<()> {
        self
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::Trace { error, .. } => error.fmt(f),
            RunError::TooManyReplicas { at, service, wanted } => write!(
                f,
                "{wanted} replicas of `{service}` were requested at {at}, more than the maximum of {MAX_REPLICAS} (lower the \
                 policy's `max`, or find out why it asks for so many)"
            ),
            RunError::Cancelled => f.write_str("cancelled"),
            RunError::TooManyRequests { at, service } => write!(
                f,
                "`{service}` holds more than four billion requests at {at} (give it a `queue-limit`, a `timeout` \
                 or more replicas)"
            ),
        }
    }
}

impl std::error::Error for RunError {}
