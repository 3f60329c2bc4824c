//! When a Schedule policy applies.
//!
//! The rules of googleforgames/agones, `pkg/fleetautoscalers/fleetautoscalers.go`.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::policy::cron;

/// How far ahead of its start a period counts.
const AHEAD: SignedDuration = SignedDuration::from_secs(90);

/// The duration of a period that has none stated.
const FOR_EVER: SignedDuration = SignedDuration::from_hours(2_540_400);

/// When a policy applies.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schedule {
    /// Not before.
    pub start: Option<Timestamp>,
    /// Not after.
    pub end: Option<Timestamp>,
    /// Start of each period; `None` for one that always lasts.
    pub start_cron: Option<cron::Schedule>,
    /// Zone of the cron expression; UTC if empty.
    pub timezone: String,
    /// Duration of each period; for ever if not stated.
    pub duration: Option<SignedDuration>,
}

impl Schedule {
    /// Whether it applies at `now`. A zone that is not known never does.
    pub fn is_active(&self, now: Timestamp) -> bool {
        if self.start.is_some_and(|start| now < start) || self.end.is_some_and(|end| now > end) {
            return false;
        }
        let Some(cron) = &self.start_cron else { return true };
        self.covers(cron, now).unwrap_or(false)
    }

    /// Whether the first period to start after a duration ago lasts at `now`, or starts within 90 s.
    fn covers(&self, cron: &cron::Schedule, now: Timestamp) -> Option<bool> {
        let duration = self.duration.unwrap_or(FOR_EVER);
        let zone = if self.timezone.is_empty() { TimeZone::UTC } else { TimeZone::get(&self.timezone).ok()? };
        let from = now.checked_sub(duration).ok()?.as_second();
        let start = Timestamp::from_second(cron.next(from, &zone)?).ok()?;
        let (earliest, end) = (start.checked_sub(AHEAD).ok()?, start.checked_add(duration).ok()?);
        Some(now > earliest && now < end)
    }
}
