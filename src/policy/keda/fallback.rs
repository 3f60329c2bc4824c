//! What is reported in place of a metric that fails.
//!
//! Source: `pkg/fallback/fallback.go` of kedacore/keda.

use std::collections::BTreeMap;

use super::scaled_object::Modifiers;

/// The name of the metric that a formula makes.
pub const COMPOSITE: &str = "composite-metric";

/// What the size is while a metric fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Behavior {
    /// `replicas`.
    #[default]
    Static,
    /// The present size.
    Current,
    /// The larger of both.
    CurrentIfHigher,
    /// The smaller of both.
    CurrentIfLower,
    /// The formula sees nil.
    ScalingModifiers,
}

impl Behavior {
    /// The behavior of a name; an empty one is the default.
    pub fn named(name: &str) -> Option<Behavior> {
        Some(match name {
            "" | "static" => Behavior::Static,
            "currentReplicas" => Behavior::Current,
            "currentReplicasIfHigher" => Behavior::CurrentIfHigher,
            "currentReplicasIfLower" => Behavior::CurrentIfLower,
            "scalingModifiers" => Behavior::ScalingModifiers,
            _ => return None,
        })
    }
}

/// `fallback` of a ScaledObject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fallback {
    /// Failures in a row after which it applies.
    pub threshold: i32,
    /// Replicas.
    pub replicas: i32,
    /// What the size is.
    pub behavior: Behavior,
}

/// A target of the HPA, per replica or for all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// The target, in thousandths.
    pub milli: i64,
    /// Whether it is a `Value`; otherwise an `AverageValue`.
    pub is_value: bool,
}

/// Failures in a row of one metric.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Health {
    /// Failures.
    pub failures: i32,
    /// Whether the last answer was one.
    pub is_failing: bool,
}

/// What is reported of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported {
    /// The metric, or the composite one.
    pub name: String,
    /// The value, in thousandths; `None` if there is an error.
    pub milli: Option<i64>,
    /// Whether the value stands in for one that failed.
    pub is_fallback: bool,
}

/// The failures of all metrics of a ScaledObject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failures {
    /// By metric.
    pub health: BTreeMap<String, Health>,
    /// Whether a metric has failed too often; `None` if never determined.
    pub is_falling_back: Option<bool>,
}

/// The replicas of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workload {
    /// Its size.
    pub replicas: i32,
    /// Replicas that are running and ready.
    pub ready: i32,
}

impl Fallback {
    /// Checks it, against the targets of the triggers (`is_value`, of a resource: `None`) and the modifiers.
    pub fn is_valid(&self, modifiers: Option<&Modifiers>) -> bool {
        let positive = |text: &str| text.parse::<i64>().is_ok_and(|target| target > 0);
        let fits = modifiers.filter(|stated| stated.is_used()).is_none_or(|stated| positive(&stated.target));
        self.threshold >= 0 && self.replicas >= 0 && fits
    }

    fn size(&self, current: i32) -> i32 {
        match self.behavior {
            Behavior::Static | Behavior::ScalingModifiers => self.replicas,
            Behavior::Current => current,
            Behavior::CurrentIfHigher => current.max(self.replicas),
            Behavior::CurrentIfLower => current.min(self.replicas),
        }
    }
}

impl Failures {
    /// What is reported of the metric `name` that yields `value` (in thousandths), or failed.
    pub fn report(
        &mut self,
        name: &str,
        value: Option<i64>,
        fallback: Option<&Fallback>,
        modifiers: Option<&Modifiers>,
        target: Target,
        workload: Workload,
    ) -> Reported {
        let plain = Reported { name: name.to_owned(), milli: value, is_fallback: false };
        let modifiers = modifiers.filter(|stated| stated.is_used());
        let Some(fallback) = fallback.filter(|fallback| fallback.is_valid(modifiers)) else { return plain };
        let health = self.health.entry(name.to_owned()).or_default();
        let failures = if value.is_some() { 0 } else { health.failures.saturating_add(1) };
        *health = Health { failures, is_failing: value.is_none() };
        let is_over = |health: &Health| health.is_failing && health.failures > fallback.threshold;
        self.is_falling_back = Some(self.health.values().any(is_over));
        if value.is_some() || failures <= fallback.threshold {
            return plain;
        }
        if fallback.behavior == Behavior::ScalingModifiers {
            // A placeholder: the formula decides.
            return Reported { milli: Some(-1000), ..plain };
        }
        let target = match modifiers {
            Some(stated) => Target {
                milli: stated.target.parse::<i64>().unwrap_or(0).saturating_mul(1000),
                is_value: stated.is_value,
            },
            None => target,
        };
        let name = if modifiers.is_some() { COMPOSITE.to_owned() } else { plain.name };
        match stand_in(target, fallback.size(workload.replicas), workload.ready) {
            Some(milli) => Reported { name, milli: Some(milli), is_fallback: true },
            None => Reported { name, milli: None, is_fallback: false },
        }
    }
}

/// The value at which the HPA arrives at `size` replicas, in thousandths; `None` if no replica is ready to divide by.
fn stand_in(target: Target, size: i32, ready: i32) -> Option<i64> {
    let total = target.milli as f64 * f64::from(size);
    if !target.is_value {
        return Some(total as i64);
    }
    (ready != 0).then(|| (total / f64::from(ready)) as i64)
}
