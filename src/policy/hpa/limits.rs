//! Limits on one scaling step: minimum and maximum, and the rate of change.

use super::calculator::MAX_REPLICAS;
use super::spec::{Amount, ControllerFlags, RatePolicy, Rules, SelectPolicy};
use crate::units::{SimDuration, SimTime};

/// A rescale in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaleEvent {
    /// The absolute change in replicas.
    pub change: u32,
    /// When.
    pub at: SimTime,
    /// Whether it is older than the longest policy period of its direction.
    pub outdated: bool,
}

/// The limit that a size met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitReason {
    /// None.
    DesiredWithinRange,
    /// The maximum number of replicas.
    TooManyReplicas,
    /// The minimum number of replicas.
    TooFewReplicas,
    /// The scale-up rate.
    ScaleUpLimit,
    /// The scale-down rate.
    ScaleDownLimit,
}

impl LimitReason {
    /// The reason as spelled by Kubernetes.
    pub const fn name(self) -> &'static str {
        match self {
            LimitReason::DesiredWithinRange => "DesiredWithinRange",
            LimitReason::TooManyReplicas => "TooManyReplicas",
            LimitReason::TooFewReplicas => "TooFewReplicas",
            LimitReason::ScaleUpLimit => "ScaleUpLimit",
            LimitReason::ScaleDownLimit => "ScaleDownLimit",
        }
    }
}

/// A size after applying the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limited {
    /// The size.
    pub replicas: u32,
    /// The limit that applied.
    pub reason: LimitReason,
    /// The rate policy that set the limit, if one did.
    pub policy: Option<RatePolicy>,
}

/// Minimum and maximum size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Minimum.
    pub min: u32,
    /// Maximum.
    pub max: u32,
}

/// Applies the limits without `behavior`: one step multiplies the size by at most the controller's factor.
pub fn limit(current: u32, desired: u32, bounds: Bounds, flags: &ControllerFlags) -> Limited {
    let step = (flags.scale_up_limit_factor * f64::from(current)).max(flags.scale_up_limit_minimum);
    let step = (step as u32).min(MAX_REPLICAS);
    let (most, reason) =
        if bounds.max > step { (step, LimitReason::ScaleUpLimit) } else { (bounds.max, LimitReason::TooManyReplicas) };
    let (replicas, reason) = if desired < bounds.min {
        (bounds.min, LimitReason::TooFewReplicas)
    } else if desired > most {
        (most, reason)
    } else {
        (desired, LimitReason::DesiredWithinRange)
    };
    Limited { replicas, reason, policy: None }
}

/// Past rescales of both directions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScaleEvents {
    /// Upwards.
    pub up: Vec<ScaleEvent>,
    /// Downwards.
    pub down: Vec<ScaleEvent>,
}

impl ScaleEvents {
    /// The size at the start of a period, reconstructed from the events since; negative if they are inconsistent.
    fn start_of(&self, period: SimDuration, current: u32, now: SimTime) -> i64 {
        i64::from(current) - change_within(&self.up, period, now) + change_within(&self.down, period, now)
    }

    /// Records a rescale from `previous` to `new` under the rules of its direction.
    pub fn store(&mut self, rules: &Rules, previous: u32, new: u32, now: SimTime) {
        let events = if new > previous { &mut self.up } else { &mut self.down };
        let longest = rules.policies.iter().map(|policy| policy.period).max().unwrap_or(SimDuration::ZERO);
        for event in events.iter_mut().filter(|event| now.since(event.at) > longest) {
            event.outdated = true;
        }
        let event = ScaleEvent { change: new.abs_diff(previous), at: now, outdated: false };
        match events.iter().rposition(|event| event.outdated) {
            Some(slot) => events[slot] = event,
            None => events.push(event),
        }
    }
}

/// The sum of changes within the last `period`.
pub fn change_within(events: &[ScaleEvent], period: SimDuration, now: SimTime) -> i64 {
    events.iter().filter(|event| now.since(event.at) < period).map(|event| i64::from(event.change)).sum()
}

/// Applies the limits with `behavior`: the rate policies of the direction of the change. A limit never reverses the
/// direction.
pub fn limit_with_behavior(
    current: u32,
    desired: u32,
    bounds: Bounds,
    up: &Rules,
    down: &Rules,
    events: &ScaleEvents,
    now: SimTime,
) -> Limited {
    if desired > current {
        let (limit, policy) = scale_up_limit(current, events, up, now);
        let limit = limit.max(current);
        if desired > limit.min(bounds.max) {
            let by_rate = bounds.max > limit;
            let reason = if by_rate { LimitReason::ScaleUpLimit } else { LimitReason::TooManyReplicas };
            return Limited { replicas: limit.min(bounds.max), reason, policy: policy.filter(|_| by_rate) };
        }
    } else if desired < current {
        let (limit, policy) = scale_down_limit(current, events, down, now);
        let limit = limit.min(current);
        if desired < limit.max(bounds.min) {
            let by_rate = bounds.min < limit;
            let reason = if by_rate { LimitReason::ScaleDownLimit } else { LimitReason::TooFewReplicas };
            return Limited { replicas: limit.max(bounds.min), reason, policy: policy.filter(|_| by_rate) };
        }
    }
    Limited { replicas: desired, reason: LimitReason::DesiredWithinRange, policy: None }
}

/// The largest size allowed now, and the policy that sets it (none if scaling up is disabled).
pub fn scale_up_limit(current: u32, events: &ScaleEvents, rules: &Rules, now: SimTime) -> (u32, Option<RatePolicy>) {
    let allowed = rules.policies.iter().map(|policy| {
        let start = events.start_of(policy.period, current, now);
        let size = match policy.amount {
            Amount::Pods(pods) => start + i64::from(pods),
            Amount::Percent(percent) => (start as f64 * (1.0 + f64::from(percent) / 100.0)).ceil() as i64,
        };
        (size, *policy)
    });
    let chosen = match rules.select_policy {
        SelectPolicy::Disabled => return (current, None),
        SelectPolicy::Max => allowed.reduce(|a, b| if b.0 > a.0 { b } else { a }),
        SelectPolicy::Min => allowed.reduce(|a, b| if b.0 < a.0 { b } else { a }),
    };
    chosen.map_or((current, None), |(size, policy)| (hold(size), Some(policy)))
}

/// The smallest size allowed now, and the policy that sets it (none if scaling down is disabled).
pub fn scale_down_limit(current: u32, events: &ScaleEvents, rules: &Rules, now: SimTime) -> (u32, Option<RatePolicy>) {
    let allowed = rules.policies.iter().map(|policy| {
        let start = events.start_of(policy.period, current, now);
        let size = match policy.amount {
            Amount::Pods(pods) => start - i64::from(pods),
            Amount::Percent(percent) => (start as f64 * (1.0 - f64::from(percent) / 100.0)) as i64,
        };
        (size, *policy)
    });
    let chosen = match rules.select_policy {
        SelectPolicy::Disabled => return (current, None),
        // The policy with the largest change is the one with the smallest size.
        SelectPolicy::Max => allowed.reduce(|a, b| if b.0 < a.0 { b } else { a }),
        SelectPolicy::Min => allowed.reduce(|a, b| if b.0 > a.0 { b } else { a }),
    };
    chosen.map_or((current, None), |(size, policy)| (hold(size), Some(policy)))
}

/// Clamps to the range of a size.
fn hold(size: i64) -> u32 {
    size.clamp(0, i64::from(MAX_REPLICAS)) as u32
}
