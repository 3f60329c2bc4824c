//! PodTopologySpread: pods of a kind are spread over zones, nodes, or other places.

use super::taint_toleration;
use crate::cluster::scheduling::plugin::{Context, Filter, MAX_SCORE, Part, Plugin, Refusal, Score};
use crate::cluster::scheduling::relations::Spread;
use crate::cluster::scheduling::state::NodeState;
use crate::cluster::scheduling::topology::{Census, Topology};

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
        match &context.relations.hard[..] {
            [] => Part::Skipped,
            hard => Part::Takes(Box::new(Hard(hard.iter().map(|spread| Counted::new(context, spread)).collect()))),
        }
    }

    fn score<'a>(&self, context: Context<'a>, feasible: &[&'a NodeState]) -> Part<Box<dyn Score + 'a>> {
        match &context.relations.soft[..] {
            [] => Part::Skipped,
            soft => Part::Takes(Box::new(Soft::new(context, soft, feasible))),
        }
    }
}

/// Whether a node has all keys.
fn has_keys(spreads: &[Spread], node: &NodeState) -> bool {
    spreads.iter().all(|spread| node.place(spread.key).is_some())
}

fn count_on(spread: &Spread, node: &NodeState) -> i64 {
    let counted = node.load.pods().iter().filter(|(kind, _)| spread.is_counted[*kind]);
    counted.map(|(_, count)| i64::from(*count)).sum()
}

/// By value of a constraint's key, the pods that it counts; `None` where no node is counted. `all` are the constraints
/// whose keys a counted node must have.
fn by_value(context: Context<'_>, spread: &Spread, all: &[Spread]) -> Vec<Option<i64>> {
    let (pod, constraint) = (context.pod(), &spread.constraint);
    let mut counts = vec![None; context.lookup.topology.values(spread.key)];
    let any_node = (pod.admits_all() || !constraint.honor_affinity) && !constraint.honor_taints;
    let kept = |census: &&Census| {
        any_node && spread.key != Topology::HOSTNAME && all.iter().all(|other| census.all_have(other.key))
    };
    if let Some(census) = context.census.filter(kept) {
        for (count, _) in counts.iter_mut().zip(census.nodes(spread.key)).filter(|(_, nodes)| **nodes > 0) {
            *count = Some(0);
        }
        for kind in &spread.kinds {
            let here = counts.iter_mut().zip(census.by_value(*kind, spread.key));
            here.for_each(|(sum, count)| *sum = sum.map(|sum| sum + count));
        }
        return counts;
    }
    for node in context.nodes.iter().filter(|node| has_keys(all, node)) {
        let admitted = !constraint.honor_affinity || pod.admits(&node.name, &node.labels);
        let tolerated = !constraint.honor_taints || taint_toleration::admits(&pod.tolerations, &node.taints);
        if let Some(place) = node.place(spread.key).filter(|_| admitted && tolerated) {
            *counts[place].get_or_insert(0) += count_on(spread, node);
        }
    }
    counts
}

/// A hard constraint with its counts.
struct Counted<'a> {
    spread: &'a Spread,
    by_value: Vec<Option<i64>>,
    /// The lowest count; `None` if nothing is counted at all.
    low: Option<i64>,
}

impl<'a> Counted<'a> {
    fn new(context: Context<'a>, spread: &'a Spread) -> Counted<'a> {
        let by_value = by_value(context, spread, &context.relations.hard);
        let counted = || by_value.iter().flatten().copied();
        let few = counted().count() < spread.constraint.min_domains;
        let low = if few { Some(0) } else { counted().min() };
        Counted { spread, by_value, low }
    }
}

struct Hard<'a>(Vec<Counted<'a>>);

impl Filter for Hard<'_> {
    fn refuse(&self, node: &NodeState) -> Option<Refusal> {
        for Counted { spread, by_value, low } in &self.0 {
            let Some(place) = node.place(spread.key) else {
                let reason = "node(s) didn't match pod topology spread constraints (missing required label)";
                return Some(Refusal::for_good(reason));
            };
            let count = by_value.get(place).copied().flatten().unwrap_or(0);
            if low.is_some_and(|low| count + spread.itself - low > spread.constraint.max_skew) {
                return Some(Refusal::now("node(s) didn't match pod topology spread constraints"));
            }
        }
        None
    }
}

/// A soft constraint with what scoring looks up.
struct Weighed<'a> {
    spread: &'a Spread,
    /// Counts by value; unused for hostnames, which are counted on the node itself.
    by_value: Vec<Option<i64>>,
    weight: f64,
}

struct Soft<'a> {
    constraints: Vec<Weighed<'a>>,
    /// The constraints whose keys a node must have to be scored: the pod's own.
    needed: &'a [Spread],
}

impl<'a> Soft<'a> {
    fn new(context: Context<'a>, soft: &'a [Spread], feasible: &[&'a NodeState]) -> Soft<'a> {
        let needed = if context.relations.needs_keys { soft } else { &[] };
        let scored = || feasible.iter().filter(|node| has_keys(needed, node));
        let weighed = |spread: &'a Spread| {
            if spread.key == Topology::HOSTNAME {
                return Weighed { spread, by_value: Vec::new(), weight: weight(scored().count()) };
            }
            let mut is_met = vec![false; context.lookup.topology.values(spread.key)];
            // A node without the key stands for a place without a name.
            let mut nameless = false;
            scored().for_each(|node| match node.place(spread.key) {
                Some(place) => is_met[place] = true,
                None => nameless = true,
            });
            let places = is_met.iter().filter(|met| **met).count() + usize::from(nameless);
            Weighed { spread, by_value: by_value(context, spread, needed), weight: weight(places) }
        };
        Soft { constraints: soft.iter().map(weighed).collect(), needed }
    }

    fn is_left_out(&self, node: &NodeState) -> bool {
        !has_keys(self.needed, node)
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
        for Weighed { spread, by_value, weight } in &self.constraints {
            let Some(place) = node.place(spread.key) else { continue };
            let count = match spread.key {
                Topology::HOSTNAME => count_on(spread, node),
                _ => by_value.get(place).copied().flatten().unwrap_or(0),
            };
            sum += count as f64 * weight + (spread.constraint.max_skew - 1) as f64;
        }
        sum.round() as i64
    }

    fn normalize(&self, nodes: &[&NodeState], scores: &mut [i64]) {
        let counted = |(node, score): (&&NodeState, &i64)| (!self.is_left_out(node)).then_some(*score);
        let (mut least, mut most) = (i64::MAX, 0);
        for score in nodes.iter().zip(scores.iter()).filter_map(counted) {
            (least, most) = (least.min(score), most.max(score));
        }
        for (node, score) in nodes.iter().zip(scores) {
            *score = match self.is_left_out(node) {
                true => 0,
                false if most == 0 => MAX_SCORE,
                false => MAX_SCORE * (most + least - *score) / most,
            };
        }
    }
}
