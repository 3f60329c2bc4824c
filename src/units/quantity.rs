//! Kubernetes resource quantities: CPU in thousandths of a core, memory in bytes, metric values in thousandths.
//!
//! The grammar is that of `k8s.io/apimachinery/pkg/api/resource`: a decimal number with a binary suffix (`Ki` to `Ei`),
//! a decimal suffix (`n`, `u`, `m`, `k` to `E`) or an exponent (`1e3`), never both. As upstream does, fractions of the
//! smallest unit are rounded up.

use super::text::{UnitError, number, split_number};
use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

const EXPECTED_CPU: &str = "a CPU quantity such as `250m`, `0.5` or `2`";
const EXPECTED_MEMORY: &str = "a memory quantity such as `512Mi`, `2Gi` or `1G`";
const EXPECTED_METRIC: &str = "a quantity such as `100`, `1.5`, `500m` or `2k`";

/// CPU in thousandths of a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millicores(u64);

/// Memory or size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(u64);

/// The value of a metric or target in thousandths, as in the Kubernetes metrics APIs; up to 2^63 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity(i64);

/// A suffix as a power of ten and a power of two.
const SUFFIXES: [(&str, i32, u32); 16] = [
    ("", 0, 0),
    ("m", -3, 0),
    ("k", 3, 0),
    ("M", 6, 0),
    ("G", 9, 0),
    ("T", 12, 0),
    ("P", 15, 0),
    ("Ki", 0, 10),
    ("Mi", 0, 20),
    ("Gi", 0, 30),
    ("Ti", 0, 40),
    ("Pi", 0, 50),
    ("E", 18, 0),
    ("Ei", 0, 60),
    ("u", -6, 0),
    ("n", -9, 0),
];
/// The number of significant digits parsed exactly; further non-zero digits only round up.
const DIGITS: usize = 19;

/// The value of a quantity in units of 10^-`decimals`, rounded up; exact for numbers of up to 19 digits.
pub(super) fn scaled(text: &str, decimals: i32, expected: &str) -> Result<u64, UnitError> {
    let (digits, suffix) = split_number(text);
    // Reports text that is not a number, or negative.
    number(digits, text, expected)?;
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, ""));
    let known = SUFFIXES.iter().find(|(name, ..)| *name == suffix);
    let attached = text.len() == digits.len() + suffix.len() && !digits.contains('_');
    let one_scale = exponent.is_empty() || suffix.is_empty();
    let Some((_, ten, two)) = known.filter(|_| attached && one_scale) else {
        return Err(suffix_error(text, digits, suffix, expected));
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all: String = whole.chars().chain(fraction.chars()).filter(char::is_ascii_digit).collect();
    let all = all.trim_start_matches('0');
    let (kept, rest) = all.split_at(all.len().min(DIGITS));
    let power = exponent.parse::<i32>().unwrap_or(if exponent.contains('-') { -100_000 } else { 100_000 });
    let power = if exponent.is_empty() { 0 } else { power.clamp(-100_000, 100_000) };
    let power = power + ten + decimals + (rest.len() as i32) - (fraction.len() as i32);
    let more = rest.bytes().any(|digit| digit != b'0');
    let value = shifted(kept.parse::<u128>().unwrap_or(0) << two, power, more);
    let too_large = || UnitError::new(expected, format!("`{text}` is too large"));
    value.and_then(|value| u64::try_from(value).ok()).ok_or_else(too_large)
}

/// `value * 10^power`, plus a little if `more`, rounded up; `None` if it is too large.
fn shifted(value: u128, power: i32, more: bool) -> Option<u128> {
    if value == 0 && !more {
        return Some(0);
    }
    let Some(scale) = 10_u128.checked_pow(power.unsigned_abs()) else {
        return (power < 0).then_some(1);
    };
    if power >= 0 {
        return value.checked_mul(scale)?.checked_add(u128::from(more));
    }
    let exact = value.is_multiple_of(scale);
    Some(value.div_ceil(scale) + u128::from(exact && more))
}

fn suffix_error(whole: &str, digits: &str, suffix: &str, expected: &str) -> UnitError {
    let error = UnitError::new(expected, format!("`{whole}` has an unknown suffix `{suffix}`"));
    let guess = match suffix.to_ascii_lowercase().trim_end_matches('b') {
        "k" | "ki" => "Ki",
        "m" | "mi" if expected == EXPECTED_CPU => "m",
        "m" | "mi" => "Mi",
        "g" | "gi" => "Gi",
        "t" | "ti" => "Ti",
        "core" | "cores" | "cpu" | "cpus" => "",
        "millicore" | "millicores" => "m",
        _ => return error,
    };
    error.suggest(format!("{digits}{guess}"))
}

impl Millicores {
    /// Zero CPU.
    pub const ZERO: Millicores = Millicores(0);

    /// `millis` thousandths of a core.
    pub const fn new(millis: u64) -> Self {
        Millicores(millis)
    }

    /// Thousandths of a core.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Cores, rounded to binary64.
    pub fn as_cores(self) -> f64 {
        self.0 as f64 / 1e3
    }
}

impl Bytes {
    /// Zero bytes.
    pub const ZERO: Bytes = Bytes(0);

    /// `bytes` bytes.
    pub const fn new(bytes: u64) -> Self {
        Bytes(bytes)
    }

    /// `mib` mebibytes.
    pub const fn from_mib(mib: u64) -> Self {
        Bytes(mib * 1_048_576)
    }

    /// Bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Gibibytes, rounded to binary64.
    pub fn as_gib(self) -> f64 {
        self.0 as f64 / 1_073_741_824.0
    }
}

impl Quantity {
    /// Zero.
    pub const ZERO: Quantity = Quantity(0);
    /// The largest value; sums saturate at it.
    pub const MAX: Quantity = Quantity(i64::MAX);

    /// `millis` thousandths.
    pub const fn from_millis(millis: i64) -> Self {
        Quantity(millis)
    }

    /// Thousandths.
    pub const fn millis(self) -> i64 {
        self.0
    }
}

macro_rules! arithmetic {
    ($name:ident) => {
        impl Add for $name {
            type Output = $name;
            fn add(self, other: $name) -> $name {
                $name(self.0.saturating_add(other.0))
            }
        }
        impl AddAssign for $name {
            fn add_assign(&mut self, other: $name) {
                *self = *self + other;
            }
        }
        impl Sub for $name {
            type Output = $name;
            /// The difference, saturating at zero.
            fn sub(self, other: $name) -> $name {
                $name(self.0.saturating_sub(other.0))
            }
        }
    };
}
arithmetic!(Millicores);
arithmetic!(Bytes);

impl FromStr for Millicores {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        scaled(text, 3, EXPECTED_CPU).map(Millicores)
    }
}

impl FromStr for Bytes {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        scaled(text, 0, EXPECTED_MEMORY).map(Bytes)
    }
}

impl FromStr for Quantity {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let millis = scaled(text, 3, EXPECTED_METRIC)?;
        let too_large = |_| UnitError::new(EXPECTED_METRIC, format!("`{}` is too large", text.trim()));
        i64::try_from(millis).map(Quantity).map_err(too_large)
    }
}

impl fmt::Display for Quantity {
    /// A decimal number without trailing zeros (`3.513`, `20`).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1000, (self.0 % 1000).unsigned_abs());
        let sign = if self.0 < 0 && whole == 0 { "-" } else { "" };
        if rest == 0 {
            return f.pad(&whole.to_string());
        }
        f.pad(format!("{sign}{whole}.{rest:03}").trim_end_matches('0'))
    }
}

impl fmt::Display for Millicores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1000) { f.pad(&(self.0 / 1000).to_string()) } else { f.pad(&format!("{}m", self.0)) }
    }
}

impl fmt::Display for Bytes {
    /// With the largest binary suffix that is exact (`1536Mi`, `2Gi`), else plain bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, shift) in [("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)] {
            if self.0 != 0 && self.0.trailing_zeros() >= shift {
                return f.pad(&format!("{}{name}", self.0 >> shift));
            }
        }
        f.pad(&self.0.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("250m", 250)]
    #[case("1", 1000)]
    #[case("0.5", 500)]
    #[case("0.1", 100)]
    #[case("1e3", 1_000_000)]
    #[case("2k", 2_000_000)]
    #[case("0.0001", 1)]
    #[case("+1.", 1000)]
    #[case("9007199254740993m", 9_007_199_254_740_993)]
    #[case("1e-400", 1)]
    #[case("0.12345678901234567890001", 124)]
    #[case("2.000000000000000000001", 2001)]
    fn reads_cpu(#[case] text: &str, #[case] millis: u64) {
        assert_eq!(text.parse::<Millicores>().unwrap().get(), millis);
    }

    #[rstest]
    #[case("1Gi", 1 << 30)]
    #[case("1G", 1_000_000_000)]
    #[case("128974848", 128_974_848)]
    #[case("1500Mi", 1500 << 20)]
    #[case("129e6", 129_000_000)]
    fn reads_memory(#[case] text: &str, #[case] bytes: u64) {
        assert_eq!(text.parse::<Bytes>().unwrap().get(), bytes);
    }

    #[rstest]
    #[case("1gb", Some("1Gi"))]
    #[case("1GB", Some("1Gi"))]
    #[case("100 m", Some("100Mi"))]
    #[case("-1Gi", None)]
    #[case("lots", None)]
    fn refuses_memory(#[case] text: &str, #[case] suggestion: Option<&str>) {
        assert_eq!(text.parse::<Bytes>().unwrap_err().suggestion.as_deref(), suggestion);
    }

    #[rstest]
    #[case("100m", 100, "0.1")]
    #[case("1k", 1_000_000, "1000")]
    #[case("3513m", 3513, "3.513")]
    #[case("0.0001", 1, "0.001")]
    #[case("1E", 1_000_000_000_000_000_000_000, "")]
    fn reads_metric_values(#[case] text: &str, #[case] millis: i128, #[case] printed: &str) {
        match text.parse::<Quantity>() {
            Ok(value) => assert_eq!((i128::from(value.millis()), value.to_string().as_str()), (millis, printed)),
            Err(error) => {
                assert!(millis > i128::from(i64::MAX), "{error}");
                assert!(error.problem.contains("too large"), "{error}");
            }
        }
    }

    #[test]
    fn prints_the_shortest_exact_text() {
        assert_eq!(Bytes::new(3 << 29).to_string(), "1536Mi");
        assert_eq!(Bytes::new(1 << 31).to_string(), "2Gi");
        assert_eq!(Bytes::new(1001).to_string(), "1001");
        assert_eq!(Millicores::new(1500).to_string(), "1500m");
        assert_eq!(Millicores::new(2000).to_string(), "2");
    }
}
