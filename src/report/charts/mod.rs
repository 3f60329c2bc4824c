//! Charts as SVG, and as PNG rendered from the same SVG.

mod axis;
mod canvas;
mod chart;
mod forecast;
mod frontier;
mod learning;
mod pictures;
mod raster;
mod recorded;
mod sweep;
mod thin;
mod trace;

use crate::engine::scenario::Scenario;
use crate::experiment::recorded::Comparison;
use crate::experiment::{CostBound, Outcome, SweepTable, Trained, Tuned};
use crate::report::{Artifact, ReportError, Reporter, ReporterPlugin};
use crate::workload::Portrait;

/// The entry in the list.
pub(super) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "charts",
    summary: "load and capacity, latency, replicas, cost and forecasts over time, latency distribution; SVG and PNG",
    source: "plotters; PNG by resvg with DejaVu Sans",
    build: &Charts,
};

struct Charts;

impl Reporter for Charts {
    fn report(&self, outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
        let mut artifacts = Vec::new();
        for chart in pictures::all(outcome).into_iter().chain(forecast::charts(outcome)) {
            artifacts.extend(files(&chart)?);
        }
        Ok(artifacts)
    }
}

/// A chart as SVG and as PNG.
fn files(chart: &chart::Chart) -> Result<[Artifact; 2], ReportError> {
    let svg = chart.svg(false);
    let name = format!("{}.png", chart.name);
    let png = raster::png(&svg, chart.size()).map_err(|e| ReportError::new(&name, e))?;
    Ok([Artifact::new(format!("{}.svg", chart.name), svg), Artifact::new(name, png)])
}

/// The chart of recorded runs beside their simulation.
pub(super) fn recorded_files(runs: &[Comparison]) -> Result<[Artifact; 2], ReportError> {
    files(&recorded::chart(runs))
}

/// All charts for a page: the `svg` element and how to read it.
pub(super) fn figures(outcome: &Outcome) -> Vec<(String, String)> {
    pictures::all(outcome).into_iter().map(|chart| (chart.svg(true), chart.caption)).collect()
}

/// The charts of forecasts for a page: the `svg` element and how to read it.
pub(super) fn forecast_figures(outcome: &Outcome) -> Vec<(String, String)> {
    forecast::charts(outcome).into_iter().map(|chart| (chart.svg(true), chart.caption)).collect()
}

/// The charts of a sweep.
pub(super) fn sweep_files(table: &SweepTable) -> Result<Vec<Artifact>, ReportError> {
    let mut artifacts = Vec::new();
    for chart in sweep::charts(table) {
        artifacts.extend(files(&chart)?);
    }
    Ok(artifacts)
}

/// The charts of traces beside each other.
pub(super) fn trace_files(traces: &[(String, Portrait)]) -> Result<Vec<Artifact>, ReportError> {
    let mut artifacts = Vec::new();
    for chart in trace::charts(traces) {
        artifacts.extend(files(&chart)?);
    }
    Ok(artifacts)
}

/// The charts of cost and bad requests over headroom.
pub(super) fn frontier_files(
    scenario: &Scenario,
    tuned: &[Tuned],
    bound: Option<&CostBound>,
) -> Result<Vec<Artifact>, ReportError> {
    let mut artifacts = Vec::new();
    for chart in frontier::charts(scenario, tuned, bound) {
        artifacts.extend(files(&chart)?);
    }
    Ok(artifacts)
}

/// The learning curve of a trained policy.
pub(super) fn learning_files(trained: &Trained) -> Result<Vec<Artifact>, ReportError> {
    let mut artifacts = Vec::new();
    if let Some(chart) = learning::chart(trained) {
        artifacts.extend(files(&chart)?);
    }
    Ok(artifacts)
}
