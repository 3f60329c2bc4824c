//! Rollouts: how a Deployment replaces its replicas with those of a new version, and how it scales meanwhile.
//!
//! The rules are those of the Deployment controller (kubernetes `pkg/controller/deployment`: `rolling.go`,
//! `recreate.go`, `sync.go` and `util/deployment_util.go`). It keeps one replica set per version and changes the sizes
//! of the sets; a set has its pods at once, ready or not. PodDisruptionBudgets are not involved: they limit evictions,
//! while a rollout deletes pods.

use crate::units::{SimDuration, SimTime};

/// A number of replicas, or a percentage of the size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Replicas.
    Replicas(u32),
    /// Percentage.
    Percent(u32),
}

impl Share {
    /// The number for `size` replicas, rounded up.
    fn up(self, size: u32) -> u32 {
        match self {
            Share::Replicas(replicas) => replicas,
            Share::Percent(percent) => {
                (u64::from(percent) * u64::from(size)).div_ceil(100).min(u64::from(u32::MAX)) as u32
            }
        }
    }

    /// The number for `size` replicas, rounded down.
    fn down(self, size: u32) -> u32 {
        match self {
            Share::Replicas(replicas) => replicas,
            Share::Percent(percent) => (u64::from(percent) * u64::from(size) / 100).min(u64::from(u32::MAX)) as u32,
        }
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Share::Replicas(replicas) => write!(f, "{replicas}"),
            Share::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// How old replicas are replaced by new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateStrategy {
    /// Gradually.
    RollingUpdate {
        /// Maximum number above the size.
        surge: Share,
        /// Maximum number of unavailable replicas.
        unavailable: Share,
    },
    /// All old replicas end before any new one is created.
    Recreate,
}

impl Default for UpdateStrategy {
    /// The API server's default: 25% each.
    fn default() -> Self {
        UpdateStrategy::RollingUpdate { surge: Share::Percent(25), unavailable: Share::Percent(25) }
    }
}

impl UpdateStrategy {
    /// Maximum surge and maximum unavailable replicas for a size of `desired` (`ResolveFenceposts`: both are rounded to
    /// the safe side, and if both are zero, one replica may be unavailable).
    fn fenceposts(self, desired: u32) -> (u32, u32) {
        let UpdateStrategy::RollingUpdate { surge, unavailable } = self else { return (0, 0) };
        match (surge.up(desired), unavailable.down(desired)) {
            (0, 0) => (0, 1),
            both => both,
        }
    }

    /// The maximum number of replicas for a size of `desired`.
    fn most(self, desired: u32) -> u32 {
        if desired == 0 { 0 } else { desired.saturating_add(self.fenceposts(desired).0) }
    }
}

/// How and when a service is updated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UpdateSpec {
    /// The strategy for rollouts that do not state one.
    pub strategy: UpdateStrategy,
    /// How long a replica must have been ready to count as available.
    pub min_ready: SimDuration,
    /// Planned rollouts, ordered by time.
    pub rollouts: Vec<Rollout>,
}

/// A planned rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rollout {
    /// When it begins.
    pub at: SimTime,
    /// Its strategy.
    pub strategy: UpdateStrategy,
    /// Whether the new version has a new image; without one it is a restart.
    pub new_image: bool,
}

/// The replicas of one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplicaSet {
    /// Version, from 0.
    pub version: u32,
    /// Desired number of replicas.
    pub size: u32,
}

/// The replica sets of a service, oldest first. The last one is that of the newest version, unless it waits for the
/// others to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaSets {
    sets: Vec<ReplicaSet>,
    /// The size of the service.
    desired: u32,
    /// Strategy of the rollout in progress.
    strategy: Option<UpdateStrategy>,
    /// A version that will be created once the others have ended.
    pending_version: Option<u32>,
}

impl ReplicaSets {
    /// Creates one set of `desired` replicas of version 0.
    pub fn new(desired: u32) -> Self {
        ReplicaSets {
            sets: vec![ReplicaSet { version: 0, size: desired }],
            desired,
            strategy: None,
            pending_version: None,
        }
    }

    /// The sets, oldest first.
    pub fn sets(&self) -> &[ReplicaSet] {
        &self.sets
    }

    /// Whether a rollout is in progress.
    pub fn is_rolling(&self) -> bool {
        self.strategy.is_some()
    }

    /// Begins a rollout to a new version and returns it.
    pub fn begin(&mut self, strategy: UpdateStrategy) -> u32 {
        let newest = self.sets.last().map_or(0, |set| set.version).max(self.pending_version.unwrap_or(0));
        let version = newest + 1;
        self.strategy = Some(strategy);
        match strategy {
            UpdateStrategy::RollingUpdate { .. } => {
                self.pending_version = None;
                self.sets.push(ReplicaSet { version, size: 0 });
            }
            UpdateStrategy::Recreate => {
                self.pending_version = Some(version);
                self.sets.iter_mut().for_each(|set| set.size = 0);
            }
        }
        version
    }

    /// Changes the size of the service to `desired`. During a rollout, the change is distributed over the sets in
    /// proportion to their sizes; the largest takes the rounding remainder (`scale` in `sync.go`).
    pub fn resize(&mut self, desired: u32) {
        let before = std::mem::replace(&mut self.desired, desired);
        let Some(strategy) = self.strategy else {
            self.sets.iter_mut().for_each(|set| set.size = desired);
            return;
        };
        let active: Vec<usize> = (0..self.sets.len()).filter(|index| self.sets[*index].size > 0).collect();
        match (active[..].len(), self.pending_version) {
            // Between the old and the new version of `Recreate` there is nothing to scale.
            (0, Some(_)) => {}
            (0, None) => self.sets.iter_mut().rev().take(1).for_each(|set| set.size = desired),
            (1, _) => self.sets[active[0]].size = desired,
            _ => self.share_out(active, strategy.most(before), strategy.most(desired)),
        }
    }

    /// Scales several active sets to a total of `most`, given that their maximum total was `most_before`.
    fn share_out(&mut self, mut active: Vec<usize>, most_before: u32, most: u32) {
        let total: i64 = active.iter().map(|index| i64::from(self.sets[*index].size)).sum();
        let change = i64::from(most) - total;
        // Largest first. Among equals, newer first when growing, older first when shrinking.
        active.sort_by_key(|index| {
            let place = *index as i64;
            (std::cmp::Reverse(self.sets[*index].size), if change > 0 { -place } else { place })
        });
        let mut changed = 0_i64;
        for index in &active {
            let size = i64::from(self.sets[*index].size);
            let whole = match self.desired {
                0 => -size,
                _ => (size as f64 * f64::from(most) / f64::from(most_before.max(1)) + 0.5).floor() as i64 - size,
            };
            let allowed = change - changed;
            let part = match change {
                0 => 0,
                1.. => whole.min(allowed),
                _ => whole.max(allowed),
            };
            let part = if allowed == 0 { 0 } else { part };
            changed += part;
            self.sets[*index].size = (size + part).max(0) as u32;
        }
        if let Some(largest) = active.first().filter(|_| change != 0) {
            let size = i64::from(self.sets[*largest].size) + change - changed;
            self.sets[*largest].size = size.max(0) as u32;
        }
    }

    /// One sync of the controller during a rollout: changes the sizes, given the number of available replicas in each
    /// set and whether any replica of the old sets is left, including terminating ones. Returns `false` once nothing is
    /// left to change; the rollout may be complete then.
    pub fn step(&mut self, available: &[u32], any_old: bool) -> bool {
        match self.strategy {
            None => false,
            Some(UpdateStrategy::Recreate) => match self.pending_version {
                Some(version) if !any_old => {
                    self.pending_version = None;
                    self.sets = vec![ReplicaSet { version, size: self.desired }];
                    true
                }
                Some(_) => false,
                None => self.finish(available),
            },
            Some(strategy) => {
                self.grow_newest(strategy) || self.shrink_old(strategy, available) || self.finish(available)
            }
        }
    }

    /// Grows the newest set as far as the surge allows (`reconcileNewReplicaSet`).
    fn grow_newest(&mut self, strategy: UpdateStrategy) -> bool {
        let total: u32 = self.sets.iter().map(|set| set.size).sum();
        let (desired, most) = (self.desired, self.desired.saturating_add(strategy.fenceposts(self.desired).0));
        let Some(newest) = self.sets.last_mut() else { return false };
        let before = newest.size;
        if newest.size > desired {
            newest.size = desired;
        } else {
            newest.size += (desired - newest.size).min(most.saturating_sub(total));
        }
        newest.size != before
    }

    /// Shrinks old sets: first by unavailable replicas, then by those no longer needed (`reconcileOldReplicaSets`).
    fn shrink_old(&mut self, strategy: UpdateStrategy, available: &[u32]) -> bool {
        let before: u32 = self.sets.iter().map(|set| set.size).sum();
        let (newest, old) = match self.sets.split_last_mut() {
            Some((newest, old)) if old.iter().any(|set| set.size > 0) => (*newest, old),
            _ => return false,
        };
        let unavailable = strategy.fenceposts(self.desired).1.min(self.desired);
        let least = self.desired - unavailable;
        let new_unavailable = newest.size.saturating_sub(available.last().copied().unwrap_or(0));
        let mut spare = before.saturating_sub(least).saturating_sub(new_unavailable);
        if spare == 0 {
            return false;
        }
        for (set, available) in old.iter_mut().zip(available) {
            let unhealthy = set.size.saturating_sub(*available).min(spare);
            set.size -= unhealthy;
            spare -= unhealthy;
        }
        let mut surplus = available.iter().sum::<u32>().saturating_sub(least);
        for set in old {
            let given_up = set.size.min(surplus);
            set.size -= given_up;
            surplus -= given_up;
        }
        self.sets.iter().map(|set| set.size).sum::<u32>() != before
    }

    /// Completes the rollout once the newest set has all its replicas available and no other set has any.
    fn finish(&mut self, available: &[u32]) -> bool {
        let Some((newest, old)) = self.sets.split_last() else { return false };
        let whole = newest.size == self.desired && available.last() == Some(&newest.size);
        if whole && old.iter().all(|set| set.size == 0) {
            self.sets = vec![*newest];
            self.strategy = None;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn rolling(surge: Share, unavailable: Share) -> UpdateStrategy {
        UpdateStrategy::RollingUpdate { surge, unavailable }
    }

    fn sizes(sets: &ReplicaSets) -> Vec<u32> {
        sets.sets().iter().map(|set| set.size).collect()
    }

    /// The examples of upstream's `TestResolveFenceposts`, and the defaults for a few sizes.
    #[rstest]
    #[case(Share::Percent(0), Share::Percent(0), 10, (0, 1))]
    #[case(Share::Percent(39), Share::Percent(0), 10, (4, 0))]
    #[case(Share::Replicas(0), Share::Replicas(0), 10, (0, 1))]
    #[case(Share::Percent(1), Share::Percent(1), 10, (1, 0))]
    #[case(Share::Percent(25), Share::Percent(25), 1, (1, 0))]
    #[case(Share::Percent(25), Share::Percent(25), 4, (1, 1))]
    #[case(Share::Percent(25), Share::Percent(25), 10, (3, 2))]
    #[case(Share::Percent(100), Share::Percent(0), 7, (7, 0))]
    fn shares_are_rounded_for_safety(
        #[case] surge: Share,
        #[case] unavailable: Share,
        #[case] desired: u32,
        #[case] expected: (u32, u32),
    ) {
        assert_eq!(rolling(surge, unavailable).fenceposts(desired), expected);
    }

    #[test]
    fn ten_replicas_by_the_defaults() {
        let mut sets = ReplicaSets::new(10);
        sets.begin(UpdateStrategy::default());
        // Thirteen in total, at least eight available.
        assert!(sets.step(&[10, 0], true));
        assert_eq!(sizes(&sets), [10, 3]);
        assert!(sets.step(&[10, 0], true));
        assert_eq!(sizes(&sets), [8, 3]);
        assert!(sets.step(&[8, 0], true));
        assert_eq!(sizes(&sets), [8, 5]);
        assert!(!sets.step(&[8, 0], true));
        // Five become available: five old ones are removed and as many new ones created.
        assert!(sets.step(&[8, 5], true));
        assert_eq!(sizes(&sets), [3, 5]);
        assert!(sets.step(&[3, 5], true));
        assert_eq!(sizes(&sets), [3, 10]);
        assert!(!sets.step(&[3, 5], true));
        assert!(sets.step(&[3, 10], true));
        assert_eq!(sizes(&sets), [0, 10]);
        assert!(!sets.step(&[0, 10], true));
        assert!(!sets.is_rolling());
        assert_eq!(sets.sets(), [ReplicaSet { version: 1, size: 10 }]);
    }

    /// Unavailable old replicas go first, even while new ones are starting.
    #[test]
    fn unhealthy_old_replicas_go_first() {
        let mut sets = ReplicaSets::new(10);
        sets.begin(rolling(Share::Replicas(2), Share::Replicas(2)));
        assert!(sets.step(&[7, 0], true));
        assert_eq!(sizes(&sets), [10, 2]);
        // Twelve minus eight minus two that are starting: two of the three unhealthy ones. Seven are available, so no
        // more.
        assert!(sets.step(&[7, 0], true));
        assert_eq!(sizes(&sets), [8, 2]);
    }

    #[test]
    fn recreate_waits_until_all_are_gone() {
        let mut sets = ReplicaSets::new(4);
        sets.begin(UpdateStrategy::Recreate);
        assert_eq!(sizes(&sets), [0]);
        assert!(!sets.step(&[0], true));
        sets.resize(6);
        assert_eq!(sizes(&sets), [0]);
        assert!(sets.step(&[0], false));
        assert_eq!(sets.sets(), [ReplicaSet { version: 1, size: 6 }]);
        assert!(!sets.step(&[6], false) && !sets.is_rolling());
    }

    /// Upstream's `TestScale`: proportional scaling. (sizes, size before, size after, surge, sizes expected; oldest first)
    #[rstest]
    #[case(&[5, 5], 10, 12, 0, &[6, 6])]
    #[case(&[5, 5], 10, 6, 0, &[3, 3])]
    #[case(&[2, 3, 5], 10, 10, 0, &[2, 3, 5])]
    #[case(&[1, 2, 2], 5, 10, 0, &[2, 4, 4])]
    #[case(&[5, 10, 5], 20, 50, 0, &[12, 25, 13])]
    #[case(&[5, 8, 7], 20, 4, 0, &[1, 2, 1])]
    #[case(&[8, 4], 10, 20, 2, &[15, 7])]
    #[case(&[5, 1], 10, 20, 2, &[20, 2])]
    #[case(&[10, 3], 10, 20, 3, &[18, 5])]
    fn sets_are_scaled_in_proportion(
        #[case] old: &[u32],
        #[case] before: u32,
        #[case] after: u32,
        #[case] surge: u32,
        #[case] expected: &[u32],
    ) {
        let sets = old.iter().zip(0..).map(|(size, version)| ReplicaSet { version, size: *size }).collect();
        let strategy = Some(rolling(Share::Replicas(surge), Share::Replicas(1)));
        let mut sets = ReplicaSets { sets, desired: before, strategy, pending_version: None };
        sets.resize(after);
        assert_eq!(sizes(&sets), expected);
    }

    proptest! {
        /// Whenever replicas become available and however the size changes, there are never more replicas than size
        /// plus surge; and if all ordered replicas become available, the rollout ends with only the new version.
        #[test]
        fn rollouts_keep_their_limits_and_end(
            first in 0..30u32,
            surge in prop_oneof![(0..6u32).prop_map(Share::Replicas), (0..120u32).prop_map(Share::Percent)],
            unavailable in prop_oneof![(0..6u32).prop_map(Share::Replicas), (0..120u32).prop_map(Share::Percent)],
            ready in prop::collection::vec((0..6u32, proptest::option::weighted(0.2, 0..30u32)), 1..60),
        ) {
            let strategy = rolling(surge, unavailable);
            let mut sets = ReplicaSets::new(first);
            sets.begin(strategy);
            let mut available = vec![first, 0];
            let calm = std::iter::repeat_n((6, None), 200);
            for (more, resized) in ready.into_iter().chain(calm) {
                if let Some(size) = resized {
                    sets.resize(size);
                }
                for _ in 0..1000 {
                    let changed = sets.step(&available, true);
                    available.resize(sets.sets().len(), 0);
                    if sets.sets().len() == 1 {
                        break;
                    }
                    available.iter_mut().zip(sets.sets()).for_each(|(now, set)| *now = (*now).min(set.size));
                    if !changed {
                        break;
                    }
                }
                if !sets.is_rolling() {
                    break;
                }
                let total: u32 = sets.sets().iter().map(|set| set.size).sum();
                prop_assert!(total <= strategy.most(sets.desired).max(sets.desired), "{sets:?}");
                let mut more = more;
                for (now, set) in available.iter_mut().zip(sets.sets()) {
                    let step = more.min(set.size - *now);
                    *now += step;
                    more -= step;
                }
            }
            prop_assert!(!sets.is_rolling(), "{sets:?}, {available:?}");
            prop_assert_eq!(sets.sets(), [ReplicaSet { version: 1, size: sets.desired }]);
        }
    }
}
