//! AWS scaling policies: converts a case's input to the library's functions and back.

use serde_json::{Value, json};

use plimsoll::policy::aws::adjust::{
    AdjustmentType, Step, adjusted, largest, predictive_maximum, round_percent, round_tracking, step_at,
};

use super::reading::{list, number, optional, text};
use super::{Actual, Case};

/// Runs one case.
pub fn run(case: &Case<'_>) -> Actual {
    let input = case.input;
    match case.kind {
        "step" => step(input),
        "percent_rounding" => Ok(json!({ "change": round_percent(number(&input["change"])?) })),
        "adjustment" => {
            let least = optional(&input["min_adjustment_magnitude"], number)?;
            let capacity = number(&input["capacity"])?;
            Ok(json!({ "capacity": adjusted(kind(input)?, number(&input["adjustment"])?, capacity, least) }))
        }
        "several_policies" => {
            let proposals = list(&input["proposals"])?.iter().map(number).collect::<Result<Vec<_>, _>>()?;
            Ok(json!({ "capacity": largest(proposals) }))
        }
        "target_tracking_rounding" => Ok(json!({ "change": round_tracking(number(&input["instances_to_change"])?) })),
        "predictive_max" => {
            let (forecast, maximum) = (number(&input["forecast_capacity"])?, number(&input["max_capacity"])?);
            let buffer = optional(&input["buffer_percent"], number)?;
            Ok(json!({ "effective_max": predictive_maximum(forecast, maximum, buffer) }))
        }
        other => Err(format!("`{other}` is not a kind of case that is known here")),
    }
}

fn kind(value: &Value) -> Result<AdjustmentType, String> {
    let name = text(&value["adjustment_type"])?;
    AdjustmentType::named(name).ok_or_else(|| format!("`{name}` is not an adjustment"))
}

fn step(input: &Value) -> Actual {
    let policy = &input["policy"];
    let is_above = match text(&policy["direction"])? {
        "out" => true,
        "in" => false,
        other => return Err(format!("`{other}` is not a direction")),
    };
    let mut steps = Vec::new();
    for step in list(&policy["steps"])? {
        let (lower, upper) = (optional(&step["lower"], number)?, optional(&step["upper"], number)?);
        steps.push(Step { lower, upper, adjustment: number(&step["adjustment"])? });
    }
    let capacity = number(&input["capacity"])?;
    let distance = number(&input["metric"])? - number(&policy["threshold"])?;
    let found = step_at(&steps, distance, is_above);
    let after = match found {
        Some(step) => adjusted(kind(policy)?, step.adjustment, capacity, None),
        None => capacity,
    };
    Ok(json!({ "capacity": after }))
}
