//! Samples of a metric from monitoring systems: series of values over time.
//!
//! A sample is not a request. A *counter* grows with each request and falls to zero when a process restarts; its
//! increase is a count. A *rate* is a count per second. *Counts* are counts already. A *level* stays a level.

use std::collections::BTreeMap;

use super::filter::Checks;
use super::open::TraceInput;
use super::options::{TraceOptions, Values};
use super::outliers::{Outlier, Outliers};
use super::rows::{BadRow, RowCounts, RowFacts, RowReader, Rows, SeriesKind};
use crate::units::{SimDuration, SimTime};
use crate::workload::error::TraceError;
use crate::workload::time::text::EPOCH_FROM_NS;

/// Maximum number of samples in a file, and of steps computed from them: 64 MB.
pub(super) const MAX_SAMPLES: usize = 4 << 20;
/// Maximum value, as for tables.
const MAX_VALUE: f64 = 1e12;
/// Number of rows per call.
const ROWS: usize = 8192;

/// A value at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sample {
    time: u64,
    value: f64,
}

/// The series of one metric read from a file.
#[derive(Debug, Default)]
pub(super) struct Samples {
    series: Vec<Vec<Sample>>,
    held: usize,
    tally: RowCounts,
}

impl Samples {
    /// Adds a series; samples refer to it by its index.
    pub(super) fn begin(&mut self) -> usize {
        self.series.push(Vec::new());
        self.series.len() - 1
    }

    /// Adds a sample of `series`. A value that is not a number means "no value" and is skipped.
    ///
    /// # Errors
    /// If there are too many samples.
    pub(super) fn add(
        &mut self,
        input: &TraceInput,
        series: usize,
        time: SimTime,
        value: f64,
    ) -> Result<(), TraceError> {
        let number = self.number();
        if value.is_nan() {
            self.tally.skipped += 1;
        } else if !(0.0..=MAX_VALUE).contains(&value) {
            self.spoilt(number, 1, format!("expected a number from 0 to 1e12, found `{value}`"));
        } else {
            self.held += 1;
            self.series[series].push(Sample { time: time.as_nanos(), value });
        }
        match self.held > MAX_SAMPLES {
            true => Err(TraceError::new(input.name.as_str(), format!("holds more than {MAX_SAMPLES} samples"))
                .help("ask the monitoring system for fewer: a longer step, or `sum by` in the query")),
            false => Ok(()),
        }
    }

    /// The number of the next sample, from 1.
    pub(super) fn number(&self) -> u64 {
        self.held as u64 + self.tally.bad + self.tally.skipped + 1
    }

    /// Counts an unusable sample, with its line or, if there are no lines, its number.
    pub(super) fn spoilt(&mut self, line: u64, column: u64, message: String) {
        self.tally.fault(BadRow { line, column, message });
    }

    /// Adds a note on how the file was interpreted.
    pub(super) fn note(&mut self, text: String) {
        self.tally.notes.push(text);
    }

    /// Counts rows that were left out.
    pub(super) fn account(&mut self, checks: &Checks) {
        checks.account(&mut self.tally);
        self.tally.skipped += self.tally.left_out;
    }

    /// Counts a line that is not a sample.
    pub(super) fn passed_over(&mut self) {
        self.tally.skipped += 1;
    }

    /// Converts the samples to counts or levels.
    ///
    /// # Errors
    /// If there are none, if too many are unusable, or if there would be too many steps.
    pub(super) fn into_reader(
        mut self,
        input: &TraceInput,
        options: &TraceOptions,
        values: Values,
    ) -> Result<SampleReader, TraceError> {
        let fail = |message: String| TraceError::new(input.name.as_str(), message);
        self.tally.rows = self.held as u64;
        self.tally.weigh(&input.name, options.max_bad_rows.get())?;
        let mut twice = 0;
        for series in &mut self.series {
            // CloudWatch returns the newest samples first.
            series.sort_by_key(|sample| sample.time);
            let before = series.len();
            series.dedup_by_key(|sample| sample.time);
            twice += before - series.len();
        }
        if twice > 0 {
            self.note(format!("{twice} samples have the time of another one of the same series and were left out"));
        }
        self.judge(values, options).map_err(|outlier| outlier.error(&input.name))?;
        let Some(first) = self.series.iter().filter_map(|series| series.first()).map(|sample| sample.time).min() else {
            let error = fail("holds no usable samples; expected a metric over time".into());
            return Err(match self.tally.first_bad.first() {
                Some(bad) => error.line(bad.line).help(bad.message.as_str()),
                None => error.help("check the time range and the name of the metric"),
            });
        };
        let step = options.interval.map(SimDuration::as_nanos).or_else(|| self.usual_step());
        let last =
            self.series.iter().filter_map(|series| series.last()).map(|sample| sample.time).max().unwrap_or(first);
        let kind = if values == Values::Level { SeriesKind::Levels } else { SeriesKind::Counts };
        let Some(step) = step.filter(|step| *step > 0) else {
            return Err(fail("the length of a step cannot be told from one sample".into())
                .help("ask for a longer time, or state it, for example `interval: 1m`"));
        };
        // Every series may have samples in every step.
        let steps = (last - first) / step;
        let work = steps.saturating_mul(self.series.len() as u64);
        if steps >= MAX_SAMPLES as u64 || work >= 16 * MAX_SAMPLES as u64 {
            return Err(fail(format!("spans more than {MAX_SAMPLES} steps of {}", SimDuration::from_nanos(step)))
                .help("state a longer step, for example `interval: 1m`"));
        }
        let grid = Grid { first, step };
        let rows = match values {
            Values::Level | Values::Count => self.as_they_are(grid),
            Values::Counter => grid.counts(self.series.iter().flat_map(|series| increases(series))),
            Values::Rate => grid.counts(self.series.iter().flatten().map(|sample| grid.before(*sample))),
        };
        self.tally.rows = rows.len() as u64;
        let interval = (kind == SeriesKind::Counts).then(|| SimDuration::from_nanos(step));
        let zero_epoch_ns = (first >= EPOCH_FROM_NS).then_some(0);
        Ok(SampleReader { rows, next: 0, kind, interval, zero_epoch_ns, tally: self.tally })
    }

    /// Rejects samples that no real series has, before the time between them is divided into steps.
    fn judge(&mut self, values: Values, options: &TraceOptions) -> Result<(), Outlier> {
        let (from, end) = (options.start.unwrap_or(0), options.end.unwrap_or(u64::MAX));
        if from > 0 || end < u64::MAX {
            // Rates and counters extend back to the previous sample.
            for series in &mut self.series {
                let first = series.partition_point(|sample| sample.time < from).saturating_sub(1);
                let last = series.partition_point(|sample| sample.time < end) + 1;
                series.truncate(last);
                series.drain(..first.min(series.len()));
            }
        }
        let mut samples: Vec<Sample> = self.series.iter().flatten().copied().collect();
        samples.retain(|sample| (from..end).contains(&sample.time));
        samples.sort_by_key(|sample| sample.time);
        let mut rows = Rows { first_row: 1, ..Rows::default() };
        rows.requests.arrivals.extend(samples.iter().map(|sample| SimTime::from_nanos(sample.time)));
        if values != Values::Counter {
            rows.values.extend(samples.iter().map(|sample| sample.value));
        }
        let dated = samples.first().filter(|first| first.time >= EPOCH_FROM_NS).map(|_| 0);
        Outliers::default().see(&rows, 0, SimTime::MAX, dated)
    }

    /// The median step between neighbours, because some may be missing or late.
    fn usual_step(&self) -> Option<u64> {
        let mut steps: Vec<u64> =
            self.series.iter().flat_map(|series| series.windows(2).map(|pair| pair[1].time - pair[0].time)).collect();
        let middle = steps.len() / 2;
        (!steps.is_empty()).then(|| *steps.select_nth_unstable(middle).1)
    }

    /// All samples in order of time. If several series are added up, they are resampled to common steps.
    fn as_they_are(&mut self, grid: Grid) -> Vec<Sample> {
        let several = self.series.len() > 1;
        let mut replaced = 0;
        let mut rows: Vec<Sample> = Vec::with_capacity(self.held);
        for series in &self.series {
            let begin = rows.len();
            for sample in series {
                let time = if several { grid.start_of(grid.bin(sample.time)) } else { sample.time };
                match rows[begin..].last_mut() {
                    // Of two samples in the same step, the later one counts.
                    Some(last) if last.time == time => {
                        last.value = sample.value;
                        replaced += 1;
                    }
                    _ => rows.push(Sample { time, value: sample.value }),
                }
            }
        }
        rows.sort_by_key(|sample| sample.time);
        if replaced > 0 {
            self.note(format!("{replaced} samples lie in one step with a later one, which counts in their place"));
        }
        rows
    }
}

/// An amount between two times.
struct Amount {
    from: u64,
    to: u64,
    value: f64,
}

/// The increases of a counter between samples. A counter that decreased was reset to zero in between, as in Prometheus.
fn increases(series: &[Sample]) -> impl Iterator<Item = Amount> {
    series.windows(2).map(|pair| {
        let (before, after) = (pair[0], pair[1]);
        let value = if after.value >= before.value { after.value - before.value } else { after.value };
        Amount { from: before.time, to: after.time, value }
    })
}

/// Steps of equal length from the first sample on.
#[derive(Debug, Clone, Copy)]
struct Grid {
    first: u64,
    step: u64,
}

impl Grid {
    fn bin(self, time: u64) -> u64 {
        time.saturating_sub(self.first) / self.step
    }

    fn start_of(self, bin: u64) -> u64 {
        self.first + bin * self.step
    }

    /// A rate at a time is that of the step before it.
    fn before(self, sample: Sample) -> Amount {
        let from = sample.time.saturating_sub(self.step);
        Amount {
            from,
            to: sample.time,
            value: sample.value * SimDuration::from_nanos(sample.time - from).as_secs_f64(),
        }
    }

    /// Amounts, each spread evenly over its period, as counts per step; empty steps are left out.
    fn counts(self, amounts: impl Iterator<Item = Amount>) -> Vec<Sample> {
        // The first rate extends one step back.
        let shifted =
            Grid { first: self.first.checked_sub(self.step).unwrap_or(self.first % self.step), step: self.step };
        let mut counts: BTreeMap<u64, f64> = BTreeMap::new();
        for amount in amounts.filter(|amount| amount.to > amount.from) {
            let length = (amount.to - amount.from) as f64;
            for bin in shifted.bin(amount.from)..=shifted.bin(amount.to - 1) {
                let (from, to) = (shifted.start_of(bin), shifted.start_of(bin + 1));
                let inside = amount.to.min(to) - amount.from.max(from);
                *counts.entry(bin).or_default() += amount.value * (inside as f64 / length);
            }
        }
        counts.into_iter().map(|(bin, value)| Sample { time: shifted.start_of(bin), value }).collect()
    }
}

/// Returns the rows in order.
pub(super) struct SampleReader {
    rows: Vec<Sample>,
    next: usize,
    kind: SeriesKind,
    interval: Option<SimDuration>,
    zero_epoch_ns: Option<u64>,
    tally: RowCounts,
}

impl RowReader for SampleReader {
    fn facts(&self) -> RowFacts {
        let (kind, zero_epoch_ns, interval) = (self.kind, self.zero_epoch_ns, self.interval);
        RowFacts { kind, zero_epoch_ns, interval, ..RowFacts::ARRIVALS }
    }

    fn read(&mut self, rows: &mut Rows) -> Result<(), TraceError> {
        rows.clear();
        rows.first_row = self.next as u64 + 1;
        let until = self.rows.len().min(self.next + ROWS);
        for sample in &self.rows[self.next..until] {
            rows.requests.arrivals.push(SimTime::from_nanos(sample.time));
            rows.values.push(sample.value);
        }
        self.next = until;
        Ok(())
    }

    fn tally(&self) -> &RowCounts {
        &self.tally
    }
}

/// Selects the requested metric among those in a file.
///
/// # Errors
/// If it does not exist, or if none was requested and there are several.
pub(super) fn choose<'a>(
    input: &TraceInput,
    options: &'a TraceOptions,
    names: &'a [String],
) -> Result<&'a str, TraceError> {
    let listed = || format!("`metric:` may be one of: {}", super::header::listed(names));
    let fail = |message: String| Err(TraceError::new(input.name.as_str(), message).help(listed()));
    match (&options.metric, names) {
        (Some(name), _) if names.contains(name) => Ok(name),
        (Some(name), _) => fail(format!("has no metric `{name}`")),
        (None, [one]) => Ok(one),
        (None, []) => Err(TraceError::new(input.name.as_str(), "holds no samples; expected a metric over time")
            .help("check the query and its time range")),
        (None, _) => fail(format!("holds {} metrics; expected to be told which", names.len())),
    }
}

/// The kind of values: as stated, or as determined by the file.
///
/// # Errors
/// If neither states it.
pub(super) fn meaning(
    input: &TraceInput,
    options: &TraceOptions,
    metric: &str,
    known: Option<Values>,
) -> Result<Values, TraceError> {
    options.values.or(known).ok_or_else(|| {
        let message = format!("what the values of `{metric}` are is not clear; expected to be told");
        TraceError::new(input.name.as_str(), message)
            .help("`values:` is one of `counter` (only grows), `count` (per step), `rate` (per second), `level`")
    })
}

/// By the naming conventions of Prometheus: names that end in `_total`, or that count observations, are counters.
pub(super) fn by_name(metric: &str) -> Option<Values> {
    (metric.ends_with("_total") || metric.ends_with("_count")).then_some(Values::Counter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[(u64, f64)]) -> Vec<Sample> {
        values.iter().map(|(time, value)| Sample { time: *time, value: *value }).collect()
    }

    #[test]
    fn a_counter_keeps_its_increase_over_resets_and_gaps() {
        // Increases by 10, restarts and reaches 4, is absent for two steps and increases by 6 meanwhile.
        let series = samples(&[(100, 50.0), (110, 60.0), (120, 4.0), (140, 10.0)]);
        let counts = Grid { first: 100, step: 10 }.counts(increases(&series));
        assert_eq!(counts, samples(&[(100, 10.0), (110, 4.0), (120, 3.0), (130, 3.0)]));
    }

    #[test]
    fn scrapes_between_the_steps_are_shared_out() {
        let series = samples(&[(103, 0.0), (113, 10.0)]);
        let counts = Grid { first: 100, step: 10 }.counts(increases(&series));
        assert_eq!(counts, samples(&[(100, 7.0), (110, 3.0)]));
    }
}
