//! Converts a case of the table to a station.

use plimsoll::random::Distribution;
use plimsoll::serving::continuous::{ContinuousBatching, Limits, StepTime};
use plimsoll::serving::{BatchTime, Batching};
use plimsoll::units::SimDuration;
use plimsoll::validate::verify::{Arrivals, Discipline, Started, Station, Visit};
use serde_json::{Map, Value};

/// A case of the table.
pub struct Case<'a> {
    pub id: &'a str,
    pub family: &'a str,
    pub model: &'a Map<String, Value>,
    pub expected: &'a Map<String, Value>,
    /// Arrivals after which a 95% interval is 1% of the figure to either side.
    pub stated: Option<f64>,
}

/// The reason why a case is not run.
pub enum Problem {
    /// The simulator does not support it.
    NotModelled(&'static str),
    /// It cannot be understood, which is a failure.
    Unreadable(String),
}

impl From<String> for Problem {
    fn from(text: String) -> Self {
        Problem::Unreadable(text)
    }
}

/// The kind of a case's figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Figures of the stationary state.
    Steady,
    /// Figures of a station that starts in a given state, at given times.
    Transient,
    /// Figures of a cycle with this period.
    Periodic(f64),
    /// Figures of a single path that can be computed by hand.
    Trace,
}

/// A case's model.
pub struct Subject {
    pub station: Station,
    pub kind: Kind,
    /// Sum of the squared coefficients of variation of interarrival and service times.
    pub variability: f64,
    /// Whether numbers in the system are per queue.
    pub per_queue: bool,
    /// Whether the figures only hold in the limit of many queues.
    pub many_queues: bool,
}

/// Families of stationary queues that are modelled.
const STEADY: [&str; 18] = [
    "M/M/1 FIFO",
    "M/M/c FIFO",
    "M/M/c/K (loss at capacity)",
    "M/G/c/c (Erlang B, insensitive)",
    "M/D/1 FIFO",
    "M/G/1 FIFO",
    "M/D/c FIFO",
    "G/M/1 FIFO",
    "Round robin to N M/M/1 queues",
    "M^[X]/M/1 batch arrivals",
    "MMPP(2)/M/c (bursty arrivals)",
    "M/G/1-PS (insensitive)",
    "M/G/c-PS (each job at most one server, insensitive)",
    "M/M/c+D (fixed queue timeout)",
    "JSQ to N M/M/1 queues",
    "Power of d choices, N finite",
    "Power of d choices, N -> infinity (mean field)",
    "M/G/inf (serverless without cold starts)",
];

/// Families in which requests are served together, by the beginnings of their names.
const BATCHED: [&str; 3] = ["M/M(a,b)/1 bulk service", "Dynamic batching", "Batch collector with timeout"];

/// Families that are not modelled yet, by the beginnings of their names, and the missing feature.
const NOT_MODELLED: [(&str, &str); 11] = [
    ("Load-dependent processor sharing", "speed by load"),
    ("M/M/c+M (Erlang A", "random patience"),
    ("M/G/1 two classes", "priorities"),
    ("M/M/c two classes", "priorities"),
    ("M/M/1 SRPT", "order by size"),
    ("M/M/1 SJF", "order by size"),
    ("M/M/1 with feedback", "retries on failure"),
    ("Scale-per-request", "another distribution of the service time after a start"),
    ("M/M/1 with failures", "repair of a server"),
    ("M/M/c with independent server failures", "repair of a server"),
    ("M/M/c retrial queue", "exponential back-off"),
];
/// A family that has no queue.
const NO_QUEUE: &str = "k-out-of-n";

/// Known fields of a model. Any other field would be ignored silently.
const KNOWN: [&str; 38] = [
    "admission",
    "arrivals",
    "batch_time_ms",
    "branches",
    "arrivals_at",
    "capacity",
    "cold_start",
    "instances",
    "keep_alive",
    "policy",
    "setup",
    "cluster",
    "cv2",
    "discipline",
    "iteration_time_s",
    "mean_rate",
    "note",
    "output_tokens",
    "patience",
    "queues",
    "rate",
    "rate_over_time",
    "rate_per_queue",
    "routing",
    "servers",
    "servers_over_time",
    "service",
    "start",
    "stations",
    "think",
    "unit",
    "users",
    "horizon",
    "max_batch",
    "min_batch",
    "rate_per_ms",
    "timeout",
    "timeout_ms",
];

/// A number of queues that represents infinitely many. The mean is too high by about its reciprocal, times 4 at load
/// 0.9.
const MANY: u32 = 4_000;
/// A number of servers that represents infinitely many.
const ENOUGH: u32 = 100_000;

/// The model of a case.
pub fn read(case: &Case<'_>) -> Result<Subject, Problem> {
    let missing = NOT_MODELLED.iter().find(|(family, _)| case.family.starts_with(family));
    if let Some((_, reason)) = missing {
        return Err(Problem::NotModelled(reason));
    }
    if case.family.starts_with(NO_QUEUE) {
        return Err(Problem::NotModelled("no queue"));
    }
    if let Some(key) = case.model.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return Err(Problem::Unreadable(format!("the model's `{key}` is not understood")));
    }
    match case.family {
        "D/D/1 hand-checkable trace" => trace(case.model),
        "Mt/G/inf with sinusoidal rate" => periodic(case.model),
        family if family.starts_with("Keep-alive") => kept(case.model),
        family if family.starts_with("M/G/1 with keep-alive") || family.starts_with("M/M/c/Setup") => {
            started(case.model)
        }
        "M/M/c//N closed loop (N users, c servers)" => closed(case.model, &case.model["service"], servers(case.model)?),
        "Closed interactive network (N users, think time), exact MVA" => interactive(case.model),
        "Scatter-gather without queueing" => scattered(case.model),
        family if family.starts_with("Jackson tandem") => in_tandem(case.model),
        family if family.starts_with("Fork-join") => forked(case.model),
        family if BATCHED.iter().any(|known| family.starts_with(known)) => batched(case.model),
        family if family.starts_with("LLM continuous batching") => by_iteration(case.model),
        family if STEADY.contains(&family) => steady(case),
        family if family.starts_with("M/M/c(t)") || family.contains("transient") => transient(case),
        family => Err(Problem::Unreadable(format!("unknown family `{family}`"))),
    }
}

fn steady(case: &Case<'_>) -> Result<Subject, Problem> {
    let model = case.model;
    let (service, of_service) = distribution(&model["service"])?;
    let many_queues = model.contains_key("rate_per_queue");
    let cluster = model.get("cluster");
    let (arrivals, of_arrivals) = match cluster {
        Some(cluster) => (Arrivals::poisson(number(cluster, "total_poisson_rate")?), 1.0),
        None if many_queues => (Arrivals::poisson(field(model, "rate_per_queue")? * f64::from(MANY)), 1.0),
        None => arrivals(model)?,
    };
    let mut station = Station::new(arrivals, service, servers(model)?);
    if let Some(capacity) = model.get("capacity") {
        let capacity = whole(capacity)?;
        let room = capacity.checked_sub(station.servers).ok_or("a capacity below the servers".to_string())?;
        station.room = Some(room);
    }
    station.patience = model.get("patience").map(fixed).transpose()?;
    match model.get("discipline").and_then(Value::as_str) {
        None | Some("fifo") => {}
        Some("ps" | "ps: rate per job = min(1, c/n)") => station.discipline = Discipline::Sharing,
        Some(other) => return Err(Problem::Unreadable(format!("discipline `{other}`"))),
    }
    if let Some(cluster) = cluster {
        (station.queues, station.routing) = (whole(&cluster["queues"])?, routing(&cluster["routing"], None)?);
    } else if let Some(rule) = model.get("routing") {
        let queues = if many_queues { MANY } else { whole(&model["queues"])? };
        (station.queues, station.routing) = (queues, routing(rule, Some(queues))?);
    }
    let variability = of_service + of_arrivals;
    Ok(Subject { station, kind: Kind::Steady, variability, per_queue: cluster.is_some(), many_queues })
}

/// One instance that serves any number of requests at once and is kept for a while without any.
fn kept(model: &Map<String, Value>) -> Result<Subject, Problem> {
    let (arrivals, of_arrivals) = match model["arrivals"].get("renewal") {
        Some(gaps) => distribution(gaps).map(|(gap, scv)| (Arrivals::Renewal(gap), scv))?,
        None => arrivals(model)?,
    };
    if model.get("cold_start").is_some_and(|start| start.as_f64() != Some(0.0)) {
        return Err(Problem::NotModelled("a start beside other requests"));
    }
    // Insensitive: any distribution with this mean will do.
    let mean = model.get("service").map_or(Ok(0.0), |service| number(service, "mean"))?;
    let service = match mean {
        0.0 => Distribution::Constant { value: 0.0 },
        mean => Distribution::Exponential { mean },
    };
    let start = Distribution::Constant { value: 0.0 };
    let started = Started { start, keep: field(model, "keep_alive")?, most: 1, cancels: false };
    let station = Station { started: Some(started), ..Station::new(arrivals, service, ENOUGH) };
    Ok(Subject { station, kind: Kind::Steady, variability: 1.0 + of_arrivals, per_queue: false, many_queues: false })
}

/// Servers that are started when requests wait, and switched off when they have been idle for a while.
fn started(model: &Map<String, Value>) -> Result<Subject, Problem> {
    let (arrivals, of_arrivals) = arrivals(model)?;
    let (service, of_service) = distribution(&model["service"])?;
    let setup = model.get("setup");
    if let Some(policy) = model.get("policy").and_then(Value::as_str) {
        let known = "an idle server switches off at once; the number of servers in setup is min(jobs, c) - busy; a setup is cancelled \
                     when its job is taken by another server";
        if policy != known {
            return Err(Problem::Unreadable(format!("policy `{policy}`")));
        }
    }
    let start = setup.or(model.get("cold_start")).ok_or("no time of a start".to_string())?;
    let start = distribution(start)?.0;
    let keep = model.get("keep_alive").map_or(Some(0.0), Value::as_f64).ok_or("no number `keep_alive`".to_string())?;
    // A wait for a start forgets the past more slowly than one for a server.
    let variability = of_arrivals + of_service + start.mean() / service.mean();
    let started = Started { start, keep, most: servers(model)?, cancels: setup.is_some() };
    let station = Station { started: Some(started), ..Station::new(arrivals, service, 1) };
    Ok(Subject { station, kind: Kind::Steady, variability, per_queue: false, many_queues: false })
}

/// A server of batches. Milliseconds, where a case states them, are taken as the unit of time.
/// Tokens of a prompt where only the number of requests that join an iteration counts.
const PROMPT: u32 = 61;

/// An engine whose iterations take `a+b*active+c*newly_admitted` seconds. Those that decode get one token in an iteration
/// and those that join get their prompts: with a time b per request and c / (PROMPT - 1) per token less that of the first,
/// an iteration takes as long.
fn by_iteration(model: &Map<String, Value>) -> Result<Subject, Problem> {
    let unreadable = |key: &str| format!("`{key}` is {}", model[key]);
    let text = |key: &str| model[key].as_str().ok_or_else(|| unreadable(key));
    if !text("admission")?.starts_with("FIFO at iteration boundaries; a request that finds the system empty starts") {
        return Err(Problem::Unreadable(unreadable("admission")));
    }
    let time = text("iteration_time_s")?.strip_suffix("*newly_admitted");
    let parts =
        time.and_then(|time| time.split_once("*active+").and_then(|(left, new)| Some((left.split_once('+')?, new))));
    let ((fixed, active), new) = parts.ok_or_else(|| unreadable("iteration_time_s"))?;
    let micros = |text: &str| text.parse::<f64>().map(|s| s * 1e6).map_err(|_| unreadable("iteration_time_s"));
    let (fixed, active, new) = (micros(fixed)?, micros(active)?, micros(new)?);
    let token = new / f64::from(PROMPT - 1);
    if token > active {
        return Err(Problem::NotModelled("prompts that cost more than their requests"));
    }
    let p = text("output_tokens")?.strip_prefix("geometric, p=").and_then(|rest| rest.split_once(' '));
    let p: f64 = p.and_then(|(p, _)| p.parse().ok()).ok_or_else(|| unreadable("output_tokens"))?;
    let step_time = StepTime { base: fixed, token, sequence: active - token, ..StepTime::default() };
    let limits = Limits {
        sequences: whole(&model["max_batch"])?,
        batched_tokens: 1 << 20,
        length: 1 << 14,
        blocks: 1 << 16,
        prefix_caching: false,
        asynchronous: false,
        ..Limits::default()
    };
    let service = Distribution::Exponential { mean: -1.0 / (1.0 - p).ln() };
    let mut station = Station::new(Arrivals::poisson(field(model, "rate")?), service, 1);
    station.discipline = Discipline::Engine { engine: ContinuousBatching { limits, step_time }, prompt: PROMPT };
    Ok(Subject { station, kind: Kind::Steady, variability: 2.0, per_queue: false, many_queues: false })
}

fn batched(model: &Map<String, Value>) -> Result<Subject, Problem> {
    let mut batching = Batching {
        size: whole(&model["max_batch"])?,
        start_at: 1,
        max_delay: None,
        per_request: SimDuration::ZERO,
        batches: servers(model)?,
        time: BatchTime::First,
    };
    let seconds = |value: f64| SimDuration::from_secs_f64(value).map_err(|error| error.to_string());
    let mut service = Distribution::Constant { value: 1.0 };
    if let Some(time) = model.get("batch_time_ms") {
        let (fixed, each) =
            time.as_str().and_then(|text| text.strip_suffix("*k")?.split_once('+')).ok_or(format!("{time}"))?;
        let value = |text: &str| text.parse::<f64>().map_err(|_| format!("{time}"));
        service = Distribution::Constant { value: value(fixed)? };
        batching.per_request = seconds(value(each)?)?;
        if model.get("timeout_ms").and_then(Value::as_f64) != Some(0.0) {
            return Err(Problem::NotModelled("a greedy server with a time-out"));
        }
    } else if let Some(timeout) = model.get("timeout") {
        (batching.start_at, batching.max_delay) =
            (batching.size, Some(seconds(timeout.as_f64().ok_or(format!("{timeout}"))?)?));
    } else {
        (service, batching.start_at) = (distribution(&model["service"])?.0, whole(&model["min_batch"])?);
    }
    let rate = model.get("rate").or(model.get("rate_per_ms")).and_then(Value::as_f64).ok_or("no rate".to_string())?;
    let mut station = Station::new(Arrivals::poisson(rate), service, 1);
    station.discipline = Discipline::Batch(batching);
    Ok(Subject { station, kind: Kind::Steady, variability: 2.0, per_queue: false, many_queues: false })
}

/// A closed network of stations that each request visits in order.
fn interactive(model: &Map<String, Value>) -> Result<Subject, Problem> {
    if let [station] = &stations(model)?[..] {
        return closed(model, &station["service"], whole(&station["servers"])?);
    }
    let users = Arrivals::Closed { users: whole(&model["users"])?, think: think(model)?.0 };
    Ok(network(users, one_by_one(model)?))
}

fn stations(model: &Map<String, Value>) -> Result<&Vec<Value>, String> {
    model["stations"].as_array().ok_or("no `stations`".to_string())
}

/// Visits of the stations of a model, one after the other.
fn one_by_one(model: &Map<String, Value>) -> Result<Vec<Vec<Visit>>, String> {
    let visit = |station: &Value| {
        let (service, _) = distribution(&station["service"])?;
        let station = Station::new(Arrivals::Listed(Vec::new()), service, whole(&station["servers"])?);
        Ok(vec![Visit { station, times: 1 }])
    };
    stations(model)?.iter().map(visit).collect()
}

fn network(arrivals: Arrivals, stages: Vec<Vec<Visit>>) -> Subject {
    let station = Station::entry(arrivals, stages);
    Subject { station, kind: Kind::Steady, variability: 2.0, per_queue: false, many_queues: false }
}

fn in_tandem(model: &Map<String, Value>) -> Result<Subject, Problem> {
    Ok(network(arrivals(model)?.0, one_by_one(model)?))
}

/// A queue for each branch.
fn forked(model: &Map<String, Value>) -> Result<Subject, Problem> {
    let (service, _) = distribution(&model["service"])?;
    let station = Station::new(Arrivals::Listed(Vec::new()), service, servers(model)?);
    let branches = whole(&model["branches"])?;
    let stage = (0..branches).map(|_| Visit { station: station.clone(), times: 1 }).collect();
    Ok(network(arrivals(model)?.0, vec![stage]))
}

/// All branches at one station without queue, whose arrivals do not matter.
fn scattered(model: &Map<String, Value>) -> Result<Subject, Problem> {
    let (service, _) = distribution(&model["service"])?;
    let station = Station::new(Arrivals::Listed(Vec::new()), service, servers(model)?);
    Ok(network(Arrivals::poisson(1.0), vec![vec![Visit { station, times: whole(&model["branches"])? }]]))
}

fn closed(model: &Map<String, Value>, service: &Value, servers: u32) -> Result<Subject, Problem> {
    let (think, of_think) = think(model)?;
    let (service, of_service) = distribution(service)?;
    let station = Station::new(Arrivals::Closed { users: whole(&model["users"])?, think }, service, servers);
    let variability = of_service + of_think;
    Ok(Subject { station, kind: Kind::Steady, variability, per_queue: false, many_queues: false })
}

/// The think time of a closed loop and its squared coefficient of variation.
fn think(model: &Map<String, Value>) -> Result<(Distribution, f64), String> {
    let mut think = model["think"].clone();
    // Insensitive to the distribution: the lognormal shows it as well as any.
    if think["dist"] == "exp (any, insensitive)" {
        think = serde_json::json!({ "dist": "lognormal", "mean": think["mean"], "cv2": 1.0 });
    }
    distribution(&think)
}

fn servers(model: &Map<String, Value>) -> Result<u32, String> {
    match model.get("servers") {
        None => Ok(1),
        Some(Value::String(text)) if text == "inf" => Ok(ENOUGH),
        Some(servers) => whole(servers),
    }
}

/// The dispatcher for `rule`. The shortest queue is found by the lowest load; ties go to the lowest seat instead of a
/// random one, which makes no difference for identical queues.
fn routing(rule: &Value, queues: Option<u32>) -> Result<&'static str, Problem> {
    let text = rule.as_str().ok_or("routing is no text".to_string())?;
    let sampled = text.split("shortest of ").nth(1).and_then(|rest| rest.split(' ').next());
    match sampled.map(str::parse::<u32>) {
        _ if text == "round_robin" => Ok("round-robin"),
        Some(Ok(d)) if Some(d) == queues => Ok("least-loaded"),
        Some(Ok(2)) => Ok("power-of-two"),
        Some(Ok(_)) => Err(Problem::NotModelled("more than two choices")),
        _ => Err(Problem::Unreadable(format!("routing `{text}`"))),
    }
}

fn transient(case: &Case<'_>) -> Result<Subject, Problem> {
    let model = case.model;
    let (service, _) = distribution(&model["service"])?;
    let arrivals = match model.get("rate_over_time") {
        Some(steps) => Arrivals::Steps(pairs(steps)?),
        None => arrivals(model)?.0,
    };
    let mut station = Station::new(arrivals, service, 1);
    match model.get("servers_over_time") {
        None => station.servers = servers(model)?,
        Some(steps) => (station.servers, station.occupied) = growing(&pairs(steps)?)?,
    }
    match model.get("start") {
        Some(Value::String(text)) if text == "empty" => {}
        Some(start @ Value::Number(_)) => station.backlog = whole(start)?,
        other => return Err(Problem::Unreadable(format!("start {other:?}"))),
    }
    Ok(Subject { station, kind: Kind::Transient, variability: 2.0, per_queue: false, many_queues: false })
}

/// Servers that are added over time: their final number, and when each of the later ones becomes available.
fn growing(steps: &[(f64, f64)]) -> Result<(u32, Vec<f64>), Problem> {
    let mut occupied = Vec::new();
    for pair in steps.windows(2) {
        let more = pair[1].1 - pair[0].1;
        if more < 0.0 {
            return Err(Problem::NotModelled("servers that become fewer"));
        }
        occupied.extend(std::iter::repeat_n(pair[1].0, more as usize));
    }
    Ok((steps.last().map_or(0, |(_, servers)| *servers as u32), occupied))
}

fn periodic(model: &Map<String, Value>) -> Result<Subject, Problem> {
    let (service, _) = distribution(&model["service"])?;
    let (arrivals, _) = arrivals(model)?;
    let Arrivals::Sinusoid { period, .. } = arrivals else {
        return Err(Problem::Unreadable("arrivals without a period".into()));
    };
    let station = Station::new(arrivals, service, servers(model)?);
    Ok(Subject { station, kind: Kind::Periodic(period), variability: 2.0, per_queue: false, many_queues: false })
}

fn trace(model: &Map<String, Value>) -> Result<Subject, Problem> {
    let (moments, demands) = (numbers(&model["arrivals_at"])?, numbers(&model["service"])?);
    if moments.len() != demands.len() {
        return Err(Problem::Unreadable("a demand is missing".into()));
    }
    let arrivals = Arrivals::Listed(moments.into_iter().zip(demands).collect());
    let station = Station::new(arrivals, Distribution::Constant { value: 1.0 }, servers(model)?);
    Ok(Subject { station, kind: Kind::Trace, variability: 0.0, per_queue: false, many_queues: false })
}

/// The arrival process and its index of dispersion: the variance of the number of arrivals in a long time divided by
/// its mean.
fn arrivals(model: &Map<String, Value>) -> Result<(Arrivals, f64), String> {
    let arrivals = &model["arrivals"];
    if arrivals == "poisson" {
        return Ok((Arrivals::poisson(field(model, "rate")?), 1.0));
    }
    if let Some(gaps) = arrivals.get("renewal") {
        return distribution(gaps).map(|(gap, scv)| (Arrivals::Renewal(gap), scv));
    }
    if let Some(batches) = arrivals.get("batch_poisson") {
        let sizes: Vec<(u32, f64)> = pairs(&batches["sizes"])?.iter().map(|(n, p)| (*n as u32, *p)).collect();
        let moment = |power| sizes.iter().map(|(n, p)| f64::from(*n).powi(power) * p).sum::<f64>();
        let dispersion = moment(2) / moment(1);
        return Ok((Arrivals::Batches { rate: number(batches, "batch_rate")?, sizes }, dispersion));
    }
    if let Some(modulated) = arrivals.get("mmpp") {
        return two_states(&numbers(&modulated["rates"])?, &numbers(&modulated["switch_rates"])?);
    }
    let formula = arrivals.get("nhpp").and_then(Value::as_str).ok_or(format!("arrivals {arrivals}"))?;
    sinusoid(formula).map(|arrivals| (arrivals, 1.0)).ok_or(format!("arrivals {arrivals}"))
}

/// Dispersion of a two-state MMPP: 1 + 2 (l1 - l2)^2 q1 q2 / ((q1 + q2)^2 (l1 q2 + l2 q1)) (Fischer and Meier-Hellstern 1993).
fn two_states(rates: &[f64], leaving: &[f64]) -> Result<(Arrivals, f64), String> {
    let (&[l1, l2], &[q1, q2]) = (rates, leaving) else {
        return Err("not two states".into());
    };
    let dispersion = 1.0 + 2.0 * (l1 - l2).powi(2) * q1 * q2 / ((q1 + q2).powi(2) * (l1 * q2 + l2 * q1));
    Ok((Arrivals::Modulated { rates: [l1, l2], leaving: [q1, q2] }, dispersion))
}

/// Reads `MEAN*(1+AMPLITUDE*sin(2*pi*t/PERIOD))`.
fn sinusoid(formula: &str) -> Option<Arrivals> {
    let (mean, rest) = formula.split_once("*(1+")?;
    let (amplitude, rest) = rest.split_once("*sin(2*pi*t/")?;
    let period = rest.strip_suffix("))")?;
    Some(Arrivals::Sinusoid {
        mean: mean.parse().ok()?,
        amplitude: amplitude.parse().ok()?,
        period: period.parse().ok()?,
    })
}

/// A distribution and its squared coefficient of variation.
fn distribution(value: &Value) -> Result<(Distribution, f64), String> {
    let given = |key| number(value, key);
    let scv = || given("cv2");
    let name = value["dist"].as_str().ok_or("a distribution without a name")?;
    let (read, scv) = match name {
        "exp" => (Distribution::Exponential { mean: given("mean")? }, 1.0),
        "det" => (Distribution::Constant { value: given("mean")? }, 0.0),
        // Insensitive to the distribution: the lognormal shows it as well as any.
        "any with mean 1" => return Ok((Distribution::lognormal(1.0, 1.0), 1.0)),
        "lognormal" => (Distribution::lognormal(given("mean")?, scv()?.sqrt()), scv()?),
        "hyperexp" => (Distribution::hyperexponential_balanced(given("mean")?, scv()?), scv()?),
        "erlang" => {
            let shape = given("shape")?;
            (Distribution::Gamma { shape, scale: given("mean")? / shape }, scv()?)
        }
        "gamma" => (Distribution::Gamma { shape: 1.0 / scv()?, scale: given("mean")? * scv()? }, scv()?),
        "uniform" => (Distribution::Uniform { low: given("low")?, high: given("high")? }, scv()?),
        "weibull" => {
            let shape = given("shape")?;
            let of_unit_scale = Distribution::Weibull { shape, scale: 1.0 }.mean();
            (Distribution::Weibull { shape, scale: given("mean")? / of_unit_scale }, scv()?)
        }
        "pareto" | "bounded_pareto" => {
            let any = |keys: [&str; 3]| keys.iter().find_map(|key| value[key].as_f64()).ok_or(format!("{value}"));
            let (shape, min) = (any(["shape", "alpha", "a"])?, any(["min", "low", "lower"])?);
            (Distribution::Pareto { shape, min, max: any(["max", "high", "upper"])? }, scv()?)
        }
        other => return Err(format!("distribution `{other}`")),
    };
    let mean = given("mean")?;
    let agrees = (read.mean() / mean - 1.0).abs() < 1e-6;
    if agrees { Ok((read, scv)) } else { Err(format!("{value} has mean {}", read.mean())) }
}

/// The value of a constant distribution.
fn fixed(value: &Value) -> Result<f64, Problem> {
    match distribution(value)?.0 {
        Distribution::Constant { value } => Ok(value),
        _ => Err(Problem::NotModelled("random patience")),
    }
}

fn field(model: &Map<String, Value>, key: &str) -> Result<f64, String> {
    model.get(key).and_then(Value::as_f64).ok_or(format!("no number `{key}`"))
}

fn number(value: &Value, key: &str) -> Result<f64, String> {
    value[key].as_f64().ok_or(format!("no number `{key}` in {value}"))
}

fn whole(value: &Value) -> Result<u32, String> {
    value.as_u64().and_then(|n| u32::try_from(n).ok()).ok_or(format!("{value} is no whole number"))
}

fn numbers(value: &Value) -> Result<Vec<f64>, String> {
    let list = value.as_array().ok_or(format!("{value} is no list"))?;
    list.iter().map(|item| item.as_f64().ok_or(format!("{item} is no number"))).collect()
}

fn pairs(value: &Value) -> Result<Vec<(f64, f64)>, String> {
    let list = value.as_array().ok_or(format!("{value} is no list"))?;
    let pair = |item: &Value| match numbers(item)?[..] {
        [a, b] => Ok((a, b)),
        _ => Err(format!("{item} is no pair")),
    };
    list.iter().map(pair).collect()
}
