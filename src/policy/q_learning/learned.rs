//! A trained policy as a file: JSON with a version and a checksum.

use serde::{Deserialize, Serialize};

use super::design::{Design, MOST_STATES};
use super::table::{Cell, Table};
use crate::units::SimDuration;
use crate::workload::sha256_hex;

/// Version of the layout: a reader knows its own alone.
const VERSION: u32 = 1;
const FORMAT: &str = "plimsoll-q-table";
/// How a file of any version begins.
const HEAD: &[u8; 20] = b"{\"format\":\"plimsoll-";
/// The most bytes of a file.
pub const MOST_BYTES: u64 = 256 << 20;

/// Where a table comes from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Name of the scenario.
    pub scenario: String,
    /// Checksum over the scenario, what it reads and its traces.
    pub fingerprint: String,
    /// Label of the policy.
    pub policy: String,
    /// Seed.
    pub seed: u64,
    /// Episodes that were run.
    pub episodes: u64,
    /// The episode after which the table was taken.
    pub taken_after: u64,
}

/// A trained policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Learned {
    /// Where it comes from.
    pub origin: Origin,
    /// Its states and actions.
    pub design: Design,
    /// Dollars per bad request.
    pub penalty: f64,
    /// The time over which sums are discounted.
    pub horizon: SimDuration,
    /// What was learned.
    pub table: Table,
}

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    format: String,
    version: u32,
    /// Version of the program, for people.
    plimsoll: String,
    /// Of `learned`, as it is written without spaces.
    sha256: String,
    learned: T,
}

/// The beginning of any version.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
    plimsoll: String,
}

/// A state that was met, and for each action its visits, dollars and bad requests.
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
        let count = design.states().filter(|count| *count <= MOST_STATES).ok_or("has too many states")?;
        if design.sync_period.is_zero() || design.season.is_zero() || design.parts == 0 || design.actions.is_empty() {
            return Err("its design has no decisions, actions or seasons".into());
        }
        let mut table = Table::new(count, design.actions.len());
        if states.is_empty() {
            return Err("nothing was learned".into());
        }
        let mut next = 0;
        for (state, cells) in states {
            if state < next || state as usize >= count || cells.len() != design.actions.len() {
                return Err(format!("has no place for state {state}"));
            }
            for (place, (visits, dollars, bad)) in table.row_mut(state).iter_mut().zip(cells) {
                *place = Cell { visits, dollars, bad };
            }
            next = state + 1;
        }
        Ok(Learned { origin, design, penalty, horizon, table })
    }
}

/// Whether a file begins as a trained policy of plimsoll does, of any version and kind.
pub fn is_trained_policy(mut file: impl std::io::Read) -> bool {
    let mut head = [0; HEAD.len()];
    file.read_exact(&mut head).is_ok() && head == *HEAD
}

impl Learned {
    /// The file. What is read back from it is `self` with rounded values.
    ///
    /// # Errors
    /// If a value is not finite, which JSON cannot hold.
    pub fn to_json(&self) -> Result<String, String> {
        let learned = Learned { table: self.table.clone().rounded(), ..self.clone() };
        let envelope = Envelope {
            format: FORMAT.into(),
            version: VERSION,
            plimsoll: env!("CARGO_PKG_VERSION").into(),
            sha256: learned.checksum()?,
            learned,
        };
        serde_json::to_string(&envelope).map(|text| text + "\n").map_err(|error| error.to_string())
    }

    fn checksum(&self) -> Result<String, String> {
        serde_json::to_vec(self).map(|bytes| sha256_hex(&bytes)).map_err(|error| error.to_string())
    }

    /// What a file holds.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow its name: no such file, another version, cut short or changed.
    pub fn from_json(text: &str) -> Result<Learned, String> {
        let alien = |error: serde_json::Error| match text.trim_end() {
            // A number that is cut short is no end of the text to the parser.
            start if error.is_eof() && !start.is_empty() || start.contains(FORMAT) && !start.ends_with('}') => {
                "is cut short".to_string()
            }
            _ => "is not a trained policy of plimsoll".into(),
        };
        let head: Head = serde_json::from_str(text).map_err(alien)?;
        if head.format != FORMAT {
            return Err("is not a trained policy of plimsoll".into());
        }
        if head.version != VERSION {
            return Err(format!(
                "has version {} of the layout, written by plimsoll {}; this program reads version {VERSION}",
                head.version, head.plimsoll
            ));
        }
        let read: Result<Envelope<Learned>, _> = serde_json::from_str(text);
        let envelope = read.map_err(|error| format!("was changed after it was written: {error}"))?;
        if envelope.learned.checksum()? != envelope.sha256 {
            return Err("was changed after it was written: its checksum is another".into());
        }
        Ok(envelope.learned)
    }
}
