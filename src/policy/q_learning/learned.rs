//! A trained table, stored in a file.

use serde::{Deserialize, Serialize};

use super::design::{Design, MAX_STATES};
use super::table::{Cell, Table};
use crate::policy::stored::{self, Layout, Origin};
use crate::units::SimDuration;

/// The layout of the file.
pub const LAYOUT: Layout = Layout { format: "plimsoll-q-table", version: 1, kind: "q-learning" };

/// A trained policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Learned {
    /// Origin of the table.
    pub origin: Origin,
    /// Its states and actions.
    pub design: Design,
    /// Dollars per bad request.
    pub penalty: f64,
    /// The discounting horizon.
    pub horizon: SimDuration,
    /// The table.
    pub table: Table,
}

/// A visited state, and for each action its visits, dollars and bad requests.
type Row = (u32, Vec<(u32, f64, f64)>);

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    origin: Origin,
    design: Design,
    penalty: f64,
    horizon: SimDuration,
    states: Vec<Row>,
}

impl From<Learned> for Stored {
    fn from(learned: Learned) -> Stored {
        let Learned { origin, design, penalty, horizon, table } = learned;
        let met = (0..table.states() as u32).filter(|state| table.row(*state).iter().any(|cell| cell.visits > 0));
        let cells = |state| table.row(state).iter().map(|cell| (cell.visits, cell.dollars, cell.bad)).collect();
        let states = met.map(|state| (state, cells(state))).collect();
        Stored { origin, design, penalty, horizon, states }
    }
}

impl TryFrom<Stored> for Learned {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Learned, String> {
        let Stored { origin, design, penalty, horizon, states } = stored;
        let count = design.states().filter(|count| *count <= MAX_STATES).ok_or("has too many states")?;
        if design.sync_period.is_zero() || design.season.is_zero() || design.parts == 0 || design.actions.is_empty() {
            return Err("its design has a zero sync period or season, or no actions".into());
        }
        let mut table = Table::new(count, design.actions.len());
        if states.is_empty() {
            return Err("nothing was learned".into());
        }
        let mut next = 0;
        for (state, cells) in states {
            if state < next || state as usize >= count || cells.len() != design.actions.len() {
                return Err(format!("state {state} is invalid or out of order"));
            }
            for (place, (visits, dollars, bad)) in table.row_mut(state).iter_mut().zip(cells) {
                *place = Cell { visits, dollars, bad };
            }
            next = state + 1;
        }
        Ok(Learned { origin, design, penalty, horizon, table })
    }
}

impl Learned {
    /// Serializes the file. Reading it back gives `self` with rounded values.
    ///
    /// # Errors
    /// If a value is not finite, which JSON cannot represent.
    pub fn to_json(&self) -> Result<String, String> {
        stored::to_json(&LAYOUT, Learned { table: self.table.clone().rounded(), ..self.clone() })
    }

    /// Parses a file.
    ///
    /// # Errors
    /// A description that completes a sentence starting with the file's name: no such file, another version, truncated
    /// or modified.
    pub fn from_json(text: &str) -> Result<Learned, String> {
        stored::from_json(&LAYOUT, text)
    }
}
