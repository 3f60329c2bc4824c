//! The closed loop: the simulated cluster drives the simulated HPA, and only the load is recorded.
//!
//! * Runs scaled on CPU: every pod uses its CPU limit all the time, so the load per pod is constant. Metrics arrive at
//!   the recorded resolution and by the rules of metrics-server.
//! * Runs scaled on requests: arrivals are evenly spaced at the total rate implied by the HPA's own metric (average per
//!   pod times the number of reporting pods). It was recorded *behind* Prometheus, whose `rate` delays and smooths it.
//!   The simulated pipeline therefore adds no delay, and the value seen by a recorded sync arrives in the period before
//!   that sync.
//!
//! The times of the controller's syncs and of the scrapes are inferred from the status as far as it determines them
//! (`timing.rs`), without using the rescales. All remaining possibilities are simulated. Where the metric disappears
//! after the last rescale, those are kept that lose it at the most of these syncs, and simulated again at a finer
//! resolution. The prediction is the most frequent sequence of sizes, each size at its median time.
//!
//! That a metric disappears says more than that it stays: it needs all containers to be gone or young, while one that
//! ended a second later than the others is enough for a metric. So losses that were not recorded count for nothing.

use std::collections::BTreeMap;

use super::kind::{Measured, RecordedRun, Rescale};
use super::timing::{READ, SCRAPE_STEP, Sync, Timing, timing};
use crate::cluster::{DemandModel, Restart, ServiceSpec, StartUp};
use crate::engine::{DecisionRecord, MetricsSpec, RunError, RunSpec, ServiceRun, Simulation};
use crate::policy::ReasonCode;
use crate::policy::hpa::{ControllerFlags, HpaPolicy};
use crate::random::{Distribution, Streams};
use crate::units::{Millicores, SimDuration, SimTime};
use crate::workload::{RequestBatch, TraceError, TraceSource};

/// Maximum distance in seconds between a simulated and a recorded rescale to the same size that count as a match.
pub const WITHIN: f64 = 15.0;
/// Resolution of metrics-server in seconds if none was recorded.
const RESOLUTION: u64 = 15;
/// Polling interval of the recordings in seconds.
const POLL: u64 = 5;
/// Seconds from the end of a container to the start of the next one, and from scheduling a pod to starting its
/// container. The image is pulled every time.
const START: f64 = 3.0;
/// Parts into which the resolution of the scrapes is divided where the losses of the metric tell more about them.
const FINER: u32 = 4;

/// A recorded run and its simulation.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// Name of the run.
    pub name: String,
    /// What the real HPA did.
    pub recorded: Vec<Rescale>,
    /// What the simulated one did.
    pub simulated: Vec<Rescale>,
    /// Number of recorded rescales with a simulated one to the same size within [`WITHIN`] seconds.
    pub matched: usize,
    /// Number of recorded rescales with a simulated one to the same size at any time.
    pub same_size: usize,
    /// Possible times of syncs and scrapes.
    pub timing: Timing,
    /// Whether the load restarts containers.
    pub restarts: bool,
    /// Share of the recorded rescales that match, averaged over all possible timings.
    pub matched_in_any_phase: f64,
    /// Time-averaged number of replicas, recorded and simulated.
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
        Measured::Cpu => run.resolution.map_or(RESOLUTION, |resolution| resolution.as_nanos() / 1_000_000_000).max(1),
        Measured::RequestRate => POLL,
    };
    let mut timing = timing(&run.status, resolution, run.measured == Measured::Cpu);
    let losses = if run.measured == Measured::Cpu { run.losses() } else { Vec::new() };
    let pairs = timing.syncs.iter().flat_map(|sync| timing.scrapes.iter().map(|scrape| (*sync, *scrape)));
    let mut kept = best_of(run, resolution, &losses, pairs.collect())?;
    if !losses.is_empty() {
        let finer = |(sync, scrape): (Sync, f64)| {
            (0..FINER)
                .map(move |part| (sync, scrape + SCRAPE_STEP * ((f64::from(part) + 0.5) / f64::from(FINER) - 0.5)))
        };
        kept = best_of(run, resolution, &losses, kept.iter().flat_map(|(pair, _)| finer(*pair)).collect())?;
        timing.keep(kept.iter().map(|(pair, _)| *pair));
        timing.losses = losses.len();
        timing.lost = kept.iter().map(|(_, simulated)| simulated.loses(&losses)).max().unwrap_or(0);
    }
    let simulated: Vec<Vec<Rescale>> = kept.into_iter().map(|(_, simulated)| simulated.rescales).collect();
    let matched: usize = simulated.iter().map(|simulated| matches(&recorded, simulated, WITHIN)).sum();
    let all = (simulated.len() * recorded.len()).max(1);
    let simulated = centre(&simulated);
    let (end, start) = (f64::from(run.end), run.spec.min_replicas);
    Ok(Comparison {
        name: run.name.clone(),
        matched: matches(&recorded, &simulated, WITHIN),
        same_size: matches(&recorded, &simulated, f64::INFINITY),
        matched_in_any_phase: matched as f64 / all as f64,
        mean_replicas: [mean(&recorded, start, end), mean(&simulated, start, end)],
        timing,
        restarts: run.restarts,
        recorded,
        simulated,
        end,
    })
}

/// A timing (of the controller, and the first scrape in seconds) and the run simulated with it.
type Timed = ((Sync, f64), Simulated);

/// A simulated run.
struct Simulated {
    rescales: Vec<Rescale>,
    /// Times in seconds of the first sync without a metric, after one with a metric.
    lost: Vec<f64>,
}

impl Simulated {
    /// Number of the recorded losses of the metric, each within a pair of polls, that were simulated.
    fn loses(&self, recorded: &[(f64, f64)]) -> usize {
        let simulated = |(from, until): &&(f64, f64)| self.lost.iter().any(|at| from < at && at <= until);
        recorded.iter().filter(simulated).count()
    }
}

/// Simulates every timing; returns those that lose the metric at the most of the recorded losses.
fn best_of(
    run: &RecordedRun,
    resolution: u64,
    losses: &[(f64, f64)],
    timings: Vec<(Sync, f64)>,
) -> Result<Vec<Timed>, RunError> {
    let simulated = timings
        .into_iter()
        .map(|(sync, scrape)| simulate(run, resolution, scrape, sync).map(|simulated| ((sync, scrape), simulated)));
    let mut all = simulated.collect::<Result<Vec<_>, _>>()?;
    let most = all.iter().map(|(_, simulated)| simulated.loses(losses)).max().unwrap_or(0);
    all.retain(|(_, simulated)| simulated.loses(losses) == most);
    Ok(all)
}

/// The most frequent sequence of sizes (the first in order, if several are), each size at its median time.
fn centre(all: &[Vec<Rescale>]) -> Vec<Rescale> {
    let mut by_sizes: BTreeMap<Vec<u32>, Vec<&Vec<Rescale>>> = BTreeMap::new();
    all.iter().for_each(|run| by_sizes.entry(run.iter().map(|r| r.to).collect()).or_default().push(run));
    let most = by_sizes.values().map(Vec::len).max().unwrap_or(0);
    let Some(alike) = by_sizes.values().find(|runs| runs.len() == most) else { return Vec::new() };
    let median = |index: usize| {
        let mut at: Vec<f64> = alike.iter().map(|run| run[index].at).collect();
        at.sort_by(f64::total_cmp);
        Rescale { at: (at[(at.len() - 1) / 2] + at[at.len() / 2]) / 2.0, ..alike[0][index] }
    };
    (0..alike.first().map_or(0, |run| run.len())).map(median).collect()
}

/// Number of recorded rescales with a simulated one to the same size within `within` seconds; each simulated one
/// matches once.
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

fn simulate(run: &RecordedRun, resolution: u64, scrape: f64, sync: Sync) -> Result<Simulated, RunError> {
    let seconds = SimDuration::from_secs;
    let part = |seconds: f64| SimDuration::from_secs_f64(seconds).unwrap_or_default();
    let flags = ControllerFlags { sync_period: part(sync.period), ..ControllerFlags::default() };
    let source = EvenlySpaced::new(&load(run, sync), f64::from(run.end));
    let policy = HpaPolicy::new(run.spec.clone(), flags);
    let services = vec![ServiceRun::new(service(run), Box::new(source), Box::new(policy))];
    let spec = RunSpec {
        metrics: MetricsSpec {
            interval: seconds(resolution),
            window: seconds(resolution),
            first: part(scrape),
            first_decision: Some(part(sync.first)),
            ..MetricsSpec::default()
        },
        ..RunSpec::new(run.name.as_str(), Streams::new(1, 0), SimTime::from_secs(run.end.into()), services)
    };
    let record = Simulation::new(spec)?.run(&mut |_| ())?;
    let decisions: Vec<DecisionRecord> = record.services.into_iter().flat_map(|service| service.decisions).collect();
    let without = |decision: &DecisionRecord| decision.code == ReasonCode::NoData;
    let pairs = decisions.iter().zip(decisions.iter().skip(1));
    let lost = pairs.filter(|(a, b)| !without(a) && without(b)).map(|(_, b)| b.at.as_secs_f64()).collect();
    let rescales = decisions.iter().filter(|decision| decision.from != decision.to);
    let rescales = rescales.map(|d| Rescale { at: d.at.as_secs_f64(), from: d.from, to: d.to }).collect();
    Ok(Simulated { rescales, lost })
}

/// A pod as in the recordings. Clients wait for every response, so no request is lost.
fn service(run: &RecordedRun) -> ServiceSpec {
    let seconds = |value| Distribution::Constant { value };
    // The probe starts after 3 s and repeats every 5 s; the image is present. Pods that only use CPU have no probe, and
    // the kubelet reports them ready at its next check, once per second.
    let (busy, started, ready) = match run.measured {
        Measured::Cpu => (run.limit.as_cores(), START, 0.5),
        Measured::RequestRate => (0.0, 1.0, 5.0),
    };
    let restart = |(start, end): &(u32, u32)| Restart {
        at: SimTime::from_secs(u64::from(*end)),
        older_than: SimDuration::from_secs(u64::from(end - start)),
    };
    ServiceSpec {
        replicas: run.spec.min_replicas,
        cpu_request: Some(run.request),
        cpu_limit: Some(Millicores::new(1000)),
        concurrency: 1000,
        cpu_per_busy_second: 0.0,
        cpu_idle: busy,
        start_up: StartUp { started: seconds(started), ready: seconds(ready), ..StartUp::default() },
        grace_period: SimDuration::ZERO,
        restarts: if run.restarts { run.high.iter().map(restart).collect() } else { Vec::new() },
        ..ServiceSpec::new("recorded", DemandModel::Drawn(seconds(0.05)))
    }
}

/// (seconds, requests per second from then on) of all pods together, as the HPA saw it. The value seen by a sync
/// arrives in the period before it.
fn load(run: &RecordedRun, sync: Sync) -> Vec<(f64, f64)> {
    let count = |(_, total, average): &(u32, f64, f64)| (total / average).round();
    let known: Vec<&(u32, f64, f64)> = run.rates.iter().filter(|(_, _, average)| *average > 0.0).collect();
    // Total and average were queried one after the other, possibly with a scrape in between: up to the number of pods,
    // a pod counts as reporting if it does in the sample before or after the sync.
    let reporting = |at: f64, pods: u32| {
        let next = known.partition_point(|(sampled, ..)| f64::from(*sampled) <= at);
        let around = known[next.saturating_sub(1)..(next + 1).min(known.len())].iter();
        around.map(|sample| count(sample)).fold(0.0, f64::max).min(f64::from(pods))
    };
    let levels = run.status.iter().filter_map(|status| {
        let seen = sync.last_before(f64::from(status.at) + READ)?;
        Some((seen - sync.period, status.metric? * reporting(seen, status.current)))
    });
    let mut load: Vec<(f64, f64)> = levels.map(|(at, rate)| (at.max(0.0), rate)).collect();
    // Of the polls after a sync, the last one certainly shows its result.
    load.dedup_by(|later, kept| {
        later.0 == kept.0 && {
            *kept = *later;
            true
        }
    });
    load
}

/// Evenly spaced requests at a given rate: one whenever the integral of the rate passes half a number more than a whole
/// one.
struct EvenlySpaced {
    arrivals: Vec<SimTime>,
}

impl EvenlySpaced {
    /// Each of `rates` holds from its own time to that of the next.
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
    use super::super::kind::{Status, read_runs};
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
    fn the_centre_is_the_most_frequent_sequence_at_its_median_times() {
        let run = |at: [f64; 2], to: [u32; 2]| {
            vec![Rescale { at: at[0], from: 1, to: to[0] }, Rescale { at: at[1], from: to[0], to: to[1] }]
        };
        let all =
            [run([1.0, 2.0], [4, 9]), run([5.0, 30.0], [4, 8]), run([7.0, 20.0], [4, 8]), run([6.0, 25.0], [4, 8])];
        assert_eq!(centre(&all), run([6.0, 25.0], [4, 8]));
        assert_eq!(centre(&all[1..3]), run([6.0, 25.0], [4, 8]));
        assert_eq!(centre(&[]), Vec::new());
    }

    #[test]
    fn the_losses_of_the_metric_tell_when_it_was_scraped() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        let params = r#"{ "min_replicas": 4, "max_replicas": 24, "cpu_request_m": 100, "cpu_limit_m": 200,
            "runs": { "made-up": { "target_pct": 60, "metrics_server_resolution_s": 30 } } }"#;
        let high = |start: u32| format!("{start},high,start\n{},high,end\n", start + 100);
        let phases: String = (0..5).map(|cycle| high(200 * cycle)).collect();
        std::fs::create_dir(at.join("made-up")).unwrap();
        std::fs::write(at.join("params.json"), params).unwrap();
        std::fs::write(at.join("made-up/phases.csv"), format!("t_s,phase,action\n{phases}")).unwrap();
        let status = "t_s,currentReplicas,desiredReplicas,currentCPUUtilizationPercent\n10,4,4,200\n1000,4,4,200\n";
        std::fs::write(at.join("made-up/hpa.csv"), status).unwrap();
        let mut run = read_runs(at).unwrap().runs.remove(0);
        run.restarts = true;
        let (sync, scrape) = (Sync { period: 15.02, first: 9.5 }, 12.6);
        let made = simulate(&run, 30, scrape, sync).unwrap();
        assert!(made.lost.len() >= 3, "{:?}", made.lost);
        // What a poll every 5 s shows of it; the metric is away for two syncs.
        let first = made.rescales[0].at;
        let shown = |at: u32| {
            let poll = f64::from(at);
            let last = made.rescales.iter().rev().find(|rescale| rescale.at <= poll);
            let away = made.lost.iter().any(|lost| *lost <= poll && poll < lost + 30.04);
            let deciding = last.filter(|rescale| poll < rescale.at + 15.0).map(|rescale| rescale.from);
            let size = last.map_or(4, |rescale| rescale.to);
            let metric = (poll >= first && !away).then_some(200.0);
            Status { at, current: deciding.unwrap_or(size), desired: size, metric }
        };
        run.status = (10..1000).step_by(5).map(shown).collect();
        let found = compare(&run).unwrap();
        let timing = &found.timing;
        assert_eq!((timing.losses, timing.lost), (made.lost.len(), made.lost.len()), "{timing:?}");
        assert!(timing.scrapes.iter().all(|possible| (possible - scrape).abs() < 1.5), "{timing:?}");
        assert_eq!((found.recorded.len(), found.matched), (made.rescales.len(), made.rescales.len()), "{found:?}");
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
