//! What a `HorizontalPodAutoscaler` object says, and the flags of the controller that reads it.

use crate::config::kubernetes::Release;
use crate::units::{Quantity, SimDuration};

/// A resource that the metrics API reports per container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// CPU: usage and requests in thousandths of a core.
    Cpu,
    /// Memory: usage and requests in thousandths of a byte (the unit of every metric value is the thousandth).
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

/// What a metric is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Average use in per cent of the request; above zero.
    Utilization(u32),
    /// Average per pod.
    AverageValue(Quantity),
    /// The value as it is.
    Value(Quantity),
    /// None that the controller finds: the target of an Object metric names one field by its `type` and gives another. The API
    /// server accepts it, and the metric fails at every run.
    Missing,
}

/// One metric that a workload is scaled on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetricSpec {
    /// Use of a resource by whole pods.
    Resource {
        /// Which resource.
        resource: Resource,
        /// Utilization or average value.
        target: Target,
    },
    /// Use of a resource by one container of each pod.
    ContainerResource {
        /// Which resource.
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
    /// A type that the controller does not know.
    Unsupported {
        /// The type as written.
        kind: String,
    },
}

impl MetricSpec {
    /// Name of a metric that is not a resource's.
    pub fn custom_name(&self) -> Option<&str> {
        match self {
            MetricSpec::Pods { metric, .. }
            | MetricSpec::Object { metric, .. }
            | MetricSpec::External { metric, .. } => Some(metric),
            _ => None,
        }
    }

    /// What it is compared with; `None` of a type that the controller does not know.
    pub fn target(&self) -> Option<Target> {
        self.clone().target_mut().copied()
    }

    /// As [`MetricSpec::target`], to be changed.
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

    /// Whether there is something to measure without any pod.
    pub fn outlives_pods(&self) -> bool {
        matches!(self, MetricSpec::Object { .. } | MetricSpec::External { .. })
    }

    /// The metric's type as Kubernetes names it.
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

    /// What is measured, in a word.
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

/// How much a policy of `behavior` allows within its period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// A number of pods.
    Pods(u32),
    /// Per cent of the size at the start of the period.
    Percent(u32),
}

/// One policy of `behavior`: a limit on the change within a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatePolicy {
    /// The most that may be added or removed.
    pub amount: Amount,
    /// Within how long.
    pub period: SimDuration,
}

/// Which of several rate policies counts.
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

/// One half of `behavior` as written; what is `None` is filled with a default by [`Rules::scale_up`] or
/// [`Rules::scale_down`], each field on its own.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RulesSpec {
    /// Rate policies; a given list replaces the default list entirely.
    pub policies: Option<Vec<RatePolicy>>,
    /// How long recommendations are remembered.
    pub stabilization_window: Option<SimDuration>,
    /// Which rate policy counts.
    pub select_policy: Option<SelectPolicy>,
    /// Tolerance in this direction, instead of the controller's flag.
    pub tolerance: Option<f64>,
}

/// `behavior` as written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Behavior {
    /// Upwards.
    pub scale_up: RulesSpec,
    /// Downwards.
    pub scale_down: RulesSpec,
}

/// One half of `behavior` with defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Rate policies.
    pub policies: Vec<RatePolicy>,
    /// How long recommendations are remembered; `None` downwards until the controller's flag fills it.
    pub stabilization_window: Option<SimDuration>,
    /// Which rate policy counts.
    pub select_policy: SelectPolicy,
    /// Tolerance in this direction, where one is given.
    pub tolerance: Option<f64>,
}

const DEFAULT_PERIOD: SimDuration = SimDuration::from_secs(15);
const HUNDRED_PERCENT: RatePolicy = RatePolicy { amount: Amount::Percent(100), period: DEFAULT_PERIOD };
const FOUR_PODS: RatePolicy = RatePolicy { amount: Amount::Pods(4), period: DEFAULT_PERIOD };

impl Rules {
    /// The upper half: 4 pods or 100% per 15 s, whichever allows more, without a window.
    pub fn scale_up(spec: &RulesSpec) -> Self {
        Rules {
            policies: spec.policies.clone().unwrap_or_else(|| vec![FOUR_PODS, HUNDRED_PERCENT]),
            stabilization_window: Some(spec.stabilization_window.unwrap_or(SimDuration::ZERO)),
            select_policy: spec.select_policy.unwrap_or_default(),
            tolerance: spec.tolerance,
        }
    }

    /// The lower half: 100% per 15 s; the window stays open for the controller's flag.
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
    /// Fewest replicas; 0 lets a workload on an Object or External metric go to sleep.
    pub min_replicas: u32,
    /// Most replicas.
    pub max_replicas: u32,
    /// Metrics; the largest proposal wins.
    pub metrics: Vec<MetricSpec>,
    /// Windows and rate limits. Without it the limits of the first HPA releases apply.
    pub behavior: Option<Behavior>,
    /// Why the scale of the target cannot be read, where it cannot: a kind that has none, or an API group that does not hold the
    /// kind. Such an autoscaler never acts.
    pub no_scale: Option<String>,
}

/// Flags of the controller, the same for every autoscaler of a cluster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ControllerFlags {
    /// `--horizontal-pod-autoscaler-sync-period`.
    pub sync_period: SimDuration,
    /// `--horizontal-pod-autoscaler-tolerance`, both directions.
    pub tolerance: f64,
    /// `--horizontal-pod-autoscaler-cpu-initialization-period`.
    pub cpu_initialization_period: SimDuration,
    /// `--horizontal-pod-autoscaler-initial-readiness-delay`.
    pub initial_readiness_delay: SimDuration,
    /// `--horizontal-pod-autoscaler-downscale-stabilization`.
    pub downscale_stabilization: SimDuration,
    /// Without `behavior`: the most that one step may multiply the size by. A constant of the controller.
    pub scale_up_limit_factor: f64,
    /// Without `behavior`: the size that one step may always reach. A constant of the controller.
    pub scale_up_limit_minimum: f64,
    /// Release of the controller. In 1.36 the gate `HPAScaleToZero` is taken to be on where a minimum of 0 is stated.
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
