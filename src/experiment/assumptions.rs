//! The assumptions of a run, in sentences, so that a reader of the report can object.

use crate::billing::{Charge, Item, UseTariff};
use crate::catalog::{Catalog, KUBERNETES_OVERHEAD};
use crate::cluster::{CpuUse, DemandModel, NodePool, OnTimeout, RecordedDemand, ServiceSpec, UpdateStrategy};
use crate::engine::{Call, MetricsOutage, NodeLease, ReplicaLease};
use crate::policy::{Measure, Measures};
use crate::random::{Distribution, shown_seconds};
use crate::scenario::{Scenario, ServicePlan};
use crate::serving::{CpuUnderLoad, Serving};
use crate::units::{Bytes, Fraction, Millicores, SimTime};

/// Effects that the model leaves out and no field of a scenario can state.
const NOT_MODELLED: &str = "Not modelled: the network between clients and replicas, slow first requests of a fresh replica (cold \
    caches), calls between services, node autoscaling, spot interruptions, and the cost of storage, data \
    transfer, load balancers and the control plane.";

/// What of it is modelled where the number of nodes of a pool can change.
const NO_NODE_AUTOSCALING: &str = "node autoscaling, ";

/// What of it is modelled where services call each other.
const NO_CALLS: &str = "calls between services, ";

/// The assumptions of `scenario`.
pub fn of(scenario: &Scenario) -> Vec<String> {
    let mut said: Vec<String> = scenario.services.iter().flat_map(|plan| of_service(plan, &scenario.pools)).collect();
    said.extend(scenario.services.iter().flat_map(|plan| calls(plan, &scenario.services)));
    for variant in &scenario.policies {
        let Some(plan) = &variant.service else { continue };
        let known = said.clone();
        let new = of_service(plan, &scenario.pools).into_iter().filter(|line| !known.contains(line));
        said.extend(new.map(|line| format!("Under {}: {line}", variant.label)));
    }
    said.extend(nodes(scenario));
    let metrics = &scenario.metrics;
    let averaged = metrics.averaged();
    let within = if averaged == metrics.window {
        String::new()
    } else {
        format!(" (the scrapes within the window of {})", metrics.window)
    };
    said.push(format!(
        "Metrics are scraped every {}, averaged over {averaged}{within}, and visible to autoscalers {} later.",
        metrics.interval, metrics.lag
    ));
    for outage in &metrics.outages {
        said.push(format!(
            "For {}, starting at {}, the metrics APIs return nothing for {}; afterwards autoscalers see the newest scrape.",
            outage.length,
            outage.from.since(SimTime::ZERO),
            metrics_out(outage)
        ));
    }
    for outage in &scenario.outages {
        said.push(format!(
            "Zone {} is lost after {} for {}. For the first {} the control plane does not notice: its replicas still receive requests, \
             which hang until the client gives up, and new pods may be placed there. Then its nodes are NotReady: their replicas receive no \
             more requests, and hanging requests fail. After another {} the pods are evicted and replaced elsewhere, and are no longer \
             paid for; if the zone recovers earlier, they restart in place. Nodes of a pool are paid for throughout.",
            scenario.zones[outage.zone as usize],
            outage.at.since(SimTime::ZERO),
            outage.length,
            outage.response.noticed_after,
            outage.response.evicted_after
        ));
    }
    said.extend(unpriced(scenario));
    said.extend(contract(scenario));
    said.extend(at_the_end(scenario));
    said.push(format!("The number of needed replicas assumes a utilization of {}.", scenario.reference_utilization));
    let scales = scenario.pools.iter().any(NodePool::can_change);
    let mut left_out = NOT_MODELLED.to_string();
    if scales {
        left_out = left_out.replace(NO_NODE_AUTOSCALING, "");
    }
    if scenario.services.iter().any(|plan| !plan.calls.is_empty()) {
        left_out = left_out.replace(NO_CALLS, "");
    }
    let egress = |charge: &Charge| charge.item() == Item::EgressGib;
    if scenario.services.iter().flat_map(|plan| &plan.usage).any(|tariff| tariff.charges.iter().any(egress)) {
        left_out = left_out.replace("storage, data transfer, load", "storage, load");
    }
    if !scenario.contract.fees.is_empty() {
        left_out = left_out.replace(", load balancers and the control plane", " and of what no fee is stated for");
    }
    said.push(left_out);
    said
}

/// Commitments, fees and credits.
fn contract(scenario: &Scenario) -> Vec<String> {
    let contract = &scenario.contract;
    let per_cent = |millionths: u32| format!("{}%", f64::from(millionths) / 10_000.0);
    let reserved = contract.reserved.iter().map(|reservation| {
        format!(
            "{} × {} at {} each are paid for throughout the run, used or not, and cover as many instance-hours of each hour; others are \
             paid for on demand.",
            reservation.count, reservation.what, reservation.price
        )
    });
    let mut said: Vec<String> = reserved.collect();
    if let Some(plan) = &contract.plan {
        said.push(format!(
            "A savings plan of {} is paid for throughout the run; in each hour it covers leases on demand, in the order in which they \
             began, at {} below their price.",
            plan.commitment,
            per_cent(plan.discount)
        ));
    }
    if contract.commits() {
        said.push("The cost over time in charts is that on demand; plans and policies that weigh costs do not know commitments.".into());
    }
    let fees = contract
        .fees
        .iter()
        .map(|fee| format!("{} × {} at {} each are paid for throughout the run.", fee.count, fee.what, fee.price));
    said.extend(fees);
    if let Some(credits) = &contract.credits {
        let tier = |(below, owed): &(u32, u32)| format!("{} below {}", per_cent(*owed), per_cent(*below));
        let tiers: Vec<String> = credits.tiers.iter().map(tier).collect();
        said.push(format!(
            "Customers of {} pay {} and are owed a share of that by the requests that were answered, of those that ended after the \
             warm-up: {}.",
            scenario.services[credits.service].spec.name,
            credits.revenue,
            tiers.join(", ")
        ));
    }
    said
}

/// What the requests of a service ask of others, a sentence for each call.
fn calls(plan: &ServicePlan, services: &[ServicePlan]) -> Vec<String> {
    let one = |call: &Call, together: bool| {
        let to = &services[call.to as usize].spec.name;
        let mut said = format!("After its own work, a request of {} calls {to}", plan.spec.name);
        if call.share < Fraction::ONE {
            said += &format!(" with a probability of {}", call.share);
        }
        if call.count > 1 {
            said += &format!(" {} times at once", call.count);
        }
        if together {
            said += ", together with others";
        }
        said +=
            if call.waits { ", and keeps its slot until it is answered" } else { ", and does not wait for an answer" };
        match call.network.is_zero() {
            true => said + ".",
            false => said + &format!("; each way takes {}.", call.network),
        }
    };
    plan.calls.iter().flat_map(|stage| stage.iter().map(|call| one(call, stage.len() > 1))).collect()
}

/// The assumption about services without a price.
fn unpriced(scenario: &Scenario) -> Option<String> {
    if !scenario.is_priced() {
        return Some("Price not stated: no cost is assumed or shown, and policies are ranked by replica-hours.".into());
    }
    let free = scenario.services.iter().filter(|plan| !plan.is_priced() && scenario.node_leases.is_empty());
    let names: Vec<&str> = free.map(|plan| plan.spec.name.as_str()).collect();
    (!names.is_empty())
        .then(|| format!("Price of {} not stated: its replicas are left out of the cost.", names.join(", ")))
}

/// How objectives judge the requests that are unanswered at the end.
fn at_the_end(scenario: &Scenario) -> Option<String> {
    let latency = scenario.objectives.iter().any(|objective| objective.within.is_some());
    let availability = scenario.objectives.iter().any(|objective| objective.within.is_none());
    let patience = scenario.services.iter().any(|service| service.spec.timeout.is_some());
    let limit = match (latency, patience) {
        (true, true) => Some("the longest of the latency limits and the client's time-out"),
        (true, false) => Some("the longest of the latency limits"),
        (false, true) => Some("the client's time-out"),
        (false, false) => None,
    };
    let begin = "A request still unanswered at the end of the run";
    let young = "a younger one is not counted";
    match (latency, availability, limit) {
        (false, false, _) => None,
        (_, true, None) => Some(format!("{begin} is not counted: nothing says how long is too long.")),
        (true, true, Some(limit)) => Some(format!(
            "{begin} is bad if it is older than the objective's limit; {young}. For availability the limit is {limit}."
        )),
        (true, false, _) => Some(format!("{begin} is bad if it is older than the objective's limit; {young}.")),
        (false, true, Some(limit)) => Some(format!("{begin} is bad if it is older than {limit}; {young}.")),
    }
}

/// "queue-length and latency-p95", or "any metric"
pub(super) fn metrics_out(outage: &MetricsOutage) -> String {
    if outage.of == Measures::ALL {
        return "any metric".into();
    }
    outage.of.iter().map(Measure::name).collect::<Vec<_>>().join(" and ")
}

/// How the sentence begins that says of a service that nothing bounds the CPU of its replicas.
const NO_CEILING: &str = "Nothing limits the CPU of a replica of";

/// The sentences of services whose replicas have no CPU ceiling.
pub fn without_ceiling(assumptions: &[String]) -> impl Iterator<Item = &String> {
    assumptions.iter().filter(|sentence| sentence.starts_with(NO_CEILING))
}

/// The same sentence of several services once, with their number for the names where there are more than a few.
fn grouped(said: &[(String, &str)]) -> Vec<String> {
    const MARK: &str = "\u{0}";
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for (sentence, name) in said {
        match groups.iter_mut().find(|(text, _)| text == sentence) {
            Some((_, names)) => names.push(name),
            None => groups.push((sentence.clone(), vec![name])),
        }
    }
    let of = |names: &[&str]| match names.len() {
        0..=3 => names.join(", "),
        count => format!("{count} services"),
    };
    groups.iter().map(|(text, names)| text.replace(MARK, &of(names))).collect()
}

/// A sentence for the services whose replicas have no CPU ceiling, of which CPU use above the request means nothing.
pub fn unlimited_cpu(scenario: &Scenario) -> Vec<String> {
    let of = |plan: &ServicePlan| cpu(&plan.spec, &scenario.pools).starts_with(NO_CEILING);
    let free: Vec<&str> =
        scenario.services.iter().filter(|plan| of(plan)).map(|plan| plan.spec.name.as_str()).collect();
    let said: Vec<(String, &str)> = free.iter().map(|name| (no_ceiling("\u{0}"), *name)).collect();
    grouped(&said)
}

/// What is assumed of the CPU use of services that do not state it; equal sentences once.
pub fn assumed_cpu(scenario: &Scenario) -> Vec<String> {
    let of = |plan: &'_ ServicePlan| full_replica_cpu_of(&plan.spec, "\u{0}");
    let said: Vec<(String, &str)> =
        scenario.services.iter().filter_map(|plan| Some((of(plan)?, plan.spec.name.as_str()))).collect();
    grouped(&said)
}

/// That nothing bounds the CPU of a replica of a service.
fn no_ceiling(name: &str) -> String {
    format!("{NO_CEILING} {name} (no CPU limit, no priced size, no nodes): its requests never slow each other down.")
}

/// What limits the CPU of a replica, and how that affects its requests.
pub fn cpu(spec: &ServiceSpec, pools: &[NodePool]) -> String {
    let name = &spec.name;
    if spec.model.cpu() == CpuUnderLoad::Beside {
        return format!("The service time of {name} does not depend on the CPU of its replicas.");
    }
    let cores: Vec<Option<Millicores>> = match pools {
        [] => vec![None],
        pools => spec.hosts(pools).map(|pool| Some(pool.cores)).collect(),
    };
    let tightest = cores.into_iter().min_by_key(|cores| spec.ceiling(*cores).map(|ceiling| ceiling.cpu));
    let Some(ceiling) = tightest.and_then(|cores| spec.ceiling(cores)) else {
        return no_ceiling(name);
    };
    let each = number(spec.cpu_per_busy_second);
    let (cpu, words) = (number(ceiling.cpu.as_cores()), ceiling.bound.words());
    let power = spec.power(tightest.flatten().map(|cores| (cores, 1.0)));
    let unhindered = format!("A request to {name} uses {each} cores at full speed");
    if power.full < f64::from(spec.concurrency) {
        return format!(
            "{unhindered}; a replica has at most {cpu} ({words}), so {} requests run at full speed at once, and more share the CPU \
             evenly.",
            number(power.full)
        );
    }
    let need = number(spec.full_need());
    format!(
        "{unhindered}; a full replica needs {need} and has {cpu} ({words}): its requests do not slow each other down."
    )
}

/// A number with up to three digits after the point.
fn number(of: f64) -> String {
    let text = format!("{of:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

fn of_service(plan: &ServicePlan, pools: &[NodePool]) -> Vec<String> {
    let spec = &plan.spec;
    let name = &spec.name;
    let mut said = vec![
        demand(spec),
        match (spec.model.words(name), spec.concurrency) {
            (Some(words), _) => words,
            (None, u32::MAX) => {
                format!("A replica of {name} serves any number of requests at once (its `concurrency`).")
            }
            (None, 1) => format!("A replica of {name} serves 1 request at once."),
            (None, requests) => format!("A replica of {name} serves {requests} requests at once."),
        },
        cpu(spec, pools),
        match spec.queue_limit {
            u32::MAX => format!(
                "`queue-limit` of {name} not stated: assumed unlimited, so any number of requests may wait at a replica."
            ),
            0 => format!("A replica of {name} has no queue: requests that find it full are rejected."),
            1 => format!("The queue of a replica of {name} holds 1 request; further requests are rejected."),
            limit => format!("The queue of a replica of {name} holds {limit} requests; further requests are rejected."),
        },
        format!("Load balancing of {name}: {}.", spec.dispatch.summary),
    ];
    said.extend((plan.platform)().words(name));
    said.extend(pod(spec));
    said.extend(unstated_memory(spec));
    said.extend(clients(spec));
    said.extend(plan.workload.assumptions());
    said.push(start_up(spec, !pools.is_empty()));
    said.push(format!(
        "{name} starts with {} ready {}. A terminating replica drains its requests for up to {}.",
        spec.replicas,
        if spec.replicas == 1 { "replica" } else { "replicas" },
        spec.grace_period
    ));
    said.extend(updates(spec));
    if let Some(crash) = &spec.crash {
        said.push(format!("A replica of {name} crashes after a running time that is {}.", crash.words()));
    }
    said.extend(plan.lease.as_ref().map(|lease| price(name, lease)));
    said.extend(plan.lease.as_ref().and_then(|lease| size_sold(spec, lease)));
    said.extend(plan.usage.as_ref().map(|tariff| by_use(name, tariff)));
    said
}

fn demand(spec: &ServiceSpec) -> String {
    match &spec.demand {
        DemandModel::Drawn(distribution) => format!(
            "The service time of a request to {}, unless the trace states it, is {}.",
            spec.name,
            distribution.words()
        ),
        DemandModel::Recorded(of) => recorded_demand(&spec.name, of),
        DemandModel::PerToken { base, input, output } => format!(
            "A request to {} takes {base}, plus {input} per input token and {output} per output token.",
            spec.name
        ),
    }
}

fn recorded_demand(name: &str, of: &RecordedDemand) -> String {
    let Distribution::Empirical { values } = &of.recorded else { return String::new() };
    let at =
        |share: f64| values.get((share * values.len() as f64) as usize).map_or(String::new(), |s| shown_seconds(*s));
    let without = match (&of.otherwise, of.unknown) {
        (Some(stand_in), unknown) => {
            let share = if unknown > 0.0 {
                format!("{:.2}% of its requests have none: theirs is ", unknown * 100.0)
            } else {
                "Where it records none, it is ".into()
            };
            format!(" {share}{}.", stand_in.words())
        }
        _ => String::new(),
    };
    format!(
        "The service time of a request to {name} is the duration that the trace records of it: mean {}, median {}, 99th percentile {}.{without} \
         Transforms do not change it, and copies have that of what they are a copy of. Whatever requests waited in the recorded system is in it \
         and counts as service, so that where that system was loaded this one is slower than it would be.",
        shown_seconds(of.recorded.mean()),
        at(0.5),
        at(0.99)
    )
}

/// The assumption about memory use that is not stated.
fn unstated_memory(spec: &ServiceSpec) -> Option<String> {
    (spec.memory_base.get() == 0 && spec.memory_per_request.get() == 0).then(|| {
        format!(
            "`memory` of {} not stated: assumed that replicas use none, so an autoscaler on memory would not act.",
            spec.name
        )
    })
}

/// What a replica's pod asks for, and where its use of CPU comes from.
fn pod(spec: &ServiceSpec) -> Vec<String> {
    let (name, pod) = (&spec.name, &spec.pod);
    let mut said = Vec::new();
    if pod.containers.len() > 1 {
        let names: Vec<&str> = pod.containers.iter().map(|container| container.name.as_str()).collect();
        let serving = pod.serving_name().unwrap_or_default();
        said.push(format!(
            "A pod of {name} runs the containers {}; all CPU and memory use is that of {serving}, and the others use none.",
            names.join(", ")
        ));
    }
    let (cpu, memory) = spec.scheduled();
    let summed = (spec.cpu_request.unwrap_or_default(), spec.memory_request.unwrap_or_default());
    if (cpu, memory) != summed {
        let overhead = match pod.overhead {
            (Millicores::ZERO, Bytes::ZERO) => String::new(),
            (cpu, memory) => format!(" and its overhead of {cpu} CPU and {memory}"),
        };
        said.push(format!(
            "A pod of {name} is scheduled and priced with {cpu} CPU and {memory}: the larger of the sum of its containers and the need of \
             its init containers{overhead}. The autoscaler sees the sum, {} CPU and {}.",
            summed.0, summed.1
        ));
    }
    said.extend(full_replica_cpu(spec));
    said
}

/// How a rollout goes, and what starting costs in CPU.
fn updates(spec: &ServiceSpec) -> Vec<String> {
    let name = &spec.name;
    let mut said = Vec::new();
    if let Some(start) = spec.pod.start_cpu {
        let until = start.length.map_or("until it is ready".to_string(), |length| format!("for {length}"));
        said.push(format!(
            "A starting replica of {name} uses {} CPU {until}, which the metrics include; requests are not slowed by it.",
            start.cpu
        ));
    }
    for restart in &spec.restarts {
        let which = if restart.older_than.is_zero() {
            "all running containers".to_string()
        } else {
            format!("the containers that have run for at least {}", restart.older_than)
        };
        said.push(format!(
            "After {} {which} of {name} restart in their pods, and the requests they hold are lost.",
            restart.at.since(SimTime::ZERO)
        ));
    }
    for rollout in &spec.update.rollouts {
        let how = match rollout.strategy {
            UpdateStrategy::Recreate => "all old replicas end before any new one starts".to_string(),
            UpdateStrategy::RollingUpdate { surge, unavailable } => {
                format!(
                    "at most {surge} surge replicas and {unavailable} unavailable ones, as the Deployment controller does it"
                )
            }
        };
        let image = if rollout.new_image { "a new image" } else { "the same image" };
        said.push(format!(
            "After {} a new version of {name}, with {image}, replaces the old one: {how}. The autoscaler averages over old and new \
             replicas alike. A PodDisruptionBudget does not delay it: it limits evictions only.",
            rollout.at.since(SimTime::ZERO)
        ));
    }
    said
}

/// The assumption about CPU use where `cpu-per-request` does not state it.
pub fn full_replica_cpu(spec: &ServiceSpec) -> Option<String> {
    full_replica_cpu_of(spec, &spec.name)
}

/// The same by another name.
fn full_replica_cpu_of(spec: &ServiceSpec, name: &str) -> Option<String> {
    match spec.pod.cpu_use {
        CpuUse::Stated | CpuUse::Shared => None,
        CpuUse::FullReplica => Some(format!(
            "`cpu-per-request` of {name} not stated: assumed that a full replica uses exactly its CPU request; scaling on CPU depends on \
             this."
        )),
        CpuUse::OneCore => Some(format!(
            "`cpu-per-request` and CPU request of {name} not stated: assumed that a request uses one core while it is served, or less \
             where that would slow other requests."
        )),
    }
}

/// The size of the container offer by which a replica is billed.
fn size_sold(spec: &ServiceSpec, lease: &ReplicaLease) -> Option<String> {
    let named = |offer: &crate::catalog::ContainerOffer| {
        lease.what == format!("{} on {} ({})", spec.name, offer.name, offer.region)
    };
    let offer = Catalog::builtin().containers().iter().find(|offer| named(offer))?;
    let (cpu, memory) = spec.scheduled();
    let (sold_cpu, sold_memory) = offer.size_for(cpu, memory)?;
    Some(format!(
        "{} bills a replica of {} as {sold_cpu} vCPU and {sold_memory}: the smallest size that fits its {cpu} CPU, {memory} and the \
         {KUBERNETES_OVERHEAD} of memory that EKS adds to each pod.",
        offer.name, spec.name
    ))
}

fn clients(spec: &ServiceSpec) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(timeout) = &spec.timeout {
        let work = match timeout.work {
            OnTimeout::Finish => "the server still finishes the work",
            OnTimeout::Cancel => "the work is cancelled",
            OnTimeout::CancelWaiting => "the work is cancelled if it is still queued",
        };
        said.push(format!("A client of {} times out an attempt after {}; {work}.", spec.name, timeout.after));
    }
    match &spec.retry {
        Some(retry) => said.push(format!(
            "A client of {} makes up to {} attempts, with back-off from {} doubling up to {}; the retry budget is {} of the requests, with a \
             reserve of at most {} retries.",
            spec.name, retry.attempts, retry.backoff, retry.max_backoff, retry.budget, retry.reserve
        )),
        None => said.push(format!("Clients of {} do not retry.", spec.name)),
    }
    said
}

fn start_up(spec: &ServiceSpec, on_nodes: bool) -> String {
    let phases = &spec.start_up;
    let pull = match on_nodes {
        true => {
            " on a node that does not have it yet (one pull per node and image: replicas that come meanwhile wait for it, and it \
             continues if its replica is removed)"
        }
        false => " (each replica has its own machine)",
    };
    let pull = if phases.pulled.mean() > 0.0 { pull } else { "" };
    format!(
        "Start-up of a replica of {}, one phase after the other: scheduling {}; image pull {}{}; container start {}; readiness {}.",
        spec.name,
        phases.scheduled.words(),
        phases.pulled.words(),
        pull,
        phases.started.words(),
        phases.ready.words()
    )
}

fn price(name: &str, lease: &ReplicaLease) -> String {
    let rounding = match lease.billing.granularity.is_zero() {
        true => "per nanosecond".to_string(),
        false => format!("in steps of {}", lease.billing.granularity),
    };
    let least = match lease.billing.minimum.is_zero() {
        true => String::new(),
        false => format!(", at least {}", lease.billing.minimum),
    };
    let what = if lease.what == name { String::new() } else { format!(" ({})", lease.what) };
    format!("A replica of {name} costs {}{what} from placement to termination, billed {rounding}{least}.", lease.price)
}

/// What requests cost.
fn by_use(name: &str, tariff: &UseTariff) -> String {
    let charge = |charge: &Charge| {
        let prices: Vec<String> = charge.prices().map(|price| price.to_string()).collect();
        let tiers = if prices.len() > 1 { " in monthly tiers" } else { "" };
        let item = charge.item();
        let free = match item.billionths(charge.free()) {
            0 => String::new(),
            free => format!(", the first {} a month free", free / 1_000_000_000),
        };
        format!("{} {}{tiers}{free}", prices.join(", then "), per_one(item))
    };
    let charges: Vec<String> = tariff.charges.iter().map(charge).collect();
    let mut said = format!("Requests to {name} cost {}", charges.join("; "));
    if let Some(egress) = tariff.charges.iter().find(|charge| charge.item() == Item::EgressGib) {
        said += &format!(", {} each", egress.answer());
    }
    if tariff.charges.iter().any(|charge| charge.item().takes_time()) {
        let rounding = tariff.rounding;
        said += match (tariff.by_activity, tariff.starts) {
            (false, false) => " of the time that each is served",
            (false, true) => " of the time that each is served, and of each start",
            (true, false) => " of the time in which a replica has any",
            (true, true) => " of the time in which a replica has any, and of each start",
        };
        if !rounding.granularity.is_zero() {
            said += &format!(", in steps of {}", rounding.granularity);
        }
        if !rounding.minimum.is_zero() {
            said += &format!(", at least {}", rounding.minimum);
        }
    }
    said + ". Served requests are charged for, answered in time or not; rejected ones are not. A run has the part of a month's \
            (730 h) tiers and free amounts that it lasts. Plans and policies that weigh costs do not know this price."
}

/// What a price is for: `per request`.
fn per_one(item: Item) -> String {
    format!("per {}", item.unit().trim_end_matches('s'))
}

fn nodes(scenario: &Scenario) -> Vec<String> {
    let node = |(number, (pool, lease)): (usize, (&NodePool, &NodeLease))| {
        if pool.can_change() {
            return changing_pool(scenario, number, lease);
        }
        format!("{} × {} at {} each are paid for throughout the run.", pool.count, lease.what, lease.price)
    };
    scenario.pools.iter().zip(&scenario.node_leases).enumerate().map(node).collect()
}

/// A pool whose number of nodes changes.
fn changing_pool(scenario: &Scenario, number: usize, lease: &NodeLease) -> String {
    let pool = &scenario.pools[number];
    let does = scenario.node_policies.get(number).map_or_else(String::new, |create| create().words() + " ");
    format!(
        "Pool {} starts with {} × {} at {} each and has from {} to {}. {does}Boot time of a new node: {}; it is in the \
         next zone in turn, has no images, and is paid for until it is given back. Plans (`lp-optimal`, `dp-optimal`) \
         know neither of boot times nor of missing room, and no lower bound is computed.",
        pool.name,
        pool.count,
        lease.what,
        lease.price,
        pool.least,
        pool.most,
        pool.boot.words()
    )
}
