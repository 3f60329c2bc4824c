//! The lower bound of a comparison: the minimum cost of any policy that meets an objective (I9).
//!
//! Each service is bounded separately, for each objective, and the largest value counts; nodes are paid for in any
//! case. Whatever is not known about a policy is resolved in its favour: it chooses its initial replicas, start-ups
//! take the minimum time, requests of the warm-up and those whose limit is after the end are left out, and the
//! objective's bad requests are the heaviest. Runs apply the same rule: a request unanswered at the end is bad if older
//! than the limit and left out if younger.

mod heaviest;
mod work;

use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub(super) use work::Work;

use super::pool::in_pool;
use super::shared::SharedRequests;
use crate::cluster::NodePool;
use crate::engine::{NodeLease, Objective, RunRecord, each_request};
use crate::optimize::OptimizeError;
use crate::random::Streams;
use crate::scenario::{Scenario, ServicePlan};
use crate::serving::Serving;
use crate::units::{SimDuration, SimTime, Usd};
use crate::workload::TraceError;

/// The minimum cost of any policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostBound {
    /// The minimum cost.
    pub cost: Usd,
    /// The part of it for nodes, which are paid for in any case.
    pub nodes: Usd,
    /// The objective for which it holds, in words.
    pub objective: String,
    /// Length of an interval of the linear program, within which work may wait; shorter intervals give a tighter bound.
    pub interval: SimDuration,
}

/// Number of intervals of the linear program.
const INTERVALS: u64 = 800;
/// Number of intervals of the flow.
const FINE_INTERVALS: u64 = 43_200;
/// With fewer intervals the flow adds nothing to the linear program.
const MIN_INTERVALS: u64 = 50;

/// Why a scenario has no bound, whatever its requests.
pub(super) fn unbounded(scenario: &Scenario) -> Option<&'static str> {
    if !scenario.is_priced() {
        return Some("no price is stated");
    }
    if scenario.objectives.iter().all(|objective| objective.within.is_none()) {
        return Some("there is no latency objective to keep");
    }
    if scenario.pools.iter().any(NodePool::can_change) {
        return Some("the number of nodes follows the pods, and what they must cost is not modelled");
    }
    if scenario.services.iter().any(|service| service.usage.is_some()) {
        return Some("what requests that are charged for by use must cost is not modelled");
    }
    if scenario.policies.iter().any(|variant| variant.service.is_some()) {
        return Some("policies come with platforms of their own, and what those must cost is not modelled");
    }
    if scenario.services.iter().any(|service| (service.platform)().ingress().pulls()) {
        return Some("what replicas that requests start must cost is not modelled");
    }
    if scenario.contract.commits() {
        return Some("what replicas must cost beside commitments is not modelled");
    }
    if scenario.services.iter().all(|service| service.lease.is_none()) {
        return Some("only nodes have a price, and every policy pays for all of them");
    }
    if scenario.services.iter().any(|service| !service.spec.model.is_additive()) {
        return Some("requests that are served together have no work of their own");
    }
    if scenario.services.iter().any(|service| !service.calls.is_empty()) {
        return Some("the requests that services send each other are known only in a run");
    }
    let closed = scenario.services.iter().any(|service| service.workload.clients().is_some());
    closed.then_some("the requests of a closed loop depend on the policy")
}

/// The bound for a scenario's first replication. `Ok(Err(reason))` says why there is none.
///
/// # Errors
/// If a trace cannot be read.
pub fn cost_bound(scenario: &Scenario) -> Result<Result<CostBound, String>, TraceError> {
    cost_bound_of(scenario, 0)
}

/// The bounds of the first `replications` in dollars, computed `threads` at a time; each for the requests of its
/// replication, so that distances from the bound are paired. `Ok(Err(reason))` says why there are none.
///
/// # Errors
/// If a trace cannot be read.
pub(super) fn cost_bounds(
    scenario: &Scenario,
    replications: u64,
    threads: usize,
) -> Result<Result<Vec<f64>, String>, TraceError> {
    let one = |replication: u64| Ok(cost_bound_of(scenario, replication)?.map(|bound| bound.cost.as_f64()));
    let all = || (0..replications).into_par_iter().map(one).collect::<Vec<_>>();
    in_pool(threads, all).into_iter().collect()
}

/// The bound for the requests of replication `replication`.
pub(super) fn cost_bound_of(scenario: &Scenario, replication: u64) -> Result<Result<CostBound, String>, TraceError> {
    cost_bound_from(scenario, replication, &[])
}

/// The bound for the requests of replication `replication`, of which those in `shared` keep account.
pub(super) fn cost_bound_from(
    scenario: &Scenario,
    replication: u64,
    shared: &[Option<Arc<SharedRequests>>],
) -> Result<Result<CostBound, String>, TraceError> {
    if let Some(why) = unbounded(scenario) {
        return Ok(Err(why.into()));
    }
    let mut dollars = 0.0;
    let first = scenario.objectives.iter().find(|objective| objective.within.is_some());
    let (mut objective, mut interval) = (first.map_or_else(String::new, Objective::text), scenario.interval);
    let priced = scenario.services.iter().enumerate().filter(|(_, plan)| plan.lease.is_some());
    for (number, _) in priced {
        let mut most = 0.0;
        let kept = shared.get(number).and_then(Option::as_ref).map(|shared| shared.account()).transpose()?.flatten();
        let work = match kept {
            Some(work) => Some(work),
            None => SharedRequests::account_of(scenario, number, replication)?,
        };
        let Some(work) = work else { continue };
        for (candidate, found) in work.bounds(Requests { scenario, number, replication })? {
            let candidate = &scenario.objectives[candidate];
            match found {
                Ok((cost, length)) if cost > most => (most, objective, interval) = (cost, candidate.text(), length),
                Ok(_) => {}
                Err(OptimizeError::Infeasible(_)) => {
                    return Ok(Err(format!("no policy can keep {}", candidate.text())));
                }
                Err(error) => return Ok(Err(error.to_string())),
            }
        }
        dollars += most;
    }
    let billed = |lease: &NodeLease| lease.price.over(lease.billing.billed(scenario.duration));
    let of_pool =
        |(pool, lease): (&NodePool, &NodeLease)| Usd::from_nanos(billed(lease).as_nanos() * i128::from(pool.count));
    let nodes: Usd = scenario.pools.iter().zip(&scenario.node_leases).map(of_pool).sum();
    // Rounded down, so that the bound is never too high.
    let cost = Usd::from_nanos((dollars * 1e9).floor() as i128) + nodes;
    Ok(Ok(CostBound { cost, nodes, objective, interval }))
}

/// I9: a policy that meets every latency objective costs at least the bound. Differences within rounding are accepted:
/// the bound is a solver's value, and each lease is rounded to a nano-dollar.
///
/// # Panics
/// If not, which is a bug of the bound, the run or the evaluation of requests.
pub(super) fn assert_bound(policy: &str, cost: f64, keeps: bool, bound: f64) {
    let slack = 1e-6 * (1.0 + bound);
    assert!(
        !keeps || cost >= bound - slack,
        "I9: {policy} keeps the objectives for ${cost}, below the bound of ${bound}"
    );
}

/// Whether a run meets every latency objective.
pub(super) fn keeps_latencies(run: &RunRecord) -> bool {
    let mut all = run.services.iter().flat_map(|service| &service.objectives);
    all.all(|objective| objective.within.is_none() || objective.met())
}

/// The requests of a service in a replication.
#[derive(Clone, Copy)]
struct Requests<'a> {
    scenario: &'a Scenario,
    /// Number of the service.
    number: usize,
    replication: u64,
}

impl<'a> Requests<'a> {
    fn plan(&self) -> &'a ServicePlan {
        &self.scenario.services[self.number]
    }

    /// Calls `see` with the arrival and the work of each one after the warm-up, in replica-seconds.
    fn each(&self, mut see: impl FnMut(SimTime, f64)) -> Result<(), TraceError> {
        let Requests { scenario, number, replication } = *self;
        let (plan, streams) = (self.plan(), Streams::new(scenario.seed, replication));
        let slots = plan.most_work(&scenario.pools);
        let (warm_up, end) = (SimTime::ZERO + scenario.warm_up, SimTime::ZERO + scenario.duration);
        let source = plan.workload.open(streams, number as u64)?;
        each_request(source, &plan.spec, (streams, number as u64), end, |arrival, demand| {
            if arrival >= warm_up {
                see(arrival, demand.as_secs_f64() / slots);
            }
        })
    }
}

/// Minimum time from order to readiness in seconds. On nodes the image may be present already.
fn least_start_up(scenario: &Scenario, plan: &ServicePlan) -> f64 {
    let phases = &plan.spec.start_up;
    let pulled = if scenario.pools.is_empty() { phases.pulled.least() } else { 0.0 };
    phases.scheduled.least() + pulled + phases.started.least() + phases.ready.least()
}
