//! What the figures say, computed once for every report: verdicts, comparisons, the table of policies, plans.

pub(super) mod bill;
pub(super) mod comparison;
pub(super) mod gap;
pub(super) mod level;
pub(super) mod plan;
pub(super) mod sampled;
pub(super) mod standing;
pub(super) mod table;
pub(super) mod variations;
pub(super) mod verdict;
pub(super) mod words;
