//! The workloads that measure speed: of the engine alone, of a whole run, and of the readers of traces.
//!
//! W1 and W2 are the same as run by hand-written kernels and other simulators.

mod files;

use std::path::Path;

use crate::cluster::{DISPATCHERS, DemandModel, OnTimeout, Retry, ServiceSpec, Timeout};
use crate::engine::{Objective, RunSpec, ServiceRun, Simulation};
use crate::policy::{Decision, Measure, Observation, Reason, ReasonCode, ScalingPolicy};
use crate::random::{Distribution, Draw, Purpose, Streams};
use crate::serving::{AllCpu, ServingModel};
use crate::units::{Fraction, Millicores, SimDuration, SimTime};
use crate::workload::{RequestBatch, TraceError, TraceSource};

/// A workload of the benchmark.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// Name.
    pub name: &'static str,
    /// What it is.
    pub summary: &'static str,
    /// How it is built.
    pub build: Build,
}

/// How a workload is built for a number of requests.
#[derive(Debug, Clone, Copy)]
pub enum Build {
    /// A run of the engine, for a number of requests and a seed.
    Engine(fn(u64, u64) -> RunSpec),
    /// Work on files, which it writes to a directory.
    Files(fn(u64, &Path) -> Result<Prepared, String>),
}

/// Makes what is measured, once for each round.
pub type Prepared = Box<dyn Fn() -> Result<Measured, String>>;

/// What is measured. Returns the number of its requests.
pub type Measured = Box<dyn FnOnce() -> Result<u64, String>>;

impl Workload {
    /// The workload of about `requests` requests; files that it reads are written to `directory`, which belongs to it.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn prepare(&self, requests: u64, directory: &Path) -> Result<Prepared, String> {
        match self.build {
            Build::Files(prepare) => prepare(requests, directory),
            Build::Engine(build) => Ok(Box::new(move || {
                let simulation = Simulation::new(build(requests, 1)).map_err(|error| error.to_string())?;
                Ok(Box::new(move || {
                    let record = simulation.run(&mut |_| {}).map_err(|error| error.to_string())?;
                    Ok(record.services.iter().map(|service| service.counts.arrived).sum())
                }))
            })),
        }
    }

    /// Its run of the engine, if it is one.
    pub fn run_spec(&self, requests: u64, seed: u64) -> Option<RunSpec> {
        match self.build {
            Build::Engine(build) => Some(build(requests, seed)),
            Build::Files(_) => None,
        }
    }
}

/// All workloads.
pub const WORKLOADS: &[Workload] = &[
    Workload {
        name: "W1",
        summary: "M/M/50 at load 0.8: one FIFO queue, Poisson arrivals 400/s, exponential service of 100 ms",
        build: Build::Engine(mm50),
    },
    Workload {
        name: "W2",
        summary: "a pool resized every 15 s by utilization under sinusoidal load, 4 slots a replica, least loaded",
        build: Build::Engine(elastic_pool),
    },
    Workload {
        name: "pool-10",
        summary: "10 replicas of 4 slots at load 0.7, least loaded",
        build: Build::Engine(|requests, seed| fixed_pool(10, "least-loaded", requests, seed)),
    },
    Workload {
        name: "pool-10000",
        summary: "10,000 replicas of 4 slots at load 0.7, least loaded",
        build: Build::Engine(|requests, seed| fixed_pool(10_000, "least-loaded", requests, seed)),
    },
    Workload {
        name: "sharing",
        summary: "10 replicas at load 0.7 that share 4 cores among all their requests, least loaded",
        build: Build::Engine(sharing_pool),
    },
    Workload {
        name: "retries",
        summary: "10 replicas of 4 slots at load 0.9, least loaded; clients give up after 200 ms, then retry up to twice",
        build: Build::Engine(retrying_pool),
    },
    Workload {
        name: "power-of-two",
        summary: "10 replicas of 4 slots at load 0.7, the less loaded of two",
        build: Build::Engine(|requests, seed| fixed_pool(10, "power-of-two", requests, seed)),
    },
    Workload {
        name: "weighted",
        summary: "10 replicas of 4 slots at load 0.7, weighted round robin",
        build: Build::Engine(|requests, seed| fixed_pool(10, "weighted", requests, seed)),
    },
    files::PROGRAM,
    files::COUNTS,
    files::ACCESS_LOG,
    #[cfg(feature = "tables")]
    files::PARQUET,
    files::CSV,
];

/// W1. Exact: P(wait) 0.086953, mean wait 0.869525 ms (Erlang C).
pub fn mm50(requests: u64, seed: u64) -> RunSpec {
    let spec = service("W1", 1, 50);
    run("W1", requests, 400.0, seed, spec, Box::new(Unscaled), |_| 400.0)
}

/// W2. Arrivals 2000 (1 + 0.5 sin(2 pi t / 1200 s)) per second, constant within each second; replicas start in 60 s.
pub fn elastic_pool(requests: u64, seed: u64) -> RunSpec {
    let mut spec = service("W2", 72, 4);
    spec.start_up.ready = Distribution::Constant { value: 60.0 };
    run("W2", requests, 2000.0, seed, spec, Box::new(Threshold), wave)
}

/// Requests per second of a sinusoidal load.
fn wave(second: u64) -> f64 {
    2000.0 * (1.0 + 0.5 * (std::f64::consts::TAU * second as f64 / 1200.0).sin())
}

/// A fixed pool of `replicas` with 4 slots each at load 0.7, to measure how cost grows with the size of the pool.
pub fn fixed_pool(replicas: u32, dispatcher: &str, requests: u64, seed: u64) -> RunSpec {
    let mut spec = service("pool", replicas, 4);
    spec.dispatch = DISPATCHERS.iter().find(|plugin| plugin.name == dispatcher).unwrap_or(&DISPATCHERS[0]);
    let rate = f64::from(replicas) * 4.0 * 0.7 / 0.1;
    run("pool", requests, rate, seed, spec, Box::new(Unscaled), move |_| rate)
}

/// A fixed pool of 10 replicas at load 0.7, in each of which all requests share 4 cores.
pub fn sharing_pool(requests: u64, seed: u64) -> RunSpec {
    let mut spec = service("sharing", 10, u32::MAX);
    spec.model = ServingModel::ProcessorSharing(AllCpu);
    spec.cpu_limit = Some(Millicores::new(4_000));
    run("sharing", requests, 280.0, seed, spec, Box::new(Unscaled), |_| 280.0)
}

/// A fixed pool of 10 replicas at load 0.9 whose clients give up after 200 ms and retry up to twice with jitter.
pub fn retrying_pool(requests: u64, seed: u64) -> RunSpec {
    let mut spec = service("retries", 10, 4);
    spec.timeout = Some(Timeout { after: SimDuration::from_millis(200), work: OnTimeout::CancelWaiting });
    spec.retry = Some(Retry {
        attempts: 3,
        backoff: SimDuration::from_millis(100),
        max_backoff: SimDuration::from_secs(1),
        jitter: true,
        budget: Fraction::new(1.0).unwrap_or_default(),
        reserve: 100,
    });
    run("retries", requests, 360.0, seed, spec, Box::new(Unscaled), |_| 360.0)
}

fn service(name: &str, replicas: u32, concurrency: u32) -> ServiceSpec {
    ServiceSpec {
        replicas,
        concurrency,
        grace_period: SimDuration::from_secs(3600),
        ..ServiceSpec::new(name, DemandModel::Drawn(Distribution::Exponential { mean: 0.1 }))
    }
}

fn run(
    name: &str,
    requests: u64,
    mean_rate: f64,
    seed: u64,
    spec: ServiceSpec,
    policy: Box<dyn ScalingPolicy>,
    rate: impl Fn(u64) -> f64 + Send + 'static,
) -> RunSpec {
    let streams = Streams::new(seed, 0);
    let seconds = requests as f64 / mean_rate;
    let draw = streams.running(Purpose::Arrival, 0);
    let source = SecondlyPoisson { rate, draw, second: 0, end: u64::MAX, at: 0.0 };
    let objective =
        Objective { within: Some(SimDuration::from_millis(500)), target: Fraction::new(0.99).unwrap_or_default() };
    let end = SimTime::from_nanos((seconds * 1e9) as u64);
    let services = vec![ServiceRun::new(spec, Box::new(source), policy)];
    RunSpec { objectives: vec![objective], ..RunSpec::new(name, streams, end, services) }
}

/// Poisson arrivals at a rate that is constant within each second.
struct SecondlyPoisson<F> {
    rate: F,
    draw: Draw,
    second: u64,
    /// The second at which they end.
    end: u64,
    /// Nanoseconds since the start of the current second.
    at: f64,
}

impl<F: Fn(u64) -> f64 + Send> TraceSource for SecondlyPoisson<F> {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        while batch.len() < RequestBatch::TARGET_LEN && self.second < self.end {
            let mean_gap = 1e9 / (self.rate)(self.second);
            let start = self.second * 1_000_000_000;
            // The exponential is memoryless: at each new second the interarrival time is drawn anew at the new rate.
            loop {
                self.at += mean_gap * self.draw.exponential();
                if self.at >= 1e9 {
                    break;
                }
                batch.arrivals.push(SimTime::from_nanos(start + self.at as u64));
            }
            self.second += 1;
            self.at = 0.0;
        }
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        (self.end < u64::MAX).then(|| SimDuration::from_secs(self.end))
    }
}

/// Never changes the size.
struct Unscaled;

impl ScalingPolicy for Unscaled {
    fn sync_period(&self) -> SimDuration {
        SimDuration::from_secs(15)
    }

    fn decide(&mut self, _observation: &Observation<'_>) -> Decision {
        Decision::hold(Reason::new(ReasonCode::Fixed, "fixed"))
    }
}

/// Utilization of slots against a target of 0.7 with a tolerance of 0.1, between 2 and 200 replicas.
struct Threshold;

impl ScalingPolicy for Threshold {
    fn sync_period(&self) -> SimDuration {
        SimDuration::from_secs(15)
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        let ready = observation.replicas.iter().filter(|replica| replica.is_ready()).count() as f64;
        let Some(scrape) = observation.scrape.filter(|_| ready > 0.0) else {
            return Decision::hold(Reason::new(ReasonCode::NoData, "no scrape yet"));
        };
        let ratio = scrape.totals[Measure::InFlight] / (4.0 * ready) / 0.7;
        if (ratio - 1.0).abs() <= 0.1 {
            return Decision::hold(Reason::new(ReasonCode::WithinTolerance, "within 0.1 of the target"));
        }
        let desired = (ready * ratio).ceil().clamp(2.0, 200.0) as u32;
        Decision::scale_to(desired, Reason::new(ReasonCode::Target, "utilization"))
    }
}
