//! The conformance vectors of the autoscalers: facts from the tests of the real projects, run through the code used by
//! the simulation.

mod aws;
pub mod hpa;
mod keda;
mod knative;
mod node_autoscalers;
mod reading;
mod vpa;

use serde_json::Value;

use crate::support::prove;

/// One case of a file.
pub struct Case<'a> {
    /// Name of the file, without directory.
    pub file: &'a str,
    /// The function to call.
    pub kind: &'a str,
    /// Its arguments.
    pub input: &'a Value,
}

/// The result of a case: the values under the names used in `expected`, or the reason why it cannot be run.
pub type Actual = Result<Value, String>;

#[test]
fn autoscaling() {
    prove("autoscaling", |file, _, case| check(file, case));
}

#[test]
fn autoscaling_recorded() {
    prove("autoscaling-recorded", |file, _, case| check(file, case));
}

/// The program that a case is of, by the prefix of its file; in the file that mixes all, by its kind.
fn program<'a>(file: &'a str, kind: &str) -> Option<&'a str> {
    let prefix = file.split('_').next()?;
    Some(match (prefix, kind) {
        ("other", "decider_sequence") => "kpa",
        ("other", "histogram" | "decaying_histogram") => "vpa",
        ("other", "allowed") => "karpenter",
        ("other", "least_waste") => "ca",
        ("other", "request_scale" | "fallback_metric") => "keda",
        _ => prefix,
    })
}

fn check(file: &str, case: &Value) -> Result<(), String> {
    let kind = case["kind"].as_str().ok_or("the case has no kind")?;
    let expected = case["expected"].as_object().ok_or("the case expects nothing")?;
    if expected.is_empty() {
        return Err("the case expects nothing".into());
    }
    let case = Case { file, kind, input: &case["input"] };
    let actual = match program(file, kind) {
        Some("aws") => aws::run(&case)?,
        Some("ca" | "karpenter") => node_autoscalers::run(&case)?,
        Some("hpa") => hpa::run(&case)?,
        Some("keda") => keda::run(&case)?,
        Some("kpa") => knative::run(&case)?,
        Some("vpa") => vpa::run(&case)?,
        _ => return Err("no autoscaler is known under the prefix of this file".into()),
    };
    let null_is_free = file.starts_with("hpa_normalization");
    let within = Within::of(&case);
    let mut wrong = Vec::new();
    for (key, wanted) in expected.iter().filter(|(_, wanted)| !(null_is_free && wanted.is_null())) {
        match actual.get(key) {
            Some(found) if within.same(wanted, found) => {}
            Some(found) => wrong.push(format!("{key} is {found}, expected {wanted}")),
            None => wrong.push(format!("`{key}` is not produced, expected {wanted}")),
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

/// How a found value is compared with the wanted one.
struct Within {
    /// Largest relative difference of a fractional number.
    relative: f64,
    /// Difference that is always allowed.
    absolute: f64,
    /// Whether a step of a sequence asserts only what it names.
    steps_are_partial: bool,
}

impl Within {
    /// As the notes of the files state it.
    fn of(case: &Case<'_>) -> Within {
        let (relative, absolute) = match (case.file, case.kind) {
            (_, "smoothing_coefficient") => (1e-4, 0.0),
            // To three decimals.
            ("kpa_aggregation.json", "weighted_buckets") => (0.0, 5e-4),
            // Averages of windows are rounded to 6 decimals.
            ("kpa_recorded_aggregation.json" | "kpa_recorded_pipeline.json", _) => (1e-12, 2e-6),
            // Bucket boundaries depend on the last bit of a power, and amounts are cut to whole numbers.
            (_, "recommendation_sequence") => (1e-7, 1.0),
            ("vpa_estimator.json", "percentile") => (0.05, 0.0),
            ("vpa_recorded_histogram.json", _) => (1e-9, 0.0),
            _ => (1e-12, 0.0),
        };
        let steps_are_partial = matches!(case.kind, "decider_sequence" | "pipeline");
        Within { relative, absolute, steps_are_partial }
    }

    fn near(&self, wanted: f64, found: f64) -> bool {
        (wanted - found).abs() <= (self.relative * wanted.abs().max(found.abs())).max(self.absolute)
    }

    /// Equal; fractional numbers within the tolerance.
    fn same(&self, wanted: &Value, found: &Value) -> bool {
        match (wanted, found) {
            (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
                (Some(a), Some(b)) if self.absolute == 0.0 => a == b,
                _ => a.as_f64().zip(b.as_f64()).is_some_and(|(a, b)| self.near(a, b)),
            },
            (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.same(a, b)),
            (Value::Object(a), Value::Object(b)) => {
                (self.steps_are_partial || a.len() == b.len())
                    && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| self.same(a, b)))
            }
            _ => wanted == found,
        }
    }
}
