//! A generator that resembles a trace, and how close it comes.

mod cascade;
mod closeness;
mod clusters;
mod season;
mod service_time;
mod text;

use std::path::Path;

use self::cascade::corrected;
pub use self::closeness::Closeness;
use self::closeness::{Figures, Scales, compare};
use self::clusters::{Clusterings, Clusters};
use self::season::{Noise, Season};
pub use self::service_time::{ServiceTime, service_time};
use super::halves::{Cells, Halves};
use super::series::ScaledCounts;
use super::{TraceError, WorkloadSpec};
use crate::config::{Diagnostics, SourceFile, parse_single};
use crate::random::Streams;

/// Ways to see clusters that are tried with other laws of their sizes and distances.
const LOOKED_INTO: usize = 4;
/// They must not be further from the trace than so many times the nearest candidate.
const WORTH: f64 = 2.0;
/// Synthetic traces by which candidates are compared at first, and those that are nearest.
const SCREENED: u64 = 3;
const CHOSEN: u64 = 6;
/// Candidates that are compared by more synthetic traces.
const NEAREST: usize = 4;
/// Candidates whose distances differ by less are alike: figures that are off by five per cent.
const ALIKE: f64 = 0.05;
/// Traces of so many requests are compared by few: their figures vary little.
const MANY: f64 = 4e6;
/// Synthetic traces that the comparison shown is made of; no choice was made by them.
const HELD_OUT: u64 = 10;
/// The first of their replications.
const FIRST_HELD_OUT: u64 = 1 << 32;

/// A fitted generator.
#[derive(Debug, Clone)]
pub struct Fit {
    /// The generator as a scenario's `workload:` mapping, YAML.
    pub yaml: String,
    /// The same, ready to make requests.
    pub workload: WorkloadSpec,
    /// How close synthetic traces come to the recorded one: the median of ten that were not used to choose the generator.
    pub comparison: Vec<Closeness>,
}

/// Fits generators to a workload's requests and takes the closest. The candidates are
///
/// - a Poisson process, steady or of relative rates of the hours where the trace has at least two days, of the weekdays where it has at
///   least two weeks, and of exponential growth where a test finds one;
/// - the same as a Cox process (`noise`): what is left above Poisson noise by the method of moments;
/// - the same with `clusters` of requests: those closer together than some gap may be one; the four nearest of all gaps tried are also seen
///   with other laws of size and distance;
/// - a `cascade`: at most 64 relative rates of blocks that cover the trace, and the variation of the halves' shares by length of the
///   stretch, down to the intervals of the trace, the ticks of its clock or about two milliseconds.
///
/// Token lengths become joint lognormal. Each candidate is played several times, and the mean of the distances (`Figures::distance`)
/// decides; of candidates within one standard error of the best, or five per cent, the one with the fewest parameters (the one-standard-error rule, Breiman
/// et al. 1984). One that its generator refuses is left out.
///
/// # Errors
/// If the trace cannot be read to its end, or holds fewer than 100 requests.
pub fn fit(spec: &WorkloadSpec, streams: Streams) -> Result<Fit, TraceError> {
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

/// A generator and how far its requests are from the recorded ones.
struct Candidate {
    /// How many parameters were fitted.
    parameters: usize,
    clusters: Option<Clusters>,
    yaml: String,
    workload: WorkloadSpec,
    /// The distance of one synthetic trace each.
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

/// The candidates, and what they are held against.
struct FitSearch<'a> {
    aim: &'a Figures,
    scales: &'a Scales,
    seed: u64,
    seen: Vec<Candidate>,
}

impl FitSearch<'_> {
    /// A season with swings where there are any, of a clustering, or of none and then also without swings: they are those of the clusters'
    /// first requests.
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
        let yaml = text::seasonal(recorded, &season, None, clusters.as_ref());
        self.add(parameters, clusters, yaml, SCREENED)
    }

    /// Plays a candidate so many times; one that is refused is none.
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

    /// The simplest of those that are as near as the nearest, to within one standard error.
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
        simplest.ok_or_else(|| TraceError::new("the trace", "is like nothing that a generator could make"))
    }
}

/// The workload that a YAML text states; `None` where it is refused.
fn scenario_text(yaml: &str) -> Option<WorkloadSpec> {
    let node = parse_single(&SourceFile::new("fit", yaml)).ok()?;
    WorkloadSpec::from_node(&node, Path::new(""), &mut Diagnostics::new())
}

#[cfg(test)]
mod tests {
    use super::super::generators::testing::workload;
    use super::*;
    use crate::units::SimDuration;

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
        // The hours of a steady process differ by chance; a season of theirs would vary once more around it.
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
    fn too_little_is_refused() {
        assert!(fit(&workload("constant: { rate: 1/s, for: 50s }").unwrap(), Streams::new(1, 0)).is_err());
    }
}
