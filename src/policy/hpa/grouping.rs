//! Which pods count: grouping keeps starting, failed and unmeasured pods from distorting the average.

use std::collections::BTreeSet;

use super::metrics::{PodMetric, PodMetrics};
use super::pod::{PodPhase, PodView};
use super::spec::Resource;
use crate::units::{SimDuration, SimTime};

/// How long the CPU use of a starting pod is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadinessDelays {
    /// During this time after its start, a pod's CPU counts only if it is ready and has been ready for a whole window.
    pub cpu_initialization_period: SimDuration,
    /// A pod that became unready within this time of its start is assumed never to have been ready.
    pub initial_readiness_delay: SimDuration,
}

/// Pods by the way they count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups {
    /// The number of pods that count with their metric.
    pub ready: usize,
    /// Not ready yet: ignored, or counted as idle when scaling up.
    pub unready: BTreeSet<u32>,
    /// Without a metric: counted against the direction of the change.
    pub missing: BTreeSet<u32>,
    /// Terminating or failed: ignored.
    pub ignored: BTreeSet<u32>,
}

enum Group {
    Ready,
    Unready,
    Missing,
    Ignored,
}

/// Groups `pods` by their state and by `metrics`, for a metric of `resource` (`None` for a custom metric).
pub fn group_pods(
    pods: &[PodView],
    metrics: &PodMetrics,
    resource: Option<Resource>,
    delays: ReadinessDelays,
    now: SimTime,
) -> Groups {
    let mut groups = Groups::default();
    for pod in pods {
        match group(pod, metrics.get(&pod.id), resource, delays, now) {
            Group::Ready => groups.ready += 1,
            Group::Unready => drop(groups.unready.insert(pod.id)),
            Group::Missing => drop(groups.missing.insert(pod.id)),
            Group::Ignored => drop(groups.ignored.insert(pod.id)),
        }
    }
    groups
}

fn group(
    pod: &PodView,
    metric: Option<&PodMetric>,
    resource: Option<Resource>,
    delays: ReadinessDelays,
    now: SimTime,
) -> Group {
    if pod.deleted || pod.phase == PodPhase::Failed {
        return Group::Ignored;
    }
    if pod.phase == PodPhase::Pending {
        return Group::Unready;
    }
    match metric {
        None => Group::Missing,
        Some(metric) if resource == Some(Resource::Cpu) && cpu_is_unready(pod, metric, delays, now) => Group::Unready,
        Some(_) => Group::Ready,
    }
}

/// Whether a pod's CPU does not count yet. All comparisons are strict. A pod that became unready later in its life
/// still counts.
fn cpu_is_unready(pod: &PodView, metric: &PodMetric, delays: ReadinessDelays, now: SimTime) -> bool {
    let (Some(ready), Some(start)) = (pod.ready, pod.start_time) else {
        return true;
    };
    let transition = pod.ready_transition.unwrap_or(SimTime::ZERO);
    if start + delays.cpu_initialization_period > now {
        return !ready || metric.timestamp < transition + metric.window;
    }
    !ready && start + delays.initial_readiness_delay > transition
}
