//! The recent performance of a forecaster, and the prediction intervals that follow from its errors.

use std::collections::VecDeque;

use super::super::series::normal_quantile;
use super::super::{Fitted, Forecast};
use super::{Aim, Loss};

/// Factor by which the weight of an error decays per value: to one half after about 350 values.
const FADING: f64 = 0.998;
/// Quantile levels from which the spread of a method is computed, and their distance from the mean in standard
/// deviations.
pub(super) const SPREAD: [f64; 2] = [0.1, 0.9];
const DEVIATIONS: f64 = 1.281_551_565_544_6;
/// Maximum number of errors kept for the intervals.
const KEPT: usize = 3000;
/// Ranges of steps ahead whose errors are kept separately.
const RANGES: usize = 4;
/// Minimum number of errors in a range; with fewer, the errors of all ranges are used.
const FEWEST: usize = 40;
/// Prior weight of the normal distribution, in number of errors.
const PRIOR: f64 = 20.0;
/// Prior weight of symmetry above and below the mean, in number of errors.
const ALIKE: f64 = 150.0;
/// Number of errors at which normal errors of the observed size weigh as much as the empirical quantiles; the weight
/// falls with the square of the number.
const NORMAL: f64 = 60.0;
/// Degrees of freedom below which the expansion of Student's quantiles is not valid.
const MIN_FREEDOM: f64 = 3.0;
/// The middle third of the members lies between this share of the weight from below and from above. Slightly more than
/// a third, so that a single one of three members does not count as disagreement.
const THIRD: f64 = 0.34;
/// Number of new values after which the errors are sorted again.
const RESORTED: usize = 16;

/// A forecast of the next steps: the mean, and one standard deviation below and above it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Said {
    pub mean: Vec<f64>,
    /// Standard deviation of the part below the mean, and of the part above it, in the unit of the series.
    pub below: Vec<f64>,
    pub above: Vec<f64>,
}

impl Said {
    /// The forecast of a fitted model.
    pub fn by(fitted: &dyn Fitted, steps: usize) -> Said {
        let Forecast { mean, quantiles, .. } = fitted.forecast(steps, &SPREAD);
        let width = |row: usize, sign: f64| -> Vec<f64> {
            quantiles[row].iter().zip(&mean).map(|(q, m)| (sign * (q - m) / DEVIATIONS).max(0.0)).collect()
        };
        Said { below: width(0, -1.0), above: width(1, 1.0), mean }
    }

    /// The weighted mean of several forecasts, each clamped to one deviation around their median, so that an outlier
    /// does not shift the mean. If even the middle third of the members is wider than one deviation to each side, the
    /// members disagree and a trend may be a peak. They are then clamped to half a deviation around the point of that
    /// third nearest to the newest value (Armstrong, Green and Graefe 2015: be conservative). The weights sum to one.
    pub fn mean_of(parts: &[(Said, f64)], newest: f64) -> Said {
        let steps = parts.first().map_or(0, |(said, _)| said.mean.len());
        let mut sum = Said { mean: vec![0.0; steps], below: vec![0.0; steps], above: vec![0.0; steps] };
        for index in 0..steps {
            let ordered =
                |of: fn(&Said, usize) -> f64| Weighed::new(parts.iter().map(|(said, w)| (of(said, index), *w)));
            let means = ordered(|said, index| said.mean[index]);
            let width = ordered(|said, index| f64::midpoint(said.below[index], said.above[index])).at_lower(0.5);
            let (low, high) = (means.at_lower(THIRD), means.at_upper(THIRD));
            let (centre, held) = if high - low > 2.0 * width && newest.is_finite() {
                (newest.max(low).min(high), 0.5 * width)
            } else {
                (means.at_lower(0.5), width)
            };
            for (said, weight) in parts {
                sum.mean[index] += weight * said.mean[index].clamp(centre - held, centre + held);
            }
            sum.below[index] = ordered(|said, index| said.below[index]).at_lower(0.5);
            sum.above[index] = ordered(|said, index| said.above[index]).at_lower(0.5);
        }
        sum
    }

    /// The value `deviations` deviations from the mean of the step with index `index`.
    fn at(&self, index: usize, deviations: f64) -> f64 {
        let width = if deviations < 0.0 { self.below[index] } else { self.above[index] };
        self.mean[index] + deviations * width
    }
}

/// Sorted values with weights.
struct Weighed(Vec<(f64, f64)>);

impl Weighed {
    fn new(values: impl Iterator<Item = (f64, f64)>) -> Weighed {
        let mut values: Vec<(f64, f64)> = values.collect();
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        Weighed(values)
    }

    /// The value below which this share of the weight lies, counted from the lowest.
    fn at_lower(&self, share: f64) -> f64 {
        self.reached(self.0.iter(), share)
    }

    /// The same counted from the largest.
    fn at_upper(&self, share: f64) -> f64 {
        self.reached(self.0.iter().rev(), share)
    }

    fn reached<'a>(&self, mut values: impl Iterator<Item = &'a (f64, f64)>, share: f64) -> f64 {
        let wanted = share * self.0.iter().map(|(_, weight)| weight).sum::<f64>();
        let mut sum = 0.0;
        let reached = values.find(|(_, weight)| {
            sum += weight;
            sum >= wanted
        });
        reached.or(self.0.last()).map_or(0.0, |(value, _)| *value)
    }
}

/// A forecast whose steps have not been observed yet.
#[derive(Debug, Clone)]
struct Waiting {
    /// Number of values observed since.
    age: usize,
    said: Said,
    /// The predictions to evaluate: the mean, or the quantile in question.
    judged: Vec<f64>,
}

/// The errors of one forecaster: its mean loss, with decaying weights, and its errors in units of its own deviation.
#[derive(Debug, Clone)]
pub(super) struct Track {
    aim: Aim,
    waiting: VecDeque<Waiting>,
    loss: f64,
    count: f64,
    /// Index of the step and error in deviations, oldest first.
    errors: VecDeque<(u16, f64)>,
    /// The errors of each range of steps and, last, of all, sorted.
    sorted: Vec<Vec<f64>>,
    /// Root mean square of each of these.
    typical: Vec<f64>,
    /// Absolute values of all errors, sorted.
    sizes: Vec<f64>,
    /// Number of evaluated values.
    values: f64,
    fresh: usize,
}

impl Track {
    pub fn new(aim: Aim) -> Self {
        let (waiting, errors) = (VecDeque::new(), VecDeque::new());
        let (sorted, typical, sizes) = (vec![Vec::new(); RANGES + 1], Vec::new(), Vec::new());
        Track { aim, waiting, loss: 0.0, count: 0.0, errors, sorted, typical, sizes, values: 0.0, fresh: 0 }
    }

    /// The mean loss; infinite if nothing was evaluated.
    pub fn mean(&self) -> f64 {
        if self.count > 0.0 { self.loss / self.count } else { f64::INFINITY }
    }

    /// Whether anything was evaluated.
    pub fn judged(&self) -> bool {
        self.count > 0.0
    }

    /// Stores a forecast.
    pub fn note(&mut self, said: Said) {
        let judged = match self.aim.loss {
            Loss::Absolute => said.mean.clone(),
            Loss::Quantile(level) => (0..said.mean.len()).map(|index| self.quantile(&said, index, level)).collect(),
        };
        self.waiting.push_front(Waiting { age: 0, said, judged });
    }

    /// Evaluates all stored predictions of the next value.
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

    /// Sorts the errors.
    pub fn sort(&mut self) {
        self.fresh = 0;
        self.sorted.iter_mut().for_each(Vec::clear);
        for (index, error) in &self.errors {
            let range = self.range(usize::from(*index));
            self.sorted[range].push(*error);
            self.sorted[RANGES].push(*error);
        }
        self.sorted.iter_mut().for_each(|errors| errors.sort_by(f64::total_cmp));
        self.typical = self.sorted.iter().map(|errors| root_mean_square(errors)).collect();
        self.sizes = self.sorted[RANGES].iter().map(|error| error.abs()).collect();
        self.sizes.sort_by(f64::total_cmp);
    }

    fn range(&self, index: usize) -> usize {
        (index * RANGES / self.aim.horizon).min(RANGES - 1)
    }

    /// The quantile at a level for the step with index `index`: the empirical quantile of the errors, times the
    /// method's deviation, around its mean. With few errors, it is shrunk towards symmetric errors, towards normal
    /// errors of the same size, and towards the method's own deviation. Because the size of the errors is itself
    /// estimated, quantiles are Student's.
    pub fn quantile(&self, said: &Said, index: usize, level: f64) -> f64 {
        let level = if level.is_nan() { 0.5 } else { level.clamp(0.0, 1.0) };
        let normal = normal_quantile(level);
        let own = self.range(index);
        let range = if self.sorted[own].len() >= FEWEST { own } else { RANGES };
        let errors = &self.sorted[range];
        if errors.is_empty() {
            return said.at(index, normal);
        }
        let off = level - 0.5;
        let alike = ranked(&self.sizes, 2.0 * off.abs()).copysign(off);
        let ordered = mixed(self.values, ALIKE, ranked(errors, level), alike);
        let seen = mixed(self.values.powi(2), NORMAL.powi(2), ordered, normal * self.typical[range]);
        said.at(index, mixed(self.values, PRIOR, seen, normal) * student(normal, self.independent()))
    }

    /// Approximate number of independent errors: errors of a forecast many steps ahead overlap.
    fn independent(&self) -> f64 {
        2.0 * self.values / (self.aim.first_step + self.aim.horizon) as f64
    }
}

/// Ratio of a quantile of Student's distribution to the normal one (Cornish-Fisher expansion; Abramowitz and Stegun
/// 1964, 26.7.5).
fn student(normal: f64, freedom: f64) -> f64 {
    let (square, freedom) = (normal * normal, freedom.max(MIN_FREEDOM));
    let first = (square + 1.0) / 4.0;
    let second = ((5.0 * square + 16.0) * square + 3.0) / 96.0;
    let third = (((3.0 * square + 19.0) * square + 17.0) * square - 15.0) / 384.0;
    1.0 + (first + (second + third / freedom) / freedom) / freedom
}

/// The weighted mean of an observation and a prior.
fn mixed(weight: f64, prior: f64, seen: f64, granted: f64) -> f64 {
    (weight * seen + prior * granted) / (weight + prior)
}

fn root_mean_square(values: &[f64]) -> f64 {
    (values.iter().map(|value| value * value).sum::<f64>() / values.len().max(1) as f64).sqrt()
}

/// The error of a forecast in its own deviations; `None` if it had none.
fn deviation(said: &Said, index: usize, value: f64) -> Option<f64> {
    let off = value - said.mean[index];
    let width = if off < 0.0 { said.below[index] } else { said.above[index] };
    let error = off / width;
    (width > 0.0 && error.is_finite()).then_some(error)
}

/// The quantile of sorted values at rank (n + 1) level, with linear interpolation, clamped at the ends.
fn ranked(sorted: &[f64], level: f64) -> f64 {
    let rank = ((sorted.len() + 1) as f64 * level.clamp(0.0, 1.0)).clamp(1.0, sorted.len() as f64) - 1.0;
    let below = rank as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (rank - below as f64)
}

#[cfg(test)]
mod tests {
    use super::super::Loss;
    use super::*;
    use rstest::rstest;

    fn said(mean: f64) -> Said {
        Said { mean: vec![mean], below: vec![10.0], above: vec![10.0] }
    }

    fn mean_of(means: &[f64], newest: f64) -> f64 {
        let share = 1.0 / means.len() as f64;
        let parts: Vec<(Said, f64)> = means.iter().map(|mean| (said(*mean), share)).collect();
        Said::mean_of(&parts, newest).mean[0]
    }

    #[test]
    fn members_that_agree_are_averaged_and_one_astray_is_held() {
        assert!((mean_of(&[98.0, 100.0, 105.0], 40.0) - 101.0).abs() < 1e-9);
        assert!((mean_of(&[98.0, 100.0, 9000.0], 40.0) - (98.0 + 100.0 + 110.0) / 3.0).abs() < 1e-9);
    }

    #[test]
    fn where_members_disagree_the_nearest_to_the_newest_value_counts() {
        let means = [100.0, 300.0, 500.0, 700.0];
        assert!((mean_of(&means, 400.0) - 400.0).abs() < 1e-9, "two below and two above, each held within 5");
        assert!((mean_of(&means, 50.0) - (295.0 + 300.0 + 305.0 + 305.0) / 4.0).abs() < 1e-9);
        let below = means.map(|mean| -mean);
        assert!((mean_of(&below, -50.0) + (295.0 + 300.0 + 305.0 + 305.0) / 4.0).abs() < 1e-9);
        // Without a newest value the median is used.
        assert!((mean_of(&means, f64::NAN) - (290.0 + 300.0 + 310.0 + 310.0) / 4.0).abs() < 1e-9);
    }

    #[test]
    fn the_expansion_is_near_the_quantiles_of_student() {
        for (freedom, level, exact) in [(4.0, 0.9, 1.533_206), (4.0, 0.975, 2.776_445), (10.0, 0.975, 2.228_139)] {
            let normal = normal_quantile(level);
            assert!((normal * student(normal, freedom) / exact - 1.0).abs() < 0.005, "{freedom} {level}");
        }
        assert!(student(2.0, 1.0) < 2.0 && (student(2.0, 1e9) - 1.0).abs() < 1e-8);
    }

    fn uniform(t: usize) -> f64 {
        let mixed = (t as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / f64::from(1u32 << 24)
    }

    /// A random walk, forecast `steps` ahead by its last value, with an assumed deviation of `thought` times the true
    /// one. Of the forty values of the observed errors, six at a distance of twelve steps are independent.
    #[rstest]
    #[case(40, 12, 0.6)]
    #[case(40, 12, 1.0)]
    #[case(30, 5, 1.0)]
    #[case(300, 6, 0.7)]
    fn intervals_hold_what_they_promise_where_few_errors_were_seen(
        #[case] seen: usize,
        #[case] steps: usize,
        #[case] thought: f64,
    ) {
        let (walks, mut inside) = (400, [0.0; 2]);
        for walk in 0..walks {
            let step = |t: usize| (0..12).map(|k| uniform(walk * 9973 + t * 12 + k)).sum::<f64>() - 6.0;
            let width: Vec<f64> = (1..=steps).map(|h| thought * (h as f64).sqrt()).collect();
            let says = |level: f64| Said { mean: vec![level; steps], below: width.clone(), above: width.clone() };
            let mut track = Track::new(Aim { first_step: 1, horizon: steps, loss: Loss::Absolute });
            let mut level = 0.0;
            for t in 0..seen {
                track.note(says(level));
                level += step(t);
                track.learn(level);
            }
            track.sort();
            let said = says(level);
            for index in 0..steps {
                level += step(seen + index);
                for (inside, tail) in inside.iter_mut().zip([0.1, 0.025]) {
                    let within = track.quantile(&said, index, tail)..=track.quantile(&said, index, 1.0 - tail);
                    *inside += f64::from(u8::from(within.contains(&level))) / (walks * steps) as f64;
                }
            }
        }
        assert!((inside[0] - 0.8).abs() < 0.05 && (inside[1] - 0.95).abs() < 0.05, "{inside:?}");
    }
}
