//! How much traffic a configuration carries before an objective breaks.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::pool::in_pool;
use super::replicate::Plan;
use super::scale::scaled;
use crate::engine::scenario::Scenario;
use crate::engine::{ObjectiveRecord, RunError, RunRecord, ServiceRecord};
use crate::stats::{ConfidenceInterval, Running};

/// Steps per doubling of the traffic, about 1.1% apart; between two of them the share of bad requests is taken to be linear.
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
    /// Replications of each factor.
    pub replications: u64,
    /// The factor on the traffic at which the mean share of bad requests is what the objective allows.
    pub factor: Edge,
    /// The lower end of the factor's confidence interval: with less traffic the objective is shown to be met.
    pub low: Edge,
    /// The upper end: with more traffic it is shown to be broken.
    pub high: Edge,
    /// Mean arrivals per second of the workload as it is.
    pub base_rate: f64,
    /// Half the width of the interval of [`Limit::base_rate`]; 0 with one replication.
    pub base_rate_half_width: f64,
    /// The share of requests that must be good.
    pub target: f64,
    /// Factors on the traffic that were tried, in order, and the mean share of bad requests at each.
    pub curve: Vec<(f64, f64)>,
    /// Shares of the bad requests just beyond the limit, by what stood in their way, the largest first.
    pub bottlenecks: Vec<(Bottleneck, f64)>,
}

/// A factor on the traffic, or the side on which it lies outside of the search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Edge {
    /// Below the least factor tried, 1/128.
    Below,
    /// A factor.
    At(f64),
    /// Beyond the largest factor tried, 128.
    Beyond,
}

impl Edge {
    /// The factor, where it is known.
    pub fn at(self) -> Option<f64> {
        match self {
            Edge::At(factor) => Some(factor),
            Edge::Below | Edge::Beyond => None,
        }
    }
}

impl Limit {
    /// Arrivals per second at the limit.
    pub fn rate(&self) -> Option<f64> {
        Some(self.factor.at()? * self.base_rate)
    }

    /// The confidence interval of [`Limit::rate`]: that of the factor, and that of the rate of the workload as it is, which do not
    /// depend on each other. `None` where an end is open.
    pub fn rate_interval(&self) -> Option<(f64, f64)> {
        let rate = self.rate()?;
        let own = rate * self.base_rate_half_width / self.base_rate;
        let away = |edge: Edge| Some((edge.at()? * self.base_rate - rate).hypot(own));
        Some((rate - away(self.low)?, rate + away(self.high)?))
    }
}

fn factor_of(step: f64) -> f64 {
    2f64.powf(step / f64::from(STEPS))
}

/// Finds where every objective of every service breaks, for every policy: the factor on the traffic at which the mean share of bad
/// requests over all replications is what the objective allows. Its interval is that of the test which it inverts: the factors at
/// which Student's interval of that mean covers what is allowed (as Fieller's of a ratio, Biometrika 41, 1954). All
/// replications are asked at every factor, so that none decides alone. Found by bisection, in which more traffic is taken never to
/// mend an objective in the mean. The result does not depend on the number of threads. `told` hears of each factor tried.
///
/// # Errors
/// The first error in the order of policies, factors and replications.
pub fn capacity(scenario: &Scenario, plan: &Plan, told: &(dyn Fn() + Sync)) -> Result<Vec<Limit>, RunError> {
    let mut all = Vec::new();
    for policy in 0..scenario.policies.len() {
        let mut search = Search { scenario, policy, plan, seen: BTreeMap::new(), told };
        for index in 0..scenario.services.len() * scenario.objectives.len() {
            all.push(search.limit(index)?);
        }
    }
    Ok(all)
}

/// One policy; runs are shared by the objectives.
struct Search<'a> {
    scenario: &'a Scenario,
    policy: usize,
    plan: &'a Plan,
    /// What was seen at each step in each replication.
    seen: BTreeMap<i32, Vec<Vec<Seen>>>,
    told: &'a (dyn Fn() + Sync),
}

/// One objective of one service in one run.
struct Seen {
    bad_share: f64,
    rate: f64,
    bad: Vec<(Bottleneck, u64)>,
}

/// Which line of the mean share of bad requests is followed to what the objective allows.
#[derive(Debug, Clone, Copy)]
enum Line {
    Mean,
    /// The upper end of its interval.
    Upper,
    /// The lower end of its interval.
    Lower,
}

impl Search<'_> {
    fn limit(&mut self, index: usize) -> Result<Limit, RunError> {
        let objectives = self.scenario.objectives.len();
        let (service, objective) = (index / objectives, index % objectives);
        let target = self.scenario.objectives[objective].target.get();
        let (factor, start) = self.crossing(index, Line::Mean, 0)?;
        let (low, high) = match self.plan.replications {
            0 | 1 => (factor, factor),
            _ => (self.crossing(index, Line::Upper, start)?.0, self.crossing(index, Line::Lower, start)?.0),
        };
        let bad = self.seen.range(start..).next().map(|(_, seen)| bottlenecks(seen, index)).unwrap_or_default();
        let rates = || self.seen.get(&0).into_iter().flatten().map(|run| run[index].rate);
        let own = ConfidenceInterval::of(rates(), self.plan.level);
        let mean = |seen: &Vec<Vec<Seen>>| seen.iter().map(|run| run[index].bad_share).collect::<Running>().mean();
        let curve = self.seen.iter().filter_map(|(step, seen)| Some((factor_of(f64::from(*step)), mean(seen)?)));
        Ok(Limit {
            policy: self.scenario.policies[self.policy].label.clone(),
            service: self.scenario.services[service].spec.name.clone(),
            objective: self.scenario.objectives[objective].text(),
            replications: self.plan.replications,
            factor,
            low,
            high,
            base_rate: rates().collect::<Running>().mean().unwrap_or(0.0),
            base_rate_half_width: own.map_or(0.0, |interval| interval.half_width),
            target,
            curve: curve.collect(),
            bottlenecks: bad,
        })
    }

    /// Where a line crosses what is allowed, and the first step beyond. The search begins at `start`.
    fn crossing(&mut self, index: usize, line: Line, start: i32) -> Result<(Edge, i32), RunError> {
        let (mut below, mut beyond) = match self.bracket(index, line, start.clamp(-MOST_STEPS, MOST_STEPS))? {
            (below, _) if below < -MOST_STEPS => return Ok((Edge::Below, -MOST_STEPS)),
            (_, beyond) if beyond > MOST_STEPS => return Ok((Edge::Beyond, MOST_STEPS)),
            ends => ends,
        };
        while beyond - below > 1 {
            let middle = below + (beyond - below) / 2;
            if self.excess(middle, index, line)? <= 0.0 { below = middle } else { beyond = middle }
        }
        let (under, over) = (self.excess(below, index, line)?, self.excess(beyond, index, line)?);
        let share = if over > under { -under / (over - under) } else { 0.0 };
        Ok((Edge::At(factor_of(f64::from(below) + share)), beyond))
    }

    /// A step at which a line is at or below what is allowed and one at which it is above, by growing strides; one of them is
    /// just outside the search where there is none within.
    fn bracket(&mut self, index: usize, line: Line, start: i32) -> Result<(i32, i32), RunError> {
        let up = self.excess(start, index, line)? <= 0.0;
        // From the mean's own crossing its interval is not far.
        let (mut inner, mut stride) = (start, if matches!(line, Line::Mean) { STEPS / 4 } else { 1 });
        loop {
            let outer = if up { (inner + stride).min(MOST_STEPS) } else { (inner - stride).max(-MOST_STEPS) };
            if (self.excess(outer, index, line)? <= 0.0) != up {
                return Ok(if up { (inner, outer) } else { (outer, inner) });
            }
            if outer.abs() == MOST_STEPS {
                return Ok(if up { (outer, outer + 1) } else { (outer - 1, outer) });
            }
            (inner, stride) = (outer, stride * 2);
        }
    }

    /// How far a line lies above what the objective allows.
    fn excess(&mut self, step: i32, index: usize, line: Line) -> Result<f64, RunError> {
        self.look(step)?;
        let objective = &self.scenario.objectives[index % self.scenario.objectives.len()];
        let allowed = 1.0 - objective.target.get();
        let shares = || self.seen[&step].iter().map(|run| run[index].bad_share);
        let mean = shares().collect::<Running>().mean().unwrap_or(0.0);
        let half_width = ConfidenceInterval::of(shares(), self.plan.level).map_or(0.0, |interval| interval.half_width);
        // As for one run: so many may be bad that the share is just reached.
        let above = mean - allowed - 1e-12;
        Ok(match line {
            Line::Mean => above,
            Line::Upper => above + half_width,
            Line::Lower => above - half_width,
        })
    }

    fn look(&mut self, step: i32) -> Result<(), RunError> {
        if self.seen.contains_key(&step) {
            return Ok(());
        }
        // Every factor of the search is one that can be scaled by.
        let scenario = scaled(self.scenario, factor_of(f64::from(step))).unwrap_or_else(|| self.scenario.clone());
        let one = |number: u64| Ok(see(&scenario.simulation(self.policy, number)?.run(&mut |_| {})?));
        let numbers: Vec<u64> = (self.plan.first..self.plan.first + self.plan.replications).collect();
        let found: Vec<Result<Vec<Seen>, RunError>> =
            in_pool(self.plan.threads, || numbers.par_iter().map(|number| one(*number)).collect());
        self.seen.insert(step, found.into_iter().collect::<Result<_, _>>()?);
        (self.told)();
        Ok(())
    }
}

/// Shares of the bad requests of all replications by what stood in their way.
fn bottlenecks(seen: &[Vec<Seen>], index: usize) -> Vec<(Bottleneck, f64)> {
    let mut bad: BTreeMap<Bottleneck, u64> = BTreeMap::new();
    for (bottleneck, requests) in seen.iter().flat_map(|run| &run[index].bad) {
        *bad.entry(*bottleneck).or_default() += requests;
    }
    let all: u64 = bad.values().sum();
    let mut shares: Vec<(Bottleneck, f64)> =
        bad.into_iter().filter(|(_, n)| *n > 0).map(|(what, n)| (what, n as f64 / all as f64)).collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    shares
}

fn see(run: &RunRecord) -> Vec<Seen> {
    let seconds = run.end.since(run.warm_up).as_secs_f64();
    let of_service = |service: &ServiceRecord| {
        let bad = blame(service);
        let rate = service.counts.arrived as f64 / seconds;
        let of = |o: &ObjectiveRecord| Seen { bad_share: 1.0 - o.attainment(), rate, bad: bad.clone() };
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
