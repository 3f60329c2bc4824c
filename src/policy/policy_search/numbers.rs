//! The ten numbers of the rule and their search ranges.

use crate::config::{Diagnostics, Fields, FromNode, Yaml};
use crate::units::{Fraction, SimDuration, Utilization};

/// The count of numbers.
pub const COUNT: usize = 10;

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// A plain number.
    Plain,
    /// A share, written as a percentage.
    Share,
    /// Seconds, written as a duration.
    Time,
}

/// One number of the rule.
#[derive(Debug, Clone, Copy)]
pub struct Number {
    /// Its name in scenarios.
    pub name: &'static str,
    /// How it is written.
    pub sort: Sort,
    /// Lower end of the search range.
    pub low: f64,
    /// Upper end of the search range.
    pub high: f64,
    /// Whether the range is searched on a logarithmic scale.
    pub by_ratio: bool,
    /// The default.
    pub start: f64,
}

const fn number(name: &'static str, sort: Sort, low: f64, high: f64, by_ratio: bool, start: f64) -> Number {
    Number { name, sort, low, high, by_ratio, start }
}

/// The numbers, in the order in which they are stored. Times are in seconds.
pub const NUMBERS: [Number; COUNT] = [
    number("utilization", Sort::Share, 0.3, 1.5, true, 0.8),
    number("spread", Sort::Plain, 0.0, 3.0, false, 0.5),
    number("smoothing", Sort::Time, 10.0, 1800.0, true, 120.0),
    number("trend", Sort::Share, 0.0, 2.0, false, 0.5),
    number("season-weight", Sort::Share, 0.0, 1.0, false, 0.5),
    number("lead", Sort::Time, 30.0, 3600.0, true, 300.0),
    number("drain", Sort::Time, 15.0, 3600.0, true, 600.0),
    number("floor", Sort::Share, 0.0, 1.0, false, 0.2),
    number("cool-down", Sort::Time, 15.0, 7200.0, true, 300.0),
    number("step-down", Sort::Share, 0.01, 1.0, true, 0.2),
];

/// Indices into [`NUMBERS`].
pub(super) mod place {
    pub const UTILIZATION: usize = 0;
    pub const SPREAD: usize = 1;
    pub const SMOOTHING: usize = 2;
    pub const TREND: usize = 3;
    pub const SEASON_WEIGHT: usize = 4;
    pub const LEAD: usize = 5;
    pub const DRAIN: usize = 6;
    pub const FLOOR: usize = 7;
    pub const COOL_DOWN: usize = 8;
    pub const STEP_DOWN: usize = 9;
}

impl Number {
    /// The position of a value in the range, from 0 to 1.
    pub fn position(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        match self.by_ratio {
            true => (value / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        }
    }

    /// The value at a position, rounded to four significant digits as stored and shown.
    pub fn at(&self, position: f64) -> f64 {
        let value = match self.by_ratio {
            true => self.low * (self.high / self.low).powf(position.clamp(0.0, 1.0)),
            false => self.low + (self.high - self.low) * position.clamp(0.0, 1.0),
        };
        format!("{value:.3e}").parse().unwrap_or(value)
    }

    /// The value as text.
    pub fn text(&self, value: f64) -> String {
        match self.sort {
            Sort::Plain => format!("{value}"),
            Sort::Share => format!("{}%", (value * 1e6).round() / 1e4),
            Sort::Time => {
                SimDuration::from_secs_f64(value).map_or_else(|_| format!("{value}s"), |time| time.to_string())
            }
        }
    }

    /// Reads the value stated in a scenario; `None` if it is absent, or out of range, which is reported.
    pub(super) fn read(&self, fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<f64> {
        let node = fields.node_of(self.name)?;
        let value = match self.sort {
            Sort::Plain => f64::from_node(node, sink)?,
            // `Fraction` rejects more than 100%; a utilization may exceed it.
            Sort::Share if self.high <= 1.0 => Fraction::from_node(node, sink)?.get(),
            Sort::Share => Utilization::from_node(node, sink)?.get(),
            Sort::Time => SimDuration::from_node(node, sink)?.as_secs_f64(),
        };
        // Zero is allowed wherever it means `off`.
        let least = if self.name == "utilization" || self.name == "drain" { self.low.min(0.01) } else { 0.0 };
        if value.is_finite() && value >= least && value <= 1e6 {
            return Some(value);
        }
        sink.push(self.refusal(node, least));
        None
    }

    fn refusal(&self, node: &Yaml, least: f64) -> crate::config::Diagnostic {
        let range = (self.text(self.low), self.text(self.high));
        let error = node.error(format!("`{}` must be at least {}", self.name, self.text(least)));
        error.note(format!("the search range is {} to {}", range.0, range.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_values_agree() {
        for number in NUMBERS {
            assert_eq!((number.at(0.0), number.at(1.0)), (number.low, number.high), "{}", number.name);
            assert!((number.at(number.position(number.start)) / number.start - 1.0).abs() < 1e-3, "{}", number.name);
            let position = number.position(number.at(0.37));
            assert!((position - 0.37).abs() < 1e-3, "{}: {position}", number.name);
        }
        assert_eq!(NUMBERS[place::STEP_DOWN].name, "step-down");
        assert_eq!(NUMBERS[place::UTILIZATION].text(0.8512), "85.12%");
        assert_eq!(NUMBERS[place::LEAD].text(600.0), "10m");
        assert_eq!(NUMBERS[place::SPREAD].text(0.5), "0.5");
    }
}
