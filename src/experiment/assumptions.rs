//! What a run takes for granted, in sentences: so that a reader of the report can object.

use crate::cluster::{DemandModel, ModelKind, OnTimeout, ServiceSpec};
use crate::engine::ReplicaLease;
use crate::engine::scenario::{Scenario, ServicePlan};
use crate::units::SimTime;

/// What no scenario can state, and so no figure contains.
const NOT_MODELLED: &str = "Not modelled: the network between clients and replicas, slow first requests of a fresh replica (cold \
    caches), calls between services, nodes that are added or lost by themselves, spot interruptions, and the cost of storage, data \
    transfer, load balancers and the control plane.";

/// What `scenario` takes for granted.
pub(super) fn of(scenario: &Scenario) -> Vec<String> {
    let mut said: Vec<String> = scenario.services.iter().flat_map(of_service).collect();
    said.extend(nodes(scenario));
    let metrics = &scenario.metrics;
    said.push(format!(
        "Metrics are scraped every {}, averaged over {}, and seen {} later.",
        metrics.interval, metrics.window, metrics.lag
    ));
    for outage in &scenario.outages {
        said.push(format!(
            "Zone {} is lost after {} for {}: replicas there are killed with their requests and replaced elsewhere at once; nodes of a \
             pool are paid for all the same.",
            scenario.zones[outage.zone as usize],
            outage.at.since(SimTime::ZERO),
            outage.length
        ));
    }
    said.push(format!(
        "Replicas count as needed for the offered load at {} utilization.",
        scenario.reference_utilization
    ));
    said.push(NOT_MODELLED.into());
    said
}

fn of_service(plan: &ServicePlan) -> Vec<String> {
    let spec = &plan.spec;
    let name = &spec.name;
    let mut said = vec![
        demand(spec),
        match spec.model {
            ModelKind::Slots => format!(
                "A replica of {name} serves {} requests at once; they do not slow each other down.",
                spec.concurrency
            ),
            ModelKind::ProcessorSharing => {
                format!("The requests in a replica of {name} share its CPU limit evenly, one core each at most.")
            }
        },
        format!("{} more may wait at a replica of {name}; what comes then is rejected.", spec.queue_limit),
        format!("Requests to {name} are dispatched: {}.", spec.dispatch.summary),
    ];
    said.extend(clients(spec));
    said.push(start_up(spec));
    said.push(format!(
        "At the start {} replicas of {name} are ready. One that is to go finishes what it holds for up to {}.",
        spec.replicas, spec.grace_period
    ));
    if let Some(crash) = &spec.crash {
        said.push(format!("A replica of {name} crashes after a time that is {}.", crash.words()));
    }
    said.extend(plan.lease.as_ref().map(|lease| price(name, lease)));
    said
}

fn demand(spec: &ServiceSpec) -> String {
    match &spec.demand {
        DemandModel::Drawn(distribution) => format!(
            "The service time of a request to {}, where the trace does not state it, is {}.",
            spec.name,
            distribution.words()
        ),
        DemandModel::PerToken { base, input, output } => format!(
            "A request to {} takes {base}, {input} for each token that it reads and {output} for each that it writes.",
            spec.name
        ),
    }
}

fn clients(spec: &ServiceSpec) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(timeout) = &spec.timeout {
        let work = match timeout.work {
            OnTimeout::Finish => "the work is finished for nobody",
            OnTimeout::Cancel => "the work is dropped",
            OnTimeout::CancelWaiting => "what still waits is dropped",
        };
        said.push(format!("A client of {} gives up an attempt after {}; {work}.", spec.name, timeout.after));
    }
    match &spec.retry {
        Some(retry) => said.push(format!(
            "A client of {} makes up to {} attempts, after pauses from {} that double up to {}; retries are at most {} of the requests.",
            spec.name, retry.attempts, retry.backoff, retry.max_backoff, retry.budget
        )),
        None => said.push(format!("Clients of {} do not retry.", spec.name)),
    }
    said
}

fn start_up(spec: &ServiceSpec) -> String {
    let phases = &spec.start_up;
    format!(
        "From its order until it is ready a replica of {} takes, one after the other: for scheduling {}; for pulling its image, on a \
         node that does not have it, {}; for starting its containers {}; from then until it is ready {}.",
        spec.name,
        phases.scheduled.words(),
        phases.pulled.words(),
        phases.started.words(),
        phases.ready.words()
    )
}

fn price(name: &str, lease: &ReplicaLease) -> String {
    let rounding = match lease.billing.granularity.is_zero() {
        true => "to the nanosecond".to_string(),
        false => format!("in steps of {}", lease.billing.granularity),
    };
    let least = match lease.billing.minimum.is_zero() {
        true => String::new(),
        false => format!(", at least {}", lease.billing.minimum),
    };
    let what = if lease.what == name { String::new() } else { format!(" ({})", lease.what) };
    format!("A replica of {name} costs {}{what} from its placement to its end, counted {rounding}{least}.", lease.price)
}

fn nodes(scenario: &Scenario) -> Vec<String> {
    let node = |lease: &crate::engine::NodeLease| {
        format!("{} times {} at {} each are paid for over the whole run.", lease.count, lease.what, lease.price)
    };
    scenario.node_leases.iter().map(node).collect()
}
