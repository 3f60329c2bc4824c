//! A plan in words: the winner, why the others lost, and every trial.

use std::fmt::Write;

use super::comparison::value_text;
use super::grid::Grid;
use super::text;
use crate::engine::scenario::Scenario;
use crate::experiment::{Candidate, Planned, Points, Unit};
use crate::units::Fraction;

/// The answer in a sentence.
pub fn plan_answer(scenario: &Scenario, planned: &Planned, points: &Points, level: Fraction) -> String {
    let objectives: Vec<String> = scenario.objectives.iter().map(|objective| objective.text()).collect();
    let what = objectives.join(" and ");
    let Some(winner) = planned.candidates.first().filter(|_| planned.is_met) else {
        return format!("Nothing that was tried meets {what} with {level} confidence.");
    };
    let mut answer = format!(
        "{} with {:.2}x headroom and at most {} replicas meets {what} with {level} confidence over {} replications, for {}",
        winner.tuned.policy,
        winner.tuned.best().map_or(1.0, |trial| trial.headroom),
        winner.tuned.best().map_or(0, |trial| trial.most_ready),
        winner.replications,
        winner.cost().map_or_else(String::new, |cost| value_text(cost, Unit::Dollars)),
    );
    let set = points.set(winner.point);
    if !set.is_empty() {
        let set: Vec<String> = set.iter().map(|(path, value)| format!("{path}={value}")).collect();
        let _ = write!(answer, " ({})", set.join(", "));
    }
    answer + "."
}

/// One row per candidate, and why it is not the winner.
pub fn plan_table(scenario: &Scenario, planned: &Planned, points: &Points) -> Grid {
    let mut header = vec!["Policy".to_string()];
    header.extend((0..points.axes.len()).map(|axis| points.label(axis).to_string()));
    header.extend(["Headroom", "Most replicas", "Cost", "Replications", "Why not"].map(String::from));
    let best = planned.candidates.first();
    let row = |candidate: &Candidate| {
        let trial = candidate.tuned.best();
        let mut cells = vec![candidate.tuned.policy.clone()];
        cells.extend(points.point(candidate.point).into_iter().map(|value| value.unwrap_or("").to_string()));
        cells.push(trial.map_or_else(|| text::MISSING.into(), |trial| format!("{:.2}x", trial.headroom)));
        cells.push(trial.map_or_else(|| text::MISSING.into(), |trial| trial.most_ready.to_string()));
        cells.push(trial.map_or_else(|| text::MISSING.into(), |trial| value_text(trial.cost(), Unit::Dollars)));
        cells.push(candidate.replications.to_string());
        cells.push(why_not(scenario, candidate, best));
        cells
    };
    let notes = vec![format!(
        "{} headrooms were tried. A candidate with fewer replications was dropped there, being dearer than half of its rung; costs are compared on common \
         random numbers.",
        planned.trials
    )];
    Grid { header, rows: planned.candidates.iter().map(row).collect(), notes }
}

fn why_not(scenario: &Scenario, candidate: &Candidate, best: Option<&Candidate>) -> String {
    let Some(cost) = candidate.cost() else { return missed(scenario, candidate) };
    match best.and_then(Candidate::cost) {
        Some(least) if !best.is_some_and(|best| std::ptr::eq(best, candidate)) => {
            format!("dearer by {:.1}%", 100.0 * (cost / least - 1.0))
        }
        _ => "✓ the winner".into(),
    }
}

/// The objective that is missed by most of its error budget at the best headroom.
fn missed(scenario: &Scenario, candidate: &Candidate) -> String {
    let Some(trial) = candidate.tuned.best() else { return "was not tried".into() };
    let count = scenario.objectives.len().max(1);
    let gap = |index: &usize| {
        scenario.objectives.get(index % count).map_or(0.0, |objective| {
            (1.0 - trial.attainment(*index)) / (1.0 - objective.target.get()).max(f64::MIN_POSITIVE)
        })
    };
    let worst = (0..trial.attained.len()).max_by(|a, b| gap(a).total_cmp(&gap(b)));
    match worst.and_then(|index| Some((index, scenario.objectives.get(index % count)?))) {
        Some((index, objective)) => {
            format!("misses {}: {} at best", objective.text(), value_text(trial.attainment(index), Unit::Share))
        }
        None => "misses the objectives".into(),
    }
}

/// Every trial of the last rung of each candidate.
pub fn plan_trials(planned: &Planned, points: &Points) -> String {
    let mut csv = String::from("policy");
    points.axes.iter().for_each(|axis| csv.push_str(&format!(",{}", text::csv_field(&axis.path))));
    csv.push_str(",replications,headroom,cost_usd,meets_objectives,chosen,least_attained_ratio\n");
    for candidate in &planned.candidates {
        for (index, trial) in candidate.tuned.trials.iter().enumerate() {
            csv.push_str(&text::csv_field(&candidate.tuned.policy));
            for value in points.point(candidate.point) {
                let _ = write!(csv, ",{}", text::csv_field(value.unwrap_or("")));
            }
            let least = (0..trial.attained.len()).map(|objective| trial.attainment(objective)).fold(1.0, f64::min);
            let chosen = candidate.tuned.chosen == Some(index);
            let _ = writeln!(
                csv,
                ",{},{},{},{},{chosen},{least}",
                candidate.replications,
                trial.headroom,
                trial.cost(),
                trial.met
            );
        }
    }
    csv
}
