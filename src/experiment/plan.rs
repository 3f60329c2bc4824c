//! The least cost that meets the objectives: over variations of the scenario, policies and their headroom.

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
}

impl Candidate {
    /// Mean cost where it meets the objectives, dollars.
    pub fn cost(&self) -> Option<f64> {
        let chosen = self.tuned.chosen?;
        Some(self.tuned.trials[chosen].cost())
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// Every candidate, the best first: those that reached the last rung by cost, then those dropped earlier.
    pub candidates: Vec<Candidate>,
    /// Whether the first meets the objectives.
    pub is_met: bool,
    /// Headrooms tried in all, each with the replications of its rung.
    pub trials: usize,
}

/// Searches by successive halving (Jamieson and Talwalkar 2016): every candidate's headroom is tuned with one replication, the cheaper
/// half of those that meet the objectives again with more, and so on, until three at most are tuned with all replications of
/// `plan`. Common random numbers make the few replications of early rungs tell. Clairvoyant policies are left out. `read` gives the
/// scenario of a point; `told` hears of each headroom tried.
///
/// # Errors
/// The first error of `read` or of a run.
pub fn plan_search<E: From<RunError>>(
    points: usize,
    read: &dyn Fn(usize) -> Result<Scenario, E>,
    plan: &Plan,
    told: &(dyn Fn() + Sync),
) -> Result<Planned, E> {
    let scenarios: Vec<Scenario> = (0..points).map(read).collect::<Result<_, _>>()?;
    let every = scenarios.iter().enumerate();
    let mut open: Vec<(usize, usize)> =
        every.flat_map(|(point, scenario)| (0..scenario.policies.len()).map(move |policy| (point, policy))).collect();
    let (mut dropped, mut trials, mut replications) = (Vec::new(), 0, 1);
    loop {
        let rung = Plan { replications, ..*plan };
        let mut found = Vec::new();
        for (point, policy) in &open {
            let tuned = tune_policy(&scenarios[*point], *policy, &rung, told).map_err(E::from)?;
            trials += tuned.trials.len();
            found.push(Candidate { point: *point, policy: *policy, tuned, replications });
        }
        found.retain(|candidate| !candidate.tuned.clairvoyant);
        // Of equals the first stated: the sort is stable.
        found.sort_by(|a, b| a.cost().unwrap_or(f64::INFINITY).total_cmp(&b.cost().unwrap_or(f64::INFINITY)));
        let is_last = replications >= plan.replications;
        let kept = if is_last { found.len() } else { found.len().div_ceil(2).max(KEPT).min(found.len()) };
        let rest = found.split_off(kept);
        dropped.splice(0..0, rest);
        if is_last {
            let is_met = found.first().is_some_and(|candidate| candidate.cost().is_some());
            found.extend(dropped);
            return Ok(Planned { candidates: found, is_met, trials });
        }
        open = found.iter().map(|candidate| (candidate.point, candidate.policy)).collect();
        replications = if open.len() <= KEPT { plan.replications } else { (replications * 2).min(plan.replications) };
    }
}
