//! The conformance vectors of the autoscalers of model serving: recordings of the real programs and facts from their
//! tests, run through the code used by the simulation.

mod agones;
mod aibrix;
mod dynamo;
mod kthena;
mod llmd;
mod managed;
mod ray_serve;

use serde_json::Value;

use crate::support::prove_those;

/// Kinds of cases that are not modelled yet: forecasts of libraries, which depend on their optimisers.
const NOT_MODELLED_KINDS: [&str; 2] = ["arima", "prophet"];

/// The result of a case under the names used in `expected`, or the reason why it cannot be run.
type Actual = Result<Value, String>;

#[test]
fn serving_autoscalers() {
    let modelled = |case: &Value| NOT_MODELLED_KINDS.iter().all(|kind| case["kind"] != *kind);
    prove_those("serving-autoscalers", modelled, |file, _, case| check(file, case));
}

fn check(file: &str, case: &Value) -> Result<(), String> {
    let kind = case["kind"].as_str().ok_or("the case has no kind")?;
    let input = &case["input"];
    let actual = match file {
        _ if file.starts_with("agones") => agones::run(kind, input)?,
        _ if file.starts_with("aibrix") => aibrix::run(kind, input)?,
        _ if file.starts_with("dynamo") => dynamo::run(kind, input, &case["expected"])?,
        _ if file.starts_with("hpa") => hpa(file, kind, input)?,
        _ if file.starts_with("kserve") => managed::run(kind, input)?,
        _ if file.starts_with("kthena") => kthena::run(kind, input)?,
        _ if file.starts_with("llmd") => llmd::run(kind, input)?,
        _ if file.starts_with("ray_serve") => ray_serve::run(kind, input)?,
        _ => return Err("no autoscaler is known under the name of this file".into()),
    };
    // The capacity of an engine that cannot hold a request.
    if case.get("expected") == Some(&Value::Null) {
        return if actual.is_null() { Ok(()) } else { Err(format!("there is a result, {actual}")) };
    }
    let expected = case["expected"].as_object().filter(|e| !e.is_empty()).ok_or("the case expects nothing")?;
    let mut wrong = Vec::new();
    for (key, wanted) in expected {
        match actual.get(key) {
            Some(found) if same(wanted, found, 1e-9) => {}
            Some(found) => wrong.push(format!("{key} is {found}, expected {wanted}")),
            None => wrong.push(format!("`{key}` is not produced, expected {wanted}")),
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

/// The HPA itself.
fn hpa(file: &str, kind: &str, input: &Value) -> Actual {
    use crate::reference_autoscaling::{Case, hpa};
    hpa::run(&Case { file, kind, input })
}

/// Equal; numbers to `tolerance`, relative above 1 and absolute below.
fn same(wanted: &Value, found: &Value, tolerance: f64) -> bool {
    match (wanted, found) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64(), a.as_f64(), b.as_f64()) {
            (Some(a), Some(b), ..) => a == b,
            (.., Some(a), Some(b)) => (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0),
            _ => false,
        },
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b, tolerance)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b, tolerance)))
        }
        _ => wanted == found,
    }
}

/// The number under `key`.
///
/// # Panics
/// If there is none: the case is then one failure.
fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("`{key}` is not a number in {value}"))
}

/// The integer under `key`.
///
/// # Panics
/// If there is none.
fn integer(value: &Value, key: &str) -> i64 {
    value[key].as_i64().unwrap_or_else(|| panic!("`{key}` is not an integer in {value}"))
}

/// The elements under `key`.
///
/// # Panics
/// If it is not a list.
fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("`{key}` is not a list in {value}"))
}
