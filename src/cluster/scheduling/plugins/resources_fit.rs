//! NodeResourcesFit: a node must have room, and is scored by how much of it is taken.

use crate::cluster::scheduling::plugin::{Context, Filter, MAX_SCORE, Part, Plugin, Refusal, Score};
use crate::cluster::scheduling::pod::Kind;
use crate::cluster::scheduling::profile::{Profile, ShapePoint, Strategy};
use crate::cluster::scheduling::requests::{CPU, EPHEMERAL_STORAGE, MEMORY};
use crate::cluster::scheduling::state::NodeState;

/// The plug-in (kubernetes `noderesources/fit.go`).
pub struct NodeResourcesFit;

impl Plugin for NodeResourcesFit {
    fn name(&self) -> &'static str {
        "NodeResourcesFit"
    }

    fn weight(&self) -> i64 {
        1
    }

    fn filter<'a>(&self, context: Context<'a>) -> Part<Box<dyn Filter + 'a>> {
        Part::Takes(Box::new(Room(context.incoming)))
    }

    fn score<'a>(&self, context: Context<'a>, _: &[&'a NodeState]) -> Part<Box<dyn Score + 'a>> {
        Part::Takes(Box::new(Share { incoming: context.incoming, profile: context.profile }))
    }
}

struct Room<'a>(&'a Kind);

impl Room<'_> {
    /// Every resource requested, with what is free and what the node has in total.
    fn asked<'n>(&'n self, node: &'n NodeState) -> impl Iterator<Item = (&'n str, i64, i64, i64)> {
        let (asked, has, taken) = (&self.0.reserved, &node.allocatable, node.load.taken());
        let usual = [
            (CPU, asked.cpu, has.cpu - taken.cpu, has.cpu),
            (MEMORY, asked.memory, has.memory - taken.memory, has.memory),
            (EPHEMERAL_STORAGE, asked.ephemeral, has.ephemeral - taken.ephemeral, has.ephemeral),
        ];
        let extended = asked.extended.iter().map(|(name, asked)| {
            let has = has.of(name);
            (name.as_str(), *asked, has - taken.of(name), has)
        });
        usual.into_iter().chain(extended).filter(|(_, asked, ..)| *asked > 0)
    }
}

impl Filter for Room<'_> {
    fn refuse(&self, node: &NodeState) -> Option<Refusal> {
        let full = node.load.count() + 1 > node.slots;
        if !full && self.asked(node).all(|(_, asked, free, _)| asked <= free) {
            return None;
        }
        let short = || self.asked(node).filter(|(_, asked, free, _)| asked > free);
        let reasons = full.then(|| "Too many pods".to_string());
        let reasons = reasons.into_iter().chain(short().map(|(name, ..)| format!("Insufficient {name}")));
        Some(Refusal { is_final: short().any(|(_, asked, _, has)| asked > has), reasons: reasons.collect() })
    }
}

struct Share<'a> {
    incoming: &'a Kind,
    profile: &'a Profile,
}

impl Share<'_> {
    /// Of a resource, what would be taken and what the node has; `None` if it does not count.
    fn of(&self, name: &str, node: &NodeState) -> Option<(i64, i64)> {
        let has = node.allocatable.of(name);
        let taken = match name {
            CPU => node.load.assumed().0 + self.incoming.assumed.0,
            MEMORY => node.load.assumed().1 + self.incoming.assumed.1,
            _ => {
                let asked = self.incoming.reserved.of(name);
                if asked == 0 && name != EPHEMERAL_STORAGE {
                    return None;
                }
                node.load.taken().of(name) + asked
            }
        };
        (has != 0).then_some((taken, has))
    }
}

impl Score for Share<'_> {
    fn raw(&self, node: &NodeState) -> i64 {
        let (mut sum, mut weights) = (0, 0);
        let ratio = matches!(self.profile.strategy, Strategy::RequestedToCapacityRatio(_));
        for resource in &self.profile.fit_resources {
            let Some((taken, has)) = self.of(&resource.name, node) else { continue };
            let score = match &self.profile.strategy {
                Strategy::LeastAllocated if taken > has => 0,
                Strategy::LeastAllocated => percentage(has - taken, has),
                Strategy::MostAllocated => percentage(taken.min(has), has),
                Strategy::RequestedToCapacityRatio(shape) if taken > has => on_line(shape, MAX_SCORE),
                Strategy::RequestedToCapacityRatio(shape) => on_line(shape, percentage(taken, has)),
            };
            // Upstream leaves a resource out of the mean here if its score is zero.
            if score > 0 || !ratio {
                sum += score * resource.weight;
                weights += resource.weight;
            }
        }
        match (weights, ratio) {
            (0, _) => 0,
            (_, false) => sum / weights,
            (_, true) => (sum as f64 / weights as f64).round() as i64,
        }
    }
}

/// `part * 100 / whole`, cut.
fn percentage(part: i64, whole: i64) -> i64 {
    (i128::from(part) * i128::from(MAX_SCORE) / i128::from(whole)) as i64
}

/// The score at a utilization on a broken line, flat outside. Scores of the shape go to 10.
fn on_line(shape: &[ShapePoint], utilization: i64) -> i64 {
    let scaled = |point: &ShapePoint| point.score * (MAX_SCORE / 10);
    match shape.iter().position(|point| utilization <= point.utilization) {
        None => shape.last().map_or(0, scaled),
        Some(0) => scaled(&shape[0]),
        Some(at) => {
            let (from, to) = (&shape[at - 1], &shape[at]);
            let run = (to.utilization - from.utilization).max(1);
            scaled(from) + (scaled(to) - scaled(from)) * (utilization - from.utilization) / run
        }
    }
}
