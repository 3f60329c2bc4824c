//! Studies: what the commands compare and search, as functions of a scenario and a plain specification. Each tells its
//! progress to a [`Watch`], through which its caller may cancel it, and returns plain values: nothing is printed or
//! written. [`capacity`](super::capacity), [`plan_search`](super::plan_search) and [`sweep`](super::sweep) are studies of
//! their own; this file holds those that are put together from several.

use std::ops::ControlFlow;

use super::figure::figures_of_variations;
use super::outcome::Outcome;
use super::planning::confirm::FRESH_TO_COMPARE;
use super::planning::level::{at_same_level, tune};
use super::replicate::{Arm, Replicated, ReplicationPlan, arms, replicate_figures};
use super::run::{run, run_replication};
use super::same_level::{SameLevel, Tuned};
use super::watch::Watch;
use crate::engine::RunError;
use crate::scenario::Scenario;

/// Runs every policy of a scenario once. Each policy that is done counts as one of the policies.
///
/// # Errors
/// Those of a run; [`RunError::Cancelled`].
pub fn run_watched(scenario: &Scenario, command: &str, watch: &Watch<'_>) -> Result<Outcome, RunError> {
    let told = |_: usize, share: f64| match share < 1.0 {
        true => watch.running(),
        false => watch.one_more("policies").map_or(ControlFlow::Break(()), ControlFlow::Continue),
    };
    run(scenario, command, 0, &told)
}

/// What [`compare`] is asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CompareSpec {
    /// Replications.
    pub plan: ReplicationPlan,
    /// Compare the policies as the scenario states them. A scenario without objectives is always compared so.
    pub as_is: bool,
    /// Index of the policy that the others are compared with. By default the first, or the cheapest at the same level.
    pub base: Option<usize>,
}

/// Policies compared.
#[derive(Clone)]
pub struct Compared {
    /// The scenario that was replicated: with the headroom found, if the policies were tuned.
    pub scenario: Scenario,
    /// The replications that were run. Tuned policies are compared on ones that the search did not use.
    pub plan: ReplicationPlan,
    /// Their figures.
    pub replicated: Replicated,
    /// Index of the policy that the others are compared with.
    pub base: usize,
    /// The tuning; `None` if the policies were compared as they are.
    #[doc(hidden)]
    pub level: Option<SameLevel>,
}

/// Compares the policies of a scenario, by default at the same level: each with the least headroom that meets the
/// objectives.
///
/// # Errors
/// Those of a run; [`RunError::Cancelled`].
pub fn compare(scenario: &Scenario, spec: &CompareSpec, watch: &Watch<'_>) -> Result<Compared, RunError> {
    let replicated = |scenario: &Scenario, plan: &ReplicationPlan| {
        replicate_figures(&arms(scenario), super::figures(scenario), plan, "runs", watch)
    };
    if spec.as_is || scenario.objectives.is_empty() {
        let (plan, base) = (spec.plan, spec.base.unwrap_or(0));
        let replicated = replicated(scenario, &plan)?;
        return Ok(Compared { scenario: scenario.clone(), plan, replicated, base, level: None });
    }
    let tuned = tune(scenario, &spec.plan, watch)?;
    let level = at_same_level(scenario, &tuned);
    let base = spec.base.unwrap_or_else(|| cheapest(&tuned));
    // What the headroom was found by would flatter it.
    let plan = ReplicationPlan { first: FRESH_TO_COMPARE, ..spec.plan };
    let replicated = replicated(&level, &plan)?;
    Ok(Compared { scenario: level, plan, replicated, base, level: Some(SameLevel::new(scenario, tuned)) })
}

impl Compared {
    /// The headroom that a policy was compared with; `None` if the policies were compared as they are.
    pub fn headroom(&self, policy: usize) -> Option<f64> {
        self.level.as_ref()?.tuned.get(policy)?.best().map(|trial| trial.headroom)
    }

    /// Whether a policy meets every objective with that headroom, with confidence; `None` if the policies were compared
    /// as they are.
    pub fn meets_objectives(&self, policy: usize) -> Option<bool> {
        self.level.as_ref()?.tuned.get(policy).map(|tuned| tuned.chosen.is_some())
    }

    /// The outcome for a report: the comparison, and its first replication in full. `command` is what repeats it.
    ///
    /// # Errors
    /// Those of a run; [`RunError::Cancelled`].
    pub fn outcome(self, command: &str, watch: &Watch<'_>) -> Result<Outcome, RunError> {
        let running = |_: usize, _: f64| watch.running();
        let first = run_replication(&self.scenario, self.plan.first, command, self.plan.threads, &running)?;
        Ok(Outcome { replicated: Some(self.replicated), base: self.base, level: self.level, ..first })
    }
}

/// Index of the cheapest policy that meets the objectives and could be run; of any that does, or of any, where there is none.
fn cheapest(tuned: &[Tuned]) -> usize {
    let of = |index: &usize| (tuned[*index].clairvoyant, tuned[*index].chosen.is_none());
    let cost = |index: &usize| tuned[*index].best().map_or(f64::INFINITY, |trial| trial.cost());
    (0..tuned.len()).min_by(|a, b| of(a).cmp(&of(b)).then(cost(a).total_cmp(&cost(b)))).unwrap_or(0)
}

/// What [`whatif`] is asked for.
pub struct WhatifSpec<'a> {
    /// Replications.
    pub plan: ReplicationPlan,
    /// By policy, with its label: the policy in the scenario as it is, then in each variation of it.
    pub policies: Vec<(String, Vec<Arm<'a>>)>,
}

/// Replicates policies in a scenario and in variations of it, one policy after the other.
///
/// # Errors
/// Those of a run; [`RunError::Cancelled`].
pub fn whatif(
    base: &Scenario,
    spec: &WhatifSpec<'_>,
    watch: &Watch<'_>,
) -> Result<Vec<(String, Replicated)>, RunError> {
    let loses = |arm: &Arm<'_>| !arm.scenario.outages.is_empty();
    let loses = spec.policies.iter().any(|(_, arms)| arms.iter().any(loses));
    let one = |(label, arms): &(String, Vec<Arm<'_>>)| {
        let figures = figures_of_variations(base, loses);
        Ok((label.clone(), replicate_figures(arms, figures, &spec.plan, label, watch)?))
    };
    spec.policies.iter().map(one).collect()
}
