//! A cascade whose typical trace is as bursty as the recorded one.

use super::super::TraceError;
use super::super::halves::{Cells, Halves};
use super::{MANY, scenario_text};
use crate::random::Streams;

/// How often the variation is corrected, and by how many synthetic traces each time.
const ROUNDS: u64 = 2;
const TRACES: u64 = 7;
/// The same for traces of many requests, whose figures vary little.
const FEW: u64 = 3;
/// The first of their replications, which serve for nothing else.
const FIRST: u64 = 1 << 20;
/// A correction is at most this factor, so that one rare burst does not run away with it.
const MOST: f64 = 2.0;

/// The variation of the halves' shares, corrected: the estimates are right on average, but counts of such bursts are skewed, and the
/// dispersion of a typical trace lies below the average. So the median over synthetic traces of the dispersion beyond Poisson noise is
/// brought to the recorded one, length by length, the longest first: a product of factors 1 + v grows with each halving, and a stretch's factor
/// is multiplied by what the lengths above have not done. `text` makes the generator of a variation.
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
            // The blocks' halves come first, and they are the level below the blocks.
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
