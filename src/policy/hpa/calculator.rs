//! The replica calculator: from one metric to a proposed size.

use std::collections::BTreeMap;

use super::grouping::{Groups, ReadinessDelays, group_pods};
use super::metrics::{MetricError, PodMetric, PodMetrics, external_total, external_total_per_pod};
use super::ratios::{Requests, Tolerance, Usage, average_ratio, utilization_ratio};
use super::spec::Resource;
use crate::policy::{PodPhase, PodView};
use crate::units::{Quantity, SimDuration, SimTime};

/// The largest size that the API can name: 2^31 - 1.
pub const MAX_REPLICAS: u32 = i32::MAX as u32;

/// What every calculation looks at.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The moment of decision.
    pub now: SimTime,
    /// The pods that the workload's selector matches.
    pub pods: &'a [PodView],
    /// The size at present: `spec.replicas` of the scale.
    pub spec_replicas: u32,
    /// Pods that exist at present: `status.replicas` of the scale.
    pub status_replicas: u32,
    /// How far from the target nothing changes.
    pub tolerance: Tolerance,
    /// How long starting pods are mistrusted.
    pub delays: ReadinessDelays,
}

/// A proposed size and the measurement behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposal {
    /// The size.
    pub replicas: u32,
    /// Per cent of the request, for a utilization target.
    pub utilization: Option<i64>,
    /// The value, or the average per pod.
    pub value: Quantity,
}

/// Rounds up to a whole number of replicas, sticking at [`MAX_REPLICAS`].
fn ceil(replicas: f64) -> u32 {
    // The conversion takes NaN and negatives to 0 and holds large values.
    (replicas.ceil() as u32).min(MAX_REPLICAS)
}

/// A resource against a utilization target in per cent. `request` yields a pod's request.
///
/// # Errors
/// No pods, no metrics of pods that count, a container without a request, or no pod with both.
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
    // A pod without a metric is taken to use what it asked for, or the target where that is more.
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

/// A resource (`Some`) or a custom metric by pod (`None`) against an average per pod.
///
/// # Errors
/// No pods, or no metrics of pods that count.
pub fn average_value(
    situation: &Situation<'_>,
    resource: Option<Resource>,
    metrics: PodMetrics,
    target: Quantity,
) -> Result<Proposal, MetricError> {
    let (groups, counted) = counted_metrics(situation, resource, metrics)?;
    propose(situation, &groups, counted, |_| Some(target), |metrics| Ok(average_ratio(metrics, target)))
}

/// Groups the pods and takes the metrics of those that do not count out.
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

/// The size at which the metric would meet its target, held where a pessimistic guess about unready and unmeasured pods
/// does not confirm the direction.
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

/// An Object metric against a value. From zero replicas there is no tolerance.
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

/// An Object metric against an average per pod; the pods counted are those of the scale's status.
pub fn object_per_pod(situation: &Situation<'_>, usage: Quantity, target: Quantity) -> Proposal {
    let pods = f64::from(situation.status_replicas);
    let (total, wanted) = (usage.millis() as f64, target.millis() as f64);
    // Without pods this is infinite or not a number; neither is within any tolerance.
    let ratio = total / (wanted * pods);
    let hold = situation.tolerance.holds(ratio);
    let replicas = if hold { situation.status_replicas } else { ceil(total / wanted) };
    // The conversion takes 0/0 to 0 and holds large values.
    Proposal { replicas, utilization: None, value: Quantity::from_millis((total / pods).ceil() as i64) }
}

/// The sum of an External metric's values against a value, as [`object_value`].
///
/// # Errors
/// As [`object_value`]; also if there are no values.
pub fn external_value(
    situation: &Situation<'_>,
    values: &[Quantity],
    target: Quantity,
) -> Result<Proposal, MetricError> {
    object_value(situation, external_total(values)?, target)
}

/// The sum of an External metric's values against an average per pod, as [`object_per_pod`]. A sum that sticks at
/// [`Quantity::MAX`] (see [`external_total_per_pod`]) is reported as it is.
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
