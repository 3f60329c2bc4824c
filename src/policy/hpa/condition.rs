//! The conditions that the controller reports.

use super::limits::LimitReason;
use super::spec::MetricSpec;

/// What a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConditionType {
    /// Whether the size can be read and set.
    AbleToScale,
    /// Whether the metrics yield a size.
    ScalingActive,
    /// Whether a limit cuts that size.
    ScalingLimited,
    /// Whether it was the autoscaler that scaled to zero, and not somebody by hand (from 1.37 on).
    ScaledToZero,
}

impl ConditionType {
    /// The type as Kubernetes writes it.
    pub const fn name(self) -> &'static str {
        match self {
            ConditionType::AbleToScale => "AbleToScale",
            ConditionType::ScalingActive => "ScalingActive",
            ConditionType::ScalingLimited => "ScalingLimited",
            ConditionType::ScaledToZero => "ScaledToZero",
        }
    }
}

/// Why a condition is as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConditionReason {
    /// The scale was read.
    SucceededGetScale,
    /// The scale could not be read.
    FailedGetScale,
    /// The size was set.
    SucceededRescale,
    /// The size could not be set.
    FailedUpdateScale,
    /// Nothing holds the recommendation back.
    ReadyForNewScale,
    /// A lower recent recommendation holds the size down.
    ScaleUpStabilized,
    /// A higher recent recommendation holds the size up.
    ScaleDownStabilized,
    /// The size is zero and the minimum is not: switched off by hand.
    ScalingDisabled,
    /// The pod selector is missing or not readable.
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
    /// A limit, or none.
    Limit(LimitReason),
    /// The autoscaler set the size to zero.
    ScaledToZero,
    /// The autoscaler last set another size, or nobody knows who set zero.
    NotScaledToZero,
}

impl ConditionReason {
    /// The reason as Kubernetes writes it.
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
    /// What it is about.
    pub kind: ConditionType,
    /// Whether it holds.
    pub status: bool,
    /// Why.
    pub reason: ConditionReason,
}
