//! `plimsoll trace`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Failure, remark, say};
use crate::units::{Fraction, Rate, SimDuration};
use crate::workload::{
    Columns, ConvertOptions, SeriesKind, TimeFormat, TraceFacts, TraceOptions, ValueFacts, Values, convert, inspect,
    parse_instant, show_instant,
};

/// Arguments of `trace`.
#[derive(Debug, Args)]
pub(super) struct TraceArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say what a trace holds: format, rows, span, rates, peaks, bad rows.
    #[command(after_help = "Example:\n  plimsoll trace inspect access.log.gz")]
    Inspect {
        /// The file.
        file: PathBuf,
        /// The format; recognised from the content if left out (`plimsoll list formats`).
        #[arg(long)]
        format: Option<String>,
        #[command(flatten)]
        reading: Reading,
    },
    /// Write a trace in Plimsoll's own form, `.parquet`, `.csv`, `.csv.gz` or `.csv.zst`.
    #[command(
        after_help = "Example:\n  plimsoll trace convert access.log.gz access.parquet --reorder 1h --note 'own logs'"
    )]
    Convert {
        /// The file to read.
        from: PathBuf,
        /// The file to write.
        to: PathBuf,
        /// The format; recognised from the content if left out (`plimsoll list formats`).
        #[arg(long)]
        format: Option<String>,
        #[command(flatten)]
        reading: Reading,
        /// Write counts per interval of this length in place of single arrivals.
        #[arg(long, value_name = "DURATION")]
        counts: Option<SimDuration>,
        /// A remark to keep in the file, such as origin and licence (may be repeated).
        #[arg(long = "note", value_name = "TEXT")]
        notes: Vec<String>,
    },
}

/// How to read the file; a scenario's `workload:` has the same.
#[derive(Debug, Args)]
pub(super) struct Reading {
    /// Column of the time.
    #[arg(long, value_name = "COLUMN")]
    time: Option<String>,
    /// Column of the number of requests per interval.
    #[arg(long, value_name = "COLUMN")]
    count: Option<String>,
    /// Column of requests per second.
    #[arg(long, value_name = "COLUMN")]
    rate: Option<String>,
    /// Column of a level, such as players online.
    #[arg(long, value_name = "COLUMN")]
    level: Option<String>,
    /// Column of the service demand.
    #[arg(long, value_name = "COLUMN")]
    demand: Option<String>,
    /// Column of how long the request had taken by the row's time.
    #[arg(long, value_name = "COLUMN")]
    elapsed: Option<String>,
    /// Column of the input tokens.
    #[arg(long, value_name = "COLUMN")]
    tokens_in: Option<String>,
    /// Column of the output tokens.
    #[arg(long, value_name = "COLUMN")]
    tokens_out: Option<String>,
    /// Column of the class.
    #[arg(long, value_name = "COLUMN")]
    class: Option<String>,
    /// Which metric of a monitoring system's answer.
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// What the metric's values are: counter, count, rate or level.
    #[arg(long, value_name = "KIND", value_parser = values)]
    values: Option<Values>,
    /// How times are written: s, ms, us, ns, iso, clf or syslog; recognised if left out.
    #[arg(long, value_name = "FORM", value_parser = time_format)]
    time_format: Option<TimeFormat>,
    /// How the lines of an access log are written, as nginx's `log_format` says.
    #[arg(long, value_name = "TEXT")]
    log_format: Option<String>,
    /// Requests that one unit of the level makes.
    #[arg(long, value_name = "RATE")]
    requests_per_unit: Option<Rate>,
    /// How long one unit of the level stays; each arrives once.
    #[arg(long, value_name = "DURATION", conflicts_with = "requests_per_unit")]
    session: Option<SimDuration>,
    /// Length of a counted interval.
    #[arg(long, value_name = "DURATION")]
    interval: Option<SimDuration>,
    /// The first instant of interest (ISO 8601).
    #[arg(long, value_parser = instant)]
    start: Option<u64>,
    /// The end of the interesting part (ISO 8601, exclusive).
    #[arg(long, value_parser = instant)]
    end: Option<u64>,
    /// How far rows may go back in time, or `all`.
    #[arg(long, value_name = "DURATION", value_parser = reorder)]
    reorder: Option<SimDuration>,
    /// The largest share of rows that may be unusable.
    #[arg(long, value_name = "SHARE")]
    max_bad_rows: Option<Fraction>,
    /// The year in which a syslog begins.
    #[arg(long)]
    year: Option<u32>,
}

fn instant(text: &str) -> Result<u64, String> {
    parse_instant(text).ok_or_else(|| "expected an instant such as `2024-05-12` or `2024-05-12T08:30:00Z`".to_string())
}

fn time_format(text: &str) -> Result<TimeFormat, String> {
    let names = TimeFormat::ALL.map(TimeFormat::name).join(", ");
    TimeFormat::named(text).ok_or_else(|| format!("expected one of {names}"))
}

fn values(text: &str) -> Result<Values, String> {
    Values::named(text).ok_or_else(|| format!("expected one of {}", Values::ALL.map(Values::name).join(", ")))
}

fn reorder(text: &str) -> Result<SimDuration, String> {
    match text {
        "all" => Ok(SimDuration::MAX),
        text => text.parse().map_err(|error: crate::units::UnitError| error.to_string()),
    }
}

impl Reading {
    pub(super) fn options(&self, format: Option<&str>) -> TraceOptions {
        let default = TraceOptions::default();
        TraceOptions {
            format: format.map(str::to_string),
            columns: Columns {
                time: self.time.clone(),
                count: self.count.clone(),
                rate: self.rate.clone(),
                level: self.level.clone(),
                demand: self.demand.clone(),
                elapsed: self.elapsed.clone(),
                tokens_in: self.tokens_in.clone(),
                tokens_out: self.tokens_out.clone(),
                class: self.class.clone(),
            },
            time_format: self.time_format,
            log_format: self.log_format.clone(),
            metric: self.metric.clone(),
            values: self.values,
            session: self.session,
            interval: self.interval,
            requests_per_unit: self.requests_per_unit,
            start: self.start,
            end: self.end,
            reorder: self.reorder.unwrap_or(default.reorder),
            max_bad_rows: self.max_bad_rows.unwrap_or(default.max_bad_rows),
            year: self.year,
            ..default
        }
    }
}

pub(super) fn trace(arguments: &TraceArguments) -> Result<(), Failure> {
    let fail = |error: crate::workload::TraceError| Failure::Input(format!("error: {error}"));
    match &arguments.action {
        Action::Inspect { file, format, reading } => {
            let facts = inspect(file, &reading.options(format.as_deref())).map_err(fail)?;
            facts.tally.notices().iter().for_each(|notice| remark(notice));
            say(&shown(&facts))
        }
        Action::Convert { from, to, format, reading, counts, notes } => {
            let how = ConvertOptions { counts: *counts, notes: notes.clone() };
            let done = convert(from, &reading.options(format.as_deref()), to, &how).map_err(fail)?;
            done.tally.notices().iter().for_each(|notice| remark(notice));
            let (kind, rows, bytes) = (done.kind.name(), done.rows, done.bytes);
            say(&format!("{}: {rows} rows of {kind} over {}, {bytes} bytes", to.display(), done.extent))
        }
    }
}

fn shown(facts: &TraceFacts) -> String {
    let mut lines = vec![
        format!("format        {} ({}), {}", facts.format, facts.packing, facts.kind.name()),
        format!("rows          {} used, {:.3}% unusable", facts.tally.rows, facts.tally.bad_share() * 100.0),
        format!("from          {}", moment(facts, facts.first.as_nanos())),
        format!("to            {}", moment(facts, facts.last.as_nanos())),
        format!("span          {}", facts.span()),
        format!("longest gap   {}", facts.longest_gap),
    ];
    if facts.out_of_order > 0 {
        lines.push(format!("out of order  {} rows, by up to {}", facts.out_of_order, facts.furthest_back));
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
    }
    if let Some(meaning) = meaning(facts.kind) {
        lines.push(format!("to replay     {meaning}"));
    }
    lines.join("\n")
}

fn values_shown(facts: &TraceFacts, values: &ValueFacts) -> String {
    let at = moment(facts, values.at.as_nanos());
    format!("sum {}, mean {:.4}, most {} at {at}", values.sum, values.mean, values.most)
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
