//! The load line: how much traffic each policy carries.

use std::fmt::Write;

use crate::engine::Cause;
use crate::experiment::{Edge, Limit};
use crate::report::artifact::{Artifact, ReportError};
use crate::report::printing::grid::Grid;
use crate::report::printing::text;

/// One row per policy, service and objective.
pub fn capacity(limits: &[Limit], level: f64, recorded: bool) -> Grid {
    let header = ["Policy", "Service", "Objective", "Carries", "Requests/s", "What breaks it"];
    let replications = limits.first().map_or(0, |limit| limit.replications);
    let mut notes = vec![match replications {
        0 | 1 => "The mean rate of the workload is scaled until the objective breaks, in one replication, so there is no confidence interval.".into(),
        n => format!(
            "The mean rate of the workload is scaled until the objective breaks in the mean of {n} replications; in brackets the {}% \
             confidence interval: below it the objective is shown to be met, beyond it to be broken.",
            text::number(level * 100.0, 0)
        ),
    }];
    if recorded {
        notes.push(
            "The trace is the same in every replication: only demands, start-ups and the copies made in scaling vary."
                .into(),
        );
    }
    let slowed = |limit: &Limit| limit.bottlenecks.iter().any(|(cause, _)| *cause == Cause::Contention);
    if limits.iter().any(slowed) {
        let words = Cause::Contention.words();
        notes.push(format!("\u{201c}{words}\u{201d}: other requests of the same replica took the CPU that it has."));
    }
    Grid { header: header.map(str::to_string).into(), rows: limits.iter().map(row).collect(), notes }
}

fn row(limit: &Limit) -> Vec<String> {
    let alone = limit.replications < 2;
    let carries = match (limit.factor, alone) {
        (Edge::Beyond, true) => "128x or more".into(),
        (Edge::Below, true) => "not even 1/128".into(),
        (Edge::At(factor), true) => text::number(factor, 3) + "x",
        (_, false) => carried(limit),
    };
    let rate = match (limit.rate(), limit.rate_interval().filter(|_| !alone)) {
        (Some(rate), Some((low, high))) => {
            let decimals = decimals(high - low);
            let [rate, low, high] = [rate, low, high].map(|rate| text::number(rate, decimals));
            format!("{rate} ({low} to {high})")
        }
        (Some(rate), None) => text::number(rate, decimals(rate / 100.0)),
        (None, _) => text::MISSING.into(),
    };
    let causes = limit.bottlenecks.iter().map(|(what, share)| format!("{} {}", text::percent(*share), what.words()));
    let causes: Vec<String> = causes.collect();
    let causes = if causes.is_empty() { text::MISSING.into() } else { causes.join(", ") };
    vec![limit.policy.clone(), limit.service.clone(), limit.objective.clone(), carries, rate, causes]
}

/// The factor with its interval, as far as both are within the search.
fn carried(limit: &Limit) -> String {
    let ends = [limit.low, limit.factor, limit.high];
    let known: Vec<f64> = ends.iter().filter_map(|edge| edge.at()).collect();
    let width =
        known.iter().fold(0.0f64, |most, factor| most.max(*factor)) - known.iter().fold(f64::MAX, |a, b| a.min(*b));
    let decimals = match known.len() {
        0 | 1 => 3,
        _ => decimals(width),
    };
    let number = |factor: f64| text::number(factor, decimals);
    match (limit.low, limit.factor, limit.high) {
        (Edge::Below, Edge::Below, Edge::Below) => "not even 1/128".into(),
        (Edge::Beyond, ..) => "128x or more".into(),
        (Edge::At(low), Edge::At(factor), Edge::At(high)) => {
            format!("{}x ({} to {})", number(factor), number(low), number(high))
        }
        (Edge::At(low), Edge::At(factor), _) => format!("{}x ({} or more)", number(factor), number(low)),
        (Edge::At(low), ..) => format!("128x or more ({}x is sure)", number(low)),
        (Edge::Below, Edge::At(factor), Edge::At(high)) => {
            format!("{}x (at most {}; that any is carried is not certain)", number(factor), number(high))
        }
        (Edge::Below, Edge::Below, Edge::At(high)) => format!("at most {}x; not certain that any", number(high)),
        (Edge::Below, ..) => "not certain: more --replications would tell".into(),
    }
}

/// Decimals that show an interval of this width to two digits.
fn decimals(width: f64) -> usize {
    if width > 0.0 { (1.0 - (width / 2.0).log10().floor()).clamp(0.0, 9.0) as usize } else { 3 }
}

/// Every scale of the traffic that was tried, as CSV, and the load lines as charts.
///
/// # Errors
/// If a picture cannot be encoded.
pub fn capacity_files(limits: &[Limit]) -> Result<Vec<Artifact>, ReportError> {
    let mut all = vec![Artifact::new("capacity.csv", csv(limits))];
    #[cfg(feature = "charts")]
    all.extend(crate::report::charts::capacity_files(limits)?);
    let _ = &mut all;
    Ok(all)
}

fn csv(limits: &[Limit]) -> String {
    let mut csv = String::from("policy,service,objective,factor,requests_per_s,bad_share,target\n");
    for limit in limits {
        let names = [&limit.policy, &limit.service, &limit.objective].map(|name| text::csv_field(name)).join(",");
        for (factor, bad) in &limit.curve {
            let _ = writeln!(csv, "{names},{factor},{},{bad},{}", factor * limit.base_rate, limit.target);
        }
    }
    csv
}
