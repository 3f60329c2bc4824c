//! Histograms of usage, whose weights halve over time.
//!
//! Source: `vertical-pod-autoscaler/pkg/recommender/util` of kubernetes/autoscaler.

use std::collections::BTreeMap;

use crate::units::{SimDuration, SimTime};

/// The largest weight of a checkpoint.
const CHECKPOINT_WEIGHT: f64 = 10_000.0;
/// Half-lives after which the reference time is moved.
const MOST_HALF_LIVES: u64 = 100;
/// Most buckets of a histogram.
const MOST_BUCKETS: usize = 1_000_000;

/// How values are put into buckets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Buckets {
    /// The size of the first bucket.
    first: f64,
    /// By which factor each bucket is larger than the one before; 1 for equal ones.
    ratio: f64,
    count: usize,
    /// The weight below which a bucket counts as empty.
    epsilon: f64,
}

impl Buckets {
    /// Buckets of equal `size` up to `largest`.
    pub fn linear(largest: f64, size: f64, epsilon: f64) -> Buckets {
        let count = (largest / size).ceil() as usize + 1;
        Buckets { first: size, ratio: 1.0, count: count.min(MOST_BUCKETS), epsilon }
    }

    /// Buckets of which each is larger than the one before by `ratio`, up to `largest`.
    pub fn exponential(largest: f64, first: f64, ratio: f64, epsilon: f64) -> Buckets {
        let count = (largest * (ratio - 1.0) / first + 1.0).log(ratio).ceil() as usize + 1;
        Buckets { first, ratio, count: count.min(MOST_BUCKETS), epsilon }
    }

    /// The buckets for CPU, in cores: 0.01 to 1000.
    pub fn of_cpu() -> Buckets {
        Buckets::exponential(1000.0, 0.01, 1.05, 0.0001)
    }

    /// The buckets for memory, in bytes: 10 MB to 1 TB.
    pub fn of_memory() -> Buckets {
        Buckets::exponential(1e12, 1e7, 1.05, 0.0001)
    }

    /// The number of buckets.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The bucket of `value`.
    pub fn of(&self, value: f64) -> usize {
        let last = self.count.saturating_sub(1);
        if self.ratio == 1.0 {
            return ((value / self.first) as usize).min(last);
        }
        if value < self.first {
            return 0;
        }
        let bucket = (value * (self.ratio - 1.0) / self.first + 1.0).ln() / self.ratio.ln();
        (bucket as usize).min(last)
    }

    /// The beginning of a bucket.
    pub fn start(&self, bucket: usize) -> f64 {
        if self.ratio == 1.0 {
            return self.first * bucket as f64;
        }
        if bucket == 0 { 0.0 } else { self.first * (self.ratio.powf(bucket as f64) - 1.0) / (self.ratio - 1.0) }
    }
}

/// A histogram as it is stored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checkpoint {
    /// The sum of all weights.
    pub total: f64,
    /// Weights by bucket, the largest being 10,000.
    pub weights: BTreeMap<i64, u32>,
    /// The reference time.
    pub reference: Option<SimTime>,
}

/// A histogram. With a half-life, a sample weighs twice as much as one that is older by it.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    buckets: Buckets,
    weights: Vec<f64>,
    total: f64,
    /// The lowest and the highest bucket in use; weights outside are not looked at.
    range: (usize, usize),
    half_life: Option<SimDuration>,
    /// The time at which a sample weighs its weight.
    reference: Option<SimTime>,
}

impl Histogram {
    /// An empty histogram.
    pub fn new(buckets: Buckets, half_life: Option<SimDuration>) -> Self {
        let last = buckets.count.saturating_sub(1);
        let half_life = half_life.filter(|time| !time.is_zero());
        let weights = vec![0.0; buckets.count.max(1)];
        Histogram { buckets, weights, total: 0.0, range: (last, 0), half_life, reference: None }
    }

    /// The reference time.
    pub fn reference(&self) -> Option<SimTime> {
        self.reference
    }

    /// The sum of all weights.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// The buckets in use that hold something, with their weights.
    pub fn weights(&self) -> impl Iterator<Item = (usize, f64)> {
        let (low, high) = self.range;
        let used = self.weights.iter().copied().enumerate().take(high + 1).skip(low);
        used.filter(|(_, weight)| *weight > 0.0)
    }

    /// Adds a sample. A negative weight is ignored.
    pub fn add(&mut self, value: f64, weight: f64, time: SimTime) {
        let weight = weight.max(0.0) * self.factor(time);
        let bucket = self.buckets.of(value);
        self.weights[bucket] += weight;
        self.total += weight;
        if self.weights[bucket] >= self.buckets.epsilon {
            self.range = (self.range.0.min(bucket), self.range.1.max(bucket));
        }
    }

    /// Takes a sample off again.
    pub fn subtract(&mut self, value: f64, weight: f64, time: SimTime) {
        let weight = weight * self.factor(time);
        let epsilon = self.buckets.epsilon;
        let less = |value: f64| if value - weight < epsilon { 0.0 } else { value - weight };
        let bucket = self.buckets.of(value);
        self.total = less(self.total);
        self.weights[bucket] = less(self.weights[bucket]);
        self.trim();
    }

    /// The value that a share of the samples does not exceed: the end of its bucket. Zero if there is none.
    pub fn percentile(&self, share: f64) -> f64 {
        if self.is_empty() {
            return 0.0;
        }
        let threshold = share * self.total;
        let mut sum = 0.0;
        let mut bucket = self.range.0;
        while bucket < self.range.1 {
            sum += self.weights[bucket];
            if sum >= threshold {
                break;
            }
            bucket += 1;
        }
        let is_last = bucket + 1 >= self.buckets.count;
        self.buckets.start(if is_last { bucket } else { bucket + 1 })
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.weights[self.range.0] < self.buckets.epsilon
    }

    /// Adds all samples of another with the same buckets.
    pub fn merge(&mut self, other: &Histogram) {
        let mut other = other.clone();
        match (self.reference, other.reference) {
            (own, Some(theirs)) if own.is_none_or(|own| own < theirs) => self.shift(theirs),
            (Some(own), theirs) if theirs.is_none_or(|theirs| theirs < own) => other.shift(own),
            _ => {}
        }
        if other.weights.len() != self.weights.len() {
            return;
        }
        for bucket in other.range.0..=other.range.1 {
            self.weights[bucket] += other.weights[bucket];
        }
        self.total += other.total;
        self.range = (self.range.0.min(other.range.0), self.range.1.max(other.range.1));
    }

    /// Whether both hold the same, up to epsilon.
    pub fn equals(&self, other: &Histogram) -> bool {
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= self.buckets.epsilon;
        self.buckets == other.buckets
            && self.half_life == other.half_life
            && self.reference == other.reference
            && self.range == other.range
            && self.weights.iter().zip(&other.weights).all(near)
    }

    /// Stores it.
    pub fn save(&self) -> Checkpoint {
        let used = self.range.0..=self.range.1;
        let largest = used.clone().map(|bucket| self.weights[bucket]).fold(0.0, f64::max);
        let ratio = CHECKPOINT_WEIGHT / largest;
        let weights = used.filter_map(|bucket| {
            let weight = (self.weights[bucket] * ratio).round() as u32;
            (weight > 0).then_some((bucket as i64, weight))
        });
        Checkpoint { total: self.total, weights: weights.collect(), reference: self.reference }
    }

    /// Adds what is stored.
    ///
    /// # Errors
    /// If a weight is in no bucket, or the total is negative.
    pub fn load(&mut self, stored: &Checkpoint) -> Result<(), String> {
        if stored.total < 0.0 || stored.total.is_nan() {
            return Err("the total weight of a checkpoint is negative".into());
        }
        let mut weights = Vec::new();
        for (bucket, weight) in &stored.weights {
            let place = usize::try_from(*bucket).ok().filter(|place| *place < self.buckets.count);
            weights.push((place.ok_or(format!("a checkpoint has no bucket {bucket}"))?, f64::from(*weight)));
        }
        if self.half_life.is_some() {
            self.reference = stored.reference;
        }
        let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
        if sum == 0.0 {
            return Ok(());
        }
        for (bucket, weight) in weights {
            self.range = (self.range.0.min(bucket), self.range.1.max(bucket));
            self.weights[bucket] += weight * (stored.total / sum);
        }
        self.total += stored.total;
        self.trim();
        Ok(())
    }

    /// Leaves out empty buckets at the ends.
    fn trim(&mut self) {
        let last = self.buckets.count.saturating_sub(1);
        let epsilon = self.buckets.epsilon;
        while self.weights[self.range.0] < epsilon && self.range.0 < last {
            self.range.0 += 1;
        }
        while self.weights[self.range.1] < epsilon && self.range.1 > 0 {
            self.range.1 -= 1;
        }
    }

    /// By which factor a sample at `time` weighs more than at the reference time.
    fn factor(&mut self, time: SimTime) -> f64 {
        let Some(half_life) = self.half_life else { return 1.0 };
        let reach = half_life.as_nanos().saturating_mul(MOST_HALF_LIVES);
        let is_beyond = |reference: SimTime| time > reference.saturating_add(SimDuration::from_nanos(reach));
        if self.reference.is_none_or(is_beyond) {
            self.shift(time);
        }
        let reference = self.reference.unwrap_or(time);
        (difference(time, reference) / half_life.as_nanos() as f64).exp2()
    }

    /// Moves the reference time to the multiple of the half-life nearest to `time`.
    fn shift(&mut self, time: SimTime) {
        let Some(half_life) = self.half_life.map(SimDuration::as_nanos) else { return };
        let rounded = (time.as_nanos() + half_life / 2) / half_life * half_life;
        let next = SimTime::from_nanos(rounded);
        if let Some(reference) = self.reference {
            let exponent = (difference(reference, next) / half_life as f64).round();
            let factor = exponent.exp2();
            let (low, high) = self.range;
            if low <= high {
                self.weights[low..=high].iter_mut().for_each(|weight| *weight *= factor);
            }
            self.total *= factor;
            self.trim();
        }
        self.reference = Some(next);
    }
}

/// The nanoseconds from `b` to `a`.
fn difference(a: SimTime, b: SimTime) -> f64 {
    if a >= b { a.since(b).as_nanos() as f64 } else { -(b.since(a).as_nanos() as f64) }
}
