//! Filling gaps in a series where a method cannot skip them.

/// The series with its gaps filled. A missing value is drawn on the straight line between its neighbours; where the series
/// has a season and the same phase was seen in other seasons, the line runs between what is left after taking the phase's
/// mean away. Gaps at the ends take the nearest value. All zero if nothing was observed.
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

/// The mean of each phase of the season, or nothing if some phase was never seen or there are not two whole seasons.
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
