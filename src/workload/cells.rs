//! The cells of one row and what they make: a request, a count or a level.

use super::rows::{Rows, SeriesKind};
use super::time_text::{TimeFormat, TimeReader, decimal, integer};
use crate::units::{SimDuration, SimTime};

/// The most classes that a trace may name.
const MAX_CLASSES: usize = 4096;
/// The largest count or level: far beyond any real one, and exact in binary64.
const MAX_VALUE: f64 = 1e12;

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Time,
    Count,
    /// Requests per second during the interval that starts at the row's time: a count once the interval is known.
    Rate,
    /// Requests since some beginning: counts are its increases.
    Counter,
    Level,
    Demand,
    /// How long the request had taken by the row's time: logs write a request when it has ended, and it came so much earlier.
    Elapsed,
    TokensIn,
    TokensOut,
    Class,
    Session,
}

/// What rows with columns of these roles are.
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
}

/// Reads cells and puts them together to rows; keeps the names of the classes met.
pub(super) struct RowMaker {
    times: TimeReader,
    durations: TimeReader,
    /// Seconds of an interval, for rates.
    interval: f64,
    /// Whether a quote inside quotes is doubled.
    quoted: bool,
    classes: Vec<String>,
    /// The classes as the file writes them.
    written: Vec<Box<[u8]>>,
    /// Index of the class met last.
    last_class: usize,
    /// Time and value of the counter met last.
    counter: Option<(SimTime, f64)>,
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
            durations: TimeReader::new(duration_unit, None),
            interval: interval.map_or(0.0, SimDuration::as_secs_f64),
            quoted,
            classes: Vec::new(),
            written: Vec::new(),
            last_class: 0,
            counter: None,
        }
    }

    /// Takes one cell of the row; an error says what was expected.
    #[inline]
    pub(super) fn cell(&mut self, role: Role, text: &[u8], row: &mut RowValues) -> Result<(), &'static str> {
        let text = text.trim_ascii();
        match role {
            Role::Time => row.time = self.times.read(text).ok_or(self.times.format().example())?,
            Role::Count | Role::Counter | Role::Level => row.value = value(text).ok_or("a number from 0 to 1e12")?,
            Role::Rate => row.value = value(text).ok_or("requests per second, from 0 to 1e12")? * self.interval,
            Role::Demand => row.demand = self.duration(text)?,
            Role::Elapsed => row.elapsed = self.duration(text)?,
            Role::TokensIn => row.tokens_in = tokens(text)?,
            Role::TokensOut => row.tokens_out = tokens(text)?,
            Role::Session => row.session = session(text),
            Role::Class => row.class = self.class(text).ok_or("a class in UTF-8, one of at most 4096")?,
        }
        Ok(())
    }

    fn duration(&mut self, text: &[u8]) -> Result<u64, &'static str> {
        self.durations.read(text).map(SimTime::as_nanos).ok_or("a duration, zero or more, without a unit")
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

    /// Appends the row, whose cells had these roles. A request that began before the trace's zero counts from zero.
    #[inline]
    pub(super) fn push(&mut self, row: RowValues, wanted: &[(usize, Role)], rows: &mut Rows) {
        let Some(row) =
            (if wanted.iter().any(|(_, role)| *role == Role::Counter) { self.increase(row) } else { Some(row) })
        else {
            return;
        };
        rows.requests.arrivals.push(SimTime::from_nanos(row.time.as_nanos().saturating_sub(row.elapsed)));
        for (_, role) in wanted {
            match role {
                Role::Time | Role::Elapsed => {}
                Role::Count | Role::Rate | Role::Counter | Role::Level => rows.values.push(row.value),
                Role::Demand => rows.requests.demands.push(SimDuration::from_nanos(row.demand)),
                Role::TokensIn => rows.requests.tokens_in.push(row.tokens_in),
                Role::TokensOut => rows.requests.tokens_out.push(row.tokens_out),
                Role::Class => rows.requests.classes.push(row.class),
                Role::Session => rows.sessions.push(row.session),
            }
        }
    }

    /// What a counter grew by since the row before, as a count that starts there; nothing at the first row. A counter that
    /// fell was reset to zero in between, as Prometheus takes it.
    fn increase(&mut self, row: RowValues) -> Option<RowValues> {
        let (time, before) = self.counter.replace((row.time, row.value))?;
        let value = if row.value >= before { row.value - before } else { row.value };
        Some(RowValues { time, value, ..row })
    }

    /// The names of the classes met so far.
    pub(super) fn class_names(&self) -> &[String] {
        &self.classes
    }
}

/// A number for a session: FNV-1a (Fowler, Noll and Vo) over its text, so that sessions need not be held to tell them apart.
/// Among a million sessions two are taken for one with a probability of 3e-8.
pub(super) fn session(text: &[u8]) -> u64 {
    text.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// A number of tokens: whole, or written as a float (`63.0`).
fn tokens(text: &[u8]) -> Result<u32, &'static str> {
    decimal(text, 0).and_then(|tokens| u32::try_from(tokens).ok()).ok_or("a number of tokens")
}

/// A count or level: a number, not negative, not too large.
pub(super) fn value(text: &[u8]) -> Option<f64> {
    if let Some(whole) = integer(text) {
        return Some(whole as f64).filter(|value| *value <= MAX_VALUE);
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (0.0..=MAX_VALUE).contains(&value).then_some(value)
}
