//! The specification of a `HorizontalPodAutoscaler`, and the flags of its controller.

use crate::config::kubernetes::Release;
use crate::units::{Quantity, SimDuration};

/// A resource that the metrics API reports per container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// CPU: usage and requests in thousandths of a core.
    Cpu,
    /// Memory: usage and requests in thousandths of a byte (all metric values are in thousandths).
    Memory,
}

impl Resource {
    /// The name in a manifest.
    pub const fn name(self) -> &'static str {
        match self {
            Resource::Cpu => "cpu",
            Resource::Memory => "memory",
        }
    }
}

/// The target of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Average utilization in per cent of the request; above zero.
    Utilization(u32),
    /// Average per pod.
    AverageValue(Quantity),
    /// The raw value.
    Value(Quantity),
    /// The controller finds no target: the target of an Object metric names one field by its `type` and sets another.
    /// The API server accepts it, and the metric fails in every run.
    Missing,
}

/// One metric that a workload is scaled on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetricSpec {
    /// Usage of a resource by whole pods.
    Resource {
        /// The resource.
        resource: Resource,
        /// Utilization or average value.
        target: Target,
    },
    /// Usage of a resource by one container of each pod.
    ContainerResource {
        /// The resource.
        resource: Resource,
        /// Name of the container.
        container: String,
        /// Utilization or average value.
        target: Target,
    },
    /// A custom metric with one value per pod.
    Pods {
        /// Name of the metric.
        metric: String,
        /// An average value.
        target: Target,
    },
    /// A custom metric of one other object.
    Object {
        /// Name of the metric.
        metric: String,
        /// A value or an average value.
        target: Target,
    },
    /// A metric from outside the cluster.
    External {
        /// Name of the metric.
        metric: String,
        /// A value or an average value.
        target: Target,
    },
    /// A type unknown to the controller.
    Unsupported {
        /// The type as written.
        kind: String,
    },
}

impl MetricSpec {
    /// Name of a metric that is not a resource metric.
    pub fn custom_name(&self) -> Option<&str> {
        match self {
            MetricSpec::Pods { metric, .. }
            | MetricSpec::Object { metric, .. }
            | MetricSpec::External { metric, .. } => Some(metric),
            _ => None,
        }
    }

    /// Its target; `None` for an unknown type.
    pub fn target(&self) -> Option<Target> {
        self.clone().target_mut().copied()
    }

    /// Mutable [`MetricSpec::target`].
    pub fn target_mut(&mut self) -> Option<&mut Target> {
        match self {
            MetricSpec::Resource { target, .. }
            | MetricSpec::ContainerResource { target, .. }
            | MetricSpec::Pods { target, .. }
            | MetricSpec::Object { target, .. }
            | MetricSpec::External { target, .. } => Some(target),
            MetricSpec::Unsupported { .. } => None,
        }
    }

    /// Whether the metric has a value even without pods.
    pub fn outlives_pods(&self) -> bool {
        matches!(self, MetricSpec::Object { .. } | MetricSpec::External { .. })
    }

    /// The metric's type as spelled by Kubernetes.
    pub fn kind(&self) -> &str {
        match self {
            MetricSpec::Resource { .. } => "Resource",
            MetricSpec::ContainerResource { .. } => "ContainerResource",
            MetricSpec::Pods { .. } => "Pods",
            MetricSpec::Object { .. } => "Object",
            MetricSpec::External { .. } => "External",
            MetricSpec::Unsupported { kind } => kind,
        }
    }

    /// A short name for what is measured.
    pub fn name(&self) -> &str {
        match self {
            MetricSpec::Resource { resource, .. } | MetricSpec::ContainerResource { resource, .. } => resource.name(),
            MetricSpec::Pods { metric, .. }
            | MetricSpec::Object { metric, .. }
            | MetricSpec::External { metric, .. } => metric,
            MetricSpec::Unsupported { kind } => kind,
        }
    }
}

/// How much a `behavior` policy allows within its period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// A number of pods.
    Pods(u32),
    /// Per cent of the size at the start of the period.
    Percent(u32),
}

/// A `behavior` policy: a limit on the change within a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatePolicy {
    /// The maximum change.
    pub amount: Amount,
    /// The period.
    pub period: SimDuration,
}

/// How to combine several rate policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SelectPolicy {
    /// The one that allows the largest change.
    #[default]
    Max,
    /// The one that allows the smallest change.
    Min,
    /// No change in this direction.
    Disabled,
}

/// One half of `behavior` as written. [`Rules::scale_up`] and [`Rules::scale_down`] fill in a default for each field
/// that is `None`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RulesSpec {
    /// Rate policies; a given list replaces the whole default list.
    pub policies: Option<Vec<RatePolicy>>,
    /// The stabilization window.
    pub stabilization_window: Option<SimDuration>,
    /// Which rate policy applies.
    pub select_policy: Option<SelectPolicy>,
    /// Tolerance in this direction, overriding the controller's flag.
    pub tolerance: Option<f64>,
}

/// `behavior` as written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Behavior {
    /// Scaling up.
    pub scale_up: RulesSpec,
    /// Scaling down.
    pub scale_down: RulesSpec,
}

/// One half of `behavior` with defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Rate policies.
    pub policies: Vec<RatePolicy>,
    /// The stabilization window; `None` for scaling down until the controller's flag fills it in.
    pub stabilization_window: Option<SimDuration>,
    /// Which rate policy applies.
    pub select_policy: SelectPolicy,
    /// Tolerance in this direction, if given.
    pub tolerance: Option<f64>,
}

const DEFAULT_PERIOD: SimDuration = SimDuration::from_secs(15);
const HUNDRED_PERCENT: RatePolicy = RatePolicy { amount: Amount::Percent(100), period: DEFAULT_PERIOD };
const FOUR_PODS: RatePolicy = RatePolicy { amount: Amount::Pods(4), period: DEFAULT_PERIOD };

impl Rules {
    /// Rules for scaling up. Defaults: 4 pods or 100% per 15 s, whichever allows more, and no window.
    pub fn scale_up(spec: &RulesSpec) -> Self {
        Rules {
            policies: spec.policies.clone().unwrap_or_else(|| vec![FOUR_PODS, HUNDRED_PERCENT]),
            stabilization_window: Some(spec.stabilization_window.unwrap_or(SimDuration::ZERO)),
            select_policy: spec.select_policy.unwrap_or_default(),
            tolerance: spec.tolerance,
        }
    }

    /// Rules for scaling down. Defaults: 100% per 15 s; the window is left to the controller's flag.
    pub fn scale_down(spec: &RulesSpec) -> Self {
        Rules {
            policies: spec.policies.clone().unwrap_or_else(|| vec![HUNDRED_PERCENT]),
            stabilization_window: spec.stabilization_window,
            select_policy: spec.select_policy.unwrap_or_default(),
            tolerance: spec.tolerance,
        }
    }
}

/// The specification of an autoscaler.
#[derive(Debug, Clone, PartialEq)]
pub struct HpaSpec {
    /// Minimum size. 0 allows a workload with an Object or External metric to scale to zero.
    pub min_replicas: u32,
    /// Maximum size.
    pub max_replicas: u32,
    /// Metrics; the largest proposal wins.
    pub metrics: Vec<MetricSpec>,
    /// Windows and rate limits. Without it, the limits of the first HPA releases apply.
    pub behavior: Option<Behavior>,
    /// Why the target's scale cannot be read, if so: its kind has none, or its API group does not contain the kind.
    /// Such an autoscaler never acts.
    pub no_scale: Option<String>,
}

/// Flags of the controller, the same for every autoscaler in a cluster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ControllerFlags {
    /// `--horizontal-pod-autoscaler-sync-period`.
    pub sync_period: SimDuration,
    /// `--horizontal-pod-autoscaler-tolerance`, for both directions.
    pub tolerance: f64,
    /// `--horizontal-pod-autoscaler-cpu-initialization-period`.
    pub cpu_initialization_period: SimDuration,
    /// `--horizontal-pod-autoscaler-initial-readiness-delay`.
    pub initial_readiness_delay: SimDuration,
    /// `--horizontal-pod-autoscaler-downscale-stabilization`.
    pub downscale_stabilization: SimDuration,
    /// Without `behavior`: the largest factor by which one step may multiply the size. A constant of the controller.
    pub scale_up_limit_factor: f64,
    /// Without `behavior`: the size that one step may always reach. A constant of the controller.
    pub scale_up_limit_minimum: f64,
    /// Release of the controller. In 1.36 the feature gate `HPAScaleToZero` is assumed to be on if a minimum of 0 is
    /// stated.
    pub release: Release,
}

impl Default for ControllerFlags {
    fn default() -> Self {
        ControllerFlags {
            sync_period: SimDuration::from_secs(15),
            tolerance: 0.1,
            cpu_initialization_period: SimDuration::from_secs(300),
            initial_readiness_delay: SimDuration::from_secs(30),
            downscale_stabilization: SimDuration::from_secs(300),
            scale_up_limit_factor: 2.0,
            scale_up_limit_minimum: 4.0,
            release: Release::default(),
        }
    }
}
