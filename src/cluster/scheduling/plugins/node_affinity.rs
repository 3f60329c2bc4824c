//! NodeAffinity: node selectors, required and preferred terms.

use std::collections::BTreeSet;

use crate::cluster::scheduling::plugin::{Context, Filter, Part, Plugin, Refusal, Score, normalize_by_largest};
use crate::cluster::scheduling::pod::{Pod, Weighted};
use crate::cluster::scheduling::selector::NodeTerm;
use crate::cluster::scheduling::state::NodeState;

/// The plug-in (kubernetes `nodeaffinity/node_affinity.go`).
pub struct NodeAffinity;

impl Plugin for NodeAffinity {
    fn name(&self) -> &'static str {
        "NodeAffinity"
    }

    fn weight(&self) -> i64 {
        2
    }

    fn filter<'a>(&self, context: Context<'a>) -> Part<Box<dyn Filter + 'a>> {
        let pod = context.pod();
        match pod.node_selector.is_empty() && pod.node_affinity.required.is_none() {
            true => Part::Skipped,
            false => Part::Takes(Box::new(Required(pod))),
        }
    }

    fn score<'a>(&self, context: Context<'a>, _: &[&'a NodeState]) -> Part<Box<dyn Score + 'a>> {
        match &context.pod().node_affinity.preferred[..] {
            [] => Part::Skipped,
            preferred => Part::Takes(Box::new(Preferred(preferred))),
        }
    }
}

struct Required<'a>(&'a Pod);

impl Filter for Required<'_> {
    fn refuse(&self, node: &NodeState) -> Option<Refusal> {
        let admitted = self.0.admits(&node.name, &node.labels);
        (!admitted).then(|| Refusal::for_good("node(s) didn't match Pod's node affinity/selector"))
    }

    /// If every term names nodes, the nodes named.
    fn only(&self) -> Option<Vec<String>> {
        let terms = self.0.node_affinity.required.as_ref().filter(|terms| !terms.is_empty())?;
        let mut names = BTreeSet::new();
        for term in terms {
            names.extend(term.named_nodes()?);
        }
        Some(names.into_iter().map(String::from).collect())
    }
}

struct Preferred<'a>(&'a [Weighted<NodeTerm>]);

impl Score for Preferred<'_> {
    fn raw(&self, node: &NodeState) -> i64 {
        let matching = self.0.iter().filter(|preferred| preferred.term.matches(&node.name, &node.labels));
        matching.map(|preferred| preferred.weight).sum()
    }

    fn normalize(&self, _: &[&NodeState], scores: &mut [i64]) {
        normalize_by_largest(scores, false);
    }
}
