//! Nodes: capacity, allocation to pods, and placement.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::placement::{Change, NonZeroRequest, Placement};
use super::service::ServiceSpec;
use crate::catalog::{Allocatable, InstanceType};
use crate::random::Distribution;
use crate::units::{Bytes, Millicores, SimDuration, SimTime};

/// Index of a node among all nodes ever started; never reused.
pub type NodeId = u32;

/// The default time from order to readiness of a node: machine, operating system, kubelet.
const USUAL_BOOT: SimDuration = SimDuration::from_secs(60);

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
    /// Number of nodes at the start.
    pub count: u32,
    /// The fewest nodes that a node policy may leave.
    pub least: u32,
    /// The most nodes that a node policy may have at once.
    pub most: u32,
    /// Time from the order of a node to its readiness.
    pub boot: Distribution,
    /// Zones, assigned to the nodes in turn; empty means a single unnamed zone.
    pub zones: Vec<String>,
    /// Speed of a core relative to the one on which service times were measured; finite and above zero.
    pub speed: f64,
}

impl NodePool {
    /// A pool of always `count` nodes of an instance type in a single zone, at speed 1.
    pub fn new(name: impl Into<String>, instance: &InstanceType, count: u32) -> Self {
        NodePool {
            name: name.into(),
            instance: instance.name.clone(),
            allocatable: instance.allocatable,
            cores: instance.cpu,
            extended: instance.extended(),
            count,
            least: count,
            most: count,
            boot: NodePool::usual_boot(),
            zones: Vec::new(),
            speed: 1.0,
        }
    }

    /// The default time from order to readiness: one minute.
    pub fn usual_boot() -> Distribution {
        Distribution::constant(USUAL_BOOT)
    }

    /// Whether its number of nodes can change during a run.
    pub fn can_change(&self) -> bool {
        self.least < self.count || self.count < self.most
    }

    /// The amount of an extended resource of each node.
    fn has(&self, name: &str) -> u64 {
        self.extended.iter().find(|(known, _)| known == name).map_or(0, |(_, amount)| *amount)
    }

    /// The pool with all the nodes that it may ever have at once, from the start.
    pub fn at_most(&self) -> NodePool {
        NodePool { count: self.count.max(self.most), ..self.clone() }
    }
}

/// The phase of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodePhase {
    /// Ordered, but the machine does not run yet: its zone is lost.
    Ordered,
    /// The machine starts and joins the cluster. It is paid for from now on.
    Booting,
    /// Takes pods.
    Ready,
    /// Takes no more pods and goes when its last pod has ended.
    Draining,
    /// Given back; no longer paid for.
    Gone,
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
    phase: NodePhase,
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
    /// Its phase.
    pub fn phase(&self) -> NodePhase {
        self.phase
    }

    /// The number of its pods.
    pub fn pods(&self) -> u32 {
        self.taken.pods
    }

    /// Whether the scheduler may place pods on it.
    fn is_open(&self) -> bool {
        self.phase == NodePhase::Ready && !self.lost
    }

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
        let may_have_pods = matches!(self.phase, NodePhase::Ready | NodePhase::Draining);
        assert!(may_have_pods || pods == 0, "I4: node {} is {:?} and runs {pods} pods", self.name, self.phase);
    }
}

/// The scheduler's messages for insufficient resources (`fitsRequest` in kubernetes `noderesources/fit.go`).
const SHORTAGES: [&str; 3] = ["Insufficient cpu", "Insufficient memory", "Too many pods"];

/// All nodes and the placement policy.
pub struct Nodes {
    pools: Vec<NodePool>,
    /// The index of each zone of each pool.
    zones: Vec<Vec<u32>>,
    zone_names: Vec<String>,
    /// Every node ever started, by id.
    nodes: Vec<Node>,
    /// The nodes that are not gone, by id.
    present: Vec<NodeId>,
    /// How many nodes of each pool were ever started.
    started: Vec<u32>,
    asked: Arc<Asked>,
    /// Incremented with every change of a node or its pods.
    changes: u64,
    placement: Box<dyn Placement>,
    /// Nodes with room for the current pod, and their scores; kept between placements to avoid allocations.
    feasible: Vec<NodeId>,
    scores: Vec<u32>,
}

impl Nodes {
    /// Creates the nodes of `pools`, in order, all ready and empty.
    pub fn new(pools: &[NodePool], placement: Box<dyn Placement>) -> Self {
        let names = Nodes::zone_names(pools);
        let number = |zone: &str| names.iter().position(|known| known == zone).unwrap_or(0) as u32;
        let of_pool = |pool: &NodePool| match &pool.zones[..] {
            [] => vec![number("")],
            zones => zones.iter().map(|zone| number(zone)).collect(),
        };
        let mut nodes = Nodes {
            pools: pools.to_vec(),
            zones: pools.iter().map(of_pool).collect(),
            zone_names: names.clone(),
            nodes: Vec::new(),
            present: Vec::new(),
            started: vec![0; pools.len()],
            asked: Arc::default(),
            changes: 0,
            placement,
            feasible: Vec::new(),
            scores: Vec::new(),
        };
        for (pool, number) in pools.iter().zip(0..) {
            for _ in 0..pool.count {
                if let Some(node) = nodes.order(number, |_| true) {
                    nodes.enter(node, NodePhase::Ready);
                }
            }
        }
        nodes
    }

    /// Adds extended resources: `amounts` requested by a pod of each service. A node has none of a resource that its
    /// pool does not list.
    pub fn asked_for(mut self, amounts: &[Vec<(String, u64)>]) -> Self {
        let names: BTreeSet<&String> = amounts.iter().flatten().map(|(name, _)| name).collect();
        let amount = |list: &[(String, u64)], name: &str| {
            list.iter().find(|(known, _)| known == name).map_or(0, |(_, amount)| *amount)
        };
        let of = |list: &Vec<(String, u64)>| names.iter().map(|name| amount(list, name)).collect();
        self.asked = Arc::new(Asked {
            names: names.iter().map(|name| (*name).clone()).collect(),
            amounts: amounts.iter().map(of).collect(),
        });
        for node in &mut self.nodes {
            let pool = &self.pools[node.pool as usize];
            node.extended = self.asked.names.iter().map(|name| [pool.has(name), 0]).collect();
            node.asked = Arc::clone(&self.asked);
        }
        self
    }

    /// Orders a node of a pool, in the pool's next zone for which `open` holds; `None` if it holds for none.
    pub fn order(&mut self, pool: u32, open: impl Fn(u32) -> bool) -> Option<NodeId> {
        let (index, zones) = (self.started[pool as usize], &self.zones[pool as usize]);
        let in_turn = (0..zones.len()).map(|later| zones[(index as usize + later) % zones.len()]);
        let zone = in_turn.into_iter().find(|zone| open(*zone))?;
        let id = self.nodes.len() as NodeId;
        self.nodes.push(self.node(pool, zone, format!("{}-{index}", self.pools[pool as usize].name)));
        self.present.push(id);
        self.started[pool as usize] += 1;
        self.changes += 1;
        Some(id)
    }

    /// A new node of a pool.
    fn node(&self, pool: u32, zone: u32, name: String) -> Node {
        let of = &self.pools[pool as usize];
        Node {
            name,
            pool,
            zone,
            allocatable: of.allocatable,
            speed: of.speed,
            cores: of.cores,
            phase: NodePhase::Ordered,
            lost: false,
            taken: Allocatable { cpu: Millicores::ZERO, memory: Bytes::ZERO, pods: 0 },
            extended: self.asked.names.iter().map(|name| [of.has(name), 0]).collect(),
            asked: Arc::clone(&self.asked),
            non_zero: NonZeroRequest::default(),
            pods_of_service: Vec::new(),
            images: Vec::new(),
        }
    }

    /// Moves a node to a phase.
    ///
    /// # Panics
    /// If a node that has pods, or is gone already, would go or boot, which is a bug of the caller.
    pub fn enter(&mut self, id: NodeId, phase: NodePhase) {
        let node = &mut self.nodes[id as usize];
        assert!(node.phase != NodePhase::Gone, "node {} is gone and cannot become {phase:?}", node.name);
        node.phase = phase;
        node.check();
        self.changes += 1;
        if phase == NodePhase::Gone {
            // A long run may start many nodes one after the other: what is gone takes no memory of its own.
            (node.images, node.extended, node.pods_of_service) = Default::default();
            self.present.retain(|present| *present != id);
        }
        self.tell_state(id);
    }

    /// Tells the placement policy whether a node takes pods.
    fn tell_state(&mut self, id: NodeId) {
        let node = &self.nodes[id as usize];
        let change = match node.phase {
            NodePhase::Ordered | NodePhase::Booting => return,
            NodePhase::Gone => Change::Left(id),
            _ if !node.is_open() => Change::Closed(id),
            _ => {
                let zone = self.zone_names.get(node.zone as usize).map_or("", String::as_str);
                Change::Opened { id, node, pool: &self.pools[node.pool as usize], zone }
            }
        };
        self.placement.tell(change);
    }

    /// The pools.
    pub fn pools(&self) -> &[NodePool] {
        &self.pools
    }

    /// How many nodes of a pool were ever started.
    pub fn started(&self, pool: u32) -> u32 {
        self.started[pool as usize]
    }

    /// Incremented with every change of a node or its pods.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// For each pod in turn, whether a node that is coming (ordered or booting) has room for it beside the earlier ones.
    pub fn awaited<'a>(&self, pods: impl Iterator<Item = &'a PodRequest>) -> Vec<bool> {
        let is_coming = |node: &&Node| !node.lost && matches!(node.phase, NodePhase::Ordered | NodePhase::Booting);
        let present = self.present.iter().map(|id| &self.nodes[*id as usize]);
        let mut coming: Vec<Node> = present.filter(is_coming).cloned().collect();
        coming.iter_mut().for_each(|node| node.phase = NodePhase::Ready);
        let mut row = Row { nodes: coming, last: None };
        pods.map(|pod| row.put(pod)).collect()
    }

    /// The number of empty nodes of a pool that hold `pods`, placed in turn on the first with room. Pods for which an
    /// empty node is too small are left out.
    pub fn empty_nodes_for<'a>(&self, pool: u32, pods: impl Iterator<Item = &'a PodRequest>) -> u32 {
        let mut row = Row { nodes: Vec::new(), last: None };
        for pod in pods.filter(|pod| self.could_hold(pool, pod)) {
            if !row.put(pod) {
                let mut node = self.node(pool, 0, String::new());
                node.phase = NodePhase::Ready;
                node.take(pod);
                row.nodes.push(node);
            }
        }
        row.nodes.len() as u32
    }

    /// Whether an empty node of a pool has room for the pod.
    pub fn could_hold(&self, pool: u32, pod: &PodRequest) -> bool {
        let of = &self.pools[pool as usize];
        let mut asked = self.asked.names.iter().zip(self.asked.of(pod.service));
        pod.cpu <= of.allocatable.cpu
            && pod.memory <= of.allocatable.memory
            && of.allocatable.pods > 0
            && asked.all(|(name, amount)| *amount <= of.has(name))
    }

    /// Places a pod on the node with the highest score among those with room, the first among equals. (The Kubernetes
    /// scheduler chooses at random among equals; a fixed choice avoids needless randomness in a run.) Returns `None` if
    /// no node has room; [`Nodes::unschedulable_reason`] tells why.
    pub fn place(&mut self, pod: &PodRequest) -> Option<NodeId> {
        let chosen = match self.placement.choose(pod) {
            Some(chosen) => chosen?,
            None => self.chosen_by_score(pod)?,
        };
        self.nodes[chosen as usize].take(pod);
        self.placement.tell(Change::Bound(chosen, pod));
        self.changes += 1;
        Some(chosen)
    }

    fn chosen_by_score(&mut self, pod: &PodRequest) -> Option<NodeId> {
        self.feasible.clear();
        let nodes = &self.nodes;
        let usable = |id: &NodeId| nodes[*id as usize].is_open() && nodes[*id as usize].fits(pod);
        self.feasible.extend(self.present.iter().copied().filter(usable));
        match self.feasible[..] {
            [] => None,
            [only] => Some(only),
            _ => Some(self.best(pod)),
        }
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
        self.placement.tell(Change::Released(node, pod));
        self.changes += 1;
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
        for (pool, nodes) in pools.iter().map(|pool| (pool, pool.count.max(pool.most))).filter(|(_, nodes)| *nodes > 0)
        {
            // A node whose turn it is in a lost zone goes to another one.
            let used = pool.zones.iter().take(if pool.can_change() { usize::MAX } else { nodes as usize }).cloned();
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
        let of_zone = |id: &NodeId| self.nodes[*id as usize].zone == zone;
        let told: Vec<NodeId> = self.present.iter().copied().filter(of_zone).collect();
        told.into_iter().for_each(|id| self.tell_state(id));
        self.changes += 1;
    }

    /// The zone of a node.
    pub fn zone(&self, node: NodeId) -> u32 {
        self.nodes[node as usize].zone
    }

    /// All nodes ever started, by id.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The nodes of a pool that are not gone, with their ids.
    pub fn present_in(&self, pool: u32) -> impl Iterator<Item = (NodeId, &Node)> {
        self.present.iter().map(|id| (*id, &self.nodes[*id as usize])).filter(move |(_, node)| node.pool == pool)
    }

    /// Why no node has room for `pod`, in the wording of the Kubernetes scheduler: "0/6 nodes are available: 2
    /// Insufficient memory, 4 Insufficient cpu". A node short of two resources counts for both. `None` if a node has
    /// room.
    pub fn unschedulable_reason(&self, pod: &PodRequest) -> Option<String> {
        let takes_pods = |node: &&Node| node.phase == NodePhase::Ready;
        let ready: Vec<&Node> = self.present.iter().map(|id| &self.nodes[*id as usize]).filter(takes_pods).collect();
        if ready.is_empty() {
            return Some("no nodes available to schedule pods".to_string());
        }
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for node in &ready {
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
        Some(format!("0/{} nodes are available: {}", ready.len(), reasons.join(", ")))
    }

    /// Asserts invariant I4: no node's allocation exceeds its capacity.
    pub fn check(&self) {
        self.nodes.iter().for_each(Node::check);
    }
}

/// Nodes that pods are placed on by trial, each on the first with room.
struct Row {
    nodes: Vec<Node>,
    /// The last pod and the index of its node: the nodes before have no room for its like.
    last: Option<(PodRequest, usize)>,
}

impl Row {
    /// Places a pod; `false` if no node has room.
    fn put(&mut self, pod: &PodRequest) -> bool {
        let full = self.last.filter(|(last, _)| last == pod).map_or(0, |(_, index)| index);
        let found = self.nodes[full..].iter().position(|node| node.fits(pod)).map(|index| full + index);
        self.last = Some((*pod, found.unwrap_or(self.nodes.len())));
        if let Some(index) = found {
            self.nodes[index].take(pod);
        }
        found.is_some()
    }
}

#[cfg(test)]
mod tests;
