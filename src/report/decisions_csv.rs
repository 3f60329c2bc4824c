//! `decisions.csv`: every decision with its reason.

use crate::experiment::Outcome;
use crate::report::timeline::{csv_bytes, number};
use crate::report::{Artifact, ReportError, Reporter, ReporterPlugin};

/// The entry in the list.
pub(super) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "decisions.csv",
    summary: "every decision that changed the size or its reason",
    source: "RFC 4180",
    build: &DecisionsCsv,
};

const HEADER: [&str; 9] = [
    "policy",
    "service",
    "at_s",
    "metrics_age_s",
    "from_replicas",
    "to_replicas",
    "ready_replicas",
    "reason",
    "detail",
];

struct DecisionsCsv;

impl Reporter for DecisionsCsv {
    fn report(&self, outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
        let services = outcome.runs.iter().flat_map(|run| run.services.iter().map(move |service| (run, service)));
        let decisions = services.flat_map(|(run, service)| service.decisions.iter().map(move |d| (run, service, d)));
        let rows = decisions.map(|(run, service, decision)| {
            let cells: [String; HEADER.len()] = [
                run.policy.clone(),
                service.name.clone(),
                number(Some(decision.at.as_secs_f64())),
                number(decision.metrics_age.map(|age| age.as_secs_f64())),
                decision.from.to_string(),
                decision.to.to_string(),
                decision.ready.to_string(),
                decision.code.name().to_owned(),
                decision.detail.clone(),
            ];
            cells.into_iter()
        });
        let bytes = csv_bytes(PLUGIN.name, HEADER.into_iter().map(str::to_owned), rows)?;
        Ok(vec![Artifact::new(PLUGIN.name, bytes)])
    }
}
