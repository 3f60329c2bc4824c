//! Replications: the same runs with other random numbers, common to all arms.

use std::ops::ControlFlow;
use std::sync::Mutex;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::during::Window;
use super::figure::{Figure, figures};
use super::pool::in_pool;
use super::watch::{Progress, Watch};
use crate::engine::{Answer, RunError, RunRecord};
use crate::policy::Foresight;
use crate::scenario::{Scenario, Variant};
use crate::stats::{ConfidenceInterval, Running};

/// One of the alternatives compared: a policy of a scenario, or of a variation of it.
#[derive(Clone, Copy)]
pub struct Arm<'a> {
    /// Label in tables.
    pub label: &'a str,
    /// Its scenario.
    pub scenario: &'a Scenario,
    /// Index of its policy.
    pub policy: usize,
}

/// Every policy of a scenario as an arm.
pub fn arms(scenario: &Scenario) -> Vec<Arm<'_>> {
    let arm = |(policy, plan)| {
        let plan: &Variant = plan;
        Arm { label: &plan.label, scenario, policy }
    };
    scenario.policies.iter().enumerate().map(arm).collect()
}

/// How many replications to run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReplicationPlan {
    /// Number of the first replication.
    pub first: u64,
    /// Number of replications; the minimum if a precision is requested.
    pub replications: u64,
    /// Relative half-width that the cost and p99 of every arm should reach.
    pub precision: Option<f64>,
    /// Maximum number of replications to reach the precision.
    pub most: u64,
    /// Level of the confidence intervals.
    pub level: f64,
    /// Number of parallel runs; 0 for all cores. Does not affect the result.
    pub threads: usize,
}

impl Default for ReplicationPlan {
    fn default() -> Self {
        ReplicationPlan { first: 0, replications: 10, precision: None, most: 500, level: 0.95, threads: 0 }
    }
}

/// The replications of one arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Samples {
    /// The arm's name.
    pub label: String,
    /// Whether its policy knows the future of the trace.
    pub clairvoyant: bool,
    /// `values[figure][replication]`; `None` if a run has no such figure.
    pub values: Vec<Vec<Option<f64>>>,
}

impl Samples {
    /// The values of a figure; `None` if a replication has none, because the others would be a biased sample.
    pub fn all(&self, figure: usize) -> Option<Vec<f64>> {
        self.values.get(figure)?.iter().copied().collect()
    }

    /// Mean of a figure.
    pub fn mean(&self, figure: usize) -> Option<f64> {
        self.all(figure)?.into_iter().collect::<Running>().mean()
    }

    /// Student's interval of a figure; `None` below two replications.
    pub fn interval(&self, figure: usize, level: f64) -> Option<ConfidenceInterval> {
        ConfidenceInterval::of(self.all(figure)?, level)
    }
}

/// The results of replicating several arms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replicated {
    /// The figures, in order.
    pub figures: Vec<Figure>,
    /// The arms, in order.
    pub arms: Vec<Samples>,
    /// Replications of each arm.
    pub replications: u64,
    /// Level of the intervals.
    pub level: f64,
    /// Whether the requested precision was reached; `None` if none was requested.
    pub precise: Option<bool>,
    /// Whether requests come from a recorded trace, which does not vary between replications.
    pub recorded: bool,
    /// The objectives of the first arm in words, by the number in a figure's name.
    #[serde(default)]
    pub objectives: Vec<String>,
}

impl Replicated {
    /// Index of a figure.
    pub fn figure(&self, name: &str) -> Option<usize> {
        self.figures.iter().position(|figure| figure.name == name)
    }

    /// Index of the figure by which policies are ranked.
    pub fn expense(&self) -> Option<usize> {
        self.figures.iter().position(Figure::is_expense)
    }
}

/// Called with the number of completed and of planned runs, after each run and while runs are under way; may cancel.
pub type Told<'a, A = ()> = &'a (dyn Fn(u64, u64) -> A + Sync);

/// Replicates every arm. Replication n of all arms uses the same random numbers, so that differences are paired.
///
/// If a precision is requested, the number of replications grows until the half-width of every arm's cost and p99 is at
/// most precision / (1 + precision) of the mean, the sequential rule for a relative error (Law, Simulation Modeling and
/// Analysis, section 9.4.1), or `most` is reached. The steps depend only on the figures, never on the number of
/// threads.
///
/// # Errors
/// The first error in the order of replications and arms; [`RunError::Cancelled`].
///
/// # Panics
/// If arms of one scenario met different requests (I7), which is a bug.
pub fn replicate<A: Answer>(
    arms: &[Arm<'_>],
    plan: &ReplicationPlan,
    told: Told<'_, A>,
) -> Result<Replicated, RunError> {
    let last = Mutex::new((0, 0));
    let watcher = |progress: Progress<'_>| {
        let Ok(mut last) = last.lock() else { return ControlFlow::Break(()) };
        if let Progress::Done { done, all, .. } = progress {
            *last = (done, all.unwrap_or(done));
        }
        told(last.0, last.1).flow()
    };
    let figures = arms.first().map(|arm| figures(arm.scenario)).unwrap_or_default();
    replicate_figures(arms, figures, plan, "runs", &Watch::new(&watcher))
}

/// Like [`replicate`], measuring `figures` and counting the runs as `what`. Figures during a fault are those of the arm's own fault or, if it has none,
/// of the first arm's that has one.
///
/// # Errors
/// The first error in the order of replications and arms.
pub fn replicate_figures(
    arms: &[Arm<'_>],
    figures: Vec<Figure>,
    plan: &ReplicationPlan,
    what: &str,
    watch: &Watch<'_>,
) -> Result<Replicated, RunError> {
    let empty = |arm: &Arm<'_>| Samples {
        label: arm.label.to_string(),
        clairvoyant: false,
        values: vec![Vec::new(); figures.len()],
    };
    let recorded = arms.iter().any(|arm| is_recorded(arm.scenario));
    let mut result = Replicated {
        arms: arms.iter().map(empty).collect(),
        figures,
        replications: 0,
        level: plan.level,
        precise: None,
        recorded,
        objectives: arms
            .first()
            .map_or_else(Vec::new, |arm| arm.scenario.objectives.iter().map(|o| o.text()).collect()),
    };
    let mut wanted = plan.replications.max(if plan.precision.is_some() { 2 } else { 1 });
    while result.replications < wanted {
        extend(&mut result, arms, wanted, plan, (what, watch))?;
        let Some(precision) = plan.precision else { break };
        let target = precision / (1.0 + precision);
        let widest = widest(&result);
        result.precise = Some(widest <= target);
        if widest > target {
            wanted = next_size(result.replications, widest / target).min(plan.most.max(wanted));
        }
    }
    Ok(result)
}

/// Whether any service of the scenario replays a recorded trace.
fn is_recorded(scenario: &Scenario) -> bool {
    scenario.services.iter().any(|service| service.workload.is_recorded())
}

/// The half-width shrinks with the square root; each step at most doubles the number, because the estimate is rough.
fn next_size(now: u64, ratio: f64) -> u64 {
    ((now as f64 * ratio * ratio).ceil() as u64).clamp(now + 1, 2 * now)
}

/// The widest relative half-width of the headline figures; arms without a figure are skipped.
fn widest(result: &Replicated) -> f64 {
    let headline = (0..result.figures.len()).filter(|figure| result.figures[*figure].is_headline());
    let widths = headline.flat_map(|figure| {
        result.arms.iter().filter_map(move |arm| Some(arm.interval(figure, result.level)?.relative_half_width()))
    });
    widths.fold(0.0, f64::max)
}

/// What is kept of a run.
struct Kept {
    values: Vec<Option<f64>>,
    clairvoyant: bool,
    checksums: Vec<u64>,
}

impl Kept {
    fn of(run: &RunRecord, figures: &[Figure], window: Option<Window>) -> Kept {
        Kept {
            values: figures.iter().map(|figure| figure.measure_in(run, window)).collect(),
            clairvoyant: run.foresight != Foresight::None,
            checksums: run.services.iter().map(|service| service.demand_checksum).collect(),
        }
    }
}

/// Runs the replications up to `wanted` and appends them in order.
fn extend(
    result: &mut Replicated,
    arms: &[Arm<'_>],
    wanted: u64,
    plan: &ReplicationPlan,
    (what, watch): (&str, &Watch<'_>),
) -> Result<(), RunError> {
    let jobs: Vec<(u64, &Arm<'_>)> =
        (result.replications..wanted).flat_map(|replication| arms.iter().map(move |arm| (replication, arm))).collect();
    let before = result.replications * arms.len() as u64;
    let done = std::sync::atomic::AtomicU64::new(before);
    let figures = &result.figures;
    let usual = arms.iter().find_map(|arm| Window::of(arm.scenario));
    let one = |(replication, arm): &(u64, &Arm<'_>)| -> Result<Kept, RunError> {
        let record = watch.run(arm.scenario.simulation(arm.policy, plan.first + *replication)?)?;
        let now = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        watch.done(what, now, Some(before + jobs.len() as u64))?;
        Ok(Kept::of(&record, figures, Window::of(arm.scenario).or(usual)))
    };
    let kept: Vec<Result<Kept, RunError>> = in_pool(plan.threads, || jobs.par_iter().map(one).collect());
    let kept: Vec<Kept> = kept.into_iter().collect::<Result<_, _>>()?;
    for replication in kept.chunks(arms.len().max(1)) {
        check_demands(arms, replication);
        for (samples, kept) in result.arms.iter_mut().zip(replication) {
            samples.clairvoyant = kept.clairvoyant;
            for (values, value) in samples.values.iter_mut().zip(&kept.values) {
                values.push(*value);
            }
        }
    }
    result.replications = wanted;
    Ok(())
}

/// Checks I7 between the policies of one scenario; variations may change the requests.
fn check_demands(arms: &[Arm<'_>], kept: &[Kept]) {
    for (pair, runs) in arms.windows(2).zip(kept.windows(2)) {
        let same = std::ptr::eq(pair[0].scenario, pair[1].scenario);
        assert!(
            !same || runs[0].checksums == runs[1].checksums,
            "I7: {} met other requests than {}",
            pair[1].label,
            pair[0].label
        );
    }
}
