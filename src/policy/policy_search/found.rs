//! What a search found, as a file.

use serde::{Deserialize, Serialize};

use super::numbers::{COUNT, NUMBERS};
use crate::policy::stored::{self, Layout, Origin};
use crate::units::SimDuration;

/// The layout of the files.
pub const LAYOUT: Layout = Layout { format: "plimsoll-policy-search", version: 1, kind: "policy-search" };

/// What the numbers are said of: found under one design they mean nothing under another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Design {
    /// Requests per second that one replica serves when all of it is busy.
    pub capacity: f64,
    /// Length of a season.
    pub season: SimDuration,
    /// Time between two decisions.
    pub sync_period: SimDuration,
}

impl Design {
    /// The first thing in which two designs differ.
    pub fn difference(&self, other: &Design) -> Option<&'static str> {
        let same = [
            (self.capacity == other.capacity, "capacity"),
            (self.season == other.season, "season"),
            (self.sync_period == other.sync_period, "sync-period"),
        ];
        same.into_iter().find(|(same, _)| !same).map(|(_, name)| name)
    }
}

/// Numbers that were found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Found {
    /// Where they come from.
    pub origin: Origin,
    /// What they are said of.
    pub design: Design,
    /// Dollars per bad request beyond what the objectives allow, or of any, where it was given.
    pub penalty: f64,
    /// The numbers, in the order of [`NUMBERS`].
    pub numbers: [f64; COUNT],
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    origin: Origin,
    design: Design,
    penalty: f64,
    numbers: Vec<(String, f64)>,
}

impl From<Found> for Stored {
    fn from(found: Found) -> Stored {
        let Found { origin, design, penalty, numbers } = found;
        let numbers = NUMBERS.iter().zip(numbers).map(|(number, value)| (number.name.into(), value)).collect();
        Stored { origin, design, penalty, numbers }
    }
}

impl TryFrom<Stored> for Found {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Found, String> {
        let Stored { origin, design, penalty, numbers: named } = stored;
        if design.sync_period.is_zero() || design.season.is_zero() || design.capacity <= 0.0 {
            return Err("its design has no decisions, capacity or seasons".into());
        }
        let mut numbers = [0.0; COUNT];
        for (place, number) in NUMBERS.iter().enumerate() {
            let value = named.get(place).filter(|(name, value)| name == number.name && *value >= 0.0);
            numbers[place] = value.ok_or_else(|| format!("has no `{}`", number.name))?.1;
        }
        if named.len() > COUNT {
            return Err(format!("knows more numbers than there are, {COUNT}"));
        }
        Ok(Found { origin, design, penalty, numbers })
    }
}

impl Found {
    /// The file.
    ///
    /// # Errors
    /// If a value is not finite, which JSON cannot hold.
    pub fn to_json(&self) -> Result<String, String> {
        stored::to_json(&LAYOUT, self.clone())
    }

    /// What a file holds.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow its name: no such file, another version, cut short or changed.
    pub fn from_json(text: &str) -> Result<Found, String> {
        stored::from_json(&LAYOUT, text)
    }
}
