//! ScaledJobs: how many jobs a poll creates.
//!
//! Source: `pkg/scaling/scaledjob/metrics.go` and `pkg/scaling/executor/scale_jobs.go` of kedacore/keda.

/// What one trigger says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JobTrigger {
    /// Whether it is active.
    pub is_active: bool,
    /// The length of its queue.
    pub queue: f64,
    /// The length per job.
    pub target: f64,
}

/// Whether a ScaledJob works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// Every trigger answers.
    Yes,
    /// Some trigger does not.
    Partly,
    /// None is active, and some do not answer.
    No,
}

impl Ready {
    /// What follows from failed and from active triggers.
    pub fn of(is_error: bool, is_active: bool) -> Ready {
        match (is_error, is_active) {
            (false, _) => Ready::Yes,
            (true, true) => Ready::Partly,
            (true, false) => Ready::No,
        }
    }

    /// Status and reason of the condition.
    pub fn condition(self) -> (&'static str, &'static str) {
        match self {
            Ready::Yes => ("True", "ScaledJobReady"),
            Ready::Partly => ("Unknown", "PartialTriggerError"),
            Ready::No => ("False", "TriggerError"),
        }
    }
}

/// How several triggers make one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Calculation {
    /// That of the longest queue.
    #[default]
    Max,
    /// That of the shortest.
    Min,
    /// The average.
    Avg,
    /// The sum.
    Sum,
}

impl Calculation {
    /// The calculation of a name; any other is the default.
    pub fn named(name: &str) -> Calculation {
        match name {
            "min" => Calculation::Min,
            "avg" => Calculation::Avg,
            "sum" => Calculation::Sum,
            _ => Calculation::Max,
        }
    }
}

/// How many jobs are created, of those that are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Strategy {
    /// All but those that run.
    #[default]
    Default,
    /// All but a number and a share of those that run.
    Custom {
        /// The number.
        deduction: i64,
        /// The share.
        share: f64,
    },
    /// All but those that are pending: for queues from which a job takes its message at once.
    Accurate,
    /// As many as there is room for.
    Eager,
}

impl Strategy {
    /// The strategy of a name; a custom one without a readable share is the default one.
    pub fn named(name: &str, deduction: Option<i64>, share: Option<&str>) -> Strategy {
        match (name, share.and_then(|text| text.parse::<f64>().ok())) {
            ("custom", Some(share)) => Strategy::Custom { deduction: deduction.unwrap_or(0), share },
            ("accurate", _) => Strategy::Accurate,
            ("eager", _) => Strategy::Eager,
            _ => Strategy::Default,
        }
    }

    /// The most jobs to create, and the jobs asked for.
    pub fn effective(self, max_scale: i64, running: i64, pending: i64, most: i64, scale_to: i64) -> (i64, i64) {
        match self {
            Strategy::Default => (max_scale - running, scale_to),
            Strategy::Custom { deduction, share } => {
                let busy = (running as f64 * share) as i64;
                (max_scale.saturating_sub(deduction).saturating_sub(busy).min(most), scale_to)
            }
            Strategy::Accurate if max_scale + running - pending > most => (most - running, scale_to),
            Strategy::Accurate => (max_scale - pending, scale_to),
            Strategy::Eager => ((most - running - pending).min(max_scale), most),
        }
    }
}

/// A ScaledJob.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScaledJob {
    /// `minReplicaCount`.
    pub min: i64,
    /// `maxReplicaCount`.
    pub max: i64,
    /// The room above the minimum.
    pub most: i64,
    /// How several triggers make one.
    pub calculation: Calculation,
    /// How many jobs are created.
    pub strategy: Strategy,
}

/// What the triggers ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Whether a trigger is active, or a minimum is stated.
    pub is_active: bool,
    /// Jobs by the length of the queue.
    pub scale_to: i64,
    /// Jobs by the target.
    pub max_scale: i64,
}

/// The average of targets; zero if there are none.
pub fn average_target(targets: &[f64]) -> f64 {
    if targets.is_empty() { 0.0 } else { targets.iter().sum::<f64>() / targets.len() as f64 }
}

impl ScaledJob {
    /// Creates one. A minimum above the maximum counts as the maximum, and is then not taken off it.
    pub fn new(min: Option<i64>, max: Option<i64>, calculation: Calculation, strategy: Strategy) -> Self {
        let (min, max) = (min.unwrap_or(0), max.unwrap_or(100));
        let most = if min > max { max } else { max - min };
        ScaledJob { min: min.min(max), max, most, calculation, strategy }
    }

    /// What `triggers` ask for.
    pub fn asked(&self, triggers: &[JobTrigger]) -> Asked {
        let most = self.most as f64;
        let value = |trigger: &JobTrigger| {
            let jobs = if trigger.target == 0.0 { 0.0 } else { trigger.queue / trigger.target };
            (trigger.queue, jobs.min(most))
        };
        let active: Vec<(f64, f64)> = triggers.iter().filter(|trigger| trigger.is_active).map(value).collect();
        let sum = active.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let count = active.len() as f64;
        let (queue, jobs, is_active) = match self.calculation {
            Calculation::Sum => (sum.0, sum.1, count > 0.0),
            Calculation::Avg if count > 0.0 => (sum.0 / count, sum.1 / count, true),
            Calculation::Avg => (0.0, 0.0, false),
            Calculation::Min => {
                active.iter().fold((0.0, 0.0, false), |kept, one| match kept.0 == 0.0 || one.0 < kept.0 {
                    true => (one.0, one.1, true),
                    false => kept,
                })
            }
            Calculation::Max => active.iter().fold((0.0, 0.0, false), |kept, one| match one.0 > kept.0 {
                true => (one.0, one.1, true),
                false => kept,
            }),
        };
        Asked {
            is_active: is_active || self.min > 0,
            scale_to: queue.ceil() as i64,
            max_scale: jobs.min(most).ceil() as i64,
        }
    }

    /// The most jobs to create, and the jobs asked for, while `running` jobs have not ended, of which `pending` have not
    /// begun. Below the minimum, it is the difference.
    pub fn decide(&self, asked: Asked, running: i64, pending: i64) -> (i64, i64) {
        if self.min > 0 && running < self.min {
            return (self.min - running, self.min - running);
        }
        let free = running - self.min;
        self.strategy.effective(asked.max_scale, free, pending, self.most, asked.scale_to)
    }

    /// The jobs that are created.
    pub fn created(&self, asked: Asked, running: i64, pending: i64) -> i64 {
        let (most, scale_to) = self.decide(asked, running, pending);
        if asked.is_active { scale_to.min(most.max(0)).max(0) } else { 0 }
    }
}
