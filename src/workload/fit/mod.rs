//! A generator that resembles a trace, and how close it comes.

mod clusters;
mod season;

use std::path::Path;

use self::clusters::{Clusterings, Clusters, Spacing};
use self::season::{DAY, Noise, Season};
use super::series::Series;
use super::{Portrait, TraceError, WorkloadSpec, show_instant};
use crate::config::{Diagnostics, SourceFile, parse_single};
use crate::random::Streams;
use crate::units::SimDuration;

/// Ways to see clusters that are tried with other laws of their sizes and distances.
const LOOKED_INTO: usize = 4;

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

/// Fits a seasonal Cox process (`nhpp` with `season` and `noise`) to a workload's requests, alone and with `clusters` of
/// requests: relative rates of the hours where the trace has at least two days, of the weekdays where it has at least two weeks,
/// exponential growth where a test finds one; what is left above Poisson noise becomes `noise` by the method of moments; token
/// lengths become joint lognormal. Requests closer together than some gap may be one cluster: of all gaps tried, and of no
/// clusters at all, and of the four nearest with other laws of size and distance, the model is taken whose requests have the least [distance](Portrait::distance) from the recorded ones.
///
/// # Errors
/// If the trace cannot be read to its end, or holds fewer than 100 requests.
pub fn fit(spec: &WorkloadSpec, streams: Streams) -> Result<Fit, TraceError> {
    let mut clusterings = Clusterings::new(spec.open(streams, 0)?);
    let recorded = Series::of(&mut clusterings)?;
    if recorded.counts.iter().sum::<f64>() < 100.0 {
        let error = TraceError::new("the trace", "has fewer than 100 requests; too few to fit a generator to");
        return Err(error.help("give a longer trace"));
    }
    let aim = Portrait::of_workload(spec, streams)?;
    let judged = |clusters: Option<Clusters>| Judged::of(&recorded, clusters, &aim, streams);
    let mut seen: Vec<Judged> = judged(None)?.into_iter().collect();
    for clusters in clusterings.found(&recorded) {
        seen.extend(judged(Some(clusters))?);
    }
    seen.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    let near: Vec<Clusters> = seen.iter().take(LOOKED_INTO).filter_map(|found| found.clusters.clone()).collect();
    for clusters in near.iter().flat_map(Clusters::variants) {
        seen.extend(judged(Some(clusters))?);
    }
    seen.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    if seen.is_empty() {
        return Err(
            TraceError::new("the trace", "has no generator that could make it").help("give another part of the trace")
        );
    }
    let Judged { yaml, workload, .. } = seen.swap_remove(0);
    let synthetic = Series::of(&mut *workload.open(streams, 0)?)?;
    Ok(Fit { yaml, workload, comparison: compare(&recorded, &synthetic) })
}

/// A generator and how far its requests are from the recorded ones.
struct Judged {
    distance: f64,
    clusters: Option<Clusters>,
    yaml: String,
    workload: WorkloadSpec,
}

impl Judged {
    /// `None` where the generator refuses what was fitted: such a candidate is none.
    fn of(
        recorded: &Series,
        clusters: Option<Clusters>,
        aim: &Portrait,
        streams: Streams,
    ) -> Result<Option<Judged>, TraceError> {
        let yaml = candidate(recorded, clusters.as_ref());
        let Some(workload) = scenario_text(&yaml) else { return Ok(None) };
        let distance = Portrait::of_workload(&workload, streams)?.distance(aim);
        Ok(Some(Judged { distance, clusters, yaml, workload }))
    }
}

/// The generator of a clustering, or of none: the season and the swings are those of the clusters' first requests.
fn candidate(recorded: &Series, clusters: Option<&Clusters>) -> String {
    let centres = clusters.map_or(recorded, |clusters| &clusters.centres);
    let mut season = Season::of(centres);
    let noise = Noise::of(centres, &season);
    season.rate *= clusters.map_or(1.0, |clusters| clusters.requests);
    shown(recorded, &season, noise, clusters)
}

/// The workload that a YAML text states; `None` where it is refused.
fn scenario_text(yaml: &str) -> Option<WorkloadSpec> {
    let node = parse_single(&SourceFile::new("fit", yaml)).ok()?;
    WorkloadSpec::from_node(&node, Path::new(""), &mut Diagnostics::new())
}

fn list(values: &[f64]) -> String {
    values.iter().map(|value| format!("{value:.3}")).collect::<Vec<_>>().join(", ")
}

/// A number of seconds as a duration, to the millisecond.
fn duration(seconds: f64) -> SimDuration {
    SimDuration::from_millis((seconds * 1e3).round().max(1.0) as u64)
}

fn shown(series: &Series, season: &Season, noise: Option<Noise>, clusters: Option<&Clusters>) -> String {
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
    if let Some(Clusters { requests, size_cv, spacing, .. }) = clusters {
        let size = size_cv.map_or_else(String::new, |cv| format!(", size-cv: {cv:.4}"));
        let (name, mean, cv) = match spacing {
            Spacing::Think(mean, cv) => ("think", mean, cv),
            Spacing::Within(mean, cv) => ("within", mean, cv),
        };
        let times = format!("{name}: {{ lognormal: {{ mean: {}, cv: {cv:.4} }} }}", duration(*mean));
        text.push_str(&format!("  clusters: {{ requests: {requests:.4}{size}, {times} }}\n"));
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
        let text = "nhpp: { season: { rate: 0.7/s, growth: 1.1, weekdays: [1, 1, 1, 1, 1, 2, 2],
            hours: [1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 8, 9, 9, 6, 3, 2] },
            noise: { cv: 0.5, memory: 20m, step: 1m }, start: 2026-11-23, for: 56d }";
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
    fn clusters_are_found_again() {
        let fit = fitted(
            "nhpp: { steps: [{ at: 0s, rate: 0.02/s }], clusters: { requests: 6, think: { lognormal: { mean: 2s, cv: 0.5 } } },
            for: 20d }",
        );
        let after =
            |name: &str| fit.yaml.split(name).nth(1).and_then(|rest| rest.split([',', ' ']).next()).unwrap_or("");
        let requests: f64 = after("clusters: { requests: ").parse().unwrap();
        let think: SimDuration = after("lognormal: { mean: ").parse().unwrap();
        assert!((requests / 6.0 - 1.0).abs() < 0.1 && (think.as_secs_f64() / 2.0 - 1.0).abs() < 0.1, "{}", fit.yaml);
        for name in ["index of dispersion over 1s", "index of dispersion over 1m", "index of dispersion over 1h"] {
            let (recorded, synthetic) = of(&fit, name);
            assert!((synthetic / recorded - 1.0).abs() < 0.15, "{name}: {recorded} {synthetic}\n{}", fit.yaml);
        }
    }

    #[test]
    fn growth_that_could_be_chance_is_none() {
        let fit =
            fitted("nhpp: { steps: [{ at: 0s, rate: 0.01/s }], noise: { cv: 1, memory: 1d, step: 1h }, for: 42d }");
        assert!(!fit.yaml.contains("growth"), "{}", fit.yaml);
    }

    #[test]
    fn too_little_is_refused() {
        assert!(fit(&workload("constant: { rate: 1/s, for: 50s }").unwrap(), Streams::new(1, 0)).is_err());
    }
}
