//! Actions: changes of the number of replicas.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::config::{Diagnostics, FromNode, Yaml, parse_text};
use crate::units::UnitError;

const EXPECTED: &str = "a change of the size such as `0`, `+1`, `-2` or `+20%`";
/// The largest step in replicas.
const MAX_REPLICAS: i32 = 100_000;
/// The largest relative increase.
const MAX_SHARE: f64 = 10.0;

/// An action: a change of the number of replicas.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Step {
    /// Adds this many replicas; removes if negative.
    By(i32),
    /// Adds this share of the replicas (0.2); removes if negative; must be above -1. Rounded away from the current
    /// size, so that a share of a small fleet still changes it.
    Share(f64),
}

impl Step {
    /// The size after the action, before any bounds.
    pub fn from(self, size: u32) -> u32 {
        match self {
            Step::By(by) => size.saturating_add_signed(by),
            // The epsilon removes the error of binary fractions: 20% of 5 is exactly 1. The casts saturate.
            Step::Share(share) if share < 0.0 => (f64::from(size) * (1.0 + share) + 1e-9).floor() as u32,
            Step::Share(share) => (f64::from(size) * (1.0 + share) - 1e-9).ceil() as u32,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::By(0) => f.write_str("0"),
            Step::By(by) => write!(f, "{by:+}"),
            Step::Share(share) => write!(f, "{:+}%", (share * 1e6).round() / 1e4),
        }
    }
}

impl FromStr for Step {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let whole = text.trim();
        let wrong = || UnitError::new(EXPECTED, format!("`{whole}` is not a step"));
        match whole.strip_suffix('%') {
            Some(percent) => {
                let percent = percent.trim_end().parse::<f64>().map_err(|_| wrong())?;
                // Rounded to a ten-thousandth of a per cent, as printed, so that it reads back the same.
                let share = (percent * 1e4).round() / 1e6;
                let fits = share > -1.0 && share <= MAX_SHARE && share != 0.0;
                if fits { Ok(Step::Share(share)) } else { Err(wrong()) }
            }
            None => {
                let by = whole.parse::<i32>().map_err(|_| wrong())?;
                if (-MAX_REPLICAS..=MAX_REPLICAS).contains(&by) { Ok(Step::By(by)) } else { Err(wrong()) }
            }
        }
    }
}

impl FromNode for Step {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        parse_text(node, sink)
    }
}

impl TryFrom<String> for Step {
    type Error = UnitError;

    fn try_from(text: String) -> Result<Self, UnitError> {
        text.parse()
    }
}

impl From<Step> for String {
    fn from(step: Step) -> String {
        step.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_shown_and_taken() {
        let taken = |text: &str, size: u32| text.parse::<Step>().unwrap().from(size);
        assert_eq!([taken("0", 7), taken("+1", 7), taken("-2", 7), taken("-9", 7)], [7, 8, 5, 0]);
        // Shares are rounded away from the current size, and exact ones stay exact.
        assert_eq!([taken("+20%", 5), taken("+20%", 6), taken("-20%", 5), taken("-20%", 6)], [6, 8, 4, 4]);
        assert_eq!([taken("+50%", 1), taken("-20%", 1), taken("+1000%", u32::MAX)], [2, 0, u32::MAX]);
        for text in ["0", "+1", "-2", "+20%", "-12.5%"] {
            assert_eq!(text.parse::<Step>().unwrap().to_string(), text);
        }
        for text in ["", "x", "-100%", "+2000%", "0%", "1.5", "+999999", "NaN%"] {
            assert!(text.parse::<Step>().is_err(), "{text}");
        }
    }
}
