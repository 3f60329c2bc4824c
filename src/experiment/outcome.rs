//! What an experiment hands to the reports.

use serde::{Deserialize, Serialize};

use super::bound::CostBound;
use super::replicate::Replicated;
use crate::engine::RunRecord;

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
    /// One run per policy, in the order of the scenario.
    pub runs: Vec<RunRecord>,
    /// The same policies over several replications; `None` where each was run once.
    pub replicated: Option<Replicated>,
    /// What every policy that keeps the objective pays at least; `None` where that is not known.
    pub bound: Option<CostBound>,
    /// What was read.
    pub inputs: Vec<InputFact>,
    /// What the model takes for granted, one sentence each.
    pub assumptions: Vec<String>,
    /// Date of the prices (`2025-06-01`); empty if nothing was priced.
    pub price_date: String,
    /// What the reader should know before trusting the figures, one sentence each.
    pub warnings: Vec<String>,
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
