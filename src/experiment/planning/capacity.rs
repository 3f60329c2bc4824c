//! How much traffic a configuration carries before an objective breaks.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::scale::scaled;
use crate::engine::{Cause, Causes, ObjectiveRecord, RunError, RunRecord, ServiceRecord};
use crate::experiment::pool::in_pool;
use crate::experiment::replicate::ReplicationPlan;
use crate::experiment::watch::Watch;
use crate::scenario::Scenario;
use crate::stats::{ConfidenceInterval, Running};

/// Steps per doubling of the traffic, about 1.1% apart; between two steps the share of bad requests is interpolated
/// linearly.
const STEPS: i32 = 64;
/// The search covers 1/128 to 128 times the traffic.
const MAX_STEPS: i32 = 7 * STEPS;

/// The traffic at which an objective of a service breaks under a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// The policy's label.
    pub policy: String,
    /// The service.
    pub service: String,
    /// The objective in words.
    pub objective: String,
    /// Number of replications per factor.
    pub replications: u64,
    /// The factor on the traffic at which the mean share of bad requests equals what the objective allows.
    #[doc(hidden)]
    pub factor: Edge,
    /// Lower end of the factor's confidence interval: with less traffic the objective is met with confidence.
    #[doc(hidden)]
    pub low: Edge,
    /// Upper end: with more traffic it is missed with confidence.
    #[doc(hidden)]
    pub high: Edge,
    /// Mean arrivals per second of the unscaled workload.
    pub base_rate: f64,
    /// Half the width of the interval of [`Limit::base_rate`]; 0 with one replication.
    pub base_rate_half_width: f64,
    /// The share of requests that must be good.
    pub target: f64,
    /// Factors that were tried, in order, and the mean share of bad requests at each.
    pub curve: Vec<(f64, f64)>,
    /// Bad requests just beyond the limit by cause, as shares, largest first.
    #[doc(hidden)]
    pub bottlenecks: Vec<(Cause, f64)>,
}

/// A factor on the traffic, or the side of the search range on which it lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Edge {
    /// Below the smallest factor tried, 1/128.
    Below,
    /// A factor.
    At(f64),
    /// Above the largest factor tried, 128.
    Beyond,
}

impl Edge {
    /// The factor, if known.
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

    /// The confidence interval of [`Limit::rate`], combined from the independent intervals of the factor and of the
    /// unscaled rate. `None` if an end is open.
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

/// Finds where every objective of every service breaks under every policy: the factor on the traffic at which the mean
/// share of bad requests over all replications equals what the objective allows. The confidence interval is the
/// inversion of a test: it contains the factors at which Student's interval of that mean covers the allowed share (as
/// in Fieller's interval of a ratio, Biometrika 41, 1954). All replications are run at every factor, so that no single
/// one decides. The search is a bisection and assumes that more traffic never improves the mean attainment. The result
/// does not depend on the number of threads. `watch` is told of each factor tried.
///
/// # Errors
/// The first error in the order of policies, factors and replications.
pub fn capacity(scenario: &Scenario, plan: &ReplicationPlan, watch: &Watch<'_>) -> Result<Vec<Limit>, RunError> {
    let mut all = Vec::new();
    for policy in 0..scenario.policies.len() {
        let mut search = Search { scenario, policy, plan, seen: BTreeMap::new(), watch };
        for index in 0..scenario.services.len() * scenario.objectives.len() {
            all.push(search.limit(index)?);
        }
    }
    Ok(all)
}

/// The search for one policy; runs are shared by the objectives.
struct Search<'a> {
    scenario: &'a Scenario,
    policy: usize,
    plan: &'a ReplicationPlan,
    /// Results at each step, by replication.
    seen: BTreeMap<i32, Vec<Vec<Seen>>>,
    watch: &'a Watch<'a>,
}

/// One objective of one service in one run.
struct Seen {
    bad_share: f64,
    rate: f64,
    causes: Causes,
}

/// Which line of the mean share of bad requests is followed to its crossing with the allowed share.
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

    /// The crossing of a line with the allowed share, and the first step beyond. The search begins at `start`.
    fn crossing(&mut self, index: usize, line: Line, start: i32) -> Result<(Edge, i32), RunError> {
        let (mut below, mut beyond) = match self.bracket(index, line, start.clamp(-MAX_STEPS, MAX_STEPS))? {
            (below, _) if below < -MAX_STEPS => return Ok((Edge::Below, -MAX_STEPS)),
            (_, beyond) if beyond > MAX_STEPS => return Ok((Edge::Beyond, MAX_STEPS)),
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

    /// Finds, with growing strides, a step at which a line is at or below the allowed share and one at which it is
    /// above; if there is none within the search range, one of them is just outside.
    fn bracket(&mut self, index: usize, line: Line, start: i32) -> Result<(i32, i32), RunError> {
        let up = self.excess(start, index, line)? <= 0.0;
        // The ends of the interval are close to the crossing of the mean.
        let (mut inner, mut stride) = (start, if matches!(line, Line::Mean) { STEPS / 4 } else { 1 });
        loop {
            let outer = if up { (inner + stride).min(MAX_STEPS) } else { (inner - stride).max(-MAX_STEPS) };
            if (self.excess(outer, index, line)? <= 0.0) != up {
                return Ok(if up { (inner, outer) } else { (outer, inner) });
            }
            if outer.abs() == MAX_STEPS {
                return Ok(if up { (outer, outer + 1) } else { (outer - 1, outer) });
            }
            (inner, stride) = (outer, stride * 2);
        }
    }

    /// How far a line is above the allowed share.
    fn excess(&mut self, step: i32, index: usize, line: Line) -> Result<f64, RunError> {
        self.look(step)?;
        let objective = &self.scenario.objectives[index % self.scenario.objectives.len()];
        let allowed = 1.0 - objective.target.get();
        let shares = || self.seen[&step].iter().map(|run| run[index].bad_share);
        let mean = shares().collect::<Running>().mean().unwrap_or(0.0);
        let half_width = ConfidenceInterval::of(shares(), self.plan.level).map_or(0.0, |interval| interval.half_width);
        // As for a single run: the number of bad requests that just reaches the target is allowed.
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
        // Every factor of the search range can be applied.
        let scenario = scaled(self.scenario, factor_of(f64::from(step))).unwrap_or_else(|| self.scenario.clone());
        let one = |number: u64| Ok(see(&self.watch.run(scenario.simulation(self.policy, number)?)?));
        let numbers: Vec<u64> = (self.plan.first..self.plan.first + self.plan.replications).collect();
        let found: Vec<Result<Vec<Seen>, RunError>> =
            in_pool(self.plan.threads, || numbers.par_iter().map(|number| one(*number)).collect());
        self.seen.insert(step, found.into_iter().collect::<Result<_, _>>()?);
        self.watch.one_more("scales of the traffic")
    }
}

/// Bad requests of all replications by cause, as shares.
fn bottlenecks(seen: &[Vec<Seen>], index: usize) -> Vec<(Cause, f64)> {
    let of = |cause: Cause| seen.iter().map(|run| run[index].causes.of(cause)).sum::<u64>();
    let bad = Cause::ALL.map(|cause| (cause, of(cause)));
    let all: u64 = bad.iter().map(|(_, requests)| requests).sum();
    let mut shares: Vec<(Cause, f64)> =
        bad.into_iter().filter(|(_, n)| *n > 0).map(|(cause, n)| (cause, n as f64 / all as f64)).collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    shares
}

fn see(run: &RunRecord) -> Vec<Seen> {
    let seconds = run.end.since(run.warm_up).as_secs_f64();
    let of_service = |service: &ServiceRecord| {
        let rate = service.counts.arrived as f64 / seconds;
        let of = |o: &ObjectiveRecord| Seen { bad_share: 1.0 - o.attainment(), rate, causes: o.causes };
        service.objectives.iter().map(of).collect::<Vec<Seen>>()
    };
    run.services.iter().flat_map(of_service).collect()
}
