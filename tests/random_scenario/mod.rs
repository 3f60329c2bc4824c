//! Random scenarios for the property tests: small integers, which shrink well and print readably.
//!
//! A [`Case`] contains everything that was drawn; [`Case::scenario`] converts it to a scenario of the library. Times
//! are in milliseconds.

mod strategies;

use std::path::Path;
use std::sync::Arc;

use plimsoll::catalog::{Allocatable, Billing};
use plimsoll::cluster::{
    DISPATCHERS, DemandModel, NodePool, OnTimeout, PLACEMENTS, Retry, ServiceSpec, StartUp, Timeout,
};
use plimsoll::config::kubernetes::Release;
use plimsoll::config::{Diagnostics, SourceFile, parse_single};
use plimsoll::engine::{MetricsSpec, NodeLease, Objective, ReplicaLease, RunRecord};
use plimsoll::policy::nodes::{NodePolicyFactory, fixed::Fixed, step::Step};
use plimsoll::policy::{
    self, Decision, Measure, Measurements, Observation, Phase, PolicyContext, PolicyFactory, Reason, ReasonCode,
    ScalingPolicy,
};
use plimsoll::random::{Distribution, Purpose, Streams};
use plimsoll::scenario::{Scenario, ServicePlan, Variant};
use plimsoll::serving::{AllCpu, ServingModel};
use plimsoll::units::{Bytes, Fraction, Millicores, SimDuration, SimTime, UsdPerHour};
use plimsoll::workload::{Opening, Recipe, RequestBatch, TraceError, TraceSource, WorkloadSpec};

pub use strategies::{exact_case, wild_case};

/// Milliseconds.
pub type Ms = u64;

/// The parameters of a scenario.
#[derive(Debug, Clone)]
pub struct Case {
    pub seed: u64,
    pub end: Ms,
    pub warm_up: Ms,
    pub interval: Ms,
    pub metrics: MetricsCase,
    /// Latency limits; `None` is an objective of availability.
    pub objectives: Vec<Option<Ms>>,
    pub nodes: Option<NodesCase>,
    pub services: Vec<ServiceCase>,
    /// The variants to compare: for each, one policy per service.
    pub variants: Vec<Vec<PolicyCase>>,
}

/// The metrics pipeline.
#[derive(Debug, Clone, Copy)]
pub struct MetricsCase {
    pub interval: Ms,
    /// The window in scrape intervals.
    pub window: u64,
    pub lag: Ms,
}

/// The nodes that all services share.
#[derive(Debug, Clone)]
pub struct NodesCase {
    pub pools: Vec<PoolCase>,
    /// Index into [`PLACEMENTS`].
    pub placement: usize,
    /// Price of a node in nano-dollars per hour.
    pub price: u64,
}

/// Equal nodes.
#[derive(Debug, Clone, Copy)]
pub struct PoolCase {
    pub count: u32,
    pub cpu_millis: u64,
    /// Cores of the machine.
    pub core_millis: u64,
    pub pods: u32,
    pub speed: f64,
    /// Whether a `step` policy changes the number of nodes.
    pub steps: Option<StepsCase>,
}

/// A pool that grows and shrinks.
#[derive(Debug, Clone, Copy)]
pub struct StepsCase {
    pub least: u32,
    pub most: u32,
    pub boot: Ms,
    pub add_after: Ms,
    pub remove_after: Ms,
}

/// A service and its clients.
#[derive(Debug, Clone)]
pub struct ServiceCase {
    pub arrivals: Arrivals,
    pub demand: Demand,
    pub replicas: u32,
    pub concurrency: u32,
    pub queue_limit: u32,
    /// Index into [`DISPATCHERS`].
    pub dispatch: usize,
    pub cpu_millis: u64,
    pub cpu_idle: f64,
    /// Whether its request is its limit, too; otherwise the nodes' cores limit it.
    pub limited: bool,
    /// CPU that a request uses at full speed.
    pub share_millis: u64,
    /// Whether requests are pure CPU work on one core.
    pub sharing: bool,
    pub timeout: Option<(Ms, OnTimeout)>,
    pub retry: Option<RetryCase>,
    pub crash: Option<Distribution>,
    /// Delays: scheduled, image pulled, started, ready.
    pub start_up: [Distribution; 4],
    pub grace: Ms,
    pub lease: Option<LeaseCase>,
}

/// When requests arrive.
#[derive(Debug, Clone)]
pub enum Arrivals {
    /// Evenly spaced with this interval, from time zero.
    Even(Ms),
    /// Random, with this mean interarrival time.
    Poisson(Ms),
    /// Batches of this size, evenly spaced.
    Bursts(u64, Ms),
    /// With these interarrival times.
    Gaps(Vec<Ms>),
}

/// The service times of requests.
#[derive(Debug, Clone)]
pub enum Demand {
    /// From the trace: these, repeatedly.
    Listed(Vec<Ms>),
    /// Drawn by the service.
    Drawn(Distribution),
}

/// The clients' reaction to losses.
#[derive(Debug, Clone, Copy)]
pub struct RetryCase {
    pub attempts: u8,
    pub backoff: Ms,
    pub max_backoff: Ms,
    pub jitter: bool,
    pub budget_percent: u32,
    pub reserve: u32,
}

/// The price of a replica.
#[derive(Debug, Clone, Copy)]
pub struct LeaseCase {
    /// Nano-dollars per hour.
    pub price: u64,
    pub granularity: Ms,
    pub minimum: Ms,
}

impl LeaseCase {
    pub fn billing(&self) -> Billing {
        Billing { granularity: millis(self.granularity), minimum: millis(self.minimum) }
    }
}

/// A policy.
#[derive(Debug, Clone)]
pub enum PolicyCase {
    Static(u32),
    /// These sizes in turn, repeatedly.
    Sizes {
        every: Ms,
        sizes: Vec<u32>,
    },
    Hpa {
        every: Ms,
        max: u32,
        cpu_percent: u32,
    },
}

impl PolicyCase {
    /// Maximum number of replicas that it may ask for, if the service starts with `initial`.
    pub fn most(&self, initial: u32) -> u32 {
        match self {
            PolicyCase::Static(replicas) => *replicas,
            PolicyCase::Sizes { sizes, .. } => sizes.iter().copied().fold(initial, u32::max),
            PolicyCase::Hpa { max, .. } => initial.max(*max),
        }
    }

    fn factory(&self, lag: SimDuration) -> PolicyFactory {
        let inner: PolicyFactory = match self {
            PolicyCase::Sizes { every, sizes } => {
                let (every, sizes) = (millis(*every), sizes.clone());
                Arc::new(move |_| Box::new(Sizes { every, sizes: sizes.clone(), next: 0 }))
            }
            PolicyCase::Static(replicas) => shipped("static", &format!("{{ replicas: {replicas} }}")),
            PolicyCase::Hpa { every, max, cpu_percent } => {
                let target = format!("{{ cpu: {cpu_percent}%, queue-length: 2 }}");
                shipped("hpa", &format!("{{ min: 1, max: {max}, sync-period: {every}ms, target: {target} }}"))
            }
        };
        Arc::new(move |run| Box::new(Watched { inner: inner(run), lag }))
    }
}

/// A policy of the library's list.
fn shipped(name: &str, parameters: &str) -> PolicyFactory {
    let node = parse_single(&SourceFile::new("policy", parameters)).unwrap();
    let context = PolicyContext {
        base_dir: Path::new("."),
        service: "web",
        pod: None,
        metric_names: &[],
        release: Release::default(),
        own: &[],
    };
    let mut sink = Diagnostics::new();
    (policy::find(name).unwrap().build)(&node, &context, &mut sink).unwrap_or_else(|| panic!("{parameters}: {sink}"))
}

/// A sequence of given sizes.
struct Sizes {
    every: SimDuration,
    sizes: Vec<u32>,
    next: usize,
}

impl ScalingPolicy for Sizes {
    fn sync_period(&self) -> SimDuration {
        self.every
    }

    fn decide(&mut self, _observation: &Observation<'_>) -> Decision {
        let size = self.sizes[self.next % self.sizes.len()];
        self.next += 1;
        Decision::scale_to(size, Reason::new(ReasonCode::Plan, "next of the list"))
    }
}

/// Checks the observation passed to a policy.
struct Watched {
    inner: Box<dyn ScalingPolicy>,
    lag: SimDuration,
}

impl ScalingPolicy for Watched {
    fn sync_period(&self) -> SimDuration {
        self.inner.sync_period()
    }

    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let active = seen.replicas.iter().filter(|replica| replica.phase != Phase::Draining).count();
        assert_eq!(active, seen.present as usize, "the replicas and their number differ");
        assert_eq!(seen.desired, seen.present, "a size that was asked for is there at once, ready or not");
        assert!(seen.replicas.windows(2).all(|pair| pair[0].id < pair[1].id), "replicas out of order");
        let past = |time: Option<SimTime>| time.is_none_or(|time| time <= seen.now);
        for replica in seen.replicas {
            let times = [Some(replica.ordered), replica.accepted, replica.started, replica.readiness_changed];
            assert!(times.into_iter().all(past), "a replica of the future: {replica:?}");
            assert_eq!(replica.is_ready(), replica.ready_since().is_some(), "ready since an unknown time: {replica:?}");
            let order = [replica.accepted, replica.started].into_iter().flatten();
            assert!(order.chain(replica.ready_since()).is_sorted(), "out of order: {replica:?}");
            // A container may restart, but not before its machine took it.
            assert!(replica.started.is_none() || replica.accepted.is_some(), "started nowhere: {replica:?}");
        }
        if let Some(scrape) = seen.scrape {
            assert!(scrape.taken_at + self.lag <= seen.now, "I8: metrics younger than the lag");
            let sound = |values: &Measurements| values.iter().all(|(_, value)| value.is_finite() && value >= 0.0);
            assert!(sound(&scrape.totals), "measured in all: {:?}", scrape.totals);
            for pod in &scrape.replicas {
                assert!(sound(&pod.values), "measured of pod {}: {:?}", pod.id, pod.values);
            }
            let cpu: f64 = scrape.replicas.iter().map(|pod| pod.values[Measure::Cpu]).sum();
            assert!((cpu - scrape.totals[Measure::Cpu]).abs() <= 1e-9 * cpu.max(1.0), "the parts and the total differ");
        }
        self.inner.decide(seen)
    }

    fn initial_replicas(&self, configured: u32) -> u32 {
        self.inner.initial_replicas(configured)
    }
}

/// The requests of a service, opened anew for each run.
#[derive(Debug)]
struct Traffic {
    arrivals: Arrivals,
    demands: Vec<Ms>,
    end: Ms,
}

impl Recipe for Traffic {
    fn open(&self, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        let arrivals = arrival_times(&self.arrivals, self.end, opening.streams, opening.service);
        Ok(Box::new(Batches { arrivals, demands: self.demands.clone(), next: 0 }))
    }
}

/// Returns requests in batches so small that a run needs many.
struct Batches {
    arrivals: Vec<SimTime>,
    demands: Vec<Ms>,
    next: usize,
}

impl TraceSource for Batches {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let end = (self.next + 7).min(self.arrivals.len());
        batch.arrivals.extend(&self.arrivals[self.next..end]);
        if !self.demands.is_empty() {
            let demand = |n: usize| millis(self.demands[n % self.demands.len()]);
            batch.demands.extend((self.next..end).map(demand));
        }
        self.next = end;
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        None
    }
}

fn arrival_times(arrivals: &Arrivals, end: Ms, streams: Streams, service: u64) -> Vec<SimTime> {
    let mut draw = streams.running(Purpose::Arrival, service);
    let end = end * 1_000_000;
    let mut found = Vec::new();
    let mut now = 0;
    // Slightly beyond the end, so that some requests are cut off.
    for number in 0.. {
        now += match arrivals {
            Arrivals::Even(gap) => gap.max(&1) * 1_000_000 * u64::from(number > 0),
            Arrivals::Poisson(mean) => (*mean.max(&1) as f64 * 1e6 * draw.exponential()) as u64,
            Arrivals::Bursts(size, gap) if number % size.max(&1) == 0 => gap.max(&1) * 1_000_000,
            Arrivals::Bursts(..) => 0,
            Arrivals::Gaps(gaps) => match gaps.get(number as usize) {
                Some(gap) => gap * 1_000_000,
                None => break,
            },
        };
        found.push(SimTime::from_nanos(now));
        if now > end + 1_000_000_000 {
            break;
        }
    }
    found
}

/// The target of an objective with this limit.
pub fn target(limit: Option<Ms>) -> f64 {
    if limit.is_some() { 0.9 } else { 0.99 }
}

pub fn millis(ms: Ms) -> SimDuration {
    SimDuration::from_millis(ms)
}

impl Case {
    /// Every machine, in order; empty if replicas need no nodes.
    pub fn machines(&self) -> Vec<PoolCase> {
        let pools = self.nodes.iter().flat_map(|nodes| &nodes.pools);
        pools.flat_map(|pool| (0..pool.count).map(|_| *pool)).collect()
    }

    /// Arrival times of a service within the run.
    pub fn arrivals(&self, service: usize) -> Vec<SimTime> {
        let streams = Streams::new(self.seed, 0);
        let mut times = arrival_times(&self.services[service].arrivals, self.end, streams, service as u64);
        times.retain(|time| *time < SimTime::ZERO + millis(self.end));
        times
    }

    /// Runs one of the variants.
    pub fn run(&self, variant: usize) -> RunRecord {
        self.scenario().simulation(variant, 0).unwrap().run(&mut |_| {}).unwrap()
    }

    /// The scenario.
    pub fn scenario(&self) -> Scenario {
        let metrics = MetricsSpec {
            interval: millis(self.metrics.interval),
            window: millis(self.metrics.interval * self.metrics.window),
            lag: millis(self.metrics.lag),
            first: millis(self.metrics.interval),
            ..MetricsSpec::default()
        };
        let objective = |limit: &Option<Ms>| Objective {
            within: limit.map(millis),
            target: Fraction::new(target(*limit)).unwrap(),
        };
        let pools = self.nodes.iter().flat_map(|nodes| &nodes.pools);
        let price = self.nodes.as_ref().map_or(0, |nodes| nodes.price);
        let node_lease = |(number, _): (usize, &PoolCase)| NodeLease {
            what: format!("node {number}"),
            price: UsdPerHour::from_nanos(price),
            billing: Billing::EXACT,
        };
        let variant = |(number, policies): (usize, &Vec<PolicyCase>)| Variant {
            headroom: 1.0,
            service: None,
            label: format!("variant-{number}"),
            factories: policies.iter().map(|policy| policy.factory(metrics.lag)).collect(),
        };
        let services = self.services.iter().map(|service| service.plan(self.end)).collect();
        let variants = self.variants.iter().enumerate().map(variant).collect();
        Scenario {
            seed: self.seed,
            warm_up: millis(self.warm_up),
            interval: millis(self.interval),
            pools: pools.clone().enumerate().map(|(number, pool)| pool.nodes(number)).collect(),
            node_leases: pools.clone().enumerate().map(node_lease).collect(),
            node_policies: pools.map(PoolCase::policy).collect(),
            placement: &PLACEMENTS[self.nodes.as_ref().map_or(0, |nodes| nodes.placement)],
            objectives: self.objectives.iter().map(objective).collect(),
            metrics: metrics.clone(),
            ..Scenario::new("random", millis(self.end), services, variants)
        }
    }
}

impl PoolCase {
    /// The most nodes at once.
    pub fn most(&self) -> u32 {
        self.steps.map_or(self.count, |steps| steps.most)
    }

    fn policy(&self) -> NodePolicyFactory {
        match self.steps.map(|StepsCase { add_after, remove_after, .. }| (millis(add_after), millis(remove_after))) {
            Some((add_after, remove_after)) => Arc::new(move || Box::new(Step { add_after, remove_after })),
            None => Arc::new(|| Box::new(Fixed)),
        }
    }

    fn nodes(&self, number: usize) -> NodePool {
        let cpu = Millicores::new(self.cpu_millis);
        NodePool {
            name: format!("pool-{number}"),
            instance: "random".into(),
            allocatable: Allocatable { cpu, memory: Bytes::from_mib(1 << 20), pods: self.pods },
            cores: Millicores::new(self.core_millis),
            extended: Vec::new(),
            count: self.count,
            least: self.steps.map_or(self.count, |steps| steps.least),
            most: self.most(),
            boot: Distribution::constant(millis(self.steps.map_or(0, |steps| steps.boot))),
            zones: vec!["a".into(), "b".into()],
            speed: self.speed,
        }
    }
}

impl ServiceCase {
    /// The maximum CPU of a replica on a machine with this number of cores, in thousandths of a core.
    pub fn ceiling_millis(&self, cores: Option<u64>) -> Option<u64> {
        let limit = Some(self.cpu_millis).filter(|limit| self.limited && *limit > 0);
        limit.into_iter().chain(cores).min()
    }

    fn plan(&self, end: Ms) -> ServicePlan {
        let demands = match &self.demand {
            Demand::Listed(demands) => demands.clone(),
            Demand::Drawn(_) => Vec::new(),
        };
        let traffic = Traffic { arrivals: self.arrivals.clone(), demands, end };
        let lease = self.lease.map(|lease| ReplicaLease {
            what: "replica".into(),
            price: UsdPerHour::from_nanos(lease.price),
            billing: lease.billing(),
        });
        ServicePlan { lease, ..ServicePlan::new(self.spec(), WorkloadSpec::from_recipe(Arc::new(traffic))) }
    }

    fn spec(&self) -> ServiceSpec {
        let [scheduled, pulled, started, ready] = self.start_up.clone();
        let demand = match &self.demand {
            Demand::Drawn(distribution) => distribution.clone(),
            Demand::Listed(_) => Distribution::Constant { value: 0.0 },
        };
        let cpu = Some(Millicores::new(self.cpu_millis));
        ServiceSpec {
            replicas: self.replicas,
            cpu_request: cpu,
            cpu_limit: cpu.filter(|_| self.limited),
            memory_request: Some(Bytes::from_mib(64)),
            concurrency: self.concurrency,
            queue_limit: self.queue_limit,
            model: if self.sharing { ServingModel::ProcessorSharing(AllCpu) } else { ServingModel::default() },
            cpu_per_busy_second: self.share_millis as f64 / 1e3,
            cpu_idle: self.cpu_idle,
            memory_base: Bytes::from_mib(16),
            memory_per_request: Bytes::from_mib(1),
            start_up: StartUp { scheduled, pulled, started, ready },
            grace_period: millis(self.grace),
            dispatch: &DISPATCHERS[self.dispatch],
            timeout: self.timeout.map(|(after, work)| Timeout { after: millis(after), work }),
            retry: self.retry.map(|retry| Retry {
                attempts: retry.attempts,
                backoff: millis(retry.backoff),
                max_backoff: millis(retry.max_backoff),
                jitter: retry.jitter,
                budget: Fraction::new(f64::from(retry.budget_percent) / 100.0).unwrap(),
                reserve: retry.reserve,
            }),
            crash: self.crash.clone(),
            ..ServiceSpec::new("web", DemandModel::Drawn(demand))
        }
    }
}
