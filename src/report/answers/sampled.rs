//! What may be said of the figures of a sweep.

use super::comparison::is_judged;
use crate::experiment::{Design, SweepTable};

/// The figures that the summary and the charts are about.
pub(crate) fn judged(table: &SweepTable) -> Vec<usize> {
    (0..table.figures.len()).filter(|figure| is_judged(&table.figures[*figure])).collect()
}

/// Whether points were drawn, so that no two share a value.
pub(crate) fn is_sampled(table: &SweepTable) -> bool {
    matches!(table.points.design, Design::Random | Design::LatinHypercube)
}

/// The correlation that chance alone exceeds once in twenty times: 1.96 / sqrt(n - 1), the normal approximation for
/// independent ranks (Kendall and Gibbons, *Rank Correlation Methods*, 1990).
pub(crate) fn chance_correlation(points: usize) -> f64 {
    1.96 / (points.saturating_sub(1).max(1) as f64).sqrt()
}
