//! Ratios that must not be confused: a rate per second, a share between 0 and 1, and a utilization, which may exceed 1.

use super::text::{UnitError, number, split_number};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const EXPECTED_RATE: &str = "a rate such as `1200/s`, `90/m` or `5000/h`";
const EXPECTED_FRACTION: &str = "a share such as `99.9%` or `0.999`";
const EXPECTED_UTILIZATION: &str = "a utilization such as `70%` or `0.7`";

/// Events per second; finite and never negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Rate(f64);

/// A share between 0 and 1 inclusive (a probability, an objective, an error budget).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Fraction(f64);

/// Usage divided by capacity; above 1 if more is used than was requested.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Utilization(f64);

impl Rate {
    /// A rate of `per_second` events per second.
    ///
    /// # Errors
    /// If it is NaN, infinite or negative.
    pub fn per_second(per_second: f64) -> Result<Self, UnitError> {
        non_negative(per_second, EXPECTED_RATE).map(Rate)
    }

    /// Events per second.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Fraction {
    type Error = UnitError;

    fn try_from(value: f64) -> Result<Self, UnitError> {
        Fraction::new(value)
    }
}

impl From<Fraction> for f64 {
    fn from(share: Fraction) -> f64 {
        share.get()
    }
}

impl Fraction {
    /// All of it.
    pub const ONE: Fraction = Fraction(1.0);

    /// The share `value`.
    ///
    /// # Errors
    /// If it is not between 0 and 1.
    pub fn new(value: f64) -> Result<Self, UnitError> {
        let value = non_negative(value, EXPECTED_FRACTION)?;
        if value > 1.0 {
            return Err(UnitError::new(EXPECTED_FRACTION, format!("{value} is more than 1")));
        }
        Ok(Fraction(value))
    }

    /// The share as a number between 0 and 1.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// One minus this share.
    pub fn complement(self) -> Fraction {
        Fraction(1.0 - self.0)
    }
}

impl Utilization {
    /// The utilization `value` (1 = fully used).
    ///
    /// # Errors
    /// If it is NaN, infinite or negative.
    pub fn new(value: f64) -> Result<Self, UnitError> {
        non_negative(value, EXPECTED_UTILIZATION).map(Utilization)
    }

    /// The utilization of `percent` percent.
    pub const fn from_percent(percent: u32) -> Self {
        Utilization(percent as f64 / 100.0)
    }

    /// Usage divided by capacity.
    pub const fn get(self) -> f64 {
        self.0
    }
}

fn non_negative(value: f64, expected: &str) -> Result<f64, UnitError> {
    if !value.is_finite() {
        return Err(UnitError::new(expected, format!("{value} is not finite")));
    }
    if value < 0.0 {
        return Err(UnitError::new(expected, format!("{value} is negative")));
    }
    Ok(value)
}

/// Reads `70%` or `0.7`.
fn percent_or_plain(text: &str, expected: &str) -> Result<f64, UnitError> {
    let whole = text.trim();
    let (digits, unit) = split_number(whole);
    let value = number(digits, whole, expected)?;
    match unit {
        "%" => Ok(value / 100.0),
        "" => Ok(value),
        other => Err(UnitError::new(expected, format!("`{whole}` has an unknown unit `{other}`"))),
    }
}

impl FromStr for Rate {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let whole = text.trim();
        let (digits, unit) = split_number(whole);
        let value = number(digits, whole, EXPECTED_RATE)?;
        let seconds = match unit {
            "/s" | "rps" | "req/s" | "qps" => 1.0,
            "/m" | "/min" | "rpm" => 60.0,
            "/h" => 3600.0,
            "/d" => 86_400.0,
            "" => {
                let error = UnitError::new(EXPECTED_RATE, format!("`{whole}` has no unit"));
                return Err(error.suggest(format!("{digits}/s")));
            }
            other => return Err(UnitError::new(EXPECTED_RATE, format!("`{other}` is not a unit of rate"))),
        };
        Ok(Rate(value / seconds))
    }
}

impl FromStr for Fraction {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let value = percent_or_plain(text, EXPECTED_FRACTION)?;
        Fraction::new(value).map_err(|e| {
            let suggestion = (value <= 100.0 && !text.contains('%')).then(|| format!("{}%", text.trim()));
            UnitError { suggestion, ..e }
        })
    }
}

impl FromStr for Utilization {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        percent_or_plain(text, EXPECTED_UTILIZATION).map(Utilization)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/s", self.0))
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&percent(self.0))
    }
}

impl fmt::Display for Utilization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&percent(self.0))
    }
}

/// A share as a percentage without floating-point noise (`99.9%`, not `99.90000000000001%`).
fn percent(value: f64) -> String {
    let text = format!("{:.9}", value * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints() {
        assert_eq!("1200/s".parse::<Rate>().unwrap().get(), 1200.0);
        assert_eq!("90/m".parse::<Rate>().unwrap().get(), 1.5);
        assert_eq!("99.9%".parse::<Fraction>().unwrap().to_string(), "99.9%");
        assert_eq!("0.7".parse::<Utilization>().unwrap().to_string(), "70%");
        assert_eq!("150%".parse::<Utilization>().unwrap().get(), 1.5);
    }

    #[test]
    fn refuses_with_a_suggestion() {
        assert_eq!("1200".parse::<Rate>().unwrap_err().suggestion.as_deref(), Some("1200/s"));
        assert_eq!("99.9".parse::<Fraction>().unwrap_err().suggestion.as_deref(), Some("99.9%"));
        assert!("120%".parse::<Fraction>().is_err());
        assert!("-1/s".parse::<Rate>().is_err());
    }
}
