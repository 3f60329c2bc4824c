//! Confidence limits of a success probability.

use statrs::distribution::{Beta, ContinuousCDF};

/// The lower limit of the one-sided Clopper-Pearson interval of a probability (Biometrika 26, 1934): with confidence
/// `level`, the success probability is at least this, given `successes` in `trials`. Exact for any number of trials.
pub fn share_at_least(successes: u64, trials: u64, level: f64) -> f64 {
    if successes == 0 || successes > trials {
        return 0.0;
    }
    let failures = trials - successes;
    let beta = Beta::new(successes as f64, failures as f64 + 1.0);
    beta.map_or(0.0, |beta| beta.inverse_cdf((1.0 - level).clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_definition() {
        // Without a failure the limit is alpha^(1/n).
        for (n, level) in [(10, 0.95), (60, 0.975), (1, 0.5)] {
            let exact = (1.0_f64 - level).powf(1.0 / n as f64);
            assert!((share_at_least(n, n, level) - exact).abs() < 1e-9, "{n} {level}");
        }
        // One failure: p^n + n p^(n-1) (1 - p) = alpha.
        let p = share_at_least(59, 60, 0.975);
        let tail = p.powi(60) + 60.0 * p.powi(59) * (1.0 - p);
        assert!((tail - 0.025).abs() < 1e-9, "{p} {tail}");
        assert_eq!((share_at_least(0, 9, 0.95), share_at_least(0, 0, 0.95)), (0.0, 0.0));
    }
}
