//! What a revision aims at: annotations over the settings of the cluster.
//!
//! Source: `pkg/reconciler/autoscaling/resources/{target,metric}.go`, `kpa/resources/decider.go` and `kpa/kpa.go` of
//! knative/serving.

use super::config::{Config, LEAST_TARGET};
use crate::units::SimDuration;

/// What a decision is based on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Metric {
    /// Requests at the replicas, served or waiting.
    #[default]
    Concurrency,
    /// Requests per second.
    Rps,
}

/// Whether routes lead to a revision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reachability {
    /// Not known; counts as reachable for decisions.
    #[default]
    Unknown,
    /// Some do.
    Reachable,
    /// None does.
    Unreachable,
}

/// What a revision states; `None` where it leaves the cluster's setting.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Annotations {
    /// What is measured.
    pub metric: Metric,
    /// `containerConcurrency`: requests that a replica takes at once; 0 is any number.
    pub container_concurrency: u32,
    /// `target`: concurrency or requests per second of a replica.
    pub target: Option<f64>,
    /// `target-utilization-percentage`.
    pub utilization_percentage: Option<f64>,
    /// `window`: the stable window.
    pub window: Option<SimDuration>,
    /// `panic-window-percentage`.
    pub panic_window_percentage: Option<f64>,
    /// `panic-threshold-percentage`.
    pub panic_threshold_percentage: Option<f64>,
    /// `target-burst-capacity`.
    pub target_burst_capacity: Option<f64>,
    /// `scale-down-delay`.
    pub scale_down_delay: Option<SimDuration>,
    /// `scale-to-zero-pod-retention-period`.
    pub pod_retention: Option<SimDuration>,
    /// `initial-scale`.
    pub initial_scale: Option<i32>,
    /// `activation-scale`.
    pub activation_scale: Option<i32>,
    /// `min-scale`.
    pub min_scale: Option<i32>,
    /// `max-scale`; 0 is none.
    pub max_scale: Option<i32>,
    /// `serving.knative.dev/progress-deadline`.
    pub progress_deadline: Option<SimDuration>,
}

impl Annotations {
    /// What is aimed at per replica, and what a replica can take.
    pub fn target(&self, config: &Config) -> (f64, f64) {
        let limit = f64::from(self.container_concurrency);
        let (fraction, mut total) = match self.metric {
            Metric::Rps => (config.target_utilization, config.rps_default),
            Metric::Concurrency if limit > 0.0 => (config.concurrency_fraction, limit),
            Metric::Concurrency => (config.concurrency_fraction, config.concurrency_default),
        };
        if let Some(stated) = self.target {
            let capped = self.metric == Metric::Concurrency && limit > 0.0;
            total = if capped { stated.min(limit) } else { stated };
        }
        let fraction = self.utilization_percentage.map_or(fraction, |percent| percent / 100.0);
        ((total * fraction).max(LEAST_TARGET), total)
    }

    /// The stable window.
    pub fn stable_window(&self, config: &Config) -> SimDuration {
        self.window.unwrap_or(config.stable_window)
    }

    /// The panic window: whole seconds, at least one.
    pub fn panic_window(&self, config: &Config) -> SimDuration {
        let percent = self.panic_window_percentage.unwrap_or(config.panic_window_percentage);
        let seconds = (self.stable_window(config).as_secs_f64() * percent / 100.0).round();
        SimDuration::from_secs((seconds as u64).max(1))
    }

    /// Replicas to begin with. Zero is used only where the cluster allows it.
    pub fn initial_scale(&self, config: &Config) -> i32 {
        let allowed = self.initial_scale.filter(|scale| *scale != 0 || config.allow_zero_initial_scale);
        allowed.unwrap_or(config.initial_scale)
    }

    /// The burst that must fit without queueing; -1 is any.
    pub fn burst(&self, config: &Config) -> f64 {
        self.target_burst_capacity.unwrap_or(config.target_burst_capacity)
    }

    /// The lower and the upper bound (0 is none). An unreachable revision has no lower bound.
    pub fn bounds(&self, config: &Config, reachability: Reachability) -> (i32, i32) {
        let unreachable = reachability == Reachability::Unreachable;
        let min = if unreachable { 0 } else { self.min_scale.unwrap_or(config.min_scale) };
        (min, self.max_scale.unwrap_or(config.max_scale))
    }

    /// What the decider needs.
    pub fn decider(&self, config: &Config, reachability: Reachability) -> DeciderSpec {
        let (target, total) = self.target(config);
        let threshold = self.panic_threshold_percentage.unwrap_or(config.panic_threshold_percentage);
        DeciderSpec {
            metric: self.metric,
            target,
            total,
            burst: self.burst(config),
            panic_threshold: threshold / 100.0,
            max_scale_up_rate: config.max_scale_up_rate,
            max_scale_down_rate: config.max_scale_down_rate,
            stable_window: self.stable_window(config),
            scale_down_delay: self.scale_down_delay.unwrap_or(config.scale_down_delay),
            initial_scale: self.initial_scale(config),
            activation_scale: self.activation_scale.unwrap_or(0),
            activator_capacity: config.activator_capacity,
            is_reachable: reachability != Reachability::Unreachable,
        }
    }
}

/// What the decider of a revision needs.
#[derive(Debug, Clone, PartialEq)]
pub struct DeciderSpec {
    /// What is measured.
    pub metric: Metric,
    /// What is aimed at per replica.
    pub target: f64,
    /// What a replica can take.
    pub total: f64,
    /// The burst that must fit without queueing; -1 is any.
    pub burst: f64,
    /// From which multiple of the present size it panics.
    pub panic_threshold: f64,
    /// By which factor the size may grow in one decision.
    pub max_scale_up_rate: f64,
    /// By which factor the size may shrink in one decision.
    pub max_scale_down_rate: f64,
    /// The stable window.
    pub stable_window: SimDuration,
    /// For how long a lower size must be wanted.
    pub scale_down_delay: SimDuration,
    /// Replicas to begin with.
    pub initial_scale: i32,
    /// The least size above zero; up to 1 it has no effect.
    pub activation_scale: i32,
    /// Requests that an activator takes at once.
    pub activator_capacity: f64,
    /// Whether routes lead to the revision.
    pub is_reachable: bool,
}

impl DeciderSpec {
    /// The burst capacity left before the first decision.
    pub fn first_excess(&self) -> i32 {
        if self.burst == 0.0 {
            0
        } else if self.burst < 0.0 {
            -1
        } else {
            (f64::from(self.initial_scale) * self.total - self.burst) as i32
        }
    }

    /// The number of activators in front of `ready` replicas.
    pub fn activators(&self, ready: u32) -> u32 {
        const LEAST: f64 = 2.0;
        if self.burst == 0.0 {
            return LEAST as u32;
        }
        let capacity = f64::from(ready) * self.total + self.burst.max(0.0);
        (capacity / self.activator_capacity).ceil().max(LEAST) as u32
    }
}

/// The number of replicas that are asked, of `population`, for an average within 25% of that of all with 95% confidence.
pub fn sample_size(population: f64) -> f64 {
    const ENOUGH: f64 = 1.96 * 1.96 * 100.0 / 25.0;
    if population <= 3.0 { population } else { (population * ENOUGH / (population + ENOUGH - 1.0)).ceil() }
}
