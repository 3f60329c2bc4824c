//! The eligible requests of a service, aggregated while they are made: what is kept does not grow with their number.

use super::heaviest::{Around, Heaviest, Top, sum_of_largest};
use super::{FINE_INTERVALS, INTERVALS, MIN_INTERVALS, Requests, least_start_up};
use crate::engine::{Objective, ReplicaLease};
use crate::optimize::{BoundProblem, OptimizeError, Place};
use crate::scenario::{Scenario, ServicePlan};
use crate::units::{SimDuration, SimTime};
use crate::workload::{RequestBatch, TraceError};

/// The eligible requests of a service.
pub(in crate::experiment) struct Work {
    warm_up: SimTime,
    end: SimTime,
    /// Replica-seconds per second of demand.
    slots: f64,
    /// Number of requests after the warm-up.
    judged: u64,
    /// Aggregates for each latency objective.
    due: Vec<Due>,
    /// Arrivals in seconds and work in replica-seconds of the batch at hand.
    arrivals: Vec<f64>,
    weights: Vec<f64>,
}

/// The eligible requests by one objective, with their work in replica-seconds.
struct Due {
    /// Index of the objective.
    objective: usize,
    target: f64,
    within: SimDuration,
    /// The same work in intervals of several lengths: the first for the linear program, the others for the flow.
    problems: Vec<(SimDuration, BoundProblem)>,
    /// The interval of each problem that the last request arrived in.
    places: Vec<Place>,
    weights: Heaviest,
    /// The weights among which those of the allowed bad requests end.
    around: Around,
}

/// A bound, and the length of its intervals.
pub(super) type Found = Result<(f64, SimDuration), OptimizeError>;

impl Work {
    /// Nothing yet of service number `service`.
    pub(in crate::experiment) fn new(scenario: &Scenario, service: usize) -> Work {
        let plan = &scenario.services[service];
        // Without a latency limit no request has to be done before the end.
        let all = scenario.objectives.iter().enumerate();
        let limited = all.filter_map(|(number, objective)| Some((number, objective, objective.within?)));
        Work {
            warm_up: SimTime::ZERO + scenario.warm_up,
            end: SimTime::ZERO + scenario.duration,
            slots: plan.most_work(&scenario.pools),
            judged: 0,
            due: limited
                .map(|(number, objective, within)| Due::new(scenario, plan, (number, objective), within))
                .collect(),
            arrivals: Vec::new(),
            weights: Vec::new(),
        }
    }

    /// Adds the requests of the next batch, with their demands.
    pub(in crate::experiment) fn add(&mut self, batch: &RequestBatch) {
        let from = batch.arrivals.partition_point(|arrival| *arrival < self.warm_up);
        let to = batch.arrivals.partition_point(|arrival| *arrival < self.end);
        // A run that ends within its warm-up judges nothing.
        let judged = from.min(to)..to;
        self.judged += judged.len() as u64;
        self.arrivals.clear();
        self.weights.clear();
        self.arrivals.extend(batch.arrivals[judged.clone()].iter().map(|arrival| arrival.as_secs_f64()));
        self.weights.extend(batch.demands[judged.clone()].iter().map(|demand| demand.as_secs_f64() / self.slots));
        for due in &mut self.due {
            let arrivals = &batch.arrivals[judged.clone()];
            let eligible = arrivals.partition_point(|arrival| due.judges(*arrival, self.end));
            due.add(&self.arrivals[..eligible], &self.weights[..eligible]);
        }
    }

    /// The bound of each latency objective, by its number. The requests are read once more if that is needed to find the
    /// heaviest.
    pub(super) fn bounds(mut self, requests: Requests<'_>) -> Result<Vec<(usize, Found)>, TraceError> {
        let mut found = Vec::new();
        for mut due in std::mem::take(&mut self.due) {
            // The number of bad requests that the objective allows among all eligible ones, taken from the heaviest of
            // those counted here.
            let bad = ((1.0 - due.target) * self.judged as f64 + 1e-6).floor() as u64;
            let forgiven = match due.weights.top(bad) {
                Top::Known(sum) => sum,
                Top::Within { above, more, cell } => {
                    let weights = match due.around.of(cell) {
                        Some(kept) => kept,
                        None => due.weights_in(cell, requests)?,
                    };
                    above + sum_of_largest(weights, more)
                }
            };
            due.problems.iter_mut().for_each(|(_, problem)| problem.forgiven = forgiven);
            found.push((due.objective, due.bound()));
        }
        Ok(found)
    }
}

impl Due {
    fn new(
        scenario: &Scenario,
        plan: &ServicePlan,
        (number, objective): (usize, &Objective),
        within: SimDuration,
    ) -> Due {
        let problem = |interval: SimDuration| {
            let intervals = scenario.duration.as_nanos().div_ceil(interval.as_nanos()) as usize;
            let price = plan.lease.as_ref().map_or(0.0, |lease| lease.price.as_f64() / 3600.0);
            let least = |lease: &ReplicaLease| lease.billing.minimum.max(lease.billing.granularity);
            let mut problem = BoundProblem::new(vec![0.0; intervals], interval.as_secs_f64(), price);
            problem.within = within.as_secs_f64();
            problem.start_up = least_start_up(scenario, plan);
            problem.billed_at_least = plan.lease.as_ref().map_or(0.0, |lease| least(lease).as_secs_f64());
            (interval, problem)
        };
        let lengths = std::iter::once(interval_of(scenario, INTERVALS)).chain(fine_intervals(scenario, within));
        let problems: Vec<(SimDuration, BoundProblem)> = lengths.map(problem).collect();
        let (places, target) = (vec![Place::default(); problems.len()], objective.target.get());
        let (weights, around) = (Heaviest::new(), Around::new(1.0 - target));
        Due { objective: number, target, within, problems, places, weights, around }
    }

    /// Whether a request is eligible: unanswered at the end, it would be older than the limit. The run uses the same
    /// comparison.
    fn judges(&self, arrival: SimTime, end: SimTime) -> bool {
        arrival.saturating_add(self.within) < end
    }

    fn add(&mut self, arrivals: &[f64], weights: &[f64]) {
        for ((_, problem), place) in self.problems.iter_mut().zip(&mut self.places) {
            problem.add_all(place, arrivals, weights);
        }
        for weight in weights {
            self.weights.add(*weight);
            self.around.add(*weight, &self.weights);
        }
    }

    /// The weights in a cell of [`Heaviest`].
    fn weights_in(&self, cell: usize, requests: Requests<'_>) -> Result<Vec<f64>, TraceError> {
        let end = SimTime::ZERO + requests.scenario.duration;
        let mut weights = Vec::new();
        requests.each(|arrival, weight| {
            if self.judges(arrival, end) && Heaviest::cell(weight) == cell {
                weights.push(weight);
            }
        })?;
        Ok(weights)
    }

    /// The largest of the affordable bounds, of equal ones the first. The shortest intervals take the longest and come
    /// last: once another bound is known to be higher they need not be solved.
    fn bound(&self) -> Found {
        let Some((first, longer)) = self.problems.split_first() else { return Ok((0.0, SimDuration::ZERO)) };
        let mut best = (first.1.cost()?, first.0, 0);
        for (index, (interval, problem)) in longer.iter().enumerate().rev() {
            let Some(cost) = problem.urgent_cost_above(best.0)? else { continue };
            if cost > best.0 || cost == best.0 && best.2 > index + 1 {
                best = (cost, *interval, index + 1);
            }
        }
        Ok((best.0, best.1))
    }
}

/// The timeline's interval, or a multiple of it of which there are few enough.
fn interval_of(scenario: &Scenario, most: u64) -> SimDuration {
    SimDuration::from_nanos(scenario.duration.as_nanos().div_ceil(most)).max(scenario.interval)
}

/// Intervals for the bound from urgent work: the shortest affordable ones in which at least half of the work is urgent,
/// and longer ones, in which more is.
fn fine_intervals(scenario: &Scenario, within: SimDuration) -> impl Iterator<Item = SimDuration> {
    let duration = scenario.duration.as_nanos();
    let shortest = duration.div_ceil(FINE_INTERVALS).max(within.as_nanos().saturating_mul(2)).max(1_000_000);
    let lengths = std::iter::successors(Some(shortest), |length| length.checked_mul(4));
    lengths.take_while(move |length| *length <= duration / MIN_INTERVALS).map(SimDuration::from_nanos)
}
