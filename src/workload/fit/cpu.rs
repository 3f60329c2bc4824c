//! CPU per request, by regression of the cores in use on the requests per second.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::units::SimDuration;
use crate::workload::error::TraceError;
use crate::workload::reading::options::{Columns, TraceOptions, Values};
use crate::workload::reading::rows::{RowReader, Rows, SeriesKind};
use crate::workload::replay::arrivals::{FileRecipe, open_reader, open_rows};
use crate::workload::replay::expand::{Intervals, Model};
use crate::workload::replay::trace_files::TraceFiles;
use crate::workload::spec::WorkloadSpec;
use crate::workload::time::text::show_instant_in;
use crate::workload::time::zone::Zone;

/// Minimum number of steps for a line.
const FEWEST: usize = 10;
/// Maximum number of steps; of more, every second, third ... is used, because all pairs are compared.
const MOST: usize = 1500;
/// A rate whose 5th and 95th percentile differ by less than this share of its median does not vary.
const VARIES: f64 = 0.1;
/// Confidence level of the intervals.
const LEVEL: f64 = 0.95;

/// A line of cores in use over requests per second.
#[derive(Debug, Clone, PartialEq)]
pub struct CpuFit {
    /// CPU seconds per request: the slope.
    pub seconds: f64,
    /// Its 95% confidence interval.
    pub seconds_between: (f64, f64),
    /// Cores in use without requests, of all replicas together: the intercept.
    pub idle: f64,
    /// Its values at the ends of the slope's interval, the lower one first.
    pub idle_between: (f64, f64),
    /// Share of the variance of the cores that the line explains; may be below zero if there are outliers.
    pub r_squared: f64,
    /// Number of steps used, and the length of each.
    pub steps: usize,
    /// See `steps`.
    pub step: SimDuration,
    /// Notes for readers, one sentence each.
    pub notes: Vec<String>,
}

impl CpuFit {
    /// The value of `cpu-per-request:`, YAML.
    pub fn yaml(&self) -> String {
        cpu_time(self.seconds)
    }
}

/// A duration with three significant digits.
pub(crate) fn cpu_time(seconds: f64) -> String {
    let (scaled, unit) = match seconds.abs() {
        s if s >= 1.0 => (seconds, "s"),
        s if s >= 1e-3 => (seconds * 1e3, "ms"),
        _ => (seconds * 1e6, "us"),
    };
    let digits = (2 - scaled.abs().max(1.0).log10().floor() as i32).max(0) as usize;
    format!("{scaled:.digits$}{unit}")
}

/// The cores in use during a time.
#[derive(Debug, Clone, Copy)]
struct Step {
    /// Nanoseconds since 1970, or since the clock's zero.
    from: u64,
    to: u64,
    cores: f64,
}

/// The CPU seconds that a request takes and the cores that are in use without any, from the cores in use over time: a gauge or rate such as
/// `rate(container_cpu_usage_seconds_total[1m])`, each value of the step before its time, or a counter of CPU seconds. Series of one file
/// add up. Steps that the requests do not cover are left out.
///
/// The line is the median of the slopes of all pairs of steps (Theil 1950), with the confidence interval of Sen (1968)
/// after Kendall's test, whose variance is multiplied by (1 + r) / (1 - r) if neighbouring residuals have the
/// correlation r > 0 (Bayley and Hammersley 1946); the intercept is the median of the residuals. A few outliers affect
/// neither.
///
/// # Errors
/// If a file cannot be read, the two have too few common steps, the rate does not vary, or the slope is not significantly positive.
pub fn cpu_per_request(
    requests: &WorkloadSpec,
    cpu: &TraceFiles,
    options: &TraceOptions,
) -> Result<CpuFit, TraceError> {
    let Some(recipe) = requests.recipe_of_trace() else {
        return Err(TraceError::new("the requests", "are of no trace"));
    };
    let used = steps_of(cpu, options)?;
    let rates = Requests::read(recipe, &used)?;
    if rates.dated != used.dated {
        let error = TraceError::new(cpu.name(), "one of the two series has dates, and the other has relative times");
        return Err(error.help("export both with dates"));
    }
    let mut points: Vec<(f64, f64)> =
        used.steps.iter().zip(&rates.per_second).filter_map(|(s, r)| Some(((*r)?, s.cores))).collect();
    if points.len() < FEWEST {
        return Err(too_few(points.len(), cpu, &used, &rates, options));
    }
    let mut notes = used.notes;
    if points.len() < used.steps.len() {
        notes.push(format!(
            "{} of {} steps lie outside the requests and were left out",
            used.steps.len() - points.len(),
            used.steps.len()
        ));
    }
    if points.len() > MOST {
        let every = points.len().div_ceil(MOST);
        notes.push(format!("of {} steps every {every}th is used", points.len()));
        points = points.into_iter().step_by(every).collect();
    }
    varies(&points, cpu)?;
    let line = Line::through(&points);
    let per_second = |value: f64| format!("{value:.3e} cores per request/s");
    if line.slope <= 0.0 || line.between.0 <= 0.0 {
        let message = format!(
            "the CPU does not clearly grow with the requests: {}, 95% interval {} to {}",
            per_second(line.slope),
            per_second(line.between.0),
            per_second(line.between.1)
        );
        let error = TraceError::new(cpu.name(), message);
        return Err(error.help(
            "check that both series are of the same service and that the CPU is in cores, or give a longer time",
        ));
    }
    if line.idle_between.1 < 0.0 {
        notes.push(
            "the line meets zero requests below zero cores: a request takes more CPU the more of them there are".into(),
        );
    }
    Ok(CpuFit {
        seconds: line.slope,
        seconds_between: line.between,
        idle: line.idle,
        idle_between: line.idle_between,
        r_squared: line.r_squared,
        steps: points.len(),
        step: used.step,
        notes,
    })
}

/// The cores in use over time.
struct Used {
    steps: Vec<Step>,
    step: SimDuration,
    dated: bool,
    notes: Vec<String>,
}

/// Reads the CPU: as determined by the file, otherwise as a level, otherwise as the sum of all columns.
fn steps_of(files: &TraceFiles, options: &TraceOptions) -> Result<Used, TraceError> {
    let level = TraceOptions { values: Some(Values::Level), ..options.clone() };
    let columns = Columns { level: vec!["*".into()], ..options.columns.clone() };
    let all = TraceOptions { columns, metric: None, values: None, ..options.clone() };
    let series = |reader: &dyn RowReader| reader.facts().kind != SeriesKind::Arrivals;
    let as_it_says = open_reader(files, options).ok().filter(|(_, reader)| series(&**reader));
    let (_, reader) = match as_it_says.map_or_else(|| open_reader(files, &level), Ok) {
        Ok(found) => found,
        Err(error) if options.metric.is_none() => open_reader(files, &all).map_err(|_| error)?,
        Err(error) => return Err(error),
    };
    let counted = reader.facts().interval.filter(|_| reader.facts().kind == SeriesKind::Counts);
    let read = instants(reader, files)?;
    let mut apart: Vec<u64> = read.values.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    apart.sort_unstable();
    let usual = options.interval.or(counted).map(SimDuration::as_nanos).or(apart.get(apart.len() / 2).copied());
    let Some(step) = usual.filter(|step| *step > 0) else {
        return Err(TraceError::new(files.name(), "the length of a step cannot be told from one value")
            .help("give a longer time"));
    };
    let seconds = SimDuration::from_nanos(step).as_secs_f64();
    let (start, end) = (options.start.unwrap_or(0), options.end.unwrap_or(u64::MAX));
    let steps = read.values.iter().map(|(time, value)| match counted {
        // CPU seconds from here on.
        Some(_) => Step { from: *time, to: time.saturating_add(step), cores: value / seconds },
        None => Step { from: time.saturating_sub(step), to: *time, cores: *value },
    });
    let steps = steps.filter(|step| step.from >= start && step.to <= end).collect();
    Ok(Used { steps, step: SimDuration::from_nanos(step), dated: read.dated, notes: read.notes })
}

/// The sums of the rows of each instant.
struct Instants {
    values: Vec<(u64, f64)>,
    dated: bool,
    notes: Vec<String>,
}

fn instants(mut reader: Box<dyn RowReader>, files: &TraceFiles) -> Result<Instants, TraceError> {
    let (mut values, mut rows): (Vec<(u64, f64)>, Rows) = (Vec::new(), Rows::default());
    let zero = reader.facts().zero_epoch_ns;
    loop {
        reader.read(&mut rows)?;
        if rows.is_empty() {
            break;
        }
        values.extend(
            rows.requests
                .arrivals
                .iter()
                .zip(&rows.values)
                .map(|(time, value)| (zero.unwrap_or(0).saturating_add(time.as_nanos()), *value)),
        );
    }
    values.sort_by_key(|(time, _)| *time);
    values.dedup_by(|later, first| {
        let same = later.0 == first.0;
        if same {
            first.1 += later.1;
        }
        same
    });
    let notes = reader.tally().notices().into_iter().map(|said| format!("of {}: {said}", files.name())).collect();
    Ok(Instants { values, dated: zero.is_some(), notes })
}

/// Requests per second in the steps of the CPU; `None` where the trace does not cover a step.
struct Requests {
    per_second: Vec<Option<f64>>,
    first: u64,
    last: u64,
    dated: bool,
}

impl Requests {
    fn read(recipe: &FileRecipe, used: &Used) -> Result<Requests, TraceError> {
        let (_, mut rows) = open_rows(&recipe.files, &recipe.options)?;
        let dated = rows.start_epoch_ns().is_some();
        let origin = rows.start_epoch_ns().unwrap_or(rows.origin.as_nanos());
        let mut sums = Sums { steps: &used.steps, sums: vec![(0.0, 0); used.steps.len()], first: origin, last: origin };
        if rows.ordered.reader.facts().kind == SeriesKind::Arrivals {
            let zero = origin - rows.origin.as_nanos().min(origin);
            while rows.ready()? {
                let times = &rows.rows.requests.arrivals[rows.cursor..];
                times.iter().take_while(|time| **time < rows.end).for_each(|time| sums.arrival(zero + time.as_nanos()));
                rows.cursor = rows.rows.len();
            }
            sums.cover();
        } else {
            let model = Model::of(&rows, &recipe.options, recipe.factor)?;
            let mut intervals = Intervals::new(rows, model);
            while let Some(interval) = intervals.next()? {
                let from = origin.saturating_add(interval.start.as_nanos());
                sums.add(from, from.saturating_add(interval.length.as_nanos()), interval.mean);
            }
        }
        let rate = |(step, (requests, covered)): (&Step, &(f64, u64))| {
            let length = step.to - step.from;
            let whole = *covered as f64 >= length as f64 * 0.999 && length > 0;
            whole.then(|| requests / SimDuration::from_nanos(length).as_secs_f64())
        };
        let per_second = used.steps.iter().zip(&sums.sums).map(rate).collect();
        Ok(Requests { per_second, first: sums.first, last: sums.last, dated })
    }
}

/// Requests and covered nanoseconds of each step.
struct Sums<'a> {
    steps: &'a [Step],
    sums: Vec<(f64, u64)>,
    first: u64,
    last: u64,
}

impl Sums<'_> {
    fn arrival(&mut self, at: u64) {
        self.last = self.last.max(at);
        let step = self.steps.partition_point(|step| step.to <= at);
        if self.steps.get(step).is_some_and(|found| found.from <= at) {
            self.sums[step].0 += 1.0;
        }
    }

    /// Recorded arrivals cover the whole time from the first to the last.
    fn cover(&mut self) {
        for (step, sum) in self.steps.iter().zip(&mut self.sums) {
            sum.1 = step.to.min(self.last).saturating_sub(step.from.max(self.first));
        }
    }

    fn add(&mut self, from: u64, to: u64, requests: f64) {
        self.last = self.last.max(to);
        let mut at = self.steps.partition_point(|step| step.to <= from);
        while let Some(step) = self.steps.get(at).filter(|step| step.from < to) {
            let inside = to.min(step.to) - from.max(step.from);
            self.sums[at].0 += requests * inside as f64 / (to - from).max(1) as f64;
            self.sums[at].1 += inside;
            at += 1;
        }
    }
}

fn too_few(points: usize, cpu: &TraceFiles, used: &Used, rates: &Requests, options: &TraceOptions) -> TraceError {
    let zone = options.time_zone.unwrap_or(Zone::UTC);
    let at = |nanos: u64| match used.dated {
        true => show_instant_in(nanos, zone),
        false => SimDuration::from_nanos(nanos).to_string(),
    };
    let (first, last) = (used.steps.first().map_or(0, |step| step.from), used.steps.last().map_or(0, |step| step.to));
    let message = format!(
        "has {points} steps in common with the requests; expected {FEWEST} or more (CPU from {} to {}, requests from {} to {})",
        at(first),
        at(last),
        at(rates.first),
        at(rates.last)
    );
    TraceError::new(cpu.name(), message)
        .help("export both over the same time, and state `--time-zone` where their times name none")
}

fn varies(points: &[(f64, f64)], cpu: &TraceFiles) -> Result<(), TraceError> {
    let mut rates: Vec<f64> = points.iter().map(|(rate, _)| *rate).collect();
    rates.sort_by(f64::total_cmp);
    let at = |share: f64| rates[((rates.len() - 1) as f64 * share).round() as usize];
    let (low, high) = (at(0.05), at(0.95));
    if high - low >= VARIES * at(0.5).max(f64::MIN_POSITIVE) && high > low {
        return Ok(());
    }
    let message = format!(
        "the rate of the requests hardly varies ({low:.4}/s to {high:.4}/s), so that CPU per request cannot be told from idle CPU"
    );
    Err(TraceError::new(cpu.name(), message).help("give a longer time, with quiet and busy hours"))
}

/// A line through points.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Line {
    slope: f64,
    between: (f64, f64),
    idle: f64,
    idle_between: (f64, f64),
    r_squared: f64,
}

impl Line {
    /// Theil's line with Sen's interval.
    fn through(points: &[(f64, f64)]) -> Line {
        let mut slopes = Vec::with_capacity(points.len() * (points.len() - 1) / 2);
        for (index, (x, y)) in points.iter().enumerate() {
            slopes.extend(
                points[..index].iter().filter(|(other, _)| other != x).map(|(other, at)| (y - at) / (x - other)),
            );
        }
        slopes.sort_by(f64::total_cmp);
        let slope = middle(&slopes);
        let idle = intercept(points, slope);
        let left = |(x, y): &(f64, f64)| y - idle - slope * x;
        let residuals: Vec<f64> = points.iter().map(left).collect();
        let score = Normal::standard().inverse_cdf(f64::midpoint(1.0, LEVEL));
        let width = score * (kendall_variance(points) * inflation(&residuals)).sqrt();
        let all = slopes.len() as f64;
        let place = |rank: f64| slopes[(rank.max(0.0) as usize).min(slopes.len() - 1)];
        let between = (place(((all - width) / 2.0).floor()), place(((all + width) / 2.0).ceil()));
        let mean = points.iter().map(|(_, y)| y).sum::<f64>() / points.len() as f64;
        let total: f64 = points.iter().map(|(_, y)| (y - mean).powi(2)).sum();
        let unexplained: f64 = residuals.iter().map(|left| left * left).sum();
        let r_squared = if total > 0.0 { 1.0 - unexplained / total } else { 0.0 };
        let idle_between = (intercept(points, between.1), intercept(points, between.0));
        Line { slope, between, idle, idle_between, r_squared }
    }
}

fn intercept(points: &[(f64, f64)], slope: f64) -> f64 {
    let mut left: Vec<f64> = points.iter().map(|(x, y)| y - slope * x).collect();
    left.sort_by(f64::total_cmp);
    middle(&left)
}

/// The median of sorted values.
fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        length if length.is_multiple_of(2) => f64::midpoint(sorted[half - 1], sorted[half]),
        _ => sorted[half],
    }
}

/// The variance of Kendall's S without a trend, corrected for ties.
fn kendall_variance(points: &[(f64, f64)]) -> f64 {
    let term = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let mut rates: Vec<f64> = points.iter().map(|(x, _)| *x).collect();
    rates.sort_by(f64::total_cmp);
    let ties: f64 = rates.chunk_by(|a, b| a == b).map(|same| term(same.len() as f64)).sum();
    (term(points.len() as f64) - ties) / 18.0
}

/// Factor on a variance for correlated neighbouring residuals.
fn inflation(residuals: &[f64]) -> f64 {
    let squares: f64 = residuals.iter().map(|left| left * left).sum();
    let pairs: f64 = residuals.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let correlation = if squares > 0.0 { (pairs / squares).clamp(0.0, 0.99) } else { 0.0 };
    (1.0 + correlation) / (1.0 - correlation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Streams};
    use rstest::rstest;

    /// Cores of 0.4 and 5 ms a request, with noise of this standard deviation, over rates from 10/s to 190/s.
    fn points(seed: u64, noise: f64) -> Vec<(f64, f64)> {
        let mut draw = Streams::new(seed, 0).running(Purpose::Expansion, 0);
        (0..144)
            .map(|n| {
                let rate = 100.0 + 90.0 * (f64::from(n) / 20.0).sin();
                (rate, 0.4 + 0.005 * rate + noise * draw.normal())
            })
            .collect()
    }

    #[test]
    fn a_line_without_noise_is_found_as_it_is() {
        let line = Line::through(&points(1, 0.0));
        assert!((line.slope - 0.005).abs() < 1e-12 && (line.idle - 0.4).abs() < 1e-9, "{line:?}");
        assert!((line.r_squared - 1.0).abs() < 1e-9, "{line:?}");
    }

    /// The 95% interval holds the slope in about 95 of 100 draws; between 89 and 99 lie within three standard errors.
    #[test]
    fn the_interval_holds_the_slope_as_often_as_it_says() {
        let holds = |seed: &u64| {
            let line = Line::through(&points(*seed, 0.05));
            line.between.0 <= 0.005 && 0.005 <= line.between.1
        };
        let held = (1..=200).filter(holds).count();
        assert!((178..=198).contains(&held), "{held} of 200");
    }

    /// In a tenth of the steps a backup uses two cores.
    #[test]
    fn steps_far_away_do_not_move_the_line() {
        let mut spoilt = points(3, 0.02);
        spoilt.iter_mut().step_by(10).for_each(|(_, cores)| *cores += 2.0);
        let line = Line::through(&spoilt);
        assert!((line.slope - 0.005).abs() < 2e-4 && (line.idle - 0.4).abs() < 0.03, "{line:?}");
    }

    #[test]
    fn residuals_that_resemble_their_neighbours_widen_the_interval() {
        assert_eq!(inflation(&[1.0, -1.0, 1.0, -1.0]), 1.0);
        assert_eq!(inflation(&[1.0, 1.0, 1.0, 1.0]), 7.0);
        assert_eq!(inflation(&[0.0, 0.0]), 1.0);
    }

    #[rstest]
    #[case(0.00512, "5.12ms")]
    #[case(0.0512, "51.2ms")]
    #[case(0.512, "512ms")]
    #[case(1.5, "1.50s")]
    #[case(0.000_012_34, "12.3us")]
    fn cpu_times_have_three_digits(#[case] seconds: f64, #[case] shown: &str) {
        assert_eq!(cpu_time(seconds), shown);
    }
}
