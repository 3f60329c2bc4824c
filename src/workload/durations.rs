//! How long the requests of a trace took, as far as it records that.

use std::collections::BTreeMap;

use super::arrivals::{FileRecipe, open_rows};
use super::rows::SeriesKind;
use super::{RequestBatch, TraceError};
use crate::random::Distribution;
use crate::stats::LatencyHistogram;
use crate::units::SimDuration;

/// The most values that stand for all durations, and the most that are told apart.
const MOST_VALUES: usize = 4096;

/// The durations that a trace records of its requests.
#[derive(Debug, Clone)]
pub struct Durations {
    /// How the trace is called in messages.
    pub name: String,
    /// The format that it was read as.
    pub format: &'static str,
    /// Requests without a duration.
    pub unknown: u64,
    /// The durations, in buckets of half a per cent.
    pub histogram: LatencyHistogram,
    /// How often each duration occurs, nanoseconds, as long as there are few different ones.
    exact: Option<BTreeMap<u64, u64>>,
}

impl Durations {
    pub(super) fn new(name: &str, format: &'static str) -> Self {
        let (name, histogram, exact) = (name.to_string(), LatencyHistogram::default(), Some(BTreeMap::new()));
        Durations { name, format, unknown: 0, histogram, exact }
    }

    pub(super) fn record(&mut self, duration: SimDuration) {
        if duration == RequestBatch::UNKNOWN {
            self.unknown += 1;
            return;
        }
        self.histogram.record(duration);
        if let Some(exact) = &mut self.exact {
            *exact.entry(duration.as_nanos()).or_default() += 1;
            if exact.len() > MOST_VALUES {
                self.exact = None;
            }
        }
    }

    /// Requests with a duration.
    pub fn known(&self) -> u64 {
        self.histogram.count()
    }

    /// The share of the requests that have no duration.
    pub fn unknown_share(&self) -> f64 {
        self.unknown as f64 / (self.known() + self.unknown).max(1) as f64
    }

    /// The different durations in seconds, from the shortest on, and how often each occurs: exact if there are at most 4,096, else as the
    /// middles of buckets of half a per cent.
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

    /// Their empirical distribution: all of them, or 4,096 in the middles of equal shares of them, of exactly their mean. `None` where no
    /// duration is known.
    pub fn distribution(&self) -> Option<Distribution> {
        let mean = self.histogram.mean_secs()?;
        let parts = self.known().min(MOST_VALUES as u64);
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
    pub(super) fn durations(&self) -> Result<Durations, TraceError> {
        let (plugin, mut rows) = open_rows(&self.files, &self.options)?;
        let mut found = Durations::new(&rows.name, plugin.name);
        if rows.ordered.reader.kind() != SeriesKind::Arrivals {
            return Ok(found);
        }
        while rows.ready()? {
            let all = &rows.rows.requests;
            let until = all.arrivals.partition_point(|time| *time < rows.end);
            let seen = rows.cursor..until.max(rows.cursor);
            if all.demands.is_empty() {
                found.unknown += seen.len() as u64;
            } else {
                all.demands[seen].iter().for_each(|demand| found.record(*demand));
            }
            if until < rows.rows.len() {
                break;
            }
            rows.cursor = until;
        }
        Ok(found)
    }
}
