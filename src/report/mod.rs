//! Results to bytes: tables, charts, pages.
//!
//! A [`Reporter`] is a pure function from an [`Outcome`] to files; the program writes them. To add one: write
//! `src/report/NAME.rs` with a unit type, the trait and a `PLUGIN` constant, and add it to [`REPORTERS`]. Figures that
//! several reports show are computed once, in [`verdict`], [`bill`] and [`table()`]; how they are printed is in `text`.

mod bill;
mod capacity;
mod causes;
#[cfg(feature = "charts")]
mod charts;
mod comparison;
mod decisions_csv;
mod expense;
mod forecast;
mod gap;
mod grid;
mod html;
mod latency_csv;
mod learning;
mod level;
mod moment;
mod plan;
mod policy_tests;
mod provision;
mod result;
pub mod results;
mod rewrite;
mod search;
mod standing;
mod summary_json;
mod summary_md;
mod sweep;
mod table;
mod text;
mod timeline;
#[cfg(feature = "tables")]
mod timeline_parquet;
mod trace;
mod variations;
mod verdict;
mod words;

use std::fmt;

use crate::config::Plugin;
use crate::experiment::{Outcome, Story, Telling};
use crate::validate::recorded::Comparison;

pub use bill::{BillLine, bill};
pub use capacity::{capacity, capacity_files};
pub use comparison::{comparison, figure_title, interval_text, value_text, verdict_text};
pub use grid::Grid;
pub use learning::{LearningTrial, learning_answer, learning_artifacts, learning_curve, learning_trial};
pub use level::{level_answer, same_level};
pub use plan::{plan_answer, plan_table, plan_trials};
pub use policy_tests::{
    COMMENT_TAG, Case, Held, Tested, changes_grid, comment, diff, github_annotations, gitlab_code_quality, junit,
    policy_tests,
};
pub use provision::{provision_files, provision_tables};
pub use result::{RESULT_FILE, check_result, read_result};
pub use rewrite::{Rewritten, RewrittenFile, rewrite};
pub use search::{search_answer, search_artifacts, search_curve, search_numbers};
pub use summary_json::SCHEMA_VERSION;
pub use sweep::{artifacts as sweep_artifacts, summary as sweep_summary};
pub use table::{TableStyle, escape_markdown, table};
pub use trace::{portraits, sparkline};

/// A whole number with separators: `1,234,567`.
pub fn count(value: u64) -> String {
    text::count(value)
}

pub use variations::{variations, variations_csv, variations_text};
pub use verdict::{Verdict, meets_objectives, verdict};
pub use words::{Words, words};

/// A file to be written: its name, without a directory, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// File name.
    pub name: String,
    /// Content.
    pub bytes: Vec<u8>,
}

impl Artifact {
    /// A file of a given name and content.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Artifact { name: name.into(), bytes: bytes.into() }
    }
}

/// Turns a result into files. Pure: equal outcomes give equal bytes.
pub trait Reporter: Sync {
    /// The files.
    ///
    /// # Errors
    /// If a library refuses to encode a file; no outcome is refused for its figures.
    fn report(&self, outcome: &Outcome) -> Result<Vec<Artifact>, ReportError>;
}

/// The entry of a reporter in the list.
pub type ReporterPlugin = Plugin<&'static dyn Reporter>;

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
    comparison::PLUGIN,
    level::PLUGIN,
    result::PLUGIN,
    forecast::PLUGIN,
    #[cfg(feature = "charts")]
    charts::PLUGIN,
];

/// The files of all [`REPORTERS`].
///
/// # Errors
/// As [`Reporter::report`].
pub fn artifacts(outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
    let mut all = Vec::new();
    for plugin in REPORTERS {
        all.extend(plugin.build.report(outcome)?);
    }
    Ok(all)
}

/// The charts of recorded runs beside their simulation; none without the feature `charts`.
///
/// # Errors
/// If a picture cannot be encoded.
pub fn recorded(runs: &[Comparison]) -> Result<Vec<Artifact>, ReportError> {
    #[cfg(feature = "charts")]
    return charts::recorded_files(runs).map(Vec::from);
    #[cfg(not(feature = "charts"))]
    {
        let _ = runs;
        Ok(Vec::new())
    }
}

/// The chart of a story that was told, an SVG called `name`; none without the feature `charts`.
pub fn story_charts(name: &str, story: &Story, telling: &Telling) -> Vec<Artifact> {
    #[cfg(feature = "charts")]
    return vec![charts::of_story(name, story, telling)];
    #[cfg(not(feature = "charts"))]
    {
        let _ = (name, story, telling);
        Vec::new()
    }
}

/// The charts of a run alone, as SVG, with its title; none without the feature `charts`.
pub fn run_charts(outcome: &Outcome) -> Vec<Artifact> {
    #[cfg(feature = "charts")]
    return charts::of_run(outcome);
    #[cfg(not(feature = "charts"))]
    {
        let _ = outcome;
        Vec::new()
    }
}

/// SVG pictures as PNG; none without the feature `charts`.
///
/// # Errors
/// If a picture cannot be encoded.
pub fn pngs(pictures: &[Artifact]) -> Result<Vec<Artifact>, ReportError> {
    #[cfg(feature = "charts")]
    return charts::pngs(pictures);
    #[cfg(not(feature = "charts"))]
    {
        let _ = pictures;
        Ok(Vec::new())
    }
}

/// A file that could not be encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportError {
    /// The file's name.
    pub artifact: String,
    /// What went wrong.
    pub problem: String,
}

impl ReportError {
    fn new(artifact: &str, problem: impl fmt::Display) -> Self {
        ReportError { artifact: artifact.into(), problem: problem.to_string() }
    }
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot make {}: {}", self.artifact, self.problem)
    }
}

impl std::error::Error for ReportError {}
