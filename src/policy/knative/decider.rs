//! The decision of the autoscaler, taken every two seconds.
//!
//! Source: `pkg/autoscaler/scaling/{autoscaler,multiscaler}.go` of knative/serving.

use super::maximum::TimedMax;
use super::target::DeciderSpec;
use crate::units::{SimDuration, SimTime};

/// The time between two decisions.
pub const TICK: SimDuration = SimDuration::from_secs(2);

/// What one decision is based on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// Averages over the stable and the panic window; `None` without data.
    pub values: Option<(f64, f64)>,
    /// Ready replicas; `None` if they could not be counted.
    pub ready: Option<u32>,
}

/// The steps of one decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decided {
    /// Average over the stable window, and over the panic window.
    pub values: (f64, f64),
    /// The sizes that both ask for, within the rates.
    pub sizes: (i32, i32),
    /// The largest and the smallest size that the rates allow.
    pub reach: (f64, f64),
    /// The size before the scale-down delay.
    pub before_delay: i32,
    /// The size.
    pub desired: i32,
    /// What is left of the burst capacity; below zero, requests go through the activators.
    pub excess: i32,
    /// Whether it panics.
    pub is_panicking: bool,
}

/// The decider of one revision.
#[derive(Debug, Clone, PartialEq)]
pub struct Decider {
    spec: DeciderSpec,
    /// When the panic threshold was last passed, while it panics.
    panicking_since: Option<SimTime>,
    /// The largest size of this panic.
    peak: i32,
    /// The wanted sizes of the scale-down delay; `None` if there was none at creation.
    delay: Option<TimedMax>,
}

impl Decider {
    /// Creates a decider at `now`, with `ready` replicas. With more than one it begins in panic, because it has no history.
    pub fn new(spec: DeciderSpec, ready: Option<u32>, now: SimTime) -> Self {
        let ready = ready.unwrap_or(0);
        let delay = (!spec.scale_down_delay.is_zero()).then(|| TimedMax::new(spec.scale_down_delay, TICK));
        let peak = i32::try_from(ready).unwrap_or(i32::MAX);
        Decider { spec, panicking_since: (ready > 1).then_some(now), peak, delay }
    }

    /// Replaces the specification. The scale-down delay stays as it was at creation.
    pub fn set_spec(&mut self, spec: DeciderSpec) {
        self.spec = spec;
    }

    /// The specification.
    pub fn spec(&self) -> &DeciderSpec {
        &self.spec
    }

    /// When the panic threshold was last passed, while it panics.
    pub fn panicking_since(&self) -> Option<SimTime> {
        self.panicking_since
    }

    /// The largest size of this panic.
    pub fn peak(&self) -> i32 {
        self.peak
    }

    /// Decides. `None` if there is no data: then nothing changes.
    pub fn decide(&mut self, now: SimTime, seen: Seen) -> Option<Decided> {
        let (ready, values) = (seen.ready?, seen.values?);
        let spec = &self.spec;
        let pods = f64::from(ready.max(1));
        let most = (spec.max_scale_up_rate * pods).ceil();
        let least = if spec.is_reachable { (pods / spec.max_scale_down_rate).floor() } else { 0.0 };
        let wanted = ((values.0 / spec.target).ceil(), (values.1 / spec.target).ceil());
        let size = |wanted: f64| {
            let size = wanted.max(least).min(most) as i32;
            let is_raised = spec.activation_scale > 1 && wanted > 0.0;
            if is_raised { size.max(spec.activation_scale) } else { size }
        };
        let sizes = (size(wanted.0), size(wanted.1));
        let is_over = wanted.1 / pods >= spec.panic_threshold;
        if is_over {
            self.panicking_since = Some(now);
        } else if self.panicking_since.is_some_and(|since| since.saturating_add(spec.stable_window) < now) {
            self.panicking_since = None;
            self.peak = 0;
        }
        let mut desired = sizes.0;
        if self.panicking_since.is_some() {
            self.peak = self.peak.max(sizes.0).max(sizes.1);
            desired = self.peak;
        }
        let before_delay = desired;
        if let Some(delay) = self.delay.as_mut().filter(|_| spec.is_reachable) {
            delay.record(now, desired);
            desired = delay.current();
        }
        let excess = match spec.burst {
            0.0 => 0,
            burst if burst > 0.0 => (f64::from(ready) * spec.total - burst - values.1).floor() as i32,
            _ => -1,
        };
        let is_panicking = self.panicking_since.is_some();
        Some(Decided { values, sizes, reach: (most, least), before_delay, desired, excess, is_panicking })
    }
}

/// What a decider last published, and whether whoever applies it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The size; -1 before the first decision.
    pub desired: i32,
    /// What is left of the burst capacity.
    pub excess: i32,
}

impl Published {
    /// Before the first decision.
    pub fn first(spec: &DeciderSpec) -> Self {
        Published { desired: -1, excess: spec.first_excess() }
    }

    /// Takes over a decision. Returns whether the size changed, or whether requests go another way.
    pub fn update(&mut self, desired: i32, excess: i32) -> bool {
        let changed = self.desired != desired || !same_sign(self.excess, excess);
        *self = Published { desired, excess };
        changed
    }

    /// Whether an activator's report of `concurrency` asks for a decision at once.
    pub fn is_woken_by(&self, concurrency: f64) -> bool {
        self.desired == 0 && concurrency != 0.0
    }
}

/// Whether both are below zero, or neither.
pub fn same_sign(a: i32, b: i32) -> bool {
    (a < 0) == (b < 0)
}
