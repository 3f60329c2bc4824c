//! The control loop of one autoscaler: read the scale, evaluate the metrics, stabilize, limit, update the scale, write
//! the status.

use super::calculator::{self, Proposal, Situation};
use super::condition::{Condition, ConditionReason, ConditionType};
use super::grouping::ReadinessDelays;
use super::limits::{Bounds, Limited, ScaleEvents, limit, limit_with_behavior};
use super::metrics::{MetricError, MetricsApi};
use super::pod::PodView;
use super::ratios::Tolerance;
use super::spec::{ControllerFlags, HpaSpec, MetricSpec, Rules, Target};
use super::stabilization::{Recommendation, stabilize, stabilize_with_behavior};
use crate::config::kubernetes::Release;
use crate::units::{Quantity, SimTime};

/// The size of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Desired replicas.
    pub spec_replicas: u32,
    /// Existing replicas.
    pub status_replicas: u32,
}

/// The state of the workload's pod selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Selector {
    /// It selects the workload's own pods.
    #[default]
    Valid,
    /// It is missing or invalid.
    Invalid,
    /// Another autoscaler selects the same pods.
    Ambiguous,
}

/// A call to the API server failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiFailure;

/// The cluster as seen by the controller.
pub trait Cluster: MetricsApi {
    /// Reads the workload's scale.
    ///
    /// # Errors
    /// If the API server does not respond.
    fn scale(&self) -> Result<Scale, ApiFailure>;

    /// Whether the scale's selector can be used.
    fn selector(&self) -> Selector;

    /// The pods that the selector matches.
    fn pods(&self) -> &[PodView];

    /// Sets `spec.replicas` of the scale.
    ///
    /// # Errors
    /// If the API server refuses.
    fn set_replicas(&mut self, replicas: u32) -> Result<(), ApiFailure>;
}

/// The status of one metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricStatus {
    /// Average utilization in per cent of the request.
    pub utilization: Option<i64>,
    /// Average per pod.
    pub average_value: Option<Quantity>,
    /// The raw value.
    pub value: Option<Quantity>,
}

/// The autoscaler's status.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HpaStatus {
    /// Replicas at the last run.
    pub current_replicas: u32,
    /// Desired replicas at the last run.
    pub desired_replicas: u32,
    /// When it last changed the size.
    pub last_scale_time: Option<SimTime>,
    /// Conditions, in the order in which their types first appeared.
    pub conditions: Vec<Condition>,
    /// One entry per metric of the specification, in order; `None` if the metric failed.
    pub current_metrics: Vec<Option<MetricStatus>>,
}

impl HpaStatus {
    fn set(&mut self, kind: ConditionType, status: bool, reason: ConditionReason) {
        let condition = Condition { kind, status, reason };
        match self.conditions.iter_mut().find(|known| known.kind == kind) {
            Some(known) => *known = condition,
            None => self.conditions.push(condition),
        }
    }
}

/// The controller's memory between two runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Recommendations; `None` before the first run. The first run records the current size, which keeps a new
    /// autoscaler from scaling down for one window.
    pub recommendations: Option<Vec<Recommendation>>,
    /// Rescales.
    pub events: ScaleEvents,
}

/// How far a run got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReconcileOutcome {
    /// The scale could not be read.
    NoScale,
    /// The size is zero and the minimum is not.
    Disabled,
    /// The size was above the maximum: no metric was read.
    AboveMax,
    /// The size was below the minimum: no metric was read.
    BelowMin,
    /// The selector is not usable.
    BadSelector(Selector),
    /// Too many metrics failed; the index of the first.
    InvalidMetrics(usize),
    /// The metrics yielded a size.
    Evaluated {
        /// Index of the metric with the largest proposal.
        metric: usize,
        /// Its proposal.
        wanted: u32,
        /// The size after stabilization.
        stabilized: u32,
        /// The size after the limits.
        limited: Limited,
    },
}

/// The result of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Reconciliation {
    /// Desired replicas before.
    pub current: u32,
    /// Desired replicas after.
    pub desired: u32,
    /// Whether the size was changed.
    pub rescaled: bool,
    /// Whether the run ended in an error.
    pub error: bool,
    /// Whether the status changed and was written.
    pub status_written: bool,
    /// How far the run got.
    pub outcome: ReconcileOutcome,
    /// The proposal of each metric, in the order of the specification; empty if no metric was read.
    pub proposals: Vec<Result<Proposal, MetricError>>,
}

/// One `HorizontalPodAutoscaler` and its controller state.
#[derive(Debug, Clone)]
pub struct Hpa {
    spec: HpaSpec,
    flags: ControllerFlags,
    rules: Option<(Rules, Rules)>,
    /// Its status.
    pub status: HpaStatus,
    /// Its memory.
    pub history: History,
}

impl Hpa {
    /// An autoscaler that has not run yet.
    pub fn new(spec: HpaSpec, flags: ControllerFlags) -> Self {
        let rules = spec.behavior.as_ref().map(|b| (Rules::scale_up(&b.scale_up), Rules::scale_down(&b.scale_down)));
        Hpa { spec, flags, rules, status: HpaStatus::default(), history: History::default() }
    }

    /// Its specification.
    pub fn spec(&self) -> &HpaSpec {
        &self.spec
    }

    /// The flags of its controller.
    pub fn flags(&self) -> &ControllerFlags {
        &self.flags
    }

    /// The rules for scaling up and down with defaults filled in; `None` without `behavior`.
    pub fn rules(&self) -> Option<&(Rules, Rules)> {
        self.rules.as_ref()
    }

    /// The tolerance of each direction: that of its rules, else the controller's.
    pub fn tolerance(&self) -> Tolerance {
        let own = |rules: Option<&Rules>| rules.and_then(|r| r.tolerance).unwrap_or(self.flags.tolerance);
        Tolerance { up: own(self.rules.as_ref().map(|r| &r.0)), down: own(self.rules.as_ref().map(|r| &r.1)) }
    }

    /// Runs one reconciliation.
    pub fn reconcile(&mut self, now: SimTime, cluster: &mut dyn Cluster) -> Reconciliation {
        let before = self.status.clone();
        let mut result = self.run(now, cluster);
        result.status_written = self.status != before;
        result
    }

    fn run(&mut self, now: SimTime, cluster: &mut dyn Cluster) -> Reconciliation {
        use ConditionType::{AbleToScale, ScalingActive};
        let Ok(scale) = cluster.scale() else {
            self.status.set(AbleToScale, false, ConditionReason::FailedGetScale);
            return Reconciliation::failed(self.status.current_replicas, ReconcileOutcome::NoScale);
        };
        self.status.set(AbleToScale, true, ConditionReason::SucceededGetScale);
        let current = scale.spec_replicas;
        self.history.recommendations.get_or_insert_with(|| vec![Recommendation { replicas: current, at: now }]);

        if current == 0 && !self.wakes() {
            self.status.set(ScalingActive, false, ConditionReason::ScalingDisabled);
            return self.apply(now, cluster, Reconciliation::planned(current, 0, ReconcileOutcome::Disabled));
        }
        let HpaSpec { min_replicas: min, max_replicas: max, .. } = self.spec;
        if current > max {
            return self.apply(now, cluster, Reconciliation::planned(current, max, ReconcileOutcome::AboveMax));
        }
        if current < min {
            return self.apply(now, cluster, Reconciliation::planned(current, min, ReconcileOutcome::BelowMin));
        }
        let unusable = match cluster.selector() {
            Selector::Valid => None,
            Selector::Invalid => Some(ConditionReason::InvalidSelector),
            Selector::Ambiguous => Some(ConditionReason::AmbiguousSelector),
        };
        if let Some(reason) = unusable {
            self.status.set(ScalingActive, false, reason);
            self.record(current, &[]);
            return Reconciliation::failed(current, ReconcileOutcome::BadSelector(cluster.selector()));
        }
        let proposals = self.evaluate(now, scale, cluster);
        let failures = proposals.iter().filter(|p| p.is_err()).count();
        let (metric, wanted) = match largest(&proposals) {
            Some(best) if failures == 0 || best.1 >= current => best,
            _ => {
                let first = proposals.iter().position(Result::is_err).unwrap_or(0);
                let reason = self.spec.metrics.get(first).map(ConditionReason::failed);
                self.status.set(ScalingActive, false, reason.unwrap_or(ConditionReason::InvalidMetricSourceType));
                self.record(current, &proposals);
                return Reconciliation {
                    proposals,
                    ..Reconciliation::failed(current, ReconcileOutcome::InvalidMetrics(first))
                };
            }
        };
        self.status.set(ScalingActive, true, ConditionReason::ValidMetricFound);
        let stabilized = self.stabilize(current, wanted, now);
        let limited = self.limit(current, stabilized, now);
        let outcome = ReconcileOutcome::Evaluated { metric, wanted, stabilized, limited };
        let planned = Reconciliation::planned(current, limited.replicas, outcome);
        self.apply(now, cluster, Reconciliation { error: failures > 0, proposals, ..planned })
    }

    /// Whether to act on a size of zero: up to 1.36 if the minimum is zero, from 1.37 on if the autoscaler itself
    /// scaled to zero. Any other zero means that a user disabled the workload.
    fn wakes(&self) -> bool {
        match self.flags.release {
            Release::V1_35 | Release::V1_36 => self.spec.min_replicas == 0,
            Release::V1_37 => {
                let own = |known: &Condition| known.kind == ConditionType::ScaledToZero && known.status;
                self.status.conditions.iter().any(own)
            }
        }
    }

    /// From 1.37 on, every rescale records whether it went to zero.
    fn note_zero(&mut self, current: u32, desired: u32) {
        if self.flags.release < Release::V1_37 {
            return;
        }
        let HpaSpec { min_replicas, metrics, .. } = &self.spec;
        let own = current > 0 && desired == 0 && *min_replicas == 0 && metrics.iter().any(MetricSpec::outlives_pods);
        let reason = if own { ConditionReason::ScaledToZero } else { ConditionReason::NotScaledToZero };
        self.status.set(ConditionType::ScaledToZero, own, reason);
    }

    fn evaluate(&self, now: SimTime, scale: Scale, cluster: &dyn Cluster) -> Vec<Result<Proposal, MetricError>> {
        let situation = Situation {
            now,
            pods: cluster.pods(),
            spec_replicas: scale.spec_replicas,
            status_replicas: scale.status_replicas,
            tolerance: self.tolerance(),
            delays: ReadinessDelays {
                cpu_initialization_period: self.flags.cpu_initialization_period,
                initial_readiness_delay: self.flags.initial_readiness_delay,
            },
        };
        self.spec.metrics.iter().map(|metric| propose(metric, &situation, cluster)).collect()
    }

    fn stabilize(&mut self, current: u32, desired: u32, now: SimTime) -> u32 {
        let log = self.history.recommendations.get_or_insert_with(Vec::new);
        let window = self.flags.downscale_stabilization;
        let (stabilized, held) = match &self.rules {
            None => (stabilize(log, desired, window, now), ConditionReason::ScaleDownStabilized),
            Some((up, down)) => {
                let (up, down) =
                    (up.stabilization_window.unwrap_or_default(), down.stabilization_window.unwrap_or(window));
                let upwards = desired >= current;
                let held =
                    if upwards { ConditionReason::ScaleUpStabilized } else { ConditionReason::ScaleDownStabilized };
                (stabilize_with_behavior(log, current, desired, up, down, now), held)
            }
        };
        let reason = if stabilized == desired { ConditionReason::ReadyForNewScale } else { held };
        self.status.set(ConditionType::AbleToScale, true, reason);
        stabilized
    }

    fn limit(&mut self, current: u32, desired: u32, now: SimTime) -> Limited {
        let bounds = Bounds { min: self.spec.min_replicas, max: self.spec.max_replicas };
        let limited = match &self.rules {
            None => limit(current, desired, bounds, &self.flags),
            Some((up, down)) => limit_with_behavior(current, desired, bounds, up, down, &self.history.events, now),
        };
        let cut = limited.replicas != desired;
        self.status.set(ConditionType::ScalingLimited, cut, ConditionReason::Limit(limited.reason));
        limited
    }

    /// Updates the scale if `planned` changes it, and writes the status.
    fn apply(&mut self, now: SimTime, cluster: &mut dyn Cluster, planned: Reconciliation) -> Reconciliation {
        let Reconciliation { current, desired, .. } = planned;
        self.record(current, &planned.proposals);
        if desired != current {
            if cluster.set_replicas(desired).is_err() {
                self.status.set(ConditionType::AbleToScale, false, ConditionReason::FailedUpdateScale);
                return Reconciliation { error: true, desired: current, ..planned };
            }
            self.status.set(ConditionType::AbleToScale, true, ConditionReason::SucceededRescale);
            self.note_zero(current, desired);
            self.status.last_scale_time = Some(now);
            if let Some((up, down)) = &self.rules {
                self.history.events.store(if desired > current { up } else { down }, current, desired, now);
            }
        }
        self.status.desired_replicas = desired;
        Reconciliation { rescaled: desired != current, ..planned }
    }

    fn record(&mut self, current: u32, proposals: &[Result<Proposal, MetricError>]) {
        self.status.current_replicas = current;
        self.status.current_metrics =
            self.spec.metrics.iter().zip(proposals).map(|(metric, p)| Some(metric_status(metric, p.ok()?))).collect();
    }
}

impl Reconciliation {
    /// A run that got as far as `outcome` and wants `desired` replicas; the scale is not updated yet.
    fn planned(current: u32, desired: u32, outcome: ReconcileOutcome) -> Self {
        let proposals = Vec::new();
        Reconciliation { current, desired, rescaled: false, error: false, status_written: false, outcome, proposals }
    }

    /// A run that ended in an error and keeps the size.
    fn failed(current: u32, outcome: ReconcileOutcome) -> Self {
        Reconciliation { error: true, ..Reconciliation::planned(current, current, outcome) }
    }
}

/// Index and size of the largest proposal; the first among equals.
fn largest(proposals: &[Result<Proposal, MetricError>]) -> Option<(usize, u32)> {
    let valid = proposals.iter().enumerate().filter_map(|(index, p)| Some((index, p.ok()?.replicas)));
    valid.reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// The proposal of one metric.
fn propose(metric: &MetricSpec, situation: &Situation<'_>, cluster: &dyn Cluster) -> Result<Proposal, MetricError> {
    let resource = |resource, container: Option<&str>, target| match target {
        Target::Utilization(percent) => {
            let metrics = cluster.resource(resource, container)?;
            let request = |pod: &PodView| cluster.request(pod, resource, container);
            calculator::utilization(situation, resource, metrics, percent, request)
        }
        Target::AverageValue(average) => {
            calculator::average_value(situation, Some(resource), cluster.resource(resource, container)?, average)
        }
        Target::Value(_) | Target::Missing => Err(MetricError::InvalidTarget),
    };
    match metric {
        MetricSpec::Resource { resource: which, target } => resource(*which, None, *target),
        MetricSpec::ContainerResource { resource: which, container, target } => {
            resource(*which, Some(container), *target)
        }
        MetricSpec::Pods { metric, target: Target::AverageValue(average) } => {
            calculator::average_value(situation, None, cluster.pods_metric(metric)?, *average)
        }
        MetricSpec::Object { metric, target: Target::Value(value) } => {
            calculator::object_value(situation, cluster.object(metric)?, *value)
        }
        MetricSpec::Object { metric, target: Target::AverageValue(average) } => {
            Ok(calculator::object_per_pod(situation, cluster.object(metric)?, *average))
        }
        MetricSpec::External { metric, target: Target::Value(value) } => {
            calculator::external_value(situation, &cluster.external(metric)?, *value)
        }
        MetricSpec::External { metric, target: Target::AverageValue(average) } => {
            calculator::external_per_pod(situation, &cluster.external(metric)?, *average)
        }
        MetricSpec::Pods { .. } | MetricSpec::Object { .. } | MetricSpec::External { .. } => {
            Err(MetricError::InvalidTarget)
        }
        MetricSpec::Unsupported { .. } => Err(MetricError::InvalidSourceType),
    }
}

fn metric_status(metric: &MetricSpec, proposal: Proposal) -> MetricStatus {
    let whole = matches!(
        metric,
        MetricSpec::Object { target: Target::Value(_), .. } | MetricSpec::External { target: Target::Value(_), .. }
    );
    MetricStatus {
        utilization: proposal.utilization,
        average_value: (!whole).then_some(proposal.value),
        value: whole.then_some(proposal.value),
    }
}
