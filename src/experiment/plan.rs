//! The least cost that meets the objectives: over variations of the scenario, policies and their headroom.

use std::collections::BTreeMap;

use super::confirm::confirm;
use super::level::{Tuned, tune_policy};
use super::replicate::Plan;
use crate::engine::RunError;
use crate::engine::scenario::Scenario;

/// Candidates that are always kept for the next rung.
const KEPT: usize = 3;

/// A policy at a point of the variations, as far as it was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Number of the point.
    pub point: usize,
    /// Index of the policy.
    pub policy: usize,
    /// What tuning found in the last rung that it took part in.
    pub tuned: Tuned,
    /// Replications of that rung.
    pub replications: u64,
    /// What the winner cost in that rung, on the same replications, dollars; `None` if it did not meet the objectives there, or
    /// there is no winner.
    pub beside: Option<f64>,
}

impl Candidate {
    /// Mean cost where it meets the objectives: dollars or, where nothing has a price, replica-hours.
    pub fn cost(&self) -> Option<f64> {
        let chosen = self.tuned.chosen?;
        Some(self.tuned.trials[chosen].cost())
    }

    /// Headrooms that were run, confirmations counted by themselves.
    fn asked(&self) -> usize {
        self.tuned.trials.len() + self.tuned.confirmations.len()
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// Every candidate, the best first: those that reached the last rung by cost, then those dropped earlier.
    pub candidates: Vec<Candidate>,
    /// Whether the first meets the objectives, confirmed on replications that the search never saw.
    pub is_met: bool,
    /// Headrooms tried in all, each with the replications of its rung.
    pub trials: usize,
}

/// Searches by successive halving (Jamieson and Talwalkar 2016): every candidate's headroom is tuned with one replication, the cheaper
/// half of those that meet the objectives again with more, and so on, until three at most are tuned with all replications of
/// `plan`. Common random numbers make the few replications of early rungs tell. The cheapest of the last rung is then confirmed
/// ([`confirm`]); where that takes more headroom it may lose its place, and the next is confirmed. Clairvoyant policies are left
/// out. `read` gives the scenario of a point; `told` hears of each headroom tried.
///
/// # Errors
/// The first error of `read` or of a run.
pub fn plan_search<E: From<RunError>>(
    points: &[usize],
    read: &dyn Fn(usize) -> Result<Scenario, E>,
    plan: &Plan,
    told: &(dyn Fn() + Sync),
) -> Result<Planned, E> {
    let scenarios: BTreeMap<usize, Scenario> =
        points.iter().map(|point| Ok((*point, read(*point)?))).collect::<Result<_, E>>()?;
    let every = scenarios.iter();
    let mut open: Vec<(usize, usize)> =
        every.flat_map(|(point, scenario)| (0..scenario.policies.len()).map(move |policy| (*point, policy))).collect();
    let (mut dropped, mut trials, mut replications) = (Vec::new(), 0, 1);
    let mut rungs: Vec<Rung> = Vec::new();
    loop {
        let rung = Plan { replications, ..*plan };
        let mut found = Vec::new();
        for (point, policy) in &open {
            let tuned = tune_policy(&scenarios[point], *policy, &rung, told).map_err(E::from)?;
            trials += tuned.trials.len();
            found.push(Candidate { point: *point, policy: *policy, tuned, replications, beside: None });
        }
        found.retain(|candidate| !candidate.tuned.clairvoyant);
        sort(&mut found);
        rungs.push(Rung { replications, costs: found.iter().map(|c| ((c.point, c.policy), c.cost())).collect() });
        let is_last = replications >= plan.replications;
        if is_last {
            let before: usize = found.iter().map(Candidate::asked).sum();
            confirm_cheapest(&scenarios, plan, &mut found, told).map_err(E::from)?;
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

/// What candidates cost in a rung; `None` where they did not meet the objectives.
struct Rung {
    replications: u64,
    costs: BTreeMap<(usize, usize), Option<f64>>,
}

/// The cheapest first; of equals the first stated, for the sort is stable.
fn sort(found: &mut [Candidate]) {
    found.sort_by(|a, b| a.cost().unwrap_or(f64::INFINITY).total_cmp(&b.cost().unwrap_or(f64::INFINITY)));
}

/// Confirms the cheapest until the cheapest is confirmed.
fn confirm_cheapest(
    scenarios: &BTreeMap<usize, Scenario>,
    plan: &Plan,
    found: &mut [Candidate],
    told: &(dyn Fn() + Sync),
) -> Result<(), RunError> {
    while let Some(first) = found.first_mut().filter(|first| first.cost().is_some()) {
        if plan.replications == 1 || first.tuned.confirmed().is_some() {
            break;
        }
        confirm(&scenarios[&first.point], first.policy, plan, &mut first.tuned, told)?;
        sort(found);
    }
    Ok(())
}

/// Puts the winner's cost beside each candidate's, from the rung that the candidate took part in last.
fn stand_beside_winner(found: &mut [Candidate], rungs: &[Rung]) {
    let Some(winner) = found.first().filter(|first| first.cost().is_some()) else { return };
    let (key, last, cost) = ((winner.point, winner.policy), winner.replications, winner.cost());
    for candidate in found {
        let rung = rungs.iter().rev().find(|rung| rung.replications == candidate.replications);
        // In the last rung the winner costs what it does with the headroom that was confirmed.
        let there = || rung.and_then(|rung| rung.costs.get(&key).copied().flatten());
        candidate.beside = if candidate.replications == last { cost } else { there() };
    }
}
