//! `decisions.csv`: every decision with its reason.

use super::timeline::{csv_bytes, number};
use crate::experiment::Outcome;
use crate::report::artifact::{Artifact, ReportError, Reporter, ReporterPlugin};

/// The entry in the list.
pub(crate) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "decisions.csv",
    summary: "every decision that changed the size or its reason",
    source: "RFC 4180",
    build: &DecisionsCsv,
};

/// The column with the time of day, which only dated runs have.
const TIME: &str = "at_time";

const HEADER: [&str; 10] = [
    "policy",
    "service",
    "at_s",
    TIME,
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
        let dated = outcome.calendar.is_some();
        let has = |name: &str| dated || name != TIME;
        let services = outcome.runs.iter().flat_map(|run| run.services.iter().map(move |service| (run, service)));
        let decisions = services.flat_map(|(run, service)| service.decisions.iter().map(move |d| (run, service, d)));
        let rows = decisions.map(|(run, service, decision)| {
            let time = outcome.calendar.as_ref().map(|calendar| calendar.time_of(decision.at));
            let cells: [String; HEADER.len()] = [
                run.policy.clone(),
                service.name.clone(),
                number(Some(decision.at.as_secs_f64())),
                time.unwrap_or_default(),
                number(decision.metrics_age.map(|age| age.as_secs_f64())),
                decision.from.to_string(),
                decision.to.to_string(),
                decision.ready.to_string(),
                decision.code.name().to_owned(),
                decision.detail.clone(),
            ];
            HEADER.into_iter().zip(cells).filter(|(name, _)| has(name)).map(|(_, cell)| cell)
        });
        let bytes = csv_bytes(PLUGIN.name, HEADER.into_iter().filter(|name| has(name)).map(str::to_owned), rows)?;
        Ok(vec![Artifact::new(PLUGIN.name, bytes)])
    }
}
