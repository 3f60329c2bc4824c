//! Learning a policy from runs: training of a table, and the search for numbers.

mod evolution;
pub(super) mod search;
mod settings;
pub(super) mod train;
