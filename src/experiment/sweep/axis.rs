//! An axis of a sweep: a path of the scenario and its values.

use std::str::FromStr;

/// A path of the scenario and the values it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// Path of names and list indices.
    pub path: String,
    /// The values.
    pub values: Values,
}

/// The values that an axis may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Values {
    /// Listed explicitly, as YAML.
    List(Vec<String>),
    /// A range of numbers.
    Range(Range),
}

/// Decimal numbers with a common unit from `low` to `high`, both included. Numbers are stored as integers, so that the
/// value in the table is the value that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    low: i64,
    high: i64,
    step: Option<i64>,
    /// The integers are in units of 10^-decimals.
    decimals: u32,
    unit: String,
}

/// Additional digits of sampled numbers beyond the decimals of their ends.
const SAMPLED_DIGITS: u32 = 2;

/// Maximum value of an end.
const LARGEST: i64 = 1_000_000_000_000_000;

/// Maximum number of decimals of an end.
const MAX_DECIMALS: usize = 6;

/// Parses `path=1..10`, `path=0.5..0.9/0.1` or `path=10s..60s/10s` (both ends included, with a step), or `path=x,y`.
impl FromStr for Axis {
    type Err = String;

    fn from_str(text: &str) -> Result<Axis, String> {
        let usage = "expected PATH=1..10, PATH=10s..60s/10s or PATH=x,y";
        let (path, values) = text.split_once('=').ok_or(usage)?;
        let values = match values.split_once("..") {
            Some((low, rest)) => Values::Range(Range::read(low, rest).ok_or(usage)?),
            None => Values::List(values.split(',').map(|value| value.trim().to_string()).collect()),
        };
        let is_empty = matches!(&values, Values::List(list) if list.iter().any(String::is_empty));
        if path.trim().is_empty() || is_empty {
            return Err(usage.into());
        }
        Ok(Axis { path: path.trim().to_string(), values })
    }
}

/// A decimal number and its unit: digits, decimals, rest.
fn number(text: &str) -> Option<(i64, usize, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let decimals = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let whole: i64 = digits.replacen('.', "", 1).parse().ok()?;
    let is_unit = unit.chars().all(|c| c.is_alphabetic() || c == '%');
    (is_unit && decimals <= MAX_DECIMALS && whole.abs() <= LARGEST).then_some((whole, decimals, unit))
}

impl Range {
    fn read(low: &str, rest: &str) -> Option<Range> {
        let (high, step) = rest.split_once('/').map_or((rest, None), |(high, step)| (high, Some(step)));
        let (low, high) = (number(low)?, number(high)?);
        let step = match step {
            Some(step) => Some(number(step)?),
            None => None,
        };
        // The unit may be omitted if the upper end has it.
        let unit = high.2;
        let fits = |other: &str| other.is_empty() || other == unit;
        let decimals = low.1.max(high.1).max(step.map_or(0, |step| step.1));
        let scaled = |(whole, own, _): (i64, usize, &str)| whole.checked_mul(10i64.pow((decimals - own) as u32));
        let step_size = match step {
            Some(step) => Some(scaled(step).filter(|size| *size > 0 && fits(step.2))?),
            None => None,
        };
        let range = Range {
            low: scaled(low)?,
            high: scaled(high)?,
            step: step_size,
            decimals: decimals as u32,
            unit: unit.to_string(),
        };
        (fits(low.2) && range.low <= range.high).then_some(range)
    }

    /// The step between neighbours: 1 if integers have none, `None` if decimals have none.
    fn stride(&self) -> Option<i64> {
        self.step.or((self.decimals == 0).then_some(1))
    }

    /// The number of values from `low` to `high` by the step.
    fn count(&self) -> Option<u64> {
        Some((self.high - self.low) as u64 / self.stride()? as u64 + 1)
    }

    fn text(&self, value: i64, decimals: u32) -> String {
        let scale = 10i64.pow(decimals);
        let sign = if value < 0 { "-" } else { "" };
        let (whole, fraction) = (value.abs() / scale, value.abs() % scale);
        let digits = format!("{fraction:0width$}", width = decimals as usize);
        let digits = if decimals == 0 { "" } else { digits.trim_end_matches('0') };
        let dot = if digits.is_empty() { "" } else { "." };
        format!("{sign}{whole}{dot}{digits}{}", self.unit)
    }

    /// The value at `share` (from 0 to below 1) of the range: one of the steps if there are steps, else a number with
    /// two more digits than its ends.
    fn at(&self, share: f64) -> String {
        let place = |count: u64| (share * count as f64) as i64;
        match self.count() {
            Some(count) => self.text(self.low + self.stride().unwrap_or(1) * place(count), self.decimals),
            None => {
                let fine = 10i64.pow(SAMPLED_DIGITS);
                let count = (self.high - self.low) as u64 * fine as u64 + 1;
                self.text(self.low * fine + place(count), self.decimals + SAMPLED_DIGITS)
            }
        }
    }
}

impl Axis {
    /// The number of values in a grid.
    ///
    /// # Errors
    /// If the axis is a range of decimals without a step.
    pub(super) fn count(&self) -> Result<u64, String> {
        let needs_step = || format!("`{}`: a range with decimals needs a step, as in 0.5..0.9/0.1", self.path);
        match &self.values {
            Values::List(list) => Ok(list.len() as u64),
            Values::Range(range) => range.count().ok_or_else(needs_step),
        }
    }

    /// Every value of a grid, in order.
    pub fn all(&self) -> Vec<String> {
        match &self.values {
            Values::List(list) => list.clone(),
            Values::Range(range) => {
                let stride = range.stride().unwrap_or(1);
                let values = (0..range.count().unwrap_or(0) as i64).map(|i| range.low + i * stride);
                values.map(|value| range.text(value, range.decimals)).collect()
            }
        }
    }

    /// Values that show the influence of the axis: those of a list or of a range with a step, else both ends.
    pub(super) fn telling(&self) -> Vec<String> {
        match &self.values {
            Values::Range(range) if range.step.is_none() => {
                [range.low, range.high].map(|value| range.text(value, range.decimals)).into()
            }
            _ => self.all(),
        }
    }

    /// The value at `share` (from 0 to below 1) of the axis.
    pub(super) fn at(&self, share: f64) -> String {
        match &self.values {
            Values::List(list) => list[((share * list.len() as f64) as usize).min(list.len() - 1)].clone(),
            Values::Range(range) => range.at(share),
        }
    }

    /// The position of a value on the axis: the number itself, or the index in the list; `None` if it is not on it.
    pub fn position(&self, value: &str) -> Option<f64> {
        match &self.values {
            Values::List(list) => list.iter().position(|known| known == value).map(|at| at as f64),
            Values::Range(_) => number(value).map(|(whole, decimals, _)| whole as f64 / 10f64.powi(decimals as i32)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("a.b=1..4", &["1", "2", "3", "4"])]
    #[case("a=10..30/10", &["10", "20", "30"])]
    #[case("a=10..35/10", &["10", "20", "30"])]
    #[case("a=-1..1", &["-1", "0", "1"])]
    #[case("a=0.5..0.7/0.1", &["0.5", "0.6", "0.7"])]
    #[case("a=-0.5..0.5/0.5", &["-0.5", "0", "0.5"])]
    #[case("a=0.5s..2s/0.5s", &["0.5s", "1s", "1.5s", "2s"])]
    #[case("a=50..70%/10", &["50%", "60%", "70%"])]
    #[case("a=x, y", &["x", "y"])]
    fn grids_are_read(#[case] text: &str, #[case] expected: &[&str]) {
        let axis: Axis = text.parse().unwrap();
        assert_eq!(
            (axis.all(), axis.count()),
            (expected.iter().map(|v| v.to_string()).collect(), Ok(expected.len() as u64))
        );
    }

    #[rstest]
    #[case("a")]
    #[case("=1")]
    #[case("a=")]
    #[case("a=4..1")]
    #[case("a=1..x")]
    #[case("a=1..9/0")]
    #[case("a=1..9/-1")]
    #[case("a=x,,y")]
    #[case("a=1s..2m")]
    #[case("a=1s..2")]
    #[case("a=1..2.1234567")]
    #[case("a=1..2s/1m")]
    #[case("a=..")]
    #[case("a=0..9223372036854775807")]
    fn nonsense_is_refused(#[case] text: &str) {
        assert!(text.parse::<Axis>().is_err());
    }

    #[test]
    fn samples_stay_between_the_ends() {
        let axis: Axis = "a=0.5s..0.9s".parse().unwrap();
        assert!(axis.count().unwrap_err().contains("needs a step"));
        assert_eq!([0.0, 0.5, 0.999_999].map(|share| axis.at(share)), ["0.5s", "0.7s", "0.9s"]);
        let axis: Axis = "a=2..4".parse().unwrap();
        assert_eq!([0.0, 0.34, 0.999].map(|share| axis.at(share)), ["2", "3", "4"]);
        assert_eq!(axis.telling(), ["2", "4"]);
        assert_eq!(axis.position("3"), Some(3.0));
        let list: Axis = "a=x,y".parse().unwrap();
        assert_eq!((list.at(0.49), list.at(0.5), list.position("y")), ("x".into(), "y".into(), Some(1.0)));
    }
}
