//! What a replica's pod asks for, container by container.

use crate::units::{Bytes, Millicores, SimDuration, SimTime};

/// A container that runs for as long as its pod does: an ordinary one or a sidecar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerRequest {
    /// Name; empty where a service states its requests itself: it is then the only one, by whatever name it is asked for.
    pub name: String,
    /// CPU request; `None` if it has none.
    pub cpu: Option<Millicores>,
    /// Memory request; `None` if it has none.
    pub memory: Option<Bytes>,
}

/// Where the CPU in use comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CpuUse {
    /// `cpu-per-request` states it.
    #[default]
    Stated,
    /// A full replica is taken to use exactly its CPU request.
    FullReplica,
    /// With no CPU request either, a request in service is taken to use one core.
    OneCore,
    /// Requests divide the CPU limit: cores are busy for as long as they work.
    Shared,
}

impl CpuUse {
    /// Whether requests share the limit, whether the use is stated, and whether a CPU request is.
    pub fn of(shared: bool, stated: bool, requested: bool) -> CpuUse {
        match (shared, stated, requested) {
            (true, ..) => CpuUse::Shared,
            (false, true, _) => CpuUse::Stated,
            (false, false, true) => CpuUse::FullReplica,
            (false, false, false) => CpuUse::OneCore,
        }
    }
}

/// CPU that a container burns from its start on, whatever requests come: class loading, compilation, filling of caches. The metrics
/// pipeline sees it; requests do not, as their service times already tell how fast they are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartCpu {
    /// How much, in place of the idle CPU.
    pub cpu: Millicores,
    /// For how long after the containers run; `None`: until the replica is ready.
    pub length: Option<SimDuration>,
}

impl StartCpu {
    /// How long it has burned at `now` in a container that runs since `since` and was ready first at `ready`.
    pub fn burned(&self, since: SimTime, ready: Option<SimTime>, now: SimTime) -> SimDuration {
        let end = self.length.map_or(ready.unwrap_or(now), |length| since + length);
        end.min(now).max(since).since(since)
    }
}

/// The pod of a replica, beyond the sums of its requests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodSpec {
    /// Containers that run for as long as the pod does, as the manifest lists them: ordinary ones, then sidecars. None where
    /// nothing is known of them.
    pub containers: Vec<ContainerRequest>,
    /// Which of them does the work: what the service uses is its use, and the others are taken to use nothing.
    pub serving: usize,
    /// CPU request of the pod as a whole, which counts in place of its containers'.
    pub whole_cpu: Option<Millicores>,
    /// Memory request of the pod as a whole.
    pub whole_memory: Option<Bytes>,
    /// CPU that the scheduler sets aside, where that is not the sum of the requests: init containers may need more, and a pod may
    /// have an overhead.
    pub scheduled_cpu: Option<Millicores>,
    /// Memory that the scheduler sets aside, as `scheduled_cpu`.
    pub scheduled_memory: Option<Bytes>,
    /// Of that, what the pod takes beyond its containers.
    pub overhead: (Millicores, Bytes),
    /// Other resources that a node must have (`nvidia.com/gpu`), in order of their names.
    pub extended: Vec<(String, u64)>,
    /// Where the CPU in use comes from.
    pub cpu_use: CpuUse,
    /// Whether anything is said of the memory in use.
    pub memory_stated: bool,
    /// CPU that it uses while it starts.
    pub start_cpu: Option<StartCpu>,
}

impl PodSpec {
    /// Requests that stand in place of all that a manifest says of the resource: they are those of the container that does the
    /// work, and the others ask for nothing.
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

    /// With one container without a name, where none is known.
    pub fn or_one(mut self, cpu: Option<Millicores>, memory: Option<Bytes>) -> Self {
        if self.containers.is_empty() {
            self.containers.push(ContainerRequest { name: String::new(), cpu, memory });
        }
        self
    }

    /// The container that does the work.
    pub fn serving(&self) -> Option<&ContainerRequest> {
        self.containers.get(self.serving)
    }

    /// The name of the container that does the work, where containers have names.
    pub fn serving_name(&self) -> Option<&str> {
        self.serving().map(|container| container.name.as_str()).filter(|name| !name.is_empty())
    }
}
