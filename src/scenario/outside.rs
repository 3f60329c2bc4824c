//! Events and faults that do nothing because they are outside of the run.

use super::Scenario;
use super::faults::Clock;
use crate::config::{Diagnostic, Diagnostics, Value, Yaml};

/// Warns of events of `overlay` before or after the run, and of faults after it (a fault before it is an error).
pub(super) fn check(scenario: &Scenario, root: &Yaml, sink: &mut Diagnostics) {
    let length = scenario.duration;
    let placed = |warning: Diagnostic, period: Option<String>| match period {
        Some(period) => warning.note(period),
        None => warning,
    };
    let mut told: Vec<String> = Vec::new();
    for (number, plan) in scenario.services.iter().enumerate() {
        let own = match root.get("services").map(|services| &services.value) {
            Some(Value::Sequence(items)) => items.get(number).and_then(|item| item.get("workload")),
            _ => root.get("service").and_then(|service| service.get("workload")),
        };
        let workload = own.or_else(|| root.get("workload")).unwrap_or(root);
        let place = workload.get("transforms").unwrap_or(workload);
        for message in plan.workload.outside(length) {
            // Services that share a workload share its events.
            if !told.contains(&message) {
                let warning = place.warning(format!("{message}, and does nothing"));
                sink.push(placed(warning, plan.workload.period(length)));
                told.push(message);
            }
        }
    }
    let Some(Value::Sequence(faults)) = root.get("faults").map(|faults| &faults.value) else { return };
    let mut clock = Clock::new(scenario.time_zone, &scenario.services);
    for fault in faults {
        let Value::Mapping(kinds) = &fault.value else { continue };
        for (kind, node) in kinds {
            let Some(at) = node.get("at").or_else(|| node.get("from")) else { continue };
            // What is wrong with a time was reported when the fault was read.
            let Some(offset) = clock.resolved(at, &mut Diagnostics::new()).filter(|at| *at >= length) else { continue };
            let warning = at.warning(format!(
                "the {} {offset} after the start is after the end of the run, which lasts {length}, and does nothing",
                kind.text
            ));
            let period = scenario.services.first().and_then(|plan| plan.workload.period(length));
            sink.push(placed(warning, period));
        }
    }
}
