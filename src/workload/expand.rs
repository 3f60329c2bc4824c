//! Counts and levels to arrivals, by a stated model.

use super::arrivals::OrderedRows;
use super::rows::{SeriesKind, Tally};
use super::{Expand, RequestBatch, TraceError, TraceOptions, TraceSource};
use crate::random::Draw;
use crate::units::{SimDuration, SimTime};

/// How the values of rows become numbers of requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Model {
    kind: SeriesKind,
    expand: Expand,
    /// Counts: how long a row counts for, unless the next row comes earlier. Levels: how long a value holds at most.
    interval: SimDuration,
    /// Counts: requests per request counted. Levels: requests per second and unit of the level.
    factor: f64,
}

impl Model {
    /// The model that the options state for the rows of a file.
    ///
    /// # Errors
    /// If levels come without a model, or counts without a length of their interval.
    pub(super) fn of(rows: &OrderedRows, options: &TraceOptions, factor: f64) -> Result<Self, TraceError> {
        let kind = rows.ordered.reader.kind();
        let fail = |message: &str, help: &str| Err(TraceError::new(rows.name.as_str(), message).help(help));
        let (interval, factor) = match (kind, rows.ordered.reader.interval(), options.requests_per_unit) {
            (SeriesKind::Levels, _, Some(rate)) => (options.max_gap, factor * rate.get()),
            (SeriesKind::Levels, _, None) => {
                return fail(
                    "holds levels (such as players online), not requests",
                    "state how many requests one of them makes, for example `requests-per-unit: 0.1/s`",
                );
            }
            (_, _, Some(_)) => return fail("holds counts of requests", "drop `requests-per-unit`; it is for levels"),
            (_, Some(interval), None) => (interval, factor),
            (_, None, None) => {
                return fail(
                    "the length of an interval cannot be told from one row",
                    "state it, for example `interval: 1m`",
                );
            }
        };
        Ok(Model { kind, expand: options.expand, interval, factor })
    }

    /// For how long a row counts or holds at most.
    pub(super) fn interval(&self) -> SimDuration {
        self.interval
    }
}

/// One interval and how many requests it holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Interval {
    /// Start, since the origin.
    pub(super) start: SimTime,
    /// Length; at least a nanosecond.
    pub(super) length: SimDuration,
    /// Requests expected in it.
    pub(super) mean: f64,
}

/// Takes rows together to intervals.
pub(super) struct Intervals {
    pub(super) rows: OrderedRows,
    pub(super) model: Model,
    /// End of the last interval, since the origin.
    pub(super) last_end: SimTime,
}

impl Intervals {
    /// The next interval that is not empty.
    pub(super) fn next(&mut self) -> Result<Option<Interval>, TraceError> {
        while self.rows.ready()? {
            let time = self.rows.rows.requests.arrivals[self.rows.cursor];
            let mut value = 0.0;
            // Rows of the same instant add up: one per client, region or host.
            while self.rows.ready()? && self.rows.rows.requests.arrivals[self.rows.cursor] == time {
                value += self.rows.rows.values[self.rows.cursor];
                self.rows.cursor += 1;
            }
            let next = if self.rows.ready()? { Some(self.rows.cursor) } else { None };
            let next = next.map(|row| (self.rows.rows.requests.arrivals[row], self.rows.rows.values[row]));
            let Some(end) = self.end_of(time, next.map(|(time, _)| time)) else { continue };
            let cut = end.min(self.rows.end);
            let mean =
                self.mean(value, next, time, end) * (cut.since(time).as_secs_f64() / end.since(time).as_secs_f64());
            let start = SimTime::from_nanos(time.as_nanos() - self.rows.origin.as_nanos());
            self.last_end = start + cut.since(time);
            return Ok(Some(Interval { start, length: cut.since(time), mean }));
        }
        Ok(None)
    }

    /// Where the row's interval ends: at the next row, or when its time is up. The last level is where the trace ends.
    fn end_of(&self, time: SimTime, next: Option<SimTime>) -> Option<SimTime> {
        let full = time + self.model.interval;
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
        // A level changes steadily to the next sample; before a hole it is taken as constant.
        let after = next.filter(|(next, _)| *next == end).map_or(value, |(_, level)| level);
        f64::midpoint(value, after) * self.model.factor * end.since(time).as_secs_f64()
    }
}

/// Where the arrivals of one interval stand.
enum Placing {
    /// Evenly: the n-th of so many.
    Even { next: u64, of: u64 },
    /// As the first `of` of `of + 1` exponential gaps, scaled to the interval: the order statistics of uniform numbers.
    /// The gaps are drawn twice by the same generator, once for their sum, so that nothing is stored.
    Uniform { next: u64, of: u64, gaps: Draw, so_far: f64, scale: f64 },
    /// A Poisson process: gaps until the interval ends.
    Process { so_far: f64, mean_gap: f64 },
}

/// Arrivals made of counts or levels.
pub(super) struct Expansion {
    intervals: Intervals,
    draw: Draw,
    current: Option<(Interval, Placing)>,
    /// What rounding left over, so that totals are kept to within one request.
    left_over: f64,
}

impl Expansion {
    pub(super) fn new(rows: OrderedRows, model: Model, draw: Draw) -> Self {
        let intervals = Intervals { rows, model, last_end: SimTime::ZERO };
        Expansion { intervals, draw, current: None, left_over: 0.5 }
    }

    fn place(&mut self, interval: Interval) -> Placing {
        let levels = self.intervals.model.kind == SeriesKind::Levels;
        if levels && self.intervals.model.expand == Expand::Poisson {
            let mean_gap = interval.length.as_nanos() as f64 / interval.mean;
            return Placing::Process { so_far: 0.0, mean_gap };
        }
        let exact = interval.mean + self.left_over;
        let of = exact as u64;
        self.left_over = exact - of as f64;
        if self.intervals.model.expand == Expand::Even {
            return Placing::Even { next: 0, of };
        }
        let gaps = self.draw.clone();
        let sum: f64 = (0..=of).map(|_| self.draw.exponential()).sum();
        Placing::Uniform { next: 0, of, gaps, so_far: 0.0, scale: interval.length.as_nanos() as f64 / sum }
    }
}

/// Appends arrivals of the interval until it is used up (true) or there is no more room (false).
fn pour(interval: &Interval, placing: &mut Placing, draw: &mut Draw, room: u64, arrivals: &mut Vec<SimTime>) -> bool {
    let (start, length) = (interval.start.as_nanos(), interval.length.as_nanos());
    let at = |offset: f64| SimTime::from_nanos(start + (offset as u64).min(length - 1));
    match placing {
        Placing::Even { next, of } => {
            let until = (*next + room).min(*of);
            let step = length as f64 / *of as f64;
            arrivals.extend((*next..until).map(|n| at((n as f64 + 0.5) * step)));
            *next = until;
            until == *of
        }
        Placing::Uniform { next, of, gaps, so_far, scale } => {
            let until = (*next + room).min(*of);
            arrivals.extend((*next..until).map(|_| {
                *so_far += gaps.exponential();
                at(*so_far * *scale)
            }));
            *next = until;
            until == *of
        }
        Placing::Process { so_far, mean_gap } => {
            for _ in 0..room {
                *so_far += draw.exponential() * *mean_gap;
                // Not a number only where both the level and the draw were zero: nothing arrives.
                if !(*so_far < length as f64) {
                    return true;
                }
                arrivals.push(at(*so_far));
            }
            false
        }
    }
}

impl TraceSource for Expansion {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let target = batch.len() + RequestBatch::TARGET_LEN;
        while batch.len() < target {
            if self.current.is_none() {
                let Some(interval) = self.intervals.next()? else { break };
                self.current = Some((interval, self.place(interval)));
            }
            if let Some((interval, placing)) = &mut self.current {
                let room = (target - batch.len()) as u64;
                if pour(interval, placing, &mut self.draw, room, &mut batch.arrivals) {
                    self.current = None;
                }
            }
        }
        Ok(())
    }

    /// Up to the end of the last interval, once that was reached.
    fn extent(&self) -> Option<SimDuration> {
        let read = self.intervals.rows.extent()?;
        let stated = self.intervals.rows.ordered.reader.extent().is_some() || self.intervals.rows.end != SimTime::MAX;
        Some(if stated { read } else { self.intervals.last_end.since(SimTime::ZERO) })
    }

    fn start_epoch_ns(&self) -> Option<u64> {
        self.intervals.rows.start_epoch_ns()
    }

    fn tally(&self) -> Option<&Tally> {
        Some(self.intervals.rows.tally())
    }
}
