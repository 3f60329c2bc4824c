//! Counts of durations in logarithmic buckets.

use serde::{Deserialize, Serialize};

use crate::units::SimDuration;

/// Buckets per octave, as a power of two.
const SUB_BITS: u32 = 7;
const SUB: u64 = 1 << SUB_BITS;
const BUCKETS: usize = ((64 - SUB_BITS as usize) + 1) << SUB_BITS;

/// A mergeable histogram of durations with 128 buckets per octave.
///
/// Below 128 ns every value has its own bucket. Above, a bucket spans 1/128 of its lower bound, and a percentile is
/// reported as the middle of its bucket: the relative error is at most 1/256 (0.4%). Count, sum, minimum and maximum are
/// exact. Memory is at most 58 KiB, 1 KiB for each octave between the smallest and the largest value: a run of hundreds
/// of services keeps several histograms of each.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "Stored", try_from = "Stored")]
pub struct LatencyHistogram {
    /// The first bucket of `counts`.
    first: usize,
    /// Counts of consecutive buckets, whole octaves.
    counts: Vec<u64>,
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
}

/// Equal if they counted the same; room for values that never came does not matter.
impl PartialEq for LatencyHistogram {
    fn eq(&self, other: &Self) -> bool {
        let summary = |of: &Self| (of.count, of.sum, of.min, of.max);
        summary(self) == summary(other) && self.filled().eq(other.filled())
    }
}

impl Eq for LatencyHistogram {}

impl Default for LatencyHistogram {
    fn default() -> Self {
        Self::new()
    }
}

#[inline]
fn bucket_of(value: u64) -> usize {
    if value < SUB {
        return value as usize;
    }
    let octave = 63 - value.leading_zeros() - SUB_BITS;
    ((u64::from(octave + 1) << SUB_BITS) + ((value >> octave) & (SUB - 1))) as usize
}

/// First value of a bucket and the number of values in it.
fn bounds_of(bucket: usize) -> (u64, u64) {
    let bucket = bucket as u64;
    if bucket < SUB {
        return (bucket, 1);
    }
    let octave = (bucket >> SUB_BITS) - 1;
    ((SUB + (bucket & (SUB - 1))) << octave, 1 << octave)
}

impl LatencyHistogram {
    /// The largest relative error of a reported percentile.
    pub const RELATIVE_ERROR: f64 = 1.0 / (2 * SUB) as f64;

    /// An empty histogram.
    pub fn new() -> Self {
        LatencyHistogram { first: 0, counts: Vec::new(), count: 0, sum: 0, min: u64::MAX, max: 0 }
    }

    /// Counts one duration.
    #[inline(always)]
    pub fn record(&mut self, value: SimDuration) {
        let nanos = value.as_nanos();
        let bucket = bucket_of(nanos);
        match self.counts.get_mut(bucket.wrapping_sub(self.first)) {
            Some(count) => *count += 1,
            None => *self.reach(bucket) += 1,
        }
        self.count += 1;
        self.sum += u128::from(nanos);
        self.min = self.min.min(nanos);
        self.max = self.max.max(nanos);
    }

    /// The count of a bucket that may lie outside of `counts`, which is extended by whole octaves.
    #[cold]
    #[inline(never)]
    fn reach(&mut self, bucket: usize) -> &mut u64 {
        let octave = bucket & !(SUB as usize - 1);
        if self.counts.is_empty() {
            self.first = octave;
        }
        let before = self.first.saturating_sub(octave);
        self.first -= before;
        let len = (octave + SUB as usize - self.first).max(self.counts.len() + before);
        self.counts.reserve_exact(len - self.counts.len());
        self.counts.splice(..0, std::iter::repeat_n(0, before));
        self.counts.resize(len, 0);
        &mut self.counts[bucket - self.first]
    }

    /// Where the counts from the bucket of `min` to that of `max` stand; there must be some.
    fn range(&self, min: u64, max: u64) -> std::ops::RangeInclusive<usize> {
        bucket_of(min) - self.first..=bucket_of(max) - self.first
    }

    /// The non-empty buckets in order, with their counts.
    fn filled(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        let counts = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        counts.map(|(at, count)| (self.first + at, *count))
    }

    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: &LatencyHistogram) {
        if other.count == 0 {
            return;
        }
        self.reach(bucket_of(other.min));
        self.reach(bucket_of(other.max));
        let (mine, theirs) = (self.range(other.min, other.max), other.range(other.min, other.max));
        for (mine, theirs) in self.counts[mine].iter_mut().zip(&other.counts[theirs]) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Resets all counts.
    pub fn clear(&mut self) {
        if self.count > 0 {
            let range = self.range(self.min, self.max);
            self.counts[range].fill(0);
        }
        let (first, counts) = (self.first, std::mem::take(&mut self.counts));
        *self = LatencyHistogram { first, counts, ..LatencyHistogram::new() };
    }

    /// The number of durations.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The sum of all durations in nanoseconds, exact.
    pub fn sum_nanos(&self) -> u128 {
        self.sum
    }

    /// The mean, exact up to binary64; `None` if nothing was counted.
    pub fn mean_secs(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64 / 1e9)
    }

    /// The smallest duration, exact.
    pub fn min(&self) -> Option<SimDuration> {
        (self.count > 0).then(|| SimDuration::from_nanos(self.min))
    }

    /// The largest duration, exact.
    pub fn max(&self) -> Option<SimDuration> {
        (self.count > 0).then(|| SimDuration::from_nanos(self.max))
    }

    /// The smallest duration d such that at least the share `q` of all is at most d, within the stated relative error;
    /// `None` if nothing was counted.
    pub fn quantile(&self, q: f64) -> Option<SimDuration> {
        if self.count == 0 {
            return None;
        }
        let rank = ((q.clamp(0.0, 1.0) * self.count as f64).ceil() as u64).clamp(1, self.count);
        let mut seen = 0;
        for (bucket, count) in self.filled() {
            seen += count;
            if seen >= rank {
                let (low, width) = bounds_of(bucket);
                return Some(SimDuration::from_nanos((low + (width - 1) / 2).clamp(self.min, self.max)));
            }
        }
        self.max()
    }

    /// The number of durations of at most `limit`. The bucket that contains `limit` counts in full if its middle is at
    /// most `limit`.
    pub fn count_at_most(&self, limit: SimDuration) -> u64 {
        let nanos = limit.as_nanos();
        if self.count == 0 || nanos < self.min {
            return 0;
        }
        if nanos >= self.max {
            return self.count;
        }
        let last = bucket_of(nanos);
        let (low, width) = bounds_of(last);
        let at = last - self.first;
        let below: u64 = self.counts[..at].iter().sum();
        if low + (width - 1) / 2 <= nanos { below + self.counts[at] } else { below }
    }

    /// The non-empty buckets in order: (upper end, count).
    pub fn buckets(&self) -> impl Iterator<Item = (SimDuration, u64)> + '_ {
        self.filled().map(|(bucket, count)| {
            let (low, width) = bounds_of(bucket);
            (SimDuration::from_nanos((low + (width - 1)).min(self.max)), count)
        })
    }
}

/// The stored form of a histogram: only the non-empty buckets.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    sum_ns: u128,
    /// Smallest and largest value; `None` if empty.
    range_ns: Option<(u64, u64)>,
    /// Buckets as (distance from the previous one, count).
    buckets: Vec<(usize, u64)>,
}

impl From<LatencyHistogram> for Stored {
    fn from(histogram: LatencyHistogram) -> Stored {
        let mut last = 0;
        let distance = |(bucket, count)| (bucket - std::mem::replace(&mut last, bucket), count);
        let buckets = histogram.filled().map(distance).collect();
        let range_ns = (histogram.count > 0).then_some((histogram.min, histogram.max));
        Stored { sum_ns: histogram.sum, range_ns, buckets }
    }
}

impl TryFrom<Stored> for LatencyHistogram {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, &'static str> {
        const BROKEN: &str = "a histogram's buckets contradict its range";
        let mut histogram = LatencyHistogram::new();
        let Some((min, max)) = stored.range_ns else {
            return if stored.buckets.is_empty() { Ok(histogram) } else { Err(BROKEN) };
        };
        (histogram.min, histogram.max, histogram.sum) = (min, max, stored.sum_ns);
        let mut bucket = 0usize;
        for (distance, count) in stored.buckets {
            bucket = bucket.checked_add(distance).ok_or(BROKEN)?;
            if bucket >= BUCKETS {
                return Err(BROKEN);
            }
            *histogram.reach(bucket) += count;
            histogram.count = histogram.count.checked_add(count).ok_or(BROKEN)?;
        }
        let lowest = histogram.filled().next().map(|(bucket, _)| bucket);
        if min <= max && lowest == Some(bucket_of(min)) && bucket == bucket_of(max) {
            Ok(histogram)
        } else {
            Err(BROKEN)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[u64]) -> LatencyHistogram {
        let mut histogram = LatencyHistogram::new();
        for value in values {
            histogram.record(SimDuration::from_nanos(*value));
        }
        histogram
    }

    proptest! {
        #[test]
        fn percentiles_are_within_the_stated_error(
            mut values in prop::collection::vec(prop_oneof![0u64..1000, 0u64..10_000_000_000, any::<u64>()], 1..200),
            q in 0.0f64..=1.0,
        ) {
            let histogram = of(&values);
            values.sort_unstable();
            let rank = ((q * values.len() as f64).ceil() as usize).clamp(1, values.len());
            let exact = values[rank - 1] as f64;
            let reported = histogram.quantile(q).unwrap().as_nanos() as f64;
            prop_assert!((reported - exact).abs() <= exact * LatencyHistogram::RELATIVE_ERROR + 1.0);
        }

        #[test]
        fn merging_is_counting_together(a in prop::collection::vec(any::<u64>(), 0..50),
                                        b in prop::collection::vec(any::<u64>(), 0..50)) {
            let mut merged = of(&a);
            merged.merge(&of(&b));
            let together: Vec<u64> = a.iter().chain(&b).copied().collect();
            prop_assert_eq!(merged, of(&together));
        }
    }

    proptest! {
        #[test]
        fn storing_keeps_everything(values in prop::collection::vec(any::<u64>(), 0..50)) {
            let histogram = of(&values);
            let stored = serde_json::to_string(&histogram).unwrap();
            prop_assert_eq!(serde_json::from_str::<LatencyHistogram>(&stored).unwrap(), histogram);
        }
    }

    #[test]
    fn broken_stores_are_refused() {
        let stored = serde_json::to_string(&of(&[1, 500])).unwrap();
        for broken in
            [stored.replace("[1,1]", "[2,1]"), stored.replace("500]", "50000]"), stored.replace("[1,500]", "null")]
        {
            assert_ne!(broken, stored);
            assert!(serde_json::from_str::<LatencyHistogram>(&broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn clearing_leaves_nothing() {
        let mut histogram = of(&[1, 500, 1_000_000]);
        histogram.clear();
        assert_eq!(histogram, LatencyHistogram::new());
        assert_eq!(histogram.quantile(0.5), None);
    }

    #[test]
    fn buckets_and_bounds_agree() {
        for value in [0, 1, 127, 128, 129, 255, 256, 1 << 20, (1 << 20) + 12_345, u64::MAX] {
            let (low, width) = bounds_of(bucket_of(value));
            assert!(low <= value && value - low < width, "{value}");
        }
        assert_eq!(of(&[10, 20, 30]).count_at_most(SimDuration::from_nanos(20)), 2);
    }
}
