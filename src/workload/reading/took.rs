//! Log fields with the duration of a request.

use super::header::Header;
use super::numbers::{Numbers, with_units};
use crate::workload::time::text::TimeFormat;

/// Names of request durations.
const NAMES: [&str; 13] = [
    "duration",
    "latency",
    "elapsed",
    "elapsedtime",
    "took",
    "responsetime",
    "requesttime",
    "requestduration",
    "timetaken",
    "dur",
    "timeelapsed",
    "service",
    "resptime",
];
/// How names and fields state the unit.
const UNITS: [(&str, TimeFormat); 16] = [
    ("milliseconds", TimeFormat::Millis),
    ("microseconds", TimeFormat::Micros),
    ("nanoseconds", TimeFormat::Nanos),
    ("seconds", TimeFormat::Seconds),
    ("millis", TimeFormat::Millis),
    ("micros", TimeFormat::Micros),
    ("nanos", TimeFormat::Nanos),
    ("msec", TimeFormat::Millis),
    ("usec", TimeFormat::Micros),
    ("nsec", TimeFormat::Nanos),
    ("secs", TimeFormat::Seconds),
    ("sec", TimeFormat::Seconds),
    ("ms", TimeFormat::Millis),
    ("us", TimeFormat::Micros),
    ("ns", TimeFormat::Nanos),
    ("s", TimeFormat::Seconds),
];

/// A duration field.
pub(super) struct Took {
    /// Its name.
    pub(super) name: String,
    /// The unit, if the name or the values state it.
    pub(super) unit: Option<TimeFormat>,
}

/// The first field with the duration of a request.
pub(super) fn took(header: &Header) -> Option<Took> {
    let of = |column: usize| {
        let name = &header.names[column];
        let last = name.rsplit('.').next().unwrap_or(name);
        let plain: String = last.chars().filter(|c| !matches!(c, '_' | '-')).collect::<String>().to_ascii_lowercase();
        let stem = |(suffix, unit): &(&str, TimeFormat)| Some((plain.strip_suffix(suffix)?, *unit));
        let named = UNITS.iter().filter_map(stem).find(|(stem, _)| NAMES.contains(stem)).map(|(_, unit)| unit);
        if named.is_none() && !NAMES.contains(&plain.as_str()) {
            return None;
        }
        let mut filled = header.cells(column).filter(|text| !matches!(*text, "" | "-")).peekable();
        filled.peek()?;
        let cells: Vec<&str> = filled.collect();
        // An invalid one is a bad row; the others determine the field.
        let nearly_all =
            |fits: &dyn Fn(&&str) -> bool| cells.iter().filter(|text| fits(text)).count() * 10 >= cells.len() * 9;
        if nearly_all(&|text| Numbers::is_number(text)) {
            return Some(Took { name: name.clone(), unit: named });
        }
        // Values with units need no other unit.
        let with_units = |text: &&str| Numbers::is_number(text) || with_units(text.as_bytes()).is_some();
        nearly_all(&with_units).then(|| Took { name: name.clone(), unit: Some(named.unwrap_or(TimeFormat::Seconds)) })
    };
    (0..header.names.len()).find_map(of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("duration", "12ms", Some(Some(TimeFormat::Seconds)))]
    #[case("duration_ms", "12", Some(Some(TimeFormat::Millis)))]
    #[case("durationMs", "12.5", Some(Some(TimeFormat::Millis)))]
    #[case("http.response_time_seconds", "0.2", Some(Some(TimeFormat::Seconds)))]
    #[case("latency", "12", Some(None))]
    #[case("latency", "high", None)]
    #[case("latency", "99999999999999999999999h", None)]
    #[case("latency", "", None)]
    #[case("status", "200", None)]
    #[case("items", "3", None)]
    fn durations_are_known_by_name_and_value(
        #[case] name: &str,
        #[case] cell: &str,
        #[case] expected: Option<Option<TimeFormat>>,
    ) {
        let header = Header { comments: 0, names: vec![name.into()], rows: vec![vec![cell.into()]] };
        assert_eq!(took(&header).map(|took| took.unit), expected);
    }
}
