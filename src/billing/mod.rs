//! What time and use cost.
//!
//! There are two kinds of tariff. A [`Lease`] is paid for by time, with a granularity and a minimum; the [`LeaseBook`] of a
//! run holds all of them. A [`UseTariff`] is paid for by use: requests, their time with the memory or CPU of a replica, tokens.
//! Each request's time is rounded as the tariff says and added to [`Usage`], a few integers, so that memory does not grow with
//! requests and their order is of no account; free units and tiers apply to the sums, and each item is rounded once.
//!
//! A [`Contract`] is what is paid beside both: commitments, which take what they cover off the leases, fees, and credits.
//!
//! Invariant I5: the cost of a run is the sum of its leases, of its lines of use and of those of its contract, and none is negative.

mod contract;
mod lease;
mod tariff;
mod usage;
mod wide;

pub use contract::{ChargeKind, ChargeLine, Contract, Fee, MILLION, Reservation, SavingsPlan, SlaCredits};
pub use lease::{Lease, LeaseBook, LeaseId, Settled};
pub use tariff::{Charge, MONTH, Tier, TierError, UseLine, UseTariff};
pub use usage::{Item, Usage};
