//! Counts per interval and their statistics: dispersion over time scales, autocorrelation, seasons.

use crate::units::{NANOS_PER_SECOND, SimDuration};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::source::TraceSource;

/// Maximum number of intervals; beyond it, pairs of intervals are combined.
const MAX_BINS: usize = 1 << 21;

/// Arrivals per interval of equal length, from time zero on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ScaledCounts {
    /// Length of an interval, nanoseconds.
    pub(crate) width: u64,
    pub(crate) counts: Vec<f64>,
    /// Wall-clock time of time zero, nanoseconds since 1970.
    pub(crate) start: Option<u64>,
    /// Lengths of prompts and responses.
    pub(crate) tokens: Lengths,
}

impl ScaledCounts {
    /// Empty counts with intervals of one second.
    pub(crate) fn empty() -> ScaledCounts {
        ScaledCounts { width: NANOS_PER_SECOND, counts: Vec::new(), start: None, tokens: Lengths::default() }
    }

    /// Makes room for the interval at `nanos`.
    fn reach(&mut self, nanos: u64) {
        while nanos / self.width >= MAX_BINS as u64 {
            *self = self.joined(2);
        }
        let bins = (nanos / self.width) as usize + 1;
        if self.counts.len() < bins {
            self.counts.resize(bins, 0.0);
        }
    }

    /// Distributes `amount` evenly over the `length` nanoseconds from `from` on.
    pub(crate) fn spread(&mut self, from: u64, length: u64, amount: f64) {
        let end = from.saturating_add(length.max(1));
        self.reach(end - 1);
        let mut at = from;
        while at < end {
            let next = (at / self.width + 1).saturating_mul(self.width).min(end);
            self.counts[(at / self.width) as usize] += amount * (next - at) as f64 / (end - from) as f64;
            at = next;
        }
    }

    /// The same counts in the intervals of `other`, which are as long or longer, with its length and start date.
    pub(crate) fn beside(&self, other: &ScaledCounts) -> ScaledCounts {
        let mut series =
            if self.width < other.width { self.joined((other.width / self.width) as usize) } else { self.clone() };
        series.counts.resize(other.counts.len() * (other.width / series.width).max(1) as usize, 0.0);
        ScaledCounts { start: other.start, ..series }
    }

    /// Reads a stream completely, in whole intervals: an incomplete last one is left out, unless it is the only one.
    pub(crate) fn of(source: &mut dyn TraceSource) -> Result<ScaledCounts, TraceError> {
        let mut series = ScaledCounts::empty();
        let mut batch = RequestBatch::default();
        loop {
            batch.clear();
            source.fill(&mut batch)?;
            let Some(last) = batch.arrivals.last() else { break };
            series.reach(last.as_nanos());
            for time in &batch.arrivals {
                series.counts[(time.as_nanos() / series.width) as usize] += 1.0;
            }
            series.tokens.add(&batch);
        }
        series.start = source.start_epoch_ns();
        if let Some(extent) = source.extent() {
            let bins = (extent.as_nanos() / series.width).clamp(1, 2 * MAX_BINS as u64);
            series.counts.resize(bins as usize, 0.0);
        }
        Ok(series)
    }

    /// The series in intervals `factor` times as long; an incomplete last one is left out, unless it is the only one.
    pub(crate) fn joined(&self, factor: usize) -> ScaledCounts {
        let chunks = self.counts.chunks(factor);
        let whole = if self.counts.len() < factor { 1 } else { self.counts.len() / factor };
        let counts = chunks.take(whole).map(|chunk| chunk.iter().sum()).collect();
        ScaledCounts { width: self.width * factor as u64, counts, start: self.start, tokens: self.tokens }
    }

    /// In intervals of about `seconds`, at least as long as the current ones.
    pub(crate) fn at_scale(&self, seconds: u64) -> ScaledCounts {
        self.joined((seconds * NANOS_PER_SECOND / self.width).max(1) as usize)
    }

    /// Like [`ScaledCounts::at_scale`], computed from this series in longer intervals if they divide the scale, which
    /// is much faster.
    pub(crate) fn at_scale_beyond(&self, coarser: &ScaledCounts, seconds: u64) -> ScaledCounts {
        let divides = (seconds * NANOS_PER_SECOND).is_multiple_of(coarser.width);
        if divides { coarser.at_scale(seconds) } else { self.at_scale(seconds) }
    }

    pub(crate) fn width(&self) -> SimDuration {
        SimDuration::from_nanos(self.width)
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.width as f64 / 1e9
    }

    pub(crate) fn mean(&self) -> f64 {
        self.counts.iter().sum::<f64>() / self.counts.len().max(1) as f64
    }

    pub(crate) fn peak(&self) -> f64 {
        self.counts.iter().copied().fold(0.0, f64::max)
    }

    fn covariance(&self, lag: usize) -> f64 {
        let mean = self.mean();
        let pairs = self.counts.iter().zip(self.counts.iter().skip(lag));
        pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / self.counts.len().max(1) as f64
    }

    /// Index of dispersion (variance over mean): 1 for a Poisson process.
    pub(crate) fn dispersion(&self) -> f64 {
        if self.mean() > 0.0 { self.covariance(0) / self.mean() } else { 0.0 }
    }

    /// Autocorrelation at lag `lag`, in intervals (the estimator with divisor n).
    pub(crate) fn autocorrelation(&self, lag: usize) -> f64 {
        let variance = self.covariance(0);
        if variance > 0.0 { self.covariance(lag) / variance } else { 0.0 }
    }

    /// The middle of interval `bin`, in seconds since Monday 00:00 (UTC; since time zero if no date is known).
    pub(crate) fn week_seconds(&self, bin: usize) -> f64 {
        self.start.map_or(0.0, crate::workload::time::moment::week_phase) + (bin as f64 + 0.5) * self.seconds()
    }
}

/// Sums over the logarithms of input and output tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Lengths {
    pub(crate) n: f64,
    sums: [f64; 2],
    squares: [f64; 2],
    product: f64,
    pub(crate) most: u32,
}

impl Lengths {
    fn add(&mut self, batch: &RequestBatch) {
        for (input, output) in batch.tokens_in.iter().zip(&batch.tokens_out) {
            let logs = [f64::from((*input).max(1)).ln(), f64::from((*output).max(1)).ln()];
            self.n += 1.0;
            for (side, log) in logs.iter().enumerate() {
                self.sums[side] += log;
                self.squares[side] += log * log;
            }
            self.product += logs[0] * logs[1];
            self.most = self.most.max(*input).max(*output);
        }
    }

    /// Mean and coefficient of variation of the lognormal distributions fitted to the logarithms, and their
    /// correlation.
    pub(crate) fn fitted(&self) -> ([(f64, f64); 2], f64) {
        let mean = self.sums.map(|sum| sum / self.n);
        let variance = [0, 1].map(|side| (self.squares[side] / self.n - mean[side] * mean[side]).max(0.0));
        let margin = |side: usize| ((mean[side] + variance[side] / 2.0).exp(), variance[side].exp_m1().sqrt());
        let spread = (variance[0] * variance[1]).sqrt();
        let correlation = if spread > 0.0 { (self.product / self.n - mean[0] * mean[1]) / spread } else { 0.0 };
        ([margin(0), margin(1)], correlation.clamp(-1.0, 1.0))
    }
}
