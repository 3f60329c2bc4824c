//! `static`: a fixed number of replicas, the baseline for every other policy.

use std::sync::Arc;

use super::{Decision, Observation, PolicyContext, PolicyFactory, PolicyPlugin, Reason, ReasonCode, ScalingPolicy};
use crate::config::{Diagnostics, Fields, Yaml};
use crate::units::SimDuration;

/// The entry in the list of policies. Parameters: `replicas` (required), the number of replicas.
pub const PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "static",
    summary: "a fixed number of replicas: `{ replicas: 12 }`",
    source: "no algorithm",
    build,
};

/// Always the same number of replicas.
#[derive(Debug, Clone, Copy)]
pub struct StaticSize {
    replicas: u32,
}

impl StaticSize {
    /// Creates a policy with `replicas` replicas.
    pub fn new(replicas: u32) -> Self {
        StaticSize { replicas }
    }
}

impl ScalingPolicy for StaticSize {
    /// One hour; the decision never changes.
    fn sync_period(&self) -> SimDuration {
        SimDuration::from_secs(3600)
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        let reason = Reason::new(ReasonCode::Fixed, format!("fixed at {}", self.replicas));
        let set = observation.desired == self.replicas;
        if set { Decision::hold(reason) } else { Decision::scale_to(self.replicas, reason) }
    }

    fn set_headroom(&mut self, factor: f64) -> bool {
        self.replicas = (f64::from(self.replicas) * factor).ceil() as u32;
        true
    }

    fn initial_replicas(&self, _configured: u32) -> u32 {
        self.replicas
    }
}

fn build(node: &Yaml, _context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Option<PolicyFactory> {
    let fields = Fields::open(node, "policy `static`", sink)?;
    let replicas: Option<u32> = fields.required("replicas", sink);
    fields.finish(sink);
    let replicas = replicas?;
    Some(Arc::new(move |_| Box::new(StaticSize::new(replicas))))
}
