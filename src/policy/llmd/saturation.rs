//! The saturation analysis (V1) of llm-d's workload-variant autoscaler, and its targets.
//!
//! The rules of llm-d/llm-d-workload-variant-autoscaler, `internal/saturation/analyzer.go`.

use std::collections::BTreeMap;

/// Thresholds, with their names and defaults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SaturationConfig {
    /// Use of the cache from which a replica is saturated.
    pub kv_cache_threshold: f64,
    /// Requests waiting from which a replica is saturated.
    pub queue_length_threshold: f64,
    /// A replica is added when less of the cache than this is spare.
    pub kv_spare_trigger: f64,
    /// A replica is added when fewer requests than this could still wait.
    pub queue_spare_trigger: f64,
}

impl Default for SaturationConfig {
    fn default() -> Self {
        SaturationConfig {
            kv_cache_threshold: 0.8,
            queue_length_threshold: 5.0,
            kv_spare_trigger: 0.1,
            queue_spare_trigger: 3.0,
        }
    }
}

/// A replica's metrics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReplicaMetrics<'a> {
    /// Its variant.
    pub variant: &'a str,
    /// Use of the cache, 0 to 1.
    pub kv: f64,
    /// Requests waiting.
    pub queue: f64,
}

/// The state of a model.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Saturation {
    /// Replicas.
    pub total: usize,
    /// Those that are not saturated.
    pub non_saturated: usize,
    /// Spare share of the cache, on average over these.
    pub spare_kv: f64,
    /// Requests that could still wait, on average over these.
    pub spare_queue: f64,
    /// Whether a replica shall be added.
    pub scale_up: bool,
    /// Whether one could be removed.
    pub scale_down_safe: bool,
}

/// The state of a model with these replicas.
pub fn analyze(replicas: &[ReplicaMetrics<'_>], config: &SaturationConfig) -> Saturation {
    let is_open = |replica: &&ReplicaMetrics<'_>| {
        replica.kv < config.kv_cache_threshold && replica.queue < config.queue_length_threshold
    };
    // Averages by variant first, as there; the rounding is the same.
    let mut variants: BTreeMap<&str, (f64, f64, f64)> = BTreeMap::new();
    for replica in replicas.iter().filter(is_open) {
        let (kv, queue, count) = variants.entry(replica.variant).or_default();
        *kv += config.kv_cache_threshold - replica.kv;
        *queue += config.queue_length_threshold - replica.queue;
        *count += 1.0;
    }
    let open: f64 = variants.values().map(|(_, _, count)| count).sum();
    let average = |of: fn(&(f64, f64, f64)) -> f64| {
        let total: f64 = variants.values().map(|sums| of(sums) / sums.2 * sums.2).sum();
        if open > 0.0 { total / open } else { 0.0 }
    };
    let (spare_kv, spare_queue) = (average(|sums| sums.0), average(|sums| sums.1));
    let has_replicas = !replicas.is_empty();
    Saturation {
        total: replicas.len(),
        non_saturated: open as usize,
        spare_kv,
        spare_queue,
        scale_up: has_replicas && (spare_kv < config.kv_spare_trigger || spare_queue < config.queue_spare_trigger),
        scale_down_safe: open >= 2.0 && bears_one_fewer(replicas.iter().filter(is_open), open, config),
    }
}

/// Whether the load of all that are not saturated leaves both triggers when one fewer carries it.
fn bears_one_fewer<'a>(
    open: impl Iterator<Item = &'a ReplicaMetrics<'a>>,
    count: f64,
    config: &SaturationConfig,
) -> bool {
    let (kv, queue) = open.fold((0.0, 0.0), |(kv, queue), replica| (kv + replica.kv, queue + replica.queue));
    let spare_kv = config.kv_cache_threshold - kv / (count - 1.0);
    let spare_queue = config.queue_length_threshold - queue / (count - 1.0);
    spare_kv >= config.kv_spare_trigger && spare_queue >= config.queue_spare_trigger
}

/// A variant of a model: a kind of accelerator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variant<'a> {
    /// Its name.
    pub name: &'a str,
    /// Cost of a replica.
    pub cost: f64,
    /// Replicas with metrics.
    pub with_metrics: i64,
    /// Present replicas.
    pub current: i64,
    /// Replicas wanted before; 0 for none.
    pub desired: i64,
    /// Replicas that are starting.
    pub pending: i64,
}

impl Variant<'_> {
    fn is_settled(&self) -> bool {
        (self.desired == 0 || self.desired == self.current) && self.with_metrics == self.current
    }
}

/// Replicas of each variant: one more of the cheapest, or one fewer of the dearest. While any is changing, none moves.
pub fn targets(variants: &[Variant<'_>], scale_up: bool, scale_down_safe: bool) -> Vec<i64> {
    if !variants.iter().all(Variant::is_settled) {
        return variants.iter().map(|of| if of.desired == 0 { of.current } else { of.desired }).collect();
    }
    let by_cost = |a: &&Variant<'_>, b: &&Variant<'_>| a.cost.total_cmp(&b.cost).then(a.name.cmp(b.name));
    let (moved, by) = if scale_up {
        (variants.iter().filter(|of| of.pending == 0).min_by(by_cost), 1)
    } else if scale_down_safe {
        (variants.iter().filter(|of| of.with_metrics > 1).max_by(by_cost), -1)
    } else {
        (None, 0)
    };
    let is_moved = |of: &Variant<'_>| moved.is_some_and(|moved| moved.name == of.name);
    variants.iter().map(|of| of.with_metrics + if is_moved(of) { by } else { 0 }).collect()
}
