//! Money as an integer number of nano-dollars, so that totals are exact and independent of the order of addition.

use super::text::{UnitError, number, split_number};
use super::time::SimDuration;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Sub};
use std::str::FromStr;

const EXPECTED_USD: &str = "an amount of dollars such as `$40` or `$0.25`";
const EXPECTED_RATE: &str = "an hourly price such as `$0.096/h`";
const NANOS_PER_USD: f64 = 1e9;
const NANOS_PER_HOUR: i128 = 3_600_000_000_000;

/// An amount of money in nano-dollars (1e-9 US dollars). A difference may be negative, a cost never is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Usd(i128);

/// A price per hour in nano-dollars; never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UsdPerHour(u64);

impl Usd {
    /// Zero dollars.
    pub const ZERO: Usd = Usd(0);

    /// `nanos` nano-dollars.
    pub const fn from_nanos(nanos: i128) -> Self {
        Usd(nanos)
    }

    /// Nano-dollars.
    pub const fn as_nanos(self) -> i128 {
        self.0
    }

    /// Dollars, rounded to binary64.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_USD
    }
}

impl UsdPerHour {
    /// Free.
    pub const ZERO: UsdPerHour = UsdPerHour(0);

    /// `nanos` nano-dollars per hour.
    pub const fn from_nanos(nanos: u64) -> Self {
        UsdPerHour(nanos)
    }

    /// The price nearest to `dollars` per hour.
    ///
    /// # Errors
    /// If `dollars` is NaN, infinite, negative or above 18 billion.
    pub fn from_f64(dollars: f64) -> Result<Self, UnitError> {
        super::text::round_to_u64(dollars * NANOS_PER_USD, EXPECTED_RATE).map(UsdPerHour)
    }

    /// Nano-dollars per hour.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Dollars per hour, rounded to binary64.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_USD
    }

    /// The cost of `duration` at this price: the 128-bit product, rounded once, half up, to a nano-dollar.
    pub fn over(self, duration: SimDuration) -> Usd {
        // The largest product and half an hour fit into 128 bits without a sign.
        let product = u128::from(self.0) * u128::from(duration.as_nanos());
        Usd(((product + NANOS_PER_HOUR as u128 / 2) / NANOS_PER_HOUR as u128) as i128)
    }

    /// The cost of `area` replica-nanoseconds at this price plus `more` (nano-dollars per hour times nanoseconds),
    /// rounded down once to a nano-dollar. Hours and remainder are multiplied separately, so that no area below 2^96
    /// overflows.
    pub fn accrued(self, area: u128, more: u128) -> Usd {
        const HOUR: u128 = NANOS_PER_HOUR as u128;
        let price = u128::from(self.0);
        let rest = area % HOUR * price;
        let whole = area / HOUR * price + rest / HOUR + more / HOUR;
        Usd((whole + (rest % HOUR + more % HOUR) / HOUR) as i128)
    }
}

impl Add for Usd {
    type Output = Usd;
    fn add(self, other: Usd) -> Usd {
        Usd(self.0 + other.0)
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, other: Usd) {
        self.0 += other.0;
    }
}

impl Sub for Usd {
    type Output = Usd;
    fn sub(self, other: Usd) -> Usd {
        Usd(self.0 - other.0)
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Usd>>(items: I) -> Usd {
        items.fold(Usd::ZERO, Add::add)
    }
}

impl Mul<u64> for UsdPerHour {
    type Output = UsdPerHour;
    fn mul(self, by: u64) -> UsdPerHour {
        UsdPerHour(self.0.saturating_mul(by))
    }
}

impl fmt::Display for Usd {
    /// Dollars with two decimals (`$1234.50`), four below one dollar (`$0.0123`); a precision can be given: `{:.6}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = f.precision().unwrap_or(if self.0 != 0 && self.0.abs() < 1_000_000_000 { 4 } else { 2 });
        let sign = if self.0 < 0 { "-" } else { "" };
        f.pad(&format!("{sign}${:.decimals$}", self.as_f64().abs()))
    }
}

impl fmt::Display for UsdPerHour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.9}", self.as_f64());
        let text = text.trim_end_matches('0').trim_end_matches('.');
        f.pad(&format!("${text}/h"))
    }
}

impl FromStr for Usd {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let whole = text.trim();
        let Some(rest) = whole.strip_prefix('$') else {
            let error = UnitError::new(EXPECTED_USD, format!("`{whole}` has no dollar sign"));
            return Err(if split_number(whole).1.is_empty() { error.suggest(format!("${whole}")) } else { error });
        };
        let (digits, unit) = split_number(rest.trim());
        if !unit.is_empty() {
            return Err(UnitError::new(EXPECTED_USD, format!("`{unit}` does not belong to an amount")));
        }
        let nanos = number(digits, whole, EXPECTED_USD)? * NANOS_PER_USD;
        super::text::round_to_u64(nanos, EXPECTED_USD).map(|n| Usd(i128::from(n)))
    }
}

impl FromStr for UsdPerHour {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let whole = text.trim();
        let Some(rest) = whole.strip_prefix('$') else {
            let (digits, unit) = split_number(whole);
            let per_hour = unit.trim_start_matches(['$', ' ']);
            return Err(match digits.is_empty() {
                true => UnitError::new(EXPECTED_RATE, format!("`{whole}` is not a price")),
                false if per_hour.is_empty() || per_hour.starts_with('/') => {
                    let error = UnitError::new(EXPECTED_RATE, format!("`{whole}` has no dollar sign"));
                    error.suggest(format!("${digits}/h"))
                }
                false => UnitError::new(EXPECTED_RATE, format!("`{whole}` is not in US dollars, the only currency")),
            });
        };
        let (digits, unit) = split_number(rest.trim());
        if !matches!(unit, "/h" | "/hr" | "/hour") {
            let error = UnitError::new(EXPECTED_RATE, format!("`{whole}` is not a price per hour"));
            return Err(error.suggest(format!("${digits}/h")));
        }
        Self::from_f64(number(digits, whole, EXPECTED_RATE)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_is_rounded_once() {
        let price: UsdPerHour = "$0.096/h".parse().unwrap();
        assert_eq!(price.as_nanos(), 96_000_000);
        assert_eq!(price.over(SimDuration::from_secs(3600)), Usd::from_nanos(96_000_000));
        assert_eq!(price.over(SimDuration::from_secs(1)), Usd::from_nanos(26_667));
        assert_eq!(price.over(SimDuration::ZERO), Usd::ZERO);
    }

    #[test]
    fn the_longest_time_at_the_highest_price_has_a_cost() {
        let most = UsdPerHour::from_nanos(u64::MAX).over(SimDuration::MAX).as_f64();
        assert!((most / (2f64.powi(128) / 3.6e12 / 1e9) - 1.0).abs() < 1e-9, "{most}");
    }

    #[test]
    fn areas_cost_as_much_as_their_product_and_never_overflow() {
        let price: UsdPerHour = "$0.096/h".parse().unwrap();
        for (area, more) in [(0, 0), (1, 1), (3_599_999_999_999, 7), (10u128.pow(18) + 1, 10u128.pow(22) + 3)] {
            let product = (area * 96_000_000 + more) / 3_600_000_000_000;
            assert_eq!(price.accrued(area, more), Usd::from_nanos(product as i128), "{area} {more}");
        }
        let dearest = UsdPerHour::from_nanos(u64::MAX);
        let most = dearest.accrued((1 << 96) - 1, 0).as_f64();
        assert!((most / (2f64.powi(160) / 3.6e12 / 1e9) - 1.0).abs() < 1e-9, "{most}");
    }

    #[test]
    fn prices_print_what_they_read() {
        for text in ["$0.096/h", "$1/h", "$0.000000001/h", "$98.32/h"] {
            assert_eq!(text.parse::<UsdPerHour>().unwrap().to_string(), text);
        }
        assert_eq!("$1234.5".parse::<Usd>().unwrap().to_string(), "$1234.50");
    }

    #[test]
    fn bad_amounts_get_a_suggestion() {
        assert_eq!("40".parse::<Usd>().unwrap_err().suggestion.as_deref(), Some("$40"));
        assert_eq!("$0.1".parse::<UsdPerHour>().unwrap_err().suggestion.as_deref(), Some("$0.1/h"));
        assert!("$-1/h".parse::<UsdPerHour>().is_err());
        assert!("$1e30/h".parse::<UsdPerHour>().is_err());
    }
}
