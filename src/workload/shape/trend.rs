//! The slow trend of counts in intervals of equal length.

/// Fewer intervals have no trend.
const FEWEST: usize = 8;
/// A line that falls below this share of the local mean is replaced by it: a rate is positive.
const LEAST: f64 = 0.1;

/// Expected counts in intervals, without the chance in the observed ones.
///
/// They are those of a line through the neighbouring intervals with Gaussian weights (local linear regression, Fan and
/// Gijbels 1996). Its width is the one with the least leave-one-out error (cross-validation), unless the error of a
/// constant is within one standard error of it (the one-standard-error rule, Breiman et al. 1984).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trend {
    /// Expected count of each interval, if all of it is observed.
    pub(super) expected: Vec<f64>,
    /// The variance of a count minus the expected one, as a share of the variance of independent counts.
    pub(super) left: Vec<f64>,
}

/// A fit with one width.
struct Smooth {
    trend: Trend,
    /// Squared error of each interval as predicted by the others.
    errors: Vec<f64>,
}

impl Trend {
    /// The trend of these counts; `covered` is the observed share of each interval, positive.
    pub(super) fn of(counts: &[f64], covered: &[f64]) -> Trend {
        let constant = Smooth::constant(counts, covered);
        if counts.len() < FEWEST {
            return constant.trend;
        }
        let mut tried = Vec::new();
        let mut width = counts.len() as f64;
        while width >= 1.0 {
            tried.push(Smooth::lines(counts, covered, width));
            width /= std::f64::consts::SQRT_2;
        }
        let best = tried.into_iter().min_by(|a: &Smooth, b| a.error().total_cmp(&b.error()));
        best.filter(|best| !constant.is_close_to(best)).unwrap_or(constant).trend
    }
}

impl Smooth {
    /// The mean of all.
    fn constant(counts: &[f64], covered: &[f64]) -> Smooth {
        let all = covered.iter().sum::<f64>();
        let mean = counts.iter().sum::<f64>() / all;
        let of = |place: usize| (mean, covered[place] / all, (1.0 - covered[place] / all).max(0.0));
        Smooth::from((0..counts.len()).map(of), counts, covered)
    }

    /// A line through the neighbours of each interval, with weights of this standard deviation.
    fn lines(counts: &[f64], covered: &[f64], width: f64) -> Smooth {
        let fit = |place: usize| {
            let apart = |other: usize| other as f64 - place as f64;
            let weight = |other: usize| covered[other] * (-0.5 * (apart(other) / width).powi(2)).exp();
            let sum = |value: &dyn Fn(usize) -> f64| (0..counts.len()).map(|at| weight(at) * value(at)).sum::<f64>();
            let (zeroth, first, second) = (sum(&|_| 1.0), sum(&apart), sum(&|at| apart(at).powi(2)));
            let determinant = zeroth * second - first * first;
            let share = |at: usize| weight(at) * (second - first * apart(at)) / determinant;
            let line = (0..counts.len()).map(|at| share(at) * counts[at] / covered[at]).sum::<f64>();
            let local = sum(&|at| counts[at] / covered[at]) / zeroth;
            let squares = (0..counts.len()).map(|at| share(at).powi(2)).sum::<f64>();
            let own = share(place);
            (line.max(LEAST * local), own, (1.0 - 2.0 * own + squares).max(0.0))
        };
        let mut smooth = Smooth::from((0..counts.len()).map(fit), counts, covered);
        let expected: f64 = smooth.trend.expected.iter().zip(covered).map(|(value, covered)| value * covered).sum();
        let total: f64 = counts.iter().sum();
        if expected > 0.0 {
            smooth.trend.expected.iter_mut().for_each(|value| *value *= total / expected);
        }
        smooth
    }

    /// From the expected count of each interval, its own weight in it, and the variance left.
    fn from(fits: impl Iterator<Item = (f64, f64, f64)>, counts: &[f64], covered: &[f64]) -> Smooth {
        let mut smooth = Smooth { trend: Trend { expected: Vec::new(), left: Vec::new() }, errors: Vec::new() };
        for (place, (expected, own, left)) in fits.enumerate() {
            let error = (counts[place] / covered[place] - expected) / (1.0 - own).max(f64::EPSILON);
            smooth.errors.push(covered[place] * error * error);
            smooth.trend.expected.push(expected);
            smooth.trend.left.push(left);
        }
        smooth
    }

    fn error(&self) -> f64 {
        self.errors.iter().sum::<f64>() / self.errors.len() as f64
    }

    /// Whether the error is that of the best within one standard error of their difference.
    fn is_close_to(&self, best: &Smooth) -> bool {
        let n = self.errors.len() as f64;
        let apart = self.error() - best.error();
        let squares = self.errors.iter().zip(&best.errors).map(|(own, best)| (own - best - apart).powi(2)).sum::<f64>();
        apart <= (squares / (n - 1.0) / n).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Streams};

    fn poisson(expected: &[f64], seed: u64) -> Vec<f64> {
        let mut draw = Streams::new(seed, 0).running(Purpose::Arrival, 0);
        let mut count = |mean: f64| {
            let (mut n, mut at) = (0.0, draw.exponential());
            while at < mean {
                n += 1.0;
                at += draw.exponential();
            }
            n
        };
        expected.iter().map(|mean| count(*mean)).collect()
    }

    /// Root mean squared relative error, of the trend and of the counts.
    fn errors(expected: &[f64], seed: u64) -> (f64, f64) {
        let counts = poisson(expected, seed);
        let trend = Trend::of(&counts, &vec![1.0; counts.len()]);
        let of = |found: &[f64]| {
            let squares: f64 = found.iter().zip(expected).map(|(a, b)| (a / b - 1.0).powi(2)).sum();
            (squares / expected.len() as f64).sqrt()
        };
        (of(&trend.expected), of(&counts))
    }

    #[test]
    fn a_slow_trend_is_found_without_its_noise() {
        let wave = |at: i32| 45.0 * (1.0 + 0.6 * (std::f64::consts::TAU * f64::from(at) / 64.0).sin());
        let slow: Vec<f64> = (0..64).map(wave).collect();
        for seed in 0..10 {
            let (trend, counts) = errors(&slow, seed);
            assert!(trend < 0.12 && trend < 0.7 * counts, "{seed}: {trend} {counts}");
        }
    }

    #[test]
    fn a_constant_rate_has_a_constant_trend() {
        let constant = |seed: &u64| {
            let trend = Trend::of(&poisson(&[45.0; 64], *seed), &[1.0; 64]);
            trend.expected.iter().all(|value| *value == trend.expected[0])
        };
        assert!((0..20).filter(constant).count() >= 17);
    }

    #[test]
    fn a_step_and_silence_stay_positive_and_keep_the_sum() {
        let counts: Vec<f64> = (0..64).map(|at| if at < 32 { 0.0 } else { 900.0 }).collect();
        let trend = Trend::of(&counts, &[1.0; 64]);
        assert!(trend.expected.iter().all(|value| *value >= 0.0));
        assert!((trend.expected.iter().sum::<f64>() - 28_800.0).abs() < 1e-6);
        assert!(trend.expected[10] < 9.0 && trend.expected[50] > 850.0, "{:?}", trend.expected);
    }
}
