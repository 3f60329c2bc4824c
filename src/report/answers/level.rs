//! Policies at the same service level: what each must hold for it, and what that costs.

use std::borrow::Cow;
use std::fmt::Write;

use super::comparison::value_text;
use super::plan::{MORE, confirmation_rule};
use super::verdict::{is_clairvoyant, meets_objectives};
use crate::engine::RunRecord;
use crate::experiment::{LevelObjective, Outcome, SameLevel, Trial, Tuned, Unit};
use crate::report::artifact::{Artifact, ReportError, Reporter, ReporterPlugin};
use crate::report::printing::expense::{self, NO_PRICE, Ranking};
use crate::report::printing::grid::Grid;
use crate::report::printing::text;

/// The entry in the list.
pub(crate) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "frontier.csv",
    summary: "cost and attainment of each policy, with every headroom that was tried where it was tuned to a service level",
    source: "RFC 4180",
    build: &FrontierCsv,
};

struct FrontierCsv;

impl Reporter for FrontierCsv {
    fn report(&self, outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
        Ok(points(outcome).iter().map(|level| Artifact::new(PLUGIN.name, frontier_csv(level))).collect())
    }
}

/// What the frontier shows: every headroom that was tried, or where none was, each policy as it is. `None` without several
/// policies and an objective.
pub(crate) fn points(outcome: &Outcome) -> Option<Cow<'_, SameLevel>> {
    if let Some(level) = &outcome.level {
        return Some(Cow::Borrowed(level));
    }
    let services = outcome.runs.first().map_or(&[][..], |run| &run.services);
    let several = services.len() > 1;
    let objectives = services.iter().flat_map(|service| {
        service.objectives.iter().map(move |objective| LevelObjective {
            service: if several { service.name.clone() } else { String::new() },
            text: objective.text.clone(),
            target: objective.target,
        })
    });
    let objectives: Vec<LevelObjective> = objectives.collect();
    let comparable = |run: &&RunRecord| {
        run.services.iter().map(|service| service.objectives.len()).sum::<usize>() == objectives.len()
    };
    let tuned: Vec<Tuned> = outcome.runs.iter().filter(comparable).map(as_it_was).collect();
    (tuned.len() > 1 && !objectives.is_empty()).then_some(Cow::Owned(SameLevel {
        objectives,
        tuned,
        priced: expense::is_priced(outcome),
    }))
}

/// A run as the only trial of its policy.
fn as_it_was(run: &RunRecord) -> Tuned {
    let attained = run.services.iter().flat_map(|service| &service.objectives).map(|o| vec![o.attainment()]).collect();
    let met = meets_objectives(run) != Some(false);
    let most_ready = run.services.iter().map(|service| service.max_ready).sum();
    let costs = vec![run.expense().value()];
    let trial = Trial { headroom: 1.0, costs, most_ready, attained, met, on_average: met, missed: !met };
    Tuned {
        policy: run.policy.clone(),
        clairvoyant: is_clairvoyant(run),
        trials: vec![trial],
        chosen: met.then_some(0),
        confirmations: Vec::new(),
        floor: None,
    }
}

/// One row per policy, the cheapest that meets the objectives first.
pub fn same_level(level: &SameLevel) -> Grid {
    let title = Ranking::of(level.unit()).title;
    let mut header: Vec<String> = ["Policy", "Headroom", title].map(String::from).into();
    header.extend(level.objectives.iter().map(objective_name));
    let own = format!("{title} as it is");
    header.extend(["Confirmed".to_string(), "As it is".to_string(), own]);
    let mut order: Vec<&Tuned> = level.tuned.iter().collect();
    let cost = |tuned: &&Tuned| tuned.best().map_or(f64::INFINITY, Trial::cost);
    order.sort_by(|a, b| {
        (a.chosen.is_none(), cost(a)).partial_cmp(&(b.chosen.is_none(), cost(b))).unwrap_or(std::cmp::Ordering::Equal)
    });
    let rows = order.into_iter().map(|tuned| row(level, tuned)).collect();
    let mut notes = vec![HEADROOM.into()];
    if level.tuned.iter().any(|tuned| !tuned.confirmations.is_empty()) {
        notes.push(confirmation_rule());
    }
    let doubtful = |tuned: &Tuned| tuned.is_uncertain() || tuned.as_it_is().is_some_and(|own| !own.met && !own.missed);
    if level.tuned.iter().any(doubtful) {
        notes.push(format!("~ neither met nor missed with confidence: {MORE}."));
    }
    notes.extend(super::plan::floors(level.tuned.iter()));
    Grid { header, rows, notes }
}

/// What headroom is.
pub(super) const HEADROOM: &str = "Headroom: the factor on the load that a policy provides for (an autoscaler's target is divided by it, a fixed fleet multiplied); \
     shown is the least at which every objective is met with confidence, assuming that more headroom never breaks one.";

fn objective_name(objective: &LevelObjective) -> String {
    match objective.service.as_str() {
        "" => objective.text.clone(),
        service => format!("{service}: {}", objective.text),
    }
}

fn row(level: &SameLevel, tuned: &Tuned) -> Vec<String> {
    let name = if tuned.clairvoyant { format!("{} (clairvoyant)", tuned.policy) } else { tuned.policy.clone() };
    let columns = level.objectives.len();
    let Some(best) = tuned.best() else {
        return std::iter::once(name).chain(vec![text::MISSING.to_string(); columns + 5]).collect();
    };
    let mut cells = vec![name];
    let cost = |trial: &Trial| value_text(trial.cost(), level.unit());
    match tuned.chosen {
        Some(_) => cells.extend([format!("{:.2}x", best.headroom), cost(best)]),
        None => {
            let headroom = match tuned.is_uncertain() {
                true if best.on_average => format!("~ not certain; {:.2}x on average", best.headroom),
                true => format!("~ not certain; nearest {:.2}x", best.headroom),
                false => format!("✗ none; nearest {:.2}x", best.headroom),
            };
            cells.extend([headroom, cost(best)])
        }
    }
    cells.extend((0..columns).map(|index| value_text(best.attainment(index), Unit::Share)));
    cells.push(confirmed(tuned));
    match tuned.as_it_is() {
        Some(own) => {
            let verdict = match (own.met, own.missed) {
                (true, _) => "✓ meets them",
                (false, false) => "~ not certain",
                (false, true) => "✗ misses",
            };
            cells.push(verdict.to_string());
            cells.push(cost(own));
        }
        None => cells.extend([text::MISSING.into(), text::MISSING.into()]),
    }
    cells
}

/// What became of the headroom that the search found, on other replications.
fn confirmed(tuned: &Tuned) -> String {
    let Some(last) = tuned.confirmations.last() else { return text::MISSING.into() };
    let mark = if last.held { "✓" } else { "✗" };
    let before = match tuned.confirmations.first().filter(|first| first.headroom != last.headroom) {
        Some(first) => format!(" (not {:.2}x)", first.headroom),
        None => String::new(),
    };
    format!("{mark} kept by {} of {}{before}", last.kept, last.replications)
}

/// The answer in a sentence.
pub fn level_answer(level: &SameLevel) -> String {
    let answer = level_ranking(level);
    if level.priced { answer } else { format!("{answer} {NO_PRICE}") }
}

fn level_ranking(level: &SameLevel) -> String {
    let real = || level.tuned.iter().filter(|tuned| !tuned.clairvoyant);
    let mut meeting: Vec<(&Tuned, f64)> =
        real().filter(|tuned| tuned.chosen.is_some()).filter_map(|t| Some((t, t.best()?.cost()))).collect();
    meeting.sort_by(|a, b| a.1.total_cmp(&b.1));
    let shown = |cost: f64| value_text(cost, level.unit());
    match meeting[..] {
        [] if real().any(Tuned::is_uncertain) => {
            format!("No policy that could be run is shown to meet the objectives, nor all to miss them: {MORE}.")
        }
        [] => "No policy that could be run meets the objectives, whatever its headroom.".into(),
        [(only, cost)] if real().any(Tuned::is_uncertain) => format!(
            "Only {} is shown to meet the objectives, for {}; of others it is not certain: {MORE}.",
            only.policy,
            shown(cost)
        ),
        [(only, cost)] => format!("Only {} meets the objectives, for {}.", only.policy, shown(cost)),
        [(first, cost), (second, next), ..] if second.costs_as_much_as(first) => format!(
            "At the same service level {} ({}) and {} ({}) {} the same, as far as the search can tell.",
            first.policy,
            shown(cost),
            second.policy,
            shown(next),
            Ranking::of(level.unit()).infinitive
        ),
        [(first, cost), (second, next), ..] => {
            let what =
                if level.priced { "is the cheapest that could be run" } else { "takes the fewest replica-hours" };
            let (name, below) = (&first.policy, 100.0 * (1.0 - cost / next));
            format!("At the same service level {name} {what}: {}, {below:.1}% below {}.", shown(cost), second.policy)
        }
    }
}

/// The figures of the frontier of cost and bad requests: one row for each headroom that was tried.
fn frontier_csv(level: &SameLevel) -> String {
    let names: Vec<String> = level.objectives.iter().map(objective_name).collect();
    let column = Ranking::of(level.unit()).column;
    let mut csv = format!("policy,clairvoyant,headroom,{column},meets_objectives,chosen");
    for name in &names {
        let _ = write!(csv, ",{}", text::csv_field(&format!("attained: {name}")));
    }
    csv.push('\n');
    for policy in &level.tuned {
        for (index, trial) in policy.trials.iter().enumerate() {
            let chosen = policy.chosen == Some(index);
            let (name, cost) = (text::csv_field(&policy.policy), trial.cost());
            let _ = write!(csv, "{name},{},{},{cost},{},{chosen}", policy.clairvoyant, trial.headroom, trial.met);
            for objective in 0..names.len() {
                let _ = write!(csv, ",{}", trial.attainment(objective));
            }
            csv.push('\n');
        }
    }
    csv
}
