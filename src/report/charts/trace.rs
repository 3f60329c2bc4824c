//! Traces beside each other: rate over time, profile of day and week, dispersion over scales, distributions.

use super::axis::{Axis, Scale};
use super::canvas::Ink;
use super::chart::{Chart, Mark, Panel, Sample};
use super::thin::{Point, thin};
use crate::config::slug;
use crate::report::printing::text;
use crate::report::printing::text::rate_title;
use crate::workload::{Portrait, SampleDistribution, Zone};

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const POINTS: usize = 4_000;

type Traces<'a> = &'a [(String, Portrait)];

/// The charts for which there are figures.
pub(super) fn charts(traces: Traces, dated: bool) -> Vec<Chart> {
    let mut charts: Vec<Chart> =
        [rate(traces, dated), profile(traces), dispersion(traces)].into_iter().flatten().collect();
    charts.extend(distributions(traces));
    charts
}

fn ink(index: usize) -> Ink {
    Ink::Series(index as u8)
}

fn legend(traces: Traces) -> Vec<(Sample, Ink, String)> {
    match traces.len() {
        1 => Vec::new(),
        _ => traces.iter().enumerate().map(|(i, (name, _))| (Sample::Line, ink(i), name.clone())).collect(),
    }
}

/// The name of the only trace, for titles.
fn of(traces: Traces) -> String {
    match traces {
        [(name, _)] => format!(": {name}"),
        _ => String::new(),
    }
}

/// A number with few digits for an axis.
fn number(value: f64, decimals: usize) -> String {
    match value.abs() >= 1000.0 {
        true => text::count(value as u64),
        false => format!("{value:.decimals$}"),
    }
}

fn rate(traces: Traces, dated: bool) -> Option<Chart> {
    let (_, first) = traces.first()?;
    let end = traces.iter().map(|(_, portrait)| portrait.seconds()).fold(0.0, f64::max);
    let highest = traces.iter().flat_map(|(_, p)| p.rate.iter().flatten().copied()).fold(0.0, f64::max);
    let marks = traces
        .iter()
        .enumerate()
        .map(|(index, (_, portrait))| Mark::Line { ink: ink(index), segments: steps(portrait) });
    // Dates stand on the axis only where all traces share them.
    let shared = traces
        .iter()
        .all(|(_, portrait)| (portrait.start_epoch_ns, portrait.zone) == (first.start_epoch_ns, first.zone));
    let x = match first.start_epoch_ns.filter(|_| shared && dated) {
        Some(start) => Axis::dates_in(start, end, 9, first.zone),
        None => Axis::time(end, 12),
    };
    let title = rate_title(first.kind);
    let bin = crate::units::SimDuration::from_secs(first.bin.round() as u64);
    Some(Chart {
        notes: Vec::new(),
        name: "rate".into(),
        title: format!("Rate over time{}", of(traces)),
        description: format!("Mean {title} in intervals of {bin}; the highest is {highest:.4}."),
        caption: format!("Mean {title} in intervals of {bin}."),
        legend: legend(traces),
        x,
        panels: vec![Panel {
            title: None,
            height: 270,
            y: Axis::from_zero(highest, 5, title, number),
            marks: marks.collect(),
        }],
    })
}

/// The rate as steps, with gaps where nothing is known.
fn steps(portrait: &Portrait) -> Vec<Vec<Point>> {
    let mut segments: Vec<Vec<Point>> = Vec::new();
    let mut open = false;
    for (index, rate) in portrait.rate.iter().enumerate() {
        let (from, to) = (index as f64 * portrait.bin, (index + 1) as f64 * portrait.bin);
        let Some(rate) = rate else {
            open = false;
            continue;
        };
        match segments.last_mut().filter(|_| open) {
            Some(segment) => segment.extend([(from, *rate), (to, *rate)]),
            None => segments.push(vec![(from, *rate), (to, *rate)]),
        }
        open = true;
    }
    segments
}

/// Two panels on one axis of 24 places: hours of the day, days of the week.
fn profile(traces: Traces) -> Option<Chart> {
    let panel = |title: &str, of: fn(&Portrait) -> Option<&Vec<f64>>, width: f64| {
        let lines: Vec<(usize, Vec<Point>)> = traces
            .iter()
            .enumerate()
            .filter_map(|(index, (_, portrait))| {
                let values = of(portrait)?;
                let corners = values
                    .iter()
                    .enumerate()
                    .flat_map(|(i, value)| [(i as f64 * width, *value), ((i + 1) as f64 * width, *value)]);
                Some((index, corners.collect()))
            })
            .collect();
        let highest = lines.iter().flat_map(|(_, line)| line.iter().map(|point| point.1)).fold(0.0, f64::max);
        let marks = lines.into_iter().map(|(index, line)| Mark::Line { ink: ink(index), segments: vec![line] });
        let mut marks: Vec<Mark> = marks.collect();
        (!marks.is_empty()).then(|| {
            marks.push(Mark::Across { ink: Ink::Limit, at: 1.0 });
            Panel {
                title: Some((None, title.to_owned())),
                height: 130,
                y: Axis::from_zero(highest, 3, "share of mean", number),
                marks,
            }
        })
    };
    let hours = panel("hour of the day", |portrait| portrait.hours.as_ref(), 1.0);
    let days = panel("day of the week, Monday to Sunday", |portrait| portrait.weekdays.as_ref(), 24.0 / 7.0);
    let ticks = (0..=8).map(|i| f64::from(i) * 3.0).map(|hour| (hour, format!("{hour:02.0}:00")));
    let dated = traces.iter().all(|(_, portrait)| portrait.start_epoch_ns.is_some());
    let mut zones: Vec<Zone> = traces.iter().map(|(_, portrait)| portrait.zone).collect();
    zones.dedup();
    let title = match zones.as_slice() {
        _ if !dated => "hour since the start, modulo a day".to_string(),
        [zone] => format!("hour of the day ({})", zone.name()),
        _ => "hour of the day (of each trace's own time zone)".to_string(),
    };
    let x = Axis { scale: Scale::Linear, low: 0.0, high: 24.0, ticks: ticks.collect(), title };
    let panels: Vec<Panel> = days.into_iter().map(named_days).chain(hours).collect();
    (!panels.is_empty()).then(|| Chart {
        notes: Vec::new(),
        name: "profile".into(),
        title: format!("Day and week{}", of(traces)),
        description: "Mean of each day of the week and of each hour of the day, 1 being the mean of all.".into(),
        caption: "Mean of each day and hour; 1 is the mean of all.".into(),
        legend: legend(traces),
        x,
        panels,
    })
}

/// Writes the days of the week into the panel, whose axis is the day's.
fn named_days(mut panel: Panel) -> Panel {
    let places = WEEKDAYS.iter().enumerate().map(|(index, name)| Mark::Words {
        ink: Ink::Axis,
        at: ((index as f64 + 0.5) * 24.0 / 7.0, panel.y.high * 0.07),
        text: (*name).to_owned(),
        side: super::chart::Side::Around,
    });
    let places: Vec<Mark> = places.collect();
    panel.marks.extend(places);
    panel
}

fn dispersion(traces: Traces) -> Option<Chart> {
    let all = || traces.iter().flat_map(|(_, portrait)| &portrait.dispersion).filter(|(_, index)| *index > 0.0);
    let (low, high) =
        all().fold((f64::INFINITY, 0.0f64), |(low, high), (scale, _)| (low.min(*scale), high.max(*scale)));
    if low >= high {
        return None;
    }
    let least = all().map(|(_, index)| *index).fold(1.0, f64::min);
    let most = all().map(|(_, index)| *index).fold(1.0, f64::max);
    let mut marks: Vec<Mark> = vec![Mark::Across { ink: Ink::Limit, at: 1.0 }];
    marks.extend(traces.iter().enumerate().map(|(index, (_, portrait))| Mark::Line {
        ink: ink(index),
        segments: vec![portrait.dispersion.iter().copied().filter(|(_, index)| *index > 0.0).collect()],
    }));
    Some(Chart {
        notes: Vec::new(),
        name: "dispersion".into(),
        title: format!("Index of dispersion{}", of(traces)),
        description: format!(
            "Variance over mean of the counts from intervals of {low} s to {high} s; at most {most:.3}."
        ),
        caption: "Variance over mean of the number of requests per interval; the line at 1 is a Poisson process."
            .into(),
        legend: legend(traces),
        x: Axis::span(low, high, "length of the interval"),
        panels: vec![Panel { title: None, height: 240, y: Axis::decades(least, most, "variance / mean"), marks }],
    })
}

/// A chart per quantity: the share of requests that have at most a value.
fn distributions(traces: Traces) -> Vec<Chart> {
    let mut names: Vec<&'static str> = Vec::new();
    for distribution in traces.iter().flat_map(|(_, portrait)| &portrait.distributions) {
        if !names.contains(&distribution.name) {
            names.push(distribution.name);
        }
    }
    names.into_iter().filter_map(|name| distribution(traces, name)).collect()
}

fn distribution(traces: Traces, name: &'static str) -> Option<Chart> {
    let found: Vec<(usize, &SampleDistribution)> = traces
        .iter()
        .enumerate()
        .filter_map(|(i, (_, portrait))| Some((i, portrait.distributions.iter().find(|own| own.name == name)?)))
        .collect();
    let values = || found.iter().flat_map(|(_, own)| own.shares.iter().map(|(value, _)| *value)).filter(|v| *v > 0.0);
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    let is_time = found.first()?.1.is_time;
    if !low.is_finite() {
        return None;
    }
    let line = |own: &SampleDistribution| {
        let points: Vec<Point> = own.shares.iter().map(|(value, share)| (value.max(low), *share)).collect();
        thin(&points, POINTS)
    };
    let words: Vec<String> = found
        .iter()
        .map(|(index, own)| {
            let mean = if is_time { format!("{:.4} s", own.mean) } else { number(own.mean, 1) };
            format!("{}: mean {mean}, coefficient of variation {:.2}", traces[*index].0, own.cv)
        })
        .collect();
    let axis = match is_time {
        true if high > 100.0 => Axis::span(low, high, name),
        true => Axis::duration(low, high, 10, name),
        false => Axis::decades(low, high, name),
    };
    let ticks = (0..=4).map(|i| f64::from(i) * 0.25).map(|share| (share, format!("{:.0}%", share * 100.0))).collect();
    let y = Axis { scale: Scale::Linear, low: 0.0, high: 1.0, ticks, title: "share of the requests".into() };
    let marks = found.iter().map(|(index, own)| Mark::Line { ink: ink(*index), segments: vec![line(own)] }).collect();
    Some(Chart {
        notes: Vec::new(),
        name: slug(name),
        title: format!("Distribution of the {name}{}", of(traces)),
        description: format!("{}.", words.join("; ")),
        caption: format!("Share of the requests with at most this {name}. {}.", words.join("; ")),
        legend: legend(traces),
        x: axis,
        panels: vec![Panel { title: None, height: 240, y, marks }],
    })
}
