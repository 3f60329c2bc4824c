//! Every random number of a run.
//!
//! There is no shared generator. [`Streams`] is a copyable value made of the seed and the replication number. A number
//! is drawn with a key (purpose, entity, ordinal) and therefore does not depend on the order of calls. Under one seed,
//! all policies meet the same requests, the same demands and the same random failures and delays.
//!
//! The generator is xoshiro256++ 1.0 (Blackman and Vigna, 2019), seeded from the key by SplitMix64. Both are defined
//! bit by bit, so a run is the same on every platform (up to the platform's `ln` and `exp` in the last bit of a
//! sample).

mod distribution;
mod streams;

pub use distribution::{Distribution, NAMES as DISTRIBUTION_NAMES, shown_seconds};
pub use streams::{Draw, Purpose, Streams, descendant};
