//! Many variations of one scenario: what is varied, which points are run, and what they show.

mod axis;
mod design;
mod points;
mod table;

pub use axis::Axis;
pub use design::{Design, Points};
pub use points::{PointResult, sweep};
pub use table::{Cells, Influence, SweepTable};
