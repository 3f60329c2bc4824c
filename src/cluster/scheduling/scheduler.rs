//! A cluster whose pods are placed one after the other.

use super::filtering::Filtering;
use super::plugin::Context;
use super::profile::Profile;
use super::relations::Relations;
use super::scoring::Scoring;
use super::state::{KindId, Lookup, NodeState, View};
use super::topology::Census;

/// With fewer nodes, all are looked at (`minFeasibleNodesToFind`).
const FEW_NODES: usize = 100;

/// How many nodes that do not refuse a pod are enough to choose from (`numFeasibleNodesToFind` in kubernetes
/// `scheduler/schedule_one.go`): all of up to 100, then a part that falls from 50% to 5%.
pub fn enough_nodes(nodes: usize) -> usize {
    let percent = 50_usize.saturating_sub(nodes / 125).max(5);
    if nodes < FEW_NODES { nodes } else { (nodes * percent / 100).max(FEW_NODES) }
}

/// The nodes with their pods, and where the last search ended.
#[derive(Debug, Clone, Default)]
pub struct Scheduler {
    nodes: Vec<NodeState>,
    lookup: Lookup,
    profile: Profile,
    census: Census,
    /// By kind, once a pod of it was to be placed.
    relations: Vec<Option<Relations>>,
    next: usize,
}

impl Scheduler {
    /// A scheduler without nodes, for pods of the kinds of `lookup`.
    pub fn new(lookup: Lookup, profile: Profile) -> Scheduler {
        let relations = vec![None; lookup.kinds.len()];
        Scheduler { lookup, profile, relations, ..Scheduler::default() }
    }

    /// The nodes.
    pub fn nodes(&self) -> &[NodeState] {
        &self.nodes
    }

    /// Adds a node at `index`; those from there on move back.
    pub fn join(&mut self, index: usize, mut node: NodeState) {
        self.lookup.topology.locate(&mut node);
        self.census.node(&node, 1);
        node.load.pods().iter().for_each(|(kind, count)| self.census.pods(&node, *kind, i64::from(*count)));
        self.nodes.insert(index.min(self.nodes.len()), node);
    }

    /// Removes the node at `index`; those behind it move up.
    pub fn leave(&mut self, index: usize) {
        if index < self.nodes.len() {
            let node = self.nodes.remove(index);
            self.census.node(&node, -1);
            node.load.pods().iter().for_each(|(kind, count)| self.census.pods(&node, *kind, -i64::from(*count)));
            self.next -= usize::from(index < self.next);
        }
    }

    /// Closes the node at `index` to new pods, or opens it again.
    pub fn cordon(&mut self, index: usize, closed: bool) {
        if let Some(node) = self.nodes.get_mut(index) {
            node.unschedulable = closed;
        }
    }

    /// Adds a pod to the node at `index`.
    pub fn bind(&mut self, index: usize, kind: KindId) {
        if let (Some(node), Some(of)) = (self.nodes.get_mut(index), self.lookup.kinds.get(kind)) {
            node.load.add(kind, of);
            self.census.pods(node, kind, 1);
        }
    }

    /// Removes a pod from the node at `index`; `false` if it has no such pod.
    pub fn release(&mut self, index: usize, kind: KindId) -> bool {
        let (Some(node), Some(of)) = (self.nodes.get_mut(index), self.lookup.kinds.get(kind)) else { return false };
        let had = node.load.remove(kind, of);
        if had {
            self.census.pods(node, kind, -1);
        }
        had
    }

    /// What the plug-ins are told about a pod of a kind.
    pub(super) fn context(&self, kind: KindId) -> Option<Context<'_>> {
        Some(Context {
            nodes: View::new(&self.nodes),
            lookup: &self.lookup,
            incoming: self.lookup.kinds.get(kind)?,
            relations: self.relations.get(kind)?.as_ref()?,
            profile: &self.profile,
            census: Some(&self.census),
        })
    }

    /// The node for a pod of a kind: of those with the highest total, the first from where the last search ended.
    /// (Upstream chooses at random.) `None` if every node refuses it.
    pub fn choose(&mut self, kind: KindId) -> Option<usize> {
        if let (Some(known @ None), Some(of)) = (self.relations.get_mut(kind), self.lookup.kinds.get(kind)) {
            *known = Some(Relations::of(&self.lookup, &of.pod));
        }
        let (chosen, end) = self.search(kind)?;
        self.next = end;
        chosen
    }

    /// The node for a pod, and where the search ended; `None` if there is no such kind of pod.
    fn search(&self, kind: KindId) -> Option<(Option<usize>, usize)> {
        let count = self.nodes.len();
        let start = if count < FEW_NODES { 0 } else { self.next % count };
        let enough = enough_nodes(count);
        let context = self.context(kind)?;
        let filtering = Filtering::new(context);
        let (mut places, mut feasible) = (Vec::with_capacity(enough), Vec::with_capacity(enough));
        let mut end = start;
        for index in (start..count).chain(0..start) {
            if places.len() == enough {
                break;
            }
            end = index + 1;
            if filtering.refusal(index).is_none() {
                places.push(index);
                feasible.push(&self.nodes[index]);
            }
        }
        let chosen = match places[..] {
            [] => None,
            [only] => Some(only),
            _ => Scoring::new(context, &feasible).first_best().map(|place| places[place]),
        };
        Some((chosen, end))
    }
}
