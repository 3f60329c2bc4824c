//! What each policy costs and how many requests it fails as its headroom changes.

use super::axis::{Axis, Scale};
use super::canvas::Ink;
use super::chart::{Chart, Mark, Panel, Sample, Side};
use super::pictures::MAX_SERVICES;
use super::thin::Point;
use crate::config::slug;
use crate::experiment::{CostBound, Outcome, SameLevel, Trial, Tuned, Unit};
use crate::report::answers::comparison::value_text;
use crate::report::answers::level::points;
use crate::report::printing::expense::{self, Ranking};

/// More policies than this make a chart unreadable; the table has them all.
const MAX_POLICIES: usize = 8;
/// Shares below this are drawn at it: on a logarithmic scale there is no zero.
pub(super) const MIN_SHARE: f64 = 1e-6;
/// Room above and below what is drawn, so that neither points nor names lie on the frame, as a factor of the share.
const ROOM: f64 = 1.8;

/// A chart for each service and objective.
pub(super) fn charts(outcome: &Outcome) -> Vec<Chart> {
    let (level, bound) = (points(outcome), outcome.bound.as_ref());
    level.iter().flat_map(|level| of_level(level, bound)).collect()
}

fn of_level(level: &SameLevel, bound: Option<&CostBound>) -> Vec<Chart> {
    // As many as there are services whose charts are drawn, with two objectives each.
    (0..level.objectives.len().min(2 * MAX_SERVICES)).filter_map(|index| chart(level, bound, index)).collect()
}

fn chart(level: &SameLevel, bound: Option<&CostBound>, index: usize) -> Option<Chart> {
    let (tuned, objective) = (&level.tuned, &level.objectives[index]);
    let bad = |trial: &Trial| (1.0 - trial.attainment(index)).max(MIN_SHARE);
    let shown = &tuned[..tuned.len().min(MAX_POLICIES)];
    let points: Vec<Vec<Point>> =
        shown.iter().map(|policy| policy.trials.iter().map(|t| (t.cost(), bad(t))).collect()).collect();
    let bound = bound.map(|bound| bound.cost.as_f64()).filter(|bound| *bound > 0.0);
    let costs = || points.iter().flatten().map(|point| point.0).chain(bound).filter(|cost| *cost > 0.0);
    let (low, high) = (costs().fold(f64::INFINITY, f64::min), costs().fold(0.0, f64::max));
    if !low.is_finite() || high <= low {
        return None;
    }
    let budget = (1.0 - objective.target.get()).max(MIN_SHARE);
    let shares = || points.iter().flatten().map(|point| point.1).chain([budget]);
    let y = share_axis(shares().fold(1.0, f64::min), shares().fold(MIN_SHARE, f64::max));
    let x = expense_axis(low, high, level.unit());
    let mut marks = vec![Mark::Across { ink: Ink::Limit, at: budget }];
    if let Some(bound) = bound {
        marks.push(Mark::Line { ink: Ink::Axis, segments: vec![vec![(bound, y.low), (bound, y.high)]] });
        let at = (beside(&x, bound, GAP / 2.0), height_of_bound(&y, budget));
        marks.push(Mark::Words { ink: Ink::Axis, at, text: "lower bound".into(), side: Side::Right });
    }
    // Names keep off the line of the objective and the marks of other points as well.
    let mut taken = vec![(0.0, 1.0, share(&y, budget))];
    let alone = points.iter().filter_map(|line| if let [point] = line[..] { Some(point) } else { None });
    taken.extend(alone.map(|(cost, bad)| (share(&x, cost) - MARK, share(&x, cost) + MARK, share(&y, bad))));
    for (number, (policy, line)) in shown.iter().zip(&points).enumerate() {
        let ink = Ink::Series(number as u8);
        marks.push(Mark::Line { ink, segments: vec![line.clone()] });
        if let [alone] = line[..] {
            marks.extend(named_point((&x, &y), alone, (Ink::Alone(number as u8), titled(policy)), &mut taken));
        }
        marks.extend(policy.chosen.map(|chosen| Mark::Ring { ink: Ink::Alone(number as u8), at: line[chosen] }));
    }
    // What is named beside its point needs no entry.
    let lines = shown.iter().enumerate().filter(|(_, policy)| policy.trials.len() > 1);
    let legend = lines.map(|(number, policy)| (Sample::Line, Ink::Series(number as u8), titled(policy)));
    let mut legend: Vec<(Sample, Ink, String)> = legend.collect();
    let tuned_to_it = tuned.iter().any(|policy| policy.trials.len() > 1);
    let (ring, each) = match tuned_to_it {
        true => ("least headroom that meets the objectives", "a policy with one headroom"),
        false => ("meets every objective", "a policy"),
    };
    legend.push((Sample::Ring, Ink::Axis, ring.into()));
    let chosen: Vec<String> = shown
        .iter()
        .filter_map(|policy| {
            Some(format!("{} {}", policy.policy, value_text(policy.trials[policy.chosen?].cost(), level.unit())))
        })
        .collect();
    Some(Chart {
        notes: Vec::new(),
        name: name(level, index),
        title: format!("{} and bad requests: {}", Ranking::of(level.unit()).title, objective.text),
        description: format!(
            "Where the objectives are met: {}.",
            if chosen.is_empty() { "nowhere".into() } else { chosen.join(", ") }
        ),
        caption: format!(
            "Each point is {each}; towards the lower left is better. The dashed line is what the objective allows.{}",
            at_least(&y)
        ),
        legend,
        x,
        panels: vec![Panel { title: None, height: 300, y, marks }],
    })
}

/// The file's name; of several objectives each chart is numbered.
fn name(level: &SameLevel, index: usize) -> String {
    match (level.objectives.len(), level.objectives[index].service.as_str()) {
        (1, _) => "frontier".into(),
        (_, "") => format!("frontier-{}", index + 1),
        (_, service) => format!("frontier-{}-{}", index + 1, slug(service)),
    }
}

/// What the lowest line of an axis of shares stands for, as a sentence; empty where nothing lies on it.
pub(super) fn at_least(axis: &Axis) -> String {
    let lowest = axis.ticks.first().filter(|(_, label)| label.starts_with('≤')).map(|(_, label)| label.clone());
    lowest.map_or_else(String::new, |label| format!(" What has no bad requests lies at {label} as well."))
}

/// One point is no line: a small disc, and a name beside it that does not depend on its colour.
fn named_point(
    (x, y): (&Axis, &Axis),
    point: Point,
    (ink, text): (Ink, String),
    taken: &mut Vec<(f64, f64, f64)>,
) -> [Mark; 2] {
    let (side, height) = free_place(x, y, point, &text, taken);
    let at = (beside(x, point.0, if side == Side::Right { GAP } else { -GAP }), height);
    [Mark::Disc { ink, at: point }, Mark::Words { ink: Ink::Text, at, text, side }]
}

/// Height of a line of text, width of a letter and half of that of a point's mark, as shares of the plot.
const LINE: f64 = 16.0 / 300.0;
const LETTER: f64 = 7.5 / 650.0;
const MARK: f64 = 8.0 / 650.0;

/// Where a value lies, as a share of the axis.
fn share(axis: &Axis, value: f64) -> f64 {
    let range = axis.range();
    (axis.place(value) - range.start) / (range.end - range.start)
}

/// Where the name of the lower bound stands: at the top, or below the line of the objective where that line would run through it.
fn height_of_bound(y: &Axis, budget: f64) -> f64 {
    let top = y.high * 0.6;
    if (share(y, top) - share(y, budget)).abs() >= LINE { top } else { budget * (y.low / y.high).powf(LINE) }
}

/// The side of a point and the value at whose height its name meets neither another name nor another point: beside it or, where both
/// sides are taken, as near as there is room.
fn free_place(x: &Axis, y: &Axis, point: Point, name: &str, taken: &mut Vec<(f64, f64, f64)>) -> (Side, f64) {
    let (place, own) = (share(x, point.0), share(y, point.1));
    let width = GAP + LETTER * name.chars().count() as f64;
    let ends =
        |side: Side| if side == Side::Right { (place + MARK, place + width) } else { (place - width, place - MARK) };
    // Names point to the middle, where there is room for them.
    let sides = if place < 0.5 { [Side::Right, Side::Left] } else { [Side::Left, Side::Right] };
    let is_free = |(side, height): &(Side, f64)| {
        let (from, to) = ends(*side);
        let meets = |(a, b, other): &(f64, f64, f64)| from < *b && *a < to && (height - other).abs() < LINE;
        let inside = from >= 0.0 && to <= 1.0 && (0.0..=1.0).contains(height);
        inside && !taken.iter().any(meets)
    };
    let heights = (0..40).flat_map(|step| [own + LINE * f64::from(step), own - LINE * f64::from(step)]);
    let (side, height) =
        heights.flat_map(|height| sides.map(|side| (side, height))).find(is_free).unwrap_or((sides[0], own));
    let (from, to) = ends(side);
    taken.push((from, to, height));
    if height == own {
        return (side, point.1);
    }
    let range = y.range();
    let value = range.start + height * (range.end - range.start);
    (side, if y.scale == Scale::Log { 10f64.powf(value) } else { value })
}

/// The policy's name, marked if it knows the trace.
fn titled(policy: &Tuned) -> String {
    if policy.clairvoyant { format!("{} (clairvoyant)", policy.policy) } else { policy.policy.clone() }
}

/// Between a point and its name, as a share of the axis.
pub(super) const GAP: f64 = 0.016;

/// The value that lies a share of the axis to the right of another.
pub(super) fn beside(x: &Axis, value: f64, share: f64) -> f64 {
    let range = x.range();
    let place = x.place(value) + share * (range.end - range.start);
    if x.scale == Scale::Log { 10f64.powf(place) } else { place }
}

/// Dollars at a tick: without digits that say nothing (`$500`, `$0.50`).
pub(super) fn round_dollars(value: f64) -> String {
    let text = value_text(value, Unit::Dollars);
    match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole.into(),
        Some((whole, fraction)) => format!("{whole}.{:0<2}", fraction.trim_end_matches('0')),
        None => text,
    }
}

/// Logarithmic where costs differ widely.
fn expense_axis(low: f64, high: f64, unit: Unit) -> Axis {
    let (title, is_hours) = match unit {
        Unit::ReplicaHours => ("replica-hours of the run", true),
        _ => ("cost of the run (US dollars)", false),
    };
    let shown = |value: f64| if is_hours { expense::number(value) } else { round_dollars(value) };
    if high / low < 4.0 {
        return Axis::between(low * 0.97, high * 1.03, 6, title, |value, _| shown(value));
    }
    let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let all = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|mantissa| mantissa * 10f64.powi(power)));
    let ticks: Vec<f64> = all.filter(|value| (low * 0.9..=high * 1.1).contains(value)).collect();
    let skip = ticks.len().div_ceil(8).max(1);
    let label = |(index, value): (usize, &f64)| (*value, if index % skip == 0 { shown(*value) } else { String::new() });
    let ticks = ticks.iter().enumerate().map(label).collect();
    Axis {
        scale: Scale::Log,
        low: low * 0.9,
        high: high * 1.1,
        ticks,
        title: match is_hours {
            true => format!("{title} (logarithmic)"),
            false => "cost of the run (US dollars, logarithmic)".into(),
        },
    }
}

/// Shares of bad requests by decades. Where the least is no more than can be drawn, the lowest tick stands for less as well.
pub(super) fn share_axis(low: f64, high: f64) -> Axis {
    let mut axis = Axis::decades(low, high, "share of bad requests");
    for (value, label) in &mut axis.ticks {
        let decimals = (-value.log10().round() - 2.0).max(0.0) as usize;
        let most = if *value <= MIN_SHARE * 1.000_001 && low <= MIN_SHARE { "≤" } else { "" };
        *label = format!("{most}{:.decimals$}%", *value * 100.0);
    }
    if low <= axis.low * 1.000_001 {
        axis.low /= ROOM;
    }
    if high >= axis.high * 0.5 {
        axis.high *= ROOM;
    }
    axis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_near_points_do_not_meet() {
        let (x, y) = (Axis::between(7.0, 9.0, 6, "", |_, _| String::new()), share_axis(1e-4, 0.1));
        let mut taken = Vec::new();
        let near = [(7.75, 0.01), (7.71, 0.0101), (7.73, 0.0099), (8.9, 0.01)];
        let found: Vec<(Side, f64)> =
            near.iter().map(|point| free_place(&x, &y, *point, "static-2", &mut taken)).collect();
        assert_eq!([found[0].1, found[3].1], [0.01, 0.01], "the first, and one far away, stay at their points");
        for (index, (side, height)) in found[..3].iter().enumerate() {
            for (other, other_height) in &found[..index] {
                let apart = (share(&y, *height) - share(&y, *other_height)).abs();
                assert!(side != other || apart >= LINE - 1e-9, "{found:?}");
            }
        }
    }

    #[test]
    fn the_line_of_the_objective_does_not_run_through_the_name_of_the_bound() {
        for (low, high, budget) in [(1e-6, 1e-3, 1e-3), (1e-3, 0.1, 0.01), (1e-4, 0.02, 0.05), (1e-6, 1.0, 0.5)] {
            let y = share_axis(low, high);
            let height = height_of_bound(&y, budget);
            assert!((share(&y, height) - share(&y, budget)).abs() >= LINE - 1e-9, "{low} to {high}: {height}");
            assert!(share(&y, height) > 0.0 && share(&y, height) < 1.0);
        }
    }

    /// Two policies without a bad request that cost nearly the same: each name is on its own side, above the frame.
    #[test]
    fn what_has_no_bad_requests_lies_above_the_frame() {
        let (x, y) = (expense_axis(0.37, 7.43, Unit::Dollars), share_axis(MIN_SHARE, 0.12));
        assert_eq!((y.ticks[0].1.as_str(), at_least(&y).is_empty()), ("≤0.0001%", false));
        assert!(share(&y, MIN_SHARE) > LINE / 2.0 && at_least(&share_axis(2e-6, 0.12)).is_empty());
        assert!(share(&share_axis(0.2, 1.0), 1.0) < 1.0, "nor does what is all bad lie on it");
        let points = [(2.48, MIN_SHARE), (2.62, MIN_SHARE)];
        let mut taken: Vec<_> =
            points.iter().map(|p| (share(&x, p.0) - MARK, share(&x, p.0) + MARK, share(&y, p.1))).collect();
        let places = points.map(|point| free_place(&x, &y, point, "static-4", &mut taken));
        assert_eq!(places, [(Side::Left, MIN_SHARE), (Side::Right, MIN_SHARE)]);
    }
}
