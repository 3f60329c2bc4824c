//! Faults that a scenario plans.

use crate::policy::Measures;
use crate::units::{SimDuration, SimTime};

/// A zone that is lost for a while, machines and all. Its replicas answer nothing from that moment on, but the control plane sees
/// only nodes that are silent, and acts on it by and by, see [`LostNodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneOutage {
    /// Number of the zone among the scenario's.
    pub zone: u32,
    /// When it is lost.
    pub at: SimTime,
    /// For how long.
    pub length: SimDuration,
    /// How the control plane goes about its nodes.
    pub response: LostNodes,
}

/// How long the control plane waits for nodes that have fallen silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostNodes {
    /// Until a silent node counts as not ready (kube-controller-manager's `--node-monitor-grace-period`): its pods leave the
    /// endpoints of their services, and the scheduler puts no more there. Until then requests are sent to them and hang.
    pub noticed_after: SimDuration,
    /// From then until its pods are evicted and replaced elsewhere (`tolerationSeconds` of `node.kubernetes.io/unreachable`, which
    /// the API server gives to every pod that states none).
    pub evicted_after: SimDuration,
}

impl Default for LostNodes {
    /// Kubernetes' own defaults: 40 s (50 s since 1.32) and 300 s.
    fn default() -> Self {
        LostNodes { noticed_after: SimDuration::from_secs(40), evicted_after: SimDuration::from_secs(300) }
    }
}

/// A time in which the metrics APIs do not answer: nothing that is measured meanwhile is shown, and from its end on the newest
/// scrape is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricsOutage {
    /// What they do not answer for.
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

/// One zone now.
#[derive(Debug, Clone, Copy, Default)]
struct ZoneState {
    /// How many outages it is in: they may overlap.
    outages: u32,
    /// Whether the control plane knows.
    noticed: bool,
    /// Counts how often it was lost; what was planned for an earlier time is overtaken.
    episode: u32,
}

impl Zones {
    pub(super) fn new(count: usize) -> Self {
        Zones { states: vec![ZoneState::default(); count] }
    }

    /// Notes that an outage of a zone begins; the number of the episode if the zone was there before.
    pub(super) fn lose(&mut self, zone: u32) -> Option<u32> {
        let state = &mut self.states[zone as usize];
        state.outages += 1;
        (state.outages == 1).then(|| {
            state.episode += 1;
            state.episode
        })
    }

    /// Notes that an outage of a zone ends; `true` if the zone is there again.
    pub(super) fn regain(&mut self, zone: u32) -> bool {
        let state = &mut self.states[zone as usize];
        state.outages -= 1;
        if state.outages == 0 {
            state.noticed = false;
        }
        state.outages == 0
    }

    /// Notes that the control plane knows of the loss, if the zone is still lost since the same moment.
    pub(super) fn notice(&mut self, zone: u32, episode: u32) -> bool {
        let is_on = self.is_in(zone, episode);
        self.states[zone as usize].noticed |= is_on;
        is_on
    }

    /// Whether a zone is in the loss that has the number `episode`.
    pub(super) fn is_in(&self, zone: u32, episode: u32) -> bool {
        let state = self.states[zone as usize];
        state.outages > 0 && state.episode == episode
    }

    /// Whether a zone's machines are gone, known or not.
    pub(super) fn is_lost(&self, zone: u32) -> bool {
        self.states.get(zone as usize).is_some_and(|state| state.outages > 0)
    }

    /// The zone for a further replica, given how many are in each: the one with the fewest, of equals the first, as Kubernetes'
    /// default topology spread prefers; one whose loss has not been noticed is among them. `None` if no zone is left; zone 0 where
    /// zones are not modelled.
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
