//! Transforms of streams of requests: one file each, and the list of all.

mod anonymise;
mod denser;
mod donors;
mod growth;
pub(super) mod list;
mod mix_classes;
mod overlay;
mod repeat;
mod scale_rate;
mod splice;
mod spread;
pub(super) mod step;
mod time_warp;
mod transform;
mod window;

pub use list::TRANSFORMS;
pub use transform::{Transform, TransformBuilder, TransformPlugin};
