//! How one forecaster has done, and what its errors say about the next ones.

use std::collections::VecDeque;

use super::super::series::normal_quantile;
use super::super::{Fitted, Forecast};
use super::{Aim, Loss};

/// What is left of an error's weight one value later: half after about 350 values.
const FADING: f64 = 0.998;
/// Levels between which the spread of a method is read off, and their distance from the mean in standard deviations.
pub(super) const SPREAD: [f64; 2] = [0.1, 0.9];
const DEVIATIONS: f64 = 1.281_551_565_544_6;
/// Errors kept for the intervals.
const KEPT: usize = 3000;
/// Ranges of steps whose errors are kept apart.
const RANGES: usize = 4;
/// Errors in a range below which those of all ranges count.
const FEWEST: usize = 40;
/// The normal distribution weighs as much as the errors about so many values.
const PRIOR: f64 = 20.0;
/// That errors are alike above and below the mean weighs as much as the errors about so many values.
const ALIKE: f64 = 150.0;
/// Values learned after which the errors are sorted anew.
const RESORTED: usize = 16;

/// What was said of the steps ahead at one moment: the mean and how far it may be off, below and above.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Said {
    pub mean: Vec<f64>,
    /// One standard deviation below and above the mean.
    pub below: Vec<f64>,
    pub above: Vec<f64>,
}

impl Said {
    /// What a fitted model says of the next steps.
    pub fn by(fitted: &dyn Fitted, steps: usize) -> Said {
        let Forecast { mean, quantiles, .. } = fitted.forecast(steps, &SPREAD);
        let width = |row: usize, sign: f64| -> Vec<f64> {
            quantiles[row].iter().zip(&mean).map(|(q, m)| (sign * (q - m) / DEVIATIONS).max(0.0)).collect()
        };
        Said { below: width(0, -1.0), above: width(1, 1.0), mean }
    }

    /// The weighted mean of what several said, each held within a deviation of their median: one that has gone astray shall not
    /// take the others with it. Weights sum to one.
    pub fn mean_of(parts: &[(Said, f64)]) -> Said {
        let steps = parts.first().map_or(0, |(said, _)| said.mean.len());
        let mut sum = Said { mean: vec![0.0; steps], below: vec![0.0; steps], above: vec![0.0; steps] };
        for index in 0..steps {
            let median = |of: fn(&Said, usize) -> f64| {
                weighted_median(parts.iter().map(|(said, weight)| (of(said, index), *weight)).collect())
            };
            let middle = median(|said, index| said.mean[index]);
            let width = median(|said, index| f64::midpoint(said.below[index], said.above[index]));
            for (said, weight) in parts {
                sum.mean[index] += weight * said.mean[index].clamp(middle - width, middle + width);
            }
            sum.below[index] = median(|said, index| said.below[index]);
            sum.above[index] = median(|said, index| said.above[index]);
        }
        sum
    }

    /// The value `deviations` away from the mean of step `index`.
    fn at(&self, index: usize, deviations: f64) -> f64 {
        let width = if deviations < 0.0 { self.below[index] } else { self.above[index] };
        self.mean[index] + deviations * width
    }
}

/// The value up to which half of the weight lies.
fn weighted_median(mut values: Vec<(f64, f64)>) -> f64 {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = 0.5 * values.iter().map(|(_, weight)| weight).sum::<f64>();
    let mut sum = 0.0;
    let reached = values.iter().find(|(_, weight)| {
        sum += weight;
        sum >= half
    });
    reached.or(values.last()).map_or(0.0, |(value, _)| *value)
}

/// A forecast waiting for the values that it speaks of.
#[derive(Debug, Clone)]
struct Waiting {
    /// Values that came since.
    age: usize,
    said: Said,
    /// What is judged: the mean, or the quantile in question.
    judged: Vec<f64>,
}

/// The errors of one forecaster: its mean loss, old ones fading, and how errors are spread in units of its own deviation.
#[derive(Debug, Clone)]
pub(super) struct Track {
    aim: Aim,
    waiting: VecDeque<Waiting>,
    loss: f64,
    count: f64,
    /// Index of the step and the error in deviations, oldest first.
    errors: VecDeque<(u16, f64)>,
    /// The same of each range of steps and, last, of all, in order of size.
    sorted: Vec<Vec<f64>>,
    /// Sizes of all errors in order.
    sizes: Vec<f64>,
    /// Values judged.
    values: f64,
    fresh: usize,
}

impl Track {
    pub fn new(aim: Aim) -> Self {
        let (waiting, errors) = (VecDeque::new(), VecDeque::new());
        let (sorted, sizes) = (vec![Vec::new(); RANGES + 1], Vec::new());
        Track { aim, waiting, loss: 0.0, count: 0.0, errors, sorted, sizes, values: 0.0, fresh: 0 }
    }

    /// The mean loss; infinite where nothing was judged.
    pub fn mean(&self) -> f64 {
        if self.count > 0.0 { self.loss / self.count } else { f64::INFINITY }
    }

    /// Whether anything was judged.
    pub fn judged(&self) -> bool {
        self.count > 0.0
    }

    /// Notes what is said now.
    pub fn note(&mut self, said: Said) {
        let judged = match self.aim.loss {
            Loss::Absolute => said.mean.clone(),
            Loss::Quantile(level) => (0..said.mean.len()).map(|index| self.quantile(&said, index, level)).collect(),
        };
        self.waiting.push_front(Waiting { age: 0, said, judged });
    }

    /// Judges all that was said about the next value.
    pub fn learn(&mut self, value: f64) {
        let observed = value.is_finite();
        let (mut loss, mut count) = (0.0, 0.0);
        for waiting in &mut self.waiting {
            let index = waiting.age;
            waiting.age += 1;
            let (Some(said), true) = (waiting.judged.get(index), observed) else { continue };
            if index + 1 >= self.aim.first_step && said.is_finite() {
                (loss, count) = (loss + self.aim.loss.of(value, *said), count + 1.0);
            }
            if let Some(error) = deviation(&waiting.said, index, value) {
                self.errors.push_back((index as u16, error));
            }
        }
        let horizon = self.aim.horizon;
        self.waiting.retain(|waiting| waiting.age < horizon);
        self.errors.drain(..self.errors.len().saturating_sub(KEPT));
        if observed {
            (self.loss, self.count) = (self.loss * FADING + loss, self.count * FADING + count);
            (self.values, self.fresh) = (self.values + 1.0, self.fresh + 1);
            if self.fresh >= RESORTED {
                self.sort();
            }
        }
    }

    /// Puts the errors in order.
    pub fn sort(&mut self) {
        self.fresh = 0;
        self.sorted.iter_mut().for_each(Vec::clear);
        for (index, error) in &self.errors {
            let range = self.range(usize::from(*index));
            self.sorted[range].push(*error);
            self.sorted[RANGES].push(*error);
        }
        self.sorted.iter_mut().for_each(|errors| errors.sort_by(f64::total_cmp));
        self.sizes = self.sorted[RANGES].iter().map(|error| error.abs()).collect();
        self.sizes.sort_by(f64::total_cmp);
    }

    fn range(&self, index: usize) -> usize {
        (index * RANGES / self.aim.horizon).min(RANGES - 1)
    }

    /// The quantile of a level at the step of `index`: as many of the method's deviations away from its mean as the errors
    /// were, drawn towards equal ones above and below and towards the normal distribution where there are few of them. Errors
    /// several steps ahead overlap: as many are independent as there are values.
    pub fn quantile(&self, said: &Said, index: usize, level: f64) -> f64 {
        let level = if level.is_nan() { 0.5 } else { level.clamp(0.0, 1.0) };
        let normal = normal_quantile(level);
        let own = &self.sorted[self.range(index)];
        let errors = if own.len() >= FEWEST { own } else { &self.sorted[RANGES] };
        if errors.is_empty() {
            return said.at(index, normal);
        }
        let wider = (level - 0.5) * (1.0 + 1.0 / self.values);
        let alike = ranked(&self.sizes, 2.0 * wider.abs()).copysign(wider);
        let share = |prior: f64| self.values / (self.values + prior);
        let apart = share(ALIKE);
        let errors = apart * ranked(errors, 0.5 + wider) + (1.0 - apart) * alike;
        said.at(index, share(PRIOR) * errors + (1.0 - share(PRIOR)) * normal)
    }
}

/// How far off a forecast was, in its own deviations; `None` where it had none.
fn deviation(said: &Said, index: usize, value: f64) -> Option<f64> {
    let off = value - said.mean[index];
    let width = if off < 0.0 { said.below[index] } else { said.above[index] };
    let error = off / width;
    (width > 0.0 && error.is_finite()).then_some(error)
}

/// The quantile at rank (n + 1) level of sorted values, drawn straight between neighbours and held at the ends.
fn ranked(sorted: &[f64], level: f64) -> f64 {
    let rank = ((sorted.len() + 1) as f64 * level.clamp(0.0, 1.0)).clamp(1.0, sorted.len() as f64) - 1.0;
    let below = rank as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (rank - below as f64)
}
