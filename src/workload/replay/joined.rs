//! Several files as one trace: rotated logs, days, hosts. Merged in order of time; each file is opened only when its
//! time has come, so that memory does not grow with their number.

use super::arrivals::open_one;
use crate::units::{SimDuration, SimTime};
use crate::workload::error::TraceError;
use crate::workload::reading::formats::plugin::FormatPlugin;
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::TraceOptions;
use crate::workload::reading::rows::{RowCounts, RowFacts, RowReader, Rows, SeriesKind};

/// Number of rows per call.
const ROWS: usize = 8192;

/// A file whose first row is still in the future.
struct Waiting {
    input: TraceInput,
    first: SimTime,
}

/// A file being read.
struct Open {
    name: String,
    reader: Box<dyn RowReader>,
    rows: Rows,
    cursor: usize,
    /// The file's classes as indices into those of the whole trace.
    classes: Vec<u16>,
    /// Offset of its clock's zero from 1970.
    zero: u64,
    /// The newest time read.
    newest: SimTime,
}

/// All files as one.
pub(super) struct Joined {
    options: TraceOptions,
    /// The files not opened yet, latest first.
    waiting: Vec<Waiting>,
    open: Vec<Open>,
    kind: SeriesKind,
    interval: Option<SimDuration>,
    unordered: bool,
    classes: Vec<String>,
    /// Tally of the finished files.
    finished: RowCounts,
    tally: RowCounts,
    shape: Option<[bool; 6]>,
    given: u64,
    /// The file and line of the first row that goes back behind the one before it in its file.
    back: Option<(String, u64)>,
}

impl Joined {
    /// Looks at the beginning of each file.
    ///
    /// # Errors
    /// If one cannot be read, has no dates, or differs in kind from the others.
    pub(super) fn open(
        inputs: Vec<TraceInput>,
        options: &TraceOptions,
    ) -> Result<(&'static FormatPlugin, Box<dyn RowReader>), TraceError> {
        let mut waiting = Vec::new();
        let mut like: Option<(String, &'static FormatPlugin, SeriesKind, Option<SimDuration>)> = None;
        let (mut notes, mut unordered) = (Vec::new(), false);
        for input in inputs {
            let (plugin, mut reader) = open_one(&input, options)?;
            let error = |message: String| TraceError::new(input.name.as_str(), message);
            let Some(zero) = reader.facts().zero_epoch_ns else {
                return Err(error("its times are relative, so that several files cannot be put in order".into())
                    .help("give one file, or files with dates"));
            };
            let mut rows = Rows::default();
            reader.read(&mut rows)?;
            let Some(first) = rows.requests.arrivals.first() else {
                return Err(error("holds no usable row; expected a trace".into()).help("leave the file out"));
            };
            let fresh: Vec<String> =
                reader.tally().notes.iter().filter(|note| !notes.contains(*note)).cloned().collect();
            notes.extend(fresh);
            let (kind, interval) = (reader.facts().kind, reader.facts().interval);
            unordered |= reader.facts().unordered;
            match &like {
                None => like = Some((input.name.clone(), plugin, kind, interval)),
                Some((name, _, known, step)) if *known != kind || *step != interval => {
                    let step = |step: Option<SimDuration>| step.map_or(String::new(), |step| format!(" per {step}"));
                    let (ours, theirs) = (step(interval), step(like.as_ref().and_then(|(.., step)| *step)));
                    let message = format!("holds {}{ours}, and {name} holds {}{theirs}", kind.name(), known.name());
                    return Err(error(message)
                        .help("files of one trace are alike; the length of an interval can be stated (`interval:`)"));
                }
                Some(_) => {}
            }
            waiting.push(Waiting { first: *first + SimDuration::from_nanos(zero), input });
        }
        // Among equal times, the order of the names counts.
        waiting.reverse();
        waiting.sort_by_key(|part| std::cmp::Reverse(part.first));
        let Some((_, plugin, kind, interval)) = like else {
            return Err(TraceError::new("the trace", "names no file; expected one or more"));
        };
        let finished = RowCounts { notes, ..RowCounts::default() };
        let joined = Joined {
            options: options.clone(),
            waiting,
            open: Vec::new(),
            kind,
            interval,
            unordered,
            classes: Vec::new(),
            tally: finished.clone(),
            finished,
            shape: None,
            given: 0,
            back: None,
        };
        Ok((plugin, Box::new(joined)))
    }

    /// Opens all files whose first row is not after the first row of those already open.
    fn open_due(&mut self) -> Result<(), TraceError> {
        loop {
            let head = self.open.iter().filter_map(Open::head).min();
            let due = |part: &Waiting| head.is_none_or(|head| part.first <= head);
            let Some(part) = self.waiting.pop_if(|part| due(part)) else { return Ok(()) };
            let (_, reader) = open_one(&part.input, &self.options)?;
            let zero = reader.facts().zero_epoch_ns.unwrap_or(0);
            let (rows, classes) = (Rows::default(), Vec::new());
            let mut open =
                Open { name: part.input.name, reader, rows, cursor: 0, classes, zero, newest: SimTime::ZERO };
            if self.refill(&mut open)? {
                self.open.push(open);
            }
        }
    }

    /// Reads more of a file; `false` at its end, when its tally is added to that of the finished files.
    fn refill(&mut self, part: &mut Open) -> Result<bool, TraceError> {
        part.cursor = 0;
        part.reader.read(&mut part.rows)?;
        let requests = &mut part.rows.requests;
        for time in &mut requests.arrivals {
            *time += SimDuration::from_nanos(part.zero);
        }
        for (index, time) in part.rows.requests.arrivals.iter().enumerate() {
            if *time < part.newest && self.back.is_none() {
                self.back = Some((part.name.clone(), part.rows.place(index)));
            }
            part.newest = part.newest.max(*time);
        }
        let requests = &mut part.rows.requests;
        for name in &part.reader.class_names()[part.classes.len()..] {
            let known = self.classes.iter().position(|known| known == name);
            let place = known.unwrap_or_else(|| {
                self.classes.push(name.clone());
                self.classes.len() - 1
            });
            part.classes.push(
                u16::try_from(place).map_err(|_| TraceError::new(part.name.as_str(), "brings too many classes"))?,
            );
        }
        for class in &mut requests.classes {
            *class = part.classes.get(usize::from(*class)).copied().unwrap_or_default();
        }
        if part.rows.is_empty() {
            self.finished = sum(&self.finished, part);
            return Ok(false);
        }
        let rows = &part.rows;
        let shape = [
            rows.values.is_empty(),
            rows.sessions.is_empty(),
            rows.requests.demands.is_empty(),
            rows.requests.tokens_in.is_empty(),
            rows.requests.tokens_out.is_empty(),
            rows.requests.classes.is_empty(),
        ];
        if *self.shape.get_or_insert(shape) != shape {
            return Err(TraceError::new(part.name.as_str(), "has not the columns that the other files have"));
        }
        Ok(true)
    }
}

impl Open {
    fn head(&self) -> Option<SimTime> {
        self.rows.requests.arrivals.get(self.cursor).copied()
    }
}

/// Adds a file's tally; bad rows are labelled with the file's name.
fn sum(tally: &RowCounts, part: &Open) -> RowCounts {
    let more = part.reader.tally();
    let mut sum = tally.clone();
    sum.rows += more.rows;
    sum.skipped += more.skipped;
    sum.bad += more.bad;
    sum.blanks += more.blanks;
    sum.moved += more.moved;
    sum.repeated = [sum.repeated[0] + more.repeated[0], sum.repeated[1] + more.repeated[1]];
    sum.early += more.early;
    sum.unknown += more.unknown;
    sum.offsets = sum.offsets.or(more.offsets);
    sum.left_out += more.left_out;
    for (condition, rows) in &more.met {
        match sum.met.iter_mut().find(|(known, _)| known == condition) {
            Some((_, sum)) => *sum += rows,
            None => sum.met.push((condition.clone(), *rows)),
        }
    }
    for bad in more.first_bad.iter().take(RowCounts::SHOWN.saturating_sub(sum.first_bad.len())) {
        sum.first_bad.push(crate::workload::reading::rows::BadRow {
            message: format!("{} (in {})", bad.message, part.name),
            ..bad.clone()
        });
    }
    sum
}

impl RowReader for Joined {
    fn facts(&self) -> RowFacts {
        RowFacts { kind: self.kind, unordered: self.unordered, interval: self.interval, ..RowFacts::DATED }
    }

    fn read(&mut self, rows: &mut Rows) -> Result<(), TraceError> {
        rows.clear();
        rows.first_row = self.given + 1;
        while rows.len() < ROWS {
            self.open_due()?;
            let heads = self.open.iter().enumerate().filter_map(|(at, open)| Some((open.head()?, at)));
            let Some((_, at)) = heads.min() else { break };
            let others =
                self.open.iter().enumerate().filter(|(other, _)| *other != at).filter_map(|(_, open)| open.head());
            let limit = others.chain(self.waiting.last().map(|part| part.first)).min().unwrap_or(SimTime::MAX);
            let mut part = self.open.swap_remove(at);
            let times = &part.rows.requests.arrivals[part.cursor..];
            let most = times.len().min(ROWS - rows.len());
            let run = times[..most].iter().position(|time| *time > limit).unwrap_or(most).max(1);
            let range = part.cursor..part.cursor + run;
            part.rows.lines.clear();
            rows.append_range(&part.rows, range);
            part.cursor += run;
            if part.cursor < part.rows.len() || self.refill(&mut part)? {
                self.open.push(part);
            }
        }
        self.given += rows.len() as u64;
        self.tally = self.open.iter().fold(self.finished.clone(), |tally, part| sum(&tally, part));
        Ok(())
    }

    fn tally(&self) -> &RowCounts {
        &self.tally
    }

    fn goes_back_in(&self) -> Option<(String, u64)> {
        self.back.clone()
    }

    fn class_names(&self) -> &[String] {
        &self.classes
    }
}
