//! The CPU ceiling of a replica, and how many requests it lets run at full speed.

use super::node::NodePool;
use super::service::ServiceSpec;
use crate::serving::{CpuUnderLoad, Serving};
use crate::units::Millicores;

/// What limits the CPU of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The CPU limit of its containers.
    Limit,
    /// The vCPUs that its price pays for: a container size, an instance or a share of one.
    Price,
    /// The cores of its node.
    Node,
}

impl Bound {
    /// A phrase that completes "a replica has 0.5 cores, ...".
    pub const fn words(self) -> &'static str {
        match self {
            Bound::Limit => "its CPU limit",
            Bound::Price => "the vCPU that its price pays for",
            Bound::Node => "the cores of its node",
        }
    }
}

/// The CPU that a price pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bought {
    /// The amount.
    pub cpu: Millicores,
    /// Whether it is all that the machine has, so that no CPU limit can exceed it: true of a container without a node
    /// and of an instance, not of a share of one.
    pub whole: bool,
}

/// The maximum CPU of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceiling {
    /// The amount.
    pub cpu: Millicores,
    /// What limits it.
    pub bound: Bound,
}

/// The processing power of a replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Power {
    /// Number of requests that run at full speed at once, usually not an integer; at most the concurrency.
    pub full: f64,
    /// Speed of its node.
    pub speed: f64,
    /// Seconds of demand that a busy slot serves per second at the reference speed; 1 unless requests are served together.
    pub efficiency: f64,
}

impl Power {
    /// Seconds of demand at the reference speed that it can serve per second.
    pub fn work(&self) -> f64 {
        self.full * self.speed * self.efficiency
    }

    /// The speed of a request that is alone in the replica, relative to the reference speed. Below the node's speed
    /// only if the ceiling is below what one request needs.
    pub fn alone(&self) -> f64 {
        self.full.min(1.0) * self.speed
    }
}

/// Tolerance for rounding when all requests together reach the ceiling exactly.
const ROUNDING: f64 = 1e-9;
/// Minimum power; with less, no request would ever finish.
const LEAST: f64 = 1e-5;

impl ServiceSpec {
    /// The maximum CPU of a replica, on a node of `node` cores if there are nodes: its CPU limit, else what its price
    /// pays for, and never more than its machine or node has. `None` if nothing limits it. As for the kubelet, a limit
    /// of zero means no limit.
    pub fn ceiling(&self, node: Option<Millicores>) -> Option<Ceiling> {
        let limit = self.cpu_limit.filter(|cpu| cpu.get() > 0).map(|cpu| Ceiling { cpu, bound: Bound::Limit });
        let bought = self.cpu_bought.map(|bought| (Ceiling { cpu: bought.cpu, bound: Bound::Price }, bought.whole));
        let own = match (limit, bought) {
            (Some(limit), Some((bought, true))) if bought.cpu < limit.cpu => Some(bought),
            (limit, bought) => limit.or(bought.map(|(bought, _)| bought)),
        };
        let node = node.map(|cpu| Ceiling { cpu, bound: Bound::Node });
        match (own, node) {
            (Some(own), Some(node)) => Some(if node.cpu < own.cpu { node } else { own }),
            (own, node) => own.or(node),
        }
    }

    /// The share of slots in use where `busy` requests are in service in `serving` replicas; `None` without replicas or
    /// with unlimited concurrency.
    pub fn share_of_slots(&self, busy: f64, serving: f64) -> Option<f64> {
        let slots = serving * f64::from(self.concurrency);
        (slots > 0.0 && self.concurrency < u32::MAX).then(|| busy / slots)
    }

    /// Cores that a replica with all slots busy would use without a ceiling.
    pub fn full_need(&self) -> f64 {
        f64::from(self.concurrency) * self.cpu_per_busy_second + self.cpu_idle
    }

    /// The power of a replica on a node with the given cores and speed, or without a node.
    pub fn power(&self, node: Option<(Millicores, f64)>) -> Power {
        let speed = self.speed * node.map_or(1.0, |(_, speed)| speed);
        let slots = f64::from(self.concurrency);
        let ceiling = self.ceiling(node.map(|(cores, _)| cores)).filter(|_| self.model.cpu() != CpuUnderLoad::Beside);
        let left = ceiling.map(|ceiling| ceiling.cpu.as_cores() - self.cpu_idle);
        let full = match left {
            Some(left) if self.cpu_per_busy_second > 0.0 => left.max(0.0) / self.cpu_per_busy_second,
            _ => slots,
        };
        let full = if full < slots * (1.0 - ROUNDING) { full.max(LEAST) } else { slots };
        Power { full, speed, efficiency: self.model.efficiency(self.demand.mean()) }
    }

    /// The powers of a replica in each pool that has room for one (in every pool if none has), or without nodes.
    pub fn powers(&self, pools: &[NodePool]) -> Vec<Power> {
        let mut powers: Vec<Power> = self.hosts(pools).map(|pool| self.power(Some((pool.cores, pool.speed)))).collect();
        if pools.is_empty() {
            powers.push(self.power(None));
        }
        powers
    }

    /// The pools whose empty nodes have room for a replica; all pools if none has.
    pub fn hosts<'a>(&self, pools: &'a [NodePool]) -> impl Iterator<Item = &'a NodePool> + use<'a> {
        let (cpu, memory) = self.scheduled();
        let has = |pool: &NodePool, (name, asked): &(String, u64)| {
            pool.extended.iter().find(|(known, _)| known == name).map_or(0, |(_, has)| *has) >= *asked
        };
        let fits = |pool: &NodePool| {
            let extended = self.pod.extended.iter().all(|asked| has(pool, asked));
            cpu <= pool.allocatable.cpu && memory <= pool.allocatable.memory && extended
        };
        let fitting: Vec<bool> = pools.iter().map(fits).collect();
        let none = !fitting.contains(&true);
        pools.iter().zip(fitting).filter(move |(_, fits)| none || *fits).map(|(pool, _)| pool)
    }

    /// Whether the requests of a replica can slow each other down.
    pub fn slows(&self, powers: &[Power]) -> bool {
        powers.iter().any(|power| power.full < f64::from(self.concurrency))
    }
}
