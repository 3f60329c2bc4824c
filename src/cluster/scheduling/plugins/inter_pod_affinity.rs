//! InterPodAffinity: pods that must, must not, would or would not run near each other.

use std::collections::BTreeMap;

use crate::cluster::scheduling::plugin::{Context, Filter, MAX_SCORE, Part, Plugin, Refusal, Score};
use crate::cluster::scheduling::pod::{Pod, PodAffinity, PodTerm};
use crate::cluster::scheduling::state::NodeState;

/// The weight of a required affinity of a running pod to the incoming one (`hardPodAffinityWeight`).
const HARD_WEIGHT: i64 = 1;

/// The plug-in (kubernetes `interpodaffinity/filtering.go` and `scoring.go`).
pub struct InterPodAffinity;

impl Plugin for InterPodAffinity {
    fn name(&self) -> &'static str {
        "InterPodAffinity"
    }

    fn weight(&self) -> i64 {
        2
    }

    fn filter<'a>(&self, context: Context<'a>) -> Part<Box<dyn Filter + 'a>> {
        let near = Near::new(context);
        let pod = context.pod();
        let nothing_asked = pod.pod_affinity.required.is_empty() && pod.pod_anti_affinity.required.is_empty();
        if nothing_asked && !near.others_object { Part::Skipped } else { Part::Takes(Box::new(near)) }
    }

    fn score<'a>(&self, context: Context<'a>, _: &[&'a NodeState]) -> Part<Box<dyn Score + 'a>> {
        let liked = Liked::new(context);
        if liked.0.is_empty() { Part::Skipped } else { Part::Takes(Box::new(liked)) }
    }
}

/// Whether a term of `owner` means `pod`.
fn means(context: &Context<'_>, owner: &Pod, term: &PodTerm, pod: &Pod) -> bool {
    let own = term.namespaces.is_empty() && term.namespace_selector.is_none();
    let listed = || term.namespaces.contains(&pod.namespace);
    let none = BTreeMap::new();
    let labels = context.lookup.namespace(&pod.namespace).unwrap_or(&none);
    let selected = || term.namespace_selector.as_ref().is_some_and(|selector| selector.selects(labels));
    ((own && owner.namespace == pod.namespace) || listed() || selected())
        && term.selector.as_ref().is_some_and(|selector| selector.selects(&pod.labels))
}

/// Whether all required terms mean `pod`.
fn all_mean(context: &Context<'_>, owner: &Pod, affinity: &PodAffinity, pod: &Pod) -> bool {
    !affinity.required.is_empty() && affinity.required.iter().all(|term| means(context, owner, term, pod))
}

/// A number by place: topology key and value.
#[derive(Default)]
struct ByPlace<'a>(BTreeMap<(&'a str, &'a str), i64>);

impl<'a> ByPlace<'a> {
    /// Adds to the place of a node; nothing if the node lacks the key.
    fn add(&mut self, key: &'a str, node: &'a NodeState, amount: i64) {
        if let Some(value) = node.labels.get(key) {
            *self.0.entry((key, value)).or_default() += amount;
        }
    }

    fn of(&self, key: &str, node: &NodeState) -> Option<i64> {
        let value = node.labels.get(key)?;
        Some(self.0.get(&(key, value.as_str())).copied().unwrap_or(0))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What the required terms look up.
struct Near<'a> {
    pod: &'a Pod,
    /// Pods that all required affinity terms mean.
    wanted: ByPlace<'a>,
    /// Pods that one of the anti-affinity terms means.
    unwanted: ByPlace<'a>,
    /// Pods one of whose required anti-affinity terms means the incoming pod.
    objecting: ByPlace<'a>,
    /// Whether any pod has a required anti-affinity that means the incoming one.
    others_object: bool,
    /// Whether the incoming pod is meant by all its own terms.
    wants_itself: bool,
}

impl<'a> Near<'a> {
    fn new(context: Context<'a>) -> Near<'a> {
        let pod = context.pod();
        let mut near = Near {
            pod,
            wanted: ByPlace::default(),
            unwanted: ByPlace::default(),
            objecting: ByPlace::default(),
            others_object: false,
            wants_itself: all_mean(&context, pod, &pod.pod_affinity, pod),
        };
        // What a kind of pod contributes: all the same for each of its pods.
        let kinds = context.by_kind(|kind| {
            let other = &kind.pod;
            let wanted = all_mean(&context, pod, &pod.pod_affinity, other);
            let meant = |term: &&'a PodTerm| means(&context, pod, term, other);
            let unwanted: Vec<&PodTerm> = pod.pod_anti_affinity.required.iter().filter(meant).collect();
            let objects = |term: &&'a PodTerm| means(&context, other, term, pod);
            let objecting: Vec<&PodTerm> = other.pod_anti_affinity.required.iter().filter(objects).collect();
            (wanted, unwanted, objecting)
        });
        let silent = |(wanted, unwanted, objecting): &(bool, Vec<_>, Vec<_>)| {
            !wanted && unwanted.is_empty() && objecting.is_empty()
        };
        if kinds.iter().all(silent) {
            return near;
        }
        for node in context.nodes.iter() {
            for (kind, count) in node.load.pods() {
                let ((wanted, unwanted, objecting), count) = (&kinds[*kind], i64::from(*count));
                if *wanted {
                    pod.pod_affinity.required.iter().for_each(|term| near.wanted.add(&term.topology_key, node, count));
                }
                unwanted.iter().for_each(|term| near.unwanted.add(&term.topology_key, node, count));
                objecting.iter().for_each(|term| near.objecting.add(&term.topology_key, node, count));
            }
        }
        near.others_object = !near.objecting.is_empty();
        near
    }

    fn is_near_all(&self, node: &NodeState) -> bool {
        let terms = &self.pod.pod_affinity.required;
        let counts = || terms.iter().map(|term| self.wanted.of(&term.topology_key, node));
        let has_keys = counts().all(|count| count.is_some());
        // The first of a group that wants to be together has nobody to go to.
        let is_first = || self.wanted.is_empty() && self.wants_itself;
        has_keys && (counts().flatten().all(|count| count > 0) || is_first())
    }
}

impl Filter for Near<'_> {
    fn refuse(&self, node: &NodeState) -> Option<Refusal> {
        if !self.is_near_all(node) {
            return Some(Refusal::for_good("node(s) didn't match pod affinity rules"));
        }
        let mut unwanted = self.pod.pod_anti_affinity.required.iter();
        if unwanted.any(|term| self.unwanted.of(&term.topology_key, node).is_some_and(|count| count > 0)) {
            return Some(Refusal::now("node(s) didn't match pod anti-affinity rules"));
        }
        let here = |((key, value), _): (&(&str, &str), _)| node.labels.get(*key).is_some_and(|label| label == value);
        let objects = !self.objecting.is_empty() && self.objecting.0.iter().any(here);
        objects.then(|| Refusal::now("node(s) didn't satisfy existing pods anti-affinity rules"))
    }
}

/// By place, how much the pod likes to run there, or is liked.
struct Liked<'a>(ByPlace<'a>);

impl<'a> Liked<'a> {
    fn new(context: Context<'a>) -> Liked<'a> {
        let pod = context.pod();
        let kinds = context.by_kind(|kind| weights(&context, pod, &kind.pod));
        let mut liked = ByPlace::default();
        if kinds.iter().all(Vec::is_empty) {
            return Liked(liked);
        }
        for node in context.nodes.iter() {
            for (kind, count) in node.load.pods() {
                for (key, weight) in &kinds[*kind] {
                    liked.add(key, node, weight * i64::from(*count));
                }
            }
        }
        Liked(liked)
    }
}

/// By topology key, what a running pod adds at its node's place.
fn weights<'a>(context: &Context<'_>, pod: &'a Pod, other: &'a Pod) -> Vec<(&'a str, i64)> {
    let mut weights = Vec::new();
    let mut add = |owner: &Pod, affinity: &'a PodAffinity, target: &Pod, sign: i64| {
        let meant = affinity.preferred.iter().filter(|preferred| means(context, owner, &preferred.term, target));
        weights.extend(meant.map(|preferred| (preferred.term.topology_key.as_str(), sign * preferred.weight)));
    };
    add(pod, &pod.pod_affinity, other, 1);
    add(pod, &pod.pod_anti_affinity, other, -1);
    add(other, &other.pod_affinity, pod, 1);
    add(other, &other.pod_anti_affinity, pod, -1);
    let required = other.pod_affinity.required.iter().filter(|term| means(context, other, term, pod));
    weights.extend(required.map(|term| (term.topology_key.as_str(), HARD_WEIGHT)));
    weights
}

impl Score for Liked<'_> {
    fn raw(&self, node: &NodeState) -> i64 {
        let here = |((key, value), _): &(&(&str, &str), &i64)| node.labels.get(*key).is_some_and(|own| own == value);
        self.0.0.iter().filter(here).map(|(_, weight)| *weight).sum()
    }

    fn normalize(&self, _: &[&NodeState], scores: &mut [i64]) {
        let least = scores.iter().copied().min().unwrap_or(0);
        let range = scores.iter().copied().max().unwrap_or(0) - least;
        for score in scores {
            let part = if range == 0 { 0.0 } else { (*score - least) as f64 / range as f64 };
            *score = (MAX_SCORE as f64 * part) as i64;
        }
    }
}
