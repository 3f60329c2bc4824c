//! The load line: how much traffic each policy carries.

use std::fmt::Write;

use super::grid::Grid;
use super::text;
use super::{Artifact, ReportError};
use crate::experiment::Limit;
use crate::stats::ConfidenceInterval;

/// One row per policy, service and objective.
pub fn capacity(limits: &[Limit], level: f64, recorded: bool) -> Grid {
    let header = ["Policy", "Service", "Objective", "Carries", "Requests/s", "What breaks it"];
    let mut notes = vec![format!(
        "The mean rate of the workload is scaled until the objective breaks, in each of {} replications; ± is half of the {}% \
         confidence interval. Limits are found on a scale with steps of 1.1%.",
        limits.first().map_or(0, |limit| limit.factors.len()),
        text::number(level * 100.0, 0)
    )];
    if recorded {
        notes.push(
            "The trace is the same in every replication: only demands, start-ups and the copies made in scaling vary."
                .into(),
        );
    }
    Grid {
        header: header.map(str::to_string).into(),
        rows: limits.iter().map(|limit| row(limit, level)).collect(),
        notes,
    }
}

fn row(limit: &Limit, level: f64) -> Vec<String> {
    let (factor, rate) = match (limit.is_open(), limit.factors.contains(&None)) {
        (true, _) => ("128x or more".into(), text::MISSING.into()),
        (_, true) => ("not even 1/128".into(), text::MISSING.into()),
        _ => (measured(&limit.factors, limit.factor(level), 3) + "x", measured(&limit.rates, limit.rate(level), 1)),
    };
    let causes = limit.bottlenecks.iter().map(|(what, share)| format!("{} {}", text::percent(*share), what.text()));
    let causes: Vec<String> = causes.collect();
    let causes = if causes.is_empty() { text::MISSING.into() } else { causes.join(", ") };
    vec![limit.policy.clone(), limit.service.clone(), limit.objective.clone(), factor, rate, causes]
}

fn measured(values: &[Option<f64>], interval: Option<ConfidenceInterval>, decimals: usize) -> String {
    match (interval, values.first()) {
        (Some(interval), _) => {
            format!("{} ± {}", text::number(interval.mean, decimals), text::number(interval.half_width, decimals))
        }
        (None, Some(Some(value))) => text::number(*value, decimals),
        _ => text::MISSING.into(),
    }
}

/// Every scale of the traffic that was tried, as CSV, and the load lines as charts.
///
/// # Errors
/// If a picture cannot be encoded.
pub fn capacity_files(limits: &[Limit]) -> Result<Vec<Artifact>, ReportError> {
    let mut all = vec![Artifact::new("capacity.csv", csv(limits))];
    #[cfg(feature = "charts")]
    all.extend(super::charts::capacity_files(limits)?);
    let _ = &mut all;
    Ok(all)
}

fn csv(limits: &[Limit]) -> String {
    let mut csv = String::from("policy,service,objective,factor,requests_per_s,bad_share,target\n");
    for limit in limits {
        let names = [&limit.policy, &limit.service, &limit.objective].map(|name| text::csv_field(name)).join(",");
        for (factor, bad) in &limit.curve {
            let _ = writeln!(csv, "{names},{factor},{},{bad},{}", factor * limit.base_rate(), limit.target);
        }
    }
    csv
}
