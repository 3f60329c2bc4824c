//! Amounts of resources, and what a pod requests of each.

use std::collections::BTreeMap;

/// CPU, by its Kubernetes name.
pub const CPU: &str = "cpu";
/// Memory, by its Kubernetes name.
pub const MEMORY: &str = "memory";
/// Ephemeral storage, by its Kubernetes name.
pub const EPHEMERAL_STORAGE: &str = "ephemeral-storage";

/// The CPU that scoring assumes of a container that requests none: 100m (`DefaultMilliCPURequest`).
pub const ASSUMED_CPU: i64 = 100;
/// The memory that scoring assumes of a container that requests none: 200 MiB (`DefaultMemoryRequest`).
pub const ASSUMED_MEMORY: i64 = 200 * 1024 * 1024;

/// An amount of each resource. Signed 64-bit integers, as in upstream's arithmetic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Amounts {
    /// Thousandths of a core.
    pub cpu: i64,
    /// Bytes.
    pub memory: i64,
    /// Bytes.
    pub ephemeral: i64,
    /// Extended resources in whole units, by name (`nvidia.com/gpu`), in order.
    pub extended: Vec<(String, i64)>,
}

impl Amounts {
    /// The amount of a resource, by its Kubernetes name.
    pub fn of(&self, name: &str) -> i64 {
        match name {
            CPU => self.cpu,
            MEMORY => self.memory,
            EPHEMERAL_STORAGE => self.ephemeral,
            _ => self.extended.iter().find(|(known, _)| known == name).map_or(0, |(_, amount)| *amount),
        }
    }

    /// The amount of a resource, to be changed.
    pub fn of_mut(&mut self, name: &str) -> &mut i64 {
        match name {
            CPU => &mut self.cpu,
            MEMORY => &mut self.memory,
            EPHEMERAL_STORAGE => &mut self.ephemeral,
            _ => {
                let at = match self.extended.iter().position(|(known, _)| known.as_str() >= name) {
                    Some(at) if self.extended[at].0 == name => at,
                    at => {
                        let at = at.unwrap_or(self.extended.len());
                        self.extended.insert(at, (name.to_string(), 0));
                        at
                    }
                };
                &mut self.extended[at].1
            }
        }
    }

    /// Adds `other`, `times` over (-1 takes it away).
    pub fn add(&mut self, other: &Amounts, times: i64) {
        self.cpu = self.cpu.saturating_add(other.cpu.saturating_mul(times));
        self.memory = self.memory.saturating_add(other.memory.saturating_mul(times));
        self.ephemeral = self.ephemeral.saturating_add(other.ephemeral.saturating_mul(times));
        for (name, amount) in &other.extended {
            let mine = self.of_mut(name);
            *mine = mine.saturating_add(amount.saturating_mul(times));
        }
    }

    /// Raises each amount to at least that of `other`.
    fn raise(&mut self, other: &Amounts) {
        self.cpu = self.cpu.max(other.cpu);
        self.memory = self.memory.max(other.memory);
        self.ephemeral = self.ephemeral.max(other.ephemeral);
        for (name, amount) in &other.extended {
            let mine = self.of_mut(name);
            *mine = (*mine).max(*amount);
        }
    }

    /// Whether every amount is zero.
    pub fn is_zero(&self) -> bool {
        self.cpu == 0 && self.memory == 0 && self.ephemeral == 0 && self.extended.iter().all(|(_, amount)| *amount == 0)
    }
}

/// Stated requests, by the Kubernetes name of the resource. A request of zero is a request.
pub type Requests = BTreeMap<String, i64>;

/// What counts for a pod: its own containers and what surrounds them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Container {
    /// Stated requests.
    pub requests: Requests,
    /// Image; empty if not known.
    pub image: String,
    /// Ports of the node that it takes.
    pub host_ports: Vec<u16>,
    /// Of an init container, whether it is a sidecar, which starts in its turn and then runs as long as the pod
    /// (`restartPolicy: Always`).
    pub sidecar: bool,
}

/// All that determines a pod's requests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodRequests {
    /// Containers.
    pub containers: Vec<Container>,
    /// Init containers, including sidecars, in order.
    pub init_containers: Vec<Container>,
    /// What the pod's runtime class adds.
    pub overhead: Requests,
    /// Requests of the whole pod, which replace those of its containers.
    pub pod_level: Requests,
}

impl PodRequests {
    /// What the scheduler reserves (`PodRequests` in kubernetes `component-helpers/resource/helpers.go`): the larger of
    /// what runs for good and of what one init container needs beside the sidecars started before it.
    pub fn reserved(&self) -> Amounts {
        self.total(&Requests::new(), true)
    }

    /// As [`PodRequests::reserved`] for the score of an incoming pod: with assumed requests where a container states
    /// none. Requests of the whole pod are not looked at here, as recorded of Kubernetes 1.35.
    pub fn assumed(&self) -> Amounts {
        self.total(&assumed(|_| true), false)
    }

    /// As [`PodRequests::reserved`] for the score of a node on which the pod runs.
    pub fn assumed_running(&self) -> Amounts {
        if self.pod_level.is_empty() {
            return self.assumed();
        }
        let reserved = self.stated();
        self.total(&assumed(|name| !reserved.contains(&name)), true)
    }

    /// The resources for which anything is stated.
    fn stated(&self) -> Vec<&str> {
        let containers = self.containers.iter().chain(&self.init_containers);
        containers
            .flat_map(|container| container.requests.keys())
            .chain(self.pod_level.keys())
            .map(String::as_str)
            .collect()
    }

    fn total(&self, missing: &Requests, with_pod_level: bool) -> Amounts {
        let of = |container: &Container| {
            let mut amounts = Amounts::default();
            for (name, amount) in missing.iter().filter(|(name, _)| !container.requests.contains_key(*name)) {
                *amounts.of_mut(name) = *amount;
            }
            container.requests.iter().for_each(|(name, amount)| *amounts.of_mut(name) = *amount);
            amounts
        };
        let mut total = Amounts::default();
        self.containers.iter().for_each(|container| total.add(&of(container), 1));
        let (mut sidecars, mut starting) = (Amounts::default(), Amounts::default());
        for container in &self.init_containers {
            let mut needed = of(container);
            if container.sidecar {
                sidecars.add(&needed, 1);
                total.add(&needed, 1);
                needed = sidecars.clone();
            } else {
                needed.add(&sidecars, 1);
            }
            starting.raise(&needed);
        }
        total.raise(&starting);
        if with_pod_level {
            self.pod_level.iter().for_each(|(name, amount)| *total.of_mut(name) = *amount);
        }
        self.overhead.iter().for_each(|(name, amount)| *total.of_mut(name) += amount);
        total
    }

    /// All containers, init containers first.
    pub fn all(&self) -> impl Iterator<Item = &Container> + Clone {
        self.init_containers.iter().chain(&self.containers)
    }

    /// The node's ports that it takes while it runs.
    pub fn host_ports(&self) -> impl Iterator<Item = u16> {
        let sidecars = self.init_containers.iter().filter(|container| container.sidecar);
        self.containers.iter().chain(sidecars).flat_map(|container| container.host_ports.iter().copied())
    }
}

fn assumed(of: impl Fn(&str) -> bool) -> Requests {
    let all = [(CPU, ASSUMED_CPU), (MEMORY, ASSUMED_MEMORY)];
    all.into_iter().filter(|(name, _)| of(name)).map(|(name, amount)| (name.to_string(), amount)).collect()
}
