//! The facts about a trace that `plimsoll trace inspect` shows.

use std::collections::BTreeMap;
use std::path::Path;

use super::instants::{Gaps, InstantFacts, Instants, ValueFacts};
use crate::units::{NANOS_PER_SECOND, SimDuration, SimTime};
use crate::workload::error::TraceError;
use crate::workload::reading::formats::plugin::FormatPlugin;
use crate::workload::reading::options::TraceOptions;
use crate::workload::reading::outliers::{Outlier, Outliers};
use crate::workload::reading::rows::{RowCounts, RowReader, Rows, SeriesKind};
use crate::workload::replay::arrivals::{FileRecipe, Pauses, open_reader};
use crate::workload::replay::order::Ordered;
use crate::workload::replay::trace_files::TraceFiles;
use crate::workload::time::text::show_instant_in;
use crate::workload::time::zone::Zone;

/// Minimum number of bins for a dispersion: with fewer, a variance is not meaningful.
pub(super) const FEWEST: usize = 10;

/// Number of equal parts of the span in which arrivals are counted for a sparkline.
pub const SHAPE_COLUMNS: usize = 60;

/// The bin with the most arrivals, among bins of one length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// Length of a bin.
    pub bin: SimDuration,
    /// Mean number of arrivals per bin: their rate from the first to the last one, times the bin's length. If all of
    /// them are within less than that, their number.
    pub mean: f64,
    /// Number of arrivals in the fullest bin.
    pub most: u64,
    /// Start of the (first) fullest bin in nanoseconds since 1970, or since the clock's zero if that is not known. Bins
    /// are aligned to full seconds, minutes and hours.
    pub at_ns: u64,
}

/// The facts about a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceFacts {
    /// The format that was recognised or stated.
    pub format: &'static str,
    /// The compression ("gzip"), or the number of files.
    pub packing: String,
    /// The kind of rows.
    pub kind: SeriesKind,
    /// Rows used, skipped and invalid.
    pub tally: RowCounts,
    /// Notes on rows dropped, filled in, moved or assumed, as in [`crate::workload::spec::WorkloadSpec::notices`], one sentence each; and the
    /// reason why a replay would refuse the trace, if it would.
    pub notices: Vec<String>,
    /// Time of the earliest row since the clock's zero (1970 if `dated`).
    pub first: SimTime,
    /// Time of the latest row since the clock's zero.
    pub last: SimTime,
    /// Wall-clock time of the clock's zero, nanoseconds since 1970; `None` if times are relative.
    pub zero_epoch_ns: Option<u64>,
    /// Number of rows with a time before that of an earlier row.
    pub out_of_order: u64,
    /// Maximum distance in time that a row lies before the newest row so far: the `reorder` window must be longer.
    pub furthest_back: SimDuration,
    /// The longest period without a row.
    pub longest_gap: SimDuration,
    /// Counts and levels: missing steps.
    pub gaps: Option<Gaps>,
    /// Arrivals: the second (unless the trace is too long), minute and hour with the most arrivals.
    pub peaks: Vec<Peak>,
    /// Arrivals: index of dispersion (variance over mean) of the counts per second, minute and hour; 1 for a Poisson
    /// process. Only whole bins count, and there must be at least ten.
    pub dispersion: Vec<(SimDuration, f64)>,
    /// Arrivals over two days or more: shares of the variance of the counts per whole hour that the hour of the day and
    /// the day of the week explain, each separately.
    pub season: Option<(f64, f64)>,
    /// Number of arrivals at the same instant as the previous row.
    pub duplicates: u64,
    /// Arrivals: number in each of up to [`SHAPE_COLUMNS`] equal parts of the span.
    pub shape: Vec<u64>,
    /// Counts and levels: sum, mean and maximum, and the time of the maximum.
    pub values: Option<ValueFacts>,
    /// Counts and levels with several rows per instant (one per client, pod or host): the totals of the instants.
    pub instants: Option<InstantFacts>,
    /// Sessions, if there is a session column.
    pub sessions: Option<SessionFacts>,
    /// Sums of input and output tokens, and the largest of each.
    pub tokens: Option<TokenFacts>,
    /// Counts: length of an interval.
    pub interval: Option<SimDuration>,
}

/// Sessions of requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SessionFacts {
    /// Number of sessions.
    pub sessions: u64,
    /// Mean number of requests per session.
    pub requests: f64,
    /// Mean time from the first request of a session to its last, seconds.
    pub duration: f64,
    /// Mean time between consecutive requests of a session, seconds; `None` if each session has one request.
    pub think_time: Option<f64>,
}

/// Token counts of the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TokenFacts {
    /// Sum of input tokens.
    pub sum_in: u64,
    /// Sum of output tokens.
    pub sum_out: u64,
    /// Maximum number of input tokens of a request.
    pub most_in: u32,
    /// Maximum number of output tokens of a request.
    pub most_out: u32,
}

impl TraceFacts {
    /// From the earliest to the latest row.
    pub fn span(&self) -> SimDuration {
        self.last.since(self.first)
    }

    /// The notes on the trace. Arrivals in order were checked already; other rows, and a part of the trace, are replayed.
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

    /// Arrivals per second over the span; `None` if the rows are not arrivals or the span is zero.
    pub fn mean_rate(&self) -> Option<f64> {
        let seconds = self.span().as_secs_f64();
        (self.kind == SeriesKind::Arrivals && seconds > 0.0).then(|| self.tally.rows as f64 / seconds)
    }
}

/// Reads a whole trace and returns its facts. Rows may be in any order, and any share of them may be invalid.
///
/// # Errors
/// If the file cannot be read, or has no valid row.
pub fn inspect(path: &Path, options: &TraceOptions) -> Result<TraceFacts, TraceError> {
    inspect_files(&TraceFiles::from(path), options)
}

/// Like [`inspect`], for files that form one trace.
///
/// # Errors
/// Those of [`inspect`].
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
    let zero_epoch_ns = reader.facts().zero_epoch_ns;
    if let Some(extent) =
        reader.facts().extent.filter(|extent| survey.newest >= reader.facts().origin.unwrap_or_default() + *extent)
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

/// The longest period without a row, for rows that go back in time by up to `back`: they are sorted first.
fn longest_gap(files: &TraceFiles, options: &TraceOptions, back: SimDuration) -> Result<SimDuration, TraceError> {
    // Short distances are sorted in memory, longer ones on disk.
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

/// The checks that a replay makes of arrivals in order.
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
        let pauses = self.pauses.get_or_insert(Pauses::from(reader.facts().origin.unwrap_or(*first)));
        times.iter().for_each(|time| pauses.see(*time));
        if self.outlier.is_none() {
            self.outlier = self.outliers.see(rows, 0, SimTime::MAX, reader.facts().zero_epoch_ns).err();
        }
    }
}

impl Survey {
    fn add(&mut self, rows: &Rows, reader: &dyn RowReader) {
        let (kind, zero_ns) = (reader.facts().kind, reader.facts().zero_epoch_ns.unwrap_or(0));
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
            kind: reader.facts().kind,
            first,
            last: self.newest,
            zero_epoch_ns,
            out_of_order: self.out_of_order,
            furthest_back: self.furthest_back,
            longest_gap: self.longest_gap,
            gaps: self.instants.gaps(reader.facts().interval.filter(|_| reader.facts().kind == SeriesKind::Counts)),
            peaks: self.bins.peaks(from_1970(first), from_1970(self.newest), tally.rows),
            dispersion: self.bins.dispersion(from_1970(first), from_1970(self.newest)),
            season: self.bins.season(from_1970(first), from_1970(self.newest)),
            duplicates: self.duplicates,
            shape: self.bins.shape(from_1970(first), from_1970(self.newest)),
            values,
            instants: self.instants.facts(tally.rows),
            sessions: self.sessions.facts(),
            tokens: self.tokens,
            interval: reader.facts().interval,
            notices: Vec::new(),
            tally,
        }
    }
}

/// Maximum number of sessions: about 100 MB.
const MAX_SESSIONS: usize = 1 << 21;

/// First request, last request and number of requests of each session; given up if there are too many.
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
/// Maximum number of pages: 8,192 hours with arrivals, 118 MB.
const MAX_PAGES: usize = 8192;

/// Arrivals per second, in any order of arrival; per minute if the trace is too long for seconds.
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

    /// The whole bins of `width` seconds between the first and the last arrival: the second at which the first of them
    /// starts, and their number. They start at a multiple of the width if `aligned`, otherwise with the first whole
    /// second.
    fn whole(&self, width: u64, aligned: bool, first: SimTime, last: SimTime) -> (u64, u64) {
        let unit = if aligned { width } else { self.width };
        let from = first.as_nanos().div_ceil(unit * NANOS_PER_SECOND) * unit;
        (from, (last.as_nanos() / NANOS_PER_SECOND).saturating_sub(from) / width)
    }

    /// Calls `take` with number and count of each nonempty bin, in order.
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

    /// Index of dispersion per second, minute and hour.
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

    /// Share of the variance of hourly counts between the hours of the day, and between the days of the week (the
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

    /// Calls `take` with every nonempty bin of `width` seconds, in order, and its count.
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

    /// The fullest bin of `width` seconds and its number; the first among equals.
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
        // Four days; each hour has one arrival per minute, and noon has sixty more in its first second.
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

    /// One arrival per second, and none in the rest of the first and last minute and hour: steady, whatever the
    /// incomplete bins hold.
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
