//! Moments as people write them: an offset, a time of day or a date.

use super::parse_instant;
use crate::config::{Diagnostics, Fields, FromNode, Node};
use crate::units::SimDuration;

const DAY_NS: u64 = 86_400_000_000_000;

/// A moment of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Counted from time zero (`9h`, `1d20h`).
    Offset(SimDuration),
    /// The first such time of day (UTC) at or after time zero (`09:00`); counted from time zero where no date is known.
    TimeOfDay(SimDuration),
    /// A date (`2026-11-27T09:00:00Z`), nanoseconds since 1970.
    Date(u64),
}

impl Moment {
    /// Nanoseconds from time zero, which is at `start` since 1970; `None` for a date before time zero, or if the stream has
    /// no date.
    pub(super) fn offset_ns(self, start: Option<u64>) -> Option<u64> {
        match self {
            Moment::Offset(offset) => Some(offset.as_nanos()),
            Moment::TimeOfDay(time) => {
                let passed = start.unwrap_or(0) % DAY_NS;
                Some((time.as_nanos() + DAY_NS - passed) % DAY_NS)
            }
            Moment::Date(date) => date.checked_sub(start?),
        }
    }
}

impl FromNode for Moment {
    fn from_node(node: &Node, sink: &mut Diagnostics) -> Option<Self> {
        let text = node.as_text().unwrap_or("");
        if let Some(time) = time_of_day(text) {
            return Some(Moment::TimeOfDay(time));
        }
        if let Some(date) = parse_instant(text) {
            return Some(Moment::Date(date));
        }
        if let Ok(offset) = text.parse() {
            return Some(Moment::Offset(offset));
        }
        let error = node.error("expected a moment");
        sink.push(error.help("an offset `9h`, a time of day `09:00` or a date `2026-11-27T09:00:00Z`"));
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

/// An optional field that is a date.
pub(super) fn read_instant(fields: &Fields<'_>, name: &'static str, sink: &mut Diagnostics) -> Option<u64> {
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
