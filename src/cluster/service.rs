//! A service: the parameters of its replicas, its clients and its start-up.

use crate::config::{Diagnostics, Fields, FromNode, Name, Plugin, Value, Yaml, one_of};
use crate::random::Distribution;
use crate::serving::{CpuUnderLoad, SERVICE_MODELS, Serving, ServingModel};
use crate::units::{Bytes, Fraction, Millicores, SimDuration, SimTime};

use super::ceiling::Bought;
use super::dispatch::{DISPATCHERS, DispatcherPlugin};
use super::pod::{CpuUse, PodSpec, StartCpu};
use super::rollout::UpdateSpec;

/// The service demand of requests.
#[derive(Debug, Clone, PartialEq)]
pub enum DemandModel {
    /// Drawn from a distribution, in order of arrival.
    Drawn(Distribution),
    /// Recorded in the trace for each request (`from-trace`).
    Recorded(RecordedDemand),
    /// Computed from the request's tokens: `base + input * tokens in + output * tokens out`.
    PerToken {
        /// Time of a request without tokens.
        base: SimDuration,
        /// Time per input token.
        input: SimDuration,
        /// Time per output token.
        output: SimDuration,
    },
}

/// Service times recorded in a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedDemand {
    /// Distribution of the recorded times; empty until the trace was read (see [`ServiceSpec::learn`]).
    pub recorded: Distribution,
    /// Distribution for requests without a recorded time; if not stated, that of the recorded times.
    pub otherwise: Option<Distribution>,
    /// Share of requests without a recorded time.
    pub unknown: f64,
}

impl RecordedDemand {
    /// The distribution for a request without a recorded time.
    pub fn stand_in(&self) -> &Distribution {
        self.otherwise.as_ref().unwrap_or(&self.recorded)
    }
}

impl DemandModel {
    /// The mean over the requests in seconds; `None` if it depends on their tokens.
    pub fn mean(&self) -> Option<f64> {
        match self {
            DemandModel::Drawn(distribution) => Some(distribution.mean()),
            DemandModel::Recorded(of) => {
                Some((1.0 - of.unknown) * of.recorded.mean() + of.unknown * of.stand_in().mean())
            }
            DemandModel::PerToken { .. } => None,
        }
    }
}

/// What happens to a request whose client has given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnTimeout {
    /// It is finished anyway: the server does not notice.
    #[default]
    Finish,
    /// It is dropped at once: the cancellation reaches the server.
    Cancel,
    /// It is dropped if it is still waiting; a request in service is finished.
    CancelWaiting,
}

/// The client's patience for one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout {
    /// Measured from the attempt's arrival.
    pub after: SimDuration,
    /// What happens to the request.
    pub work: OnTimeout,
}

/// The client's retry behaviour after an attempt was rejected, timed out or failed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retry {
    /// Maximum number of attempts, including the first.
    pub attempts: u8,
    /// Back-off before the first retry; doubles with each further retry.
    pub backoff: SimDuration,
    /// Maximum back-off.
    pub max_backoff: SimDuration,
    /// Whether the back-off is drawn uniformly between zero and its value ("full jitter", Brooker 2015).
    pub jitter: bool,
    /// Retry budget per new request: each new request adds this much to a token bucket, each retry takes 1 (like
    /// Finagle's `RetryBudget`). The bucket is empty at the start, so retries never exceed this share of the requests
    /// so far.
    pub budget: Fraction,
    /// Capacity of the bucket: the retries that quiet periods can save up for a burst.
    pub reserve: u32,
}

/// The default capacity of the retry budget's bucket.
pub const RETRY_RESERVE: u32 = 100;

/// Kubernetes' default of `terminationGracePeriodSeconds`.
const GRACE_PERIOD: SimDuration = SimDuration::from_secs(30);

/// The delays between creation and readiness, drawn for each replica.
#[derive(Debug, Clone, PartialEq)]
pub struct StartUp {
    /// From scheduling to acceptance by the kubelet.
    pub scheduled: Distribution,
    /// Pulling the image, on a node that does not have it yet (see [`super::Nodes::image_there_at`]).
    pub pulled: Distribution,
    /// Starting the containers.
    pub started: Distribution,
    /// From running to ready.
    pub ready: Distribution,
}

impl Default for StartUp {
    /// No delays.
    fn default() -> Self {
        let zero = || Distribution::Constant { value: 0.0 };
        StartUp { scheduled: zero(), pulled: zero(), started: zero(), ready: zero() }
    }
}

/// A planned restart of containers in place: their requests are lost, their pods remain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restart {
    /// When.
    pub at: SimTime,
    /// Only affects replicas whose containers have run for at least this long.
    pub older_than: SimDuration,
}

/// A service: a Kubernetes Deployment with its clients.
///
/// Only [`ServiceSpec::read`], which must not forget a field, lists them all; other code states what differs from
/// [`ServiceSpec::new`]: `ServiceSpec { concurrency: 4, ..ServiceSpec::new("shop", demand) }`.
#[derive(Debug, Clone)]
pub struct ServiceSpec {
    /// Name.
    pub name: String,
    /// Initial number of replicas.
    pub replicas: u32,
    /// CPU request of a replica: the sum over its containers that state one, `None` if none does.
    pub cpu_request: Option<Millicores>,
    /// CPU limit of the serving container.
    pub cpu_limit: Option<Millicores>,
    /// CPU that the price of a replica pays for, if it is the price of a size.
    pub cpu_bought: Option<Bought>,
    /// Memory request of a replica, like `cpu_request`.
    pub memory_request: Option<Bytes>,
    /// Its pod in detail.
    pub pod: PodSpec,
    /// Maximum number of requests in service in a replica.
    pub concurrency: u32,
    /// Maximum number of requests waiting at a replica; further ones are rejected.
    pub queue_limit: u32,
    /// The service demand of requests.
    pub demand: DemandModel,
    /// How a replica serves its requests.
    pub model: ServingModel,
    /// Speed of its replicas relative to the one that the demand is stated for, besides that of their nodes.
    pub speed: f64,
    /// Cores used per second of unhindered service: from `cpu-per-request` and the mean demand; otherwise such that a
    /// full replica uses its CPU request; otherwise one core, or less if that would exceed the replica's ceiling.
    pub cpu_per_busy_second: f64,
    /// Cores used by a running replica without requests.
    pub cpu_idle: f64,
    /// Memory of an idle replica.
    pub memory_base: Bytes,
    /// Memory per request in the replica.
    pub memory_per_request: Bytes,
    /// Start-up delays.
    pub start_up: StartUp,
    /// How long a terminating replica may drain before its remaining requests are lost.
    pub grace_period: SimDuration,
    /// The dispatcher.
    pub dispatch: &'static DispatcherPlugin,
    /// The client's time-out.
    pub timeout: Option<Timeout>,
    /// The client's retries.
    pub retry: Option<Retry>,
    /// How and when it is updated.
    pub update: UpdateSpec,
    /// Planned container restarts, ordered by time.
    pub restarts: Vec<Restart>,
    /// Running time until a crash, after which the containers restart on the same node.
    pub crash: Option<Distribution>,
}

/// Defaults from another source (a Deployment manifest); fields of the scenario take precedence.
#[derive(Debug, Clone, Default)]
pub struct ServiceDefaults {
    /// Name.
    pub name: Option<String>,
    /// Replicas.
    pub replicas: Option<u32>,
    /// CPU request.
    pub cpu_request: Option<Millicores>,
    /// CPU limit.
    pub cpu_limit: Option<Millicores>,
    /// Memory request.
    pub memory_request: Option<Bytes>,
    /// Grace period.
    pub grace_period: Option<SimDuration>,
    /// The pod.
    pub pod: PodSpec,
    /// How it is updated.
    pub update: UpdateSpec,
    /// Requests in service in a replica.
    pub concurrency: Option<u32>,
    /// Start-up delays.
    pub start_up: Option<StartUp>,
    /// The dispatcher.
    pub dispatch: Option<&'static DispatcherPlugin>,
}

impl ServiceSpec {
    /// A service with the reader's defaults: one replica that starts at once, states no resources, serves every request
    /// immediately on a core of its own and never fails; clients without time-out or retries.
    pub fn new(name: impl Into<String>, demand: DemandModel) -> ServiceSpec {
        ServiceSpec {
            name: name.into(),
            replicas: 1,
            cpu_request: None,
            cpu_limit: None,
            cpu_bought: None,
            memory_request: None,
            pod: PodSpec::default(),
            concurrency: u32::MAX,
            queue_limit: u32::MAX,
            demand,
            model: ServingModel::default(),
            speed: 1.0,
            cpu_per_busy_second: 1.0,
            cpu_idle: 0.0,
            memory_base: Bytes::ZERO,
            memory_per_request: Bytes::ZERO,
            start_up: StartUp::default(),
            grace_period: GRACE_PERIOD,
            dispatch: &DISPATCHERS[0],
            timeout: None,
            retry: None,
            update: UpdateSpec::default(),
            restarts: Vec::new(),
            crash: None,
        }
    }

    /// CPU and memory that a replica occupies on a node and is priced by: what the scheduler reserves for its pod.
    pub fn scheduled(&self) -> (Millicores, Bytes) {
        let cpu = self.pod.scheduled_cpu.or(self.cpu_request).unwrap_or_default();
        (cpu, self.pod.scheduled_memory.or(self.memory_request).unwrap_or_default())
    }

    /// Reads a service from the fields of its mapping, with `defaults` for missing ones. The caller reads its own
    /// fields and finishes the mapping.
    pub fn read(fields: &Fields<'_>, defaults: &ServiceDefaults, sink: &mut Diagnostics) -> Option<ServiceSpec> {
        let name = fields.optional("name", sink).map(|Name(name)| name).or_else(|| defaults.name.clone());
        let replicas = at_least_one(fields, "replicas", sink).or(defaults.replicas);
        let (resources, pod) = read_resources(fields, defaults, sink);
        let concurrency = at_least_one(fields, "concurrency", sink).or(defaults.concurrency);
        let (queue_limit, crash) = (fields.optional("queue-limit", sink), fields.optional("crash-after", sink));
        let model = read_model(fields, sink);
        let demand = read_demand(fields, model, sink);
        let cpu_per_request: Option<SimDuration> = fields.optional("cpu-per-request", sink);
        let cpu_idle: Option<Millicores> = fields.optional("cpu-idle", sink);
        let memory = read_memory(fields, sink);
        let start_up = read_start_up(fields, sink).or(defaults.start_up.clone()).unwrap_or_default();
        let grace_period = fields.optional("grace-period", sink).or(defaults.grace_period);
        let dispatch = read_dispatch(fields, sink).or(defaults.dispatch).unwrap_or(&DISPATCHERS[0]);
        let timeout = fields.node_of("timeout").and_then(|node| read_timeout(node, sink));
        let retry = fields.node_of("retry").and_then(|node| read_retry(node, sink));
        let (demand, model) = (demand?, model?);
        let concurrency = concurrency_of(model, concurrency, fields, sink);
        let shared = model.cpu() == CpuUnderLoad::All;
        let request = pod.serving().and_then(|container| container.cpu).or(resources.0);
        let full_replica = request.map(|cpu| cpu.as_cores() / f64::from(concurrency.unwrap_or(1)));
        let cpu_use = CpuUse::of(shared, cpu_per_request.is_some(), full_replica.is_some());
        let (memory_stated, start_cpu) = (memory.0 + memory.1 > Bytes::ZERO, read_start_cpu(fields, resources.1, sink));
        let pod = PodSpec { cpu_use, memory_stated, start_cpu, ..pod }.or_one(resources.0, resources.2);
        let cpu_per_busy_second = match (&demand, cpu_per_request) {
            _ if shared => {
                all_is_cpu(fields, sink);
                1.0
            }
            // Divided by the mean once that is known.
            (DemandModel::Recorded(_), Some(cpu)) => cpu.as_secs_f64(),
            (DemandModel::Drawn(distribution), Some(cpu)) if distribution.mean() > 0.0 => {
                cpu.as_secs_f64() / distribution.mean()
            }
            (DemandModel::PerToken { .. }, Some(_)) => {
                let error = fields.node_of("cpu-per-request")?.error("a per-token service time has no known mean");
                sink.push(error.help("leave `cpu-per-request` out: a full replica then uses its CPU request"));
                return None;
            }
            _ => full_replica.unwrap_or(1.0),
        };
        no_concurrency(concurrency.is_none() && !shared, fields, sink);
        Some(ServiceSpec {
            name: name.unwrap_or_else(|| "service".into()),
            replicas: replicas.unwrap_or(1),
            cpu_request: resources.0,
            cpu_limit: resources.1,
            cpu_bought: None,
            memory_request: resources.2,
            pod,
            concurrency: concurrency.unwrap_or(u32::MAX),
            queue_limit: queue_limit.unwrap_or(u32::MAX),
            demand,
            model,
            speed: 1.0,
            cpu_per_busy_second,
            cpu_idle: cpu_idle.unwrap_or_default().as_cores(),
            memory_base: memory.0,
            memory_per_request: memory.1,
            start_up,
            grace_period: grace_period.unwrap_or(GRACE_PERIOD),
            dispatch,
            timeout,
            retry,
            update: defaults.update.clone(),
            restarts: Vec::new(),
            crash,
        })
    }
}

impl ServiceSpec {
    /// Whether it uses the service times recorded in its trace.
    pub fn takes_durations(&self) -> bool {
        matches!(self.demand, DemandModel::Recorded(_))
    }

    /// Sets the distribution of the recorded service times; a share `unknown` of the requests has none.
    pub fn learn(&mut self, recorded: Distribution, unknown: f64) {
        let DemandModel::Recorded(demand) = &mut self.demand else { return };
        (demand.recorded, demand.unknown) = (recorded, unknown);
        let mean = self.demand.mean().unwrap_or_default();
        if self.pod.cpu_use == CpuUse::Stated && mean > 0.0 {
            self.cpu_per_busy_second /= mean;
        }
    }

    /// Whether `cpu-per-request` is stated, so that CPU in use follows from the mean service time.
    pub fn states_cpu(&self) -> bool {
        self.pod.cpu_use == CpuUse::Stated
    }

    /// Adjusts the CPU use to requests that bring their own service times, with the given mean in seconds, except for a
    /// share `unknown` of them: `cpu-per-request` refers to the mean service time.
    pub fn met(&mut self, mean: f64, unknown: f64) {
        let DemandModel::Drawn(stated) = &self.demand else { return };
        let (stated, all) = (stated.mean(), (1.0 - unknown) * mean + unknown * stated.mean());
        if self.states_cpu() && all > 0.0 && stated > 0.0 {
            self.cpu_per_busy_second *= stated / all;
        }
    }
}

fn all_is_cpu(fields: &Fields<'_>, sink: &mut Diagnostics) {
    if let Some(node) = fields.node_of("cpu-per-request") {
        let warning = "`cpu-per-request` is left out: with processor sharing all of the service time is CPU";
        let help = "leave `service-model` out to have requests that use CPU for a part of their time";
        sink.push(node.warning(warning).help(help));
    }
}

/// The concurrency that the serving model states, or else the service.
fn concurrency_of(
    model: ServingModel,
    stated: Option<u32>,
    fields: &Fields<'_>,
    sink: &mut Diagnostics,
) -> Option<u32> {
    let Some(own) = model.concurrency() else { return stated };
    if let Some(node) = fields.node_of("concurrency") {
        let error = node.error("the service model states how many requests a replica serves at once");
        sink.push(error.help("leave `concurrency` out"));
    }
    Some(own)
}

fn no_concurrency(missing: bool, fields: &Fields<'_>, sink: &mut Diagnostics) {
    if !missing || fields.node_of("concurrency").is_some() {
        return;
    }
    let error = fields.node().error("the service has no `concurrency`");
    let help = "add `concurrency:`, the number of requests that one replica serves at once";
    fields.missing(&["concurrency"], error.help(help), sink);
}

fn at_least_one(fields: &Fields<'_>, name: &'static str, sink: &mut Diagnostics) -> Option<u32> {
    let value: u32 = fields.optional(name, sink)?;
    if value == 0 {
        sink.push(fields.node_of(name)?.error(format!("`{name}` must be at least 1")));
        return None;
    }
    Some(value)
}

type Resources = (Option<Millicores>, Option<Millicores>, Option<Bytes>);

/// Reads CPU request, CPU limit and memory request. As in Kubernetes, a limit without a request implies an equal
/// request. Values stated here replace everything that a manifest states about the resource.
fn read_resources(fields: &Fields<'_>, defaults: &ServiceDefaults, sink: &mut Diagnostics) -> (Resources, PodSpec) {
    let given = (defaults.cpu_request, defaults.cpu_limit, defaults.memory_request);
    let mut pod = defaults.pod.clone();
    let Some(resources) = fields.node_of("resources").and_then(|node| Fields::open(node, "resources", sink)) else {
        return (given, pod);
    };
    let requests = Amounts::read(&resources, "requests", sink);
    let limits = Amounts::read(&resources, "limits", sink);
    resources.finish(sink);
    let (cpu, memory) = (requests.cpu.or(limits.cpu), requests.memory.or(limits.memory));
    pod.state_requests(cpu, memory);
    for (name, amount) in requests.extended.into_iter().chain(limits.extended) {
        match pod.extended.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = amount,
            None => pod.extended.push((name, amount)),
        }
    }
    pod.extended.sort();
    ((cpu.or(given.0), limits.cpu.or(given.1), memory.or(given.2)), pod)
}

/// One half of `resources`.
#[derive(Default)]
struct Amounts {
    cpu: Option<Millicores>,
    memory: Option<Bytes>,
    extended: Vec<(String, u64)>,
}

impl Amounts {
    fn read(resources: &Fields<'_>, half: &'static str, sink: &mut Diagnostics) -> Amounts {
        let mut amounts = Amounts::default();
        let Some(node) = resources.node_of(half) else { return amounts };
        let (extended, rest) = node.split_entries(|name| name.contains('/'));
        let Some(fields) = Fields::open(&rest, half, sink) else { return amounts };
        (amounts.cpu, amounts.memory) = (fields.optional("cpu", sink), fields.optional("memory", sink));
        fields.finish(sink);
        // An extended resource is named by a domain: `nvidia.com/gpu`.
        amounts.extended =
            extended.iter().filter_map(|(key, value)| Some((key.text.clone(), u64::from_node(value, sink)?))).collect();
        amounts
    }
}

/// `from-trace`, or `from-trace: { otherwise: 120ms }`.
fn read_recorded(node: &Yaml, sink: &mut Diagnostics) -> Option<DemandModel> {
    let mut otherwise = None;
    if let Some(inner) = node.get("from-trace") {
        let outer = Fields::open(node, "service-time", sink)?;
        let _ = outer.node_of("from-trace");
        outer.finish(sink);
        let fields = Fields::open(inner, "from-trace", sink)?;
        otherwise = fields.required("otherwise", sink);
        fields.finish(sink);
        otherwise.as_ref()?;
    }
    let recorded = Distribution::Empirical { values: Vec::new() };
    Some(DemandModel::Recorded(RecordedDemand { recorded, otherwise, unknown: 0.0 }))
}

fn read_demand(fields: &Fields<'_>, model: Option<ServingModel>, sink: &mut Diagnostics) -> Option<DemandModel> {
    let stated = fields.node_of("service-time");
    // With a mistake in the model it is not known what else the service has to state.
    let model = model?;
    if let Some([base, input, output]) = model.time_of_tokens().filter(|_| stated.is_none()) {
        return Some(DemandModel::PerToken { base, input, output });
    }
    if let Some(node) = stated.filter(|node| node.as_text() == Some("from-trace") || node.get("from-trace").is_some()) {
        return read_recorded(node, sink);
    }
    let per_token = stated.and_then(|node| node.get("per-token"));
    let Some(node) = per_token else {
        return fields.required::<Distribution>("service-time", sink).map(DemandModel::Drawn);
    };
    let tokens = Fields::open(node, "per-token", sink)?;
    let base = tokens.or("base", SimDuration::ZERO, sink);
    let input = tokens.or("input", SimDuration::ZERO, sink);
    let output = tokens.required("output", sink);
    tokens.finish(sink);
    Some(DemandModel::PerToken { base, input, output: output? })
}

/// `service-model: slots`, or `service-model: { NAME: { PARAMETERS } }`; `None` with a mistake.
fn read_model(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<ServingModel> {
    fields.default_is("service-model", SERVICE_MODELS[0].name.to_string());
    let Some(node) = fields.node_of("service-model") else { return Some(ServingModel::default()) };
    let (plugin, parameters) = Plugin::stated(SERVICE_MODELS, "service model", node, sink)?;
    (plugin.build)(&parameters, sink)
}

fn read_dispatch(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<&'static DispatcherPlugin> {
    let choices: Vec<(&'static str, &'static DispatcherPlugin)> = DISPATCHERS.iter().map(|p| (p.name, p)).collect();
    fields.node_of("dispatch").and_then(|node| one_of(node, "a dispatcher", &choices, sink))
}

fn read_memory(fields: &Fields<'_>, sink: &mut Diagnostics) -> (Bytes, Bytes) {
    let Some(node) = fields.node_of("memory") else { return (Bytes::ZERO, Bytes::ZERO) };
    let Some(memory) = Fields::open(node, "memory", sink) else { return (Bytes::ZERO, Bytes::ZERO) };
    let pair = (memory.or("base", Bytes::ZERO, sink), memory.or("per-request", Bytes::ZERO, sink));
    memory.finish(sink);
    pair
}

fn read_start_up(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<StartUp> {
    let zero = || Distribution::Constant { value: 0.0 };
    let mut start_up = StartUp::default();
    let node = fields.node_of("start-up")?;
    let phased =
        ["scheduled", "image-pull", "started", "ready", "cpu", "cpu-for"].iter().any(|name| node.get(name).is_some());
    if !phased && !matches!(&node.value, Value::Mapping(entries) if entries.len() > 1) {
        // A single duration or distribution: all of it between running and ready.
        start_up.ready = Distribution::from_node(node, sink).unwrap_or_else(zero);
        return Some(start_up);
    }
    if let Some(phases) = Fields::open(node, "start-up", sink) {
        start_up = StartUp {
            scheduled: phases.or("scheduled", zero(), sink),
            pulled: phases.or("image-pull", zero(), sink),
            started: phases.or("started", zero(), sink),
            ready: phases.or("ready", zero(), sink),
        };
        // Read by `read_start_cpu`.
        let _ = (phases.node_of("cpu"), phases.node_of("cpu-for"));
        phases.finish(sink);
    }
    Some(start_up)
}

/// Reads `start-up: { cpu: 800m }`, which lasts until the replica is ready, or `{ cpu: 800m, cpu-for: 3m }`.
fn read_start_cpu(fields: &Fields<'_>, limit: Option<Millicores>, sink: &mut Diagnostics) -> Option<StartCpu> {
    let start_up = fields.node_of("start-up")?;
    let (cpu, length) = (start_up.get("cpu"), start_up.get("cpu-for"));
    let Some(node) = cpu else {
        if let Some(length) = length {
            sink.push(length.error("`cpu-for` states a duration, but `cpu` is missing").help("add `cpu: 800m`"));
        }
        return None;
    };
    let stated = Millicores::from_node(node, sink)?;
    let length = length.and_then(|node| SimDuration::from_node(node, sink));
    let cpu = limit.map_or(stated, |limit| stated.min(limit));
    if cpu < stated {
        sink.push(node.warning(format!("start-up CPU of {stated} exceeds the container's CPU limit; {cpu} is used")));
    }
    Some(StartCpu { cpu, length })
}

fn read_timeout(node: &Yaml, sink: &mut Diagnostics) -> Option<Timeout> {
    if node.as_text().is_some() {
        let after = SimDuration::from_node(node, sink)?;
        return Some(Timeout { after, work: OnTimeout::default() });
    }
    let fields = Fields::open(node, "timeout", sink)?;
    let after = fields.required("after", sink);
    let choices =
        [("finish", OnTimeout::Finish), ("cancel", OnTimeout::Cancel), ("cancel-waiting", OnTimeout::CancelWaiting)];
    let work = fields.node_of("work").and_then(|node| one_of(node, "a way to treat abandoned work", &choices, sink));
    fields.finish(sink);
    Some(Timeout { after: after?, work: work.unwrap_or_default() })
}

fn read_retry(node: &Yaml, sink: &mut Diagnostics) -> Option<Retry> {
    let fields = Fields::open(node, "retry", sink)?;
    let attempts: Option<u32> = fields.required("attempts", sink);
    let backoff: SimDuration = fields.or("backoff", SimDuration::from_millis(100), sink);
    let max_backoff: SimDuration = fields.or("max-backoff", SimDuration::from_secs(10), sink);
    let jitter = fields.or("jitter", true, sink);
    let budget = Fraction::new(0.2).ok().map(|budget| fields.or("budget", budget, sink));
    fields.default_is("reserve", RETRY_RESERVE.to_string());
    let reserve = at_least_one(&fields, "reserve", sink).unwrap_or(RETRY_RESERVE);
    let count = attempts.filter(|n| (1..=100).contains(n));
    if let (Some(given), None) = (attempts, count) {
        sink.push(fields.node_of("attempts")?.error(format!("`attempts` must be from 1 to 100, not {given}")));
    }
    fields.finish(sink);
    Some(Retry { attempts: count? as u8, backoff, max_backoff, jitter, budget: budget?, reserve })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SourceFile, parse_single};

    /// The two places that list all fields agree on what holds where nothing is stated. Only of the pod the reader knows
    /// more: its one container, and that memory use and CPU use are assumptions.
    #[test]
    fn a_service_built_in_code_has_the_defaults_of_the_reader() {
        let text = "{ name: shop, concurrency: 4, service-time: 50ms }";
        let node = parse_single(&SourceFile::new("service", text)).unwrap();
        let mut sink = Diagnostics::new();
        let fields = Fields::open(&node, "service", &mut sink).unwrap();
        let read = ServiceSpec::read(&fields, &ServiceDefaults::default(), &mut sink).unwrap();
        fields.finish(&mut sink);
        assert!(sink.is_empty(), "{sink}");
        let demand = DemandModel::Drawn(Distribution::Constant { value: 0.05 });
        let built = ServiceSpec { concurrency: 4, pod: read.pod.clone(), ..ServiceSpec::new("shop", demand) };
        assert_eq!(format!("{built:?}"), format!("{read:?}"));
    }
}
