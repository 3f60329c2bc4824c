//! `service-time: from-trace`: service times recorded in a trace.

use crate::cluster::{DemandModel, ServiceSpec};
use crate::config::{Diagnostics, Yaml};
use crate::workload::{Durations, WorkloadSpec};

/// Makes the workload use its trace's durations as demands, and sets their distribution in the service.
pub(super) fn settle(
    service: &Yaml,
    spec: &mut ServiceSpec,
    workload: WorkloadSpec,
    sink: &mut Diagnostics,
) -> Option<WorkloadSpec> {
    let node = service.get("service-time")?;
    let Some(taking) = workload.taking_durations() else {
        let error = node.error("`from-trace` needs a trace, but these requests come from a generator");
        sink.push(error.help("state the service time, such as `lognormal: { mean: 120ms, cv: 1 }`"));
        return None;
    };
    let durations = match taking.durations() {
        Ok(Some(durations)) => durations,
        Ok(None) => return Some(taking),
        Err(error) => {
            sink.push(node.error(error.to_string()));
            return None;
        }
    };
    let Some(recorded) = durations.distribution() else {
        sink.push(node.error(format!("{} records no durations", durations.name)).help(what_to_do(&durations)));
        return None;
    };
    let stated = matches!(&spec.demand, DemandModel::Recorded(of) if of.otherwise.is_some());
    if durations.unknown > 0 && !stated {
        let (unknown, all) = (durations.unknown, durations.unknown + durations.known());
        let message = format!(
            "{}: {unknown} of {all} requests ({:.2}%) have no duration",
            durations.name,
            durations.unknown_share() * 100.0
        );
        let help =
            "state a service time for them, `from-trace: { otherwise: 120ms }`, or leave them out with `exclude:`";
        sink.push(node.error(message).help(help));
        return None;
    }
    if recorded.mean() <= 0.0 {
        let error = node.error(format!("{}: every duration is zero", durations.name));
        sink.push(
            error.help("check `demand-unit:` and the column, or state the service time if the trace rounds it to zero"),
        );
        return None;
    }
    spec.learn(recorded, durations.unknown_share());
    Some(taking)
}

/// If requests bring their own service times, bases the CPU per request on the mean of those instead of the mean that
/// the service states.
pub(super) fn account(spec: &mut ServiceSpec, workload: &WorkloadSpec, sink: &mut Diagnostics, node: &Yaml) {
    if !spec.states_cpu() || !workload.brings_demands() {
        return;
    }
    match workload.durations() {
        Ok(Some(durations)) => {
            if let Some(mean) = durations.histogram.mean_secs() {
                spec.met(mean, durations.unknown_share());
            }
        }
        Ok(None) => {}
        Err(error) => sink.push(node.error(error.to_string())),
    }
}

/// How to get durations from a trace that shows none.
fn what_to_do(durations: &Durations) -> &'static str {
    match durations.format {
        "access-log" => {
            "the combined format has none; log `$request_time` and state the `log-format:`, or state the service time"
        }
        "log-format" => "name its variable, `columns: { demand: upstream_response_time }`, or state the service time",
        _ => {
            "name its column, `columns: { demand: ... }` (with `demand-unit: ms` if it is not in seconds), or state the service time; \
             counts and levels have none"
        }
    }
}
