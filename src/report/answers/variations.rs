//! Variations beside their base, policy by policy: one table of whole runs, one of the time in which something is at fault.

use std::fmt::Write;

use super::comparison::{figure_title, interval_text, is_judged, notes, share_text, unit_name, value_text};
use crate::experiment::{CALM, Difference, Figure, Finding, Metric, Replicated, Unit, family_differences};
use crate::report::printing::grid::Grid;
use crate::report::printing::style::TableStyle;
use crate::report::printing::text;

/// What a cell's marks mean.
const MARKS: &str = "Beside the value stands its difference from the base: ✓ better, ✗ worse, ≈ none that these replications can show, = \
    the same in every one. The intervals of all figures are in the JSON and CSV forms.";

/// The tables as text.
pub fn variations_text(policies: &[(String, Replicated)], style: TableStyle) -> String {
    let grids = variations(policies);
    grids.iter().map(|grid| grid.text(style)).collect::<Vec<_>>().join("\n")
}

/// Tables of policies, given as (label, replications); the first arm of each is its base.
pub fn variations(policies: &[(String, Replicated)]) -> Vec<Grid> {
    let Some((_, first)) = policies.first() else { return Vec::new() };
    let chosen = |which: &dyn Fn(&Figure) -> bool| -> Vec<usize> {
        (0..first.figures.len()).filter(|figure| which(&first.figures[*figure])).collect()
    };
    let replicas = |quantity| matches!(quantity, Metric::Replicas | Metric::MostReplicas);
    let whole = chosen(&|figure| is_judged(figure) || replicas(figure.quantity));
    let during = chosen(&|figure| matches!(figure.quantity, Metric::During(_)));
    let mut grids = vec![grid(policies, &whole)];
    if !during.is_empty() {
        let mut table = grid(policies, &during);
        table.notes.push(format!(
            "While zones are lost, from whole intervals of the timeline (the base: of the same time). Recovery is from the loss to the end \
             of the last interval below the objective before {CALM} that keep it."
        ));
        grids.push(table);
    }
    if let Some(last) = grids.last_mut() {
        last.notes.extend(notes(first));
        last.notes.push(MARKS.into());
    }
    grids
}

/// One block of rows per policy.
fn grid(policies: &[(String, Replicated)], figures: &[usize]) -> Grid {
    let mut header = vec!["Policy".to_string(), "Variation".to_string()];
    let Some((_, first)) = policies.first() else { return Grid::default() };
    header.extend(figures.iter().map(|figure| figure_title(&first.figures[*figure])));
    let results: Vec<&Replicated> = policies.iter().map(|(_, result)| result).collect();
    let families = family_differences(&results);
    let rows = policies.iter().zip(families).flat_map(|((policy, result), found)| {
        (0..result.arms.len()).map(move |arm| {
            let mut row = vec![policy.clone(), result.arms[arm].label.clone()];
            row.extend(figures.iter().map(|figure| cell(result, arm, *figure, &found)));
            row
        })
    });
    Grid { header, rows: rows.collect(), notes: Vec::new() }
}

/// A value with its difference from the base; the base's own with its interval.
fn cell(result: &Replicated, arm: usize, figure: usize, found: &[Difference]) -> String {
    let unit = result.figures[figure].quantity.unit();
    let samples = &result.arms[arm];
    let Some(mean) = samples.mean(figure) else { return text::MISSING.into() };
    if arm == 0 {
        return interval_text(mean, samples.interval(figure, result.level).as_ref(), unit);
    }
    let value = value_text(mean, unit);
    match found.iter().find(|difference| difference.arm == arm && difference.figure == figure) {
        Some(difference) => format!("{value} {}", short(difference, &result.figures[figure])),
        None => value,
    }
}

/// A difference in a few characters: `✗ +14.8%`, `≈`.
fn short(difference: &Difference, figure: &Figure) -> String {
    match difference.finding {
        Finding::Equal => return "=".into(),
        Finding::NotShown => return "≈".into(),
        Finding::Less | Finding::More => {}
    }
    let mean = difference.absolute.mean;
    let sign = if mean < 0.0 { '−' } else { '+' };
    let share = difference.relative.filter(|_| !matches!(figure.quantity.unit(), Unit::Share | Unit::Number));
    let size = match (share, figure.quantity.unit()) {
        (Some(share), _) => text::percent(share.mean.abs()),
        (None, Unit::Share) => format!("{} points", share_text(mean.abs()).replace('%', "")),
        (None, unit) => value_text(mean.abs(), unit),
    };
    let mark = match difference.is_better(figure.quantity.better()) {
        Some(true) => "✓ ",
        Some(false) => "✗ ",
        None => "",
    };
    format!("{mark}{sign}{size}")
}

/// Every figure of every variation, one row each.
pub fn variations_csv(policies: &[(String, Replicated)]) -> String {
    let mut csv = String::from(
        "policy,variation,figure,unit,mean,low,high,difference_mean,difference_low,difference_high,adjusted_p\n",
    );
    let results: Vec<&Replicated> = policies.iter().map(|(_, result)| result).collect();
    for ((policy, result), found) in policies.iter().zip(family_differences(&results)) {
        for (arm, samples) in result.arms.iter().enumerate() {
            for (index, figure) in result.figures.iter().enumerate() {
                let interval = samples.interval(index, result.level);
                let difference = found.iter().find(|d| d.arm == arm && d.figure == index);
                let beside = difference.map(|d| d.absolute);
                let numbers = [
                    samples.mean(index),
                    interval.map(|i| i.low()),
                    interval.map(|i| i.high()),
                    beside.map(|i| i.mean),
                    beside.map(|i| i.low()),
                    beside.map(|i| i.high()),
                    difference.map(|d| d.adjusted_p),
                ];
                let cells = numbers.map(|number| number.map_or_else(String::new, |number| number.to_string()));
                let (policy, label) = (text::csv_field(policy), text::csv_field(&samples.label));
                let (name, unit) = (text::csv_field(&figure.name), unit_name(figure.quantity.unit()));
                let _ = writeln!(csv, "{policy},{label},{name},{unit},{}", cells.join(","));
            }
        }
    }
    csv
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::ConfidenceInterval;

    #[test]
    fn a_small_difference_is_not_shown_as_none() {
        let absolute = ConfidenceInterval { mean: -0.000_024, half_width: 0.000_01, level: 0.95, replications: 10 };
        let difference =
            Difference { figure: 0, arm: 1, absolute, relative: None, adjusted_p: 0.01, finding: Finding::Less };
        let figure = Figure { quantity: Metric::Attainment(0), service: None, name: String::new() };
        assert_eq!(short(&difference, &figure), "✗ −0.0024 points");
    }
}
