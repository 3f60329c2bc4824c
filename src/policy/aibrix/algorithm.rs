//! The two algorithms of AIBrix and what happens to their proposals.
//!
//! The rules of vllm-project/aibrix, `pkg/controller/podautoscaler/algorithm/{apa,kpa}.go` and
//! `podautoscaler_controller.go`.

/// What both algorithms are limited by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Share above the target that is not acted on.
    pub up_tolerance: f64,
    /// Share below the target that is not acted on.
    pub down_tolerance: f64,
    /// Most that one step multiplies the size by.
    pub max_scale_up_rate: f64,
    /// Most that one step divides the size by.
    pub max_scale_down_rate: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { up_tolerance: 0.1, down_tolerance: 0.1, max_scale_up_rate: 2.0, max_scale_down_rate: 2.0 }
    }
}

/// APA: `current` replicas that use `use_per_pod` each, with `target` for each.
pub fn apa(current: i64, use_per_pod: f64, target: f64, limits: &Limits) -> i64 {
    if target <= 0.0 {
        return current;
    }
    let (size, ratio) = (current as f64, use_per_pod / target);
    let wanted = (size * ratio).ceil();
    if ratio > 1.0 + limits.up_tolerance {
        return wanted.min((limits.max_scale_up_rate * size).ceil()) as i64;
    }
    if ratio < 1.0 - limits.down_tolerance {
        return wanted.max((size / limits.max_scale_down_rate).floor()) as i64;
    }
    current
}

/// What KPA decides from: totals over the stable and over the panic window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Windows {
    /// Total over the stable window.
    pub stable: f64,
    /// Total over the panic window.
    pub panic: f64,
    /// Target for each replica.
    pub target: f64,
}

impl Windows {
    /// Whether there is panic: the panic window holds more than `threshold` times the stable one, or the stable one
    /// nothing.
    pub fn is_panic(&self, threshold: f64) -> bool {
        self.stable <= 0.0 || self.panic / self.stable > threshold
    }
}

/// KPA for `current` replicas. In panic, `peak` is the remembered largest size; it is raised.
///
/// The tolerance compares a total with the target of one replica. Where it bites, the size stays whatever it is.
pub fn kpa(current: i64, windows: &Windows, peak: Option<&mut i64>, activation_scale: i64, limits: &Limits) -> i64 {
    let Windows { stable, panic, target } = *windows;
    if target <= 0.0 {
        return current;
    }
    let size = current.max(0) as f64;
    let most = (limits.max_scale_up_rate * size).ceil().max(1.0);
    let least = (size / limits.max_scale_down_rate).floor();
    let is_near =
        |value: f64| value >= target * (1.0 - limits.down_tolerance) && value <= target * (1.0 + limits.up_tolerance);
    let wanted = |value: f64| {
        let wanted = if is_near(value) { size } else { (value / target).ceil() };
        let within = wanted.max(least).min(most) as i64;
        if within > 0 { within.max(activation_scale) } else { within }
    };
    let Some(peak) = peak else { return wanted(stable) };
    *peak = wanted(stable).max(wanted(panic)).max(*peak);
    *peak
}

/// A proposal and when it was made, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proposed {
    /// When.
    pub time_s: f64,
    /// The size.
    pub replicas: i64,
}

/// The cool-down: what becomes of `proposal` for `current` replicas.
///
/// It is the reverse of a stabilization window of Kubernetes: on the way up the largest proposal of the window counts, on
/// the way down the smallest. So the 300 s of its default delay nothing.
pub fn cooled_down(
    history: &[Proposed],
    now_s: f64,
    proposal: i64,
    current: i64,
    up_window_s: f64,
    down_window_s: f64,
) -> i64 {
    let within = |window_s: f64| {
        history.iter().filter(move |past| now_s - past.time_s < window_s).map(|past| past.replicas).chain([proposal])
    };
    match proposal.cmp(&current) {
        std::cmp::Ordering::Greater => within(up_window_s).max().unwrap_or(proposal),
        std::cmp::Ordering::Less => within(down_window_s).min().unwrap_or(proposal),
        std::cmp::Ordering::Equal => proposal,
    }
}
