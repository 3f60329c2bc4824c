//! Price lists of the user, over the built-in catalogue.
//!
//! A file is told by its content: Plimsoll's own CSV (the columns of `instances.csv` or `containers.csv` next to this directory),
//! the CSV and the JSON of OpenCost's custom pricing, and the catalogue CSV of SkyPilot. Later files go over earlier ones. Every
//! problem has its file, line and column.

mod find;
mod list;
mod opencost;
mod own;
mod skypilot;
mod table;

#[cfg(test)]
mod tests;

pub use list::{Listed, ListedSize, PriceList, Rates};
