//! One decision of the default policy: from requests to replicas, with factors and delays.
//!
//! The rules of `replica_queue_length_autoscaling_policy` and what Ray Serve wraps it in (ray-project/ray,
//! `python/ray/serve/autoscaling_policy.py`).

use super::config::{AutoscalingConfig, Release};

/// Nominal duration of a control loop in seconds.
pub const CONTROL_LOOP_S: f64 = 0.1;

/// What differences of large times may fall short by.
const ROUNDING_S: f64 = 1e-6;

/// What a decision starts from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Situation {
    /// Time in seconds.
    pub now_s: f64,
    /// Replicas that run.
    pub running: i64,
    /// The present target.
    pub target: i64,
    /// Requests running and queued.
    pub ongoing: f64,
    /// Fewest and most replicas; only [`Release::V2_54`] looks at them before the delays.
    pub bounds: (i64, i64),
}

/// Why a decision came out as it did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    /// Nothing runs and requests wait: at once.
    ColdStart,
    /// Nothing runs and no request waits: the target stays.
    NothingRuns,
    /// The target is what is wanted.
    Steady,
    /// Another size is wanted, but not for long enough yet.
    Waiting {
        /// How long it has been wanted, in seconds; in loops times 0.1 s where loops are counted.
        for_s: f64,
        /// How long it must be, in seconds.
        delay_s: f64,
    },
    /// Another size has been wanted for long enough.
    Moved,
}

/// A decision, before bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wish {
    /// The size decided.
    pub replicas: i64,
    /// The size wanted, before delays.
    pub wanted: i64,
    /// Why.
    pub outcome: Outcome,
}

/// The direction wanted, for how many loops, and since when. A policy starts without any.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DelayState {
    /// Loops in a row: above 0 for up, below 0 for down.
    loops: i64,
    /// The time of the first.
    since_s: Option<f64>,
}

/// `desired` replicas approached from `current` with the factor of the direction. From zero there is no way to take a
/// share of. A way down always takes one replica at least.
pub fn apply_factors(config: &AutoscalingConfig, desired: f64, current: i64) -> i64 {
    if current == 0 { desired.ceil() as i64 } else { share_of_way(config, desired, current) }
}

fn share_of_way(config: &AutoscalingConfig, desired: f64, current: i64) -> i64 {
    let way = desired - current as f64;
    let factor = if way > 0.0 { config.up() } else { config.down() };
    let scaled = (current as f64 + factor * way).ceil() as i64;
    let stuck = (desired.ceil() as i64) < current && scaled == current;
    if stuck { scaled.saturating_sub(1) } else { scaled }
}

/// Decides with the rules of `release`.
pub fn decide(config: &AutoscalingConfig, release: Release, state: &mut DelayState, seen: &Situation) -> Wish {
    let now = |replicas, outcome| Wish { replicas, wanted: replicas, outcome };
    if seen.running == 0 && seen.ongoing > 0.0 {
        return now((config.up().ceil() as i64).max(seen.target), Outcome::ColdStart);
    }
    if seen.running == 0 && release == Release::V2_54 {
        return now(seen.target, Outcome::NothingRuns);
    }
    let wanted = match (seen.running, release) {
        (0, Release::Before61731) => share_of_way(config, seen.target as f64, 0),
        (0, _) => seen.target,
        _ => apply_factors(config, desired(config, seen), seen.running),
    };
    let wanted = match release {
        Release::V2_54 => wanted.min(seen.bounds.1).max(seen.bounds.0),
        Release::Before61731 | Release::V2_55 => wanted,
    };
    if seen.running == 0 && wanted > 0 {
        return now(wanted, Outcome::NothingRuns);
    }
    delayed(config, release, state, seen, wanted.max(0))
}

/// Replicas for the requests seen, not rounded. That the running ones cancel out holds for real numbers only.
fn desired(config: &AutoscalingConfig, seen: &Situation) -> f64 {
    let running = seen.running as f64;
    running * (seen.ongoing / (config.target_ongoing_requests * running))
}

/// Lets `wanted` pass once it has been wanted for the delay of its direction. Down to zero goes from one replica only.
fn delayed(
    config: &AutoscalingConfig,
    release: Release,
    state: &mut DelayState,
    seen: &Situation,
    wanted: i64,
) -> Wish {
    if wanted == seen.target {
        *state = DelayState::default();
        return Wish { replicas: wanted, wanted, outcome: Outcome::Steady };
    }
    let up = wanted > seen.target;
    let (delay_s, moved_to) = match (up, seen.target) {
        (true, _) => (config.upscale_delay_s, wanted),
        (false, 1) => (config.downscale_to_zero_delay_s.unwrap_or(config.downscale_delay_s), wanted),
        (false, _) => (config.downscale_delay_s, wanted.max(1)),
    };
    if (up && state.loops < 0) || (!up && state.loops > 0) {
        *state = DelayState::default();
    }
    let loops = state.loops.saturating_add(if up { 1 } else { -1 });
    let since_s = *state.since_s.get_or_insert(seen.now_s);
    state.loops = loops;
    let for_s = match release {
        Release::V2_55 => seen.now_s - since_s,
        Release::V2_54 | Release::Before61731 => loops.saturating_abs().saturating_sub(1) as f64 * CONTROL_LOOP_S,
    };
    let has_waited = match release {
        Release::V2_55 => for_s + ROUNDING_S >= delay_s,
        Release::V2_54 | Release::Before61731 => loops.saturating_abs() > (delay_s / CONTROL_LOOP_S) as i64,
    };
    if has_waited {
        *state = DelayState::default();
        return Wish { replicas: moved_to, wanted, outcome: Outcome::Moved };
    }
    Wish { replicas: seen.target, wanted, outcome: Outcome::Waiting { for_s, delay_s } }
}
