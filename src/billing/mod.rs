//! What is paid for by time, and the bill.

mod lease;

pub use lease::{Lease, LeaseBook, LeaseId, Settled};
