//! How a scaling policy changes a capacity.
//!
//! Source: the Amazon EC2 Auto Scaling user guide ("Step and simple scaling policies", "Target tracking scaling policies",
//! "Predictive scaling"). AWS publishes no implementation.

/// What an adjustment means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AdjustmentType {
    /// It is added.
    #[default]
    ChangeInCapacity,
    /// It is a percentage that is added.
    PercentChangeInCapacity,
    /// It is the new capacity.
    ExactCapacity,
}

impl AdjustmentType {
    /// The type of a name, as AWS spells it or in lower case with hyphens.
    pub fn named(name: &str) -> Option<AdjustmentType> {
        Some(match name {
            "ChangeInCapacity" | "change" => AdjustmentType::ChangeInCapacity,
            "PercentChangeInCapacity" | "percent" => AdjustmentType::PercentChangeInCapacity,
            "ExactCapacity" | "exact" => AdjustmentType::ExactCapacity,
            _ => return None,
        })
    }
}

/// A step: from a distance to the threshold up to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Nearest bound below; `None` is any.
    pub lower: Option<f64>,
    /// Bound above; `None` is any.
    pub upper: Option<f64>,
    /// What is changed.
    pub adjustment: f64,
}

/// The whole number that a change by a fraction is rounded to: above 1 down, between 0 and 1 to 1, and the same below
/// zero.
pub fn round_percent(change: f64) -> f64 {
    if change == 0.0 {
        0.0
    } else if change.abs() < 1.0 {
        change.signum()
    } else {
        change.trunc()
    }
}

/// The whole number of instances for a fraction under target tracking: more are added, and fewer removed.
pub fn round_tracking(change: f64) -> f64 {
    change.ceil()
}

/// The capacity after an adjustment; a percentage changes it by at least `least`.
pub fn adjusted(kind: AdjustmentType, adjustment: f64, capacity: f64, least: Option<f64>) -> f64 {
    let after = match kind {
        AdjustmentType::ExactCapacity => adjustment,
        AdjustmentType::ChangeInCapacity => capacity + adjustment,
        AdjustmentType::PercentChangeInCapacity => {
            let change = round_percent(capacity * adjustment / 100.0);
            let least = least.filter(|_| change != 0.0).unwrap_or(0.0);
            capacity + change.signum() * change.abs().max(least)
        }
    };
    after.max(0.0)
}

/// The step for a metric at a distance from the threshold. Above it the lower bound belongs to a step, below it the upper
/// one.
pub fn step_at(steps: &[Step], distance: f64, is_above: bool) -> Option<&Step> {
    steps.iter().find(|step| {
        let (lower, upper) = (step.lower.unwrap_or(f64::NEG_INFINITY), step.upper.unwrap_or(f64::INFINITY));
        match is_above {
            true => lower <= distance && distance < upper,
            false => lower < distance && distance <= upper,
        }
    })
}

/// The capacity that results from what several policies propose: the largest.
pub fn largest(proposals: impl IntoIterator<Item = f64>) -> Option<f64> {
    proposals.into_iter().reduce(f64::max)
}

/// The largest capacity that a forecast may reach where it may exceed the maximum by a buffer, in percent.
pub fn predictive_maximum(forecast: f64, maximum: f64, buffer: Option<f64>) -> f64 {
    match buffer {
        None => maximum,
        Some(buffer) => maximum.max((forecast * (100.0 + buffer) / 100.0).ceil()),
    }
}
