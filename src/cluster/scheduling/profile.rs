//! What of a scheduler profile can be set: `NodeResourcesFitArgs` and `NodeResourcesBalancedAllocationArgs`.

use super::requests::{CPU, MEMORY};

/// A resource and its weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightedResource {
    /// Name.
    pub name: String,
    /// Weight.
    pub weight: i64,
}

impl WeightedResource {
    /// A resource.
    pub fn new(name: impl Into<String>, weight: i64) -> Self {
        WeightedResource { name: name.into(), weight }
    }
}

/// A point of the broken line from utilization to score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShapePoint {
    /// Utilization in percent.
    pub utilization: i64,
    /// Score from 0 to 10.
    pub score: i64,
}

/// How NodeResourcesFit scores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Strategy {
    /// The share that is left over.
    LeastAllocated,
    /// The share that is taken.
    MostAllocated,
    /// The share that is taken, through a broken line whose points are in order of utilization.
    RequestedToCapacityRatio(Vec<ShapePoint>),
}

/// A profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// How NodeResourcesFit scores.
    pub strategy: Strategy,
    /// The resources that NodeResourcesFit scores.
    pub fit_resources: Vec<WeightedResource>,
    /// The resources that NodeResourcesBalancedAllocation balances.
    pub balanced_resources: Vec<WeightedResource>,
    /// Whether balance is scored by what the pod changes (Kubernetes 1.36) instead of what it leads to.
    pub balance_by_change: bool,
}

impl Default for Profile {
    fn default() -> Self {
        let usual = || vec![WeightedResource::new(CPU, 1), WeightedResource::new(MEMORY, 1)];
        Profile {
            strategy: Strategy::LeastAllocated,
            fit_resources: usual(),
            balanced_resources: usual(),
            balance_by_change: false,
        }
    }
}
