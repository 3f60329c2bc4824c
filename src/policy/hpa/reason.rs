//! Explains a reconciliation with a code and a sentence.

use super::calculator::Proposal;
use super::condition::ConditionReason;
use super::limits::{LimitReason, Limited};
use super::metrics::MetricError;
use super::reconcile::{Hpa, ReconcileOutcome, Reconciliation, Selector};
use super::requests::PodRequests;
use super::spec::{Amount, MetricSpec, RatePolicy, Resource, Target};
use crate::cluster::PodSpec;
use crate::policy::{Reason, ReasonCode};
use crate::units::{Bytes, Quantity, SimDuration};

/// Why a reconciliation ended as it did.
///
/// `pod` provides the requests of containers, for messages about a missing one.
pub fn reason(hpa: &Hpa, run: &Reconciliation, pod: &PodSpec) -> Reason {
    let current = run.current;
    let spec = hpa.spec();
    match run.outcome {
        ReconcileOutcome::NoScale => {
            let why = spec.no_scale.as_deref().unwrap_or("the API server does not answer");
            Reason::new(ReasonCode::NoData, format!("FailedGetScale: {why}"))
        }
        ReconcileOutcome::BadSelector(Selector::Ambiguous) => {
            Reason::new(ReasonCode::NoData, "another autoscaler selects the same pods")
        }
        ReconcileOutcome::BadSelector(_) => Reason::new(ReasonCode::NoData, "the pod selector cannot be used"),
        ReconcileOutcome::Disabled if spec.min_replicas == 0 => {
            Reason::new(ReasonCode::Disabled, "size 0 was not set by the autoscaler: switched off")
        }
        ReconcileOutcome::Disabled => Reason::new(
            ReasonCode::Disabled,
            format!("size 0 below the minimum of {}: switched off", spec.min_replicas),
        ),
        ReconcileOutcome::AboveMax => Reason::new(
            ReasonCode::Bounded,
            format!("{current} is above the maximum of {0}: {current} -> {0}", spec.max_replicas),
        ),
        ReconcileOutcome::BelowMin => Reason::new(
            ReasonCode::Bounded,
            format!("{current} is below the minimum of {0}: {current} -> {0}", spec.min_replicas),
        ),
        ReconcileOutcome::InvalidMetrics(_) => Reason::new(ReasonCode::NoData, invalid(hpa, run, pod)),
        ReconcileOutcome::Evaluated { metric, wanted, stabilized, limited } => {
            let figures = figures(hpa, run, metric);
            let (code, mut detail) = evaluated(hpa, current, &figures, wanted, stabilized, limited);
            if run.error {
                detail = format!("{detail}; {}", failures(hpa, run, pod));
            }
            Reason::new(code, detail)
        }
    }
}

fn evaluated(
    hpa: &Hpa,
    current: u32,
    figures: &str,
    wanted: u32,
    stabilized: u32,
    limited: Limited,
) -> (ReasonCode, String) {
    let size = limited.replicas;
    if size != stabilized {
        let code = match limited.reason {
            LimitReason::ScaleUpLimit | LimitReason::ScaleDownLimit => ReasonCode::RateLimited,
            _ => ReasonCode::Bounded,
        };
        return (code, format!("{}, {figures} wants {wanted}", cut(hpa, limited)));
    }
    if stabilized != wanted {
        let up = wanted > stabilized;
        let window = match (hpa.rules(), up) {
            (Some((rules, _)), true) => rules.stabilization_window,
            (Some((_, rules)), false) => rules.stabilization_window,
            (None, _) => None,
        };
        let window = seconds(window.unwrap_or(hpa.flags().downscale_stabilization));
        let detail = format!("stabilized at {size} by the last {window}, {figures} wants {wanted}");
        return (ReasonCode::Stabilized, detail);
    }
    if size == current {
        return (ReasonCode::WithinTolerance, format!("{figures}: {current} stays"));
    }
    (ReasonCode::Target, format!("{figures}: {current} -> {size}"))
}

/// "scale-up limited to 8 by 100%/15s"
fn cut(hpa: &Hpa, limited: Limited) -> String {
    let size = limited.replicas;
    let way = match limited.reason {
        LimitReason::TooManyReplicas => return format!("held at the maximum of {size}"),
        LimitReason::TooFewReplicas => return format!("held at the minimum of {size}"),
        LimitReason::ScaleDownLimit => "scale-down",
        LimitReason::ScaleUpLimit | LimitReason::DesiredWithinRange => "scale-up",
    };
    match (limited.policy, hpa.rules()) {
        (Some(policy), _) => format!("{way} limited to {size} by {}", rate(policy)),
        (None, Some(_)) => format!("{way} is disabled"),
        (None, None) => {
            let flags = hpa.flags();
            let (factor, minimum) = (flags.scale_up_limit_factor, flags.scale_up_limit_minimum);
            format!("{way} limited to {size} by max({factor}x, {minimum})")
        }
    }
}

fn rate(policy: RatePolicy) -> String {
    let period = seconds(policy.period);
    match policy.amount {
        Amount::Pods(1) => format!("1 pod/{period}"),
        Amount::Pods(pods) => format!("{pods} pods/{period}"),
        Amount::Percent(percent) => format!("{percent}%/{period}"),
    }
}

/// In whole seconds, as in manifests ("300s").
fn seconds(duration: SimDuration) -> String {
    format!("{}s", duration.as_secs_f64())
}

/// "cpu 83% of 70% target"
fn figures(hpa: &Hpa, run: &Reconciliation, index: usize) -> String {
    match (hpa.spec().metrics.get(index), run.proposals.get(index)) {
        (Some(metric), Some(Ok(proposal))) => measured(metric, *proposal, run.current),
        _ => String::new(),
    }
}

fn measured(metric: &MetricSpec, proposal: Proposal, current: u32) -> String {
    let (target, memory) = match metric {
        MetricSpec::Resource { target, resource } | MetricSpec::ContainerResource { target, resource, .. } => {
            (target, *resource == Resource::Memory)
        }
        MetricSpec::Pods { target, .. } | MetricSpec::Object { target, .. } | MetricSpec::External { target, .. } => {
            (target, false)
        }
        MetricSpec::Unsupported { kind } => return kind.clone(),
    };
    let amount = |value: Quantity| if memory { bytes(value) } else { value.to_string() };
    let name = metric.name();
    match target {
        Target::Utilization(percent) => {
            format!("{name} {}% of {percent}% target", proposal.utilization.unwrap_or(0))
        }
        // A total divided by zero pods is infinite: the status shows the largest number, which was never measured.
        Target::AverageValue(value) if current == 0 && proposal.value == Quantity::MAX => {
            format!("{name} above 0 without a pod, {} per pod", amount(*value))
        }
        Target::AverageValue(value) => format!("{name} {} of {} per pod", amount(proposal.value), amount(*value)),
        Target::Value(value) => format!("{name} {} of {} target", amount(proposal.value), amount(*value)),
        Target::Missing => name.to_string(),
    }
}

/// Large byte counts, rounded to mebibytes.
fn bytes(value: Quantity) -> String {
    let bytes = value.millis().unsigned_abs() / 1000;
    if bytes >= 1 << 24 { Bytes::new(bytes >> 20 << 20).to_string() } else { Bytes::new(bytes).to_string() }
}

/// Why nothing was decided although some metrics may be valid: the size does not shrink while any metric fails.
fn invalid(hpa: &Hpa, run: &Reconciliation, pod: &PodSpec) -> String {
    let failed = failures(hpa, run, pod);
    let valid = run.proposals.iter().enumerate().filter_map(|(index, p)| Some((index, p.ok()?.replicas)));
    match valid.max_by_key(|(index, replicas)| (*replicas, std::cmp::Reverse(*index))) {
        Some((index, wanted)) => {
            let (figures, current) = (figures(hpa, run, index), run.current);
            format!("{failed}; {figures} wants {wanted}, but no metric may fail on the way down: {current} stays")
        }
        None => failed,
    }
}

/// "cpu: no metrics yet (FailedGetResourceMetric)"
fn failures(hpa: &Hpa, run: &Reconciliation, pod: &PodSpec) -> String {
    let metrics = hpa.spec().metrics.iter().zip(&run.proposals);
    let words = |(metric, error): (&MetricSpec, MetricError)| {
        let why = explained(metric, error, pod).unwrap_or_else(|| error.to_string());
        format!("{}: {why} ({})", metric.name(), ConditionReason::failed(metric).name())
    };
    let parts: Vec<String> = metrics.filter_map(|(m, p)| Some(words((m, p.err()?)))).collect();
    if parts.is_empty() { "no metric is configured".into() } else { parts.join("; ") }
}

/// A failure with the container it concerns, in upstream's wording.
fn explained(metric: &MetricSpec, error: MetricError, pod: &PodSpec) -> Option<String> {
    let (resource, container) = match metric {
        MetricSpec::Resource { resource, .. } => (*resource, None),
        MetricSpec::ContainerResource { resource, container, .. } => (*resource, Some(container.as_str())),
        _ => return None,
    };
    match (error, container) {
        (MetricError::MissingRequest, container) => missing_request(resource, container, pod),
        (MetricError::ContainerNotFound, Some(name)) => Some(format!("container {name} not found in the pods")),
        _ => None,
    }
}

/// "missing request for cpu in container log-shipper"; `None` if every eligible container has one.
pub(super) fn missing_request(resource: Resource, container: Option<&str>, pod: &PodSpec) -> Option<String> {
    let requests = PodRequests::of(pod, resource);
    let container = container.filter(|_| pod.serving_name().is_some());
    let name = match container {
        Some(name) => requests.containers.iter().find(|c| c.name == name && c.request.is_none())?.name.as_str(),
        None => requests.without_request()?,
    };
    let place = if name.is_empty() { ": the service states none".into() } else { format!(" in container {name}") };
    Some(format!("missing request for {}{place}", resource.name()))
}
