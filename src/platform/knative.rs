//! The platform of a Knative Service: the activator holds requests that find no free slot, containers have a hard limit of
//! requests, and the autoscaler may go down to zero. How many replicas there are is the policy's business (`knative`).

use std::sync::Arc;

use super::deployment::Deployment;
use super::on_demand::{at_least_one, dispatcher, opened};
use super::{Candidate, Crowd, Form, Ingress, Order, Platform, PlatformFactory, PlatformPlugin, Reply, Stated};
use crate::cluster::Replica;
use crate::config::{Diagnostics, Fields, Plugin, Yaml};
use crate::policy::{Reason, ReasonCode};
use crate::units::{SimDuration, SimTime};

/// The entry in the list of platforms.
pub(super) const PLUGIN: PlatformPlugin = Plugin {
    name: "knative",
    summary: "a Knative Service: an activator holds requests that find no free slot, the policy may scale to zero",
    source: "Knative Serving 1.20: activator, queue-proxy, containerConcurrency, revision time-out 5 min",
    build: read,
};

/// Requests that the activator holds for one revision.
const HOLD: u32 = 10_000;

fn read(parameters: &Yaml, sink: &mut Diagnostics) -> Option<Stated> {
    let node = opened(parameters);
    let fields = Fields::open(&node, PLUGIN.name, sink)?;
    let slots: u32 = fields.or("container-concurrency", 0, sink);
    let hold = at_least_one(&fields, "hold", HOLD, sink);
    let hold_for = fields.or("timeout", SimDuration::from_secs(300), sink);
    fields.finish(sink);
    let factory: PlatformFactory = Arc::new(move || Box::new(Knative { slots, hold, hold_for }));
    let form = Form {
        // Zero is no limit upstream.
        concurrency: Some(if slots == 0 { u32::MAX } else { slots }),
        dispatch: Some(dispatcher("least-loaded")),
        ..Form::default()
    };
    Some(Stated { factory, form })
}

#[derive(Debug)]
struct Knative {
    slots: u32,
    hold: u32,
    hold_for: SimDuration,
}

impl Platform for Knative {
    fn ingress(&self) -> Ingress {
        Ingress::Pull { requests: self.hold, longest: self.hold_for }
    }

    /// The activator's first request to a revision without replicas makes the autoscaler order one.
    fn no_slot(&mut self, crowd: Crowd, _now: SimTime) -> Reply {
        match crowd.replicas {
            0 => Reply::Order(Order {
                replicas: 1,
                reason: Reason::new(ReasonCode::Activated, "a request waits for a replica"),
            }),
            _ => Reply::Wait,
        }
    }

    fn removal_order(&self, candidates: &mut [Candidate<'_>]) {
        Deployment.removal_order(candidates);
    }

    fn crashed(&self, replica: &mut Replica, now: SimTime) -> SimDuration {
        Deployment.crashed(replica, now)
    }

    fn words(&self, name: &str) -> Option<String> {
        let each = match self.slots {
            0 => "any number of requests".to_string(),
            slots => format!("{slots} requests"),
        };
        Some(format!(
            "{name} is a Knative Service: a container takes {each} at once, up to {} more wait at the activator, each for up to {}; a \
             request that finds no container makes the first one start. The policy may scale to zero.",
            self.hold, self.hold_for
        ))
    }
}
