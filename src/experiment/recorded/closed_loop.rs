//! The loop closed: the simulated cluster feeds the simulated HPA, and only the load is the recording's.
//!
//! * Runs scaled on CPU: every pod burns its CPU limit all the time, so the load is a constant of the pod. The metrics come
//!   at the recorded resolution.
//! * Runs scaled on requests: the total rate that the HPA's own metric implies (average per pod times the pods that
//!   reported) arrives, evenly spaced. It was recorded *behind* Prometheus, whose rate delays and smooths it; so the
//!   simulated pipeline adds nothing but its own short window, which the arrivals are moved ahead by.
//!
//! Not recorded are the first scrape, whose pipeline was itself started with the run, and the phase of the controller. They
//! are chosen so that the *first* rescale comes as near to the recorded one as it can; every later one is a prediction. What
//! all choices give together is stated beside it.

use super::kind::{Measured, RecordedRun, Rescale};
use crate::cluster::{DISPATCHERS, DemandModel, ModelKind, PodSpec, ServiceSpec, StartUp, UpdateSpec};
use crate::engine::{MetricsSpec, RunError, RunSpec, ServiceRun, Simulation};
use crate::policy::hpa::{ControllerFlags, HpaPolicy};
use crate::random::{Distribution, Streams};
use crate::units::{Bytes, Millicores, SimDuration, SimTime, Utilization};
use crate::workload::{RequestBatch, TraceError, TraceSource};

/// A simulated rescale matches a recorded one to the same size at most this many seconds away.
pub const WITHIN: f64 = 15.0;
/// Sync period of the controller, and resolution of the metrics where none is recorded, in seconds.
const PERIOD: u64 = 15;
/// The runs were polled this often, in seconds.
const POLL: u64 = 5;

/// A recorded run and its simulation.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Name of the run.
    pub name: String,
    /// What the real HPA did.
    pub recorded: Vec<Rescale>,
    /// What the simulated one did.
    pub simulated: Vec<Rescale>,
    /// Recorded rescales that the simulation made to the same size within [`WITHIN`] seconds.
    pub matched: usize,
    /// Recorded rescales to whose size the simulation came, whenever.
    pub same_size: usize,
    /// Share of the recorded rescales that match, averaged over all phases.
    pub matched_in_any_phase: f64,
    /// Time-averaged replicas: recorded and simulated.
    pub mean_replicas: [f64; 2],
    /// Length in seconds.
    pub end: f64,
}

/// Simulates a recorded run.
///
/// # Errors
/// None of its own; those of a run.
pub fn compare(run: &RecordedRun) -> Result<Comparison, RunError> {
    let recorded = run.rescales();
    let resolution = match run.measured {
        Measured::Cpu => run.resolution.map_or(PERIOD, |resolution| resolution.as_nanos() / 1_000_000_000).max(1),
        Measured::RequestRate => POLL,
    };
    let mut best: Option<(f64, Vec<Rescale>)> = None;
    let (mut matched, mut phases) = (0, 0);
    for scrape in 1..=2 * resolution {
        for decision in (1..=PERIOD).step_by(2) {
            let simulated = simulate(run, resolution, scrape, decision)?;
            matched += matches(&recorded, &simulated, WITHIN);
            phases += 1;
            let off = first_off(&recorded, &simulated);
            if best.as_ref().is_none_or(|(least, _)| off < *least) {
                best = Some((off, simulated));
            }
        }
    }
    let simulated = best.map(|(_, simulated)| simulated).unwrap_or_default();
    let (end, start) = (f64::from(run.end), run.spec.min_replicas);
    Ok(Comparison {
        name: run.name.clone(),
        matched: matches(&recorded, &simulated, WITHIN),
        same_size: matches(&recorded, &simulated, f64::INFINITY),
        matched_in_any_phase: matched as f64 / (phases * recorded.len()).max(1) as f64,
        mean_replicas: [mean(&recorded, start, end), mean(&simulated, start, end)],
        recorded,
        simulated,
        end,
    })
}

/// How far the first rescales are apart, in seconds.
fn first_off(recorded: &[Rescale], simulated: &[Rescale]) -> f64 {
    match (recorded.first(), simulated.first()) {
        // A poll sees a change half its period late on average.
        (Some(recorded), Some(simulated)) => (recorded.at - POLL as f64 / 2.0 - simulated.at).abs(),
        _ => f64::INFINITY,
    }
}

/// Recorded rescales with a simulated one to the same size within `within` seconds; each counts once.
fn matches(recorded: &[Rescale], simulated: &[Rescale], within: f64) -> usize {
    let mut free: Vec<&Rescale> = simulated.iter().collect();
    let mut takes = |recorded: &&Rescale| {
        let found = free.iter().position(|s| s.to == recorded.to && (s.at - recorded.at).abs() <= within);
        found.map(|index| free.remove(index)).is_some()
    };
    recorded.iter().filter(|rescale| takes(rescale)).count()
}

fn mean(rescales: &[Rescale], start: u32, end: f64) -> f64 {
    let (mut area, mut size, mut since) = (0.0, start, 0.0);
    for rescale in rescales {
        area += f64::from(size) * (rescale.at - since);
        (size, since) = (rescale.to, rescale.at);
    }
    (area + f64::from(size) * (end - since)) / end.max(1.0)
}

fn simulate(run: &RecordedRun, resolution: u64, scrape: u64, decision: u64) -> Result<Vec<Rescale>, RunError> {
    let seconds = SimDuration::from_secs;
    let spec = RunSpec {
        zones: 0,
        outages: Vec::new(),
        scenario: "recorded".into(),
        policy: run.name.clone(),
        streams: Streams::new(1, 0),
        end: SimTime::from_secs(run.end.into()),
        warm_up: SimTime::ZERO,
        interval: seconds(60),
        services: vec![ServiceRun {
            spec: service(run),
            source: Box::new(EvenlySpaced::new(&load(run), f64::from(run.end))),
            policy: Box::new(HpaPolicy::new(run.spec.clone(), ControllerFlags::default())),
            lease: None,
        }],
        nodes: None,
        node_leases: Vec::new(),
        metrics: MetricsSpec {
            interval: seconds(resolution),
            window: seconds(resolution),
            first: seconds(scrape),
            first_decision: Some(seconds(decision)),
            ..MetricsSpec::default()
        },
        objectives: Vec::new(),
        reference_utilization: Utilization::new(1.0).unwrap_or_default(),
    };
    let record = Simulation::new(spec)?.run(&mut |_| ())?;
    let decisions = record.services.into_iter().flat_map(|service| service.decisions);
    let rescales = decisions.filter(|decision| decision.from != decision.to);
    Ok(rescales.map(|d| Rescale { at: d.at.as_secs_f64(), from: d.from, to: d.to }).collect())
}

/// A pod as in the recordings; their clients wait for every answer, so no request is lost.
fn service(run: &RecordedRun) -> ServiceSpec {
    let seconds = |value| Distribution::Constant { value };
    // The probe begins after 3 s and comes every 5 s; pods that only burn CPU have none.
    let (busy, ready) = match run.measured {
        Measured::Cpu => (run.limit.as_cores(), 0.0),
        Measured::RequestRate => (0.0, 5.0),
    };
    ServiceSpec {
        name: "recorded".into(),
        replicas: run.spec.min_replicas,
        cpu_request: Some(run.request),
        cpu_limit: Some(Millicores::new(1000)),
        cpu_bought: None,
        memory_request: None,
        pod: PodSpec::default(),
        update: UpdateSpec::default(),
        concurrency: 1000,
        queue_limit: u32::MAX,
        demand: DemandModel::Drawn(seconds(0.05)),
        model: ModelKind::Slots,
        cpu_per_busy_second: 0.0,
        cpu_idle: busy,
        memory_base: Bytes::ZERO,
        memory_per_request: Bytes::ZERO,
        start_up: StartUp {
            scheduled: seconds(0.0),
            pulled: seconds(0.0),
            started: seconds(1.0),
            ready: seconds(ready),
        },
        grace_period: SimDuration::ZERO,
        dispatch: &DISPATCHERS[0],
        timeout: None,
        retry: None,
        crash: None,
    }
}

/// (seconds, requests per second from then on) of all pods together, as the HPA saw it.
fn load(run: &RecordedRun) -> Vec<(f64, f64)> {
    let reporting = |at: u32| {
        let known = || run.rates.iter().filter(|(_, _, average)| *average > 0.0);
        let next = known().find(|(sampled, ..)| *sampled >= at).or(known().next_back());
        next.map_or(0.0, |(_, total, average)| (total / average).round())
    };
    // A poll shows what the HPA saw up to a poll earlier; it saw the mean of the window before.
    let ahead = POLL as f64 * 1.5;
    let levels = run
        .status
        .iter()
        .filter_map(|status| Some((f64::from(status.at) - ahead, status.metric? * reporting(status.at))));
    levels.map(|(at, rate)| (at.max(0.0), rate)).collect()
}

/// Requests at a given rate, evenly spaced: one whenever the integral of the rate passes a whole number.
struct EvenlySpaced {
    arrivals: Vec<SimTime>,
}

impl EvenlySpaced {
    /// `rates` hold from their own moment to the next one's.
    fn new(rates: &[(f64, f64)], end: f64) -> Self {
        let mut arrivals = Vec::new();
        let mut due = 0.5;
        for (index, (from, rate)) in rates.iter().enumerate() {
            let until = rates.get(index + 1).map_or(end, |(next, _)| *next);
            let mut at = *from;
            while *rate > 0.0 && at + due / rate < until {
                at += due / rate;
                due = 1.0;
                arrivals.push(SimTime::from_nanos((at * 1e9) as u64));
            }
            due -= (until - at) * rate;
        }
        EvenlySpaced { arrivals }
    }
}

impl TraceSource for EvenlySpaced {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        batch.arrivals.append(&mut self.arrivals);
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evenly_spaced_requests_follow_the_integral_of_the_rate() {
        let rates = [(0.0, 0.25), (10.0, 0.0), (20.0, 2.0)];
        let at: Vec<f64> = EvenlySpaced::new(&rates, 22.0).arrivals.iter().map(|at| at.as_secs_f64()).collect();
        // The integral passes 0.5, 1.5 and 2.5 at 2 s, 6 s and 10 s; it is 2.5 until 20 s.
        assert_eq!(at.len(), 6);
        for (at, expected) in at.iter().zip([2.0, 6.0, 20.0, 20.5, 21.0, 21.5]) {
            assert!((at - expected).abs() < 1e-6, "{at} {expected}");
        }
    }

    #[test]
    fn a_rescale_is_matched_once_and_by_its_size() {
        let to = |at, to| Rescale { at, from: 1, to };
        let recorded = [to(10.0, 4), to(20.0, 4), to(50.0, 8)];
        assert_eq!(matches(&recorded, &[to(12.0, 4), to(60.0, 9)], WITHIN), 1);
        assert_eq!(matches(&recorded, &[to(12.0, 4), to(22.0, 4), to(70.0, 8)], WITHIN), 2);
        assert_eq!(matches(&recorded, &[to(12.0, 4), to(22.0, 4), to(70.0, 8)], f64::INFINITY), 3);
    }
}
