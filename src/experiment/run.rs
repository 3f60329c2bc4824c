//! All policies of a scenario on common random numbers.

use std::sync::Mutex;

use rayon::prelude::*;

use super::outcome::{InputFact, Outcome};
use super::pool::in_pool;
use crate::cluster::ModelKind;
use crate::engine::scenario::Scenario;
use crate::engine::{RunError, RunRecord};
use crate::workload::TraceError;

/// Told how far a run has come: the policy's index and the share of the simulated time that is over.
pub type Progress<'a> = &'a (dyn Fn(usize, f64) + Sync);

/// Runs every policy of `scenario` once, `threads` at a time, and gathers the records in the order of the scenario: the
/// result does not depend on the number of threads.
///
/// # Errors
/// The first error in the order of the policies.
///
/// # Panics
/// If two policies met different requests (I7), which is a bug.
pub fn run(scenario: &Scenario, command: &str, threads: usize, progress: Progress<'_>) -> Result<Outcome, RunError> {
    let one = |policy: usize| -> Result<RunRecord, RunError> {
        let end = scenario.duration.as_secs_f64();
        let told = Mutex::new(0.0);
        scenario.simulation(policy, 0)?.run(&mut |now| {
            let share = now.as_secs_f64() / end;
            if let Ok(mut told) = told.lock()
                && (share - *told >= 0.01 || share >= 1.0)
            {
                *told = share;
                progress(policy, share);
            }
        })
    };
    let all = || (0..scenario.policies.len()).into_par_iter().map(one).collect::<Vec<_>>();
    let results = in_pool(threads, all);
    let runs: Vec<RunRecord> = results.into_iter().collect::<Result<_, _>>()?;
    for pair in runs.windows(2) {
        for (a, b) in pair[0].services.iter().zip(&pair[1].services) {
            assert!(
                a.demand_checksum == b.demand_checksum,
                "I7: {} met other requests under {}",
                a.name,
                pair[1].policy
            );
        }
    }
    let inputs = inputs(scenario).map_err(|error| RunError::Trace { at: crate::units::SimTime::ZERO, error })?;
    let bound =
        super::cost_bound(scenario).map_err(|error| RunError::Trace { at: crate::units::SimTime::ZERO, error })?;
    let mut warnings = warnings(&runs);
    let said = bound.as_ref().err().filter(|_| !scenario.objectives.is_empty());
    warnings.extend(said.map(|why| format!("No lower bound on cost: {why}.")));
    Ok(Outcome {
        scenario: scenario.name.clone(),
        title: scenario.title.clone(),
        description: scenario.description.trim().to_string(),
        command: command.to_string(),
        version: env!("CARGO_PKG_VERSION").to_string(),
        seed: scenario.seed,
        warnings,
        bound: bound.ok(),
        runs,
        inputs,
        assumptions: assumptions(scenario),
        price_date: scenario.price_date.clone(),
    })
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
                true => format!("trace of {} bytes, as it is", file.bytes),
                false => format!("trace of {} bytes, then {}", file.bytes, steps.join(", ")),
            };
            let checksum = format!("sha256:{}", file.sha256);
            facts.push(InputFact { name: file.path.display().to_string(), detail, checksum });
        }
    }
    Ok(facts)
}

/// What the model takes for granted, in sentences.
fn assumptions(scenario: &Scenario) -> Vec<String> {
    let mut said = Vec::new();
    for service in &scenario.services {
        let spec = &service.spec;
        said.push(match spec.model {
            ModelKind::Slots => format!(
                "A replica of {} serves {} requests at once; they do not slow each other down.",
                spec.name, spec.concurrency
            ),
            ModelKind::ProcessorSharing => {
                format!("The requests in a replica of {} share its CPU limit evenly, one core each at most.", spec.name)
            }
        });
        said.push(format!("Requests to {} are dispatched {}.", spec.name, spec.dispatch.summary));
        said.push(format!("At the start the replicas of {} are ready.", spec.name));
    }
    let metrics = &scenario.metrics;
    said.push(format!(
        "Metrics are scraped every {}, averaged over {}, and seen {} later.",
        metrics.interval, metrics.window, metrics.lag
    ));
    for outage in &scenario.outages {
        said.push(format!(
            "Zone {} is lost after {} for {}: replicas there are killed with their requests and replaced elsewhere at once; nodes of a \
             pool are paid for all the same.",
            scenario.zones[outage.zone as usize],
            outage.at.since(crate::units::SimTime::ZERO),
            outage.length
        ));
    }
    said.push(format!(
        "Replicas count as needed for the offered load at {} utilization.",
        scenario.reference_utilization
    ));
    said
}

/// What the reader should know before trusting the figures.
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
            if counts.arrived > 0 && counts.in_flight * 100 > counts.arrived {
                said.push(format!(
                    "{}: {} requests of {} were still in the system at the end and are judged neither good nor bad.",
                    run.policy, counts.in_flight, service.name
                ));
            }
        }
    }
    said
}
