//! Moments of a run in words: by the calendar of its zone where that is known, or else the time since the start.

use super::text;
use crate::experiment::{CalendarStart, Outcome};
use crate::units::SimTime;
use crate::workload::{Zone, show_instant_in};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The clock by which a report tells time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock<'a> {
    calendar: Option<&'a CalendarStart>,
}

impl<'a> Clock<'a> {
    /// The clock of an outcome.
    pub(crate) fn of(outcome: &'a Outcome) -> Clock<'a> {
        Clock { calendar: outcome.calendar.as_ref() }
    }

    /// A moment, seconds since the start: `4 Jul 10:30:15`, or `1d 10:30:15` without a calendar.
    pub(crate) fn at(self, seconds: f64) -> String {
        let Some(calendar) = self.calendar else { return text::clock(seconds) };
        // A duration below the clock's resolution is cut, as without a calendar.
        let whole = seconds.max(0.0) as u64;
        let instant = calendar.start_epoch_ns.saturating_add(whole.saturating_mul(1_000_000_000));
        let shown = show_instant_in(instant, zone(calendar));
        let (date, time) = shown.split_once('T').unwrap_or((&shown, ""));
        format!("{} {}", day(date), time.get(..8).unwrap_or(time))
    }

    /// From one moment to another, with the zone where there is a calendar: `4 Jul 10:30:15 to 4 Jul 11:00:00 (UTC)`.
    pub(crate) fn between(self, from: SimTime, to: SimTime) -> String {
        let [from, to] = [from, to].map(|at| self.at(at.as_secs_f64()));
        let zone = self.zone().map(|zone| format!(" ({zone})")).unwrap_or_default();
        if from == to { format!("{from}{zone}") } else { format!("{from} to {to}{zone}") }
    }

    /// The zone in words, where there is a calendar: `UTC`, `Europe/Berlin, +01:00`.
    pub(crate) fn zone(self) -> Option<String> {
        self.calendar.map(|calendar| zone_text(zone(calendar), calendar.start_epoch_ns))
    }

    /// Heads a column of moments: `At (UTC)`, or `At` without a calendar.
    pub(crate) fn head(self, what: &str) -> String {
        self.zone().map_or_else(|| what.to_string(), |zone| format!("{what} ({zone})"))
    }
}

/// The zone of a calendar.
pub(crate) fn zone(calendar: &CalendarStart) -> Zone {
    Zone::named(&calendar.zone).unwrap_or(Zone::UTC)
}

/// A zone by its name, with its offset at an instant where the name does not tell it.
pub(crate) fn zone_text(zone: Zone, epoch_ns: u64) -> String {
    match zone.name() {
        name if zone == Zone::UTC || name == zone.offset_shown(epoch_ns) => name,
        name => format!("{name}, {}", zone.offset_shown(epoch_ns)),
    }
}

/// `4 Jul` of `1995-07-04`.
pub(crate) fn day(date: &str) -> String {
    let mut parts = date.split('-').rev();
    let (day, month) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let month = month.parse::<usize>().ok().and_then(|month| MONTHS.get(month.wrapping_sub(1))).unwrap_or(&"");
    format!("{} {month}", day.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::parse_instant;

    #[test]
    fn moments_are_told_by_the_clock_of_the_zone() {
        let start_epoch_ns = parse_instant("2026-10-24T22:30:00Z").unwrap();
        let of = |zone: &str| CalendarStart { start_epoch_ns, zone: zone.into() };
        let (utc, berlin) = (of("UTC"), of("Europe/Berlin"));
        let clock = Clock { calendar: Some(&utc) };
        assert_eq!((clock.at(5400.9).as_str(), clock.head("At").as_str()), ("25 Oct 00:00:00", "At (UTC)"));
        let clock = Clock { calendar: Some(&berlin) };
        assert_eq!(clock.head("At"), "At (Europe/Berlin, +02:00)");
        // At 01:00 UTC the clock goes back from 03:00 to 02:00.
        assert_eq!([8_999.0, 9_000.0].map(|at| clock.at(at)), ["25 Oct 02:59:59", "25 Oct 02:00:00"]);
        let [from, to] = [0, 60].map(SimTime::from_secs);
        assert_eq!(clock.between(from, to), "25 Oct 00:30:00 to 25 Oct 00:31:00 (Europe/Berlin, +02:00)");
        let clock = Clock { calendar: None };
        assert_eq!((clock.between(from, from), clock.head("At")), ("00:00:00".into(), "At".into()));
    }
}
