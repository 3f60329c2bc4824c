//! The Vertical Pod Autoscaler: recommender and updater, as they decide.
//!
//! Histograms ([`histogram`]), what is remembered of containers ([`container`]), recommendations ([`recommender`]) and the order
//! of updates ([`updater`]) have the structure of kubernetes/autoscaler. They are run by the vectors and recordings of the real
//! program (`tests/reference/autoscaling`, `tests/reference/autoscaling-recorded`). No policy uses them yet: a service's
//! resources do not change within a run.

pub mod amounts;
pub mod container;
pub mod histogram;
pub mod recommender;
pub mod updater;
