//! Every reporter.

use rayon::prelude::*;

use super::{forecast, html, summary_md};
use crate::experiment::Outcome;
use crate::report::answers::{comparison, level};
use crate::report::artifact::{Artifact, ReportError, ReporterPlugin};
#[cfg(feature = "charts")]
use crate::report::charts;
#[cfg(feature = "tables")]
use crate::report::data::timeline_parquet;
use crate::report::data::{bill_csv, decisions_csv, latency_csv, result, summary_json, timeline};

/// Every reporter, in the order in which the files are named to the user.
pub const REPORTERS: &[ReporterPlugin] = &[
    html::PLUGIN,
    summary_md::PLUGIN,
    summary_json::PLUGIN,
    timeline::PLUGIN,
    #[cfg(feature = "tables")]
    timeline_parquet::PLUGIN,
    decisions_csv::PLUGIN,
    latency_csv::PLUGIN,
    bill_csv::PLUGIN,
    comparison::PLUGIN,
    level::PLUGIN,
    result::PLUGIN,
    forecast::PLUGIN,
    #[cfg(feature = "charts")]
    charts::PLUGIN,
];

/// The files of all [`REPORTERS`], in their order. They are made in parallel: charts alone take longer than many a run.
///
/// # Errors
/// As [`crate::report::Reporter::report`].
pub fn artifacts(outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
    let each: Vec<_> = REPORTERS.par_iter().map(|plugin| plugin.build.report(outcome)).collect();
    let files: Vec<Vec<Artifact>> = each.into_iter().collect::<Result<_, _>>()?;
    Ok(files.into_iter().flatten().collect())
}
