//! Paired differences from a base, and their significance.

use super::metric::Better;
use super::replicate::Replicated;
use crate::stats::{ConfidenceInterval, PairedDifference, holm};

/// The conclusion from a difference at the stated confidence, after Holm's correction over all comparisons with the
/// base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// The same value in every replication.
    Equal,
    /// No significant difference.
    NotShown,
    /// Significantly less than the base.
    Less,
    /// Significantly more than the base.
    More,
}

/// One figure of one arm compared with the base.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// Index of the figure.
    pub figure: usize,
    /// Index of the arm.
    pub arm: usize,
    /// Arm minus base, in the figure's unit; the interval is that of this comparison alone, not adjusted.
    pub absolute: ConfidenceInterval,
    /// Arm / base - 1; `None` if the base is zero.
    pub relative: Option<ConfidenceInterval>,
    /// Two-sided p-value after Holm's correction over its family: all comparisons of this figure.
    pub adjusted_p: f64,
    /// The conclusion.
    pub finding: Finding,
}

impl Difference {
    /// Whether the difference is an improvement; `None` if there is no difference or no preferred direction.
    pub fn is_better(&self, better: Better) -> Option<bool> {
        match (self.finding, better) {
            (Finding::Equal | Finding::NotShown, _) | (_, Better::Neither) => None,
            (finding, better) => Some((finding == Finding::Less) == (better == Better::Lower)),
        }
    }
}

/// The differences of every arm from arm `base`, figure by figure. A figure that an arm lacks in some replication, or a
/// single replication, gives none. Holm's correction is over the arms, so `base` must have been chosen before the
/// figures were known.
pub fn differences(result: &Replicated, base: usize) -> Vec<Difference> {
    let of_figure = |figure: usize| {
        let mut found = beside(result, base, figure);
        correct(found.iter_mut().collect(), result.level);
        found
    };
    (0..result.figures.len()).flat_map(of_figure).collect()
}

/// Like [`differences`], for a `base` chosen by the figures, for example the cheapest. Holm's correction is then over
/// all pairs of arms, any of which could have been compared.
pub fn differences_from_chosen(result: &Replicated, base: usize) -> Vec<Difference> {
    let of_figure = |figure: usize| {
        // Every pair once, those with the base last.
        let others: Vec<usize> = (0..result.arms.len()).filter(|arm| *arm != base).collect();
        let pairs = |(place, first): (usize, &usize)| -> Vec<Difference> {
            let after = others[place + 1..].iter();
            after.filter_map(|arm| difference(result, (*first, *arm), figure)).collect()
        };
        let mut rest: Vec<Difference> = others.iter().enumerate().flat_map(pairs).collect();
        let mut found = beside(result, base, figure);
        correct(rest.iter_mut().chain(&mut found).collect(), result.level);
        found
    };
    (0..result.figures.len()).flat_map(of_figure).collect()
}

/// The differences of every arm of every result from the result's first arm, one list per result. Holm's correction is,
/// figure by figure, over all results together.
pub fn family_differences(results: &[&Replicated]) -> Vec<Vec<Difference>> {
    let of_result = |result: &&Replicated| -> Vec<Difference> {
        (0..result.figures.len()).flat_map(|figure| beside(result, 0, figure)).collect()
    };
    let mut all: Vec<Vec<Difference>> = results.iter().map(of_result).collect();
    let Some(first) = results.first() else { return all };
    for figure in 0..first.figures.len() {
        let own = all.iter_mut().flatten().filter(|difference| difference.figure == figure);
        correct(own.collect(), first.level);
    }
    all
}

/// Compares every arm with arm `base`, without correction.
fn beside(result: &Replicated, base: usize, figure: usize) -> Vec<Difference> {
    let others = (0..result.arms.len()).filter(|arm| *arm != base);
    others.filter_map(|arm| difference(result, (base, arm), figure)).collect()
}

/// Compares the second arm with the first, without correction.
fn difference(result: &Replicated, (base, arm): (usize, usize), figure: usize) -> Option<Difference> {
    let baseline = result.arms.get(base)?.all(figure)?;
    let candidate = result.arms.get(arm)?.all(figure)?;
    let absolute = PairedDifference::of(&baseline, &candidate, result.level)?.interval;
    let relative = PairedDifference::relative(&baseline, &candidate, result.level);
    let adjusted_p = absolute.p_value(0.0);
    Some(Difference { figure, arm, absolute, relative, adjusted_p, finding: Finding::Equal })
}

/// Applies Holm's correction over a family, and draws the conclusions.
fn correct(mut family: Vec<&mut Difference>, level: f64) {
    let adjusted = holm(&family.iter().map(|difference| difference.adjusted_p).collect::<Vec<_>>());
    for (difference, adjusted_p) in family.iter_mut().zip(adjusted) {
        difference.adjusted_p = adjusted_p;
        difference.finding = finding(&difference.absolute, adjusted_p <= 1.0 - level);
    }
}

fn finding(absolute: &ConfidenceInterval, significant: bool) -> Finding {
    match absolute {
        ConfidenceInterval { mean: 0.0, half_width: 0.0, .. } => Finding::Equal,
        _ if !significant => Finding::NotShown,
        ConfidenceInterval { mean, .. } if *mean < 0.0 => Finding::Less,
        _ => Finding::More,
    }
}
