//! Replications put by, to hold later ones against.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::expectation::Check;
use super::figure::{Figure, Quantity, Unit};
use super::replicate::Replicated;
use crate::engine::scenario::Scenario;
use crate::stats::{ConfidenceInterval, PairedDifference, Running};

/// The figures of every policy, replication by replication.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Seed of the replications.
    pub seed: u64,
    /// Values of each figure by policy and figure; null where a run had none.
    pub policies: BTreeMap<String, BTreeMap<String, Vec<Option<f64>>>>,
}

/// Whether a figure is kept: what is paid and what is promised.
fn is_kept(figure: &Figure) -> bool {
    figure.is_headline() || matches!(figure.quantity, Quantity::Attainment(_))
}

impl Baseline {
    /// The baseline that these replications make.
    pub fn of(scenario: &Scenario, result: &Replicated) -> Baseline {
        let kept = |values: &[Vec<Option<f64>>]| {
            let figures = result.figures.iter().zip(values).filter(|(figure, _)| is_kept(figure));
            figures.map(|(figure, values)| (figure.name.clone(), values.clone())).collect()
        };
        let policies = result.arms.iter().map(|arm| (arm.label.clone(), kept(&arm.values))).collect();
        Baseline { seed: scenario.seed, policies }
    }

    /// Holds new replications against the baseline: each figure of each policy must be worse by no more than a margin, as a
    /// paired test of non-inferiority on the replications that both have. The margin is a share of the baseline's mean; of
    /// the error budget for an objective.
    ///
    /// # Errors
    /// If the two cannot be paired: another seed, or fewer than two replications in common.
    pub fn check(&self, scenario: &Scenario, result: &Replicated, margin: f64) -> Result<Vec<Check>, String> {
        if self.seed != scenario.seed {
            return Err(format!("the baseline has seed {}, the scenario {}", self.seed, scenario.seed));
        }
        let mut checks = Vec::new();
        for (label, figures) in &self.policies {
            for (name, before) in figures {
                checks.push(self.one(scenario, result, margin, (label, name, before))?);
            }
        }
        Ok(checks)
    }

    fn one(
        &self,
        scenario: &Scenario,
        result: &Replicated,
        margin: f64,
        (label, name, before): (&str, &str, &[Option<f64>]),
    ) -> Result<Check, String> {
        let figure = result.figure(name);
        let unit = figure.map_or(Unit::Number, |figure| result.figures[figure].quantity.unit());
        let missing = |what: &str| Check {
            name: format!("{name} [{label}] {what}"),
            line: 1,
            passed: false,
            certain: true,
            found: None,
            limit: None,
            unit,
        };
        let arm = result.arms.iter().find(|arm| arm.label == label);
        let Some((arm, figure)) = arm.zip(figure) else { return Ok(missing("is in the baseline and gone now")) };
        let both = before.len().min(arm.values[figure].len());
        if both < 2 {
            return Err("fewer than two replications can be paired with the baseline".into());
        }
        let whole = |values: &[Option<f64>]| values[..both].iter().copied().collect::<Option<Vec<f64>>>();
        let (before, now) = match (whole(before), whole(&arm.values[figure])) {
            (Some(before), Some(now)) => (before, now),
            // Where the baseline lacks a value there is nothing to be worse than.
            (None, _) => return Ok(Check { passed: true, ..missing("had no value in the baseline") }),
            (Some(_), None) => return Ok(missing("has no value any more")),
        };
        let quantity = result.figures[figure].quantity;
        let mean = |values: &[f64]| values.iter().copied().collect::<Running>().mean().unwrap_or(0.0);
        let (sign, allowed) = match quantity {
            Quantity::Attainment(index) => {
                (-1.0, margin * scenario.objectives.get(index).map_or(0.0, |o| o.target.complement().get()))
            }
            _ => (1.0, margin * mean(&before).abs()),
        };
        let worse = |values: &[f64]| values.iter().map(|value| sign * value).collect::<Vec<f64>>();
        let difference = PairedDifference::of(&worse(&before), &worse(&now), result.level);
        // A hair for the rounding of differences and margin.
        let passed = difference.is_some_and(|difference| difference.not_worse_than(allowed * (1.0 + 1e-9)));
        let certain = difference.is_some_and(|d| passed || is_beyond(&d.interval, allowed));
        let limit = Some(mean(&before) + sign * allowed);
        let name = format!("{name} [{label}] no worse than the baseline");
        Ok(Check { name, line: 1, passed, certain, found: Some(mean(&now)), limit, unit })
    }
}

/// Whether even the better end of the interval is worse than allowed.
fn is_beyond(interval: &ConfidenceInterval, allowed: f64) -> bool {
    interval.low() > allowed
}
