//! `latency.csv`: the distribution of the latency, for the chart of it.

use super::timeline::{csv_bytes, number};
use crate::experiment::Outcome;
use crate::report::artifact::{Artifact, ReportError, Reporter, ReporterPlugin};
use crate::stats::LatencyHistogram;
use crate::units::SimDuration;

/// The entry in the list.
pub(crate) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "latency.csv",
    summary: "the latency distribution: requests answered within each limit, by policy and service",
    source: "RFC 4180",
    build: &LatencyCsv,
};

const HEADER: [&str; 5] = ["policy", "service", "within_ms", "requests", "share_ratio"];

/// More distributions than this are written in coarser steps: at the histograms' own, 500 services under two policies fill 70 MB.
const MAX_FINE: usize = 100;
/// Rows per octave of such a distribution. Each row is exact: there are fewer limits, not rounder figures.
const COARSE_ROWS: f64 = 8.0;

struct LatencyCsv;

impl Reporter for LatencyCsv {
    fn report(&self, outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
        let services = || outcome.runs.iter().flat_map(|run| run.services.iter().map(move |service| (run, service)));
        let fine = services().count() <= MAX_FINE;
        let rows = services().flat_map(|(run, service)| {
            let counts = &service.counts;
            let lost = counts.lost();
            cumulative(&service.sojourn, lost, fine).map(move |(within, requests, share)| {
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
fn cumulative(sojourn: &LatencyHistogram, lost: u64, fine: bool) -> impl Iterator<Item = (f64, u64, f64)> + '_ {
    let all = (sojourn.count() + lost).max(1) as f64;
    let mut buckets = sojourn.buckets().peekable();
    let mut within = 0;
    std::iter::from_fn(move || {
        loop {
            let (upper, count) = buckets.next()?;
            within += count;
            let ends_a_step = buckets.peek().is_none_or(|(next, _)| fine || coarse_step(*next) != coarse_step(upper));
            if ends_a_step {
                return Some((upper.as_millis_f64(), within, within as f64 / all));
            }
        }
    })
}

/// The coarse step that a duration lies in.
fn coarse_step(duration: SimDuration) -> i64 {
    (duration.as_secs_f64().log2() * COARSE_ROWS).floor() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coarse_rows_are_some_of_the_fine_ones_and_end_alike() {
        let mut sojourn = LatencyHistogram::new();
        (1..20_000).for_each(|n| sojourn.record(SimDuration::from_nanos(n * 1_000)));
        let fine: Vec<_> = cumulative(&sojourn, 1, true).collect();
        let coarse: Vec<_> = cumulative(&sojourn, 1, false).collect();
        assert!(coarse.len() < fine.len() / 8 && coarse.len() > 80, "{} of {}", coarse.len(), fine.len());
        assert!(coarse.iter().all(|row| fine.contains(row)));
        assert_eq!((coarse.last(), fine.last().unwrap().1), (fine.last(), 19_999));
    }
}
