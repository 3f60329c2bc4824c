//! `hpa`: an exact implementation of the Kubernetes `HorizontalPodAutoscaler`.
//!
//! The algorithm is that of `pkg/controller/podautoscaler` in kubernetes/kubernetes, with the same structure: the
//! metrics client ([`metrics`]), the grouping of pods ([`grouping`]), requests ([`requests`]), ratios ([`ratios`]), the
//! replica calculator ([`calculator`]), stabilization windows ([`stabilization`]), rate limits ([`limits`]) and the
//! control loop ([`reconcile`]). All of it takes `now` as an argument and the cluster as a trait, so that the
//! simulation and the conformance vectors in `tests/reference/autoscaling` run the same code.
//!
//! Where upstream computes in binary64 or truncates to integers, so does this code: `(28/50)*25` is just above 14 and
//! gives 15.

pub mod calculator;
pub mod condition;
mod effective;
pub mod grouping;
pub mod limits;
mod manifest;
pub mod metrics;
mod parameters;
mod pod;
pub mod ratios;
mod reason;
pub mod reconcile;
pub mod requests;
mod simulated;
pub mod spec;
pub mod stabilization;
mod weighed;
mod write;

pub(super) use manifest::read_behavior;
pub use manifest::{HpaManifest, read_manifest};
pub use parameters::PLUGIN;
pub use pod::{PodPhase, PodView};
pub use reason::reason;
pub use reconcile::Hpa;
pub use simulated::HpaPolicy;
pub(super) use simulated::reconcile_with;
pub use spec::{ControllerFlags, HpaSpec};
pub(super) use weighed::weighed;
