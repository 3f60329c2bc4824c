//! A replica's pod: requests container by container, CPU use, memory.

use crate::units::{Bytes, Millicores, SimDuration, SimTime};

/// A container that runs as long as its pod: a regular one or a sidecar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerRequest {
    /// Name. Empty if a service states its requests itself; it then matches any name and is the only container.
    pub name: String,
    /// CPU request; `None` if it has none.
    pub cpu: Option<Millicores>,
    /// Memory request; `None` if it has none.
    pub memory: Option<Bytes>,
}

/// How CPU use is determined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CpuUse {
    /// Stated by `cpu-per-request`.
    #[default]
    Stated,
    /// A full replica is assumed to use exactly its CPU request.
    FullReplica,
    /// Without a CPU request, a request in service is assumed to use one core.
    OneCore,
    /// Requests share the CPU limit; cores are busy as long as they work.
    Shared,
}

impl CpuUse {
    /// Selects the case from: whether requests share the limit, whether the use is stated, whether there is a CPU
    /// request.
    pub fn of(shared: bool, stated: bool, requested: bool) -> CpuUse {
        match (shared, stated, requested) {
            (true, ..) => CpuUse::Shared,
            (false, true, _) => CpuUse::Stated,
            (false, false, true) => CpuUse::FullReplica,
            (false, false, false) => CpuUse::OneCore,
        }
    }
}

/// CPU that a container uses from its start regardless of requests: class loading, compilation, cache warming. It shows
/// up in the metrics but does not slow requests down, because their service times already include that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartCpu {
    /// Amount, instead of the idle CPU.
    pub cpu: Millicores,
    /// Duration after the containers start; `None` means until the replica is ready.
    pub length: Option<SimDuration>,
}

impl StartCpu {
    /// How long a container that started at `since` and first became ready at `ready` has used start-up CPU at `now`.
    pub fn burned(&self, since: SimTime, ready: Option<SimTime>, now: SimTime) -> SimDuration {
        let end = self.length.map_or(ready.unwrap_or(now), |length| since + length);
        end.min(now).max(since).since(since)
    }
}

/// The pod of a replica, beyond its total requests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodSpec {
    /// Containers that run as long as the pod, in the order of the manifest: regular ones, then sidecars. Empty if not
    /// known.
    pub containers: Vec<ContainerRequest>,
    /// Index of the serving container. All usage of the service is attributed to it; the others are assumed to use
    /// nothing.
    pub serving: usize,
    /// Pod-level CPU request, which replaces those of the containers.
    pub whole_cpu: Option<Millicores>,
    /// Pod-level memory request.
    pub whole_memory: Option<Bytes>,
    /// CPU reserved by the scheduler, if it differs from the sum of the requests: init containers may need more, and a
    /// pod may have an overhead.
    pub scheduled_cpu: Option<Millicores>,
    /// Memory reserved by the scheduler, like `scheduled_cpu`.
    pub scheduled_memory: Option<Bytes>,
    /// The part of these that is pod overhead.
    pub overhead: (Millicores, Bytes),
    /// Extended resources that a node must have (`nvidia.com/gpu`), ordered by name.
    pub extended: Vec<(String, u64)>,
    /// How CPU use is determined.
    pub cpu_use: CpuUse,
    /// Whether memory use is stated.
    pub memory_stated: bool,
    /// CPU used while starting.
    pub start_cpu: Option<StartCpu>,
}

impl PodSpec {
    /// Replaces everything that a manifest states about the resource: the requests are assigned to the serving
    /// container, the others request nothing.
    pub fn state_requests(&mut self, cpu: Option<Millicores>, memory: Option<Bytes>) {
        if let Some(cpu) = cpu {
            self.containers.iter_mut().for_each(|container| container.cpu = Some(Millicores::ZERO));
            (self.whole_cpu, self.scheduled_cpu) = (None, Some(cpu + self.overhead.0));
        }
        if let Some(memory) = memory {
            self.containers.iter_mut().for_each(|container| container.memory = Some(Bytes::ZERO));
            (self.whole_memory, self.scheduled_memory) = (None, Some(memory + self.overhead.1));
        }
        if let Some(container) = self.containers.get_mut(self.serving) {
            (container.cpu, container.memory) = (cpu.or(container.cpu), memory.or(container.memory));
        }
    }

    /// Adds one unnamed container if none is known.
    pub fn or_one(mut self, cpu: Option<Millicores>, memory: Option<Bytes>) -> Self {
        if self.containers.is_empty() {
            self.containers.push(ContainerRequest { name: String::new(), cpu, memory });
        }
        self
    }

    /// The serving container.
    pub fn serving(&self) -> Option<&ContainerRequest> {
        self.containers.get(self.serving)
    }

    /// The name of the serving container, if containers have names.
    pub fn serving_name(&self) -> Option<&str> {
        self.serving().map(|container| container.name.as_str()).filter(|name| !name.is_empty())
    }
}
