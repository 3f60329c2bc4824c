//! The curve of a search: cost, error budget and width, generation by generation.

use super::axis::Axis;
use super::canvas::Ink;
use super::chart::{Chart, Mark, Panel, Sample};
use super::thin::Point;
use crate::experiment::{Generation, Searched, Unit};
use crate::report::answers::comparison::value_text;
use crate::report::printing::text;

/// Shares below this are drawn at it: on a logarithmic scale there is no zero.
const MIN_SHARE: f64 = 0.001;
/// More of the error budget than this is drawn at it.
const MAX_SHARE: f64 = 1000.0;
const CENTRE: Ink = Ink::Alone(0);
const BEST: Ink = Ink::Needed;

/// The chart; `None` without any generation.
pub(super) fn chart(searched: &Searched) -> Option<Chart> {
    let last = searched.curve.last()?;
    let origin = &searched.found.origin;
    let unit = Unit::of_expense(searched.priced);
    let named = if searched.priced { "US dollars" } else { "replica-hours" };
    let line = |value: &dyn Fn(&Generation) -> f64| -> Vec<Point> {
        searched.curve.iter().map(|generation| (generation.number as f64, value(generation))).collect()
    };
    let share = |value: f64| value.clamp(MIN_SHARE, MAX_SHARE);
    let costs = [line(&|generation| generation.best_cost), line(&|generation| generation.cost)];
    let budget = line(&|generation| share(generation.budget_used));
    let width = line(&|generation| share(generation.width));
    let largest = |points: &[Point]| points.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let smallest = |points: &[Point]| points.iter().map(|(_, value)| *value).fold(f64::INFINITY, f64::min);
    let shares = |points: &[Point], words: &str| {
        let mut axis = Axis::decades(smallest(points), largest(points).max(1.0), words);
        axis.ticks.iter_mut().for_each(|(value, label)| *label = text::percent(*value));
        axis
    };
    let top = largest(&costs[0]).max(largest(&costs[1]));
    let panel =
        |title: &str, y: Axis, marks: Vec<Mark>| Panel { title: Some((None, title.into())), height: 150, y, marks };
    let drawn = |ink: Ink, points: &[Point]| Mark::Line { ink, segments: vec![points.to_vec()] };
    let cost = panel(
        &format!("cost of a run ({named})"),
        Axis::from_zero(top, 4, named, move |value, _| value_text(value, unit)),
        vec![drawn(BEST, &costs[0]), drawn(CENTRE, &costs[1])],
    );
    let budget_marks = vec![Mark::Across { ink: Ink::Limit, at: 1.0 }, drawn(CENTRE, &budget)];
    let budget = panel("share of the error budget used", shares(&budget, "share, logarithmic"), budget_marks);
    let width_marks = vec![drawn(CENTRE, &width)];
    let width =
        panel("width of the points, part of a number's range", shares(&width, "part, logarithmic"), width_marks);
    Some(Chart {
        notes: Vec::new(),
        name: "search-curve".into(),
        title: format!("Search for policy {} on scenario {}", origin.policy, origin.scenario),
        description: format!(
            "{} generations; the numbers taken cost {} and use {} of the error budget in validation.",
            searched.curve.len(),
            value_text(searched.worth.cost, unit),
            text::percent(searched.worth.budget_used)
        ),
        caption: "Each generation is run in replications of its own. Cost falls until fewer replicas would break an objective; then the points \
                  draw together about what is best."
            .into(),
        legend: vec![
            (Sample::Line, CENTRE, "centre of the generation".into()),
            (Sample::Line, BEST, "its best point".into()),
            (Sample::Line, Ink::Limit, "what the objectives allow".into()),
        ],
        x: Axis::from_zero((last.number as f64).max(1.0), 8, "generation", |value, _| format!("{value}")),
        panels: vec![cost, budget, width],
    })
}
