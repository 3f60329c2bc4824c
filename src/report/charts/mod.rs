//! Charts as SVG, and as PNG rendered from the same SVG.

mod axis;
mod canvas;
mod chart;
mod pictures;
mod raster;
mod thin;

use crate::experiment::Outcome;
use crate::report::{Artifact, ReportError, Reporter, ReporterPlugin};

/// The entry in the list.
pub(super) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "charts",
    summary: "load and capacity, latency, replicas and cost over time, latency distribution; SVG and PNG",
    source: "plotters; PNG by resvg with DejaVu Sans",
    build: &Charts,
};

struct Charts;

impl Reporter for Charts {
    fn report(&self, outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
        let mut artifacts = Vec::new();
        for chart in pictures::all(outcome) {
            let svg = chart.svg(false);
            let name = format!("{}.png", chart.name);
            let png = raster::png(&svg, chart.size()).map_err(|e| ReportError::new(&name, e))?;
            artifacts.push(Artifact::new(format!("{}.svg", chart.name), svg));
            artifacts.push(Artifact::new(name, png));
        }
        Ok(artifacts)
    }
}

/// All charts for a page: the `svg` element and how to read it.
pub(super) fn figures(outcome: &Outcome) -> Vec<(String, String)> {
    pictures::all(outcome).into_iter().map(|chart| (chart.svg(true), chart.caption)).collect()
}
