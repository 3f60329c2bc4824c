//! A lower bound on the cost of any policy on a given trace (invariant I9).
//!
//! The bound holds for every way of starting and stopping replicas of one kind that serves the trace within the
//! objective, including clairvoyant ones. A request is *good* if it is answered within the latency limit W of its
//! arrival and *bad* otherwise, also if it is still unanswered when the limit has passed. The objective allows B bad
//! requests.
//!
//! Data: intervals j = 0..T-1 of length D [s]; work w_j of the requests that arrive in j [replica-seconds: the time
//! that one otherwise idle replica needs at full speed with all its slots busy]; forgiven work F, that of the B
//! requests with the most work; price c [$ per replica-second]; the minimum start-up time L and the minimum billed time
//! G of a lease [s]. Variables: n_j replicas paid for after they became ready, y_j starts, z_j ends, s_j work served,
//! b_j work waiting at the end of j, v_j work given up.
//!
//! ```text
//! min  c ( D sum_j n_j + L sum_j y_j )
//! (1)  n_j = n_j-1 + y_j - z_j                                     n_-1 given, or free where the policy may choose it
//! (2)  y_j = 0                                                     (j + 1) D <= L
//! (3)  n_j >= sum_{k = max(0, j-M+1)..j} y_k                       M = floor((G - L) / D)
//! (4)  s_j <= D n_j,   s_j <= D most,   n_j >= least
//! (5)  b_j = b_j-1 + w_j - v_j - s_j
//! (6)  b_j <= sum_{k = max(0, j-m+1)..j} (w_k - v_k)                m = ceil(W / D)
//! (7)  v_j <= w_j,   sum_j v_j <= F
//! ```
//!
//! *Proof.* Take any run that meets the objective. Let S(t) and E(t) count the replicas that have become ready, and
//! those whose paid time has ended, by time t. A replica that is billed for the minimum G counts as paid until L + G'
//! after its order, with G' = G - L, even if it was stopped earlier. With n_-1 the initial replicas, `N(t) = n_-1 +
//! S(t) - E(t)` is the number of replicas paid for at t after their start-up. For an interval j let n_j, Y_j, Z_j be
//! the averages of N, S, E over it, y_j = Y_j - Y_j-1 and z_j = Z_j - Z_j-1 (with Y_-1 = Z_-1 = 0). S and E never
//! decrease, so y, z >= 0, and (1) holds. No replica ordered in the run is ready before L: (2). Every start is paid for
//! during at least G' after it became ready, so N(t) >= S(t) - S(t - M D) as M D <= G'; the average of this over j is
//! (3). The ready replicas at t are among the N(t) paid for, and each serves at most one replica-second per second.
//! With s_j the work done in j on good requests, and v_j the work of the bad ones arriving in j, (4) and (7) hold. (5)
//! defines b_j >= 0, since work is done after it arrives. (6) states that a good request arriving in interval k, thus
//! before time D (k + 1), is done before D (k + 1) + W, thus by the end of interval k + m. The run pays c times at
//! least D n_j in every interval, because the billed time of a lease is at least its start-up time, at least L, plus
//! its time as counted in N; and it pays L for each of the S(end) >= Y_T-1 = sum_j y_j starts. So the run corresponds
//! to a feasible point whose cost is at most what it paid. Everything omitted here (rounding to the granularity beyond
//! the first unit, draining, work done on bad requests, whole replicas, waits for a node) only adds to the cost of the
//! run. Intervals may be merged, because the proof does not depend on D. After the end of the trace no work arrives,
//! and the rows of intervals that extend beyond it hold as well, except for the minimum number of replicas, which is
//! left out there. QED.
//!
//! The value is reduced by the tolerance of the solver.

use super::error::{OptimizeError, Requirement, non_negative};
use super::program::{Column, Program, Relation};
use super::solver::SolveOptions;

/// The share by which the solver's optimum may exceed the true one.
const TOLERANCE: f64 = 1e-6;

/// With more intervals than this, pairs are merged to keep the program small.
const LARGEST: usize = 800;

/// Nearer to the end of an interval than this share of it, a quotient may be rounded up to the next one.
const ROUNDING: f64 = 1e-12;

/// An interval of a [`BoundProblem`], to which the last request was added.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    index: usize,
    /// Arrivals from here on are in it,
    from: f64,
    /// up to here; later ones have to be divided.
    until: f64,
    /// Its end.
    end: f64,
}

impl Default for Place {
    /// No interval yet.
    fn default() -> Self {
        Place { index: 0, from: f64::INFINITY, until: f64::NEG_INFINITY, end: 0.0 }
    }
}

/// The work that a policy has to do, and the prices it pays.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundProblem {
    /// Work of the requests arriving in each interval, in replica-seconds. Requests that are not eligible (warm-up) may
    /// be left out, which only lowers the bound.
    pub work: Vec<f64>,
    /// The part of it that must be done within the interval of its arrival or be bad: that of requests whose limit
    /// passes before the interval ends.
    pub urgent: Vec<f64>,
    /// Length of an interval in seconds.
    pub interval: f64,
    /// Work of the heaviest requests that the objective allows to be bad, in replica-seconds.
    pub forgiven: f64,
    /// Latency limit in seconds; infinite if any answer is good.
    pub within: f64,
    /// Price of a replica per second.
    pub price: f64,
    /// Minimum time from order to readiness in seconds; it is paid for.
    pub start_up: f64,
    /// Minimum billed duration of a lease in seconds: the larger of minimum and granularity.
    pub billed_at_least: f64,
    /// Replicas ready at the beginning; `None` if a policy may choose.
    pub initial: Option<u32>,
    /// Minimum number of replicas at all times.
    pub least: u32,
    /// Maximum number of serving replicas.
    pub most: Option<u32>,
}

impl BoundProblem {
    /// A problem with only work and price: exact billing, no start-up, no limits on replicas.
    pub fn new(work: Vec<f64>, interval: f64, price: f64) -> Self {
        BoundProblem {
            urgent: vec![0.0; work.len()],
            work,
            interval,
            forgiven: 0.0,
            within: f64::INFINITY,
            price,
            start_up: 0.0,
            billed_at_least: 0.0,
            initial: None,
            least: 0,
            most: None,
        }
    }

    /// Sets work by interval and forgiven work from requests given as (arrival in seconds, replica-seconds), of which a
    /// share of `target` must be good: of n requests, floor((1 - target) n) may be bad, the heaviest ones. Requests
    /// outside the intervals are left out.
    #[cfg(test)]
    pub(super) fn load(&mut self, requests: &[(f64, f64)], target: f64) {
        self.work.iter_mut().chain(&mut self.urgent).for_each(|work| *work = 0.0);
        let mut weights = Vec::with_capacity(requests.len());
        for (arrival, weight) in requests {
            if self.add(*arrival, *weight) {
                weights.push(*weight);
            }
        }
        // Rounding must not take away a request that the share allows.
        let bad = ((1.0 - target) * weights.len() as f64 + 1e-9).floor() as usize;
        if bad < weights.len() && bad > 0 {
            weights.select_nth_unstable_by(bad, |a, b| b.total_cmp(a));
        }
        self.forgiven = weights.iter().take(bad).sum();
    }

    /// Adds the work of a request with its arrival in seconds; returns `false` if it arrives outside the intervals.
    #[cfg(test)]
    pub(super) fn add(&mut self, arrival: f64, weight: f64) -> bool {
        self.add_all(&mut Place::default(), &[arrival], &[weight]) == 1
    }

    /// Adds the work of requests in order of arrival, with their arrivals in seconds; returns how many arrive within the
    /// intervals. `place` remembers the interval of the last one: most requests are in the interval of the one before, and
    /// are added to its sums without looking for it.
    pub fn add_all(&mut self, place: &mut Place, arrivals: &[f64], weights: &[f64]) -> usize {
        let (mut next, mut added) = (0, 0);
        let last = arrivals.last().copied().unwrap_or(f64::INFINITY);
        while let Some(arrival) = arrivals.get(next) {
            if !(place.from..place.until).contains(arrival) && !self.find(place, *arrival) {
                next += 1;
                continue;
            }
            let end = match last < place.until {
                true => arrivals.len(),
                // One that is so near to the end of its interval that it had to be divided is alone.
                false => (next + 1).max(next + arrivals[next..].partition_point(|arrival| *arrival < place.until)),
            };
            let within = self.within;
            let urgent = next + arrivals[next..end].partition_point(|arrival| arrival + within <= place.end);
            let sum = |from: f64, weights: &[f64]| weights.iter().fold(from, |sum, weight| sum + weight);
            self.work[place.index] = sum(self.work[place.index], &weights[next..end]);
            self.urgent[place.index] = sum(self.urgent[place.index], &weights[next..urgent]);
            added += end - next;
            next = end;
        }
        added
    }

    /// Finds the interval of an arrival; `false` if there is none.
    fn find(&self, place: &mut Place, arrival: f64) -> bool {
        // The cast saturates; arrivals outside find no interval.
        let number = (arrival / self.interval).floor();
        let index = (number >= 0.0).then_some(number as usize).filter(|index| *index < self.work.len());
        let Some(index) = index else { return false };
        let end = (number + 1.0) * self.interval;
        *place = Place { index, from: arrival, until: end * (1.0 - ROUNDING), end };
        true
    }

    /// The minimum cost of any policy, in the unit of the price.
    ///
    /// # Errors
    /// Invalid input, or [`OptimizeError::Infeasible`] if no policy can meet the objective: the shortfall of an
    /// interval's demand is then the replica-seconds of work that could not be done by its end.
    pub fn cost(&self) -> Result<f64, OptimizeError> {
        self.validate()?;
        if self.work.is_empty() {
            return Ok(0.0);
        }
        let merged = self.merged();
        let mut program = Program::default();
        merged.write(&mut program);
        let solved = program.solve(SolveOptions::default())?;
        Ok(program.cost(&solved.values) * (1.0 - TOLERANCE))
    }

    /// The same problem in at most [`LARGEST`] intervals.
    fn merged(&self) -> BoundProblem {
        let by = self.work.len().div_ceil(LARGEST);
        let work = self.work.chunks(by).map(|chunk| chunk.iter().sum()).collect();
        BoundProblem { work, urgent: Vec::new(), interval: self.interval * by as f64, ..self.clone() }
    }

    fn write(&self, program: &mut Program) -> Columns {
        let most = self.most.map_or(f64::INFINITY, |most| f64::from(most) * self.interval);
        let initial = match self.initial {
            Some(initial) => f64::from(initial),
            None => f64::INFINITY,
        };
        let initial = program.column(0.0, initial, false);
        if let Some(given) = self.initial {
            // A given number is a lower limit as well.
            program.row(Requirement::Identity, vec![(initial, 1.0)], Relation::Equal, f64::from(given));
        }
        let mut columns = Columns { before: initial, ..Columns::default() };
        for (j, work) in self.work.iter().enumerate() {
            let early = (j + 1) as f64 * self.interval <= self.start_up;
            columns.replicas.push(program.column(self.price * self.interval, f64::INFINITY, false));
            let start_price = self.price * self.start_up;
            columns.starts.push(program.column(start_price, if early { 0.0 } else { f64::INFINITY }, false));
            columns.ends.push(program.column(0.0, f64::INFINITY, false));
            columns.served.push(program.column(0.0, most, false));
            columns.waiting.push(program.column(0.0, f64::INFINITY, false));
            columns.given_up.push(program.column(0.0, *work, false));
        }
        for j in 0..self.work.len() {
            self.pay(program, &columns, j);
            self.serve(program, &columns, j);
        }
        let given_up = columns.given_up.iter().map(|column| (*column, 1.0)).collect();
        program.row(Requirement::Identity, given_up, Relation::AtMost, self.forgiven);
        columns
    }

    /// Rows (1), (3) and (4).
    fn pay(&self, program: &mut Program, columns: &Columns, j: usize) {
        let replicas = columns.replicas[j];
        let before = if j == 0 { columns.before } else { columns.replicas[j - 1] };
        let terms = vec![(replicas, 1.0), (before, -1.0), (columns.starts[j], -1.0), (columns.ends[j], 1.0)];
        program.row(Requirement::Identity, terms, Relation::Equal, 0.0);
        let minimum_run = ((self.billed_at_least - self.start_up) / self.interval).max(0.0) as usize;
        if minimum_run > 1 {
            let first = (j + 1).saturating_sub(minimum_run);
            let mut terms = vec![(replicas, 1.0)];
            terms.extend(columns.starts[first..=j].iter().map(|start| (*start, -1.0)));
            program.row(Requirement::Identity, terms, Relation::AtLeast, 0.0);
        }
        let terms = vec![(replicas, self.interval), (columns.served[j], -1.0)];
        program.row(Requirement::Identity, terms, Relation::AtLeast, 0.0);
        if self.least > 0 && j + 1 < self.work.len() {
            program.row(Requirement::Identity, vec![(replicas, 1.0)], Relation::AtLeast, f64::from(self.least));
        }
    }

    /// Rows (5) and (6).
    fn serve(&self, program: &mut Program, columns: &Columns, j: usize) {
        let mut terms = vec![(columns.waiting[j], 1.0), (columns.served[j], 1.0), (columns.given_up[j], 1.0)];
        terms.extend(j.checked_sub(1).map(|before| (columns.waiting[before], -1.0)));
        program.row(Requirement::Identity, terms, Relation::Equal, self.work[j]);
        // The cast saturates: an infinite limit spans all intervals.
        let patience = (self.within / self.interval).ceil() as usize;
        let first = (j + 1).saturating_sub(patience);
        if first == 0 {
            return; // Nothing has to be done yet: (6) follows from (5).
        }
        let recent = first..=j;
        let mut terms = vec![(columns.waiting[j], 1.0)];
        terms.extend(columns.given_up[recent.clone()].iter().map(|column| (*column, 1.0)));
        let arrived: f64 = self.work[recent].iter().sum();
        let demand = Requirement::Demand { resource: 0, interval: j };
        program.row(demand, terms, Relation::AtMost, arrived);
    }

    fn validate(&self) -> Result<(), OptimizeError> {
        self.work.iter().chain(&self.urgent).try_for_each(|work| non_negative("the work of an interval", *work))?;
        for (what, value) in [
            ("the allowed bad work", self.forgiven),
            ("the price", self.price),
            ("the start-up time", self.start_up),
            ("the minimum billed duration", self.billed_at_least),
            ("the length of an interval", self.interval),
        ] {
            non_negative(what, value)?;
        }
        if self.interval == 0.0 || self.within.is_nan() || self.within < 0.0 {
            return Err(OptimizeError::Invalid("an interval and the latency limit must be above zero".into()));
        }
        Ok(())
    }
}

/// The columns, by interval.
#[derive(Debug, Default)]
struct Columns {
    before: Column,
    replicas: Vec<Column>,
    starts: Vec<Column>,
    ends: Vec<Column>,
    served: Vec<Column>,
    waiting: Vec<Column>,
    given_up: Vec<Column>,
}

mod urgent;

#[cfg(test)]
mod tests;
