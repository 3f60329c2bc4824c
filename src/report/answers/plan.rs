//! A plan in words: the winner, why the others lost, and every trial.

use std::fmt::Write;

use super::comparison::{value_text, verdict_text};
use crate::experiment::{
    Candidate, Confirmation, Difference, Figure, MIN_SHARE_KEPT, Planned, Points, Replicated, Samples, Tuned, Unit,
    differences_from_chosen, unlimited_cpu,
};
use crate::report::printing::expense::{NO_PRICE, Ranking};
use crate::report::printing::grid::Grid;
use crate::report::printing::text;
use crate::scenario::Scenario;
use crate::units::Fraction;

/// What helps where too few replications were run to be certain.
pub(super) const MORE: &str = "more --replications would tell";

/// The answer in a sentence or two.
pub fn plan_answer(scenario: &Scenario, planned: &Planned, points: &Points, level: Fraction) -> String {
    let objectives: Vec<String> = scenario.objectives.iter().map(|objective| objective.text()).collect();
    let what = objectives.join(" and ");
    let Some(winner) = planned.candidates.first().filter(|_| planned.is_met) else {
        return match planned.candidates.iter().any(|candidate| candidate.tuned.is_uncertain()) {
            true => format!("Nothing that was tried is shown to meet {what} with {level} confidence: {MORE}."),
            false => format!("Nothing that was tried meets {what} with {level} confidence."),
        };
    };
    let runs = match winner.replications {
        1 => "in one replication, which says nothing about others".into(),
        n => format!("with {level} confidence over {n} replications"),
    };
    let unit = unit(scenario);
    let mut answer = format!(
        "{} with {:.2}x headroom and at most {} replicas meets {what} {runs}, for {}",
        winner.tuned.policy,
        winner.tuned.best().map_or(1.0, |trial| trial.headroom),
        winner.tuned.best().map_or(0, |trial| trial.most_ready),
        winner.cost().map_or_else(String::new, |cost| value_text(cost, unit)),
    );
    let set = points.set(winner.point);
    if !set.is_empty() {
        let set: Vec<String> = set.iter().map(|(path, value)| format!("{path}={value}")).collect();
        let _ = write!(answer, " ({})", set.join(", "));
    }
    answer.push('.');
    if let Some(held) = winner.tuned.confirmed() {
        let _ = write!(
            answer,
            " On {} others that the search never saw it {} {} and {} keep every objective.",
            held.replications,
            Ranking::of(unit).verb,
            value_text(held.cost, unit),
            if held.kept == held.replications { "all".into() } else { held.kept.to_string() },
        );
    }
    if let Some(less) = winner.tuned.confirmations.first().filter(|first| !first.held) {
        let _ = write!(answer, " The {:.2}x that the search found first {}.", less.headroom, failed(less));
    }
    if scenario.is_priced() { answer } else { format!("{answer} {NO_PRICE}") }
}

/// Unit of what plans are ranked by.
fn unit(scenario: &Scenario) -> Unit {
    Unit::of_expense(scenario.is_priced())
}

fn replications(number: u64) -> String {
    if number == 1 { "1 replication".into() } else { format!("{number} replications") }
}

/// Why a headroom was not confirmed.
fn failed(attempt: &Confirmation) -> String {
    format!("kept them in only {} of {} others, or not on average", attempt.kept, attempt.replications)
}

/// One row per candidate, and why it is not the winner.
pub fn plan_table(scenario: &Scenario, planned: &Planned, points: &Points, level: f64) -> Grid {
    let mut header = vec!["Policy".to_string()];
    let (unit, title) = (unit(scenario), Ranking::of(unit(scenario)).title);
    header.extend((0..points.axes.len()).map(|axis| points.label(axis).to_string()));
    header.extend(["Headroom", "Most replicas", title, "Replications", "Why not"].map(String::from));
    let row = |candidate: &Candidate| {
        let trial = candidate.tuned.best();
        let mut cells = vec![candidate.tuned.policy.clone()];
        cells.extend(points.point(candidate.point).into_iter().map(|value| value.unwrap_or("").to_string()));
        cells.push(trial.map_or_else(|| text::MISSING.into(), |trial| format!("{:.2}x", trial.headroom)));
        cells.push(trial.map_or_else(|| text::MISSING.into(), |trial| trial.most_ready.to_string()));
        cells.push(trial.map_or_else(|| text::MISSING.into(), |trial| value_text(trial.cost(), unit)));
        cells.push(candidate.replications.to_string());
        cells.push(why_not(scenario, planned, candidate, level));
        cells
    };
    let (better, size) = if scenario.is_priced() { ("cheaper", "cost") } else { ("smaller", "size") };
    let mut notes = vec![super::level::HEADROOM.into()];
    notes.push(format!(
        "{} headrooms were tried on common random numbers. Candidates with fewer replications were given up early (successive halving: \
         the {better} half goes on with more replications), so their {size} cannot be compared with that of the others.",
        planned.trials
    ));
    notes.extend(unlimited_cpu(scenario));
    if planned.candidates.first().is_some_and(|first| !first.tuned.confirmations.is_empty()) {
        notes.push(confirmation_rule());
    }
    notes.extend(floors(planned.candidates.iter().map(|candidate| &candidate.tuned)));
    Grid { header, rows: planned.candidates.iter().map(row).collect(), notes }
}

/// Of which policies less headroom was not tried, and why.
pub(super) fn floors<'a>(tuned: impl Iterator<Item = &'a Tuned>) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for tuned in tuned {
        let (Some(why), Some(best)) = (&tuned.floor, tuned.best()) else { continue };
        let (policy, headroom) = (&tuned.policy, best.headroom);
        let note = format!(
            "{policy}: less headroom than {headroom:.2}x was not tried: {why}. A lower minReplicas or smaller requests would save more."
        );
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

/// By which rule what was found is confirmed.
pub(super) fn confirmation_rule() -> String {
    format!(
        "The result of the search, or the next larger headroom, is confirmed on replications that the search never saw: the interval of each \
         attainment must reach its target, and at least {} of all runs must keep every objective (Clopper-Pearson).",
        text::percent(MIN_SHARE_KEPT)
    )
}

fn why_not(scenario: &Scenario, planned: &Planned, candidate: &Candidate, level: f64) -> String {
    let (Some(best), Some(cost)) = (planned.candidates.first().filter(|_| planned.is_met), candidate.cost()) else {
        return missed(scenario, candidate);
    };
    if std::ptr::eq(best, candidate) {
        return "✓ the winner".into();
    }
    let name = &best.tuned.policy;
    let Some(beside) = candidate.beside else { return format!("{name} did not meet the objectives there") };
    let shown = |cost: f64| value_text(cost, unit(scenario));
    let priced = scenario.is_priced();
    if candidate.replications < best.replications {
        let verdict = match cost * (1.0 - candidate.tuned.resolution()) <= beside {
            true if priced => format!("no cheaper than {name} there"),
            true => format!("no fewer than {name} there"),
            false if priced => format!("dearer than {name} there"),
            false => format!("more than {name} there"),
        };
        let (own, other) = (shown(cost), shown(beside));
        let runs = replications(candidate.replications);
        return format!("given up after {runs}: {verdict} ({own} against {other})");
    }
    if cost == beside {
        return format!("{} as much", Ranking::of(unit(scenario)).verb);
    }
    if candidate.tuned.costs_as_much_as(&best.tuned) {
        return format!("equal within the {} that the search resolves", text::percent(candidate.tuned.resolution()));
    }
    let unconfirmed = if candidate.tuned.confirmed().is_some() { "" } else { ", not confirmed" };
    match round_difference(scenario, planned, candidate, level) {
        Some((difference, figure)) => format!("{}{unconfirmed}", verdict_text(&difference, &figure)),
        None => {
            let word = if priced { "dearer" } else { "more" };
            format!("{word} by {:.1}%{unconfirmed}", 100.0 * (cost / beside - 1.0))
        }
    }
}

/// The cost of a candidate of the last round beside the winner's, on pairs. `None` with one replication.
fn round_difference(
    scenario: &Scenario,
    planned: &Planned,
    candidate: &Candidate,
    level: f64,
) -> Option<(Difference, Figure)> {
    let last = planned.candidates.first()?.replications;
    let meeting = planned.candidates.iter().filter(|other| other.replications == last && other.cost().is_some());
    let round: Vec<&Candidate> = meeting.collect();
    let arm = round.iter().position(|other| std::ptr::eq(*other, candidate))?;
    let figure = Figure::expense(scenario);
    let samples = |candidate: &&Candidate| Samples {
        label: candidate.tuned.policy.clone(),
        clairvoyant: false,
        values: vec![
            candidate.tuned.best().map_or_else(Vec::new, |trial| trial.costs.iter().map(|c| Some(*c)).collect()),
        ],
    };
    let result = Replicated {
        figures: vec![figure.clone()],
        arms: round.iter().map(samples).collect(),
        replications: last,
        level,
        precise: None,
        recorded: false,
        objectives: Vec::new(),
    };
    let found = differences_from_chosen(&result, 0).into_iter().find(|difference| difference.arm == arm);
    found.map(|difference| (difference, figure))
}

/// The objective that is missed by most of its error budget at the best headroom, or what is not certain.
fn missed(scenario: &Scenario, candidate: &Candidate) -> String {
    let Some(trial) = candidate.tuned.best() else { return "was not tried".into() };
    if let Some(last) = candidate.tuned.confirmations.last().filter(|last| !last.held) {
        return format!("{:.2}x {}", last.headroom, failed(last));
    }
    if candidate.tuned.is_uncertain() {
        return format!("not certain after {}: {MORE}", replications(candidate.replications));
    }
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

/// Every trial of the last round of each candidate.
pub fn plan_trials(scenario: &Scenario, planned: &Planned, points: &Points) -> String {
    let mut csv = String::from("policy");
    points.axes.iter().for_each(|axis| csv.push_str(&format!(",{}", text::csv_field(&axis.path))));
    let column = Ranking::of(unit(scenario)).column;
    let _ = writeln!(csv, ",replications,headroom,{column},meets_objectives,chosen,least_attained_ratio");
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
