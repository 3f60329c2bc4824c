//! Quantities, time and money: exact arithmetic, parsing and printing.
//!
//! Raw numbers end at the parser. Public signatures of the crate use the types of this module, so that a duration
//! cannot be added to a price and a percentage cannot be mistaken for a factor. Conversions from floating point are
//! explicit, round to nearest, and reject NaN, infinity and negative values.

mod money;
mod quantity;
mod ratio;
pub mod real;
mod text;
mod time;
mod unit_price;

pub use money::{Usd, UsdPerHour};
pub use quantity::{Bytes, Millicores, Quantity};
pub use ratio::{Fraction, Rate, Utilization};
pub use text::UnitError;
pub use time::{SimDuration, SimTime};
pub use unit_price::UnitPrice;

/// Nanoseconds in one second.
pub const NANOS_PER_SECOND: u64 = 1_000_000_000;
