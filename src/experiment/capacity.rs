//! How much traffic a configuration carries before an objective breaks.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::pool::in_pool;
use super::scale::scaled;
use crate::engine::scenario::Scenario;
use crate::engine::{ObjectiveRecord, RunError, RunRecord, ServiceRecord};
use crate::stats::{ConfidenceInterval, Running};

/// Steps per doubling of the traffic: limits are found to the next lower of these, about 1.1% apart.
const STEPS: i32 = 64;
/// The search covers 1/128 to 128 times the traffic.
const MOST_STEPS: i32 = 7 * STEPS;

/// What stands in the way of a request that was not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bottleneck {
    /// Replicas were wanted but not ready yet: starting, or waiting for a node.
    StartUp,
    /// The policy held fewer replicas than the load needed at the reference utilization.
    Size,
    /// Replicas sufficed on average: the service time itself, or a burst within an interval.
    ServiceTime,
}

impl Bottleneck {
    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            Bottleneck::StartUp => "replicas wanted but not ready",
            Bottleneck::Size => "too few replicas wanted",
            Bottleneck::ServiceTime => "service time and bursts",
        }
    }
}

/// Where an objective of a service breaks under a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// The policy's label.
    pub policy: String,
    /// The service.
    pub service: String,
    /// The objective in words.
    pub objective: String,
    /// Largest factor on the traffic at which each replication met the objective. `None` if it was not met at 1/128;
    /// 128 if it was met there.
    pub factors: Vec<Option<f64>>,
    /// The factors times each replication's own arrivals per second at factor 1.
    pub rates: Vec<Option<f64>>,
    /// The share of requests that must be good.
    pub target: f64,
    /// Factors on the traffic that were tried, in order, and the share of bad requests at each: the mean over the replications
    /// that tried it.
    pub curve: Vec<(f64, f64)>,
    /// Shares of the bad requests just beyond the limit, by what stood in their way, the largest first.
    pub bottlenecks: Vec<(Bottleneck, f64)>,
}

impl Limit {
    /// The interval of the factor; `None` below two replications or if some replication never met the objective.
    pub fn factor(&self, level: f64) -> Option<ConfidenceInterval> {
        ConfidenceInterval::of(self.factors.iter().copied().collect::<Option<Vec<f64>>>()?, level)
    }

    /// The interval of the requests per second.
    pub fn rate(&self, level: f64) -> Option<ConfidenceInterval> {
        ConfidenceInterval::of(self.rates.iter().copied().collect::<Option<Vec<f64>>>()?, level)
    }

    /// Mean arrivals per second of the workload as it is; 0 if no replication met the objective at any factor.
    pub fn base_rate(&self) -> f64 {
        let one = |(rate, factor): (&Option<f64>, &Option<f64>)| Some((*rate)? / (*factor)?);
        self.rates.iter().zip(&self.factors).filter_map(one).collect::<Running>().mean().unwrap_or(0.0)
    }

    /// The mean of the rates; `None` if some replication never met the objective, or one met it at the end of the search.
    pub fn mean_rate(&self) -> Option<f64> {
        let rates = self.rates.iter().copied().collect::<Option<Vec<f64>>>()?;
        if self.is_open() { None } else { rates.into_iter().collect::<Running>().mean() }
    }

    /// Whether some replication met the objective at the end of the search.
    pub fn is_open(&self) -> bool {
        self.factors.contains(&Some(factor_of(MOST_STEPS)))
    }
}

fn factor_of(step: i32) -> f64 {
    2f64.powf(f64::from(step) / f64::from(STEPS))
}

/// Finds where every objective of every service breaks, for every policy and in each of `replications`, by bisection on the
/// scale of the traffic. Takes for granted that more traffic never mends an objective. The result does not depend on the
/// number of threads. `told` hears of each search that is over.
///
/// # Errors
/// The first error in the order of policies and replications.
pub fn capacity(
    scenario: &Scenario,
    replications: u64,
    threads: usize,
    told: &(dyn Fn() + Sync),
) -> Result<Vec<Limit>, RunError> {
    let jobs: Vec<(usize, u64)> =
        (0..scenario.policies.len()).flat_map(|policy| (0..replications).map(move |r| (policy, r))).collect();
    let search = |(policy, replication): &(usize, u64)| {
        let found = Search { scenario, policy: *policy, replication: *replication, seen: BTreeMap::new() }.all();
        told();
        found
    };
    let found: Vec<Result<Vec<Found>, RunError>> = in_pool(threads, || jobs.par_iter().map(search).collect());
    let found: Vec<Vec<Found>> = found.into_iter().collect::<Result<_, _>>()?;
    let of_policy = found.chunks(replications.max(1) as usize).zip(&scenario.policies);
    Ok(of_policy.flat_map(|(searches, plan)| limits(scenario, &plan.label, searches)).collect())
}

/// Gathers the searches of one policy.
fn limits(scenario: &Scenario, policy: &str, searches: &[Vec<Found>]) -> Vec<Limit> {
    let objectives = scenario.objectives.len();
    let limit = |index: usize| {
        let found = searches.iter().filter_map(|search| search.get(index));
        let mut bad: BTreeMap<Bottleneck, u64> = BTreeMap::new();
        for (bottleneck, requests) in found.clone().flat_map(|found| &found.bad) {
            *bad.entry(*bottleneck).or_default() += requests;
        }
        let all: u64 = bad.values().sum();
        let mut bottlenecks: Vec<(Bottleneck, f64)> =
            bad.into_iter().filter(|(_, n)| *n > 0).map(|(what, n)| (what, n as f64 / all as f64)).collect();
        bottlenecks.sort_by(|a, b| b.1.total_cmp(&a.1));
        Limit {
            policy: policy.to_string(),
            service: scenario.services[index / objectives].spec.name.clone(),
            objective: scenario.objectives[index % objectives].text(),
            factors: found.clone().map(|found| found.factor).collect(),
            rates: found.clone().map(|found| found.factor.map(|factor| factor * found.base_rate)).collect(),
            target: scenario.objectives[index % objectives].target.get(),
            curve: curve(found),
            bottlenecks,
        }
    };
    (0..scenario.services.len() * objectives).map(limit).collect()
}

/// The mean share of bad requests at each step that was tried.
fn curve<'a>(found: impl Iterator<Item = &'a Found>) -> Vec<(f64, f64)> {
    let mut tried: BTreeMap<i32, Running> = BTreeMap::new();
    for (step, share) in found.flat_map(|found| &found.tried) {
        tried.entry(*step).or_default().push(*share);
    }
    tried.into_iter().filter_map(|(step, shares)| Some((factor_of(step), shares.mean()?))).collect()
}

/// What a search found for one objective of one service.
struct Found {
    factor: Option<f64>,
    base_rate: f64,
    bad: Vec<(Bottleneck, u64)>,
    /// The share of bad requests at each step that was tried.
    tried: Vec<(i32, f64)>,
}

/// One policy in one replication; runs are shared by the objectives.
struct Search<'a> {
    scenario: &'a Scenario,
    policy: usize,
    replication: u64,
    /// What was seen at each step.
    seen: BTreeMap<i32, Vec<Seen>>,
}

/// One objective of one service in one run.
#[derive(Clone)]
struct Seen {
    met: bool,
    bad_share: f64,
    rate: f64,
    bad: Vec<(Bottleneck, u64)>,
}

impl Search<'_> {
    fn all(mut self) -> Result<Vec<Found>, RunError> {
        let count = self.scenario.services.len() * self.scenario.objectives.len();
        (0..count).map(|index| self.one(index)).collect()
    }

    fn one(&mut self, index: usize) -> Result<Found, RunError> {
        let (mut met, mut broken) = self.bracket(index)?;
        while broken - met > 1 {
            let middle = met + (broken - met) / 2;
            if self.look(middle, index)?.met { met = middle } else { broken = middle }
        }
        let base_rate = self.look(0, index)?.rate;
        let bad = if broken <= MOST_STEPS { self.look(broken, index)?.bad } else { Vec::new() };
        let tried = self.seen.iter().map(|(step, seen)| (*step, seen[index].bad_share)).collect();
        Ok(Found { factor: (met >= -MOST_STEPS).then(|| factor_of(met)), base_rate, bad, tried })
    }

    /// A step at which the objective is met and one at which it is broken, by growing strides from 0; one of them is just
    /// outside the search where there is none within.
    fn bracket(&mut self, index: usize) -> Result<(i32, i32), RunError> {
        let up = self.look(0, index)?.met;
        let (mut inner, mut stride) = (0, STEPS / 4);
        loop {
            let outer = if up { (inner + stride).min(MOST_STEPS) } else { (inner - stride).max(-MOST_STEPS) };
            if self.look(outer, index)?.met != up {
                return Ok(if up { (inner, outer) } else { (outer, inner) });
            }
            if outer.abs() == MOST_STEPS {
                return Ok(if up { (outer, outer + 1) } else { (outer - 1, outer) });
            }
            (inner, stride) = (outer, stride * 2);
        }
    }

    fn look(&mut self, step: i32, index: usize) -> Result<Seen, RunError> {
        if let Some(seen) = self.seen.get(&step) {
            return Ok(seen[index].clone());
        }
        let factor = factor_of(step);
        // Every factor of the search is one that can be scaled by.
        let scenario = scaled(self.scenario, factor).unwrap_or_else(|| self.scenario.clone());
        let run = scenario.simulation(self.policy, self.replication)?.run(&mut |_| {})?;
        let seen = see(&run);
        let found = seen[index].clone();
        self.seen.insert(step, seen);
        Ok(found)
    }
}

fn see(run: &RunRecord) -> Vec<Seen> {
    let seconds = run.end.since(run.warm_up).as_secs_f64();
    let of_service = |service: &ServiceRecord| {
        let bad = blame(service);
        let rate = service.counts.arrived as f64 / seconds;
        let of = |o: &ObjectiveRecord| Seen { met: o.met(), bad_share: 1.0 - o.attainment(), rate, bad: bad.clone() };
        service.objectives.iter().map(of).collect::<Vec<Seen>>()
    };
    run.services.iter().flat_map(of_service).collect()
}

/// The bad requests of each interval go to what the interval lacked.
fn blame(service: &ServiceRecord) -> Vec<(Bottleneck, u64)> {
    let mut counts = [(Bottleneck::StartUp, 0), (Bottleneck::Size, 0), (Bottleneck::ServiceTime, 0)];
    for interval in &service.timeline {
        let bad = interval.bad();
        let cause = if interval.wanted > interval.ready + 0.05 {
            0
        } else if interval.needed > interval.ready {
            1
        } else {
            2
        };
        counts[cause].1 += bad;
    }
    counts.into()
}
