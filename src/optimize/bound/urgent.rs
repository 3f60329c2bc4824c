//! The same bound from urgent work only: fewer rows, hence far shorter intervals.
//!
//! A good request whose limit passes within the interval of its arrival is served in that interval. With u_j the work
//! of such requests arriving in j, and v_j the part of it that is given up, the proof above gives, with rows (1) to (3)
//! unchanged,
//! ```text
//! (8)  D n_j + v_j >= u_j,   sum_j v_j <= F
//! ```
//!
//! Without the last row of (8) this is a one-type plan with shortage ([`OneType`]), solved exactly as a minimum-cost
//! flow. The last row is priced: for any price p >= 0, the minimum cost of a plan that pays p for each replica-second
//! given up, minus p F, is at most the cost of the best plan that gives up at most F (weak duality; Geoffrion 1974).
//! This value is concave in p, and cutting planes find its maximum; the bound is valid for any p at which they stop.
//! Row (5) is lost: work that may wait for the next interval is ignored. For short limits, the intervals should
//! therefore be short, but longer than the limit.
//!
//! *Whole replicas.* N(t) is a whole number, but its average over an interval is not. Therefore let X_j = S_j - E_j
//! with S_j the starts by the end of j and E_j the ends by its beginning: a whole number, and at least N(t) at any time
//! in j, so that D X_j + v_j >= u_j. Conversely, N(t) = S(t) - E(t) >= S_j-1 - E_j+1 in j, so the time paid for after
//! start-up is at least D sum_j X_j minus D for each start and each end. Each end belongs to a start or to an initial
//! replica, so with x_0 initial replicas the run pays at least
//!
//! ```text
//! c ( D sum_j X_j + (L - 2 D) sum_j y_j - D x_0 ),      y_j = S_j - S_j-1
//! ```
//!
//! Replicas that became ready after the beginning of interval j - M', M' = floor(G' / D), have not ended by the
//! beginning of j, so X_j >= A_j + B_j with A_j the initial replicas left at the beginning of j and B_j = sum_{k =
//! j-M'..j} y_k: runs of M' + 1 intervals, some of them after the end of the trace. Hence sum_j X_j >= x_0 + (M' + 1)
//! sum_j y_j. If L < 2 D, a share e = (2 - L / D) / (M' + 1) of the price of each X_j compensates for the missing
//! start-up cost: the run pays at least c (1 - e) D (sum_j X_j - x_0). If e is 1 or more, the bound is zero.
//!
//! *Many initial replicas.* Let x be the largest u_j / D, rounded up. If there are more than x initial replicas, leave
//! out those that end first, until x are left: the rest costs no more, and while one of those left out was running, all
//! x were, which are enough. So x_0 = min(initial, x), and x_0 = x if a policy may choose.
//!
//! *Bounds that do not matter.* Often another bound is already higher. Whatever plan keeps (1) to (3) and (8) costs at
//! least the optimum, hence (weak duality again) at least the value at any price. One such plan gives up the work above
//! a level as far as F allows, and holds the most that was needed in the last k intervals, k >= M: no start within the
//! last k is undone, because the level held is at least every level reached in them, so (3) holds. If the cheapest of
//! these plans for a few k costs less than the other bound, nothing is solved; nor are further prices tried once the
//! tangents meet below it.

use std::collections::VecDeque;

use super::{BoundProblem, TOLERANCE};
use crate::optimize::{OneType, OneTypePlan, OptimizeError};

/// Maximum number of prices tried.
const TRIALS: usize = 16;
/// The search stops when the bound could rise by less than this share.
const NEAR: f64 = 2e-3;

/// The value at a price, and its slope: the work given up beyond what is allowed.
#[derive(Debug, Clone, Copy)]
struct Tangent {
    price: f64,
    value: f64,
    slope: f64,
}

impl Tangent {
    /// Where two tangents intersect: the price, and an upper limit of the value between them.
    fn meet(self, other: Tangent) -> (f64, f64) {
        let price = (other.value - other.slope * other.price - self.value + self.slope * self.price)
            / (self.slope - other.slope);
        (price, self.value + self.slope * (price - self.price))
    }

    /// The cost of its plan, by which its value was reduced in proportion.
    fn cost(self, allowed: f64) -> f64 {
        self.value + self.price * allowed
    }
}

/// Whether fractions of replicas can be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Fractions,
    Whole,
}

impl BoundProblem {
    /// The minimum cost of any policy according to its urgent work; zero if little work is urgent.
    ///
    /// # Errors
    /// Invalid input.
    #[cfg(test)]
    pub(super) fn urgent_cost(&self) -> Result<f64, OptimizeError> {
        Ok(self.urgent_cost_above(f64::NEG_INFINITY)?.unwrap_or_default())
    }

    /// The minimum cost of any policy according to its urgent work, or `None` if that is below `floor`.
    ///
    /// # Errors
    /// Invalid input.
    pub fn urgent_cost_above(&self, floor: f64) -> Result<Option<f64>, OptimizeError> {
        self.validate()?;
        let fractions = self.priced(Unit::Fractions, floor)?;
        let whole = self.priced(Unit::Whole, fractions.map_or(floor, |cost| cost.max(floor)))?;
        Ok(fractions.into_iter().chain(whole).max_by(f64::total_cmp))
    }

    /// The best bound over the prices of giving up work; `None` if it is below `floor`.
    fn priced(&self, unit: Unit, floor: f64) -> Result<Option<f64>, OptimizeError> {
        let allowed = self.forgiven / self.interval;
        let needed: f64 = self.urgent.iter().sum::<f64>() / self.interval;
        if needed <= allowed {
            return Ok(Some(0.0));
        }
        let (plan, rebate) = self.one_type(unit);
        // The tolerance of values, and that of needs rounded to the finest step.
        let rounded = plan.price * plan.needed.len() as f64 * 1e-9;
        let is_below = |most: f64, costs: f64| most + 4.0 * TOLERANCE * costs + rounded - rebate < floor;
        if floor > 0.0 {
            let most = dearest(&plan, unit, allowed);
            if is_below(most, most) {
                return Ok(None);
            }
        }
        // At the highest price no work is given up.
        let mut high = tangent(&plan, unit, plan.always(), allowed)?;
        let mut best = high.value;
        if allowed > 0.0 {
            // At a price of zero all work is given up.
            let mut low = Tangent { price: 0.0, value: 0.0, slope: needed - allowed };
            for _ in 0..TRIALS {
                let (price, most) = low.meet(high);
                if most <= best * (1.0 + NEAR) || !price.is_finite() {
                    break;
                }
                if is_below(most, low.cost(allowed) + high.cost(allowed)) {
                    return Ok(None);
                }
                let found = tangent(&plan, unit, price, allowed)?;
                best = best.max(found.value);
                match found.slope > 0.0 {
                    true => low = found,
                    false => high = found,
                }
            }
        }
        Ok(Some((best - rebate).max(0.0)))
    }

    /// The plan whose cost is bounded, with replicas that follow the urgent work, and the amount to subtract from its
    /// cost. The casts saturate; lead and run are whole intervals, rounded in the policy's favour.
    fn one_type(&self, unit: Unit) -> (OneType, f64) {
        let needed: Vec<f64> = self.urgent.iter().map(|work| work / self.interval).collect();
        let most = needed.iter().copied().fold(0.0, f64::max).ceil() as u32;
        let initial = self.initial.map_or(most, |initial| initial.min(most));
        let (lead, run) =
            (self.start_up / self.interval, (self.billed_at_least - self.start_up).max(0.0) / self.interval);
        // A run longer than the trace adds nothing.
        let (price, lead, run) = (self.price * self.interval, lead as usize, (run as usize).min(needed.len()));
        // The part of a start's price that the intervals of the lead do not cover.
        let start_cost = self.price * (self.start_up - lead as f64 * self.interval).max(0.0);
        let mut plan = OneType { needed, price, start_cost, lead, minimum_run: run, initial, ..OneType::default() };
        if unit == Unit::Fractions {
            plan.minimum_run = plan.minimum_run.max(1);
            return (plan, 0.0);
        }
        plan.minimum_run += 1;
        if lead >= 2 {
            plan.lead -= 2;
        } else {
            let short = (2.0 - self.start_up / self.interval) / plan.minimum_run as f64;
            (plan.lead, plan.start_cost) = (0, 0.0);
            plan.price *= (1.0 - short).max(0.0);
            // The runs of the last starts continue after the end.
            plan.needed.resize(self.urgent.len() + run, 0.0);
        }
        let rebate = plan.price * f64::from(initial);
        (plan, rebate)
    }
}

fn tangent(plan: &OneType, unit: Unit, price: f64, allowed: f64) -> Result<Tangent, OptimizeError> {
    let plan = OneType { shortage_price: Some(price), ..plan.clone() };
    let found: OneTypePlan = match unit {
        Unit::Fractions => plan.relaxed()?,
        Unit::Whole => plan.whole()?,
    };
    let given_up: f64 = found.shortage.iter().sum();
    Ok(Tangent { price, value: found.cost * (1.0 - TOLERANCE) - price * allowed, slope: given_up - allowed })
}

/// The numbers of intervals for which the plans of [`dearest`] hold what was needed.
const HOLDS: [usize; 7] = [1, 4, 16, 64, 256, 1024, usize::MAX];

/// The cost of some plan that gives up at most `allowed`, hence at least that of the best one.
fn dearest(plan: &OneType, unit: Unit, allowed: f64) -> f64 {
    let level = level_of(&plan.needed, allowed);
    let mut needed: Vec<f64> = plan.needed.iter().map(|needed| needed.min(level)).collect();
    if unit == Unit::Whole {
        needed.iter_mut().for_each(|needed| *needed = needed.ceil());
    }
    let least = plan.minimum_run.max(1);
    let holds = HOLDS.iter().map(|hold| (*hold).max(least).min(needed.len()));
    holds.map(|hold| held_cost(plan, &needed, hold)).fold(f64::INFINITY, f64::min)
}

/// A level above which there is at most `allowed` of what is needed.
fn level_of(needed: &[f64], allowed: f64) -> f64 {
    let above = |level: f64| needed.iter().map(|needed| (needed - level).max(0.0)).sum::<f64>();
    let (mut low, mut high) = (0.0, needed.iter().copied().fold(0.0, f64::max));
    for _ in 0..30 {
        let middle = f64::midpoint(low, high);
        match above(middle) <= allowed {
            true => high = middle,
            false => low = middle,
        }
    }
    high
}

/// The cost of holding the most that was needed in the last `hold` intervals. Until something can be started, as much as
/// is needed by then is there from the beginning.
fn held_cost(plan: &OneType, needed: &[f64], hold: usize) -> f64 {
    let lead = plan.lead.min(needed.len());
    let first = needed[..lead].iter().copied().fold(0.0, f64::max);
    if first > f64::from(plan.initial) {
        return f64::INFINITY;
    }
    let (mut before, mut total, mut started) = (f64::from(plan.initial), 0.0, 0.0);
    // Indices of falling needs, each the greatest from there on: the front is the greatest of the last `hold`.
    let mut recent: VecDeque<(usize, f64)> = VecDeque::new();
    for (at, needed) in needed.iter().enumerate() {
        let needed = if at < lead { first } else { *needed };
        while recent.back().is_some_and(|(_, less)| *less <= needed) {
            recent.pop_back();
        }
        recent.push_back((at, needed));
        while recent.front().is_some_and(|(from, _)| *from + hold <= at) {
            recent.pop_front();
        }
        let held = recent.front().map_or(0.0, |(_, most)| *most);
        total += held;
        started += (held - before).max(0.0);
        before = held;
    }
    plan.price * total + plan.start_price() * started
}
