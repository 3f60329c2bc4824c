//! A Kubernetes Deployment: the kubelet restarts crashed containers in place, and a shrinking ReplicaSet removes its least
//! valuable pods first.

use std::sync::Arc;

use super::{Candidate, Platform, PlatformFactory, PlatformPlugin, Stated};
use crate::cluster::Replica;
use crate::config::{Diagnostics, Plugin, Yaml};
use crate::units::{SimDuration, SimTime};

/// The entry in the list of platforms.
pub(super) const PLUGIN: PlatformPlugin = Plugin {
    name: "deployment",
    summary: "a Kubernetes Deployment: requests that find no ready replica are rejected, crashed containers restart in place",
    source: "Kubernetes: ActivePodsWithRanks, the kubelet's crash back-off",
    build: read,
};

fn read(parameters: &Yaml, sink: &mut Diagnostics) -> Option<Stated> {
    if !parameters.is_null() {
        let error = parameters.error("`deployment` has no parameters");
        sink.push(error.help("replicas, resources and the grace period are fields of the service"));
        return None;
    }
    let factory: PlatformFactory = Arc::new(|| Box::new(Deployment));
    Some(factory.into())
}

/// A Deployment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deployment;

impl Platform for Deployment {
    fn removal_order(&self, candidates: &mut [Candidate<'_>]) {
        candidates.sort_by_key(|candidate| candidate.replica.removal_key(candidate.together));
    }

    fn crashed(&self, replica: &mut Replica, now: SimTime) -> SimDuration {
        replica.back_off.ended(now)
    }
}
