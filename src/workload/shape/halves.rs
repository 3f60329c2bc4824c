//! Counts in cells that are combined in pairs, and the variation of the shares of the two halves of a stretch.
//!
//! The model is the multifractal wavelet model (Riedi, Crouse, Ribeiro and Baraniuk 1999): the rate of a stretch of
//! time is divided between its halves by a multiplier with a Beta distribution whose spread depends on the length of
//! the stretch only, and the requests of the finest cells are a Poisson process with the resulting rate. The mean of
//! the multiplier, one half in the paper, follows a profile of rates here.

use super::profile::Profile;
use super::trend::Trend;
use crate::random::Draw;
use crate::units::SimDuration;
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::source::TraceSource;

/// Maximum number of cells; beyond it, pairs of cells are combined.
const MAX_CELLS: usize = 1 << 21;
/// Length of the finest cell in nanoseconds: 1/512 of a second, so that doubling it leads to exactly one second.
const FINEST: u64 = 1_953_125;
/// Maximum number of top-level stretches (blocks).
pub(super) const MAX_BLOCKS: usize = 64;
/// An estimate within this many standard errors of a Poisson process counts as zero.
const CLEAR: f64 = 2.0;

/// Arrivals per cell from a start time on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cells {
    /// Start of the first cell, nanoseconds.
    pub(crate) from: u64,
    /// End of the observed time, nanoseconds.
    pub(crate) end: u64,
    /// Length of a cell, nanoseconds.
    pub(crate) width: u64,
    pub(super) counts: Vec<u32>,
    /// Number of requests at the same instant as the previous one.
    same: u64,
    /// The greatest common divisor of all times: the resolution of the clock that recorded them.
    tick: u64,
    newest: Option<u64>,
    /// Total number of requests, and number at the newest time.
    read: u64,
    at_newest: u64,
}

impl Cells {
    /// Empty counts; cells are as long as the source's own intervals, if it has any.
    pub(crate) fn from(from: u64, source: &dyn TraceSource) -> Cells {
        let width = source.resolution().map_or(FINEST, |interval| interval.as_nanos().max(1));
        Cells { from, end: from, width, counts: Vec::new(), same: 0, tick: 0, newest: None, read: 0, at_newest: 0 }
    }

    /// Counts all requests of a source, from time zero to its end.
    ///
    /// # Errors
    /// If it cannot be read to its end.
    pub(crate) fn of(source: &mut dyn TraceSource) -> Result<Cells, TraceError> {
        let mut cells = Cells::from(0, source);
        let mut batch = RequestBatch::default();
        loop {
            batch.clear();
            source.fill(&mut batch)?;
            if batch.is_empty() {
                break;
            }
            batch.arrivals.iter().for_each(|time| cells.add(time.as_nanos()));
        }
        cells.close_behind(source.extent().map_or(0, SimDuration::as_nanos));
        Ok(cells)
    }

    /// Counts all requests of a source in the cells of another trace of the same length.
    ///
    /// # Errors
    /// If it cannot be read to its end.
    pub(crate) fn beside(source: &mut dyn TraceSource, other: &Cells) -> Result<Cells, TraceError> {
        let mut cells = Cells { counts: vec![0; other.counts.len()], read: 0, at_newest: 0, ..*other };
        let mut batch = RequestBatch::default();
        loop {
            batch.clear();
            source.fill(&mut batch)?;
            if batch.is_empty() {
                return Ok(cells);
            }
            cells.read += batch.len() as u64;
            for time in &batch.arrivals {
                if let Some(count) = cells.counts.get_mut(((time.as_nanos() - cells.from) / cells.width) as usize) {
                    *count = count.saturating_add(1);
                }
            }
        }
    }

    /// Adds a request, not before the newest one.
    pub(crate) fn add(&mut self, at: u64) {
        let mut cell = (at - self.from) / self.width;
        while cell >= MAX_CELLS as u64 {
            self.join(2);
            cell = (at - self.from) / self.width;
        }
        let cell = cell as usize;
        if cell >= self.counts.len() {
            self.counts.resize(cell + 1, 0);
        }
        self.counts[cell] = self.counts[cell].saturating_add(1);
        self.read += 1;
        let again = self.newest == Some(at);
        self.same += u64::from(again);
        self.at_newest = if again { self.at_newest + 1 } else { 1 };
        self.newest = Some(at);
        self.tick = greatest_divisor(self.tick, at);
    }

    /// Ends at `end`, or after the newest request if that is later.
    pub(crate) fn close_behind(&mut self, end: u64) {
        self.close(end.max(self.newest.map_or(self.from, |newest| newest) + 1));
    }

    /// Ends before the requests at the newest time, which are removed: returns their number and time.
    pub(crate) fn close_before_newest(&mut self) -> (u64, u64) {
        let (carried, at) = (self.at_newest, self.newest.unwrap_or(self.from));
        let cell = ((at - self.from) / self.width) as usize;
        self.counts[cell] = self.counts[cell].saturating_sub(carried as u32);
        self.read -= carried;
        self.counts.truncate((at - self.from).div_ceil(self.width) as usize);
        self.close(at);
        (carried, at)
    }

    /// Number of requests.
    pub(crate) fn requests(&self) -> u64 {
        self.read
    }

    /// Number of requests at the newest time.
    pub(crate) fn at_newest(&self) -> u64 {
        self.at_newest
    }

    /// Ends at `end`, which is after every request. Cells finer than the resolution of the recorded times are combined
    /// to that resolution, or to eight times it if that is not a whole number of cells.
    fn close(&mut self, end: u64) {
        self.end = end;
        if self.tick >= self.width && self.tick.is_multiple_of(self.width) {
            self.join((self.tick / self.width) as usize);
        }
        let blurred = |width: u64, tick: u64| tick > 1 && !width.is_multiple_of(tick) && width < tick.saturating_mul(8);
        while self.counts.len() > MAX_BLOCKS && blurred(self.width, self.tick) {
            self.join(2);
        }
        while (end - self.from).div_ceil(self.width) > MAX_CELLS as u64 {
            self.join(2);
        }
        self.counts.resize((end - self.from).div_ceil(self.width) as usize, 0);
    }

    fn join(&mut self, factor: usize) {
        self.counts =
            self.counts.chunks(factor).map(|part| part.iter().fold(0, |sum: u32, n| sum.saturating_add(*n))).collect();
        self.width *= factor as u64;
    }

    /// Of the requests in a cell with an earlier one, the share at the same instant as the previous one.
    pub(super) fn together(&self) -> f64 {
        let later = self.requests() - self.counts.iter().filter(|count| **count > 0).count() as u64;
        if later > 0 { (self.same as f64 / later as f64).min(1.0) } else { 0.0 }
    }
}

fn greatest_divisor(a: u64, b: u64) -> u64 {
    let (mut a, mut b) = (a, b);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Cells, their sums over stretches of twice the length each, and the estimated distribution of the shares of halves.
#[derive(Debug, Clone)]
pub(crate) struct Halves {
    /// Counts by level: the cells first, at most [`MAX_BLOCKS`] blocks last.
    levels: Vec<Vec<u32>>,
    /// The trend of the blocks' counts.
    trend: Trend,
    /// Squared coefficient of variation of the blocks' rates around the trend; see [`Halves::swing`].
    swing: f64,
    /// Variation of the blocks' rates beyond Poisson noise.
    profile: Profile,
    /// Variation of the shares of halves, by the level of the half; see [`share`].
    variation: Vec<f64>,
    pub(crate) cells: Cells,
}

impl Halves {
    pub(crate) fn of(cells: Cells) -> Halves {
        let mut levels = vec![cells.counts.clone()];
        while levels[levels.len() - 1].len() > MAX_BLOCKS {
            let fine = &levels[levels.len() - 1];
            levels.push(fine.chunks(2).map(|pair| pair.iter().fold(0, |sum: u32, n| sum.saturating_add(*n))).collect());
        }
        let (trend, profile) = (Trend { expected: Vec::new(), left: Vec::new() }, Profile::through(&[1.0]));
        let mut halves = Halves { levels, trend, swing: 0.0, profile, variation: Vec::new(), cells };
        let covered: Vec<f64> = (0..halves.blocks().len()).map(|at| halves.covered(halves.depth(), at)).collect();
        let counts: Vec<f64> = halves.blocks().iter().map(|count| f64::from(*count)).collect();
        halves.trend = Trend::of(&counts, &covered);
        halves.swing = halves.swing();
        halves.profile = Profile::of_means(&halves.rates());
        halves.variation = (0..halves.depth()).map(|level| halves.estimated(level)).collect();
        halves
    }

    /// Number of halvings of a block.
    pub(crate) fn depth(&self) -> usize {
        self.levels.len() - 1
    }

    /// Variation of the shares of halves, those of the blocks first; see [`share`].
    pub(crate) fn variation(&self) -> impl Iterator<Item = f64> + '_ {
        self.variation.iter().rev().copied()
    }

    /// Length of a stretch at a level, nanoseconds.
    fn width(&self, level: usize) -> u64 {
        self.cells.width << level
    }

    /// Length of a block, nanoseconds.
    pub(crate) fn block(&self) -> u64 {
        self.width(self.depth())
    }

    /// Mean requests per second along the profile, such that the observed part has the observed number of requests.
    pub(crate) fn rate(&self) -> f64 {
        let seconds = self.block() as f64 / 1e9;
        let blocks = (self.cells.end - self.cells.from) as f64 / self.block() as f64;
        self.cells.requests() as f64 / (self.profile.upto(blocks) * seconds)
    }

    /// See [`Cells::together`].
    pub(crate) fn together(&self) -> f64 {
        self.cells.together()
    }

    /// The observed share of a stretch.
    fn covered(&self, level: usize, index: usize) -> f64 {
        let (width, length) = (self.width(level), self.cells.end - self.cells.from);
        let from = width.saturating_mul(index as u64).min(length);
        (width.min(length - from)) as f64 / width as f64
    }

    /// Start, middle and end of the observed part of a stretch at a level, in blocks.
    fn place(&self, level: usize, index: usize) -> (f64, f64, f64) {
        let (long, all) = (f64::exp2(level as f64 - self.depth() as f64), (self.cells.end - self.cells.from) as f64);
        let from = index as f64 * long;
        let end = all / self.block() as f64;
        (from, (from + long / 2.0).min(end), (from + long).min(end))
    }

    /// Variation of the shares of halves at a level. Let a half have L of X requests, Binomial(X, A) for a share A of
    /// mean a and variance v a (1 - a). Then E[(L - a X)^2 - X a (1 - a)] = v E[X (X - 1) a (1 - a)]: the ratio of the
    /// sums is free of Poisson noise. Under A = a the numerator has variance X a (1 - a) (1 - 6 a (1 - a)) + 2 X^2 a^2
    /// (1 - a)^2.
    fn estimated(&self, level: usize) -> f64 {
        let (mut excess, mut pairs, mut noise) = (0.0, 0.0, 0.0_f64);
        for (index, pair) in self.levels[level].chunks_exact(2).enumerate() {
            if pair[0] == 0 && pair[1] == 0 || self.covered(level, 2 * index + 1) < 1.0 {
                continue;
            }
            let (first, all) = (f64::from(pair[0]), f64::from(pair[0]) + f64::from(pair[1]));
            let (from, middle, to) = self.place(level + 1, index);
            let even = self.profile.share(from, middle, to);
            let product = even * (1.0 - even);
            excess += (first - even * all).powi(2) - all * product;
            pairs += all * (all - 1.0) * product;
            noise += all * product * (1.0 - 6.0 * product) + 2.0 * all * all * product * product;
        }
        let clear = pairs > 0.0 && excess > CLEAR * noise.max(0.0).sqrt();
        if clear { (excess / pairs).min(1.0) } else { 0.0 }
    }

    /// Index of dispersion of the counts of completely observed stretches at a level.
    pub(crate) fn dispersion(&self, level: usize) -> f64 {
        let whole = ((self.cells.end - self.cells.from) / self.width(level)) as usize;
        let counts = &self.levels[level][..whole.min(self.levels[level].len())];
        let n = counts.len().max(1) as f64;
        let mean = counts.iter().map(|count| f64::from(*count)).sum::<f64>() / n;
        let variance = counts.iter().map(|count| (f64::from(*count) - mean).powi(2)).sum::<f64>() / n;
        if mean > 0.0 { variance / mean } else { 0.0 }
    }

    fn blocks(&self) -> &[u32] {
        &self.levels[self.depth()]
    }

    /// Squared coefficient of variation of the blocks' rates around their trend, beyond Poisson noise; zero if it is not
    /// significant. With a count N, its expected value e and the share v of its variance that a fitted trend leaves,
    /// E[(N - e)^2] - v e = v e^2 times this.
    fn swing(&self) -> f64 {
        let (mut excess, mut pairs, mut noise) = (0.0, 0.0, 0.0_f64);
        for (index, count) in self.blocks().iter().enumerate() {
            if self.covered(self.depth(), index) < 1.0 {
                continue;
            }
            let (expected, left) = (self.trend.expected[index], self.trend.left[index]);
            excess += (f64::from(*count) - expected).powi(2) - left * expected;
            pairs += left * expected * expected;
            noise += 2.0 * (left * expected).powi(2);
        }
        let clear = pairs > 0.0 && excess > CLEAR * noise.sqrt();
        if clear { excess / pairs } else { 0.0 }
    }

    /// The rates of the blocks relative to their mean: expected values given the counts, for a Gamma distribution
    /// around the trend (so that random variation leaves no profile).
    fn rates(&self) -> Vec<f64> {
        let trend = &self.trend.expected;
        let mean = trend.iter().sum::<f64>() / trend.len() as f64;
        if trend.iter().all(|value| *value == trend[0]) && self.swing == 0.0 {
            return vec![1.0; trend.len()];
        }
        (0..trend.len()).map(|index| self.expected(index, |shape| shape) / mean).collect()
    }

    /// The expected count of a block given its count and the trend; `gamma` returns a Gamma variable of a shape, or its
    /// mean.
    fn expected(&self, index: usize, gamma: impl FnOnce(f64) -> f64) -> f64 {
        let (trend, covered) = (self.trend.expected[index], self.covered(self.depth(), index));
        if self.swing == 0.0 {
            return trend;
        }
        let prior = 1.0 / self.swing;
        trend * gamma(prior + f64::from(self.blocks()[index])) / (prior + covered * trend)
    }

    /// The profile of the blocks' rates without random variation.
    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Divides a number of further requests among the blocks, by a draw of their rates given the counts. `own` returns
    /// a block's random numbers.
    pub(crate) fn among_blocks(&self, requests: u64, own: impl Fn(usize) -> Draw, draw: &mut Draw) -> Vec<u64> {
        let weight =
            |index: usize| self.covered(self.depth(), index) * self.expected(index, |shape| own(index).gamma(shape));
        let weights: Vec<f64> = (0..self.blocks().len()).map(weight).collect();
        let (mut left, mut sum) = (requests, weights.iter().sum::<f64>());
        let mut shares = Vec::with_capacity(weights.len());
        for (index, weight) in weights.iter().enumerate() {
            let share = if index + 1 == weights.len() { left } else { draw.binomial(left, weight / sum) };
            shares.push(share);
            left -= share;
            sum -= weight;
        }
        shares
    }

    /// A draw of the first half's share of the rate of a stretch, given the counts L and R of its halves: a share with
    /// the prior Beta(a, b) has the posterior Beta(a + L, b + R). `level` and `index` are those of the stretch.
    pub(crate) fn first_share(&self, level: usize, index: usize, draw: impl FnOnce() -> Draw) -> f64 {
        let fine = &self.levels[level - 1];
        let (from, middle, to) = self.place(level, index);
        if 2 * index + 1 >= fine.len() || middle >= to {
            return 1.0;
        }
        let even = self.profile.share(from, middle, to);
        let counted = |half: usize| f64::from(fine[2 * index + half]);
        match concentration(self.variation[level - 1]) {
            None => even,
            Some(all) => draw().beta(all * even + counted(0), all * (1.0 - even) + counted(1)),
        }
    }
}

/// The a + b of a Beta(a, b) distribution with mean m and variance v m (1 - m), for a given v: 1 / v - 1. `None` if the
/// share is constant.
fn concentration(variation: f64) -> Option<f64> {
    (variation > 0.0).then(|| 1.0 / variation - 1.0)
}

/// A draw of the first half's share with mean m and variance v m (1 - m): v = 0 gives m, v = 1 puts all in one half.
pub(crate) fn share(mean: f64, variation: f64, draw: impl FnOnce() -> Draw) -> f64 {
    match concentration(variation) {
        None => mean,
        Some(all) if all > 0.0 => draw().beta(all * mean, all * (1.0 - mean)),
        Some(_) => f64::from(u8::from(draw().uniform() < mean)),
    }
}

/// Sorted independent uniform numbers on a stretch, drawn one by one on request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InOrder {
    /// Number of remaining values.
    pub(crate) left: u64,
    pub(crate) at: f64,
    pub(crate) end: f64,
}

impl InOrder {
    /// The next value: the minimum of the remaining uniform numbers on the remaining stretch.
    pub(crate) fn next(&mut self, draw: &mut Draw) -> f64 {
        let step = -(-draw.exponential() / self.left.max(1) as f64).exp_m1();
        self.at += (self.end - self.at) * step;
        self.left = self.left.saturating_sub(1);
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Streams};
    use crate::workload::generators::testing::recipe;
    use crate::workload::recipe::Opening;

    fn cells(text: &str) -> Cells {
        Cells::of(&mut *recipe(text).open(Opening::new(Streams::new(7, 0), 0)).unwrap()).unwrap()
    }

    #[test]
    fn a_poisson_process_divides_evenly_at_all_scales_and_has_no_profile() {
        let halves = Halves::of(cells("poisson: { rate: 20/s, for: 2h }"));
        let told = halves.variation().filter(|variation| *variation > 0.0).count();
        assert!(told <= 1, "{:?}", halves.variation().collect::<Vec<_>>());
        assert!(halves.profile().values().iter().all(|rate| *rate == 1.0));
        assert!((33..=64).contains(&halves.blocks().len()) && halves.cells.width == FINEST * 2);
    }

    #[test]
    fn ticks_and_batches_are_seen() {
        // Four requests per instant, three of them at the instant of the previous one; times from a clock of
        // microseconds.
        let batches = cells("batch: { rate: 1/s, size: 4, for: 1h }");
        assert!((batches.together() - 1.0).abs() < 0.01, "{}", batches.together());
        let whole = cells("constant: { rate: 0.5/s, for: 1h }");
        assert_eq!(whole.width, 2_000_000_000, "{}", whole.tick);
    }

    #[test]
    fn more_requests_go_where_requests_are() {
        let halves = Halves::of(cells("nhpp: { steps: [{ at: 0s, rate: 9/s }, { at: 1h, rate: 1/s }], for: 2h }"));
        let mut draw = Streams::new(1, 0).running(Purpose::Transform, 0);
        let own = |block: usize| Streams::new(1, 0).keyed(Purpose::Cascade, 0, block as u64);
        let shares = halves.among_blocks(1_000_000, own, &mut draw);
        assert_eq!(shares.iter().sum::<u64>(), 1_000_000);
        let first: u64 = shares[..shares.len() / 2].iter().sum();
        assert!((first as f64 / 1e6 - 0.9).abs() < 0.02, "{first}");
        assert!(halves.first_share(halves.depth(), 0, || own(0)) > 0.4);
    }

    #[test]
    fn uniform_numbers_in_order_are_uniform() {
        let mut draw = Streams::new(2, 0).running(Purpose::Arrival, 0);
        let (mut sum, mut squares) = (0.0, 0.0);
        for _ in 0..2000 {
            let mut stretch = InOrder { left: 10, at: 0.0, end: 1.0 };
            let values: Vec<f64> = (0..10).map(|_| stretch.next(&mut draw)).collect();
            assert!(values.is_sorted() && values[9] <= 1.0);
            sum += values.iter().sum::<f64>();
            squares += values.iter().map(|value| value * value).sum::<f64>();
        }
        assert!((sum / 2e4 - 0.5).abs() < 0.01 && (squares / 2e4 - 1.0 / 3.0).abs() < 0.01);
    }
}
