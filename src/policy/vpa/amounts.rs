//! Amounts of resources: whole millicores and bytes, up to 10^14.
//!
//! Source: `vertical-pod-autoscaler/pkg/recommender/model/types.go` of kubernetes/autoscaler.

/// The largest amount.
pub const MOST: i64 = 100_000_000_000_000;

/// A CPU and a memory amount; `None` if not recommended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resources {
    /// Millicores.
    pub cpu: Option<i64>,
    /// Bytes.
    pub memory: Option<i64>,
}

/// A fraction as an amount: cut, at least 0 and at most the largest. What is not a number is 0.
pub fn amount(value: f64) -> i64 {
    if value > MOST as f64 { MOST } else { value.max(0.0) as i64 }
}

/// Cores as millicores.
pub fn from_cores(cores: f64) -> i64 {
    amount(cores * 1000.0)
}

/// Millicores as cores.
pub fn cores(millicores: i64) -> f64 {
    millicores as f64 / 1000.0
}

/// An amount times a factor.
pub fn scaled(original: i64, factor: f64) -> i64 {
    amount(original as f64 * factor)
}

/// The next multiple of `step`.
///
/// # Errors
/// If the step is not above zero.
pub fn rounded_up(original: i64, step: i64) -> Result<i64, String> {
    if step <= 0 {
        return Err(format!("a step of {step} is not above zero"));
    }
    match original.rem_euclid(step) {
        0 => Ok(original),
        rest => Ok(original.saturating_add(step - rest)),
    }
}

/// Bytes in the largest unit of which there is one, with two decimals.
pub fn humanized(bytes: i64) -> String {
    const UNITS: [(&str, i64); 4] = [("Ti", 1 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)];
    match UNITS.iter().find(|(_, size)| bytes >= *size) {
        Some((unit, size)) => format!("{:.2}{unit}", bytes as f64 / *size as f64),
        None => bytes.to_string(),
    }
}

/// Millicores rounded up to whole cores.
pub fn whole_cores(millicores: i64) -> i64 {
    rounded_up(millicores, 1000).unwrap_or(millicores)
}
