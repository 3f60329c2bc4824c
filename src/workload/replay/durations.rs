//! The durations of requests, if a trace records them.

use std::collections::BTreeMap;

use super::arrivals::{FileRecipe, open_rows};
use crate::random::{Distribution, shown_seconds};
use crate::stats::LatencyHistogram;
use crate::units::{NANOS_PER_SECOND, SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::reading::rows::SeriesKind;

/// Maximum number of values that represent all durations, and maximum number of distinct values counted exactly.
const MAX_VALUES: usize = 4096;
/// Maximum number of cells over time.
const MAX_CELLS: usize = 20_000;
/// Minimum number of cells to find out whether durations grow with the traffic.
const MIN_CELLS: usize = 12;

/// The durations of requests recorded in a trace.
#[derive(Debug, Clone)]
pub struct Durations {
    /// The trace's name in messages.
    pub name: String,
    /// The format in which it was read.
    pub format: &'static str,
    /// Number of requests without a duration.
    pub unknown: u64,
    /// The durations in buckets of half a per cent.
    pub histogram: LatencyHistogram,
    /// Number of occurrences by duration in nanoseconds, as long as there are few distinct ones.
    exact: Option<BTreeMap<u64, u64>>,
    course: Course,
}

/// Requests and their durations over time, in cells that get longer with the trace.
#[derive(Debug, Clone)]
struct Course {
    /// Length of a cell in nanoseconds.
    width: u64,
    /// Cell number, number of requests, and sum of their durations in seconds.
    cells: Vec<(u64, u64, f64)>,
}

impl Course {
    fn new() -> Self {
        Course { width: NANOS_PER_SECOND, cells: Vec::new() }
    }

    fn add(&mut self, at: SimTime, seconds: f64) {
        let number = at.as_nanos() / self.width;
        match self.cells.last_mut() {
            Some((last, count, sum)) if *last >= number => (*count, *sum) = (*count + 1, *sum + seconds),
            _ => self.cells.push((number, 1, seconds)),
        }
        if self.cells.len() > MAX_CELLS {
            *self = self.joined(2);
        }
    }

    fn joined(&self, factor: u64) -> Course {
        let mut joined = Course { width: self.width * factor, cells: Vec::new() };
        for (number, count, sum) in &self.cells {
            let number = number / factor;
            match joined.cells.last_mut() {
                Some((last, all, total)) if *last == number => (*all, *total) = (*all + count, *total + sum),
                _ => joined.cells.push((number, *count, *sum)),
            }
        }
        joined
    }

    /// The mean durations of the quarters of cells with the lowest and the highest traffic, if durations clearly grow
    /// with the traffic: by a quarter or more, and with a rank correlation (Spearman 1904) of at least one half.
    fn growth(&self) -> Option<(f64, f64)> {
        let first = self.cells.first()?.0;
        let span = self.cells.last()?.0 - first + 1;
        let mut cells = self.joined(span.div_ceil(96).max(1)).cells;
        // The first and the last cell may be incomplete.
        cells = cells.get(1..cells.len().saturating_sub(1))?.to_vec();
        if cells.len() < MIN_CELLS || cells.iter().any(|(_, count, _)| *count < 10) {
            return None;
        }
        let n = cells.len();
        let ranks = |key: &dyn Fn(&(u64, u64, f64)) -> f64| {
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by(|a, b| key(&cells[*a]).total_cmp(&key(&cells[*b])));
            let mut ranks = vec![0.0; n];
            order.iter().enumerate().for_each(|(rank, cell)| ranks[*cell] = rank as f64);
            (order, ranks)
        };
        let (by_count, counts) = ranks(&|(_, count, _)| *count as f64);
        let (_, means) = ranks(&|(_, count, sum)| sum / *count as f64);
        let squares: f64 = counts.iter().zip(&means).map(|(a, b)| (a - b).powi(2)).sum();
        let correlation = 1.0 - 6.0 * squares / (n as f64 * ((n * n) as f64 - 1.0));
        let mean = |some: &[usize]| {
            let (count, sum) = some.iter().fold((0, 0.0), |(n, s), cell| (n + cells[*cell].1, s + cells[*cell].2));
            sum / count as f64
        };
        let (quiet, busy) = (mean(&by_count[..n / 4]), mean(&by_count[n - n / 4..]));
        (correlation >= 0.5 && busy >= 1.25 * quiet).then_some((quiet, busy))
    }
}

impl Durations {
    pub(crate) fn new(name: &str, format: &'static str) -> Self {
        let (name, histogram, exact) = (name.to_string(), LatencyHistogram::default(), Some(BTreeMap::new()));
        Durations { name, format, unknown: 0, histogram, exact, course: Course::new() }
    }

    pub(crate) fn record(&mut self, duration: SimDuration) {
        if duration == RequestBatch::UNKNOWN {
            self.unknown += 1;
            return;
        }
        self.histogram.record(duration);
        if let Some(exact) = &mut self.exact {
            *exact.entry(duration.as_nanos()).or_default() += 1;
            if exact.len() > MAX_VALUES {
                self.exact = None;
            }
        }
    }

    /// Adds the duration of a request by its arrival time; times must not decrease.
    pub(super) fn record_at(&mut self, at: SimTime, duration: SimDuration) {
        self.record(duration);
        if duration != RequestBatch::UNKNOWN {
            self.course.add(at, duration.as_secs_f64());
        }
    }

    /// A sentence if the durations seem to include waiting: they grow with the traffic.
    pub fn inflation(&self) -> Option<String> {
        let (quiet, busy) = self.course.growth()?;
        Some(format!(
            "durations grow with the traffic, from a mean of {} in the quietest quarter of the time to {} in the busiest: they hold a wait, \
             so that a model of it would wait twice. Fit a quiet part (`--start`, `--end`)",
            shown_seconds(quiet),
            shown_seconds(busy)
        ))
    }

    /// Number of requests with a duration.
    pub fn known(&self) -> u64 {
        self.histogram.count()
    }

    /// Share of the requests without a duration.
    pub fn unknown_share(&self) -> f64 {
        self.unknown as f64 / (self.known() + self.unknown).max(1) as f64
    }

    /// The distinct durations in seconds in ascending order, and how often each occurs: exact for at most 4,096,
    /// otherwise the midpoints of buckets of half a per cent.
    pub fn weighted(&self) -> Vec<(f64, u64)> {
        let seconds = |nanos: f64| nanos / 1e9;
        match &self.exact {
            Some(exact) => exact.iter().map(|(nanos, count)| (seconds(*nanos as f64), *count)).collect(),
            None => {
                let middle = |(end, count): (SimDuration, u64)| {
                    (seconds(end.as_nanos() as f64 * (1.0 - LatencyHistogram::RELATIVE_ERROR)), count)
                };
                self.histogram.buckets().map(middle).collect()
            }
        }
    }

    /// The empirical distribution: all values, or 4,096 values that represent equal shares, with exactly the same mean.
    /// `None` if no duration is known.
    pub fn distribution(&self) -> Option<Distribution> {
        let mean = self.histogram.mean_secs()?;
        let parts = self.known().min(MAX_VALUES as u64);
        let mut weighted = self.weighted().into_iter();
        let (mut value, mut below) = (0.0, 0u64);
        let mut values: Vec<f64> = (0..parts)
            .map(|part| {
                let wanted = (part as f64 + 0.5) / parts as f64 * self.known() as f64;
                while (below as f64) < wanted {
                    let Some((at, count)) = weighted.next() else { break };
                    (value, below) = (at, below + count);
                }
                value
            })
            .collect();
        let found = values.iter().sum::<f64>() / parts as f64;
        if found > 0.0 {
            values.iter_mut().for_each(|value| *value *= mean / found);
        }
        Some(Distribution::Empirical { values })
    }
}

impl FileRecipe {
    /// See `WorkloadSpec::durations`.
    pub(crate) fn durations(&self) -> Result<Durations, TraceError> {
        let (plugin, mut rows) = open_rows(&self.files, &self.options)?;
        let mut found = Durations::new(&rows.name, plugin.name);
        if rows.ordered.reader.facts().kind != SeriesKind::Arrivals {
            return Ok(found);
        }
        while rows.ready()? {
            let all = &rows.rows.requests;
            let until = all.arrivals.partition_point(|time| *time < rows.end);
            let seen = rows.cursor..until.max(rows.cursor);
            if all.demands.is_empty() {
                found.unknown += seen.len() as u64;
            } else {
                let times = &all.arrivals[seen.clone()];
                times.iter().zip(&all.demands[seen]).for_each(|(at, demand)| found.record_at(*at, *demand));
            }
            if until < rows.rows.len() {
                break;
            }
            rows.cursor = until;
        }
        Ok(found)
    }
}
