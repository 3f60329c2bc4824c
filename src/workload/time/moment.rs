//! Times as people write them: an offset, a time of day or a date.

use super::text::{parse_instant, parse_instant_in, show_instant, show_instant_in};
use super::zone::Zone;
use crate::config::{Diagnostics, Fields, FromNode, Value, Yaml};
use crate::units::{NANOS_PER_SECOND, SimDuration};

pub(crate) const DAY_NS: u64 = 86_400_000_000_000;

/// Seconds since Monday 00:00 (UTC). January 1, 1970 was a Thursday.
pub(crate) fn week_phase(epoch_ns: u64) -> f64 {
    const WEEK_NS: u64 = 604_800_000_000_000;
    const THURSDAY_NS: u64 = 259_200_000_000_000;
    ((epoch_ns % WEEK_NS + THURSDAY_NS) % WEEK_NS) as f64 / 1e9
}

/// A time in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Offset from time zero (`9h`, `1d20h`).
    Offset(SimDuration),
    /// The first such time of day at or after time zero (`09:00`), in a time zone; counted from time zero if no date is
    /// known.
    TimeOfDay(SimDuration, Zone),
    /// A date (`2026-11-27T09:00:00Z`), nanoseconds since 1970.
    Date(u64),
}

impl Moment {
    /// Nanoseconds from time zero, which is at `start` since 1970; `None` for a date before time zero, or if the stream
    /// has no date.
    pub(crate) fn offset_ns(self, start: Option<u64>) -> Option<u64> {
        match self {
            Moment::Offset(offset) => Some(offset.as_nanos()),
            Moment::TimeOfDay(time, zone) => {
                let Some(start) = start else { return Some(time.as_nanos()) };
                let offset = |at: u64| zone.offset_at(at) * NANOS_PER_SECOND as i64;
                let passed = start.saturating_add_signed(offset(start)) % DAY_NS;
                let ahead = (time.as_nanos() + DAY_NS - passed) % DAY_NS;
                // Clocks may change before then.
                let changed = offset(start) - offset(start.saturating_add(ahead));
                Some(
                    ahead
                        .checked_add_signed(changed)
                        .unwrap_or_else(|| (ahead + DAY_NS).saturating_add_signed(changed)),
                )
            }
            Moment::Date(date) => date.checked_sub(start?),
        }
    }
}

impl Moment {
    /// A time of day in words, with the resolved instant: `20:00 is 2026-11-15T20:00:00+01:00 = 19:00 UTC`.
    pub(crate) fn told(self, start: Option<u64>) -> Option<String> {
        let Moment::TimeOfDay(time, zone) = self else { return None };
        let at = start?.saturating_add(self.offset_ns(start)?);
        let clock = |seconds: u64| format!("{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60);
        let stated = clock(time.as_nanos() / NANOS_PER_SECOND);
        let utc = clock(at / NANOS_PER_SECOND % 86_400);
        Some(match zone == Zone::UTC {
            true => format!("{stated} UTC is first {}", show_instant_in(at, zone)),
            false => format!("{stated} {} is first {} = {utc} UTC", zone.offset_shown(at), show_instant_in(at, zone)),
        })
    }
}

/// Converts an offset, a time of day or a date in `zone` to the time since the start. `start` is the start since 1970
/// in nanoseconds; without it a time of day counts from the start. For a time of day or date, also returns how it was
/// resolved, in words.
pub fn offset_of(
    node: &Yaml,
    zone: Option<Zone>,
    start: Option<u64>,
    sink: &mut Diagnostics,
) -> Option<(SimDuration, Option<String>)> {
    let text = node.as_text().unwrap_or_default().trim();
    let by_the_clock = text.contains(':') || (text.len() >= 10 && text.contains('-'));
    if !by_the_clock {
        return SimDuration::from_node(node, sink).map(|offset| (offset, None));
    }
    let text = zone.map_or_else(|| text.to_string(), |zone| text_in(text, zone));
    let moment = Moment::from_node(&Yaml { value: Value::Scalar(text), ..node.clone() }, sink)?;
    let Some(offset) = moment.offset_ns(start) else {
        sink.push(match start {
            Some(start) => {
                let from = show_instant_in(start, zone.unwrap_or(Zone::UTC));
                node.error(format!("this is before the run, which begins at {from}"))
            }
            None => node
                .error(
                    "a date cannot be used here: no workload states the date on which the run begins, or they differ",
                )
                .help("state a time since the start, such as `2h`, or the workload's `start:`"),
        });
        return None;
    };
    Some((SimDuration::from_nanos(offset), moment.told(start)))
}

/// Keys whose values may be a time or a date.
const KEYS: [&str; 4] = ["at", "from", "to", "start"];

/// The same tree, with times of day and dates in `zone` if they do not name one.
pub(crate) fn in_zone(node: &Yaml, zone: Zone) -> Yaml {
    let value = match &node.value {
        Value::Mapping(entries) => Value::Mapping(
            entries
                .iter()
                .map(|(key, value)| match value.as_text().filter(|_| KEYS.contains(&key.text.as_str())) {
                    Some(text) => (key.clone(), Yaml { value: Value::Scalar(text_in(text, zone)), ..value.clone() }),
                    None => (key.clone(), in_zone(value, zone)),
                })
                .collect(),
        ),
        Value::Sequence(items) => Value::Sequence(items.iter().map(|item| in_zone(item, zone)).collect()),
        other => other.clone(),
    };
    Yaml { value, ..node.clone() }
}

fn text_in(text: &str, zone: Zone) -> String {
    let text = text.trim();
    if time_of_day(text).is_some() {
        return format!("{text} {}", zone.name());
    }
    // A date that is a different instant in another zone does not name its own zone.
    match (parse_instant(text), parse_instant_in(text, Some(zone))) {
        (Some(utc), Some(local)) if utc != local => show_instant(local),
        _ => text.to_string(),
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Moment::Offset(offset) => offset.fmt(f),
            Moment::TimeOfDay(time, zone) => write!(f, "{time} after midnight ({})", zone.name()),
            Moment::Date(date) => f.write_str(&show_instant(*date)),
        }
    }
}

impl FromNode for Moment {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let text = node.as_text().unwrap_or("");
        let (clock, zone) = match text.split_once(' ') {
            Some((clock, zone)) => (clock, Zone::named(zone.trim())),
            None => (text, Some(Zone::UTC)),
        };
        if let (Some(time), Some(zone)) = (time_of_day(clock), zone) {
            return Some(Moment::TimeOfDay(time, zone));
        }
        if let Some(date) = parse_instant(text) {
            return Some(Moment::Date(date));
        }
        if let Ok(offset) = text.parse() {
            return Some(Moment::Offset(offset));
        }
        let error = node.error("expected a moment");
        sink.push(
            error.help(
                "an offset `9h`, a time of day `09:00` (or `09:00 Europe/Berlin`) or a date `2026-11-27T09:00:00Z`",
            ),
        );
        None
    }
}

/// `H:MM` or `H:MM:SS`.
fn time_of_day(text: &str) -> Option<SimDuration> {
    let parts: Vec<&str> = text.split(':').collect();
    let digits = |part: &&str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if !(2..=3).contains(&parts.len()) || !parts.iter().all(digits) {
        return None;
    }
    let number = |index: usize| parts.get(index).map_or(Some(0), |part| part.parse::<u64>().ok());
    let (hour, minute, second) = (number(0)?, number(1)?, number(2)?);
    (hour < 24 && minute < 60 && second < 60).then(|| SimDuration::from_secs(hour * 3600 + minute * 60 + second))
}

/// An optional date.
pub(crate) fn read_instant(fields: &Fields<'_>, name: &'static str, sink: &mut Diagnostics) -> Option<u64> {
    let node = fields.node_of(name)?;
    let instant = node.as_text().and_then(parse_instant);
    if instant.is_none() {
        sink.push(node.error("expected an instant such as `2026-11-27` or `2026-11-27T09:00:00Z`"));
    }
    instant
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SourceFile, parse_single};
    use rstest::rstest;

    fn read(text: &str) -> Option<Moment> {
        let node = parse_single(&SourceFile::new("m.yaml", text)).unwrap();
        Moment::from_node(&node, &mut Diagnostics::new())
    }

    #[rstest]
    #[case("9h", None, Some(32_400))]
    #[case("09:00", None, Some(32_400))]
    #[case("9:00:30", None, Some(32_430))]
    #[case("09:00", Some("2026-11-27T10:00:00Z"), Some(82_800))]
    #[case("09:00", Some("2026-11-27T09:00:00Z"), Some(0))]
    #[case("2026-11-28", Some("2026-11-27T10:00:00Z"), Some(50_400))]
    #[case("2026-11-26", Some("2026-11-27T10:00:00Z"), None)]
    #[case("2026-11-28", None, None)]
    #[case("20:00 +01:00", Some("2026-11-27T10:00:00Z"), Some(32_400))]
    #[case("20:00 Europe/Berlin", Some("2026-10-24T19:00:00Z"), Some(86_400))]
    #[case("01:00 Europe/Berlin", Some("2026-10-24T23:30:00Z"), Some(84_600 + 3_600))]
    fn moments_count_from_time_zero(#[case] text: &str, #[case] start: Option<&str>, #[case] seconds: Option<u64>) {
        let offset = read(text).unwrap().offset_ns(start.and_then(parse_instant));
        assert_eq!(offset, seconds.map(|s| s * 1_000_000_000));
    }

    #[rstest]
    #[case("25:00")]
    #[case("9:77")]
    #[case("soon")]
    #[case("-3h")]
    #[case("[]")]
    fn nonsense_is_refused(#[case] text: &str) {
        assert_eq!(read(text), None);
    }
}
