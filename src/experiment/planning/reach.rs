//! Objectives that no number of replicas can meet, because the service time alone is too long.

use crate::cluster::DemandModel;
use crate::engine::Objective;
use crate::random::{Distribution, Streams};
use crate::scenario::Scenario;
use crate::serving::Serving;
use crate::units::{SimDuration, SimTime};
use crate::workload::{RequestBatch, TraceError};

/// A latency objective of a service that is out of reach.
#[derive(Debug, Clone, PartialEq)]
pub struct OutOfReach {
    /// The service.
    pub service: String,
    /// The objective in words.
    pub objective: String,
    /// The objective's limit.
    pub within: SimDuration,
    /// The share of requests that take longer than the limit even without waiting.
    pub too_long: f64,
    /// The share that the objective allows.
    pub allowed: f64,
    /// Whether this does not depend on the sample of requests: it follows from the distribution or a recording, or the
    /// sample would have to be off by four standard deviations.
    pub certain: bool,
}

/// The latency objectives that are missed even if no request ever waits, is lost or is slowed down: those for which too
/// many demands exceed the limit at the fastest speed of a request alone. For demands drawn from a distribution this is
/// computed directly; otherwise the requests of replication 0 are read. Closed loops with demands that depend on tokens
/// are left out, and so are requests that are served together.
///
/// # Errors
/// If a trace cannot be read.
pub fn out_of_reach(scenario: &Scenario) -> Result<Vec<OutOfReach>, TraceError> {
    let mut found = out_of_reach_by_distribution(scenario)?;
    for (number, service) in scenario.services.iter().enumerate() {
        let adds_up = service.spec.model.is_additive();
        if !adds_up || service.workload.clients().is_some() || drawn(scenario, number)?.is_some() {
            continue;
        }
        let fastest = service.fastest(&scenario.pools);
        let limits: Vec<(&Objective, SimDuration)> =
            scenario.objectives.iter().filter_map(|o| Some((o, o.within?.scale(fastest)))).collect();
        // (eligible, good) by objective.
        let mut seen = vec![(0_u64, 0_u64); limits.len()];
        let (warm_up, end) = (scenario.warm_up.as_nanos(), SimTime::ZERO + scenario.duration);
        scenario.requests(number, 0, |arrival, demand| {
            if arrival.as_nanos() < warm_up {
                return;
            }
            for ((judged, good), (objective, limit)) in seen.iter_mut().zip(&limits) {
                let in_time = demand <= *limit;
                // A request that takes too long is left out if its limit is after the end.
                let overdue = objective.within.is_some_and(|within| arrival.saturating_add(within) < end);
                *judged += u64::from(in_time || overdue);
                *good += u64::from(in_time);
            }
        })?;
        let recorded = service.workload.trace().is_some() && service.workload.steps().is_empty();
        for ((objective, _), (judged, good)) in limits.into_iter().zip(seen).filter(|(_, (judged, _))| *judged > 0) {
            let too_long = 1.0 - good as f64 / judged as f64;
            let chance = (too_long * (1.0 - too_long) / judged as f64).sqrt();
            let allowed = 1.0 - objective.target.get();
            let certain = recorded || too_long - allowed > 4.0 * chance;
            found.extend(OutOfReach::of(&service.spec.name, objective, too_long, certain));
        }
    }
    Ok(found)
}

/// The part of [`out_of_reach`] that follows from the distribution of the service time: nothing is simulated, and only
/// the head of a trace is read.
///
/// # Errors
/// If a trace cannot be opened.
pub fn out_of_reach_by_distribution(scenario: &Scenario) -> Result<Vec<OutOfReach>, TraceError> {
    let mut found = Vec::new();
    for (number, service) in scenario.services.iter().enumerate() {
        let Some(distribution) = drawn(scenario, number)?.filter(|_| service.spec.model.is_additive()) else {
            continue;
        };
        let fastest = service.fastest(&scenario.pools);
        for objective in &scenario.objectives {
            let Some(limit) = objective.within.map(|within| within.scale(fastest)) else { continue };
            let too_long = distribution.exceeds(limit.as_secs_f64());
            // Of the requests that arrive within the limit of the end, those that take too long are left out.
            let length = scenario.duration.as_secs_f64() - scenario.warm_up.as_secs_f64();
            let judged = 1.0 - objective.within.map_or(0.0, SimDuration::as_secs_f64) / length.max(1e-9);
            let is_missed = too_long * judged > 1.0 - objective.target.get();
            found.extend(OutOfReach::of(&service.spec.name, objective, too_long, true).filter(|_| is_missed));
        }
    }
    Ok(found)
}

/// The distribution of a service's demands; `None` if the requests bring their own, or there are none.
fn drawn(scenario: &Scenario, number: usize) -> Result<Option<&Distribution>, TraceError> {
    let service = &scenario.services[number];
    let DemandModel::Drawn(distribution) = &service.spec.demand else { return Ok(None) };
    if service.workload.clients().is_some() {
        return Ok(Some(distribution));
    }
    let mut batch = RequestBatch::default();
    service.workload.open(Streams::new(scenario.seed, 0), number as u64)?.fill(&mut batch)?;
    Ok((!batch.is_empty() && batch.demands.is_empty()).then_some(distribution))
}

impl OutOfReach {
    /// The objective and the reason, as text.
    pub fn text(&self) -> String {
        let percent = |share: f64| {
            let decimals = (1.0 - (share * 100.0).log10().floor()).clamp(0.0, 9.0);
            format!("{:.1$}%", share * 100.0, if decimals.is_finite() { decimals as usize } else { 0 })
        };
        format!(
            "{}: no fleet can keep \"{}\": P(service time > {}) = {}, and {} may take longer",
            self.service,
            self.objective,
            self.within,
            percent(self.too_long),
            percent(self.allowed)
        )
    }

    /// The objective, if too many requests take too long.
    fn of(service: &str, objective: &Objective, too_long: f64, certain: bool) -> Option<OutOfReach> {
        let allowed = 1.0 - objective.target.get();
        let within = objective.within.filter(|_| too_long > allowed + 1e-9)?;
        let (service, objective) = (service.to_string(), objective.text());
        Some(OutOfReach { service, objective, within, too_long, allowed, certain })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    /// Tails agree with samples to within four standard deviations.
    #[test]
    fn tails_are_those_of_the_samples() {
        let all = [
            Distribution::Constant { value: 0.2 },
            Distribution::Uniform { low: 0.1, high: 0.3 },
            Distribution::Exponential { mean: 0.2 },
            Distribution::lognormal(0.2, 1.0),
            Distribution::Weibull { shape: 0.7, scale: 0.2 },
            Distribution::Gamma { shape: 2.5, scale: 0.1 },
            Distribution::Pareto { shape: 1.5, min: 0.1, max: 2.0 },
            Distribution::Pareto { shape: 1.5, min: 0.1, max: f64::INFINITY },
            Distribution::hyperexponential_balanced(0.2, 4.0),
            Distribution::Empirical { values: vec![0.1, 0.2, 0.2, 0.9] },
        ];
        const SAMPLES: usize = 40_000;
        for (number, distribution) in all.iter().enumerate() {
            let mut draw = Streams::new(7, 0).running(Purpose::Demand, number as u64);
            let samples: Vec<f64> = (0..SAMPLES).map(|_| distribution.sample(&mut draw)).collect();
            for x in [-1.0, 0.0, 0.05, 0.15, 0.2, 0.5, 1.5] {
                let seen = samples.iter().filter(|sample| **sample > x).count() as f64 / SAMPLES as f64;
                let p = distribution.exceeds(x);
                let slack = 4.0 * (p * (1.0 - p) / SAMPLES as f64).sqrt() + 1e-12;
                assert!((seen - p).abs() <= slack, "{distribution:?} beyond {x}: {p}, seen {seen}");
            }
        }
        // Lognormal with mean 120 ms and cv 1 beyond 500 ms: erfc(ln(500 / 84.85) / sqrt(2 ln 2)) / 2 = 1.6569%.
        let tail = Distribution::lognormal(0.12, 1.0).exceeds(0.5);
        assert!((tail - 0.016_568_529).abs() < 1e-8, "{tail}");
    }
}
