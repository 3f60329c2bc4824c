//! Rows of a trace file, before they become requests.

use crate::units::{SimDuration, SimTime};
use crate::workload::batch::{RequestBatch, append, gather};
use crate::workload::error::TraceError;
use crate::workload::time::text::Offsets;
use crate::workload::time::zone::Zone;
use std::ops::Range;

/// What the rows of a trace are. The three kinds are never mixed up: counts and levels become arrivals only by a stated
/// model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeriesKind {
    /// Each row is one request.
    Arrivals,
    /// Each row says how many requests came in an interval that starts at its time.
    Counts,
    /// Each row is the value of a quantity at its time: players online, utilization, containers.
    Levels,
}

impl SeriesKind {
    /// The kind as it is written in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            SeriesKind::Arrivals => "arrivals",
            SeriesKind::Counts => "counts",
            SeriesKind::Levels => "levels",
        }
    }
}

/// Some rows of a trace, as columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// The requests. Times count from the zero of the trace's own clock: 1970, or wherever its numbers start. For counts
    /// and levels only the times are used.
    pub requests: RequestBatch,
    /// Count or level of each row; empty for arrivals.
    pub values: Vec<f64>,
    /// A number that the rows of one session have in common; empty where no column of sessions is named. No identity can be
    /// read off it, and it ends here: requests are not told apart by it.
    pub sessions: Vec<u64>,
    /// Line of each row, from 1; empty for columnar files, whose rows are numbered on from `first_row`.
    pub lines: Vec<u64>,
    /// Number of the first row, from 1, where there are no lines.
    pub first_row: u64,
}

impl Rows {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Removes all rows, keeping the memory.
    pub fn clear(&mut self) {
        self.requests.clear();
        self.values.clear();
        self.sessions.clear();
        self.lines.clear();
    }

    /// Keeps the first `len` rows.
    pub(super) fn truncate(&mut self, len: usize) {
        self.requests.truncate(len);
        self.values.truncate(len);
        self.sessions.truncate(len);
        self.lines.truncate(len);
    }

    /// Line or row number of row `index`.
    pub fn place(&self, index: usize) -> u64 {
        self.lines.get(index).copied().unwrap_or(self.first_row + index as u64)
    }

    pub(crate) fn append_range(&mut self, from: &Rows, range: Range<usize>) {
        self.requests.append_range(&from.requests, range.clone());
        append(&mut self.values, &from.values, &range);
        append(&mut self.sessions, &from.sessions, &range);
        append(&mut self.lines, &from.lines, &range);
    }

    pub(crate) fn gather(&mut self, from: &Rows, rows: &[u32]) {
        self.requests.gather(&from.requests, rows);
        gather(&mut self.values, &from.values, rows);
        gather(&mut self.sessions, &from.sessions, rows);
        gather(&mut self.lines, &from.lines, rows);
    }
}

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Line or row, from 1.
    pub line: u64,
    /// Column in bytes, from 1.
    pub column: u64,
    /// What was expected and what was found.
    pub message: String,
}

/// How many rows were read and how many could not be used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Rows used.
    pub rows: u64,
    /// Lines that the format passes over on purpose (comments, other programs' messages).
    pub skipped: u64,
    /// Rows that could not be used.
    pub bad: u64,
    /// The first few of them.
    pub first_bad: Vec<BadRow>,
    /// Cells without a value, in rows whose other cells have one, that were taken for nothing.
    pub blanks: u64,
    /// Rows left out by `include:` and `exclude:`; they are among those passed over.
    pub left_out: u64,
    /// What each condition of `include:` and `exclude:` is, and how many rows met it.
    pub met: Vec<(String, u64)>,
    /// Rows whose local time the clock leapt over in spring: moved on by as much.
    pub moved: u64,
    /// Rows of a local hour that the clock repeats in autumn, taken for the first one and for the second.
    pub repeated: [u64; 2],
    /// Requests that were logged before they had ended: they took longer than the log says.
    pub early: u64,
    /// Requests without a duration, in a trace that has a column of them.
    pub unknown: u64,
    /// The offsets from UTC that times write.
    pub offsets: Option<Offsets>,
    /// How the file was understood where nobody said it; one sentence each.
    pub notes: Vec<String>,
}

impl RowCounts {
    /// How many bad rows are kept to be shown.
    pub const SHOWN: usize = 5;

    /// Share of bad rows among all rows.
    pub fn bad_share(&self) -> f64 {
        if self.bad == 0 { 0.0 } else { self.bad as f64 / (self.rows + self.bad) as f64 }
    }

    /// Counts a row that cannot be used; the first few are kept to be shown.
    pub(crate) fn fault(&mut self, row: BadRow) {
        self.bad += 1;
        if self.first_bad.len() < RowCounts::SHOWN {
            self.first_bad.push(row);
        }
    }

    /// Refuses a file of which more rows than a share of `most` cannot be used.
    pub(crate) fn weigh(&self, file: &str, most: f64) -> Result<(), TraceError> {
        let Some(first) = self.first_bad.first().filter(|_| self.bad_share() > most) else { return Ok(()) };
        let share = 100.0 * self.bad_share();
        let shown: Vec<String> = self.first_bad.iter().map(|bad| bad.line.to_string()).collect();
        let message = format!(
            "{}; {} of the first {} rows ({share:.1}%) cannot be used, more than the {}% allowed (lines {}{})",
            first.message,
            self.bad,
            self.bad + self.rows,
            most * 100.0,
            shown.join(", "),
            if self.bad > shown.len() as u64 { ", ..." } else { "" },
        );
        let error = TraceError::new(file, message).line(first.line).column(first.column.to_string());
        let help = format!("`max-bad-rows: {}%` would leave them out", share.ceil().min(100.0));
        Err(if self.rows > 0 { error.help(help) } else { error })
    }

    /// One line per kind of row left out.
    pub fn notices(&self) -> Vec<String> {
        let mut lines = self.notes.clone();
        if self.blanks > 0 {
            lines.push(format!("{} cells of the trace are blank and were taken for nothing", self.blanks));
        }
        if self.left_out > 0 {
            let share = 100.0 * self.left_out as f64 / (self.left_out + self.rows + self.bad) as f64;
            lines.push(format!("{} rows ({share:.2}%) are left out by `include:` or `exclude:`", self.left_out));
        }
        let passed = self.skipped.saturating_sub(self.left_out);
        if passed > 0 {
            lines.push(format!(
                "{passed} lines or samples hold no request and no value (blank ones, comments, other messages) and were passed over"
            ));
        }
        let unmet = self.met.iter().filter(|(_, rows)| *rows == 0 && self.rows + self.left_out > 0);
        lines.extend(unmet.map(|(condition, _)| format!("{condition} matched no row")));
        if self.moved > 0 {
            lines.push(format!(
                "{} rows have a local time that the clock leaps over in spring and were moved on",
                self.moved
            ));
        }
        let [first, second] = self.repeated;
        if first + second > 0 {
            lines.push(format!(
                "{} rows lie in a local hour that the clock repeats in autumn: {first} were taken for the first one, {second} for the second",
                first + second
            ));
        }
        lines.extend(self.offsets.and_then(offsets_told));
        if self.early > 0 {
            lines.push(format!(
                "{} requests were logged before they had ended (`+`): their durations are what had passed by then",
                self.early
            ));
        }
        if self.unknown > 0 {
            let share = 100.0 * self.unknown as f64 / self.rows as f64;
            lines.push(format!(
                "{} requests ({share:.2}%) have no duration; what the service states stands in",
                self.unknown
            ));
        }
        if self.bad == 0 {
            return lines;
        }
        let share = 100.0 * self.bad_share();
        lines.push(format!("{} rows of the trace ({share:.2}%) could not be used", self.bad));
        lines.extend(
            self.first_bad.iter().map(|bad| format!("line {}, column {}: {}", bad.line, bad.column, bad.message)),
        );
        lines
    }
}

/// That a trace writes local times, and whose; nothing of one that writes UTC.
fn offsets_told(offsets: Offsets) -> Option<String> {
    let zone = |seconds: i32| Zone::fixed(seconds).name();
    let first = zone(offsets.first);
    match offsets.other {
        Some(other) => Some(format!(
            "its times are of {first} and later of {}: times of day and charts are of {first} unless `time-zone:` says otherwise",
            zone(other)
        )),
        None if offsets.first == 0 => None,
        None => Some(format!(
            "its times are of {first}, and so are times of day and charts unless `time-zone:` says otherwise"
        )),
    }
}

/// What holds for all rows of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowFacts {
    /// What the rows are.
    pub kind: SeriesKind,
    /// The zero from which the rows are to be counted, where it is not the first row: `Some(ZERO)` for files that hold
    /// offsets.
    pub origin: Option<SimTime>,
    /// Wall-clock time of the clock's zero, nanoseconds since 1970; `None` where the file's times are relative.
    pub zero_epoch_ns: Option<u64>,
    /// Whether the file is written in another order than that of its arrivals, such as that of their ends, so that all of it is
    /// sorted whatever was said.
    pub unordered: bool,
    /// Counts: the length of an interval. Levels: the longest time for which a value holds.
    pub interval: Option<SimDuration>,
    /// The length of the trace from its origin, where the file states it.
    pub extent: Option<SimDuration>,
}

impl RowFacts {
    /// Arrivals at times without dates, in order, of which nothing else is known.
    pub const ARRIVALS: RowFacts = RowFacts {
        kind: SeriesKind::Arrivals,
        origin: None,
        zero_epoch_ns: None,
        unordered: false,
        interval: None,
        extent: None,
    };

    /// Arrivals at dates.
    pub const DATED: RowFacts = RowFacts { zero_epoch_ns: Some(0), ..RowFacts::ARRIVALS };
}

/// Turns a file into rows, in the order of the file.
pub trait RowReader: Send {
    /// What holds for all rows. What wraps another reader hands this on as a whole.
    fn facts(&self) -> RowFacts;

    /// Replaces `rows` by the next rows of the file; none means the end.
    ///
    /// # Errors
    /// If the file cannot be read on, or more rows than allowed cannot be used.
    fn read(&mut self, rows: &mut Rows) -> Result<(), TraceError>;

    /// What was read so far.
    fn tally(&self) -> &RowCounts;

    /// Names of the classes met so far.
    fn class_names(&self) -> &[String] {
        &[]
    }

    /// The file and line of the first row that goes back behind the one before it, where the rows come from several files.
    fn goes_back_in(&self) -> Option<(String, u64)> {
        None
    }
}
