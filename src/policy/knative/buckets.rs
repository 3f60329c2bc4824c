//! Windows of measurements: buckets of one granule each, with a plain and a weighted average.
//!
//! Source: `pkg/autoscaler/aggregation/bucketing.go` of knative/serving.

use crate::units::{NANOS_PER_SECOND, SimDuration, SimTime};

/// The least weight that a full window of the weighted average must cover.
const COVERED: f64 = 0.9999;
/// The least smoothing coefficient.
const LEAST_COEFFICIENT: f64 = 0.2;
/// Digits to which the plain average is rounded.
const DIGITS: i32 = 6;

/// Values summed by granule, over a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Buckets {
    /// One sum per granule; the granule of time t is at t / granularity modulo their number.
    sums: Vec<f64>,
    /// Beginning of the first granule written; `None` if it is not known, since a window that had run out was resized.
    first: Option<u64>,
    /// Beginning of the last granule written.
    last: Option<u64>,
    granularity: u64,
    window: u64,
    /// The sum of all sums, as it came about.
    total: f64,
}

/// The number of granules in a window, at least one.
fn granules(window: u64, granularity: u64) -> usize {
    usize::try_from(window.div_ceil(granularity)).unwrap_or(usize::MAX).clamp(1, 1_000_000)
}

impl Buckets {
    /// An empty window. A granularity of zero counts as one second.
    pub fn new(window: SimDuration, granularity: SimDuration) -> Self {
        let granularity = if granularity.is_zero() { NANOS_PER_SECOND } else { granularity.as_nanos() };
        let sums = vec![0.0; granules(window.as_nanos(), granularity)];
        Buckets { sums, first: None, last: None, granularity, window: window.as_nanos(), total: 0.0 }
    }

    fn start_of(&self, time: SimTime) -> u64 {
        time.as_nanos() - time.as_nanos() % self.granularity
    }

    fn place(&self, number: u64) -> usize {
        (number % self.sums.len() as u64) as usize
    }

    /// Whether nothing was written for more than the window.
    pub fn is_empty(&self, now: SimTime) -> bool {
        let now = self.start_of(now);
        self.last.is_none_or(|last| now.saturating_sub(last) > self.window)
    }

    /// Adds `value` at `time`. Granules passed over since the last write count as zero; what is older than the window is
    /// ignored.
    pub fn record(&mut self, time: SimTime, value: f64) {
        let start = self.start_of(time);
        let number = start / self.granularity;
        match self.last {
            Some(last) if start == last => {}
            Some(last) if start.saturating_add(self.window) <= last => return,
            Some(last) if start < last => self.first = Some(self.first.map_or(start, |first| first.min(start))),
            Some(last) if start - last < self.window => {
                for passed in last / self.granularity + 1..=number {
                    let place = self.place(passed);
                    self.total -= self.sums[place];
                    self.sums[place] = 0.0;
                }
                self.first = self.first.or(Some(start));
                self.last = Some(start);
            }
            _ => {
                self.sums.fill(0.0);
                self.total = 0.0;
                (self.first, self.last) = (Some(start), Some(start));
            }
        }
        let place = self.place(number);
        self.sums[place] += value;
        self.total += value;
    }

    /// The average per granule. The divisor is the number of granules from the first write to the last, so that a young
    /// window is not averaged over its full length. Zero if nothing was written within the window.
    pub fn average(&self, now: SimTime) -> f64 {
        let Some(last) = self.last else { return 0.0 };
        let now = self.start_of(now);
        let size = self.sums.len() as f64;
        let used = self.first.map_or(size, |first| ((last - first) / self.granularity + 1) as f64);
        if now <= last {
            return round_to(self.total / used.min(size), DIGITS);
        }
        if now - last >= self.window {
            return 0.0;
        }
        let (from, to) = (last / self.granularity, now / self.granularity);
        let left = (from + 1..=to).fold(self.total, |sum, number| sum - self.sums[self.place(number)]);
        round_to(left / used.min(size - (to - from) as f64), DIGITS)
    }

    /// The exponentially weighted average: the newest granule weighs `coefficient`, each older one 1 - `coefficient`
    /// times the one after it, including those that passed since the last write.
    pub fn weighted_average(&self, now: SimTime, coefficient: f64) -> f64 {
        let Some(last) = self.last.filter(|_| !self.is_empty(now)) else { return 0.0 };
        let size = self.sums.len() as u64;
        let passed = self.start_of(now).saturating_sub(last) / self.granularity;
        let fade = |times: u64| (1.0 - coefficient).powf(times as f64);
        let mut weight = if passed > 0 { coefficient * fade(passed) } else { coefficient };
        let newest = last / self.granularity + size;
        let mut average = 0.0;
        for back in 0..size.saturating_sub(passed) {
            average += self.sums[self.place(newest - back)] * weight;
            weight *= 1.0 - coefficient;
        }
        average
    }

    /// The sum of all granules within the window.
    pub fn sum(&self, now: SimTime) -> f64 {
        let Some(last) = self.last.filter(|_| !self.is_empty(now)) else { return 0.0 };
        let size = self.sums.len() as u64;
        let passed = self.start_of(now).saturating_sub(last) / self.granularity;
        let newest = last / self.granularity + size;
        (0..size.saturating_sub(passed)).map(|back| self.sums[self.place(newest - back)]).sum()
    }

    /// The number of granules.
    pub fn granules(&self) -> usize {
        self.sums.len()
    }

    /// Changes the window at `now`. What fits is kept, and the old window counts as fully written; one that has run out is
    /// emptied.
    pub fn resize(&mut self, window: SimDuration, now: SimTime) {
        if window.as_nanos() == self.window {
            return;
        }
        let size = granules(window.as_nanos(), self.granularity);
        let (mut sums, mut total) = (vec![0.0; size], 0.0);
        let old = self.sums.len();
        self.first = None;
        if let Some(last) = self.last.filter(|_| !self.is_empty(now)) {
            let newest = last / self.granularity;
            for back in 0..size.min(old) as u64 {
                let Some(number) = newest.checked_sub(back) else { break };
                let value = self.sums[self.place(number)];
                sums[(number % size as u64) as usize] = value;
                total += value;
            }
            self.first = Some(last.saturating_sub((old as u64 - 1) * self.granularity));
        }
        (self.sums, self.total, self.window) = (sums, total, window.as_nanos());
    }
}

/// The coefficient with which the weights of `granules` granules add up to 99.99%, at least 0.2.
pub fn smoothing_coefficient(granules: f64) -> f64 {
    (1.0 - (1.0 - COVERED).powf(1.0 / granules)).max(LEAST_COEFFICIENT)
}

/// `value` rounded to `digits` decimals, halves away from zero.
pub fn round_to(value: f64, digits: i32) -> f64 {
    let factor = 10_f64.powi(digits);
    (value * factor).round() / factor
}
