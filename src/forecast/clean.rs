//! Fills gaps in a series for methods that cannot skip them, and removes outliers.

/// The series with its gaps filled. A missing value is interpolated linearly between its neighbours. If the series has
/// a season and the same phase was observed in other seasons, the interpolation is on the values minus the mean of
/// their phase. Gaps at the ends take the nearest value. All zero if nothing was observed.
pub(super) fn interpolate(values: &[f64], period: usize) -> Vec<f64> {
    if values.iter().all(|v| v.is_finite()) {
        return values.to_vec();
    }
    let phases = phase_means(values, period);
    let phase = |t: usize| if phases.is_empty() { 0.0 } else { phases[t % phases.len()] };
    let mut filled: Vec<f64> = values.iter().enumerate().map(|(t, v)| v - phase(t)).collect();
    let mut last: Option<usize> = None;
    for t in 0..filled.len() {
        if filled[t].is_finite() {
            let (from, before) = last.map_or((0, filled[t]), |l| (l + 1, filled[l]));
            let width = (t + 1 - from) as f64;
            for (k, gap) in (from..t).enumerate() {
                filled[gap] = before + (filled[t] - before) * (k + 1) as f64 / width;
            }
            last = Some(t);
        }
    }
    let (from, tail) = last.map_or((0, 0.0), |l| (l + 1, filled[l]));
    filled[from..].fill(tail);
    filled.iter().enumerate().map(|(t, v)| if values[t].is_finite() { values[t] } else { v + phase(t) }).collect()
}

/// A value is an outlier if its size exceeds the 99% quantile of all nonzero sizes by more than this factor.
const FAR: f64 = 50.0;
/// Number of the largest values that are left out of this quantile; also the maximum length of a run of outliers,
/// because a longer one is a new level.
pub(super) const FEW: usize = 3;
/// Minimum number of values for detecting outliers.
const FEWEST: usize = 12;

/// The size that only outliers exceed; infinite if there are too few values.
pub(super) fn range(values: &[f64]) -> f64 {
    let mut sizes: Vec<f64> = values.iter().map(|v| v.abs()).filter(|v| v.is_finite() && *v > 0.0).collect();
    if sizes.len() < FEWEST {
        return f64::INFINITY;
    }
    let kept = sizes.len() - FEW;
    sizes.select_nth_unstable_by(kept, f64::total_cmp);
    let place = kept * 99 / 100;
    let (_, size, _) = sizes[..kept].select_nth_unstable_by(place.min(kept - 1), f64::total_cmp);
    FAR * *size
}

/// The series with outliers marked as missing: runs of at most three, after which as many values within the range
/// followed.
pub(super) fn without_outliers(values: &[f64]) -> Vec<f64> {
    let range = range(values);
    let mut kept = values.to_vec();
    let mut from = 0;
    for run in values.chunk_by(|a, b| (a.abs() > range) == (b.abs() > range)) {
        let (to, outside) = (from + run.len(), run[0].abs() > range);
        let returned =
            values[to..].iter().take(run.len()).filter(|v| v.is_nan() || v.abs() <= range).count() == run.len();
        if outside && run.len() <= FEW && returned {
            kept[from..to].fill(f64::NAN);
        }
        from = to;
    }
    kept
}

/// The mean of each phase of the season; `None` if some phase was never observed or there are fewer than two whole
/// seasons.
fn phase_means(values: &[f64], period: usize) -> Vec<f64> {
    if period < 2 || values.len() < 2 * period {
        return Vec::new();
    }
    let mut sums = vec![(0.0, 0u32); period];
    for (t, value) in values.iter().enumerate().filter(|(_, v)| v.is_finite()) {
        sums[t % period].0 += value;
        sums[t % period].1 += 1;
    }
    if sums.iter().any(|(_, count)| *count == 0) {
        return Vec::new();
    }
    sums.into_iter().map(|(sum, count)| sum / f64::from(count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const GAP: f64 = f64::NAN;

    #[test]
    fn a_few_values_far_out_of_range_are_outliers_and_more_are_a_level() {
        let mut values: Vec<f64> = (0..60).map(|t| 100.0 + f64::from(t % 7)).collect();
        (values[20], values[40], values[41]) = (1e8, -1e7, 3e8);
        let kept = without_outliers(&values);
        assert_eq!(kept.iter().filter(|v| v.is_nan()).count(), 3);
        // A burst of twenty times the level is kept, and values that have not returned may be a new level.
        (values[20], values[40], values[41], values[59]) = (2000.0, 100.0, 100.0, 1e8);
        assert_eq!(without_outliers(&values), values);
        values[50..60].fill(1e8);
        assert_eq!(without_outliers(&values), values);
        assert_eq!(without_outliers(&[1.0, 1e9, 1.0]), [1.0, 1e9, 1.0]);
    }

    #[rstest]
    #[case(&[1.0, GAP, GAP, 4.0], 0, &[1.0, 2.0, 3.0, 4.0])]
    #[case(&[GAP, 2.0, GAP], 0, &[2.0, 2.0, 2.0])]
    #[case(&[GAP, GAP], 0, &[0.0, 0.0])]
    #[case(&[1.0, 5.0, 2.0, GAP, 1.0, 5.0], 2, &[1.0, 5.0, 2.0, 5.166_666_666_666_667, 1.0, 5.0])]
    fn gaps_are_filled(#[case] values: &[f64], #[case] period: usize, #[case] expected: &[f64]) {
        let filled = interpolate(values, period);
        assert!(filled.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{filled:?}");
    }
}
