//! Which timelines there are, and what is drawn and told of each.

use super::{draw, series};
use rayon::prelude::*;
use serde::Serialize;

use super::super::raster;
use super::series::{Kind, PANELS, PanelUnit, Rows};
use crate::config::slug;
use crate::engine::{DecisionRecord, Interval, RunRecord, ServiceRecord};
use crate::experiment::{CalendarStart, Outcome};
use crate::report::answers::table::label;
use crate::report::artifact::{Artifact, ReportError};
use crate::report::printing::moment::{self, Clock};
use crate::report::printing::text;
use crate::units::SimTime;

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
pub(super) struct Band {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) what: String,
    /// From when to when, in words.
    pub(super) when: String,
    pub(super) fault: bool,
}

/// A decision.
pub(super) struct Mark {
    pub(super) at: f64,
    pub(super) up: bool,
    /// By how many replicas it changed the size.
    change: u32,
    pub(super) words: String,
}

/// The timeline of a policy and a service, ready to be drawn.
pub(super) struct Timeline {
    /// Name of its files and prefix of its identifiers.
    pub(super) name: String,
    pub(super) title: String,
    pub(super) description: String,
    /// End of the axis of time, seconds.
    pub(super) end: f64,
    /// Where its beginning lies on the calendar.
    pub(super) calendar: Option<CalendarStart>,
    pub(super) rows: Rows,
    /// Limits of latency objectives: seconds, and the objective in words.
    pub(super) limits: Vec<(f64, String)>,
    pub(super) bands: Vec<Band>,
    pub(super) marks: Vec<Mark>,
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
pub(crate) fn files(outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
    let files = |svg: Artifact| {
        let name = format!("{}.png", svg.name.trim_end_matches(".svg"));
        let size = (draw::WIDTH as u32, draw::height() as u32);
        let png = raster::png(&String::from_utf8_lossy(&svg.bytes), size).map_err(|e| ReportError::new(&name, e))?;
        Ok([svg, Artifact::new(name, png)])
    };
    let each: Vec<Result<[Artifact; 2], ReportError>> = pictures(outcome).into_par_iter().map(files).collect();
    let each: Vec<[Artifact; 2]> = each.into_iter().collect::<Result<_, _>>()?;
    Ok(each.into_iter().flatten().collect())
}

/// The timelines as SVG.
pub(crate) fn pictures(outcome: &Outcome) -> Vec<Artifact> {
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
        description: description(record, &rows, Clock::of(outcome)),
        title,
        end: outcome.runs.iter().map(|run| run.end.as_secs_f64()).fold(0.0, f64::max),
        calendar: outcome.calendar.clone(),
        rows,
        limits: limits.collect(),
        bands: bands(outcome, run),
        marks: changes.map(|decision| mark(decision, Clock::of(outcome))).collect(),
        unmarked: 0,
    }
}

fn bands(outcome: &Outcome, run: &RunRecord) -> Vec<Band> {
    let band = |from: SimTime, to: SimTime, what: &str, fault: bool| Band {
        from: from.as_secs_f64(),
        to: to.as_secs_f64(),
        what: what.into(),
        when: Clock::of(outcome).between(from, to),
        fault,
    };
    let warm_up = (run.warm_up > SimTime::ZERO).then(|| band(SimTime::ZERO, run.warm_up, "warm-up", false));
    let faults = outcome.faults.iter().filter(|fault| fault.from < fault.to);
    warm_up.into_iter().chain(faults.map(|fault| band(fault.from, fault.to, &fault.what, true))).collect()
}

fn mark(decision: &DecisionRecord, clock: Clock) -> Mark {
    let at = decision.at.as_secs_f64();
    let (from, to) = (decision.from, decision.to);
    let words = format!("{}: {from} → {to} replicas, {}: {}", clock.at(at), decision.code.name(), decision.detail);
    Mark { at, up: to > from, change: from.abs_diff(to), words }
}

/// Where there are more than so many marks: in each of as many equal stretches of time the decision that changed the size most. Those of
/// the whole run that changed it most would leave whole days empty where hundreds changed it by one.
fn thin_marks(timeline: &mut Timeline, most: usize) {
    let all = timeline.marks.len();
    if all > most {
        let stretch = |mark: &Mark| (mark.at / timeline.end * most as f64) as usize;
        timeline.marks.sort_by_key(|mark| (stretch(mark), std::cmp::Reverse(mark.change)));
        timeline.marks.dedup_by_key(|mark| stretch(mark));
        timeline.unmarked = all - timeline.marks.len();
    }
}

/// What the timeline shows, in figures.
fn description(record: &ServiceRecord, rows: &Rows, clock: Clock) -> String {
    let range = |panel: usize, series: usize| rows.extent(panel, series).unwrap_or((0.0, 0.0));
    let (arrivals, ready) = (range(0, 0), range(1, 1));
    let peak = record.timeline.iter().max_by_key(|interval| interval.arrived);
    let peak = peak.map(|interval| format!(", most at {}", clock.at(interval.start.as_secs_f64()))).unwrap_or_default();
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
    // Of intervals that are not joined the own value, which is read; of joined ones the greatest sum, which is drawn.
    let own = |panel: usize, index: usize| -> Vec<serde_json::Value> {
        let value = |row: usize| rows.values[panel][index][row].map(|(_, top)| top - rows.below((panel, index), row));
        (0..rows.len()).map(|row| value(row).map_or(serde_json::Value::Null, number)).collect()
    };
    let panel = |panel: usize| {
        let one = |(index, series): (usize, &series::TimelineSeries)| {
            let high = if series.kind == Kind::Stacked && rows.each == 1 {
                own(panel, index)
            } else {
                column(panel, index, false)
            };
            let mut one = serde_json::json!({ "name": series.name, "kind": series.kind.name(), "high": high });
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
    let clock = timeline.calendar.as_ref().map(|calendar| clock(calendar, timeline.end));
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

/// What the page's script needs to tell time by the calendar: seconds since 1970 by the clock of the zone at time zero, by how many
/// seconds that clock is changed during the run and when, and the zone in words.
fn clock(calendar: &CalendarStart, end: f64) -> serde_json::Value {
    // Clocks are changed at a multiple of this.
    const STEP: u64 = 900;
    let zone = moment::zone(calendar);
    let start = calendar.start_epoch_ns / 1_000_000_000;
    let offset = |seconds: u64| zone.offset_at(seconds.saturating_mul(1_000_000_000));
    let first = offset(start);
    let moments = (start / STEP + 1..).map(|step| step * STEP).take_while(|at| (*at - start) as f64 <= end);
    let mut shifts: Vec<(u64, i64)> = moments.map(|at| (at - start, offset(at) - first)).collect();
    shifts.insert(0, (0, 0));
    shifts.dedup_by_key(|(_, shift)| *shift);
    serde_json::json!({
        "start": start.saturating_add_signed(first),
        "shifts": shifts.split_off(1),
        "zone": moment::zone_text(zone, calendar.start_epoch_ns),
    })
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
            "Of decisions close to each other the one that changed the size most is marked; {} more are in decisions.csv.",
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

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(changes: impl Iterator<Item = (u64, u32)>) -> Timeline {
        let decision = |(minute, to): (u64, u32)| DecisionRecord {
            at: SimTime::from_secs(60 * minute),
            metrics_age: None,
            from: 2,
            to,
            ready: 2,
            code: crate::policy::ReasonCode::Target,
            detail: String::new(),
        };
        let outcome_clock = Clock::default();
        Timeline {
            name: "a".into(),
            title: "a".into(),
            description: String::new(),
            end: 86_400.0,
            calendar: None,
            rows: Rows::of(&[]),
            limits: Vec::new(),
            bands: Vec::new(),
            marks: changes.map(decision).map(|decision| mark(&decision, outcome_clock)).collect(),
            unmarked: 0,
        }
    }

    /// A decision a minute over a day, one of them large: marks are spread over the day, and the large one is among them.
    #[test]
    fn marks_are_of_the_whole_run() {
        let mut thinned = timeline((0..1440).map(|minute| (minute, if minute == 701 { 9 } else { 3 })));
        thin_marks(&mut thinned, 100);
        assert_eq!((thinned.marks.len(), thinned.unmarked), (100, 1340));
        assert!(thinned.marks.iter().any(|mark| mark.change == 7));
        let gaps = thinned.marks.windows(2).map(|pair| pair[1].at - pair[0].at);
        assert!(gaps.fold(0.0, f64::max) <= 2.0 * 864.0, "no stretch of the day is empty");
        let mut few = timeline((0..3).map(|minute| (minute, 3)));
        thin_marks(&mut few, 100);
        assert_eq!((few.marks.len(), few.unmarked), (3, 0));
    }

    #[test]
    fn the_script_knows_when_the_clocks_change() {
        let start_epoch_ns = crate::workload::parse_instant("2026-10-24T22:30:00Z").unwrap();
        let calendar = |zone: &str| CalendarStart { start_epoch_ns, zone: zone.into() };
        let berlin = clock(&calendar("Europe/Berlin"), 86_400.0);
        assert_eq!(berlin["shifts"], serde_json::json!([[9000, -3600]]));
        assert_eq!(berlin["start"], start_epoch_ns / 1_000_000_000 + 7200);
        assert_eq!(clock(&calendar("UTC"), 86_400.0)["shifts"], serde_json::json!([]));
    }
}
