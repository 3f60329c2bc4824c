//! What an experiment hands to the reports.

use serde::{Deserialize, Serialize};

use super::bound::CostBound;
use super::level::SameLevel;
use super::replicate::Replicated;
use crate::engine::RunRecord;
use crate::units::SimTime;

/// The result of a scenario: one run per policy on common random numbers, and everything needed to judge and repeat it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Name of the scenario.
    pub scenario: String,
    /// Title for people.
    pub title: String,
    /// What the scenario is about; may be empty.
    pub description: String,
    /// The command that produced this.
    pub command: String,
    /// Version of the program.
    pub version: String,
    /// Seed.
    pub seed: u64,
    /// Where the requests come from: one for each service, in the order of the scenario.
    pub traffic: Vec<Traffic>,
    /// What goes wrong as the scenario plans it, in order of time.
    pub faults: Vec<Fault>,
    /// One run per policy, in the order of the scenario: the first replication, where there are several.
    pub runs: Vec<RunRecord>,
    /// The same policies over several replications; `None` where each was run once.
    pub replicated: Option<Replicated>,
    /// Index of the policy with which the replications of the others are compared.
    pub base: usize,
    /// How the policies were brought to the same service level; `None` where they were run as they are.
    pub level: Option<SameLevel>,
    /// What every policy that keeps the objective pays at least; `None` where that is not known.
    pub bound: Option<CostBound>,
    /// Where time zero lies on the calendar; `None` where no workload tells it, or they tell different things.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Calendar>,
    /// What was read.
    pub inputs: Vec<InputFact>,
    /// What the model takes for granted, one sentence each.
    pub assumptions: Vec<String>,
    /// Date of the prices (`2025-06-01`); empty if nothing was priced.
    pub price_date: String,
    /// What the reader should know before trusting the figures, one sentence each.
    pub warnings: Vec<String>,
}

/// Where the requests of a service come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// Name of the service.
    pub service: String,
    /// What kind of source it is.
    pub source: TrafficSource,
    /// The steps that reshape the requests, as the scenario writes them.
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
        /// The generator's name; empty for one that has none.
        generator: String,
    },
    /// Users who wait for answers: how many requests there are depends on the policy.
    ClosedLoop {
        /// The most users at any time.
        users: u32,
    },
}

/// A fault that a scenario plans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What is the matter, in a few words (`zone b lost`).
    pub what: String,
    /// From when.
    pub from: SimTime,
    /// Until when; not beyond the end of the run. For what only has a beginning, that.
    pub to: SimTime,
}

/// An input: a trace, a manifest, the scenario itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputFact {
    /// Its name: usually the path as written in the scenario.
    pub name: String,
    /// What it is, in words ("Azure LLM inference trace, 19366 requests").
    pub detail: String,
    /// Checksum of its bytes with the algorithm's name (`sha256:...`).
    pub checksum: String,
}

impl InputFact {
    /// How the detail of a recorded trace begins.
    pub(super) const TRACE: &str = "trace of ";

    /// Whether it is a recorded trace.
    pub fn is_trace(&self) -> bool {
        self.detail.starts_with(InputFact::TRACE)
    }
}

/// Where time zero lies on the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Wall-clock time of time zero, nanoseconds since 1970 (UTC).
    pub start_epoch_ns: u64,
    /// The zone in which clocks are read: a name or an offset.
    pub zone: String,
}
