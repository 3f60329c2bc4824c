//! Variations beside their base, policy by policy.

use super::comparison::{figure_title, interval_text, is_judged, marked, notes};
use super::grid::Grid;
use super::text;
use crate::experiment::{Replicated, family_differences};

/// One block of rows per policy, given as (label, replications); the first arm of each is its base.
pub fn variations(policies: &[(String, Replicated)]) -> Grid {
    let Some((_, first)) = policies.first() else { return Grid::default() };
    let judged: Vec<usize> = (0..first.figures.len()).filter(|figure| is_judged(&first.figures[*figure])).collect();
    let mut header = vec!["Policy".to_string(), "Variation".to_string()];
    header.extend(judged.iter().map(|figure| figure_title(&first.figures[*figure])));
    let results: Vec<&Replicated> = policies.iter().map(|(_, result)| result).collect();
    let families = family_differences(&results);
    let rows = policies.iter().zip(families).flat_map(|((policy, result), found)| {
        let judged = &judged;
        (0..result.arms.len()).map(move |arm| {
            let cell = |figure: &usize| {
                let unit = result.figures[*figure].quantity.unit();
                let samples = &result.arms[arm];
                let Some(mean) = samples.mean(*figure) else { return text::MISSING.into() };
                let value = interval_text(mean, samples.interval(*figure, result.level).as_ref(), unit);
                match found.iter().find(|d| d.arm == arm && d.figure == *figure) {
                    Some(difference) => format!("{value}; {}", marked(difference, &result.figures[*figure])),
                    None => value,
                }
            };
            let mut row = vec![policy.clone(), result.arms[arm].label.clone()];
            row.extend(judged.iter().map(cell));
            row
        })
    });
    Grid { header, rows: rows.collect(), notes: notes(first) }
}
