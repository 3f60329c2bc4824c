//! The vectors and recordings of the cluster-autoscaler and of Karpenter.

use std::collections::BTreeMap;

use plimsoll::cluster::scheduling::{
    Amounts as Has, Container, Effect, Labels, NodeState, Pod as Waiting, PodAffinity, PodRequests, PodTerm, Selector,
    SpreadConstraint, Taint, Toleration,
};
use plimsoll::policy::nodes::cluster_autoscaler::estimator::{Group, Template, estimate};
use plimsoll::policy::nodes::cluster_autoscaler::expander::{Expander, Growth, Priorities, Requested, chained};
use plimsoll::policy::nodes::cluster_autoscaler::utilization::{
    Allocatable, Amounts, Pod, PodKind, Skipped, utilization,
};
use plimsoll::policy::nodes::karpenter::balance::Consolidation;
use plimsoll::policy::nodes::karpenter::budget::{Budget, allowed};
use serde_json::{Map, Value, json};

use super::{Actual, Case};

pub fn run(case: &Case<'_>) -> Actual {
    let input = case.input;
    match case.kind {
        "most_pods" | "least_waste" | "least_nodes" | "priority" | "strategies" => expanded(case.kind, input),
        "chain" => chain(input),
        "utilization" => used(input),
        "binpacking" => packed(input),
        "allowed" => {
            let found = budget(&input["budget"])?.allowed(time(&input["now"])?, integer(&input["nodes"])?);
            Ok(json!({ "error": found.is_err(), "allowed": found.unwrap_or(0) }))
        }
        "active" => {
            let budget = Budget {
                schedule: input["schedule"].as_str().map(String::from),
                duration: input["duration_s"].as_i64(),
                ..Budget::default()
            };
            let found = budget.is_active(time(&input["now"])?);
            Ok(json!({ "error": found.is_err(), "active": found.unwrap_or(false) }))
        }
        "allowed_by_reason" => {
            let budgets: Vec<Budget> = list(&input["budgets"])?.iter().map(budget).collect::<Result<_, _>>()?;
            let (now, nodes) = (time(&input["now"])?, integer(&input["nodes"])?);
            let reasons = ["Empty", "Underutilized", "Drifted"];
            let of = |reason: &str| (reason.to_string(), allowed(&budgets, reason, now, nodes).into());
            Ok(json!({ "allowed": reasons.map(of).into_iter().collect::<Map<String, Value>>() }))
        }
        "balanced_score" => {
            let number = |name: &str| input[name].as_f64().ok_or(format!("no {name}"));
            let consolidation = Consolidation {
                savings: number("savings")?,
                disruption: number("disruption_cost")?,
                pool_cost: number("pool_total_cost")?,
                pool_disruption: number("pool_total_disruption_cost")?,
            };
            Ok(json!({ "approved": consolidation.is_worth(number("k")?), "score": consolidation.score() }))
        }
        kind => Err(format!("unknown kind {kind}")),
    }
}

fn list(value: &Value) -> Result<&Vec<Value>, String> {
    value.as_array().ok_or(format!("{value} is no list"))
}

fn integer(value: &Value) -> Result<i64, String> {
    value.as_i64().ok_or(format!("{value} is no integer"))
}

fn text(value: &Value) -> Result<String, String> {
    value.as_str().map(String::from).ok_or(format!("{value} is no text"))
}

fn time(value: &Value) -> Result<i64, String> {
    text(value)?.parse::<jiff::Timestamp>().map(|time| time.as_second()).map_err(|error| error.to_string())
}

fn budget(value: &Value) -> Result<Budget, String> {
    let reasons = match &value["reasons"] {
        Value::Null => None,
        stated => Some(list(stated)?.iter().map(text).collect::<Result<_, _>>()?),
    };
    let (schedule, duration) = (value["schedule"].as_str().map(String::from), value["duration_s"].as_i64());
    Ok(Budget { nodes: text(&value["nodes"])?, schedule, duration, reasons })
}

fn requested(value: &Value) -> Result<Requested, String> {
    Ok(Requested { cpu: integer(&value["cpu_milli"])?, memory: integer(&value["memory_bytes"])? })
}

fn growth(value: &Value) -> Result<Growth, String> {
    let pods = match (&value["pods"], value["pod_count"].as_u64()) {
        (Value::Array(pods), _) => pods.iter().map(requested).collect::<Result<_, _>>()?,
        (_, count) => vec![Requested::default(); count.unwrap_or(0) as usize],
    };
    Ok(Growth { group: text(&value["id"])?, nodes: value["node_count"].as_i64().unwrap_or(0), pods })
}

fn names(left: &[&Growth]) -> Value {
    json!({ "best": left.iter().map(|growth| growth.group.as_str()).collect::<Vec<_>>() })
}

fn expanded(kind: &str, input: &Value) -> Actual {
    let options: Vec<Growth> = list(&input["options"])?.iter().map(growth).collect::<Result<_, _>>()?;
    let mut nodes = BTreeMap::new();
    for (name, node) in input["nodes"].as_object().into_iter().flatten() {
        nodes.insert(name.as_str(), requested(node)?);
    }
    let capacity = |name: &str| nodes.get(name).copied();
    let priorities = priorities(&input["priorities"])?;
    let strategies: Vec<String> = match kind {
        "strategies" => list(&input["strategies"])?.iter().map(text).collect::<Result<_, _>>()?,
        kind => vec![kind.to_string()],
    };
    let expander = |name: &String| match name.as_str() {
        "most_pods" => Ok(Expander::MostPods),
        "least_waste" => Ok(Expander::LeastWaste),
        "least_nodes" => Ok(Expander::LeastNodes),
        "priority" => Ok(Expander::Priority(priorities.clone())),
        name => Err(format!("unknown strategy {name}")),
    };
    let expanders: Vec<Expander> = strategies.iter().map(expander).collect::<Result<_, _>>()?;
    let rules = expanders.iter().map(|expander| |options| expander.best(options, &capacity));
    Ok(names(&chained(options.iter().collect(), rules)))
}

/// Null, and expressions that cannot be read, are an unusable configuration.
fn priorities(value: &Value) -> Result<Option<Priorities>, String> {
    let Some(stated) = value.as_object() else { return Ok(None) };
    let mut by = BTreeMap::new();
    for (priority, expressions) in stated {
        let priority = priority.parse::<i64>().map_err(|error| error.to_string())?;
        by.insert(priority, list(expressions)?.iter().map(text).collect::<Result<_, _>>()?);
    }
    Ok(Priorities::new(&by).ok())
}

/// Filters of the test's own, and a fallback that takes the first option whose name contains a text.
fn chain(input: &Value) -> Actual {
    let options: Vec<Growth> = list(&input["options"])?.iter().map(growth).collect::<Result<_, _>>()?;
    let kept: Vec<String> = list(&input["filters_keep_ids_containing"])?.iter().map(text).collect::<Result<_, _>>()?;
    let left = chained(options.iter().collect(), kept.iter().map(|kept| |options| containing(options, kept)));
    if left.len() == 1 {
        return Ok(names(&left));
    }
    let wanted = text(&input["fallback_first_id_containing"])?;
    let first: Vec<&Growth> = containing(left, &wanted).into_iter().take(1).collect();
    Ok(names(&first))
}

fn containing<'o>(options: Vec<&'o Growth>, text: &str) -> Vec<&'o Growth> {
    options.into_iter().filter(|growth| growth.group.contains(text)).collect()
}

fn used(input: &Value) -> Actual {
    let has = &input["allocatable"];
    let gpu = match has.get("gpu") {
        Some(Value::Null) => None,
        None => Some(None),
        Some(count) => Some(count.as_i64()),
    };
    let (cpu, memory) = (has["cpu_milli"].as_i64().unwrap_or(0), has["memory_bytes"].as_i64().unwrap_or(0));
    let pod = |value: &Value| {
        let kind = match value["kind"].as_str() {
            Some("plain") => PodKind::Plain,
            Some("daemon_set") => PodKind::Daemon,
            Some("mirror") => PodKind::Mirror,
            other => return Err(format!("unknown kind of pod {other:?}")),
        };
        let Requested { cpu, memory } = requested(value)?;
        let requests = Amounts { cpu, memory, gpu: integer(&value["gpu"])? };
        Ok(Pod { kind, requests, deleted: value["deleted_ago_s"].as_i64(), grace: value["grace_period_s"].as_i64() })
    };
    let pods: Vec<Pod> = list(&input["pods"])?.iter().map(pod).collect::<Result<_, _>>()?;
    let flag = |name: &str| input[name].as_bool().ok_or(format!("no {name}"));
    let skipped = Skipped { daemons: flag("skip_daemon_set_pods")?, mirrors: flag("skip_mirror_pods")? };
    let Some(found) = utilization(&Allocatable { cpu, memory, gpu }, &pods, skipped) else {
        return Ok(json!({ "error": true }));
    };
    // JSON has no number for these.
    let number = |share: f64| match share {
        share if share.is_finite() => json!(share),
        share if share.is_nan() => json!("NaN"),
        share => json!(if share > 0.0 { "+Inf" } else { "-Inf" }),
    };
    Ok(json!({
        "error": false,
        "cpu": number(found.cpu),
        "memory": number(found.memory),
        "gpu": number(found.gpu),
        "resource": found.resource,
        "utilization": number(found.share),
    }))
}

fn labelled(key: &str, value: &str) -> Labels {
    [(key.to_string(), value.to_string())].into()
}

fn requesting(cpu: i64, memory: i64, host_port: i64) -> PodRequests {
    let requests = [("cpu".to_string(), cpu), ("memory".to_string(), memory)].into();
    let host_ports = u16::try_from(host_port).ok().filter(|port| *port > 0).into_iter().collect();
    PodRequests { containers: vec![Container { requests, host_ports, ..Container::default() }], ..Default::default() }
}

/// The estimator with simulation alone and with its fast path.
fn packed(input: &Value) -> Actual {
    let groups: Vec<Group> = list(&input["groups"])?
        .iter()
        .enumerate()
        .map(|(number, value)| group(number, value))
        .collect::<Result<_, _>>()?;
    let of = &input["template"];
    let dedicated = Taint { key: "dedicated".into(), value: "x".into(), effect: Effect::NoSchedule };
    let node = NodeState {
        labels: if of["label_disk_ssd"] == true { labelled("disk", "ssd") } else { Labels::new() },
        allocatable: Has { cpu: integer(&of["cpu_milli"])?, memory: integer(&of["memory_bytes"])?, ..Has::default() },
        slots: integer(&of["pods"])?,
        taints: if of["tainted"] == true { vec![dedicated] } else { Vec::new() },
        ..NodeState::default()
    };
    let daemon =
        |cpu: i64| Waiting { name: "daemon".into(), requests: requesting(cpu, 64 << 20, 0), ..Waiting::default() };
    let daemons = match integer(&of["daemon_pod_cpu_milli"])? {
        0 => Vec::new(),
        cpu => vec![daemon(cpu)],
    };
    let limit = usize::try_from(integer(&input["max_nodes"])?).ok().filter(|limit| *limit > 0);
    let template = Template { node, daemons };
    let answer = |fast: bool| {
        let found = estimate(&template, &groups, limit, fast);
        json!({ "nodes": found.nodes, "scheduled": found.scheduled })
    };
    Ok(json!({ "slow": answer(false), "fastpath": answer(true) }))
}

fn group(number: usize, value: &Value) -> Result<Group, String> {
    let name = format!("group-{number}");
    let selector = Some(Selector::of(labelled("app", &name)));
    let apart =
        PodTerm { selector: selector.clone(), topology_key: "kubernetes.io/hostname".into(), ..PodTerm::default() };
    let spread = |skew| SpreadConstraint {
        selector: selector.clone(),
        ..SpreadConstraint::new(skew, "kubernetes.io/hostname", true)
    };
    let tolerated = Toleration { key: "dedicated".into(), value: Some("x".into()), effect: Some(Effect::NoSchedule) };
    let flag = |name: &str| value[name].as_bool().ok_or(format!("no {name}"));
    let pod = Waiting {
        labels: labelled("app", &name),
        requests: requesting(
            integer(&value["cpu_milli"])?,
            integer(&value["memory_bytes"])?,
            integer(&value["host_port"])?,
        ),
        node_selector: if flag("node_selector_disk_ssd")? { labelled("disk", "ssd") } else { Labels::new() },
        tolerations: if flag("tolerates_taint")? { vec![tolerated] } else { Vec::new() },
        pod_anti_affinity: PodAffinity {
            required: if flag("hostname_anti_affinity_to_own_group")? { vec![apart] } else { Vec::new() },
            ..PodAffinity::default()
        },
        spread: match integer(&value["hostname_spread_max_skew"])? {
            0 => Vec::new(),
            skew => vec![spread(skew)],
        },
        name,
        ..Waiting::default()
    };
    Ok(Group { pod, count: integer(&value["count"])? as usize })
}
