//! Disruption budgets: how many nodes of a pool may be disrupted at once
//! (kubernetes-sigs/karpenter `pkg/apis/v1/nodepool.go`).

use jiff::tz::TimeZone;

use crate::policy::cron::Schedule;

/// Without a bound (`math.MaxInt32`).
pub const UNBOUNDED: i64 = i32::MAX as i64;

/// A budget of a node pool.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Budget {
    /// A number of nodes, or a percentage of the pool's, rounded up.
    pub nodes: String,
    /// When it begins to apply, as a cron expression in UTC.
    pub schedule: Option<String>,
    /// How long it then applies, in seconds. Without this and a schedule, always.
    pub duration: Option<i64>,
    /// The reasons to disrupt a node to which it applies; `None` for all.
    pub reasons: Option<Vec<String>>,
}

impl Budget {
    /// Whether it applies at `now`, in seconds since 1970: whether its schedule had a hit within its duration.
    ///
    /// # Errors
    /// What is wrong with its schedule.
    pub fn is_active(&self, now: i64) -> Result<bool, String> {
        if self.schedule.is_none() && self.duration.is_none() {
            return Ok(true);
        }
        let schedule = Schedule::parse(self.schedule.as_deref().unwrap_or(""))?;
        let since = now.saturating_sub(self.duration.unwrap_or(0));
        Ok(schedule.next(since, &TimeZone::UTC).is_some_and(|hit| hit <= now))
    }

    /// How many nodes of a pool of `nodes` it allows to be disrupted at `now`.
    ///
    /// # Errors
    /// What is wrong with it; nothing is then allowed.
    pub fn allowed(&self, now: i64, nodes: i64) -> Result<i64, String> {
        if !self.is_active(now)? {
            return Ok(UNBOUNDED);
        }
        if let Ok(number) = self.nodes.parse::<i64>() {
            return Ok(number);
        }
        let percent = self.nodes.strip_suffix('%').and_then(|percent| percent.parse::<i64>().ok());
        let percent = percent.ok_or_else(|| format!("`{}` is neither a number nor a percentage", self.nodes))?;
        Ok((percent as f64 * nodes as f64 / 100.0).ceil() as i64)
    }
}

/// How many nodes of a pool of `nodes` may be disrupted at `now` for a reason: the least that a budget allows.
pub fn allowed(budgets: &[Budget], reason: &str, now: i64, nodes: i64) -> i64 {
    let applies =
        |budget: &&Budget| budget.reasons.as_ref().is_none_or(|reasons| reasons.iter().any(|other| other == reason));
    let each = budgets.iter().filter(applies).map(|budget| budget.allowed(now, nodes).unwrap_or(0));
    each.min().unwrap_or(UNBOUNDED)
}
