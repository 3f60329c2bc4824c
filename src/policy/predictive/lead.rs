//! The time from order to readiness of a replica, learned from observed start-ups.

use std::collections::{BTreeMap, VecDeque};

use crate::policy::Observation;
use crate::units::{SimDuration, SimTime};

/// The lead assumed until a start-up was observed.
const UNKNOWN: SimDuration = SimDuration::from_secs(120);
/// The number of start-ups kept.
const REMEMBERED: usize = 50;
/// The quantile of start-up times used as the estimate.
const SHARE: f64 = 0.9;

/// The lead: given, or the 90% quantile (nearest rank) of the last fifty start-ups.
#[derive(Debug, Clone)]
pub(super) struct Lead {
    given: Option<SimDuration>,
    /// Time of the previous decision.
    before: Option<SimTime>,
    /// When each replica that is not ready yet was ordered: at the decision before it was first seen.
    ordered: BTreeMap<u32, Option<SimTime>>,
    seen: VecDeque<SimDuration>,
}

impl Lead {
    pub(super) fn new(given: Option<SimDuration>) -> Self {
        Lead { given, before: None, ordered: BTreeMap::new(), seen: VecDeque::new() }
    }

    /// Looks for replicas that have become ready.
    pub(super) fn see(&mut self, observation: &Observation<'_>) {
        if self.given.is_some() {
            return;
        }
        self.ordered.retain(|id, _| observation.replicas.iter().any(|replica| replica.id == *id));
        for replica in observation.replicas {
            // It is unknown when the replicas seen at the first decision were ordered.
            let ordered = self.ordered.entry(replica.id).or_insert(self.before);
            if let (Some(order), Some(ready)) = (*ordered, replica.ready_since())
                && ready >= order
            {
                self.seen.push_back(ready.since(order));
                *ordered = None;
            }
        }
        while self.seen.len() > REMEMBERED {
            self.seen.pop_front();
        }
        self.before = Some(observation.now);
    }

    /// The current estimate of the lead.
    pub(super) fn get(&self) -> SimDuration {
        let mut sorted: Vec<SimDuration> = self.seen.iter().copied().collect();
        sorted.sort_unstable();
        let rank = (SHARE * sorted.len() as f64).ceil() as usize;
        self.given.or(rank.checked_sub(1).and_then(|rank| sorted.get(rank).copied())).unwrap_or(UNKNOWN)
    }
}
