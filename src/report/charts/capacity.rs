//! The load line: the share of bad requests as the traffic grows.

use super::axis::{Axis, Scale};
use super::canvas::Ink;
use super::chart::{Chart, Mark, Panel, Sample, Side};
use super::frontier::{GAP, MIN_SHARE, at_least, beside};
use super::thin::Point;
use crate::config::slug;
use crate::experiment::Limit;
use crate::report::printing::text;

/// More policies than this make a chart unreadable; the table has them all.
const MAX_POLICIES: usize = 8;

/// A chart for each service and objective.
pub(super) fn charts(limits: &[Limit]) -> Vec<Chart> {
    let mut subjects: Vec<(&str, &str)> = Vec::new();
    for limit in limits {
        let subject = (limit.service.as_str(), limit.objective.as_str());
        if !subjects.contains(&subject) {
            subjects.push(subject);
        }
    }
    let several = subjects.len() > 1;
    let of = |(index, subject): (usize, &(&str, &str))| {
        let own: Vec<&Limit> =
            limits.iter().filter(|l| (l.service.as_str(), l.objective.as_str()) == *subject).collect();
        let name = if several { format!("capacity-{}-{}", index + 1, slug(subject.0)) } else { "capacity".into() };
        chart(name, subject.1, &own)
    };
    subjects.iter().enumerate().filter_map(of).collect()
}

fn chart(name: String, objective: &str, limits: &[&Limit]) -> Option<Chart> {
    let shown = &limits[..limits.len().min(MAX_POLICIES)];
    let line = |limit: &&Limit| -> Vec<Point> {
        let rate = limit.base_rate;
        limit.curve.iter().map(|(factor, bad)| (factor * rate, bad.max(MIN_SHARE))).collect()
    };
    let lines: Vec<Vec<Point>> = shown.iter().map(line).collect();
    let rates = || lines.iter().flatten().map(|point| point.0).filter(|rate| *rate > 0.0);
    let (low, high) = (rates().fold(f64::INFINITY, f64::min), rates().fold(0.0, f64::max));
    if !low.is_finite() || high <= low {
        return None;
    }
    let budget = (1.0 - shown.first()?.target).max(MIN_SHARE);
    let shares = || lines.iter().flatten().map(|point| point.1).chain([budget]);
    let y = super::frontier::share_axis(shares().fold(1.0, f64::min), shares().fold(MIN_SHARE, f64::max));
    let x = rate_axis(low, high);
    let mut marks = vec![Mark::Across { ink: Ink::Limit, at: budget }];
    let mut said = Vec::new();
    for (number, (limit, line)) in shown.iter().zip(&lines).enumerate() {
        marks.push(Mark::Line { ink: Ink::Series(number as u8), segments: vec![line.clone()] });
        if let Some(rate) = limit.rate() {
            marks.push(Mark::Ring { ink: Ink::Alone(number as u8), at: (rate, budget) });
            said.push(format!("{} carries {} requests per second", limit.policy, text::number(rate, 1)));
        }
    }
    if let Some(now) = shown.first().map(|limit| limit.base_rate).filter(|now| (low..=high).contains(now)) {
        marks.push(Mark::Line { ink: Ink::Axis, segments: vec![vec![(now, y.low), (now, y.high)]] });
        // Into the chart, whichever end the traffic as it is lies at.
        let (gap, side) = if now * now > low * high { (-GAP, Side::Left) } else { (GAP, Side::Right) };
        let at = (beside(&x, now, gap / 2.0), y.low * 2.0);
        marks.push(Mark::Words { ink: Ink::Axis, at, text: "as it is".into(), side });
    }
    let legend = shown.iter().enumerate().map(|(n, limit)| (Sample::Line, Ink::Series(n as u8), limit.policy.clone()));
    let mut legend: Vec<(Sample, Ink, String)> = legend.collect();
    legend.push((Sample::Ring, Ink::Axis, "where the objective breaks".into()));
    Some(Chart {
        notes: Vec::new(),
        name,
        title: format!("Load line: {objective}"),
        description: if said.is_empty() {
            "No policy meets the objective.".into()
        } else {
            format!("{}.", said.join("; "))
        },
        caption: format!(
            "The share of bad requests as the workload is scaled, mean over the replications. The dashed line is what the \
             objective allows.{}",
            at_least(&y)
        ),
        legend,
        x,
        panels: vec![Panel { title: None, height: 300, y, marks }],
    })
}

fn rate_axis(low: f64, high: f64) -> Axis {
    let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let all = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|mantissa| mantissa * 10f64.powi(power)));
    let label = |rate: f64| {
        let decimals = (-rate.log10().floor()).max(0.0) as usize;
        (rate, text::number(rate, decimals))
    };
    let ticks = all.filter(|rate| (low * 0.9..=high * 1.1).contains(rate)).map(label).collect();
    let title = "mean requests per second (logarithmic)".into();
    Axis { scale: Scale::Log, low: low * 0.9, high: high * 1.1, ticks, title }
}
