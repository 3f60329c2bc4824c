//! The CPU that a replica can have at most, and how much of its requests' work that lets it do at once.

use super::node::NodePool;
use super::service::ServiceSpec;
use crate::units::Millicores;

/// What bounds the CPU of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The CPU limit of its containers.
    Limit,
    /// The vCPU that its price pays for: the size of a container without a node, an instance or a share of one.
    Price,
    /// The cores of its node.
    Node,
}

impl Bound {
    /// In words: "a replica has 0.5 cores, ...".
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
    /// How much.
    pub cpu: Millicores,
    /// Whether that is all the machine has, so that no limit above it gives more: a container without a node, or an instance; not a
    /// share of one.
    pub whole: bool,
}

/// The most CPU that a replica can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceiling {
    /// How much.
    pub cpu: Millicores,
    /// What sets it.
    pub bound: Bound,
}

/// What a replica does at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Power {
    /// Requests that are served at full speed at once, not whole as a rule: at most the concurrency.
    pub full: f64,
    /// Speed of its node.
    pub speed: f64,
}

impl Power {
    /// Seconds of demand at the reference speed that it serves in a second.
    pub fn work(&self) -> f64 {
        self.full * self.speed
    }

    /// The share of full speed at which a request alone in the replica is served, times the node's speed: less than that only
    /// where the ceiling is below the need of one request.
    pub fn alone(&self) -> f64 {
        self.full.min(1.0) * self.speed
    }
}

/// Rounding that a ceiling reached by exactly all requests forgives.
const ROUNDING: f64 = 1e-9;
/// The least that a replica does at once; below it nothing would ever end.
const LEAST: f64 = 1e-5;

impl ServiceSpec {
    /// The most CPU that a replica can use, on a node of `node` cores if there are nodes: its limit or else what its price pays
    /// for, and not more than its machine or node has. `None` where nothing bounds it. A limit of zero is none, as for the kubelet.
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

    /// Cores that a replica with as many requests in service as it takes would use if nothing held it.
    pub fn full_need(&self) -> f64 {
        f64::from(self.concurrency) * self.cpu_per_busy_second + self.cpu_idle
    }

    /// What a replica does at once on a node of so many cores and such a speed, or without a node.
    pub fn power(&self, node: Option<(Millicores, f64)>) -> Power {
        let speed = node.map_or(1.0, |(_, speed)| speed);
        let slots = f64::from(self.concurrency);
        let left = self.ceiling(node.map(|(cores, _)| cores)).map(|ceiling| ceiling.cpu.as_cores() - self.cpu_idle);
        let full = match left {
            Some(left) if self.cpu_per_busy_second > 0.0 => left.max(0.0) / self.cpu_per_busy_second,
            _ => slots,
        };
        Power { full: if full < slots * (1.0 - ROUNDING) { full.max(LEAST) } else { slots }, speed }
    }

    /// The powers of a replica in each pool that has room for one (in every pool, if none has), or without nodes.
    pub fn powers(&self, pools: &[NodePool]) -> Vec<Power> {
        let mut powers: Vec<Power> = self.hosts(pools).map(|pool| self.power(Some((pool.cores, pool.speed)))).collect();
        if pools.is_empty() {
            powers.push(self.power(None));
        }
        powers
    }

    /// The pools whose empty nodes have room for a replica; all if none has.
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
