//! Cron schedules: when a line of five fields next fires.
//!
//! Source: robfig/cron v3 (`spec.go`, `parser.go`), which KEDA, Agones and Karpenter use, with its treatment of hours that a
//! change of clocks skips or repeats.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// The years after which a search gives up.
const YEARS: i16 = 5;
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// The values that one field allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Allowed {
    bits: u64,
    /// Whether it is `*`.
    is_any: bool,
}

impl Allowed {
    fn has(self, value: i8) -> bool {
        self.bits & (1 << value) != 0
    }
}

/// A schedule of five fields: minute, hour, day of the month, month, day of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    minute: Allowed,
    hour: Allowed,
    day: Allowed,
    month: Allowed,
    weekday: Allowed,
}

impl Schedule {
    /// Reads a schedule such as `0 8 * * MON-FRI` or `@daily`.
    ///
    /// # Errors
    /// What is wrong.
    pub fn parse(text: &str) -> Result<Schedule, String> {
        let text = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            stated => stated,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else {
            return Err(format!("`{text}` has {} fields; a schedule has 5", fields.len()));
        };
        Ok(Schedule {
            minute: allowed(minute, 0, 59, &[])?,
            hour: allowed(hour, 0, 23, &[])?,
            day: allowed(day, 1, 31, &[])?,
            month: allowed(month, 1, 12, &MONTHS)?,
            weekday: allowed(weekday, 0, 6, &DAYS)?,
        })
    }

    /// The first time after `now`, in seconds since 1970; `None` if there is none within five years.
    pub fn next(&self, now: i64, zone: &TimeZone) -> Option<i64> {
        let mut at = Wall::of(now + 1, zone)?;
        let limit = at.local.year() + YEARS;
        let mut is_moved = false;
        'wrap: loop {
            if at.local.year() > limit {
                return None;
            }
            while !self.month.has(at.local.month()) {
                if !is_moved {
                    at = at.moved(|local| Some(local.date().first_of_month().at(0, 0, 0, 0)))?;
                }
                is_moved = true;
                at = at.moved(|local| next_month(local.date()).map(|date| date.at(local.hour(), 0, 0, 0)))?;
                if at.local.month() == 1 {
                    continue 'wrap;
                }
            }
            while !self.is_day(at.local.date()) {
                if !is_moved {
                    at = at.moved(|local| Some(local.date().at(0, 0, 0, 0)))?;
                }
                is_moved = true;
                at = at.moved(|local| Some(local.date().tomorrow().ok()?.to_datetime(local.time())))?;
                // Midnight does not exist where the clock is put forward at that time.
                let hour = i64::from(at.local.hour());
                if hour != 0 {
                    at = at.later(if hour > 12 { 24 - hour } else { -hour } * 3600)?;
                }
                if at.local.day() == 1 {
                    continue 'wrap;
                }
            }
            while !self.hour.has(at.local.hour()) {
                if !is_moved {
                    at = at.moved(|local| Some(local.date().at(local.hour(), 0, 0, 0)))?;
                }
                is_moved = true;
                at = at.later(3600)?;
                if at.local.hour() == 0 {
                    continue 'wrap;
                }
            }
            while !self.minute.has(at.local.minute()) || at.local.second() != 0 {
                is_moved = true;
                at = at.later(60 - i64::from(at.local.second()))?;
                if at.local.minute() == 0 {
                    continue 'wrap;
                }
            }
            return Some(at.seconds);
        }
    }

    /// Whether a day fits: either day if both are restricted.
    fn is_day(&self, date: Date) -> bool {
        let day = self.day.has(date.day());
        let weekday = self.weekday.has(date.weekday().to_sunday_zero_offset());
        if self.day.is_any || self.weekday.is_any { day && weekday } else { day || weekday }
    }
}

fn next_month(date: Date) -> Option<Date> {
    match date.month() {
        12 => Date::new(date.year().checked_add(1)?, 1, 1).ok(),
        month => Date::new(date.year(), month + 1, 1).ok(),
    }
}

/// A time, and what a clock shows.
#[derive(Clone, Copy)]
struct Wall<'z> {
    seconds: i64,
    local: DateTime,
    zone: &'z TimeZone,
}

impl<'z> Wall<'z> {
    fn of(seconds: i64, zone: &'z TimeZone) -> Option<Wall<'z>> {
        let local = zone.to_datetime(Timestamp::from_second(seconds).ok()?);
        Some(Wall { seconds, local, zone })
    }

    fn later(self, by: i64) -> Option<Wall<'z>> {
        Wall::of(self.seconds.checked_add(by)?, self.zone)
    }

    /// The time at which the clock shows another value. Of a skipped or repeated hour, Go takes the offset that applies
    /// at the first guess.
    fn moved(self, to: impl FnOnce(DateTime) -> Option<DateTime>) -> Option<Wall<'z>> {
        let shown = TimeZone::UTC.to_timestamp(to(self.local)?).ok()?.as_second();
        let offset = |at: i64| {
            let at = Timestamp::from_second(at).ok()?;
            Some(i64::from(self.zone.to_offset(at).seconds()))
        };
        let guess = offset(shown)?;
        let seconds = if guess == 0 { shown } else { shown - offset(shown - guess)? };
        Wall::of(seconds, self.zone)
    }
}

/// Reads one field.
fn allowed(text: &str, least: i8, most: i8, names: &[&str]) -> Result<Allowed, String> {
    let mut allowed = Allowed { bits: 0, is_any: false };
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let value = |text: &str| -> Result<i8, String> {
            let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
            let value = match named {
                Some(index) => i8::try_from(index).ok().map(|index| index + i8::from(least == 1)),
                None => text.parse::<i8>().ok(),
            };
            let value = value.filter(|value| (least..=most).contains(value));
            value.ok_or_else(|| format!("`{text}` is not from {least} to {most}"))
        };
        let is_any = matches!(range, "*" | "?");
        let (from, to) = match range.split_once('-') {
            _ if is_any => (least, most),
            Some((from, to)) => (value(from)?, value(to)?),
            None if step.is_some() => (value(range)?, most),
            None => (value(range)?, value(range)?),
        };
        if from > to {
            return Err(format!("`{part}` ends before it begins"));
        }
        let step = match step {
            None => 1,
            Some(text) => text.parse::<usize>().ok().filter(|step| *step > 0).ok_or(format!("`{part}` has no step"))?,
        };
        allowed.is_any |= is_any && step == 1;
        (from..=to).step_by(step).for_each(|value| allowed.bits |= 1 << value);
    }
    if allowed.bits == 0 { Err(format!("`{text}` allows nothing")) } else { Ok(allowed) }
}
