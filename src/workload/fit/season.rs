//! The expected rate of a trace, and its swings around it.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::super::series::Series;

pub(super) const DAY: f64 = 86_400.0;

/// The expected rate: level, hours, weekdays, growth.
pub(super) struct Season {
    /// Per second, at time zero.
    pub(super) rate: f64,
    pub(super) hours: Option<[f64; 24]>,
    pub(super) weekdays: Option<[f64; 7]>,
    /// Logarithm of growth per second.
    pub(super) growth: f64,
}

impl Season {
    pub(super) fn of(series: &Series) -> Season {
        let days = series.counts.len() as f64 * series.seconds() / DAY;
        let coarse = series.at_scale(600);
        let growth = growth(series);
        let weekdays = (days >= 14.0).then(|| profile(&coarse, growth, |seconds| seconds / DAY));
        let hours = (days >= 2.0).then(|| profile(&coarse, growth, |seconds| seconds / 3600.0));
        let mut season = Season { rate: 1.0, hours, weekdays, growth };
        // Over all intervals: the coarse ones leave out a last part that is not whole.
        let expected: f64 = (0..series.counts.len()).map(|bin| season.expected(series, bin)).sum();
        season.rate = series.counts.iter().sum::<f64>() / expected;
        season
    }

    /// How many numbers it has.
    pub(super) fn parameters(&self) -> usize {
        let shapes = self.hours.map_or(0, |_| 23) + self.weekdays.map_or(0, |_| 6);
        1 + shapes + usize::from(self.growth != 0.0)
    }

    /// Expected count of an interval.
    fn expected(&self, series: &Series, bin: usize) -> f64 {
        let seconds = series.week_seconds(bin);
        let hour = self.hours.map_or(1.0, |hours| hours[(seconds / 3600.0) as usize % 24]);
        let day = self.weekdays.map_or(1.0, |days| days[(seconds / DAY) as usize % 7]);
        let grown = (self.growth * (bin as f64 + 0.5) * series.seconds()).exp();
        self.rate * series.seconds() * hour * day * grown
    }
}

/// Mean counts of the `N` phases in turn, brought to a mean of 1; growth is taken out first.
fn profile<const N: usize>(series: &Series, growth: f64, phase: impl Fn(f64) -> f64) -> [f64; N] {
    let mut sums = [(0.0, 0.0); N];
    for (bin, count) in series.counts.iter().enumerate() {
        let slot = &mut sums[phase(series.week_seconds(bin)) as usize % N];
        slot.0 += count / (growth * bin as f64 * series.seconds()).exp();
        slot.1 += 1.0;
    }
    let means = sums.map(|(sum, n)| if n > 0.0 { sum / n } else { 0.0 });
    let level = means.iter().sum::<f64>() / N as f64;
    means.map(|mean| mean / level)
}

/// Slope of the logarithm of weekly sums by least squares, per second: whole weeks carry no season. None is told unless it is
/// different from zero at the 5% level by Student's t test, which takes four weeks at least.
fn growth(series: &Series) -> f64 {
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
    // The bounds of the generator: a factor of 0.1 to 10 a week.
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
    /// With counts N, expectations e and a factor X of mean 1: E[(N - e)^2] - e = e^2 Var X and
    /// E[(N_i - e_i)(N_j - e_j)] = e_i e_j Cov(X_i, X_j). The memory follows from the first lag at which the covariance of the
    /// logarithms, ln(1 + Cov), has fallen below half of its value at lag 1.
    pub(super) fn of(recorded: &Series, season: &Season) -> Option<Noise> {
        // Steps with some arrivals each, and enough steps to estimate from.
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
        if variance < 1e-4 || most < 4 {
            return None;
        }
        let width = series.seconds();
        let sigma2 = variance.ln_1p();
        // White noise at this step: nothing is remembered.
        if first < 0.05 * sigma2 {
            return Some(Noise { cv: variance.sqrt(), memory: width / 3.0, step: width });
        }
        let half = (2..most).find(|lag| covariance(*lag).max(0.0).ln_1p() < first / 2.0).unwrap_or(most);
        let memory = (half - 1) as f64 * width / std::f64::consts::LN_2;
        Some(Noise { cv: variance.sqrt(), memory, step: width })
    }
}
