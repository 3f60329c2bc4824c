//! Limits on one step: minimum and maximum, and how fast the size may change.

use super::calculator::MAX_REPLICAS;
use super::spec::{Amount, ControllerFlags, RatePolicy, Rules, SelectPolicy};
use crate::units::{SimDuration, SimTime};

/// A rescale that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaleEvent {
    /// By how many replicas, without sign.
    pub change: u32,
    /// When.
    pub at: SimTime,
    /// Older than every period that its direction's policies look at.
    pub outdated: bool,
}

/// Which limit a size met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitReason {
    /// None.
    DesiredWithinRange,
    /// The maximum number of replicas.
    TooManyReplicas,
    /// The minimum number of replicas.
    TooFewReplicas,
    /// The rate upwards.
    ScaleUpLimit,
    /// The rate downwards.
    ScaleDownLimit,
}

impl LimitReason {
    /// The reason as Kubernetes writes it.
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

/// A size within the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limited {
    /// The size.
    pub replicas: u32,
    /// Which limit it met.
    pub reason: LimitReason,
    /// The rate policy that set the limit, where one did.
    pub policy: Option<RatePolicy>,
}

/// Fewest and most replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Fewest.
    pub min: u32,
    /// Most.
    pub max: u32,
}

/// Without `behavior`: one step at most multiplies the size by the controller's factor.
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

/// The rescales of both directions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScaleEvents {
    /// Upwards.
    pub up: Vec<ScaleEvent>,
    /// Downwards.
    pub down: Vec<ScaleEvent>,
}

impl ScaleEvents {
    /// The size at the start of a period, as the events since tell it; below zero if they contradict each other.
    fn start_of(&self, period: SimDuration, current: u32, now: SimTime) -> i64 {
        i64::from(current) - change_within(&self.up, period, now) + change_within(&self.down, period, now)
    }

    /// Remembers a rescale from `previous` to `new`, under the rules of its direction.
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

/// The sum of the changes younger than `period`.
pub fn change_within(events: &[ScaleEvent], period: SimDuration, now: SimTime) -> i64 {
    events.iter().filter(|event| now.since(event.at) < period).map(|event| i64::from(event.change)).sum()
}

/// With `behavior`: the rate policies of the direction that the size would move in. A limit never turns the direction.
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

/// The largest size that may be reached now, and the policy that sets it (none where going up is disabled).
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

/// The smallest size that may be reached now, and the policy that sets it (none where going down is disabled).
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
        // The largest change leaves the smallest size.
        SelectPolicy::Max => allowed.reduce(|a, b| if b.0 < a.0 { b } else { a }),
        SelectPolicy::Min => allowed.reduce(|a, b| if b.0 > a.0 { b } else { a }),
    };
    chosen.map_or((current, None), |(size, policy)| (hold(size), Some(policy)))
}

/// Into the range of a size.
fn hold(size: i64) -> u32 {
    size.clamp(0, i64::from(MAX_REPLICAS)) as u32
}
