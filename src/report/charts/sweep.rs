//! A sweep as pictures: heat maps of a grid, lines along a single axis, a tornado of what each axis changes.

use super::axis::{Axis, Scale};
use super::canvas::{HEATS, Ink};
use super::chart::{Chart, Mark, Panel, Sample, Side};
use super::frontier::round_dollars;
use crate::config::slug;
use crate::experiment::{Cells, Design, Influence, Metric, SweepTable, Unit};
use crate::report::answers::comparison::{figure_title, value_text};
use crate::report::answers::sampled::{chance_correlation, is_sampled, judged};

/// More policies or values than these make a chart unreadable; the table has them all.
const MAX_POLICIES: usize = 8;
const MAX_VALUES: usize = 24;
/// Height of a bar of a tornado and its name above it.
const BAR: i32 = 44;

/// The charts, one per figure that is judged.
pub(super) fn charts(table: &SweepTable) -> Vec<Chart> {
    let figures = judged(table);
    let chart = |figure: &usize| match (table.points.design, table.points.axes.len()) {
        (Design::Grid, 1) => vec![lines(table, *figure)],
        (Design::Grid, _) => heat_map(table, *figure).into_iter().chain([tornado(table, *figure)]).collect(),
        (Design::OneAtATime, _) => vec![tornado(table, *figure)],
        (Design::Random | Design::LatinHypercube, _) => vec![tornado(table, *figure)],
    };
    figures.iter().flat_map(chart).filter(|chart| !chart.panels.is_empty()).collect()
}

/// What is drawn; an objective by its words, for a picture stands alone.
fn what(table: &SweepTable, figure: usize) -> String {
    let figure = &table.figures[figure];
    let title = figure_title(figure);
    let Metric::Attainment(index) = figure.quantity else { return title };
    match table.objectives.get(index) {
        Some(text) => title.replace(&format!("Objective {} attained", index + 1), &format!("Attained: {text}")),
        None => title,
    }
}

fn shown_policies(table: &SweepTable) -> usize {
    table.policies.len().min(MAX_POLICIES)
}

fn left_out(table: &SweepTable) -> String {
    match table.policies.len().saturating_sub(MAX_POLICIES) {
        0 => String::new(),
        n => format!(" The first {MAX_POLICIES} policies are drawn; {n} more are in the table."),
    }
}

fn name(kind: &str, table: &SweepTable, figure: usize) -> String {
    format!("{kind}-{}", slug(&table.figures[figure].name))
}

/// Places 0.5, 1.5, ... for named values.
fn categories(names: &[String], title: &str) -> Axis {
    let skip = names.len().div_ceil(12).max(1);
    let label =
        |(i, name): (usize, &String)| (i as f64 + 0.5, if i % skip == 0 { name.clone() } else { String::new() });
    let ticks = names.iter().enumerate().map(label).collect();
    Axis { scale: Scale::Linear, low: 0.0, high: names.len() as f64, ticks, title: title.into() }
}

/// A panel per policy: the figure over the first two axes.
fn heat_map(table: &SweepTable, figure: usize) -> Option<Chart> {
    let axes = [0, 1];
    let unit = table.figures[figure].quantity.unit();
    let cells: Vec<_> = (0..shown_policies(table)).map(|policy| table.cells(policy, figure, axes)).collect();
    let (columns, rows) = cells.first().map(|cells| (cells.columns.clone(), cells.rows.clone()))?;
    if columns.len() > MAX_VALUES || rows.len() > MAX_VALUES {
        return None;
    }
    let values: Vec<f64> = cells.iter().flat_map(|cells| cells.values.iter().flatten().flatten().copied()).collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !low.is_finite() {
        return None;
    }
    let heat = |value: f64| (((value - low) / (high - low).max(f64::MIN_POSITIVE)) * f64::from(HEATS)) as u8;
    let written = columns.len() <= 9;
    let marks = |cells: &Cells| {
        let mut marks = Vec::new();
        for (row, line) in cells.values.iter().enumerate() {
            for (column, value) in line.iter().enumerate() {
                let Some(value) = value else { continue };
                let (x, y, level) = (column as f64, row as f64, heat(*value).min(HEATS - 1));
                marks.push(Mark::Cell { ink: Ink::Heat(level), from: (x, y), to: (x + 1.0, y + 1.0) });
                if written {
                    let ink = if level * 2 > HEATS { Ink::Light } else { Ink::Dark };
                    marks.push(Mark::Words {
                        ink,
                        at: (x + 0.5, y + 0.5),
                        text: value_text(*value, unit),
                        side: Side::Around,
                    });
                }
            }
        }
        marks
    };
    let title = |axis: usize| table.points.label(axis).to_string();
    let panel = |(policy, cells): (usize, &Cells)| Panel {
        title: Some((None, table.policies[policy].clone())),
        height: (rows.len() as i32 * 30).clamp(90, 420),
        y: categories(&rows, &title(axes[1])),
        marks: marks(cells),
    };
    let step = (high - low) / f64::from(HEATS);
    let swatch = |level: u8| {
        let from = low + step * f64::from(level);
        (Sample::Area, Ink::Heat(level), format!("from {}", value_text(from, unit)))
    };
    let levels: Vec<u8> = if high > low { (0..HEATS).step_by(2).collect() } else { vec![0] };
    let rest = if table.points.axes.len() > 2 { " Averaged over the other axes." } else { "" };
    let what = what(table, figure);
    Some(Chart {
        notes: Vec::new(),
        name: name("heat", table, figure),
        title: format!("{what} over {} and {}", title(0), title(1)),
        description: format!("{what} lies between {} and {}.", value_text(low, unit), value_text(high, unit)),
        caption: format!("Mean over the replications at each pair of values.{rest}{}", left_out(table)),
        legend: levels.into_iter().map(swatch).collect(),
        x: categories(&columns, &title(axes[0])),
        panels: cells.iter().enumerate().map(panel).collect(),
    })
}

/// A line per policy along the only axis.
fn lines(table: &SweepTable, figure: usize) -> Chart {
    let levels: Vec<Vec<(String, f64)>> = (0..shown_policies(table)).map(|p| table.levels(p, figure, 0)).collect();
    let names = table.points.axes[0].all();
    let place = |name: &str| names.iter().position(|known| known == name).map_or(0.0, |at| at as f64 + 0.5);
    let marks = levels.iter().enumerate().map(|(policy, levels)| Mark::Line {
        ink: Ink::Series(policy as u8),
        segments: vec![levels.iter().map(|(value, mean)| (place(value), *mean)).collect()],
    });
    let unit = table.figures[figure].quantity.unit();
    let low = levels.iter().flatten().map(|(_, mean)| *mean).fold(f64::INFINITY, f64::min);
    let high = levels.iter().flatten().map(|(_, mean)| *mean).fold(0.0, f64::max);
    let (what, path) = (what(table, figure), table.points.label(0));
    let legend = |policy: usize| (Sample::Line, Ink::Series(policy as u8), table.policies[policy].clone());
    // A share near 1 would be a flat line on an axis from zero.
    let y = match unit {
        Unit::Share => Axis::between(low, high, 5, &what, |value, _| value_text(value, unit)),
        unit => Axis::from_zero(high, 5, &what, |value, _| tick(value, unit)),
    };
    Chart {
        notes: Vec::new(),
        name: name("line", table, figure),
        title: format!("{what} over {path}"),
        description: format!("{what} of each policy at each value of {path}."),
        caption: format!("Mean over the replications at each value.{}", left_out(table)),
        legend: (0..shown_policies(table)).map(legend).collect(),
        x: categories(&names, path),
        panels: vec![Panel { title: None, height: 270, y, marks: marks.collect() }],
    }
}

/// A panel per policy: a bar per axis, the widest on top.
fn tornado(table: &SweepTable, figure: usize) -> Chart {
    let what = what(table, figure);
    let (title, caption, x, bars) = match is_sampled(table) {
        true => correlations(table, figure, &what),
        false => swings(table, figure, &what),
    };
    let policies = bars.iter().enumerate().filter(|(_, bars)| !bars.is_empty());
    let panels = policies.map(|(policy, bars)| tornado_panel(&table.policies[policy], bars, &x)).collect();
    Chart {
        notes: Vec::new(),
        name: name("tornado", table, figure),
        title,
        description: format!("What each varied value does to {what}, the strongest on top."),
        caption: format!("{caption}{}", left_out(table)),
        legend: Vec::new(),
        x,
        panels,
    }
}

/// A bar: its name, both ends, and what is written at them.
struct Bar {
    name: String,
    ends: [f64; 2],
    words: [String; 2],
}

fn swings(table: &SweepTable, figure: usize, what: &str) -> (String, String, Axis, Vec<Vec<Bar>>) {
    let unit = table.figures[figure].quantity.unit();
    let of_policy = |policy: usize| -> Vec<Bar> {
        let influences = table.influences(policy, figure).into_iter();
        let bar = |found: Influence| Bar {
            name: table.points.label(found.axis).to_string(),
            ends: [found.least.1, found.greatest.1],
            words: match found.least.1 == found.greatest.1 {
                true => [String::new(), "no change".into()],
                false => [found.least.0, found.greatest.0],
            },
        };
        influences.map(bar).collect()
    };
    let bars: Vec<Vec<Bar>> = (0..shown_policies(table)).map(of_policy).collect();
    let all = || bars.iter().flatten().flat_map(|bar| bar.ends);
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    // Room for the words at both ends.
    let room = (high - low) * 0.15;
    let x = Axis::between(low - room, high + room, 6, what, |value, _| tick(value, unit));
    let caption = match table.points.design {
        Design::OneAtATime => {
            "From the least to the greatest mean as one value changes and all else stays; the values stand at the ends."
        }
        _ => "From the least to the greatest mean over all else that was varied; the values stand at the ends.",
    };
    (format!("What changes {}", lower(what)), caption.into(), x, bars)
}

/// A value at a tick: dollars without digits that say nothing.
fn tick(value: f64, unit: Unit) -> String {
    if unit == Unit::Dollars { round_dollars(value) } else { value_text(value, unit) }
}

fn correlations(table: &SweepTable, figure: usize, what: &str) -> (String, String, Axis, Vec<Vec<Bar>>) {
    let of_policy = |policy: usize| -> Vec<Bar> {
        let found = table.rank_correlations(policy, figure).into_iter();
        let bar = |(axis, correlation): (usize, f64)| {
            let word = format!("{correlation:+.2}");
            let words = if correlation < 0.0 { [word, String::new()] } else { [String::new(), word] };
            Bar {
                name: table.points.label(axis).to_string(),
                ends: [correlation.min(0.0), correlation.max(0.0)],
                words,
            }
        };
        found.map(bar).collect()
    };
    let bars = (0..shown_policies(table)).map(of_policy).collect();
    let ticks = [-1.0, -0.5, 0.0, 0.5, 1.0].map(|value| (value, format!("{value:+.1}"))).into();
    let x = Axis { scale: Scale::Linear, low: -1.2, high: 1.2, ticks, title: "rank correlation".into() };
    let caption = format!(
        "Spearman's rank correlation over all points; within ±{:.2} it can be chance.",
        chance_correlation(table.points.len())
    );
    (format!("What {} goes with", lower(what)), caption, x, bars)
}

/// A title within a sentence: only words that are no abbreviation lose their capital.
fn lower(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn tornado_panel(policy: &str, bars: &[Bar], x: &Axis) -> Panel {
    let gap = (x.high - x.low) * 0.012;
    let words = |at, text: &str, side| Mark::Words { ink: Ink::Text, at, text: text.to_owned(), side };
    let mut marks = Vec::new();
    for (row, bar) in bars.iter().rev().enumerate() {
        let y = row as f64;
        let [low, high] = bar.ends;
        let [left, right] = &bar.words;
        marks.push(Mark::Cell { ink: Ink::Alone(0), from: (low, y + 0.1), to: (high, y + 0.5) });
        marks.push(words((x.low + gap, y + 0.74), &bar.name, Side::Right));
        marks.push(words((low - gap, y + 0.3), left, Side::Left));
        marks.push(words((high + gap, y + 0.3), right, Side::Right));
    }
    let y = Axis { scale: Scale::Linear, low: 0.0, high: bars.len() as f64, ticks: Vec::new(), title: String::new() };
    Panel { title: Some((None, policy.to_string())), height: bars.len() as i32 * BAR, y, marks }
}
