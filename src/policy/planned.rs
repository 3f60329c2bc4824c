//! `lp-optimal` and `dp-optimal`: clairvoyant policies that compute a plan for the trace and follow it.
//!
//! The load of each interval is converted to the number of replicas that meets every latency objective by a queueing
//! formula ([`replicas_needed`]), taking into account a replica's CPU ceiling and the speeds of the nodes. Without an
//! objective, or if an objective cannot be met even without waiting, it is the smallest number for which the queue does
//! not grow. The cheapest plan that has these replicas ready in time is then computed exactly ([`OneType`]).
//! `lp-optimal` solves the linear program, which is totally unimodular and therefore integral, with the minimum run
//! that billing suggests; `dp-optimal` solves the dynamic program, which does not support a minimum run.
//!
//! The plan is an approximation, not a bound: it does not model arrivals within an interval, start-ups slower than
//! planned, or the dispatcher. The simulated run may miss the objective, or a smaller fleet might have met it. For a
//! lower bound on the cost of any policy see `optimize::BoundProblem`.

use std::sync::Arc;

use super::{
    Decision, Facts, Foresight, Observation, PolicyContext, PolicyFactory, PolicyPlugin, Prospect, Reason, ReasonCode,
    ScalingPolicy, StepLoad, replicas_needed,
};
use crate::config::{Diagnostics, Fields, Value, Yaml};
use crate::optimize::{Names, OneType, OneTypePlan, OptimizeError, clock_of};
use crate::units::{Fraction, SimDuration};

/// `lp-optimal`.
pub const LP_PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "lp-optimal",
    summary: "clairvoyant: follows an approximately cheapest plan for the trace, found by linear programming",
    source: "minimum-cost flow dual of the provisioning program (src/optimize/one_type.rs)",
    build: |node, context, sink| build("policy `lp-optimal`", OneType::whole, true, node, context, sink),
};

/// `dp-optimal`.
pub const DP_PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "dp-optimal",
    summary: "clairvoyant: follows an approximately cheapest plan for the trace, found by dynamic programming",
    source: "Bellman 1957, Dynamic Programming; monotone queues (src/optimize/dynamic.rs)",
    build: |node, context, sink| build("policy `dp-optimal`", OneType::dynamic, false, node, context, sink),
};

/// The maximum number of intervals of a plan.
const MAX_STEPS: usize = 1_000_000;

type Solver = fn(&OneType) -> Result<OneTypePlan, OptimizeError>;

/// Parameters of a plan.
#[derive(Debug, Clone, Copy)]
struct Settings {
    min: u32,
    max: u32,
    interval: SimDuration,
    /// Time from order to readiness; one and a half times the mean start-up time if `None`.
    lead: Option<SimDuration>,
    /// Share by which the load is increased in the plan.
    headroom: f64,
    solver: Solver,
    /// Whether the billing minimum becomes a minimum run.
    runs: bool,
}

fn build(
    owner: &str,
    solver: Solver,
    runs: bool,
    node: &Yaml,
    _context: &PolicyContext<'_>,
    sink: &mut Diagnostics,
) -> Option<PolicyFactory> {
    let empty = Yaml { value: Value::Mapping(Vec::new()), ..node.clone() };
    let fields = Fields::open(if node.is_null() { &empty } else { node }, owner, sink)?;
    let errors = sink.errors();
    let settings = Settings {
        min: fields.or("min", 1, sink),
        max: fields.or("max", 100_000, sink),
        interval: fields.or("interval", SimDuration::from_secs(60), sink),
        lead: fields.optional("lead", sink),
        headroom: fields.or("headroom", Fraction::default(), sink).get(),
        solver,
        runs,
    };
    if settings.max < settings.min || settings.max > 100_000 {
        sink.push(fields.node().error("`max` must be between `min` and 100000"));
    }
    if settings.interval < SimDuration::from_secs(1) {
        sink.push(fields.node().error("the plan's `interval` must be at least 1s"));
    }
    fields.finish(sink);
    (sink.errors() == errors).then(|| -> PolicyFactory { Arc::new(move |run| Box::new(Planned::new(settings, run))) })
}

/// A policy that follows a plan.
struct Planned {
    settings: Settings,
    /// For each interval, the replicas to order at its beginning and those planned to be ready in it; or why there is
    /// no plan.
    plan: Result<Vec<(u32, u32)>, String>,
}

impl Planned {
    fn new(settings: Settings, run: &Prospect<'_>) -> Self {
        let loads = (run.load)(settings.interval);
        let time = |interval: usize| clock_of(interval, settings.interval);
        let names = Names { time: &time, resources: &[] };
        let plan = plan(&settings, &run.facts, &loads).map_err(|error| error.in_words(&names));
        Planned { settings, plan }
    }
}

impl ScalingPolicy for Planned {
    fn sync_period(&self) -> SimDuration {
        self.settings.interval
    }

    /// The plan was already made for the load with headroom.
    fn set_headroom(&mut self, _factor: f64) -> bool {
        true
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        let number = (observation.now.as_nanos() / self.settings.interval.as_nanos()) as usize;
        let plan = match &self.plan {
            Ok(plan) => plan,
            Err(why) => return Decision::hold(Reason::new(ReasonCode::NoData, format!("no plan: {why}"))),
        };
        let Some((wanted, ready)) = plan.get(number).or(plan.last()) else {
            return Decision::hold(Reason::new(ReasonCode::NoData, "no plan: the trace is not known"));
        };
        let reason = Reason::new(ReasonCode::Plan, format!("plan: {ready} ready, {} on the way", wanted - ready));
        match *wanted == observation.desired {
            true => Decision::hold(reason),
            false => Decision::scale_to(*wanted, reason),
        }
    }

    fn initial_replicas(&self, configured: u32) -> u32 {
        let first = self.plan.as_ref().ok().and_then(|plan| plan.first());
        first.map_or(configured, |(wanted, _)| *wanted)
    }

    fn foresight(&self) -> Foresight {
        Foresight::Clairvoyant
    }
}

/// The cheapest plan: for each interval, the replicas to order at its beginning and those ready in it.
fn plan(settings: &Settings, facts: &Facts, loads: &[StepLoad]) -> Result<Vec<(u32, u32)>, OptimizeError> {
    if loads.len() > MAX_STEPS {
        let steps = loads.len();
        return Err(OptimizeError::Invalid(format!("{steps} intervals are too many to plan; at most {MAX_STEPS}")));
    }
    let interval = settings.interval.as_secs_f64();
    let lead = settings.lead.unwrap_or_else(|| facts.start_up.scale(1.5)).as_secs_f64();
    let lead = (lead / interval).ceil() as usize;
    let needs = replicas_needed(facts, loads, settings.interval, settings.headroom)?;
    let needed: Vec<f64> =
        needs.replicas.iter().map(|replicas| f64::from((*replicas).clamp(settings.min, settings.max))).collect();
    // The policy also chooses the initial size, because nothing else can be ready by then.
    let initial = needed.iter().take(lead + 1).copied().fold(0.0, f64::max) as u32;
    let minimum = (facts.billed_at_least.as_secs_f64() - facts.start_up.as_secs_f64()) / interval;
    let problem = OneType {
        needed,
        price: facts.price_per_second * interval,
        lead,
        minimum_run: if settings.runs { minimum.max(1.0).ceil() as usize } else { 1 },
        initial: initial.max(settings.min),
        least: settings.min,
        most: Some(settings.max),
        ..OneType::default()
    };
    let plan = (settings.solver)(&problem)?;
    let size = |interval: usize| {
        let coming: f64 = plan.starts.iter().skip(interval + 1).take(lead).sum();
        let ready = plan.ready[interval].round() as u32;
        (ready + coming.round() as u32, ready)
    };
    Ok((0..plan.ready.len()).map(size).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Load in steps of a minute, for one slot per replica and demands of one second.
    fn sizes(solver: Solver, needs: &[u64], start_up: u64) -> Vec<(u32, u32)> {
        let settings = Settings {
            min: 1,
            max: 50,
            interval: SimDuration::from_secs(60),
            lead: Some(SimDuration::from_secs(start_up)),
            headroom: 0.0,
            solver,
            runs: true,
        };
        let load = |slots: &u64| StepLoad {
            requests: 60 * slots,
            demand: 59.0 * *slots as f64,
            squares: 60.0 * *slots as f64,
            ..StepLoad::default()
        };
        let loads: Vec<StepLoad> = needs.iter().map(load).collect();
        plan(&settings, &Facts::default(), &loads).unwrap()
    }

    #[test]
    fn capacity_is_ordered_a_lead_before_it_is_needed() {
        for solver in [OneType::whole as Solver, OneType::dynamic] {
            let plan = sizes(solver, &[2, 2, 2, 2, 9, 9, 2, 2], 120);
            let ready: Vec<u32> = plan.iter().map(|(_, ready)| *ready).collect();
            let wanted: Vec<u32> = plan.iter().map(|(wanted, _)| *wanted).collect();
            assert_eq!(ready, [2, 2, 2, 2, 9, 9, 2, 2]);
            assert_eq!(wanted, [2, 2, 9, 9, 9, 9, 2, 2]);
            let at_once = sizes(solver, &[2, 5, 2], 0);
            assert_eq!(at_once, [(2, 2), (5, 5), (2, 2)]);
        }
    }
}
