//! The charts of each result as files, and those that stand in a page.

use super::{
    canvas, capacity, chart, forecast, frontier, learning, pictures, provision, raster, recorded, search, story, sweep,
    timelines, trace,
};
use rayon::prelude::*;
use serde::Serialize;

use super::super::artifact::{Artifact, ReportError, Reporter, ReporterPlugin};
use crate::experiment::{Limit, Outcome, Provision, Searched, Story, SweepTable, Telling, Trained};
use crate::validate::recorded::Comparison;
use crate::workload::Portrait;

/// The entry in the list.
pub(crate) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "charts",
    summary: "frontier, load and capacity, latency, replicas, cost, forecasts and a timeline of each policy; SVG and PNG",
    source: "plotters; PNG by resvg with DejaVu Sans",
    build: &Charts,
};

struct Charts;

impl Reporter for Charts {
    fn report(&self, outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
        let over_time = |charts| over_time(charts, outcome).into_iter();
        let charts: Vec<chart::Chart> = frontier::charts(outcome)
            .into_iter()
            .chain(over_time(pictures::all(outcome)))
            .chain(over_time(forecast::charts(outcome)))
            .collect();
        // Most of the time goes into the pixels, and each picture has its own.
        let drawn = || charts.par_iter().map(files).collect::<Vec<_>>();
        let (drawn, timelines) = rayon::join(drawn, || timelines::files(outcome));
        let drawn: Vec<[Artifact; 2]> = drawn.into_iter().collect::<Result<_, _>>()?;
        Ok(drawn.into_iter().flatten().chain(timelines?).collect())
    }
}

/// Charts with their axes of time on the calendar, where that is known.
fn over_time(charts: Vec<chart::Chart>, outcome: &Outcome) -> Vec<chart::Chart> {
    let calendar = outcome.calendar.as_ref();
    charts.into_iter().map(|chart| chart::Chart { x: chart.x.on(calendar), ..chart }).collect()
}

/// A chart as SVG and as PNG.
fn files(chart: &chart::Chart) -> Result<[Artifact; 2], ReportError> {
    let svg = chart.svg(false);
    let name = format!("{}.png", chart.name);
    let png = raster::png(&svg, chart.size()).map_err(|e| ReportError::new(&name, e))?;
    Ok([Artifact::new(format!("{}.svg", chart.name), svg), Artifact::new(name, png)])
}

/// The charts of the load line.
pub(crate) fn capacity_files(limits: &[Limit]) -> Result<Vec<Artifact>, ReportError> {
    let charts = capacity::charts(limits);
    charts.iter().map(files).collect::<Result<Vec<_>, _>>().map(|each| each.into_iter().flatten().collect())
}

/// The charts of optimal plans.
pub(crate) fn provision_files(plans: &[Provision]) -> Result<Vec<Artifact>, ReportError> {
    let charts = provision::charts(plans);
    charts.iter().map(files).collect::<Result<Vec<_>, _>>().map(|each| each.into_iter().flatten().collect())
}

/// The chart of recorded runs beside their simulation.
pub(crate) fn recorded_files(runs: &[Comparison]) -> Result<[Artifact; 2], ReportError> {
    files(&recorded::chart(runs))
}

/// The chart of a story, called `name`, as SVG; on a dark screen it is dark.
pub(crate) fn of_story(name: &str, story: &Story, telling: &Telling) -> Artifact {
    let svg = story::chart(name, story, telling).svg(false);
    Artifact::new(format!("{name}.svg"), canvas::with_dark_theme(&svg))
}

/// The charts of a run as SVG, each with the scenario's title; on a dark screen they are dark, but for the timelines.
pub(crate) fn of_run(outcome: &Outcome) -> Vec<Artifact> {
    let all =
        frontier::charts(outcome).into_iter().chain(pictures::all(outcome)).chain(forecast::charts(outcome)).collect();
    let charts = over_time(all, outcome).into_iter();
    let titled = charts.map(|chart| {
        let mut letters = chart.title.chars();
        let first = letters.next().map(|letter| letter.to_lowercase().to_string()).unwrap_or_default();
        let title = format!("{}: {first}{}", outcome.title, letters.as_str());
        let chart = chart::Chart { title, ..chart };
        Artifact::new(format!("{}.svg", chart.name), canvas::with_dark_theme(&chart.svg(false)))
    });
    titled.chain(timelines::pictures(outcome)).collect()
}

/// The same pictures as PNG, as they are on a light screen.
pub(crate) fn pngs(pictures: &[Artifact]) -> Result<Vec<Artifact>, ReportError> {
    let png = |picture: &Artifact| {
        let name = format!("{}.png", picture.name.trim_end_matches(".svg"));
        let bytes = raster::png_of(&String::from_utf8_lossy(&picture.bytes)).map_err(|e| ReportError::new(&name, e))?;
        Ok(Artifact::new(name, bytes))
    };
    pictures.iter().map(png).collect()
}

/// A chart on a page.
#[derive(Serialize)]
pub(crate) struct Picture {
    /// The `svg` element.
    pub(super) svg: String,
    pub(super) title: String,
    /// How to read it.
    pub(super) caption: String,
    /// Name of its files without their ending.
    pub(super) name: String,
    /// The file with its figures.
    pub(super) data: &'static str,
}

impl Picture {
    pub(super) fn of(chart: &chart::Chart) -> Picture {
        let (title, caption, name) = (chart.title.clone(), chart.caption.clone(), chart.name.clone());
        Picture { svg: chart.svg(true), title, caption, data: data_of(&name), name }
    }

    /// Name of its files without their ending, its title, how to read it, and the file with its figures.
    pub(in crate::report) fn texts(&self) -> [&str; 4] {
        [&self.name, &self.title, &self.caption, self.data]
    }
}

/// The file with the figures of a chart of an outcome.
fn data_of(name: &str) -> &'static str {
    const FILES: [(&str, &str); 3] =
        [("frontier", "frontier.csv"), ("latency-cdf", "latency.csv"), ("forecast-", "forecasts.csv")];
    let file = FILES.into_iter().find(|(prefix, _)| name.starts_with(prefix));
    file.map_or("timeline.csv", |(_, file)| file)
}

/// The frontier for a page.
pub(crate) fn frontier_figures(outcome: &Outcome) -> Vec<Picture> {
    frontier::charts(outcome).iter().map(Picture::of).collect()
}

/// The charts of an outcome for a page, but for the frontier and forecasts.
pub(crate) fn figures(outcome: &Outcome) -> Vec<Picture> {
    over_time(pictures::all(outcome), outcome).iter().map(Picture::of).collect()
}

/// The charts of forecasts for a page.
pub(crate) fn forecast_figures(outcome: &Outcome) -> Vec<Picture> {
    over_time(forecast::charts(outcome), outcome).iter().map(Picture::of).collect()
}

/// The charts of a sweep.
pub(crate) fn sweep_files(table: &SweepTable) -> Result<Vec<Artifact>, ReportError> {
    let mut artifacts = Vec::new();
    for chart in sweep::charts(table) {
        artifacts.extend(files(&chart)?);
    }
    Ok(artifacts)
}

/// The charts of traces beside each other.
pub(crate) fn trace_files(traces: &[(String, Portrait)], dated: bool) -> Result<Vec<Artifact>, ReportError> {
    let mut artifacts = Vec::new();
    for chart in trace::charts(traces, dated) {
        artifacts.extend(files(&chart)?);
    }
    Ok(artifacts)
}

/// The curve of a search for a policy's numbers.
pub(crate) fn search_files(searched: &Searched) -> Result<Vec<Artifact>, ReportError> {
    let mut artifacts = Vec::new();
    if let Some(chart) = search::chart(searched) {
        artifacts.extend(files(&chart)?);
    }
    Ok(artifacts)
}

/// The learning curve of a trained policy.
pub(crate) fn learning_files(trained: &Trained) -> Result<Vec<Artifact>, ReportError> {
    let mut artifacts = Vec::new();
    if let Some(chart) = learning::chart(trained) {
        artifacts.extend(files(&chart)?);
    }
    Ok(artifacts)
}
