//! Applies the decider's size: bounds, initial scale, and the way to zero.
//!
//! Source: `pkg/reconciler/autoscaling/kpa/scaler.go` of knative/serving.

use super::config::Config;
use super::target::{Annotations, Reachability};
use crate::units::SimDuration;

/// What activation may take beyond the progress deadline.
const ACTIVATION_BUFFER: SimDuration = SimDuration::from_secs(30);
/// When it looks again at a revision that turns inactive behind activators.
const LOOK_AGAIN: SimDuration = SimDuration::from_secs(3);
/// How long a Deployment may take to become ready, by default.
pub const PROGRESS_DEADLINE: SimDuration = SimDuration::from_secs(600);

/// Whether a revision serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Replicas are on their way.
    Activating,
    /// It serves.
    Active,
    /// It has no traffic.
    Inactive,
}

/// The state of a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    /// Whether it serves.
    pub activity: Activity,
    /// For how long.
    pub for_time: SimDuration,
    /// Whether it has reached its initial scale.
    pub is_initialized: bool,
    /// Whether routes lead to it.
    pub reachability: Reachability,
    /// Whether its requests are to go through the activators.
    pub is_proxied: bool,
    /// For how long they have; zero if they do not.
    pub proxied_for: SimDuration,
    /// Its present size.
    pub replicas: i32,
}

/// What follows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// The size that is reported; -1 is not known.
    pub desired: i32,
    /// Whether the size is set.
    pub is_set: bool,
    /// When to look again.
    pub look_again: Option<SimDuration>,
    /// Whether the activators were probed.
    pub probed: bool,
    /// Whether they are probed in the background from now on.
    pub probes_on: bool,
}

/// Applies the size `desired` (below zero: not known). `answers` says whether the activators answer a probe.
pub fn apply(
    revision: &Revision,
    desired: i32,
    annotations: &Annotations,
    config: &Config,
    deadline: SimDuration,
    answers: bool,
) -> Applied {
    if desired < 0 && revision.activity != Activity::Activating {
        return Applied { desired, ..Applied::default() };
    }
    let (mut least, most) = annotations.bounds(config, revision.reachability);
    let initial = annotations.initial_scale(config);
    if initial > 1 && !revision.is_initialized && revision.reachability != Reachability::Unreachable {
        least = least.max(initial);
    }
    let raised = desired.max(least);
    let bounded = if most > 0 { raised.min(most) } else { raised };
    let applied = if bounded == 0 {
        to_zero(revision, annotations, config, annotations.progress_deadline.unwrap_or(deadline), answers)
    } else {
        Applied { desired: bounded, is_set: true, ..Applied::default() }
    };
    Applied { is_set: applied.is_set && applied.desired != revision.replicas, ..applied }
}

/// The way to zero.
fn to_zero(
    revision: &Revision,
    annotations: &Annotations,
    config: &Config,
    deadline: SimDuration,
    answers: bool,
) -> Applied {
    let set = |desired: i32| Applied { desired, is_set: true, ..Applied::default() };
    let wait = |look_again: Option<SimDuration>| Applied { look_again, ..Applied::default() };
    if !config.enable_scale_to_zero {
        return set(1);
    }
    match revision.activity {
        Activity::Activating => {
            let longest = deadline + ACTIVATION_BUFFER;
            match revision.for_time > longest {
                true => set(0),
                false => Applied { desired: -1, ..wait(Some(longest)) },
            }
        }
        Activity::Active => {
            let window = annotations.stable_window(config);
            match revision.for_time >= window {
                // It becomes inactive first.
                true => wait(revision.is_proxied.then_some(LOOK_AGAIN)),
                false => Applied { look_again: Some(window - revision.for_time), ..set(1) },
            }
        }
        Activity::Inactive if annotations.burst(config) == -1.0 => inactive(revision, annotations, config),
        Activity::Inactive if answers => Applied { probed: true, ..inactive(revision, annotations, config) },
        Activity::Inactive => Applied { probed: true, probes_on: true, ..wait(None) },
    }
}

/// An inactive revision whose requests go through the activators.
fn inactive(revision: &Revision, annotations: &Annotations, config: &Config) -> Applied {
    let unreachable = revision.reachability == Reachability::Unreachable;
    let stated = annotations.pod_retention.unwrap_or(config.pod_retention);
    let retention = if unreachable { SimDuration::ZERO } else { stated };
    let grace = config.grace_period;
    let inactive = revision.for_time;
    let left = if inactive >= grace.max(retention) {
        SimDuration::ZERO
    } else if inactive < retention {
        retention - inactive
    } else {
        SimDuration::from_nanos(grace.as_nanos().saturating_sub(revision.proxied_for.as_nanos()))
    };
    let is_over = left.is_zero();
    Applied { is_set: is_over, look_again: (!is_over).then_some(left), ..Applied::default() }
}
