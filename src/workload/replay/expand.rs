//! Expands counts and levels to arrivals by a stated model.

use super::arrivals::OrderedRows;
use crate::random::Draw;
use crate::units::{SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::reading::holes::Holes;
use crate::workload::reading::options::{Absent, Expand, TraceOptions};
use crate::workload::reading::rows::{RowCounts, SeriesKind};
use crate::workload::source::TraceSource;
use crate::workload::time::text::show_instant;

/// The model that converts row values to numbers of requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Model {
    kind: SeriesKind,
    expand: Expand,
    /// Counts: length of a row's interval, unless the next row comes earlier. Levels: maximum time for which a value
    /// holds.
    interval: SimDuration,
    /// Counts: requests per counted request. Levels: requests per second and unit of the level.
    factor: f64,
    /// Counts: meaning of missing steps.
    gaps: Absent,
}

impl Model {
    /// The model that the options state for a file's rows.
    ///
    /// # Errors
    /// If levels have no model, or counts have no interval.
    pub(crate) fn of(rows: &OrderedRows, options: &TraceOptions, factor: f64) -> Result<Self, TraceError> {
        let kind = rows.ordered.reader.facts().kind;
        let fail = |message: &str, help: &str| Err(TraceError::new(rows.name.as_str(), message).help(help));
        // Little's law: the arrival rate of sessions is their number divided by the length of a session.
        let per_unit = match (options.requests_per_unit, options.session) {
            (Some(rate), _) => Some(rate.get()),
            (None, session) => session.filter(|session| !session.is_zero()).map(|session| 1.0 / session.as_secs_f64()),
        };
        let (interval, factor) = match (kind, rows.ordered.reader.facts().interval, per_unit) {
            (SeriesKind::Levels, ..) if options.gaps.is_some() => {
                return fail(
                    "holds levels, which hold until the next row",
                    "leave `gaps:` out; `max-gap:` says for how long a level holds",
                );
            }
            (SeriesKind::Levels, _, Some(rate)) => (options.max_gap, factor * rate),
            (SeriesKind::Levels, _, None) => {
                return fail(
                    "holds levels (such as players online), not requests",
                    "state how many requests one of them makes (`requests-per-unit: 0.1/s`), or how long one stays \
                     (`sessions: { duration: 20m }`)",
                );
            }
            (_, _, Some(_)) => {
                return fail(
                    "holds counts of requests",
                    "drop `requests-per-unit` and `sessions`; they are for levels",
                );
            }
            (_, Some(interval), None) => (interval, factor),
            (_, None, None) => {
                return fail(
                    "the length of an interval cannot be told from one row",
                    "state it, for example `interval: 1m`",
                );
            }
        };
        Ok(Model { kind, expand: options.expand, interval, factor, gaps: options.gaps.unwrap_or(Absent::Zero) })
    }

    /// Levels unchanged, in units of the level times seconds.
    pub(crate) fn level(options: &TraceOptions) -> Self {
        let (interval, gaps) = (options.max_gap, Absent::Zero);
        Model { kind: SeriesKind::Levels, expand: options.expand, interval, factor: 1.0, gaps }
    }

    /// Maximum time for which a row counts or holds.
    pub(crate) fn interval(&self) -> SimDuration {
        self.interval
    }
}

/// An interval and the number of requests in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval {
    /// Start, from the origin.
    pub(crate) start: SimTime,
    /// Length; at least one nanosecond.
    pub(crate) length: SimDuration,
    /// Expected number of requests.
    pub(crate) mean: f64,
}

/// Combines rows into intervals.
pub(crate) struct Intervals {
    pub(crate) rows: OrderedRows,
    pub(crate) model: Model,
    /// End of the last interval, from the origin.
    pub(super) last_end: SimTime,
    holes: Holes,
    /// End and value of the row before a gap, which is filled when the next row is known.
    open: Option<(SimTime, f64)>,
    filling: Option<Filling>,
    /// Time and value of the row after the gap that is being filled.
    held: Option<(SimTime, f64)>,
    /// Number of instants with several rows, and number of those rows.
    shared: (u64, u64),
}

/// A gap that is filled step by step, by linear interpolation between the rows on both sides.
#[derive(Debug, Clone, Copy)]
struct Filling {
    from: u64,
    to: u64,
    values: (f64, f64),
    steps: u64,
    next: u64,
}

impl Filling {
    /// The next step: start and end on the clock, and its length as a share of a whole step.
    fn step(&mut self) -> Option<(u64, u64, f64)> {
        (self.next < self.steps).then(|| {
            let at = |step: u64| {
                self.from + ((self.to - self.from) as u128 * u128::from(step) / u128::from(self.steps)) as u64
            };
            let (before, after) = self.values;
            let value = before + (after - before) * (self.next + 1) as f64 / (self.steps + 1) as f64;
            self.next += 1;
            (at(self.next - 1), at(self.next), value)
        })
    }
}

impl Intervals {
    pub(crate) fn new(rows: OrderedRows, model: Model) -> Self {
        let (open, filling, held) = (None, None, None);
        Intervals { rows, model, last_end: SimTime::ZERO, holes: Holes::default(), open, filling, held, shared: (0, 0) }
    }

    /// The next nonempty interval.
    pub(crate) fn next(&mut self) -> Result<Option<Interval>, TraceError> {
        loop {
            if let Some(filled) = self.filled() {
                return Ok(Some(filled));
            }
            let Some((time, value)) = self.instant()? else { return Ok(None) };
            if let Some((from, before)) = self.open.take() {
                let (from, to) = (from.as_nanos(), time.as_nanos());
                let steps = (to - from).div_ceil(self.model.interval.as_nanos().max(1)).max(1);
                self.filling = Some(Filling { from, to, values: (before, value), steps, next: 0 });
                self.held = Some((time, value));
                continue;
            }
            let next = self.rows.peek()?;
            let Some(end) = self.end_of(time, next.map(|(time, _)| time)) else { continue };
            let cut = end.min(self.rows.end);
            let mean =
                self.mean(value, next, time, end) * (cut.since(time).as_secs_f64() / end.since(time).as_secs_f64());
            let start = SimTime::from_nanos(time.as_nanos() - self.rows.origin.as_nanos());
            self.last_end = start + cut.since(time);
            let next = next.map(|(next, _)| start + next.min(self.rows.end).since(time));
            let before = self.holes.spans().len();
            self.holes.see(value, self.last_end, next, self.model.interval);
            if self.holes.spans().len() > before {
                self.meet_hole(cut, value)?;
            }
            return Ok(Some(Interval { start, length: cut.since(time), mean }));
        }
    }

    /// Time and value of the next instant with rows.
    fn instant(&mut self) -> Result<Option<(SimTime, f64)>, TraceError> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
        if !self.rows.ready()? {
            return Ok(None);
        }
        let time = self.rows.rows.requests.arrivals[self.rows.cursor];
        let (mut value, mut rows) = (0.0, 0);
        // Rows of the same instant are added up: one per client, region or host.
        while self.rows.ready()? && self.rows.rows.requests.arrivals[self.rows.cursor] == time {
            value += self.rows.rows.values[self.rows.cursor];
            self.rows.cursor += 1;
            rows += 1;
        }
        if rows > 1 {
            self.shared = (self.shared.0 + 1, self.shared.1 + rows);
        }
        Ok(Some((time, value)))
    }

    /// The next step of a gap that is being filled.
    fn filled(&mut self) -> Option<Interval> {
        let Some((from, to, value)) = self.filling.as_mut()?.step() else {
            self.filling = None;
            return None;
        };
        let start = SimTime::from_nanos(from - self.rows.origin.as_nanos());
        let length = SimDuration::from_nanos(to - from);
        self.last_end = start + length;
        let mean = value * self.model.factor * (length.as_secs_f64() / self.model.interval.as_secs_f64());
        Some(Interval { start, length, mean })
    }

    /// Starts a gap after a row with this value, whose interval ends at `end`.
    fn meet_hole(&mut self, end: SimTime, value: f64) -> Result<(), TraceError> {
        if self.model.kind != SeriesKind::Counts {
            return Ok(());
        }
        match self.model.gaps {
            Absent::Zero => Ok(()),
            Absent::Interpolate => {
                self.open = Some((end, value));
                Ok(())
            }
            Absent::Refuse => {
                let at = match self.rows.ordered.reader.facts().zero_epoch_ns {
                    Some(zero) => show_instant(zero.saturating_add(end.as_nanos())),
                    None => end.since(self.rows.origin).to_string(),
                };
                let message = format!("has no row for the step of {} from {at} on", self.model.interval);
                let help = "`gaps: interpolate` fills such steps in, `gaps: zero` takes them as times without requests";
                Err(TraceError::new(self.rows.name.as_str(), message).help(help))
            }
        }
    }

    /// A note that rows share an instant, if some do.
    pub(super) fn shared_told(&self) -> Option<String> {
        let (instants, rows) = self.shared;
        (instants > 0).then(|| format!("{rows} rows share {instants} instants; those of one instant are added up"))
    }

    /// The gaps found so far.
    pub(super) fn holes(&self) -> &Holes {
        &self.holes
    }

    /// The length of the trace: as stated, or once the last interval was read.
    pub(crate) fn extent(&self) -> Option<SimDuration> {
        let read = self.rows.extent()?;
        let stated = self.rows.ordered.reader.facts().extent.is_some() || self.rows.end != SimTime::MAX;
        Some(if stated { read } else { self.last_end.since(SimTime::ZERO) })
    }

    /// The end of the row's interval: the next row, or the maximum time. The last level ends with the trace.
    fn end_of(&self, time: SimTime, next: Option<SimTime>) -> Option<SimTime> {
        // An interval cannot extend beyond the length stated in the file.
        let reader = &self.rows.ordered.reader;
        let stated =
            reader.facts().extent.map_or(SimTime::MAX, |extent| reader.facts().origin.unwrap_or_default() + extent);
        let full = (time + self.model.interval).min(stated.max(time + SimDuration::from_nanos(1)));
        match (self.model.kind, next) {
            (_, Some(next)) => Some(next.min(full)),
            (SeriesKind::Levels, None) => None,
            (_, None) => Some(full),
        }
    }

    fn mean(&self, value: f64, next: Option<(SimTime, f64)>, time: SimTime, end: SimTime) -> f64 {
        if self.model.kind != SeriesKind::Levels {
            return value * self.model.factor;
        }
        // A level changes linearly to the next sample; before a gap it is constant.
        let after = next.filter(|(next, _)| *next == end).map_or(value, |(_, level)| level);
        f64::midpoint(value, after) * self.model.factor * end.since(time).as_secs_f64()
    }
}

/// Position of the arrivals within an interval.
#[derive(Debug, Clone, Copy)]
enum Placing {
    /// Evenly spaced: the n-th of a number of arrivals.
    Even { next: u64, of: u64 },
    /// A number of independent uniform times between `at` and the end of the interval.
    Uniform { left: u64, at: f64 },
    /// A Poisson process: exponential interarrival times until the end of the interval.
    Process { at: f64, mean_gap: f64 },
}

/// Maximum number of arrivals drawn at once.
const BLOCK: u64 = 1024;

/// Draws the first of `left` sorted uniform times between `at` and `end`, at most one block, and returns the end of the
/// block's range. The n-th of them divides the range like a Beta(n, left - n + 1) variate; those before it are uniform
/// again. Within a range, partial sums of exponential gaps over the sum of all gaps are sorted uniform numbers.
fn draw_uniform(left: u64, at: f64, end: f64, draw: &mut Draw, offsets: &mut Vec<f64>) -> f64 {
    let n = left.min(BLOCK);
    let reach = if n == left { end } else { at + (end - at) * beta(n as f64, (left - n + 1) as f64, draw) };
    // Up to the end there are all n of them and one more gap; up to the n-th itself, its gap is the last one.
    let gaps = if n == left { n + 1 } else { n };
    let mut sum = 0.0;
    offsets.extend((0..n).map(|_| {
        sum += draw.exponential();
        sum
    }));
    if gaps > n {
        sum += draw.exponential();
    }
    for offset in offsets.iter_mut() {
        *offset = at + (reach - at) * (*offset / sum);
    }
    reach
}

/// A Beta variate, from two Gamma variates.
fn beta(a: f64, b: f64, draw: &mut Draw) -> f64 {
    let (x, y) = (draw.gamma(a), draw.gamma(b));
    x / (x + y)
}

/// Arrivals expanded from counts or levels.
pub(super) struct Expansion {
    intervals: Intervals,
    draw: Draw,
    current: Option<(Interval, Placing)>,
    /// Offsets in the current interval drawn but not returned yet, the next one last.
    drawn: Vec<f64>,
    /// Rounding remainder, so that totals are exact to within one request.
    left_over: f64,
}

impl Expansion {
    pub(super) fn new(rows: OrderedRows, model: Model, draw: Draw) -> Self {
        let intervals = Intervals::new(rows, model);
        Expansion { intervals, draw, current: None, drawn: Vec::new(), left_over: 0.5 }
    }

    fn place(&mut self, interval: Interval) -> Placing {
        let model = self.intervals.model;
        if model.kind == SeriesKind::Levels && model.expand == Expand::Poisson && interval.mean > 0.0 {
            return Placing::Process { at: 0.0, mean_gap: interval.length.as_nanos() as f64 / interval.mean };
        }
        let exact = interval.mean + self.left_over;
        let whole = exact as u64;
        self.left_over = exact - whole as f64;
        match model.expand {
            Expand::Even => Placing::Even { next: 0, of: whole },
            Expand::Poisson => Placing::Uniform { left: whole, at: 0.0 },
        }
    }

    /// Draws the next arrivals of the interval; `false` if there are no more.
    fn draw_on(&mut self) -> bool {
        let Some((interval, placing)) = &mut self.current else { return false };
        let length = interval.length.as_nanos() as f64;
        match placing {
            Placing::Even { next, of } => {
                let until = (*next + BLOCK).min(*of);
                let step = length / *of as f64;
                self.drawn.extend((*next..until).map(|n| (n as f64 + 0.5) * step));
                *next = until;
            }
            Placing::Uniform { left, at } => {
                if *left > 0 {
                    *at = draw_uniform(*left, *at, length, &mut self.draw, &mut self.drawn);
                }
                *left -= self.drawn.len() as u64;
            }
            Placing::Process { at, mean_gap } => {
                for _ in 0..BLOCK {
                    *at += self.draw.exponential() * *mean_gap;
                    if *at >= length {
                        break;
                    }
                    self.drawn.push(*at);
                }
            }
        }
        self.drawn.reverse();
        !self.drawn.is_empty()
    }
}

impl TraceSource for Expansion {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let target = batch.len() + RequestBatch::TARGET_LEN;
        while batch.len() < target {
            if self.drawn.is_empty() && !self.draw_on() {
                let Some(interval) = self.intervals.next()? else { break };
                self.current = Some((interval, self.place(interval)));
                continue;
            }
            let Some((interval, _)) = self.current else { break };
            let (start, last) = (interval.start.as_nanos(), interval.length.as_nanos() - 1);
            let kept = self.drawn.len() - self.drawn.len().min(target - batch.len());
            let at = |offset: f64| SimTime::from_nanos(start + (offset as u64).min(last));
            batch.arrivals.extend(self.drawn.drain(kept..).rev().map(at));
        }
        Ok(())
    }

    /// Up to the end of the last interval, once it was reached.
    fn extent(&self) -> Option<SimDuration> {
        self.intervals.extent()
    }

    fn resolution(&self) -> Option<SimDuration> {
        (self.intervals.model.kind == SeriesKind::Counts).then_some(self.intervals.model.interval)
    }

    fn start_epoch_ns(&self) -> Option<u64> {
        self.intervals.rows.start_epoch_ns()
    }

    fn holes(&self) -> Option<&Holes> {
        Some(&self.intervals.holes)
    }

    fn tally(&self) -> Option<&RowCounts> {
        Some(self.intervals.rows.tally())
    }
}
