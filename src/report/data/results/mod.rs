//! What commands print as JSON: numbers with their unit in the name or beside them, a version, and a schema made of the same types.

mod of;
mod run;
mod traces;
mod training;
mod types;

pub use of::{capacity_results, compare_results, plan_results, provision_results, test_results, whatif_results};
pub use run::*;
pub use traces::*;
pub use training::*;
pub use types::*;

use serde_json::{Value, json};

use crate::experiment::Outcome;

/// Version of the layout of [`Results`]; grows when a name changes its meaning or goes away.
pub const RESULTS_VERSION: u32 = 1;

/// The JSON Schema (draft 2020-12) of everything that a command prints with `--format json`. `summary.json` of a report is a
/// [`SummaryResult`] of it.
pub fn results_schema() -> Value {
    let mut schema = Value::from(schemars::schema_for!(Results));
    schema["title"] = json!("Plimsoll results");
    schema["description"] = json!(format!(
        "What commands print with --format json, version {RESULTS_VERSION}. Units stand in names or in a field `unit`: usd, s, share (1 \
         is all), replica-hours, 1. What is not known is null."
    ));
    schema
}

/// `plimsoll run`: every figure of every run of each scenario.
pub fn run_results(outcomes: &[Outcome]) -> RunResults {
    RunResults { version: RESULTS_VERSION, scenarios: outcomes.iter().map(super::summary_json::summary).collect() }
}

/// Results as text. Numbers that JSON has no form for are null.
pub fn results_text(results: &Results) -> String {
    super::summary_json::exact(results)
}
