//! A generator that resembles a trace, and how close it comes.

use std::path::Path;

use super::series::Series;
use super::{TraceError, WorkloadSpec, show_instant};
use crate::config::{Diagnostics, SourceFile, parse_single};
use crate::random::Streams;
use crate::units::SimDuration;

const DAY: f64 = 86_400.0;

/// A fitted generator.
#[derive(Debug, Clone)]
pub struct Fit {
    /// The generator as a scenario's `workload:` mapping, YAML.
    pub yaml: String,
    /// The same, ready to make requests.
    pub workload: WorkloadSpec,
    /// How close a synthetic trace comes to the recorded one.
    pub comparison: Vec<Closeness>,
}

/// One figure of both traces.
#[derive(Debug, Clone, PartialEq)]
pub struct Closeness {
    /// What it is.
    pub name: String,
    /// Of the trace.
    pub recorded: f64,
    /// Of the generator's trace of the same length.
    pub synthetic: f64,
}

/// Fits a seasonal Cox process (`nhpp` with `season` and `noise`) to a workload's requests: relative rates of the hours where
/// the trace has at least two days, of the weekdays where it has at least two weeks, exponential growth where it has three
/// weeks; what is left above Poisson noise becomes `noise` by the method of moments; token lengths become joint lognormal.
///
/// # Errors
/// If the trace cannot be read to its end, or holds fewer than 100 requests.
pub fn fit(spec: &WorkloadSpec, streams: Streams) -> Result<Fit, TraceError> {
    let recorded = Series::of(&mut *spec.open(streams, 0)?)?;
    if recorded.counts.iter().sum::<f64>() < 100.0 {
        let error = TraceError::new("the trace", "has fewer than 100 requests; too few to fit a generator to");
        return Err(error.help("give a longer trace"));
    }
    let season = Season::of(&recorded);
    let noise = Noise::of(&recorded, &season);
    let yaml = shown(&recorded, &season, noise);
    let made = scenario_text(&yaml)?;
    let synthetic = Series::of(&mut *made.open(streams, 0)?)?;
    Ok(Fit { yaml, workload: made, comparison: compare(&recorded, &synthetic) })
}

/// The workload that a YAML text states.
fn scenario_text(yaml: &str) -> Result<WorkloadSpec, TraceError> {
    let wrong = |message: String| TraceError::new("the fitted generator", message);
    let node = parse_single(&SourceFile::new("fit", yaml)).map_err(|error| wrong(error.message.clone()))?;
    let mut sink = Diagnostics::new();
    WorkloadSpec::from_node(&node, Path::new(""), &mut sink).ok_or_else(|| wrong(sink.to_string()))
}

/// The expected rate: level, hours, weekdays, growth.
struct Season {
    /// Per second, at time zero.
    rate: f64,
    hours: Option<[f64; 24]>,
    weekdays: Option<[f64; 7]>,
    /// Logarithm of growth per second.
    growth: f64,
}

impl Season {
    fn of(series: &Series) -> Season {
        let days = series.counts.len() as f64 * series.seconds() / DAY;
        let coarse = series.at_scale(600);
        let growth = if days >= 21.0 { growth(series) } else { 0.0 };
        let weekdays = (days >= 14.0).then(|| profile(&coarse, growth, |seconds| seconds / DAY));
        let hours = (days >= 2.0).then(|| profile(&coarse, growth, |seconds| seconds / 3600.0));
        let mut season = Season { rate: 1.0, hours, weekdays, growth };
        // Over all intervals: the coarse ones leave out a last part that is not whole.
        let expected: f64 = (0..series.counts.len()).map(|bin| season.expected(series, bin)).sum();
        season.rate = series.counts.iter().sum::<f64>() / expected;
        season
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

/// Slope of the logarithm of weekly sums by least squares, per second: whole weeks carry no season.
fn growth(series: &Series) -> f64 {
    let weeks = series.at_scale(7 * 86_400);
    let points: Vec<(f64, f64)> =
        weeks.counts.iter().enumerate().filter(|(_, n)| **n > 0.0).map(|(week, n)| (week as f64, n.ln())).collect();
    let n = points.len() as f64;
    let (x, y) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let across: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    let slope = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>() / across;
    // The bounds of the generator: a factor of 0.1 to 10 a week.
    if slope.is_finite() { slope.clamp(0.1f64.ln(), 10f64.ln()) / (7.0 * DAY) } else { 0.0 }
}

/// Swings of the rate beyond the season, above Poisson noise.
#[derive(Clone, Copy)]
struct Noise {
    cv: f64,
    memory: f64,
    step: f64,
}

impl Noise {
    /// With counts N, expectations e and a factor X of mean 1: E[(N - e)^2] - e = e^2 Var X and
    /// E[(N_i - e_i)(N_j - e_j)] = e_i e_j Cov(X_i, X_j). The memory follows from the first lag at which the covariance of the
    /// logarithms, ln(1 + Cov), has fallen below half of its value at lag 1.
    fn of(recorded: &Series, season: &Season) -> Option<Noise> {
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

fn list(values: &[f64]) -> String {
    values.iter().map(|value| format!("{value:.3}")).collect::<Vec<_>>().join(", ")
}

/// A number of seconds as a duration, to the millisecond.
fn duration(seconds: f64) -> SimDuration {
    SimDuration::from_millis((seconds * 1e3).round().max(1.0) as u64)
}

fn shown(series: &Series, season: &Season, noise: Option<Noise>) -> String {
    let mut text = format!("nhpp:\n  season:\n    rate: {:.6}/s\n", season.rate);
    if let Some(hours) = &season.hours {
        text.push_str(&format!("    hours: [{}]\n", list(&sharpened(hours))));
    }
    if let Some(weekdays) = &season.weekdays {
        text.push_str(&format!("    weekdays: [{}]\n", list(weekdays)));
    }
    if season.growth != 0.0 {
        text.push_str(&format!("    growth: {:.5}\n", (season.growth * 7.0 * DAY).exp()));
    }
    if let Some(Noise { cv, memory, step }) = noise {
        let (memory, step) = (duration(memory), duration(step));
        text.push_str(&format!("  noise: {{ cv: {:.4}, memory: {memory}, step: {step} }}\n", cv.min(100.0)));
    }
    if series.tokens.n > 0.0 {
        let ([input, output], correlation) = series.tokens.fitted();
        let side = |(mean, cv): (f64, f64)| format!("{{ mean: {:.2}, cv: {:.4} }}", mean.max(1.0), cv.min(1e3));
        text.push_str(&format!(
            "  tokens: {{ input: {}, output: {}, correlation: {correlation:.4}, max: {} }}\n",
            side(input),
            side(output),
            series.tokens.most.max(1)
        ));
    }
    if let Some(start) = series.start {
        text.push_str(&format!("  start: {}\n", show_instant(start)));
    }
    text.push_str(&format!("  for: {}\n", series.width() * series.counts.len() as u64));
    text
}

/// The values in the middles of the hours whose straight lines have the given means over the hours: each mean is
/// (before + 6 own + after) / 8, solved by fixed-point iteration (the matrix is diagonally dominant).
fn sharpened(means: &[f64; 24]) -> [f64; 24] {
    let mut values = *means;
    for _ in 0..50 {
        let old = values;
        for hour in 0..24 {
            values[hour] = ((8.0 * means[hour] - old[(hour + 23) % 24] - old[(hour + 1) % 24]) / 6.0).max(0.0);
        }
    }
    values
}

fn compare(recorded: &Series, synthetic: &Series) -> Vec<Closeness> {
    let mut rows = Vec::new();
    let mut add = |name: String, of: &dyn Fn(&Series) -> f64| {
        rows.push(Closeness { name, recorded: of(recorded), synthetic: of(synthetic) });
    };
    add("mean per second".into(), &|series| series.mean() / series.seconds());
    let length = recorded.counts.len() as f64 * recorded.seconds();
    // A scale needs some intervals to speak of a variance.
    for seconds in [1, 10, 60, 600, 3600, 86_400].into_iter().filter(|seconds| length >= 10.0 * *seconds as f64) {
        if (seconds as f64) < recorded.seconds() {
            continue;
        }
        let scale = SimDuration::from_secs(seconds);
        add(format!("peak per {scale}"), &|series| series.at_scale(seconds).peak());
        add(format!("index of dispersion over {scale}"), &|series| series.at_scale(seconds).dispersion());
        add(format!("autocorrelation over {scale}"), &|series| series.at_scale(seconds).autocorrelation(1));
    }
    for (side, name) in ["input", "output"].into_iter().enumerate().filter(|_| recorded.tokens.n > 0.0) {
        add(format!("mean {name} tokens (lognormal)"), &|series| series.tokens.fitted().0[side].0);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::super::generators::testing::workload;
    use super::*;

    fn fitted(text: &str) -> Fit {
        fit(&workload(text).unwrap(), Streams::new(4, 0)).unwrap()
    }

    fn of(fit: &Fit, name: &str) -> (f64, f64) {
        let row = fit.comparison.iter().find(|row| row.name == name).unwrap();
        (row.recorded, row.synthetic)
    }

    #[test]
    fn a_seasonal_cox_process_is_found_again() {
        let text = "nhpp: { season: { rate: 2/s, growth: 1.1, weekdays: [1, 1, 1, 1, 1, 2, 2],
            hours: [1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 8, 9, 9, 6, 3, 2] },
            noise: { cv: 0.5, memory: 20m, step: 1m }, start: 2026-11-23, for: 28d }";
        let fit = fitted(text);
        for name in ["mean per second", "index of dispersion over 1m", "index of dispersion over 1h", "peak per 1h"] {
            let (recorded, synthetic) = of(&fit, name);
            assert!((synthetic / recorded - 1.0).abs() < 0.2, "{name}: {recorded} {synthetic}\n{}", fit.yaml);
        }
        let (recorded, synthetic) = of(&fit, "autocorrelation over 1h");
        assert!((recorded - synthetic).abs() < 0.05, "{recorded} {synthetic}");
        let growth: f64 = fit.yaml.split("growth: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
        assert!((growth - 1.1).abs() < 0.03, "{}", fit.yaml);
    }

    #[test]
    fn a_poisson_process_needs_no_noise_and_lengths_are_kept() {
        let fit = fitted(
            "nhpp: { steps: [{ at: 0s, rate: 50/s }], for: 3h,
            tokens: { input: { mean: 800, cv: 1.1 }, output: { mean: 200, cv: 0.7 }, correlation: 0.5 } }",
        );
        let (recorded, synthetic) = of(&fit, "index of dispersion over 1m");
        assert!((recorded - 1.0).abs() < 0.4 && (synthetic - 1.0).abs() < 0.4, "{}", fit.yaml);
        for (name, mean) in [("mean input tokens (lognormal)", 800.0), ("mean output tokens (lognormal)", 200.0)] {
            let (recorded, synthetic) = of(&fit, name);
            assert!((recorded / mean - 1.0).abs() < 0.02 && (synthetic / mean - 1.0).abs() < 0.02, "{name}");
        }
        assert!(fit.yaml.contains("correlation: 0.49") || fit.yaml.contains("correlation: 0.50"), "{}", fit.yaml);
    }

    #[test]
    fn too_little_is_refused() {
        assert!(fit(&workload("constant: { rate: 1/s, for: 50s }").unwrap(), Streams::new(1, 0)).is_err());
    }
}
