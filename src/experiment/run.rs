//! Runs all policies of a scenario on common random numbers.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use rayon::prelude::*;

use super::assumptions::{self, metrics_out};
use super::bound::{assert_bound, cost_bound_from, keeps_latencies};
use super::outcome::{CalendarStart, Fault, InputFact, Outcome, Traffic, TrafficSource};
use super::pool::in_pool;
use super::shared::{self, SharedRequests};
use crate::engine::{
    Answer, Fate, MetricsOutage, ObjectiveRecord, RunError, RunRecord, ServiceRecord, ServiceRun, Simulation,
    ZoneOutage,
};
use crate::random::Streams;
use crate::scenario::{Scenario, ServicePlan};
use crate::units::SimTime;
use crate::workload::{TraceError, Zone};

/// Called with the progress of a run: the policy's index and the share of simulated time that has passed. May cancel.
pub type RunProgress<'a, A = ()> = &'a (dyn Fn(usize, f64) -> A + Sync);

/// Runs every policy of `scenario` once, `threads` at a time, and collects the records in the order of the scenario.
/// The result does not depend on the number of threads.
///
/// # Errors
/// The first error in the order of the policies; [`RunError::Cancelled`].
///
/// # Panics
/// If two policies met different requests (I7), which is a bug.
pub fn run<A: Answer>(
    scenario: &Scenario,
    command: &str,
    threads: usize,
    progress: RunProgress<'_, A>,
) -> Result<Outcome, RunError> {
    run_replication(scenario, 0, command, threads, progress)
}

/// Like [`run`], for another replication than the first.
///
/// # Errors
/// Those of [`run`].
///
/// # Panics
/// Those of [`run`].
pub fn run_replication<A: Answer>(
    scenario: &Scenario,
    replication: u64,
    command: &str,
    threads: usize,
    progress: RunProgress<'_, A>,
) -> Result<Outcome, RunError> {
    let trace_error = |error: TraceError| RunError::Trace { at: SimTime::ZERO, error };
    let shared = SharedRequests::of(scenario, replication, scenario.policies.len()).map_err(trace_error)?;
    let one = |policy: usize| -> Result<RunRecord, RunError> {
        let end = scenario.duration.as_secs_f64();
        let told = Mutex::new(0.0);
        simulation(scenario, policy, replication, &shared)?.run(&mut |now| {
            let share = now.as_secs_f64() / end;
            if let Ok(mut told) = told.lock()
                && (share - *told >= 0.01 || share >= 1.0)
            {
                *told = share;
                return progress(policy, share).flow();
            }
            ControlFlow::Continue(())
        })
    };
    let bound = || cost_bound_from(scenario, replication, &shared);
    let all = || {
        let _reading = shared::Reading(&shared);
        (0..scenario.policies.len()).into_par_iter().map(one).collect::<Vec<_>>()
    };
    // What else has to be known of the inputs does not wait for the runs, nor does the lower bound if all requests are kept.
    let ahead = || shared::make_ahead(&shared).then(bound);
    let beside = || rayon::join(|| (inputs(scenario), told_of_inputs(scenario)), ahead);
    let (results, ((inputs, told), bounded)) = in_pool(threads, || rayon::join(all, beside));
    let runs: Vec<RunRecord> = results.into_iter().collect::<Result<_, _>>()?;
    assert_same_requests(&runs);
    let (inputs, bound) = (inputs.map_err(trace_error)?, bounded.unwrap_or_else(bound).map_err(trace_error)?);
    for (run, bound) in bound.iter().flat_map(|bound| runs.iter().map(move |run| (run, bound))) {
        assert_bound(&run.policy, run.expense().value(), keeps_latencies(run), bound.cost.as_f64());
    }
    let mut warnings = warnings(&runs);
    let said = bound.as_ref().err().filter(|_| !scenario.objectives.is_empty());
    warnings.extend(said.map(|why| format!("No lower bound on cost: {why}.")));
    warnings.extend(told.map_err(trace_error)?);
    Ok(Outcome {
        scenario: scenario.name.clone(),
        title: scenario.title.clone(),
        description: scenario.description.trim().to_string(),
        command: command.to_string(),
        version: env!("CARGO_PKG_VERSION").to_string(),
        seed: scenario.seed,
        warnings,
        traffic: traffic(scenario),
        faults: faults(scenario),
        replicated: None,
        base: 0,
        level: None,
        bound: bound.ok(),
        runs,
        calendar: calendar(scenario),
        inputs,
        assumptions: assumptions::of(scenario),
        price_date: scenario.price_date(),
        prices: scenario.prices.clone(),
    })
}

/// I7: every policy meets the same requests.
fn assert_same_requests(runs: &[RunRecord]) {
    for pair in runs.windows(2) {
        for (a, b) in pair[0].services.iter().zip(&pair[1].services) {
            let same = a.demand_checksum == b.demand_checksum;
            assert!(same, "I7: {} met other requests under {}", a.name, pair[1].policy);
        }
    }
}

/// The simulation of a policy on the shared requests.
fn simulation(
    scenario: &Scenario,
    policy: usize,
    replication: u64,
    shared: &[Option<Arc<SharedRequests>>],
) -> Result<Simulation, RunError> {
    let mut spec = scenario.run_spec(policy, replication)?;
    spec.services =
        spec.services.into_iter().zip(shared).map(|(service, shared)| with_requests(service, shared)).collect();
    Simulation::new(spec)
}

fn with_requests(service: ServiceRun, shared: &Option<Arc<SharedRequests>>) -> ServiceRun {
    match shared {
        Some(shared) => ServiceRun { source: shared.reader(service.source), ..service },
        None => service,
    }
}

/// What is to be said of the traces and what transforms do to them.
fn told_of_inputs(scenario: &Scenario) -> Result<Vec<String>, TraceError> {
    let mut told = Vec::new();
    for service in &scenario.services {
        let noticed = service.workload.notices()?;
        told.extend(noticed.iter().map(|said| format!("Of the trace of {}: {said}.", service.spec.name)));
        told.extend(service.workload.distortions()?);
    }
    Ok(told)
}

/// The wall-clock time of time zero, if all workloads that state it agree.
pub(super) fn calendar(scenario: &Scenario) -> Option<CalendarStart> {
    let told = scenario.services.iter().filter_map(|service| {
        let workload = &service.workload;
        let source = workload.open(Streams::new(scenario.seed, 0), 0).ok()?;
        let zone = workload.time_zone().unwrap_or(Zone::UTC);
        Some(CalendarStart { start_epoch_ns: source.start_epoch_ns()?, zone: zone.name() })
    });
    let told: Vec<CalendarStart> = told.collect();
    let first = told.first()?;
    told.iter().all(|other| other == first).then(|| first.clone())
}

fn inputs(scenario: &Scenario) -> Result<Vec<InputFact>, TraceError> {
    let mut facts: Vec<InputFact> = Vec::new();
    for (index, source) in scenario.sources.iter().enumerate() {
        let detail = if index == 0 { "scenario" } else { "read by the scenario" };
        let checksum = format!("sha256:{}", crate::workload::sha256_hex(source.text().as_bytes()));
        facts.push(InputFact { name: source.name().to_string(), detail: detail.into(), checksum });
    }
    for service in &scenario.services {
        for file in service.workload.inputs()? {
            let steps = service.workload.steps();
            let detail = match steps.is_empty() {
                true => format!("{}{} bytes, as it is", InputFact::TRACE, file.bytes),
                false => format!("{}{} bytes, then {}", InputFact::TRACE, file.bytes, steps.join(", ")),
            };
            let checksum = format!("sha256:{}", file.sha256);
            facts.push(InputFact { name: crate::config::spool::name_of(&file.path), detail, checksum });
        }
    }
    Ok(facts)
}

/// The source of each service's requests.
fn traffic(scenario: &Scenario) -> Vec<Traffic> {
    let of = |service: &ServicePlan| {
        let workload = &service.workload;
        let file = workload.trace_name();
        let source = match (workload.clients(), file) {
            (Some(clients), _) => TrafficSource::ClosedLoop { users: clients.most() },
            (None, Some(file)) => TrafficSource::Recorded { file },
            (None, None) if workload.is_none() => TrafficSource::Called,
            (None, None) => {
                TrafficSource::Generated { generator: workload.generator().unwrap_or_default().to_string() }
            }
        };
        Traffic { service: service.spec.name.clone(), source, steps: workload.steps().to_vec() }
    };
    scenario.services.iter().map(of).collect()
}

/// The zone losses, metrics outages, rollouts and restarts that begin within the run.
fn faults(scenario: &Scenario) -> Vec<Fault> {
    let end = SimTime::ZERO + scenario.duration;
    let zone = |outage: &ZoneOutage| scenario.zones.get(outage.zone as usize).cloned().unwrap_or_default();
    let fault = |outage: &ZoneOutage| Fault {
        what: format!("zone {} lost", zone(outage)),
        from: outage.at,
        to: (outage.at + outage.length).min(end),
    };
    let mut all: Vec<Fault> = scenario.outages.iter().filter(|outage| outage.at < end).map(fault).collect();
    let silent = |outage: &MetricsOutage| Fault {
        what: format!("no answer for {}", metrics_out(outage)),
        from: outage.from,
        to: outage.from.saturating_add(outage.length).min(end),
    };
    all.extend(scenario.metrics.outages.iter().filter(|outage| outage.from < end).map(silent));
    for service in &scenario.services {
        let begun = service.spec.update.rollouts.iter().filter(|rollout| rollout.at < end);
        let what = format!("rollout of {} begins", service.spec.name);
        // Its end depends on the policy.
        let struck = service.spec.restarts.iter().filter(|restart| restart.at < end);
        let again = format!("containers of {} restart", service.spec.name);
        all.extend(struck.map(|restart| Fault { what: again.clone(), from: restart.at, to: restart.at }));
        all.extend(begun.map(|rollout| Fault { what: what.clone(), from: rollout.at, to: rollout.at }));
    }
    all.sort_by_key(|fault| fault.from);
    all
}

/// How a service's unanswered requests are evaluated by its objectives.
fn fate(service: &ServiceRecord) -> String {
    let [first, others @ ..] = service.objectives.as_slice() else { return String::new() };
    let told = |objective: &ObjectiveRecord| match (objective.overdue, objective.left_out) {
        (0, _) => "left out: within the limit, or without one".to_string(),
        (overdue, 0) => format!("bad: {overdue} older than the limit"),
        (overdue, young) => format!("{overdue} older than the limit are bad, {young} younger ones are left out"),
    };
    if others.iter().all(|other| told(other) == told(first)) {
        return format!(", {}", told(first));
    }
    let each = service.objectives.iter().map(|objective| format!("by “{}” {}", objective.text, told(objective)));
    format!(": {}", each.collect::<Vec<_>>().join("; "))
}

/// Warnings about the results.
fn warnings(runs: &[RunRecord]) -> Vec<String> {
    let mut said = Vec::new();
    for run in runs {
        for service in &run.services {
            let counts = &service.counts;
            if counts.arrived < 10_000 {
                said.push(format!(
                    "{}: only {} requests of {} were measured; high percentiles rest on few of them.",
                    run.policy, counts.arrived, service.name
                ));
            }
            if counts.arrived > 0 && counts[Fate::InFlight] * 100 > counts.arrived {
                said.push(format!(
                    "{}: {} requests of {} were still unanswered at the end{}.",
                    run.policy,
                    counts[Fate::InFlight],
                    service.name,
                    fate(service)
                ));
            }
        }
    }
    said
}
