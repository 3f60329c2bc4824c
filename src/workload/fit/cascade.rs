//! Adjusts a cascade so that its typical trace is as bursty as the recorded one.

use super::text::{MANY, scenario_text};
use crate::random::Streams;
use crate::workload::error::TraceError;
use crate::workload::shape::halves::{Cells, Halves};

/// Number of corrections of the variation, and number of synthetic traces for each.
const ROUNDS: u64 = 2;
const TRACES: u64 = 7;
/// The same for traces with many requests, whose figures vary little.
const FEW: u64 = 3;
/// Number of the first of their replications, which are used for nothing else.
const FIRST: u64 = 1 << 20;
/// Maximum factor of a correction, so that one rare burst does not dominate.
const MOST: f64 = 2.0;

/// Corrects the variation of the shares of halves. The estimates are unbiased, but counts with such bursts are skewed,
/// and the dispersion of a typical trace is below the mean. The median over synthetic traces of the dispersion beyond
/// Poisson noise is therefore adjusted to the recorded one, length by length, the longest first. A product of factors
/// (1 + v) grows with each halving, so the factor of a stretch is multiplied by the part that the longer stretches have
/// not contributed. `text` returns the generator's YAML for a variation.
pub(super) fn corrected(
    recorded: &Halves,
    variation: Vec<f64>,
    text: &dyn Fn(&[f64]) -> String,
    seed: u64,
) -> Result<Vec<f64>, TraceError> {
    let mut variation = variation;
    let traces = if recorded.cells.requests() as f64 >= MANY { FEW } else { TRACES };
    let depth = recorded.depth();
    for round in 0..ROUNDS {
        let Some(workload) = scenario_text(&text(&variation)) else { return Ok(variation) };
        let mut seen = Vec::new();
        for number in 0..traces {
            let mut source = workload.open(Streams::new(seed, FIRST + round * traces + number), 0)?;
            seen.push(Halves::of(Cells::beside(&mut *source, &recorded.cells)?));
        }
        let mut done = 1.0;
        for (place, variation) in variation.iter_mut().enumerate() {
            // The halves of the blocks come first; they are the level below the blocks.
            let level = depth - 1 - place;
            let mut values: Vec<f64> = seen.iter().map(|trace| trace.dispersion(level) - 1.0).collect();
            values.sort_by(f64::total_cmp);
            let (aim, median) = (recorded.dispersion(level) - 1.0, values[values.len() / 2]);
            let ratio = if aim > 0.0 && median > 0.0 { (aim / median).clamp(1.0 / MOST, MOST) } else { 1.0 };
            if *variation > 0.0 {
                *variation = ((1.0 + *variation) * ratio / done - 1.0).clamp(1e-6, 1.0);
            }
            done = ratio;
        }
    }
    Ok(variation)
}
