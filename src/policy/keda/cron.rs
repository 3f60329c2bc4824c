//! The `cron` trigger: a number of replicas between a start and an end, in a time zone.
//!
//! Source: `pkg/scalers/cron_scaler.go` of kedacore/keda.

use jiff::tz::TimeZone;

use crate::policy::cron::Schedule;

/// A `cron` trigger.
#[derive(Debug, Clone)]
pub struct Cron {
    /// When it begins.
    pub start: Schedule,
    /// When it ends.
    pub end: Schedule,
    /// The time zone of both.
    pub zone: TimeZone,
    /// Replicas in between.
    pub replicas: i64,
}

impl Cron {
    /// Reads a trigger.
    ///
    /// # Errors
    /// What is wrong.
    pub fn parse(start: &str, end: &str, zone: &str, replicas: i64) -> Result<Cron, String> {
        let zone = TimeZone::get(zone).map_err(|_| format!("`{zone}` is not a time zone"))?;
        let [start, end] = [start, end].map(Schedule::parse);
        Ok(Cron { start: start?, end: end?, zone, replicas })
    }

    /// Whether it is between a start and an end at `now`, in seconds since 1970. A start that never comes leaves it on;
    /// otherwise an end that never comes leaves it off.
    pub fn is_active(&self, now: i64) -> bool {
        match (self.start.next(now, &self.zone), self.end.next(now, &self.zone)) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(start), Some(end)) => start >= end,
        }
    }

    /// Replicas at `now`, in seconds since 1970.
    pub fn value(&self, now: i64) -> i64 {
        if self.is_active(now) { self.replicas } else { 0 }
    }
}
