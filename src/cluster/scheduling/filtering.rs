//! Which nodes are refused, by whom, and why.

use std::collections::{BTreeMap, BTreeSet};

use super::plugin::{Context, Filter, Part, Refusal};
use super::plugins::PLUGINS;
use super::state::{NodeState, View};

/// The first step: which nodes are refused, by whom, and why.
pub struct Filtering<'a> {
    context: Context<'a>,
    filters: Vec<(&'static str, Box<dyn Filter + 'a>)>,
    skipped: Vec<&'static str>,
    /// The plug-in that names the only nodes to be looked at, and their names.
    only: Option<(&'static str, BTreeSet<String>)>,
}

impl<'a> Filtering<'a> {
    /// Asks every plug-in what it needs to know for this pod.
    pub fn new(context: Context<'a>) -> Filtering<'a> {
        let mut filtering = Filtering { context, filters: Vec::new(), skipped: Vec::new(), only: None };
        for plugin in PLUGINS {
            match plugin.filter(context) {
                Part::None => {}
                Part::Skipped => filtering.skipped.push(plugin.name()),
                Part::Takes(filter) => filtering.filters.push((plugin.name(), filter)),
            }
        }
        for (name, filter) in &filtering.filters {
            if let Some(names) = filter.only() {
                let names: BTreeSet<String> = names.into_iter().collect();
                let both = match &filtering.only {
                    Some((_, known)) => known.intersection(&names).cloned().collect(),
                    None => names,
                };
                filtering.only = Some((name, both));
            }
        }
        filtering
    }

    /// The same plug-ins with a changed cluster. What had nothing to say is not asked again, as upstream.
    pub(super) fn again(&self, nodes: View<'a>) -> Filtering<'a> {
        let context = Context { nodes, census: None, ..self.context };
        let asked = PLUGINS.iter().filter(|plugin| !self.skipped.contains(&plugin.name()));
        let filters = asked.filter_map(|plugin| Some((plugin.name(), plugin.filter(context).taken()?))).collect();
        Filtering { context, filters, skipped: self.skipped.clone(), only: None }
    }

    /// What it knows.
    pub fn context(&self) -> Context<'a> {
        self.context
    }

    /// The plug-ins that have nothing to say about this pod.
    pub fn skipped(&self) -> &[&'static str] {
        &self.skipped
    }

    /// The first plug-in that refuses a node, and why; `None` if none does. Where room was made for other waiting pods
    /// of at least the same priority, a node must do both with and without them.
    pub fn refusal(&self, index: usize) -> Option<(&'static str, Refusal)> {
        let node = self.context.nodes.node(index);
        if let Some(plugin) = self.leaves_out(node) {
            return Some((plugin, Refusal::for_good("excluded by PreFilter")));
        }
        self.with_nominated(index, node).or_else(|| self.first_refusal(node))
    }

    /// The plug-in that leaves a node out before any is looked at.
    fn leaves_out(&self, node: &NodeState) -> Option<&'static str> {
        let (name, only) = self.only.as_ref()?;
        (!only.contains(&node.name)).then_some(*name)
    }

    pub(super) fn with_nominated(&self, index: usize, node: &NodeState) -> Option<(&'static str, Refusal)> {
        let lookup = self.context.lookup;
        let priority = self.context.pod().priority;
        let here = lookup.nominated.iter().filter(|(node, _)| *node == index).map(|(_, kind)| *kind);
        let mut counted = here.filter(|kind| lookup.kinds[*kind].pod.priority >= priority).peekable();
        counted.peek()?;
        let mut changed = node.clone();
        counted.for_each(|kind| changed.load.add(kind, &lookup.kinds[kind]));
        self.asked_again(index, &changed)
    }

    /// The first refusal with `node` in place of that at `index`.
    fn asked_again(&self, index: usize, node: &NodeState) -> Option<(&'static str, Refusal)> {
        let shorter: &Filtering<'_> = self;
        shorter.again(shorter.context.nodes.with(index, node)).first_refusal(node)
    }

    pub(super) fn first_refusal(&self, node: &NodeState) -> Option<(&'static str, Refusal)> {
        self.filters.iter().find_map(|(name, filter)| Some((*name, filter.refuse(node)?)))
    }

    /// Every plug-in that refuses a node, asked one by one; if it is left out from the start, the one that does that.
    pub fn all_refusals(&self, index: usize) -> Vec<&'static str> {
        let node = self.context.nodes.node(index);
        if let Some(plugin) = self.leaves_out(node) {
            return vec![plugin];
        }
        self.filters.iter().filter(|(_, filter)| filter.refuse(node).is_some()).map(|(name, _)| *name).collect()
    }

    /// Why each node is refused.
    pub fn refusals(&self) -> Vec<Option<(&'static str, Refusal)>> {
        (0..self.context.nodes.len()).map(|index| self.refusal(index)).collect()
    }
}

/// How many nodes refuse for each reason, as upstream says it: "0/3 nodes are available: 1 Too many pods, 2 Insufficient
/// cpu." A node with several reasons counts for each. Upstream sorts the texts, so that "10 ..." precedes "2 ...".
pub fn explained<'r>(nodes: usize, reasons: impl Iterator<Item = &'r str>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    reasons.for_each(|reason| *counts.entry(reason).or_default() += 1);
    let mut texts: Vec<String> = counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    texts.sort();
    format!("0/{nodes} nodes are available: {}.", texts.join(", "))
}
