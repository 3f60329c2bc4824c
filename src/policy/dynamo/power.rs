//! Power budgets: the same for Watts, as a ceiling only.
//!
//! `apply_power_budget` of ai-dynamo/dynamo, `components/src/dynamo/planner/core/budget.py`, release 1.6.1.

use super::budget::{Band, Pair, Proposal, fit_pair, is_exchange, shrunk};

/// A proposal for each kind; `None` where nothing is proposed, known or there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Optional {
    /// Of the engines that read prompts.
    pub prefill: Option<i64>,
    /// Of the engines that generate.
    pub decode: Option<i64>,
}

impl Optional {
    fn or(self, other: Optional) -> Optional {
        Optional { prefill: self.prefill.or(other.prefill), decode: self.decode.or(other.decode) }
    }

    fn or_zero(self) -> Pair {
        Pair::new(self.prefill.unwrap_or(0), self.decode.unwrap_or(0))
    }

    /// No more than `most` of each.
    fn at_most(self, most: Pair) -> Optional {
        let cut = |own: Option<i64>, most: i64| own.map(|own| own.min(most));
        Optional { prefill: cut(self.prefill, most.prefill), decode: cut(self.decode, most.decode) }
    }
}

impl From<Pair> for Optional {
    fn from(pair: Pair) -> Self {
        Optional { prefill: Some(pair.prefill), decode: Some(pair.decode) }
    }
}

/// What the budget did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerReason {
    /// In an exchange, the kind that grows waits until the other has shrunk.
    Staged,
    /// Cut to the budget.
    Clamped,
    /// What is not proposed to change leaves no room.
    Suppressed,
}

impl PowerReason {
    /// The name that the planner logs.
    pub const fn name(self) -> &'static str {
        match self {
            PowerReason::Staged => "power_rebalance_staged",
            PowerReason::Clamped => "power_budget_clamped",
            PowerReason::Suppressed => "power_budget_scale_up_suppressed",
        }
    }
}

/// Proposed and present replicas, their Watts and the fewest of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PowerProposal {
    /// What is proposed.
    pub proposed: Optional,
    /// What is there.
    pub current: Optional,
    /// Watts of each replica.
    pub watts: Optional,
    /// Fewest replicas.
    pub least: Pair,
}

/// Cuts a proposal so that its power fits `budget` Watts. `None` if not even the fewest replicas fit.
pub fn within_power(proposal: &PowerProposal, budget: i64) -> Option<(Optional, Option<PowerReason>)> {
    let PowerProposal { proposed, current, watts, least } = *proposal;
    let is_adjustable = |count: Option<i64>, watts: Option<i64>| count.is_some() && watts.is_some_and(|w| w > 0);
    let adjusts = (is_adjustable(proposed.prefill, watts.prefill), is_adjustable(proposed.decode, watts.decode));
    let each = watts.or_zero();
    let now = current.or_zero();
    if adjusts == (true, true)
        && let Some(staged) = staged(proposed, now, each, budget)
    {
        return Some((staged, Some(PowerReason::Staged)));
    }
    if proposed.or(current).or_zero().cost(each) <= budget {
        return Some((proposed, None));
    }
    match adjusts {
        (true, true) => {
            let wanted = proposed.or_zero();
            if now.cost(each) <= budget {
                let fitted =
                    fit_pair(&Proposal { current: now, proposed: wanted, cost: each, least }, Band::below(budget));
                return Some((fitted.into(), Some(PowerReason::Clamped)));
            }
            let fitted = Optional::from(shrunk(wanted, each, budget, least)?).at_most(wanted);
            Some(match staged(fitted, now, each, budget) {
                Some(staged) => (staged, Some(PowerReason::Staged)),
                None => (fitted, Some(PowerReason::Clamped)),
            })
        }
        (true, false) => {
            let fixed = Pair::new(0, proposed.or(current).or_zero().decode).cost(each);
            let (fitted, reason) = alone(proposed.prefill?, now.prefill, each.prefill, budget - fixed, least.prefill);
            Some((Optional { prefill: Some(fitted), ..proposed }, reason))
        }
        (false, true) => {
            let fixed = Pair::new(proposed.or(current).or_zero().prefill, 0).cost(each);
            let (fitted, reason) = alone(proposed.decode?, now.decode, each.decode, budget - fixed, least.decode);
            Some((Optional { decode: Some(fitted), ..proposed }, reason))
        }
        (false, false) => Some((proposed, None)),
    }
}

/// An exchange that would draw too much while both move: what grows waits. `None` if it need not.
fn staged(proposed: Optional, now: Pair, each: Pair, budget: i64) -> Option<Optional> {
    let wanted = Pair::new(proposed.prefill?, proposed.decode?);
    let exceeds = is_exchange(now, wanted) && now.max(wanted).cost(each) > budget;
    let held = proposed.at_most(now);
    (exceeds && held != proposed).then_some(held)
}

/// One kind cut to what is left of the budget.
fn alone(proposed: i64, now: i64, watts: i64, left: i64, least: i64) -> (i64, Option<PowerReason>) {
    let (fitted, suppressed) = if left < least * watts {
        (proposed.min(now), proposed > now)
    } else {
        (proposed.min((left as f64 / watts as f64).floor() as i64).max(least), false)
    };
    let reason = if suppressed { PowerReason::Suppressed } else { PowerReason::Clamped };
    (fitted, (fitted != proposed).then_some(reason))
}
