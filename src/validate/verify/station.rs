//! Stations of queueing theory, expressed as services.

use std::sync::mpsc::{Sender, channel};

use super::arrivals::{Arrivals, Stream, nanos};
use crate::cluster::{DISPATCHERS, DemandModel, OnTimeout, ServiceSpec, StartUp, Timeout};
use crate::engine::{Call, MetricsSpec, RunError, RunRecord, RunSpec, ServiceRun, Simulation, Stages};
use crate::platform::{KeepAlive, on_demand};
use crate::policy::{Decision, Measure, Observation, Reason, ReasonCode, ScalingPolicy};
use crate::random::{Distribution, Streams};
use crate::serving::continuous::ContinuousBatching;
use crate::serving::{AllCpu, Batching, Serving, ServingModel};
use crate::units::{Bytes, Fraction, Millicores, SimDuration, SimTime};

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
/// A number of servers that stands for infinitely many.
const ENOUGH: u32 = 100_000;

/// Servers that requests start: what a queue does with a single server of its own, for as long as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    /// Time until a started server is there.
    pub start: Distribution,
    /// Seconds that a server without requests is kept.
    pub keep: f64,
    /// Servers at most.
    pub most: u32,
    /// Whether a start that no request waits for any more is cancelled.
    pub cancels: bool,
}

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
    /// Where its requests go afterwards.
    pub after: After,
    /// How its servers are started, if they are not always there; `servers` are then those of a started one.
    pub started: Option<Started>,
}

/// Where requests go after a station.
#[derive(Debug, Clone, PartialEq)]
pub enum After {
    /// They leave.
    Leave,
    /// They visit others and keep their server until they are back: one stage after the other, and the stations of a
    /// stage together.
    Visit(Vec<Vec<Visit>>),
    /// They give their server up and go to another, with this probability.
    PassOn(Box<Station>, f64),
    /// They come back with this probability.
    ComeBack(f64),
}

/// A visit of one station, or several of the same at once.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// The station. Its own arrivals are not used.
    pub station: Station,
    /// How many visits at once.
    pub times: u32,
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
            let work: f64 = station.loads().iter().map(|(one, _)| one.service.mean()).sum();
            let warm_up = (20.0 * (think.mean() + work)).max(requests / station.rate() / 50.0);
            return Length { warm_up, end: warm_up + requests / station.rate() };
        }
        let relaxation: f64 = station.loads().iter().map(|(one, load)| one.relaxation(*load, variability)).sum();
        let counted = requests / station.rate();
        // At least a fiftieth, which costs little and keeps the number of recording intervals (of the same length)
        // small.
        let service: f64 = station.loads().iter().map(|(one, _)| one.mean_service()).sum();
        let warm_up = (5.0 * relaxation + 10.0 * service).max(counted / 50.0);
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
    /// Servers of each queue, by station.
    pub servers: Vec<u32>,
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
            after: After::Leave,
            started: None,
        }
    }

    /// A station without queue or work, from which requests visit others.
    pub fn entry(arrivals: Arrivals, stages: Vec<Vec<Visit>>) -> Self {
        let nothing = Distribution::Constant { value: 0.0 };
        Station { after: After::Visit(stages), ..Station::new(arrivals, nothing, ENOUGH) }
    }

    /// Requests per second in the long run; of a closed loop the asymptotic bound min(N / (Z + S), servers / S)
    /// (Denning and Buzen 1978).
    pub fn rate(&self) -> f64 {
        let Arrivals::Closed { users, think } = &self.arrivals else { return self.arrivals.rate() };
        let stations = self.visited(1.0);
        let work: f64 = stations.iter().map(|(station, visits)| station.service.mean() * visits).sum();
        let at_most = |(station, visits): &(&Station, f64)| {
            station.capacity() * f64::from(station.queues) / (station.service.mean() * visits)
        };
        stations.iter().map(at_most).fold(f64::from(*users) / (think.mean() + work), f64::min)
    }

    /// This station and those after it, with the visits to each by a request that visits this one `visits` times.
    fn visited(&self, visits: f64) -> Vec<(&Station, f64)> {
        let again = if let After::ComeBack(share) = self.after { visits / (1.0 - share) } else { visits };
        let mut all = vec![(self, again)];
        match &self.after {
            After::Leave | After::ComeBack(_) => {}
            After::PassOn(next, share) => all.extend(next.visited(visits * share)),
            After::Visit(stages) => stages
                .iter()
                .flatten()
                .for_each(|visit| all.extend(visit.station.visited(visits * f64::from(visit.times)))),
        }
        all
    }

    /// How many stations a request visits, the first included.
    pub fn visits(&self) -> f64 {
        self.visited(1.0).iter().map(|(_, visits)| visits).sum()
    }

    /// Every station and its load per server.
    fn loads(&self) -> Vec<(&Station, f64)> {
        let rate = self.rate();
        let load = |station: &Station, visits| {
            rate * visits * station.mean_service() / station.capacity() / f64::from(station.queues)
        };
        self.visited(1.0).into_iter().map(|(station, visits)| (station, load(station, visits))).collect()
    }

    /// The time after which the station forgets its initial state, see [`Length::of_requests`].
    fn relaxation(&self, load: f64, variability: f64) -> f64 {
        let servers = self.capacity();
        let slack = 1.0 - load;
        let by_slack = if slack > 0.0 { 2.0 * variability / (servers * slack * slack) } else { f64::INFINITY };
        let by_room = self.room.map_or(f64::INFINITY, |room| f64::from(room).powi(2) / servers);
        let by_patience = self.patience.map_or(f64::INFINITY, |patience| patience * 2.0);
        self.mean_service() * (1.0 + by_slack.min(by_room)).min(1.0 + by_patience)
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

    /// Load per server: arrival rate times mean service time, divided by the servers; the highest of all stations.
    pub fn load(&self) -> f64 {
        self.loads().iter().map(|(_, load)| *load).fold(0.0, f64::max)
    }

    /// Number of requests of one queue that are served at full speed at once.
    fn capacity(&self) -> f64 {
        match self.discipline {
            Discipline::Limited { full } => full,
            Discipline::Batch(batching) => f64::from(batching.concurrency().unwrap_or(1)),
            Discipline::Engine { engine, .. } => f64::from(engine.concurrency().unwrap_or(1)),
            Discipline::Fifo | Discipline::Sharing => match &self.started {
                Some(started) => f64::from(self.servers) * f64::from(started.most),
                None => f64::from(self.servers),
            },
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
        let servers = self.visited(1.0).iter().map(|(station, _)| station.servers).collect();
        Ok(Observed { record, samples, servers })
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
        let mut first = ServiceRun::new(self.service_spec(0), Box::new(source), Box::new(Counter { every, sender }));
        if let Some(started) = &self.started {
            let keep = KeepAlive { idle: Distribution::Constant { value: started.keep }, life: None };
            first.platform = on_demand(started.most, self.servers, keep, started.cancels)();
        }
        let mut services = vec![first];
        self.link(&mut services, 0, streams);
        RunSpec { warm_up, interval, metrics, ..RunSpec::new("station", streams, end, services) }
    }

    /// Adds the stations after this one, which is number `own`, in the order of [`Station::visited`].
    fn link(&self, services: &mut Vec<ServiceRun>, own: u32, streams: Streams) {
        let call = |to, share, count, waits| {
            // What is no probability is the caller's mistake, and never happens.
            let share = Fraction::new(share).unwrap_or_default();
            Call { to, share, count, waits, network: SimDuration::ZERO }
        };
        let mut add = |station: &Station| {
            let number = services.len() as u32;
            let source = Stream::new(&Arrivals::Listed(Vec::new()), &station.service, (&[], 0), streams);
            services.push(ServiceRun::new(station.service_spec(number), Box::new(source), Box::new(Fixed)));
            station.link(services, number, streams);
            number
        };
        let calls: Stages = match &self.after {
            After::Leave => Stages::new(),
            After::ComeBack(share) => vec![vec![call(own, *share, 1, false)]],
            After::PassOn(next, share) => vec![vec![call(add(next), *share, 1, false)]],
            After::Visit(stages) => stages
                .iter()
                .map(|stage| stage.iter().map(|visit| call(add(&visit.station), 1.0, visit.times, true)).collect())
                .collect(),
        };
        services[own as usize].calls = calls;
    }

    fn service_spec(&self, number: u32) -> ServiceSpec {
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
            start_up: self.started.as_ref().map_or_else(StartUp::default, |started| StartUp {
                started: started.start.clone(),
                ..StartUp::default()
            }),
            ..ServiceSpec::new(format!("station-{number}"), DemandModel::Drawn(self.service.clone()))
        }
    }
}

/// Never changes the size.
struct Fixed;

impl ScalingPolicy for Fixed {
    fn sync_period(&self) -> SimDuration {
        SimDuration::from_secs(1_000_000_000)
    }

    fn decide(&mut self, _: &Observation<'_>) -> Decision {
        Decision::hold(Reason::new(ReasonCode::Fixed, "fixed"))
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
