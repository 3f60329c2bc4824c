//! Recorded runs of an autoscaler and their simulation, one above the other.

use super::axis::Axis;
use super::canvas::Ink;
use super::chart::{Chart, Mark, Panel, Sample};
use super::thin::Point;
use crate::validate::recorded::{Comparison, Rescale};

const RECORDED: Ink = Ink::Needed;
const SIMULATED: Ink = Ink::Series(1);

/// A panel for each run: replicas recorded as a surface, simulated as a line.
pub(super) fn chart(runs: &[Comparison]) -> Chart {
    let end = runs.iter().map(|run| run.end).fold(0.0, f64::max);
    let (matched, all) = (count(runs, |run| run.matched), count(runs, |run| run.recorded.len()));
    Chart {
        notes: Vec::new(),
        name: "recorded-hpa".into(),
        title: "A recorded HPA and its simulation".into(),
        description: format!("Replicas over time; {matched} of {all} recorded rescales match in size and within 15 s."),
        caption: "Replicas asked for: recorded on a kind cluster, and simulated under the same load.".into(),
        legend: vec![(Sample::Area, RECORDED, "recorded".into()), (Sample::Line, SIMULATED, "simulated".into())],
        x: Axis::time(end, 12),
        panels: runs.iter().map(panel).collect(),
    }
}

fn count(runs: &[Comparison], of: impl Fn(&Comparison) -> usize) -> usize {
    runs.iter().map(of).sum()
}

fn panel(run: &Comparison) -> Panel {
    let highest = run.recorded.iter().chain(&run.simulated).map(|rescale| rescale.to).max().unwrap_or(1);
    Panel {
        title: Some((None, format!("{}: {} of {} rescales match", run.name, run.matched, run.recorded.len()))),
        height: 130,
        y: Axis::from_zero(f64::from(highest), 3, "replicas", |value, decimals| format!("{value:.decimals$}")),
        marks: vec![
            Mark::Area { ink: RECORDED, segments: vec![steps(&run.recorded, run.end)] },
            Mark::Line { ink: SIMULATED, segments: vec![steps(&run.simulated, run.end)] },
        ],
    }
}

fn steps(rescales: &[Rescale], end: f64) -> Vec<Point> {
    let start = rescales.first().map_or(0.0, |rescale| f64::from(rescale.from));
    let mut points = vec![(0.0, start)];
    for rescale in rescales {
        points.extend([(rescale.at, f64::from(rescale.from)), (rescale.at, f64::from(rescale.to))]);
    }
    points.push((end, rescales.last().map_or(start, |rescale| f64::from(rescale.to))));
    points
}
