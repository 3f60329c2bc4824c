//! How many new nodes of a group waiting pods need: bin packing by simulated scheduling
//! (kubernetes/autoscaler `cluster-autoscaler/estimator/binpacking_estimator.go`, of 1.36).

use crate::cluster::scheduling::{
    Context, Filtering, KindId, Lookup, NodeState, Pod, Profile, Refusal, Relations, Selector, View,
};

const HOSTNAME: &str = "kubernetes.io/hostname";
const SKEWED: &str = "node(s) didn't match pod topology spread constraints";

/// Equal pods that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// One of them.
    pub pod: Pod,
    /// How many.
    pub count: usize,
}

/// A new node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    /// The node, without pods. Its host name label is set for each copy.
    pub node: NodeState,
    /// The pods that run on every one: those of DaemonSets.
    pub daemons: Vec<Pod>,
}

/// The outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    /// New nodes with at least one of the pods.
    pub nodes: usize,
    /// By group, how many of its pods they take.
    pub scheduled: Vec<usize>,
}

/// The number of copies of `template`, at most `limit`, that take pods of `groups`, and how many pods these are. The groups
/// with the largest share of a node come first, and each pod goes to the first new node that takes it.
///
/// With `fast` (`--fastpath-binpacking-enabled`) the group that benefits most comes last, and of its pods one node is
/// filled by simulation and the rest divided by what it took.
pub fn estimate(template: &Template, groups: &[Group], limit: Option<usize>, fast: bool) -> Estimate {
    let mut order: Vec<usize> = (0..groups.len()).collect();
    let share = |index: usize| share_of(&groups[index].pod, &template.node);
    order.sort_by(|a, b| share(*b).total_cmp(&share(*a)));
    let last = if fast { gains_most(&order, groups, &template.node) } else { None };
    if let Some(place) = last {
        let moved = order.remove(place);
        order.push(moved);
    }
    let mut packing = Packing::new(template, groups, limit);
    let mut may_add = true;
    for (turn, group) in order.iter().enumerate() {
        let left = packing.onto_present(*group, groups[*group].count);
        may_add = may_add
            && match last.is_some() && turn + 1 == order.len() {
                true => packing.by_division(*group, left),
                false => packing.onto_new(*group, left),
            };
    }
    let nodes = packing.taking.iter().filter(|taking| **taking).count() + packing.counted;
    Estimate { nodes, scheduled: packing.scheduled }
}

/// The share of a node's CPU and of its memory, added up, that a pod's containers request.
fn share_of(pod: &Pod, node: &NodeState) -> f64 {
    let share = |name: &str, has: i64| {
        let containers = pod.requests.containers.iter();
        let asked: i64 = containers.filter_map(|container| container.requests.get(name)).sum();
        if has > 0 { asked as f64 / has as f64 } else { 0.0 }
    };
    share("cpu", node.allocatable.cpu) + share("memory", node.allocatable.memory)
}

/// The place in `order` of the group whose packing by division saves the most simulation, the last of equals: pods less pods
/// per node, by a rough number of nodes. Only groups that may be divided: without spread constraints, and without
/// anti-affinity beyond a node.
fn gains_most(order: &[usize], groups: &[Group], node: &NodeState) -> Option<usize> {
    let (mut best, mut most) = (None, 0);
    for (place, group) in order.iter().map(|index| &groups[*index]).enumerate() {
        let (pod, count) = (&group.pod, group.count);
        let rough = |name: &str, has: i64| {
            let asked = pod.requests.containers.first().and_then(|container| container.requests.get(name)).copied();
            // Upstream divides cores, not thousandths; for bytes it is the same.
            let unit = if name == "cpu" { 1000.0 } else { 1.0 };
            let nodes = count as f64 * (asked.unwrap_or(0) as f64 / unit) / (has as f64 / unit);
            nodes.ceil() as usize
        };
        let terms = &pod.pod_anti_affinity.required;
        let selects = |selector: &Selector| selector.selects(&pod.labels);
        let apart =
            terms.iter().any(|term| term.topology_key == HOSTNAME && term.selector.as_ref().is_some_and(selects));
        let by_size = rough("cpu", node.allocatable.cpu).max(rough("memory", node.allocatable.memory));
        let nodes = by_size.max(if apart { count } else { 0 });
        let saved = count - count.checked_div(nodes).unwrap_or(count);
        let divides = pod.spread.is_empty() && terms.iter().all(|term| term.topology_key == HOSTNAME);
        if saved >= most && divides {
            (best, most) = (Some(place), saved);
        }
    }
    best
}

/// New nodes while they are filled.
struct Packing<'t> {
    template: &'t Template,
    lookup: Lookup,
    relations: Vec<Relations>,
    daemons: Vec<KindId>,
    profile: Profile,
    limit: Option<usize>,
    added: usize,
    nodes: Vec<NodeState>,
    /// By node, whether it has one of the pods.
    taking: Vec<bool>,
    /// Nodes counted by division, without simulation.
    counted: usize,
    scheduled: Vec<usize>,
}

impl<'t> Packing<'t> {
    fn new(template: &'t Template, groups: &[Group], limit: Option<usize>) -> Packing<'t> {
        let mut lookup = Lookup::default();
        groups.iter().for_each(|group| {
            lookup.kind(group.pod.clone());
        });
        let daemons = template.daemons.iter().map(|pod| lookup.kind(pod.clone())).collect();
        Packing {
            relations: groups.iter().map(|group| Relations::of(&lookup, &group.pod)).collect(),
            template,
            lookup,
            daemons,
            profile: Profile::default(),
            limit,
            added: 0,
            nodes: Vec::new(),
            taking: Vec::new(),
            counted: 0,
            scheduled: vec![0; groups.len()],
        }
    }

    /// Why a node does not take a pod of a group, which it otherwise does.
    fn put(&mut self, group: usize, node: usize) -> Result<(), Refusal> {
        let context = Context {
            nodes: View::new(&self.nodes),
            lookup: &self.lookup,
            incoming: &self.lookup.kinds[group],
            relations: &self.relations[group],
            profile: &self.profile,
            census: None,
        };
        if let Some((_, refusal)) = Filtering::new(context).refusal(node) {
            return Err(refusal);
        }
        self.nodes[node].load.add(group, &self.lookup.kinds[group]);
        self.taking[node] = true;
        self.scheduled[group] += 1;
        Ok(())
    }

    fn put_on_any(&mut self, group: usize, except: Option<usize>) -> bool {
        (0..self.nodes.len()).any(|node| Some(node) != except && self.put(group, node).is_ok())
    }

    /// Places pods on nodes that are there until one does not fit; how many are left.
    fn onto_present(&mut self, group: usize, count: usize) -> usize {
        (0..count).find(|_| !self.put_on_any(group, None)).map_or(0, |placed| count - placed)
    }

    /// Whether the limit permits another node.
    fn permits(&mut self) -> bool {
        let permitted = self.limit.is_none_or(|limit| self.added < limit);
        self.added += usize::from(permitted);
        permitted
    }

    fn add_node(&mut self) -> usize {
        let name = format!("new-{}", self.nodes.len());
        let mut node = NodeState { name: name.clone(), ..self.template.node.clone() };
        node.labels.insert(HOSTNAME.to_string(), name);
        for kind in &self.daemons {
            node.load.add(*kind, &self.lookup.kinds[*kind]);
        }
        self.lookup.topology.locate(&mut node);
        self.nodes.push(node);
        self.taking.push(false);
        self.nodes.len() - 1
    }

    /// Places pods on the last node, and on further ones; whether nodes may still be added.
    fn onto_new(&mut self, group: usize, count: usize) -> bool {
        let by_host = self.lookup.kinds[group].pod.spread.iter().any(|constraint| constraint.topology_key == HOSTNAME);
        for _ in 0..count {
            if let Some(last) = self.nodes.len().checked_sub(1) {
                let Err(refusal) = self.put(group, last) else { continue };
                // An earlier node may have room again by now: a new one lowered the lowest count.
                let skewed = by_host && refusal.reasons.iter().any(|reason| reason == SKEWED);
                if skewed && self.put_on_any(group, Some(last)) {
                    continue;
                }
                // What an empty node does not take, another one would not either.
                if !self.taking[last] {
                    return true;
                }
            }
            if !self.permits() {
                return false;
            }
            let node = self.add_node();
            if self.put(group, node).is_err() {
                return true;
            }
        }
        true
    }

    /// Fills one new node and counts as many more as the others need; whether nodes may still be added.
    fn by_division(&mut self, group: usize, count: usize) -> bool {
        if count == 0 {
            return true;
        }
        if !self.permits() {
            return false;
        }
        let node = self.add_node();
        let each = (0..count).find(|_| self.put(group, node).is_err()).unwrap_or(count);
        let mut left = count - each;
        while left > 0 && each > 0 {
            if !self.permits() {
                return false;
            }
            let taken = each.min(left);
            self.counted += 1;
            self.scheduled[group] += taken;
            left -= taken;
        }
        true
    }
}
