//! Charts, if the program is built with them.

use super::artifact::{Artifact, ReportError};
#[cfg(feature = "charts")]
use super::charts;
use crate::experiment::{Outcome, Story, Telling};
use crate::validate::recorded::Comparison;

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
