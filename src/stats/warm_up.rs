//! The end of a simulation's initial transient.

/// The initial part of an output series to discard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WarmUp {
    /// The number of observations to discard.
    pub drop: usize,
    /// Whether the end was found: `false` if the best truncation point is in the second half, which means that the run
    /// is too short.
    pub settled: bool,
}

impl WarmUp {
    /// The MSER-5 rule (White, Cobb and Spratt 2000): average the series in batches of five and discard the prefix that
    /// minimizes the squared standard error of the mean of the rest.
    pub fn mser5(series: &[f64]) -> WarmUp {
        let batches: Vec<f64> = series.chunks_exact(5).map(|five| five.iter().sum::<f64>() / 5.0).collect();
        let n = batches.len();
        if n < 4 {
            return WarmUp { drop: 0, settled: false };
        }
        let (mut sum, mut squares) = (0.0, 0.0);
        let mut best = (f64::INFINITY, 0);
        // Backwards, so that each truncation point costs one step.
        for start in (0..n).rev() {
            sum += batches[start];
            squares += batches[start] * batches[start];
            let rest = (n - start) as f64;
            let error = (squares - sum * sum / rest) / (rest * rest);
            if start <= n - 3 && error <= best.0 {
                best = (error, start);
            }
        }
        WarmUp { drop: best.1 * 5, settled: best.1 <= n / 2 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_planted_transient() {
        let noise = |i: usize| ((i * 7919) % 101) as f64 / 101.0;
        let series: Vec<f64> =
            (0..2000).map(|i| noise(i) + if i < 300 { 50.0 * (1.0 - i as f64 / 300.0) } else { 0.0 }).collect();
        let found = WarmUp::mser5(&series);
        assert!(found.settled && (250..=420).contains(&found.drop), "{found:?}");
    }

    #[test]
    fn a_stationary_series_keeps_nearly_all() {
        let series: Vec<f64> = (0..1000).map(|i| ((i * 7919) % 101) as f64).collect();
        assert!(WarmUp::mser5(&series).drop <= 100);
    }
}
