//! The ratio of a metric to its target. Averages are truncated to integers before the division, as in the controller:
//! 55.3% against 50% gives 1.10, not 1.106.

use std::collections::BTreeMap;

use super::metrics::{MetricError, PodMetrics};
use crate::units::Quantity;

/// Requests by pod.
pub type Requests = BTreeMap<u32, Quantity>;

/// A metric compared with its target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Measured value divided by target.
    pub ratio: f64,
    /// Per cent of the request, for a utilization target.
    pub utilization: Option<i64>,
    /// The average per pod.
    pub average: Quantity,
}

/// The tolerance around the target within which nothing changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// Below the target.
    pub down: f64,
    /// Above the target.
    pub up: f64,
}

impl Tolerance {
    /// Whether `ratio` is close enough to 1, both ends included. Evaluated in binary64: 55/50 is exactly `1 + 0.1`.
    pub fn holds(self, ratio: f64) -> bool {
        1.0 - self.down <= ratio && ratio <= 1.0 + self.up
    }
}

/// Compares usage in per cent of the request with `target` per cent, over the pods that have both a metric and a
/// request.
///
/// # Errors
/// [`MetricError::NoMetricsMatchPods`] if their requests sum to zero.
pub fn utilization_ratio(metrics: &PodMetrics, requests: &Requests, target: u32) -> Result<Usage, MetricError> {
    let (mut usage_sum, mut request_sum, mut count) = (0_i128, 0_i128, 0_i128);
    for (pod, metric) in metrics {
        if let Some(request) = requests.get(pod) {
            usage_sum += i128::from(metric.value.millis());
            request_sum += i128::from(request.millis());
            count += 1;
        }
    }
    if request_sum == 0 {
        return Err(MetricError::NoMetricsMatchPods);
    }
    let utilization = narrow(usage_sum * 100 / request_sum);
    Ok(Usage {
        ratio: utilization as f64 / f64::from(target),
        utilization: Some(utilization),
        average: Quantity::from_millis(narrow(usage_sum / count)),
    })
}

/// Compares the average with `target`. `metrics` must not be empty.
pub fn average_ratio(metrics: &PodMetrics, target: Quantity) -> Usage {
    let sum: i128 = metrics.values().map(|metric| i128::from(metric.value.millis())).sum();
    let average = narrow(sum / (metrics.len() as i128).max(1));
    Usage { ratio: average as f64 / target.millis() as f64, utilization: None, average: Quantity::from_millis(average) }
}

/// Converts to 64 bits, saturating.
fn narrow(value: i128) -> i64 {
    value.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}
