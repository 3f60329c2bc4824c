//! Fits a generator to a trace and reports how close it is.

use super::cascade::corrected;
use super::closeness::{Closeness, Figures, Scales, compare};
use super::clusters::{Clusterings, Clusters};
use super::season::{Noise, Season};
use super::text::{self, MANY, scenario_text};
use crate::random::Streams;
use crate::units::SimDuration;
use crate::workload::error::TraceError;
use crate::workload::shape::halves::{Cells, Halves};
use crate::workload::shape::series::ScaledCounts;
use crate::workload::spec::WorkloadSpec;
use crate::workload::time::text::show_instant;

/// Number of cluster definitions that are also tried with other distributions of sizes and distances.
const LOOKED_INTO: usize = 4;
/// Their distance from the trace must be within this factor of the nearest candidate.
const WORTH: f64 = 2.0;
/// Number of synthetic traces per candidate at first, and for the nearest candidates.
const SCREENED: u64 = 3;
const CHOSEN: u64 = 6;
/// Number of candidates that are compared by more synthetic traces.
const NEAREST: usize = 4;
/// Candidates whose distances differ by less are equivalent: figures that are off by five per cent.
const ALIKE: f64 = 0.05;
/// Number of synthetic traces of the final comparison; they are not used for selection.
const HELD_OUT: u64 = 10;
/// Number of the first of their replications.
const FIRST_HELD_OUT: u64 = 1 << 32;
/// Traces of counts with at least this many intervals are refused if one interval holds more than this many requests,
/// and more than half of all.
const FEW_STEPS: usize = 10;
const ONE_ROW: f64 = 1e6;

/// A fitted generator.
#[derive(Debug, Clone)]
pub struct Fit {
    /// The generator as a scenario's `workload:` mapping, YAML.
    pub yaml: String,
    /// The same as a workload.
    pub workload: WorkloadSpec,
    /// The comparison of synthetic traces with the recorded one: the median of ten that were not used to select the
    /// generator.
    pub comparison: Vec<Closeness>,
}

/// Fits generators to a workload's requests and selects the closest. The candidates are
///
/// - a Poisson process, with a steady rate or with relative rates of the hours (for traces of at least two days), of
///   the weekdays (at least two weeks), and with exponential growth if a test finds it;
/// - the same as a Cox process (`noise`): the variation beyond Poisson noise, by the method of moments;
/// - the same with `clusters` of requests: requests closer together than some threshold may form one. The four best
///   thresholds are also tried with other distributions of size and distance;
/// - a `cascade`: at most 64 relative rates of blocks that cover the trace, and the variation of the shares of halves
///   by length of the stretch, down to the intervals of the trace, the resolution of its clock or about two
///   milliseconds.
///
/// Token lengths become joint lognormal. Each candidate is simulated several times, and the mean of the distances
/// (`Figures::distance`) decides. Of the candidates within one standard error of the best, or five per cent, the one
/// with the fewest parameters is selected (the one-standard-error rule, Breiman et al. 1984). A candidate that its
/// generator rejects is left out.
///
/// # Errors
/// If the trace cannot be read completely, has fewer than 100 requests, or more than half of them in one interval.
pub fn fit(spec: &WorkloadSpec, streams: Streams) -> Result<Fit, TraceError> {
    refuse_one_row(spec, streams)?;
    let mut clusterings = Clusterings::new(spec.open(streams, 0)?);
    let recorded = ScaledCounts::of(&mut clusterings)?;
    let requests = recorded.counts.iter().sum::<f64>();
    if requests < 100.0 {
        let error = TraceError::new("the trace", "has fewer than 100 requests; too few to fit a generator to");
        return Err(error.help("give a longer trace"));
    }
    let mut source = spec.open(streams, 0)?;
    let halves = Halves::of(Cells::of(&mut *source)?);
    let scales = Scales::of(&recorded, source.resolution());
    let aim = Figures::of(spec, streams, &scales)?;
    let mut trial = FitSearch { aim: &aim, scales: &scales, seed: streams.seed(), seen: Vec::new() };
    trial.add(1, None, text::steady(&recorded), SCREENED)?;
    trial.add_seasonal(&recorded, None)?;
    let variation: Vec<f64> = halves.variation().collect();
    let text = |variation: &[f64]| text::cascade(&recorded, &halves, variation);
    let parameters = 3 + halves.profile().values().len() + halves.depth();
    trial.add(parameters, None, text(&variation), SCREENED)?;
    trial.add(parameters, None, text(&corrected(&halves, variation, &text, streams.seed())?), SCREENED)?;
    for clusters in clusterings.found(&recorded) {
        trial.add_seasonal(&recorded, Some(clusters))?;
    }
    trial.sort();
    let limit = trial.seen.first().map_or(0.0, Candidate::mean) * WORTH;
    let near = trial.seen.iter().filter(|found| found.mean() <= limit).filter_map(|found| found.clusters.clone());
    let near: Vec<Clusters> = near.take(LOOKED_INTO).collect();
    for clusters in near.iter().flat_map(Clusters::variants) {
        trial.add_seasonal(&recorded, Some(clusters))?;
    }
    let Candidate { yaml, workload, .. } = trial.chosen(if requests < MANY { CHOSEN } else { SCREENED })?;
    let held_out = |number| Figures::of(&workload, Streams::new(streams.seed(), FIRST_HELD_OUT + number), &scales);
    let synthetic: Vec<Figures> = (0..HELD_OUT).map(held_out).collect::<Result<_, _>>()?;
    Ok(Fit { yaml, workload, comparison: compare(&aim, &synthetic) })
}

/// Refuses a trace of counts most of whose requests are in one interval: it decides every figure, and reading millions
/// of requests dozens of times for one row takes minutes.
fn refuse_one_row(spec: &WorkloadSpec, streams: Streams) -> Result<(), TraceError> {
    let mut source = spec.open(streams, 0)?;
    let Some(interval) = source.resolution() else { return Ok(()) };
    let series = ScaledCounts::of(&mut *source)?;
    let steps = series.joined((interval.as_nanos() / series.width).max(1) as usize);
    let all: f64 = steps.counts.iter().sum();
    let most = steps.peak();
    if steps.counts.len() < FEW_STEPS || most <= ONE_ROW || most <= all / 2.0 {
        return Ok(());
    }
    let place = steps.counts.iter().position(|count| *count == most).unwrap_or(0) as u64;
    let offset = place * steps.width;
    let at = series.start.map_or(SimDuration::from_nanos(offset).to_string(), |start| show_instant(start + offset));
    let message = format!(
        "has {most} of its {all} requests in the one interval of {} at {at}: no generator resembles that",
        steps.width()
    );
    let help = "if that count is a mistake, correct the row or take it out; `--start` and `--end` select a part";
    Err(TraceError::new("the trace", message).help(help))
}

/// A generator and how far its requests are from the recorded ones.
struct Candidate {
    /// Number of fitted parameters.
    parameters: usize,
    clusters: Option<Clusters>,
    yaml: String,
    workload: WorkloadSpec,
    /// Distances of its synthetic traces.
    distances: Vec<f64>,
}

impl Candidate {
    fn mean(&self) -> f64 {
        self.distances.iter().sum::<f64>() / self.distances.len() as f64
    }

    fn standard_error(&self) -> f64 {
        let (n, mean) = (self.distances.len() as f64, self.mean());
        let squares: f64 = self.distances.iter().map(|distance| (distance - mean).powi(2)).sum();
        (squares / (n - 1.0).max(1.0) / n).sqrt()
    }
}

/// The candidates, and the recorded trace.
struct FitSearch<'a> {
    aim: &'a Figures,
    scales: &'a Scales,
    seed: u64,
    seen: Vec<Candidate>,
}

impl FitSearch<'_> {
    /// A season with its swings, if there are any, for clusters; without clusters also a season without swings. With
    /// clusters, the swings are those of the clusters' first requests.
    fn add_seasonal(&mut self, recorded: &ScaledCounts, clusters: Option<Clusters>) -> Result<(), TraceError> {
        let centres = clusters.as_ref().map_or(recorded, |clusters| &clusters.centres);
        let mut season = Season::of(centres);
        let noise = Noise::of(centres, &season);
        season.rate *= recorded.mean() / centres.mean();
        let parameters =
            season.parameters() + clusters.as_ref().map_or(0, |clusters| 3 + usize::from(clusters.size_cv.is_some()));
        if noise.is_some() {
            let yaml = text::seasonal(recorded, &season, noise, clusters.as_ref());
            self.add(parameters + 3, clusters.clone(), yaml, SCREENED)?;
            if clusters.is_some() {
                return Ok(());
            }
        }
        if clusters.is_none() && season.is_level() {
            // The Poisson process, which is a candidate already.
            return Ok(());
        }
        let yaml = text::seasonal(recorded, &season, None, clusters.as_ref());
        self.add(parameters, clusters, yaml, SCREENED)
    }

    /// Simulates a candidate a number of times; a rejected one is `None`.
    fn add(
        &mut self,
        parameters: usize,
        clusters: Option<Clusters>,
        yaml: String,
        times: u64,
    ) -> Result<(), TraceError> {
        let Some(workload) = scenario_text(&yaml) else { return Ok(()) };
        let mut candidate = Candidate { parameters, clusters, yaml, workload, distances: Vec::new() };
        self.play(&mut candidate, times)?;
        self.seen.push(candidate);
        Ok(())
    }

    fn play(&self, candidate: &mut Candidate, times: u64) -> Result<(), TraceError> {
        for number in candidate.distances.len() as u64 + 1..=times {
            let synthetic = Figures::of(&candidate.workload, Streams::new(self.seed, number), self.scales)?;
            candidate.distances.push(synthetic.distance(self.aim));
        }
        Ok(())
    }

    fn sort(&mut self) {
        self.seen.sort_by(|a, b| a.mean().total_cmp(&b.mean()));
    }

    /// The simplest of the candidates within one standard error of the nearest.
    fn chosen(mut self, times: u64) -> Result<Candidate, TraceError> {
        self.sort();
        let mut near: Vec<Candidate> = std::mem::take(&mut self.seen).into_iter().take(NEAREST).collect();
        for candidate in &mut near {
            self.play(candidate, times)?;
        }
        let best = near.iter().min_by(|a, b| a.mean().total_cmp(&b.mean()));
        let limit = best.map_or(0.0, |best| best.mean() + best.standard_error().max(ALIKE));
        let simplest =
            near.into_iter().filter(|candidate| candidate.mean() <= limit).min_by_key(|candidate| candidate.parameters);
        simplest.ok_or_else(|| TraceError::new("the trace", "does not resemble any generator"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;
    use crate::workload::generators::testing::workload;

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
        assert!((requests / 6.0 - 1.0).abs() < 0.05 && (think.as_secs_f64() / 2.0 - 1.0).abs() < 0.1, "{}", fit.yaml);
        // The hours of a steady process differ by chance; fitting them as a season would add that variation again.
        assert!(!fit.yaml.contains("hours") && !fit.yaml.contains("weekdays"), "{}", fit.yaml);
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
    fn counts_of_a_poisson_process_are_one() {
        let fit = fitted("poisson: { rate: 0.5/s, for: 14h }");
        assert!(fit.yaml.starts_with("poisson:"), "{}", fit.yaml);
    }

    #[test]
    fn too_little_is_refused() {
        assert!(fit(&workload("constant: { rate: 1/s, for: 50s }").unwrap(), Streams::new(1, 0)).is_err());
    }
}
