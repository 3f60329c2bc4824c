//! A price per unit of use, finer than a nano-dollar: a GiB-second of a function costs 16,666.7 of them.

use super::quantity::scaled;
use super::text::{UnitError, number, split_number};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const EXPECTED: &str = "a price per unit such as `$0.0000166667`, `$0.20/1M` or `$0.048`";
/// Digits after the decimal point of a dollar.
const DECIMALS: i32 = 15;
/// Cheaper prices are printed per million.
const CHEAP: u64 = 10_000_000_000;

/// A price per unit in femto-dollars (10^-15 US dollars), up to $18,446; never negative. Texts are read to 19 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnitPrice(u64);

impl UnitPrice {
    /// Free.
    pub const ZERO: UnitPrice = UnitPrice(0);
    /// Femto-dollars in a nano-dollar.
    pub const FEMTOS_PER_NANO: u128 = 1_000_000;

    /// `femtos` femto-dollars per unit.
    pub const fn from_femtos(femtos: u64) -> Self {
        UnitPrice(femtos)
    }

    /// Femto-dollars per unit.
    pub const fn as_femtos(self) -> u64 {
        self.0
    }

    /// Dollars per unit as a decimal number without a sign, to the last digit: `0.0000166667`.
    pub fn decimal(self) -> String {
        decimal(u128::from(self.0), DECIMALS as usize)
    }
}

/// `value` times 10^-`decimals`, without trailing zeros.
fn decimal(value: u128, decimals: usize) -> String {
    let one = 10_u128.pow(decimals as u32);
    let text = format!("{}.{:0decimals$}", value / one, value % one);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

impl fmt::Display for UnitPrice {
    /// Exact: `$0.0000166667`, or per million where that is easier to read: `$0.2/1M`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            0 | CHEAP.. => format!("${}", self.decimal()),
            cheap => format!("${}/1M", decimal(u128::from(cheap), DECIMALS as usize - 6)),
        };
        f.pad(&text)
    }
}

impl FromStr for UnitPrice {
    type Err = UnitError;

    /// Reads a price of one (`$0.0000002`), of a thousand (`$0.0002/1k`) or of a million (`$0.20/1M`). Exact to 10^-15
    /// dollars; what is finer is rounded up.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let whole = text.trim();
        let Some(rest) = whole.strip_prefix('$') else {
            let error = UnitError::new(EXPECTED, format!("`{whole}` has no dollar sign"));
            let digits = split_number(whole).0;
            return Err(match number(digits, whole, EXPECTED) {
                Ok(_) if !whole.contains('$') => error.suggest(format!("${whole}")),
                _ => error,
            });
        };
        let (digits, unit) = split_number(rest.trim());
        let digits = digits.replace('_', "");
        let power = match unit.strip_prefix('/').map(str::trim) {
            None if unit.is_empty() => 0,
            Some("1k" | "k" | "1000" | "1K" | "K") => 3,
            Some("1M" | "M" | "1000000" | "1m" | "million") => 6,
            Some("1G" | "G" | "1B") => 9,
            _ => {
                let error = UnitError::new(EXPECTED, format!("`{unit}` does not belong to a price per unit"));
                return Err(if digits.is_empty() { error } else { error.suggest(format!("${digits}")) });
            }
        };
        scaled(&digits, DECIMALS - power, EXPECTED).map(UnitPrice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("$0.0000166667", 16_666_700_000, "$0.0000166667")]
    #[case("$0.20/1M", 200_000_000, "$0.2/1M")]
    #[case("$0.0002/1k", 200_000_000, "$0.2/1M")]
    #[case("$3/1M", 3_000_000_000, "$3/1M")]
    #[case("$1.5046e-6", 1_504_600_000, "$1.5046/1M")]
    #[case("$0.048", 48_000_000_000_000, "$0.048")]
    #[case("$0", 0, "$0")]
    #[case("$18446", 18_446_000_000_000_000_000, "$18446")]
    fn prices_are_exact(#[case] text: &str, #[case] femtos: u64, #[case] printed: &str) {
        let price: UnitPrice = text.parse().unwrap();
        assert_eq!((price.as_femtos(), price.to_string().as_str()), (femtos, printed));
    }

    #[rstest]
    #[case("0.2/1M", Some("$0.2/1M"))]
    #[case("$0.2/h", Some("$0.2"))]
    #[case("$-1", None)]
    #[case("$20000", None)]
    #[case("$NaN", None)]
    #[case("cheap", None)]
    #[case("", None)]
    fn bad_prices_are_refused(#[case] text: &str, #[case] suggestion: Option<&str>) {
        assert_eq!(text.parse::<UnitPrice>().unwrap_err().suggestion.as_deref(), suggestion);
    }

    proptest! {
        #[test]
        fn prices_read_what_they_print(femtos in 0..10_u64.pow(19)) {
            let price = UnitPrice::from_femtos(femtos);
            prop_assert_eq!(price.to_string().parse::<UnitPrice>(), Ok(price));
        }

        #[test]
        fn no_text_panics(text in ".{0,30}") {
            let _ = text.parse::<UnitPrice>();
        }
    }
}
