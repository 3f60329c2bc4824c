//! Nodes: capacity, allocation to pods, and placement.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::placement::{NonZeroRequest, Placement};
use super::service::ServiceSpec;
use crate::catalog::{Allocatable, InstanceType};
use crate::units::{Bytes, Millicores, SimDuration, SimTime};

/// Index of a node among all nodes.
pub type NodeId = u32;

/// A pool of identical nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct NodePool {
    /// Name; the nodes are named `NAME-0`, `NAME-1` and so on.
    pub name: String,
    /// Instance type, as shown in reports.
    pub instance: String,
    /// Allocatable capacity of each node.
    pub allocatable: Allocatable,
    /// Cores of each node, more than allocatable: a pod without a CPU limit may use them all.
    pub cores: Millicores,
    /// Extended resources of each node, by Kubernetes resource name (`nvidia.com/gpu`).
    pub extended: Vec<(String, u64)>,
    /// Number of nodes.
    pub count: u32,
    /// Zones, assigned to the nodes in turn; empty means a single unnamed zone.
    pub zones: Vec<String>,
    /// Speed of a core relative to the one on which service times were measured; finite and above zero.
    pub speed: f64,
}

impl NodePool {
    /// A pool of `count` nodes of an instance type in a single zone, at speed 1.
    pub fn new(name: impl Into<String>, instance: &InstanceType, count: u32) -> Self {
        NodePool {
            name: name.into(),
            instance: instance.name.clone(),
            allocatable: instance.allocatable,
            cores: instance.cpu,
            extended: instance.extended(),
            count,
            zones: Vec::new(),
            speed: 1.0,
        }
    }
}

/// What a pod requests from a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodRequest {
    /// Index of the pod's service.
    pub service: u32,
    /// CPU request, summed over containers; zero if none is stated.
    pub cpu: Millicores,
    /// Memory request, summed over containers; zero if none is stated.
    pub memory: Bytes,
}

impl PodRequest {
    /// The request of a replica of service number `service`.
    pub fn of(service: u32, spec: &ServiceSpec) -> Self {
        let (cpu, memory) = spec.scheduled();
        PodRequest { service, cpu, memory }
    }
}

/// Extended resources, and the amount of each that a pod requests, by service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Asked {
    names: Vec<String>,
    /// By service, one amount per name.
    amounts: Vec<Vec<u64>>,
}

impl Asked {
    fn of(&self, service: u32) -> &[u64] {
        self.amounts.get(service as usize).map_or(&[], Vec::as_slice)
    }
}

/// A node and its allocation.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Pool name and number.
    pub name: String,
    /// Index of the pool.
    pub pool: u32,
    /// Index of the zone; pools that name the same zone share it.
    pub zone: u32,
    /// Allocatable capacity.
    pub allocatable: Allocatable,
    speed: f64,
    cores: Millicores,
    /// Whether its zone is lost.
    lost: bool,
    taken: Allocatable,
    /// Extended resources and how much of each is allocated, in the order of the names in [`Asked`].
    extended: Vec<[u64; 2]>,
    asked: Arc<Asked>,
    non_zero: NonZeroRequest,
    pods_of_service: Vec<u32>,
    /// Images and when each is (or was) present: service, image version, time. Images that no pod has requested are not
    /// listed.
    images: Vec<(u32, u32, SimTime)>,
}

impl Node {
    /// The sum of its pods' requests.
    pub fn taken(&self) -> Allocatable {
        self.taken
    }

    /// The sum of its pods' requests, with the scheduler's defaults for missing requests.
    pub fn non_zero_taken(&self) -> NonZeroRequest {
        self.non_zero
    }

    /// The number of pods of a service on this node.
    pub fn pods_of(&self, service: u32) -> u32 {
        self.pods_of_service.get(service as usize).copied().unwrap_or(0)
    }

    /// Whether the pod fits: the filter of the scheduler plug-in NodeResourcesFit.
    pub fn fits(&self, pod: &PodRequest) -> bool {
        self.shortages(pod) == [false; 3] && self.lacking(pod.service).next().is_none()
    }

    /// The extended resources of which it has too little.
    fn lacking(&self, service: u32) -> impl Iterator<Item = &str> {
        let asked = self.asked.of(service).iter().zip(&self.extended).zip(&self.asked.names);
        asked.filter(|((asked, [has, taken]), _)| **asked > has - taken).map(|(_, name)| name.as_str())
    }

    /// Which resources are short, in the order of [`SHORTAGES`].
    fn shortages(&self, pod: &PodRequest) -> [bool; 3] {
        let (has, taken) = (&self.allocatable, &self.taken);
        [pod.cpu > has.cpu - taken.cpu, pod.memory > has.memory - taken.memory, taken.pods >= has.pods]
    }

    fn take(&mut self, pod: &PodRequest) {
        self.taken.cpu += pod.cpu;
        self.taken.memory += pod.memory;
        self.taken.pods += 1;
        let asked = self.asked.of(pod.service);
        self.extended.iter_mut().zip(asked).for_each(|([_, taken], asked)| *taken += asked);
        self.non_zero += NonZeroRequest::of(pod);
        let service = pod.service as usize;
        if self.pods_of_service.len() <= service {
            self.pods_of_service.resize(service + 1, 0);
        }
        self.pods_of_service[service] += 1;
        self.check();
    }

    fn give_back(&mut self, pod: &PodRequest) {
        let had = self.pods_of(pod.service) > 0 && self.taken.cpu >= pod.cpu && self.taken.memory >= pod.memory;
        assert!(had, "node {}: {pod:?} was released but was never placed", self.name);
        self.taken.cpu = self.taken.cpu - pod.cpu;
        self.taken.memory = self.taken.memory - pod.memory;
        self.taken.pods -= 1;
        let asked = self.asked.of(pod.service);
        self.extended.iter_mut().zip(asked).for_each(|([_, taken], asked)| *taken -= asked);
        self.non_zero -= NonZeroRequest::of(pod);
        self.pods_of_service[pod.service as usize] -= 1;
    }

    /// Invariant I4.
    fn check(&self) {
        let (has, taken) = (&self.allocatable, &self.taken);
        let within = taken.cpu <= has.cpu && taken.memory <= has.memory && taken.pods <= has.pods;
        assert!(within, "I4: node {} has {has:?} and gave {taken:?}", self.name);
        let extended = self.extended.iter().all(|[has, taken]| taken <= has);
        assert!(extended, "I4: node {} has and gave {:?} of {:?}", self.name, self.extended, self.asked.names);
        let pods: u32 = self.pods_of_service.iter().sum();
        assert!(pods == taken.pods, "I4: node {} counts {} pods and runs {pods}", self.name, taken.pods);
    }
}

/// The scheduler's messages for insufficient resources (`fitsRequest` in kubernetes `noderesources/fit.go`).
const SHORTAGES: [&str; 3] = ["Insufficient cpu", "Insufficient memory", "Too many pods"];

/// All nodes and the placement policy.
pub struct Nodes {
    nodes: Vec<Node>,
    placement: Box<dyn Placement>,
    /// Nodes with room for the current pod, and their scores; kept between placements to avoid allocations.
    feasible: Vec<NodeId>,
    scores: Vec<u32>,
}

impl Nodes {
    /// Creates the nodes of `pools`, in order, all empty.
    pub fn new(pools: &[NodePool], placement: Box<dyn Placement>) -> Self {
        let zones = Nodes::zone_names(pools);
        let mut nodes = Vec::new();
        for (pool, number) in pools.iter().zip(0..) {
            for index in 0..pool.count {
                let zone = match pool.zones.len() {
                    0 => "",
                    count => pool.zones[index as usize % count].as_str(),
                };
                let zone_number = zones.iter().position(|known| known == zone).unwrap_or(0);
                nodes.push(Node {
                    name: format!("{}-{index}", pool.name),
                    pool: number,
                    zone: zone_number as u32,
                    allocatable: pool.allocatable,
                    speed: pool.speed,
                    cores: pool.cores,
                    lost: false,
                    taken: Allocatable { cpu: Millicores::ZERO, memory: Bytes::ZERO, pods: 0 },
                    extended: Vec::new(),
                    asked: Arc::default(),
                    non_zero: NonZeroRequest::default(),
                    pods_of_service: Vec::new(),
                    images: Vec::new(),
                });
            }
        }
        Nodes { nodes, placement, feasible: Vec::new(), scores: Vec::new() }
    }

    /// Adds extended resources: `amounts` requested by a pod of each service. A node has none of a resource that its
    /// pool does not list.
    pub fn asked_for(mut self, pools: &[NodePool], amounts: &[Vec<(String, u64)>]) -> Self {
        let names: BTreeSet<&String> = amounts.iter().flatten().map(|(name, _)| name).collect();
        let of = |list: &[(String, u64)]| -> Vec<u64> {
            let amount =
                |name: &&String| list.iter().find(|(known, _)| known == *name).map_or(0, |(_, amount)| *amount);
            names.iter().map(amount).collect()
        };
        let asked = Arc::new(Asked {
            names: names.iter().map(|name| (*name).clone()).collect(),
            amounts: amounts.iter().map(|list| of(list)).collect(),
        });
        for node in &mut self.nodes {
            let has = pools.get(node.pool as usize).map_or_else(Vec::new, |pool| of(&pool.extended));
            node.extended = has.into_iter().map(|has| [has, 0]).collect();
            node.asked = Arc::clone(&asked);
        }
        self
    }

    /// Places a pod on the node with the highest score among those with room, the first among equals. (The Kubernetes
    /// scheduler chooses at random among equals; a fixed choice avoids needless randomness in a run.) Returns `None` if
    /// no node has room; [`Nodes::unschedulable_reason`] tells why.
    pub fn place(&mut self, pod: &PodRequest) -> Option<NodeId> {
        self.feasible.clear();
        let usable = |node: &Node| !node.lost && node.fits(pod);
        self.feasible.extend((0..).zip(&self.nodes).filter(|(_, node)| usable(node)).map(|(id, _)| id));
        let chosen = match self.feasible[..] {
            [] => return None,
            [only] => only,
            _ => self.best(pod),
        };
        self.nodes[chosen as usize].take(pod);
        Some(chosen)
    }

    fn best(&mut self, pod: &PodRequest) -> NodeId {
        self.scores.clear();
        self.placement.score(pod, &self.nodes, &self.feasible, &mut self.scores);
        assert_eq!(self.scores.len(), self.feasible.len(), "a placement scores every node with room");
        let mut best = 0;
        for (index, score) in self.scores.iter().enumerate() {
            if *score > self.scores[best] {
                best = index;
            }
        }
        self.feasible[best]
    }

    /// Releases what `pod` took of `node`. The image stays.
    ///
    /// # Panics
    /// If no such pod is on the node, which is a bug of the caller.
    pub fn release(&mut self, node: NodeId, pod: &PodRequest) {
        self.nodes[node as usize].give_back(pod);
    }

    /// When an image of `service` (its versions may have different ones) is present on `node`, for a pod accepted by
    /// the kubelet at `now`. One pull serves all pods of a service on a node. The first request starts it, and it takes
    /// `pull`; requests during the pull wait for its end, and later ones find the image. As with the kubelet, a pull
    /// continues if the pod that started it is deleted (kubernetes#88662, #125050), and pulls of different images run
    /// in parallel (`serializeImagePulls: false`).
    pub fn image_there_at(
        &mut self,
        node: NodeId,
        (service, image): (u32, u32),
        now: SimTime,
        pull: SimDuration,
    ) -> SimTime {
        let images = &mut self.nodes[node as usize].images;
        let known = images.iter().find(|(of, which, _)| (*of, *which) == (service, image));
        if let Some((.., there)) = known {
            return *there;
        }
        images.push((service, image, now + pull));
        now + pull
    }

    /// The node's cores and relative speed.
    pub fn cores(&self, node: NodeId) -> (Millicores, f64) {
        let node = &self.nodes[node as usize];
        (node.cores, node.speed)
    }

    /// The names of the zones, by index.
    pub fn zone_names(pools: &[NodePool]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for pool in pools.iter().filter(|pool| pool.count > 0) {
            let used = pool.zones.iter().take(pool.count as usize).cloned();
            let unnamed = pool.zones.is_empty().then(String::new);
            for name in used.chain(unnamed) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }

    /// Marks a zone as lost or recovered. Nodes of a lost zone lose their images and accept no pods.
    pub fn set_lost(&mut self, zone: u32, lost: bool) {
        for node in self.nodes.iter_mut().filter(|node| node.zone == zone) {
            node.lost = lost;
            node.images.clear();
        }
    }

    /// The zone of a node.
    pub fn zone(&self, node: NodeId) -> u32 {
        self.nodes[node as usize].zone
    }

    /// All nodes, by id.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Why no node has room for `pod`, in the wording of the Kubernetes scheduler: "0/6 nodes are available: 2
    /// Insufficient memory, 4 Insufficient cpu". A node short of two resources counts for both. `None` if a node has
    /// room.
    pub fn unschedulable_reason(&self, pod: &PodRequest) -> Option<String> {
        if self.nodes.is_empty() {
            return Some("no nodes available to schedule pods".to_string());
        }
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for node in &self.nodes {
            if node.fits(pod) && !node.lost {
                return None;
            }
            let short = node.shortages(pod).into_iter().zip(SHORTAGES).filter(|(short, _)| *short);
            let lacking = node.lacking(pod.service).map(|name| format!("Insufficient {name}"));
            for what in short.map(|(_, what)| what.to_string()).chain(lacking) {
                *counts.entry(what).or_default() += 1;
            }
        }
        // Upstream sorts the formatted messages, so "10 ..." precedes "2 ...".
        let mut reasons: Vec<String> = counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
        reasons.sort();
        Some(format!("0/{} nodes are available: {}", self.nodes.len(), reasons.join(", ")))
    }

    /// Asserts invariant I4: no node's allocation exceeds its capacity.
    pub fn check(&self) {
        self.nodes.iter().for_each(Node::check);
    }
}

#[cfg(test)]
mod tests;
