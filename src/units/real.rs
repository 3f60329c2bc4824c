//! Binary64 in stored results (`#[serde(with = "crate::units::real")]`). JSON has no infinity and no NaN, so they are
//! written as strings.

use serde::{Deserialize, Deserializer, Serializer};

#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Number(f64),
    Word(String),
}

/// Writes a finite value as a number, any other as a string.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() { serializer.serialize_f64(*value) } else { serializer.serialize_str(&value.to_string()) }
}

/// Reads what [`serialize`] wrote.
///
/// # Errors
/// Those of the deserializer, and a string that is not a number.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    match Stored::deserialize(deserializer)? {
        Stored::Number(value) => Ok(value),
        Stored::Word(word) => word.parse().map_err(serde::de::Error::custom),
    }
}
