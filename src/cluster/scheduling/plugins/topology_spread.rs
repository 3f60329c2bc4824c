//! PodTopologySpread: pods of a kind are spread over zones, nodes, or other places.

use std::collections::BTreeMap;

use super::taint_toleration;
use crate::cluster::scheduling::plugin::{Context, Filter, MAX_SCORE, Part, Plugin, Refusal, Score};
use crate::cluster::scheduling::pod::{Pod, SpreadConstraint};
use crate::cluster::scheduling::selector::{Operator, Requirement, Selector, has_all};
use crate::cluster::scheduling::state::{NodeState, Owner};

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// The plug-in (kubernetes `podtopologyspread/filtering.go` and `scoring.go`).
pub struct PodTopologySpread;

impl Plugin for PodTopologySpread {
    fn name(&self) -> &'static str {
        "PodTopologySpread"
    }

    fn weight(&self) -> i64 {
        2
    }

    fn filter<'a>(&self, context: Context<'a>) -> Part<Box<dyn Filter + 'a>> {
        match context.pod().spread.iter().any(|constraint| constraint.is_hard) {
            true => Part::Takes(Box::new(Hard::new(context))),
            false => Part::Skipped,
        }
    }

    fn score<'a>(&self, context: Context<'a>, feasible: &[&'a NodeState]) -> Part<Box<dyn Score + 'a>> {
        let soft = Soft::new(context, feasible);
        if soft.constraints.is_empty() { Part::Skipped } else { Part::Takes(Box::new(soft)) }
    }
}

/// Whether a node is counted by a constraint.
fn counts_node(pod: &Pod, constraint: &SpreadConstraint, node: &NodeState) -> bool {
    (!constraint.honor_affinity || pod.admits(&node.name, &node.labels))
        && (!constraint.honor_taints || taint_toleration::admits(&pod.tolerations, &node.taints))
}

/// Whether a node has all keys.
fn has_keys<'a>(constraints: impl IntoIterator<Item = &'a SpreadConstraint>, node: &NodeState) -> bool {
    constraints.into_iter().all(|constraint| node.labels.contains_key(&constraint.topology_key))
}

/// By kind of pod, whether its pods are counted.
fn counted_kinds(context: &Context<'_>, constraint: &SpreadConstraint) -> Vec<bool> {
    let pod = context.pod();
    context.by_kind(|kind| {
        let other = &kind.pod;
        other.namespace == pod.namespace && !other.terminating && constraint.counts(&pod.labels, &other.labels)
    })
}

fn count_on(kinds: &[bool], node: &NodeState) -> i64 {
    node.load.pods().iter().filter(|(kind, _)| kinds[*kind]).map(|(_, count)| i64::from(*count)).sum()
}

/// A hard constraint with its counts.
struct Counted<'a> {
    constraint: &'a SpreadConstraint,
    by_value: BTreeMap<&'a str, i64>,
    /// The lowest count; `None` if nothing is counted at all.
    low: Option<i64>,
    /// One if the pod would be counted itself.
    itself: i64,
}

struct Hard<'a>(Vec<Counted<'a>>);

impl<'a> Hard<'a> {
    fn new(context: Context<'a>) -> Hard<'a> {
        let pod = context.pod();
        let hard = || pod.spread.iter().filter(|constraint| constraint.is_hard);
        let counted = |constraint: &'a SpreadConstraint| {
            let kinds = counted_kinds(&context, constraint);
            let mut by_value: BTreeMap<&str, i64> = BTreeMap::new();
            for node in context.nodes.iter().filter(|node| has_keys(hard(), node)) {
                if let Some(value) = node.labels.get(&constraint.topology_key)
                    && counts_node(pod, constraint, node)
                {
                    *by_value.entry(value).or_default() += count_on(&kinds, node);
                }
            }
            let few = by_value.len() < constraint.min_domains;
            let low = if few { Some(0) } else { by_value.values().copied().min() };
            let itself = i64::from(constraint.selects(&pod.labels, &pod.labels));
            Counted { constraint, by_value, low, itself }
        };
        Hard(hard().map(counted).collect())
    }
}

impl Filter for Hard<'_> {
    fn refuse(&self, node: &NodeState) -> Option<Refusal> {
        for counted in &self.0 {
            let Some(value) = node.labels.get(&counted.constraint.topology_key) else {
                return Some(Refusal::for_good(
                    "node(s) didn't match pod topology spread constraints (missing required label)",
                ));
            };
            let count = counted.by_value.get(value.as_str()).copied().unwrap_or(0);
            if counted.low.is_some_and(|low| count + counted.itself - low > counted.constraint.max_skew) {
                return Some(Refusal::now("node(s) didn't match pod topology spread constraints"));
            }
        }
        None
    }
}

/// The constraints of pods without their own (`systemDefaultConstraints`), with a selector of all the labels of the
/// services that select the pod and of the ReplicaSet that owns it (`DefaultSelector` in kubernetes `helper/spread.go`);
/// none if that is empty.
fn default_constraints(context: &Context<'_>) -> Vec<SpreadConstraint> {
    let (pod, lookup) = (context.pod(), context.lookup);
    let here = |owner: &&Owner| owner.namespace == pod.namespace;
    let services = lookup.services.iter().filter(here).filter(|service| has_all(&pod.labels, &service.selector));
    let owners = lookup.replica_sets.iter().filter(here).filter(|set| pod.replica_set.as_ref() == Some(&set.name));
    let equal = |(key, value): (&String, &String)| Requirement {
        key: key.clone(),
        operator: Operator::In,
        values: vec![value.clone()],
    };
    let selector = Selector {
        labels: services.flat_map(|service| service.selector.clone()).collect(),
        requirements: owners.flat_map(|set| set.selector.iter().map(equal)).collect(),
    };
    if selector.is_empty() {
        return Vec::new();
    }
    let selector = Some(selector);
    let of =
        |max_skew, key| SpreadConstraint { selector: selector.clone(), ..SpreadConstraint::new(max_skew, key, false) };
    vec![of(3, HOSTNAME), of(5, ZONE)]
}

/// A soft constraint with what scoring looks up.
struct Weighed<'a> {
    constraint: SpreadConstraint,
    kinds: Vec<bool>,
    /// Counts by value; unused for hostnames, which are counted on the node itself.
    by_value: BTreeMap<&'a str, i64>,
    weight: f64,
}

struct Soft<'a> {
    constraints: Vec<Weighed<'a>>,
    /// Whether a node that lacks a key is left out: not by default constraints.
    needs_keys: bool,
}

impl<'a> Soft<'a> {
    fn new(context: Context<'a>, feasible: &[&'a NodeState]) -> Soft<'a> {
        let pod = context.pod();
        let needs_keys = !pod.spread.is_empty();
        let constraints = match needs_keys {
            true => pod.spread.iter().filter(|constraint| !constraint.is_hard).cloned().collect(),
            false => default_constraints(&context),
        };
        let all_keys = |node: &NodeState| !needs_keys || has_keys(&constraints, node);
        let scored: Vec<&NodeState> = feasible.iter().copied().filter(|node| all_keys(node)).collect();
        let weighed = |constraint: &SpreadConstraint| {
            let kinds = counted_kinds(&context, constraint);
            let key = constraint.topology_key.as_str();
            if key == HOSTNAME {
                let weight = weight(scored.len());
                return Weighed { constraint: constraint.clone(), kinds, by_value: BTreeMap::new(), weight };
            }
            // A node without the key stands for a place without a name.
            let place = |node: &'a NodeState| node.labels.get(key).map_or("", String::as_str);
            let mut by_value: BTreeMap<&str, i64> = scored.iter().map(|node| (place(node), 0)).collect();
            let weight = weight(by_value.len());
            for node in context.nodes.iter().filter(|node| all_keys(node)) {
                if let Some(count) = by_value.get_mut(place(node))
                    && counts_node(pod, constraint, node)
                {
                    *count += count_on(&kinds, node);
                }
            }
            Weighed { constraint: constraint.clone(), kinds, by_value, weight }
        };
        Soft { constraints: constraints.iter().map(weighed).collect(), needs_keys }
    }

    fn is_left_out(&self, node: &NodeState) -> bool {
        self.needs_keys && !has_keys(self.constraints.iter().map(|weighed| &weighed.constraint), node)
    }
}

/// Keeps many small places from outweighing a few large ones.
fn weight(places: usize) -> f64 {
    (places as f64 + 2.0).ln()
}

impl Score for Soft<'_> {
    fn raw(&self, node: &NodeState) -> i64 {
        if self.is_left_out(node) {
            return 0;
        }
        let mut sum = 0.0;
        for Weighed { constraint, kinds, by_value, weight } in &self.constraints {
            let Some(value) = node.labels.get(&constraint.topology_key) else { continue };
            let count = match constraint.topology_key.as_str() {
                HOSTNAME => count_on(kinds, node),
                _ => by_value.get(value.as_str()).copied().unwrap_or(0),
            };
            sum += count as f64 * weight + (constraint.max_skew - 1) as f64;
        }
        sum.round() as i64
    }

    fn normalize(&self, nodes: &[&NodeState], scores: &mut [i64]) {
        let mut counted: Vec<&mut i64> = Vec::with_capacity(scores.len());
        for (node, score) in nodes.iter().zip(scores) {
            if self.is_left_out(node) {
                *score = 0;
            } else {
                counted.push(score);
            }
        }
        let least = counted.iter().map(|score| **score).min().unwrap_or(0);
        let most = counted.iter().map(|score| **score).max().unwrap_or(0);
        for score in counted {
            *score = if most == 0 { MAX_SCORE } else { MAX_SCORE * (most + least - *score) / most };
        }
    }
}
