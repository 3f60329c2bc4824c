//! Reads the values of cases.

use serde_json::Value;

use plimsoll::units::SimDuration;

pub fn number(value: &Value) -> Result<f64, String> {
    value.as_f64().ok_or_else(|| format!("{value} is not a number"))
}

pub fn whole(value: &Value) -> Result<i64, String> {
    let whole = value.as_i64().or_else(|| value.as_f64().filter(|n| n.fract() == 0.0).map(|n| n as i64));
    whole.ok_or_else(|| format!("{value} is not a whole number"))
}

pub fn int(value: &Value) -> Result<i32, String> {
    i32::try_from(whole(value)?).map_err(|e| e.to_string())
}

pub fn count(value: &Value) -> Result<u32, String> {
    u32::try_from(whole(value)?).map_err(|e| e.to_string())
}

pub fn truth(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("{value} is neither true nor false"))
}

pub fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("{value} is not a text"))
}

/// `None` for null and for what is not there.
pub fn optional<T>(value: &Value, read: impl Fn(&Value) -> Result<T, String>) -> Result<Option<T>, String> {
    if value.is_null() { Ok(None) } else { read(value).map(Some) }
}

pub fn list(value: &Value) -> Result<&Vec<Value>, String> {
    value.as_array().ok_or_else(|| format!("{value} is not a list"))
}

/// Seconds.
pub fn span(value: &Value) -> Result<SimDuration, String> {
    SimDuration::from_secs_f64(number(value)?).map_err(|e| format!("{value}: {e}"))
}
