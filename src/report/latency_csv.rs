//! `latency.csv`: the distribution of the latency, for the chart of it.

use crate::engine::ServiceRecord;
use crate::experiment::Outcome;
use crate::report::timeline::{csv_bytes, number};
use crate::report::{Artifact, ReportError, Reporter, ReporterPlugin};

/// The entry in the list.
pub(super) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "latency.csv",
    summary: "the latency distribution: requests answered within each limit, by policy and service",
    source: "RFC 4180",
    build: &LatencyCsv,
};

const HEADER: [&str; 5] = ["policy", "service", "within_ms", "requests", "share_ratio"];

struct LatencyCsv;

impl Reporter for LatencyCsv {
    fn report(&self, outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
        let services = outcome.runs.iter().flat_map(|run| run.services.iter().map(move |service| (run, service)));
        let rows = services.flat_map(|(run, service)| {
            cumulative(service).map(move |(within, requests, share)| {
                let figures = [number(Some(within)), requests.to_string(), number(Some(share))];
                let [within, requests, share] = figures;
                [run.policy.clone(), service.name.clone(), within, requests, share].into_iter()
            })
        });
        let bytes = csv_bytes(PLUGIN.name, HEADER.into_iter().map(str::to_owned), rows)?;
        Ok(vec![Artifact::new(PLUGIN.name, bytes)])
    }
}

/// (milliseconds, requests answered within them, their share of all that ended); lost requests are never answered.
fn cumulative(service: &ServiceRecord) -> impl Iterator<Item = (f64, u64, f64)> + '_ {
    let lost = service.counts.rejected + service.counts.timed_out + service.counts.failed;
    let all = (service.sojourn.count() + lost).max(1) as f64;
    service.sojourn.buckets().scan(0, move |within, (upper, count)| {
        *within += count;
        Some((upper.as_millis_f64(), *within, *within as f64 / all))
    })
}
