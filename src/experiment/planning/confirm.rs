//! Confirms the result of a search on replications that the search did not use.
//!
//! A search for the smallest passing headroom tends to pick a lucky one near the edge, and ten replications rarely show
//! what happens once in twenty. The n-th headroom considered is therefore run in replications of its own, and is
//! confirmed if
//!
//! 1. the lower end of the interval of each objective's attainment reaches the target (Student's t), and
//! 2. the probability that a run meets every objective is at least [`MIN_SHARE_KEPT`] (Clopper-Pearson),
//!
//! both at a confidence of 1 - alpha (6 / pi^2) / n^2, where alpha is one minus the stated confidence. The probability
//! that any confirmed headroom is wrong is then at most alpha, however many are considered. The test is evaluated after
//! 60 replications and, if inconclusive, again after twice as many, at half of that alpha each. If a headroom is not
//! confirmed, the next larger one is considered.

use super::level::{HEADROOMS, Shot, attempt, is_searched, keeps, shoot, step_of, targets};
use crate::engine::RunError;
use crate::experiment::replicate::ReplicationPlan;
use crate::experiment::same_level::{Confirmation, Tuned, factor_of};
use crate::experiment::watch::Watch;
use crate::scenario::Scenario;
use crate::stats::{ConfidenceInterval, Running, share_at_least};

/// The minimum share of runs that must meet every objective.
pub const MIN_SHARE_KEPT: f64 = 0.9;

/// First replication number of confirmations, above those of any search or training.
const FRESH: u64 = 1 << 33;
/// Offset between the replication numbers of consecutive headrooms.
const APART: u64 = 1 << 20;
/// Replications from here on are used neither by searches nor by confirmations; comparisons between policies are based
/// on them.
pub const FRESH_TO_COMPARE: u64 = 1 << 34;

/// Replications of a confirmation before the first evaluation: enough to allow one failure, and at least as many as the
/// search had. If the result is open, as many again.
const REPLICATIONS: u64 = 60;
/// Replications after which a confirmation is checked for being hopeless.
const BATCH: u64 = 20;
/// Maximum number of headrooms considered; the first few are one step apart.
const ATTEMPTS: u32 = 12;
/// Attempts before the strides grow.
const NEAR: u32 = 4;

/// Confirms the chosen headroom of a policy, or the next larger one that passes; if none does, none is chosen. The
/// trial of a larger headroom on the search's replications is added to the others. Skipped for clairvoyant policies,
/// which are not for production, and for searches with a single replication, which claim no confidence.
///
/// # Errors
/// The first error in the order of headrooms and replications.
pub fn confirm(
    scenario: &Scenario,
    policy: usize,
    plan: &ReplicationPlan,
    tuned: &mut Tuned,
    watch: &Watch<'_>,
) -> Result<(), RunError> {
    let Some(found) = tuned.chosen.filter(|_| !tuned.clairvoyant && plan.replications > 1) else { return Ok(()) };
    let (mut step, mut stride) = (step_of(tuned.trials[found].headroom), 1);
    for number in 0..ATTEMPTS {
        let headroom = factor_of(step);
        let index = index_of(scenario, policy, headroom, (plan, &mut *tuned, watch))?;
        if tuned.trials[index].met {
            let confirmation = ask(scenario, policy, headroom, (plan, number, watch))?;
            watch.one_more(HEADROOMS)?;
            let held = confirmation.held;
            tuned.confirmations.push(confirmation);
            if held {
                tuned.chosen = Some(index);
                return Ok(());
            }
        }
        stride = if number < NEAR { 1 } else { stride * 2 };
        step += stride;
        if !is_searched(step) {
            break;
        }
    }
    tuned.chosen = None;
    Ok(())
}

/// The index of a headroom among the trials; inserted if it was not tried.
fn index_of(
    scenario: &Scenario,
    policy: usize,
    headroom: f64,
    (plan, tuned, watch): (&ReplicationPlan, &mut Tuned, &Watch<'_>),
) -> Result<usize, RunError> {
    let index = tuned.trials.partition_point(|trial| trial.headroom < headroom);
    if tuned.trials.get(index).is_none_or(|trial| trial.headroom != headroom) {
        tuned.trials.insert(index, attempt(scenario, policy, headroom, (plan, watch))?.0);
    }
    Ok(index)
}

/// Runs a headroom in replications of its own.
fn ask(
    scenario: &Scenario,
    policy: usize,
    headroom: f64,
    (plan, number, watch): (&ReplicationPlan, u32, &Watch<'_>),
) -> Result<Confirmation, RunError> {
    let asked = Asked::new(scenario, plan, number);
    let mut shots: Vec<Shot> = Vec::new();
    for look in [asked.replications, 2 * asked.replications] {
        while (shots.len() as u64) < look && !asked.is_lost(&shots) {
            let done = shots.len() as u64;
            let first = FRESH + u64::from(number) * APART + done;
            let next = first..first + BATCH.min(look - done);
            shots.extend(shoot(scenario, policy, headroom, (next, plan.threads, watch))?);
        }
        if asked.holds(&shots) {
            break;
        }
    }
    Ok(asked.judge(headroom, &shots))
}

/// The parameters of a confirmation.
struct Asked {
    targets: Vec<f64>,
    /// Replications before the first evaluation; twice as many before the second.
    replications: u64,
    /// Confidence level of each of the two conditions at each evaluation.
    level: f64,
}

impl Asked {
    fn new(scenario: &Scenario, plan: &ReplicationPlan, number: u32) -> Asked {
        let place = f64::from(number + 1) * std::f64::consts::PI;
        let level = 1.0 - (1.0 - plan.level) * 6.0 / (place * place) / 2.0;
        // The number of replications that prove the share if none fails.
        let least = ((1.0 - level).ln() / MIN_SHARE_KEPT.ln()).ceil() as u64;
        Asked { targets: targets(scenario), replications: REPLICATIONS.max(plan.replications).max(least), level }
    }

    fn kept(&self, shots: &[Shot]) -> u64 {
        shots.iter().filter(|shot| keeps(shot, &self.targets)).count() as u64
    }

    fn share(&self, kept: u64, replications: u64) -> f64 {
        share_at_least(kept, replications, self.level)
    }

    /// Whether it can no longer pass: too many failures even for the second evaluation, or a mean that significantly
    /// misses.
    fn is_lost(&self, shots: &[Shot]) -> bool {
        let misses = |(index, target): (usize, &f64)| self.interval(shots, index).is_some_and(|i| i.high() < *target);
        let (failures, most) = (shots.len() as u64 - self.kept(shots), 2 * self.replications);
        self.share(most.saturating_sub(failures), most) < MIN_SHARE_KEPT || self.targets.iter().enumerate().any(misses)
    }

    /// Whether both conditions are met at an evaluation.
    fn holds(&self, shots: &[Shot]) -> bool {
        let replications = shots.len() as u64;
        let reaches = |(index, target): (usize, &f64)| self.interval(shots, index).is_some_and(|i| i.low() >= *target);
        replications >= self.replications
            && replications.is_multiple_of(self.replications)
            && self.share(self.kept(shots), replications) >= MIN_SHARE_KEPT
            && self.targets.iter().enumerate().all(reaches)
    }

    fn interval(&self, shots: &[Shot], objective: usize) -> Option<ConfidenceInterval> {
        ConfidenceInterval::of(shots.iter().map(|shot| shot.attained[objective]), self.level)
    }

    fn judge(&self, headroom: f64, shots: &[Shot]) -> Confirmation {
        let mean = |of: &dyn Fn(&Shot) -> f64| shots.iter().map(of).collect::<Running>().mean().unwrap_or(f64::NAN);
        let (replications, kept) = (shots.len() as u64, self.kept(shots));
        Confirmation {
            headroom,
            replications,
            kept,
            share: self.share(kept, replications),
            cost: mean(&|shot| shot.cost),
            attained: (0..self.targets.len()).map(|index| mean(&|shot| shot.attained[index])).collect(),
            held: self.holds(shots),
        }
    }
}
