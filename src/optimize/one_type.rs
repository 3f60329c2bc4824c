//! One instance type over time: the exact plan, in whole instances.
//!
//! Data, with t = 0..T-1 the intervals: needed instances d_t, price c [$ per instance and interval], start cost u and
//! stop cost v [$ each], lead L and minimum run M [intervals], initial instances x_-1, maximum number of starts U and
//! stops V in an interval, minimum and maximum number of instances, price p of a missing instance for one interval.
//! Variables: x_t instances ready in t, y_t of which became ready at its start, z_t stopped at its start, e_t missing.
//!
//! ```text
//! min  sum_t [ c x_t + (u + c L) y_t + v z_t + p e_t ]          (paid from its order, L intervals before it is ready)
//! (1)  x_t = x_t-1 + y_t - z_t
//! (2)  y_t = 0                                  t < L           (nothing ordered after the beginning is ready earlier)
//! (3)  x_t >= sum_{k = max(0, t-M+1)..t} y_k                    (a start is paid for M intervals)
//! (4)  x_t + e_t >= d_t
//! (5)  y_t <= U,  z_t <= V
//! (6)  least <= x_t <= most
//! ```
//!
//! With the cumulative starts Y_t and stops Z_t, x_t = x_-1 + Y_t - Z_t, every row bounds the difference of two
//! variables: the matrix is the transpose of a network's, hence totally unimodular, and the linear program has an
//! integral optimum. Its dual is a minimum-cost flow, solved by [`super::potentials`]. Of all optimal plans, the one
//! with the fewest starts and stops up to every time is returned (it exists because the optimal potentials form a
//! lattice), whatever the method.

use super::error::{OptimizeError, Requirement, Shortfall, non_negative};
use super::potentials::Network;

/// A planning problem for one instance type.
#[derive(Debug, Clone, PartialEq)]
pub struct OneType {
    /// Instances needed in each interval; fractions are allowed.
    pub needed: Vec<f64>,
    /// Price of one instance for one interval.
    pub price: f64,
    /// Cost of a start, in addition to the price paid while starting.
    pub start_cost: f64,
    /// Cost of a stop.
    pub stop_cost: f64,
    /// Intervals from order to ready.
    pub lead: usize,
    /// Minimum number of intervals that a start is paid for, once ready.
    pub minimum_run: usize,
    /// Instances ready before the first interval.
    pub initial: u32,
    /// Maximum number of starts in an interval.
    pub scale_up: Option<u32>,
    /// Maximum number of stops in an interval.
    pub scale_down: Option<u32>,
    /// Minimum number of instances.
    pub least: u32,
    /// Maximum number of instances.
    pub most: Option<u32>,
    /// Price of one missing instance for one interval; `None` if none may be missing.
    pub shortage_price: Option<f64>,
}

impl Default for OneType {
    /// Zero demand, free, and without limits.
    fn default() -> Self {
        OneType {
            needed: Vec::new(),
            price: 0.0,
            start_cost: 0.0,
            stop_cost: 0.0,
            lead: 0,
            minimum_run: 1,
            initial: 0,
            scale_up: None,
            scale_down: None,
            least: 0,
            most: None,
            shortage_price: None,
        }
    }
}

/// An optimal plan for one instance type.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OneTypePlan {
    /// Its cost.
    pub cost: f64,
    /// Instances ready in each interval.
    pub ready: Vec<f64>,
    /// Starts that become ready at the beginning of each interval.
    pub starts: Vec<f64>,
    /// Stops at the beginning of each interval.
    pub stops: Vec<f64>,
    /// Instances missing in each interval.
    pub shortage: Vec<f64>,
}

/// Fractions of instances below this are treated as zero.
const FRACTION: f64 = 1e-9;

/// Resolution, in steps per instance, if fractions of instances are allowed.
const STEPS: i64 = 1_000_000_000;

/// The maximum number of instances, which keeps step counts far from overflow.
const MAX_INSTANCES: f64 = 1e8;

impl OneType {
    /// The cheapest plan in whole instances. Needs may be fractional; the cost of a shortage is proportional.
    ///
    /// # Errors
    /// Invalid input, or a requirement that cannot be met: the minimum or maximum number of instances at the beginning,
    /// or needs if nothing may be missing.
    pub fn whole(&self) -> Result<OneTypePlan, OptimizeError> {
        self.solve(1)
    }

    /// The cheapest plan if fractions of instances can be bought, to a billionth of an instance.
    ///
    /// # Errors
    /// Those of [`OneType::whole`].
    pub fn relaxed(&self) -> Result<OneTypePlan, OptimizeError> {
        self.solve(STEPS)
    }

    fn solve(&self, steps: i64) -> Result<OneTypePlan, OptimizeError> {
        self.validate()?;
        if self.needed.is_empty() {
            return Ok(OneTypePlan::default());
        }
        self.begin()?;
        let potentials = Network::new(self, steps).solve();
        let plan = self.plan(&potentials, steps);
        match self.shortage_price {
            Some(_) => Ok(plan),
            None => self.nothing_missing(plan),
        }
    }

    /// Checks that the limits on the number of instances can be met at the beginning. They are constant, so from then
    /// on standing still keeps them.
    pub(super) fn begin(&self) -> Result<(), OptimizeError> {
        let startable = if self.lead > 0 { 0 } else { self.scale_up.unwrap_or(u32::MAX) };
        let highest = self.initial.saturating_add(startable);
        let lowest = self.initial.saturating_sub(self.scale_down.unwrap_or(u32::MAX));
        let missed = |requirement, by: u32| {
            let amount = f64::from(by);
            Err(OptimizeError::Infeasible(vec![Shortfall { requirement, amount }]))
        };
        match self.most {
            Some(most) if most < self.least => missed(Requirement::Most { interval: 0 }, self.least - most),
            Some(most) if lowest > most => missed(Requirement::Most { interval: 0 }, lowest - most),
            _ if highest < self.least => missed(Requirement::Least { interval: 0 }, self.least - highest),
            _ => Ok(()),
        }
    }

    /// Rejects a plan with a shortage if none is allowed. The price put on it exceeds the cost of any remedy, so it
    /// could not have been avoided.
    pub(super) fn nothing_missing(&self, plan: OneTypePlan) -> Result<OneTypePlan, OptimizeError> {
        let shortfall = |(interval, amount): (usize, &f64)| Shortfall {
            requirement: Requirement::Demand { resource: 0, interval },
            amount: *amount,
        };
        let missing = plan.shortage.iter().enumerate().filter(|(_, amount)| **amount > FRACTION);
        let missed: Vec<Shortfall> = missing.map(shortfall).collect();
        if missed.is_empty() { Ok(plan) } else { Err(OptimizeError::Infeasible(missed)) }
    }

    /// The plan given by potentials (Y_0, Z_0, Y_1, ...) in steps, at true prices.
    fn plan(&self, potentials: &[i64], steps: i64) -> OneTypePlan {
        let instances = |of: i64| of as f64 / steps as f64;
        let mut plan = OneTypePlan::default();
        let (mut starts, mut stops) = (0, 0);
        for (needed, pair) in self.needed.iter().zip(potentials.chunks_exact(2)) {
            let ready = i64::from(self.initial) * steps + pair[0] - pair[1];
            plan.ready.push(instances(ready));
            plan.starts.push(instances(pair[0] - starts));
            plan.stops.push(instances(pair[1] - stops));
            plan.shortage.push((needed - instances(ready)).max(0.0));
            (starts, stops) = (pair[0], pair[1]);
        }
        plan.cost = self.cost(&plan);
        plan
    }

    /// The cost of a plan; a shortage counts if it has a price.
    pub(super) fn cost(&self, plan: &OneTypePlan) -> f64 {
        let total = |of: &[f64]| of.iter().sum::<f64>();
        self.price * total(&plan.ready)
            + self.start_price() * total(&plan.starts)
            + self.stop_cost * total(&plan.stops)
            + self.shortage_price.unwrap_or(0.0) * total(&plan.shortage)
    }

    /// The cost of a start including the price paid while starting.
    pub(super) fn start_price(&self) -> f64 {
        self.start_cost + self.price * self.lead as f64
    }

    /// The cost of one more instance over the whole plan. No change of a plan by one instance costs more.
    pub(super) fn always(&self) -> f64 {
        self.price * self.needed.len() as f64 + self.start_price() + self.stop_cost
    }

    /// Rejects invalid input.
    pub(super) fn validate(&self) -> Result<(), OptimizeError> {
        for (what, value) in
            [("the price", self.price), ("the start cost", self.start_cost), ("the stop cost", self.stop_cost)]
        {
            non_negative(what, value)?;
        }
        non_negative("the shortage price", self.shortage_price.unwrap_or(0.0))?;
        non_negative("the cost of an instance over the whole plan", self.always())?;
        let most = self.needed.iter().copied().fold(f64::from(self.initial.max(self.least)), f64::max);
        if most > MAX_INSTANCES {
            return Err(OptimizeError::Invalid(format!("{most} instances are more than {MAX_INSTANCES}")));
        }
        self.needed.iter().try_for_each(|needed| non_negative("a number of needed instances", *needed))
    }
}

#[cfg(test)]
mod tests;
