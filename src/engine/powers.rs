//! What the replicas of a service can do: the same for all, or per node where nodes differ in speed or cores.

use crate::cluster::{NodeId, Nodes, Power, ServiceSpec};
use crate::stats::TimeWeighted;
use crate::units::SimTime;

/// Upper bound of the sum over all replicas that fit on the nodes: below 2^64.
const MOST: f64 = 1e19;

/// The power of each replica, and sums over the current replicas.
#[derive(Debug)]
pub(super) struct Powers {
    /// By node; empty if all are equal.
    by_node: Vec<Power>,
    /// By pool of nodes; a single entry if all are equal.
    by_pool: Vec<Power>,
    /// Whether requests in the same replica can slow each other down.
    pub slow: bool,
    /// Fixed-point scale of both sums (requests at full speed; seconds of demand per second).
    parts: f64,
    /// Seconds of demand per second that ready replicas can serve, and requests at full speed in serving replicas.
    now_ready: u64,
    now_serving: u64,
    ready: TimeWeighted,
    serving: TimeWeighted,
}

/// Integrals of both sums at one point in time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PowerMarks {
    pub ready: u128,
    pub serving: u128,
}

impl Powers {
    pub(super) fn new(spec: &ServiceSpec, nodes: Option<&Nodes>) -> Self {
        let pools = nodes.map_or(&[][..], Nodes::pools);
        let mut by_pool: Vec<Power> = pools.iter().map(|pool| spec.power(Some((pool.cores, pool.speed)))).collect();
        if by_pool.is_empty() {
            by_pool.push(spec.power(None));
        }
        let equal = by_pool.iter().all(|power| *power == by_pool[0]);
        if equal {
            by_pool.truncate(1);
        }
        let pods: f64 =
            pools.iter().map(|pool| f64::from(pool.most.max(pool.count)) * f64::from(pool.allocatable.pods)).sum();
        let largest = by_pool.iter().map(|power| power.full.max(power.work())).fold(0.0, f64::max);
        let parts = MOST / (pods.max(1.0) * largest.max(f64::MIN_POSITIVE));
        let slow = spec.slows(&by_pool);
        let (ready, serving) = (TimeWeighted::default(), TimeWeighted::default());
        let mut powers =
            Powers { by_node: Vec::new(), by_pool, slow, parts, now_ready: 0, now_serving: 0, ready, serving };
        nodes.iter().flat_map(|nodes| nodes.nodes()).for_each(|node| powers.add_node(node.pool));
        powers
    }

    /// Adds the next node, of pool number `pool`.
    pub(super) fn add_node(&mut self, pool: u32) {
        if self.by_pool.len() > 1 {
            self.by_node.push(self.by_pool[pool as usize]);
        }
    }

    /// The power of a replica on `node`.
    pub(super) fn of(&self, node: Option<NodeId>) -> Power {
        node.and_then(|node| self.by_node.get(node as usize)).copied().unwrap_or(self.by_pool[0])
    }

    fn uniform(&self) -> Option<Power> {
        (self.by_pool.len() == 1).then_some(self.by_pool[0])
    }

    /// The mean over the nodes ever started; over the pools if there were none.
    fn mean(&self, of: fn(&Power) -> f64) -> f64 {
        let all = if self.by_node.is_empty() { &self.by_pool } else { &self.by_node };
        all.iter().map(of).sum::<f64>() / all.len() as f64
    }

    fn levels(&self, node: Option<NodeId>) -> (u64, u64) {
        let power = self.of(node);
        ((power.work() * self.parts) as u64, (power.full * self.parts).ceil() as u64)
    }

    /// Adds replicas on `node` that became ready or began to drain (0 or 1 of each).
    pub(super) fn count(&mut self, node: Option<NodeId>, ready: u64, draining: u64) {
        if self.by_pool.len() > 1 && ready + draining > 0 {
            let (work, full) = self.levels(node);
            self.now_ready += ready * work;
            self.now_serving += (ready + draining) * full;
        }
    }

    /// Removes replicas added by [`Powers::count`].
    pub(super) fn uncount(&mut self, node: Option<NodeId>, ready: u64, draining: u64) {
        if self.by_pool.len() > 1 && ready + draining > 0 {
            let (work, full) = self.levels(node);
            self.now_ready -= ready * work;
            self.now_serving -= (ready + draining) * full;
        }
    }

    /// Updates the time-weighted levels.
    pub(super) fn settle(&mut self, now: SimTime) {
        self.ready.set(self.now_ready, now);
        self.serving.set(self.now_serving, now);
    }

    /// The integrals at `now`.
    pub(super) fn marks(&self, now: SimTime) -> PowerMarks {
        PowerMarks { ready: self.ready.area(now), serving: self.serving.area(now) }
    }

    /// Seconds of demand per second that a ready replica could serve, averaged between two points in time with `ready`
    /// replica-nanoseconds between them. If none was ready, that of an average node.
    pub(super) fn work_of_one(&self, from: PowerMarks, to: PowerMarks, ready: f64) -> f64 {
        match self.uniform() {
            Some(power) => power.work(),
            None if ready > 0.0 => (to.ready - from.ready) as f64 / self.parts / ready,
            None => self.mean(Power::work),
        }
    }

    /// Requests at full speed in a serving replica, averaged between two points in time with `serving`
    /// replica-nanoseconds between them. If none was serving, those of an average node.
    pub(super) fn slots_of_one(&self, from: PowerMarks, to: PowerMarks, serving: f64) -> f64 {
        match self.uniform() {
            Some(power) => power.full,
            None if serving > 0.0 => (to.serving - from.serving) as f64 / self.parts / serving,
            None => self.mean(|power| power.full),
        }
    }
}
