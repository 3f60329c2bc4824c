//! Found parameters, stored in a file.

use serde::{Deserialize, Serialize};

use super::numbers::{COUNT, NUMBERS};
use crate::policy::stored::{self, Layout, Origin};
use crate::units::SimDuration;

/// The layout of the file.
pub const LAYOUT: Layout = Layout { format: "plimsoll-policy-search", version: 1, kind: "policy-search" };

/// The settings under which the numbers were found. They are meaningless under any other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Design {
    /// Requests per second that one fully busy replica serves.
    pub capacity: f64,
    /// Length of the season.
    pub season: SimDuration,
    /// Time between two decisions.
    pub sync_period: SimDuration,
}

impl Design {
    /// The first field in which two designs differ.
    pub fn difference(&self, other: &Design) -> Option<&'static str> {
        let same = [
            (self.capacity == other.capacity, "capacity"),
            (self.season == other.season, "season"),
            (self.sync_period == other.sync_period, "sync-period"),
        ];
        same.into_iter().find(|(same, _)| !same).map(|(_, name)| name)
    }
}

/// Numbers found by a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Found {
    /// Origin of the numbers.
    pub origin: Origin,
    /// The design they are valid for.
    pub design: Design,
    /// Dollars per bad request beyond what the objectives allow; if a penalty was given, per bad request.
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
            return Err("its design has a zero sync period, season or capacity".into());
        }
        let mut numbers = [0.0; COUNT];
        for (place, number) in NUMBERS.iter().enumerate() {
            let value = named.get(place).filter(|(name, value)| name == number.name && *value >= 0.0);
            numbers[place] = value.ok_or_else(|| format!("has no `{}`", number.name))?.1;
        }
        if named.len() > COUNT {
            return Err(format!("has more than the {COUNT} numbers of the rule"));
        }
        Ok(Found { origin, design, penalty, numbers })
    }
}

impl Found {
    /// Serializes the file.
    ///
    /// # Errors
    /// If a value is not finite, which JSON cannot represent.
    pub fn to_json(&self) -> Result<String, String> {
        stored::to_json(&LAYOUT, self.clone())
    }

    /// Parses a file.
    ///
    /// # Errors
    /// A description that completes a sentence starting with the file's name: no such file, another version, truncated
    /// or modified.
    pub fn from_json(text: &str) -> Result<Found, String> {
        stored::from_json(&LAYOUT, text)
    }
}
