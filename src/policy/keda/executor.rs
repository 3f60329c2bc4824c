//! What each poll does: activation, the way to zero or to the idle size, and conditions.
//!
//! Source: `pkg/scaling/executor/scale_scaledobjects.go` of kedacore/keda.

use super::scaled_object::{ScaledObject, is_on};
use crate::units::{SimDuration, SimTime};

/// What the HPA of a ScaledObject says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HpaState {
    /// Its condition ScalingActive; `None` if it has none.
    pub is_scaling: Option<bool>,
    /// The reason of the condition.
    pub reason: String,
}

impl HpaState {
    /// The condition HPAActive that follows, with its reason. An HPA that is switched off is not broken.
    pub fn condition(&self) -> Option<(bool, &str)> {
        Some(match (self.is_scaling?, self.reason.as_str()) {
            (true, _) => (true, "HPAActive"),
            (false, "ScalingDisabled") => (true, "ScalingDisabled"),
            (false, "") => (false, "HPAMetricsUnavailable"),
            (false, reason) => (false, reason),
        })
    }
}

/// What a poll found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Polled {
    /// Whether a trigger is active.
    pub is_active: bool,
    /// Whether a trigger failed.
    pub is_error: bool,
    /// Replicas of the workload.
    pub replicas: i32,
    /// When a trigger was last active.
    pub last_active: Option<SimTime>,
    /// When the ScaledObject was created; `None` for long ago.
    pub created: Option<SimTime>,
    /// The time.
    pub now: SimTime,
}

/// Whether it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// Every trigger answers, or nothing else was noticed.
    Yes,
    /// Some trigger does not.
    Partly,
    /// None is active, and some do not answer.
    No,
}

impl Ready {
    /// Status and reason of the condition.
    pub fn condition(self) -> (&'static str, &'static str) {
        match self {
            Ready::Yes => ("True", "ScaledObjectReady"),
            Ready::Partly => ("Unknown", "PartialTriggerError"),
            Ready::No => ("False", "TriggerError"),
        }
    }
}

/// Whether it is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Active {
    /// A trigger is.
    Yes,
    /// None is.
    No,
    /// None is, and the cooldown is not over.
    Cooldown,
}

impl Active {
    /// Status and reason of the condition.
    pub fn condition(self) -> (&'static str, &'static str) {
        match self {
            Active::Yes => ("True", "ScalerActive"),
            Active::No => ("False", "ScalerNotActive"),
            Active::Cooldown => ("False", "ScalerCooldown"),
        }
    }
}

/// What a poll does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requested {
    /// The size that it sets.
    pub scale_to: Option<i32>,
    /// Whether now becomes the last time at which a trigger was active.
    pub sets_last_active: bool,
    /// Whether it is active; `None` while paused.
    pub active: Option<Active>,
    /// Whether it works.
    pub ready: Ready,
    /// Whether it activated the workload, or deactivated it.
    pub event: Option<Event>,
}

/// What a poll reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// From zero or idle.
    Activated,
    /// To zero or idle.
    Deactivated,
}

impl Event {
    /// The name of the event.
    pub fn name(self) -> &'static str {
        match self {
            Event::Activated => "KEDAScaleTargetActivated",
            Event::Deactivated => "KEDAScaleTargetDeactivated",
        }
    }
}

/// Decides what a poll does.
pub fn request_scale(object: &ScaledObject, polled: &Polled) -> Requested {
    let nothing = Requested { scale_to: None, sets_last_active: false, active: None, ready: Ready::Yes, event: None };
    if object.is_paused() {
        return nothing;
    }
    if polled.is_active || is_on(object.annotation("force-activation")) {
        activate(object, polled, Requested { active: Some(Active::Yes), ..nothing })
    } else {
        deactivate(object, polled, Requested { active: Some(Active::No), ..nothing })
    }
}

fn activate(object: &ScaledObject, polled: &Polled, nothing: Requested) -> Requested {
    let least = object.min.unwrap_or(0);
    let is_idle = object.idle.is_some() && polled.replicas < least;
    if is_idle || polled.replicas == 0 {
        if is_on(object.annotation("paused-scale-out")) {
            return nothing;
        }
        let scale_to = Some(least.max(1));
        return Requested { scale_to, sets_last_active: true, event: Some(Event::Activated), ..nothing };
    }
    match polled.is_error {
        true => Requested { ready: Ready::Partly, ..nothing },
        false => Requested { sets_last_active: true, ..nothing },
    }
}

fn deactivate(object: &ScaledObject, polled: &Polled, nothing: Requested) -> Requested {
    let least = object.min.unwrap_or(0);
    match &object.fallback {
        Some(fallback) if polled.is_error && fallback.replicas != 0 => return nothing,
        None if polled.is_error => return Requested { ready: Ready::No, ..nothing },
        _ => {}
    }
    let can_sleep = object.idle.is_some_and(|idle| polled.replicas > idle) || (polled.replicas > 0 && least == 0);
    if can_sleep {
        if is_on(object.annotation("paused-scale-in")) {
            return nothing;
        }
        let is_over = match (polled.last_active, polled.created) {
            (Some(last), _) => is_past(last, object.cooldown, polled.now),
            (None, Some(created)) => is_past(created, object.initial_cooldown, polled.now),
            (None, None) => true,
        };
        return match is_over {
            true => {
                let scale_to = Some(object.idle_or_least().1);
                Requested { scale_to, event: Some(Event::Deactivated), ..nothing }
            }
            false => Requested { active: Some(Active::Cooldown), ..nothing },
        };
    }
    let is_below = polled.replicas < least && object.idle.is_none();
    Requested { scale_to: is_below.then_some(least), ..nothing }
}

/// Whether `time` after `since` has passed, strictly.
fn is_past(since: SimTime, time: SimDuration, now: SimTime) -> bool {
    since.saturating_add(time) < now
}
