//! A sweep in words, as Parquet and as charts.

use crate::experiment::{Design, Metric, SweepTable};
use crate::report::answers::comparison::{figure_title, objectives_named, value_text};
use crate::report::answers::sampled::{chance_correlation, is_sampled, judged};
use crate::report::artifact::{Artifact, ReportError};
use crate::report::printing::grid::Grid;
use crate::report::printing::text;

/// The best points of each policy, and what moves the figures most.
pub fn summary(table: &SweepTable) -> Vec<Grid> {
    vec![best(table), influence(table)]
}

/// One row per policy: its cheapest point that meets every objective.
fn best(table: &SweepTable) -> Grid {
    let judged = judged(table);
    let priced = table.figures.iter().any(|figure| figure.quantity == Metric::Cost);
    let best =
        if priced { "Cheapest that meets the objectives" } else { "Fewest replica-hours that meet the objectives" };
    let mut header = vec![best.to_string()];
    header.extend((0..table.points.axes.len()).map(|axis| table.points.label(axis).to_string()));
    header.extend(judged.iter().map(|figure| figure_title(&table.figures[*figure])));
    let row = |policy: usize| {
        let label = table.policies[policy].clone();
        let Some(point) = table.cheapest(policy) else {
            return std::iter::once(format!("{label}: none"))
                .chain((1..header.len()).map(|_| text::MISSING.into()))
                .collect();
        };
        let values = table.points.point(point).into_iter().map(|value| value.unwrap_or("as it is").to_string());
        let figures = judged.iter().map(|figure| shown(table, point, policy, *figure));
        std::iter::once(label).chain(values).chain(figures).collect()
    };
    let rows = (0..table.policies.len()).map(row).collect();
    let count = text::count(table.points.len() as u64);
    let mut notes = vec![format!("Of {count} points; met in the mean over the replications.")];
    notes.extend(objectives_named(&table.objectives));
    Grid { header, rows, notes }
}

fn shown(table: &SweepTable, point: usize, policy: usize, figure: usize) -> String {
    let unit = table.figures[figure].quantity.unit();
    table.mean(point, policy, figure).map_or_else(|| text::MISSING.into(), |mean| value_text(mean, unit))
}

/// One row per policy and axis: how far it moves each figure.
fn influence(table: &SweepTable) -> Grid {
    let judged = judged(table);
    let mut header = vec!["What it changes".to_string(), "varied".to_string()];
    header.extend(judged.iter().map(|figure| figure_title(&table.figures[*figure])));
    let mut rows = Vec::new();
    for (policy, label) in table.policies.iter().enumerate() {
        for axis in 0..table.points.axes.len() {
            let cells = judged.iter().map(|figure| influence_text(table, policy, axis, *figure));
            rows.push([label.clone(), table.points.label(axis).to_string()].into_iter().chain(cells).collect());
        }
    }
    Grid { header, rows, notes: vec![influence_note(table)] }
}

fn influence_text(table: &SweepTable, policy: usize, axis: usize, figure: usize) -> String {
    if is_sampled(table) {
        let found = table.rank_correlations(policy, figure).into_iter().find(|(own, _)| *own == axis);
        return found.map_or_else(|| text::MISSING.into(), |(_, correlation)| format!("{correlation:+.2}"));
    }
    let unit = table.figures[figure].quantity.unit();
    let Some(found) = table.influences(policy, figure).into_iter().find(|influence| influence.axis == axis) else {
        return text::MISSING.into();
    };
    let ((low_at, low), (high_at, high)) = (found.least, found.greatest);
    match low == high {
        true => format!("{} throughout", value_text(low, unit)),
        false => format!("{} at {low_at} to {} at {high_at}", value_text(low, unit), value_text(high, unit)),
    }
}

fn influence_note(table: &SweepTable) -> String {
    match table.points.design {
        Design::Grid => "Least and greatest mean over everything else that was varied, and the value at which.".into(),
        Design::OneAtATime => "Each value alone, all else as in the scenario.".into(),
        Design::Random | Design::LatinHypercube => format!(
            "Spearman's rank correlation over all points: +1 grows, -1 falls, within ±{:.2} it can be chance.",
            chance_correlation(table.points.len())
        ),
    }
}

/// What stands beside the file of the results: the rows as Parquet, and charts. `stem` names the table.
///
/// # Errors
/// If a library refuses to encode a file.
pub fn artifacts(table: &SweepTable, stem: &str) -> Result<Vec<Artifact>, ReportError> {
    let mut all = Vec::new();
    #[cfg(feature = "tables")]
    all.push(parquet(table, stem)?);
    #[cfg(feature = "charts")]
    all.extend(crate::report::charts::sweep_files(table)?);
    let _ = (table, stem, &mut all);
    Ok(all)
}

/// One row per point and policy: the values varied as text, the means as numbers.
#[cfg(feature = "tables")]
fn parquet(table: &SweepTable, stem: &str) -> Result<Artifact, ReportError> {
    use crate::columnar::{Cells, table_bytes};
    let name = format!("{stem}.parquet");
    let rows = || (0..table.points.len()).flat_map(|point| (0..table.policies.len()).map(move |p| (point, p)));
    let mut columns = vec![("point", Cells::Count(rows().map(|(point, _)| point as u64).collect()))];
    for (index, axis) in table.points.axes.iter().enumerate() {
        let values = rows().map(|(point, _)| table.points.point(point)[index].map(str::to_string));
        columns.push((axis.path.as_str(), Cells::MaybeText(values.collect())));
    }
    let policies = rows().map(|(_, policy)| Some(table.policies[policy].clone()));
    columns.push(("policy", Cells::MaybeText(policies.collect())));
    for (index, figure) in table.figures.iter().enumerate() {
        let means = rows().map(|(point, policy)| table.mean(point, policy, index));
        columns.push((figure.name.as_str(), Cells::MaybeReal(means.collect())));
    }
    let bytes = table_bytes(columns).map_err(|error| ReportError::new(&name, error))?;
    Ok(Artifact::new(name, bytes))
}
