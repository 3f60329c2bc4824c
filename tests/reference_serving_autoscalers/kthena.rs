//! kthena: rows of its tests.

use std::collections::BTreeMap;

use plimsoll::policy::kthena::algorithm::{
    Behavior, Recommendation, Remembered, Role, Select, StepLimit, corrected, with_ratio,
};
use serde_json::{Value, json};

use super::{Actual, integer, list, number};

pub fn run(kind: &str, input: &Value) -> Actual {
    Ok(match kind {
        "recommend" => {
            let size = recommendation(input).size();
            json!({ "replicas": size, "skip": size.is_none() })
        }
        "correct" => correct(input)?,
        "role_ratio" => role_ratio(input)?,
        _ => return Err(format!("unknown kind `{kind}`")),
    })
}

fn metrics(value: &Value) -> BTreeMap<String, f64> {
    let entries = value.as_object().unwrap_or_else(|| panic!("{value} are no metrics"));
    entries.keys().map(|name| (name.clone(), number(value, name))).collect()
}

fn recommendation(input: &Value) -> Recommendation {
    Recommendation {
        bounds: (integer(input, "min"), integer(input, "max")),
        current: integer(input, "current"),
        tolerance: number(input, "tolerance"),
        targets: metrics(&input["targets"]),
        unready: integer(input, "unready"),
        ready_metrics: list(input, "ready_metrics").iter().map(metrics).collect(),
        external: metrics(&input["external"]),
    }
}

fn correct(input: &Value) -> Actual {
    let of = &input["behavior"];
    let select = |name: &str| match of[name].as_str() {
        Some("Or") => Select::Or,
        Some("And") => Select::And,
        _ => Select::Neither,
    };
    let limit = |direction: &str| StepLimit {
        instances: integer(of, &format!("{direction}_instances")),
        percent: integer(of, &format!("{direction}_percent")),
        select: select(&format!("{direction}_select")),
    };
    let behavior = Behavior { down: limit("down"), up: limit("up"), panic_percent: integer(of, "panic_percent") };
    let mut past = Remembered::default();
    for (name, value) in input["history"].as_object().ok_or("no history")? {
        let place = match name.as_str() {
            "max_recommendation" => &mut past.max_recommendation,
            "min_recommendation" => &mut past.min_recommendation,
            "max_corrected" => &mut past.max_corrected,
            "min_corrected" | "min_corrected_stable" | "min_corrected_for_stable" => &mut past.min_corrected,
            "min_corrected_panic" | "min_corrected_for_panic" => &mut past.min_corrected_in_panic,
            _ => return Err(format!("unknown history `{name}`")),
        };
        *place = value.as_i64();
    }
    let bounds = (integer(input, "min"), integer(input, "max"));
    let (recommended, current) = (integer(input, "recommended"), integer(input, "current"));
    json_of(corrected(recommended, current, bounds, input["panic"] == true, &behavior, &past))
}

fn json_of(replicas: i64) -> Actual {
    Ok(json!({ "replicas": replicas }))
}

fn role_ratio(input: &Value) -> Actual {
    let constraint = &input["constraint"];
    let name = |of: &str| constraint[of].as_str().ok_or(format!("no {of}"));
    let role = |name: &str| {
        let bounds = list(&input["bounds"], name);
        let bound = |index: usize| bounds[index].as_i64().unwrap_or_else(|| panic!("bounds of {name}"));
        Role { replicas: integer(&input["replicas"], name), bounds: (bound(0), bound(1)) }
    };
    let (above, below) = (name("numerator")?, name("denominator")?);
    let (min, max) = (number(constraint, "min_ratio"), number(constraint, "max_ratio"));
    let (numerator, denominator) = with_ratio(role(above), role(below), min, max);
    let mut replicas = input["replicas"].clone();
    (replicas[above], replicas[below]) = (json!(numerator), json!(denominator));
    Ok(json!({ "replicas": replicas }))
}
