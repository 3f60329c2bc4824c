//! What managed endpoints and translators decide: KServe, SageMaker, Vertex AI, Google's instance groups, Azure's scale
//! sets.
//!
//! From their documentation; where an age equals a window, the value counts.

/// A size wanted, and when, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// When.
    pub time_s: f64,
    /// The size.
    pub size: i64,
}

/// Vertex AI looks back this long, in seconds.
pub const VERTEX_WINDOW_S: f64 = 300.0;

/// The largest size wanted within the last `window_s`; `None` if there was none. Google's instance groups scale in to it
/// (10 minutes), Vertex AI follows it (5 minutes).
pub fn peak(wanted: &[Wanted], now_s: f64, window_s: f64) -> Option<i64> {
    wanted.iter().filter(|past| now_s - past.time_s <= window_s).map(|past| past.size).max()
}

/// Target tracking: `current` instances for a metric of each, within bounds.
pub fn tracked(current: i64, metric_per_instance: f64, target: f64, min: i64, max: i64) -> i64 {
    if target <= 0.0 || !metric_per_instance.is_finite() {
        return current.max(min).min(max);
    }
    ((current as f64 * metric_per_instance / target).ceil() as i64).min(max).max(min)
}

/// The target that SageMaker recommends, in invocations per minute and instance.
pub fn invocations_per_instance(max_rps: f64, safety_factor: f64) -> f64 {
    max_rps * safety_factor * 60.0
}

/// Azure: one of two rules that look at an average.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScaleIn {
    /// Average from which instances are added: above it.
    pub out_threshold: f64,
    /// Average from which they are removed: below it.
    pub in_threshold: f64,
    /// How many are removed.
    pub decrease: i64,
    /// Fewest.
    pub min: i64,
}

impl ScaleIn {
    /// What remains of `current` instances with this average: as few as would not add some again at once.
    pub fn remaining(&self, current: i64, average: f64) -> i64 {
        let least = current.saturating_sub(self.decrease).max(self.min).max(1);
        if average >= self.in_threshold || least >= current {
            return current;
        }
        let flaps = |size: &i64| average * current as f64 / *size as f64 > self.out_threshold;
        (least..current).find(|size| !flaps(size)).unwrap_or(current)
    }
}

/// The HPA that KServe makes of an InferenceService: bounds, and the resource with its target in per cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KserveHpa {
    /// Fewest replicas: at least 1.
    pub min: u32,
    /// Most replicas: at least as many as the fewest.
    pub max: u32,
    /// Whether memory is the metric, instead of CPU.
    pub is_memory: bool,
    /// Utilization in per cent; `None` for memory without a target, which gives no metric.
    pub utilization: Option<u32>,
}

/// The target of CPU where none is stated, in per cent.
const CPU_UTILIZATION: u32 = 80;

/// What KServe makes of the fields of an InferenceService.
pub fn kserve_hpa(min: Option<u32>, max: u32, is_memory: bool, target: Option<u32>) -> KserveHpa {
    let min = min.unwrap_or(1).max(1);
    let default = (!is_memory).then_some(CPU_UTILIZATION);
    KserveHpa { min, max: max.max(min), is_memory, utilization: target.or(default) }
}
