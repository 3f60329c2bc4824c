//! What each chart shows.

use std::collections::BTreeMap;

use super::axis::{Axis, Scale};
use super::canvas::Ink;
use super::chart::{Chart, Mark, Panel, Sample};
use super::thin::{Point, thin};
use crate::config::slug;
use crate::engine::{Interval, ObjectiveRecord, RunRecord, ServiceRecord};
use crate::experiment::Outcome;
use crate::report::answers::table::label;
use crate::report::printing::text;
use crate::units::{SimTime, Usd};

/// More policies than this make a chart unreadable; the tables have them all.
const MAX_POLICIES: usize = 12;

/// More services than this make a page that nobody reads to its end; the tables have them all.
pub(super) const MAX_SERVICES: usize = 20;

/// Points of one chart, and of all together: an SVG stays below 150 kB and a page below 2 MB.
const POINTS_PER_CHART: usize = 9_000;
const POINTS: usize = 45_000;

/// What all charts of one service need.
struct Subject<'a> {
    /// The runs that are drawn and their record of the service.
    runs: Vec<(&'a RunRecord, &'a ServiceRecord)>,
    /// End of the time axis, seconds.
    end: f64,
    /// Points that one chart may have.
    points: usize,
    /// Appended to file names where there are several services.
    suffix: String,
    /// Appended to titles where there are several services.
    of: String,
    /// Said in captions where policies are left out.
    left_out: String,
}

/// The charts of an outcome, in order of reading. Charts without data are left out.
pub(super) fn all(outcome: &Outcome) -> Vec<Chart> {
    let runs: Vec<&RunRecord> = outcome.runs.iter().take(MAX_POLICIES).collect();
    let services = runs.iter().map(|run| run.services.len()).max().unwrap_or(0);
    let end = runs.iter().map(|run| run.end.as_secs_f64()).fold(0.0, f64::max);
    let drawn = services.min(MAX_SERVICES);
    let points = POINTS_PER_CHART.min(POINTS / (4 * drawn + 1));
    let mut left_out = match outcome.runs.len().saturating_sub(MAX_POLICIES) {
        0 => String::new(),
        n => format!(" The charts show the first {MAX_POLICIES} policies; {n} more are in the tables."),
    };
    if services > drawn {
        left_out += &format!(" Drawn are the first {drawn} services; {} more are in the tables.", services - drawn);
    }
    let mut charts = Vec::new();
    for index in 0..drawn {
        let of_service = runs.iter().filter_map(|run| run.services.get(index).map(|service| (*run, service)));
        let runs: Vec<_> = of_service.collect();
        let Some(name) = runs.first().map(|(_, service)| service.name.clone()) else { continue };
        let (suffix, of) = match services {
            1 => (String::new(), String::new()),
            _ => (format!("-{}-{}", index + 1, slug(&name)), format!(": {name}")),
        };
        let subject = Subject { runs, end, points, suffix, of, left_out: left_out.clone() };
        let makers = [load_and_capacity, latency_over_time, latency_distribution, replicas];
        charts.extend(makers.into_iter().filter_map(|make| make(&subject)));
    }
    charts.extend(cost(&runs, end, points, &left_out));
    charts
}

impl Subject<'_> {
    fn ink(index: usize) -> Ink {
        Ink::Series(index as u8)
    }

    fn legend(&self) -> Vec<(Sample, Ink, String)> {
        let entries = self.runs.iter().enumerate();
        entries.map(|(i, (run, _))| (Sample::Line, Self::ink(i), label(run))).collect()
    }

    fn intervals(&self) -> impl Iterator<Item = &Interval> {
        self.runs.iter().flat_map(|(_, service)| &service.timeline)
    }

    /// The objectives over latency: the same under every policy.
    fn limits(&self) -> Vec<&ObjectiveRecord> {
        let objectives = self.runs.first().map_or(&[][..], |(_, service)| &service.objectives);
        objectives.iter().filter(|objective| objective.within.is_some()).collect()
    }

    fn names(&self) -> String {
        self.runs.iter().map(|(run, _)| label(run)).collect::<Vec<_>>().join(", ")
    }
}

fn highest_finite(highest: f64, value: f64) -> f64 {
    if value.is_finite() { highest.max(value) } else { highest }
}

fn replica_label(value: f64, decimals: usize) -> String {
    format!("{value:.decimals$}")
}

/// Steps: each interval's value from its start to its end. Intervals without a value, or that do not touch, leave a gap.
fn steps(timeline: &[Interval], budget: usize, of: impl Fn(&Interval) -> Option<f64>) -> Vec<Vec<Point>> {
    let mut segments: Vec<Vec<Point>> = Vec::new();
    let mut open_until = None;
    for interval in timeline {
        let end = interval.start + interval.length;
        let Some(value) = of(interval).filter(|value| value.is_finite()) else {
            open_until = None;
            continue;
        };
        let (from, to) = ((interval.start.as_secs_f64(), value), (end.as_secs_f64(), value));
        match segments.last_mut().filter(|_| open_until == Some(interval.start)) {
            // A level that goes on needs no corner.
            Some(segment) if segment.last().is_some_and(|last| last.1 == value) => {
                segment.pop();
                segment.push(to);
            }
            Some(segment) => segment.extend([from, to]),
            None => segments.push(vec![from, to]),
        }
        open_until = Some(end);
    }
    share(segments, budget)
}

/// A line through the middles of the intervals; intervals without a value leave a gap.
fn line(timeline: &[Interval], budget: usize, of: impl Fn(&Interval) -> Option<f64>) -> Vec<Vec<Point>> {
    let mut segments: Vec<Vec<Point>> = Vec::new();
    let mut open_until: Option<SimTime> = None;
    for interval in timeline {
        let end = interval.start + interval.length;
        let Some(value) = of(interval).filter(|value| value.is_finite()) else {
            open_until = None;
            continue;
        };
        let middle = (interval.start + interval.length / 2).as_secs_f64();
        match segments.last_mut().filter(|_| open_until == Some(interval.start)) {
            Some(segment) => segment.push((middle, value)),
            None => segments.push(vec![(middle, value)]),
        }
        open_until = Some(end);
    }
    // A value between two gaps is drawn as wide as its interval, or it could not be seen.
    let half = timeline.first().map_or(0.0, |interval| interval.length.as_secs_f64() / 2.0);
    for segment in segments.iter_mut().filter(|segment| segment.len() == 1) {
        let (x, y) = segment[0];
        *segment = vec![(x - half, y), (x + half, y)];
    }
    share(segments, budget)
}

/// At most about `most` intervals: of neighbours that are joined, the one in which most of the needed replicas was missing or, where none
/// was, most was needed, over the time of all.
fn shortest(timeline: &[Interval], most: usize) -> Vec<Interval> {
    let each = timeline.len().div_ceil(most.max(1)).max(1);
    let short = |interval: &Interval| (interval.needed - interval.ready).max(0.0);
    let worse = |a: &&Interval, b: &&Interval| short(a).total_cmp(&short(b)).then(a.needed.total_cmp(&b.needed));
    let touching = timeline.chunk_by(|a, b| a.start + a.length == b.start);
    let joined = |chunk: &[Interval]| {
        let (first, last) = (chunk.first()?, chunk.last()?);
        let worst = chunk.iter().max_by(worse)?;
        Some(Interval { start: first.start, length: (last.start + last.length).since(first.start), ..worst.clone() })
    };
    touching.flat_map(|run| run.chunks(each)).filter_map(joined).collect()
}

/// Thins segments so that together they keep about `budget` points.
fn share(segments: Vec<Vec<Point>>, budget: usize) -> Vec<Vec<Point>> {
    let total: usize = segments.iter().map(Vec::len).sum();
    if total <= budget {
        return segments;
    }
    segments.into_iter().map(|segment| thin(&segment, (segment.len() * budget / total).max(4))).collect()
}

/// Per policy: the replicas that the load needed, what was missing of them, and what was ready.
fn load_and_capacity(subject: &Subject) -> Option<Chart> {
    let highest = subject.intervals().flat_map(|i| [i.needed, i.ready]).fold(0.0, highest_finite);
    subject.intervals().next()?;
    let count = subject.runs.len();
    let budget = subject.points / (3 * count);
    let height = if count <= 4 { 118 } else { 92 };
    let panels = subject.runs.iter().enumerate().map(|(index, (run, service))| {
        // Both areas are of the same intervals: thinned each by itself, they would show a shortage where none was.
        let worst = shortest(&service.timeline, budget / 2);
        let area =
            |ink, of: fn(&Interval) -> f64| Mark::Area { ink, segments: steps(&worst, usize::MAX, |i| Some(of(i))) };
        let ready =
            Mark::Line { ink: Ink::Alone(index as u8), segments: steps(&service.timeline, budget, |i| Some(i.ready)) };
        Panel {
            title: Some((Some(Ink::Alone(index as u8)), format!("{}: ready replicas", label(run)))),
            height,
            y: Axis::from_zero(highest, 4, "replicas", replica_label),
            marks: vec![area(Ink::Short, |i| i.needed), area(Ink::Needed, |i| i.needed.min(i.ready)), ready],
        }
    });
    let shortfalls: Vec<String> = subject
        .runs
        .iter()
        .map(|(run, service)| format!("{} {:.1}% of the time", label(run), service.elasticity.under_share * 100.0))
        .collect();
    Some(Chart {
        notes: Vec::new(),
        name: format!("load-and-capacity{}", subject.suffix),
        title: format!("Load and capacity{}", subject.of),
        description: format!(
            "Replicas needed by the offered load and replicas ready over time, one panel per policy. Under-provisioned: {}.",
            shortfalls.join(", ")
        ),
        caption: format!(
            "Replicas that the offered load needed at the utilization that the assumptions state (grey), the part of them that was not \
             ready (red), and the ready replicas (line). What is empty below the line is spare capacity.{}",
            subject.left_out
        ),
        legend: vec![
            (Sample::Area, Ink::Needed, "needed and ready".into()),
            (Sample::Area, Ink::Short, "needed but not ready".into()),
        ],
        x: Axis::time(subject.end, 12),
        panels: panels.collect(),
    })
}

/// Latency percentiles over time on a logarithmic scale, with the objectives as lines.
fn latency_over_time(subject: &Subject) -> Option<Chart> {
    const PERCENTILES: [(usize, &str); 3] = [(2, "p99"), (1, "p95"), (0, "p50")];
    let values = subject.intervals().filter_map(|i| i.sojourn).flatten().map(|v| v.as_secs_f64()).filter(|v| *v > 0.0);
    let (low, high) = values.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), v| (low.min(v), high.max(v)));
    if high == 0.0 {
        return None;
    }
    let limits: Vec<f64> =
        subject.limits().iter().filter_map(|o| o.within).map(|within| within.as_secs_f64()).collect();
    let ends = limits.iter().fold((low, high), |(low, high), limit| (low.min(*limit), high.max(*limit)));
    let budget = subject.points / (3 * subject.runs.len());
    let panels = PERCENTILES.map(|(percentile, name)| {
        let lines = subject.runs.iter().enumerate().map(|(index, (_, service))| {
            let of = |i: &Interval| i.sojourn.map(|values| values[percentile].as_secs_f64()).filter(|v| *v > 0.0);
            Mark::Line { ink: Subject::ink(index), segments: line(&service.timeline, budget, of) }
        });
        let limits = limits.iter().map(|at| Mark::Across { ink: Ink::Limit, at: *at });
        Panel {
            title: None,
            height: 165,
            y: Axis::duration(ends.0, ends.1, 7, &format!("{name} latency")),
            marks: lines.chain(limits).collect(),
        }
    });
    let mut legend = subject.legend();
    let limits = subject.limits();
    legend.extend(limits.iter().map(|o| (Sample::Line, Ink::Limit, format!("limit of “{}”", o.text))));
    Some(Chart {
        notes: Vec::new(),
        name: format!("latency-over-time{}", subject.suffix),
        title: format!("Latency over time{}", subject.of),
        description: format!(
            "99th, 95th and 50th percentile of the latency per interval, logarithmic scale, for {}. Overall p99: {}.",
            subject.names(),
            overall(subject, 0.99)
        ),
        caption: format!(
            "Percentiles of the latency (arrival to completion, retries included) of the requests completed in each \
             interval; logarithmic scale. A gap is an interval in which nothing was completed.{}",
            subject.left_out
        ),
        legend,
        x: Axis::time(subject.end, 12),
        panels: panels.into(),
    })
}

/// "NAME 87.3 ms, ..." for a quantile over the whole run.
fn overall(subject: &Subject, q: f64) -> String {
    let one = |(run, service): &(&RunRecord, &ServiceRecord)| {
        format!("{} {}", label(run), text::latency_or_missing(service.sojourn.quantile(q)))
    };
    subject.runs.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The share of requests answered within a time, by its nines, over the time on a logarithmic scale.
fn latency_distribution(subject: &Subject) -> Option<Chart> {
    let finished = |service: &ServiceRecord| {
        let lost = service.counts.lost();
        service.sojourn.count() + lost
    };
    let most = subject.runs.iter().map(|(_, service)| finished(service)).max().unwrap_or(0);
    // The fastest of a thousand: a single very short request would squeeze everything else to the right.
    let bounds = |service: &ServiceRecord| {
        Some((service.sojourn.quantile(0.001)?.as_secs_f64(), service.sojourn.max()?.as_secs_f64()))
    };
    let extents = subject.runs.iter().filter_map(|(_, service)| bounds(service));
    let (low, high) = extents.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
    let limits = subject.limits();
    let seconds = |o: &ObjectiveRecord| o.within.map_or(0.0, |within| within.as_secs_f64());
    let (low, high) = limits.iter().map(|o| seconds(o)).fold((low.max(1e-9), high), |(a, b), v| (a.min(v), b.max(v)));
    let wanted = limits.iter().map(|o| Scale::Nines.place(o.target.get())).fold(0.0, f64::max).min(6.0);
    // One nine beyond what the number of requests can tell would be noise.
    let y = Axis::nines(
        ((most as f64).log10().floor() as usize).clamp(2, 5).max(wanted.ceil() as usize),
        "requests answered within",
    );
    let budget = subject.points / subject.runs.len();
    let curve = |service: &ServiceRecord| -> Vec<Point> {
        let total = finished(service).max(1) as f64;
        let mut within = 0;
        let mut points = vec![(service.sojourn.min().map_or(low, |min| min.as_secs_f64()), 0.0)];
        for (upper, count) in service.sojourn.buckets() {
            within += count;
            points.push((upper.as_secs_f64(), within as f64 / total));
            if within as f64 / total >= y.high {
                break;
            }
        }
        points
    };
    let drawn = subject.runs.iter().enumerate().filter(|(_, (_, service))| service.sojourn.count() > 0);
    let lines = drawn
        .map(|(i, (_, service))| Mark::Line { ink: Subject::ink(i), segments: vec![thin(&curve(service), budget)] });
    let rings = limits.iter().map(|o| Mark::Ring { ink: Ink::Limit, at: (seconds(o), o.target.get()) });
    let marks = lines.chain(rings).collect();
    let mut legend = subject.legend();
    legend.extend(limits.iter().map(|o| (Sample::Ring, Ink::Limit, format!("objective “{}”", o.text))));
    Some(Chart {
        notes: Vec::new(),
        name: format!("latency-cdf{}", subject.suffix),
        title: format!("Latency distribution{}", subject.of),
        description: format!(
            "Share of requests answered within a latency, from 0% to {} by nines, for {}. Median: {}. p99: {}.",
            y.ticks.last().map_or("", |(_, label)| label),
            subject.names(),
            overall(subject, 0.5),
            overall(subject, 0.99)
        ),
        caption: format!(
            "Cumulative distribution of the latency; both scales are logarithmic, so that each nine has the same room. Lost \
             requests count as never answered. A curve that passes above and to the left of a ring meets that objective.{}",
            subject.left_out
        ),
        legend,
        x: Axis::duration(low, high, 8, "latency"),
        panels: vec![Panel { title: None, height: 330, y, marks }],
    })
}

/// The size that each policy asked for.
fn replicas(subject: &Subject) -> Option<Chart> {
    subject.intervals().next()?;
    let highest = subject.intervals().map(|i| i.wanted).fold(0.0, highest_finite);
    let budget = subject.points / subject.runs.len();
    let lines = subject.runs.iter().enumerate().map(|(index, (_, service))| Mark::Line {
        ink: Subject::ink(index),
        segments: steps(&service.timeline, budget, |i| Some(i.wanted)),
    });
    let most = |(run, service): &(&RunRecord, &ServiceRecord)| format!("{} {}", label(run), service.max_ready);
    Some(Chart {
        notes: Vec::new(),
        name: format!("replicas{}", subject.suffix),
        title: format!("Desired replicas by policy{}", subject.of),
        description: format!(
            "Desired replicas over time. Most ready replicas: {}.",
            subject.runs.iter().map(most).collect::<Vec<_>>().join(", ")
        ),
        caption: format!("Replicas that each policy asked for, averaged over each interval.{}", subject.left_out),
        legend: subject.legend(),
        x: Axis::time(subject.end, 12),
        panels: vec![Panel {
            title: None,
            height: 270,
            y: Axis::from_zero(highest, 5, "replicas", replica_label),
            marks: lines.collect(),
        }],
    })
}

/// What was spent so far, over all services.
fn cost(runs: &[&RunRecord], end: f64, points: usize, left_out: &str) -> Option<Chart> {
    let curves: Vec<Vec<Point>> = runs.iter().map(|run| spent(run)).collect();
    let highest = curves.iter().flatten().map(|(_, dollars)| *dollars).fold(0.0, f64::max);
    if highest == 0.0 {
        return None;
    }
    let budget = points / runs.len();
    let lines = curves.iter().enumerate().filter(|(_, curve)| curve.len() > 1);
    let marks = lines.map(|(i, curve)| Mark::Line { ink: Subject::ink(i), segments: vec![thin(curve, budget)] });
    let total =
        |run: &&RunRecord| format!("{} {}", label(run), run.cost.map_or_else(|| text::MISSING.into(), text::dollars));
    let dollars = |value: f64, decimals: usize| match decimals {
        0 => format!("${}", text::count(value as u64)),
        _ => format!("${value:.*}", decimals.max(2)),
    };
    Some(Chart {
        notes: Vec::new(),
        name: "cost-over-time".into(),
        title: "Cost so far".into(),
        description: format!(
            "Cumulative cost over time. Billed in the end: {}.",
            runs.iter().map(total).collect::<Vec<_>>().join(", ")
        ),
        caption: format!(
            "Cost accrued at list price; the bill adds minimum charges and billing granularity.{left_out}"
        ),
        legend: runs.iter().enumerate().map(|(i, run)| (Sample::Line, Subject::ink(i), label(run))).collect(),
        x: Axis::time(end, 12),
        panels: vec![Panel {
            title: None,
            height: 270,
            y: Axis::from_zero(highest, 5, "cost so far (US dollars)", dollars),
            marks: marks.collect(),
        }],
    })
}

/// (end of interval in seconds, dollars accrued until then).
fn spent(run: &RunRecord) -> Vec<Point> {
    let mut by_end: BTreeMap<SimTime, Usd> = BTreeMap::new();
    for interval in run.services.iter().flat_map(|service| &service.timeline) {
        *by_end.entry(interval.start + interval.length).or_default() += interval.cost.unwrap_or_default();
    }
    let mut total = Usd::ZERO;
    let mut points = vec![(0.0, 0.0)];
    for (end, cost) in by_end {
        total += cost;
        points.push((end.as_secs_f64(), total.as_f64()));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One interval without a value in the peak (finding 10): joined with its neighbours it is no shortage, and none is made of it.
    #[test]
    fn thinned_areas_show_no_shortage_that_is_not_there() {
        use crate::units::{SimDuration, SimTime};
        let minute = |index: u64| Interval {
            start: SimTime::from_secs(60 * index),
            length: SimDuration::from_secs(60),
            needed: if index == 1206 { 0.0 } else { 1.9 + 0.3 * ((index % 1440) as f64 / 1440.0) },
            ready: 2.0,
            ..Interval::default()
        };
        let timeline: Vec<Interval> = (0..4320).map(minute).collect();
        let most = |rows: &[Interval]| rows.iter().map(|i| i.needed - i.ready).fold(0.0, f64::max);
        for points in [40, 150, 600, 5000] {
            let few = shortest(&timeline, points);
            assert!(few.len() <= points + 1);
            assert_eq!(most(&few), most(&timeline), "extremes are kept");
            assert_eq!(few.first().map(|i| i.start), Some(SimTime::ZERO));
            let end = few.last().map(|i| i.start + i.length);
            assert_eq!(end, Some(SimTime::from_secs(60 * 4320)));
            assert!(few.windows(2).all(|pair| pair[0].start + pair[0].length == pair[1].start));
        }
        let joined = shortest(&timeline, 600);
        assert!(joined.iter().all(|i| i.needed > 1.8), "the missing minute is none of the load");
    }
}
