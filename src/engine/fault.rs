//! Faults that a scenario plans.

use crate::policy::Measures;
use crate::units::{SimDuration, SimTime};

/// A zone that is lost for a while: every replica in it is killed at once, with the requests that it holds, and none is placed
/// there until the zone is back. The service's controller replaces what is missing at once, elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneOutage {
    /// Number of the zone among the scenario's.
    pub zone: u32,
    /// When it is lost.
    pub at: SimTime,
    /// For how long.
    pub length: SimDuration,
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
    /// How many outages each zone is in: they may overlap.
    lost: Vec<u32>,
}

impl Zones {
    pub(super) fn new(count: usize) -> Self {
        Zones { lost: vec![0; count] }
    }

    /// Notes that an outage of a zone begins; `true` if the zone was there before.
    pub(super) fn lose(&mut self, zone: u32) -> bool {
        self.lost[zone as usize] += 1;
        self.lost[zone as usize] == 1
    }

    /// Notes that an outage of a zone ends; `true` if the zone is there again.
    pub(super) fn regain(&mut self, zone: u32) -> bool {
        self.lost[zone as usize] -= 1;
        self.lost[zone as usize] == 0
    }

    /// The zone for a further replica, given how many are in each: the one with the fewest, of equals the first, as Kubernetes'
    /// default topology spread prefers. `None` if no zone is left; zone 0 where zones are not modelled.
    pub(super) fn emptiest(&self, present: &[u32]) -> Option<u32> {
        if self.lost.is_empty() {
            return Some(0);
        }
        let there = (0u32..).zip(&self.lost).filter(|(_, lost)| **lost == 0).map(|(zone, _)| zone);
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
        assert_eq!((zones.lose(2), zones.lose(2)), (true, false));
        assert_eq!(zones.emptiest(&[2, 1]), Some(1));
        assert_eq!((zones.regain(2), zones.regain(2)), (false, true));
        assert!(zones.lose(0) && zones.lose(1) && zones.lose(2));
        assert_eq!(zones.emptiest(&[]), None);
        assert_eq!(Zones::default().emptiest(&[2]), Some(0));
    }
}
