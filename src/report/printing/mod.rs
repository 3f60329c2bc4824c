//! How figures are printed: numbers, moments, shares, tables.

pub(super) mod causes;
pub(super) mod expense;
pub(super) mod grid;
pub(super) mod moment;
pub(super) mod style;
pub(super) mod text;
