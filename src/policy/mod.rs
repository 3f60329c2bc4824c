//! Scaling policies: observation in, decision out.
//!
//! A policy never sees live cluster state or the future of the trace. It gets an [`Observation`]: the current state of
//! the objects that a controller reads from the Kubernetes API, and metrics as old as the metrics pipeline makes them.
//! A clairvoyant policy must declare itself through [`ScalingPolicy::foresight`], and every report marks it.

mod capacity;
mod forecasts;
mod headroom;
pub mod hpa;
mod measure;
mod needs;
mod planned;
pub mod policy_search;
pub mod predictive;
#[cfg(test)]
mod properties;
mod prospect;
pub mod q_learning;
pub mod static_size;
pub mod stored;
mod weighed;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cluster::PodSpec;
use crate::config::kubernetes::Release;
use crate::config::{Diagnostics, Plugin, Value, Yaml, suggest};
use crate::units::{Bytes, Millicores, SimDuration, SimTime};

pub use forecasts::ForecastPoint;
pub use headroom::with_headroom;
pub use measure::{Measure, Measures, exported, measure_named, not_measured, read_metric_names, without_unit};
pub use needs::{Needs, replicas_needed};
pub use prospect::{Facts, Prospect, StepLoad};
pub use weighed::{Compared, Gauge, Weighed};

/// Phase of a pod in the Kubernetes API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodPhase {
    /// Not yet running: unscheduled, pulling its image, or starting its containers.
    Pending,
    /// Containers are running (ready or not).
    Running,
    /// All containers exited successfully.
    Succeeded,
    /// A container exited with an error.
    Failed,
}

/// A pod in the Kubernetes API at the time of decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodView {
    /// Id of the replica: its index among all replicas ever started for the service, from 0.
    pub id: u32,
    /// Phase.
    pub phase: PodPhase,
    /// Status of the Ready condition; `None` while there is no such condition.
    pub ready: Option<bool>,
    /// Last transition of the Ready condition.
    pub ready_transition: Option<SimTime>,
    /// `status.startTime`: when a node accepted the pod.
    pub start_time: Option<SimTime>,
    /// Whether the pod has a deletion timestamp (is draining).
    pub deleted: bool,
    /// CPU request, summed over the containers that state one; `None` if none does.
    pub cpu_request: Option<Millicores>,
    /// Memory request, summed over the containers that state one; `None` if none does.
    pub memory_request: Option<Bytes>,
}

/// One replica's measurements in a scrape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PodSample {
    /// Id of the replica, as in [`PodView::id`].
    pub id: u32,
    /// One value per [`Measure::ALL`], in the units stated there.
    pub values: [f64; Measure::COUNT],
}

impl PodSample {
    /// The value of one measure.
    pub fn get(&self, measure: Measure) -> f64 {
        self.values[measure as usize]
    }
}

/// What metrics-server reports for the CPU and memory of containers at their first scrape: the average since their
/// creation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FreshMetrics {
    /// The measurements; only [`Measure::Cpu`] and [`Measure::Memory`] are available.
    pub metrics: PodSample,
    /// Age of the containers at the scrape.
    pub window: SimDuration,
}

/// One scrape: the state of a service as measured at one time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scrape {
    /// When the measurements were taken.
    pub taken_at: SimTime,
    /// The window over which rates and CPU were averaged.
    pub window: SimDuration,
    /// Replicas that reported, ordered by id. A replica that has not run for a whole window does not report.
    pub pods: Vec<PodSample>,
    /// Replicas that the resource metrics API reports after their first scrape, ordered by id. They are neither in
    /// `pods` nor in the totals.
    pub fresh: Vec<FreshMetrics>,
    /// Totals over the service, one value per [`Measure::ALL`], including attempts for which no replica was ready. For
    /// a measure that [is an average](Measure::is_average), the average.
    pub totals: [f64; Measure::COUNT],
}

/// Everything a policy knows when it decides.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// Time of the decision.
    pub now: SimTime,
    /// Desired replicas (`spec.replicas` of the scale).
    pub spec_replicas: u32,
    /// Existing replicas, without terminating ones (`status.replicas` of the scale).
    pub status_replicas: u32,
    /// The service's pods, including terminating ones, ordered by id.
    pub pods: &'a [PodView],
    /// The newest scrape that the metrics lag allows; `None` before the first one is visible.
    pub scrape: Option<&'a Scrape>,
    /// Custom and external metrics: the measure that each name refers to.
    pub metric_names: &'a [(String, Measure)],
    /// Measures that the metrics APIs currently do not serve.
    pub outage: Measures,
}

impl Observation<'_> {
    /// The measure that a custom metric name refers to: a name declared in the scenario, or a measure's own name.
    pub fn measure(&self, name: &str) -> Option<Measure> {
        measure_named(name, self.metric_names)
    }

    /// The newest scrape, if the APIs currently serve all of `measures`.
    pub fn scrape_of(&self, measures: &[Measure]) -> Option<&Scrape> {
        self.scrape.filter(|_| measures.iter().all(|measure| !self.outage.contains(*measure)))
    }

    /// The age of the metrics.
    pub fn age(&self) -> Option<SimDuration> {
        self.scrape.map(|scrape| self.now.since(scrape.taken_at))
    }
}

listed! {
    /// The kind of reason for a decision, in the terms of real controllers' conditions.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum ReasonCode {
        /// The size is fixed by configuration.
        Fixed,
        /// A metric asked for this size.
        Target,
        /// The metric is within the tolerance of its target.
        WithinTolerance,
        /// A recent recommendation holds the size (stabilization window, cooldown).
        Stabilized,
        /// A scaling rate limit cut the change.
        RateLimited,
        /// The minimum or maximum number of replicas cut the size.
        Bounded,
        /// No usable measurement.
        NoData,
        /// Scaling is switched off.
        Disabled,
        /// A forecast asked for this size.
        Forecast,
        /// A plan based on knowledge of the trace asked for this size.
        Plan,
        /// A trained policy asked for this size.
        Learned,
        /// The platform ordered it: a request waits, and there is no replica.
        Activated,
        /// The platform ordered it: there was no request for its idle time.
        Idle,
    }
}

impl ReasonCode {
    /// The name used in `decisions.csv`.
    pub const fn name(self) -> &'static str {
        match self {
            ReasonCode::Fixed => "fixed",
            ReasonCode::Target => "target",
            ReasonCode::WithinTolerance => "within-tolerance",
            ReasonCode::Stabilized => "stabilized",
            ReasonCode::RateLimited => "rate-limited",
            ReasonCode::Bounded => "bounded",
            ReasonCode::NoData => "no-data",
            ReasonCode::Disabled => "disabled",
            ReasonCode::Forecast => "forecast",
            ReasonCode::Plan => "plan",
            ReasonCode::Learned => "learned",
            ReasonCode::Activated => "activated",
            ReasonCode::Idle => "idle",
        }
    }
}

/// The reason for a decision: a code, and the figures behind it in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The kind of reason.
    pub code: ReasonCode,
    /// The figures ("cpu 83% of 70% target, 12 -> 15").
    pub detail: Cow<'static, str>,
}

impl Reason {
    /// A reason.
    pub fn new(code: ReasonCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Reason { code, detail: detail.into() }
    }
}

/// The decision of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The desired number of replicas; `None` keeps the current one.
    pub replicas: Option<u32>,
    /// The reason.
    pub reason: Reason,
}

impl Decision {
    /// Scales to `replicas`.
    pub fn scale_to(replicas: u32, reason: Reason) -> Self {
        Decision { replicas: Some(replicas), reason }
    }

    /// Keeps the current size.
    pub fn hold(reason: Reason) -> Self {
        Decision { replicas: None, reason }
    }
}

/// What a policy knows that a controller in a real cluster could not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Foresight {
    /// Nothing: it could run in a real cluster.
    #[default]
    None,
    /// The trace that will be replayed.
    Clairvoyant,
}

/// What can be trained in a policy.
#[derive(Debug, Clone, Copy)]
pub enum Learning<'a> {
    /// A table of actions.
    Table(&'a q_learning::Settings),
    /// The parameters of a rule.
    Search(&'a policy_search::Settings),
}

/// A scaling policy: a stateful step function, called once per sync period.
pub trait ScalingPolicy: Send {
    /// Time between two decisions.
    fn sync_period(&self) -> SimDuration;

    /// Makes a decision. A returned size is applied as it is.
    fn decide(&mut self, observation: &Observation<'_>) -> Decision;

    /// The forecasts made since the last call, in order of time. Called after every decision; empty for a policy that
    /// does not forecast.
    fn forecasts(&mut self) -> Vec<ForecastPoint> {
        Vec::new()
    }

    /// What its last decision compared with targets; `None` if the policy has no targets or has not decided yet.
    fn weighed(&self) -> Option<Weighed> {
        None
    }

    /// The number of replicas at the start, given the number configured for the service.
    fn initial_replicas(&self, configured: u32) -> u32 {
        configured
    }

    /// Measures that it reads beyond those in every scrape. Latencies are only measured if a policy asks for them.
    fn measures(&self) -> Measures {
        Measures::NONE
    }

    /// Makes the policy provision `factor` times what it would by itself. Returns `false` if the policy has no
    /// implementation of its own; the load it observes is scaled instead (see [`with_headroom`]).
    fn set_headroom(&mut self, factor: f64) -> bool {
        let _ = factor;
        false
    }

    /// Effective thresholds, as (name, value), if they differ from the parameters, such as targets with tolerance.
    fn effective(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Share by which a metric must exceed its target before an autoscaler scales up; `None` for any other policy.
    fn scale_up_tolerance(&self) -> Option<f64> {
        None
    }

    /// The equivalent autoscaler that a cluster can run, if there is one.
    fn autoscaler(&self) -> Option<&hpa::HpaSpec> {
        None
    }

    /// What can be trained in the policy; `None` if nothing can.
    fn learning(&self) -> Option<Learning<'_>> {
        None
    }

    /// What the policy knows beyond the observation.
    fn foresight(&self) -> Foresight {
        Foresight::None
    }
}

/// Creates a new policy for each run.
pub type PolicyFactory = Arc<dyn Fn(&Prospect<'_>) -> Box<dyn ScalingPolicy> + Send + Sync>;

/// What a policy builder may know about the scenario.
#[derive(Debug, Clone, Copy)]
pub struct PolicyContext<'a> {
    /// Base directory of relative paths: that of the scenario file.
    pub base_dir: &'a Path,
    /// Name of the service (the Deployment) that the policy scales; empty if it has none.
    pub service: &'a str,
    /// The specification of its pods; `None` if not known.
    pub pod: Option<&'a PodSpec>,
    /// Custom metrics declared in the scenario.
    pub metric_names: &'a [(String, Measure)],
    /// Kubernetes release whose rules apply if a policy does not state one.
    pub release: Release,
    /// Additional policies provided by the calling program, besides [`POLICIES`].
    pub own: &'a [PolicyPlugin],
}

impl PolicyContext<'_> {
    /// The policy named `name`; the calling program's own take precedence.
    fn find(&self, name: &str) -> Option<&PolicyPlugin> {
        self.own.iter().chain(POLICIES).find(|policy| policy.name == name)
    }
}

/// Builds a policy from its parameters: the node below the policy's name in the scenario (null if there is none).
pub type PolicyBuilder = fn(&Yaml, &PolicyContext<'_>, &mut Diagnostics) -> Option<PolicyFactory>;

/// An entry in the list of policies.
pub type PolicyPlugin = Plugin<PolicyBuilder>;

/// All policies. To add one, write its file and add a line here.
pub const POLICIES: &[PolicyPlugin] = &[
    static_size::PLUGIN,
    hpa::PLUGIN,
    predictive::presets::PLUGIN,
    predictive::presets::ARIMA_PLUGIN,
    predictive::presets::HOLT_WINTERS_PLUGIN,
    predictive::presets::REGRESSION_PLUGIN,
    predictive::presets::AWS_PLUGIN,
    predictive::presets::MPC_PLUGIN,
    q_learning::PLUGIN,
    policy_search::PLUGIN,
    planned::LP_PLUGIN,
    planned::DP_PLUGIN,
];

/// The policy named `name`.
pub fn find(name: &str) -> Option<&'static PolicyPlugin> {
    POLICIES.iter().find(|policy| policy.name == name)
}

/// Reads a policy: a mapping whose only key is the policy's name, or just that name. `label` identifies it in messages.
pub fn read_policy(
    node: &Yaml,
    label: &str,
    context: &PolicyContext<'_>,
    sink: &mut Diagnostics,
) -> Option<PolicyFactory> {
    let null = Yaml { value: Value::Null, ..node.clone() };
    let (name, parameters, place) = match &node.value {
        Value::Scalar(name) => (name.clone(), &null, node.span),
        Value::Mapping(entries) if entries.len() == 1 => (entries[0].0.text.clone(), &entries[0].1, entries[0].0.span),
        _ => {
            let error = node.error(format!("policy `{label}` must name one kind of policy"));
            sink.push(error.help("for example `hpa: { manifest: hpa.yaml }` or `static: { replicas: 4 }`"));
            return None;
        }
    };
    let Some(plugin) = context.find(&name) else {
        let known: Vec<&str> = context.own.iter().chain(POLICIES).map(|plugin| plugin.name).collect();
        let error = Yaml { span: place, ..node.clone() }.error(format!("`{name}` is not a policy"));
        let error = error.note(format!("known: {}", known.join(", ")));
        sink.push(match suggest(&name, known.iter().copied()) {
            Some(near) => error.label(format!("did you mean `{near}`?")),
            None => error,
        });
        return None;
    };
    (plugin.build)(parameters, context, sink)
}
