//! What policies are ranked by, in words: their cost or, where nothing has a price, their replica-hours.

use super::text;
use crate::engine::Expense;
use crate::experiment::{Outcome, Unit};
use crate::units::Usd;

/// What is said once wherever policies are ranked without a price.
pub(crate) const NO_PRICE: &str = "No price is stated, so there is no cost: policies are ranked by replica-hours.";

/// `$50.40`, `30.2 replica-hours`.
pub(crate) fn shown(expense: Expense) -> String {
    match expense {
        Expense::Cost(dollars) => text::dollars(dollars),
        Expense::ReplicaHours(hours) => replica_hours(hours),
    }
}

/// `30.2 replica-hours`.
pub(crate) fn replica_hours(hours: f64) -> String {
    format!("{} replica-hours", number(hours))
}

/// The number of replica-hours.
pub(crate) fn number(hours: f64) -> String {
    text::number(hours, if hours.abs() < 10.0 { 3 } else { 1 })
}

/// The words for a ranking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ranking {
    /// Of a row or column.
    pub title: &'static str,
    /// "costs", "takes".
    pub verb: &'static str,
    /// The same after "what does it" or "to".
    pub infinitive: &'static str,
    /// "less", "fewer".
    pub less: &'static str,
    /// The column of a CSV file.
    pub column: &'static str,
}

/// With a price.
const COST: Ranking = Ranking { title: "Cost", verb: "costs", infinitive: "cost", less: "less", column: "cost_usd" };
/// Without one.
const HOURS: Ranking =
    Ranking { title: "Replica-hours", verb: "takes", infinitive: "take", less: "fewer", column: "replica_hours" };

impl Ranking {
    /// The words for a unit of what policies are ranked by.
    pub(crate) fn of(unit: Unit) -> Ranking {
        if unit == Unit::ReplicaHours { HOURS } else { COST }
    }

    /// The words for an outcome.
    pub(crate) fn for_outcome(outcome: &Outcome) -> Ranking {
        Ranking::of(Unit::of_expense(is_priced(outcome)))
    }
}

/// Whether the runs of an outcome have a cost; one without runs counts as priced.
pub(crate) fn is_priced(outcome: &Outcome) -> bool {
    outcome.runs.iter().all(|run| run.cost.is_some())
}

/// A cost to the last digit, or a dash.
pub(crate) fn exact(cost: Option<Usd>) -> String {
    cost.map_or_else(|| text::MISSING.into(), text::exact_dollars)
}
