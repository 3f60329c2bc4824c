//! Timelines: one for each policy and service, all on the same axis of time, which the page's script zooms together.

mod draw;
mod series;

use serde::Serialize;

use super::raster;
use crate::config::slug;
use crate::engine::{DecisionRecord, Interval, RunRecord, ServiceRecord};
use crate::experiment::{CalendarStart, Outcome};
use crate::report::{Artifact, ReportError, table::label, text};
use crate::units::SimTime;
use crate::workload::Zone;
use series::{Kind, PANELS, PanelUnit, Rows};

/// Timelines on a page; the rest is in `timeline.csv`.
const MOST: usize = 16;

/// What all timelines of a page may take, in bytes: for their pictures and for the figures behind them. A row takes so many at
/// most; one of several intervals has two figures for each series.
const PICTURE_BYTES: usize = 320_000;
const FIGURE_BYTES: usize = 450_000;
const ROW_BYTES: usize = 60;
const JOINED_BYTES: usize = 105;
const DRAWN_BYTES: usize = 230;
/// Rows of a picture beyond which more could not be seen.
const MAX_DRAWN: usize = 654;
/// Decisions marked on a page.
const MAX_MARKS: usize = 700;
const MAX_MARKS_EACH: usize = 200;

/// A stretch of time that is unlike the rest.
struct Band {
    from: f64,
    to: f64,
    what: String,
    fault: bool,
}

/// A decision.
struct Mark {
    at: f64,
    up: bool,
    /// By how many replicas it changed the size.
    change: u32,
    words: String,
}

/// The timeline of a policy and a service, ready to be drawn.
struct Timeline {
    /// Name of its files and prefix of its identifiers.
    name: String,
    title: String,
    description: String,
    /// End of the axis of time, seconds.
    end: f64,
    /// Where its beginning lies on the calendar.
    calendar: Option<CalendarStart>,
    rows: Rows,
    /// Limits of latency objectives: seconds, and the objective in words.
    limits: Vec<(f64, String)>,
    bands: Vec<Band>,
    marks: Vec<Mark>,
    /// Decisions that changed the size and are not marked.
    unmarked: usize,
}

/// The timelines for a page.
#[derive(Serialize)]
pub(in crate::report) struct Section {
    timelines: Vec<Shown>,
    /// Sentences below.
    notes: Vec<String>,
}

/// A timeline on a page.
#[derive(Serialize)]
struct Shown {
    name: String,
    title: String,
    svg: String,
    /// The figures as JSON that can stand in a page.
    figures: String,
}

impl Section {
    /// The timelines of an outcome.
    pub(in crate::report) fn of(outcome: &Outcome) -> Section {
        let all = timelines(outcome);
        let shown = |timeline: &Timeline| Shown {
            name: timeline.name.clone(),
            title: timeline.title.clone(),
            svg: draw::svg(timeline, &drawn(timeline, all.len()), true),
            figures: figures(timeline, all.len()),
        };
        Section { timelines: all.iter().map(shown).collect(), notes: notes(outcome, &all) }
    }

    /// Whether there is none.
    pub(in crate::report) fn is_empty(&self) -> bool {
        self.timelines.is_empty()
    }

    /// Name of the files of each, without their ending, and what it is of.
    pub(in crate::report) fn names(outcome: &Outcome) -> Vec<(String, String)> {
        timelines(outcome).into_iter().map(|timeline| (timeline.name, timeline.title)).collect()
    }
}

/// The timelines as files.
pub(super) fn files(outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
    let mut artifacts = Vec::new();
    for svg in pictures(outcome) {
        let name = format!("{}.png", svg.name.trim_end_matches(".svg"));
        let size = (draw::WIDTH as u32, draw::height() as u32);
        let png = raster::png(&String::from_utf8_lossy(&svg.bytes), size).map_err(|e| ReportError::new(&name, e))?;
        artifacts.extend([svg, Artifact::new(name, png)]);
    }
    Ok(artifacts)
}

/// The timelines as SVG.
pub(super) fn pictures(outcome: &Outcome) -> Vec<Artifact> {
    let all = timelines(outcome);
    let svg = |timeline: &Timeline| draw::svg(timeline, &drawn(timeline, all.len()), false);
    all.iter().map(|timeline| Artifact::new(format!("{}.svg", timeline.name), svg(timeline))).collect()
}

/// Policies that have a timeline of each service.
fn policies(outcome: &Outcome) -> usize {
    let services = outcome.runs.iter().map(|run| run.services.len()).max().unwrap_or(0);
    (MOST / services.max(1)).max(1).min(outcome.runs.len())
}

fn timelines(outcome: &Outcome) -> Vec<Timeline> {
    let runs = &outcome.runs[..policies(outcome)];
    let services = runs.iter().map(|run| run.services.len()).max().unwrap_or(0);
    let mut all = Vec::new();
    for service in 0..services.min(MOST) {
        for (number, run) in runs.iter().enumerate() {
            let Some(record) = run.services.get(service).filter(|record| !record.timeline.is_empty()) else { continue };
            let (of, name) = match services {
                1 => (String::new(), format!("timeline-{}-{}", number + 1, slug(&run.policy))),
                _ => (
                    format!(": {}", record.name),
                    format!("timeline-{}-{}-{}-{}", service + 1, number + 1, slug(&record.name), slug(&run.policy)),
                ),
            };
            all.push(timeline(outcome, run, record, (name, format!("{}{of}", label(run)))));
        }
    }
    let marks = (MAX_MARKS / all.len().max(1)).min(MAX_MARKS_EACH);
    all.iter_mut().for_each(|timeline| thin_marks(timeline, marks));
    all
}

fn timeline(outcome: &Outcome, run: &RunRecord, record: &ServiceRecord, (name, title): (String, String)) -> Timeline {
    let rows = Rows::of(&record.timeline);
    let changes = record.decisions.iter().filter(|decision| decision.from != decision.to);
    let limits = record.objectives.iter().filter_map(|o| Some((o.within?.as_secs_f64(), o.text.clone())));
    Timeline {
        name,
        description: description(record, &rows),
        title,
        end: outcome.runs.iter().map(|run| run.end.as_secs_f64()).fold(0.0, f64::max),
        calendar: outcome.calendar.clone(),
        rows,
        limits: limits.collect(),
        bands: bands(outcome, run),
        marks: changes.map(mark).collect(),
        unmarked: 0,
    }
}

fn bands(outcome: &Outcome, run: &RunRecord) -> Vec<Band> {
    let warm_up = Band { from: 0.0, to: run.warm_up.as_secs_f64(), what: "warm-up".into(), fault: false };
    let faults = outcome.faults.iter().filter(|fault| fault.from < fault.to).map(|fault| Band {
        from: fault.from.as_secs_f64(),
        to: fault.to.as_secs_f64(),
        what: fault.what.clone(),
        fault: true,
    });
    (run.warm_up > SimTime::ZERO).then_some(warm_up).into_iter().chain(faults).collect()
}

fn mark(decision: &DecisionRecord) -> Mark {
    let at = decision.at.as_secs_f64();
    let (from, to) = (decision.from, decision.to);
    let words = format!("{}: {from} → {to} replicas, {}: {}", text::clock(at), decision.code.name(), decision.detail);
    Mark { at, up: to > from, change: from.abs_diff(to), words }
}

/// Keeps the decisions that changed the size most, in order of time.
fn thin_marks(timeline: &mut Timeline, most: usize) {
    timeline.unmarked = timeline.marks.len().saturating_sub(most);
    if timeline.unmarked > 0 {
        timeline.marks.sort_by_key(|mark| std::cmp::Reverse(mark.change));
        timeline.marks.truncate(most);
        timeline.marks.sort_by(|a, b| a.at.total_cmp(&b.at));
    }
}

/// What the timeline shows, in figures.
fn description(record: &ServiceRecord, rows: &Rows) -> String {
    let range = |panel: usize, series: usize| rows.extent(panel, series).unwrap_or((0.0, 0.0));
    let (arrivals, ready) = (range(0, 0), range(1, 1));
    let peak = record.timeline.iter().max_by_key(|interval| interval.arrived);
    let peak =
        peak.map(|interval| format!(", most at {}", text::clock(interval.start.as_secs_f64()))).unwrap_or_default();
    let bad: u64 = record.timeline.iter().map(Interval::bad).sum();
    format!(
        "Arrivals from {} to {} per second{peak}. Ready replicas from {} to {}, {} on average. Latency after the warm-up: p50 {}, \
         p95 {}, p99 {}. Requests too slow or lost in the whole run: {}. Mean utilization {}.",
        text::number(arrivals.0, 1),
        text::number(arrivals.1, 1),
        text::number(ready.0, 1),
        text::number(ready.1, 1),
        text::number(record.mean_ready, 1),
        text::latency_or_missing(record.sojourn.quantile(0.5)),
        text::latency_or_missing(record.sojourn.quantile(0.95)),
        text::latency_or_missing(record.sojourn.quantile(0.99)),
        text::count(bad),
        record.utilization.map_or_else(|| text::MISSING.into(), text::percent),
    )
}

/// The rows of a picture.
fn drawn(timeline: &Timeline, timelines: usize) -> Rows {
    let rows = &timeline.rows;
    let joined = (PICTURE_BYTES / DRAWN_BYTES / timelines.max(1)).min(MAX_DRAWN / 2);
    if rows.len() <= (2 * joined).min(MAX_DRAWN) { rows.at_most(rows.len()) } else { rows.at_most(joined) }
}

/// The rows of the figures behind a picture.
fn kept(timeline: &Timeline, timelines: usize) -> Rows {
    let rows = &timeline.rows;
    let most = |bytes: usize| (FIGURE_BYTES / bytes / timelines.max(1)).max(2);
    if rows.len() <= most(ROW_BYTES) { rows.at_most(rows.len()) } else { rows.at_most(most(JOINED_BYTES)) }
}

/// The figures as JSON for the page's script; no sign in it could end the element that it stands in.
fn figures(timeline: &Timeline, timelines: usize) -> String {
    let rows = kept(timeline, timelines);
    let number = |value: f64| match short(value) {
        whole if whole == whole.trunc() && whole.abs() < 1e15 => serde_json::Value::from(whole as i64),
        other => serde_json::Value::from(other),
    };
    let column = |panel: usize, index: usize, low: bool| -> Vec<serde_json::Value> {
        let pick =
            |range: &series::Range| range.map_or(serde_json::Value::Null, |(a, b)| number(if low { a } else { b }));
        rows.values[panel][index].iter().map(pick).collect()
    };
    let panel = |panel: usize| {
        let one = |(index, series): (usize, &series::TimelineSeries)| {
            let mut one = serde_json::json!({ "name": series.name, "kind": series.kind.name(), "high": column(panel, index, false) });
            if rows.each > 1 && matches!(series.kind, Kind::Steps | Kind::Line) {
                one["low"] = column(panel, index, true).into();
            }
            one
        };
        let limits: &[(f64, String)] = if PANELS[panel].measure == PanelUnit::Latency { &timeline.limits } else { &[] };
        serde_json::json!({
            "top": draw::top(panel),
            "measure": PANELS[panel].measure.name(),
            "limits": limits.iter().map(|(at, _)| *at).collect::<Vec<f64>>(),
            "series": PANELS[panel].series.iter().enumerate().map(one).collect::<Vec<_>>(),
        })
    };
    // Seconds of the day at time zero, by the clock of the zone.
    let clock = timeline.calendar.as_ref().map(|calendar| {
        let zone = Zone::named(&calendar.zone).unwrap_or(Zone::UTC);
        let local =
            (calendar.start_epoch_ns / 1_000_000_000).saturating_add_signed(zone.offset_at(calendar.start_epoch_ns));
        serde_json::json!({ "start": local, "zone": calendar.zone })
    });
    let all = serde_json::json!({
        "clock": clock,
        "edges": rows.edges.iter().map(|at| number(*at)).collect::<Vec<_>>(),
        "each": rows.each,
        "end": timeline.end,
        "left": draw::LEFT,
        "right": draw::WIDTH - draw::RIGHT,
        "height": draw::PANEL,
        "panels": (0..PANELS.len()).map(panel).collect::<Vec<_>>(),
    });
    all.to_string().replace('<', "\\u003c")
}

/// A value with four significant digits where it is no whole number below ten million: a page's text is to stay short.
fn short(value: f64) -> f64 {
    if value == value.round() && value.abs() < 1e7 {
        return value;
    }
    let digits = (3.0 - value.abs().log10().floor()).clamp(0.0, 12.0);
    let scale = 10f64.powf(digits);
    (value * scale).round() / scale
}

fn notes(outcome: &Outcome, all: &[Timeline]) -> Vec<String> {
    let mut notes = Vec::new();
    let coarse = all.iter().map(|timeline| kept(timeline, all.len()).each).max().unwrap_or(1);
    if coarse > 1 {
        notes.push(format!(
            "To keep the page small, {coarse} intervals share a place, drawn from their least to their greatest value; timeline.csv has \
             every interval."
        ));
    }
    let unmarked: usize = all.iter().map(|timeline| timeline.unmarked).sum();
    if unmarked > 0 {
        notes.push(format!(
            "Marked are the decisions that changed the size most; {} smaller ones are in decisions.csv.",
            text::count(unmarked as u64)
        ));
    }
    match outcome.runs.len() - policies(outcome) {
        0 => {}
        left => {
            notes.push(format!("Shown are the first {} policies; {left} more are in timeline.csv.", policies(outcome)))
        }
    }
    notes
}
