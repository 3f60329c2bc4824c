//! Statistical estimators, independent of the model.

mod histogram;
mod holm;
mod interval;
mod running;
mod shares;
mod time_weighted;
mod warm_up;

pub use histogram::LatencyHistogram;
pub use holm::holm;
pub use interval::{ConfidenceInterval, PairedDifference};
pub use running::Running;
pub use shares::share_at_least;
pub use time_weighted::TimeWeighted;
pub use warm_up::WarmUp;
