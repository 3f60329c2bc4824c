//! Parses times to integer nanoseconds, without floating point.

use super::date_pattern;
use super::zone::{LocalClock, Zone};
use crate::units::{NANOS_PER_SECOND, SimTime};

/// A time format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeFormat {
    /// Seconds, whole or with decimals.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
    /// ISO 8601 or RFC 3339: `2023-11-16 18:15:46.6805900`, `T` or a space between, with or without a zone (default:
    /// the stated zone, or UTC), seconds optional.
    Iso,
    /// `dd/Mon/yyyy:HH:MM:SS +zone` of the Common Log Format.
    Clf,
    /// `Mon dd HH:MM:SS` of BSD syslog (RFC 3164). It has no year: the options state it, and the reader increments it
    /// when the months start over.
    Syslog,
    /// A strptime pattern (`%d.%m.%Y %H:%M`).
    Pattern(&'static str),
}

impl TimeFormat {
    /// The named formats.
    pub const ALL: [TimeFormat; 7] = [
        TimeFormat::Seconds,
        TimeFormat::Millis,
        TimeFormat::Micros,
        TimeFormat::Nanos,
        TimeFormat::Iso,
        TimeFormat::Clf,
        TimeFormat::Syslog,
    ];

    /// The name in a scenario.
    pub const fn name(self) -> &'static str {
        match self {
            TimeFormat::Seconds => "s",
            TimeFormat::Millis => "ms",
            TimeFormat::Micros => "us",
            TimeFormat::Nanos => "ns",
            TimeFormat::Iso => "iso",
            TimeFormat::Clf => "clf",
            TimeFormat::Syslog => "syslog",
            TimeFormat::Pattern(pattern) => pattern,
        }
    }

    /// The format with this name, or a strptime pattern.
    pub fn named(name: &str) -> Option<TimeFormat> {
        let known = TimeFormat::ALL.into_iter().find(|format| format.name() == name);
        known.or_else(|| date_pattern::stated(name).map(TimeFormat::Pattern))
    }

    /// A description of a time in this format, for messages.
    pub const fn example(self) -> &'static str {
        match self {
            TimeFormat::Seconds => "a time in seconds such as `1700158546.25`",
            TimeFormat::Millis => "a time in milliseconds such as `1700158546250`",
            TimeFormat::Micros => "a time in microseconds such as `1700158546250000`",
            TimeFormat::Nanos => "a time in nanoseconds such as `1700158546250000000`",
            TimeFormat::Iso => "a time such as `2023-11-16 18:15:46.25`, from 1970 to 2500",
            TimeFormat::Clf => "a time such as `16/Nov/2023:18:15:46 +0000`, from 1970 to 2500",
            TimeFormat::Syslog => "a time such as `Nov 16 18:15:46`",
            TimeFormat::Pattern(_) => "a time of the form that was recognised or stated, from 1970 to 2500",
        }
    }

    /// Decimal digits between the unit and a nanosecond.
    pub(crate) const fn decimals(self) -> usize {
        match self {
            TimeFormat::Millis => 6,
            TimeFormat::Micros => 3,
            TimeFormat::Nanos => 0,
            _ => 9,
        }
    }

    /// The format of an example. Units of numbers are distinguished by size, for times between 1973 and 5138: up to 11
    /// digits are seconds, up to 14 milliseconds, up to 17 microseconds.
    pub fn detect(text: &[u8]) -> Option<TimeFormat> {
        TimeFormat::plain(text).or_else(|| date_pattern::first(text).map(TimeFormat::Pattern))
    }

    fn plain(text: &[u8]) -> Option<TimeFormat> {
        let digits = text.iter().take_while(|c| c.is_ascii_digit()).count();
        if text.len() > digits && digits > 0 && matches!(text[digits], b'-' | b'/') {
            return [TimeFormat::Iso, TimeFormat::Clf]
                .into_iter()
                .find(|f| TimeReader::new(*f, None).read(text).is_some());
        }
        match digits {
            0 => TimeReader::new(TimeFormat::Syslog, None).read(text).map(|_| TimeFormat::Syslog),
            1..=11 => decimal(text, 9).map(|_| TimeFormat::Seconds),
            12..=14 => decimal(text, 6).map(|_| TimeFormat::Millis),
            15..=17 => decimal(text, 3).map(|_| TimeFormat::Micros),
            _ => decimal(text, 0).map(|_| TimeFormat::Nanos),
        }
    }

    /// Whether the format contains the day of the calendar.
    pub const fn is_date(self) -> bool {
        matches!(self, TimeFormat::Iso | TimeFormat::Clf | TimeFormat::Syslog | TimeFormat::Pattern(_))
    }
}

/// Numbers from this time on (March 1973) are taken as times since 1970, smaller ones as times since the start of the
/// trace.
pub(crate) const EPOCH_FROM_NS: u64 = 100_000_000 * NANOS_PER_SECOND;

/// Parses times of one format; caches the last day, which most rows share.
#[derive(Debug, Clone)]
pub(crate) struct TimeReader {
    format: TimeFormat,
    /// The zone of times that do not state one; `None` means UTC.
    local: Option<LocalClock>,
    /// The last zone stated in a time.
    named: Option<(Vec<u8>, LocalClock)>,
    day_text: [u8; 11],
    day_seconds: u64,
    year: i64,
    last_month: u32,
    /// The last offset in a time, and all offsets so far.
    offset_text: [u8; 6],
    offsets: Option<Offsets>,
}

/// The UTC offsets in times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offsets {
    /// The first one, seconds east of Greenwich.
    pub first: i32,
    /// The first different one, for example after a change of daylight-saving time.
    pub other: Option<i32>,
}

impl TimeReader {
    /// A reader of `format`; `year` is the first year of a syslog.
    pub(crate) fn new(format: TimeFormat, year: Option<u32>) -> Self {
        let year = i64::from(year.unwrap_or(1970));
        TimeReader {
            format,
            local: None,
            named: None,
            day_text: [0; 11],
            day_seconds: 0,
            year,
            last_month: 0,
            offset_text: [0; 6],
            offsets: None,
        }
    }

    /// A parser for times in `zone` if they do not state one.
    pub(crate) fn in_zone(self, zone: Option<Zone>) -> Self {
        TimeReader { local: zone.map(LocalClock::new), ..self }
    }

    /// The offsets in times, unless a zone with rules was stated for times without an offset.
    pub(crate) fn offsets(&self) -> Option<Offsets> {
        self.offsets.filter(|_| self.local.as_ref().is_none_or(LocalClock::is_fixed))
    }

    /// Converts local seconds to UTC by a stated offset; see [`minus_zone`].
    #[inline]
    fn minus_offset(&mut self, local: u64, zone: &[u8]) -> Option<u64> {
        let utc = minus_zone(local, zone)?;
        if self.offset_text.get(..zone.len()) != Some(zone) {
            self.see_offset((local as i64 - utc as i64) as i32, zone);
        }
        Some(utc)
    }

    fn see_offset(&mut self, seconds: i32, zone: &[u8]) {
        if let Some(text) = self.offset_text.get_mut(..zone.len()) {
            text.copy_from_slice(zone);
        }
        match &mut self.offsets {
            None => self.offsets = Some(Offsets { first: seconds, other: None }),
            Some(Offsets { first, other }) if *first != seconds => *other = other.or(Some(seconds)),
            Some(_) => {}
        }
    }

    /// Number of local times that do not exist because clocks were set forward.
    pub(crate) fn moved(&self) -> u64 {
        let clocks = self.local.iter().chain(self.named.iter().map(|(_, clock)| clock));
        clocks.map(LocalClock::moved).sum()
    }

    /// Number of local times in a repeated hour, taken as the first and as the second one.
    pub(crate) fn repeated(&self) -> [u64; 2] {
        let clocks = self.local.iter().chain(self.named.iter().map(|(_, clock)| clock));
        clocks.map(LocalClock::repeated).fold([0; 2], |[a, b], [first, second]| [a + first, b + second])
    }

    /// Converts local seconds to UTC by what follows: `Z`, `UTC`, `+hhmm`, `+hh:mm`, `+hh`, a name with or without
    /// brackets, or nothing (the stated zone).
    fn utc_of(&mut self, local: u64, zone: &[u8]) -> Option<u64> {
        if zone.is_empty() {
            return match &mut self.local {
                Some(clock) => clock.instant(local),
                None => Some(local),
            };
        }
        if let Some(utc) = self.minus_offset(local, zone) {
            return Some(utc);
        }
        // RFC 9557 puts the name in brackets, after an offset or by itself.
        let name = match zone.strip_suffix(b"]") {
            Some(bracketed) => {
                let at = bracketed.iter().position(|c| *c == b'[')?;
                if at > 0 {
                    return self.minus_offset(local, &zone[..at]);
                }
                &bracketed[1..]
            }
            None => zone,
        };
        if self.named.as_ref().is_none_or(|(known, _)| known != name) {
            let zone = Zone::named(std::str::from_utf8(name).ok()?)?;
            self.named = Some((name.to_vec(), LocalClock::new(zone)));
        }
        self.named.as_mut().and_then(|(_, clock)| clock.instant(local))
    }

    fn pattern(&mut self, pattern: &str, text: &[u8]) -> Option<u64> {
        let time = date_pattern::read(pattern, text)?;
        let day = days(time.year.into(), time.month, time.day)?;
        let local = day * 86_400 + time.of_day;
        let utc = match (time.offset, time.zone) {
            (Some(offset), _) => local.checked_add_signed(-offset)?,
            (None, Some(name)) => self.utc_of(local, name.as_bytes())?,
            (None, None) => self.utc_of(local, b"")?,
        };
        utc.checked_mul(NANOS_PER_SECOND)?.checked_add(time.nanos)
    }

    pub(crate) fn format(&self) -> TimeFormat {
        self.format
    }

    /// The time as an offset from the clock's zero (1970 for dates), or `None` if `text` does not match the format.
    #[inline]
    pub(crate) fn read(&mut self, text: &[u8]) -> Option<SimTime> {
        let nanos = match self.format {
            TimeFormat::Iso => self.iso(text)?,
            TimeFormat::Clf => self.clf(text)?,
            TimeFormat::Syslog => self.syslog(text)?.0,
            TimeFormat::Pattern(pattern) => self.pattern(pattern, text)?,
            number => decimal(text, number.decimals())?,
        };
        Some(SimTime::from_nanos(nanos))
    }

    fn clf(&mut self, text: &[u8]) -> Option<u64> {
        if text.get(11) != Some(&b':') || text.len() < 20 {
            return None;
        }
        // HAProxy writes milliseconds.
        let (fraction, zone) = match text[20..].split_first() {
            Some((b'.', rest)) => {
                let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
                (fraction_of(&rest[..digits], 9).filter(|_| digits > 0)?, &rest[digits..])
            }
            _ => (0, &text[20..]),
        };
        let zone = match (zone.len(), zone.first()) {
            (0, _) => zone,
            (6, Some(b' ')) => &zone[1..],
            _ => return None,
        };
        if text[..11] != self.day_text {
            let month = month(&text[3..6])?;
            if text[2] != b'/' || text[6] != b'/' {
                return None;
            }
            let year = two(&text[7..9])? * 100 + two(&text[9..11])?;
            self.day_seconds = days(i64::from(year), month, two(&text[..2])?)? * 86_400;
            self.day_text.copy_from_slice(&text[..11]);
        }
        let local = self.day_seconds + clock(&text[12..20])?;
        let utc = if zone.is_empty() { self.utc_of(local, b"")? } else { self.minus_offset(local, zone)? };
        utc.checked_mul(NANOS_PER_SECOND)?.checked_add(fraction)
    }

    fn iso(&mut self, text: &[u8]) -> Option<u64> {
        if text.len() < 10 {
            return None;
        }
        let (date, rest) = text.split_at(10);
        if *date != self.day_text[..10] {
            if date[4] != b'-' || date[7] != b'-' {
                return None;
            }
            let year = two(&date[..2])? * 100 + two(&date[2..4])?;
            self.day_seconds = days(i64::from(year), two(&date[5..7])?, two(&date[8..])?)? * 86_400;
            self.day_text[..10].copy_from_slice(date);
        }
        let Some((separator, rest)) = rest.split_first() else {
            return self.utc_of(self.day_seconds, b"")?.checked_mul(NANOS_PER_SECOND);
        };
        if !matches!(separator, b'T' | b't' | b' ') || rest.len() < 5 {
            return None;
        }
        let with_seconds = rest.get(5) == Some(&b':');
        let (of_day, rest) = match with_seconds {
            true => (clock(rest.get(..8)?)?, &rest[8..]),
            false => (hours_minutes(&rest[..5])?, &rest[5..]),
        };
        let (fraction, zone) = match rest.first() {
            Some(b'.' | b',') if with_seconds => {
                let digits = rest[1..].iter().take_while(|c| c.is_ascii_digit()).count();
                (fraction_of(&rest[1..=digits], 9)?, &rest[digits + 1..])
            }
            _ => (0, rest),
        };
        let zone = if zone.first() == Some(&b' ') { &zone[1..] } else { zone };
        let utc = self.utc_of(self.day_seconds + of_day, zone)?;
        utc.checked_mul(NANOS_PER_SECOND)?.checked_add(fraction)
    }

    /// The time at the start of `text`, and its length in bytes.
    fn syslog(&mut self, text: &[u8]) -> Option<(u64, usize)> {
        let head = text.get(..15)?;
        if head[3] != b' ' || head[6] != b' ' || (text.len() > 15 && text[15] != b' ') {
            return None;
        }
        if head[..6] != self.day_text[..6] {
            let month = month(&head[..3])?;
            let padded = if head[4] == b' ' { [b'0', head[5]] } else { [head[4], head[5]] };
            let year = self.year + i64::from(self.last_month >= month + 6);
            self.day_seconds = days(year, month, two(&padded)?)? * 86_400;
            (self.year, self.last_month) = (year, month);
            self.day_text[..6].copy_from_slice(&head[..6]);
        }
        let utc = self.utc_of(self.day_seconds + clock(&head[7..])?, b"")?;
        Some((utc.checked_mul(NANOS_PER_SECOND)?, 15))
    }

    /// The time at the start of a syslog line.
    pub(crate) fn syslog_prefix(&mut self, line: &[u8]) -> Option<SimTime> {
        self.syslog(line).map(|(nanos, _)| SimTime::from_nanos(nanos))
    }
}

/// A decimal number of units of `10^-decimals` each; further digits are dropped. No sign, no exponent.
pub(crate) fn decimal(text: &[u8], decimals: usize) -> Option<u64> {
    let point = text.iter().position(|c| *c == b'.').unwrap_or(text.len());
    if point == 0 {
        return None;
    }
    let whole = integer(&text[..point])?.checked_mul(10u64.pow(decimals as u32))?;
    match text.get(point + 1..) {
        None => Some(whole),
        Some(digits) => whole.checked_add(fraction_of(digits, decimals)?),
    }
}

/// An integer that consists of digits only.
#[inline]
pub(crate) fn integer(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 20 {
        return None;
    }
    let mut value = 0u64;
    for c in text {
        let digit = c.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(value)
}

/// The digits after a decimal point in units of `10^-decimals`.
pub(crate) fn fraction_of(digits: &[u8], decimals: usize) -> Option<u64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let kept = &digits[..digits.len().min(decimals)];
    let value = kept.iter().fold(0, |value, c| value * 10 + u64::from(c - b'0'));
    Some(value * 10u64.pow((decimals - kept.len()) as u32))
}

#[inline]
fn two(text: &[u8]) -> Option<u32> {
    let (tens, ones) = (text[0].wrapping_sub(b'0'), text[1].wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then_some(u32::from(tens) * 10 + u32::from(ones))
}

/// Seconds of the day of `HH:MM:SS`; 24:00:00 is rejected, a leap second (60) counts as part of the next minute.
#[inline]
fn clock(text: &[u8]) -> Option<u64> {
    let second = two(&text[6..8])?;
    (text[5] == b':' && second <= 60).then_some(hours_minutes(&text[..5])? + u64::from(second))
}

#[inline]
fn hours_minutes(text: &[u8]) -> Option<u64> {
    let (hour, minute) = (two(&text[..2])?, two(&text[3..5])?);
    (text[2] == b':' && hour <= 23 && minute <= 59).then_some(u64::from(hour * 3600 + minute * 60))
}

/// Converts local seconds to UTC by what follows: `Z`, `UTC`, `+hhmm`, `+hh:mm`, `+hh`, or nothing (UTC).
fn minus_zone(local: u64, zone: &[u8]) -> Option<u64> {
    let (sign, digits) = match zone {
        b"" | b"Z" | b"z" | b"UTC" | b"GMT" => return Some(local),
        [sign @ (b'+' | b'-'), digits @ ..] => (*sign, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits {
        [a, b] => (two(&[*a, *b])?, 0),
        [a, b, c, d] | [a, b, b':', c, d] => (two(&[*a, *b])?, two(&[*c, *d])?),
        _ => return None,
    };
    if hours > 15 || minutes > 59 {
        return None;
    }
    let offset = u64::from(hours * 3600 + minutes * 60);
    if sign == b'-' { Some(local + offset) } else { local.checked_sub(offset) }
}

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

fn month(text: &[u8]) -> Option<u32> {
    MONTHS.iter().position(|name| name.as_slice() == text).map(|index| index as u32 + 1)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar from 1970 to 2500, counted by eras of 400 years from March.
fn days(year: i64, month: u32, day: u32) -> Option<u64> {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    if !(1970..=2500).contains(&year) || day == 0 || day > last {
        return None;
    }
    // If years start in March, the leap day is the last day; 1970-01-01 is day 719,468 from 0000-03-01.
    let march_year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    let days = march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 + day_of_year - 719_468;
    u64::try_from(days).ok()
}

/// Parses an instant as written by a user (`2021-04-28 18:00`, with or without a zone), to nanoseconds since 1970 UTC.
pub fn parse_instant(text: &str) -> Option<u64> {
    parse_instant_in(text, None)
}

/// Like [`parse_instant`], for instants in `zone` if they do not state one.
pub fn parse_instant_in(text: &str, zone: Option<Zone>) -> Option<u64> {
    let mut reader = TimeReader::new(TimeFormat::Iso, None).in_zone(zone);
    reader.read(text.trim().as_bytes()).map(SimTime::as_nanos)
}

/// Formats an instant in a zone, with its offset: `2023-11-16T19:15:46+01:00`.
pub fn show_instant_in(epoch_ns: u64, zone: Zone) -> String {
    if zone == Zone::UTC {
        return show_instant(epoch_ns);
    }
    let local = epoch_ns.saturating_add_signed(zone.offset_at(epoch_ns) * NANOS_PER_SECOND as i64);
    show_instant(local).trim_end_matches('Z').to_string() + &zone.offset_shown(epoch_ns)
}

/// Formats an instant in ISO 8601, UTC, with as many decimals as needed.
pub fn show_instant(epoch_ns: u64) -> String {
    let seconds = epoch_ns / NANOS_PER_SECOND;
    let nanos = epoch_ns % NANOS_PER_SECOND;
    let (days, of_day) = ((seconds / 86_400) as i64, seconds % 86_400);
    // The inverse of `days`: era, year of the era, day of the year from March.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if nanos > 0 {
        text.push_str(format!(".{nanos:09}").trim_end_matches('0'));
    }
    text + "Z"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("1617913216", TimeFormat::Seconds, 1_617_913_216_000_000_000)]
    #[case("1396342941.277", TimeFormat::Seconds, 1_396_342_941_277_000_000)]
    #[case("0.1", TimeFormat::Seconds, 100_000_000)]
    #[case("475.0", TimeFormat::Seconds, 475_000_000_000)]
    #[case("1700158546250", TimeFormat::Millis, 1_700_158_546_250_000_000)]
    #[case("1700158546250123", TimeFormat::Micros, 1_700_158_546_250_123_000)]
    #[case("1700158546250123456", TimeFormat::Nanos, 1_700_158_546_250_123_456)]
    #[case("2023-11-16 18:15:46.6805900", TimeFormat::Iso, 1_700_158_546_680_590_000)]
    #[case("2023-11-16T18:15:46Z", TimeFormat::Iso, 1_700_158_546_000_000_000)]
    #[case("2023-11-16T20:15:46.5+02:00", TimeFormat::Iso, 1_700_158_546_500_000_000)]
    #[case("2023-11-16 13:15:46 -0500", TimeFormat::Iso, 1_700_158_546_000_000_000)]
    #[case("2023-11-16 18:15", TimeFormat::Iso, 1_700_158_500_000_000_000)]
    #[case("2000-02-29", TimeFormat::Iso, 951_782_400_000_000_000)]
    #[case("16/Nov/2023:19:15:46 +0100", TimeFormat::Clf, 1_700_158_546_000_000_000)]
    #[case("16/Nov/2023:18:15:46.250", TimeFormat::Clf, 1_700_158_546_250_000_000)]
    #[case("16/Nov/2023:18:15:46", TimeFormat::Clf, 1_700_158_546_000_000_000)]
    fn reads_without_rounding(#[case] text: &str, #[case] format: TimeFormat, #[case] nanos: u64) {
        assert_eq!(TimeFormat::detect(text.as_bytes()), Some(format));
        // Twice: the second reading uses the remembered day.
        let mut reader = TimeReader::new(format, None);
        for _ in 0..2 {
            assert_eq!(reader.read(text.as_bytes()).map(SimTime::as_nanos), Some(nanos));
        }
    }

    #[rstest]
    #[case("2023-02-29 00:00:00")]
    #[case("2023-13-01")]
    #[case("1969-12-31 23:59:59")]
    #[case("9999-01-01")]
    #[case("2023-11-16 24:00:00")]
    #[case("2023-11-16 18:15:46 IST")]
    #[case("31/Apr/2024:00:00:00 +0000")]
    #[case("01/Apr/2024:00:00:00+0000")]
    #[case("01/Apr/2024:00:00:00.")]
    #[case("01/Apr/2024:00:00:00.5x")]
    #[case("-5")]
    #[case("1e9")]
    #[case("NaN")]
    #[case("")]
    #[case("99999999999999999999999")]
    fn refuses(#[case] text: &str) {
        for format in TimeFormat::ALL {
            assert_eq!(TimeReader::new(format, None).read(text.as_bytes()), None, "{text} as {format:?}");
        }
    }

    #[test]
    fn a_syslog_counts_its_year_on() {
        let mut reader = TimeReader::new(TimeFormat::Syslog, Some(2017));
        let read = |reader: &mut TimeReader, text: &str| {
            reader.syslog_prefix(text.as_bytes()).map(|t| show_instant(t.as_nanos())).unwrap_or_default()
        };
        assert_eq!(read(&mut reader, "Apr  1 00:00:07 host x: y"), "2017-04-01T00:00:07Z");
        assert_eq!(read(&mut reader, "Dec 31 23:59:59 host x: y"), "2017-12-31T23:59:59Z");
        assert_eq!(read(&mut reader, "Jan  1 00:00:00 host x: y"), "2018-01-01T00:00:00Z");
        assert_eq!(read(&mut reader, "Jan  1 00:00:001host x: y"), "");
    }

    proptest! {
        #[test]
        fn instants_round_trip(nanos in 0u64..16_000_000_000_000_000_000) {
            prop_assert_eq!(parse_instant(&show_instant(nanos)), Some(nanos));
        }

        #[test]
        fn no_bytes_panic(text in proptest::collection::vec(any::<u8>(), 0..40), cut in "[-0-9:./ TZ+A-Za-z]{0,34}") {
            for text in [text.as_slice(), cut.as_bytes()] {
                let _ = TimeFormat::detect(text);
                for format in TimeFormat::ALL {
                    let _ = TimeReader::new(format, Some(2024)).read(text);
                }
            }
        }
    }
}
