//! What a search for a policy's numbers gave: the numbers, and how the search went.

use std::fmt::Write;

use super::learning::objective_names;
use crate::experiment::{Generation, Searched, Unit};
use crate::policy::policy_search::NUMBERS;
use crate::report::answers::comparison::value_text;
use crate::report::artifact::{Artifact, ReportError};
use crate::report::printing::grid::Grid;
use crate::report::printing::text;
use crate::scenario::Scenario;

/// How many rows of the curve the table shows.
const SHOWN: usize = 10;

/// How the search went, in sentences.
pub fn search_answer(searched: &Searched, objectives: bool) -> String {
    let (origin, unit) = (&searched.found.origin, Unit::of_expense(searched.priced));
    let end = match searched.settled {
        true => "until its points hardly differed any more",
        false => "all that were asked for: the points still differed",
    };
    let mut said = format!(
        "Searched {} numbers of `{}` of {} in {} generations, {} runs, {end}.",
        searched.free.iter().filter(|free| **free).count(),
        origin.policy,
        origin.scenario,
        text::count(searched.curve.len() as u64),
        text::count(origin.episodes),
    );
    let worth = |worth: &crate::experiment::Worth| {
        let (cost, used) = (value_text(worth.cost, unit), text::percent(worth.budget_used));
        if objectives { format!("{cost} and uses {used} of the error budget") } else { cost }
    };
    let _ = write!(said, " In the runs that it was chosen by it costs {};", worth(&searched.worth));
    let _ = write!(said, " with the numbers that the search began with, {}.", worth(&searched.start));
    if objectives && !searched.is_met() {
        said += " No candidate kept the objectives with 5% of the error budget to spare.";
    }
    said
}

/// The numbers: where the search began, and what it found.
pub fn search_numbers(searched: &Searched) -> Grid {
    let header = ["Number", "Began at", "Found", "Looked between"].map(String::from).into();
    let began = searched.curve.first().map(|generation| generation.numbers);
    let row = |place: usize| {
        let (number, free) = (&NUMBERS[place], searched.free[place]);
        let began = began.map_or_else(|| text::MISSING.into(), |numbers| number.text(numbers[place]));
        let range = format!("{} and {}", number.text(number.low), number.text(number.high));
        let range = if free { range } else { "stated".into() };
        vec![number.name.into(), began, number.text(searched.found.numbers[place]), range]
    };
    Grid { header, rows: (0..NUMBERS.len()).map(row).collect(), notes: Vec::new() }
}

/// Generations from first to last: what the centre was worth.
pub fn search_curve(scenario: &Scenario, searched: &Searched) -> Grid {
    let unit = Unit::of_expense(searched.priced);
    let mut header: Vec<String> = ["Generation", "Runs", "Cost", "Error budget used"].map(String::from).into();
    header.extend(objective_names(scenario));
    header.extend(["Per 1000 bad", "Width"].map(String::from));
    let every = searched.curve.len().div_ceil(SHOWN).max(1);
    let is_shown = |index: &usize| index.is_multiple_of(every) || *index + 1 == searched.curve.len();
    let row = |index: usize| {
        let generation = &searched.curve[index];
        let mut cells = vec![
            generation.number.to_string(),
            text::count(generation.runs),
            value_text(generation.cost, unit),
            text::percent(generation.budget_used),
        ];
        cells.extend(generation.attained.iter().map(|share| text::attainment(*share)));
        cells.extend([value_text(1000.0 * generation.penalty, unit), text::percent(generation.width)]);
        cells
    };
    let notes = vec![
        "The centre of each generation, in replications of its own. Width: the widest standard deviation of its points, as a part of a \
         number's range. What the numbers found are worth is told by the other seeds below."
            .into(),
    ];
    Grid { header, rows: (0..searched.curve.len()).filter(is_shown).map(row).collect(), notes }
}

/// The curve of the search as CSV and, with the feature `charts`, as a picture.
///
/// # Errors
/// If a picture cannot be encoded.
pub fn search_artifacts(scenario: &Scenario, searched: &Searched) -> Result<Vec<Artifact>, ReportError> {
    let mut all = vec![Artifact::new("search-curve.csv", curve_csv(scenario, searched))];
    #[cfg(feature = "charts")]
    all.extend(crate::report::charts::search_files(searched)?);
    let _ = &mut all;
    Ok(all)
}

fn curve_csv(scenario: &Scenario, searched: &Searched) -> String {
    let unit = if searched.priced { "usd" } else { "replica_hours" };
    let mut csv = format!("generation,runs,penalty_{unit},width_ratio,cost_{unit},budget_used_ratio,best_cost_{unit}");
    for name in objective_names(scenario) {
        let _ = write!(csv, ",\"attained: {}\"", name.replace('"', "\"\""));
    }
    for number in NUMBERS {
        let _ = write!(csv, ",{}", number.name);
    }
    csv.push('\n');
    for generation in &searched.curve {
        let Generation { number, runs, penalty, width, cost, budget_used, attained, best_cost, numbers } = generation;
        let _ = write!(csv, "{number},{runs},{penalty},{width},{cost},{budget_used},{best_cost}");
        attained.iter().chain(numbers).for_each(|value| csv.push_str(&format!(",{value}")));
        csv.push('\n');
    }
    csv
}
