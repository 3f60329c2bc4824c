//! Brings policies to the same service level: the headroom of each is tuned until it meets the objectives, then costs
//! are compared.

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use super::confirm::{MIN_SHARE_KEPT, confirm};
use super::floor::floor;
use crate::engine::{RunError, RunRecord};
use crate::experiment::pool::in_pool;
use crate::experiment::replicate::ReplicationPlan;
use crate::experiment::same_level::{STEPS, Trial, Tuned, factor_of, mean};
use crate::experiment::watch::Watch;
use crate::policy::Foresight;
use crate::scenario::Scenario;
use crate::stats::ConfidenceInterval;

/// The search covers 1/16 to 64 times the stated headroom.
const LEAST: i32 = -4 * STEPS;
const MOST: i32 = 6 * STEPS;

/// The step of a headroom.
pub(super) fn step_of(factor: f64) -> i32 {
    (factor.log2() * f64::from(STEPS)).round() as i32
}

/// Whether a step is within the search range.
pub(super) fn is_searched(step: i32) -> bool {
    (LEAST..=MOST).contains(&step)
}

/// What a search for headroom counts.
pub(super) const HEADROOMS: &str = "headrooms tried";

/// Tunes every policy ([`tune_policy`]) and confirms the results ([`confirm`]).
///
/// # Errors
/// The first error in the order of policies, trials and replications.
pub fn tune(scenario: &Scenario, plan: &ReplicationPlan, watch: &Watch<'_>) -> Result<Vec<Tuned>, RunError> {
    let one = |policy: usize| {
        let mut tuned = tune_policy(scenario, policy, plan, watch)?;
        confirm(scenario, policy, plan, &mut tuned, watch)?;
        Ok(tuned)
    };
    (0..scenario.policies.len()).map(one).collect()
}

/// Tunes one policy: finds the smallest headroom at which the lower end of the confidence interval of every objective's
/// attainment reaches its target over the plan's replications, and at which [`super::confirm::MIN_SHARE_KEPT`] of the
/// replications meet every objective (with one replication, that one). The search is a bisection and assumes that more
/// headroom never breaks an objective. The result does not depend on the number of threads. `watch` is told of each
/// headroom tried.
///
/// # Errors
/// The first error in the order of trials and replications.
pub fn tune_policy(
    scenario: &Scenario,
    policy: usize,
    plan: &ReplicationPlan,
    watch: &Watch<'_>,
) -> Result<Tuned, RunError> {
    let floor = floor(scenario, policy)?;
    let least =
        floor.as_ref().map_or(LEAST, |floor| ((floor.factor.log2() * f64::from(STEPS)).ceil() as i32).clamp(LEAST, 0));
    let mut tuned = Search { scenario, plan, policy, least, seen: BTreeMap::new(), watch }.run()?;
    let ends_there = least > LEAST && tuned.chosen == Some(0) && tuned.trials[0].headroom == factor_of(least);
    tuned.floor = floor.filter(|_| ends_there).map(|floor| floor.why);
    Ok(tuned)
}

/// The scenario with one policy at a multiple of its stated headroom.
pub fn at_headroom(scenario: &Scenario, policy: usize, factor: f64) -> Scenario {
    let mut scenario = scenario.clone();
    scenario.policies[policy].headroom *= factor;
    scenario
}

/// The scenario with every policy at the headroom found for it.
pub fn at_same_level(scenario: &Scenario, tuned: &[Tuned]) -> Scenario {
    let mut scenario = scenario.clone();
    for (policy, tuned) in scenario.policies.iter_mut().zip(tuned) {
        policy.headroom *= tuned.best().map_or(1.0, |trial| trial.headroom);
    }
    scenario
}

struct Search<'a> {
    scenario: &'a Scenario,
    plan: &'a ReplicationPlan,
    policy: usize,
    /// The step of the smallest headroom that the policy can express.
    least: i32,
    seen: BTreeMap<i32, (Trial, Foresight)>,
    watch: &'a Watch<'a>,
}

impl Search<'_> {
    fn run(mut self) -> Result<Tuned, RunError> {
        let (mut broken, mut met) = self.bracket()?;
        while met - broken > 1 {
            let middle = broken + (met - broken) / 2;
            if self.look(middle)? { met = middle } else { broken = middle }
        }
        let chosen = self.seen.keys().position(|step| *step == met && self.seen[step].0.met);
        Ok(Tuned {
            policy: self.scenario.policies[self.policy].label.clone(),
            clairvoyant: self.seen.values().any(|(_, foresight)| *foresight != Foresight::None),
            trials: self.seen.into_values().map(|(trial, _)| trial).collect(),
            chosen,
            confirmations: Vec::new(),
            floor: None,
        })
    }

    /// Finds, with growing strides from 1, a step at which an objective is broken and a larger one at which all are
    /// met. If there is none, one of them is just outside the search range.
    fn bracket(&mut self) -> Result<(i32, i32), RunError> {
        let up = !self.look(0)?;
        let (mut inner, mut stride) = (0, STEPS / 2);
        loop {
            let outer = if up { (inner + stride).min(MOST) } else { (inner - stride).max(self.least) };
            if self.look(outer)? == up {
                return Ok(if up { (inner, outer) } else { (outer, inner) });
            }
            if outer == MOST || outer == self.least {
                return Ok(if up { (MOST, MOST) } else { (self.least, self.least) });
            }
            (inner, stride) = (outer, stride * 2);
        }
    }

    /// Whether the policy meets every objective at a step.
    fn look(&mut self, step: i32) -> Result<bool, RunError> {
        if let Some((trial, _)) = self.seen.get(&step) {
            return Ok(trial.met);
        }
        let (trial, foresight) = attempt(self.scenario, self.policy, factor_of(step), (self.plan, self.watch))?;
        let met = trial.met;
        self.seen.insert(step, (trial, foresight));
        self.watch.one_more(HEADROOMS)?;
        Ok(met)
    }
}

/// The trial of one headroom on the replications of a plan.
pub(super) fn attempt(
    scenario: &Scenario,
    policy: usize,
    headroom: f64,
    (plan, watch): (&ReplicationPlan, &Watch<'_>),
) -> Result<(Trial, Foresight), RunError> {
    let shots = shoot(scenario, policy, headroom, (plan.first..plan.first + plan.replications, plan.threads, watch))?;
    let foresight = shots.iter().map(|shot| shot.foresight).max().unwrap_or_default();
    Ok((judge(scenario, &shots, headroom, plan.level), foresight))
}

/// The results kept of a run.
pub(super) struct Shot {
    pub cost: f64,
    most_ready: u32,
    /// Attainment by service and objective.
    pub attained: Vec<f64>,
    foresight: Foresight,
}

impl Shot {
    fn of(run: &RunRecord) -> Shot {
        let objectives = run.services.iter().flat_map(|service| &service.objectives);
        Shot {
            cost: run.expense().value(),
            most_ready: run.services.iter().map(|service| service.max_ready).sum(),
            attained: objectives.map(|objective| objective.attainment()).collect(),
            foresight: run.foresight,
        }
    }
}

/// Runs a policy with one headroom in each of `replications`, on up to `threads` threads.
pub(super) fn shoot(
    scenario: &Scenario,
    policy: usize,
    headroom: f64,
    (replications, threads, watch): (Range<u64>, usize, &Watch<'_>),
) -> Result<Vec<Shot>, RunError> {
    let scenario = at_headroom(scenario, policy, headroom);
    let one = |replication: u64| Ok(Shot::of(&watch.run(scenario.simulation(policy, replication)?)?));
    let replications: Vec<u64> = replications.collect();
    let shots: Vec<Result<Shot, RunError>> = in_pool(threads, || replications.par_iter().map(|n| one(*n)).collect());
    shots.into_iter().collect()
}

/// Targets in the order of [`Trial::attained`].
pub(super) fn targets(scenario: &Scenario) -> Vec<f64> {
    let of_service = |_| scenario.objectives.iter().map(|objective| objective.target.get());
    scenario.services.iter().flat_map(of_service).collect()
}

/// Whether a run meets every objective.
pub(super) fn keeps(shot: &Shot, targets: &[f64]) -> bool {
    shot.attained.iter().zip(targets).all(|(share, target)| share >= target)
}

fn judge(scenario: &Scenario, shots: &[Shot], headroom: f64, level: f64) -> Trial {
    let targets = targets(scenario);
    let attained: Vec<Vec<f64>> =
        (0..targets.len()).map(|index| shots.iter().map(|shot| shot.attained[index]).collect()).collect();
    let on_average = attained.iter().zip(&targets).all(|(shares, target)| mean(shares) >= *target);
    let interval = |shares: &[f64]| ConfidenceInterval::of(shares.iter().copied(), level);
    let reaches = |(shares, target): (&Vec<f64>, &f64)| match interval(shares) {
        Some(interval) => interval.low() >= *target,
        None => shares.iter().all(|share| share >= target),
    };
    let fails = |(shares, target): (&Vec<f64>, &f64)| match interval(shares) {
        Some(interval) => interval.high() < *target,
        None => shares.iter().any(|share| share < target),
    };
    let missed = attained.iter().zip(&targets).any(fails);
    let kept = shots.iter().filter(|shot| keeps(shot, &targets)).count();
    let mostly = kept as f64 >= MIN_SHARE_KEPT * shots.len() as f64;
    let met = on_average && mostly && attained.iter().zip(&targets).all(reaches);
    let most_ready = shots.iter().map(|shot| shot.most_ready).max().unwrap_or(0);
    Trial {
        headroom,
        costs: shots.iter().map(|shot| shot.cost).collect(),
        most_ready,
        attained,
        met,
        on_average,
        missed,
    }
}
