//! The specification of a ScaledObject, as far as it decides.
//!
//! Source: `apis/keda/v1alpha1/scaledobject_types.go` of kedacore/keda.

use std::collections::BTreeMap;

use super::fallback::Fallback;
use crate::units::SimDuration;

/// The prefix of KEDA's annotations.
pub const ANNOTATIONS: &str = "autoscaling.keda.sh/";
/// The largest size where none is stated.
pub const MAX_REPLICAS: i32 = 100;

/// A ScaledObject.
#[derive(Debug, Clone, PartialEq)]
pub struct ScaledObject {
    /// `minReplicaCount`; zero if not stated.
    pub min: Option<i32>,
    /// `maxReplicaCount`.
    pub max: Option<i32>,
    /// `idleReplicaCount`.
    pub idle: Option<i32>,
    /// `pollingInterval`.
    pub polling: SimDuration,
    /// `cooldownPeriod`.
    pub cooldown: SimDuration,
    /// `initialCooldownPeriod`.
    pub initial_cooldown: SimDuration,
    /// `fallback`.
    pub fallback: Option<Fallback>,
    /// `advanced.scalingModifiers`.
    pub modifiers: Option<Modifiers>,
    /// Annotations, by full name.
    pub annotations: BTreeMap<String, String>,
}

impl Default for ScaledObject {
    fn default() -> Self {
        ScaledObject {
            min: None,
            max: None,
            idle: None,
            polling: SimDuration::from_secs(30),
            cooldown: SimDuration::from_secs(300),
            initial_cooldown: SimDuration::ZERO,
            fallback: None,
            modifiers: None,
            annotations: BTreeMap::new(),
        }
    }
}

/// `advanced.scalingModifiers`: one metric made of all triggers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Modifiers {
    /// The expression.
    pub formula: String,
    /// The target.
    pub target: String,
    /// From which value it is active.
    pub activation_target: String,
    /// Whether the target is a `Value`; otherwise it is an `AverageValue`.
    pub is_value: bool,
}

impl Modifiers {
    /// Whether anything is stated.
    pub fn is_used(&self) -> bool {
        !self.formula.is_empty() || !self.target.is_empty()
    }
}

/// Whether an annotation is given and not `false`: what is no truth value counts as true.
pub fn is_on(annotation: Option<&str>) -> bool {
    annotation.is_some_and(|text| !matches!(text, "0" | "f" | "F" | "FALSE" | "false" | "False"))
}

impl ScaledObject {
    /// The value of an annotation of KEDA.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.get(&format!("{ANNOTATIONS}{name}")).map(String::as_str)
    }

    /// The bounds of the HPA.
    pub fn hpa_bounds(&self) -> (i32, i32) {
        let least = self.min.filter(|min| *min > 0).unwrap_or(1);
        (least, self.max.filter(|max| *max > 0).unwrap_or(MAX_REPLICAS))
    }

    /// Checks the bounds.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check_bounds(&self) -> Result<(), String> {
        let (least, most) = (self.min.unwrap_or(0), self.hpa_bounds().1);
        if least > most {
            return Err(format!("`minReplicaCount` ({least}) is above `maxReplicaCount` ({most})"));
        }
        match self.idle {
            Some(idle) if idle >= least => {
                Err(format!("`idleReplicaCount` ({idle}) must be below `minReplicaCount` ({least})"))
            }
            _ => Ok(()),
        }
    }

    /// Whether scaling is paused.
    pub fn is_paused(&self) -> bool {
        self.annotation("paused-replicas").is_some() || is_on(self.annotation("paused"))
    }

    /// Whether an annotation that pauses is given, whatever its value.
    pub fn has_pause(&self) -> bool {
        ["paused", "paused-replicas"].iter().any(|name| self.annotation(name).is_some())
    }

    /// The size at which it is paused.
    ///
    /// # Errors
    /// The text, if it is no number.
    pub fn paused_at(&self) -> Result<Option<i32>, String> {
        let Some(text) = self.annotation("paused-replicas") else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("`{text}` is not a number of replicas"))
    }

    /// The size without activity, and whether it is the idle one.
    pub fn idle_or_least(&self) -> (bool, i32) {
        match self.idle {
            Some(idle) => (true, idle),
            None => (false, self.min.unwrap_or(0)),
        }
    }
}
