//! Which pods are updated, and in which order.
//!
//! Source: `vertical-pod-autoscaler/pkg/updater/priority` of kubernetes/autoscaler.

use super::amounts::Resources;
use super::recommender::Recommended;
use crate::units::SimDuration;

/// The updater's flags.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UpdaterConfig {
    /// A container killed for its memory within this time is updated.
    pub evict_after_kill: SimDuration,
    /// The least difference of an old pod.
    pub least_difference: f64,
    /// From which age a pod is updated for a difference alone.
    pub lifetime: SimDuration,
}

impl Default for UpdaterConfig {
    fn default() -> Self {
        UpdaterConfig {
            evict_after_kill: SimDuration::from_secs(600),
            least_difference: 0.1,
            lifetime: SimDuration::from_secs(43_200),
        }
    }
}

/// A container of a pod.
#[derive(Debug, Clone, PartialEq)]
pub struct PodContainer {
    /// Its name.
    pub name: String,
    /// What it requests.
    pub requests: Resources,
    /// For how long it had run when it was last killed for its memory.
    pub killed_after: Option<SimDuration>,
    /// Whether it is scaled at all.
    pub is_scaled: bool,
}

/// A pod.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdatePod {
    /// Its containers.
    pub containers: Vec<PodContainer>,
    /// How long ago it started.
    pub age: Option<SimDuration>,
    /// Text of the annotation `vpaObservedContainers`.
    pub observed: Option<String>,
}

/// How urgent an update is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Priority {
    /// Whether a request is outside its bounds, or missing.
    pub is_outside: bool,
    /// Whether a request grows.
    pub scales_up: bool,
    /// The sum over resources of the relative difference.
    pub difference: f64,
}

/// The names in the annotation of observed containers; `None` if it does not count.
fn observed(text: Option<&str>) -> Option<Vec<&str>> {
    let text = text?;
    if text.is_empty() {
        return Some(Vec::new());
    }
    let is_name = |name: &&str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        (1..=63).contains(&name.len()) && name.chars().all(inner) && !name.starts_with('-') && !name.ends_with('-')
    };
    let names: Vec<&str> = text.split(", ").collect();
    names.iter().all(is_name).then_some(names)
}

impl UpdatePod {
    /// The containers that count.
    fn counted(&self) -> impl Iterator<Item = &PodContainer> {
        let names = observed(self.observed.as_deref());
        self.containers
            .iter()
            .filter(move |container| names.as_ref().is_none_or(|names| names.contains(&container.name.as_str())))
    }

    /// How urgent an update to what `recommended` returns is.
    pub fn priority<'r>(&self, recommended: impl Fn(&str) -> Option<&'r Recommended>) -> Priority {
        let mut priority = Priority { is_outside: false, scales_up: false, difference: 0.0 };
        // In thousandths: requests and recommendations of CPU, then of memory.
        let mut totals = [(0.0, 0.0, false); 2];
        for container in self.counted() {
            let Some(made) = recommended(&container.name) else { continue };
            let of = |resources: &Resources| [resources.cpu, resources.memory.map(|bytes| bytes.saturating_mul(1000))];
            let (requests, targets) = (of(&container.requests), of(&made.target));
            let bounds = (of(&made.lower), of(&made.upper));
            for (index, total) in totals.iter_mut().enumerate() {
                let Some(target) = targets[index] else { continue };
                total.1 += target as f64;
                total.2 = true;
                let Some(request) = requests[index] else {
                    priority.scales_up = true;
                    priority.is_outside = true;
                    continue;
                };
                total.0 += request as f64;
                priority.scales_up |= target > request;
                priority.is_outside |= bounds.0[index].is_some_and(|lower| request < lower);
                priority.is_outside |= bounds.1[index].is_some_and(|upper| request > upper);
            }
        }
        let difference = |(request, target, _): &(f64, f64, bool)| {
            let request = request.max(1.0);
            (request - target).abs() / request
        };
        priority.difference = totals.iter().filter(|total| total.2).map(difference).sum();
        priority
    }

    /// Whether it is updated.
    pub fn is_updated(&self, priority: &Priority, config: &UpdaterConfig) -> bool {
        let killed = |container: &PodContainer| {
            container.is_scaled && container.killed_after.is_some_and(|ran| ran < config.evict_after_kill)
        };
        let is_killed = self.counted().any(killed);
        if is_killed && priority.difference == 0.0 {
            return false;
        }
        let is_old = self.age.is_some_and(|age| age >= config.lifetime);
        priority.is_outside || is_killed || (is_old && priority.difference >= config.least_difference)
    }
}

/// The order of updates: growing pods first, then the larger difference.
pub fn order(a: &Priority, b: &Priority) -> std::cmp::Ordering {
    b.scales_up.cmp(&a.scales_up).then(b.difference.total_cmp(&a.difference))
}
