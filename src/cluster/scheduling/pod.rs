//! A pod as the scheduler sees it.

use super::requests::{Amounts, PodRequests};
use super::selector::{Labels, NodeTerm, Selector, Toleration, has_all};

/// A preference, and its weight from 1 to 100.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighted<T> {
    /// Weight.
    pub weight: i64,
    /// What is preferred.
    pub term: T,
}

/// Which nodes a pod may or would like to run on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeAffinity {
    /// One of these terms must match; `None` requires nothing.
    pub required: Option<Vec<NodeTerm>>,
    /// Preferences.
    pub preferred: Vec<Weighted<NodeTerm>>,
}

/// A term of an affinity or anti-affinity between pods.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodTerm {
    /// The pods meant; `None` means none.
    pub selector: Option<Selector>,
    /// The label of nodes whose value makes two nodes the same place.
    pub topology_key: String,
    /// Their namespaces. If neither these nor a selector of namespaces are stated, that of the pod that has the term.
    pub namespaces: Vec<String>,
    /// Further namespaces, by their labels.
    pub namespace_selector: Option<Selector>,
}

/// Affinity or anti-affinity to other pods.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodAffinity {
    /// All terms must hold.
    pub required: Vec<PodTerm>,
    /// Preferences.
    pub preferred: Vec<Weighted<PodTerm>>,
}

/// A topology spread constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpreadConstraint {
    /// By how much the counts of two places may differ; at least 1.
    pub max_skew: i64,
    /// The label of nodes whose value makes two nodes the same place.
    pub topology_key: String,
    /// Whether nodes that would break it are refused (`DoNotSchedule`) or only scored lower (`ScheduleAnyway`).
    pub is_hard: bool,
    /// The pods that are counted; `None` means none.
    pub selector: Option<Selector>,
    /// Labels that a counted pod must share with the incoming one, as far as that one has them.
    pub match_label_keys: Vec<String>,
    /// With fewer places than this, the lowest count is taken to be zero.
    pub min_domains: usize,
    /// Whether only nodes are counted that the pod's node selector and required node affinity admit.
    pub honor_affinity: bool,
    /// Whether only nodes are counted whose taints the pod tolerates.
    pub honor_taints: bool,
}

impl SpreadConstraint {
    /// A constraint with the API's defaults.
    pub fn new(max_skew: i64, topology_key: impl Into<String>, is_hard: bool) -> Self {
        SpreadConstraint {
            max_skew,
            topology_key: topology_key.into(),
            is_hard,
            selector: None,
            match_label_keys: Vec::new(),
            min_domains: 1,
            honor_affinity: true,
            honor_taints: false,
        }
    }

    /// Whether a pod with `labels` is selected, for an incoming pod with `own` labels. An empty selector selects every
    /// pod, but see [`SpreadConstraint::counts`].
    pub fn selects(&self, own: &Labels, labels: &Labels) -> bool {
        let shared = |key: &String| own.get(key).is_none_or(|value| labels.get(key) == Some(value));
        self.selector.as_ref().is_some_and(|selector| selector.selects(labels))
            && self.match_label_keys.iter().all(shared)
    }

    /// Whether a running pod with `labels` is counted. Nothing is counted by a selector without conditions
    /// (`countPodsMatchSelector` in kubernetes `podtopologyspread/common.go`).
    pub fn counts(&self, own: &Labels, labels: &Labels) -> bool {
        let keyed = self.match_label_keys.iter().any(|key| own.contains_key(key));
        let is_empty = self.selector.as_ref().is_none_or(Selector::is_empty) && !keyed;
        !is_empty && self.selects(own, labels)
    }
}

/// A pod: waiting, or running on a node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pod {
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// Labels.
    pub labels: Labels,
    /// Priority; a pod may evict pods of lower priority.
    pub priority: i64,
    /// Whether it may not evict others (`preemptionPolicy: Never`).
    pub never_preempts: bool,
    /// When it started, in seconds from any fixed instant.
    pub started: i64,
    /// Whether it is being deleted.
    pub terminating: bool,
    /// Whether it is being deleted because another pod takes its place.
    pub preempted: bool,
    /// The name of the only node it may run on.
    pub node_name: Option<String>,
    /// The name of the node that room was made on for it.
    pub nominated: Option<String>,
    /// What it requests.
    pub requests: PodRequests,
    /// Labels that its node must have.
    pub node_selector: Labels,
    /// Which nodes it may or would like to run on.
    pub node_affinity: NodeAffinity,
    /// Near which pods it must or would like to run.
    pub pod_affinity: PodAffinity,
    /// Near which pods it must not or would rather not run.
    pub pod_anti_affinity: PodAffinity,
    /// How it is spread.
    pub spread: Vec<SpreadConstraint>,
    /// Taints that it tolerates.
    pub tolerations: Vec<Toleration>,
    /// The name of the ReplicaSet that owns it.
    pub replica_set: Option<String>,
    /// Of each of its volumes, the labels that say where it is (`topology.kubernetes.io/zone`), each with one value or
    /// several joined by `__`.
    pub volume_places: Vec<Labels>,
}

impl Pod {
    /// Whether its node selector and required node affinity admit a node.
    pub fn admits(&self, name: &str, labels: &Labels) -> bool {
        let required = &self.node_affinity.required;
        has_all(labels, &self.node_selector)
            && required.as_ref().is_none_or(|terms| terms.iter().any(|term| term.matches(name, labels)))
    }

    /// Whether these admit every node.
    pub fn admits_all(&self) -> bool {
        self.node_selector.is_empty() && self.node_affinity.required.is_none()
    }

    /// The topology keys that it names.
    pub fn topology_keys(&self) -> impl Iterator<Item = &str> {
        let affinities = [&self.pod_affinity, &self.pod_anti_affinity].into_iter();
        let terms = affinities.flat_map(|affinity| {
            affinity.required.iter().chain(affinity.preferred.iter().map(|preferred| &preferred.term))
        });
        let spread = self.spread.iter().map(|constraint| constraint.topology_key.as_str());
        spread.chain(terms.map(|term| term.topology_key.as_str()))
    }
}

/// A pod with the sums over its containers, which are needed for every node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kind {
    /// The pod.
    pub pod: Pod,
    /// What is reserved for it.
    pub reserved: Amounts,
    /// The same with assumed requests, as scoring takes them of a waiting pod: CPU and memory.
    pub assumed: (i64, i64),
    /// The same of a running pod.
    pub assumed_running: (i64, i64),
    /// The node's ports that it takes.
    pub ports: Vec<u16>,
}

impl From<Pod> for Kind {
    fn from(pod: Pod) -> Kind {
        let (waiting, running) = (pod.requests.assumed(), pod.requests.assumed_running());
        Kind {
            reserved: pod.requests.reserved(),
            assumed: (waiting.cpu, waiting.memory),
            assumed_running: (running.cpu, running.memory),
            ports: pod.requests.host_ports().collect(),
            pod,
        }
    }
}
