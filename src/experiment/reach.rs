//! Objectives that no number of replicas meets, because service alone takes too long.

use crate::engine::scenario::Scenario;
use crate::units::SimTime;
use crate::workload::TraceError;

/// A latency objective of a service that is out of reach.
#[derive(Debug, Clone, PartialEq)]
pub struct OutOfReach {
    /// The service.
    pub service: String,
    /// The objective in words.
    pub objective: String,
    /// The share of requests that would be answered in time without any wait.
    pub at_best: f64,
}

/// The latency objectives that are missed in replication 0 even if no request ever waits, is lost or is slowed: those of which too
/// many demands are longer than the limit, at the largest speed of a node. Closed loops are left out: their requests depend on
/// the answers.
///
/// # Errors
/// If a trace cannot be read.
pub fn out_of_reach(scenario: &Scenario) -> Result<Vec<OutOfReach>, TraceError> {
    let mut found = Vec::new();
    for (number, service) in scenario.services.iter().enumerate() {
        if service.workload.clients().is_some() {
            continue;
        }
        let limits: Vec<_> =
            scenario.objectives.iter().filter_map(|o| Some((o, o.within?.scale(scenario.largest_speed())))).collect();
        // (judged, good) by objective.
        let mut seen = vec![(0_u64, 0_u64); limits.len()];
        let (warm_up, end) = (scenario.warm_up.as_nanos(), SimTime::ZERO + scenario.duration);
        scenario.requests(number, 0, |arrival, demand| {
            if arrival.as_nanos() < warm_up {
                return;
            }
            for ((judged, good), (objective, limit)) in seen.iter_mut().zip(&limits) {
                let in_time = demand <= *limit;
                // One that takes too long is left out if its limit passes after the end.
                let overdue = objective.within.is_some_and(|within| arrival.saturating_add(within) < end);
                *judged += u64::from(in_time || overdue);
                *good += u64::from(in_time);
            }
        })?;
        for ((objective, _), (judged, good)) in limits.into_iter().zip(seen) {
            let at_best = if judged == 0 { 1.0 } else { good as f64 / judged as f64 };
            if at_best < objective.target.get() {
                let service = service.spec.name.clone();
                found.push(OutOfReach { service, objective: objective.text(), at_best });
            }
        }
    }
    Ok(found)
}
