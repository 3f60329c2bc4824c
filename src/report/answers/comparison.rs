//! Replications in words: figures with intervals, differences with a plain verdict.

use serde_json::{Value, json};

use super::standing;
use crate::experiment::{Better, Difference, Figure, Finding, Metric, Outcome, Replicated, Unit, differences};
use crate::report::artifact::{Artifact, ReportError, Reporter, ReporterPlugin};
use crate::report::printing::grid::Grid;
use crate::report::printing::style::TableStyle;
use crate::report::printing::{expense, text};
use crate::stats::ConfidenceInterval;
use crate::units::{SimDuration, Usd};

/// The entry in the list.
pub(crate) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "comparison.json",
    summary: "where policies were replicated: every figure with its interval, and its difference from the base",
    source: "RFC 8259",
    build: &ComparisonJson,
};

struct ComparisonJson;

impl Reporter for ComparisonJson {
    fn report(&self, outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
        let text = outcome.replicated.as_ref().map(|result| comparison(result, outcome.base, TableStyle::Json));
        Ok(text.into_iter().map(|text| Artifact::new(PLUGIN.name, text)).collect())
    }
}

/// The two tables of a comparison: every figure of every policy with its interval, and what differs from the base.
pub(crate) fn grids(outcome: &Outcome) -> Option<[Grid; 2]> {
    let result = outcome.replicated.as_ref()?;
    let mut figures = figures_grid(result, standing::winner(outcome, result));
    figures.notes.clear();
    Some([figures, verdicts_grid(result, outcome.base, &differences(result, outcome.base))])
}

/// A value in a unit (`$3.63`, `92.5 ms`, `99.93%`).
pub fn value_text(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Dollars => text::dollars(Usd::from_nanos((value * 1e9).round() as i128)),
        Unit::Seconds => match SimDuration::from_secs_f64(value) {
            Ok(duration) => text::latency(duration),
            Err(_) => text::number(value, 3),
        },
        Unit::Share => text::attainment(value),
        Unit::ReplicaHours => expense::replica_hours(value),
        Unit::Number => text::number(value, if value.abs() < 100.0 { 2 } else { 0 }),
    }
}

/// A mean with its interval (`$3.63 ± $0.05`); the mean alone where one replication gives no interval.
pub fn interval_text(mean: f64, interval: Option<&ConfidenceInterval>, unit: Unit) -> String {
    let half = match interval {
        None => return value_text(mean, unit),
        Some(interval) => interval.half_width,
    };
    let half = match unit {
        // The half-width of a share is no attainment: it is rounded, and small ones keep their digits.
        Unit::Share => share_text(half),
        Unit::ReplicaHours => {
            return format!("{} ± {}", expense::number(mean), expense::replica_hours(half));
        }
        unit => value_text(half, unit),
    };
    format!("{} ± {half}", value_text(mean, unit))
}

/// A share in per cent with two significant digits, at most nine decimals.
pub(crate) fn share_text(share: f64) -> String {
    if share == 0.0 {
        return "0%".into();
    }
    let decimals = (1.0 - (share * 100.0).abs().log10().floor()).clamp(0.0, 9.0) as usize;
    format!("{:.decimals$}%", share * 100.0)
}

/// A figure's name for people.
pub fn figure_title(figure: &Figure) -> String {
    let own = figure.quantity.title();
    match figure.name.strip_prefix("service.").and_then(|rest| rest.split('.').next()) {
        Some(service) => format!("{service}: {own}"),
        None => own,
    }
}

/// What a difference says, in words ("cheaper by 12.0% ± 2.0%", "no difference that this run can show").
pub fn verdict_text(difference: &Difference, figure: &Figure) -> String {
    let more = match difference.finding {
        Finding::Equal => return "the same in every replication".into(),
        Finding::NotShown => {
            return format!("no difference that this run can show (within ±{})", reach(difference, figure));
        }
        finding => finding == Finding::More,
    };
    let [higher, lower] = figure.quantity.definition().words;
    let word = if more { higher } else { lower };
    format!("{word} by {}", size(difference, figure))
}

/// Whether a difference of this figure is said as a share of the base: attained shares are, by points, said as they are.
fn relative(difference: &Difference, figure: &Figure) -> Option<ConfidenceInterval> {
    difference.relative.filter(|_| figure.quantity.unit() != Unit::Share)
}

fn size(difference: &Difference, figure: &Figure) -> String {
    match (relative(difference, figure), figure.quantity.unit()) {
        (Some(share), _) => format!("{} ± {}", text::percent(share.mean.abs()), share_text(share.half_width)),
        (None, Unit::Share) => {
            let absolute = difference.absolute;
            let points = |share: f64| share_text(share).replace('%', "");
            format!("{} ± {} points", points(absolute.mean.abs()), points(absolute.half_width))
        }
        (None, unit) => {
            let absolute = difference.absolute;
            format!("{} ± {}", value_text(absolute.mean.abs(), unit), value_text(absolute.half_width, unit))
        }
    }
}

/// The largest difference that the interval leaves possible.
fn reach(difference: &Difference, figure: &Figure) -> String {
    let most = |interval: &ConfidenceInterval| interval.low().abs().max(interval.high().abs());
    match (relative(difference, figure), figure.quantity.unit()) {
        (Some(share), _) => share_text(most(&share)),
        (None, Unit::Share) => format!("{} points", share_text(most(&difference.absolute)).replace('%', "")),
        (None, unit) => value_text(most(&difference.absolute), unit),
    }
}

/// The comparison of every arm with arm `base`.
pub fn comparison(result: &Replicated, base: usize, style: TableStyle) -> String {
    let found = differences(result, base);
    match style {
        TableStyle::Json => format!("{:#}\n", comparison_json(result, base, &found)),
        style => {
            let mut grid = figures_grid(result, None);
            grid.notes.clear();
            let verdicts = verdicts_grid(result, base, &found);
            format!("{}\n{}", grid.text(style), verdicts.text(style))
        }
    }
}

/// One row per figure, one column per arm; that of the policy called `first` before the others.
fn figures_grid(result: &Replicated, first: Option<&str>) -> Grid {
    let mut header = vec![String::new()];
    let mut arms: Vec<usize> = (0..result.arms.len()).collect();
    arms.sort_by_key(|arm| first != Some(result.arms[*arm].label.as_str()));
    header.extend(arms.iter().map(|arm| match &result.arms[*arm] {
        arm if arm.clairvoyant => format!("{} (clairvoyant)", arm.label),
        arm => arm.label.clone(),
    }));
    let cell = |figure: usize, arm: usize| {
        let samples = &result.arms[arm];
        let interval = samples.interval(figure, result.level);
        let unit = result.figures[figure].quantity.unit();
        samples.mean(figure).map_or_else(|| text::MISSING.into(), |mean| interval_text(mean, interval.as_ref(), unit))
    };
    let row = |figure: usize| {
        let title = figure_title(&result.figures[figure]);
        std::iter::once(title).chain(arms.iter().map(|arm| cell(figure, *arm))).collect()
    };
    Grid { header, rows: (0..result.figures.len()).map(row).collect(), notes: notes(result) }
}

/// Which figures get a verdict of their own: what a planner pays and promises.
pub(crate) fn is_judged(figure: &Figure) -> bool {
    figure.is_headline() || matches!(figure.quantity, Metric::Attainment(_) | Metric::Lost)
}

fn verdicts_grid(result: &Replicated, base: usize, found: &[Difference]) -> Grid {
    let judged: Vec<usize> = (0..result.figures.len()).filter(|figure| is_judged(&result.figures[*figure])).collect();
    let base_label = result.arms.get(base).map_or("", |arm| arm.label.as_str());
    let mut header = vec![format!("beside {base_label}")];
    header.extend(judged.iter().map(|figure| figure_title(&result.figures[*figure])));
    let cell = |arm: usize, figure: usize| {
        let difference = found.iter().find(|difference| difference.arm == arm && difference.figure == figure);
        difference.map_or_else(|| text::MISSING.into(), |d| marked(d, &result.figures[figure]))
    };
    let row = |arm: usize| {
        let cells = judged.iter().map(|figure| cell(arm, *figure));
        std::iter::once(result.arms[arm].label.clone()).chain(cells).collect()
    };
    let others = (0..result.arms.len()).filter(|arm| *arm != base);
    Grid { header, rows: others.map(row).collect(), notes: notes(result) }
}

pub(crate) fn marked(difference: &Difference, figure: &Figure) -> String {
    let words = verdict_text(difference, figure);
    match difference.is_better(figure.quantity.better()) {
        Some(true) => format!("✓ {words}"),
        Some(false) => format!("✗ {words}"),
        None => words,
    }
}

/// What the numbers rest on, one sentence each.
pub(crate) fn notes(result: &Replicated) -> Vec<String> {
    let percent = share_text(result.level).replace(".0%", "%");
    let mut notes = Vec::new();
    match result.replications {
        0 | 1 => notes.push("One replication: no intervals and no verdicts; use --replications for more.".into()),
        n => notes.push(format!(
            "{n} replications on common random numbers; ± is half of the {percent} confidence interval (Student's t), of \
             a difference on pairs. A verdict holds at {percent} after Holm's correction over the rows of its column."
        )),
    }
    notes.extend(objectives_named(&result.objectives));
    if result.precise == Some(false) {
        notes.push(format!("After {} replications the requested precision is not reached.", result.replications));
    }
    if result.recorded {
        notes.push(
            "The trace is the same in every replication: only random draws vary (demands, start-ups, arrivals within the \
             trace's resolution). The intervals say nothing about another day."
                .into(),
        );
    }
    notes
}

/// Which objective has which number, as a sentence; `None` without any.
pub(crate) fn objectives_named(objectives: &[String]) -> Option<String> {
    let named = objectives.iter().enumerate().map(|(index, text)| format!("objective {}: {text}", index + 1));
    let named = named.collect::<Vec<_>>().join("; ");
    (!named.is_empty()).then(|| format!("O{}.", &named[1..]))
}

fn interval_json(interval: &ConfidenceInterval) -> Value {
    json!({ "mean": interval.mean, "low": interval.low(), "high": interval.high() })
}

/// Every figure of every arm, and its difference from arm `base`.
pub(super) fn comparison_json(result: &Replicated, base: usize, found: &[Difference]) -> Value {
    let arm = |arm: usize| {
        let figures = result.figures.iter().enumerate().map(|(index, figure)| {
            let samples = &result.arms[arm];
            let difference = found.iter().find(|d| d.arm == arm && d.figure == index);
            let value = json!({
                "figure": figure.name,
                "unit": unit_name(figure.quantity.unit()),
                "mean": samples.mean(index),
                "interval": samples.interval(index, result.level).as_ref().map(interval_json),
                "difference": difference.map(|d| interval_json(&d.absolute)),
                "relative": difference.and_then(|d| d.relative.as_ref().map(interval_json)),
                "adjusted_p": difference.map(|d| d.adjusted_p),
                "verdict": difference.map(|d| verdict_text(d, figure)),
                "better": difference.and_then(|d| d.is_better(figure.quantity.better())),
                "direction": match figure.quantity.better() {
                    Better::Lower => "lower is better",
                    Better::Higher => "higher is better",
                    Better::Neither => "neither",
                },
            });
            value
        });
        json!({
            "policy": result.arms[arm].label,
            "clairvoyant": result.arms[arm].clairvoyant,
            "figures": figures.collect::<Vec<_>>(),
        })
    };
    json!({
        "base": result.arms.get(base).map(|arm| arm.label.clone()),
        "replications": result.replications,
        "level": result.level,
        "precise": result.precise,
        "recorded_trace": result.recorded,
        "notes": notes(result),
        "policies": (0..result.arms.len()).map(arm).collect::<Vec<_>>(),
    })
}

pub(crate) fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Dollars => "usd",
        Unit::Seconds => "s",
        Unit::Share => "share",
        Unit::ReplicaHours => "replica-hours",
        Unit::Number => "1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(mean: f64, half_width: f64, finding: Finding) -> Difference {
        let interval = ConfidenceInterval { mean, half_width, level: 0.95, replications: 10 };
        let relative = Some(ConfidenceInterval { mean: mean / 10.0, half_width: half_width / 10.0, ..interval });
        Difference { figure: 0, arm: 1, absolute: interval, relative, adjusted_p: 0.0, finding }
    }

    #[test]
    fn verdicts_are_plain_words() {
        let figure = |quantity| Figure { quantity, service: None, name: String::new() };
        let words = |d: &Difference, quantity| verdict_text(d, &figure(quantity));
        let less = difference(-1.2, 0.2, Finding::Less);
        assert_eq!(words(&less, Metric::Cost), "cheaper by 12.0% ± 2.0%");
        assert_eq!(words(&difference(0.3, 0.1, Finding::More), Metric::Latency(99)), "slower by 3.0% ± 1.0%");
        let unclear = difference(0.1, 0.2, Finding::NotShown);
        assert_eq!(words(&unclear, Metric::Cost), "no difference that this run can show (within ±3.0%)");
        let points = difference(0.0031, 0.0002, Finding::More);
        assert_eq!(words(&points, Metric::Attainment(0)), "better by 0.31 ± 0.020 points");
        assert_eq!(words(&difference(0.0, 0.0, Finding::Equal), Metric::Lost), "the same in every replication");
    }
}
