//! Policies that come with another form of the service: `with:` beside a policy's name, such as another platform.

use crate::config::{Diagnostics, Value, Yaml};

use super::load::merge;

/// The key beside a policy's name.
pub(super) const WITH: &str = "with";
/// What describes the replicas of one platform, and is left behind when `with:` states another.
const OF_A_PLATFORM: [&str; 11] = [
    "concurrency",
    "replicas",
    "resources",
    "start-up",
    "dispatch",
    "queue-limit",
    "service-model",
    "manifest",
    "price",
    "grace-period",
    "crash-after",
];

/// What makes the requests, which all policies meet alike.
const OF_REQUESTS: [&str; 4] = ["name", "workload", "service-time", "calls"];

/// A policy without its `with:`, and that.
pub(super) fn take_with(node: &Yaml) -> (Yaml, Option<Yaml>) {
    let Some(with) = node.get(WITH).cloned() else { return (node.clone(), None) };
    let mut rest = node.clone();
    if let Value::Mapping(entries) = &mut rest.value {
        entries.retain(|(key, _)| key.text != WITH);
    }
    (rest, Some(with))
}

/// The service as `with:` changes it: its fields replace those stated, null removes one, and another platform leaves behind what
/// described the replicas of the first. `None`, with an error, unless the scenario has a single service.
pub(super) fn changed(service: Option<&Yaml>, with: &Yaml, sink: &mut Diagnostics) -> Option<Yaml> {
    let Some(service) = service else {
        sink.push(with.error("`with` changes the service of a scenario with a single `service:`"));
        return None;
    };
    if !matches!(with.value, Value::Mapping(_)) {
        let error = with.error(format!("expected fields of the service, not {}", with.kind()));
        sink.push(error.help("for example `with: { platform: { aws-lambda: { memory: 512MB } } }`"));
        return None;
    }
    for name in OF_REQUESTS {
        if let Some(stated) = with.get(name) {
            let error =
                stated.error(format!("`{name}` is the same under every policy, so that they meet the same requests"));
            sink.push(error.help("compare variations of it with `plimsoll whatif` or `plimsoll sweep`"));
            return None;
        }
    }
    let mut below = service.clone();
    if let (Value::Mapping(entries), Some(_)) = (&mut below.value, with.get("platform")) {
        entries.retain(|(key, _)| !OF_A_PLATFORM.contains(&key.text.as_str()) && key.text != "platform");
    }
    Some(merge(below, with.clone()))
}
