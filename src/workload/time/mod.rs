//! Dates and times of day as traces and people write them.

pub(super) mod date_pattern;
pub(super) mod moment;
pub(super) mod text;
pub(super) mod zone;
