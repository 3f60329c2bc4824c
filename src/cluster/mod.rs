//! Services, replicas and nodes: state and transitions.
//!
//! This module has no clock, no event queue and no random generator. Methods take `now` and drawn durations and return
//! what will happen when; the engine schedules it.

mod back_off;
mod ceiling;
pub mod dispatch;
mod node;
pub mod placement;
mod pod;
mod replica;
mod rollout;
pub mod scheduling;
pub mod service;

pub use back_off::BackOff;
pub use ceiling::{Bought, Bound, Ceiling, Power};
pub use dispatch::{DISPATCHERS, Dispatcher, DispatcherPlugin};
pub use node::{Node, NodeId, NodePhase, NodePool, Nodes, PodRequest};
pub use placement::{PLACEMENTS, Placement, PlacementPlugin, Placing};
pub use pod::{ContainerRequest, CpuUse, PodSpec, StartCpu};
pub use replica::{Replica, ReplicaPhase};
pub use rollout::{ReplicaSet, ReplicaSets, Rollout, Share, UpdateSpec, UpdateStrategy};
pub use service::{
    DemandModel, OnTimeout, RecordedDemand, Restart, Retry, ServiceDefaults, ServiceSpec, StartUp, Timeout,
};
