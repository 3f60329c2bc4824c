//! Numbers in tables: with a decimal point or comma, thousands separators, and the suffixes of dashboards.

use super::cells::value;
use super::header::is_blank;
use crate::workload::time::text::{decimal, fraction_of};

/// The number format of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbers {
    /// Whether every number is plain, with a decimal point: the fast case.
    plain: bool,
    /// The decimal mark.
    decimal: u8,
    /// Whether a point and a comma, if before three digits, can only be what this format says.
    certain: [bool; 2],
}

impl Default for Numbers {
    fn default() -> Self {
        Numbers { plain: true, decimal: b'.', certain: [true, false] }
    }
}

/// Suffixes of abbreviated numbers with their factors: the units of Grafana (`short`) and the SI prefixes.
const SCALES: [(&str, f64); 10] = [
    ("Mil", 1e6),
    ("Bil", 1e9),
    ("Tri", 1e12),
    ("K", 1e3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("B", 1e9),
    ("T", 1e12),
    ("", 1.0),
];
/// Rate units that a dashboard appends to a value.
const PER_SECOND: [&str; 10] = ["/s", "req/s", "reqs/s", "requests/s", "hits/s", "c/s", "ops/s", "rps", "reqps", "qps"];

/// The marks in a number, as far as their meaning is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marks {
    /// None, or irrelevant ones.
    Whole,
    /// The decimal mark.
    Decimal(u8),
    /// Either the decimal mark or a thousands separator.
    Doubtful(u8),
}

impl Numbers {
    /// Whether a text is a number in any format.
    pub(super) fn is_number(text: &str) -> bool {
        value(text.as_bytes()).is_some() || Body::of(text, true).is_some_and(|body| body.marks().is_some())
    }

    /// The number format of the value columns. If fields are separated by commas, a comma in a count separates
    /// thousands; otherwise a mark before three digits is ambiguous, and the user is asked.
    ///
    /// # Errors
    /// An ambiguous number, if no other number resolves the ambiguity.
    pub(super) fn of<'a>(
        cells: impl Iterator<Item = &'a str>,
        stated: Option<u8>,
        delimiter: u8,
        whole: bool,
    ) -> Result<Numbers, String> {
        let mut found = Numbers::default();
        let (mut told, mut doubtful) = (stated, None);
        for cell in cells.filter(|cell| !is_blank(cell.as_bytes())) {
            let marks = Body::of(cell, true).and_then(|body| body.marks());
            // A text that is not a number is a bad row, whatever the others look like.
            found.plain &= value(cell.as_bytes()).is_some() || marks.is_none();
            match marks {
                Some(Marks::Decimal(mark)) => told = told.or(Some(mark)),
                Some(Marks::Doubtful(mark)) if doubtful.is_none() => doubtful = Some((mark, cell)),
                _ => {}
            }
        }
        found.certain = [told.is_some() || delimiter != b';', told.is_some() || (whole && delimiter == b',')];
        found.decimal = match (told, doubtful) {
            (Some(mark), _) => mark,
            (None, Some((b',', _))) if whole && delimiter == b',' => b'.',
            (None, Some((b'.', _))) if delimiter != b';' => b'.',
            (None, Some((_, cell))) => return Err(cell.to_string()),
            (None, None) => b'.',
        };
        // With a point as thousands separator, a number may look plain.
        found.plain &= found.decimal == b'.';
        Ok(found)
    }

    /// Parses a nonnegative number up to the maximum; `rate` allows a unit per second after it. A suffix or thousands
    /// separator is read in any row, also where the first rows have none.
    #[inline]
    pub(super) fn value(self, text: &[u8], rate: bool) -> Option<f64> {
        match self.plain {
            true => value(text).or_else(|| self.styled(text, rate)),
            false => self.styled(text, rate),
        }
    }

    /// Whether the marks in a number are those of this format beyond doubt.
    fn has(self, marks: Marks) -> bool {
        match marks {
            Marks::Whole => true,
            Marks::Decimal(mark) => mark == self.decimal,
            Marks::Doubtful(mark) => self.certain[usize::from(mark == b',')],
        }
    }

    /// Integer nanoseconds of a decimal number of units of `10^-decimals` each.
    pub(super) fn nanos(self, text: &[u8], decimals: usize) -> Option<u64> {
        if self.decimal == b'.' {
            return decimal(text, decimals);
        }
        match text.iter().position(|c| *c == self.decimal) {
            Some(at) => decimal(&text[..at], decimals)?.checked_add(fraction_of(&text[at + 1..], decimals)?),
            None => decimal(text, decimals),
        }
    }

    /// A duration: a number of units of `10^-decimals`, or numbers with their own units (`12ms`, `1.5s`, `1m3.2s`).
    #[inline]
    pub(super) fn duration(self, text: &[u8], decimals: usize) -> Option<u64> {
        self.nanos(text, decimals).or_else(|| with_units(text))
    }

    #[cold]
    fn styled(self, text: &[u8], rate: bool) -> Option<f64> {
        if self.decimal == b'.'
            && let Some(plain) = value(text)
        {
            return Some(plain);
        }
        let body = Body::of(std::str::from_utf8(text).ok()?, rate)?;
        body.marks().filter(|marks| self.has(*marks))?;
        let mut plain = String::with_capacity(body.digits.len());
        for c in body.digits.chars() {
            match c {
                c if c.is_ascii_digit() => plain.push(c),
                c if c.is_ascii() && c as u8 == self.decimal => {
                    if plain.contains('.') {
                        return None;
                    }
                    plain.push('.');
                }
                // There are no thousands separators after the decimal mark.
                _ if plain.contains('.') => return None,
                _ => {}
            }
        }
        let scaled = plain.parse::<f64>().ok()? * body.scale;
        (scaled <= super::cells::MAX_VALUE).then_some(scaled)
    }
}

/// Units of durations with their number of decimal digits above a nanosecond, and their factor; longer names first.
const UNITS: [(&[u8], usize, u64); 9] = [
    (b"ms", 6, 1),
    ("\u{b5}s".as_bytes(), 3, 1),
    ("\u{3bc}s".as_bytes(), 3, 1),
    (b"us", 3, 1),
    (b"ns", 0, 1),
    (b"sec", 9, 1),
    (b"s", 9, 1),
    (b"m", 9, 60),
    (b"h", 9, 3600),
];

/// Nanoseconds of a duration with units after its numbers, as written by Go.
pub(super) fn with_units(mut text: &[u8]) -> Option<u64> {
    let mut sum = 0u64;
    while !text.is_empty() {
        let digits = text.iter().take_while(|c| c.is_ascii_digit() || **c == b'.').count();
        let (number, rest) = text.split_at(digits);
        let rest = rest.strip_prefix(b" ").unwrap_or(rest);
        let (unit, decimals, factor) = UNITS.iter().find(|(unit, ..)| rest.starts_with(unit))?;
        sum = sum.checked_add(decimal(number, *decimals)?.checked_mul(*factor)?)?;
        text = &rest[unit.len()..];
    }
    (sum > 0 || text.is_empty()).then_some(sum)
}

/// The digits and marks of a number, and its factor.
struct Body<'a> {
    digits: &'a str,
    scale: f64,
}

impl<'a> Body<'a> {
    fn of(text: &'a str, rate: bool) -> Option<Body<'a>> {
        let text = text.trim();
        let end = text.rfind(|c: char| c.is_ascii_digit()).map(|at| at + 1)?;
        let (digits, suffix) = text.split_at(end);
        let sound =
            |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | ' ' | '\'' | '\u{a0}' | '\u{202f}' | '\u{2019}');
        if !digits.starts_with(|c: char| c.is_ascii_digit()) || !digits.chars().all(sound) {
            return None;
        }
        let suffix = suffix.trim();
        let unit = |scale: &str| suffix.strip_prefix(scale).map(str::trim);
        let fits = |rest: &str| rest.is_empty() || (rate && PER_SECOND.contains(&rest));
        let scale = SCALES.iter().find(|(scale, _)| unit(scale).is_some_and(fits))?.1;
        Some(Body { digits, scale })
    }

    /// The meaning of the marks in a number; `None` if they are inconsistent.
    fn marks(&self) -> Option<Marks> {
        let marks: Vec<(usize, char)> = self.digits.char_indices().filter(|(_, c)| !c.is_ascii_digit()).collect();
        let Some((at, last)) = marks.last().copied() else { return Some(Marks::Whole) };
        let same = marks.iter().filter(|(_, mark)| *mark == last).count();
        if !matches!(last, '.' | ',') {
            return (same == marks.len()).then_some(Marks::Whole);
        }
        let other = if last == '.' { b',' } else { b'.' };
        if same > 1 {
            // Thousands are groups of three digits; an address (`192.0.2.1`) or a version is not a number.
            let thousands = same == marks.len() && self.digits.split(last).skip(1).all(|group| group.len() == 3);
            return thousands.then_some(Marks::Decimal(other));
        }
        let behind = self.digits.len() - at - 1;
        let doubtful = marks.len() == 1 && behind == 3 && (1..=3).contains(&at) && !self.digits.starts_with('0');
        Some(if doubtful { Marks::Doubtful(last as u8) } else { Marks::Decimal(last as u8) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&["12", "13.5"], b',', "13.5", 13.5)]
    #[case(&["\u{31},201", "1,310"], b',', "1,201", 1201.0)]
    #[case(&["16,12", "9,5"], b';', "16,12", 16.12)]
    #[case(&["1.612,5", "9"], b';', "1.612,5", 1612.5)]
    #[case(&["1.612", "9,5"], b';', "1.612", 1612.0)]
    #[case(&["1 612", "12 345 678"], b';', "12 345 678", 12_345_678.0)]
    #[case(&["1'612.25"], b',', "1'612.25", 1612.25)]
    #[case(&["0.60 K", "812"], b',', "0.60 K", 600.0)]
    #[case(&["1.25 Mil"], b',', "1.25 Mil", 1_250_000.0)]
    fn numbers_are_read_as_they_are_written(
        #[case] cells: &[&str],
        #[case] delimiter: u8,
        #[case] text: &str,
        #[case] expected: f64,
    ) {
        let numbers = Numbers::of(cells.iter().copied(), None, delimiter, true).unwrap();
        assert_eq!(numbers.value(text.as_bytes(), false), Some(expected));
    }

    /// Suffixes and separators that first occur after the rows at which the format was recognised.
    #[rstest]
    #[case(b',', "2.05 K", Some(2050.0))]
    #[case(b',', "1,201", Some(1201.0))]
    #[case(b',', "1,201,300", Some(1_201_300.0))]
    #[case(b',', "1 201", Some(1201.0))]
    #[case(b',', "1.5 Mil", Some(1.5e6))]
    #[case(b',', "12,5", None)]
    #[case(b';', "1,201", None)]
    #[case(b';', "2,05 K", None)]
    #[case(b';', "1,201,300", Some(1_201_300.0))]
    #[case(b',', "n/a", None)]
    fn later_numbers_are_read_where_they_are_certain(
        #[case] delimiter: u8,
        #[case] text: &str,
        #[case] expected: Option<f64>,
    ) {
        let numbers = Numbers::of(["12", "980"].into_iter(), None, delimiter, true).unwrap();
        assert_eq!(numbers.value(text.as_bytes(), false), expected);
    }

    #[rstest]
    #[case("12ms", Some(12_000_000))]
    #[case("1.5s", Some(1_500_000_000))]
    #[case("0.25 ms", Some(250_000))]
    #[case("850\u{b5}s", Some(850_000))]
    #[case("1m3.2s", Some(63_200_000_000))]
    #[case("1h", Some(3_600_000_000_000))]
    #[case("250", Some(250_000_000))]
    #[case("12 apples", None)]
    #[case("ms", None)]
    #[case("1.5.2s", None)]
    #[case("99999999999999999999h", None)]
    fn durations_may_name_their_unit(#[case] text: &str, #[case] nanos: Option<u64>) {
        assert_eq!(Numbers::default().duration(text.as_bytes(), 6), nanos);
    }

    #[test]
    fn ambiguous_numbers_are_rejected() {
        assert_eq!(Numbers::of(["1.201", "12"].into_iter(), None, b';', true), Err("1.201".into()));
        assert_eq!(Numbers::of(["1,201"].into_iter(), None, b';', true), Err("1,201".into()));
        assert_eq!(Numbers::of(["1,201"].into_iter(), None, b',', false), Err("1,201".into()));
        let told = Numbers::of(["1,201"].into_iter(), Some(b','), b';', true).unwrap();
        assert_eq!((told.value(b"1,201", false), told.value(b"1.201,5", false)), (Some(1.201), Some(1201.5)));
        assert_eq!(told.nanos(b"1,5", 9), Some(1_500_000_000));
        let counts = Numbers::of(["7 K"].into_iter(), None, b',', true).unwrap();
        assert_eq!((counts.value(b"7 K req/s", false), counts.value(b"7 K req/s", true)), (None, Some(7000.0)));
        assert!(!Numbers::is_number("192.0.2.1") && Numbers::is_number("1.234.567"));
        assert!(!Numbers::is_number("1,2,x") && !Numbers::is_number("-5") && !Numbers::is_number("12 ms"));
    }
}
