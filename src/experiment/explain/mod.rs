//! Every value that a scenario resolves to, and where it comes from: `plimsoll check --explain`.

mod fields;
mod origins;

use origins::place;
pub use origins::{Explained, explain};
