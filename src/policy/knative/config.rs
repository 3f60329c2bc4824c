//! The ConfigMap `config-autoscaler`: defaults, reading and checks.
//!
//! Source: `pkg/autoscaler/config/config.go` of knative/serving.

use crate::units::{NANOS_PER_SECOND, SimDuration};

/// The least target, and the least panic window in seconds.
pub const LEAST_TARGET: f64 = 0.01;

/// The settings of the cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Whether revisions are scaled to zero.
    pub enable_scale_to_zero: bool,
    /// Share of the concurrency that is aimed at.
    pub concurrency_fraction: f64,
    /// Concurrency of a replica where a revision states none.
    pub concurrency_default: f64,
    /// Share of the requests per second that is aimed at.
    pub target_utilization: f64,
    /// Requests per second of a replica where a revision states none.
    pub rps_default: f64,
    /// By which factor the size may grow in one decision.
    pub max_scale_up_rate: f64,
    /// By which factor the size may shrink in one decision.
    pub max_scale_down_rate: f64,
    /// The burst that must fit without queueing; -1 is any.
    pub target_burst_capacity: f64,
    /// Panic window in percent of the stable window.
    pub panic_window_percentage: f64,
    /// Requests that an activator takes at once.
    pub activator_capacity: f64,
    /// From which size in percent of the present one it panics.
    pub panic_threshold_percentage: f64,
    /// Stable window.
    pub stable_window: SimDuration,
    /// How long requests go through the activators before the last replica ends.
    pub grace_period: SimDuration,
    /// How long the last replica stays after the revision became inactive.
    pub pod_retention: SimDuration,
    /// For how long a lower size must be wanted.
    pub scale_down_delay: SimDuration,
    /// The class of autoscaler.
    pub class: String,
    /// Whether a revision may begin with no replica.
    pub allow_zero_initial_scale: bool,
    /// Replicas to begin with.
    pub initial_scale: i32,
    /// Lower bound.
    pub min_scale: i32,
    /// Upper bound; 0 is none.
    pub max_scale: i32,
    /// The largest upper bound that a revision may have; 0 is none.
    pub max_scale_limit: i32,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            enable_scale_to_zero: true,
            concurrency_fraction: 0.7,
            concurrency_default: 100.0,
            target_utilization: 0.7,
            rps_default: 200.0,
            max_scale_up_rate: 1000.0,
            max_scale_down_rate: 2.0,
            target_burst_capacity: 211.0,
            panic_window_percentage: 10.0,
            activator_capacity: 100.0,
            panic_threshold_percentage: 200.0,
            stable_window: SimDuration::from_secs(60),
            grace_period: SimDuration::from_secs(30),
            pod_retention: SimDuration::ZERO,
            scale_down_delay: SimDuration::ZERO,
            class: "kpa.autoscaling.knative.dev".to_owned(),
            allow_zero_initial_scale: false,
            initial_scale: 1,
            min_scale: 0,
            max_scale: 0,
            max_scale_limit: 0,
        }
    }
}

/// What is read and has no effect on decisions.
const IGNORED: [&str; 2] = ["_example", "tick-interval"];

impl Config {
    /// Sets the value of `key`. Keys that Knative does not know are ignored by it; here they yield `Ok(false)`.
    ///
    /// # Errors
    /// What the value must be.
    pub fn set(&mut self, key: &str, text: &str) -> Result<bool, String> {
        match key {
            "enable-scale-to-zero" => self.enable_scale_to_zero = truth(text)?,
            "allow-zero-initial-scale" => self.allow_zero_initial_scale = truth(text)?,
            "container-concurrency-target-percentage" => self.concurrency_fraction = number(text)?,
            "container-concurrency-target-default" => self.concurrency_default = number(text)?,
            "requests-per-second-target-default" => self.rps_default = number(text)?,
            "max-scale-up-rate" => self.max_scale_up_rate = number(text)?,
            "max-scale-down-rate" => self.max_scale_down_rate = number(text)?,
            "target-burst-capacity" => self.target_burst_capacity = number(text)?,
            "panic-window-percentage" => self.panic_window_percentage = number(text)?,
            "activator-capacity" => self.activator_capacity = number(text)?,
            "panic-threshold-percentage" => self.panic_threshold_percentage = number(text)?,
            "stable-window" => self.stable_window = duration(text)?,
            "scale-to-zero-grace-period" => self.grace_period = duration(text)?,
            "scale-to-zero-pod-retention-period" => self.pod_retention = duration(text)?,
            "scale-down-delay" => self.scale_down_delay = duration(text)?,
            "pod-autoscaler-class" => text.clone_into(&mut self.class),
            "initial-scale" => self.initial_scale = whole(text)?,
            "min-scale" => self.min_scale = whole(text)?,
            "max-scale" => self.max_scale = whole(text)?,
            "max-scale-limit" => self.max_scale_limit = whole(text)?,
            _ => return Ok(IGNORED.contains(&key)),
        }
        Ok(true)
    }

    /// The settings as they apply: a fraction above 1 is a percentage.
    ///
    /// # Errors
    /// Which setting is out of its bounds.
    pub fn checked(mut self) -> Result<Config, String> {
        if self.concurrency_fraction > 1.0 {
            self.concurrency_fraction /= 100.0;
        }
        let whole_seconds = |time: SimDuration| time.as_nanos().is_multiple_of(NANOS_PER_SECOND);
        let window = self.stable_window;
        let window_fits = (SimDuration::from_secs(6)..=SimDuration::from_secs(3600)).contains(&window);
        let burst = self.target_burst_capacity;
        let limited = self.max_scale_limit > 0 && !(1..=self.max_scale_limit).contains(&self.max_scale);
        let rules = [
            (!self.grace_period.is_zero(), "`scale-to-zero-grace-period` must be positive"),
            (whole_seconds(self.scale_down_delay), "`scale-down-delay` must be whole seconds"),
            (burst >= 0.0 || burst == -1.0, "`target-burst-capacity` must be 0 or more, or -1 for any"),
            (
                self.concurrency_fraction > 0.0 && self.concurrency_fraction <= 1.0,
                "`container-concurrency-target-percentage` must be above 0 and at most 100",
            ),
            (
                self.concurrency_fraction * self.concurrency_default >= LEAST_TARGET,
                "the concurrency aimed at must be at least 0.01",
            ),
            (self.rps_default >= LEAST_TARGET, "`requests-per-second-target-default` must be at least 0.01"),
            (self.activator_capacity >= 1.0, "`activator-capacity` must be at least 1"),
            (self.max_scale_up_rate > 1.0, "`max-scale-up-rate` must be above 1"),
            (self.max_scale_down_rate > 1.0, "`max-scale-down-rate` must be above 1"),
            (window_fits && whole_seconds(window), "`stable-window` must be whole seconds from 6s to 1h"),
            ((1.0..=100.0).contains(&self.panic_window_percentage), "`panic-window-percentage` must be from 1 to 100"),
            (
                self.initial_scale > 0 || self.initial_scale == 0 && self.allow_zero_initial_scale,
                "`initial-scale` must be at least 1, or 0 with `allow-zero-initial-scale`",
            ),
            (self.min_scale >= 0, "`min-scale` must not be negative"),
            (self.max_scale_limit >= 0, "`max-scale-limit` must not be negative"),
            (self.max_scale >= 0, "`max-scale` must not be negative"),
            (!limited, "`max-scale` must be from 1 to `max-scale-limit`"),
            (self.max_scale == 0 || self.min_scale <= self.max_scale, "`min-scale` is above `max-scale`"),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, words)) => Err((*words).to_owned()),
            None => Ok(self),
        }
    }
}

/// A truth value as Go reads it.
fn truth(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(format!("`{text}` is neither true nor false")),
    }
}

fn number(text: &str) -> Result<f64, String> {
    let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| format!("`{text}` is not a number"))
}

fn whole(text: &str) -> Result<i32, String> {
    text.trim().parse().map_err(|_| format!("`{text}` is not a whole number"))
}

/// A time as Go reads it (`2m3s`, `1.5h`); not negative.
///
/// # Errors
/// What is wrong.
pub fn duration(text: &str) -> Result<SimDuration, String> {
    let wrong = || format!("`{text}` is not a time such as `2m30s`");
    if text.starts_with('-') {
        return Err(format!("`{text}` is negative"));
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Ok(SimDuration::ZERO);
    }
    let mut nanos = 0.0;
    while !rest.is_empty() || nanos == 0.0 {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let amount: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        nanos += amount
            * match &rest[..end] {
                "h" => 3600e9,
                "m" => 60e9,
                "s" => 1e9,
                "ms" => 1e6,
                "us" | "µs" => 1e3,
                "ns" => 1.0,
                _ => return Err(wrong()),
            };
        rest = &rest[end..];
        if rest.is_empty() {
            break;
        }
    }
    SimDuration::from_secs_f64(nanos / 1e9).map_err(|_| wrong())
}
