//! The YAML of a fitted generator.

use std::path::Path;

use super::clusters::{Clusters, Spacing};
use super::season::{DAY, Noise, Season};
use crate::config::{Diagnostics, SourceFile, parse_single};
use crate::units::SimDuration;
use crate::workload::shape::halves::Halves;
use crate::workload::shape::series::ScaledCounts;
use crate::workload::spec::WorkloadSpec;
use crate::workload::time::text::show_instant;

/// Traces with this many requests need few synthetic traces: their figures vary little.
pub(super) const MANY: f64 = 4e6;

fn list(values: &[f64]) -> String {
    values.iter().map(|value| format!("{value:.3}")).collect::<Vec<_>>().join(", ")
}

/// A number of seconds as a duration, to the millisecond.
fn duration(seconds: f64) -> SimDuration {
    SimDuration::from_millis((seconds * 1e3).round().max(1.0) as u64)
}

/// A Poisson process of steady rate.
pub(super) fn steady(series: &ScaledCounts) -> String {
    let rate = series.mean() / series.seconds();
    // `poisson` has no tokens.
    if series.tokens.n > 0.0 {
        return format!("nhpp:\n  season:\n    rate: {rate:.6}/s\n{}", envelope(series));
    }
    format!("poisson:\n  rate: {rate:.6}/s\n{}", envelope(series))
}

/// A season, with swings and clusters if there are any.
pub(super) fn seasonal(
    series: &ScaledCounts,
    season: &Season,
    noise: Option<Noise>,
    clusters: Option<&Clusters>,
) -> String {
    let mut text = format!("nhpp:\n  season:\n    rate: {:.6}/s\n", season.rate);
    if let Some(hours) = &season.hours {
        text.push_str(&format!("    hours: [{}]\n", list(&sharpened(hours))));
    }
    if let Some(weekdays) = &season.weekdays {
        text.push_str(&format!("    weekdays: [{}]\n", list(weekdays)));
    }
    if season.growth != 0.0 {
        text.push_str(&format!("    growth: {:.5}\n", (season.growth * 7.0 * DAY).exp()));
    }
    if let Some(Noise { cv, memory, step }) = noise {
        let (memory, step) = (duration(memory), duration(step));
        text.push_str(&format!("  noise: {{ cv: {:.4}, memory: {memory}, step: {step} }}\n", cv.min(100.0)));
    }
    if let Some(Clusters { requests, size_cv, spacing, .. }) = clusters {
        let size = size_cv.map_or_else(String::new, |cv| format!(", size-cv: {cv:.4}"));
        let (name, mean, cv) = match spacing {
            Spacing::Think(mean, cv) => ("think", mean, cv),
            Spacing::Within(mean, cv) => ("within", mean, cv),
        };
        let times = format!("{name}: {{ lognormal: {{ mean: {}, cv: {cv:.4} }} }}", duration(*mean));
        text.push_str(&format!("  clusters: {{ requests: {requests:.4}{size}, {times} }}\n"));
    }
    text + &envelope(series)
}

/// The rates of the blocks, and the variation of the shares of halves, from the blocks down to the cells of the counts.
pub(super) fn cascade(series: &ScaledCounts, halves: &Halves, variation: &[f64]) -> String {
    let profile = halves.profile().values();
    let mut uneven: Vec<f64> = variation.iter().copied().map(f64::sqrt).collect();
    // Stretches that are divided evenly need no division, unless requests form clusters there; the straight lines of a
    // profile require it.
    let level = profile.iter().all(|rate| *rate == profile[0]);
    while level && uneven.last().is_some_and(|uneven| *uneven < 5e-4) && halves.together() < 0.005 {
        uneven.pop();
    }
    let block = SimDuration::from_nanos(halves.block());
    let mut text = format!("cascade:\n  rate: {:.6}/s\n  block: {block}\n", halves.rate());
    if !level {
        text.push_str(&format!("  profile: [{}]\n", list(profile)));
    }
    if !uneven.is_empty() {
        text.push_str(&format!("  uneven: [{}]\n", list(&uneven)));
    }
    if halves.together() >= 0.005 {
        text.push_str(&format!("  together: {:.1}%\n", halves.together() * 100.0));
    }
    text + &envelope(series)
}

/// Token lengths, start date and length.
fn envelope(series: &ScaledCounts) -> String {
    let mut text = String::new();
    if series.tokens.n > 0.0 {
        let ([input, output], correlation) = series.tokens.fitted();
        let side = |(mean, cv): (f64, f64)| format!("{{ mean: {:.2}, cv: {:.4} }}", mean.max(1.0), cv.min(1e3));
        text.push_str(&format!(
            "  tokens: {{ input: {}, output: {}, correlation: {correlation:.4}, max: {} }}\n",
            side(input),
            side(output),
            series.tokens.most.max(1)
        ));
    }
    if let Some(start) = series.start {
        text.push_str(&format!("  start: {}\n", show_instant(start)));
    }
    text.push_str(&format!("  for: {}\n", series.width() * series.counts.len() as u64));
    text
}

/// Values at the middles of the hours such that linear interpolation between them has the given means over the hours:
/// each mean is (previous + 6 own + next) / 8, solved by fixed-point iteration (the matrix is diagonally dominant).
fn sharpened(means: &[f64; 24]) -> [f64; 24] {
    let mut values = *means;
    for _ in 0..50 {
        let old = values;
        for hour in 0..24 {
            values[hour] = ((8.0 * means[hour] - old[(hour + 23) % 24] - old[(hour + 1) % 24]) / 6.0).max(0.0);
        }
    }
    values
}

/// The workload of a YAML text; `None` if it is rejected.
pub(super) fn scenario_text(yaml: &str) -> Option<WorkloadSpec> {
    let node = parse_single(&SourceFile::new("fit", yaml)).ok()?;
    WorkloadSpec::from_node(&node, Path::new(""), &mut Diagnostics::new())
}
