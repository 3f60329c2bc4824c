//! InterPodAffinity: pods that must, must not, would or would not run near each other.

use std::collections::BTreeMap;

use crate::cluster::scheduling::plugin::{Context, Filter, MAX_SCORE, Part, Plugin, Refusal, Score};
use crate::cluster::scheduling::relations::Relations;
use crate::cluster::scheduling::state::NodeState;
use crate::cluster::scheduling::topology::KeyId;

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
        let asks = !(near.relations.wanted_keys.is_empty() && near.relations.unwanted_keys.is_empty());
        if asks || !near.objecting.is_empty() { Part::Takes(Box::new(near)) } else { Part::Skipped }
    }

    fn score<'a>(&self, context: Context<'a>, _: &[&'a NodeState]) -> Part<Box<dyn Score + 'a>> {
        let liked = Liked::new(context);
        if liked.0.is_empty() { Part::Skipped } else { Part::Takes(Box::new(liked)) }
    }
}

/// A number by place, for some topology keys.
#[derive(Default)]
struct ByPlace(BTreeMap<KeyId, Vec<i64>>);

impl ByPlace {
    /// Adds to the place of a node; nothing if the node lacks the key.
    fn add(&mut self, key: KeyId, node: &NodeState, amount: i64) {
        if let Some(place) = node.place(key) {
            let values = self.0.entry(key).or_default();
            values.resize(values.len().max(place + 1), 0);
            values[place] += amount;
        }
    }

    /// The number at a node's place; `None` if the node lacks the key.
    fn of(&self, key: KeyId, node: &NodeState) -> Option<i64> {
        let place = node.place(key)?;
        Some(self.0.get(&key).and_then(|values| values.get(place)).copied().unwrap_or(0))
    }

    /// The numbers at all of a node's places.
    fn at(&self, node: &NodeState) -> impl Iterator<Item = i64> {
        self.0.keys().filter_map(|key| self.of(*key, node))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What the required terms look up.
struct Near<'a> {
    relations: &'a Relations,
    /// Pods that all required affinity terms mean.
    wanted: ByPlace,
    /// Pods that one of the anti-affinity terms means.
    unwanted: ByPlace,
    /// Pods one of whose required anti-affinity terms means the incoming pod.
    objecting: ByPlace,
}

impl<'a> Near<'a> {
    fn new(context: Context<'a>) -> Near<'a> {
        let relations = context.relations;
        let none = ByPlace::default;
        let mut near = Near { relations, wanted: none(), unwanted: none(), objecting: none() };
        if relations.near.is_empty() {
            return near;
        }
        for node in context.nodes.iter() {
            for (kind, count) in node.load.pods() {
                let (of, count) = (&relations.near[*kind], i64::from(*count));
                if of.wanted {
                    relations.wanted_keys.iter().for_each(|key| near.wanted.add(*key, node, count));
                }
                of.unwanted.iter().for_each(|key| near.unwanted.add(*key, node, count));
                of.objecting.iter().for_each(|key| near.objecting.add(*key, node, count));
            }
        }
        near
    }

    fn is_near_all(&self, node: &NodeState) -> bool {
        let counts = || self.relations.wanted_keys.iter().map(|key| self.wanted.of(*key, node));
        let has_keys = counts().all(|count| count.is_some());
        // The first of a group that wants to be together has nobody to go to.
        let is_first = || self.wanted.is_empty() && self.relations.wants_itself;
        has_keys && (counts().flatten().all(|count| count > 0) || is_first())
    }
}

impl Filter for Near<'_> {
    fn refuse(&self, node: &NodeState) -> Option<Refusal> {
        if !self.is_near_all(node) {
            return Some(Refusal::for_good("node(s) didn't match pod affinity rules"));
        }
        let mut unwanted = self.relations.unwanted_keys.iter();
        if unwanted.any(|key| self.unwanted.of(*key, node).is_some_and(|count| count > 0)) {
            return Some(Refusal::now("node(s) didn't match pod anti-affinity rules"));
        }
        let objects = self.objecting.at(node).any(|count| count > 0);
        objects.then(|| Refusal::now("node(s) didn't satisfy existing pods anti-affinity rules"))
    }
}

/// By place, how much the pod likes to run there, or is liked.
struct Liked(ByPlace);

impl Liked {
    fn new(context: Context<'_>) -> Liked {
        let kinds = &context.relations.liked;
        let mut liked = ByPlace::default();
        if kinds.is_empty() {
            return Liked(liked);
        }
        for node in context.nodes.iter() {
            for (kind, count) in node.load.pods() {
                for (key, weight) in &kinds[*kind] {
                    liked.add(*key, node, weight * i64::from(*count));
                }
            }
        }
        Liked(liked)
    }
}

impl Score for Liked {
    fn raw(&self, node: &NodeState) -> i64 {
        self.0.at(node).sum()
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
