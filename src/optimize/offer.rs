//! Purchase options besides on demand: commitments and spot.

use super::error::{OptimizeError, non_negative};

/// A commitment for the whole term.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reserved {
    /// Price of one instance per interval, used or not.
    pub price: f64,
    /// Maximum number of instances; `None` for no limit.
    pub most: Option<u32>,
}

/// Capacity that may be reclaimed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Price of one instance per interval.
    pub price: f64,
    /// Expected share of its capacity that is lost.
    pub loss: f64,
}

impl Reserved {
    pub(super) fn most(&self) -> f64 {
        self.most.map_or(f64::INFINITY, f64::from)
    }

    pub(super) fn validate(&self) -> Result<(), OptimizeError> {
        non_negative("a reserved price", self.price)
    }
}

impl Spot {
    pub(super) fn validate(&self) -> Result<(), OptimizeError> {
        non_negative("a spot price", self.price)?;
        if (0.0..=1.0).contains(&self.loss) {
            return Ok(());
        }
        Err(OptimizeError::Invalid(format!("a spot loss must be a share, not {}", self.loss)))
    }
}
