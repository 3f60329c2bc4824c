//! The exact dynamic program for one instance type with switching costs.
//!
//! State: the number n of instances ready. With f_t(n) = c n + p (d_t - n)+ and the notation of [`super::one_type`], for M = 1,
//!
//! ```text
//! W_t(n) = min over k in [max(least, n - V), min(most, n + U)] of (u + c L) (k - n)+ + v (n - k)+ + f_t(k) + W_t+1(k)
//! ```
//!
//! (k <= n while t < L), backwards from W_T = 0 (Bellman 1957). Minima over the windows [n, n + U] and [n - V, n] are
//! maintained by monotone queues, so an interval costs O(N) whatever U and V are. Among choices of equal value the one
//! nearest to n is taken. A minimum run of several intervals would require the instances' ages in the state;
//! [`OneType::whole`] solves that.

use std::collections::VecDeque;

use super::error::OptimizeError;
use super::one_type::{OneType, OneTypePlan};

/// Maximum number of states times intervals: half a gigabyte of choices.
const LARGEST: usize = 1 << 27;

impl OneType {
    /// The cheapest plan in whole instances, by dynamic programming.
    ///
    /// # Errors
    /// Those of [`OneType::whole`], and [`OptimizeError::Invalid`] for a minimum run of several intervals or if the
    /// table of choices would be too large.
    pub fn dynamic(&self) -> Result<OneTypePlan, OptimizeError> {
        self.validate()?;
        if self.needed.is_empty() {
            return Ok(OneTypePlan::default());
        }
        if self.minimum_run > 1 {
            return Err(OptimizeError::Invalid("the dynamic program does not support a minimum run".into()));
        }
        self.begin()?;
        let states = self.states();
        if self.needed.len().saturating_mul(states) > LARGEST {
            return Err(OptimizeError::Invalid(format!("{states} states are too many for dynamic programming")));
        }
        let choices = self.choices(states);
        let plan = self.follow(&choices, states);
        if self.shortage_price.is_some() { Ok(plan) } else { self.nothing_missing(plan) }
    }

    /// The number of states: instance counts from 0 that can be useful.
    fn states(&self) -> usize {
        let needed = self.needed.iter().copied().fold(0.0, f64::max).ceil() as u32;
        // More than is needed is never useful, but initial instances may have to stay for a while.
        let useful = needed.min(self.most.unwrap_or(u32::MAX)).max(self.least);
        useful.max(self.initial) as usize + 1
    }

    /// The best next instance count, for each interval and previous count.
    fn choices(&self, states: usize) -> Vec<u32> {
        let mut choices = vec![0; self.needed.len() * states];
        let mut later = vec![0.0; states];
        for t in (0..self.needed.len()).rev() {
            let here: Vec<f64> = later.iter().enumerate().map(|(n, after)| self.interval_cost(t, n) + after).collect();
            let ups = if t < self.lead { 0 } else { self.scale_up.unwrap_or(u32::MAX) };
            let downs = self.scale_down.unwrap_or(u32::MAX);
            let above = window_minima(&here, self.start_price(), ups);
            let mirrored: Vec<f64> = here.iter().rev().copied().collect();
            let below = window_minima(&mirrored, self.stop_cost, downs);
            for n in 0..states {
                let (up, more) = above[n];
                let (down, less) = below[states - 1 - n];
                let (value, choice) = if down < up { (down, n - less) } else { (up, n + more) };
                later[n] = value;
                choices[t * states + n] = choice as u32;
            }
        }
        choices
    }

    /// The cost of an interval with `n` instances. A shortage that is not allowed costs more than any remedy; a count
    /// outside the limits is impossible.
    fn interval_cost(&self, t: usize, n: usize) -> f64 {
        if n < self.least as usize || self.most.is_some_and(|most| n > most as usize) {
            return f64::INFINITY;
        }
        let missing = (self.needed[t] - n as f64).max(0.0);
        let forbidden = if missing > 0.0 { (2.0 * self.always() + 1.0) * missing.ceil() } else { 0.0 };
        let shortage = self.shortage_price.map_or(forbidden, |price| price * missing);
        self.price * n as f64 + shortage
    }

    /// The plan that results from following the choices from the initial count.
    fn follow(&self, choices: &[u32], states: usize) -> OneTypePlan {
        let mut plan = OneTypePlan::default();
        let mut before = self.initial as usize;
        for (t, needed) in self.needed.iter().enumerate() {
            let ready = choices[t * states + before] as usize;
            plan.ready.push(ready as f64);
            plan.starts.push(ready.saturating_sub(before) as f64);
            plan.stops.push(before.saturating_sub(ready) as f64);
            plan.shortage.push((needed - ready as f64).max(0.0));
            before = ready;
        }
        plan.cost = self.cost(&plan);
        plan
    }
}

/// For each n the minimum of `values[n + k] + k * step` over k from 0 to `reach`, with the smallest k that attains it.
fn window_minima(values: &[f64], step: f64, reach: u32) -> Vec<(f64, usize)> {
    let mut minima = vec![(f64::INFINITY, 0); values.len()];
    // Positions with their values relative to a common origin, best first.
    let mut queue: VecDeque<(usize, f64)> = VecDeque::new();
    for n in (0..values.len()).rev() {
        let reduced = values[n] + step * n as f64;
        while queue.back().is_some_and(|(_, worse)| *worse >= reduced) {
            queue.pop_back();
        }
        queue.push_back((n, reduced));
        while queue.front().is_some_and(|(place, _)| place - n > reach as usize) {
            queue.pop_front();
        }
        if let Some((place, best)) = queue.front() {
            minima[n] = (best - step * n as f64, place - n);
        }
    }
    minima
}
