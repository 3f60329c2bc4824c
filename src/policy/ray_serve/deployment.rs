//! A deployment as the controller knows it: registration, bounds, the share of capacity in a roll-out, gangs.
//!
//! Ray Serve's `DeploymentAutoscalingState` (ray-project/ray, `python/ray/serve/_private/autoscaling_state.py`).

use super::config::{AutoscalingConfig, Release};
use super::decision::{DelayState, Situation, Wish, decide};

/// What a deployment is registered with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Registration {
    /// The settings.
    pub config: AutoscalingConfig,
    /// Share of the full capacity, in per cent; `None` for all of it.
    pub target_capacity: Option<f64>,
    /// Whether the share of capacity is growing.
    pub is_growing: bool,
    /// Version of the code.
    pub version: i64,
    /// Replicas that are placed together; 1 for no gangs.
    pub gang_size: i64,
}

/// A registered deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    registration: Registration,
    release: Release,
    state: DelayState,
}

/// `replicas` at `capacity` per cent: rounded half up, and at least 1 unless one of both is 0.
pub fn at_capacity(replicas: i64, capacity: Option<f64>) -> i64 {
    let Some(capacity) = capacity.filter(|capacity| *capacity != 100.0) else { return replicas };
    if capacity == 0.0 || replicas == 0 {
        return 0;
    }
    let hundredfold = replicas as f64 * capacity;
    let whole = (hundredfold / 100.0).floor();
    let half_up = if hundredfold - whole * 100.0 >= 50.0 { whole + 1.0 } else { whole };
    (half_up as i64).max(1)
}

/// The next multiple of `gang_size`; none stay none.
pub fn whole_gangs(replicas: i64, gang_size: i64) -> i64 {
    if gang_size <= 1 || replicas <= 0 {
        return replicas;
    }
    let gangs = replicas / gang_size + i64::from(replicas % gang_size != 0);
    gangs.saturating_mul(gang_size)
}

impl Deployment {
    /// Registers a deployment, with `current` replicas as its target. Returns it with its new target.
    pub fn register(registration: Registration, release: Release, current: i64) -> (Deployment, i64) {
        let deployment = Deployment { registration, release, state: DelayState::default() };
        let target = deployment.bounded(registration.config.initial_replicas.unwrap_or(current));
        (deployment, target)
    }

    /// Registers it again; what it has waited for is forgotten. The initial replicas count again if the settings or the
    /// version are others. Returns the new target.
    pub fn register_again(&mut self, registration: Registration, current: i64) -> i64 {
        let before = std::mem::replace(&mut self.registration, registration);
        let is_changed = (before.config, before.version, before.gang_size)
            != (registration.config, registration.version, registration.gang_size);
        self.state = DelayState::default();
        self.bounded(registration.config.initial_replicas.filter(|_| is_changed).unwrap_or(current))
    }

    /// The settings.
    pub fn config(&self) -> &AutoscalingConfig {
        &self.registration.config
    }

    /// Divides the target of each replica by `factor`.
    pub fn scale_target(&mut self, factor: f64) {
        self.registration.config.target_ongoing_requests /= factor;
    }

    /// Fewest and most replicas. While the capacity grows, the initial replicas are the fewest.
    pub fn bounds(&self) -> (i64, i64) {
        let Registration { config, target_capacity, is_growing, .. } = self.registration;
        let least = config.initial_replicas.filter(|_| is_growing).unwrap_or(config.min_replicas);
        (at_capacity(least, target_capacity), at_capacity(config.max_replicas, target_capacity))
    }

    /// `replicas` within the bounds.
    pub fn bounded(&self, replicas: i64) -> i64 {
        let (least, most) = self.bounds();
        replicas.min(most).max(least)
    }

    /// Decides, before bounds, for `running` replicas and a `target`, with `ongoing` requests.
    pub fn wish(&mut self, now_s: f64, running: i64, target: i64, ongoing: f64) -> Wish {
        let Registration { config, gang_size, .. } = self.registration;
        // A gang counts as one replica where the last one may go.
        let is_last_gang = gang_size > 1 && config.min_replicas == 0 && target == gang_size;
        let target = if is_last_gang { 1 } else { target };
        let seen = Situation { now_s, running, target, ongoing, bounds: self.bounds() };
        let wish = decide(&config, self.release, &mut self.state, &seen);
        Wish { replicas: whole_gangs(wish.replicas, gang_size), ..wish }
    }
}
