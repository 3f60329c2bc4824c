//! The expected rate of a trace, and its swings around it.

use statrs::distribution::{ContinuousCDF, FisherSnedecor, StudentsT};

use crate::workload::shape::series::ScaledCounts;

pub(super) const DAY: f64 = 86_400.0;
const HOUR: f64 = 3600.0;
/// If phases of a season differ by chance with at least this probability, there is no season.
const CHANCE: f64 = 0.05;

/// A covariance within this many standard errors of zero, of Poisson noise, counts as zero.
const CLEAR: f64 = 2.5;

/// The expected rate: level, hours, weekdays, growth.
pub(super) struct Season {
    /// Requests per second at time zero.
    pub(super) rate: f64,
    pub(super) hours: Option<[f64; 24]>,
    pub(super) weekdays: Option<[f64; 7]>,
    /// Logarithm of the growth factor per second.
    pub(super) growth: f64,
}

impl Season {
    pub(super) fn of(series: &ScaledCounts) -> Season {
        let days = series.counts.len() as f64 * series.seconds() / DAY;
        let coarse = series.at_scale(600);
        let growth = growth(series);
        let weekdays = if days >= 14.0 { profile(&coarse, growth, DAY) } else { None };
        let hours = if days >= 2.0 { profile(&coarse, growth, HOUR) } else { None };
        let mut season = Season { rate: 1.0, hours, weekdays, growth };
        // Over all intervals: coarse ones leave out an incomplete last part.
        let expected: f64 = (0..series.counts.len()).map(|bin| season.expected(series, bin)).sum();
        season.rate = series.counts.iter().sum::<f64>() / expected;
        season
    }

    /// Whether the rate is the same at all times.
    pub(super) fn is_level(&self) -> bool {
        self.hours.is_none() && self.weekdays.is_none() && self.growth == 0.0
    }

    /// Number of parameters.
    pub(super) fn parameters(&self) -> usize {
        let shapes = self.hours.map_or(0, |_| 23) + self.weekdays.map_or(0, |_| 6);
        1 + shapes + usize::from(self.growth != 0.0)
    }

    /// Expected count in an interval.
    fn expected(&self, series: &ScaledCounts, bin: usize) -> f64 {
        let seconds = series.week_seconds(bin);
        let hour = self.hours.map_or(1.0, |hours| hours[(seconds / HOUR) as usize % 24]);
        let day = self.weekdays.map_or(1.0, |days| days[(seconds / DAY) as usize % 7]);
        let grown = (self.growth * (bin as f64 + 0.5) * series.seconds()).exp();
        self.rate * series.seconds() * hour * day * grown
    }
}

/// Mean counts of the `N` phases, each a number of seconds long, scaled to a mean of 1, without random variation;
/// growth is removed first. `None` if all variation may be random.
fn profile<const N: usize>(series: &ScaledCounts, growth: f64, seconds: f64) -> Option<[f64; N]> {
    if series.seconds() > seconds {
        return None;
    }
    let width = series.seconds();
    let mut sums = [(0.0, 0.0); N];
    let mut cycles: Vec<[(f64, f64); N]> = Vec::new();
    for (bin, count) in series.counts.iter().enumerate() {
        let value = count / (growth * bin as f64 * width).exp();
        let cycle = (bin as f64 * width / (seconds * N as f64)) as usize;
        cycles.resize(cycles.len().max(cycle + 1), [(0.0, 0.0); N]);
        let phase = (series.week_seconds(bin) / seconds) as usize % N;
        for slot in [&mut sums[phase], &mut cycles[cycle][phase]] {
            *slot = (slot.0 + value, slot.1 + 1.0);
        }
    }
    let mean = |(sum, n): (f64, f64)| if n > 0.0 { sum / n } else { 0.0 };
    let level = sums.map(mean).iter().sum::<f64>() / N as f64;
    cycles.truncate((series.counts.len() as f64 * width / (seconds * N as f64)) as usize);
    let share = beyond_chance(&cycles.iter().map(|cycle| cycle.map(mean)).collect::<Vec<_>>())?;
    Some(sums.map(|phase| 1.0 + share * (mean(phase) / level - 1.0)))
}

/// Share of the differences between phases that is not random: 1 - 1/F, with F the ratio of the mean squares between
/// phases and of the residuals after phase and cycle (two-way analysis of variance with one value each). Means shrunk
/// by it have the least squared error (James and Stein 1961), and random differences of a steady process do not become
/// a season, which would add that variation again. `None` if the F test finds no difference.
fn beyond_chance<const N: usize>(cycles: &[[f64; N]]) -> Option<f64> {
    let (n, phases) = (cycles.len() as f64, N as f64);
    if n < 2.0 {
        return None;
    }
    let of_phase: Vec<f64> = (0..N).map(|phase| cycles.iter().map(|cycle| cycle[phase]).sum::<f64>() / n).collect();
    let level = of_phase.iter().sum::<f64>() / phases;
    let between = n * of_phase.iter().map(|mean| (mean - level).powi(2)).sum::<f64>() / (phases - 1.0);
    let left = |cycle: &[f64; N]| {
        let own = cycle.iter().sum::<f64>() / phases;
        cycle.iter().zip(&of_phase).map(|(value, mean)| (value - own - mean + level).powi(2)).sum::<f64>()
    };
    let freedom = (n - 1.0) * (phases - 1.0);
    let ratio = between / (cycles.iter().map(left).sum::<f64>() / freedom).max(f64::MIN_POSITIVE);
    let critical =
        FisherSnedecor::new(phases - 1.0, freedom).map_or(f64::INFINITY, |law| law.inverse_cdf(1.0 - CHANCE));
    (ratio > critical).then(|| 1.0 - 1.0 / ratio)
}

/// Slope of the logarithm of weekly sums by least squares, per second: whole weeks contain no season. Zero unless it
/// differs from zero at the 5% level by Student's t test, which requires at least four weeks.
fn growth(series: &ScaledCounts) -> f64 {
    let weeks = series.at_scale(7 * 86_400);
    let points: Vec<(f64, f64)> =
        weeks.counts.iter().enumerate().filter(|(_, n)| **n > 0.0).map(|(week, n)| (week as f64, n.ln())).collect();
    let n = points.len() as f64;
    if n < 4.0 {
        return 0.0;
    }
    let (x, y) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let across: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    let slope = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>() / across;
    let residual: f64 = points.iter().map(|p| (p.1 - y - slope * (p.0 - x)).powi(2)).sum();
    let error = (residual / (n - 2.0) / across).sqrt();
    let critical = StudentsT::new(0.0, 1.0, n - 2.0).map_or(f64::INFINITY, |student| student.inverse_cdf(0.975));
    if !slope.is_finite() || slope.abs() <= critical * error {
        return 0.0;
    }
    // The limits of the generator: a factor of 0.1 to 10 per week.
    slope.clamp(0.1f64.ln(), 10f64.ln()) / (7.0 * DAY)
}

/// Swings of the rate beyond the season, above Poisson noise.
#[derive(Clone, Copy)]
pub(super) struct Noise {
    pub(super) cv: f64,
    pub(super) memory: f64,
    pub(super) step: f64,
}

impl Noise {
    /// With counts N, expectations e and a factor X of mean 1: E[(N - e)^2] - e = e^2 Var X and E[(N_i - e_i)(N_j -
    /// e_j)] = e_i e_j Cov(X_i, X_j). The memory follows from the first lag at which the covariance of the logarithms,
    /// ln(1 + Cov), has fallen below half of its value at lag 1.
    pub(super) fn of(recorded: &ScaledCounts, season: &Season) -> Option<Noise> {
        // Steps with several arrivals each, and enough steps for an estimate.
        let step = (5.0 / season.rate).clamp(1.0, 3600.0).ceil() as u64;
        let series = recorded.at_scale(step.max((recorded.seconds()) as u64));
        let expected: Vec<f64> = (0..series.counts.len()).map(|bin| season.expected(&series, bin)).collect();
        let excess: Vec<f64> = series.counts.iter().zip(&expected).map(|(n, e)| n - e).collect();
        let covariance = |lag: usize| {
            let pairs = || (lag..excess.len()).map(|i| (i - lag, i));
            let own = if lag == 0 { expected.iter().sum::<f64>() } else { 0.0 };
            (pairs().map(|(i, j)| excess[i] * excess[j]).sum::<f64>() - own)
                / pairs().map(|(i, j)| expected[i] * expected[j]).sum::<f64>().max(f64::MIN_POSITIVE)
        };
        let variance = covariance(0);
        let (first, most) = (covariance(1).max(0.0).ln_1p(), excess.len() / 4);
        // Under Poisson noise alone, the mean of k covariances has a variance of 1 / (k sum of e^2); the variance, twice
        // as much.
        let error = (1.0 / expected.iter().map(|e| e * e).sum::<f64>().max(f64::MIN_POSITIVE)).sqrt();
        let mean = |lags: usize| (1..=lags).map(covariance).sum::<f64>() * (lags as f64).sqrt() / lags as f64;
        let lags = |lags: usize| lags.min(most.max(1));
        let clear = variance > CLEAR * error * std::f64::consts::SQRT_2
            || [1, 10, 100].into_iter().any(|most| mean(lags(most)) > CLEAR * error);
        if variance < 1e-4 || most < 4 || !clear {
            return None;
        }
        let width = series.seconds();
        let sigma2 = variance.ln_1p();
        // White noise at this step: no memory.
        if first < 0.05 * sigma2 {
            return Some(Noise { cv: variance.sqrt(), memory: width / 3.0, step: width });
        }
        let half = (2..most).find(|lag| covariance(*lag).max(0.0).ln_1p() < first / 2.0).unwrap_or(most);
        let memory = (half - 1) as f64 * width / std::f64::consts::LN_2;
        Some(Noise { cv: variance.sqrt(), memory, step: width })
    }
}
