//! Shared by the parsers of this module: numbers followed by a unit, and an error that states what was expected.

use std::fmt;

/// A text that is not a valid quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitError {
    /// What was expected, with an example ("a duration such as `15s` or `250ms`").
    pub expected: String,
    /// What is wrong with the text.
    pub problem: String,
    /// The probable intention, as a replacement text.
    pub suggestion: Option<String>,
}

impl UnitError {
    pub(crate) fn new(expected: &str, problem: impl Into<String>) -> Self {
        UnitError { expected: expected.to_string(), problem: problem.into(), suggestion: None }
    }

    pub(crate) fn suggest(mut self, text: impl Into<String>) -> Self {
        self.suggestion = Some(text.into());
        self
    }
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}", self.problem, self.expected)?;
        match &self.suggestion {
            Some(text) => write!(f, " (did you mean `{text}`?)"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UnitError {}

/// Splits `"12.5ms"` into `("12.5", "ms")`: the longest prefix that can be part of a decimal number, and the rest
/// without surrounding white space. A trailing `e` or `E` belongs to the number only if digits follow.
pub(super) fn split_number(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let mut end = 0;
    while end < bytes.len() {
        let c = bytes[end];
        let exponent = (c == b'e' || c == b'E')
            && end > 0
            && match bytes.get(end + 1) {
                Some(b'+' | b'-') => bytes.get(end + 2).is_some_and(u8::is_ascii_digit),
                next => next.is_some_and(u8::is_ascii_digit),
            };
        let sign = (c == b'+' || c == b'-') && (end == 0 || matches!(bytes[end - 1], b'e' | b'E'));
        if !(c.is_ascii_digit() || c == b'.' || exponent || sign || (c == b'_' && end > 0)) {
            break;
        }
        end += 1;
    }
    (text[..end].trim(), text[end..].trim())
}

/// Parses the number: finite and not negative, with an error for each violation.
pub(super) fn number(text: &str, whole: &str, expected: &str) -> Result<f64, UnitError> {
    let cleaned = text.replace('_', "");
    if cleaned.is_empty() {
        return Err(UnitError::new(expected, format!("`{whole}` has no number")));
    }
    let value: f64 = cleaned.parse().map_err(|_| UnitError::new(expected, format!("`{whole}` is not a number")))?;
    if !value.is_finite() {
        return Err(UnitError::new(expected, format!("`{whole}` is not finite")));
    }
    if value < 0.0 {
        return Err(UnitError::new(expected, format!("`{whole}` is negative")));
    }
    Ok(value)
}

/// Rounds a non-negative finite number to the nearest `u64`; an error if it does not fit.
pub(super) fn round_to_u64(value: f64, expected: &str) -> Result<u64, UnitError> {
    if value.is_nan() {
        return Err(UnitError::new(expected, "not a number"));
    }
    if value < 0.0 {
        return Err(UnitError::new(expected, "negative"));
    }
    // 2^64 is exact in binary64; this value and anything above does not fit.
    if value >= 18_446_744_073_709_551_616.0 {
        return Err(UnitError::new(expected, "too large"));
    }
    Ok(value.round() as u64)
}
