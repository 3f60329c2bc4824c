//! The settings of a Ray Serve deployment that its autoscaling reads.

/// How the values of the look-back period become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    /// The average, weighted with time.
    Mean,
    /// The largest value at a change.
    Max,
    /// The smallest value at a change.
    Min,
}

/// The rules of which version decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Release {
    /// Up to 2.54: delays are counted in control loops of nominally 0.1 s, however long a loop takes (ray issue 62004).
    V2_54,
    /// The development builds between ray pull requests 60851 and 61731, of which no release was made: as 2.54, and the
    /// up-scaling factor multiplies the target in every loop in which nothing runs yet.
    Before61731,
    /// 2.55 to 2.60: delays are measured in time.
    #[default]
    V2_55,
}

/// `AutoscalingConfig`, with the names, units and defaults of Ray Serve 2.60.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AutoscalingConfig {
    /// Fewest replicas.
    pub min_replicas: i64,
    /// Replicas of the first deployment; the minimum if not set.
    pub initial_replicas: Option<i64>,
    /// Most replicas.
    pub max_replicas: i64,
    /// Requests, running and queued, that each replica shall have.
    pub target_ongoing_requests: f64,
    /// Seconds between two reports of a handle.
    pub metrics_interval_s: f64,
    /// Seconds over which requests are averaged.
    pub look_back_period_s: f64,
    /// Factor of every step where the newer names are not set.
    pub smoothing_factor: f64,
    /// The former name of `upscaling_factor`.
    pub upscale_smoothing_factor: Option<f64>,
    /// The former name of `downscaling_factor`.
    pub downscale_smoothing_factor: Option<f64>,
    /// Share of the way up that one step takes.
    pub upscaling_factor: Option<f64>,
    /// Share of the way down that one step takes.
    pub downscaling_factor: Option<f64>,
    /// Seconds for which more replicas must be wanted.
    pub upscale_delay_s: f64,
    /// Seconds for which fewer replicas must be wanted.
    pub downscale_delay_s: f64,
    /// The same for the step from one to none; `downscale_delay_s` if not set.
    pub downscale_to_zero_delay_s: Option<f64>,
    /// How the requests of the look-back period become one number.
    pub aggregation_function: Aggregation,
}

impl Default for AutoscalingConfig {
    fn default() -> Self {
        AutoscalingConfig {
            min_replicas: 1,
            initial_replicas: None,
            max_replicas: 1,
            target_ongoing_requests: 2.0,
            metrics_interval_s: 10.0,
            look_back_period_s: 30.0,
            smoothing_factor: 1.0,
            upscale_smoothing_factor: None,
            downscale_smoothing_factor: None,
            upscaling_factor: None,
            downscaling_factor: None,
            upscale_delay_s: 30.0,
            downscale_delay_s: 600.0,
            downscale_to_zero_delay_s: None,
            aggregation_function: Aggregation::Mean,
        }
    }
}

impl AutoscalingConfig {
    /// The factor of a step up.
    pub fn up(&self) -> f64 {
        self.upscaling_factor.or(self.upscale_smoothing_factor).unwrap_or(self.smoothing_factor)
    }

    /// The factor of a step down.
    pub fn down(&self) -> f64 {
        self.downscaling_factor.or(self.downscale_smoothing_factor).unwrap_or(self.smoothing_factor)
    }

    /// Seconds between two samples of a handle.
    pub fn record_interval_s(&self) -> f64 {
        (0.2 * self.look_back_period_s).min(self.metrics_interval_s)
    }

    /// Seconds without a report after which a handle is forgotten.
    pub fn handle_timeout_s(&self) -> f64 {
        (2.0 * self.metrics_interval_s).max(10.0)
    }
}
