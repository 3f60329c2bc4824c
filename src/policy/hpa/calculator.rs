//! The replica calculator: from one metric to a proposed size.

use std::collections::BTreeMap;

use super::grouping::{Groups, ReadinessDelays, group_pods};
use super::metrics::{MetricError, PodMetric, PodMetrics, external_total, external_total_per_pod};
use super::pod::{PodPhase, PodView};
use super::ratios::{Requests, Tolerance, Usage, average_ratio, utilization_ratio};
use super::spec::Resource;
use crate::units::{Quantity, SimDuration, SimTime};

/// The largest size that the API can express: 2^31 - 1.
pub const MAX_REPLICAS: u32 = i32::MAX as u32;

/// The inputs common to all calculations.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// Time of the decision.
    pub now: SimTime,
    /// The pods that the workload's selector matches.
    pub pods: &'a [PodView],
    /// The current size: `spec.replicas` of the scale.
    pub spec_replicas: u32,
    /// The number of existing pods: `status.replicas` of the scale.
    pub status_replicas: u32,
    /// Deviation from the target within which nothing changes.
    pub tolerance: Tolerance,
    /// How long the CPU use of starting pods is not trusted.
    pub delays: ReadinessDelays,
}

/// A proposed size and the measurement it is based on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposal {
    /// The size.
    pub replicas: u32,
    /// Per cent of the request, for a utilization target.
    pub utilization: Option<i64>,
    /// The value, or the average per pod.
    pub value: Quantity,
}

/// Rounds up to a whole number of replicas, saturating at [`MAX_REPLICAS`].
fn ceil(replicas: f64) -> u32 {
    // The cast turns NaN and negative values into 0 and saturates.
    (replicas.ceil() as u32).min(MAX_REPLICAS)
}

/// Compares a resource with a utilization target in per cent. `request` returns a pod's request.
///
/// # Errors
/// If there are no pods, no metrics of eligible pods, a container without a request, or no pod that has both.
pub fn utilization(
    situation: &Situation<'_>,
    resource: Resource,
    metrics: PodMetrics,
    target: u32,
    request: impl Fn(&PodView) -> Result<Quantity, MetricError>,
) -> Result<Proposal, MetricError> {
    let (groups, counted) = counted_metrics(situation, Some(resource), metrics)?;
    let requests: Requests =
        situation.pods.iter().map(|pod| Ok((pod.id, request(pod)?))).collect::<Result<_, MetricError>>()?;
    // A pod without a metric is assumed to use its request, or the target if that is more.
    let full = i128::from(target.max(100));
    let fallback: BTreeMap<u32, Quantity> = groups
        .missing
        .iter()
        .filter_map(|id| requests.get(id).map(|r| (*id, i128::from(r.millis()) * full / 100)))
        .map(|(id, millis)| (id, Quantity::from_millis(millis.min(i128::from(i64::MAX)) as i64)))
        .collect();
    propose(
        situation,
        &groups,
        counted,
        |id| fallback.get(&id).copied(),
        |metrics| utilization_ratio(metrics, &requests, target),
    )
}

/// Compares a resource (`Some`) or a custom metric per pod (`None`) with an average per pod.
///
/// # Errors
/// If there are no pods, or no metrics of eligible pods.
pub fn average_value(
    situation: &Situation<'_>,
    resource: Option<Resource>,
    metrics: PodMetrics,
    target: Quantity,
) -> Result<Proposal, MetricError> {
    let (groups, counted) = counted_metrics(situation, resource, metrics)?;
    propose(situation, &groups, counted, |_| Some(target), |metrics| Ok(average_ratio(metrics, target)))
}

/// Groups the pods and removes the metrics of those that do not count.
fn counted_metrics(
    situation: &Situation<'_>,
    resource: Option<Resource>,
    mut metrics: PodMetrics,
) -> Result<(Groups, PodMetrics), MetricError> {
    if situation.pods.is_empty() {
        return Err(MetricError::NoPods);
    }
    let groups = group_pods(situation.pods, &metrics, resource, situation.delays, situation.now);
    metrics.retain(|id, _| !groups.unready.contains(id) && !groups.ignored.contains(id));
    if metrics.is_empty() {
        return Err(MetricError::NoMetricsForReadyPods);
    }
    Ok((groups, metrics))
}

/// The size at which the metric would meet its target. The current size is kept if a pessimistic assumption about
/// unready and unmeasured pods does not confirm the direction of the change.
fn propose(
    situation: &Situation<'_>,
    groups: &Groups,
    mut metrics: PodMetrics,
    full_use: impl Fn(u32) -> Option<Quantity>,
    usage_of: impl Fn(&PodMetrics) -> Result<Usage, MetricError>,
) -> Result<Proposal, MetricError> {
    let current = situation.spec_replicas;
    let usage = usage_of(&metrics)?;
    let proposal = |replicas| Proposal { replicas, utilization: usage.utilization, value: usage.average };
    let ratio = usage.ratio;
    let count_unready = !groups.unready.is_empty() && ratio > 1.0;
    if !count_unready && groups.missing.is_empty() {
        let hold = situation.tolerance.holds(ratio);
        return Ok(proposal(if hold { current } else { ceil(ratio * groups.ready as f64) }));
    }

    let guess = |value| PodMetric { value, timestamp: situation.now, window: SimDuration::ZERO };
    for id in &groups.missing {
        if ratio < 1.0 {
            metrics.extend(full_use(*id).map(|value| (*id, guess(value))));
        } else if ratio > 1.0 {
            metrics.insert(*id, guess(Quantity::ZERO));
        }
    }
    if count_unready {
        metrics.extend(groups.unready.iter().map(|id| (*id, guess(Quantity::ZERO))));
    }
    let guarded = usage_of(&metrics)?.ratio;
    let turned = (ratio < 1.0 && guarded > 1.0) || (ratio > 1.0 && guarded < 1.0);
    if situation.tolerance.holds(guarded) || turned {
        return Ok(proposal(current));
    }
    let wanted = ceil(guarded * metrics.len() as f64);
    let reversed = (guarded < 1.0 && wanted > current) || (guarded > 1.0 && wanted < current);
    Ok(proposal(if reversed { current } else { wanted }))
}

/// Compares an Object metric with a value. From zero replicas there is no tolerance.
///
/// # Errors
/// [`MetricError::NoPods`] if there are none although the size is not zero.
pub fn object_value(situation: &Situation<'_>, usage: Quantity, target: Quantity) -> Result<Proposal, MetricError> {
    let ratio = usage.millis() as f64 / target.millis() as f64;
    let replicas = if situation.spec_replicas == 0 {
        ceil(ratio)
    } else if situation.tolerance.holds(ratio) {
        situation.spec_replicas
    } else if situation.pods.is_empty() {
        return Err(MetricError::NoPods);
    } else {
        let ready = |pod: &&PodView| pod.phase == PodPhase::Running && pod.ready == Some(true);
        ceil(ratio * situation.pods.iter().filter(ready).count() as f64)
    };
    Ok(Proposal { replicas, utilization: None, value: usage })
}

/// Compares an Object metric with an average per pod, dividing by the pods in the scale's status.
pub fn object_per_pod(situation: &Situation<'_>, usage: Quantity, target: Quantity) -> Proposal {
    let pods = f64::from(situation.status_replicas);
    let (total, wanted) = (usage.millis() as f64, target.millis() as f64);
    // Infinite or NaN without pods; neither is within any tolerance.
    let ratio = total / (wanted * pods);
    let hold = situation.tolerance.holds(ratio);
    let replicas = if hold { situation.status_replicas } else { ceil(total / wanted) };
    // The cast turns 0/0 into 0 and saturates.
    Proposal { replicas, utilization: None, value: Quantity::from_millis((total / pods).ceil() as i64) }
}

/// Compares the sum of an External metric's values with a value, like [`object_value`].
///
/// # Errors
/// Those of [`object_value`], and if there are no values.
pub fn external_value(
    situation: &Situation<'_>,
    values: &[Quantity],
    target: Quantity,
) -> Result<Proposal, MetricError> {
    object_value(situation, external_total(values)?, target)
}

/// Compares the sum of an External metric's values with an average per pod, like [`object_per_pod`]. A sum that
/// saturates at [`Quantity::MAX`] (see [`external_total_per_pod`]) is reported as it is.
///
/// # Errors
/// [`MetricError::NoMetricsReturned`] if there are no values.
pub fn external_per_pod(
    situation: &Situation<'_>,
    values: &[Quantity],
    target: Quantity,
) -> Result<Proposal, MetricError> {
    let usage = external_total_per_pod(values)?;
    let proposal = object_per_pod(situation, usage, target);
    Ok(if usage == Quantity::MAX { Proposal { value: usage, ..proposal } } else { proposal })
}
