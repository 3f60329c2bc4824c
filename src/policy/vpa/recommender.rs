//! Recommendations: percentiles with a margin, wider where little is known.
//!
//! Source: `vertical-pod-autoscaler/pkg/recommender/logic` of kubernetes/autoscaler.

use super::amounts::{Resources, amount, from_cores, scaled};
use super::container::Aggregate;
use crate::units::SimDuration;

/// Percentiles of one resource.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentiles {
    /// Of the target.
    pub target: f64,
    /// Of the lower bound.
    pub lower: f64,
    /// Of the upper bound.
    pub upper: f64,
    /// The time after which a recommendation is trusted.
    pub interval: SimDuration,
}

impl Default for Percentiles {
    fn default() -> Self {
        Percentiles { target: 0.9, lower: 0.5, upper: 0.95, interval: SimDuration::from_secs(86_400) }
    }
}

/// The recommender's flags.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recommender {
    /// For CPU.
    pub cpu: Percentiles,
    /// For memory.
    pub memory: Percentiles,
    /// The share that is added.
    pub margin: f64,
    /// The least CPU of a pod, in millicores.
    pub least_cpu: f64,
    /// The least memory of a pod, in MiB.
    pub least_memory: f64,
}

impl Default for Recommender {
    fn default() -> Self {
        let plain = Percentiles::default();
        Recommender { cpu: plain, memory: plain, margin: 0.15, least_cpu: 25.0, least_memory: 250.0 }
    }
}

/// Which resources are recommended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Controlled {
    /// CPU.
    pub cpu: bool,
    /// Memory.
    pub memory: bool,
}

/// The recommendation for a container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recommended {
    /// What it should request.
    pub target: Resources,
    /// Below this it is updated.
    pub lower: Resources,
    /// Above this it is updated.
    pub upper: Resources,
}

/// How much is known: days between the first and the last sample, or what one sample a minute would have given in as many.
pub fn confidence(known: &Aggregate, interval: SimDuration) -> f64 {
    let observed = known.first.zip(known.last).map_or(0, |(first, last)| last.since(first).as_nanos());
    let days = observed as f64 / interval.as_nanos().max(1) as f64;
    let samples = known.samples as f64 / (interval.as_secs_f64() / 60.0);
    days.min(samples)
}

/// An amount with a margin.
pub fn with_margin(base: i64, share: f64) -> i64 {
    base.saturating_add(scaled(base, share))
}

/// An amount that is scaled by (1 + `multiplier` / confidence) ^ `exponent`.
pub fn with_confidence(base: i64, multiplier: f64, exponent: f64, confidence: f64) -> i64 {
    scaled(base, (1.0 + multiplier / confidence).powf(exponent))
}

/// The least amounts of each container of a pod of `containers`.
pub fn least_of(cpu_millicores: f64, memory_mib: f64, containers: usize) -> (i64, i64) {
    let share = 1.0 / containers.max(1) as f64;
    (from_cores(cpu_millicores * share * 0.001), amount(memory_mib * share * 1024.0 * 1024.0))
}

impl Recommender {
    /// The recommendation for a container, of `containers` in its pod.
    pub fn recommend(&self, known: &Aggregate, containers: usize, controlled: Controlled) -> Recommended {
        let (least_cpu, least_memory) = least_of(self.least_cpu, self.least_memory, containers);
        let make = |cpu_share: f64, memory_share: f64, widen: Option<(f64, f64)>| {
            let finish = |base: i64, interval: SimDuration, least: i64| {
                let wide = with_margin(base, self.margin);
                let wide = match widen {
                    None => wide,
                    Some((multiplier, exponent)) => {
                        with_confidence(wide, multiplier, exponent, confidence(known, interval))
                    }
                };
                wide.max(least)
            };
            let cpu = from_cores(known.cpu.percentile(cpu_share));
            let memory = amount(known.memory.percentile(memory_share));
            Resources {
                cpu: controlled.cpu.then(|| finish(cpu, self.cpu.interval, least_cpu)),
                memory: controlled.memory.then(|| finish(memory, self.memory.interval, least_memory)),
            }
        };
        Recommended {
            target: make(self.cpu.target, self.memory.target, None),
            lower: make(self.cpu.lower, self.memory.lower, Some((0.001, -2.0))),
            upper: make(self.cpu.upper, self.memory.upper, Some((1.0, 1.0))),
        }
    }
}
