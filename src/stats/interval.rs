//! Confidence intervals over independent replications, by Student's t distribution.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::running::Running;

/// A mean over independent replications with a two-sided confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConfidenceInterval {
    /// The mean.
    pub mean: f64,
    /// Half the width of the interval.
    pub half_width: f64,
    /// The confidence level, e.g. 0.99.
    pub level: f64,
    /// Number of replications.
    pub replications: u64,
}

impl ConfidenceInterval {
    /// The interval mean ± t(1 - (1-level)/2; n-1) s / sqrt(n); `None` below two values.
    pub fn of(values: impl IntoIterator<Item = f64>, level: f64) -> Option<Self> {
        let running: Running = values.into_iter().collect();
        let (mean, variance) = (running.mean()?, running.variance()?);
        let n = running.count() as f64;
        let t = StudentsT::new(0.0, 1.0, n - 1.0).ok()?.inverse_cdf(0.5 + level / 2.0);
        Some(ConfidenceInterval { mean, half_width: t * (variance / n).sqrt(), level, replications: running.count() })
    }

    /// Lower end.
    pub fn low(&self) -> f64 {
        self.mean - self.half_width
    }

    /// Upper end.
    pub fn high(&self) -> f64 {
        self.mean + self.half_width
    }

    /// Whether the interval covers `value`.
    pub fn covers(&self, value: f64) -> bool {
        (self.mean - value).abs() <= self.half_width
    }

    /// Half the width as a share of the mean: 0 if all replications agree, infinite if the mean is zero.
    pub fn relative_half_width(&self) -> f64 {
        if self.half_width == 0.0 { 0.0 } else { self.half_width / self.mean.abs() }
    }

    /// The two-sided p-value of the hypothesis that the true mean is `value` (Student's t): 1 if they are equal, 0 if
    /// the replications agree with each other but not with `value`.
    pub fn p_value(&self, value: f64) -> f64 {
        if self.mean == value {
            return 1.0;
        }
        let Ok(student) = StudentsT::new(0.0, 1.0, self.replications as f64 - 1.0) else { return 1.0 };
        let error = self.half_width / student.inverse_cdf(0.5 + self.level / 2.0);
        (2.0 * student.cdf(-((self.mean - value) / error).abs())).min(1.0)
    }

    /// The distance of the mean from `value` as a standard normal score with the same tail probability as the Student
    /// statistic, so that intervals with different numbers of replications are comparable. Infinite if the replications
    /// agree with each other but not with `value`.
    pub fn normal_score(&self, value: f64) -> f64 {
        if self.mean == value {
            return 0.0;
        }
        let freedom = self.replications as f64 - 1.0;
        let (Ok(student), Ok(normal)) = (StudentsT::new(0.0, 1.0, freedom), Normal::new(0.0, 1.0)) else {
            return f64::INFINITY;
        };
        let error = self.half_width / student.inverse_cdf(0.5 + self.level / 2.0);
        // Computed from the lower tail, where the distribution function is more precise.
        let tail = student.cdf(-((self.mean - value) / error).abs());
        let score = if tail > 0.0 { -normal.inverse_cdf(tail) } else { f64::INFINITY };
        score.copysign(self.mean - value)
    }
}

/// The difference of two systems measured on common random numbers: one difference per replication, so that common
/// variation cancels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedDifference {
    /// The interval of (candidate - baseline).
    pub interval: ConfidenceInterval,
}

impl PairedDifference {
    /// The interval of the paired differences; `None` if the lengths differ or there are fewer than two pairs.
    pub fn of(baseline: &[f64], candidate: &[f64], level: f64) -> Option<Self> {
        if baseline.len() != candidate.len() {
            return None;
        }
        let differences = baseline.iter().zip(candidate).map(|(b, c)| c - b);
        ConfidenceInterval::of(differences, level).map(|interval| PairedDifference { interval })
    }

    /// The interval of candidate / baseline - 1, by the ratio estimator on pairs: its error is that of the residuals
    /// candidate - ratio * baseline (Cochran, Sampling Techniques, 1977, ch. 6). `None` as for [`PairedDifference::of`], or
    /// if the baseline's mean is zero.
    pub fn relative(baseline: &[f64], candidate: &[f64], level: f64) -> Option<ConfidenceInterval> {
        let base: Running = baseline.iter().copied().collect();
        let mean = base.mean().filter(|mean| *mean != 0.0)?;
        let difference = PairedDifference::of(baseline, candidate, level)?.interval;
        let share = difference.mean / mean;
        let residuals = baseline.iter().zip(candidate).map(|(b, c)| c - (1.0 + share) * b);
        let error = ConfidenceInterval::of(residuals, level)?;
        Some(ConfidenceInterval { mean: share, half_width: error.half_width / mean.abs(), ..difference })
    }

    /// Whether, at this confidence level, the candidate is worse by no more than `margin` (larger values are worse).
    pub fn not_worse_than(&self, margin: f64) -> bool {
        self.interval.high() <= margin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_table() {
        // t(0.975; 3) = 3.182446; s = sqrt(30), n = 4.
        let interval = ConfidenceInterval::of([4.0, 7.0, 13.0, 16.0], 0.95).unwrap();
        assert!((interval.half_width - 3.182_446_305 * (30.0f64 / 4.0).sqrt()).abs() < 1e-6);
        assert!(interval.covers(10.0) && !interval.covers(100.0));
        assert!(ConfidenceInterval::of([1.0], 0.95).is_none());
    }

    #[test]
    fn scores_are_as_improbable_as_the_distance() {
        let interval = ConfidenceInterval::of([4.0, 7.0, 13.0, 16.0], 0.95).unwrap();
        // The end of a 95% interval has the score of the normal 97.5% quantile.
        assert!((interval.normal_score(interval.low()) - 1.959_963_985).abs() < 1e-6);
        assert!((interval.normal_score(interval.high()) + 1.959_963_985).abs() < 1e-6);
        let constant = ConfidenceInterval::of([2.0, 2.0, 2.0], 0.99).unwrap();
        assert_eq!(constant.normal_score(2.0), 0.0);
        assert_eq!(constant.normal_score(1.0), f64::INFINITY);
    }

    #[test]
    fn p_values_match_the_intervals() {
        let interval = ConfidenceInterval::of([4.0, 7.0, 13.0, 16.0], 0.95).unwrap();
        assert!((interval.p_value(interval.low()) - 0.05).abs() < 1e-6);
        assert_eq!(interval.p_value(10.0), 1.0);
        let constant = ConfidenceInterval::of([2.0, 2.0], 0.95).unwrap();
        assert_eq!((constant.p_value(2.0), constant.p_value(1.0)), (1.0, 0.0));
        assert_eq!(constant.relative_half_width(), 0.0);
    }

    #[test]
    fn a_ratio_of_pairs_has_no_error_where_it_is_constant() {
        let base = [10.0, 50.0, 30.0, 90.0];
        let ratio = PairedDifference::relative(&base, &base.map(|b| 1.03 * b), 0.95).unwrap();
        assert!((ratio.mean - 0.03).abs() < 1e-12 && ratio.half_width < 1e-12, "{ratio:?}");
        assert!(PairedDifference::relative(&[0.0, 0.0], &[1.0, 2.0], 0.95).is_none());
    }

    #[test]
    fn pairs_cancel_what_is_common() {
        let base = [10.0, 50.0, 30.0, 90.0];
        let candidate = [11.0, 51.1, 30.9, 91.0];
        let difference = PairedDifference::of(&base, &candidate, 0.95).unwrap();
        assert!((difference.interval.mean - 1.0).abs() < 1e-9);
        assert!(difference.interval.half_width < 0.2);
        assert!(difference.not_worse_than(1.2) && !difference.not_worse_than(1.0));
    }
}
