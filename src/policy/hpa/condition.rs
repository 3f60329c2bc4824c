//! The conditions that the controller reports.

use super::limits::LimitReason;
use super::spec::MetricSpec;

/// The type of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConditionType {
    /// Whether the scale can be read and updated.
    AbleToScale,
    /// Whether the metrics yield a size.
    ScalingActive,
    /// Whether a limit changed that size.
    ScalingLimited,
    /// Whether the autoscaler itself, and not a user, scaled to zero (from 1.37 on).
    ScaledToZero,
}

impl ConditionType {
    /// The type as spelled by Kubernetes.
    pub const fn name(self) -> &'static str {
        match self {
            ConditionType::AbleToScale => "AbleToScale",
            ConditionType::ScalingActive => "ScalingActive",
            ConditionType::ScalingLimited => "ScalingLimited",
            ConditionType::ScaledToZero => "ScaledToZero",
        }
    }
}

/// The reason of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConditionReason {
    /// The scale was read.
    SucceededGetScale,
    /// The scale could not be read.
    FailedGetScale,
    /// The size was set.
    SucceededRescale,
    /// The scale could not be updated.
    FailedUpdateScale,
    /// Stabilization did not change the recommendation.
    ReadyForNewScale,
    /// A recent lower recommendation holds the size down.
    ScaleUpStabilized,
    /// A recent higher recommendation holds the size up.
    ScaleDownStabilized,
    /// The size is zero and the minimum is not: scaling was disabled by a user.
    ScalingDisabled,
    /// The pod selector is missing or invalid.
    InvalidSelector,
    /// Another autoscaler selects the same pods.
    AmbiguousSelector,
    /// The metrics yielded a size.
    ValidMetricFound,
    /// A resource metric failed.
    FailedGetResourceMetric,
    /// A container's resource metric failed.
    FailedGetContainerResourceMetric,
    /// A custom metric of pods failed.
    FailedGetPodsMetric,
    /// A custom metric of an object failed.
    FailedGetObjectMetric,
    /// An external metric failed.
    FailedGetExternalMetric,
    /// The metric's type is unknown.
    InvalidMetricSourceType,
    /// The limit that applied, or none.
    Limit(LimitReason),
    /// The autoscaler set the size to zero.
    ScaledToZero,
    /// The autoscaler last set another size, or it is unknown who set zero.
    NotScaledToZero,
}

impl ConditionReason {
    /// The reason as spelled by Kubernetes.
    pub const fn name(self) -> &'static str {
        match self {
            ConditionReason::SucceededGetScale => "SucceededGetScale",
            ConditionReason::FailedGetScale => "FailedGetScale",
            ConditionReason::SucceededRescale => "SucceededRescale",
            ConditionReason::FailedUpdateScale => "FailedUpdateScale",
            ConditionReason::ReadyForNewScale => "ReadyForNewScale",
            ConditionReason::ScaleUpStabilized => "ScaleUpStabilized",
            ConditionReason::ScaleDownStabilized => "ScaleDownStabilized",
            ConditionReason::ScalingDisabled => "ScalingDisabled",
            ConditionReason::InvalidSelector => "InvalidSelector",
            ConditionReason::AmbiguousSelector => "AmbiguousSelector",
            ConditionReason::ValidMetricFound => "ValidMetricFound",
            ConditionReason::FailedGetResourceMetric => "FailedGetResourceMetric",
            ConditionReason::FailedGetContainerResourceMetric => "FailedGetContainerResourceMetric",
            ConditionReason::FailedGetPodsMetric => "FailedGetPodsMetric",
            ConditionReason::FailedGetObjectMetric => "FailedGetObjectMetric",
            ConditionReason::FailedGetExternalMetric => "FailedGetExternalMetric",
            ConditionReason::InvalidMetricSourceType => "InvalidMetricSourceType",
            ConditionReason::Limit(limit) => limit.name(),
            ConditionReason::ScaledToZero => "ScaledToZero",
            ConditionReason::NotScaledToZero => "NotScaledToZero",
        }
    }

    /// The reason when `metric` yields no proposal.
    pub fn failed(metric: &MetricSpec) -> Self {
        match metric {
            MetricSpec::Resource { .. } => ConditionReason::FailedGetResourceMetric,
            MetricSpec::ContainerResource { .. } => ConditionReason::FailedGetContainerResourceMetric,
            MetricSpec::Pods { .. } => ConditionReason::FailedGetPodsMetric,
            MetricSpec::Object { .. } => ConditionReason::FailedGetObjectMetric,
            MetricSpec::External { .. } => ConditionReason::FailedGetExternalMetric,
            MetricSpec::Unsupported { .. } => ConditionReason::InvalidMetricSourceType,
        }
    }
}

/// A condition of the autoscaler's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// Its type.
    pub kind: ConditionType,
    /// Whether it is true.
    pub status: bool,
    /// The reason.
    pub reason: ConditionReason,
}
