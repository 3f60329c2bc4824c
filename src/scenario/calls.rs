//! The calls that services of a scenario make to each other.

use super::ServicePlan;
use crate::config::{Diagnostics, Fields, Value, Yaml, not_one_of};
use crate::engine::{Call, MOST_CALLS, Stages, requests_per_request};
use crate::units::{Fraction, SimDuration};

/// The most calls to one service at once.
const MOST_AT_ONCE: u32 = 1_000;

/// The names that any of the services calls, whatever else may be wrong with the call.
pub(super) fn called<'a>(services: &[&'a Yaml]) -> Vec<&'a str> {
    let stages = services.iter().filter_map(|service| service.get("calls")).filter_map(items).flatten();
    let calls = stages.flat_map(|stage| match stage.get("together").and_then(items) {
        Some(together) => together.iter().collect(),
        None => vec![stage],
    });
    calls.filter_map(|call| call.get("to")?.as_text()).collect()
}

fn items(node: &Yaml) -> Option<&Vec<Yaml>> {
    match &node.value {
        Value::Sequence(items) => Some(items),
        _ => None,
    }
}

/// Reads the calls of every service; `nodes` are the mappings that the services were read from.
pub(super) fn read(services: &mut [ServicePlan], nodes: &[&Yaml], sink: &mut Diagnostics) {
    let names: Vec<String> = services.iter().map(|service| service.spec.name.clone()).collect();
    for (service, node) in services.iter_mut().zip(nodes) {
        if let Some(calls) = node.get("calls") {
            service.calls = stages(calls, &names, sink);
        }
    }
    let all: Vec<Stages> = services.iter().map(|service| service.calls.clone()).collect();
    let endless = requests_per_request(&all).iter().position(|requests| requests.is_infinite());
    if let Some(number) = endless {
        let node = nodes[number].get("calls").unwrap_or(nodes[number]);
        let error = node.error(format!("a request to `{}` leads to more than {MOST_CALLS} calls", names[number]));
        sink.push(error.help("calls that lead back to the same service need a `share` small enough that they end"));
    }
}

fn stages(node: &Yaml, names: &[String], sink: &mut Diagnostics) -> Stages {
    let Some(stages) = items(node) else {
        sink.push(node.error("`calls` must be a list").help("- { to: catalog, network: 500us }"));
        return Stages::new();
    };
    let stage = |stage: &Yaml, sink: &mut Diagnostics| match stage.get("together") {
        None => call(stage, names, sink).into_iter().collect(),
        Some(together) => {
            if let Some(fields) = Fields::open(stage, "stage of calls", sink) {
                fields.node_of("together");
                fields.finish(sink);
            }
            let Some(calls) = items(together) else {
                sink.push(together.error("`together` must be a list of calls").help("- { to: catalog }"));
                return Vec::new();
            };
            calls.iter().filter_map(|one| call(one, names, sink)).collect()
        }
    };
    stages.iter().map(|node| stage(node, sink)).collect()
}

fn call(node: &Yaml, names: &[String], sink: &mut Diagnostics) -> Option<Call> {
    let fields = Fields::open(node, "call", sink)?;
    let to: Option<String> = fields.required("to", sink);
    let share: Fraction = fields.or("share", Fraction::ONE, sink);
    let count: u32 = fields.or("count", 1, sink);
    let (waits, network) = (fields.or("wait", true, sink), fields.or("network", SimDuration::ZERO, sink));
    fields.finish(sink);
    if !(1..=MOST_AT_ONCE).contains(&count) {
        sink.push(node.get("count")?.error(format!("`count` must be from 1 to {MOST_AT_ONCE}, not {count}")));
    }
    let to = to?;
    let Some(number) = names.iter().position(|name| *name == to) else {
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        sink.push(not_one_of(node.get("to")?, &to, "a service of this scenario", &known));
        return None;
    };
    Some(Call { to: number as u32, share, count, waits, network })
}
