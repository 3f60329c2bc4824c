//! The controller inside a simulation: an observation stands for the API server and the metrics APIs.

use super::metrics::{MetricError, MetricsApi, PodMetrics, ValueReport, pod_values};
use super::reason::reason;
use super::reconcile::{ApiFailure, Cluster, Hpa, Scale, Selector};
use super::spec::{ControllerFlags, HpaSpec, Resource};
use crate::policy::{Decision, Measure, Observation, PodView, ScalingPolicy, Scrape};
use crate::units::{Quantity, SimDuration};

/// The `hpa` policy.
#[derive(Debug, Clone)]
pub struct HpaPolicy {
    hpa: Hpa,
}

impl HpaPolicy {
    /// A policy for `spec` under a controller with `flags`.
    pub fn new(spec: HpaSpec, flags: ControllerFlags) -> Self {
        HpaPolicy { hpa: Hpa::new(spec, flags) }
    }

    /// The autoscaler and its memory.
    pub fn hpa(&self) -> &Hpa {
        &self.hpa
    }
}

impl ScalingPolicy for HpaPolicy {
    fn sync_period(&self) -> SimDuration {
        self.hpa.flags().sync_period
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        let run = self.hpa.reconcile(observation.now, &mut Observed { observation });
        let reason = reason(&self.hpa, &run);
        if run.rescaled { Decision::scale_to(run.desired, reason) } else { Decision::hold(reason) }
    }
}

/// An observation as the controller reads it. A pod is one container here.
struct Observed<'o, 'a> {
    observation: &'o Observation<'a>,
}

impl Observed<'_, '_> {
    fn scrape(&self) -> Result<&Scrape, MetricError> {
        self.observation.scrape.ok_or(MetricError::NoMetricsReturned)
    }

    fn measure(&self, name: &str) -> Result<Measure, MetricError> {
        self.observation.measure(name).ok_or(MetricError::UnknownMetric)
    }

    fn by_pod(&self, value: impl Fn(&crate::policy::PodMetrics) -> Quantity) -> Result<PodMetrics, MetricError> {
        let scrape = self.scrape()?;
        pod_values(scrape.pods.iter().map(|pod| ValueReport {
            pod: pod.id,
            value: value(pod),
            timestamp: scrape.taken_at,
            window: Some(scrape.window),
        }))
    }

    fn total(&self, name: &str) -> Result<Quantity, MetricError> {
        let measure = self.measure(name)?;
        Ok(nearest_milli(self.scrape()?.totals[measure as usize]))
    }
}

impl MetricsApi for Observed<'_, '_> {
    fn resource(&self, resource: Resource, _container: Option<&str>) -> Result<PodMetrics, MetricError> {
        self.by_pod(|pod| match resource {
            Resource::Cpu => cpu_milli(pod.get(Measure::Cpu)),
            Resource::Memory => whole(pod.get(Measure::Memory)),
        })
    }

    fn pods_metric(&self, metric: &str) -> Result<PodMetrics, MetricError> {
        let measure = self.measure(metric)?;
        self.by_pod(|pod| nearest_milli(pod.get(measure)))
    }

    fn object(&self, metric: &str) -> Result<Quantity, MetricError> {
        self.total(metric)
    }

    fn external(&self, metric: &str) -> Result<Vec<Quantity>, MetricError> {
        Ok(vec![self.total(metric)?])
    }

    fn request(&self, pod: &PodView, resource: Resource, _container: Option<&str>) -> Result<Quantity, MetricError> {
        let thousandths = match resource {
            Resource::Cpu => pod.cpu_request.map(|cpu| cpu.get()),
            Resource::Memory => pod.memory_request.map(|memory| memory.get().saturating_mul(1000)),
        };
        let thousandths = thousandths.ok_or(MetricError::MissingRequest)?;
        Ok(Quantity::from_millis(i64::try_from(thousandths).unwrap_or(i64::MAX)))
    }
}

impl Cluster for Observed<'_, '_> {
    fn scale(&self) -> Result<Scale, ApiFailure> {
        let Observation { spec_replicas, status_replicas, .. } = *self.observation;
        Ok(Scale { spec_replicas, status_replicas })
    }

    fn selector(&self) -> Selector {
        Selector::Valid
    }

    fn pods(&self) -> &[PodView] {
        self.observation.pods
    }

    /// The engine applies the decision; here nothing can fail.
    fn set_replicas(&mut self, _replicas: u32) -> Result<(), ApiFailure> {
        Ok(())
    }
}

/// Cores in thousandths. Metrics-server reports whole nanocores, and the controller rounds them up to thousandths; going
/// through nanocores keeps the noise of binary64 (0.25000000000000006) from becoming another thousandth.
fn cpu_milli(cores: f64) -> Quantity {
    let nanocores = (cores * 1e9).round() as i64;
    Quantity::from_millis(nanocores.div_euclid(1_000_000) + i64::from(nanocores.rem_euclid(1_000_000) != 0))
}

/// A whole number of base units.
fn whole(value: f64) -> Quantity {
    Quantity::from_millis((value.round() as i64).saturating_mul(1000))
}

/// The nearest thousandth.
fn nearest_milli(value: f64) -> Quantity {
    Quantity::from_millis((value * 1000.0).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_rounded_up_from_nanocores() {
        assert_eq!(cpu_milli(0.25).millis(), 250);
        assert_eq!(cpu_milli(0.250_000_000_000_000_06).millis(), 250);
        assert_eq!(cpu_milli(0.250_000_001).millis(), 251);
        assert_eq!(cpu_milli(0.0).millis(), 0);
    }
}
