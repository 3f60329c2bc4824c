//! What an application calls: the studies of the library behind one kind of error, and reports. Everything public here
//! is re-exported at the root of the crate, and so are the types that it takes and returns.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::config::{Diagnostic, Diagnostics, shell_word};
use crate::experiment::{
    self, Arm, Axis, CompareSpec, Compared, Design, Limit, Outcome, Planned, Points, Replicated, ReplicationPlan,
    SweepTable, Variation, Watch, WhatifSpec, arms, figures, out_of_reach, plan_search, replicate_figures, settle,
    varied,
};
use crate::report;
use crate::scenario::Scenario;

/// Why a study has no result.
#[derive(Debug, Clone)]
pub enum Error {
    /// The scenario, or what is varied in it, is not valid: every mistake, with its place and a correction.
    Input(Diagnostics),
    /// A run could not be completed, such as for an unreadable trace.
    Run(String),
    /// The caller cancelled the study ([`Watch`]).
    Cancelled,
    /// A file of a report could not be made or written.
    Report(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Input(found) => found.fmt(f),
            Error::Run(problem) | Error::Report(problem) => f.write_str(problem),
            Error::Cancelled => f.write_str("cancelled"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Diagnostics> for Error {
    fn from(found: Diagnostics) -> Error {
        Error::Input(found)
    }
}

#[doc(hidden)]
impl From<crate::engine::RunError> for Error {
    fn from(error: crate::engine::RunError) -> Error {
        match error {
            crate::engine::RunError::Cancelled => Error::Cancelled,
            error => Error::Run(error.to_string()),
        }
    }
}

fn refusal(problem: String) -> Error {
    Error::Input(Diagnostic::error(problem).into())
}

/// The scenario with its warm-up found, where it says `warm-up: auto`.
fn settled(scenario: &Scenario, threads: usize) -> Result<Scenario, Error> {
    let mut scenario = scenario.clone();
    settle(&mut scenario, threads)?;
    Ok(scenario)
}

/// Runs every policy of a scenario once, all on the same requests.
///
/// ```
/// use plimsoll::{ScenarioSource, Watch, run};
///
/// let text = "
/// duration: 2m
/// workload: { constant: { rate: 10/s } }
/// service: { replicas: 2, concurrency: 4, service-time: 100ms, price: $1/h }
/// objectives: [ { latency: { within: 200ms, target: 99% } } ]
/// policies: { fixed: { static: { replicas: 2 } } }
/// ";
/// let scenario = ScenarioSource::text(text, ".").read()?;
/// let outcome = run(&scenario, &Watch::nobody())?;
/// let service = &outcome.runs[0].services[0];
/// assert_eq!(service.counts.arrived, 1200);
/// assert_eq!(service.sojourn.quantile(0.99).map(|p99| p99.as_secs_f64()), Some(0.1));
/// assert!(service.objectives[0].met());
/// # Ok::<(), plimsoll::Error>(())
/// ```
///
/// # Errors
/// If a run fails, or the caller cancels it.
pub fn run(scenario: &Scenario, watch: &Watch<'_>) -> Result<Outcome, Error> {
    let command = format!("plimsoll run {}", shell_word(&scenario.path.display().to_string()));
    Ok(experiment::run_watched(&settled(scenario, 0)?, &command, watch)?)
}

/// Runs every policy of a scenario as it is several times: replication n of all of them has the same random numbers, so
/// that differences are paired.
///
/// # Errors
/// If a run fails, or the caller cancels the study.
pub fn replicate(scenario: &Scenario, plan: &ReplicationPlan, watch: &Watch<'_>) -> Result<Replicated, Error> {
    let scenario = settled(scenario, plan.threads)?;
    Ok(replicate_figures(&arms(&scenario), figures(&scenario), plan, "runs", watch)?)
}

/// Compares the policies of a scenario, by default at the same level: each with the least headroom that meets the
/// objectives.
///
/// # Errors
/// If a run fails, or the caller cancels the study.
pub fn compare(scenario: &Scenario, spec: &CompareSpec, watch: &Watch<'_>) -> Result<Compared, Error> {
    Ok(experiment::compare(&settled(scenario, spec.plan.threads)?, spec, watch)?)
}

/// Replicates every policy in the scenario as it is, in each variation of it and, if there are several, in all of them at
/// once. By policy, with its label: the replications, whose arms are the base and the variations in order.
///
/// # Errors
/// If a variation is not valid, a run fails, or the caller cancels the study.
pub fn whatif(
    scenario: &Scenario,
    variations: &[Variation],
    plan: &ReplicationPlan,
    watch: &Watch<'_>,
) -> Result<Vec<(String, Replicated)>, Error> {
    let base = settled(scenario, plan.threads)?;
    let varied = varied(variations, &base)?;
    let of = |(policy, label): (usize, String)| {
        let base = Arm { label: "base", scenario: &base, policy };
        let others = varied.iter().map(|(label, scenario)| Arm { label, scenario, policy });
        (label, std::iter::once(base).chain(others).collect())
    };
    let policies = base.policy_names().into_iter().map(str::to_string).enumerate().map(of).collect();
    Ok(experiment::whatif(&base, &WhatifSpec { plan: *plan, policies }, watch)?)
}

/// How much traffic each policy carries before each objective breaks.
///
/// # Errors
/// If a run fails, or the caller cancels the study.
pub fn capacity(scenario: &Scenario, plan: &ReplicationPlan, watch: &Watch<'_>) -> Result<Vec<Limit>, Error> {
    Ok(experiment::capacity(&settled(scenario, plan.threads)?, plan, watch)?)
}

/// What [`plan`] is asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlanSpec {
    /// What to vary besides policies and headroom: `service.concurrency=2,4,8` or `metrics.lag=10s..60s/10s`.
    pub vary: Vec<String>,
    /// Replications of the last round.
    pub plan: ReplicationPlan,
}

/// Finds the cheapest policy and headroom that meet the objectives, over every combination of what is varied.
///
/// # Errors
/// If a value is not valid, a run fails, or the caller cancels the study.
pub fn plan(scenario: &Scenario, spec: &PlanSpec, watch: &Watch<'_>) -> Result<Planned, Error> {
    let base = settled(scenario, spec.plan.threads)?;
    let points = points(&base, &spec.vary, Design::Grid, 0)?;
    let read = |point: usize| base.with(&points.set(point)).map_err(Error::from);
    let mut open = Vec::new();
    for point in 0..points.len() {
        // Nothing has to be searched where service alone takes too long.
        let found = out_of_reach(&read(point)?).map_err(|error| Error::Run(error.to_string()))?;
        if !found.iter().any(|of| of.certain) {
            open.push(point);
        }
    }
    if open.is_empty() {
        return Ok(Planned { candidates: Vec::new(), is_met: false, trials: 0 });
    }
    plan_search(&open, &read, &spec.plan, watch)
}

/// What [`sweep`] is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepSpec {
    /// What to vary: `service.concurrency=2..8`, `metrics.lag=2s..30s/4s` or `service.dispatch=random,round-robin`.
    pub vary: Vec<String>,
    /// Which points are run.
    pub design: Design,
    /// The number of points of a sampled design.
    pub points: usize,
    /// Replications of each point.
    pub plan: ReplicationPlan,
}

/// Replicates every policy at many points of what is varied.
///
/// # Errors
/// If a value is not valid, a run fails, or the caller cancels the study.
pub fn sweep(scenario: &Scenario, spec: &SweepSpec, watch: &Watch<'_>) -> Result<SweepTable, Error> {
    let base = settled(scenario, spec.plan.threads)?;
    let points = points(&base, &spec.vary, spec.design, spec.points)?;
    let mut table = SweepTable::of(&base, points.clone());
    let read = |point: usize| base.with(&points.set(point)).map_err(Error::from);
    let mut each = |(point, replicated): (usize, Replicated)| {
        for (policy, arm) in replicated.arms.iter().enumerate() {
            let means: Vec<Option<f64>> = (0..replicated.figures.len()).map(|figure| arm.mean(figure)).collect();
            table.enter(point, policy, &means);
        }
        Ok(())
    };
    experiment::sweep(0..points.len(), &spec.plan, &read, &mut each, watch)?;
    Ok(table)
}

fn points(base: &Scenario, vary: &[String], design: Design, wanted: usize) -> Result<Points, Error> {
    let axis = |text: &String| text.parse::<Axis>().map_err(|problem| refusal(format!("`{text}`: {problem}")));
    let axes = vary.iter().map(axis).collect::<Result<_, _>>()?;
    Points::new(axes, design, wanted, base.seed).map_err(refusal)
}

/// The files of the report of an outcome, each with its name: the page, tables, timelines, decisions and charts.
///
/// # Errors
/// If a file cannot be encoded.
pub fn report_files(outcome: &Outcome) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let artifacts = report::artifacts(outcome).map_err(|error| Error::Report(error.to_string()))?;
    Ok(artifacts.into_iter().map(|artifact| (artifact.name, artifact.bytes)).collect())
}

/// Writes the report of an outcome into a directory, all files at once, in place of the report that is there. Returns
/// their paths.
///
/// # Errors
/// If a file cannot be encoded or written.
pub fn write_report(outcome: &Outcome, directory: impl AsRef<Path>) -> Result<Vec<PathBuf>, Error> {
    let artifacts = report::artifacts(outcome).map_err(|error| Error::Report(error.to_string()))?;
    let written = report::write_artifacts(directory.as_ref(), "report", &artifacts);
    written.map_err(|error| Error::Report(error.to_string()))
}
