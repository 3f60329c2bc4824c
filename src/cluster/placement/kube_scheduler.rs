//! As the scheduler of Kubernetes decides, with all rules of its default profile.

use super::{Change, Placement, PlacementPlugin, Placing};
use crate::cluster::node::{Node, NodeId, NodePool, PodRequest};
use crate::cluster::scheduling::{
    Amounts, Container, Labels, Lookup, NodeState, Owner, Pod, PodRequests, Profile, Requests, Scheduler,
};
use crate::cluster::service::ServiceSpec;
use crate::config::kubernetes::Release;
use crate::units::{Bytes, Millicores};

/// The entry in the list.
pub const PLUGIN: PlacementPlugin = PlacementPlugin {
    name: "kube-scheduler",
    summary: "as Kubernetes decides: emptiest, balanced and spread, weighed against each other; of 100 nodes and more, a sample",
    source: "kubernetes pkg/scheduler, default profile of 1.35 (balanced allocation by `kubernetes`)",
    build: |placing| Box::new(KubeScheduler::new(placing)),
};

const NAMESPACE: &str = "default";

/// The scheduler, with a copy of the nodes in its own terms. Every service is a ReplicaSet, so its pods are spread by the
/// default constraints; other rules apply as far as a scenario states what they look at.
pub struct KubeScheduler {
    scheduler: Scheduler,
    /// The ids of its nodes, in order.
    ids: Vec<NodeId>,
}

impl KubeScheduler {
    /// A scheduler for the pods of some services, without nodes.
    pub fn new(placing: &Placing<'_>) -> KubeScheduler {
        let mut lookup = Lookup::default();
        for spec in &placing.services {
            let pod = pod_of(spec);
            lookup.replica_sets.push(Owner {
                name: spec.name.clone(),
                namespace: NAMESPACE.into(),
                selector: pod.labels.clone(),
            });
            lookup.kind(pod);
        }
        let profile = Profile { balance_by_change: placing.release >= Release::V1_36, ..Profile::default() };
        KubeScheduler { scheduler: Scheduler::new(lookup, profile), ids: Vec::new() }
    }

    fn open(&mut self, id: NodeId, node: &Node, pool: &NodePool, zone: &str) {
        match self.ids.binary_search(&id) {
            Ok(index) => self.scheduler.cordon(index, false),
            Err(index) => {
                self.ids.insert(index, id);
                self.scheduler.join(index, state_of(node, pool, zone));
            }
        }
    }
}

impl Placement for KubeScheduler {
    fn choose(&mut self, pod: &PodRequest) -> Option<Option<NodeId>> {
        let index = self.scheduler.choose(pod.service as usize);
        Some(index.and_then(|index| self.ids.get(index).copied()))
    }

    fn tell(&mut self, change: Change<'_>) {
        match change {
            Change::Opened { id, node, pool, zone } => self.open(id, node, pool, zone),
            Change::Closed(id) => {
                if let Ok(index) = self.ids.binary_search(&id) {
                    self.scheduler.cordon(index, true);
                }
            }
            Change::Left(id) => {
                if let Ok(index) = self.ids.binary_search(&id) {
                    self.ids.remove(index);
                    self.scheduler.leave(index);
                }
            }
            Change::Bound(id, pod) => {
                if let Ok(index) = self.ids.binary_search(&id) {
                    self.scheduler.bind(index, pod.service as usize);
                }
            }
            Change::Released(id, pod) => {
                if let Ok(index) = self.ids.binary_search(&id) {
                    self.scheduler.release(index, pod.service as usize);
                }
            }
        }
    }
}

/// A node in the scheduler's terms.
fn state_of(node: &Node, pool: &NodePool, zone: &str) -> NodeState {
    let mut labels: Labels = [("kubernetes.io/hostname", node.name.as_str()), ("topology.kubernetes.io/zone", zone)]
        .into_iter()
        .chain([("node.kubernetes.io/instance-type", pool.instance.as_str())])
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect();
    labels.retain(|_, value| !value.is_empty());
    let mut allocatable = Amounts {
        cpu: signed(node.allocatable.cpu.get()),
        memory: signed(node.allocatable.memory.get()),
        ..Amounts::default()
    };
    pool.extended.iter().for_each(|(name, amount)| *allocatable.of_mut(name) = signed(*amount));
    NodeState {
        name: node.name.clone(),
        labels,
        allocatable,
        slots: node.allocatable.pods.into(),
        ..NodeState::default()
    }
}

fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

fn requests(cpu: Option<Millicores>, memory: Option<Bytes>) -> Requests {
    let stated = [("cpu", cpu.map(Millicores::get)), ("memory", memory.map(Bytes::get))];
    stated.into_iter().filter_map(|(name, amount)| Some((name.to_string(), signed(amount?)))).collect()
}

/// A pod of a service. What its init containers need, or its own manifest reserves otherwise, is stated so that the
/// scheduler reserves what the service says.
fn pod_of(spec: &ServiceSpec) -> Pod {
    let of = &spec.pod;
    let container = |requests: Requests| Container { requests, ..Container::default() };
    let mut containers: Vec<Container> =
        of.containers.iter().map(|asked| container(requests(asked.cpu, asked.memory))).collect();
    if containers.is_empty() {
        containers.push(container(requests(spec.cpu_request, spec.memory_request)));
    }
    containers[0].requests.extend(of.extended.iter().map(|(name, amount)| (name.clone(), signed(*amount))));
    let mut asked = PodRequests {
        containers,
        overhead: requests(Some(of.overhead.0), Some(of.overhead.1)),
        pod_level: requests(of.whole_cpu, of.whole_memory),
        ..PodRequests::default()
    };
    let (cpu, memory) = spec.scheduled();
    let reserved = asked.reserved();
    let beside = |amount: u64, overhead: u64| signed(amount.saturating_sub(overhead));
    let needed = [
        ("cpu", reserved.cpu, signed(cpu.get()), beside(cpu.get(), of.overhead.0.get())),
        ("memory", reserved.memory, signed(memory.get()), beside(memory.get(), of.overhead.1.get())),
    ];
    if needed.iter().any(|(_, reserved, wanted, _)| reserved < wanted) {
        let requests = needed.iter().map(|(name, .., own)| (name.to_string(), *own)).collect();
        asked.init_containers.push(container(requests));
    }
    for (name, reserved, wanted, own) in needed {
        if reserved > wanted || (reserved < wanted && asked.pod_level.contains_key(name)) {
            asked.pod_level.insert(name.to_string(), own);
        }
    }
    Pod {
        name: spec.name.clone(),
        namespace: NAMESPACE.into(),
        labels: [("app".to_string(), spec.name.clone())].into(),
        requests: asked,
        replica_set: Some(spec.name.clone()),
        ..Pod::default()
    }
}
