//! Stored replications to compare later runs with.
//!
//! A baseline is a JSON file with one figure per line, so that changes are readable as a diff. The mean comes first,
//! for human readers; it must agree with the replications after it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::expectation::Check;
use super::figure::Figure;
use super::metric::{Metric, Unit};
use super::replicate::Replicated;
use crate::scenario::Scenario;
use crate::stats::{ConfidenceInterval, PairedDifference, Running};

/// The figures of every policy, replication by replication.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// Seed of the replications.
    pub seed: u64,
    /// Values of each figure by policy and figure; null if a run had none.
    pub policies: BTreeMap<String, BTreeMap<String, Vec<Option<f64>>>>,
}

/// The file as read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    seed: u64,
    policies: BTreeMap<String, BTreeMap<String, StoredFigure>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredFigure {
    mean: Option<f64>,
    replications: Vec<Option<f64>>,
}

/// Relative rounding of the means in the file.
const MEAN_DIGITS: usize = 6;

/// The change of one figure between two baselines.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The policy.
    pub policy: String,
    /// The figure's name.
    pub figure: String,
    /// Unit of both means.
    pub unit: Unit,
    /// The old mean; `None` if there was none.
    pub before: Option<f64>,
    /// The new mean; `None` if there is none.
    pub after: Option<f64>,
}

impl Change {
    /// The change relative to the old mean; `None` if there is no old mean or it is zero.
    pub fn relative(&self) -> Option<f64> {
        let (before, after) = self.before.zip(self.after)?;
        (before != 0.0).then(|| (after - before) / before.abs())
    }
}

fn mean_of(values: &[Option<f64>]) -> Option<f64> {
    values.iter().copied().collect::<Option<Running>>()?.mean()
}

/// A mean as written in the file.
fn mean_text(values: &[Option<f64>]) -> String {
    let digits = |mean: f64| format!("{mean:.*e}", MEAN_DIGITS - 1).parse::<f64>().unwrap_or(mean);
    mean_of(values).map_or_else(|| "null".into(), |mean| json(&digits(mean)))
}

/// A string or number as JSON; neither can fail to serialize.
fn json(value: &(impl serde::Serialize + ?Sized)) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".into())
}

/// Whether a figure is kept: cost and what objectives promise.
fn is_kept(figure: &Figure) -> bool {
    figure.is_headline() || matches!(figure.quantity, Metric::Attainment(_))
}

impl Baseline {
    /// Creates the baseline of these replications.
    pub fn of(scenario: &Scenario, result: &Replicated) -> Baseline {
        let kept = |values: &[Vec<Option<f64>>]| {
            let figures = result.figures.iter().zip(values).filter(|(figure, _)| is_kept(figure));
            figures.map(|(figure, values)| (figure.name.clone(), values.clone())).collect()
        };
        let policies = result.arms.iter().map(|arm| (arm.label.clone(), kept(&arm.values))).collect();
        Baseline { seed: scenario.seed, policies }
    }

    /// The path of a scenario's baseline: `NAME.baseline.json` next to it.
    pub fn beside(scenario: &Path) -> PathBuf {
        scenario.with_extension("baseline.json")
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let figure = |(name, values): (&String, &Vec<Option<f64>>)| {
            let (mean, list) = (mean_text(values), values.iter().map(json).collect::<Vec<_>>().join(", "));
            format!("      {}: {{ \"mean\": {mean}, \"replications\": [{list}] }}", json(name))
        };
        let policy = |(label, figures): (&String, &BTreeMap<String, Vec<Option<f64>>>)| {
            let lines: Vec<String> = figures.iter().map(figure).collect();
            format!("    {}: {{\n{}\n    }}", json(label), lines.join(",\n"))
        };
        let policies: Vec<String> = self.policies.iter().map(policy).collect();
        format!("{{\n  \"seed\": {},\n  \"policies\": {{\n{}\n  }}\n}}\n", self.seed, policies.join(",\n"))
    }

    /// Parses a file.
    ///
    /// # Errors
    /// If it is not a baseline, or a mean does not agree with its replications.
    pub fn parse(text: &str) -> Result<Baseline, String> {
        let stored: Stored = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut policies = BTreeMap::new();
        for (label, figures) in stored.policies {
            let mut kept = BTreeMap::new();
            for (name, figure) in figures {
                let agrees = match (figure.mean, mean_of(&figure.replications)) {
                    (Some(stated), Some(mean)) => (stated - mean).abs() <= 1e-5 * mean.abs(),
                    (stated, mean) => stated == mean,
                };
                if !agrees {
                    return Err(format!("the mean of {name} [{label}] is not that of its replications"));
                }
                kept.insert(name, figure.replications);
            }
            policies.insert(label, kept);
        }
        Ok(Baseline { seed: stored.seed, policies })
    }

    /// The figures that differ from `before`, ordered by policy and figure; replications that only one of the two has
    /// are ignored.
    pub fn changes(&self, before: &Baseline, figures: &[Figure]) -> Vec<Change> {
        let names = |baseline: &Baseline| {
            let pairs = baseline.policies.iter();
            pairs.flat_map(|(label, list)| list.keys().map(|name| (label.clone(), name.clone()))).collect::<Vec<_>>()
        };
        let mut all = [names(before), names(self)].concat();
        all.sort();
        all.dedup();
        let change = |(policy, figure): (String, String)| {
            let values = |of: &Baseline| of.policies.get(&policy).and_then(|list| list.get(&figure)).cloned();
            let (mut old, mut new) = (values(before), values(self));
            if let (Some(old), Some(new)) = (&mut old, &mut new) {
                let both = old.len().min(new.len());
                old.truncate(both);
                new.truncate(both);
            }
            let unit = figures.iter().find(|known| known.name == figure);
            let unit = unit.map_or(Unit::Number, |known| known.quantity.unit());
            let mean = |values: &Option<Vec<Option<f64>>>| mean_of(values.as_deref()?);
            let (before, after) = (mean(&old), mean(&new));
            (old != new).then_some(Change { policy, figure, unit, before, after })
        };
        all.into_iter().filter_map(change).collect()
    }

    /// Compares new replications with the baseline: no figure of a policy may be worse by more than a margin, using a
    /// paired non-inferiority test on the replications that both have. The margin is a share of the baseline's mean (of
    /// the error budget, for an objective).
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
            // Without a value in the baseline there is nothing to be worse than.
            (None, _) => return Ok(Check { passed: true, ..missing("had no value in the baseline") }),
            (Some(_), None) => return Ok(missing("has no value any more")),
        };
        let quantity = result.figures[figure].quantity;
        let mean = |values: &[f64]| values.iter().copied().collect::<Running>().mean().unwrap_or(0.0);
        let (sign, allowed) = match quantity {
            Metric::Attainment(index) => {
                (-1.0, margin * scenario.objectives.get(index).map_or(0.0, |o| o.target.complement().get()))
            }
            _ => (1.0, margin * mean(&before).abs()),
        };
        let worse = |values: &[f64]| values.iter().map(|value| sign * value).collect::<Vec<f64>>();
        let difference = PairedDifference::of(&worse(&before), &worse(&now), result.level);
        // The epsilon covers rounding of differences and margin.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline(figures: &[(&str, &[Option<f64>])]) -> Baseline {
        let kept = figures.iter().map(|(name, values)| (name.to_string(), values.to_vec())).collect();
        Baseline { seed: 3, policies: BTreeMap::from([("a \"quoted\" one".to_string(), kept)]) }
    }

    #[test]
    fn a_file_read_back_is_what_was_written_and_has_a_figure_a_line() {
        let written = baseline(&[
            ("cost", &[Some(0.1 + 0.2), Some(1e-300), Some(12_345.678_9)]),
            ("p99", &[None, Some(0.5)]),
            ("service.x.p99", &[]),
        ]);
        let text = written.text();
        assert_eq!(Baseline::parse(&text), Ok(written));
        let line = |name: &str| text.lines().find(|line| line.contains(name)).unwrap().to_string();
        assert!(
            line("cost").starts_with("      \"cost\": { \"mean\": 4115.33, \"replications\": [0.30000000000000004, ")
        );
        assert!(line("\"p99\"").ends_with("{ \"mean\": null, \"replications\": [null, 0.5] },"), "{text}");
        assert!(Baseline::parse(&text.replace("4115.33", "4115.43")).is_err());
        assert!(Baseline::parse(&text.replace("4115.33", "null")).is_err());
        let nothing = Baseline { seed: 1, policies: BTreeMap::new() };
        assert_eq!(Baseline::parse(&nothing.text()), Ok(nothing));
    }

    #[test]
    fn only_what_changed_is_a_change() {
        let before = baseline(&[("cost", &[Some(1.0), Some(3.0)]), ("gone", &[Some(1.0)]), ("same", &[Some(1.0)])]);
        let after = baseline(&[("cost", &[Some(2.0), Some(3.0), Some(9.0)]), ("new", &[None]), ("same", &[Some(1.0)])]);
        let found = after.changes(&before, &[]);
        let brief: Vec<_> = found.iter().map(|c| (c.figure.as_str(), c.before, c.after, c.relative())).collect();
        let expected =
            [("cost", Some(2.0), Some(2.5), Some(0.25)), ("gone", Some(1.0), None, None), ("new", None, None, None)];
        assert_eq!(brief, expected);
    }
}
