//! How long the initial transient lasts, for `warm-up: auto`.
//!
//! Two runs use the same random numbers; one starts with the stated replicas and the other with twice as many and one
//! more. They differ only by their initial state. Once their intervals have been the same for a while, the initial
//! state is forgotten, whatever the load does: the rule needs no steady load, which a replayed day never has. An
//! autoscaler leaves a size unchanged if it is about right, so sizes only need to be about the same. If arrivals are
//! steady, the filling of an empty system counts as well: MSER-5 ([`WarmUp::mser5`]) over the number of requests in the
//! system finds what the coupling cannot see.

use rayon::prelude::*;

use super::pool::in_pool;
use crate::engine::{Interval, RunError, RunRecord, ServiceRecord};
use crate::scenario::Scenario;
use crate::stats::WarmUp;
use crate::units::{SimDuration, SimTime};

/// Number of consecutive intervals that must be the same.
const IN_A_ROW: usize = 10;
/// Sizes that differ by this share, or by one, are about the same: the tolerance of the HPA.
const TOLERANCE: f64 = 0.1;
/// Arrivals count as steady up to this index of dispersion (variance by mean, 1 for a Poisson process).
const STEADY: f64 = 2.0;

/// The initial transient of a policy's run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transient {
    /// The policy.
    pub policy: String,
    /// The service.
    pub service: String,
    /// Time from the start of the run, in whole intervals.
    pub length: SimDuration,
    /// Whether the transient ends; if not, `length` is half of the run.
    pub settled: bool,
}

/// The transients of every policy and service in replication 0.
///
/// # Errors
/// The first error of a run.
pub fn transients(scenario: &Scenario, threads: usize) -> Result<Vec<Transient>, RunError> {
    let as_stated = Scenario { warm_up: SimDuration::ZERO, ..scenario.clone() };
    let mut larger = as_stated.clone();
    for service in &mut larger.services {
        service.spec.replicas = service.spec.replicas.saturating_mul(2).saturating_add(1);
    }
    let pair = |policy: usize| -> Result<Vec<Transient>, RunError> {
        let run = |scenario: &Scenario| scenario.simulation(policy, 0)?.run(&mut |_| {});
        Ok(of_pair(&run(&as_stated)?, &run(&larger)?))
    };
    let all = || (0..scenario.policies.len()).into_par_iter().map(pair).collect::<Vec<_>>();
    let each = in_pool(threads, all).into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(each.into_iter().flatten().collect())
}

/// Replaces `warm-up: auto` by the longest transient and returns the transients; does nothing if a warm-up is stated.
///
/// # Errors
/// As [`transients`].
pub fn settle(scenario: &mut Scenario, threads: usize) -> Result<Vec<Transient>, RunError> {
    if !scenario.finds_warm_up {
        return Ok(Vec::new());
    }
    let found = transients(scenario, threads)?;
    scenario.warm_up = found.iter().map(|transient| transient.length).max().unwrap_or_default();
    Ok(found)
}

fn of_pair(stated: &RunRecord, larger: &RunRecord) -> Vec<Transient> {
    let services = stated.services.iter().zip(&larger.services);
    services.map(|(stated_service, larger)| of_service(stated, stated_service, larger)).collect()
}

fn of_service(run: &RunRecord, stated: &ServiceRecord, larger: &ServiceRecord) -> Transient {
    let intervals = stated.timeline.len();
    let coupled = first_of_a_row(&stated.timeline, &larger.timeline);
    let filled = filled(&stated.timeline);
    let end = coupled.zip(filled).map(|(coupled, filled)| coupled.max(filled)).filter(|end| *end <= intervals / 2);
    let at =
        |interval: usize| stated.timeline.get(interval).map_or(run.end, |interval| interval.start).since(SimTime::ZERO);
    Transient {
        policy: run.policy.clone(),
        service: stated.name.clone(),
        length: at(end.unwrap_or(intervals / 2)),
        settled: end.is_some(),
    }
}

/// The start of the first sequence of intervals that are about the same in both runs; the last sequence may be cut
/// short by the end.
fn first_of_a_row(stated: &[Interval], larger: &[Interval]) -> Option<usize> {
    let mut row = 0;
    for (index, (a, b)) in stated.iter().zip(larger).enumerate() {
        row = if about_the_same(a, b) { row + 1 } else { 0 };
        if row == IN_A_ROW.min(stated.len()) {
            return Some(index + 1 - row);
        }
    }
    None
}

fn about_the_same(a: &Interval, b: &Interval) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() <= (TOLERANCE * a.max(b)).max(1.0);
    near(a.ready, b.ready) && near(a.wanted, b.wanted) && near(a.busy + a.queued, b.busy + b.queued)
}

/// Number of intervals that an empty system takes to fill under a steady load, 0 if the load is not steady; `None` if
/// it never does.
fn filled(timeline: &[Interval]) -> Option<usize> {
    // The last interval may be shorter.
    let whole = &timeline[..timeline.len().saturating_sub(1)];
    let count = whole.len() as f64;
    let mean = whole.iter().map(|interval| interval.arrived as f64).sum::<f64>() / count;
    let squares = whole.iter().map(|interval| (interval.arrived as f64 - mean).powi(2)).sum::<f64>();
    let is_steady = whole.len() >= 20 && mean > 0.0 && squares / (count - 1.0) <= STEADY * mean;
    if !is_steady {
        return Some(0);
    }
    let in_system: Vec<f64> = whole.iter().map(|interval| interval.busy + interval.queued).collect();
    let found = WarmUp::mser5(&in_system);
    found.settled.then_some(found.drop)
}
