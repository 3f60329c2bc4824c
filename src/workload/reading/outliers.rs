//! Single rows so far from all others that one of them would dominate the run: a date years away, a count with four
//! digits too many.

use std::ops::Range;

use super::rows::Rows;
use crate::units::{SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::time::text::show_instant;

/// Counts up to this are always accepted: that many requests arrive in a second or two.
const ANY_COUNT: f64 = 1e7;
/// Token counts up to this are always accepted.
const ANY_TOKENS: f64 = 1e7;
/// Demands up to an hour are always accepted.
const LONG: f64 = 3600.0;
/// Maximum ratio of a count to the next largest.
const TIMES: f64 = 1e4;
/// Gaps up to this are always accepted.
pub(crate) const ANY_GAP: SimDuration = SimDuration::from_secs(30 * 86_400);
/// Maximum ratio of a gap to the length of all rows on one side of it.
const GAPS: u64 = 100;
/// Minimum number of rows on one side of a gap to know the length of the trace.
const FEWEST: u64 = 10;

/// A row that no real trace has.
#[derive(Debug)]
pub(crate) struct Outlier {
    pub(super) line: u64,
    pub(super) message: String,
    pub(super) help: String,
}

impl Outlier {
    /// Adds the name of the file.
    pub(crate) fn error(self, file: &str) -> TraceError {
        TraceError::new(file, self.message).line(self.line).help(self.help)
    }
}

/// Statistics of the rows so far.
#[derive(Debug, Default)]
pub(crate) struct Outliers {
    rows: u64,
    first: SimTime,
    last: SimTime,
    values: Largest,
    demands: Largest,
    tokens: [Largest; 2],
}

/// The largest of some values with its line and time, and the next largest.
#[derive(Debug, Clone, Copy, Default)]
struct Largest {
    largest: (f64, u64, SimTime),
    next: f64,
}

impl Largest {
    fn see(&mut self, rows: &Rows, seen: Range<usize>, value: impl Fn(usize) -> Option<f64>) {
        for row in seen {
            let Some(value) = value(row) else { continue };
            if value > self.largest.0 {
                self.next = self.largest.0;
                self.largest = (value, rows.place(row), rows.requests.arrivals[row]);
            } else if value > self.next {
                self.next = value;
            }
        }
    }

    /// The largest, if it exceeds the value that is always accepted and is far larger than the next.
    fn odd(&self, any: f64) -> Option<(f64, u64, SimTime)> {
        Some(self.largest).filter(|(value, ..)| *value > any && *value > TIMES * self.next.max(any / ANY_COUNT))
    }
}

impl Outliers {
    /// Checks the rows from `from` on that are before `end`.
    ///
    /// # Errors
    /// The first row that is too far away, or one whose count is too large.
    pub(crate) fn see(&mut self, rows: &Rows, from: usize, end: SimTime, dated: Option<u64>) -> Result<(), Outlier> {
        let times = &rows.requests.arrivals[from..];
        let times = &times[..times.partition_point(|time| *time < end)];
        let (Some(first), Some(last)) = (times.first(), times.last()) else { return Ok(()) };
        if self.rows == 0 {
            (self.first, self.last) = (*first, *first);
        }
        // Most blocks are shorter than any gap that matters.
        if last.since(self.last) > ANY_GAP {
            let gap = |at: usize| times[at].since(if at == 0 { self.last } else { times[at - 1] });
            let widest = (0..times.len()).max_by_key(|at| gap(*at)).unwrap_or_default();
            self.judge_gap(rows, from + widest, gap(widest), times, widest, dated)?;
        }
        let seen = from..from + times.len();
        self.values.see(rows, seen.clone(), |row| rows.values.get(row).copied());
        self.demands.see(rows, seen.clone(), |row| {
            let known = rows.requests.demands.get(row).filter(|demand| **demand != RequestBatch::UNKNOWN);
            known.map(|demand| demand.as_secs_f64())
        });
        let tokens = [&rows.requests.tokens_in, &rows.requests.tokens_out];
        for (of, column) in self.tokens.iter_mut().zip(tokens) {
            of.see(rows, seen.clone(), |row| column.get(row).map(|tokens| f64::from(*tokens)));
        }
        self.rows += times.len() as u64;
        self.last = *last;
        let Some((largest, line, at)) = self.values.odd(ANY_COUNT).filter(|_| self.rows >= 3) else { return Ok(()) };
        Err(Outlier {
            line,
            message: format!(
                "the value {largest} at {} is more than 10,000 times any other, of which the largest is {}",
                shown(at, dated),
                self.values.next
            ),
            help: "correct the row or take it out".into(),
        })
    }

    /// The note on single requests that take far longer than all others: the run is still finite, but they may be mistakes.
    pub(crate) fn told(&self) -> Vec<String> {
        if self.rows < 3 {
            return Vec::new();
        }
        let demand = self.demands.odd(LONG).map(|(seconds, line, _)| {
            let next = self.demands.next;
            format!("the request of line {line} takes {seconds} s, more than 10,000 times any other, of which the longest takes {next} s")
        });
        let tokens = self.tokens.iter().zip(["input", "output"]).filter_map(|(of, side)| {
            let (tokens, line, _) = of.odd(ANY_TOKENS)?;
            Some(format!("the request of line {line} has {tokens} {side} tokens, more than 10,000 times any other"))
        });
        demand.into_iter().chain(tokens).collect()
    }

    fn judge_gap(
        &self,
        rows: &Rows,
        row: usize,
        gap: SimDuration,
        times: &[SimTime],
        widest: usize,
        dated: Option<u64>,
    ) -> Result<(), Outlier> {
        let before = if widest == 0 { self.last } else { times[widest - 1] };
        let (rows_before, rows_after) = (self.rows + widest as u64, (times.len() - widest) as u64);
        let ahead = times[times.len() - 1].since(times[widest]);
        let lone_before = rows_after >= FEWEST && ahead * GAPS < gap;
        let lone_after = rows_before >= FEWEST && before.since(self.first) * GAPS < gap;
        if gap <= ANY_GAP || !(lone_before || lone_after) {
            return Ok(());
        }
        let (others, span) = if lone_after { ("before", before.since(self.first)) } else { ("behind", ahead) };
        Err(Outlier {
            line: rows.place(row),
            message: format!(
                "the row at {} comes {gap} after the one before it, and all rows {others} that lie within {span}",
                shown(times[widest], dated)
            ),
            help: "correct the row or take it out, or say with `start:` and `end:` which part is meant".into(),
        })
    }
}

fn shown(time: SimTime, dated: Option<u64>) -> String {
    match dated {
        Some(zero) => show_instant(zero.saturating_add(time.as_nanos())),
        None => time.since(SimTime::ZERO).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn see(rows: &[(u64, f64)]) -> Result<(), String> {
        let mut all = Rows { first_row: 1, ..Rows::default() };
        for (second, value) in rows {
            all.requests.arrivals.push(SimTime::from_secs(*second));
            all.values.push(*value);
        }
        let seen = Outliers::default().see(&all, 0, SimTime::MAX, None);
        seen.map_err(|outlier| format!("{}: {}", outlier.line, outlier.message))
    }

    #[test]
    fn one_row_a_year_away_is_named_on_either_side() {
        let minutes: Vec<(u64, f64)> = (0..20).map(|minute| (40_000_000 + minute * 60, 5.0)).collect();
        assert_eq!(see(&minutes), Ok(()));
        let late: Vec<(u64, f64)> = minutes.iter().copied().chain([(80_000_000, 5.0)]).collect();
        assert!(see(&late).unwrap_err().starts_with("21: the row at"), "{:?}", see(&late));
        let early: Vec<(u64, f64)> = [(0, 5.0)].into_iter().chain(minutes).collect();
        assert!(see(&early).unwrap_err().starts_with("2: the row at"), "{:?}", see(&early));
        // One row per month, for years.
        assert_eq!(see(&(0..30).map(|month| (month * 2_700_000, 5.0)).collect::<Vec<_>>()), Ok(()));
    }

    #[test]
    fn one_count_with_digits_too_many_is_named() {
        assert_eq!(see(&[(0, 5.0), (60, 1e8), (120, 9.0)]).unwrap_err()[..12], *"2: the value");
        assert_eq!(see(&[(0, 5e6), (60, 1e8), (120, 9e6)]), Ok(()));
    }
}
