//! Recipes for streams of requests, so that each run can open its own.

use std::fmt::Debug;
use std::sync::Arc;

use super::batch::RequestBatch;
use super::clients::Clients;
use super::error::TraceError;
use super::source::TraceSource;
use crate::random::{Draw, Purpose, Streams};
use crate::units::SimDuration;

/// The use of a stream, which keys its random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// The run's randomness.
    pub streams: Streams,
    /// Number of the service that receives the requests.
    pub service: u64,
    /// Number of the pass over the same recipe (a repeated trace is opened once per repetition).
    pub pass: u64,
}

impl Opening {
    /// The first pass for `service`.
    pub fn new(streams: Streams, service: u64) -> Self {
        Opening { streams, service, pass: 0 }
    }

    /// The random numbers of step `step` of the chain (0 is the source itself) in one pass.
    pub fn draw(&self, purpose: Purpose, step: u16) -> Draw {
        self.streams.keyed(purpose, self.service, self.pass << 16 | u64::from(step))
    }

    /// The random numbers of a stretch of time that step `step` divides, by the number of the stretch.
    pub fn node(&self, step: u16, number: u64) -> Draw {
        // Pass and step are spread over all bits, so that the stretches of different passes or steps do not collide.
        let place = (self.pass << 16 | u64::from(step)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.streams.keyed(Purpose::Cascade, self.service, place ^ number)
    }
}

/// A source of requests that can be opened repeatedly.
pub trait Recipe: Debug + Send + Sync {
    /// A new stream from its start.
    ///
    /// # Errors
    /// If its file cannot be opened, or its beginning does not match its format.
    fn open(&self, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError>;

    /// The same source with `factor` times as many requests, if that is possible exactly (by scaling counts or a rate
    /// before arrivals are generated). `None` leaves the scaling to thinning and superposition.
    fn scaled(&self, factor: f64) -> Option<Arc<dyn Recipe>> {
        let _ = factor;
        None
    }

    /// The users of a closed loop, whose arrivals cannot be reshaped or known before the run.
    fn clients(&self) -> Option<&Clients> {
        None
    }
}

/// Without any request.
#[derive(Debug)]
pub(super) struct NoRequests;

impl Recipe for NoRequests {
    fn open(&self, _: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        Ok(Box::new(NoRequests))
    }
}

impl TraceSource for NoRequests {
    fn fill(&mut self, _: &mut RequestBatch) -> Result<(), TraceError> {
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        Some(SimDuration::ZERO)
    }
}
