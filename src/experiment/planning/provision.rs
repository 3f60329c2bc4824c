//! Optimal provisioning of a scenario: its trace determines the needs, its prices the offers, and a solver finds the
//! cheapest plan.
//!
//! Without instance types each service is planned separately, in replicas at their own price. With instance types the
//! replicas of all services share instances: their CPU and memory requests must be covered by the allocatable capacity
//! of the instances.

use std::fmt;

use crate::catalog::InstanceType;
use crate::experiment::outcome::CalendarStart;
use crate::experiment::run::calendar;
use crate::optimize::{
    Names, Offer, OneType, OptimizeError, Plan, ProvisioningProblem, Reserved, SolveOptions, Spot, clock_of,
};
use crate::policy::{Needs, replicas_needed};
use crate::scenario::{Scenario, ServicePlan};
use crate::units::{Bytes, Fraction, Millicores, SimDuration};
use crate::workload::TraceError;

/// Maximum number of steps of a plan: each is at least one row of a program that is solved exactly.
const MAX_STEPS: u64 = 100_000;

/// What can be bought, and how to plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms<'a> {
    /// Length of an interval, in which the load is assumed constant and nothing changes.
    pub interval: SimDuration,
    /// Time from order to readiness; if `None`, one and a half times the longest mean start-up time of a replica, plus
    /// one minute for an instance.
    pub lead: Option<SimDuration>,
    /// Share by which the load is increased.
    pub headroom: Fraction,
    /// Minimum number of replicas of a service.
    pub least: u32,
    /// Maximum number of what is planned.
    pub most: Option<u32>,
    /// Maximum number of starts in an interval.
    pub scale_up: Option<u32>,
    /// Maximum number of stops in an interval.
    pub scale_down: Option<u32>,
    /// Instance types for the replicas; empty to plan replicas at their own price.
    pub instances: Vec<&'a InstanceType>,
    /// Discount of a commitment for the whole time, if commitments are offered.
    pub reserved_discount: Option<Fraction>,
    /// Spot discount, and the share of spot capacity expected to be reclaimed.
    pub spot: Option<(Fraction, Fraction)>,
    /// Maximum share of the CPU on spot.
    pub spot_share: Option<Fraction>,
    /// Solver options; without a time limit the search may not end.
    pub options: SolveOptions,
}

impl Default for Terms<'_> {
    fn default() -> Self {
        Terms {
            interval: SimDuration::from_secs(60),
            lead: None,
            headroom: Fraction::default(),
            least: 1,
            most: None,
            scale_up: None,
            scale_down: None,
            instances: Vec::new(),
            reserved_discount: None,
            spot: None,
            spot_share: None,
            options: SolveOptions { time_limit: Some(30.0), ..SolveOptions::default() },
        }
    }
}

/// The needs of one service.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceNeeds {
    /// Its name.
    pub service: String,
    /// Requests per second by interval.
    pub rate: Vec<f64>,
    /// Replicas by interval.
    pub replicas: Vec<u32>,
    /// Whether its latency objective cannot be met even without waiting.
    pub out_of_reach: bool,
}

/// A plan over the trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Provision {
    /// The services it is for, one or all.
    pub needs: Vec<ServiceNeeds>,
    /// What is bought: a service's replicas, or instance types.
    pub offers: Vec<String>,
    /// Length of an interval.
    pub interval: SimDuration,
    /// Wall-clock time of the first interval, if the workloads have one.
    pub calendar: Option<CalendarStart>,
    /// Time from order to readiness, by offer.
    pub leads: Vec<SimDuration>,
    /// The plan in whole replicas or instances, from the start of the trace.
    pub plan: Plan,
    /// The cost of a fractional plan: no plan for these needs costs less.
    pub relaxed: f64,
    /// The cost of a fleet of constant size for the peak.
    pub fixed: f64,
}

impl Provision {
    /// Replicas or instances of an offer in an interval, over all purchase options.
    pub fn running(&self, offer: usize, interval: usize) -> f64 {
        self.plan.ready[offer][interval] + self.plan.reserved[offer] + self.spot(offer, interval)
    }

    /// The part of them on spot.
    pub fn spot(&self, offer: usize, interval: usize) -> f64 {
        self.plan.spot[offer].get(interval).copied().unwrap_or(0.0)
    }

    /// Number of intervals.
    pub fn intervals(&self) -> usize {
        self.needs.first().map_or(0, |needs| needs.replicas.len())
    }
}

/// Why there is no plan.
#[derive(Debug)]
pub enum ProvisionError {
    /// The scenario has nothing to plan, or cannot be planned this way.
    Scenario(String),
    /// A trace cannot be read.
    Trace(TraceError),
    /// A solver or queueing error: its subject and message, with times and resources by name.
    Plan(String, String),
}

impl fmt::Display for ProvisionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProvisionError::Scenario(words) => f.write_str(words),
            ProvisionError::Trace(error) => error.fmt(f),
            ProvisionError::Plan(of, error) => write!(f, "{of}: {error}"),
        }
    }
}

impl std::error::Error for ProvisionError {}

impl From<TraceError> for ProvisionError {
    fn from(error: TraceError) -> Self {
        ProvisionError::Trace(error)
    }
}

/// The cheapest plans for a scenario: one per service, or one for the instances that they share.
///
/// # Errors
/// [`ProvisionError`]; requirements that cannot be met are named with their shortfall.
pub fn provision(scenario: &Scenario, terms: &Terms<'_>) -> Result<Vec<Provision>, ProvisionError> {
    for (number, service) in scenario.services.iter().enumerate() {
        if let Some(which) = scenario.depends_on_answers(number) {
            let name = &service.spec.name;
            let why = format!("requests depend on answers ({which}), so there is no load to plan for");
            return Err(ProvisionError::Scenario(format!("{name}: {why}")));
        }
    }
    if terms.interval.is_zero() || terms.interval > scenario.duration {
        let (step, run) = (terms.interval, scenario.duration);
        return Err(ProvisionError::Scenario(format!(
            "a step of the plan must have a length, at most that of the run: {step} is not within {run}"
        )));
    }
    let steps = scenario.duration.as_nanos().div_ceil(terms.interval.as_nanos());
    if steps > MAX_STEPS {
        let (step, run, least) = (terms.interval, scenario.duration, scenario.duration.as_nanos().div_ceil(MAX_STEPS));
        let least = SimDuration::from_nanos(least);
        return Err(ProvisionError::Scenario(format!(
            "steps of {step} cut the run of {run} into {steps}; a plan has at most {MAX_STEPS}: use an interval of {least} or more"
        )));
    }
    let needs = (0..scenario.services.len()).map(|service| service_needs(scenario, service, terms));
    let needs = needs.collect::<Result<Vec<_>, _>>()?;
    if terms.instances.is_empty() {
        let each = needs.into_iter().enumerate();
        return each.map(|(service, needs)| of_replicas(scenario, service, needs, terms)).collect();
    }
    Ok(vec![of_instances(scenario, needs, terms)?])
}

fn service_needs(scenario: &Scenario, service: usize, terms: &Terms<'_>) -> Result<ServiceNeeds, ProvisionError> {
    let name = scenario.services[service].spec.name.clone();
    let mut loads = scenario.step_loads(service, 0, terms.interval)?;
    // The last step may be cut by the end; its need depends on its rate, not on its number of requests.
    let cut = scenario.duration.as_nanos() % terms.interval.as_nanos();
    if let Some(last) = loads.last_mut().filter(|_| cut > 0) {
        *last = last.times(terms.interval.as_nanos() as f64 / cut as f64);
    }
    let facts = scenario.facts(service);
    let found = replicas_needed(&facts, &loads, terms.interval, terms.headroom.get());
    let Needs { replicas, out_of_reach } =
        found.map_err(|error| ProvisionError::Plan(name.clone(), error.to_string()))?;
    let replicas = replicas.into_iter().map(|replicas| replicas.max(terms.least)).collect();
    let seconds = terms.interval.as_secs_f64();
    let rate = loads.iter().map(|load| load.requests as f64 / seconds).collect();
    Ok(ServiceNeeds { service: name, rate, replicas, out_of_reach })
}

/// The number of intervals that a time span reaches into, at least one unless it is zero.
fn intervals_in(time: SimDuration, interval: SimDuration) -> usize {
    time.as_nanos().div_ceil(interval.as_nanos()) as usize
}

/// Minimum number of paid intervals after readiness: what remains of the billing minimum after start-up.
fn minimum_run(billed: SimDuration, lead: SimDuration, interval: SimDuration) -> usize {
    intervals_in(billed - lead, interval).max(1)
}

fn of_replicas(
    scenario: &Scenario,
    service: usize,
    needs: ServiceNeeds,
    terms: &Terms<'_>,
) -> Result<Provision, ProvisionError> {
    let facts = scenario.facts(service);
    if scenario.services[service].lease.is_none() {
        let name = &needs.service;
        if scenario.services[service].usage.is_some() {
            return Err(ProvisionError::Scenario(format!(
                "{name} is charged for by use, which no plan of sizes changes"
            )));
        }
        let how = "give it a `price:`, or name instance types to run it on with --instance";
        return Err(ProvisionError::Scenario(format!("{name} has no price to plan by; {how}")));
    }
    let lead = terms.lead.unwrap_or_else(|| facts.start_up.scale(1.5));
    let intervals = intervals_in(lead, terms.interval);
    let needed: Vec<f64> = needs.replicas.iter().map(|replicas| f64::from(*replicas)).collect();
    let highest = needed.iter().copied().fold(0.0, f64::max);
    let problem = OneType {
        price: facts.price_per_second * terms.interval.as_secs_f64(),
        lead: intervals,
        minimum_run: minimum_run(facts.billed_at_least, facts.start_up, terms.interval),
        // Chosen by the plan: nothing ordered can be ready earlier.
        initial: needed.iter().take(intervals + 1).copied().fold(0.0, f64::max) as u32,
        scale_up: terms.scale_up,
        scale_down: terms.scale_down,
        least: terms.least,
        most: terms.most,
        needed,
        ..OneType::default()
    };
    let time = |interval: usize| clock_of(interval, terms.interval);
    let names = Names { time: &time, resources: &[] };
    let plan = problem.whole().map_err(|error| ProvisionError::Plan(needs.service.clone(), error.in_words(&names)))?;
    Ok(Provision {
        offers: vec![format!("{} replicas", needs.service)],
        leads: vec![lead],
        interval: terms.interval,
        calendar: calendar(scenario),
        // One type: the linear program has an integral solution.
        relaxed: plan.cost,
        fixed: highest * problem.price * problem.needed.len() as f64,
        plan: Plan {
            cost: plan.cost,
            proven: true,
            spot: vec![Vec::new()],
            reserved: vec![0.0],
            shortage: vec![plan.shortage],
            ready: vec![plan.ready],
            starts: vec![plan.starts],
            stops: vec![plan.stops],
        },
        needs: vec![needs],
    })
}

/// CPU and memory that a replica requests.
fn requested(service: &ServicePlan) -> Result<(Millicores, Bytes), ProvisionError> {
    match service.spec.scheduled() {
        (Millicores::ZERO, Bytes::ZERO) => {
            let (name, how) = (&service.spec.name, "state `resources.requests` in its manifest");
            let why = "requests neither CPU nor memory, so that nothing says how many fit on an instance";
            Err(ProvisionError::Scenario(format!("{name} {why}; {how}")))
        }
        scheduled => Ok(scheduled),
    }
}

/// Number of replicas of a service that fit on an instance.
fn fitting(instance: &InstanceType, (cpu, memory): (Millicores, Bytes), extended: &[(String, u64)]) -> u64 {
    let has = &instance.allocatable;
    let by = |has: u64, asked: u64| has.checked_div(asked).unwrap_or(u64::MAX);
    let own = instance.extended();
    let of = |name: &String| own.iter().find(|(known, _)| known == name).map_or(0, |(_, has)| *has);
    let least = extended.iter().map(|(name, asked)| by(of(name), *asked)).min().unwrap_or(u64::MAX);
    by(has.cpu.get(), cpu.get()).min(by(has.memory.get(), memory.get())).min(u64::from(has.pods)).min(least)
}

fn of_instances(scenario: &Scenario, needs: Vec<ServiceNeeds>, terms: &Terms<'_>) -> Result<Provision, ProvisionError> {
    let requests = scenario.services.iter().map(requested).collect::<Result<Vec<_>, _>>()?;
    let start_up = (0..requests.len()).map(|service| scenario.facts(service).start_up).max().unwrap_or_default();
    let lead = terms.lead.unwrap_or_else(|| start_up.scale(1.5) + SimDuration::from_secs(60));
    let offers = terms.instances.iter().map(|instance| offer(instance, &requests, scenario, lead, terms));
    let offers = offers.collect::<Result<Vec<_>, _>>()?;
    let demand = demand(&needs, &requests);
    let before = offers.iter().map(|offer| offer.lead).max().unwrap_or(0);
    // The program begins before the trace, so that initial instances can be ordered.
    let time = |interval: usize| clock_of(interval.saturating_sub(before), terms.interval);
    let names = Names { time: &time, resources: &RESOURCES };
    let fail = |error: OptimizeError| ProvisionError::Plan("instances".into(), error.in_words(&names));
    let problem = problem(&offers, &demand, before, terms);
    let whole = no_dearer_than_alone(&problem, problem.whole(terms.options).map_err(fail)?, terms.options);
    let relaxed = problem.relaxed(terms.options).map_err(fail)?.cost;
    // A fleet of constant size is a plan with a single interval as long as the trace.
    let highest = |series: &Vec<f64>| vec![series.iter().copied().fold(0.0, f64::max)];
    let intervals = demand.first().map_or(0, Vec::len) as f64;
    let at_once = |offer: &Offer| Offer { lead: 0, minimum_run: 1, ..offer.clone() };
    let peak: Vec<Vec<f64>> = demand.iter().map(highest).collect();
    let steady = ProvisioningProblem {
        offers: offers.iter().map(at_once).collect(),
        demand: peak,
        spot_share: terms.spot_share.map(Fraction::get),
        most: terms.most,
        ..ProvisioningProblem::default()
    };
    let fixed = steady.whole(terms.options).map_err(fail)?.cost * intervals;
    Ok(Provision {
        offers: offers.iter().map(|offer| offer.name.clone()).collect(),
        leads: vec![lead; offers.len()],
        interval: terms.interval,
        calendar: calendar(scenario),
        plan: without_first(whole, before),
        relaxed,
        fixed,
        needs,
    })
}

/// An instance type as an offer with cores and GiB for pods as resources. With a single service, they are what whole
/// replicas occupy.
fn offer(
    instance: &InstanceType,
    requests: &[(Millicores, Bytes)],
    scenario: &Scenario,
    lead: SimDuration,
    terms: &Terms<'_>,
) -> Result<Offer, ProvisionError> {
    let extended = |service: usize| scenario.services[service].spec.pod.extended.as_slice();
    let fits = |(number, request): (usize, &(Millicores, Bytes))| fitting(instance, *request, extended(number)) > 0;
    if let Some(large) = requests.iter().enumerate().position(|numbered| !fits(numbered)) {
        let (name, service) = (&instance.name, &scenario.services[large].spec.name);
        return Err(ProvisionError::Scenario(format!("a replica of {service} does not fit on {name}")));
    }
    let capacity = match requests {
        [(cpu, memory)] => {
            let replicas = fitting(instance, (*cpu, *memory), extended(0)) as f64;
            vec![replicas * cpu.as_cores(), replicas * memory.as_gib()]
        }
        _ => vec![instance.allocatable.cpu.as_cores(), instance.allocatable.memory.as_gib()],
    };
    let price = instance.price.as_f64() * terms.interval.as_secs_f64() / 3600.0;
    let billed = instance.billing.minimum.max(instance.billing.granularity);
    Ok(Offer {
        name: instance.name.clone(),
        capacity,
        price,
        start_cost: 0.0,
        stop_cost: 0.0,
        lead: intervals_in(lead, terms.interval),
        minimum_run: minimum_run(billed, lead, terms.interval),
        initial: 0,
        reserved: terms
            .reserved_discount
            .map(|discount| Reserved { price: price * discount.complement().get(), most: None }),
        spot: terms.spot.map(|(discount, loss)| Spot { price: price * discount.complement().get(), loss: loss.get() }),
    })
}

/// The resources for which instances are bought, and their units.
const RESOURCES: [(&str, &str); 2] = [("CPU", "cores"), ("memory", "GiB")];

/// Cores and GiB requested by interval.
fn demand(needs: &[ServiceNeeds], requests: &[(Millicores, Bytes)]) -> Vec<Vec<f64>> {
    let intervals = needs.first().map_or(0, |needs| needs.replicas.len());
    let mut demand = vec![vec![0.0; intervals]; 2];
    for (needs, (cpu, memory)) in needs.iter().zip(requests) {
        for (interval, replicas) in needs.replicas.iter().enumerate() {
            demand[0][interval] += f64::from(*replicas) * cpu.as_cores();
            demand[1][interval] += f64::from(*replicas) * memory.as_gib();
        }
    }
    demand
}

/// Adds `before` empty intervals at the beginning, so that initial instances are chosen and paid for like all others.
fn problem(offers: &[Offer], demand: &[Vec<f64>], before: usize, terms: &Terms<'_>) -> ProvisioningProblem {
    let intervals = demand.first().map_or(0, Vec::len);
    // A commitment is paid for the trace, not for the intervals before it.
    let share = intervals as f64 / (intervals + before).max(1) as f64;
    let committed = |offer: &Offer| Offer {
        reserved: offer.reserved.map(|way| Reserved { price: way.price * share, ..way }),
        ..offer.clone()
    };
    let late = |series: &Vec<f64>| std::iter::repeat_n(0.0, before).chain(series.iter().copied()).collect();
    ProvisioningProblem {
        offers: offers.iter().map(committed).collect(),
        demand: demand.iter().map(late).collect(),
        scale_up: terms.scale_up,
        scale_down: terms.scale_down,
        most: terms.most,
        spot_share: terms.spot_share.map(Fraction::get),
        ..ProvisioningProblem::default()
    }
}

/// Returns the plan or, if the time limit cut the search short, the best single-type plan if that is cheaper: more
/// choice should not cost more only because there is more to search. The single-type searches share the same time limit
/// again.
fn no_dearer_than_alone(problem: &ProvisioningProblem, found: Plan, options: SolveOptions) -> Plan {
    let types = problem.offers.len();
    if found.proven || types == 1 {
        return found;
    }
    let options = SolveOptions { time_limit: options.time_limit.map(|limit| limit / types as f64), ..options };
    let mut best = found;
    for (place, offer) in problem.offers.iter().enumerate() {
        let alone = ProvisioningProblem { offers: vec![offer.clone()], ..problem.clone() };
        if let Ok(plan) = alone.whole(options)
            && plan.cost < best.cost
        {
            best = among(plan, place, types);
        }
    }
    best
}

/// A plan of one offer as a plan of several, of which it is number `place` and the others are unused.
fn among(plan: Plan, place: usize, offers: usize) -> Plan {
    let unused = |series: &[Vec<f64>]| -> Vec<Vec<f64>> {
        let none = vec![0.0; series[0].len()];
        (0..offers).map(|offer| if offer == place { series[0].clone() } else { none.clone() }).collect()
    };
    Plan {
        cost: plan.cost,
        proven: false,
        ready: unused(&plan.ready),
        starts: unused(&plan.starts),
        stops: unused(&plan.stops),
        spot: unused(&plan.spot),
        reserved: (0..offers).map(|offer| if offer == place { plan.reserved[0] } else { 0.0 }).collect(),
        shortage: plan.shortage,
    }
}

fn without_first(mut plan: Plan, before: usize) -> Plan {
    let series = plan.ready.iter_mut().chain(&mut plan.starts).chain(&mut plan.stops).chain(&mut plan.spot);
    series.chain(&mut plan.shortage).for_each(|series| {
        series.drain(..before.min(series.len()));
    });
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plan that was cut short is replaced by a cheaper single-type plan; a proven one is kept.
    #[test]
    fn more_choice_does_not_cost_more() {
        let offer = |name: &str, price: f64| Offer {
            name: name.into(),
            capacity: vec![2.0],
            price,
            start_cost: 0.0,
            stop_cost: 0.0,
            lead: 0,
            minimum_run: 1,
            initial: 0,
            reserved: None,
            spot: None,
        };
        let offers = vec![offer("dear", 3.0), offer("cheap", 1.0)];
        let problem = ProvisioningProblem { offers, demand: vec![vec![2.0, 4.0]], ..ProvisioningProblem::default() };
        let poor = Plan { cost: 9.0, ..Plan::default() };
        let better = no_dearer_than_alone(&problem, poor.clone(), SolveOptions::default());
        assert_eq!((better.cost, better.proven), (3.0, false));
        assert_eq!(better.ready, [[0.0, 0.0], [1.0, 2.0]]);
        let proven = Plan { proven: true, ..poor };
        assert_eq!(no_dearer_than_alone(&problem, proven.clone(), SolveOptions::default()), proven);
    }
}
