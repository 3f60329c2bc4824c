//! Planned faults.

use crate::policy::Measures;
use crate::units::{SimDuration, SimTime};

/// A zone with all its machines is lost for some time. Its replicas stop responding at once, but the control plane only
/// sees nodes that have gone silent and reacts with the delays in [`LostNodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneOutage {
    /// Index of the zone in the scenario.
    pub zone: u32,
    /// When it is lost.
    pub at: SimTime,
    /// For how long.
    pub length: SimDuration,
    /// How the control plane reacts.
    pub response: LostNodes,
}

/// How long the control plane waits before it acts on nodes that have gone silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostNodes {
    /// Delay until a silent node is marked not ready (`--node-monitor-grace-period` of kube-controller-manager). From
    /// then on its pods are out of their services' endpoints and no new pods are scheduled on it. Until then, requests
    /// are still sent to the pods, and hang.
    pub noticed_after: SimDuration,
    /// Delay from then until the pods are evicted and replaced elsewhere (`tolerationSeconds` of
    /// `node.kubernetes.io/unreachable`, which the API server adds to pods that do not state it).
    pub evicted_after: SimDuration,
}

impl Default for LostNodes {
    /// Kubernetes' defaults: 40 s (50 s since 1.32) and 300 s.
    fn default() -> Self {
        LostNodes { noticed_after: SimDuration::from_secs(40), evicted_after: SimDuration::from_secs(300) }
    }
}

/// A period in which the metrics APIs do not answer. Scrapes taken meanwhile are not visible; when it ends, the newest
/// one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricsOutage {
    /// The metrics that are missing.
    pub of: Measures,
    /// From when.
    pub from: SimTime,
    /// For how long.
    pub length: SimDuration,
}

/// The zones of a run and which of them are lost.
#[derive(Debug, Default)]
pub(super) struct Zones {
    states: Vec<ZoneState>,
}

/// The state of one zone.
#[derive(Debug, Clone, Copy, Default)]
struct ZoneState {
    /// Number of outages in progress; outages may overlap.
    outages: u32,
    /// Whether the control plane has noticed.
    noticed: bool,
    /// How often the zone was lost. Control events of an earlier episode are stale.
    episode: u32,
}

impl Zones {
    pub(super) fn new(count: usize) -> Self {
        Zones { states: vec![ZoneState::default(); count] }
    }

    /// Begins an outage of a zone. Returns the episode number if the zone was up before.
    pub(super) fn lose(&mut self, zone: u32) -> Option<u32> {
        let state = &mut self.states[zone as usize];
        state.outages += 1;
        (state.outages == 1).then(|| {
            state.episode += 1;
            state.episode
        })
    }

    /// Ends an outage of a zone. Returns `true` if the zone is up again.
    pub(super) fn regain(&mut self, zone: u32) -> bool {
        let state = &mut self.states[zone as usize];
        state.outages -= 1;
        if state.outages == 0 {
            state.noticed = false;
        }
        state.outages == 0
    }

    /// The control plane notices the loss. Returns `false` if the zone has recovered since `episode` began.
    pub(super) fn notice(&mut self, zone: u32, episode: u32) -> bool {
        let is_on = self.is_in(zone, episode);
        self.states[zone as usize].noticed |= is_on;
        is_on
    }

    /// Whether a zone is still in loss number `episode`.
    pub(super) fn is_in(&self, zone: u32, episode: u32) -> bool {
        let state = self.states[zone as usize];
        state.outages > 0 && state.episode == episode
    }

    /// Whether a zone's machines are lost, noticed or not.
    pub(super) fn is_lost(&self, zone: u32) -> bool {
        self.states.get(zone as usize).is_some_and(|state| state.outages > 0)
    }

    /// Whether the control plane knows that a zone is lost.
    pub(super) fn is_noticed(&self, zone: u32) -> bool {
        self.states.get(zone as usize).is_some_and(|state| state.noticed)
    }

    /// The zone for a new replica, given the number of replicas in each: the one with the fewest (the first among
    /// equals), like Kubernetes' default topology spread. Zones whose loss has not been noticed are still candidates.
    /// `None` if no zone is left; zone 0 if zones are not modelled.
    pub(super) fn emptiest(&self, present: &[u32]) -> Option<u32> {
        if self.states.is_empty() {
            return Some(0);
        }
        let there = (0u32..).zip(&self.states).filter(|(_, state)| !state.noticed).map(|(zone, _)| zone);
        there.min_by_key(|zone| present.get(*zone as usize).copied().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outages_may_overlap_and_the_emptiest_zone_is_next() {
        let mut zones = Zones::new(3);
        assert_eq!(zones.emptiest(&[2, 1]), Some(2));
        assert_eq!((zones.lose(2), zones.lose(2)), (Some(1), None));
        assert_eq!((zones.emptiest(&[2, 1]), zones.is_lost(2)), (Some(2), true), "nobody knows yet");
        assert!(zones.notice(2, 1) && !zones.notice(2, 0));
        assert_eq!(zones.emptiest(&[2, 1]), Some(1));
        assert_eq!((zones.regain(2), zones.regain(2)), (false, true));
        assert!(!zones.notice(2, 1), "it is back");
        assert_eq!(zones.emptiest(&[2, 1]), Some(2));
        let episodes = [0, 1, 2].map(|zone| zones.lose(zone));
        assert_eq!(episodes, [Some(1), Some(1), Some(2)]);
        assert!(!zones.is_in(2, 1) && zones.is_in(2, 2));
        assert!(zones.notice(0, 1) && zones.notice(1, 1) && zones.notice(2, 2));
        assert_eq!(zones.emptiest(&[]), None);
        assert_eq!(Zones::default().emptiest(&[2]), Some(0));
    }
}
