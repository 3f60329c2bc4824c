//! What training gave: the learning curve, and the trained policy beside the others on runs that it was not trained on.

use std::fmt::Write;

use crate::experiment::{Episode, Metric, Replicated, Trained, Unit, differences};
use crate::report::answers::comparison::{interval_text, is_judged, marked, notes, value_text};
use crate::report::artifact::{Artifact, ReportError};
use crate::report::printing::grid::Grid;
use crate::report::printing::text;
use crate::scenario::Scenario;

/// The trained policy and all others of a scenario on replications that no training used.
pub struct LearningTrial<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// Whether the policy was trained on its trace, if with other seeds.
    pub is_trained_on: bool,
    /// Index of the trained policy among the arms.
    pub learner: usize,
    /// What the replications gave.
    pub result: Replicated,
}

/// How many rows of the curve the table shows.
const SHOWN: usize = 8;

/// How training went, in sentences.
pub fn learning_answer(trained: &Trained, objectives: bool) -> String {
    let (origin, episodes) = (&trained.learned.origin, trained.curve.len() as u64);
    let end = match trained.settled {
        true => "until it converged",
        false => "the maximum: steps or penalty were still changing",
    };
    let mut said = format!(
        "Trained `{}` of {} in {} episodes, {end}; visiting {} states. The table after episode {} was chosen.",
        origin.policy,
        origin.scenario,
        text::count(episodes),
        text::count(trained.learned.table.met() as u64),
        text::count(origin.taken_after),
    );
    let per_thousand = value_text(1000.0 * trained.learned.penalty, Unit::Dollars);
    let (cost, used) = (value_text(trained.worth.cost, Unit::Dollars), text::percent(trained.worth.budget_used));
    let _ = write!(said, " In validation it costs {cost} and uses {used} of the error budget.");
    let _ = write!(said, " The penalty of a thousand bad requests is {per_thousand}.");
    if objectives && !trained.is_met() {
        said += " No table kept the objectives with 5% of the error budget to spare.";
    }
    said
}

/// Rounds from first to last: what the policy without exploration was worth.
pub fn learning_curve(scenario: &Scenario, trained: &Trained) -> Grid {
    let mut header: Vec<String> = ["Episode", "Cost", "Error budget used"].map(String::from).into();
    header.extend(objective_names(scenario));
    header.extend(["$ per 1000 bad", "Reward", "States met", "Best steps changed"].map(String::from));
    let greedy: Vec<usize> =
        (0..trained.curve.len()).filter(|index| trained.curve[*index].exploration == 0.0).collect();
    let every = greedy.len().div_ceil(SHOWN).max(1);
    let is_shown =
        |(place, index): &(usize, usize)| place % every == 0 || *index == trained.chosen || place + 1 == greedy.len();
    let rows = greedy.iter().copied().enumerate().filter(is_shown).map(|(_, index)| row(trained, index)).collect();
    let notes = vec![
        "Episodes without exploration, each under the table before it; * the one whose table was taken: what it is worth is told \
         by the other seeds below. Reward: minus dollars, minus the penalty of bad requests."
            .into(),
    ];
    Grid { header, rows, notes }
}

fn row(trained: &Trained, index: usize) -> Vec<String> {
    let episode = &trained.curve[index];
    let mark = if index == trained.chosen { " *" } else { "" };
    let mut cells = vec![
        format!("{}{mark}", episode.number),
        value_text(episode.cost, Unit::Dollars),
        text::percent(episode.budget_used),
    ];
    cells.extend(episode.attained.iter().map(|share| text::attainment(*share)));
    cells.extend([
        value_text(1000.0 * episode.penalty, Unit::Dollars),
        format!("{:.2}", episode.reward),
        text::count(episode.states as u64),
        text::percent(episode.changed),
    ]);
    cells
}

pub(super) fn objective_names(scenario: &Scenario) -> Vec<String> {
    let several = scenario.services.len() > 1;
    let pairs = scenario.services.iter().flat_map(|service| scenario.objectives.iter().map(move |o| (service, o)));
    pairs.map(|(service, o)| if several { format!("{}: {}", service.spec.name, o.text()) } else { o.text() }).collect()
}

/// The trained policy beside the others.
pub fn learning_trial(trial: &LearningTrial<'_>) -> Grid {
    let result = &trial.result;
    let figures = &result.figures;
    let shown: Vec<usize> = (0..figures.len()).filter(|figure| is_judged(&figures[*figure])).collect();
    let trained_on = if trial.is_trained_on { ", other seeds" } else { ", never trained on" };
    let mut header = vec![format!("{}{trained_on}", trial.scenario.name)];
    header.extend(shown.iter().map(|figure| match figures[*figure].quantity {
        Metric::Attainment(index) => trial.scenario.objectives[index].text(),
        _ => crate::report::answers::comparison::figure_title(&figures[*figure]),
    }));
    let learner = result.arms.get(trial.learner).map_or("", |arm| arm.label.as_str());
    header.push(format!("Cost beside {learner}"));
    let found = differences(result, trial.learner);
    let rows = (0..result.arms.len()).map(|arm| {
        let samples = &result.arms[arm];
        let mut cells =
            vec![if samples.clairvoyant { format!("{} (clairvoyant)", samples.label) } else { samples.label.clone() }];
        cells.extend(shown.iter().map(|figure| cell(trial, arm, *figure)));
        let of_cost = |figure: usize| figures[figure].quantity == Metric::Cost;
        let beside = found.iter().find(|difference| difference.arm == arm && of_cost(difference.figure));
        cells.push(beside.map_or_else(|| text::MISSING.into(), |d| marked(d, &figures[d.figure])));
        cells
    });
    Grid { header, rows: rows.collect(), notes: notes(result) }
}

/// A figure with its interval; an objective with the mark of whether the interval lies above its target, below it or around it.
fn cell(trial: &LearningTrial<'_>, arm: usize, figure: usize) -> String {
    let (samples, quantity) = (&trial.result.arms[arm], trial.result.figures[figure].quantity);
    let Some(mean) = samples.mean(figure) else { return text::MISSING.into() };
    let interval = samples.interval(figure, trial.result.level);
    let shown = interval_text(mean, interval.as_ref(), quantity.unit());
    let Metric::Attainment(index) = quantity else { return shown };
    let target = trial.scenario.objectives[index].target.get();
    let (low, high) = interval.map_or((mean, mean), |interval| (interval.low(), interval.high()));
    let mark = if low >= target {
        "✓"
    } else if high < target {
        "✗"
    } else {
        "?"
    };
    format!("{mark} {shown}")
}

/// The learning curve as CSV and, with the feature `charts`, as a picture.
///
/// # Errors
/// If a picture cannot be encoded.
pub fn learning_artifacts(scenario: &Scenario, trained: &Trained) -> Result<Vec<Artifact>, ReportError> {
    let mut all = vec![Artifact::new("learning-curve.csv", curve_csv(scenario, &trained.curve))];
    #[cfg(feature = "charts")]
    all.extend(crate::report::charts::learning_files(trained)?);
    let _ = &mut all;
    Ok(all)
}

fn curve_csv(scenario: &Scenario, curve: &[Episode]) -> String {
    let mut csv = String::from(
        "episode,exploration,penalty_usd,cost_usd,bad_requests,budget_used_ratio,reward_usd,states,changed_ratio",
    );
    for name in objective_names(scenario) {
        let _ = write!(csv, ",\"attained: {}\"", name.replace('"', "\"\""));
    }
    csv.push('\n');
    for episode in curve {
        let Episode { number, exploration, penalty, cost, bad, budget_used, reward, states, changed, attained } =
            episode;
        let _ = write!(csv, "{number},{exploration},{penalty},{cost},{bad},{budget_used},{reward},{states},{changed}");
        attained.iter().for_each(|share| csv.push_str(&format!(",{share}")));
        csv.push('\n');
    }
    csv
}
