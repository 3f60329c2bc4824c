//! The result of an experiment, as passed to the reports.

use serde::{Deserialize, Serialize};

use super::bound::CostBound;
use super::replicate::Replicated;
use super::same_level::SameLevel;
use crate::engine::RunRecord;
use crate::scenario::PriceFact;
use crate::units::{SimTime, Usd};
use crate::workload::{Zone, show_instant_in};

/// The result of a scenario: one run per policy on common random numbers, and everything needed to evaluate and repeat
/// it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Name of the scenario.
    pub scenario: String,
    /// Title.
    pub title: String,
    /// Description; may be empty.
    pub description: String,
    /// The command that produced this.
    pub command: String,
    /// Version of the program.
    pub version: String,
    /// Seed.
    pub seed: u64,
    /// Sources of the requests, one per service, in the order of the scenario.
    #[doc(hidden)]
    pub traffic: Vec<Traffic>,
    /// Planned faults, in order of time.
    #[doc(hidden)]
    pub faults: Vec<Fault>,
    /// One run per policy, in the order of the scenario; the first replication if there are several.
    pub runs: Vec<RunRecord>,
    /// The same policies over several replications; `None` if each was run once.
    #[doc(hidden)]
    pub replicated: Option<Replicated>,
    /// Index of the policy with which the replications of the others are compared.
    #[doc(hidden)]
    pub base: usize,
    /// How the policies were brought to the same service level; `None` if they were run as they are.
    #[doc(hidden)]
    pub level: Option<SameLevel>,
    /// The minimum cost of any policy that meets the objective; `None` if not known.
    #[doc(hidden)]
    pub bound: Option<CostBound>,
    /// The wall-clock time of simulated time zero; `None` if no workload states it, or they differ.
    #[doc(hidden)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<CalendarStart>,
    /// The inputs.
    #[doc(hidden)]
    pub inputs: Vec<InputFact>,
    /// The assumptions of the model, one sentence each.
    pub assumptions: Vec<String>,
    /// Date of the prices (`2025-06-01`); empty if nothing was priced.
    pub price_date: String,
    /// Where the prices of the catalogue come from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prices: Vec<PriceFact>,
    /// Warnings, one sentence each.
    pub warnings: Vec<String>,
}

impl Outcome {
    /// The run of a policy.
    pub fn run(&self, policy: &str) -> Option<&RunRecord> {
        self.runs.iter().find(|run| run.policy == policy)
    }

    /// The lower bound: what any policy that meets the objectives costs at least; `None` if it is not known.
    pub fn lower_bound(&self) -> Option<Usd> {
        self.bound.as_ref().map(|bound| bound.cost)
    }
}

/// The source of the requests of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// Name of the service.
    pub service: String,
    /// The kind of source.
    pub source: TrafficSource,
    /// The transforms of the requests, as written in the scenario.
    pub steps: Vec<String>,
}

/// A kind of source of requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrafficSource {
    /// A recorded trace: the same in every replication.
    Recorded {
        /// The file, without its directory.
        file: String,
    },
    /// Drawn anew in each replication.
    Generated {
        /// The generator's name; empty if it has none.
        generator: String,
    },
    /// Users who wait for answers: the number of requests depends on the policy.
    ClosedLoop {
        /// Maximum number of users.
        users: u32,
    },
    /// Only other services call it.
    Called,
}

/// A planned fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// A short description (`zone b lost`).
    pub what: String,
    /// Start.
    pub from: SimTime,
    /// End; at most the end of the run. Equal to the start for faults without a duration.
    pub to: SimTime,
}

/// An input: a trace, a manifest, the scenario itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputFact {
    /// Its name: usually the path as written in the scenario.
    pub name: String,
    /// A description ("Azure LLM inference trace, 19366 requests").
    pub detail: String,
    /// Checksum of its bytes, prefixed with the name of the algorithm (`sha256:...`).
    pub checksum: String,
}

impl InputFact {
    /// The beginning of the detail of a recorded trace.
    pub(super) const TRACE: &str = "trace of ";

    /// Whether it is a recorded trace.
    pub fn is_trace(&self) -> bool {
        self.detail.starts_with(InputFact::TRACE)
    }
}

/// The wall-clock time of simulated time zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarStart {
    /// Nanoseconds since 1970 (UTC).
    pub start_epoch_ns: u64,
    /// The time zone for display: a name or an offset.
    pub zone: String,
}

impl CalendarStart {
    /// The time of day of a point in simulated time, to the second, with its offset (ISO 8601).
    pub fn time_of(&self, at: SimTime) -> String {
        let zone = Zone::named(&self.zone).unwrap_or(Zone::UTC);
        let seconds = self.start_epoch_ns.saturating_add(at.as_nanos()) / 1_000_000_000;
        show_instant_in(seconds * 1_000_000_000, zone)
    }
}
