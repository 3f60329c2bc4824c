//! The scheduler of Kubernetes: `kube-scheduler` with its default profile, as pure decisions on plain values.
//!
//! A pod is placed in three steps. Every [`PLUGINS`] entry may *refuse* nodes ([`Filtering`]); those that are left are
//! *scored*, each plug-in's scores are normalised to 0..100, weighted and added ([`Scoring`]); and where no node is left,
//! pods of lower priority may have to go ([`preempt`]). Each plug-in is one file of `plugins`. The rules are those of
//! Kubernetes 1.35, checked case by case against recordings of it (`tests/reference_scheduling.rs`).

mod filtering;
mod plugin;
mod plugins;
mod pod;
mod preemption;
mod profile;
mod queue;
mod relations;
mod requests;
mod scheduler;
mod scoring;
mod selector;
mod state;
mod topology;

pub use filtering::{Filtering, explained};
pub use plugin::{Context, Filter, MAX_SCORE, Part, Plugin, Refusal, Score};
pub use plugins::PLUGINS;
pub use pod::{Kind, NodeAffinity, Pod, PodAffinity, PodTerm, SpreadConstraint, Weighted};
pub use preemption::{Candidate, Preemption, preempt};
pub use profile::{Profile, ShapePoint, Strategy, WeightedResource};
pub use queue::back_off;
pub use relations::{Near, Relations, Spread};
pub use requests::{Amounts, Container, PodRequests, Requests};
pub use scheduler::{Scheduler, enough_nodes};
pub use scoring::{Column, Scoring};
pub use selector::{Effect, Labels, NodeTerm, Operator, Requirement, Selector, Taint, Toleration};
pub use state::{Budget, KindId, Load, Lookup, NodeState, Owner, View};
pub use topology::{Census, KeyId, Topology};

#[cfg(test)]
mod tests;
