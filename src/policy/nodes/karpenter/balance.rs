//! The policy `Balanced`: consolidation that is worth its disruption
//! (kubernetes-sigs/karpenter `pkg/controllers/disruption/balanced.go`).

/// A consolidation, against the whole pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Consolidation {
    /// Dollars per hour that it saves.
    pub savings: f64,
    /// What it disrupts: the sum of the eviction costs of the pods that move, plus one for each node.
    pub disruption: f64,
    /// Dollars per hour of the pool.
    pub pool_cost: f64,
    /// The same sum over all nodes of the pool.
    pub pool_disruption: f64,
}

impl Consolidation {
    /// The share of the cost that it saves over the share of the disruption that it causes. Zero if it saves nothing or the
    /// pool has no cost or no disruption, infinite if it disrupts nothing.
    pub fn score(&self) -> f64 {
        let saves = self.savings > 0.0 && self.pool_cost > 0.0 && self.pool_disruption > 0.0;
        match (saves, self.disruption > 0.0) {
            (false, _) => 0.0,
            (true, false) => f64::INFINITY,
            (true, true) => (self.savings / self.pool_cost) / (self.disruption / self.pool_disruption),
        }
    }

    /// Whether it is done: a share of the disruption may be `k` times the share of the cost.
    pub fn is_worth(&self, k: f64) -> bool {
        self.score() >= 1.0 / k
    }
}
