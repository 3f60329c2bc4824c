//! Paired differences against a base, and what they say.

use super::figure::Better;
use super::replicate::Replicated;
use crate::stats::{ConfidenceInterval, PairedDifference, holm};

/// What a difference says at the stated confidence, after Holm's correction over the arms compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// The same value in every replication.
    Equal,
    /// No difference that these replications can show.
    NotShown,
    /// Less than the base.
    Less,
    /// More than the base.
    More,
}

/// One figure of one arm beside the base.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// Index of the figure.
    pub figure: usize,
    /// Index of the arm.
    pub arm: usize,
    /// Arm minus base, in the figure's unit; the interval is this comparison's own, not adjusted.
    pub absolute: ConfidenceInterval,
    /// Arm / base - 1; `None` if the base is zero.
    pub relative: Option<ConfidenceInterval>,
    /// Two-sided p-value after Holm's correction over the arms, for this figure.
    pub adjusted_p: f64,
    /// What it says.
    pub finding: Finding,
}

impl Difference {
    /// Whether the difference is one for the better; `None` if there is no difference or no direction.
    pub fn is_better(&self, better: Better) -> Option<bool> {
        match (self.finding, better) {
            (Finding::Equal | Finding::NotShown, _) | (_, Better::Neither) => None,
            (finding, better) => Some((finding == Finding::Less) == (better == Better::Lower)),
        }
    }
}

/// The differences of every arm from arm `base`, figure by figure. A figure that an arm lacks in some replication, or one
/// replication alone, gives none.
pub fn differences(result: &Replicated, base: usize) -> Vec<Difference> {
    (0..result.figures.len()).flat_map(|figure| of_figure(result, base, figure)).collect()
}

fn of_figure(result: &Replicated, base: usize, figure: usize) -> Vec<Difference> {
    let Some(baseline) = result.arms.get(base).and_then(|arm| arm.all(figure)) else { return Vec::new() };
    let others = (0..result.arms.len()).filter(|arm| *arm != base);
    let mut found: Vec<Difference> = others
        .filter_map(|arm| {
            let candidate = result.arms[arm].all(figure)?;
            let absolute = PairedDifference::of(&baseline, &candidate, result.level)?.interval;
            let relative = PairedDifference::relative(&baseline, &candidate, result.level);
            let adjusted_p = absolute.p_value(0.0);
            Some(Difference { figure, arm, absolute, relative, adjusted_p, finding: Finding::Equal })
        })
        .collect();
    let adjusted = holm(&found.iter().map(|difference| difference.adjusted_p).collect::<Vec<_>>());
    for (difference, adjusted_p) in found.iter_mut().zip(adjusted) {
        difference.adjusted_p = adjusted_p;
        difference.finding = finding(&difference.absolute, adjusted_p <= 1.0 - result.level);
    }
    found
}

fn finding(absolute: &ConfidenceInterval, significant: bool) -> Finding {
    match absolute {
        ConfidenceInterval { mean: 0.0, half_width: 0.0, .. } => Finding::Equal,
        _ if !significant => Finding::NotShown,
        ConfidenceInterval { mean, .. } if *mean < 0.0 => Finding::Less,
        _ => Finding::More,
    }
}
