//! Limits beyond which a run would exhaust the machine before producing output.

use crate::config::{Diagnostics, FromNode, Value, Yaml};
use crate::engine::MAX_REPLICAS;
use crate::units::SimDuration;

use super::Scenario;

/// The most services of a scenario.
const MAX_SERVICES: usize = 10_000;
/// The most policies of a scenario.
const MAX_POLICIES: usize = 10_000;
/// The most scrapes of a run.
const MAX_SCRAPES: u64 = 100_000_000;
/// The shortest time between two decisions that a scenario may state.
const SHORTEST_PERIOD: SimDuration = SimDuration::from_millis(10);
/// Fields of a policy that state a fleet size.
const SIZES: [&str; 4] = ["replicas", "min", "minReplicas", "min-replicas"];

/// Reports sizes beyond the limits, each at its place.
pub(super) fn check(scenario: &Scenario, root: &Yaml, sink: &mut Diagnostics) {
    let place = |name: &str| root.get(name).unwrap_or(root);
    let (services, policies) = (scenario.services.len(), scenario.policies.len());
    if services > MAX_SERVICES {
        sink.push(place("services").error(format!("{services} services; a scenario has at most {MAX_SERVICES}")));
    }
    if policies > MAX_POLICIES {
        sink.push(place("policies").error(format!("{policies} policies; a scenario has at most {MAX_POLICIES}")));
    }
    let scrapes = scenario.duration.as_nanos() / scenario.metrics.interval.as_nanos().max(1);
    if scrapes > MAX_SCRAPES {
        let (interval, duration) = (scenario.metrics.interval, scenario.duration);
        let error = format!("scraping metrics every {interval} means {scrapes} scrapes in a run of {duration}");
        sink.push(place("metrics").error(error).help(format!("at most {MAX_SCRAPES} times")));
    }
    let stated = match root.get("services").or(root.get("service")).map(|node| &node.value) {
        Some(Value::Sequence(items)) => items.iter().collect(),
        _ => root.get("service").into_iter().collect::<Vec<&Yaml>>(),
    };
    stated.iter().filter_map(|service| service.get("replicas")).for_each(|node| check_size(node, sink));
    let Some(Yaml { value: Value::Mapping(labels), .. }) = root.get("policies") else { return };
    for (_, policy) in labels {
        let Value::Mapping(kinds) = &policy.value else { continue };
        for (_, parameters) in kinds {
            SIZES.iter().filter_map(|name| parameters.get(name)).for_each(|node| check_size(node, sink));
            parameters.get("sync-period").into_iter().for_each(|node| check_period(node, sink));
        }
    }
}

fn check_size(node: &Yaml, sink: &mut Diagnostics) {
    let size: Option<u64> = node.as_text().and_then(|text| text.replace('_', "").parse().ok());
    if let Some(size) = size.filter(|size| *size > u64::from(MAX_REPLICAS)) {
        sink.push(node.error(format!("{size} replicas are more than can be simulated: at most {MAX_REPLICAS}")));
    }
}

fn check_period(node: &Yaml, sink: &mut Diagnostics) {
    // Errors in the text itself were reported when it was read.
    let period = SimDuration::from_node(node, &mut Diagnostics::new());
    if period.is_some_and(|period| !period.is_zero() && period < SHORTEST_PERIOD) {
        sink.push(node.error(format!("the time between two decisions must be at least {SHORTEST_PERIOD}")));
    }
}
