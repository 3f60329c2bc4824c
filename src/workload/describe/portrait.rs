//! The portrait of a trace: rate over time, daily and weekly profiles, dispersion over time scales, distributions of
//! its requests.

use std::path::Path;

use super::facts::FEWEST;
use crate::random::Streams;
use crate::stats::LatencyHistogram;
use crate::units::{NANOS_PER_SECOND, SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::reading::options::TraceOptions;
use crate::workload::reading::rows::SeriesKind;
use crate::workload::replay::arrivals::{open_reader, open_rows};
use crate::workload::replay::expand::{Intervals, Model};
use crate::workload::replay::trace_files::TraceFiles;
use crate::workload::shape::series::ScaledCounts;
use crate::workload::source::TraceSource;
use crate::workload::spec::{WorkloadSpec, zone_of_files};
use crate::workload::time::zone::Zone;

/// Number of bins of the rate over time.
const BINS: usize = 720;
/// Number of points of a distribution.
const SHARES: usize = 400;
/// Name of the distribution of interarrival times.
const GAP: &str = "gap between arrivals";
const HOUR: f64 = 3600.0;
const DAY: f64 = 86_400.0;

/// The portrait of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Portrait {
    /// The kind of its rows; a generator makes arrivals.
    pub kind: SeriesKind,
    /// Wall-clock time of time zero, nanoseconds since 1970.
    pub start_epoch_ns: Option<u64>,
    /// The time zone of its clock.
    pub zone: Zone,
    /// Length of a bin, seconds.
    pub bin: f64,
    /// Per bin: requests per second, or the mean level; `None` if no level is known.
    pub rate: Vec<Option<f64>>,
    /// Mean of each hour of the day (since time zero if no date is known) relative to the overall mean, if there
    /// are two days or more.
    pub hours: Option<Vec<f64>>,
    /// Mean of each day of the week from Monday relative to the overall mean, if there are two weeks or more with
    /// dates.
    pub weekdays: Option<Vec<f64>>,
    /// Arrivals and counts: length of an interval in seconds, and index of dispersion (variance over mean) of the
    /// counts in such intervals; 1 for a Poisson process.
    pub dispersion: Vec<(f64, f64)>,
    /// Distributions over the requests.
    pub distributions: Vec<SampleDistribution>,
}

/// The distribution of a quantity over the requests.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleDistribution {
    /// Name of the quantity: `gap`, `demand`, `input tokens`, `output tokens`.
    pub name: &'static str,
    /// Whether it is in seconds; otherwise a plain number.
    pub is_time: bool,
    /// Mean.
    pub mean: f64,
    /// Coefficient of variation, from the histogram (resolution 0.8%).
    pub cv: f64,
    /// (value, share of the requests up to it), both ascending.
    pub shares: Vec<(f64, f64)>,
}

impl Portrait {
    /// The portrait of a trace file: counts and levels as recorded, without a model that expands them to requests.
    ///
    /// # Errors
    /// If the file cannot be read completely.
    pub fn of_file(path: &Path, options: &TraceOptions) -> Result<Portrait, TraceError> {
        Portrait::of_files(&TraceFiles::from(path), options)
    }

    /// Like [`Portrait::of_file`], for files that form one trace.
    ///
    /// # Errors
    /// Those of [`Portrait::of_file`].
    pub fn of_files(files: &TraceFiles, options: &TraceOptions) -> Result<Portrait, TraceError> {
        let kind = open_reader(files, options)?.1.facts().kind;
        match kind {
            SeriesKind::Arrivals => {
                let spec = WorkloadSpec::from_files(files.clone(), options.clone());
                Portrait::of_workload(&spec.in_own_zone(), Streams::new(1, 0))
            }
            _ => of_intervals(files, options),
        }
    }

    /// The portrait of a workload's requests.
    ///
    /// # Errors
    /// If it cannot be read completely.
    pub fn of_workload(spec: &WorkloadSpec, streams: Streams) -> Result<Portrait, TraceError> {
        Portrait::with_series(spec, streams).map(|(portrait, _)| portrait)
    }

    /// The portrait of a workload's requests, and their counts per interval.
    pub(crate) fn with_series(spec: &WorkloadSpec, streams: Streams) -> Result<(Portrait, ScaledCounts), TraceError> {
        let mut watched = Watched { source: spec.open(streams, 0)?, marks: Marks::default() };
        let series = ScaledCounts::of(&mut watched)?;
        let mut portrait = Portrait::of_series(&series, SeriesKind::Arrivals, spec.time_zone());
        portrait.dispersion = dispersion(&series, series.seconds());
        portrait.distributions = watched.marks.distributions();
        Ok((portrait, series))
    }

    fn of_series(series: &ScaledCounts, kind: SeriesKind, zone: Option<Zone>) -> Portrait {
        let zone = zone.unwrap_or(Zone::UTC);
        let coarse = series.joined(series.counts.len().div_ceil(BINS).max(1));
        let days = series.counts.len() as f64 * series.seconds() / DAY;
        let hourly = days >= 2.0 && series.seconds() <= HOUR;
        let mut fine = series.at_scale(600);
        // Hours and days are by the clocks of the zone, as they are at the start.
        fine.start = series.start.map(|start| local(zone, start));
        Portrait {
            kind,
            start_epoch_ns: series.start,
            zone,
            bin: coarse.seconds(),
            rate: coarse.counts.iter().map(|count| Some(count / coarse.seconds())).collect(),
            hours: hourly.then(|| profile(&fine, 24, HOUR)),
            weekdays: (days >= 14.0 && series.start.is_some()).then(|| profile(&fine, 7, DAY)),
            dispersion: Vec::new(),
            distributions: Vec::new(),
        }
    }

    /// The distance of two portraits: the mean over the common time scales of |ln| of the ratio of their indices of
    /// dispersion, plus the mean over the nine deciles of interarrival times of |ln| of their ratio (at least a
    /// millisecond each), plus |ln| of the ratio of their mean rates. Zero for equal portraits; 0.1 is about ten per
    /// cent.
    pub fn distance(&self, other: &Portrait) -> f64 {
        let apart = |a: f64, b: f64| (a / b).ln().abs();
        let mut scales = Vec::new();
        for (scale, index) in &self.dispersion {
            let same = other.dispersion.iter().find(|(own, _)| own == scale);
            scales.extend(same.filter(|(_, own)| *own > 0.0 && *index > 0.0).map(|(_, own)| apart(*index, *own)));
        }
        let gap = |portrait: &Portrait, share: f64| {
            let gaps = portrait.distributions.iter().find(|own| own.name == GAP)?;
            gaps.shares.iter().find(|(_, own)| *own >= share).map(|(value, _)| value.max(1e-3))
        };
        let deciles = (1..10).map(|decile| f64::from(decile) / 10.0);
        let gaps: Vec<f64> = deciles.filter_map(|share| Some(apart(gap(self, share)?, gap(other, share)?))).collect();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let rate = |portrait: &Portrait| {
            (portrait.rate.iter().flatten().sum::<f64>() / portrait.rate.len().max(1) as f64).max(f64::MIN_POSITIVE)
        };
        mean(&scales) + mean(&gaps) + apart(rate(self), rate(other))
    }

    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.bin * self.rate.len() as f64
    }
}

/// An instant by the clocks of a zone, both nanoseconds since 1970.
fn local(zone: Zone, instant: u64) -> u64 {
    instant.saturating_add_signed(zone.offset_at(instant) * NANOS_PER_SECOND as i64)
}

/// Means of the phases in order, scaled to a mean of 1. Incomplete hours or days at the ends of the trace are left out
/// if there are complete ones of every phase, because their missing part may differ.
fn profile(series: &ScaledCounts, phases: usize, length: f64) -> Vec<f64> {
    let half = series.seconds() / 2.0;
    let last = series.counts.len().saturating_sub(1);
    let whole = (
        ((series.week_seconds(0) - half) / length - 1e-6).ceil() * length,
        ((series.week_seconds(last) + half) / length + 1e-6).floor() * length,
    );
    let sums_of = |inside: &dyn Fn(f64) -> bool| {
        let mut sums = vec![(0.0, 0.0); phases];
        for (bin, count) in series.counts.iter().enumerate().filter(|(bin, _)| inside(series.week_seconds(*bin))) {
            let slot = &mut sums[(series.week_seconds(bin) / length) as usize % phases];
            *slot = (slot.0 + count, slot.1 + 1.0);
        }
        sums
    };
    let mut sums = sums_of(&|middle| whole.0 < middle && middle < whole.1);
    if sums.iter().any(|(_, n)| *n == 0.0) {
        sums = sums_of(&|_| true);
    }
    let means: Vec<f64> = sums.iter().map(|(sum, n)| if *n > 0.0 { sum / n } else { 0.0 }).collect();
    let level = means.iter().sum::<f64>() / phases as f64;
    means.iter().map(|mean| if level > 0.0 { mean / level } else { 0.0 }).collect()
}

/// Dispersion at scales of 1, 2 and 5 times powers of ten that are multiples of the bins, from `finest` seconds on.
fn dispersion(series: &ScaledCounts, finest: f64) -> Vec<(f64, f64)> {
    let scales = (0..8).flat_map(|power| [1, 2, 5].map(|mantissa| mantissa * 10u64.pow(power)));
    let width = series.width;
    let usable = scales.filter(|scale| {
        let nanos = scale * crate::units::NANOS_PER_SECOND;
        nanos.is_multiple_of(width)
            && *scale as f64 >= finest
            && series.counts.len() as u64 / (nanos / width).max(1) >= FEWEST as u64
    });
    let mut coarser = series.clone();
    usable
        .map(|scale| {
            coarser = series.at_scale_beyond(&coarser, scale);
            (scale as f64, coarser.dispersion())
        })
        .collect()
}

/// Counts and levels: intervals distributed over bins.
fn of_intervals(files: &TraceFiles, options: &TraceOptions) -> Result<Portrait, TraceError> {
    let (_, rows) = open_rows(files, options)?;
    let kind = rows.ordered.reader.facts().kind;
    let model = match kind {
        SeriesKind::Levels => Model::level(options),
        _ => Model::of(&rows, options, 1.0)?,
    };
    let start = rows.start_epoch_ns();
    let zone = options.time_zone.or_else(|| zone_of_files(files, options));
    let mut intervals = Intervals::new(rows, model);
    let (mut values, mut known) = (ScaledCounts::empty(), ScaledCounts::empty());
    while let Some(interval) = intervals.next()? {
        let from = interval.start.as_nanos();
        values.spread(from, interval.length.as_nanos(), interval.mean);
        known.spread(from, interval.length.as_nanos(), interval.length.as_secs_f64());
    }
    (values.start, known.start) = (start, start);
    if kind == SeriesKind::Counts {
        let mut portrait = Portrait::of_series(&values, kind, zone);
        portrait.dispersion = dispersion(&values, intervals.model.interval().as_secs_f64());
        return Ok(portrait);
    }
    // A level is averaged over the time in which it is known.
    let mut portrait = Portrait::of_series(&values, kind, zone);
    let factor = values.counts.len().div_ceil(BINS).max(1);
    let coarse = known.joined(factor);
    let mean = |(rate, known): (&mut Option<f64>, &f64)| {
        *rate = rate.map(|rate| rate * coarse.seconds() / known).filter(|_| *known > 0.0);
    };
    portrait.rate.iter_mut().zip(&coarse.counts).for_each(mean);
    let by_known = |own: &mut Option<Vec<f64>>, phases: usize, length: f64| {
        let mut fine = known.at_scale(600);
        fine.start = start.map(|start| local(zone.unwrap_or(Zone::UTC), start));
        let shares = profile(&fine, phases, length);
        let Some(own) = own else { return };
        own.iter_mut().zip(shares).for_each(|(own, known)| *own = if known > 0.0 { *own / known } else { 0.0 });
        let level = own.iter().sum::<f64>() / phases as f64;
        own.iter_mut().for_each(|own| *own /= if level > 0.0 { level } else { 1.0 });
    };
    by_known(&mut portrait.hours, 24, HOUR);
    by_known(&mut portrait.weekdays, 7, DAY);
    Ok(portrait)
}

/// A source whose requests are recorded while it is read.
struct Watched {
    source: Box<dyn TraceSource>,
    marks: Marks,
}

impl TraceSource for Watched {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let before = batch.len();
        self.source.fill(batch)?;
        self.marks.add(batch, before);
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        self.source.extent()
    }

    fn start_epoch_ns(&self) -> Option<u64> {
        self.source.start_epoch_ns()
    }
}

/// Histograms over the requests; plain numbers are recorded as that many nanoseconds.
#[derive(Default)]
struct Marks {
    newest: Option<SimTime>,
    gaps: Mark,
    demands: Mark,
    tokens_in: Mark,
    tokens_out: Mark,
}

#[derive(Default)]
struct Mark {
    histogram: LatencyHistogram,
}

impl Mark {
    fn record(&mut self, nanos: u64) {
        self.histogram.record(SimDuration::from_nanos(nanos));
    }

    /// The distribution; one recorded nanosecond corresponds to `unit`.
    fn distribution(&self, name: &'static str, is_time: bool) -> Option<SampleDistribution> {
        let unit = if is_time { 1.0 } else { 1e9 };
        let count = self.histogram.count() as f64;
        let mean = self.histogram.mean_secs().filter(|_| count >= 2.0)?;
        let value = |bucket: SimDuration| bucket.as_secs_f64();
        let square: f64 = self.histogram.buckets().map(|(at, n)| (value(at) - mean).powi(2) * n as f64).sum();
        let mut shares: Vec<(f64, f64)> = Vec::new();
        let mut below = 0;
        for (at, n) in self.histogram.buckets() {
            below += n;
            let share = below as f64 / count;
            let is_new = shares.last().is_none_or(|(_, last)| share - last >= 1.0 / SHARES as f64);
            if is_new || below == self.histogram.count() {
                shares.push((value(at) * unit, share));
            }
        }
        let cv = if mean > 0.0 { (square / count).sqrt() / mean } else { 0.0 };
        Some(SampleDistribution { name, is_time, mean: mean * unit, cv, shares })
    }
}

impl Marks {
    fn add(&mut self, batch: &RequestBatch, from: usize) {
        for time in &batch.arrivals[from..] {
            if let Some(newest) = self.newest.replace(*time) {
                self.gaps.record(time.since(newest).as_nanos());
            }
        }
        let tail = |length: usize| from.min(length);
        let demands =
            batch.demands[tail(batch.demands.len())..].iter().filter(|demand| **demand != RequestBatch::UNKNOWN);
        demands.for_each(|demand| self.demands.record(demand.as_nanos()));
        let tokens = |mark: &mut Mark, column: &[u32]| {
            column[tail(column.len())..].iter().for_each(|tokens| mark.record(u64::from(*tokens)));
        };
        tokens(&mut self.tokens_in, &batch.tokens_in);
        tokens(&mut self.tokens_out, &batch.tokens_out);
    }

    fn distributions(&self) -> Vec<SampleDistribution> {
        let all = [
            self.gaps.distribution(GAP, true),
            self.demands.distribution("service demand", true),
            self.tokens_in.distribution("input tokens", false),
            self.tokens_out.distribution("output tokens", false),
        ];
        all.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::generators::testing::workload;

    fn portrait(text: &str) -> Portrait {
        Portrait::of_workload(&workload(text).unwrap(), Streams::new(5, 0)).unwrap()
    }

    #[test]
    fn a_poisson_process_has_exponential_gaps_and_dispersion_one() {
        let seen = portrait("poisson: { rate: 20/s, for: 2h }");
        assert_eq!(seen.rate.len(), 720);
        let mean = seen.rate.iter().flatten().sum::<f64>() / 720.0;
        assert!((mean - 20.0).abs() < 0.2, "{mean}");
        assert!(seen.dispersion.iter().filter(|(scale, _)| *scale <= 50.0).all(|(_, index)| (index - 1.0).abs() < 0.2));
        let gap = &seen.distributions[0];
        assert!((gap.mean - 0.05).abs() < 0.001 && (gap.cv - 1.0).abs() < 0.02, "{} {}", gap.mean, gap.cv);
        let median = gap.shares.iter().find(|(_, share)| *share >= 0.5).unwrap().0;
        assert!((median / (0.05 * 2f64.ln()) - 1.0).abs() < 0.03, "{median}");
        assert!(seen.hours.is_none() && seen.weekdays.is_none());
    }

    #[test]
    fn the_profile_of_a_season_is_found() {
        let seen =
            portrait("nhpp: { season: { rate: 0.2/s, weekdays: [1, 1, 1, 1, 1, 3, 3] }, start: 2026-11-23, for: 28d }");
        let weekdays = seen.weekdays.unwrap();
        // Weekdays 1, weekends 3: mean 11/7.
        for (day, expected) in [(0, 7.0 / 11.0), (6, 21.0 / 11.0)] {
            assert!((weekdays[day] - expected).abs() < 0.02, "{weekdays:?}");
        }
        assert!(seen.hours.unwrap().iter().all(|hour| (hour - 1.0).abs() < 0.05));
    }

    #[test]
    fn a_day_that_is_there_in_part_does_not_count() {
        // Nearly all requests arrive between 18:00 and 24:00, every day the same; the trace starts on a Monday at noon.
        let seen = portrait(
            "nhpp: { season: { rate: 0.2/s, hours: [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,99,99,99,99,99,99] },
             start: 2026-11-23T12:00:00Z, for: 20d }",
        );
        let weekdays = seen.weekdays.unwrap();
        assert!(weekdays.iter().all(|day| (day - 1.0).abs() < 0.03), "{weekdays:?}");
    }

    #[test]
    fn levels_are_means_over_the_time_in_which_they_are_known() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("players.csv");
        // Ten players for an hour, a hole of five hours, then thirty for an hour.
        let rows: Vec<String> = (0..=12)
            .map(|i| (i * 300, 10))
            .chain((0..=12).map(|i| (21_600 + i * 300, 30)))
            .map(|(t, n)| format!("{t},{n}"))
            .collect();
        std::fs::write(&path, format!("time,players\n{}\n", rows.join("\n"))).unwrap();
        let mut options = TraceOptions::default();
        options.columns.time = vec!["time".into()];
        options.columns.level = vec!["players".into()];
        let seen = Portrait::of_file(&path, &options).unwrap();
        assert_eq!(seen.kind, SeriesKind::Levels);
        let known: Vec<f64> = seen.rate.iter().flatten().copied().collect();
        assert!(known.len() < seen.rate.len(), "the hole is no level");
        assert!((known[0] - 10.0).abs() < 1e-9 && (known[known.len() - 1] - 30.0).abs() < 1e-9, "{known:?}");
    }
}
