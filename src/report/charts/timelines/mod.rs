//! Timelines: one for each policy and service, all on the same axis of time, which the page's script zooms together.

mod draw;
mod section;
mod series;

pub(in crate::report) use section::Section;
use section::Timeline;
pub(super) use section::{files, pictures};
