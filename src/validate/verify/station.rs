//! Stations of queueing theory, expressed as services.

use std::sync::mpsc::{Sender, channel};

use super::arrivals::{Arrivals, Stream, nanos};
use crate::cluster::{DISPATCHERS, DemandModel, OnTimeout, ServiceSpec, Timeout};
use crate::engine::{MetricsSpec, RunError, RunRecord, RunSpec, ServiceRun, Simulation};
use crate::policy::{Decision, Measure, Observation, Reason, ReasonCode, ScalingPolicy};
use crate::random::{Distribution, Streams};
use crate::serving::continuous::ContinuousBatching;
use crate::serving::{AllCpu, Batching, Serving, ServingModel};
use crate::units::{Bytes, Millicores, SimDuration, SimTime};

/// Service discipline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Discipline {
    /// First come, first served.
    Fifo,
    /// Processor sharing: all at once, dividing the servers evenly, each request using at most one.
    Sharing,
    /// Processor sharing of the replica's CPU, which suffices for a possibly fractional number of requests at full
    /// speed; more requests share it evenly. The number of servers has no meaning then.
    Limited {
        /// Number of requests at full speed.
        full: f64,
    },
    /// Bulk service: requests are served in batches, and the service time is that of a batch. The number of servers has no
    /// meaning then.
    Batch(Batching),
    /// Continuous batching: the service time of a request, in seconds and rounded up, is the number of tokens of its
    /// answer. The number of servers has no meaning then.
    Engine {
        /// The engine of a queue.
        engine: ContinuousBatching,
        /// Tokens of every prompt.
        prompt: u32,
    },
}

/// CPU that a request uses under [`Discipline::Limited`], in cores.
const PART_OF_A_CORE: f64 = 0.4;

/// A queueing station, or several behind a dispatcher: a service whose replicas are queues and whose slots are servers.
/// Time is in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Station {
    /// The arrival process of all queues together.
    pub arrivals: Arrivals,
    /// Service time of a request.
    pub service: Distribution,
    /// Servers per queue.
    pub servers: u32,
    /// Number of queues.
    pub queues: u32,
    /// Name of the dispatcher that chooses the queue.
    pub routing: &'static str,
    /// Service discipline.
    pub discipline: Discipline,
    /// Number of requests that may wait at a queue; `None` if unlimited.
    pub room: Option<u32>,
    /// Seconds until a waiting request reneges; `None` if never. A request in service stays.
    pub patience: Option<f64>,
    /// Seconds from the start for which some servers are occupied by other work: capacity that becomes available later.
    pub occupied: Vec<f64>,
    /// Number of requests present at the start, queued behind the occupied servers.
    pub backlog: u32,
    /// Seconds between two samples of the number of requests present; `None` if not needed.
    pub sample_every: Option<f64>,
}

/// Length of a run, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Length {
    /// Requests that arrive earlier are left out.
    pub warm_up: f64,
    /// End of the run.
    pub end: f64,
}

impl Length {
    /// A run that counts about `requests` requests, after a warm-up of five relaxation times: 1 + 2 v / (c (1 - rho)^2)
    /// is the time after which a station forgets its initial state (the heavy-traffic approximation by a reflected
    /// Brownian motion, Whitt 1989), with v the sum of the squared coefficients of variation of interarrival and
    /// service times. If room is limited, filling and emptying it takes at most as long as c-fold service needs to turn
    /// the room over by diffusion. A closed loop forgets its state within a few turns of its users.
    pub fn of_requests(station: &Station, requests: f64, variability: f64) -> Length {
        if let Arrivals::Closed { think, .. } = &station.arrivals {
            let warm_up = (20.0 * (think.mean() + station.service.mean())).max(requests / station.rate() / 50.0);
            return Length { warm_up, end: warm_up + requests / station.rate() };
        }
        let servers = station.capacity();
        let slack = 1.0 - station.load();
        let by_slack = if slack > 0.0 { 2.0 * variability / (servers * slack * slack) } else { f64::INFINITY };
        let by_room = station.room.map_or(f64::INFINITY, |room| f64::from(room).powi(2) / servers);
        let by_patience = station.patience.map_or(f64::INFINITY, |patience| patience * 2.0);
        let relaxation = station.mean_service() * (1.0 + by_slack.min(by_room)).min(1.0 + by_patience);
        let counted = requests / station.rate();
        // At least a fiftieth, which costs little and keeps the number of recording intervals (of the same length)
        // small.
        let warm_up = (5.0 * relaxation + 10.0 * station.mean_service()).max(counted / 50.0);
        Length { warm_up, end: warm_up + counted }
    }
}

/// The number of requests present at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// The time in seconds.
    pub at: f64,
    /// Requests in the system.
    pub number: f64,
    /// Number of them that waited.
    pub waiting: f64,
    /// Share of the queues with at least 1, 2 and 3 requests.
    pub loaded: [f64; 3],
}

/// One run of a station.
#[derive(Debug, Clone)]
pub struct Observed {
    /// What the engine recorded.
    pub record: RunRecord,
    /// The samples after the warm-up, if requested.
    pub samples: Vec<Sample>,
    /// Servers of each queue.
    pub servers: u32,
}

impl Station {
    /// One FIFO queue with `servers` servers and unlimited room.
    pub fn new(arrivals: Arrivals, service: Distribution, servers: u32) -> Self {
        Station {
            arrivals,
            service,
            servers,
            queues: 1,
            routing: "least-loaded",
            discipline: Discipline::Fifo,
            room: None,
            patience: None,
            occupied: Vec::new(),
            backlog: 0,
            sample_every: None,
        }
    }

    /// Requests per second in the long run; of a closed loop the asymptotic bound min(N / (Z + S), servers / S)
    /// (Denning and Buzen 1978).
    pub fn rate(&self) -> f64 {
        let Arrivals::Closed { users, think } = &self.arrivals else { return self.arrivals.rate() };
        let servers = self.capacity() * f64::from(self.queues);
        (f64::from(*users) / (think.mean() + self.service.mean())).min(servers / self.service.mean())
    }

    /// The mean service time in seconds; of a server of batches that of a full one.
    pub fn mean_service(&self) -> f64 {
        match self.discipline {
            Discipline::Batch(batching) => {
                self.service.mean() + batching.per_request.as_secs_f64() * f64::from(batching.size)
            }
            Discipline::Engine { engine, .. } => {
                let alone = engine.step_time.alone(1, 1, 1) * 1e-6;
                self.service.mean() * alone / engine.efficiency(None)
            }
            _ => self.service.mean(),
        }
    }

    /// Load per server: arrival rate times mean service time, divided by the servers.
    pub fn load(&self) -> f64 {
        self.rate() * self.mean_service() / self.capacity() / f64::from(self.queues)
    }

    /// Number of requests of one queue that are served at full speed at once.
    fn capacity(&self) -> f64 {
        match self.discipline {
            Discipline::Limited { full } => full,
            Discipline::Batch(batching) => f64::from(batching.concurrency().unwrap_or(1)),
            Discipline::Engine { engine, .. } => f64::from(engine.concurrency().unwrap_or(1)),
            Discipline::Fifo | Discipline::Sharing => f64::from(self.servers),
        }
    }

    /// Simulates the station once.
    ///
    /// # Errors
    /// None of its own; those of a run.
    pub fn run(&self, length: Length, streams: Streams) -> Result<Observed, RunError> {
        let (sender, receiver) = channel();
        let record = Simulation::new(self.spec(length, streams, sender))?.run(&mut |_| ())?;
        let samples = receiver.iter().filter(|sample: &Sample| sample.at >= length.warm_up).collect();
        Ok(Observed { record, samples, servers: self.servers })
    }

    fn spec(&self, length: Length, streams: Streams, sender: Sender<Sample>) -> RunSpec {
        let source = Stream::new(&self.arrivals, &self.service, (&self.occupied, self.backlog), streams);
        let source = match self.discipline {
            Discipline::Engine { prompt, .. } => source.in_tokens(prompt, &self.service, streams),
            _ => source,
        };
        let end = SimTime::from_nanos(nanos(length.end));
        let never = SimDuration::from_nanos(end.as_nanos());
        let every = self.sample_every.map_or(never, |every| SimDuration::from_nanos(nanos(every)));
        let sampling = self.sample_every.is_some();
        // Without samples there are no scrapes: one per second would cost more than the requests.
        let metrics = MetricsSpec {
            interval: every,
            window: every,
            first: if sampling { SimDuration::ZERO } else { never },
            first_decision: Some(every),
            ..MetricsSpec::default()
        };
        let warm_up = SimTime::from_nanos(nanos(length.warm_up));
        // The end of the warm-up must be the end of an interval.
        let interval = if warm_up == SimTime::ZERO { never } else { warm_up.since(SimTime::ZERO) };
        let services =
            vec![ServiceRun::new(self.service_spec(), Box::new(source), Box::new(Counter { every, sender }))];
        RunSpec { warm_up, interval, metrics, ..RunSpec::new("station", streams, end, services) }
    }

    fn service_spec(&self) -> ServiceSpec {
        let (limit, each, model) = match self.discipline {
            Discipline::Fifo => (None, 1.0, ServingModel::default()),
            Discipline::Sharing => (Some(f64::from(self.servers)), 1.0, ServingModel::ProcessorSharing(AllCpu)),
            Discipline::Limited { full } => (Some(full * PART_OF_A_CORE), PART_OF_A_CORE, ServingModel::default()),
            Discipline::Batch(batching) => (None, 1.0, ServingModel::Batch(batching)),
            Discipline::Engine { engine, .. } => (None, 1.0, ServingModel::ContinuousBatching(engine)),
        };
        let patience = |after| Timeout { after: SimDuration::from_nanos(nanos(after)), work: OnTimeout::CancelWaiting };
        ServiceSpec {
            replicas: self.queues,
            cpu_limit: limit.map(|cores| Millicores::new((cores * 1000.0).round() as u64)),
            concurrency: model.concurrency().unwrap_or(if limit.is_some() { u32::MAX } else { self.servers }),
            queue_limit: self.room.unwrap_or(u32::MAX),
            model,
            cpu_per_busy_second: each,
            // A byte per request: the memory in use counts the requests present.
            memory_per_request: Bytes::new(1),
            grace_period: SimDuration::ZERO,
            dispatch: DISPATCHERS.iter().find(|plugin| plugin.name == self.routing).unwrap_or(&DISPATCHERS[0]),
            timeout: self.patience.map(patience),
            ..ServiceSpec::new("station", DemandModel::Drawn(self.service.clone()))
        }
    }
}

/// Never changes the size, but passes on what the metrics pipeline saw.
struct Counter {
    every: SimDuration,
    sender: Sender<Sample>,
}

impl ScalingPolicy for Counter {
    fn sync_period(&self) -> SimDuration {
        self.every
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        if let Some(scrape) = observation.scrape {
            let queues = scrape.replicas.len().max(1) as f64;
            let at_least = |number: f64| {
                scrape.replicas.iter().filter(|pod| pod.values[Measure::Memory] >= number).count() as f64 / queues
            };
            let sample = Sample {
                at: scrape.taken_at.as_secs_f64(),
                number: scrape.totals[Measure::Memory],
                waiting: scrape.totals[Measure::QueueLength],
                loaded: [at_least(1.0), at_least(2.0), at_least(3.0)],
            };
            // An error means that nobody listens.
            let _ = self.sender.send(sample);
        }
        Decision::hold(Reason::new(ReasonCode::Fixed, "fixed"))
    }
}
