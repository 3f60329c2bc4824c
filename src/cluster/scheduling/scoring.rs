//! The scores of the nodes that are left.

use super::plugin::{Context, Part};
use super::plugins::PLUGINS;
use super::state::NodeState;

/// The scores of one plug-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name of the plug-in.
    pub plugin: &'static str,
    /// Weight of its scores.
    pub weight: i64,
    /// Raw scores, by node.
    pub raw: Vec<i64>,
    /// The same from 0 to [`MAX_SCORE`](super::MAX_SCORE).
    pub normalized: Vec<i64>,
}

/// The second step: the scores of the nodes that are left.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scoring {
    /// By plug-in.
    pub columns: Vec<Column>,
    /// The plug-ins that have nothing to say about this pod.
    pub skipped: Vec<&'static str>,
    /// The sum of the weighted scores, by node.
    pub totals: Vec<i64>,
}

impl Scoring {
    /// Scores `feasible` nodes.
    pub fn new<'a>(context: Context<'a>, feasible: &[&'a NodeState]) -> Scoring {
        let mut scoring = Scoring { totals: vec![0; feasible.len()], ..Scoring::default() };
        for plugin in PLUGINS {
            let scores = match plugin.score(context, feasible) {
                Part::None => continue,
                Part::Skipped => {
                    scoring.skipped.push(plugin.name());
                    continue;
                }
                Part::Takes(scores) => scores,
            };
            let raw: Vec<i64> = feasible.iter().map(|node| scores.raw(node)).collect();
            let mut normalized = raw.clone();
            scores.normalize(feasible, &mut normalized);
            let weight = plugin.weight();
            scoring.totals.iter_mut().zip(&normalized).for_each(|(total, score)| *total += weight * score);
            scoring.columns.push(Column { plugin: plugin.name(), weight, raw, normalized });
        }
        scoring
    }

    /// The first of the nodes with the highest total: its place in `feasible`.
    pub fn first_best(&self) -> Option<usize> {
        let highest = self.totals.iter().max()?;
        self.totals.iter().position(|total| total == highest)
    }

    /// The nodes with the highest total, among which upstream chooses at random: their places in `feasible`.
    pub fn best(&self) -> Vec<usize> {
        let highest = self.totals.iter().max();
        (0..self.totals.len()).filter(|index| Some(&self.totals[*index]) == highest).collect()
    }
}
