//! How the policies were brought to the same service level: every trial of every policy, as an outcome keeps it.

use serde::{Deserialize, Serialize};

use super::metric::Unit;
use crate::scenario::Scenario;
use crate::stats::Running;
use crate::units::Fraction;

/// Steps per doubling of the headroom: about 4.4% apart.
pub(super) const STEPS: i32 = 16;

/// The result of confirming a headroom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// Factor on the load that the policy provisions for.
    pub headroom: f64,
    /// Number of replications run; fewer if it became hopeless.
    pub replications: u64,
    /// Number of them that met every objective.
    pub kept: u64,
    /// Lower limit of the share of runs that meet every objective, at the confidence of this attempt.
    pub share: f64,
    /// Mean cost in dollars.
    pub cost: f64,
    /// Mean share of good requests, by service and objective.
    pub attained: Vec<f64>,
    /// Whether it is confirmed.
    pub held: bool,
}

/// The results of a policy at one headroom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// Factor on the load that the policy provides for.
    pub headroom: f64,
    /// Cost of each replication: dollars or, if nothing has a price, replica-hours.
    pub costs: Vec<f64>,
    /// Maximum number of ready replicas at any time in any replication, summed over the services.
    pub most_ready: u32,
    /// Share of good requests in each replication, one row per service and objective.
    pub attained: Vec<Vec<f64>>,
    /// Whether every objective is met with the stated confidence, and in [`super::planning::confirm::MIN_SHARE_KEPT`] of the replications.
    pub met: bool,
    /// Whether every objective is met in the mean.
    #[serde(default)]
    pub on_average: bool,
    /// Whether some objective is missed with the stated confidence. A trial that is neither `met` nor `missed` needs
    /// more replications.
    #[serde(default)]
    pub missed: bool,
}

impl Trial {
    /// Mean cost in dollars or replica-hours.
    pub fn cost(&self) -> f64 {
        mean(&self.costs)
    }

    /// Mean share of good requests of one objective of a service.
    pub fn attainment(&self, index: usize) -> f64 {
        self.attained.get(index).map_or(f64::NAN, |shares| mean(shares))
    }
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().copied().collect::<Running>().mean().unwrap_or(f64::NAN)
}

/// The result of tuning a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuned {
    /// The policy's label.
    pub policy: String,
    /// Whether the policy plans with the actual future load.
    pub clairvoyant: bool,
    /// Every headroom tried, in increasing order. A headroom of 1 (the policy as stated) is always included.
    pub trials: Vec<Trial>,
    /// Index of the smallest headroom that meets every objective; `None` if even the largest does not.
    pub chosen: Option<usize>,
    /// Confirmations of the chosen headroom on replications that the search did not use, followed by those of larger
    /// headrooms if it failed; the last one counts. Empty for clairvoyant policies and for searches with a single
    /// replication.
    #[serde(default)]
    pub confirmations: Vec<Confirmation>,
    /// Why the policy cannot express a smaller headroom, if the search ended there.
    #[serde(default)]
    pub floor: Option<String>,
}

impl Tuned {
    /// The trial at a headroom of 1.
    pub fn as_it_is(&self) -> Option<&Trial> {
        self.trials.iter().find(|trial| trial.headroom == 1.0)
    }

    /// The trial to compare by: the chosen headroom, else the smallest that meets the objectives in the mean, else the
    /// one that comes closest.
    pub fn best(&self) -> Option<&Trial> {
        let on_average = || self.trials.iter().find(|trial| trial.on_average);
        let nearest = || {
            let worst = |trial: &Trial| (0..trial.attained.len()).map(|i| trial.attainment(i)).fold(1.0, f64::min);
            self.trials.iter().max_by(|a, b| worst(a).total_cmp(&worst(b)))
        };
        self.chosen.and_then(|index| self.trials.get(index)).or_else(on_average).or_else(nearest)
    }

    /// Whether no headroom meets the objectives with confidence although none is shown to miss them.
    pub fn is_uncertain(&self) -> bool {
        self.chosen.is_none() && self.trials.iter().any(|trial| !trial.missed)
    }

    /// The last confirmation, which is that of the chosen headroom.
    pub fn confirmed(&self) -> Option<&Confirmation> {
        self.confirmations.last().filter(|last| last.held && self.chosen.is_some())
    }

    /// Relative resolution of the cost: the share by which the chosen headroom may cost more than the optimum, because
    /// the next smaller headroom tried fails. 0 if that headroom costs less by more than the step itself: then the
    /// policy changes in steps of its own, such as whole replicas.
    pub fn resolution(&self) -> f64 {
        let Some(chosen) = self.chosen.filter(|index| *index > 0) else { return 0.0 };
        let cost = self.trials[chosen].cost();
        let saved = (1.0 - self.trials[chosen - 1].cost() / cost).max(0.0);
        if saved.is_finite() && saved <= 1.0 - factor_of(-1) { saved } else { 0.0 }
    }

    /// Whether the difference from the lower cost of `other` is within the resolution of the search.
    pub fn costs_as_much_as(&self, cheaper: &Tuned) -> bool {
        let (Some(own), Some(other)) = (self.best(), cheaper.best()) else { return false };
        own.cost() * (1.0 - self.resolution()) <= other.cost() * (1.0 + 1e-12)
    }
}

/// The results of tuning all policies, for reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SameLevel {
    /// The objectives by service: the rows of [`Trial::attained`].
    pub objectives: Vec<LevelObjective>,
    /// The result of each policy, in the order of the scenario.
    pub tuned: Vec<Tuned>,
    /// Whether costs are dollars; otherwise they are replica-hours.
    pub priced: bool,
}

/// An objective of one service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelObjective {
    /// Name of the service; empty if there is only one.
    pub service: String,
    /// The objective in words.
    pub text: String,
    /// The share of requests that must be good.
    pub target: Fraction,
}

impl SameLevel {
    /// Unit of the costs.
    pub fn unit(&self) -> Unit {
        Unit::of_expense(self.priced)
    }

    /// Combines the objectives of `scenario` with the results of tuning.
    pub fn new(scenario: &Scenario, tuned: Vec<Tuned>) -> Self {
        let several = scenario.services.len() > 1;
        let objectives = scenario.services.iter().flat_map(|service| {
            scenario.objectives.iter().map(move |objective| LevelObjective {
                service: if several { service.spec.name.clone() } else { String::new() },
                text: objective.text(),
                target: objective.target,
            })
        });
        SameLevel { objectives: objectives.collect(), tuned, priced: scenario.is_priced() }
    }
}

pub(super) fn factor_of(step: i32) -> f64 {
    2f64.powf(f64::from(step) / f64::from(STEPS))
}
