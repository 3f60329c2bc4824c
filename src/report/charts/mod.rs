//! Charts as SVG, and as PNG rendered from the same SVG.

mod axis;
mod canvas;
mod capacity;
mod chart;
mod files;
mod forecast;
mod frontier;
mod learning;
mod pictures;
mod provision;
mod raster;
mod recorded;
mod search;
mod story;
mod sweep;
mod thin;
mod timelines;
mod trace;

pub(super) use files::{
    PLUGIN, Picture, capacity_files, figures, forecast_figures, frontier_figures, learning_files, of_run, of_story,
    pngs, provision_files, recorded_files, search_files, sweep_files, trace_files,
};
pub(super) use timelines::Section as Timelines;
