//! Rows in the order of their times.

use super::external::Sorted;
use crate::units::{SimDuration, SimTime};
use crate::workload::error::TraceError;
use crate::workload::reading::rows::{RowReader, Rows};

/// The most rows that are held back for sorting: with times alone about 64 MB, with all columns twice that.
const MAX_HELD: usize = 4 << 20;
/// Rows are sorted in blocks of at least this many.
const BLOCK: usize = 1 << 16;

/// Puts rows in order that go back by no more than a window, and refuses those that go back further. With the longest of all
/// windows the whole trace is sorted.
pub(crate) struct Ordered {
    pub(crate) reader: Box<dyn RowReader>,
    file: String,
    window: SimDuration,
    /// The newest time read, and the line of its row.
    newest: SimTime,
    newest_line: u64,
    /// Times below were given out already; a row that goes back behind this cannot be put in its place.
    given: SimTime,
    held: Rows,
    spare: Rows,
    order: Vec<u32>,
    finished: bool,
    sorted: Option<Sorted>,
    disorder: Disorder,
}

/// How many rows stand behind later ones, and by how much at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Disorder {
    newest: SimTime,
    rows: u64,
    back: u64,
    furthest: SimDuration,
}

impl Disorder {
    #[inline]
    pub(super) fn see(&mut self, time: SimTime) {
        self.rows += 1;
        if time < self.newest {
            self.back += 1;
            self.furthest = self.furthest.max(self.newest.since(time));
        } else {
            self.newest = time;
        }
    }

    fn told(&self) -> Option<String> {
        let share = 100.0 * self.back as f64 / self.rows.max(1) as f64;
        let furthest = self.furthest;
        (self.back > 0).then(|| {
            format!("{} rows ({share:.2}%) stand behind later ones, by up to {furthest}, and were sorted", self.back)
        })
    }
}

impl Ordered {
    pub(crate) fn new(reader: Box<dyn RowReader>, file: &str, window: SimDuration) -> Self {
        Ordered {
            reader,
            file: file.to_string(),
            window,
            newest: SimTime::ZERO,
            newest_line: 0,
            given: SimTime::ZERO,
            held: Rows::default(),
            spare: Rows::default(),
            order: Vec::new(),
            finished: false,
            sorted: None,
            disorder: Disorder::default(),
        }
    }

    /// That rows were sorted, where some had to be.
    pub(super) fn told(&self) -> Option<String> {
        self.disorder.told()
    }

    /// Replaces `rows` by the next rows in order; none means the end.
    pub(crate) fn read(&mut self, rows: &mut Rows) -> Result<(), TraceError> {
        if self.window == SimDuration::MAX {
            if self.sorted.is_none() {
                self.sorted = Some(Sorted::of(&mut *self.reader, &self.file, &mut self.disorder)?);
            }
            return self.sorted.as_mut().map_or(Ok(()), |sorted| sorted.read(rows));
        }
        if !self.window.is_zero() {
            return self.read_sorted(rows);
        }
        self.reader.read(rows)?;
        let mut newest = self.newest;
        for (index, time) in rows.requests.arrivals.iter().enumerate() {
            if *time < newest {
                let (line, back) = (rows.place(index), newest.since(*time));
                if index > 0 {
                    self.newest_line = rows.place(index - 1);
                }
                return Err(self.goes_back(line, back, newest, (rows, index)));
            }
            newest = *time;
        }
        self.newest = newest;
        if !rows.is_empty() {
            self.newest_line = rows.place(rows.len() - 1);
        }
        Ok(())
    }

    fn read_sorted(&mut self, rows: &mut Rows) -> Result<(), TraceError> {
        rows.clear();
        // A window longer than a block holds everything back: read on, twice as much each time, until something may leave.
        while rows.is_empty() && !(self.finished && self.held.is_empty()) {
            self.hold(self.held.len() * 2 + BLOCK)?;
            let until = if self.finished { SimTime::MAX } else { self.newest.saturating_sub(self.window) };
            self.split(until, rows);
        }
        Ok(())
    }

    /// Reads on until about `wanted` rows are held back.
    fn hold(&mut self, wanted: usize) -> Result<(), TraceError> {
        while !self.finished && self.held.len() < wanted {
            self.reader.read(&mut self.spare)?;
            self.finished = self.spare.is_empty();
            for (index, time) in self.spare.requests.arrivals.iter().enumerate() {
                if *time < self.given {
                    let (line, back) = (self.spare.place(index), self.newest.since(*time));
                    let (newest, read) = (self.newest, std::mem::take(&mut self.spare));
                    return Err(self.goes_back(line, back, newest, (&read, index)));
                }
                self.disorder.see(*time);
                if *time > self.newest {
                    (self.newest, self.newest_line) = (*time, self.spare.place(index));
                }
            }
            self.held.append_range(&self.spare, 0..self.spare.len());
        }
        if self.held.len() > MAX_HELD {
            let message = format!("more than {MAX_HELD} rows lie within the reorder window of {}", self.window);
            return Err(TraceError::new(self.file.as_str(), message)
                .help("state a shorter window, or `reorder: all` to sort the trace on disk"));
        }
        Ok(())
    }

    /// Moves all rows before `until` to `rows`, sorted; rows of equal time stay in the order of the file.
    fn split(&mut self, until: SimTime, rows: &mut Rows) {
        let times = &self.held.requests.arrivals;
        self.order.clear();
        self.order.extend(0..times.len() as u32);
        if !times.is_sorted() {
            self.order.sort_by_key(|row| times[*row as usize]);
        }
        let leaving = self.order.partition_point(|row| times[*row as usize] < until || until == SimTime::MAX);
        rows.gather(&self.held, &self.order[..leaving]);
        self.given = until;
        self.spare.clear();
        self.spare.gather(&self.held, &self.order[leaving..]);
        std::mem::swap(&mut self.held, &mut self.spare);
    }

    /// Reads the rest of the file, from a row of the rows read last, to say which window would have been needed. `newest`
    /// is the newest time before that row.
    fn goes_back(&mut self, line: u64, back: SimDuration, newest: SimTime, rest: (&Rows, usize)) -> TraceError {
        let mut widest = back;
        let mut newest = newest;
        let (file, line) = self.reader.goes_back_in().unwrap_or_else(|| (self.file.clone(), line));
        let (mut rows, mut from) = (rest.0.clone(), rest.1);
        while !rows.is_empty() {
            for time in &rows.requests.arrivals[std::mem::take(&mut from)..] {
                newest = newest.max(*time);
                widest = widest.max(newest.since(*time));
            }
            if self.reader.read(&mut rows).is_err() {
                break;
            }
        }
        if back > crate::workload::reading::outliers::ANY_GAP {
            // Lines of several files are not those of one.
            let from = if file == self.file { format!(" from line {}", self.newest_line) } else { String::new() };
            let message = format!("arrivals go back by {back}{from}; expected rows in the order of their times");
            return TraceError::new(file, message).line(line).help("correct the one or the other, or take it out");
        }
        let message = format!("arrivals go back by {back}; expected rows in the order of their times");
        let window = round_up(widest);
        let help = format!(
            "`reorder: {window}` under `workload:` (of a command on traces, `--reorder {window}`) would sort them"
        );
        TraceError::new(file, message).line(line).help(help)
    }
}

/// The next full second, minute or hour, with room: a window must be longer than the widest step back.
fn round_up(step: SimDuration) -> SimDuration {
    let unit = match step.as_secs_f64() {
        s if s < 60.0 => 1,
        s if s < 3600.0 => 60,
        _ => 3600,
    };
    (step + SimDuration::from_nanos(1)).round_up_to(SimDuration::from_secs(unit))
}
