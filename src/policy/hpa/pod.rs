//! A replica as the Kubernetes API shows it: a pod.

use crate::policy::{Phase, ReplicaView};
use crate::units::SimTime;

/// Phase of a pod in the Kubernetes API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodPhase {
    /// Not yet running: unscheduled, pulling its image, or starting its containers.
    Pending,
    /// Containers are running (ready or not).
    Running,
    /// All containers exited successfully.
    Succeeded,
    /// A container exited with an error.
    Failed,
}

/// A pod in the Kubernetes API at the time of decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodView {
    /// Id of the replica ([`ReplicaView::id`]).
    pub id: u32,
    /// Phase.
    pub phase: PodPhase,
    /// Status of the Ready condition; `None` while there is no such condition.
    pub ready: Option<bool>,
    /// Last transition of the Ready condition.
    pub ready_transition: Option<SimTime>,
    /// `status.startTime`: when a node accepted the pod.
    pub start_time: Option<SimTime>,
    /// Whether the pod has a deletion timestamp (is draining).
    pub deleted: bool,
}

impl PodView {
    /// The pod of a replica. The kubelet sets the Ready condition when it accepts the pod. The pod stays in phase
    /// Running while its containers restart, and also when its machine is gone.
    pub fn of(replica: &ReplicaView) -> PodView {
        PodView {
            id: replica.id,
            phase: if replica.started.is_some() { PodPhase::Running } else { PodPhase::Pending },
            ready: replica.accepted.map(|_| replica.is_ready()),
            ready_transition: replica.readiness_changed.or(replica.accepted),
            start_time: replica.accepted,
            deleted: replica.phase == Phase::Draining,
        }
    }
}
