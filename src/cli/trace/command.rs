//! `plimsoll trace`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::files::{draw, found, to_file, written};
use super::reading::{Printed, TraceReading};
use super::reshape;
use super::results::{inspect_results, profile_results};
use crate::cli::arguments::AxisArgument;
use crate::cli::failure::Failure;
use crate::cli::output::say;
use crate::cli::terminal::note;
use crate::report;
use crate::report::results::{RESULTS_VERSION, Results, TracePlotResults, results_text};
use crate::units::{Fraction, SimDuration};
use crate::workload::{
    ConvertOptions, FunctionProfile, Gaps, Portrait, ProfileMeasure, RowCounts, SHAPE_COLUMNS, SeriesKind, TraceFacts,
    TraceFiles, TraceOptions, ValueFacts, WorkloadSpec, convert, function_profile, inspect_files, is_function_profile,
    show_instant,
};

/// Arguments of `trace`.
#[derive(Debug, Args)]
pub(crate) struct TraceArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say what a trace holds: format, rows, span, rates, peaks, bad rows.
    #[command(
        after_help = "Examples:\n  plimsoll trace inspect access.log.gz\n  plimsoll trace inspect access.log.gz --charts charts"
    )]
    Inspect {
        /// The files, read as one trace: paths, patterns (`access.log*`), or `-` for standard input.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Also draw the trace into this directory: SVG, PNG, and the figures as CSV.
        #[arg(long, value_name = "DIR")]
        charts: Option<PathBuf>,
        #[command(flatten)]
        time: AxisArgument,
        /// Of a file of percentiles (Azure Functions 2019): only this owner, app or function.
        #[arg(long, value_name = "HASH")]
        only: Option<String>,
        #[command(flatten)]
        reading: TraceReading,
    },
    /// Draw traces beside each other: rate over time, day and week, dispersion over scales, distributions.
    #[command(after_help = "Example:\n  plimsoll trace plot this-year.log.gz last-year.log.gz --out charts")]
    Plot {
        /// The traces, each a path, a pattern of several files, or `-` for standard input.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The directory to write to: SVG, PNG, and the figures as CSV.
        #[arg(short, long, value_name = "DIR", default_value = "trace-charts")]
        out: PathBuf,
        #[command(flatten)]
        time: AxisArgument,
        #[command(flatten)]
        reading: TraceReading,
    },
    /// Write a trace in Plimsoll's own form, `.parquet`, `.csv`, `.csv.gz` or `.csv.zst`.
    #[command(
        after_help = "Example:\n  plimsoll trace convert access.log.gz access.parquet --reorder 1h --note 'own logs'"
    )]
    Convert {
        /// The files to read as one trace (paths, patterns, or `-` for standard input), and the file to write.
        #[arg(required = true, num_args = 2.., value_names = ["FROM", "TO"])]
        paths: Vec<PathBuf>,
        #[command(flatten)]
        reading: TraceReading,
        /// Write counts per interval of this length in place of single arrivals.
        #[arg(long, value_name = "DURATION")]
        counts: Option<SimDuration>,
        /// A remark to keep in the file, such as origin and licence (may be repeated).
        #[arg(long = "note", value_name = "TEXT")]
        notes: Vec<String>,
    },
    /// Reshape a trace by the steps that a scenario's `transforms:` may have, and write it in Plimsoll's own form.
    #[command(after_help = reshape::TRANSFORM_EXAMPLE)]
    Transform(Box<reshape::TransformArguments>),
    /// Fit a generator to a trace: print it as a scenario's `workload:` and say how close it comes.
    #[command(after_help = reshape::FIT_EXAMPLE)]
    Fit(Box<reshape::FitArguments>),
    /// Write the requests of a generator as a trace.
    #[command(after_help = reshape::SYNTH_EXAMPLE)]
    Synth(reshape::SynthArguments),
}

pub(crate) fn trace(arguments: &TraceArguments) -> Result<(), Failure> {
    let fail = Failure::input::<crate::workload::TraceError>;
    match &arguments.action {
        Action::Inspect { files, only, reading, .. }
            if files.len() == 1 && is_function_profile(&files[0]).unwrap_or(false) =>
        {
            let file = &files[0];
            let profile = function_profile(file, only.as_deref(), reading.options().max_bad_rows).map_err(fail)?;
            match reading.printed() {
                Printed::Json => say(&results_text(&profile_results(files, &profile))),
                Printed::Table => {
                    profile.tally.notices().iter().for_each(|notice| note(notice));
                    say(&profile_shown(&profile))
                }
            }
        }
        Action::Inspect { files, charts, time, reading, .. } => {
            let named = files;
            let files = found(files)?;
            let facts = inspect_files(&files, &reading.options()).map_err(fail)?;
            match reading.printed() {
                Printed::Json => say(&results_text(&inspect_results(named, &facts)))?,
                Printed::Table => {
                    facts.notices.iter().for_each(|notice| note(notice));
                    say(&shown(&facts))?;
                    if let Some(course) = course(&files, &facts, &reading.options()) {
                        say(&course)?;
                    }
                }
            }
            let Some(directory) = charts else { return Ok(()) };
            // Facts are told of rows in any order and of any share of bad ones, so they are drawn as well.
            let everything = Fraction::new(1.0).unwrap_or_default();
            let options = TraceOptions { max_bad_rows: everything, reorder: SimDuration::MAX, ..reading.options() };
            let traces = [(name(&files), Portrait::of_files(&files, &options).map_err(fail)?)];
            draw(&traces, directory, time.axis).map(|_| ())
        }
        Action::Plot { files, out, time, reading } => {
            let portrait = |file: &PathBuf| {
                let files = found(std::slice::from_ref(file))?;
                Ok((name(&files), Portrait::of_files(&files, &reading.options()).map_err(fail)?))
            };
            let traces: Result<Vec<_>, Failure> = files.iter().map(portrait).collect();
            let files: Vec<String> =
                draw(&traces?, out, time.axis)?.iter().map(|path| path.display().to_string()).collect();
            match reading.printed() {
                Printed::Table => Ok(()),
                Printed::Json => {
                    let results = TracePlotResults { version: RESULTS_VERSION, files };
                    say(&results_text(&Results::TracePlot(results)))
                }
            }
        }
        Action::Convert { paths, reading, counts, notes } => {
            let how = ConvertOptions { counts: *counts, notes: notes.clone() };
            let Some((to, from)) = paths.split_last() else { return Ok(()) };
            // Nothing that a trace records of its requests gets lost.
            let options = TraceOptions { durations: true, ..reading.options() };
            let files = found(from)?;
            let done = to_file(to, |file| convert(&files, &options, file, &how).map_err(fail))?;
            written(to, &done, reading.printed(), Results::TraceConvert)
        }
        Action::Transform(arguments) => reshape::transform(arguments),
        Action::Fit(arguments) => reshape::fit(arguments),
        Action::Synth(arguments) => reshape::synth(arguments),
    }
}

/// What percentiles of functions say, and how to state it in a scenario.
fn profile_shown(profile: &FunctionProfile) -> String {
    let at =
        |share: f64| profile.values[((share * profile.values.len() as f64) as usize).min(profile.values.len() - 1)];
    let list = |unit: &str, digits: usize| {
        profile.values.iter().map(|value| format!("{value:.digits$}{unit}")).collect::<Vec<_>>().join(", ")
    };
    let (what, unit) = match profile.measure {
        ProfileMeasure::Duration => ("executions", "ms"),
        ProfileMeasure::Memory => ("samples", "MB"),
    };
    let mut lines = vec![
        "format        azure-functions-2019, percentiles: no times, so nothing to replay".to_string(),
        format!("rows          {} of {} apps, {} {what}", profile.rows, profile.apps, profile.samples),
        format!("mean          {:.1} {unit}", profile.mean),
        format!("percentiles   p50 {:.1}, p95 {:.1}, p99 {:.1} {unit}", at(0.5), at(0.95), at(0.99)),
    ];
    lines.push(match profile.measure {
        ProfileMeasure::Duration => format!("service-time: {{ empirical: [{}] }}", list("ms", 3)),
        ProfileMeasure::Memory => {
            format!("memory: {{ base: {:.0}Mi }}  # the 99th percentile", at(0.99) * 1e6 / 1_048_576.0)
        }
    });
    lines.join("\n")
}

/// The name of a trace without its directory.
fn name(files: &TraceFiles) -> String {
    WorkloadSpec::from_files(files.clone(), TraceOptions::default()).trace_name().unwrap_or_default()
}

/// The course over time in a line of blocks: of arrivals as they were counted, of counts and levels where their rows are in
/// order.
fn course(files: &TraceFiles, facts: &TraceFacts, options: &TraceOptions) -> Option<String> {
    let course: Vec<Option<f64>> = match facts.kind {
        SeriesKind::Arrivals => facts.shape.iter().map(|count| Some(*count as f64)).collect(),
        _ => Portrait::of_files(files, options).ok()?.rate,
    };
    let columns = SHAPE_COLUMNS.min(course.len()).max(1);
    let column = SimDuration::from_secs((facts.span().as_secs_f64() / columns as f64).round() as u64);
    Some(format!("course        {} (each {column})", report::sparkline(&course, columns)))
}

fn shown(facts: &TraceFacts) -> String {
    let mut lines = vec![
        format!("format        {} ({}), {}", facts.format, facts.packing, facts.kind.name()),
        rows_shown(&facts.tally),
        format!("from          {}", moment(facts, facts.first.as_nanos())),
        format!("to            {}", moment(facts, facts.last.as_nanos())),
        format!("span          {}", facts.span()),
        format!("longest gap   {}", facts.longest_gap),
    ];
    if let Some(Gaps { step, gaps, missing }) = facts.gaps {
        lines.push(match gaps {
            0 => format!("step          {step}, none missing"),
            _ => format!("step          {step}, {missing} missing in {gaps} gaps{}", absence(facts.kind)),
        });
    }
    if facts.out_of_order > 0 {
        let share = facts.out_of_order as f64 / facts.tally.rows as f64 * 100.0;
        let (rows, back) = (facts.out_of_order, facts.furthest_back);
        lines.push(format!("out of order  {rows} rows ({share:.3}%), by up to {back}"));
    }
    if let Some(rate) = facts.mean_rate() {
        lines.push(format!("mean rate     {rate:.4}/s"));
    }
    for peak in &facts.peaks {
        let over = if peak.mean > 0.0 { peak.most as f64 / peak.mean } else { 0.0 };
        let at = match facts.zero_epoch_ns {
            Some(_) => show_instant(peak.at_ns),
            None => SimDuration::from_nanos(peak.at_ns).to_string(),
        };
        lines.push(format!(
            "peak per {:5}{} at {at}, {over:.1} times the mean of {:.4}",
            peak.bin, peak.most, peak.mean
        ));
    }
    lines.extend(burstiness(facts));
    if let Some(values) = &facts.values {
        lines.push(format!("values        {}", values_shown(facts, values)));
    }
    if let Some(instants) = &facts.instants {
        lines.push(format!(
            "instants      {}, each with {:.1} rows on average",
            instants.instants,
            facts.tally.rows as f64 / instants.instants as f64
        ));
        lines.push(format!("  sum of rows {}", values_shown(facts, &instants.sums)));
        lines.push(format!("  their mean  {}", values_shown(facts, &instants.means)));
        if instants.zeros > 0 {
            lines.push(format!("  all zero    at {} instants: nothing came, or nothing was collected", instants.zeros));
        }
    }
    if let Some(sessions) = &facts.sessions {
        let think = sessions.think_time.map_or_else(String::new, |seconds| format!(", {seconds:.1} s apart"));
        lines.push(format!(
            "sessions      {}, each with {:.2} requests over {:.1} s on average{think}",
            sessions.sessions, sessions.requests, sessions.duration
        ));
    }
    if let Some(meaning) = meaning(facts.kind) {
        lines.push(format!("to replay     {meaning}"));
    }
    lines.join("\n")
}

fn rows_shown(tally: &RowCounts) -> String {
    let passed = if tally.skipped > 0 { format!(", {} passed over", tally.skipped) } else { String::new() };
    format!("rows          {} used{passed}, {:.3}% unusable", tally.rows, tally.bad_share() * 100.0)
}

/// How far arrivals are from a steady Poisson process.
fn burstiness(facts: &TraceFacts) -> Vec<String> {
    let mut lines = Vec::new();
    if !facts.dispersion.is_empty() {
        let scales: Vec<String> = facts.dispersion.iter().map(|(bin, index)| format!("{index:.2} per {bin}")).collect();
        lines.push(format!("dispersion    {} (1 for a Poisson process)", scales.join(", ")));
    }
    if let Some((day, week)) = facts.season {
        let (day, week) = (day * 100.0, week * 100.0);
        lines.push(format!(
            "season        hour of day explains {day:.0}%, day of week {week:.0}% of the hourly variance"
        ));
    }
    if facts.duplicates > 0 {
        let share = facts.duplicates as f64 / facts.tally.rows as f64 * 100.0;
        lines.push(format!("same instant  {} rows ({share:.3}%) as the row before", facts.duplicates));
    }
    lines
}

fn values_shown(facts: &TraceFacts, values: &ValueFacts) -> String {
    let at = moment(facts, values.at.as_nanos());
    format!("sum {}, mean {:.4}, most {} at {at}", values.sum, values.mean, values.most)
}

/// What a row that is not there stands for.
fn absence(kind: SeriesKind) -> &'static str {
    match kind {
        SeriesKind::Arrivals => "",
        SeriesKind::Counts => ": no requests there",
        SeriesKind::Levels => ": a value holds until the next row, at most for `max-gap`",
    }
}

/// What must be known of rows that are no requests.
fn meaning(kind: SeriesKind) -> Option<&'static str> {
    match kind {
        SeriesKind::Arrivals => None,
        SeriesKind::Counts => {
            Some("as many requests as counted, at random or even instants of each interval (`expand:`)")
        }
        SeriesKind::Levels => {
            Some("not requests: state a model, `requests-per-unit: 0.1/s` or `sessions: { duration: 20m }`")
        }
    }
}

/// An instant of the trace's clock, as a date where it has one.
fn moment(facts: &TraceFacts, nanos: u64) -> String {
    match facts.zero_epoch_ns {
        Some(zero) => show_instant(zero + nanos),
        None => SimDuration::from_nanos(nanos).to_string(),
    }
}
