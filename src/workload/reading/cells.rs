//! The cells of one row, and the request, count or level that they describe.

use super::header::is_blank;
use super::numbers::Numbers;
use super::rows::{RowCounts, Rows, SeriesKind};
use crate::units::{SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::time::text::{TimeFormat, TimeReader, decimal, integer};

/// Maximum number of classes of a trace.
const MAX_CLASSES: usize = 4096;
/// Maximum count or level: far beyond any real one, and exact in binary64.
pub(super) const MAX_VALUE: f64 = 1e12;

/// The role of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Time,
    /// Time of day, if the time column holds only the date.
    TimeOfDay,
    Count,
    /// Requests per second in the interval that starts at the row's time; converted to a count once the interval is
    /// known.
    Rate,
    /// Requests since some start (a counter); counts are its increases.
    Counter,
    Level,
    Demand,
    /// Time that the request had taken by the row's time. Logs write a request when it ends, so its arrival was that
    /// much earlier.
    Elapsed,
    TokensIn,
    TokensOut,
    Class,
    Session,
}

impl Role {
    /// Whether the column holds counts or levels.
    pub(super) const fn is_value(self) -> bool {
        matches!(self, Role::Count | Role::Rate | Role::Counter | Role::Level)
    }
}

/// The kind of rows that columns with these roles give.
pub(super) fn kind_of(wanted: &[(usize, Role)]) -> SeriesKind {
    let has = |role| wanted.iter().any(|(_, wanted)| *wanted == role);
    match (has(Role::Count) || has(Role::Rate) || has(Role::Counter), has(Role::Level)) {
        (true, _) => SeriesKind::Counts,
        (_, true) => SeriesKind::Levels,
        _ => SeriesKind::Arrivals,
    }
}

/// The values of one row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RowValues {
    time: SimTime,
    value: f64,
    demand: u64,
    elapsed: u64,
    tokens_in: u32,
    tokens_out: u32,
    class: u16,
    session: u64,
    /// Number of blank and of other cells in value columns.
    blanks: u32,
    values: u32,
}

/// Combines cells into rows, and collects the names of the classes.
pub(super) struct RowMaker {
    times: TimeReader,
    /// Decimal digits between the unit of durations and a nanosecond.
    durations: usize,
    /// Length of an interval in seconds, for rates.
    interval: f64,
    /// Whether a quote within quotes is doubled.
    quoted: bool,
    numbers: Numbers,
    /// Whether several columns are added up, so that one of them may be blank.
    several: bool,
    /// Whether date and time of day are in two columns.
    split: bool,
    /// Date and time of day of the row, if they are in two columns.
    instant: [Vec<u8>; 2],
    classes: Vec<String>,
    /// The classes as written in the file.
    written: Vec<Box<[u8]>>,
    /// Index of the previous row's class.
    last_class: usize,
    /// Time of the previous row, and the counters in it and in the current row.
    counted: Option<SimTime>,
    counters: [Vec<f64>; 2],
    /// Number of blank cells treated as zero.
    blanks: u64,
    /// Number of durations of requests that had not ended.
    early: u64,
    /// Whether the time that a request had taken by the row's time is its demand.
    takes_durations: bool,
    /// Number of rows without a demand although there is a demand column.
    unknown: u64,
}

impl RowMaker {
    pub(super) fn new(
        times: TimeReader,
        duration_unit: TimeFormat,
        interval: Option<SimDuration>,
        quoted: bool,
    ) -> Self {
        RowMaker {
            times,
            durations: duration_unit.decimals(),
            interval: interval.map_or(0.0, SimDuration::as_secs_f64),
            quoted,
            numbers: Numbers::default(),
            several: false,
            split: false,
            instant: [Vec::new(), Vec::new()],
            classes: Vec::new(),
            written: Vec::new(),
            last_class: 0,
            counted: None,
            counters: [Vec::new(), Vec::new()],
            blanks: 0,
            early: 0,
            takes_durations: false,
            unknown: 0,
        }
    }

    /// A maker for columns with these roles and numbers written in this way.
    pub(super) fn of_columns(self, wanted: &[(usize, Role)], numbers: Numbers) -> Self {
        let several = wanted.iter().filter(|(_, role)| role.is_value()).count() > 1;
        let split = wanted.iter().any(|(_, role)| *role == Role::TimeOfDay);
        RowMaker { several, split, numbers, ..self }
    }

    /// Uses durations as demands if no demand column is named.
    pub(super) fn taking_durations(self, wanted: &[(usize, Role)]) -> Self {
        let named = wanted.iter().any(|(_, role)| *role == Role::Demand);
        RowMaker { takes_durations: !named, ..self }
    }

    /// Adds the filled-in cells to the tally.
    pub(super) fn account(&self, tally: &mut RowCounts) {
        tally.blanks = self.blanks;
        tally.early = self.early;
        tally.offsets = self.times.offsets();
        tally.moved = self.times.moved();
        tally.repeated = self.times.repeated();
        tally.unknown = self.unknown;
    }

    /// Keeps the text of a date or a time of day until both were read.
    fn part_of_time(&mut self, role: Role, text: &[u8]) {
        let part = &mut self.instant[usize::from(role == Role::TimeOfDay)];
        part.clear();
        part.extend_from_slice(text);
    }

    /// The time of a row from its date and time of day.
    ///
    /// # Errors
    /// If they are not a time: a description of the expected text.
    pub(super) fn join_time(&mut self, row: &mut RowValues) -> Result<(), &'static str> {
        let [date, of_day] = &mut self.instant;
        date.push(b' ');
        date.extend_from_slice(of_day);
        row.time = self.times.read(date).ok_or(self.times.format().example())?;
        Ok(())
    }

    /// Reads a cell of a count or level.
    #[inline]
    fn amount(&mut self, role: Role, text: &[u8], row: &mut RowValues) -> Result<(), &'static str> {
        if row.values + row.blanks == 0 {
            self.counters[1].clear();
        }
        if self.several && is_blank(text) {
            row.blanks += 1;
            self.blanks += 1;
            if role == Role::Counter {
                // Nothing was collected: the counter is unchanged.
                let stood = self.counters[0].get(self.counters[1].len()).copied().unwrap_or(f64::NAN);
                self.counters[1].push(stood);
            }
            return Ok(());
        }
        row.values += 1;
        match role {
            Role::Rate => {
                row.value +=
                    self.numbers.value(text, true).ok_or("requests per second, from 0 to 1e12")? * self.interval;
            }
            Role::Counter => {
                let value = self.numbers.value(text, false).ok_or("a number from 0 to 1e12")?;
                self.counters[1].push(value);
            }
            role => row.value += self.numbers.value(text, role == Role::Level).ok_or("a number from 0 to 1e12")?,
        }
        Ok(())
    }

    /// Reads one cell of the row; an error describes the expected text.
    #[inline]
    pub(super) fn cell(&mut self, role: Role, text: &[u8], row: &mut RowValues) -> Result<(), &'static str> {
        let text = text.trim_ascii();
        match role {
            Role::Time if !self.split => row.time = self.times.read(text).ok_or(self.times.format().example())?,
            Role::Time | Role::TimeOfDay => self.part_of_time(role, text),
            Role::Count | Role::Rate | Role::Counter | Role::Level => self.amount(role, text, row)?,
            Role::Demand if is_unknown(text) => row.demand = RequestBatch::UNKNOWN.as_nanos(),
            Role::Demand => row.demand = self.demand(text)?,
            Role::Elapsed => row.elapsed = row.elapsed.saturating_add(self.duration(text)?),
            Role::TokensIn => row.tokens_in = tokens(text)?,
            Role::TokensOut => row.tokens_out = tokens(text)?,
            Role::Session => row.session = session(text),
            Role::Class => row.class = self.class(text).ok_or("a class in UTF-8, one of at most 4096")?,
        }
        Ok(())
    }

    fn duration(&mut self, text: &[u8]) -> Result<u64, &'static str> {
        // HAProxy marks requests with this sign that it logged before they ended.
        let text = match text.strip_prefix(b"+") {
            Some(early) => {
                self.early += 1;
                early
            }
            None => text,
        };
        self.numbers.duration(text, self.durations).ok_or("a duration, zero or more, such as `0.25` or `12ms`")
    }

    /// The time that a request took. If it was passed on several times (`0.004, 0.120 : 0.008` in nginx), the sum of
    /// all attempts.
    fn demand(&mut self, text: &[u8]) -> Result<u64, &'static str> {
        let whole = self.duration(text);
        if whole.is_ok() {
            return whole;
        }
        let mut tries =
            text.split(|c| matches!(c, b',' | b':')).map(<[u8]>::trim_ascii).filter(|text| !is_unknown(text));
        let spaced = text.windows(2).any(|pair| pair == b", " || pair == b": ");
        let sum = tries.try_fold(0u64, |sum, text| sum.checked_add(self.numbers.duration(text, self.durations)?));
        sum.filter(|_| spaced).map_or(whole, Ok)
    }

    fn class(&mut self, text: &[u8]) -> Option<u16> {
        if self.written.get(self.last_class).is_some_and(|written| **written == *text) {
            return Some(self.last_class as u16);
        }
        self.last_class = match self.written.iter().position(|written| **written == *text) {
            Some(index) => index,
            None if self.written.len() < MAX_CLASSES => {
                let name = std::str::from_utf8(text).ok()?;
                self.classes.push(if self.quoted { name.replace("\"\"", "\"") } else { name.to_string() });
                self.written.push(text.into());
                self.written.len() - 1
            }
            None => return None,
        };
        Some(self.last_class as u16)
    }

    /// Appends the row, given the roles of its cells. A request that began before time zero of the trace counts from
    /// zero.
    ///
    /// # Errors
    /// If the cells are inconsistent: a description of the expected ones.
    #[inline]
    pub(super) fn push(
        &mut self,
        mut row: RowValues,
        wanted: &[(usize, Role)],
        rows: &mut Rows,
    ) -> Result<(), &'static str> {
        if self.split {
            self.join_time(&mut row)?;
        }
        if self.several && row.values == 0 {
            self.blanks -= u64::from(row.blanks);
            self.counters[1].clear();
            return Err("a number in one of the columns that add up");
        }
        if !self.counters[1].is_empty() {
            let Some(increased) = self.increase(row) else { return Ok(()) };
            row = increased;
        }
        rows.requests.arrivals.push(SimTime::from_nanos(row.time.as_nanos().saturating_sub(row.elapsed)));
        let (mut valued, mut timed) = (false, false);
        for (_, role) in wanted {
            match role {
                Role::Elapsed if self.takes_durations && !timed => {
                    rows.requests.demands.push(SimDuration::from_nanos(row.elapsed));
                    timed = true;
                }
                Role::Time | Role::TimeOfDay | Role::Elapsed => {}
                Role::Count | Role::Rate | Role::Counter | Role::Level => {
                    if !valued {
                        rows.values.push(row.value);
                    }
                    valued = true;
                }
                Role::Demand => {
                    let demand = SimDuration::from_nanos(row.demand);
                    self.unknown += u64::from(demand == RequestBatch::UNKNOWN);
                    rows.requests.demands.push(demand);
                }
                Role::TokensIn => rows.requests.tokens_in.push(row.tokens_in),
                Role::TokensOut => rows.requests.tokens_out.push(row.tokens_out),
                Role::Class => rows.requests.classes.push(row.class),
                Role::Session => rows.sessions.push(row.session),
            }
        }
        Ok(())
    }

    /// Appends a row of a table whose value columns are parts of a longer period: each value at its offset after the
    /// row's time.
    pub(super) fn push_part(&mut self, row: &RowValues, behind: SimDuration, rows: &mut Rows) {
        rows.requests.arrivals.push(row.time + behind);
        rows.values.push(row.value);
    }

    /// The value of a single cell; `None` if it is blank.
    ///
    /// # Errors
    /// A description of the expected text.
    pub(super) fn part(&mut self, role: Role, text: &[u8], row: &mut RowValues) -> Result<bool, &'static str> {
        row.value = 0.0;
        let text = text.trim_ascii();
        if is_blank(text) {
            self.blanks += 1;
            return Ok(false);
        }
        self.amount(role, text, row).map(|()| true)
    }

    /// The increase of the counters since the previous row, as a count that starts there; `None` at the first row. A
    /// counter that decreased was reset to zero in between, as in Prometheus.
    fn increase(&mut self, row: RowValues) -> Option<RowValues> {
        let [before, now] = &mut self.counters;
        let grown = |(before, now): (&f64, &f64)| match before {
            before if before.is_nan() => 0.0,
            before if now >= before => now - before,
            _ => *now,
        };
        let value = before.iter().zip(&*now).map(grown).sum();
        std::mem::swap(before, now);
        now.clear();
        let time = self.counted.replace(row.time)?;
        Some(RowValues { time, value, ..row })
    }

    /// The names of the classes so far.
    pub(super) fn class_names(&self) -> &[String] {
        &self.classes
    }
}

/// A number for a session: FNV-1a (Fowler, Noll and Vo) over its text, so that sessions can be distinguished without
/// storing them. Among a million sessions, two have the same number with a probability of 3e-8.
pub(super) fn session(text: &[u8]) -> u64 {
    text.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Whether a duration cell means that there is none: blank, or the -1 of a load balancer without a server to pass the
/// request to.
fn is_unknown(text: &[u8]) -> bool {
    is_blank(text) || text == b"-1"
}

/// A token count: an integer, possibly written as a float (`63.0`).
fn tokens(text: &[u8]) -> Result<u32, &'static str> {
    decimal(text, 0).and_then(|tokens| u32::try_from(tokens).ok()).ok_or("a number of tokens")
}

/// A count or level: a nonnegative number up to the maximum.
pub(super) fn value(text: &[u8]) -> Option<f64> {
    if let Some(whole) = integer(text) {
        return Some(whole as f64).filter(|value| *value <= MAX_VALUE);
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (0.0..=MAX_VALUE).contains(&value).then_some(value)
}
