//! The metrics client: turns what the metrics APIs report into one value per pod, or one value in total.

use std::collections::BTreeMap;
use std::fmt;

use super::pod::PodView;
use super::spec::Resource;
use crate::units::{Quantity, SimDuration, SimTime};

/// The window assumed for a metric whose report does not state one.
pub const DEFAULT_WINDOW: SimDuration = SimDuration::from_secs(60);

/// A pod's value of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodMetric {
    /// The value.
    pub value: Quantity,
    /// When it was measured.
    pub timestamp: SimTime,
    /// The averaging window.
    pub window: SimDuration,
}

/// Values by pod ([`PodView::id`]).
pub type PodMetrics = BTreeMap<u32, PodMetric>;

/// Why a metric yields no proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetricError {
    /// Nothing has been measured yet.
    NothingYet,
    /// The API returned an empty list.
    NoMetricsReturned,
    /// No reported pod has a request.
    NoMetricsMatchPods,
    /// All reported pods are unready or ignored.
    NoMetricsForReadyPods,
    /// The selector matches no pod.
    NoPods,
    /// A container has no request for the resource.
    MissingRequest,
    /// A pod has no container of the given name.
    ContainerNotFound,
    /// The report lacks the given container (strict mode only).
    ContainerMetricsMissing,
    /// The API does not answer.
    ApiError,
    /// No metric of this name is measured.
    UnknownMetric,
    /// The target's type is not valid for the metric.
    InvalidTarget,
    /// The metric's type is unknown.
    InvalidSourceType,
}

impl MetricError {
    /// The error code in snake case.
    pub const fn code(self) -> &'static str {
        match self {
            MetricError::NothingYet => "nothing_yet",
            MetricError::NoMetricsReturned => "no_metrics_returned",
            MetricError::NoMetricsMatchPods => "no_metrics_match_pods",
            MetricError::NoMetricsForReadyPods => "no_metrics_for_ready_pods",
            MetricError::NoPods => "no_pods",
            MetricError::MissingRequest => "missing_request",
            MetricError::ContainerNotFound => "container_not_found",
            MetricError::ContainerMetricsMissing => "container_metrics_missing",
            MetricError::ApiError => "api_error",
            MetricError::UnknownMetric => "unknown_metric",
            MetricError::InvalidTarget => "invalid_target",
            MetricError::InvalidSourceType => "invalid_source_type",
        }
    }
}

impl fmt::Display for MetricError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            MetricError::NothingYet => "no metrics yet",
            MetricError::NoMetricsReturned => "no metrics returned",
            MetricError::NoMetricsMatchPods => "no measured pod has a request",
            MetricError::NoMetricsForReadyPods => "no metrics of ready pods",
            MetricError::NoPods => "no pods",
            MetricError::MissingRequest => "a container has no request",
            MetricError::ContainerNotFound => "no such container",
            MetricError::ContainerMetricsMissing => "a container is not measured",
            MetricError::ApiError => "the metrics API does not answer",
            MetricError::UnknownMetric => "not measured under this name",
            MetricError::InvalidTarget => "neither a value target nor an average value target was set",
            MetricError::InvalidSourceType => "unknown type of metric",
        })
    }
}

impl std::error::Error for MetricError {}

/// A container's entry in a pod's report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerUsage {
    /// Name of the container.
    pub name: String,
    /// Usage of the resource; `None` if the report lacks it.
    pub usage: Option<Quantity>,
}

/// A pod's entry in the response of the resource metrics API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodReport {
    /// Id of the pod.
    pub pod: u32,
    /// When it was measured.
    pub timestamp: SimTime,
    /// The averaging window.
    pub window: SimDuration,
    /// Its containers.
    pub containers: Vec<ContainerUsage>,
}

/// Usage of whole pods: the sum over containers. A pod without containers, or with one that lacks the resource, has no
/// metric.
///
/// # Errors
/// [`MetricError::NoMetricsReturned`] if the response is empty.
pub fn pod_usage(reports: &[PodReport]) -> Result<PodMetrics, MetricError> {
    usage(reports, |containers| {
        let total = containers.iter().try_fold(0_i64, |sum, c| Some(sum.saturating_add(c.usage?.millis())));
        total.filter(|_| !containers.is_empty()).map(Quantity::from_millis)
    })
}

/// Usage of the container `name` in each pod. If a report lacks it, the whole query fails in `strict` mode (as in
/// releases up to at least 1.27); otherwise that pod has no metric.
///
/// # Errors
/// [`MetricError::NoMetricsReturned`] if the response is empty, [`MetricError::ContainerMetricsMissing`] if `strict`.
pub fn container_usage(reports: &[PodReport], name: &str, strict: bool) -> Result<PodMetrics, MetricError> {
    let of_container = |containers: &[ContainerUsage]| containers.iter().find(|c| c.name == name)?.usage;
    if strict && reports.iter().any(|report| of_container(&report.containers).is_none()) {
        return Err(MetricError::ContainerMetricsMissing);
    }
    usage(reports, of_container)
}

fn usage(
    reports: &[PodReport],
    value: impl Fn(&[ContainerUsage]) -> Option<Quantity>,
) -> Result<PodMetrics, MetricError> {
    if reports.is_empty() {
        return Err(MetricError::NoMetricsReturned);
    }
    let entry = |report: &PodReport| {
        let value = value(&report.containers)?;
        Some((report.pod, PodMetric { value, timestamp: report.timestamp, window: report.window }))
    };
    Ok(reports.iter().filter_map(entry).collect())
}

/// A pod's entry in the response of the custom metrics API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueReport {
    /// Id of the pod.
    pub pod: u32,
    /// The value.
    pub value: Quantity,
    /// When it was measured.
    pub timestamp: SimTime,
    /// The averaging window, if the report states one.
    pub window: Option<SimDuration>,
}

/// Values by pod, with a window of [`DEFAULT_WINDOW`] where none is stated.
///
/// # Errors
/// [`MetricError::NoMetricsReturned`] if the response is empty.
pub fn pod_values(reports: impl IntoIterator<Item = ValueReport>) -> Result<PodMetrics, MetricError> {
    let entry = |report: ValueReport| {
        let window = report.window.unwrap_or(DEFAULT_WINDOW);
        (report.pod, PodMetric { value: report.value, timestamp: report.timestamp, window })
    };
    let metrics: PodMetrics = reports.into_iter().map(entry).collect();
    if metrics.is_empty() { Err(MetricError::NoMetricsReturned) } else { Ok(metrics) }
}

/// The sum of an external metric's values, for a value target. It saturates at [`Quantity::MAX`] as soon as a positive
/// value would overflow it, whatever comes after.
///
/// # Errors
/// [`MetricError::NoMetricsReturned`] if there are none.
pub fn external_total(values: &[Quantity]) -> Result<Quantity, MetricError> {
    running_total(values, |sum, value| if value > 0 { sum.checked_add(value) } else { Some(sum.saturating_add(value)) })
}

/// The sum of an external metric's values, for an average per pod. The controller takes any negative running sum for an
/// overflow and saturates at [`Quantity::MAX`]: -60 and 28 ask for the largest possible number of replicas, while 28
/// and -20 sum to 8.
///
/// # Errors
/// [`MetricError::NoMetricsReturned`] if there are none.
pub fn external_total_per_pod(values: &[Quantity]) -> Result<Quantity, MetricError> {
    running_total(values, |sum, value| sum.checked_add(value).filter(|sum| *sum >= 0))
}

/// The sum by `add`, which returns `None` on overflow; saturates then.
fn running_total(values: &[Quantity], add: impl Fn(i64, i64) -> Option<i64>) -> Result<Quantity, MetricError> {
    if values.is_empty() {
        return Err(MetricError::NoMetricsReturned);
    }
    let sum = values.iter().try_fold(0_i64, |sum, value| add(sum, value.millis()));
    Ok(sum.map_or(Quantity::MAX, Quantity::from_millis))
}

/// The queries of the controller to the metrics APIs and to pod specifications.
pub trait MetricsApi {
    /// Usage of `resource` by whole pods, or by the named container.
    ///
    /// # Errors
    /// If there is no response or an empty one.
    fn resource(&self, resource: Resource, container: Option<&str>) -> Result<PodMetrics, MetricError>;

    /// Values of a custom metric by pod.
    ///
    /// # Errors
    /// If there is no response or an empty one.
    fn pods_metric(&self, metric: &str) -> Result<PodMetrics, MetricError>;

    /// The value of another object's custom metric.
    ///
    /// # Errors
    /// If there is no response.
    fn object(&self, metric: &str) -> Result<Quantity, MetricError>;

    /// The values of an external metric.
    ///
    /// # Errors
    /// If there is no response.
    fn external(&self, metric: &str) -> Result<Vec<Quantity>, MetricError>;

    /// A pod's request of `resource`: of the whole pod, or of the named container.
    ///
    /// # Errors
    /// If an eligible container has no request, or there is no such container.
    fn request(&self, pod: &PodView, resource: Resource, container: Option<&str>) -> Result<Quantity, MetricError>;
}
