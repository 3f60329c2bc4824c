//! A Deployment that is scaled to zero when nobody asks for it, behind an ingress that holds requests until a replica is
//! ready again, as KEDA's HTTP add-on and the activator of Knative do.

use std::sync::Arc;

use super::deployment::Deployment;
use super::{Activity, Candidate, Ingress, Order, Platform, PlatformFactory, PlatformPlugin, Stated};
use crate::cluster::Replica;
use crate::config::{Diagnostics, Fields, Plugin, Value, Yaml};
use crate::policy::{Reason, ReasonCode};
use crate::units::{SimDuration, SimTime};

/// The entry in the list of platforms.
pub(super) const PLUGIN: PlatformPlugin = Plugin {
    name: "scale-to-zero",
    summary: "a Deployment behind an ingress that holds requests: scaled to zero without traffic, started by the first request",
    source: "KEDA: polling interval 30 s, cooldown 5 min; Knative: revision time-out 5 min",
    build: read,
};

/// When a Deployment is scaled to zero, and which requests wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zero {
    /// How long there is no request before it is scaled to zero.
    pub idle: SimDuration,
    /// The time between two looks at the traffic.
    pub check_every: SimDuration,
    /// Maximum number of requests that are held.
    pub hold: u32,
    /// How long a request is held before it is rejected.
    pub hold_for: SimDuration,
}

impl Default for Zero {
    fn default() -> Self {
        Zero {
            idle: SimDuration::from_secs(300),
            check_every: SimDuration::from_secs(30),
            hold: 1_000,
            hold_for: SimDuration::from_secs(300),
        }
    }
}

fn read(parameters: &Yaml, sink: &mut Diagnostics) -> Option<Stated> {
    let default = Zero::default();
    let stated = match parameters.value {
        Value::Null => default,
        _ => {
            let fields = Fields::open(parameters, PLUGIN.name, sink)?;
            let stated = Zero {
                idle: fields.or("idle", default.idle, sink),
                check_every: fields.or("check-every", default.check_every, sink),
                hold: fields.or("hold", default.hold, sink),
                hold_for: fields.or("hold-for", default.hold_for, sink),
            };
            if stated.check_every.is_zero() {
                sink.push(
                    fields.node_of("check-every")?.error("`check-every` must be above zero").help("for example `30s`"),
                );
            }
            fields.finish(sink);
            stated
        }
    };
    let factory: PlatformFactory = Arc::new(move || {
        Box::new(ScaleToZero { stated, deployment: Deployment, active: SimTime::ZERO, asleep: false })
    });
    Some(factory.into())
}

/// A Deployment that may be scaled to zero.
#[derive(Debug)]
struct ScaleToZero {
    stated: Zero,
    deployment: Deployment,
    /// The last review that saw traffic.
    active: SimTime,
    /// Whether it is scaled to zero, so that no policy has a say.
    asleep: bool,
}

impl Platform for ScaleToZero {
    fn ingress(&self) -> Ingress {
        Ingress::Hold { requests: self.stated.hold, longest: self.stated.hold_for }
    }

    /// Between zero and one only the platform decides.
    fn size(&self, wanted: u32) -> u32 {
        if self.asleep { 0 } else { wanted.max(1) }
    }

    fn starved(&mut self, size: u32, now: SimTime) -> Option<Order> {
        self.active = now;
        if size > 0 {
            return None;
        }
        self.asleep = false;
        Some(Order { replicas: 1, reason: Reason::new(ReasonCode::Activated, "a request waits for a replica") })
    }

    fn review_period(&self) -> Option<SimDuration> {
        Some(self.stated.check_every)
    }

    fn review(&mut self, activity: Activity, now: SimTime) -> Option<Order> {
        if activity.arrived > 0 || activity.present > 0 {
            self.active = now;
            return None;
        }
        let idle = now.since(self.active);
        if self.asleep || idle < self.stated.idle {
            return None;
        }
        self.asleep = true;
        Some(Order { replicas: 0, reason: Reason::new(ReasonCode::Idle, format!("no request for {idle}")) })
    }

    fn removal_order(&self, candidates: &mut [Candidate<'_>]) {
        self.deployment.removal_order(candidates);
    }

    fn crashed(&self, replica: &mut Replica, now: SimTime) -> SimDuration {
        self.deployment.crashed(replica, now)
    }

    fn words(&self, name: &str) -> Option<String> {
        let Zero { idle, check_every, hold, hold_for } = self.stated;
        Some(format!(
            "{name} is scaled to zero after {idle} without requests (looked at every {check_every}). Up to {hold} requests wait for a \
             replica, each for up to {hold_for}; others are rejected. The first of them starts one replica, whatever the policy."
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform() -> ScaleToZero {
        let stated = Zero { idle: SimDuration::from_secs(60), ..Zero::default() };
        ScaleToZero { stated, deployment: Deployment, active: SimTime::ZERO, asleep: false }
    }

    fn activity(arrived: u64, present: u64) -> Activity {
        Activity { arrived, present }
    }

    #[test]
    fn it_sleeps_after_the_idle_time_and_wakes_for_a_request() {
        let mut platform = platform();
        let at = SimTime::from_secs;
        let replicas = |order: Option<Order>| order.map(|order| order.replicas);
        assert_eq!(platform.review(activity(5, 0), at(30)), None);
        // A request that is still served is traffic, even if none has arrived.
        assert_eq!(platform.review(activity(0, 1), at(60)), None);
        assert_eq!(platform.review(activity(0, 0), at(90)), None);
        assert_eq!(replicas(platform.review(activity(0, 0), at(120))), Some(0));
        assert_eq!(platform.review(activity(0, 0), at(150)), None);
        // No policy wakes it.
        assert_eq!(platform.size(4), 0);
        assert_eq!(replicas(platform.starved(0, at(170))), Some(1));
        assert_eq!((platform.size(4), platform.size(0)), (4, 1));
        // While replicas start, nothing more is ordered.
        assert_eq!(platform.starved(1, at(171)), None);
    }

    #[test]
    fn without_an_idle_time_it_stays_up_as_long_as_there_is_traffic() {
        let mut platform = platform();
        platform.stated.idle = SimDuration::ZERO;
        assert_eq!(platform.review(activity(0, 1), SimTime::from_secs(30)), None);
        assert!(platform.review(activity(0, 0), SimTime::from_secs(60)).is_some());
    }
}
