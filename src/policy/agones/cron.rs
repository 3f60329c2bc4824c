//! Times at which a standard cron expression fires.
//!
//! Five fields (minute, hour, day of the month, month, day of the week) or a descriptor such as `@daily`, as
//! robfig/cron's `ParseStandard` reads them. Where both days are restricted, either is enough.

use jiff::civil::{Date, Weekday};
use jiff::{Timestamp, ToSpan, Unit, ZonedDateTime};

/// How many years ahead a time is looked for.
const YEARS: i64 = 5;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A field: the values that it allows, as bits, and whether it says "any".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Field {
    bits: u64,
    is_any: bool,
}

impl Field {
    fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|value| value < 64 && self.bits & (1 << value) != 0)
    }
}

/// A cron expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cron {
    minute: Field,
    hour: Field,
    day: Field,
    month: Field,
    weekday: Field,
}

impl Cron {
    /// Reads an expression; `None` if it is not one.
    pub fn parse(text: &str) -> Option<Cron> {
        let text = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            text => text,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.try_into().ok()?;
        Some(Cron {
            minute: field(minute, 0, 59, &[])?,
            hour: field(hour, 0, 23, &[])?,
            day: field(day, 1, 31, &[])?,
            month: field(month, 1, 12, &MONTHS)?,
            weekday: field(weekday, 0, 6, &DAYS)?,
        })
    }

    fn has_day(&self, date: Date) -> bool {
        let of_month = self.day.has(date.day());
        let of_week = self.weekday.has(date.weekday().since(Weekday::Sunday));
        let is_day = if self.day.is_any || self.weekday.is_any { of_month && of_week } else { of_month || of_week };
        self.month.has(date.month()) && is_day
    }

    /// The first time after `time` at which it fires, on the clock of its zone; `None` if there is none within five years.
    pub fn next(&self, time: &ZonedDateTime) -> Option<ZonedDateTime> {
        let minute = time.round((Unit::Minute, 1)).ok()?;
        let mut at = if minute <= *time { minute.checked_add(1.minute()).ok()? } else { minute };
        let last = time.checked_add(YEARS.years()).ok()?;
        while at <= last {
            if !self.has_day(at.date()) {
                at = at.tomorrow().ok()?.start_of_day().ok()?;
            } else if !self.hour.has(at.hour()) {
                // Whole hours of the clock, also where its shift is not one.
                at = at.checked_add(i64::from(60 - at.minute()).minutes()).ok()?;
            } else if self.minute.has(at.minute()) {
                return Some(at);
            } else {
                at = at.checked_add(1.minute()).ok()?;
            }
        }
        None
    }
}

/// Reads a field: a list of values, ranges and steps.
fn field(text: &str, least: u32, most: u32, names: &[&str]) -> Option<Field> {
    let mut found = Field { bits: 0, is_any: false };
    for part in text.split(',') {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let value = |text: &str| match names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
            Some(index) => Some(index as u32 + least),
            None => text.parse().ok(),
        };
        let is_star = range == "*" || range == "?";
        let (first, last) = match range.split_once('-') {
            _ if is_star => (least, most),
            Some((first, last)) => (value(first)?, value(last)?),
            None if step.is_some() => (value(range)?, most),
            None => (value(range)?, value(range)?),
        };
        let step: u32 = step.map_or(Some(1), |step| step.parse().ok())?;
        if first < least || last > most || first > last || step == 0 {
            return None;
        }
        found.bits |= (first..=last).step_by(step as usize).fold(0, |bits, value| bits | 1 << value);
        found.is_any |= is_star && step == 1;
    }
    Some(found)
}

/// A time in the zone with this name; UTC for an empty one.
pub fn in_zone(time: Timestamp, zone: &str) -> Option<ZonedDateTime> {
    time.in_tz(if zone.is_empty() { "UTC" } else { zone }).ok()
}
