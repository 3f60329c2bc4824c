//! Scaling policies: an observation in, a decision out.
//!
//! A policy never sees live cluster state or the future of the trace, only an [`Observation`]: the objects a controller
//! reads from the Kubernetes API as they are now, and metrics as old as the pipeline makes them. A clairvoyant policy must
//! declare it through [`ScalingPolicy::foresight`], and every report marks it.

mod capacity;
mod foretold;
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
use crate::config::{Diagnostics, Node, Plugin, Value, suggest};
use crate::units::{Bytes, Millicores, SimDuration, SimTime};

pub use foretold::Foretold;
pub use headroom::with_headroom;
pub use measure::{Measure, Measures, exported, measure_named, not_measured, read_metric_names, without_unit};
pub use needs::{Needs, replicas_needed};
pub use prospect::{Facts, Prospect, StepLoad};
pub use weighed::{Compared, Gauge, Weighed};

/// Phase of a pod as the Kubernetes API shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodPhase {
    /// Not yet running: unscheduled, pulling its image, or starting its containers.
    Pending,
    /// Containers are running (ready or not).
    Running,
    /// All containers ended successfully.
    Succeeded,
    /// A container ended in failure.
    Failed,
}

/// A pod as the Kubernetes API shows it at the moment of decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodView {
    /// Which replica: the service's n-th ever started, from 0.
    pub id: u32,
    /// Phase.
    pub phase: PodPhase,
    /// Status of the Ready condition; `None` while there is no such condition.
    pub ready: Option<bool>,
    /// Last transition of the Ready condition.
    pub ready_transition: Option<SimTime>,
    /// `status.startTime`: when a node accepted the pod.
    pub start_time: Option<SimTime>,
    /// Whether a deletion timestamp is set (the pod is draining).
    pub deleted: bool,
    /// CPU request, summed over the containers that state one; `None` if none does.
    pub cpu_request: Option<Millicores>,
    /// Memory request, summed over the containers that state one; `None` if none does.
    pub memory_request: Option<Bytes>,
}

/// One replica's measurements in one scrape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PodMetrics {
    /// Which replica, as in [`PodView::id`].
    pub id: u32,
    /// One value per [`Measure::ALL`], in the units stated there.
    pub values: [f64; Measure::COUNT],
}

impl PodMetrics {
    /// The value of one measure.
    pub fn get(&self, measure: Measure) -> f64 {
        self.values[measure as usize]
    }
}

/// What metrics-server says of the CPU and memory of containers that it has met for the first time: the average since they were
/// created.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FreshMetrics {
    /// The measurements; only [`Measure::Cpu`] and [`Measure::Memory`] are served.
    pub metrics: PodMetrics,
    /// Age of the containers at the scrape.
    pub window: SimDuration,
}

/// One scrape: what the metrics pipeline saw of a service at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scrape {
    /// When the measurements were taken.
    pub taken_at: SimTime,
    /// The window over which rates and CPU were averaged.
    pub window: SimDuration,
    /// Replicas that reported, in order of their ids. A replica that has not run for a whole window does not report.
    pub pods: Vec<PodMetrics>,
    /// Replicas that the resource metrics API reports after their first scrape, in order of their ids; none of them is among `pods`
    /// or in the totals.
    pub fresh: Vec<FreshMetrics>,
    /// Totals over the service, one value per [`Measure::ALL`]; attempts that met no replica count here. Of a measure that
    /// [is an average](Measure::is_average), the average.
    pub totals: [f64; Measure::COUNT],
}

/// Everything a policy may know when it decides.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// The moment of decision.
    pub now: SimTime,
    /// Replicas asked for at present (`spec.replicas` of the scale).
    pub spec_replicas: u32,
    /// Replicas that exist at present, terminating ones not counted (`status.replicas` of the scale).
    pub status_replicas: u32,
    /// The service's pods, terminating ones included, in order of their ids.
    pub pods: &'a [PodView],
    /// The newest scrape that the metrics lag allows; `None` before the first.
    pub scrape: Option<&'a Scrape>,
    /// Custom and external metrics by name: which measure each name stands for.
    pub metric_names: &'a [(String, Measure)],
    /// Measures that the metrics APIs do not answer for at present.
    pub outage: Measures,
}

impl Observation<'_> {
    /// The measure that a custom metric's name stands for: a name declared in the scenario, or the measure's own name.
    pub fn measure(&self, name: &str) -> Option<Measure> {
        measure_named(name, self.metric_names)
    }

    /// The newest scrape, if the APIs answer for every one of `measures`.
    pub fn scrape_of(&self, measures: &[Measure]) -> Option<&Scrape> {
        self.scrape.filter(|_| measures.iter().all(|measure| !self.outage.contains(*measure)))
    }

    /// How old the metrics are.
    pub fn age(&self) -> Option<SimDuration> {
        self.scrape.map(|scrape| self.now.since(scrape.taken_at))
    }
}

listed! {
    /// Why a decision came out as it did, in the vocabulary of real controllers' conditions.
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
        /// A plan made with knowledge of the trace asked for this size.
        Plan,
        /// What was learned from earlier runs asked for this size.
        Learned,
    }
}

impl ReasonCode {
    /// The code as it is written to `decisions.csv`.
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
        }
    }
}

/// A reason: the code and the figures behind it in words.
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

/// What a policy wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The number of replicas to ask for; `None` leaves everything as it is.
    pub replicas: Option<u32>,
    /// Why.
    pub reason: Reason,
}

impl Decision {
    /// Ask for `replicas`.
    pub fn scale_to(replicas: u32, reason: Reason) -> Self {
        Decision { replicas: Some(replicas), reason }
    }

    /// Leave everything as it is.
    pub fn hold(reason: Reason) -> Self {
        Decision { replicas: None, reason }
    }
}

/// What a policy knows that a controller in a real cluster could not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Foresight {
    /// Nothing: it could be run as it is.
    #[default]
    None,
    /// The trace that is going to be replayed.
    Clairvoyant,
}

/// What a policy that is trained before it is run learns.
#[derive(Debug, Clone, Copy)]
pub enum Learning<'a> {
    /// A table of steps.
    Table(&'a q_learning::Settings),
    /// The numbers of a rule.
    Search(&'a policy_search::Settings),
}

/// A scaling policy: a step function with state of its own, called once per sync period.
pub trait ScalingPolicy: Send {
    /// Time between two decisions.
    fn sync_period(&self) -> SimDuration;

    /// Decides. A returned count is applied as it is.
    fn decide(&mut self, observation: &Observation<'_>) -> Decision;

    /// What it has foretold since it was last asked, in order of time; asked after every decision. A policy that forecasts
    /// nothing has nothing to say.
    fn foretold(&mut self) -> Vec<Foretold> {
        Vec::new()
    }

    /// What its last decision compared with targets; `None` of a policy that follows none, or before it has decided.
    fn weighed(&self) -> Option<Weighed> {
        None
    }

    /// How many replicas the service starts with, given the count configured for the service.
    fn initial_replicas(&self, configured: u32) -> u32 {
        configured
    }

    /// Measures that it reads besides what every scrape holds: latencies are taken only where somebody asks for them.
    fn measures(&self) -> Measures {
        Measures::NONE
    }

    /// Makes the policy hold `factor` times what it would by itself, if it has a way of its own; `false` leaves that to what it
    /// is shown of the load (see [`with_headroom`]).
    fn set_headroom(&mut self, factor: f64) -> bool {
        let _ = factor;
        false
    }

    /// What it acts on, as (what, value), where that is more than its parameters say: thresholds with their tolerance.
    fn effective(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// The autoscaler that a cluster can run in its place, where it is one.
    fn autoscaler(&self) -> Option<&hpa::HpaSpec> {
        None
    }

    /// What there is to learn of a policy that is trained before it is run; `None` for every other.
    fn learning(&self) -> Option<Learning<'_>> {
        None
    }

    /// What the policy knows beyond the observation.
    fn foresight(&self) -> Foresight {
        Foresight::None
    }
}

/// Makes a fresh policy for each run.
pub type PolicyFactory = Arc<dyn Fn(&Prospect<'_>) -> Box<dyn ScalingPolicy> + Send + Sync>;

/// What a policy's builder may know about the scenario that the policy stands in.
#[derive(Debug, Clone, Copy)]
pub struct PolicyContext<'a> {
    /// Directory that relative paths start from: the scenario file's.
    pub base_dir: &'a Path,
    /// Name of the service (the Deployment) that the policy scales; empty where it has none.
    pub service: &'a str,
    /// What its pods ask for; `None` where that is not known.
    pub pod: Option<&'a PodSpec>,
    /// Custom metrics that the scenario declares.
    pub metric_names: &'a [(String, Measure)],
    /// Release of Kubernetes whose rules hold where a policy states none.
    pub release: Release,
    /// Policies known besides [`POLICIES`]: those that a program brings along.
    pub own: &'a [PolicyPlugin],
}

impl PolicyContext<'_> {
    /// The policy called `name`; a program's own come first.
    fn find(&self, name: &str) -> Option<&PolicyPlugin> {
        self.own.iter().chain(POLICIES).find(|policy| policy.name == name)
    }
}

/// Builds a policy from its parameters. The node is what stands under the policy's name in the scenario (null if
/// nothing does).
pub type PolicyBuilder = fn(&Node, &PolicyContext<'_>, &mut Diagnostics) -> Option<PolicyFactory>;

/// The entry of a policy in the list.
pub type PolicyPlugin = Plugin<PolicyBuilder>;

/// Every policy. To add one, write its file and add its line here.
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

/// The policy called `name`.
pub fn find(name: &str) -> Option<&'static PolicyPlugin> {
    POLICIES.iter().find(|policy| policy.name == name)
}

/// Reads one policy: a mapping with one key, the policy's name, or just that name. `label` names it in messages.
pub fn read_policy(
    node: &Node,
    label: &str,
    context: &PolicyContext<'_>,
    sink: &mut Diagnostics,
) -> Option<PolicyFactory> {
    let null = Node { value: Value::Null, ..node.clone() };
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
        let error = Node { span: place, ..node.clone() }.error(format!("`{name}` is not a policy"));
        let error = error.note(format!("known: {}", known.join(", ")));
        sink.push(match suggest(&name, known.iter().copied()) {
            Some(near) => error.label(format!("did you mean `{near}`?")),
            None => error,
        });
        return None;
    };
    (plugin.build)(parameters, context, sink)
}
