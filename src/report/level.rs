//! Policies at the same service level: what each must hold for it, and what that costs.

use std::fmt::Write;

use super::comparison::value_text;
use super::grid::Grid;
use super::text;
use super::{Artifact, ReportError};
use crate::engine::scenario::Scenario;
use crate::experiment::{CostBound, Trial, Tuned, Unit};

/// One row per policy, the cheapest that meets the objectives first.
pub fn same_level(scenario: &Scenario, tuned: &[Tuned]) -> Grid {
    let mut header: Vec<String> = ["Policy", "Headroom", "Cost"].map(String::from).into();
    header.extend(objective_names(scenario));
    header.extend(["As it is".to_string(), "its cost".to_string()]);
    let mut order: Vec<&Tuned> = tuned.iter().collect();
    let cost = |tuned: &&Tuned| tuned.best().map_or(f64::INFINITY, Trial::cost);
    order.sort_by(|a, b| {
        (a.chosen.is_none(), cost(a)).partial_cmp(&(b.chosen.is_none(), cost(b))).unwrap_or(std::cmp::Ordering::Equal)
    });
    let rows = order.into_iter().map(|tuned| row(scenario, tuned)).collect();
    let notes = vec![
        "Headroom: a policy provides for so many times the load that it sees (an autoscaler's target divided by it, a fixed fleet \
         multiplied), the least at which every objective is met with confidence. That more of it never breaks an objective is taken for \
         granted."
            .into(),
    ];
    Grid { header, rows, notes }
}

fn objective_names(scenario: &Scenario) -> Vec<String> {
    let several = scenario.services.len() > 1;
    let name = |service: &crate::engine::scenario::ServicePlan, objective: &crate::engine::Objective| match several {
        true => format!("{}: {}", service.spec.name, objective.text()),
        false => objective.text(),
    };
    scenario.services.iter().flat_map(|service| scenario.objectives.iter().map(move |o| name(service, o))).collect()
}

fn row(scenario: &Scenario, tuned: &Tuned) -> Vec<String> {
    let name = if tuned.clairvoyant { format!("{} (clairvoyant)", tuned.policy) } else { tuned.policy.clone() };
    let columns = scenario.services.len() * scenario.objectives.len();
    let Some(best) = tuned.best() else { return vec![name] };
    let mut cells = vec![name];
    match tuned.chosen {
        Some(_) => cells.extend([format!("{:.2}x", best.headroom), value_text(best.cost(), Unit::Dollars)]),
        None => {
            cells.extend([format!("✗ none; nearest {:.2}x", best.headroom), value_text(best.cost(), Unit::Dollars)])
        }
    }
    cells.extend((0..columns).map(|index| value_text(best.attainment(index), Unit::Share)));
    match tuned.as_it_is() {
        Some(own) => {
            cells.push(if own.met { "✓ meets them".into() } else { "✗ misses".to_string() });
            cells.push(value_text(own.cost(), Unit::Dollars));
        }
        None => cells.extend([text::MISSING.into(), text::MISSING.into()]),
    }
    cells
}

/// The answer in a sentence.
pub fn level_answer(tuned: &[Tuned]) -> String {
    let real = tuned.iter().filter(|tuned| !tuned.clairvoyant && tuned.chosen.is_some());
    let mut costs: Vec<(&str, f64)> = real.filter_map(|t| Some((t.policy.as_str(), t.best()?.cost()))).collect();
    costs.sort_by(|a, b| a.1.total_cmp(&b.1));
    match costs[..] {
        [] => "No policy that could be run meets the objectives, whatever its headroom.".into(),
        [(only, cost)] => format!("Only {only} meets the objectives, for {}.", value_text(cost, Unit::Dollars)),
        [(first, cost), (second, next), ..] => format!(
            "At the same service level {first} is the cheapest that could be run: {}, {:.1}% below {second}.",
            value_text(cost, Unit::Dollars),
            100.0 * (1.0 - cost / next)
        ),
    }
}

/// The frontier of cost and bad requests, with its figures as CSV.
///
/// # Errors
/// If a picture cannot be encoded.
pub fn frontier(scenario: &Scenario, tuned: &[Tuned], bound: Option<&CostBound>) -> Result<Vec<Artifact>, ReportError> {
    let mut all = vec![Artifact::new("frontier.csv", frontier_csv(scenario, tuned))];
    #[cfg(feature = "charts")]
    all.extend(super::charts::frontier_files(scenario, tuned, bound)?);
    let _ = (bound, &mut all);
    Ok(all)
}

fn frontier_csv(scenario: &Scenario, tuned: &[Tuned]) -> String {
    let field = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let names = objective_names(scenario);
    let mut csv = String::from("policy,clairvoyant,headroom,cost_usd,meets_objectives,chosen");
    for name in &names {
        let _ = write!(csv, ",{}", field(&format!("attained: {name}")));
    }
    csv.push('\n');
    for policy in tuned {
        for (index, trial) in policy.trials.iter().enumerate() {
            let chosen = policy.chosen == Some(index);
            let (name, cost) = (field(&policy.policy), trial.cost());
            let _ = write!(csv, "{name},{},{},{cost},{},{chosen}", policy.clairvoyant, trial.headroom, trial.met);
            for objective in 0..names.len() {
                let _ = write!(csv, ",{}", trial.attainment(objective));
            }
            csv.push('\n');
        }
    }
    csv
}
