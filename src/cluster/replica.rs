//! A replica of a service and its life cycle.

use std::cmp::Reverse;

use crate::billing::LeaseId;
use crate::units::{SimDuration, SimTime};

/// The phase of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplicaPhase {
    /// Created; no node has room yet.
    Pending,
    /// Assigned to a node, and about to be accepted by the kubelet.
    Scheduling,
    /// The image is being pulled.
    Pulling,
    /// The containers are starting.
    Starting,
    /// Running, but not ready yet.
    Warming,
    /// Ready to serve requests.
    Ready,
    /// Its machine is lost; the pod remains until it is evicted or the machine recovers.
    Lost,
    /// Terminating: finishes its requests and gets no new ones.
    Draining,
    /// Ended.
    Ended,
}

/// A replica without its requests, which the engine's lane holds under the replica's seat.
#[derive(Debug, Clone)]
pub struct Replica {
    /// Index among all replicas ever started for the service, from 0. Random numbers are keyed by it.
    pub id: u32,
    /// Seat of its requests in the lane, once it is ready.
    pub seat: Option<u32>,
    /// Phase.
    pub phase: ReplicaPhase,
    /// The node it is on.
    pub node: Option<u32>,
    /// The zone it is in, once placed.
    pub zone: Option<u32>,
    /// Creation time.
    pub created: SimTime,
    /// When the kubelet accepted it.
    pub accepted: Option<SimTime>,
    /// When its containers last started.
    pub running_since: Option<SimTime>,
    /// Whether it is in the endpoints and gets requests: it is ready, or lost without having been noticed.
    pub is_listed: bool,
    /// Last transition between ready and not ready; `None` if it has never been ready.
    pub ready_transition: Option<SimTime>,
    /// Delays until the next phases: accepted by the kubelet, image pulled, containers started, ready.
    pub delays: [SimDuration; 4],
    /// When it first became ready since its containers started.
    pub became_ready: Option<SimTime>,
    /// Whether it uses start-up CPU; not if it was ready at the beginning of the run.
    pub burns: bool,
    /// Whether it was started for requests, beyond the desired size.
    pub extra: bool,
    /// Version of the service, from 0.
    pub version: u32,
    /// Number of crashes.
    pub crashes: u32,
    /// Back-off before its containers restart.
    pub back_off: super::BackOff,
    /// Incremented with each phase; events scheduled in an earlier generation are stale.
    pub generation: u32,
    /// Its lease, if replicas are leased.
    pub lease: Option<LeaseId>,
}

impl Replica {
    /// Creates a replica.
    pub fn new(id: u32, now: SimTime) -> Self {
        Replica {
            id,
            seat: None,
            phase: ReplicaPhase::Pending,
            node: None,
            zone: None,
            created: now,
            accepted: None,
            is_listed: false,
            running_since: None,
            ready_transition: None,
            became_ready: None,
            burns: true,
            extra: false,
            version: 0,
            delays: [SimDuration::ZERO; 4],
            crashes: 0,
            back_off: super::BackOff::default(),
            generation: 0,
            lease: None,
        }
    }

    /// Enters `phase` at `now`.
    pub fn enter(&mut self, phase: ReplicaPhase, now: SimTime) {
        if phase == ReplicaPhase::Warming {
            self.running_since = Some(now);
            self.became_ready = None;
        }
        if phase == ReplicaPhase::Ready {
            self.became_ready = self.became_ready.or(Some(now));
        }
        // The Ready condition is false from the kubelet's first status on. An update that leaves it false keeps the
        // time of its last transition (kubernetes `status_manager.updateLastTransitionTime`).
        let listed = phase == ReplicaPhase::Ready || (phase == ReplicaPhase::Lost && self.is_listed);
        self.list(listed, now);
        self.phase = phase;
        self.generation += 1;
    }

    /// Adds it to the endpoints, or removes it, at `now`.
    pub fn list(&mut self, listed: bool, now: SimTime) {
        if listed != self.is_listed {
            self.ready_transition = Some(now);
        }
        self.is_listed = listed;
    }

    /// Whether it counts towards the desired size: neither draining nor ended.
    pub fn is_active(&self) -> bool {
        !matches!(self.phase, ReplicaPhase::Draining | ReplicaPhase::Ended)
    }

    /// The order in which a shrinking service removes replicas, least valuable first: without a node, then not yet
    /// running, then running but not ready, then ready. Among equals, the replica whose node has the most active
    /// replicas of the service (`together`) goes first, then the one that became ready last, then the one that crashed
    /// more often, then the newest (following Kubernetes' `ActivePodsWithRanks`, without deletion costs).
    ///
    /// Since 1.22 Kubernetes compares the time that pods have been ready only by powers of two (`LogarithmicScaleDown`)
    /// and breaks ties by random UIDs. Newest first is one of the possible orders.
    pub fn removal_key(&self, together: u32) -> impl Ord + use<> {
        let (class, ready_since) = match self.phase {
            ReplicaPhase::Pending => (0, None),
            _ if self.is_listed => (3, self.ready_transition),
            ReplicaPhase::Warming => (2, None),
            ReplicaPhase::Lost => (1 + u8::from(self.running_since.is_some()), None),
            // The pod stays in phase Running while containers restart.
            _ => (1 + u8::from(self.crashes > 0), None),
        };
        (class, Reverse((together, ready_since, self.crashes, self.id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readiness_changes_when_its_status_does() {
        use ReplicaPhase::{Draining, Pulling, Ready, Scheduling, Starting, Warming};
        let mut replica = Replica::new(0, SimTime::ZERO);
        let mut told = Vec::new();
        let life = [Scheduling, Pulling, Starting, Warming, Ready, Starting, Warming, Ready, Draining];
        for (phase, second) in life.into_iter().zip(1..) {
            replica.enter(phase, SimTime::from_secs(second));
            told.push(replica.ready_transition.map_or(0, |at| at.as_nanos() / 1_000_000_000));
        }
        assert_eq!(told, [0, 0, 0, 0, 5, 6, 6, 8, 9]);
    }

    #[test]
    fn the_least_valuable_goes_first() {
        let replica = |id, phase, ready_transition| {
            let is_listed = phase == ReplicaPhase::Ready;
            Replica { phase, is_listed, ready_transition, ..Replica::new(id, SimTime::ZERO) }
        };
        let old = replica(0, ReplicaPhase::Ready, Some(SimTime::from_secs(1)));
        let new = replica(1, ReplicaPhase::Ready, Some(SimTime::from_secs(9)));
        let crashed = Replica { crashes: 1, ..replica(2, ReplicaPhase::Starting, Some(SimTime::from_secs(12))) };
        let warming = replica(3, ReplicaPhase::Warming, Some(SimTime::from_secs(10)));
        let starting = replica(4, ReplicaPhase::Starting, None);
        let pending = replica(5, ReplicaPhase::Pending, None);
        let mut order = [&old, &new, &crashed, &warming, &starting, &pending];
        order.sort_by_key(|r| r.removal_key(0));
        assert_eq!(order.map(|r| r.id), [5, 4, 2, 3, 1, 0]);
        // Sharing a node weighs more than being new, and less than being ready.
        order.sort_by_key(|r| r.removal_key(u32::from(matches!(r.id, 0 | 3))));
        assert_eq!(order.map(|r| r.id), [5, 4, 3, 2, 0, 1]);
    }
}
