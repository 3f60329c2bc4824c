//! The requests of a pod, computed from its containers.

use super::metrics::MetricError;
use super::spec::Resource;
use crate::cluster::{ContainerRequest as Asked, PodSpec};
use crate::units::Quantity;

/// A container's request of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerRequest {
    /// Name of the container.
    pub name: String,
    /// Its request; `None` if it has none.
    pub request: Option<Quantity>,
    /// For an init container: whether it keeps running (`restartPolicy: Always`, a sidecar).
    pub restartable: bool,
}

/// A pod's requests of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodRequests {
    /// Regular containers.
    pub containers: Vec<ContainerRequest>,
    /// Init containers.
    pub init_containers: Vec<ContainerRequest>,
    /// Pod-level request, if supported and set.
    pub pod_level: Option<Quantity>,
}

impl PodRequests {
    /// The requests of a service's pods for `resource`.
    pub fn of(pod: &PodSpec, resource: Resource) -> Self {
        let cores = |cpu: crate::units::Millicores| i64::try_from(cpu.get()).unwrap_or(i64::MAX);
        let bytes = |memory: crate::units::Bytes| i64::try_from(memory.get().saturating_mul(1000)).unwrap_or(i64::MAX);
        let of = |cpu: Option<_>, memory: Option<_>| match resource {
            Resource::Cpu => cpu.map(cores).map(Quantity::from_millis),
            Resource::Memory => memory.map(bytes).map(Quantity::from_millis),
        };
        let container = |asked: &Asked| ContainerRequest {
            name: asked.name.clone(),
            request: of(asked.cpu, asked.memory),
            restartable: false,
        };
        PodRequests {
            containers: pod.containers.iter().map(container).collect(),
            init_containers: Vec::new(),
            pod_level: of(pod.whole_cpu, pod.whole_memory),
        }
    }

    /// The first eligible container without a request.
    pub fn without_request(&self) -> Option<&str> {
        let sidecars = self.init_containers.iter().filter(|container| container.restartable);
        let mut counted = self.containers.iter().chain(sidecars);
        counted.find(|container| container.request.is_none() && self.pod_level.is_none()).map(|c| c.name.as_str())
    }
}

/// The request of a pod: the sum over regular and sidecar containers, or the pod-level request instead; with
/// `container`, the request of that container alone.
///
/// # Errors
/// [`MetricError::MissingRequest`] if an eligible container has none, [`MetricError::ContainerNotFound`] if no
/// container has the name.
pub fn pod_request(pod: &PodRequests, container: Option<&str>) -> Result<Quantity, MetricError> {
    let sidecars = pod.init_containers.iter().filter(|c| c.restartable);
    let mut counted = pod.containers.iter().chain(sidecars);
    if let Some(name) = container {
        let found = counted.find(|c| c.name == name).ok_or(MetricError::ContainerNotFound)?;
        return found.request.ok_or(MetricError::MissingRequest);
    }
    if let Some(whole) = pod.pod_level {
        return Ok(whole);
    }
    let total = counted.try_fold(0_i64, |sum, c| Some(sum.saturating_add(c.request?.millis())));
    total.map(Quantity::from_millis).ok_or(MetricError::MissingRequest)
}
