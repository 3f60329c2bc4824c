//! Counts in cells that are joined two by two, and how unevenly the halves of a stretch share its requests.
//!
//! The model behind it is the multifractal wavelet model (Riedi, Crouse, Ribeiro and Baraniuk 1999): the rate of a stretch of time is divided
//! between its halves by a multiplier with a Beta law whose spread depends on the length of the stretch alone, and the requests of the finest
//! cells are a Poisson process of the rate that is left there. The mean of the multiplier, one half in the paper, follows a course of rates.

use super::profile::Profile;
use super::{RequestBatch, TraceError, TraceSource};
use crate::random::Draw;
use crate::units::SimDuration;

/// The most cells; beyond, pairs of cells are joined.
const MAX_CELLS: usize = 1 << 21;
/// The finest cell, nanoseconds: the 512th part of a second, so that doubling it leads to one second exactly.
const FINEST: u64 = 1_953_125;
/// The most stretches that are not halves of others.
pub(super) const MAX_BLOCKS: usize = 64;
/// An estimate of so many standard errors of a Poisson process, or fewer, is taken for none.
const CLEAR: f64 = 2.0;

/// Arrivals per cell from a beginning on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cells {
    /// Where the first cell begins, nanoseconds.
    pub(super) from: u64,
    /// Where the time that was looked at ends, nanoseconds.
    pub(super) end: u64,
    /// Length of a cell, nanoseconds.
    pub(super) width: u64,
    pub(super) counts: Vec<u32>,
    /// Requests at the very instant of the one before them.
    same: u64,
    /// The greatest common divisor of all times: the tick of the clock that wrote them.
    tick: u64,
    newest: Option<u64>,
    /// How many requests there are, and how many at the newest time.
    read: u64,
    at_newest: u64,
}

impl Cells {
    /// No request yet; cells are as long as the source's own intervals, where it has some.
    pub(super) fn from(from: u64, source: &dyn TraceSource) -> Cells {
        let width = source.resolution().map_or(FINEST, |interval| interval.as_nanos().max(1));
        Cells { from, end: from, width, counts: Vec::new(), same: 0, tick: 0, newest: None, read: 0, at_newest: 0 }
    }

    /// All requests of a source, from time zero to its end.
    ///
    /// # Errors
    /// If it cannot be read to its end.
    pub(super) fn of(source: &mut dyn TraceSource) -> Result<Cells, TraceError> {
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

    /// All requests of a source in the cells of another trace of the same length.
    ///
    /// # Errors
    /// If it cannot be read to its end.
    pub(super) fn beside(source: &mut dyn TraceSource, other: &Cells) -> Result<Cells, TraceError> {
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

    /// One request more, not before the newest.
    pub(super) fn add(&mut self, at: u64) {
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

    /// Closes at `end`, or behind the newest request if that is later.
    pub(super) fn close_behind(&mut self, end: u64) {
        self.close(end.max(self.newest.map_or(self.from, |newest| newest) + 1));
    }

    /// Closes before the requests at the newest time, which are taken out again: how many they are, and their time.
    pub(super) fn close_before_newest(&mut self) -> (u64, u64) {
        let (carried, at) = (self.at_newest, self.newest.unwrap_or(self.from));
        let cell = ((at - self.from) / self.width) as usize;
        self.counts[cell] = self.counts[cell].saturating_sub(carried as u32);
        self.read -= carried;
        self.counts.truncate((at - self.from).div_ceil(self.width) as usize);
        self.close(at);
        (carried, at)
    }

    /// How many requests there are.
    pub(super) fn requests(&self) -> u64 {
        self.read
    }

    /// How many there are at the newest time.
    pub(super) fn at_newest(&self) -> u64 {
        self.at_newest
    }

    /// Nothing comes any more before `end`, which is behind every request. Cells that say less than the clock that wrote the times are
    /// joined to its ticks, or to eight of them where that is no whole number of cells.
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

    /// Of the requests that share a cell with an earlier one, the share that came at the very instant of the one before.
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

/// Cells, their sums over stretches of twice the length each, and what they say of the law of the halves.
#[derive(Debug, Clone)]
pub(super) struct Halves {
    /// Counts by level: the cells first, at most [`MAX_BLOCKS`] blocks last.
    levels: Vec<Vec<u32>>,
    /// The blocks' rates beyond Poisson noise.
    profile: Profile,
    /// How unevenly halves share, by the level of the half; see [`share`].
    variation: Vec<f64>,
    pub(super) cells: Cells,
}

impl Halves {
    pub(super) fn of(cells: Cells) -> Halves {
        let mut levels = vec![cells.counts.clone()];
        while levels[levels.len() - 1].len() > MAX_BLOCKS {
            let fine = &levels[levels.len() - 1];
            levels.push(fine.chunks(2).map(|pair| pair.iter().fold(0, |sum: u32, n| sum.saturating_add(*n))).collect());
        }
        let mut halves = Halves { levels, profile: Profile::through(&[1.0]), variation: Vec::new(), cells };
        halves.profile = Profile::of_means(&halves.rates());
        halves.variation = (0..halves.depth()).map(|level| halves.estimated(level)).collect();
        halves
    }

    /// How often a block is halved.
    pub(super) fn depth(&self) -> usize {
        self.levels.len() - 1
    }

    /// How unevenly halves share, the blocks' halves first; see [`share`].
    pub(super) fn variation(&self) -> impl Iterator<Item = f64> + '_ {
        self.variation.iter().rev().copied()
    }

    /// Length of a stretch of a level, nanoseconds.
    fn width(&self, level: usize) -> u64 {
        self.cells.width << level
    }

    /// Length of a block, nanoseconds.
    pub(super) fn block(&self) -> u64 {
        self.width(self.depth())
    }

    /// Mean requests per second along the profile, so that the part looked at has as many as there are.
    pub(super) fn rate(&self) -> f64 {
        let seconds = self.block() as f64 / 1e9;
        let blocks = (self.cells.end - self.cells.from) as f64 / self.block() as f64;
        self.cells.requests() as f64 / (self.profile.upto(blocks) * seconds)
    }

    /// See [`Cells::together`].
    pub(super) fn together(&self) -> f64 {
        self.cells.together()
    }

    /// How much of a stretch was looked at.
    fn covered(&self, level: usize, index: usize) -> f64 {
        let (width, length) = (self.width(level), self.cells.end - self.cells.from);
        let from = width.saturating_mul(index as u64).min(length);
        (width.min(length - from)) as f64 / width as f64
    }

    /// The beginning, the middle and the end of a stretch of a level in blocks, as far as it was looked at.
    fn place(&self, level: usize, index: usize) -> (f64, f64, f64) {
        let (long, all) = (f64::exp2(level as f64 - self.depth() as f64), (self.cells.end - self.cells.from) as f64);
        let from = index as f64 * long;
        let end = all / self.block() as f64;
        (from, (from + long / 2.0).min(end), (from + long).min(end))
    }

    /// How unevenly the halves at a level share. With a half of L requests of X, which is Binomial(X, A) for a share A of mean a and variance
    /// v a (1 - a), E[(L - a X)^2 - X a (1 - a)] = v E[X (X - 1) a (1 - a)]: the ratio of the sums is free of the Poisson noise. Under A = a
    /// the numerator has variance X a (1 - a) (1 - 6 a (1 - a)) + 2 X^2 a^2 (1 - a)^2.
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

    /// The index of dispersion of the counts of the stretches of a level that were looked at whole.
    pub(super) fn dispersion(&self, level: usize) -> f64 {
        let whole = ((self.cells.end - self.cells.from) / self.width(level)) as usize;
        let counts = &self.levels[level][..whole.min(self.levels[level].len())];
        let n = counts.len().max(1) as f64;
        let mean = counts.iter().map(|count| f64::from(*count)).sum::<f64>() / n;
        let variance = counts.iter().map(|count| (f64::from(*count) - mean).powi(2)).sum::<f64>() / n;
        if mean > 0.0 { variance / mean } else { 0.0 }
    }

    /// Mean number of requests of a block.
    fn mean(&self) -> f64 {
        let covered: f64 = (0..self.blocks().len()).map(|index| self.covered(self.depth(), index)).sum();
        self.cells.requests() as f64 / covered
    }

    fn blocks(&self) -> &[u32] {
        &self.levels[self.depth()]
    }

    /// The squared coefficient of variation of the blocks' rates beyond Poisson noise; zero where none is clear.
    fn swing(&self) -> f64 {
        let mean = self.mean();
        let whole = self.blocks().iter().enumerate().filter(|(index, _)| self.covered(self.depth(), *index) >= 1.0);
        let (mut n, mut excess) = (0.0_f64, 0.0);
        for (_, count) in whole {
            n += 1.0;
            excess += (f64::from(*count) - mean).powi(2) - f64::from(*count);
        }
        let clear = excess > CLEAR * (2.0 * n).sqrt() * mean;
        if clear { excess / (n * mean * mean) } else { 0.0 }
    }

    /// The rates of the blocks relative to their mean: the expected ones, given the counts, where they have a Gamma law around the mean
    /// (so that pure chance leaves no profile).
    fn rates(&self) -> Vec<f64> {
        let (mean, swing) = (self.mean(), self.swing());
        let expected = |(index, count): (usize, &u32)| {
            let covered = self.covered(self.depth(), index);
            if swing > 0.0 { (1.0 / swing + f64::from(*count)) / (1.0 / swing + covered * mean) } else { 1.0 }
        };
        self.blocks().iter().enumerate().map(expected).collect()
    }

    /// The course of the blocks' rates, without what may be chance.
    pub(super) fn profile(&self) -> &Profile {
        &self.profile
    }

    /// So many further requests, divided among the blocks by a draw of their rates given the counts. `own` is a block's own randomness.
    pub(super) fn among_blocks(&self, requests: u64, own: impl Fn(usize) -> Draw, draw: &mut Draw) -> Vec<u64> {
        let (mean, swing) = (self.mean(), self.swing());
        let weight = |(index, count): (usize, &u32)| {
            let covered = self.covered(self.depth(), index);
            if swing == 0.0 {
                return covered;
            }
            covered * own(index).gamma(1.0 / swing + f64::from(*count)) / (1.0 / swing + covered * mean)
        };
        let weights: Vec<f64> = self.blocks().iter().enumerate().map(weight).collect();
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

    /// A draw of the first half's share of the rate of a stretch, given the counts of its halves: a share that has the law Beta(a, b) before they
    /// are known has Beta(a + L, b + R) afterwards. `level` and `index` are those of the stretch.
    pub(super) fn first_share(&self, level: usize, index: usize, draw: impl FnOnce() -> Draw) -> f64 {
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

/// The a + b of a law Beta(a, b) with mean m and variance v m (1 - m), of which v is given: 1 / v - 1. `None` where the share is always m.
fn concentration(variation: f64) -> Option<f64> {
    (variation > 0.0).then(|| 1.0 / variation - 1.0)
}

/// A draw of the first half's share, of the given mean m and variance v m (1 - m): v = 0 leaves it at m, v = 1 all in one half.
pub(super) fn share(mean: f64, variation: f64, draw: impl FnOnce() -> Draw) -> f64 {
    match concentration(variation) {
        None => mean,
        Some(all) if all > 0.0 => draw().beta(all * mean, all * (1.0 - mean)),
        Some(_) => f64::from(u8::from(draw().uniform() < mean)),
    }
}

/// Independent uniform numbers on a stretch, in order, each drawn when it is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct InOrder {
    /// How many are still to come.
    pub(super) left: u64,
    pub(super) at: f64,
    pub(super) end: f64,
}

impl InOrder {
    /// The next one: the least of so many uniform numbers on what is left.
    pub(super) fn next(&mut self, draw: &mut Draw) -> f64 {
        let step = -(-draw.exponential() / self.left.max(1) as f64).exp_m1();
        self.at += (self.end - self.at) * step;
        self.left = self.left.saturating_sub(1);
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::super::Opening;
    use super::super::generators::testing::recipe;
    use super::*;
    use crate::random::{Purpose, Streams};

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
        // Four requests at one instant, of which three come with the one before; instants on a clock of microseconds.
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
