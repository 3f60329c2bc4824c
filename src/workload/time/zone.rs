//! Time zones: fixed offsets, and those of the built-in edition of the IANA database, so that a run does not depend on
//! the machine.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};

use crate::config::{Diagnostics, FromNode, Yaml};
use crate::units::NANOS_PER_SECOND;

/// A time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Offset in seconds east of Greenwich.
    Fixed(i32),
    /// A zone with rules, by its name.
    Named(&'static str, &'static TimeZone),
}

/// Zones that were used: each is loaded once, and there are no more than in the database.
static KNOWN: Mutex<BTreeMap<String, (&'static str, &'static TimeZone)>> = Mutex::new(BTreeMap::new());

/// Abbreviations with a unique offset: those of RFC 2822, section 4.3, and those of Europe. Others mean different
/// offsets in different parts of the world.
const ABBREVIATIONS: [(&str, i32); 16] = [
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
    ("WET", 0),
    ("WEST", 1),
    ("CET", 1),
    ("CEST", 2),
    ("EET", 2),
];

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Zone = Zone(Kind::Fixed(0));

    /// Parses a zone: `Europe/Berlin`, `+01:00`, `-0530`, `UTC`, or an abbreviation with a unique offset.
    pub fn named(text: &str) -> Option<Zone> {
        if let Some((_, hours)) = ABBREVIATIONS.iter().find(|(name, _)| *name == text) {
            return Some(Zone(Kind::Fixed(hours * 3600)));
        }
        match text {
            "EEST" => return Some(Zone(Kind::Fixed(3 * 3600))),
            "JST" => return Some(Zone(Kind::Fixed(9 * 3600))),
            _ => {}
        }
        if let Some(seconds) = offset_of(text) {
            return Some(Zone(Kind::Fixed(seconds)));
        }
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((name, zone)) = known.get(text) {
            return Some(Zone(Kind::Named(name, zone)));
        }
        let zone: &'static TimeZone = Box::leak(Box::new(TimeZoneDatabase::bundled().get(text).ok()?));
        let name: &'static str = Box::leak(zone.iana_name().unwrap_or(text).to_string().into_boxed_str());
        known.insert(text.to_string(), (name, zone));
        Some(Zone(Kind::Named(name, zone)))
    }

    /// A fixed offset, in seconds east of Greenwich.
    pub fn fixed(seconds: i32) -> Zone {
        Zone(Kind::Fixed(seconds))
    }

    /// The name (`Europe/Berlin`) or the offset (`+01:00`).
    pub fn name(self) -> String {
        match self.0 {
            Kind::Fixed(0) => "UTC".into(),
            Kind::Fixed(seconds) => shown(seconds),
            Kind::Named(name, _) => name.into(),
        }
    }

    /// Seconds east of Greenwich at an instant, nanoseconds since 1970.
    pub fn offset_at(self, epoch_ns: u64) -> i64 {
        match self.0 {
            Kind::Fixed(seconds) => seconds.into(),
            Kind::Named(_, zone) => {
                let at = Timestamp::from_second((epoch_ns / NANOS_PER_SECOND) as i64).unwrap_or(Timestamp::UNIX_EPOCH);
                zone.to_offset(at).seconds().into()
            }
        }
    }

    /// The offset at an instant as text (`+01:00`).
    pub fn offset_shown(self, epoch_ns: u64) -> String {
        shown(self.offset_at(epoch_ns) as i32)
    }

    /// The instant of a local time, both in seconds since 1970. If there are two, the earlier one; a time skipped by
    /// the clock is moved forward by the skipped amount.
    pub fn instant_of(self, local: u64) -> Option<u64> {
        LocalClock::new(self).instant(local)
    }
}

/// Parses `+01:00`, `-0530`, `+02`: seconds east of Greenwich.
fn offset_of(text: &str) -> Option<i32> {
    let (sign, digits) = match text.as_bytes() {
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let two = |tens: &u8, ones: &u8| {
        (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| i32::from(tens - b'0') * 10 + i32::from(ones - b'0'))
    };
    let (hours, minutes) = match digits {
        [a, b] => (two(a, b)?, 0),
        [a, b, c, d] | [a, b, b':', c, d] => (two(a, b)?, two(c, d)?),
        _ => return None,
    };
    (hours <= 15 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

fn shown(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60)
}

impl FromNode for Zone {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let zone = node.as_text().and_then(Zone::named);
        if zone.is_none() {
            let error = node.error("expected a time zone");
            sink.push(error.help("a name of the IANA database such as `Europe/Berlin`, or an offset such as `+01:00`"));
        }
        zone
    }
}

/// Local times are looked up once per this many seconds: zones change at quarters of an hour.
const SLOT: u64 = 900;
/// How far a row must go back in time before a repeated hour is taken for the second one.
const BACK: u64 = 1800;

/// Converts local times to instants, in the order of a file.
#[derive(Debug, Clone)]
pub(super) struct LocalClock {
    zone: Zone,
    /// The last time slot looked up, and its offset.
    slot: u64,
    offset: i64,
    /// The last instant returned.
    last: u64,
    /// Whether the repeated hour is already the second one.
    again: bool,
    /// Number of local times that do not exist because clocks were set forward.
    moved: u64,
    /// Number of times in a repeated hour, taken as the first and as the second one.
    repeated: [u64; 2],
}

impl LocalClock {
    pub(super) fn new(zone: Zone) -> Self {
        LocalClock { zone, slot: u64::MAX, offset: 0, last: 0, again: false, moved: 0, repeated: [0; 2] }
    }

    pub(super) fn moved(&self) -> u64 {
        self.moved
    }

    pub(super) fn repeated(&self) -> [u64; 2] {
        self.repeated
    }

    /// Whether the zone always has the same offset.
    pub(super) fn is_fixed(&self) -> bool {
        matches!(self.zone.0, Kind::Fixed(_))
    }

    /// The instant of a local time, both in seconds since 1970. A repeated hour in autumn is the first one until rows
    /// go back in time by half an hour or more; a time skipped in spring is moved forward by the skipped amount.
    #[inline]
    pub(super) fn instant(&mut self, local: u64) -> Option<u64> {
        let instant = match self.zone.0 {
            Kind::Fixed(seconds) => local.checked_add_signed(-i64::from(seconds))?,
            Kind::Named(..) if local / SLOT == self.slot => local.checked_add_signed(-self.offset)?,
            Kind::Named(_, zone) => self.look_up(zone, local)?,
        };
        self.last = instant;
        Some(instant)
    }

    fn look_up(&mut self, zone: &TimeZone, local: u64) -> Option<u64> {
        let offset_of = |local: u64| {
            let civil = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
            let civil = civil.checked_add(SignedDuration::from_secs(local as i64)).ok()?;
            Some(zone.to_ambiguous_timestamp(civil).offset())
        };
        match offset_of(local)? {
            AmbiguousOffset::Unambiguous { offset } => {
                self.again = false;
                let seconds = i64::from(offset.seconds());
                let slot = local / SLOT;
                let same = |at| matches!(offset_of(at), Some(AmbiguousOffset::Unambiguous { offset: other }) if other == offset);
                if same(slot * SLOT) && same(slot * SLOT + SLOT - 1) {
                    (self.slot, self.offset) = (slot, seconds);
                }
                local.checked_add_signed(-seconds)
            }
            AmbiguousOffset::Gap { before, .. } => {
                self.moved += 1;
                local.checked_add_signed(-i64::from(before.seconds()))
            }
            AmbiguousOffset::Fold { before, after } => {
                let first = local.checked_add_signed(-i64::from(before.seconds()))?;
                let second = local.checked_add_signed(-i64::from(after.seconds()))?;
                self.again |= first + BACK < self.last;
                self.repeated[usize::from(self.again)] += 1;
                Some(if self.again { second } else { first })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::time::text::parse_instant;

    fn seconds(text: &str) -> u64 {
        parse_instant(text).unwrap() / NANOS_PER_SECOND
    }

    #[test]
    fn zones_are_known_by_name_and_offset() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        assert_eq!(berlin, Zone::named("Europe/Berlin").unwrap());
        assert_eq!((berlin.name().as_str(), berlin.offset_at(0)), ("Europe/Berlin", 3600));
        assert_eq!(Zone::named("-05:30").unwrap().name(), "-05:30");
        assert_eq!(Zone::named("CEST").unwrap().offset_at(0), 7200);
        assert!(["Europe/Atlantis", "IST", "+25:00", "", "+1"].iter().all(|text| Zone::named(text).is_none()));
    }

    #[test]
    fn the_hour_that_comes_twice_is_read_twice() {
        let mut clock = LocalClock::new(Zone::named("Europe/Berlin").unwrap());
        let mut at = |text: &str| clock.instant(seconds(text)).unwrap();
        assert_eq!(at("2026-10-25 01:59"), seconds("2026-10-24T23:59Z"));
        assert_eq!(at("2026-10-25 02:10"), seconds("2026-10-25T00:10Z"));
        // A row that is a second late is still in the first hour.
        assert_eq!(at("2026-10-25 02:09:59"), seconds("2026-10-25T00:09:59Z"));
        assert_eq!(at("2026-10-25 02:50"), seconds("2026-10-25T00:50Z"));
        assert_eq!(at("2026-10-25 02:00"), seconds("2026-10-25T01:00Z"));
        assert_eq!(at("2026-10-25 02:59"), seconds("2026-10-25T01:59Z"));
        assert_eq!(at("2026-10-25 03:00"), seconds("2026-10-25T02:00Z"));
        // The hour skipped in spring.
        assert_eq!(at("2026-03-29 02:30"), seconds("2026-03-29T01:30Z"));
        assert_eq!((clock.moved(), clock.repeated()), (1, [3, 2]));
    }
}
