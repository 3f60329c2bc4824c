//! logfmt: lines of `key=value` pairs.

use std::ops::Range;

use super::lines::RowFault;
use super::open::{TraceInput, head_lines};
use super::split_lines::Split;

/// The expected line.
const EXPECTED: &str = "pairs such as `time=2026-03-02T10:00:00Z method=GET path=/ duration=12ms`";
/// Minimum number of pairs in a logfmt line.
const FEWEST: usize = 3;

/// The pairs of a line in order: positions of key and value; words without `=` are skipped.
pub(super) struct Pairs<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Pairs<'a> {
    pub(super) fn new(line: &'a [u8]) -> Self {
        Pairs { line, at: 0 }
    }
}

impl Iterator for Pairs<'_> {
    type Item = (Range<usize>, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let blanks = self.line.get(self.at..)?.iter().take_while(|c| matches!(c, b' ' | b'\t')).count();
            let start = self.at + blanks;
            let rest = self.line.get(start..).filter(|rest| !rest.is_empty())?;
            let end = start + memchr::memchr2(b'=', b' ', rest).unwrap_or(rest.len());
            if self.line.get(end) != Some(&b'=') || !is_key(&self.line[start..end]) {
                self.at = start + memchr::memchr(b' ', rest).unwrap_or(rest.len());
                continue;
            }
            let value = end + 1;
            if self.line.get(value) == Some(&b'"') {
                let quotes = memchr::memchr_iter(b'"', &self.line[value + 1..]).map(|at| value + 1 + at);
                let close = quotes.into_iter().find(|at| !is_escaped(self.line, value + 1, *at));
                let close = close.unwrap_or(self.line.len());
                self.at = close + 1;
                return Some((start..end, value + 1..close));
            }
            let length = memchr::memchr(b' ', &self.line[value..]).unwrap_or(self.line.len() - value);
            self.at = value + length;
            return Some((start..end, value..value + length));
        }
    }
}

/// Whether an odd number of backslashes precedes `at`.
fn is_escaped(line: &[u8], from: usize, at: usize) -> bool {
    line[from..at].iter().rev().take_while(|c| **c == b'\\').count() % 2 == 1
}

fn is_key(text: &[u8]) -> bool {
    let first = text.first().is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, b'_' | b'@'));
    first && text.iter().all(|c| c.is_ascii_alphanumeric() || b"_@.-:/[]".contains(c))
}

/// Whether most of the first lines consist of pairs from their beginning.
pub(super) fn begins_with_pairs(input: &TraceInput) -> bool {
    let lines: Vec<&[u8]> = head_lines(input, 50).filter(|line| !line.is_empty()).collect();
    let fits = |line: &&&[u8]| {
        let mut pairs = Pairs::new(line);
        pairs.next().is_some_and(|(key, _)| key.start == 0) && pairs.nth(FEWEST - 2).is_some()
    };
    let fitting = lines.iter().filter(fits).count();
    fitting > 0 && fitting * 5 >= lines.len() * 4
}

/// Extracts the values of known keys from a line.
pub(super) struct KeyedLine {
    pub(super) names: Vec<String>,
    /// Keys that every request has; lines without them are not requests.
    pub(super) marks: Vec<usize>,
}

impl Split for KeyedLine {
    fn split(&self, line: &[u8], fields: &mut Vec<Range<usize>>) -> Result<bool, RowFault> {
        let before = fields.len();
        fields.resize(before + self.names.len(), 0..0);
        let mut found = 0;
        for (key, value) in Pairs::new(line) {
            found += 1;
            if let Some(column) = self.names.iter().position(|name| name.as_bytes() == &line[key.clone()])
                && fields[before + column].is_empty()
            {
                fields[before + column] = value;
            }
        }
        if found == 0 {
            return Err(RowFault { at: 0, expected: EXPECTED });
        }
        Ok(self.marks.iter().all(|mark| !fields[before + mark].is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_taken_apart() {
        let line = br#"time=2026-03-02T10:00:00Z level=info msg="say \"hi\" \\" bare path=/a?b=c e= f="open"#;
        let pairs: Vec<(&str, &str)> = Pairs::new(line)
            .map(|(key, value)| (std::str::from_utf8(&line[key]).unwrap(), std::str::from_utf8(&line[value]).unwrap()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("time", "2026-03-02T10:00:00Z"),
                ("level", "info"),
                ("msg", r#"say \"hi\" \\"#),
                ("path", "/a?b=c"),
                ("e", ""),
                ("f", "open")
            ]
        );
        assert_eq!(Pairs::new(b"GET /a?b=c HTTP").count() + Pairs::new(b"=").count() + Pairs::new(b"").count(), 0);
    }
}
