//! Real Kubernetes manifests: several documents in a file, block or flow style, `List` objects, and the `autoscaling:`
//! block of a Helm chart's `values.yaml`.
//!
//! Objects of kinds that are modelled (`Deployment`, `StatefulSet`, `HorizontalPodAutoscaler`) are checked; a field that no
//! such object has is reported with the likely name. Objects of other kinds pass unread.

mod fields;
mod objects;
mod pods;
mod release;
mod workload;

pub use fields::{camel_case, finish_leniently};
pub use objects::{Manifests, Object};
pub use pods::{Container, ReadinessProbe};
pub use release::Release;
pub use workload::{Deployment, PodResources, Update, WorkloadKind, share};
