//! Finds the lowest cost that meets the objectives, over variations of the scenario, policies and their headroom.

use std::collections::BTreeMap;

use super::confirm::confirm;
use super::level::tune_policy;
use crate::engine::RunError;
use crate::experiment::replicate::ReplicationPlan;
use crate::experiment::same_level::Tuned;
use crate::experiment::watch::Watch;
use crate::scenario::Scenario;

/// Number of candidates that always reach the next round.
pub(super) const KEPT: usize = 3;

/// A policy at a point of the variations, with its results so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Index of the point.
    pub point: usize,
    /// Index of the policy.
    pub policy: usize,
    /// The result of tuning in the last round it took part in.
    #[doc(hidden)]
    pub tuned: Tuned,
    /// Replications of that round.
    pub replications: u64,
    /// The winner's cost in that rung, on the same replications; `None` if it did not meet the objectives there, or
    /// there is no winner.
    pub beside: Option<f64>,
}

impl Candidate {
    /// Mean cost if it meets the objectives: dollars or, if nothing has a price, replica-hours.
    pub fn cost(&self) -> Option<f64> {
        let chosen = self.tuned.chosen?;
        Some(self.tuned.trials[chosen].cost())
    }

    /// The headroom: the least that meets the objectives, else the one that comes closest.
    pub fn headroom(&self) -> Option<f64> {
        self.tuned.best().map(|trial| trial.headroom)
    }

    /// Number of headrooms run, with confirmations counted separately.
    fn asked(&self) -> usize {
        self.tuned.trials.len() + self.tuned.confirmations.len()
    }
}

/// The result of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// All candidates, best first: those that reached the last rung by cost, then those dropped earlier.
    pub candidates: Vec<Candidate>,
    /// Whether the first meets the objectives, confirmed on replications that the search did not use.
    pub is_met: bool,
    /// Number of headrooms tried, each with the replications of its rung.
    pub trials: usize,
}

/// Search by successive halving (Jamieson and Talwalkar 2016): every candidate's headroom is tuned with one
/// replication, the cheaper half of those that meet the objectives again with more, and so on, until at most three are
/// tuned with all replications of `plan`. Common random numbers make the few replications of early rungs informative.
/// The cheapest of the last rung is then confirmed ([`confirm`]); if that requires more headroom it may no longer be
/// the cheapest, and the next one is confirmed. Clairvoyant policies are left out. `read` returns the scenario of a
/// point; `watch` is told of each headroom tried.
///
/// # Errors
/// The first error of `read` or of a run.
pub fn plan_search<E: From<RunError>>(
    points: &[usize],
    read: &dyn Fn(usize) -> Result<Scenario, E>,
    plan: &ReplicationPlan,
    watch: &Watch<'_>,
) -> Result<Planned, E> {
    let scenarios: BTreeMap<usize, Scenario> =
        points.iter().map(|point| Ok((*point, read(*point)?))).collect::<Result<_, E>>()?;
    let every = scenarios.iter();
    let mut open: Vec<(usize, usize)> =
        every.flat_map(|(point, scenario)| (0..scenario.policies.len()).map(move |policy| (*point, policy))).collect();
    let (mut dropped, mut trials, mut replications) = (Vec::new(), 0, 1);
    let mut rungs: Vec<Rung> = Vec::new();
    loop {
        let rung = ReplicationPlan { replications, ..*plan };
        let mut found = Vec::new();
        for (point, policy) in &open {
            let tuned = tune_policy(&scenarios[point], *policy, &rung, watch).map_err(E::from)?;
            trials += tuned.trials.len();
            found.push(Candidate { point: *point, policy: *policy, tuned, replications, beside: None });
        }
        found.retain(|candidate| !candidate.tuned.clairvoyant);
        sort(&mut found);
        rungs.push(Rung { replications, costs: found.iter().map(|c| ((c.point, c.policy), c.cost())).collect() });
        let is_last = replications >= plan.replications;
        if is_last {
            let before: usize = found.iter().map(Candidate::asked).sum();
            confirm_cheapest(&scenarios, plan, &mut found, watch).map_err(E::from)?;
            trials += found.iter().map(Candidate::asked).sum::<usize>() - before;
            let is_met = found.first().is_some_and(|candidate| candidate.cost().is_some());
            found.extend(dropped);
            stand_beside_winner(&mut found, &rungs);
            return Ok(Planned { candidates: found, is_met, trials });
        }
        let kept = found.len().div_ceil(2).max(KEPT).min(found.len());
        let rest = found.split_off(kept);
        dropped.splice(0..0, rest);
        open = found.iter().map(|candidate| (candidate.point, candidate.policy)).collect();
        replications = if open.len() <= KEPT { plan.replications } else { (replications * 2).min(plan.replications) };
    }
}

/// Costs of the candidates in a rung; `None` if they did not meet the objectives.
struct Rung {
    replications: u64,
    costs: BTreeMap<(usize, usize), Option<f64>>,
}

/// Cheapest first; the sort is stable, so the first stated wins ties.
fn sort(found: &mut [Candidate]) {
    found.sort_by(|a, b| a.cost().unwrap_or(f64::INFINITY).total_cmp(&b.cost().unwrap_or(f64::INFINITY)));
}

/// Confirms the cheapest candidate until the cheapest is a confirmed one.
fn confirm_cheapest(
    scenarios: &BTreeMap<usize, Scenario>,
    plan: &ReplicationPlan,
    found: &mut [Candidate],
    watch: &Watch<'_>,
) -> Result<(), RunError> {
    while let Some(first) = found.first_mut().filter(|first| first.cost().is_some()) {
        if plan.replications == 1 || first.tuned.confirmed().is_some() {
            break;
        }
        confirm(&scenarios[&first.point], first.policy, plan, &mut first.tuned, watch)?;
        sort(found);
    }
    Ok(())
}

/// Sets the winner's cost for each candidate, from the last rung that the candidate took part in.
fn stand_beside_winner(found: &mut [Candidate], rungs: &[Rung]) {
    let Some(winner) = found.first().filter(|first| first.cost().is_some()) else { return };
    let (key, last, cost) = ((winner.point, winner.policy), winner.replications, winner.cost());
    for candidate in found {
        let rung = rungs.iter().rev().find(|rung| rung.replications == candidate.replications);
        // In the last rung the winner's cost is that of the confirmed headroom.
        let there = || rung.and_then(|rung| rung.costs.get(&key).copied().flatten());
        candidate.beside = if candidate.replications == last { cost } else { there() };
    }
}
