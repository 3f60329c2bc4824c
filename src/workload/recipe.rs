//! How a stream of requests is made, so that each run can open its own.

use std::fmt::Debug;
use std::sync::Arc;

use super::{Clients, TraceError, TraceSource};
use crate::random::{Draw, Purpose, Streams};

/// For whom a stream is opened: what keys its random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// The run's randomness.
    pub streams: Streams,
    /// Number of the service that the requests go to.
    pub service: u64,
    /// Which pass over the same recipe this is (a repeated trace is opened once per repetition).
    pub pass: u64,
}

impl Opening {
    /// The first pass for `service`.
    pub fn new(streams: Streams, service: u64) -> Self {
        Opening { streams, service, pass: 0 }
    }

    /// The generator of step `step` of the chain (0 is the source itself), one running stream per pass.
    pub fn draw(&self, purpose: Purpose, step: u16) -> Draw {
        self.streams.keyed(purpose, self.service, self.pass << 16 | u64::from(step))
    }

    /// The generator of a stretch of time that step `step` divides, by its number.
    pub fn node(&self, step: u16, number: u64) -> Draw {
        // The pass and the step are spread over all bits, so that no stretch of one meets one of another.
        let place = (self.pass << 16 | u64::from(step)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.streams.keyed(Purpose::Cascade, self.service, place ^ number)
    }
}

/// A source of requests that can be opened again and again.
pub trait Recipe: Debug + Send + Sync {
    /// A fresh stream from its start.
    ///
    /// # Errors
    /// If the file behind it cannot be opened or does not begin as its format says.
    fn open(&self, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError>;

    /// The same source with `factor` times as many requests, where that can be had exactly (by scaling counts or a rate
    /// before arrivals are made of them). `None` leaves the scaling to thinning and superposition.
    fn scaled(&self, factor: f64) -> Option<Arc<dyn Recipe>> {
        let _ = factor;
        None
    }

    /// The users of a closed loop, whose arrivals cannot be reshaped or known before the run.
    fn clients(&self) -> Option<&Clients> {
        None
    }
}
