//! Simulated time: integer nanoseconds since the start of the scenario.

use super::text::{UnitError, number, round_to_u64, split_number};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, AddAssign, Div, Mul, Sub};
use std::str::FromStr;

const EXPECTED: &str = "a duration such as `15s`, `250ms`, `1h30m` or `7d`";

/// An instant: nanoseconds since the start of the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SimTime(u64);

/// A duration of simulated time in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SimDuration(u64);

impl SimTime {
    /// The start of the scenario.
    pub const ZERO: SimTime = SimTime(0);
    /// The largest representable instant (after about 584 years); stands for "never" in comparisons.
    pub const MAX: SimTime = SimTime(u64::MAX);

    /// The instant `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        SimTime(nanos)
    }

    /// The instant `seconds` whole seconds after the start.
    pub const fn from_secs(seconds: u64) -> Self {
        SimTime(seconds * super::NANOS_PER_SECOND)
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start, rounded to binary64.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The time elapsed since `earlier`, or zero if `earlier` is later.
    pub const fn since(self, earlier: SimTime) -> SimDuration {
        SimDuration(self.0.saturating_sub(earlier.0))
    }

    /// This instant minus `by`, saturating at the start.
    pub const fn saturating_sub(self, by: SimDuration) -> SimTime {
        SimTime(self.0.saturating_sub(by.0))
    }

    /// This instant plus `by`, saturating at [`SimTime::MAX`].
    pub const fn saturating_add(self, by: SimDuration) -> SimTime {
        SimTime(self.0.saturating_add(by.0))
    }
}

impl SimDuration {
    /// Zero duration.
    pub const ZERO: SimDuration = SimDuration(0);
    /// The largest representable duration (about 584 years).
    pub const MAX: SimDuration = SimDuration(u64::MAX);

    /// `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        SimDuration(nanos)
    }

    /// `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        SimDuration(millis * 1_000_000)
    }

    /// `seconds` seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        SimDuration(seconds * super::NANOS_PER_SECOND)
    }

    /// The duration nearest to `seconds`.
    ///
    /// # Errors
    /// If `seconds` is NaN, infinite, negative or longer than [`SimDuration::MAX`].
    pub fn from_secs_f64(seconds: f64) -> Result<Self, UnitError> {
        round_to_u64(seconds * 1e9, EXPECTED).map(SimDuration)
    }

    /// Nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds, rounded to binary64.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Milliseconds, rounded to binary64.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Rounded for people: to whole seconds if it is longer than a minute, to whole minutes if it is longer than an hour.
    pub fn rounded(self) -> SimDuration {
        let second = crate::units::NANOS_PER_SECOND;
        let unit = match self.0 / second {
            0..60 => return self,
            60..3600 => second,
            _ => 60 * second,
        };
        SimDuration((self.0 + unit / 2) / unit * unit)
    }

    /// Whether the duration is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The smallest multiple of `step` that is at least this long; a zero `step` changes nothing.
    pub const fn round_up_to(self, step: SimDuration) -> SimDuration {
        if step.0 == 0 { self } else { SimDuration(self.0.div_ceil(step.0).saturating_mul(step.0)) }
    }

    /// This duration times a non-negative factor, rounded to the nearest nanosecond and saturating at
    /// [`SimDuration::MAX`].
    ///
    /// # Panics
    /// If `factor` is NaN or negative, which is a bug of the caller.
    pub fn scale(self, factor: f64) -> SimDuration {
        assert!(factor >= 0.0, "a duration is scaled by a non-negative factor, not {factor}");
        SimDuration((self.0 as f64 * factor).round() as u64)
    }
}

impl Add<SimDuration> for SimTime {
    type Output = SimTime;
    fn add(self, by: SimDuration) -> SimTime {
        self.saturating_add(by)
    }
}

impl AddAssign<SimDuration> for SimTime {
    fn add_assign(&mut self, by: SimDuration) {
        *self = *self + by;
    }
}

impl Add for SimDuration {
    type Output = SimDuration;
    fn add(self, other: SimDuration) -> SimDuration {
        SimDuration(self.0.saturating_add(other.0))
    }
}

impl AddAssign for SimDuration {
    fn add_assign(&mut self, other: SimDuration) {
        *self = *self + other;
    }
}

impl Sub for SimDuration {
    type Output = SimDuration;
    fn sub(self, other: SimDuration) -> SimDuration {
        SimDuration(self.0.saturating_sub(other.0))
    }
}

impl Mul<u64> for SimDuration {
    type Output = SimDuration;
    fn mul(self, by: u64) -> SimDuration {
        SimDuration(self.0.saturating_mul(by))
    }
}

impl Div<u64> for SimDuration {
    type Output = SimDuration;
    fn div(self, by: u64) -> SimDuration {
        SimDuration(self.0 / by)
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&SimDuration(self.0), f)
    }
}

impl fmt::Display for SimDuration {
    /// The shortest exact text: whole units from days down to nanoseconds without zero ones (`1h30m`; 1.5 s prints as
    /// `1s500ms`).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.pad("0s");
        }
        let mut rest = self.0;
        let mut text = String::new();
        for (name, nanos) in UNITS.iter().rev().filter(|(name, _)| PRINTED.contains(name)) {
            if rest >= *nanos {
                text.push_str(&format!("{}{name}", rest / nanos));
                rest %= nanos;
            }
        }
        f.pad(&text)
    }
}

const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];
const PRINTED: [&str; 7] = ["ns", "us", "ms", "s", "m", "h", "d"];

impl FromStr for SimDuration {
    type Err = UnitError;

    /// Reads one or more numbers, each with a unit (`1h30m`, `250ms`, `1.5s`, `7d`). `0` needs no unit.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let whole = text.trim();
        if whole == "0" {
            return Ok(SimDuration::ZERO);
        }
        let mut rest = whole;
        // Integers are added exactly: binary64 holds nanoseconds only up to a hundred days.
        let (mut exact, mut total) = (0u64, 0.0);
        while !rest.is_empty() {
            let (digits, tail) = split_number(rest);
            let value = number(digits, whole, EXPECTED)?;
            let unit_len = tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len());
            let (unit, next) = tail.split_at(unit_len);
            let nanos = unit_nanos(unit).ok_or_else(|| unknown_unit(whole, digits, unit))?;
            let counted = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(nanos));
            match counted.and_then(|counted| exact.checked_add(counted)) {
                Some(sum) => exact = sum,
                None => total += value * nanos as f64,
            }
            rest = next.trim_start();
        }
        if whole.is_empty() {
            return Err(UnitError::new(EXPECTED, "the text is empty"));
        }
        let rounded = round_to_u64(total, EXPECTED).and_then(|rest| match exact.checked_add(rest) {
            Some(sum) => Ok(sum),
            None => round_to_u64(total + exact as f64 + u64::MAX as f64, EXPECTED),
        });
        rounded.map(SimDuration).map_err(|e| UnitError { problem: format!("`{whole}` is {}", e.problem), ..e })
    }
}

fn unit_nanos(unit: &str) -> Option<u64> {
    UNITS.iter().find(|(name, _)| *name == unit).map(|(_, nanos)| *nanos)
}

/// Common names of units, and ours.
const ALIASES: [(&str, &str); 19] = [
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("hr", "h"),
    ("hrs", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
    ("msec", "ms"),
    ("millis", "ms"),
    ("usec", "us"),
    ("S", "s"),
    ("H", "h"),
];

fn unknown_unit(whole: &str, digits: &str, unit: &str) -> UnitError {
    if unit.is_empty() {
        let error = UnitError::new(EXPECTED, format!("`{whole}` has no unit"));
        // Seconds as likely as milliseconds: both are named.
        return if whole == digits { error.suggest(format!("{digits}ms` or `{digits}s")) } else { error };
    }
    let error = UnitError::new(EXPECTED, format!("`{unit}` is not a unit of time"));
    match ALIASES.iter().find(|(alias, _)| *alias == unit) {
        Some((_, name)) => error.suggest(format!("{digits}{name}")),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("15s", 15_000_000_000)]
    #[case("250ms", 250_000_000)]
    #[case("1h30m", 5_400_000_000_000)]
    #[case("1.5s", 1_500_000_000)]
    #[case("7d", 604_800_000_000_000)]
    #[case("0", 0)]
    #[case(" 2 h ", 7_200_000_000_000)]
    #[case("1e3ms", 1_000_000_000)]
    #[case("7ms8ms77767217m", 4_666_033_020_015_000_000)]
    #[case("106751d23h47m16s854ms775us807ns", 9_223_372_036_854_775_807)]
    #[case("18446744073709551615ns", u64::MAX)]
    fn reads(#[case] text: &str, #[case] nanos: u64) {
        assert_eq!(text.parse::<SimDuration>().unwrap().as_nanos(), nanos);
    }

    #[rstest]
    #[case("", "the text is empty")]
    #[case("15", "`15` has no unit")]
    #[case("15 sec", "`sec` is not a unit of time")]
    #[case("-3s", "`-3s` is negative")]
    #[case("NaN", "`NaN` has no number")]
    #[case("1e300s", "`1e300s` is too large")]
    #[case("18446744073709551615ns1ns", "`18446744073709551615ns1ns` is too large")]
    #[case("300000d300000d", "`300000d300000d` is too large")]
    #[case("1..5s", "`1..5s` is not a number")]
    fn refuses(#[case] text: &str, #[case] problem: &str) {
        assert_eq!(text.parse::<SimDuration>().unwrap_err().problem, problem);
    }

    #[test]
    fn prints_what_it_reads() {
        for nanos in [1, 999, 1_500_000_000, 5_400_000_000_000, 604_800_000_000_000 + 7] {
            let printed = SimDuration(nanos).to_string();
            assert_eq!(printed.parse::<SimDuration>().unwrap(), SimDuration(nanos), "{printed}");
        }
    }

    #[test]
    fn rounds_up_to_billing_steps() {
        let minute = SimDuration::from_secs(60);
        assert_eq!(SimDuration::from_secs(61).round_up_to(minute), SimDuration::from_secs(120));
        assert_eq!(SimDuration::from_secs(60).round_up_to(minute), minute);
        assert_eq!(SimDuration::from_secs(61).round_up_to(SimDuration::ZERO), SimDuration::from_secs(61));
    }
}
