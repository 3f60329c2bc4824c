//! How requests end.

use std::collections::BTreeMap;
use std::ops::{Index, IndexMut};

use serde::de::Error;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

listed! {
    /// How a request ends. Whatever counts requests by fate goes through this list.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Fate {
        /// Answered.
        Completed,
        /// Rejected at the last attempt: the queue was full, or no replica was ready.
        Rejected,
        /// Abandoned by its client at the last attempt.
        TimedOut,
        /// Lost with its replica, which crashed or was killed, at the last attempt.
        Failed,
        /// Still in the system at the end of the run.
        InFlight,
    }
}

impl Fate {
    /// The name used in files.
    pub const fn name(self) -> &'static str {
        match self {
            Fate::Completed => "completed",
            Fate::Rejected => "rejected",
            Fate::TimedOut => "timed_out",
            Fate::Failed => "failed",
            Fate::InFlight => "in_flight",
        }
    }

    /// The name for a request that is bad by an objective: an answer came too late, what is in flight is overdue.
    pub const fn name_if_bad(self) -> &'static str {
        match self {
            Fate::Completed => "late",
            Fate::InFlight => "unanswered",
            lost => lost.name(),
        }
    }

    /// Whether the request ended without an answer.
    pub const fn is_lost(self) -> bool {
        !matches!(self, Fate::Completed | Fate::InFlight)
    }
}

/// Requests by fate: `counts[Fate::Completed]`. Every request that arrived has exactly one (I1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// Requests that arrived. A request and its retries count once.
    pub arrived: u64,
    /// Retries: attempts after the first.
    pub retries: u64,
    by_fate: [u64; Fate::ALL.len()],
}

impl RequestCounts {
    /// Requests that ended without an answer.
    pub fn lost(&self) -> u64 {
        Fate::ALL.into_iter().filter(|fate| fate.is_lost()).map(|fate| self[fate]).sum()
    }

    /// Requests whose fate is known: all that arrived (I1).
    pub fn accounted(&self) -> u64 {
        self.by_fate.iter().sum()
    }
}

impl Index<Fate> for RequestCounts {
    type Output = u64;

    fn index(&self, fate: Fate) -> &u64 {
        &self.by_fate[fate as usize]
    }
}

impl IndexMut<Fate> for RequestCounts {
    fn index_mut(&mut self, fate: Fate) -> &mut u64 {
        &mut self.by_fate[fate as usize]
    }
}

/// In files the fates stand between the arrivals and the retries.
const ARRIVED: &str = "arrived";
const RETRIES: &str = "retries";

impl Serialize for RequestCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("RequestCounts", Fate::ALL.len() + 2)?;
        fields.serialize_field(ARRIVED, &self.arrived)?;
        for fate in Fate::ALL {
            fields.serialize_field(fate.name(), &self[fate])?;
        }
        fields.serialize_field(RETRIES, &self.retries)?;
        fields.end()
    }
}

impl<'de> Deserialize<'de> for RequestCounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = BTreeMap::<String, u64>::deserialize(deserializer)?;
        let mut field = |name| fields.remove(name).ok_or_else(|| D::Error::missing_field(name));
        let mut counts = RequestCounts { arrived: field(ARRIVED)?, retries: field(RETRIES)?, ..Default::default() };
        for fate in Fate::ALL {
            counts[fate] = field(fate.name())?;
        }
        match fields.keys().next() {
            Some(unknown) => Err(D::Error::custom(format!("unknown field `{unknown}`"))),
            None => Ok(counts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts() -> RequestCounts {
        let mut counts = RequestCounts { arrived: 15, retries: 7, ..RequestCounts::default() };
        Fate::ALL.into_iter().zip(1..).for_each(|(fate, requests)| counts[fate] = requests);
        counts
    }

    #[test]
    fn every_fate_is_counted_once() {
        assert_eq!((counts().accounted(), counts().lost()), (15, 2 + 3 + 4));
    }

    /// The layout of stored results since version 1.
    #[test]
    fn counts_are_stored_by_name() {
        let text = r#"{"arrived":15,"completed":1,"rejected":2,"timed_out":3,"failed":4,"in_flight":5,"retries":7}"#;
        assert_eq!(serde_json::to_string(&counts()).unwrap(), text);
        assert_eq!(serde_json::from_str::<RequestCounts>(text).unwrap(), counts());
        let unknown = text.replace("failed", "forgotten");
        assert!(serde_json::from_str::<RequestCounts>(&unknown).unwrap_err().to_string().contains("missing field"));
        let more = text.replace("}", r#","lost":1}"#);
        assert!(serde_json::from_str::<RequestCounts>(&more).unwrap_err().to_string().contains("unknown field"));
    }
}
