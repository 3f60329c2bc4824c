//! Policies at the same service level: the headroom of each tuned until it meets the objectives, then costs compared.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::pool::in_pool;
use super::replicate::Plan;
use crate::engine::scenario::Scenario;
use crate::engine::{RunError, RunRecord};
use crate::policy::Foresight;
use crate::stats::{ConfidenceInterval, Running};
use crate::units::Fraction;

/// Steps per doubling of the headroom: about 4.4% apart.
const STEPS: i32 = 16;
/// The search covers 1/16 to 64 times what the policy holds by itself.
const LEAST: i32 = -4 * STEPS;
const MOST: i32 = 6 * STEPS;

/// A policy with one headroom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// Factor on the load that the policy provides for.
    pub headroom: f64,
    /// Cost of each replication, dollars.
    pub costs: Vec<f64>,
    /// Most ready replicas at any time of any replication, of all services.
    pub most_ready: u32,
    /// Share of good requests in each replication, one row per service and objective.
    pub attained: Vec<Vec<f64>>,
    /// Whether every objective is met with the stated confidence.
    pub met: bool,
}

impl Trial {
    /// Mean cost, dollars.
    pub fn cost(&self) -> f64 {
        mean(&self.costs)
    }

    /// Mean share of good requests by one service and objective.
    pub fn attainment(&self, index: usize) -> f64 {
        self.attained.get(index).map_or(f64::NAN, |shares| mean(shares))
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().copied().collect::<Running>().mean().unwrap_or(f64::NAN)
}

/// What tuning found of a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuned {
    /// The policy's label.
    pub policy: String,
    /// Whether it knows the future of the trace.
    pub clairvoyant: bool,
    /// Every headroom that was tried, in order; the one of 1, the policy as it is, is always among them.
    pub trials: Vec<Trial>,
    /// The least headroom that meets every objective; `None` if the largest tried does not.
    pub chosen: Option<usize>,
}

impl Tuned {
    /// The policy as the scenario states it.
    pub fn as_it_is(&self) -> Option<&Trial> {
        self.trials.iter().find(|trial| trial.headroom == 1.0)
    }

    /// The trial to compare by: the chosen one, or the one that came nearest.
    pub fn best(&self) -> Option<&Trial> {
        let nearest = || {
            let worst = |trial: &Trial| (0..trial.attained.len()).map(|i| trial.attainment(i)).fold(1.0, f64::min);
            self.trials.iter().max_by(|a, b| worst(a).total_cmp(&worst(b)))
        };
        self.chosen.and_then(|index| self.trials.get(index)).or_else(nearest)
    }
}

/// Policies brought to the same service level, as a report shows them: without the scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SameLevel {
    /// The objectives, service by service: the rows of [`Trial::attained`].
    pub objectives: Vec<LevelObjective>,
    /// What tuning found of each policy, in the order of the scenario.
    pub tuned: Vec<Tuned>,
}

/// An objective of one service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelObjective {
    /// Name of the service; empty where there is only one.
    pub service: String,
    /// The objective in words.
    pub text: String,
    /// The share of requests that must be good.
    pub target: Fraction,
}

impl SameLevel {
    /// What tuning found of the policies of `scenario`.
    pub fn new(scenario: &Scenario, tuned: Vec<Tuned>) -> Self {
        let several = scenario.services.len() > 1;
        let objectives = scenario.services.iter().flat_map(|service| {
            scenario.objectives.iter().map(move |objective| LevelObjective {
                service: if several { service.spec.name.clone() } else { String::new() },
                text: objective.text(),
                target: objective.target,
            })
        });
        SameLevel { objectives: objectives.collect(), tuned }
    }
}

fn factor_of(step: i32) -> f64 {
    2f64.powf(f64::from(step) / f64::from(STEPS))
}

/// Tunes every policy: the least headroom at which the lower end of the confidence interval of every objective's attainment, over
/// the plan's replications, reaches its target (with one replication, the attainment itself). Found by bisection: that more
/// headroom never breaks an objective is taken for granted. The result does not depend on the number of threads. `told` hears of
/// each headroom tried.
///
/// # Errors
/// The first error in the order of policies, trials and replications.
pub fn tune(scenario: &Scenario, plan: &Plan, told: &(dyn Fn() + Sync)) -> Result<Vec<Tuned>, RunError> {
    (0..scenario.policies.len()).map(|policy| tune_policy(scenario, policy, plan, told)).collect()
}

/// Tunes one policy, as [`tune`] does.
///
/// # Errors
/// The first error in the order of trials and replications.
pub fn tune_policy(
    scenario: &Scenario,
    policy: usize,
    plan: &Plan,
    told: &(dyn Fn() + Sync),
) -> Result<Tuned, RunError> {
    Search { scenario, plan, policy, seen: BTreeMap::new(), told }.run()
}

/// The scenario with one policy at so many times the headroom that it states.
pub fn at_headroom(scenario: &Scenario, policy: usize, factor: f64) -> Scenario {
    let mut scenario = scenario.clone();
    scenario.policies[policy].headroom *= factor;
    scenario
}

/// The scenario with every policy at the headroom that was found for it.
pub fn at_same_level(scenario: &Scenario, tuned: &[Tuned]) -> Scenario {
    let mut scenario = scenario.clone();
    for (policy, tuned) in scenario.policies.iter_mut().zip(tuned) {
        policy.headroom *= tuned.best().map_or(1.0, |trial| trial.headroom);
    }
    scenario
}

struct Search<'a> {
    scenario: &'a Scenario,
    plan: &'a Plan,
    policy: usize,
    seen: BTreeMap<i32, (Trial, Foresight)>,
    told: &'a (dyn Fn() + Sync),
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
        })
    }

    /// A step at which an objective is broken and a larger one at which all are met, by growing strides from 1; the search's
    /// ends where there is none.
    fn bracket(&mut self) -> Result<(i32, i32), RunError> {
        let up = !self.look(0)?;
        let (mut inner, mut stride) = (0, STEPS / 2);
        loop {
            let outer = if up { (inner + stride).min(MOST) } else { (inner - stride).max(LEAST) };
            if self.look(outer)? == up {
                return Ok(if up { (inner, outer) } else { (outer, inner) });
            }
            if outer == MOST || outer == LEAST {
                return Ok(if up { (MOST, MOST) } else { (LEAST, LEAST) });
            }
            (inner, stride) = (outer, stride * 2);
        }
    }

    /// Whether the policy meets every objective at a step.
    fn look(&mut self, step: i32) -> Result<bool, RunError> {
        if let Some((trial, _)) = self.seen.get(&step) {
            return Ok(trial.met);
        }
        let mut scenario = self.scenario.clone();
        let headroom = factor_of(step);
        scenario.policies[self.policy].headroom *= headroom;
        let one = |replication: u64| scenario.simulation(self.policy, replication)?.run(&mut |_| {});
        let replications: Vec<u64> = (0..self.plan.replications).collect();
        let runs: Vec<Result<RunRecord, RunError>> =
            in_pool(self.plan.threads, || replications.par_iter().map(|n| one(*n)).collect());
        let runs: Vec<RunRecord> = runs.into_iter().collect::<Result<_, _>>()?;
        let foresight = runs.iter().map(|run| run.foresight).max().unwrap_or_default();
        let trial = judge(&scenario, &runs, headroom, self.plan.level);
        let met = trial.met;
        self.seen.insert(step, (trial, foresight));
        (self.told)();
        Ok(met)
    }
}

fn judge(scenario: &Scenario, runs: &[RunRecord], headroom: f64, level: f64) -> Trial {
    let services = 0..scenario.services.len();
    let places = services.flat_map(|service| (0..scenario.objectives.len()).map(move |objective| (service, objective)));
    let shares = |(service, objective): (usize, usize)| {
        runs.iter().map(|run| run.services[service].objectives[objective].attainment()).collect::<Vec<f64>>()
    };
    let attained: Vec<Vec<f64>> = places.map(shares).collect();
    let targets = scenario.objectives.iter().map(|objective| objective.target.get()).cycle();
    let reaches = |(shares, target): (&Vec<f64>, f64)| match ConfidenceInterval::of(shares.iter().copied(), level) {
        Some(interval) => interval.low() >= target,
        None => shares.iter().all(|share| *share >= target),
    };
    let met = attained.iter().zip(targets).all(reaches);
    let ready = |run: &RunRecord| run.services.iter().map(|service| service.max_ready).sum::<u32>();
    let most_ready = runs.iter().map(ready).max().unwrap_or(0);
    Trial { headroom, costs: runs.iter().map(|run| run.cost.as_f64()).collect(), most_ready, attained, met }
}
