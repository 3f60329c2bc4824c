//! The learning curve: cost, error budget and penalty, episode by episode.

use super::axis::Axis;
use super::canvas::Ink;
use super::chart::{Chart, Mark, Panel, Sample};
use super::thin::Point;
use crate::experiment::{Episode, Trained, Unit};
use crate::report::answers::comparison::value_text;
use crate::report::printing::text;

/// Shares of the error budget below this are drawn at it: on a logarithmic scale there is no zero.
const MIN_SHARE: f64 = 0.01;
/// More of the error budget than this is drawn at it.
const MAX_SHARE: f64 = 1000.0;
const EXPLORING: Ink = Ink::Needed;
const SHOWN: Ink = Ink::Alone(0);

/// The chart; `None` without an episode that shows what was learned.
pub(super) fn chart(trained: &Trained) -> Option<Chart> {
    let curve = &trained.curve;
    let chosen = curve.get(trained.chosen)?;
    let share = |episode: &Episode| episode.budget_used.clamp(MIN_SHARE, MAX_SHARE);
    let cost = panel(trained, "cost of the run (US dollars)", &|episode| episode.cost, |values| {
        Axis::from_zero(largest(values), 4, "US dollars", |value, _| value_text(value, Unit::Dollars))
    });
    let budget = panel(trained, "share of the error budget used", &share, |values| {
        let mut axis = Axis::decades(smallest(values), largest(values).max(1.0), "share, logarithmic");
        axis.ticks.iter_mut().for_each(|(value, label)| *label = text::percent(*value));
        axis
    });
    let mut budget = budget;
    budget.marks.insert(0, Mark::Across { ink: Ink::Limit, at: 1.0 });
    let penalty = panel(trained, "dollars per thousand bad requests", &|episode| 1000.0 * episode.penalty, |values| {
        let mut axis = Axis::decades(smallest(values).max(1e-9), largest(values), "US dollars, logarithmic");
        axis.ticks.iter_mut().for_each(|(value, label)| *label = format!("${value}"));
        axis
    });
    let legend = vec![
        (Sample::Line, EXPLORING, "episodes that explore".into()),
        (Sample::Line, SHOWN, "what was learned, without exploring".into()),
        (Sample::Ring, Ink::Alone(1), "the table that was taken".into()),
        (Sample::Line, Ink::Limit, "what the objectives allow".into()),
    ];
    let last = curve.len().saturating_sub(1) as f64;
    Some(Chart {
        notes: Vec::new(),
        name: "learning-curve".into(),
        title: format!("Training of policy {} on scenario {}", trained.learned.origin.policy, trained.learned.origin.scenario),
        description: format!(
            "{} episodes; the table taken, after episode {}, costs {} and uses {} of the error budget.",
            curve.len(),
            chosen.number,
            value_text(chosen.cost, Unit::Dollars),
            text::percent(chosen.budget_used)
        ),
        caption: "Each point is a run of the scenario with other random numbers. Exploration falls from left to right. The penalty of a bad request is \
                  raised while the objectives are missed and lowered while they are kept; cost and error budget follow it."
            .into(),
        legend,
        x: Axis::from_zero(last.max(1.0), 8, "episode", |value, _| format!("{value}")),
        panels: vec![cost, budget, penalty],
    })
}

/// A panel with one value per episode.
fn panel(trained: &Trained, title: &str, value: &dyn Fn(&Episode) -> f64, axis: impl Fn(&[f64]) -> Axis) -> Panel {
    let values: Vec<f64> = trained.curve.iter().map(value).collect();
    let line = |explores: bool| -> Vec<Point> {
        let episodes = trained.curve.iter().zip(&values).filter(|(episode, _)| (episode.exploration > 0.0) == explores);
        episodes.map(|(episode, value)| (episode.number as f64, *value)).collect()
    };
    let mut marks = vec![
        Mark::Line { ink: EXPLORING, segments: vec![line(true)] },
        Mark::Line { ink: SHOWN, segments: vec![line(false)] },
    ];
    if let (Some(episode), Some(value)) = (trained.curve.get(trained.chosen), values.get(trained.chosen)) {
        marks.push(Mark::Ring { ink: Ink::Alone(1), at: (episode.number as f64, *value) });
    }
    Panel { title: Some((None, title.into())), height: 150, y: axis(&values), marks }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

fn smallest(values: &[f64]) -> f64 {
    values.iter().copied().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min)
}
