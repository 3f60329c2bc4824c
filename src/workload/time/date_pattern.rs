//! Dates by a strptime pattern (POSIX; parsed by jiff), and common patterns that are recognised.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use jiff::fmt::strtime;

/// Patterns that are recognised without being stated; a text matches at most one meaning. With dots as separators, the
/// day always comes first (CLDR has no exception).
const USUAL: [&str; 28] = [
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y/%m/%d %I:%M:%S %p",
    "%Y-%m-%d %I:%M:%S %p",
    "%Y-%m-%d %I:%M %p",
    "%d.%m.%Y %H:%M:%S%.f",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y, %H:%M:%S%.f",
    "%d.%m.%Y, %H:%M",
    "%d.%m.%Y",
    "%d.%m.%y %H:%M:%S",
    "%d.%m.%y %H:%M",
    "%Y.%m.%d %H:%M:%S%.f",
    "%Y.%m.%d %H:%M",
    "%b %d, %Y @ %H:%M:%S%.f",
    "%b %d, %Y, %I:%M:%S %p",
    "%b %d, %Y, %I:%M %p",
    "%b %d, %Y %I:%M:%S %p",
    "%b %d, %Y %H:%M:%S%.f",
    "%b %d, %Y",
    "%d %b %Y %H:%M:%S%.f",
    "%d %b %Y %H:%M",
    "%d-%b-%Y %H:%M:%S%.f",
    "%d/%b/%Y:%H:%M:%S%.f",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S GMT",
    "%a %b %d %H:%M:%S %Y",
];
/// What may follow a date whose day and month are in ambiguous order.
const OF_DAY: [&str; 8] =
    [" %H:%M:%S%.f", " %H:%M", " %I:%M:%S %p", " %I:%M %p", ", %H:%M:%S%.f", ", %I:%M:%S %p", ", %I:%M %p", ""];
/// Dates whose day and month are in ambiguous order: day first, and month first.
const EITHER: [(&str, &str); 3] = [("%d/%m/%Y", "%m/%d/%Y"), ("%d-%m-%Y", "%m-%d-%Y"), ("%d/%m/%y", "%m/%d/%y")];

/// Patterns stated by users; each is stored once.
static STATED: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
/// Maximum length of a pattern.
const MAX_BYTES: usize = 128;

/// A text with static lifetime: patterns are few and short.
fn kept(text: &str) -> &'static str {
    let mut stated = STATED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = stated.get(text) {
        return known;
    }
    let text: &'static str = Box::leak(text.to_string().into_boxed_str());
    stated.insert(text);
    text
}

/// A pattern stated by a user; `None` if it is invalid or has no day.
pub(super) fn stated(text: &str) -> Option<&'static str> {
    if !text.contains('%') || text.len() > MAX_BYTES {
        return None;
    }
    let example = jiff::civil::date(2023, 11, 16).at(18, 15, 46, 250_000_000).in_tz("UTC").ok()?;
    let written = strtime::format(text, &example).ok()?;
    let read = read(text, written.as_bytes())?;
    (read.day == 16 && read.month == 11).then(|| kept(text))
}

/// The parts of a text that a pattern reads.
pub(super) struct Read {
    pub(super) year: i16,
    pub(super) month: u32,
    pub(super) day: u32,
    /// Seconds since midnight.
    pub(super) of_day: u64,
    pub(super) nanos: u64,
    /// Seconds east of Greenwich, if the text has an offset.
    pub(super) offset: Option<i64>,
    /// Name of the time zone, if the text has one.
    pub(super) zone: Option<String>,
}

/// Parses a text; `None` if it does not match the pattern or is not a valid date.
pub(super) fn read(pattern: &str, text: &[u8]) -> Option<Read> {
    let parts = strtime::parse(pattern, text).ok()?;
    let date = parts.to_date().ok()?;
    let time = match parts.hour() {
        Some(_) => parts.to_time().ok()?,
        None => jiff::civil::Time::midnight(),
    };
    Some(Read {
        year: date.year(),
        month: date.month() as u32,
        day: date.day() as u32,
        of_day: time.hour() as u64 * 3600 + time.minute() as u64 * 60 + time.second() as u64,
        nanos: time.subsec_nanosecond() as u64,
        offset: parts.offset().map(|offset| offset.seconds().into()),
        zone: parts.iana_time_zone().map(str::to_string),
    })
}

/// The first common pattern that a text matches, whether day or month comes first.
pub(super) fn first(text: &[u8]) -> Option<&'static str> {
    let usual = USUAL.iter().find(|pattern| read(pattern, text).is_some()).copied();
    usual.or_else(|| {
        either(&|pattern| read(pattern, text).is_some()).and_then(|(day, month)| day.or(month)).map(kept_pattern)
    })
}

fn kept_pattern(pattern: String) -> &'static str {
    kept(&pattern)
}

/// The readings that match, if day and month are in ambiguous order.
fn either(fits: &dyn Fn(&str) -> bool) -> Option<(Option<String>, Option<String>)> {
    let all = EITHER.iter().flat_map(|dates| OF_DAY.iter().map(move |of_day| (dates, of_day)));
    let read = all.map(|((day, month), of_day)| {
        let sound = |date: &str| Some(format!("{date}{of_day}")).filter(|pattern| fits(pattern));
        (sound(day), sound(month))
    });
    read.into_iter().find(|(day, month)| day.is_some() || month.is_some())
}

/// The common pattern of several texts.
///
/// # Errors
/// Both patterns, if the order of day and month is ambiguous.
pub(crate) fn of_all(texts: &[&[u8]]) -> Result<Option<&'static str>, (String, String)> {
    let fits = |pattern: &str| texts.iter().all(|text| read(pattern, text).is_some());
    if texts.is_empty() {
        return Ok(None);
    }
    if let Some(usual) = USUAL.iter().find(|pattern| fits(pattern)) {
        return Ok(Some(usual));
    }
    match either(&fits) {
        Some((Some(day), Some(month))) => Err((day, month)),
        Some((day, month)) => Ok(day.or(month).map(kept_pattern)),
        None => Ok(None),
    }
}
