//! The cluster as the scheduler sees it: nodes with their pods, and what the rules look up.

use std::collections::BTreeMap;

use super::pod::{Kind, Pod};
use super::requests::Amounts;
use super::selector::{Labels, Selector, Taint};
use super::topology::{KeyId, Topology};

/// Index of a kind of pod in [`Lookup::kinds`].
pub type KindId = usize;

/// Services, ReplicaSets: something that selects the pods of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Owner {
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// The labels that the pods have.
    pub selector: Labels,
}

/// A PodDisruptionBudget.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Budget {
    /// Namespace.
    pub namespace: String,
    /// The pods it protects.
    pub selector: Selector,
    /// How many may be disrupted now.
    pub allowed: i64,
}

/// What does not change while a pod is placed.
#[derive(Debug, Clone, Default)]
pub struct Lookup {
    /// Every kind of pod on any node; equal pods may share one.
    pub kinds: Vec<Kind>,
    /// Labels of the namespaces.
    pub namespaces: BTreeMap<String, Labels>,
    /// Services.
    pub services: Vec<Owner>,
    /// ReplicaSets.
    pub replica_sets: Vec<Owner>,
    /// Disruption budgets.
    pub budgets: Vec<Budget>,
    /// Waiting pods that room was made for: the index of the node, and the pod's kind.
    pub nominated: Vec<(usize, KindId)>,
    /// The labels that make places of nodes, as far as any pod names them.
    pub topology: Topology,
}

impl Lookup {
    /// Adds a kind of pod.
    pub fn kind(&mut self, pod: Pod) -> KindId {
        pod.topology_keys().for_each(|key| {
            self.topology.key(key);
        });
        self.kinds.push(Kind::from(pod));
        self.kinds.len() - 1
    }

    /// The labels of a namespace; none if it is not known.
    pub fn namespace(&self, name: &str) -> Option<&Labels> {
        self.namespaces.get(name)
    }
}

/// A node with its pods.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeState {
    /// Name.
    pub name: String,
    /// Labels.
    pub labels: Labels,
    /// What it has for pods.
    pub allocatable: Amounts,
    /// How many pods it may have.
    pub slots: i64,
    /// Taints.
    pub taints: Vec<Taint>,
    /// Whether it is cordoned.
    pub unschedulable: bool,
    /// Names and sizes in bytes of the images that it has.
    pub images: Vec<(String, i64)>,
    /// Its pods.
    pub load: Load,
    /// The number of its place by topology key, as [`Topology::locate`] sets it.
    pub places: Vec<Option<usize>>,
}

impl NodeState {
    /// The number of its place; `None` if it lacks the label.
    pub fn place(&self, key: KeyId) -> Option<usize> {
        self.places.get(key).copied().flatten()
    }
}

/// The pods of a node, and sums over them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Load {
    pods: Vec<(KindId, u32)>,
    count: i64,
    taken: Amounts,
    assumed: (i64, i64),
    ports: Vec<u16>,
}

impl Load {
    /// Adds a pod of a kind.
    pub fn add(&mut self, id: KindId, kind: &Kind) {
        self.change(kind, 1);
        self.ports.extend(&kind.ports);
        match self.pods.iter_mut().find(|(known, _)| *known == id) {
            Some((_, count)) => *count += 1,
            None => self.pods.push((id, 1)),
        }
    }

    /// Removes a pod of a kind; `false` if it has none.
    pub fn remove(&mut self, id: KindId, kind: &Kind) -> bool {
        let Some(at) = self.pods.iter().position(|(known, _)| *known == id) else { return false };
        self.change(kind, -1);
        for port in &kind.ports {
            if let Some(at) = self.ports.iter().position(|taken| taken == port) {
                self.ports.swap_remove(at);
            }
        }
        self.pods[at].1 -= 1;
        if self.pods[at].1 == 0 {
            self.pods.swap_remove(at);
        }
        true
    }

    fn change(&mut self, kind: &Kind, times: i64) {
        self.taken.add(&kind.reserved, times);
        self.assumed.0 += kind.assumed_running.0 * times;
        self.assumed.1 += kind.assumed_running.1 * times;
        self.count += times;
    }

    /// Its pods: kinds and how many of each.
    pub fn pods(&self) -> &[(KindId, u32)] {
        &self.pods
    }

    /// Number of its pods.
    pub fn count(&self) -> i64 {
        self.count
    }

    /// The sum of what is reserved for its pods.
    pub fn taken(&self) -> &Amounts {
        &self.taken
    }

    /// The same with assumed requests: CPU and memory.
    pub fn assumed(&self) -> (i64, i64) {
        self.assumed
    }

    /// The ports that its pods take.
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }
}

/// The nodes, perhaps with one of them changed.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    nodes: &'a [NodeState],
    changed: Option<(usize, &'a NodeState)>,
}

impl<'a> View<'a> {
    /// The nodes as they are.
    pub fn new(nodes: &'a [NodeState]) -> View<'a> {
        View { nodes, changed: None }
    }

    /// The nodes with `node` in place of that at `index`.
    pub fn with(self, index: usize, node: &'a NodeState) -> View<'a> {
        View { changed: Some((index, node)), ..self }
    }

    /// A node.
    pub fn node(&self, index: usize) -> &'a NodeState {
        match self.changed {
            Some((changed, node)) if changed == index => node,
            _ => &self.nodes[index],
        }
    }

    /// All nodes, in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a NodeState> + use<'a> {
        let view = *self;
        (0..self.nodes.len()).map(move |index| view.node(index))
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}
