//! Temporary.
#![allow(missing_docs)]
use crate::units::SimDuration;
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Billing {
    pub granularity: SimDuration,
    pub minimum: SimDuration,
}
