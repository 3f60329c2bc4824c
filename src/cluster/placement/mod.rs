//! Placement: which of the nodes with room gets a pod.
//!
//! As in the Kubernetes scheduler, nodes without room are filtered out first and the others are scored from 0 to 100.
//! `least-allocated`, `most-allocated` and `spread` have the score of one upstream plug-in (kubernetes
//! `pkg/scheduler/framework/plugins`); `kube-scheduler` adds up the weighted scores of all, as upstream.

mod kube_scheduler;
mod least_allocated;
mod most_allocated;
mod policy;
mod spread;

pub use kube_scheduler::KubeScheduler;
pub use least_allocated::LeastAllocated;
pub use most_allocated::MostAllocated;
pub use policy::{Change, Placement, Placing};
pub use spread::Spread;

use std::ops::{AddAssign, SubAssign};

use super::node::{Node, NodeId, PodRequest};
use crate::config::Plugin;
use crate::units::{Bytes, Millicores};

/// The highest score (`MaxNodeScore`).
pub const MAX_SCORE: u32 = 100;

/// An entry in the list of placement policies.
pub type PlacementPlugin = Plugin<fn(&Placing<'_>) -> Box<dyn Placement>>;

/// All placement policies; the first is the default.
pub const PLACEMENTS: &[PlacementPlugin] =
    &[least_allocated::PLUGIN, most_allocated::PLUGIN, spread::PLUGIN, kube_scheduler::PLUGIN];

/// Requests with defaults for missing ones, so that pods without requests do not all end up on one node
/// (`GetNonzeroRequests` in kubernetes `pkg/scheduler/util`). Upstream applies the defaults per container, this per
/// pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NonZeroRequest {
    /// CPU; 100m if not requested.
    pub cpu: Millicores,
    /// Memory; 200 MiB if not requested.
    pub memory: Bytes,
}

impl NonZeroRequest {
    const DEFAULT_CPU: Millicores = Millicores::new(100);
    const DEFAULT_MEMORY: Bytes = Bytes::from_mib(200);

    /// The requests of a pod.
    pub fn of(pod: &PodRequest) -> Self {
        NonZeroRequest {
            cpu: if pod.cpu == Millicores::ZERO { Self::DEFAULT_CPU } else { pod.cpu },
            memory: if pod.memory == Bytes::ZERO { Self::DEFAULT_MEMORY } else { pod.memory },
        }
    }
}

impl AddAssign for NonZeroRequest {
    fn add_assign(&mut self, other: Self) {
        self.cpu += other.cpu;
        self.memory += other.memory;
    }
}

impl SubAssign for NonZeroRequest {
    fn sub_assign(&mut self, other: Self) {
        self.cpu = self.cpu - other.cpu;
        self.memory = self.memory - other.memory;
    }
}

/// The mean over CPU and memory of `part(requested including the pod, allocatable)`, rounded down twice like upstream.
fn mean_score(pod: &PodRequest, node: &Node, part: fn(u64, u64) -> u64) -> u32 {
    let mut requested = node.non_zero_taken();
    requested += NonZeroRequest::of(pod);
    let cpu = part(requested.cpu.get(), node.allocatable.cpu.get());
    let memory = part(requested.memory.get(), node.allocatable.memory.get());
    ((cpu + memory) / 2) as u32
}

/// `amount * MAX_SCORE / capacity`, rounded down; zero if there is no capacity.
fn percentage(amount: u64, capacity: u64) -> u64 {
    let scaled = u128::from(amount) * u128::from(MAX_SCORE);
    // At most MAX_SCORE, because no caller passes more than the capacity.
    scaled.checked_div(u128::from(capacity)).unwrap_or(0) as u64
}

#[cfg(test)]
mod tests;
