//! The trait of a scaling policy, and of what training can set in one.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use super::decision::{Decision, Foresight};
use super::forecasts::ForecastPoint;
use super::hpa::HpaSpec;
use super::measure::Measures;
use super::observation::Observation;
use super::prospect::Prospect;
use super::weighed::Weighed;
use crate::units::SimDuration;

/// What training can set in a policy: usually its settings. Each kind of training recognizes the type that it can
/// improve; the trait and the list of policies know none of them.
pub trait Trainable: Any + Debug {}

impl dyn Trainable {
    /// The settings, if they are a `T`.
    pub fn settings<T: Trainable>(&self) -> Option<&T> {
        let any: &dyn Any = self;
        any.downcast_ref()
    }
}

/// A scaling policy: a stateful step function, called once per sync period.
pub trait ScalingPolicy: Send {
    /// Time between two decisions.
    fn sync_period(&self) -> SimDuration;

    /// Makes a decision. A returned size is applied as it is.
    fn decide(&mut self, observation: &Observation<'_>) -> Decision;

    /// The forecasts made since the last call, in order of time. Called after every decision; empty for a policy that
    /// does not forecast.
    #[doc(hidden)]
    fn forecasts(&mut self) -> Vec<ForecastPoint> {
        Vec::new()
    }

    /// What its last decision compared with targets; `None` if the policy has no targets or has not decided yet.
    #[doc(hidden)]
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
    /// implementation of its own; the load it observes is scaled instead (see [`with_headroom`](super::with_headroom)).
    #[doc(hidden)]
    fn set_headroom(&mut self, factor: f64) -> bool {
        let _ = factor;
        false
    }

    /// Effective thresholds, as (name, value), if they differ from the parameters, such as targets with tolerance.
    #[doc(hidden)]
    fn effective(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Share by which a metric must exceed its target before an autoscaler scales up; `None` for any other policy.
    #[doc(hidden)]
    fn scale_up_tolerance(&self) -> Option<f64> {
        None
    }

    /// The equivalent autoscaler that a cluster can run, if there is one.
    #[doc(hidden)]
    fn autoscaler(&self) -> Option<&HpaSpec> {
        None
    }

    /// What training can set in the policy; `None` if nothing can be trained.
    #[doc(hidden)]
    fn trainable(&self) -> Option<&(dyn Trainable + 'static)> {
        None
    }

    /// What the policy knows beyond the observation.
    #[doc(hidden)]
    fn foresight(&self) -> Foresight {
        Foresight::None
    }
}

/// Creates a new policy for each run.
pub type PolicyFactory = Arc<dyn Fn(&Prospect<'_>) -> Box<dyn ScalingPolicy> + Send + Sync>;
