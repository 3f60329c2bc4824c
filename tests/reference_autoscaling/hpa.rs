//! The Kubernetes HPA: converts a case's input to the library's functions and back.

mod reading;
mod sequence;

use serde_json::{Map, Value, json};

use plimsoll::config::kubernetes::Release;
use plimsoll::policy::hpa::PodView;
use plimsoll::policy::hpa::calculator::{self, Proposal, Situation};
use plimsoll::policy::hpa::condition::{Condition, ConditionReason, ConditionType};
use plimsoll::policy::hpa::grouping::group_pods;
use plimsoll::policy::hpa::limits::{
    Bounds, LimitReason, Limited, ScaleEvent, ScaleEvents, change_within, limit, limit_with_behavior, scale_down_limit,
    scale_up_limit,
};
use plimsoll::policy::hpa::metrics::{
    MetricError, MetricsApi, PodMetrics, PodReport, ValueReport, container_usage, external_total, pod_usage, pod_values,
};
use plimsoll::policy::hpa::ratios::{Tolerance, utilization_ratio};
use plimsoll::policy::hpa::reconcile::{
    ApiFailure, Cluster, History, Hpa, HpaStatus, MetricStatus, ReconcileOutcome, Scale, Selector,
};
use plimsoll::policy::hpa::requests::{PodRequests, pod_request};
use plimsoll::policy::hpa::spec::{Behavior, ControllerFlags, HpaSpec, MetricSpec, Resource, Rules, Target};
use plimsoll::policy::hpa::stabilization::{stabilize, stabilize_with_behavior};
use plimsoll::units::{Quantity, SimTime};

use super::{Actual, Case};
use reading::*;

/// Runs one case.
pub fn run(case: &Case<'_>) -> Actual {
    let input = case.input;
    match case.kind {
        "scale_up" => Ok(rules_json(&Rules::scale_up(&rules_spec(input)))),
        "scale_down" => Ok(rules_json(&Rules::scale_down(&rules_spec(input)))),
        "group_pods" => groups(input),
        "requests" => requests(input),
        "resource_utilization_ratio" => ratio(input),
        "resource" => client_resource(input),
        "pods" => client_pods(input),
        "external" if case.file.starts_with("hpa_metrics_client") => client_external(input),
        "object" if case.file.starts_with("hpa_metrics_client") => client_object(input),
        "resource_utilization" => resource_utilization(input),
        "pods_metric" | "resource_average_value" | "object" | "object_per_pod" | "external" | "external_per_pod" => {
            custom_metric(case)
        }
        "convert_without_behavior" | "convert_with_behavior" | "scale_up_limit" | "scale_down_limit" => limits(case),
        "stabilize_without_behavior" | "stabilize_with_behavior" => stabilization(case),
        "store_scale_event" => store_scale_event(input),
        "reconcile" => reconcile(input),
        "reconcile_many" => reconcile_many(input),
        "reconcile_sequence" => sequence::run(input),
        "scale_to_zero" => scale_to_zero(input),
        other => Err(format!("`{other}` is not a kind of case that is known here")),
    }
}

// --- one function ---------------------------------------------------------------------------------------------------

fn groups(input: &Value) -> Actual {
    let mut names = Names::default();
    let pods: Vec<PodView> = list(&input["pods"]).iter().map(|pod| pod_view(pod, NOW, &mut names)).collect();
    let metrics = pod_values(value_reports(&input["metrics"], NOW, &mut names)).unwrap_or_default();
    let groups = group_pods(&pods, &metrics, resource(&input["resource"]), delays(input), NOW);
    Ok(json!({
        "ready_count": groups.ready,
        "unready": names.sorted(groups.unready),
        "missing": names.sorted(groups.missing),
        "ignored": names.sorted(groups.ignored),
    }))
}

fn requests(input: &Value) -> Actual {
    let pod_level = input["pod_level_resources_enabled"].as_bool().unwrap_or(false);
    let mut found = Map::new();
    for pod in list(&input["pods"]) {
        match pod_request(&pod_requests(pod, pod_level), input["container"].as_str()) {
            Ok(request) => drop(found.insert(text(&pod["name"]).to_string(), json!(request.millis()))),
            Err(error) => return Ok(error_json(error)),
        }
    }
    Ok(json!({ "error": null, "requests_milli": found }))
}

fn ratio(input: &Value) -> Actual {
    let mut names = Names::default();
    let mut by_name = |values: &Value| {
        let entries = values.as_object().into_iter().flatten();
        entries.map(|(name, value)| (names.id(name), quantity(value))).collect::<Vec<_>>()
    };
    let metrics = by_name(&input["metrics_milli"]);
    let requests = by_name(&input["requests_milli"]).into_iter().collect();
    let report = |(pod, value)| ValueReport { pod, value, timestamp: NOW, window: None };
    let metrics = pod_values(metrics.into_iter().map(report)).unwrap_or_default();
    Ok(match utilization_ratio(&metrics, &requests, count(&input["target_utilization"])) {
        Ok(usage) => json!({
            "error": null,
            "ratio": usage.ratio,
            "utilization": usage.utilization,
            "raw_average_milli": usage.average.millis(),
        }),
        Err(error) => error_json(error),
    })
}

// --- the metrics client ---------------------------------------------------------------------------------------------

fn api_error(input: &Value) -> bool {
    input["api_error"].as_bool().unwrap_or(false)
}

fn metrics_json(metrics: Result<PodMetrics, MetricError>, names: &Names) -> Value {
    let metrics = match metrics {
        Ok(metrics) => metrics,
        Err(error) => return error_json(error),
    };
    let entry = |(id, metric): (&u32, &plimsoll::policy::hpa::metrics::PodMetric)| {
        let value = json!({
            "value_milli": metric.value.millis(),
            "timestamp_s": seconds(metric.timestamp),
            "window_s": metric.window.as_secs_f64(),
        });
        (names.0[*id as usize].clone(), value)
    };
    let first = metrics.values().next().map(|metric| seconds(metric.timestamp));
    json!({ "error": null, "values": metrics.iter().map(entry).collect::<Map<_, _>>(), "timestamp_s": first })
}

fn client_resource(input: &Value) -> Actual {
    let mut names = Names::default();
    let reports = pod_reports(&input["reported"], NOW, &mut names);
    let metrics = match input["container"].as_str() {
        _ if api_error(input) => Err(MetricError::ApiError),
        None => pod_usage(&reports),
        Some(name) => container_usage(&reports, name, input["strict_missing_container"].as_bool().unwrap_or(false)),
    };
    Ok(metrics_json(metrics, &names))
}

fn client_pods(input: &Value) -> Actual {
    let mut names = Names::default();
    let reports = value_reports(&input["reported"], NOW, &mut names);
    let metrics = if api_error(input) { Err(MetricError::ApiError) } else { pod_values(reports) };
    Ok(metrics_json(metrics, &names))
}

fn client_external(input: &Value) -> Actual {
    let values: Vec<Quantity> = list(&input["reported"]).iter().map(|r| quantity(&r["value_milli"])).collect();
    let answer = if api_error(input) { Err(MetricError::ApiError) } else { external_total(&values) };
    let millis: Vec<i64> = values.iter().map(|value| value.millis()).collect();
    let timestamp = list(&input["reported"]).first().map(|r| r["timestamp_s"].clone());
    Ok(answer.map_or_else(error_json, |_| json!({ "error": null, "values": millis, "timestamp_s": timestamp })))
}

fn client_object(input: &Value) -> Actual {
    if api_error(input) {
        return Ok(error_json(MetricError::ApiError));
    }
    let Some(first) = list(&input["reported"]).first() else {
        return Ok(error_json(MetricError::NoMetricsReturned));
    };
    let value = quantity(&first["value_milli"]);
    Ok(json!({ "error": null, "value_milli": value.millis(), "timestamp_s": first["timestamp_s"] }))
}

// --- the replica calculator -----------------------------------------------------------------------------------------

fn situation<'a>(input: &Value, pods: &'a [PodView]) -> Situation<'a> {
    let replicas = count(&input["current_replicas"]);
    Situation {
        now: NOW,
        pods,
        spec_replicas: replicas,
        status_replicas: replicas,
        tolerance: Tolerance { down: real(&input["tolerance"]["down"]), up: real(&input["tolerance"]["up"]) },
        delays: delays(input),
    }
}

fn proposal_json(proposal: Result<Proposal, MetricError>) -> Value {
    match proposal {
        Ok(p) => json!({
            "error": null,
            "replicas": p.replicas,
            "utilization": p.utilization,
            "raw_value_milli": p.value.millis(),
            "usage_milli": p.value.millis(),
        }),
        Err(error) => error_json(error),
    }
}

fn resource_utilization(input: &Value) -> Actual {
    let mut names = Names::default();
    let pods: Vec<PodView> = list(&input["pods"]).iter().map(|pod| pod_view(pod, NOW, &mut names)).collect();
    let pod_level = input["pod_level_resources_enabled"].as_bool().unwrap_or(false);
    let requests: Vec<PodRequests> = list(&input["pods"]).iter().map(|pod| pod_requests(pod, pod_level)).collect();
    let reports = pod_reports(&input["metrics"], NOW, &mut names);
    let container = input["container"].as_str();
    let metrics = match container {
        None => pod_usage(&reports),
        Some(name) => container_usage(&reports, name, false),
    };
    let resource = resource(&input["resource"]).ok_or("no resource")?;
    let target = count(&input["target_utilization"]);
    let request = |pod: &PodView| {
        let index = pods.iter().position(|p| p.id == pod.id).ok_or(MetricError::NoPods)?;
        pod_request(&requests[index], container)
    };
    let situation = situation(input, &pods);
    let proposal = metrics.and_then(|m| calculator::utilization(&situation, resource, m, target, request));
    Ok(proposal_json(proposal))
}

fn custom_metric(case: &Case<'_>) -> Actual {
    let input = case.input;
    let mut names = Names::default();
    let pods: Vec<PodView> = list(&input["pods"]).iter().map(|pod| pod_view(pod, NOW, &mut names)).collect();
    let situation = situation(input, &pods);
    let target = quantity(&input["target_milli"]);
    let values: Vec<Quantity> = list(&input["values_milli"]).iter().map(quantity).collect();
    let object = || values.first().copied().ok_or(MetricError::NoMetricsReturned);
    Ok(proposal_json(match case.kind {
        "pods_metric" => pod_values(value_reports(&input["metrics"], NOW, &mut names))
            .and_then(|metrics| calculator::average_value(&situation, None, metrics, target)),
        "resource_average_value" => {
            let which = resource(&input["resource"]);
            let reports = pod_reports(&input["metrics"], NOW, &mut names);
            let container = input["container"].as_str();
            container
                .map_or_else(|| pod_usage(&reports), |name| container_usage(&reports, name, false))
                .and_then(|metrics| calculator::average_value(&situation, which, metrics, target))
        }
        "object" => object().and_then(|usage| calculator::object_value(&situation, usage, target)),
        "object_per_pod" => object().map(|usage| calculator::object_per_pod(&situation, usage, target)),
        "external" => calculator::external_value(&situation, &values, target),
        _ => calculator::external_per_pod(&situation, &values, target),
    }))
}

// --- windows and limits ---------------------------------------------------------------------------------------------

fn limited_json(limited: Limited) -> Value {
    json!({ "replicas": limited.replicas, "condition": limited.reason.name() })
}

fn limits(case: &Case<'_>) -> Actual {
    let input = case.input;
    let current = count(&input["current_replicas"]);
    let events = ScaleEvents { up: events(&input["scale_up_events"]), down: events(&input["scale_down_events"]) };
    let rules = rules_spec(&input["rules"]);
    match case.kind {
        "scale_up_limit" => {
            return Ok(json!({ "limit": scale_up_limit(current, &events, &Rules::scale_up(&rules), NOW).0 }));
        }
        "scale_down_limit" => {
            return Ok(json!({ "limit": scale_down_limit(current, &events, &Rules::scale_down(&rules), NOW).0 }));
        }
        _ => {}
    }
    let desired = count(&input["desired_replicas"]);
    let bounds = Bounds { min: count(&input["min_replicas"]), max: count(&input["max_replicas"]) };
    if case.kind == "convert_without_behavior" {
        let flags = ControllerFlags {
            scale_up_limit_factor: real(&input["scale_up_limit_factor"]),
            scale_up_limit_minimum: real(&input["scale_up_limit_minimum"]),
            ..ControllerFlags::default()
        };
        return Ok(limited_json(limit(current, desired, bounds, &flags)));
    }
    let up = Rules::scale_up(&rules_spec(&input["scale_up"]));
    let down = Rules::scale_down(&rules_spec(&input["scale_down"]));
    Ok(limited_json(limit_with_behavior(current, desired, bounds, &up, &down, &events, NOW)))
}

fn stabilization(case: &Case<'_>) -> Actual {
    let input = case.input;
    let mut log = recommendations(&input["recommendations"]);
    let desired = count(&input["desired_replicas"]);
    let replicas = if case.kind == "stabilize_without_behavior" {
        stabilize(&mut log, desired, duration(&input["downscale_stabilization_s"]), NOW)
    } else {
        let (up, down) = (&input["scale_up_stabilization_s"], &input["scale_down_stabilization_s"]);
        let current = count(&input["current_replicas"]);
        stabilize_with_behavior(&mut log, current, desired, duration(up), duration(down), NOW)
    };
    let entries: Vec<u32> = log.iter().map(|entry| entry.replicas).collect();
    Ok(json!({ "replicas": replicas, "log": entries, "log_length": log.len() }))
}

fn store_scale_event(input: &Value) -> Actual {
    let up = match text(&input["direction"]) {
        "up" => true,
        "down" => false,
        other => return Err(format!("direction {other}")),
    };
    let before = events(&input["events"]);
    let change = change_within(&before, duration(&input["query_period_s"]), NOW);
    let mut all = ScaleEvents::default();
    *(if up { &mut all.up } else { &mut all.down }) = before;
    if !input["rules"].is_null() {
        let spec = rules_spec(&input["rules"]);
        let rules = if up { Rules::scale_up(&spec) } else { Rules::scale_down(&spec) };
        all.store(&rules, count(&input["previous_replicas"]), count(&input["new_replicas"]), NOW);
    }
    let events = if up { all.up } else { all.down };
    let entry = |e: &ScaleEvent| json!({ "change": e.change, "outdated": e.outdated });
    Ok(json!({
        "replicas_change_in_query_period": change,
        "events": events.iter().map(entry).collect::<Vec<_>>(),
    }))
}

// --- the control loop -----------------------------------------------------------------------------------------------

struct FakeCluster<'a> {
    input: &'a Value,
    pods: Vec<PodView>,
    requests: Vec<PodRequests>,
    reports: Vec<PodReport>,
    values: Vec<ValueReport>,
    scale: Scale,
}

impl<'a> FakeCluster<'a> {
    /// The cluster of a case with a single time.
    fn new(input: &'a Value) -> Self {
        let scale = Scale {
            spec_replicas: count(&input["scale"]["spec_replicas"]),
            status_replicas: count(&input["scale"]["status_replicas"]),
        };
        FakeCluster::at(NOW, input, scale)
    }

    /// The cluster at `now`, to which the times of `input` are relative.
    fn at(now: SimTime, input: &'a Value, scale: Scale) -> Self {
        let mut names = Names::default();
        let sources = &input["metric_sources"];
        FakeCluster {
            input,
            pods: list(&input["pods"]).iter().map(|pod| pod_view(pod, now, &mut names)).collect(),
            requests: list(&input["pods"]).iter().map(|pod| pod_requests(pod, false)).collect(),
            reports: pod_reports(&sources["resource"], now, &mut names),
            values: value_reports(&sources["pods"], now, &mut names),
            scale,
        }
    }

    fn fault(&self, name: &str) -> bool {
        list(&self.input["faults"]).iter().any(|fault| fault == name)
    }

    fn api<T>(&self, fault: &str, answer: Result<T, MetricError>) -> Result<T, MetricError> {
        if self.fault(fault) { Err(MetricError::ApiError) } else { answer }
    }
}

impl MetricsApi for FakeCluster<'_> {
    fn resource(&self, _: Resource, container: Option<&str>) -> Result<PodMetrics, MetricError> {
        let answer = match container {
            None => pod_usage(&self.reports),
            Some(name) => container_usage(&self.reports, name, false),
        };
        self.api("resource_metrics_api", answer)
    }

    fn pods_metric(&self, _: &str) -> Result<PodMetrics, MetricError> {
        self.api("custom_metrics_api", pod_values(self.values.iter().copied()))
    }

    fn object(&self, _: &str) -> Result<Quantity, MetricError> {
        let value = optional_quantity(&self.input["metric_sources"]["object_milli"]);
        self.api("custom_metrics_api", value.ok_or(MetricError::NoMetricsReturned))
    }

    fn external(&self, _: &str) -> Result<Vec<Quantity>, MetricError> {
        let values = list(&self.input["metric_sources"]["external_milli"]).iter().map(quantity).collect();
        self.api("external_metrics_api", Ok(values))
    }

    fn request(&self, pod: &PodView, _: Resource, container: Option<&str>) -> Result<Quantity, MetricError> {
        let index = self.pods.iter().position(|p| p.id == pod.id).ok_or(MetricError::NoPods)?;
        pod_request(&self.requests[index], container)
    }
}

impl Cluster for FakeCluster<'_> {
    fn scale(&self) -> Result<Scale, ApiFailure> {
        if self.fault("get_scale") { Err(ApiFailure) } else { Ok(self.scale) }
    }

    fn selector(&self) -> Selector {
        match self.input["scale"]["selector"].as_str().unwrap_or("valid") {
            "valid" if self.input["pods_selected_by_another_hpa"].as_bool() == Some(true) => Selector::Ambiguous,
            "valid" => Selector::Valid,
            "missing" | "unparsable" => Selector::Invalid,
            other => panic!("selector {other}"),
        }
    }

    fn pods(&self) -> &[PodView] {
        &self.pods
    }

    fn set_replicas(&mut self, replicas: u32) -> Result<(), ApiFailure> {
        if self.fault("update_scale") {
            return Err(ApiFailure);
        }
        self.scale.spec_replicas = replicas;
        Ok(())
    }
}

fn metric_spec(metric: &Value) -> MetricSpec {
    let target = || {
        let target = &metric["target"];
        match text(&target["type"]) {
            "Utilization" => Target::Utilization(count(&target["average_utilization"])),
            "AverageValue" => Target::AverageValue(quantity(&target["average_value_milli"])),
            "Value" => Target::Value(quantity(&target["value_milli"])),
            other => panic!("target type {other}"),
        }
    };
    let name = || text(&metric["metric"]).to_string();
    let which = || resource(&metric["resource"]).unwrap_or_else(|| panic!("{metric} has no resource"));
    match text(&metric["type"]) {
        "Resource" => MetricSpec::Resource { resource: which(), target: target() },
        "ContainerResource" => MetricSpec::ContainerResource {
            resource: which(),
            container: text(&metric["container"]).to_string(),
            target: target(),
        },
        "Pods" => MetricSpec::Pods { metric: name(), target: target() },
        "Object" => MetricSpec::Object { metric: name(), target: target() },
        "External" => MetricSpec::External { metric: name(), target: target() },
        other => MetricSpec::Unsupported { kind: other.to_string() },
    }
}

fn condition(value: &Value) -> Condition {
    let kinds = [
        ConditionType::AbleToScale,
        ConditionType::ScalingActive,
        ConditionType::ScalingLimited,
        ConditionType::ScaledToZero,
    ];
    let limits = [
        LimitReason::DesiredWithinRange,
        LimitReason::TooManyReplicas,
        LimitReason::TooFewReplicas,
        LimitReason::ScaleUpLimit,
        LimitReason::ScaleDownLimit,
    ];
    let reasons = [
        ConditionReason::SucceededGetScale,
        ConditionReason::FailedGetScale,
        ConditionReason::SucceededRescale,
        ConditionReason::FailedUpdateScale,
        ConditionReason::ReadyForNewScale,
        ConditionReason::ScaleUpStabilized,
        ConditionReason::ScaleDownStabilized,
        ConditionReason::ScalingDisabled,
        ConditionReason::InvalidSelector,
        ConditionReason::AmbiguousSelector,
        ConditionReason::ValidMetricFound,
        ConditionReason::FailedGetResourceMetric,
        ConditionReason::FailedGetContainerResourceMetric,
        ConditionReason::FailedGetPodsMetric,
        ConditionReason::FailedGetObjectMetric,
        ConditionReason::FailedGetExternalMetric,
        ConditionReason::InvalidMetricSourceType,
        ConditionReason::ScaledToZero,
        ConditionReason::NotScaledToZero,
    ];
    let mut known = reasons.into_iter().chain(limits.map(ConditionReason::Limit));
    Condition {
        kind: kinds.into_iter().find(|k| k.name() == value["type"]).unwrap_or_else(|| panic!("{value}")),
        status: value["status"] == "True",
        reason: known.find(|r| r.name() == value["reason"]).unwrap_or_else(|| panic!("{value}")),
    }
}

fn status(value: &Value) -> HpaStatus {
    let metric = |m: &Value| {
        Some(MetricStatus {
            utilization: m["utilization"].as_i64(),
            average_value: optional_quantity(&m["average_value_milli"]),
            value: optional_quantity(&m["value_milli"]),
        })
    };
    HpaStatus {
        current_replicas: count(&value["current_replicas"]),
        desired_replicas: count(&value["desired_replicas"]),
        last_scale_time: optional_time(NOW, &value["last_scale_time_s"]),
        conditions: list(&value["conditions"]).iter().map(condition).collect(),
        current_metrics: list(&value["current_metrics"]).iter().map(metric).collect(),
    }
}

fn autoscaler(input: &Value) -> Hpa {
    let (hpa, flags, history) = (&input["hpa"], &input["controller"], &input["history"]);
    let behavior = &hpa["behavior"];
    let spec = HpaSpec {
        min_replicas: hpa["min_replicas"].as_u64().map_or(1, |min| min as u32),
        max_replicas: count(&hpa["max_replicas"]),
        metrics: list(&hpa["metrics"]).iter().map(metric_spec).collect(),
        behavior: (!behavior.is_null()).then(|| Behavior {
            scale_up: rules_spec(&behavior["scale_up"]),
            scale_down: rules_spec(&behavior["scale_down"]),
        }),
        no_scale: None,
    };
    let flags = ControllerFlags {
        tolerance: real(&flags["tolerance"]),
        cpu_initialization_period: duration(&flags["cpu_initialization_period_s"]),
        initial_readiness_delay: duration(&flags["initial_readiness_delay_s"]),
        downscale_stabilization: duration(&flags["downscale_stabilization_s"]),
        scale_up_limit_factor: real(&flags["scale_up_limit_factor"]),
        scale_up_limit_minimum: real(&flags["scale_up_limit_minimum"]),
        // The vectors are older than the condition that 1.37 added.
        release: Release::V1_36,
        ..ControllerFlags::default()
    };
    let mut autoscaler = Hpa::new(spec, flags);
    if !input["status"].is_null() {
        autoscaler.status = status(&input["status"]);
    }
    let log = &history["recommendations"];
    autoscaler.history = History {
        recommendations: (!log.is_null()).then(|| recommendations(log)),
        events: ScaleEvents { up: events(&history["scale_up_events"]), down: events(&history["scale_down_events"]) },
    };
    autoscaler
}

fn direction(from: u32, to: u32) -> &'static str {
    match to.cmp(&from) {
        std::cmp::Ordering::Greater => "scale_up",
        std::cmp::Ordering::Less => "scale_down",
        std::cmp::Ordering::Equal => "none",
    }
}

fn conditions_json(status: &HpaStatus) -> Vec<Value> {
    let condition = |c: &Condition| {
        let status = if c.status { "True" } else { "False" };
        json!({ "type": c.kind.name(), "status": status, "reason": c.reason.name() })
    };
    status.conditions.iter().map(condition).collect()
}

fn reconcile(input: &Value) -> Actual {
    let mut autoscaler = autoscaler(input);
    let before = autoscaler.status.current_replicas;
    let run = autoscaler.reconcile(NOW, &mut FakeCluster::new(input));
    let status = &autoscaler.status;
    let metrics = autoscaler.spec().metrics.iter().zip(&run.proposals);
    let (mut actions, mut errors) = (Map::new(), Map::new());
    for (metric, proposal) in metrics {
        let (action, error) = match proposal {
            Ok(proposal) => (direction(before, proposal.replicas), "none"),
            Err(MetricError::InvalidSourceType) => ("none", "spec"),
            Err(_) => ("none", "internal"),
        };
        actions.insert(metric.kind().to_string(), json!(action));
        errors.insert(metric.kind().to_string(), json!(error));
    }
    let cpu =
        autoscaler.spec().metrics.iter().position(|m| {
            matches!(m, MetricSpec::Resource { resource: Resource::Cpu, target: Target::Utilization(_) })
        });
    let cpu = cpu.and_then(|index| status.current_metrics.get(index).copied().flatten()?.utilization);
    Ok(json!({
        "desired_replicas": status.desired_replicas,
        "rescaled": run.rescaled,
        "conditions": conditions_json(status),
        "reconcile_action": if run.rescaled { direction(run.current, run.desired) } else { "none" },
        "reconcile_error": if run.error { "internal" } else { "none" },
        "metric_actions": actions,
        "metric_errors": errors,
        "status_written": run.status_written,
        "cpu_utilization": cpu,
        "rescale_event": run.rescaled,
    }))
}

/// One reconciliation whose metrics propose `proposal`, without effective windows or rate limits.
fn scale_to_zero(input: &Value) -> Actual {
    let metric = if input["has_object_or_external"] == true {
        MetricSpec::External { metric: "m".into(), target: Target::AverageValue(Quantity::from_millis(1000)) }
    } else {
        return Err("without such a metric there is no proposal to be made at zero".into());
    };
    let (min_replicas, max_replicas) = (count(&input["min_replicas"]), count(&input["max_replicas"]));
    let spec = HpaSpec { min_replicas, max_replicas, metrics: vec![metric], behavior: None, no_scale: None };
    let release = if input["gate"] == true { Release::V1_37 } else { Release::V1_36 };
    let mut autoscaler = Hpa::new(spec, ControllerFlags { release, tolerance: 0.0, ..ControllerFlags::default() });
    autoscaler.history.recommendations = Some(Vec::new());
    if let Some(status) = input["scaled_to_zero"].as_bool() {
        let reason = if status { ConditionReason::ScaledToZero } else { ConditionReason::NotScaledToZero };
        autoscaler.status.conditions.push(Condition { kind: ConditionType::ScaledToZero, status, reason });
    }
    let size = count(&input["current"]);
    let sources = json!({ "metric_sources": { "external_milli": [int(&input["proposal"]) * 1000] } });
    let scale = Scale { spec_replicas: size, status_replicas: size };
    let run = autoscaler.reconcile(NOW, &mut FakeCluster::at(NOW, &sources, scale));
    let find = |kind| autoscaler.status.conditions.iter().find(|c| c.kind == kind);
    let disabled = find(ConditionType::ScalingActive).filter(|c| c.reason == ConditionReason::ScalingDisabled);
    Ok(json!({
        "desired": run.desired,
        "rescale": run.rescaled,
        "scaling_active": disabled.map(|c| c.reason.name()),
        "scaled_to_zero": find(ConditionType::ScaledToZero).map(|c| c.status),
    }))
}

fn reconcile_many(input: &Value) -> Actual {
    let mut autoscaler = autoscaler(input);
    let repeat = input["repeat"].as_u64().ok_or("no `repeat`")?;
    let run = |autoscaler: &mut Hpa| autoscaler.reconcile(NOW, &mut FakeCluster::new(input));
    let processed = (0..repeat).filter(|_| run(&mut autoscaler).outcome != ReconcileOutcome::NoScale).count();
    Ok(json!({ "processed": processed }))
}
