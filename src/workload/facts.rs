//! What is in a trace: the facts that `plimsoll trace inspect` shows.

use std::collections::BTreeMap;
use std::path::Path;

use super::arrivals::{FileRecipe, Pauses, open_reader};
use super::instants::{Gaps, InstantFacts, Instants, ValueFacts};
use super::order::Ordered;
use super::outliers::{Outlier, Outliers};
use super::rows::{RowCounts, Rows, SeriesKind};
use super::{FormatPlugin, RowReader, TraceError, TraceFiles, TraceOptions, Zone, show_instant_in};
use crate::units::{NANOS_PER_SECOND, SimDuration, SimTime};

/// A dispersion is of so many bins at least: fewer say little of a variance.
pub(super) const FEWEST: usize = 10;

/// Parts of the span in which arrivals are counted to show their course.
pub const SHAPE_COLUMNS: usize = 60;

/// The fullest of the bins of one length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// Length of a bin.
    pub bin: SimDuration,
    /// Mean number of arrivals in a time as long as a bin: their rate from the first to the last one, times the bin's length. Where
    /// all of them lie within less than that, their number.
    pub mean: f64,
    /// Arrivals in the fullest bin.
    pub most: u64,
    /// Start of the (first) fullest bin, nanoseconds since 1970, or since the clock's zero where that is not known. Bins are
    /// aligned to full seconds, minutes and hours.
    pub at_ns: u64,
}

/// What is in a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceFacts {
    /// The format that was recognised or named.
    pub format: &'static str,
    /// How the file is packed ("gzip"), or how many files they are.
    pub packing: String,
    /// What the rows are.
    pub kind: SeriesKind,
    /// Rows used, passed over and unusable.
    pub tally: RowCounts,
    /// What was dropped, filled in, moved or assumed, as [`super::WorkloadSpec::notices`] says it, one sentence each; and why a replay
    /// would refuse the trace, if it would.
    pub notices: Vec<String>,
    /// Time of the earliest row since the clock's zero (1970 where `dated`).
    pub first: SimTime,
    /// Time of the latest row since the clock's zero.
    pub last: SimTime,
    /// Wall-clock time of the clock's zero, nanoseconds since 1970; `None` where times are relative.
    pub zero_epoch_ns: Option<u64>,
    /// Rows whose time lies before an earlier row's.
    pub out_of_order: u64,
    /// The furthest that a row goes back behind the newest before it: the `reorder` window must be longer.
    pub furthest_back: SimDuration,
    /// The longest time without a row.
    pub longest_gap: SimDuration,
    /// Counts and levels: where steps between rows are missing.
    pub gaps: Option<Gaps>,
    /// Arrivals: the fullest second (unless the trace is too long for it), minute and hour.
    pub peaks: Vec<Peak>,
    /// Arrivals: variance over mean of the counts per second, minute and hour; 1 for a Poisson process. Of whole ones alone, and
    /// only where there are ten of them.
    pub dispersion: Vec<(SimDuration, f64)>,
    /// Arrivals over two days or more: shares of the variance of the counts of whole hours that the hour of the day and the day of
    /// the week explain, each alone.
    pub season: Option<(f64, f64)>,
    /// Arrivals at the same instant as the row before.
    pub duplicates: u64,
    /// Arrivals: how many there are in each of up to [`SHAPE_COLUMNS`] equal parts of the span.
    pub shape: Vec<u64>,
    /// Counts and levels: sum, mean and largest value, and when that was.
    pub values: Option<ValueFacts>,
    /// Counts and levels of which several rows share an instant, one per client, pod or host: the values of the instants.
    pub instants: Option<InstantFacts>,
    /// Sessions, where a column of them is named.
    pub sessions: Option<SessionFacts>,
    /// Sums of input and output tokens, and the largest of each.
    pub tokens: Option<TokenFacts>,
    /// Counts: length of an interval.
    pub interval: Option<SimDuration>,
}

/// The sessions that requests belong to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SessionFacts {
    /// How many there are.
    pub sessions: u64,
    /// Requests of a session, on average.
    pub requests: f64,
    /// From a session's first request to its last, on average, seconds.
    pub duration: f64,
    /// Between neighbouring requests of a session, on average, seconds; `None` where each session has one request.
    pub think_time: Option<f64>,
}

/// Token counts of the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenFacts {
    /// Sum of input tokens.
    pub sum_in: u64,
    /// Sum of output tokens.
    pub sum_out: u64,
    /// The most input tokens of a request.
    pub most_in: u32,
    /// The most output tokens of a request.
    pub most_out: u32,
}

impl TraceFacts {
    /// From the earliest to the latest row.
    pub fn span(&self) -> SimDuration {
        self.last.since(self.first)
    }

    /// What is said of the trace. Arrivals in order were looked at already; of other rows, and of a part of the trace, a replay is made.
    fn told(&self, replayed: Replayed, files: &TraceFiles, options: &TraceOptions) -> Vec<String> {
        let part = options.start.is_some() || options.end.is_some() || options.gaps.is_some();
        let refused = |error: TraceError| format!("a replay refuses the trace: {error}");
        if self.kind != SeriesKind::Arrivals || self.out_of_order > 0 || part {
            let recipe = FileRecipe { files: files.clone(), options: options.clone(), factor: 1.0 };
            return recipe.notices().unwrap_or_else(|error| {
                let mut said = self.tally.notices();
                said.push(refused(error));
                said
            });
        }
        let mut said = self.tally.notices();
        let zone = options.time_zone.unwrap_or(Zone::UTC);
        said.extend(replayed.outliers.told());
        said.extend(replayed.pauses.and_then(|pauses| {
            pauses.told(self.tally.rows, |offset| match self.zero_epoch_ns {
                Some(zero) => show_instant_in(zero.saturating_add((pauses.first + offset).as_nanos()), zone),
                None => offset.to_string(),
            })
        }));
        let too_many = self.tally.weigh(&files.name(), options.max_bad_rows.get()).err();
        let outlier = replayed.outlier.map(|outlier| outlier.error(&files.name()));
        said.extend(too_many.or(outlier).map(refused));
        said
    }

    /// Arrivals per second over the span, where there are arrivals and the span is not empty.
    pub fn mean_rate(&self) -> Option<f64> {
        let seconds = self.span().as_secs_f64();
        (self.kind == SeriesKind::Arrivals && seconds > 0.0).then(|| self.tally.rows as f64 / seconds)
    }
}

/// Reads a whole trace and says what is in it. Rows may come in any order, and any share of them may be unusable.
///
/// # Errors
/// If the file cannot be read, or holds no usable row.
pub fn inspect(path: &Path, options: &TraceOptions) -> Result<TraceFacts, TraceError> {
    inspect_files(&TraceFiles::from(path), options)
}

/// As [`inspect`], of files that are one trace.
///
/// # Errors
/// As [`inspect`].
pub fn inspect_files(files: &TraceFiles, options: &TraceOptions) -> Result<TraceFacts, TraceError> {
    let everything = crate::units::Fraction::new(1.0).unwrap_or_default();
    let (stated, options) = (options, TraceOptions { max_bad_rows: everything, ..options.clone() });
    let inputs = files.inputs()?;
    let packing = match inputs.as_slice() {
        [one] => one.packing.name().to_string(),
        several => format!("{} files", several.len()),
    };
    drop(inputs);
    let (plugin, mut reader) = open_reader(files, &options)?;
    let mut survey = Survey::default();
    let mut rows = Rows::default();
    loop {
        reader.read(&mut rows)?;
        if rows.is_empty() {
            break;
        }
        survey.add(&rows, &*reader);
    }
    let tally = reader.tally().clone();
    let Some(first) = survey.first else {
        let error = TraceError::new(files.name(), "holds no usable row; expected a trace");
        return Err(match tally.first_bad.first() {
            Some(bad) => error.line(bad.line).help(bad.message.as_str()),
            None => error,
        });
    };
    let zero_epoch_ns = reader.zero_epoch_ns();
    if let Some(extent) =
        reader.extent().filter(|extent| survey.newest >= reader.origin().unwrap_or_default() + *extent)
    {
        let message = format!("has rows behind the length of {extent} that it states");
        return Err(TraceError::new(files.name(), message).help("correct `extent_ns`, or convert the trace again"));
    }
    let disorder = (survey.out_of_order > 0).then_some(survey.furthest_back);
    let replayed = std::mem::take(&mut survey.replayed);
    let mut facts = survey.facts(plugin, packing, &*reader, tally, first, zero_epoch_ns);
    if let Some(back) = disorder {
        drop(reader);
        facts.longest_gap = longest_gap(files, &options, back)?;
    }
    facts.notices = facts.told(replayed, files, stated);
    Ok(facts)
}

/// The longest time without a row, of rows that go back by as much as `back`: sorted first.
fn longest_gap(files: &TraceFiles, options: &TraceOptions, back: SimDuration) -> Result<SimDuration, TraceError> {
    // Short ways back are sorted in memory, longer ones on disk.
    let window = if back <= SimDuration::from_secs(60) { back + SimDuration::from_nanos(1) } else { SimDuration::MAX };
    let mut ordered = Ordered::new(open_reader(files, options)?.1, &files.name(), window);
    let (mut rows, mut last, mut longest) = (Rows::default(), None, SimDuration::ZERO);
    loop {
        ordered.read(&mut rows)?;
        if rows.is_empty() {
            return Ok(longest);
        }
        for time in &rows.requests.arrivals {
            longest = longest.max(time.since(last.replace(*time).unwrap_or(*time)));
        }
    }
}

#[derive(Default)]
struct Survey {
    first: Option<SimTime>,
    newest: SimTime,
    previous: Option<SimTime>,
    out_of_order: u64,
    duplicates: u64,
    furthest_back: SimDuration,
    longest_gap: SimDuration,
    bins: Bins,
    sum: f64,
    most: Option<(f64, SimTime)>,
    tokens: Option<TokenFacts>,
    instants: Instants,
    sessions: Sessions,
    replayed: Replayed,
}

/// What a replay meets of arrivals in order.
#[derive(Default)]
struct Replayed {
    pauses: Option<Pauses>,
    outliers: Outliers,
    outlier: Option<Outlier>,
}

impl Replayed {
    fn see(&mut self, rows: &Rows, reader: &dyn RowReader) {
        let times = &rows.requests.arrivals;
        let Some(first) = times.first().filter(|_| times.is_sorted()) else { return };
        let pauses = self.pauses.get_or_insert(Pauses::from(reader.origin().unwrap_or(*first)));
        times.iter().for_each(|time| pauses.see(*time));
        if self.outlier.is_none() {
            self.outlier = self.outliers.see(rows, 0, SimTime::MAX, reader.zero_epoch_ns()).err();
        }
    }
}

impl Survey {
    fn add(&mut self, rows: &Rows, reader: &dyn RowReader) {
        let (kind, zero_ns) = (reader.kind(), reader.zero_epoch_ns().unwrap_or(0));
        if kind == SeriesKind::Arrivals {
            self.replayed.see(rows, reader);
        }
        for time in &rows.requests.arrivals {
            self.first = Some(self.first.map_or(*time, |first| first.min(*time)));
            if *time < self.newest {
                self.out_of_order += 1;
                self.furthest_back = self.furthest_back.max(self.newest.since(*time));
            }
            self.newest = self.newest.max(*time);
            self.longest_gap = self.longest_gap.max(time.since(self.previous.unwrap_or(*time)));
            self.duplicates += u64::from(kind == SeriesKind::Arrivals && self.previous == Some(*time));
            self.previous = Some(*time);
            if kind == SeriesKind::Arrivals {
                self.bins.add(time.as_nanos().saturating_add(zero_ns) / NANOS_PER_SECOND);
            }
        }
        for (session, time) in rows.sessions.iter().zip(&rows.requests.arrivals) {
            self.sessions.add(*session, *time);
        }
        for (value, time) in rows.values.iter().zip(&rows.requests.arrivals) {
            self.sum += value;
            self.instants.add(*time, *value);
            if self.most.is_none_or(|(most, _)| *value > most) {
                self.most = Some((*value, *time));
            }
        }
        let (tokens_in, tokens_out) = (&rows.requests.tokens_in, &rows.requests.tokens_out);
        if !tokens_in.is_empty() || !tokens_out.is_empty() {
            let facts = self.tokens.get_or_insert_default();
            facts.sum_in += tokens_in.iter().map(|n| u64::from(*n)).sum::<u64>();
            facts.sum_out += tokens_out.iter().map(|n| u64::from(*n)).sum::<u64>();
            facts.most_in = tokens_in.iter().copied().max().unwrap_or(0).max(facts.most_in);
            facts.most_out = tokens_out.iter().copied().max().unwrap_or(0).max(facts.most_out);
        }
    }

    fn facts(
        self,
        plugin: &FormatPlugin,
        packing: String,
        reader: &dyn RowReader,
        tally: RowCounts,
        first: SimTime,
        zero_epoch_ns: Option<u64>,
    ) -> TraceFacts {
        let from_1970 = |time: SimTime| time + SimDuration::from_nanos(zero_epoch_ns.unwrap_or(0));
        let values =
            self.most.map(|(most, at)| ValueFacts { sum: self.sum, mean: self.sum / tally.rows as f64, most, at });
        TraceFacts {
            format: plugin.name,
            packing,
            kind: reader.kind(),
            first,
            last: self.newest,
            zero_epoch_ns,
            out_of_order: self.out_of_order,
            furthest_back: self.furthest_back,
            longest_gap: self.longest_gap,
            gaps: self.instants.gaps(reader.interval().filter(|_| reader.kind() == SeriesKind::Counts)),
            peaks: self.bins.peaks(from_1970(first), from_1970(self.newest), tally.rows),
            dispersion: self.bins.dispersion(from_1970(first), from_1970(self.newest)),
            season: self.bins.season(from_1970(first), from_1970(self.newest)),
            duplicates: self.duplicates,
            shape: self.bins.shape(from_1970(first), from_1970(self.newest)),
            values,
            instants: self.instants.facts(tally.rows),
            sessions: self.sessions.facts(),
            tokens: self.tokens,
            interval: reader.interval(),
            notices: Vec::new(),
            tally,
        }
    }
}

/// The most sessions that are told apart: about 100 MB.
const MAX_SESSIONS: usize = 1 << 21;

/// First and last request and number of requests of each session; given up where there are too many.
#[derive(Default)]
struct Sessions {
    met: BTreeMap<u64, (SimTime, SimTime, u32)>,
    too_many: bool,
}

impl Sessions {
    fn add(&mut self, session: u64, time: SimTime) {
        if self.too_many {
            return;
        }
        let (first, last, requests) = self.met.entry(session).or_insert((time, time, 0));
        (*first, *last, *requests) = ((*first).min(time), (*last).max(time), *requests + 1);
        if self.met.len() > MAX_SESSIONS {
            self.too_many = true;
            self.met.clear();
        }
    }

    fn facts(&self) -> Option<SessionFacts> {
        let sessions = self.met.len() as u64;
        let requests: u64 = self.met.values().map(|(_, _, requests)| u64::from(*requests)).sum();
        let seconds: f64 = self.met.values().map(|(first, last, _)| last.since(*first).as_secs_f64()).sum();
        (sessions > 0).then(|| SessionFacts {
            sessions,
            requests: requests as f64 / sessions as f64,
            duration: seconds / sessions as f64,
            think_time: (requests > sessions).then(|| seconds / (requests - sessions) as f64),
        })
    }
}

/// Seconds on one page of counters.
const PAGE: u64 = 3600;
/// The most pages: 8,192 hours with arrivals in them, 118 MB.
const MAX_PAGES: usize = 8192;

/// Arrivals per second, in any order of arrival; per minute where the trace is too long for seconds.
struct Bins {
    /// Seconds per bin.
    width: u64,
    pages: BTreeMap<u64, Box<[u32]>>,
}

impl Default for Bins {
    fn default() -> Self {
        Bins { width: 1, pages: BTreeMap::new() }
    }
}

impl Bins {
    #[inline]
    fn add(&mut self, second: u64) {
        let bin = second / self.width;
        let page = self.pages.entry(bin / PAGE).or_insert_with(|| vec![0; PAGE as usize].into());
        page[(bin % PAGE) as usize] += 1;
        if self.pages.len() > MAX_PAGES {
            self.coarsen();
        }
    }

    fn coarsen(&mut self) {
        let old = std::mem::take(&mut self.pages);
        let finer = self.width;
        self.width *= 60;
        for (page, counts) in old {
            for (index, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                let bin = (page * PAGE + index as u64) * finer / self.width;
                let page = self.pages.entry(bin / PAGE).or_insert_with(|| vec![0; PAGE as usize].into());
                page[(bin % PAGE) as usize] += count;
            }
        }
    }

    fn peaks(&self, first: SimTime, last: SimTime, rows: u64) -> Vec<Peak> {
        if self.pages.is_empty() {
            return Vec::new();
        }
        let span = last.since(first).as_secs_f64();
        [1, 60, 3600]
            .into_iter()
            .filter(|width| *width >= self.width)
            .map(|width| {
                let (most, bin) = self.fullest(width);
                Peak {
                    bin: SimDuration::from_secs(width),
                    mean: rows as f64 * (width as f64 / span).min(1.0),
                    most,
                    at_ns: bin * width * NANOS_PER_SECOND,
                }
            })
            .collect()
    }

    /// Arrivals in equal parts of the span.
    fn shape(&self, first: SimTime, last: SimTime) -> Vec<u64> {
        let bin = |time: SimTime| time.as_nanos() / NANOS_PER_SECOND / self.width;
        let (from, bins) = (bin(first), bin(last) - bin(first) + 1);
        let columns = if self.pages.is_empty() { 0 } else { bins.min(SHAPE_COLUMNS as u64) };
        let mut shape = vec![0; columns as usize];
        self.each(self.width, |bin, count| {
            let column = bin.saturating_sub(from) * columns / bins;
            if let Some(place) = shape.get_mut(column as usize) {
                *place += count;
            }
        });
        shape
    }

    /// The bins of `width` seconds that lie between the first and the last arrival as a whole: the second with which the first of
    /// them begins, and how many there are. They begin at a multiple of the width if `aligned`, or else with the first whole second.
    fn whole(&self, width: u64, aligned: bool, first: SimTime, last: SimTime) -> (u64, u64) {
        let unit = if aligned { width } else { self.width };
        let from = first.as_nanos().div_ceil(unit * NANOS_PER_SECOND) * unit;
        (from, (last.as_nanos() / NANOS_PER_SECOND).saturating_sub(from) / width)
    }

    /// Calls `take` with the number and the count of each of these bins that is not empty, in order.
    fn each_whole(&self, width: u64, (from, bins): (u64, u64), mut take: impl FnMut(u64, u64)) {
        let mut open = (0, 0);
        self.each(self.width, |bin, count| {
            let Some(place) = (bin * self.width).checked_sub(from).map(|second| second / width) else { return };
            if place >= bins {
                return;
            }
            if place != open.0 && open.1 > 0 {
                take(open.0, open.1);
                open.1 = 0;
            }
            open = (place, open.1 + count);
        });
        if open.1 > 0 {
            take(open.0, open.1);
        }
    }

    /// Variance over mean per second, minute and hour.
    fn dispersion(&self, first: SimTime, last: SimTime) -> Vec<(SimDuration, f64)> {
        let scales = [1, 60, 3600].into_iter().filter(|width| *width >= self.width && !self.pages.is_empty());
        scales
            .filter_map(|width| {
                let whole = self.whole(width, false, first, last);
                let (bins, mut sum, mut squares) = (whole.1 as f64, 0.0, 0.0);
                self.each_whole(width, whole, |_, count| {
                    sum += count as f64;
                    squares += (count as f64).powi(2);
                });
                let mean = sum / bins;
                let telling = bins >= FEWEST as f64 && mean > 0.0;
                telling.then(|| (SimDuration::from_secs(width), (squares / bins - mean * mean) / mean))
            })
            .collect()
    }

    /// How much of the variance of hourly counts lies between the hours of the day, and between the days of the week (the
    /// correlation ratio eta squared, Fisher 1925).
    fn season(&self, first: SimTime, last: SimTime) -> Option<(f64, f64)> {
        let whole = self.whole(3600, true, first, last);
        if self.pages.is_empty() || !(48..=MAX_PAGES as u64 * 8).contains(&whole.1) {
            return None;
        }
        let from = whole.0 / 3600;
        let mut hours = vec![0.0; whole.1 as usize];
        self.each_whole(3600, whole, |hour, count| hours[hour as usize] = count as f64);
        let explained = |phases: usize, of: &dyn Fn(u64) -> u64| {
            let mean = hours.iter().sum::<f64>() / hours.len() as f64;
            let mut groups = vec![(0.0, 0.0); phases];
            for (index, count) in hours.iter().enumerate() {
                let group = &mut groups[of(from + index as u64) as usize % phases];
                *group = (group.0 + count, group.1 + 1.0);
            }
            let between: f64 =
                groups.iter().filter(|(_, n)| *n > 0.0).map(|(sum, n)| n * (sum / n - mean).powi(2)).sum();
            let total: f64 = hours.iter().map(|count| (count - mean).powi(2)).sum();
            if total > 0.0 { between / total } else { 0.0 }
        };
        Some((explained(24, &|hour| hour), explained(7, &|hour| hour / 24)))
    }

    /// Calls `take` with every bin of `width` seconds that is not empty, in order, and its count.
    fn each(&self, width: u64, mut take: impl FnMut(u64, u64)) {
        let mut current: Option<(u64, u64)> = None;
        for (page, counts) in &self.pages {
            for (index, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                let bin = (page * PAGE + index as u64) * self.width / width;
                match &mut current {
                    Some((open, sum)) if *open == bin => *sum += u64::from(*count),
                    _ => {
                        if let Some((full, sum)) = current.replace((bin, u64::from(*count))) {
                            take(full, sum);
                        }
                    }
                }
            }
        }
        if let Some((full, sum)) = current {
            take(full, sum);
        }
    }

    /// The fullest bin of `width` seconds and its number; the first of several.
    fn fullest(&self, width: u64) -> (u64, u64) {
        let mut best = (0, 0);
        self.each(width, |bin, count| {
            if count > best.0 {
                best = (count, bin);
            }
        });
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dispersion_and_season_agree_with_hand_counts() {
        // Four days; each hour has one arrival a minute, and noon sixty more in its first second.
        let mut bins = Bins::default();
        let mut rows = 0;
        for hour in 0..96u64 {
            for second in (0..60).map(|minute| hour * 3600 + minute * 60) {
                bins.add(second);
                rows += 1;
            }
            for _ in 0..if hour % 24 == 12 { 60 } else { 0 } {
                bins.add(hour * 3600);
                rows += 1;
            }
        }
        let (first, last) = (SimTime::ZERO, SimTime::from_secs(96 * 3600));
        let dispersion = bins.dispersion(first, last);
        // Hourly counts: 60, and 120 once in 24: mean 62.5, variance 60^2 * 23 / 24^2.
        let expected = 3600.0 * 23.0 / 576.0 / 62.5;
        assert!((dispersion[2].1 - expected).abs() < 1e-9, "{dispersion:?}");
        let (day, week) = bins.season(first, last).unwrap();
        assert!((day - 1.0).abs() < 1e-9 && week.abs() < 1e-9, "{day} {week}");
        assert_eq!(bins.fullest(3600), (120, 12));
        let hour = bins.peaks(first, last, rows)[2];
        assert!((hour.mean - 62.5).abs() < 1e-9 && hour.most == 120, "{hour:?}");
    }

    /// One arrival a second, and none in the rest of the first and last minute and hour: steady, whatever the ends hold.
    #[test]
    fn parts_of_bins_at_the_ends_count_for_nothing() {
        let mut bins = Bins::default();
        let (first, last) = (3600 + 1234, 49 * 3600 + 99);
        (first..=last).for_each(|second| bins.add(second));
        let (first, last) = (SimTime::from_secs(first), SimTime::from_secs(last));
        let dispersion = bins.dispersion(first, last);
        assert_eq!(
            dispersion.iter().map(|(bin, _)| bin.as_nanos() / NANOS_PER_SECOND).collect::<Vec<_>>(),
            [1, 60, 3600]
        );
        assert!(dispersion.iter().all(|(_, index)| *index == 0.0), "{dispersion:?}");
        // 47 whole hours are fewer than two days.
        assert_eq!(bins.season(first, last), None);
        assert!(bins.peaks(first, last, 171_666).iter().all(|peak| (peak.mean / peak.most as f64 - 1.0).abs() < 1e-4));
        assert!(Bins::default().dispersion(first, last).is_empty());
    }
}
