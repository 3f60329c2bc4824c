//! Runs the controller inside a simulation: an observation takes the place of the API server and the metrics APIs.

use std::collections::BTreeMap;

use super::metrics::{MetricError, MetricsApi, PodMetrics, ValueReport, pod_values};
use super::pod::PodView;
use super::reason::reason;
use super::reconcile::{ApiFailure, Cluster, Hpa, Reconciliation, Scale, Selector};
use super::requests::{PodRequests, pod_request};
use super::spec::{ControllerFlags, HpaSpec, Resource};
use super::weighed::weighed;
use crate::cluster::PodSpec;
use crate::policy::{Decision, Measure, Measures, Observation, ScalingPolicy, Scrape, Weighed, measure_named};
use crate::units::{Quantity, SimDuration};

/// The `hpa` policy.
#[derive(Debug, Clone)]
pub struct HpaPolicy {
    hpa: Hpa,
    pod: PodSpec,
    /// The measures that its metrics stand for.
    measures: Measures,
    /// The last reconciliation.
    last: Option<Reconciliation>,
}

impl HpaPolicy {
    /// Creates a policy for `spec` under a controller with `flags`.
    pub fn new(spec: HpaSpec, flags: ControllerFlags) -> Self {
        let named = spec.metrics.iter().filter_map(|metric| measure_named(metric.custom_name()?, &[])).collect();
        HpaPolicy { hpa: Hpa::new(spec, flags), pod: PodSpec::default(), measures: named, last: None }
    }

    /// Sets the pods' containers.
    pub fn of_pods(self, pod: PodSpec) -> Self {
        HpaPolicy { pod, ..self }
    }
}

impl ScalingPolicy for HpaPolicy {
    fn sync_period(&self) -> SimDuration {
        self.hpa.flags().sync_period
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        let has_scale = self.hpa.spec().no_scale.is_none();
        let pods = observation.replicas.iter().map(PodView::of).collect();
        let run = self.hpa.reconcile(
            observation.now,
            &mut Observed { observation, pods, spec: &self.pod, has_scale, external: None },
        );
        let reason = reason(&self.hpa, &run, &self.pod);
        let decision = if run.rescaled { Decision::scale_to(run.desired, reason) } else { Decision::hold(reason) };
        self.last = Some(run);
        decision
    }

    fn weighed(&self) -> Option<Weighed> {
        self.last.as_ref().map(|run| weighed(&self.hpa, run))
    }

    /// Implements headroom by lower targets, which a manifest could state as well.
    fn set_headroom(&mut self, factor: f64) -> bool {
        self.hpa = Hpa::new(self.hpa.spec().with_headroom(factor), *self.hpa.flags());
        true
    }

    fn measures(&self) -> Measures {
        self.measures
    }

    fn effective(&self) -> Vec<(String, String)> {
        super::effective::effective(&self.hpa)
    }

    fn scale_up_tolerance(&self) -> Option<f64> {
        Some(super::effective::tolerances(self.hpa.spec(), self.hpa.flags().tolerance).0)
    }

    fn autoscaler(&self) -> Option<&HpaSpec> {
        Some(self.hpa.spec())
    }
}

/// One reconciliation of an autoscaler whose external metrics are answered by someone else: by name, the value or none.
pub(in crate::policy) fn reconcile_with(
    hpa: &mut Hpa,
    observation: &Observation<'_>,
    pod: &PodSpec,
    external: &BTreeMap<String, Option<Quantity>>,
) -> Reconciliation {
    let pods = observation.replicas.iter().map(PodView::of).collect();
    let mut seen = Observed { observation, pods, spec: pod, has_scale: true, external: Some(external) };
    hpa.reconcile(observation.now, &mut seen)
}

/// An observation in the form that the controller reads.
struct Observed<'o, 'a> {
    observation: &'o Observation<'a>,
    /// The replicas as pods.
    pods: Vec<PodView>,
    /// The pods' containers. All usage of a pod is attributed to the serving container: the first, or the one that the
    /// manifest names.
    spec: &'o PodSpec,
    /// Whether the target's scale can be read.
    has_scale: bool,
    /// External metrics, if someone else answers for them.
    external: Option<&'o BTreeMap<String, Option<Quantity>>>,
}

impl Observed<'_, '_> {
    /// The scrape, if the metrics APIs answer for `measure`.
    fn scrape(&self, measure: Measure) -> Result<&Scrape, MetricError> {
        if self.observation.outage.contains(measure) {
            return Err(MetricError::ApiError);
        }
        self.observation.scrape.ok_or(MetricError::NothingYet)
    }

    fn measure(&self, name: &str) -> Result<Measure, MetricError> {
        self.observation.measure(name).ok_or(MetricError::UnknownMetric)
    }

    /// Values by pod. The resource metrics API also reports `fresh` pods; the custom metrics API does not.
    fn by_pod(
        &self,
        measure: Measure,
        fresh: bool,
        value: impl Fn(f64) -> Quantity,
    ) -> Result<PodMetrics, MetricError> {
        let scrape = self.scrape(measure)?;
        let settled = scrape.replicas.iter().map(|pod| (pod, scrape.window));
        let fresh = scrape.fresh.iter().filter(|_| fresh).map(|pod| (&pod.sample, pod.window));
        pod_values(settled.chain(fresh).map(|(pod, window)| ValueReport {
            pod: pod.id,
            value: value(pod.values[measure]),
            timestamp: scrape.taken_at,
            window: Some(window),
        }))
    }

    fn total(&self, name: &str) -> Result<Quantity, MetricError> {
        let measure = self.measure(name)?;
        Ok(nearest_milli(self.scrape(measure)?.totals[measure]))
    }
}

impl MetricsApi for Observed<'_, '_> {
    fn resource(&self, resource: Resource, container: Option<&str>) -> Result<PodMetrics, MetricError> {
        let idle = container.is_some_and(|name| self.spec.serving_name().is_some_and(|serving| serving != name));
        let measure = if resource == Resource::Cpu { Measure::Cpu } else { Measure::Memory };
        self.by_pod(measure, true, |value| match resource {
            _ if idle => Quantity::ZERO,
            Resource::Cpu => cpu_milli(value),
            Resource::Memory => whole(value),
        })
    }

    fn pods_metric(&self, metric: &str) -> Result<PodMetrics, MetricError> {
        self.by_pod(self.measure(metric)?, false, nearest_milli)
    }

    fn object(&self, metric: &str) -> Result<Quantity, MetricError> {
        self.total(metric)
    }

    fn external(&self, metric: &str) -> Result<Vec<Quantity>, MetricError> {
        let Some(answers) = self.external else { return Ok(vec![self.total(metric)?]) };
        let answer = answers.get(metric).ok_or(MetricError::UnknownMetric)?;
        Ok(vec![answer.ok_or(MetricError::ApiError)?])
    }

    fn request(&self, _pod: &PodView, resource: Resource, container: Option<&str>) -> Result<Quantity, MetricError> {
        if !self.spec.containers.is_empty() {
            let container = container.filter(|_| self.spec.serving_name().is_some());
            return pod_request(&PodRequests::of(self.spec, resource), container);
        }
        let thousandths = match resource {
            Resource::Cpu => self.observation.reserved.cpu.map(|cpu| cpu.get()),
            Resource::Memory => self.observation.reserved.memory.map(|memory| memory.get().saturating_mul(1000)),
        };
        let thousandths = thousandths.ok_or(MetricError::MissingRequest)?;
        Ok(Quantity::from_millis(i64::try_from(thousandths).unwrap_or(i64::MAX)))
    }
}

impl Cluster for Observed<'_, '_> {
    fn scale(&self) -> Result<Scale, ApiFailure> {
        let Observation { desired, present, .. } = *self.observation;
        if self.has_scale { Ok(Scale { spec_replicas: desired, status_replicas: present }) } else { Err(ApiFailure) }
    }

    fn selector(&self) -> Selector {
        Selector::Valid
    }

    fn pods(&self) -> &[PodView] {
        &self.pods
    }

    /// The engine applies the decision, so this cannot fail.
    fn set_replicas(&mut self, _replicas: u32) -> Result<(), ApiFailure> {
        Ok(())
    }
}

/// Millicores. metrics-server reports whole nanocores and the controller rounds up to millicores; going through
/// nanocores keeps binary64 noise (0.25000000000000006) from adding a millicore.
fn cpu_milli(cores: f64) -> Quantity {
    let nanocores = (cores * 1e9).round() as i64;
    Quantity::from_millis(nanocores.div_euclid(1_000_000) + i64::from(nanocores.rem_euclid(1_000_000) != 0))
}

/// Rounds to whole base units.
fn whole(value: f64) -> Quantity {
    Quantity::from_millis((value.round() as i64).saturating_mul(1000))
}

/// Rounds to the nearest thousandth.
fn nearest_milli(value: f64) -> Quantity {
    Quantity::from_millis((value * 1000.0).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::cluster::ContainerRequest;
    use crate::policy::hpa::spec::{Amount, Behavior, MetricSpec, RatePolicy, Target};
    use crate::policy::{Measurements, Phase, ReasonCode, ReplicaSample, ReplicaView, Reserved};
    use crate::units::{Millicores, SimTime};

    fn policy(behavior: Option<Behavior>) -> HpaPolicy {
        let metrics = vec![MetricSpec::Resource { resource: Resource::Cpu, target: Target::Utilization(70) }];
        let spec = HpaSpec { min_replicas: 2, max_replicas: 20, metrics, behavior, no_scale: None };
        HpaPolicy::new(spec, ControllerFlags::default())
    }

    /// Decides at `now` seconds for `size` pods that have long been ready, the first `measured` of which use `cpu` of
    /// their core.
    fn step(policy: &mut HpaPolicy, now: u64, size: u32, measured: u32, cpu: f64) -> (Option<u32>, ReasonCode, String) {
        let replica = |id| ReplicaView {
            id,
            phase: Phase::Ready,
            ordered: SimTime::ZERO,
            accepted: Some(SimTime::ZERO),
            started: Some(SimTime::ZERO),
            readiness_changed: Some(SimTime::ZERO),
        };
        let replicas: Vec<ReplicaView> = (0..size).map(replica).collect();
        let now = SimTime::from_secs(now);
        let metrics = |id| ReplicaSample { id, values: Measurements::ZERO.with(Measure::Cpu, cpu) };
        let scrape = Scrape {
            taken_at: now,
            window: SimDuration::from_secs(15),
            replicas: (0..measured).map(metrics).collect(),
            fresh: Vec::new(),
            totals: Measurements::ZERO,
        };
        let observation = Observation {
            replicas: &replicas,
            reserved: Reserved { cpu: Some(Millicores::new(1000)), memory: None },
            scrape: Some(&scrape),
            ..Observation::new(now, size)
        };
        let decision = policy.decide(&observation);
        (decision.replicas, decision.reason.code, decision.reason.detail.into_owned())
    }

    #[test]
    fn a_story_without_behavior() {
        let mut policy = policy(None);
        let mut tell = |now, size, measured, cpu| step(&mut policy, now, size, measured, cpu);
        let stays = "cpu 71% of 70% target: 4 stays";
        assert_eq!(tell(1000, 4, 4, 0.71), (None, ReasonCode::WithinTolerance, stays.into()));
        let up = "cpu 83% of 70% target: 4 -> 5";
        assert_eq!(tell(1015, 4, 4, 0.83), (Some(5), ReasonCode::Target, up.into()));
        let limited = "scale-up limited to 10 by max(2x, 4), cpu 200% of 70% target wants 15";
        assert_eq!(tell(1030, 5, 5, 2.0), (Some(10), ReasonCode::RateLimited, limited.into()));
        let held = "stabilized at 15 by the last 300s, cpu 30% of 70% target wants 5";
        assert_eq!(tell(1045, 10, 10, 0.3), (Some(15), ReasonCode::Stabilized, held.into()));
        let none = "cpu: no metrics returned (FailedGetResourceMetric)";
        assert_eq!(tell(1060, 15, 0, 0.0), (None, ReasonCode::NoData, none.into()));
        let most = "held at the maximum of 20, cpu 150% of 70% target wants 33";
        assert_eq!(tell(1075, 15, 15, 1.5), (Some(20), ReasonCode::Bounded, most.into()));
        let least = "held at the minimum of 2, cpu 1% of 70% target wants 1";
        assert_eq!(tell(9000, 20, 20, 0.01), (Some(2), ReasonCode::Bounded, least.into()));
        let above = "30 is above the maximum of 20: 30 -> 20";
        assert_eq!(tell(9015, 30, 30, 0.7), (Some(20), ReasonCode::Bounded, above.into()));
        let off = "size 0 below the minimum of 2: switched off";
        assert_eq!(tell(9030, 0, 0, 0.0), (None, ReasonCode::Disabled, off.into()));
    }

    #[test]
    fn a_story_with_behavior() {
        let mut behavior = Behavior::default();
        behavior.scale_down.stabilization_window = Some(SimDuration::ZERO);
        let one = RatePolicy { amount: Amount::Pods(1), period: SimDuration::from_secs(60) };
        behavior.scale_down.policies = Some(vec![one]);
        let mut policy = policy(Some(behavior));
        let mut tell = |now, size, measured, cpu| step(&mut policy, now, size, measured, cpu);
        let up = "scale-up limited to 8 by 4 pods/15s, cpu 200% of 70% target wants 12";
        assert_eq!(tell(1000, 4, 4, 2.0), (Some(8), ReasonCode::RateLimited, up.into()));
        // 4 of 8 pods are not measured yet and count as idle.
        let idle = "cpu 100% of 70% target: 8 stays";
        assert_eq!(tell(1015, 8, 4, 1.0), (None, ReasonCode::WithinTolerance, idle.into()));
        // The rise of the last minute limits the fall: 8 - 4 - 1 is below the desired size.
        let down = "cpu 35% of 70% target: 8 -> 4";
        assert_eq!(tell(1030, 8, 8, 0.35), (Some(4), ReasonCode::Target, down.into()));
    }

    /// Two containers; `log-shipper` has no request.
    fn pod_of_two() -> PodSpec {
        let container = |name: &str, cpu| ContainerRequest { name: name.into(), cpu, memory: None };
        let containers = vec![container("app", Some(Millicores::new(1000))), container("log-shipper", None)];
        PodSpec { containers, ..PodSpec::default() }
    }

    #[test]
    fn a_container_without_a_request_blinds_the_average_of_pods() {
        let mut policy = policy(None).of_pods(pod_of_two());
        let said = "cpu: missing request for cpu in container log-shipper (FailedGetResourceMetric)";
        assert_eq!(step(&mut policy, 1000, 4, 4, 0.83), (None, ReasonCode::NoData, said.into()));
    }

    #[test]
    fn a_container_is_watched_by_itself() {
        let of = |container: &str| {
            let (resource, container) = (Resource::Cpu, container.to_string());
            let metrics = vec![MetricSpec::ContainerResource { resource, container, target: Target::Utilization(70) }];
            let spec = HpaSpec { min_replicas: 2, max_replicas: 20, metrics, behavior: None, no_scale: None };
            step(&mut HpaPolicy::new(spec, ControllerFlags::default()).of_pods(pod_of_two()), 1000, 4, 4, 0.83)
        };
        assert_eq!(of("app"), (Some(5), ReasonCode::Target, "cpu 83% of 70% target: 4 -> 5".into()));
        let missing = "cpu: missing request for cpu in container log-shipper (FailedGetContainerResourceMetric)";
        assert_eq!(of("log-shipper"), (None, ReasonCode::NoData, missing.into()));
        let unknown = "cpu: container nginx not found in the pods (FailedGetContainerResourceMetric)";
        assert_eq!(of("nginx"), (None, ReasonCode::NoData, unknown.into()));
    }

    #[test]
    fn cpu_is_rounded_up_from_nanocores() {
        assert_eq!(cpu_milli(0.25).millis(), 250);
        assert_eq!(cpu_milli(0.250_000_000_000_000_06).millis(), 250);
        assert_eq!(cpu_milli(0.250_000_001).millis(), 251);
        assert_eq!(cpu_milli(0.0).millis(), 0);
    }
}
