//! Reports of commands that are not runs of a scenario: sweeps, capacity, training, provisioning, traces, manifests.

pub(super) mod capacity;
pub(super) mod learning;
pub(super) mod provision;
pub(super) mod rewrite;
pub(super) mod search;
pub(super) mod sweep;
pub(super) mod trace;
