//! Decomposition into trend, seasons and remainder by local regression.
//!
//! One season: STL (Cleveland, Cleveland, McRae and Terpenning 1990), inner loop only. Several: MSTL (Bandara, Hyndman
//! and Bergmeir 2021), which removes the seasons one after the other, in two passes.

/// A decomposed series; the components add up to it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Decomposition {
    /// One component per season, in the order of the season lengths.
    pub seasonal: Vec<Vec<f64>>,
    /// The trend.
    pub trend: Vec<f64>,
    /// The remainder.
    pub remainder: Vec<f64>,
}

/// Passes over the seasons.
const ROUNDS: usize = 2;
/// Passes of STL's inner loop.
const INNER: usize = 2;

/// Decomposes a series without gaps. Each period needs two whole cycles.
pub(super) fn decompose(values: &[f64], periods: &[usize]) -> Decomposition {
    let n = values.len();
    let mut seasonal = vec![vec![0.0; n]; periods.len()];
    let mut trend = vec![0.0; n];
    let mut adjusted = values.to_vec();
    let rounds = if periods.len() > 1 { ROUNDS } else { 1 };
    for _ in 0..rounds {
        for (index, period) in periods.iter().enumerate() {
            adjusted.iter_mut().zip(&seasonal[index]).for_each(|(a, s)| *a += s);
            (seasonal[index], trend) = stl(&adjusted, *period, 7 + 4 * (index + 1));
            adjusted.iter_mut().zip(&seasonal[index]).for_each(|(a, s)| *a -= s);
        }
    }
    let remainder = adjusted.iter().zip(&trend).map(|(a, t)| a - t).collect();
    Decomposition { seasonal, trend, remainder }
}

/// Seasonal component and trend of one season; `window` is the span of the seasonal smoother in cycles.
fn stl(values: &[f64], period: usize, window: usize) -> (Vec<f64>, Vec<f64>) {
    let n = values.len();
    let span = odd((1.5 * period as f64 / (1.0 - 1.5 / window as f64)).ceil() as usize);
    let (mut trend, mut seasonal) = (vec![0.0; n], vec![0.0; n]);
    for _ in 0..INNER {
        let detrended: Vec<f64> = values.iter().zip(&trend).map(|(v, t)| v - t).collect();
        let cycles = smooth_cycles(&detrended, period, window);
        let slow = moving_average(&moving_average(&moving_average(&cycles, period), period), 3);
        let slow = loess(&slow, odd(period), 1);
        seasonal = (0..n).map(|t| cycles[period + t] - slow[t]).collect();
        let rest: Vec<f64> = values.iter().zip(&seasonal).map(|(v, s)| v - s).collect();
        trend = loess(&rest, span, 1);
    }
    (seasonal, trend)
}

/// Smooths the values of each phase over the cycles, and extends them by one cycle at either end.
fn smooth_cycles(values: &[f64], period: usize, window: usize) -> Vec<f64> {
    let mut smoothed = vec![0.0; values.len() + 2 * period];
    for phase in 0..period {
        let phase_values: Vec<f64> = values.iter().skip(phase).step_by(period).copied().collect();
        let count = phase_values.len();
        let near = window.min(count);
        smoothed[phase] = local(&phase_values, -1.0, 0, near, window, 0);
        for (cycle, value) in loess(&phase_values, window, 0).into_iter().enumerate() {
            smoothed[phase + (cycle + 1) * period] = value;
        }
        smoothed[phase + (count + 1) * period] = local(&phase_values, count as f64, count - near, count, window, 0);
    }
    smoothed
}

fn moving_average(values: &[f64], width: usize) -> Vec<f64> {
    let mut sum: f64 = values[..width].iter().sum();
    let mut averages = vec![sum / width as f64];
    for t in width..values.len() {
        sum += values[t] - values[t - width];
        averages.push(sum / width as f64);
    }
    averages
}

/// Local regression of the given degree (0 or 1) over `window` neighbours, evaluated at every tenth of the window and
/// interpolated linearly in between.
fn loess(values: &[f64], window: usize, degree: usize) -> Vec<f64> {
    let n = values.len();
    let jump = window.div_ceil(10).min(n.saturating_sub(1)).max(1);
    let at = |i: usize| {
        let near = window.min(n);
        let from = i.saturating_sub(near / 2).min(n - near);
        local(values, i as f64, from, from + near, window, degree)
    };
    let mut smoothed = vec![0.0; n];
    let mut last = 0;
    smoothed[0] = at(0);
    while last + 1 < n {
        let next = (last + jump).min(n - 1);
        let (left, right) = (smoothed[last], at(next));
        let width = (next - last) as f64;
        for (k, value) in smoothed[last + 1..=next].iter_mut().enumerate() {
            *value = left + (right - left) * (k + 1) as f64 / width;
        }
        last = next;
    }
    smoothed
}

/// The local regression at `x` on the values `from..to` with tricube weights.
fn local(values: &[f64], x: f64, from: usize, to: usize, window: usize, degree: usize) -> f64 {
    let reach = (x - from as f64).max(to as f64 - 1.0 - x) + (window.saturating_sub(values.len()) / 2) as f64;
    let weight = |i: usize| {
        let distance = (i as f64 - x).abs();
        match () {
            () if distance <= 0.001 * reach => 1.0,
            () if distance <= 0.999 * reach => (1.0 - (distance / reach).powi(3)).powi(3),
            () => 0.0,
        }
    };
    let (mut total, mut at, mut mean) = (0.0, 0.0, 0.0);
    for (i, value) in (from..to).zip(&values[from..to]) {
        let w = weight(i);
        total += w;
        at += w * i as f64;
        mean += w * value;
    }
    if total <= 0.0 {
        return values[from..to].iter().sum::<f64>() / (to - from).max(1) as f64;
    }
    (at, mean) = (at / total, mean / total);
    if degree == 0 {
        return mean;
    }
    let (mut spread, mut slope) = (0.0, 0.0);
    for (i, value) in (from..to).zip(&values[from..to]) {
        let off = weight(i) * (i as f64 - at);
        spread += off * (i as f64 - at);
        slope += off * value;
    }
    let wide = (spread / total).sqrt() > 0.001 * (values.len() as f64 - 1.0);
    if wide { mean + (x - at) * slope / spread } else { mean }
}

fn odd(value: usize) -> usize {
    value + (value + 1) % 2
}

/// Seasonal strength: max(0, 1 - var(remainder) / var(season + remainder)) (Wang, Smith and Hyndman 2006). Zero if
/// there are fewer than two whole cycles.
pub(super) fn seasonal_strength(values: &[f64], period: usize) -> f64 {
    if period < 2 || values.len() < 2 * period {
        return 0.0;
    }
    let parts = decompose(values, &[period]);
    let both: Vec<f64> = parts.seasonal[0].iter().zip(&parts.remainder).map(|(s, r)| s + r).collect();
    let whole = variance(&both);
    // Below this, the season of a constant series is the rounding error of its sums.
    let rounding = 1e-24 * values.iter().map(|v| v * v).sum::<f64>();
    if whole > rounding { (1.0 - variance(&parts.remainder) / whole).clamp(0.0, 1.0) } else { 0.0 }
}

/// The variance over n - 1; zero below two values.
pub(super) fn variance(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (values.len() - 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_seasons(t: usize) -> (f64, f64, f64) {
        let turn = |period: f64| (t as f64 * std::f64::consts::TAU / period).sin();
        (10.0 + 0.05 * t as f64, 4.0 * turn(12.0), 7.0 * turn(60.0))
    }

    #[test]
    fn the_parts_are_found_and_add_up() {
        let values: Vec<f64> = (0..360).map(two_seasons).map(|(trend, a, b)| trend + a + b).collect();
        let parts = decompose(&values, &[12, 60]);
        for (t, value) in values.iter().enumerate().take(300).skip(60) {
            let (trend, a, b) = two_seasons(t);
            let sum = parts.trend[t] + parts.seasonal[0][t] + parts.seasonal[1][t] + parts.remainder[t];
            assert!((sum - value).abs() < 1e-9);
            assert!((parts.trend[t] - trend).abs() < 0.3, "trend at {t}: {} for {trend}", parts.trend[t]);
            assert!((parts.seasonal[0][t] - a).abs() < 0.3, "first season at {t}");
            assert!((parts.seasonal[1][t] - b).abs() < 0.3, "second season at {t}");
        }
    }

    #[test]
    fn strength_tells_season_from_noise() {
        let scatter = |t: usize| ((t * 7919 + t * t * 31) % 101) as f64 / 101.0;
        let noise: Vec<f64> = (0..240).map(scatter).collect();
        let wave: Vec<f64> = (0..240).map(|t| scatter(t) + [0.0, 5.0, 9.0, 2.0][t % 4]).collect();
        assert!(seasonal_strength(&wave, 4) > 0.95);
        assert!(seasonal_strength(&noise, 7) < 0.64);
        assert_eq!(seasonal_strength(&[1.0; 100], 4), 0.0);
        assert_eq!(seasonal_strength(&noise[..6], 4), 0.0);
    }
}
