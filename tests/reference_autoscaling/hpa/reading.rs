//! Converts the vectors' JSON to the library's types. Unreadable input panics, which fails the case.

use serde_json::{Value, json};

use plimsoll::policy::hpa::grouping::ReadinessDelays;
use plimsoll::policy::hpa::limits::ScaleEvent;
use plimsoll::policy::hpa::metrics::{ContainerUsage, MetricError, PodReport, ValueReport};
use plimsoll::policy::hpa::requests::{ContainerRequest, PodRequests};
use plimsoll::policy::hpa::spec::{Amount, RatePolicy, Resource, Rules, RulesSpec, SelectPolicy};
use plimsoll::policy::hpa::stabilization::Recommendation;
use plimsoll::policy::hpa::{PodPhase, PodView};
use plimsoll::units::{Quantity, SimDuration, SimTime};

/// The time of the decision: late enough for the vectors' unset time, -1e10 s, to be representable.
pub const NOW: SimTime = SimTime::from_secs(12_000_000_000);

pub fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is not an integer"))
}

pub fn count(value: &Value) -> u32 {
    u32::try_from(int(value)).unwrap_or_else(|_| panic!("{value} is not a count"))
}

pub fn real(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text"))
}

pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub fn quantity(value: &Value) -> Quantity {
    Quantity::from_millis(int(value))
}

pub fn optional_quantity(value: &Value) -> Option<Quantity> {
    (!value.is_null()).then(|| quantity(value))
}

/// A number of seconds after `now`.
pub fn time_from(now: SimTime, value: &Value) -> SimTime {
    let nanos = i128::from(now.as_nanos()) + (real(value) * 1e9).round() as i128;
    SimTime::from_nanos(u64::try_from(nanos).unwrap_or_else(|_| panic!("{value} cannot be named")))
}

pub fn time(value: &Value) -> SimTime {
    time_from(NOW, value)
}

pub fn optional_time(now: SimTime, value: &Value) -> Option<SimTime> {
    (!value.is_null()).then(|| time_from(now, value))
}

pub fn duration(value: &Value) -> SimDuration {
    SimDuration::from_secs_f64(real(value)).unwrap_or_else(|e| panic!("{value}: {e}"))
}

pub fn ago(value: &Value) -> SimTime {
    time(&json!(-real(value)))
}

pub fn seconds(at: SimTime) -> Value {
    json!((at.as_nanos() as i128 - NOW.as_nanos() as i128) as f64 / 1e9)
}

/// Pods are numbers in the library and names in the vectors.
#[derive(Default)]
pub struct Names(pub Vec<String>);

impl Names {
    pub fn id(&mut self, name: &str) -> u32 {
        let known = self.0.iter().position(|n| n == name);
        known.unwrap_or_else(|| {
            self.0.push(name.to_string());
            self.0.len() - 1
        }) as u32
    }

    pub fn sorted(&self, ids: impl IntoIterator<Item = u32>) -> Value {
        let mut names: Vec<&str> = ids.into_iter().map(|id| self.0[id as usize].as_str()).collect();
        names.sort_unstable();
        json!(names)
    }
}

pub fn pod_view(pod: &Value, now: SimTime, names: &mut Names) -> PodView {
    PodView {
        id: names.id(text(&pod["name"])),
        phase: match text(&pod["phase"]) {
            "Pending" => PodPhase::Pending,
            "Running" => PodPhase::Running,
            "Succeeded" => PodPhase::Succeeded,
            "Failed" => PodPhase::Failed,
            other => panic!("phase {other}"),
        },
        ready: pod["ready"].as_str().map(|status| status == "True"),
        ready_transition: optional_time(now, &pod["ready_transition_s"]),
        start_time: optional_time(now, &pod["start_time_s"]),
        deleted: pod["deleted"].as_bool().unwrap_or(false),
    }
}

pub fn container_requests(containers: &Value) -> Vec<ContainerRequest> {
    let read = |c: &Value| ContainerRequest {
        name: text(&c["name"]).to_string(),
        request: optional_quantity(&c["request_milli"]),
        restartable: c["restart_policy_always"].as_bool().unwrap_or(false),
    };
    list(containers).iter().map(read).collect()
}

pub fn pod_requests(pod: &Value, pod_level: bool) -> PodRequests {
    PodRequests {
        containers: container_requests(&pod["containers"]),
        init_containers: container_requests(&pod["init_containers"]),
        pod_level: optional_quantity(&pod["pod_level_request_milli"]).filter(|_| pod_level),
    }
}

pub fn pod_reports(reported: &Value, now: SimTime, names: &mut Names) -> Vec<PodReport> {
    let container = |c: &Value| ContainerUsage {
        name: c["name"].as_str().unwrap_or("").to_string(),
        usage: optional_quantity(&c["usage_milli"]),
    };
    let mut report = |r: &Value| PodReport {
        pod: names.id(text(&r["pod"])),
        timestamp: time_from(now, &r["timestamp_s"]),
        window: duration(&r["window_s"]),
        containers: list(&r["containers"]).iter().map(container).collect(),
    };
    list(reported).iter().map(&mut report).collect()
}

pub fn value_reports(reported: &Value, now: SimTime, names: &mut Names) -> Vec<ValueReport> {
    let mut report = |(index, r): (usize, &Value)| ValueReport {
        pod: names.id(r["pod"].as_str().unwrap_or(&format!("test-pod-{index}"))),
        value: quantity(&r["value_milli"]),
        timestamp: time_from(now, &r["timestamp_s"]),
        window: (!r["window_s"].is_null()).then(|| duration(&r["window_s"])),
    };
    list(reported).iter().enumerate().map(&mut report).collect()
}

pub fn resource(value: &Value) -> Option<Resource> {
    match value.as_str() {
        Some("cpu") => Some(Resource::Cpu),
        Some("memory") => Some(Resource::Memory),
        None | Some("") => None,
        Some(other) => panic!("resource {other}"),
    }
}

pub fn delays(input: &Value) -> ReadinessDelays {
    ReadinessDelays {
        cpu_initialization_period: duration(&input["cpu_initialization_period_s"]),
        initial_readiness_delay: duration(&input["initial_readiness_delay_s"]),
    }
}

pub fn rules_spec(rules: &Value) -> RulesSpec {
    let policy = |p: &Value| RatePolicy {
        amount: match text(&p["type"]) {
            "Pods" => Amount::Pods(count(&p["value"])),
            "Percent" => Amount::Percent(count(&p["value"])),
            other => panic!("policy type {other}"),
        },
        period: duration(&p["period_s"]),
    };
    RulesSpec {
        policies: rules["policies"].as_array().map(|policies| policies.iter().map(policy).collect()),
        stabilization_window: rules["stabilization_window_s"].as_f64().map(|s| duration(&json!(s))),
        select_policy: rules["select_policy"].as_str().map(|name| match name {
            "Max" => SelectPolicy::Max,
            "Min" => SelectPolicy::Min,
            "Disabled" => SelectPolicy::Disabled,
            other => panic!("selectPolicy {other}"),
        }),
        tolerance: rules["tolerance"].as_f64(),
    }
}

pub fn rules_json(rules: &Rules) -> Value {
    let policy = |p: &RatePolicy| {
        let (kind, value) = match p.amount {
            Amount::Pods(pods) => ("Pods", pods),
            Amount::Percent(percent) => ("Percent", percent),
        };
        json!({ "type": kind, "value": value, "period_s": p.period.as_secs_f64() })
    };
    let select = match rules.select_policy {
        SelectPolicy::Max => "Max",
        SelectPolicy::Min => "Min",
        SelectPolicy::Disabled => "Disabled",
    };
    json!({
        "policies": rules.policies.iter().map(policy).collect::<Vec<_>>(),
        "stabilization_window_s": rules.stabilization_window.map(SimDuration::as_secs_f64),
        "select_policy": select,
        "tolerance": rules.tolerance,
    })
}

pub fn events(list_of: &Value) -> Vec<ScaleEvent> {
    let read = |e: &Value| ScaleEvent {
        change: count(&e["change"]),
        at: ago(&e["age_s"]),
        outdated: e["outdated"].as_bool().unwrap_or(false),
    };
    list(list_of).iter().map(read).collect()
}

pub fn recommendations(list_of: &Value) -> Vec<Recommendation> {
    let read = |r: &Value| Recommendation { replicas: count(&r["replicas"]), at: ago(&r["age_s"]) };
    list(list_of).iter().map(read).collect()
}

pub fn error_json(error: MetricError) -> Value {
    json!({ "error": error.code() })
}
